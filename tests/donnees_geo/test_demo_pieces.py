"""Pièces du territoire fictif : placement, calendrier, noms, voies, rivières."""

from __future__ import annotations

import itertools
import json
import unicodedata
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from donnees_geo.demo import calendrier, noms
from donnees_geo.demo.allees import greffer
from donnees_geo.demo.cadre import construire_cadre, lisser_ligne, reechantillonner
from donnees_geo.demo.habitat import _tailles
from donnees_geo.demo.objets_osm import ObjetsOsm
from donnees_geo.demo.placement import TirageAdresses, repartir
from donnees_geo.demo.population import PARTS_AGES, Adresses
from donnees_geo.demo.profils_voies import PROFILS
from donnees_geo.demo.voies import _ordonner, _suites, choisir_sens_uniques
from donnees_geo.demo.voirie import Reseau
from donnees_geo.erreurs import ErreurConfiguration

COMMUNES_REELLES = Path(__file__).parents[3] / "shared/donnees/cabbalr"


def reseau_de(aretes: list[tuple[int, int, str, int]], xy: list[tuple[float, float]]) -> Reseau:
    o, c, nature, rue = zip(*aretes, strict=True)
    x, y = np.array(xy, dtype=float).T
    return Reseau(
        x,
        y,
        np.array(o),
        np.array(c),
        np.array(nature),
        np.array(rue),
        np.zeros(len(o), dtype=np.int64),
        np.zeros(len(x), dtype=bool),
    )


def test_repartir_au_plus_fort_reste() -> None:
    assert repartir(10, np.array([5.0, 3.0, 2.0])).tolist() == [5, 3, 2]
    # 7 × (0,5 ; 0,3 ; 0,2) = 3,5 ; 2,1 ; 1,4 : l'unité restante va au plus fort reste.
    assert repartir(7, np.array([5.0, 3.0, 2.0])).tolist() == [4, 2, 1]
    assert repartir(3, np.zeros(2)).tolist() == [0, 0]


@given(
    total=st.integers(0, 500),
    poids=st.lists(st.floats(0.01, 100), min_size=1, max_size=30),
)
def test_repartir_conserve_le_total(total: int, poids: list[float]) -> None:
    parts = repartir(total, np.array(poids))
    assert parts.sum() == total
    assert (parts >= 0).all()


def test_tirage_dans_la_bonne_commune_et_au_centre() -> None:
    n = 400
    commune = np.repeat([0, 1], n // 2)
    rang = np.tile([0.05, 1.5], n // 2)
    adresses = Adresses(
        np.arange(n, dtype=float),
        np.zeros(n),
        np.ones(n),
        commune,
        rang,
        np.full(n, "rue_faubourg"),
        np.ones(n),
    )
    tirees = TirageAdresses(adresses).tirer(np.array([30, 70]), 0.2, np.random.default_rng(1))
    assert np.bincount(commune[tirees]).tolist() == [30, 70]
    # exp(-0,05/0,2) contre exp(-1,5/0,2) : plus de 99,9 % des tirages sont au centre.
    assert (rang[tirees] < 1).all()


@pytest.mark.parametrize(
    ("jour", "attendu"),
    [
        (date(2026, 3, 17), "JS"),
        (date(2026, 2, 17), "VAC"),
        (date(2026, 3, 21), "SAM"),
        (date(2026, 3, 22), "DIM"),
        (date(2026, 5, 1), "DIM"),
    ],
)
def test_service_du_jour(jour: date, attendu: str) -> None:
    assert calendrier.service_du_jour(jour) == attendu


def test_date_de_service_est_un_mardi_scolaire() -> None:
    assert calendrier.DATE_SERVICE.weekday() == 1
    assert calendrier.service_du_jour(calendrier.DATE_SERVICE) == "JS"


def test_tailles_des_communes() -> None:
    tailles = _tailles(construire_cadre("normale", 1))
    assert tailles.size == 100
    assert tailles.sum() == 280_000
    assert (tailles < 2000).sum() == 62
    assert tailles[0] == 25_000
    assert ((tailles > 19_000) & (tailles < 21_000)).sum() == 2


def test_parts_des_ages() -> None:
    assert sum(PARTS_AGES.values()) == pytest.approx(1.0)
    jeunes = ("ind_0_3", "ind_4_5", "ind_6_10", "ind_11_17", "ind_18_24")
    moins_de_30 = sum(PARTS_AGES[a] for a in jeunes) + PARTS_AGES["ind_25_39"] / 3
    assert moins_de_30 == pytest.approx(0.367, abs=0.003)


def _cle(nom: str) -> str:
    decompose = unicodedata.normalize("NFD", nom.lower().replace("œ", "oe"))
    return "".join(c for c in decompose if c.isalpha())


def test_noms_distincts() -> None:
    assert len({_cle(n) for n in noms.NOMS_COMMUNES}) == len(noms.NOMS_COMMUNES) >= 200


def test_aucun_nom_de_commune_reelle_du_pas_de_calais() -> None:
    fichier = COMMUNES_REELLES / "communes-62-pas-de-calais.geojson"
    if not fichier.exists():
        pytest.skip("données réelles absentes (../shared/donnees)")
    entites = json.loads(fichier.read_text(encoding="utf-8"))["features"]
    reelles = {_cle(e["properties"]["nom"]) for e in entites}
    assert reelles.isdisjoint({_cle(n) for n in (*noms.NOMS_COMMUNES, *noms.NOMS_RIVIERES)})


def test_taille_inconnue() -> None:
    with pytest.raises(ErreurConfiguration, match="Taille du territoire fictif inconnue") as info:
        construire_cadre("enorme", 1)
    assert "« normale » ou « petite »" in str(info.value)
    assert "enorme" in str(info.value)


def test_lisser_garde_les_extremites() -> None:
    ligne = np.column_stack([np.arange(20.0), np.tile([0.0, 5.0], 10)])
    lisse = lisser_ligne(ligne, 2.0)
    assert np.array_equal(lisse[[0, -1]], ligne[[0, -1]])
    assert np.abs(np.diff(lisse[3:-3, 1])).max() < 1.5


def test_reechantillonner_espace_regulierement() -> None:
    points = reechantillonner(np.array([[0.0, 0], [30, 0], [30, 40]]), 10.0)
    assert len(points) == 8
    assert points[3].tolist() == [30.0, 0.0]


def test_greffer_coupe_l_arete_au_bon_endroit() -> None:
    reseau = reseau_de([(0, 1, "chemin", -1)], [(0, 0), (100, 0)])
    coupe, noeuds = greffer(reseau, np.array([0, 0]), np.array([0.75, 0.25]))
    assert coupe.x[noeuds].tolist() == [75.0, 25.0]
    assert list(zip(coupe.origine.tolist(), coupe.cible.tolist(), strict=True)) == [
        (0, 3),
        (3, 2),
        (2, 1),
    ]
    assert coupe.longueurs().sum() == pytest.approx(100.0)


def test_une_voie_continue_a_travers_un_carrefour_de_meme_rue() -> None:
    xy = [(0, 0), (1, 0), (2, 0), (1, 1)]
    reseau = reseau_de(
        [(0, 1, "rue_centre", 7), (1, 2, "rue_centre", 7), (1, 3, "rue_centre", 8)], xy
    )
    cle = np.array([0, 0, 1])
    voie = _suites(reseau, cle, np.zeros(3, dtype=bool))
    assert voie[0] == voie[1] != voie[2]
    noeuds, debut, _ = _ordonner(reseau, voie)
    suites = sorted(noeuds[a:b].tolist() for a, b in itertools.pairwise(debut))
    assert suites == [[0, 1, 2], [1, 3]]


def test_boucle_fermee_rendue_entiere() -> None:
    xy = [(0, 0), (1, 0), (0, 1)]
    reseau = reseau_de([(0, 1, "chemin", 1), (1, 2, "chemin", 1), (2, 0, "chemin", 1)], xy)
    noeuds, debut, _ = _ordonner(reseau, np.zeros(3, dtype=np.int64))
    assert np.diff(debut).tolist() == [2, 2, 2]
    assert sorted(noeuds.tolist()) == [0, 0, 1, 1, 2, 2]


def test_un_sens_unique_n_enferme_pas_une_impasse() -> None:
    # Une seule rue relie le fond de l'impasse : elle ne peut pas être à sens unique.
    xy = [(0.0, 0.0), (1, 0), (2, 0), (3, 0)]
    rues = [(0, 1, "collectrice", 1), (1, 2, "rue_centre", 2), (2, 3, "collectrice", 3)]
    for rue in range(2, 60):
        rues[1] = (1, 2, "rue_centre", rue)
        assert not choisir_sens_uniques(reseau_de(rues, xy)).any()


def test_surface_a_trou_devient_multipolygone() -> None:
    objets = ObjetsOsm()
    trou = shapely.box(0, 0, 10, 10) - shapely.box(3, 3, 6, 6)
    objets.ajouter_surface(trou, {"landuse": "forest"})
    objets.ajouter_surface(shapely.box(0, 0, 1, 1), {"leisure": "park"})
    assert objets.relations == [
        ([(0, "outer"), (1, "inner")], {"type": "multipolygon", "landuse": "forest"})
    ]
    assert objets.voies[2][1] == {"leisure": "park"}
    assert all(noeuds[0] == noeuds[-1] for noeuds, _ in objets.voies)


def test_les_profils_ont_tous_un_highway() -> None:
    assert all("highway" in p.tags for p in PROFILS.values())
    assert all(0 <= p.rang <= 9 and 0 <= p.sens_unique <= 1 for p in PROFILS.values())

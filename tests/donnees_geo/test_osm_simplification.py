"""Simplification du réseau entre carrefours : cas prédits à la main et oracle networkx."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from donnees_geo.osm import lire_osm
from donnees_geo.osm.simplification import Attributs, Noeuds, Segments, simplifier
from donnees_geo.reseau import (
    CLASSES_VOIE,
    MARCHE_ALLER,
    MARCHE_RETOUR,
    PONT,
    VOITURE_ALLER,
    VOITURE_RETOUR,
    ReseauRues,
)
from tests.fabriques.carte_osm import CRS_CARTE, CarteOsm


def lire(carte: CarteOsm, dossier: Path) -> ReseauRues:
    return lire_osm(carte.ecrire(dossier / "carte.osm.pbf"), CRS_CARTE, avec_fond=False).reseau


def troncons(reseau: ReseauRues) -> set[tuple[int, int, int]]:
    """Ensemble des (noeud OSM, noeud OSM, longueur arrondie), bouts dans l'ordre croissant."""
    bouts = np.column_stack(
        [
            reseau.noeud_osm[reseau.troncon_origine],
            reseau.noeud_osm[reseau.troncon_destination],
        ]
    )
    return {
        (int(min(b)), int(max(b)), round(float(longueur)))
        for b, longueur in zip(bouts, reseau.troncon_longueur_m, strict=True)
    }


def test_carrefour_en_croix(tmp_path: Path) -> None:
    """Deux rues coudées se croisent : quatre tronçons, les coudes disparaissent."""
    carte = CarteOsm()
    for numero, x, y in [
        (1, 0, 0), (2, 50, 0), (3, 100, 0), (4, 200, 0), (5, 100, 80), (6, 100, -30), (7, 130, -70),
    ]:  # fmt: skip
        carte.noeud(numero, x, y)
    carte.voie(10, [1, 2, 3, 4], {"highway": "residential", "name": "Rue Longue"})
    carte.voie(11, [5, 3, 6, 7])
    reseau = lire(carte, tmp_path)
    assert troncons(reseau) == {(1, 3, 100), (3, 4, 100), (3, 5, 80), (3, 7, 80)}
    assert sorted(reseau.noeud_osm.tolist()) == [1, 3, 4, 5, 7]
    longue = np.flatnonzero(reseau.troncon_way == 10)
    assert [reseau.noms[i] for i in reseau.troncon_nom[longue]] == ["Rue Longue", "Rue Longue"]
    assert (reseau.troncon_nom[reseau.troncon_way == 11] == -1).all()


def test_voies_bout_a_bout_fusionnees_si_semblables(tmp_path: Path) -> None:
    carte = CarteOsm()
    for i in range(6):
        carte.noeud(i + 1, 100 * i, 0)
    rue = {"highway": "residential", "name": "A"}
    carte.voie(10, [1, 2], rue)
    carte.voie(11, [3, 2], rue)  # tracée à rebours : même rue à double sens
    carte.voie(12, [3, 4], {**rue, "maxspeed": "30"})
    carte.voie(13, [4, 5], {**rue, "maxspeed": "30", "bridge": "yes"})
    carte.voie(14, [5, 6], {**rue, "maxspeed": "30", "bridge": "yes", "highway": "tertiary"})
    reseau = lire(carte, tmp_path)
    assert troncons(reseau) == {(1, 3, 200), (3, 4, 100), (4, 5, 100), (5, 6, 100)}
    par_way = {int(w): i for i, w in enumerate(reseau.troncon_way)}
    assert set(par_way) == {10, 12, 13, 14}
    assert np.isnan(reseau.troncon_vitesse_kmh[par_way[10]])
    assert reseau.troncon_vitesse_kmh[par_way[12]] == 30
    assert not reseau.troncon_acces[par_way[12]] & PONT
    assert reseau.troncon_acces[par_way[13]] & PONT
    assert CLASSES_VOIE[reseau.troncon_classe[par_way[14]]] == "tertiary"


def test_sens_uniques_opposes_ne_fusionnent_pas(tmp_path: Path) -> None:
    carte = CarteOsm()
    for i in range(4):
        carte.noeud(i + 1, 100 * i, 0)
    unique = {"highway": "residential", "oneway": "yes"}
    carte.voie(10, [1, 2], unique)
    carte.voie(11, [2, 3], unique)
    carte.voie(12, [4, 3], unique)
    reseau = lire(carte, tmp_path)
    assert troncons(reseau) == {(1, 3, 200), (3, 4, 100)}


def test_sens_unique_trace_a_rebours_fusionne_dans_le_sens_du_parcours(tmp_path: Path) -> None:
    """``oneway=-1`` sur la seconde moitié : on roule toujours de 1 vers 3."""
    carte = CarteOsm()
    for i in range(3):
        carte.noeud(i + 1, 100 * i, 0)
    carte.voie(10, [1, 2], {"highway": "residential", "oneway": "yes"})
    carte.voie(11, [3, 2], {"highway": "residential", "oneway": "-1"})
    reseau = lire(carte, tmp_path)
    assert troncons(reseau) == {(1, 3, 200)}
    depart = int(reseau.noeud_osm[reseau.troncon_origine[0]])
    permis = VOITURE_ALLER if depart == 1 else VOITURE_RETOUR
    assert reseau.troncon_acces[0] & (VOITURE_ALLER | VOITURE_RETOUR) == permis


def test_geometrie_suit_le_sens_aller(tmp_path: Path) -> None:
    carte = CarteOsm()
    for numero, x, y in [(1, 0, 0), (2, 30, 40), (3, 60, 0)]:
        carte.noeud(numero, x, y)
    carte.voie(10, [3, 2, 1], {"highway": "residential", "oneway": "yes"})
    reseau = lire(carte, tmp_path)
    assert reseau.troncon_longueur_m[0] == pytest.approx(100, abs=0.05)
    assert reseau.noeud_osm[reseau.troncon_origine[0]] == 3
    relatifs = np.column_stack([reseau.geometrie_x - 680_000, reseau.geometrie_y - 7_050_000])
    assert relatifs == pytest.approx(np.array([[60, 0], [30, 40], [0, 0]]), abs=0.05)


def test_rues_paralleles_et_boucles_gardees(tmp_path: Path) -> None:
    carte = CarteOsm()
    for numero, x, y in [
        (1, 0, 0), (2, 100, 0), (3, 50, 50), (4, -100, 0), (5, 200, 0), (6, 250, 50), (7, 250, -50),
    ]:  # fmt: skip
        carte.noeud(numero, x, y)
    carte.voie(10, [4, 1, 2, 5])
    carte.voie(11, [1, 3, 2])  # parallèle à 1-2
    carte.voie(12, [5, 6, 7, 5])  # raquette au bout de la rue
    reseau = lire(carte, tmp_path)
    assert troncons(reseau) == {(1, 4, 100), (1, 2, 100), (1, 2, 141), (2, 5, 100), (5, 5, 241)}


def test_anneau_isole_et_noeuds_repetes(tmp_path: Path) -> None:
    carte = CarteOsm()
    for numero, x, y in [(1, 0, 0), (2, 100, 0), (3, 100, 100), (4, 0, 100)]:
        carte.noeud(numero, x, y)
    carte.voie(10, [1, 2, 2, 3, 4, 1])
    reseau = lire(carte, tmp_path)
    assert reseau.nombre_troncons == 1
    assert reseau.troncon_origine[0] == reseau.troncon_destination[0]
    assert reseau.troncon_longueur_m[0] == pytest.approx(400, abs=0.1)
    assert reseau.geometrie_x.size == 5


def test_anneaux_isoles_de_plusieurs_voies(tmp_path: Path) -> None:
    """Cinq polygones faits chacun d'une voie par côté, tracées dans des sens variés."""
    carte = CarteOsm()
    hasard = np.random.default_rng(5)
    perimetres = []
    for rang in range(5):
        cotes = 3 + 4 * rang
        angles = 2 * np.pi * np.arange(cotes) / cotes
        numeros = (100 * rang + 1 + hasard.permutation(cotes)).tolist()
        for numero, angle in zip(numeros, angles, strict=True):
            carte.noeud(numero, 500 * rang + 100 * np.cos(angle), 100 * np.sin(angle))
        for i in range(cotes):
            bouts = [numeros[i], numeros[(i + 1) % cotes]]
            carte.voie(100 * rang + i + 1, bouts[:: hasard.choice([-1, 1])])
        perimetres.append(2 * cotes * 100 * np.sin(np.pi / cotes))
    reseau = lire(carte, tmp_path)
    np.testing.assert_array_equal(reseau.troncon_origine, reseau.troncon_destination)
    assert sorted(reseau.troncon_longueur_m) == pytest.approx(perimetres, abs=0.2)
    assert sorted(reseau.noeud_osm) == [1, 101, 201, 301, 401]


def test_noeuds_distincts_confondus_reunis(tmp_path: Path) -> None:
    """Un segment de longueur nulle disparaît sans couper la rue."""
    carte = CarteOsm()
    for numero, x in [(1, 0), (2, 100), (3, 100), (4, 200)]:
        carte.noeud(numero, x, 0)
    carte.voie(10, [1, 2, 3, 4])
    reseau = lire(carte, tmp_path)
    assert troncons(reseau) == {(1, 4, 200)}
    assert (reseau.troncon_longueur_m > 0).all()


def test_borne_ferme_le_plus_court_cote_aux_voitures(tmp_path: Path) -> None:
    carte = CarteOsm()
    carte.noeud(1, 0, 0)
    carte.noeud(2, 80, 0, barrier="bollard")
    carte.noeud(3, 100, 0)
    carte.noeud(4, 300, 0, barrier="bollard")  # au bout : ne ferme rien
    carte.voie(10, [1, 2, 3, 4])
    reseau = lire(carte, tmp_path)
    assert troncons(reseau) == {(1, 2, 80), (2, 3, 20), (3, 4, 200)}
    voiture = reseau.troncons_permis("voiture")
    assert reseau.troncon_longueur_m[~voiture] == pytest.approx([20], abs=0.05)
    assert reseau.troncons_permis("marche").all()
    assert reseau.troncons_permis("velo").all()


def test_noeuds_et_troncons_ranges(tmp_path: Path) -> None:
    carte = CarteOsm()
    for i in range(20):
        for j in range(20):
            carte.noeud(1 + 20 * i + j, 100 * i, 100 * j)
    for i in range(20):
        carte.voie(1000 + i, [1 + 20 * i + j for j in range(20)])
        carte.voie(2000 + i, [1 + 20 * j + i for j in range(20)])
    reseau = lire(carte, tmp_path)
    assert reseau.nombre_noeuds == 400 - 4  # les quatre coins sont des coudes
    assert (np.diff(reseau.troncon_origine) >= 0).all()
    ecarts = np.hypot(np.diff(reseau.noeud_x), np.diff(reseau.noeud_y))
    assert np.median(ecarts) < 150  # voisins en mémoire, voisins sur le terrain


@pytest.mark.parametrize("graine", range(25))
def test_oracle_plus_courts_chemins(graine: int) -> None:
    """Sur un graphe aléatoire, les distances entre carrefours sont celles du graphe brut."""
    hasard = np.random.default_rng(graine)
    n, s = 40, 48
    noeuds = Noeuds(
        np.arange(1, n + 1), hasard.uniform(0, 1000, n).round(), hasard.uniform(0, 1000, n).round()
    )
    # Un long chemin, puis des liens au hasard : beaucoup de noeuds de degré 2, dans les deux sens.
    chemin = hasard.permutation(n)
    origine = np.concatenate([chemin[:-1], hasard.integers(0, n, s - n + 1)])
    destination = np.concatenate([chemin[1:], hasard.integers(0, n, s - n + 1)])
    garde = origine != destination
    origine, destination = origine[garde], destination[garde]
    retourne = hasard.random(origine.size) < 0.5
    origine, destination = (
        np.where(retourne, destination, origine),
        np.where(retourne, origine, destination),
    )
    double = VOITURE_ALLER | VOITURE_RETOUR | MARCHE_ALLER | MARCHE_RETOUR
    acces = hasard.choice(
        np.array([double, double, MARCHE_ALLER | VOITURE_ALLER, VOITURE_RETOUR]), origine.size
    ).astype(np.uint16)
    segments = Segments(
        origine, destination, np.arange(origine.size), acces, hasard.integers(0, 2, origine.size)
    )
    attributs = Attributs(
        np.array([12, 14], dtype=np.uint8),
        np.array([np.nan, 30], dtype=np.float32),
        np.array([-1, -1], dtype=np.int32),
    )
    reseau = simplifier(noeuds, segments, attributs, (), "EPSG:2154")

    brut = np.hypot(
        noeuds.x[origine] - noeuds.x[destination], noeuds.y[origine] - noeuds.y[destination]
    )
    assert reseau.longueur_totale_m == pytest.approx(brut.sum())
    assert reseau.nombre_noeuds < n
    for aller, retour in ((VOITURE_ALLER, VOITURE_RETOUR), (MARCHE_ALLER, MARCHE_RETOUR)):
        reference = _graphe(noeuds.osm, origine, destination, brut, acces, aller, retour)
        obtenu = _graphe(
            reseau.noeud_osm, reseau.troncon_origine, reseau.troncon_destination,
            reseau.troncon_longueur_m, reseau.troncon_acces, aller, retour,
        )  # fmt: skip
        voulu = dict(nx.all_pairs_dijkstra_path_length(reference))
        trouve = dict(nx.all_pairs_dijkstra_path_length(obtenu))
        for u in obtenu:
            attendu = {v: d for v, d in voulu[u].items() if v in obtenu}
            assert trouve[u] == pytest.approx(attendu)


def _graphe(osm, origine, destination, longueur, acces, aller, retour):  # type: ignore[no-untyped-def]
    graphe = nx.MultiDiGraph()
    graphe.add_nodes_from(osm.tolist())
    for o, d, metres, bits in zip(
        osm[origine].tolist(), osm[destination].tolist(), longueur, acces, strict=True
    ):
        if bits & aller:
            graphe.add_edge(o, d, weight=metres)
        if bits & retour:
            graphe.add_edge(d, o, weight=metres)
    return graphe

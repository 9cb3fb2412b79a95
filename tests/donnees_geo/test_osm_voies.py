"""Voies relues du format OPL : valeurs prédites à la main, et libosmium pour oracle."""

from __future__ import annotations

import errno
import math
import os
from pathlib import Path

import numpy as np
import osmium
import pytest

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.osm import lecture, lire_osm, lire_rues, voies
from donnees_geo.osm.voies import VoiesBrutes, lire_voies, ouvrir_ecriture
from tests.fabriques.carte_osm import CRS_CARTE, CarteOsm

SANS_BARRIERE = np.empty(0, dtype=np.int64)


def relire(
    dossier: Path,
    *lignes: str,
    boite: tuple[float, float, float, float] | None = None,
    avec_bacs: bool = False,
) -> VoiesBrutes:
    fichier = dossier / "voies.opl"
    fichier.write_text("".join(f"{ligne}\n" for ligne in lignes), encoding="utf-8")
    return lire_voies(fichier, boite, SANS_BARRIERE, avec_bacs=avec_bacs)


def positions(lues: VoiesBrutes) -> list[list[tuple[int, float, float]]]:
    """Noeuds placés de chaque voie : (identifiant, lon, lat)."""
    bornes = np.cumsum(lues.nombre)[:-1]
    return [
        [
            (int(lues.noeud_osm[i]), float(lues.lon[i]), float(lues.lat[i]))
            for i in noeuds[noeuds >= 0]
        ]
        for noeuds in np.split(lues.noeud, bornes)
    ]


def test_une_voie_predite_a_la_main(tmp_path: Path) -> None:
    lues = relire(
        tmp_path, "w12 Thighway=path,name=Le%20%Pré,surface=gravel Nn7x2.64y-50.48,n3x-0.5y48"
    )
    assert lues.ids.tolist() == [12]
    assert lues.nombre.tolist() == [2]
    assert lues.noeud_osm.tolist() == [3, 7]
    assert positions(lues) == [[(7, 2.64, -50.48), (3, -0.5, 48.0)]]
    assert lues.noms == ("Le Pré",)
    assert lues.nom.tolist() == [0]
    assert [lues.combinaisons[i] for i in lues.combinaison] == [{"highway": "path"}]


def test_positions_exactes(tmp_path: Path) -> None:
    """Le nombre rendu est celui que ``float`` lirait dans le texte."""
    textes = ["0", "7", "-7", "0.0000001", "-0.0000001", "89.9999999", "-12.5", "3.1415927", "1.03"]
    noeuds = ",".join(f"n{i + 1}x{t}y{t}" for i, t in enumerate(textes))
    lus = positions(relire(tmp_path, f"w1 Thighway=path N{noeuds}"))[0]
    assert lus == [(i + 1, float(t), float(t)) for i, t in enumerate(textes)]


@pytest.mark.parametrize(
    ("noeuds", "places"),
    [
        ("n1xy,n2x1y2,n3x3y4", [2, 3]),
        ("n2x1y2,n1xy,n3x3y4", [2, 3]),
        ("n2x1y2,n1xy,n4xy,n3x3y4", [2, 3]),
        ("n2x1y2,n3x3y4,n1xy", [2, 3]),
        ("n2x1y2,n9x200y10,n3x3y4", [2, 3]),
    ],
)
def test_noeuds_absents(tmp_path: Path, noeuds: str, places: list[int]) -> None:
    lues = relire(tmp_path, "w1 Thighway=path Nn5x0y0,n6x1y1", f"w2 Thighway=path N{noeuds}")
    assert [n for n, _, _ in positions(lues)[1]] == places
    assert lues.nombre.tolist() == [2, noeuds.count("n")]
    assert lues.noeuds_manquants == noeuds.count("n") - 2
    assert lues.voies_coupees == 1


def test_voies_sans_noeud_ou_sans_noeud_place_ecartees(tmp_path: Path) -> None:
    lues = relire(
        tmp_path,
        "w1 Thighway=path N",
        "w2 Thighway=path Nn1x0y0,n2x1y1",
        "w3 Thighway=path Nn8xy,n9xy",
        "w4 T Nn1x0y0,n2x1y1",
        "w5 Thighway=path N",
    )
    assert lues.ids.tolist() == [2]
    assert lues.noeuds_manquants == lues.voies_coupees == 0
    assert relire(tmp_path, "w1 Thighway=path N").ids.size == 0
    assert relire(tmp_path).noeud_osm.size == 0


def test_noeuds_et_relations_du_fichier_ignores(tmp_path: Path) -> None:
    lues = relire(
        tmp_path,
        "n4 Tbarrier=bollard x2.5y48.5",
        "w1 Thighway=path Nn1x0y0,n2x1y1",
        "n5 Thighway=crossing x2.5y48.5",
        "w2 Thighway=steps Nn2x1y1,n3x2y2",
    )
    assert lues.ids.tolist() == [1, 2]
    assert lues.noeud_osm.tolist() == [1, 2, 3]


def test_tags_interpretes(tmp_path: Path) -> None:
    noeuds = "Nn1x0y0,n2x1y1"
    lues = relire(
        tmp_path,
        f"w1 Thighway=path,name=A%2c%B%3d%C%25%,access=private {noeuds}",
        f"w2 Tname=%1f68b%,highway=path,access=private,old_name=Non {noeuds}",
        f"w3 Thighway=path,highway=steps,access=private {noeuds}",
        f"w4 Thighway=residential,cycleway:left=lane,name= {noeuds}",
    )
    assert lues.noms == ("A,B=C%", "\N{TRAM CAR}")
    assert lues.nom.tolist() == [0, 1, -1, -1]
    assert [lues.combinaisons[i] for i in lues.combinaison] == [
        {"highway": "path", "access": "private"},
        {"highway": "path", "access": "private"},
        {"highway": "path", "access": "private"},
        {"highway": "residential", "cycleway:left": "lane"},
    ]
    assert lues.combinaison[0] == lues.combinaison[1]


def test_boite_et_noms_du_dehors(tmp_path: Path) -> None:
    """L'enveloppe décide : une voie peut traverser la boîte sans y avoir de noeud."""
    lignes = (
        "w1 Thighway=path,name=Dehors Nn1x10y0,n2x11y1",
        "w2 Thighway=path,name=Traverse Nn3x-5y0.5,n4x5y0.5",
        "w3 Thighway=path,name=Dedans Nn5x0.2y0.2,n6x0.3y0.3",
    )
    lues = relire(tmp_path, *lignes, boite=(0, 0, 1, 1))
    assert lues.ids.tolist() == [2, 3]
    assert lues.noms == ("Traverse", "Dedans")
    assert lues.noeud_osm.tolist() == [3, 4, 5, 6]


def test_bacs(tmp_path: Path) -> None:
    lignes = (
        "w1 Troute=ferry Nn1x0y0,n2x1y1",
        "w2 Troute=bus Nn1x0y0,n2x1y1",
        "w3 Troute=ferry,highway=service Nn1x0y0,n2x1y1",
    )
    assert relire(tmp_path, *lignes).ids.tolist() == [3]
    assert relire(tmp_path, *lignes, avec_bacs=True).ids.tolist() == [1, 3]


def test_tranches_sans_effet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hasard = np.random.default_rng(3)
    lignes = [
        f"w{v} Thighway=path,name=Rue%20%{hasard.integers(20)} N"
        + ",".join(
            f"n{n}x{n / 1000:g}y{-n / 500:g}"
            for n in hasard.integers(1, 400, hasard.integers(2, 9)).tolist()
        )
        for v in range(1, 200)
    ]
    entier = relire(tmp_path, *lignes)
    monkeypatch.setattr(voies, "_OCTETS_TRANCHE", 64)
    morceaux = relire(tmp_path, *lignes)
    assert positions(morceaux) == positions(entier)
    assert morceaux.noms == entier.noms
    for champ in ("ids", "nom", "combinaison", "nombre", "noeud", "noeud_osm", "lon", "lat"):
        np.testing.assert_array_equal(getattr(morceaux, champ), getattr(entier, champ))


def test_oracle_libosmium(tmp_path: Path) -> None:
    """Des tags de tous alphabets, écrits puis relus, sont ceux que libosmium rend à Python."""
    noms = ["Rue de l'Église, nº 5 = 50 %", "漢字", "ж\tб", "🚋 tram", "@#%20%", "", "é\u0301"]
    carte = CarteOsm()
    for i in range(len(noms) + 1):
        carte.noeud(i + 1, 37.123 * i, -11.7 * i)
    for i, nom in enumerate(noms):
        carte.voie(100 + i, [i + 1, i + 2], {"highway": "path", "name": nom, "ref": f"D {i}"})
    source = carte.ecrire(tmp_path / "carte.osm.pbf")
    fichier = tmp_path / "voies.opl"
    attendus = []
    with ouvrir_ecriture(fichier) as ecrivain:
        for voie in osmium.FileProcessor(str(source)).with_locations():
            if voie.is_way():
                ecrivain.add(voie)
                attendus.append((voie.tags["name"], [(n.ref, n.lon, n.lat) for n in voie.nodes]))
    lues = lire_voies(fichier, None, SANS_BARRIERE)
    obtenus = ["" if i < 0 else lues.noms[i] for i in lues.nom]
    assert list(zip(obtenus, positions(lues), strict=True)) == attendus


def test_rues_seules_et_extrait_complet_lisent_les_memes_voies(tmp_path: Path) -> None:
    """Écrites par libosmium ou confiées par Python, les voies sont les mêmes (place publique)."""
    carte = CarteOsm()
    for numero, x, y in [(1, 0, 0), (2, 100, 0), (3, 100, 100), (4, 0, 100), (5, 300, 0)]:
        carte.noeud(numero, x, y)
    carte.voie(10, [1, 2, 3, 4, 1], {"highway": "pedestrian", "area": "yes", "name": "Place"})
    carte.voie(11, [2, 5], {"highway": "residential", "natural": "tree_row"})
    carte.voie(12, [5, 3], {"building": "yes"})
    fichier = carte.ecrire(tmp_path / "carte.osm.pbf")
    seules = lire_rues(fichier, CRS_CARTE)
    complet = lire_osm(fichier, CRS_CARTE, avec_fond=True, avec_batiments=True).reseau
    assert sorted(set(seules.troncon_way.tolist())) == [10, 11]
    np.testing.assert_array_equal(seules.troncon_way, complet.troncon_way)
    np.testing.assert_array_equal(seules.geometrie_x, complet.geometrie_x)
    assert seules.noms == complet.noms == ("Place",)


def test_disque_plein(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carte = CarteOsm()
    carte.noeud(1, 0, 0)
    carte.noeud(2, 100, 0)
    carte.voie(10, [1, 2])
    fichier = carte.ecrire(tmp_path / "carte.osm.pbf")

    def echouer(*_: object, **__: object) -> None:
        raise RuntimeError(f"Write failed: {os.strerror(errno.ENOSPC)}")

    monkeypatch.setattr(lecture, "lire_voies", echouer)
    with pytest.raises(ErreurDonnees, match=r"place manque(.|\n)*À faire(.|\n)*TMPDIR"):
        lire_rues(fichier, CRS_CARTE)


def test_texte_mal_code(tmp_path: Path) -> None:
    """Un nom qui n'est pas de l'UTF-8 rend le fichier illisible, et l'erreur le dit."""
    carte = CarteOsm()
    carte.noeud(1, 0, 0)
    carte.noeud(2, 100, 0)
    carte.voie(10, [1, 2], {"highway": "path", "name": "MARQUEUR"})
    source = carte.ecrire(tmp_path / "carte.osm.pbf")
    clair = tmp_path / "clair.osm.pbf"
    with osmium.SimpleWriter(osmium.io.File(str(clair), "pbf,pbf_compression=none")) as ecrivain:
        for objet in osmium.FileProcessor(str(source)):
            ecrivain.add(objet)
    octets = clair.read_bytes()
    assert octets.count(b"MARQUEUR") == 1
    clair.write_bytes(octets.replace(b"MARQUEUR", b"MARQUE\xe9\xe0"))
    with pytest.raises(ErreurDonnees, match="illisible"):
        lire_rues(clair, CRS_CARTE)


def test_aucun_fichier_provisoire_ne_reste(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    provisoire = tmp_path / "provisoire"
    provisoire.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(provisoire))
    carte = CarteOsm()
    carte.noeud(1, 0, 0)
    carte.noeud(2, 100, 0)
    carte.voie(10, [1, 2])
    fichier = carte.ecrire(tmp_path / "carte.osm.pbf")
    assert not math.isnan(lire_rues(fichier, CRS_CARTE).longueur_totale_m)
    fichier.write_bytes(fichier.read_bytes()[:-5])
    with pytest.raises(ErreurDonnees):
        lire_rues(fichier, CRS_CARTE)
    assert list(provisoire.iterdir()) == []

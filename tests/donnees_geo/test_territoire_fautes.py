"""Sources fautives : un constat bloquant chacune, rien d'écrit."""

import re
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest

from donnees_geo.configuration import lire_manifeste
from donnees_geo.erreurs import ErreurDonnees, Gravite
from donnees_geo.territoire import (
    charger_territoire,
    preparer_territoire,
    verifier_territoire,
)
from tests.fabriques.sources_territoire import (
    changer_fichier,
    changer_manifeste,
    ecrire_sources,
    tronquer,
)


def doubler_commune(dossier: Path) -> None:
    communes = gpd.read_file(dossier / "communes.geojson")
    communes["code"] = "62001"
    communes.to_file(dossier / "communes.geojson")


def vider_geometries(dossier: Path) -> None:
    communes = gpd.read_file(dossier / "communes.geojson")
    communes.geometry = [None, None]
    communes.to_file(dossier / "communes.geojson")


def vider_une_geometrie(dossier: Path) -> None:
    communes = gpd.read_file(dossier / "communes.geojson")
    communes.geometry = [communes.geometry.iloc[0], None]
    communes.to_file(dossier / "communes.geojson")


def population_vide(dossier: Path) -> None:
    changer_fichier("carreaux_200m_met.csv", "200.0", "")(dossier)


FAUTES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "extrait OSM tronqué": (tronquer("rues.osm.pbf", 0.6), "reseau.osm", "tronqué|illisible"),
    "extrait OSM vide": (tronquer("rues.osm.pbf", 0), "reseau.osm", "vide"),
    "CRS d'un autre continent": (
        changer_manifeste("EPSG:2154", "EPSG:32722"),
        "decoupage.communes",
        r"EPSG:32722 ne convient pas|ne se projettent pas",
    ),
    "communes répétées": (doubler_commune, "decoupage.communes", r"répété[\s\S]*62001"),
    "géométries vides": (vider_geometries, "decoupage.communes", "n'a de géométrie"),
    "une commune sans contour": (
        vider_une_geometrie,
        "decoupage.communes",
        r"1 objet\(s\) sans géométrie[\s\S]*62002, Est",
    ),
    "emprise qui ne recouvre rien": (
        changer_manifeste("[reseau]", "[[emprise]]\nrectangle = [2.0, 50.0, 2.1, 50.1]\n[reseau]"),
        "decoupage",
        "ne recouvre aucune commune",
    ),
    "secteur d'une commune inconnue": (
        changer_fichier("secteurs.csv", "62002", "62999"),
        "decoupage.secteur",
        r"62002[\s\S]*62999",
    ),
    "mauvais séparateur": (
        changer_fichier("secteurs.csv", ";", " "),
        "decoupage.secteur",
        r"code_commune \(noms cherchés : codgeo, code_commune",
    ),
    "population négative": (
        changer_fichier("carreaux_200m_met.csv", "200.0", "-200.0"),
        "population",
        "Population négative dans 1",
    ),
    "population vide": (population_vide, "population", "Population vide dans 1"),
    "colonne de population absente": (
        changer_fichier("carreaux_200m_met.csv", ",ind,", ",habitants,"),
        "population",
        "noms cherchés : ind, ind_c",
    ),
    "BPE sans coordonnées": (
        changer_fichier("BPE24.csv", "LAMBERT_X;", "X_L93;"),
        "services.bpe",
        "noms cherchés : LAMBERT_X",
    ),
    "service inconnu": (
        changer_manifeste('service = "marche"', 'service = "marches"'),
        "services.fichiers (marches)",
        "vouliez-vous « marche »",
    ),
    "fichier libre illisible": (tronquer("marches.geojson", 0.4), "services.fichiers", "tronquée"),
}


@pytest.mark.parametrize("nom", FAUTES)
def test_source_fautive(tmp_path: Path, nom: str) -> None:
    abimer, objet, attendu = FAUTES[nom]
    chemin = ecrire_sources(tmp_path / "s")
    abimer(tmp_path / "s")
    manifeste = lire_manifeste(chemin)
    bloquants = [c for c in verifier_territoire(manifeste) if c.gravite is Gravite.BLOQUANT]
    concernes = [c for c in bloquants if c.objet.startswith(objet)]
    assert concernes, bloquants
    assert re.search(attendu, concernes[0].message), concernes[0].message
    assert "Traceback" not in concernes[0].message
    with pytest.raises(ErreurDonnees, match="bloquant"):
        preparer_territoire(manifeste, tmp_path / "t")
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("nom", ["communes répétées", "emprise qui ne recouvre rien"])
def test_une_faute_de_decoupage_n_en_fait_pas_dire_d_autres(tmp_path: Path, nom: str) -> None:
    chemin = ecrire_sources(tmp_path / "s")
    FAUTES[nom][0](tmp_path / "s")
    constats = verifier_territoire(lire_manifeste(chemin))
    bloquants = [c.objet for c in constats if c.gravite is Gravite.BLOQUANT]
    assert bloquants == [FAUTES[nom][1]]


def test_toutes_les_fautes_en_une_verification(tmp_path: Path) -> None:
    chemin = ecrire_sources(tmp_path / "s")
    for nom in ("population négative", "service inconnu", "secteur d'une commune inconnue"):
        FAUTES[nom][0](tmp_path / "s")
    (tmp_path / "s" / "BPE24.csv").unlink()
    constats = verifier_territoire(lire_manifeste(chemin, exiger_fichiers=False))
    bloquants = [c for c in constats if c.gravite is Gravite.BLOQUANT]
    assert {c.objet for c in bloquants} == {
        "population",
        "services.fichiers (marches)",
        "decoupage.secteur",
        "services.bpe",
    }
    graves = [list(Gravite).index(c.gravite) for c in constats]
    assert graves == sorted(graves)


def test_couche_thematique_fautive_laissee_de_cote(tmp_path: Path) -> None:
    chemin = ecrire_sources(tmp_path / "s")
    (tmp_path / "s" / "autre.geojson").write_text("{")
    changer_manifeste("[couches]", '[couches]\npistes = "autre.geojson"')(tmp_path / "s")
    bilan = preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    assert any(
        c.objet == "couches.pistes" and "laissée de côté" in c.message for c in bilan.constats
    )
    assert set(charger_territoire(tmp_path / "t").couches) == {"commerces", "marches"}

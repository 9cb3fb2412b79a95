"""Noms de fichiers admis partout ; LICENCES.txt dit d'où vient chaque donnée."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couches.licences import (
    composer_licences,
    contient_osm,
    decrire_sources,
    ecrire_licences,
    mentionner_sources,
)
from couches.noms_fichiers import LONGUEUR_MAX, nommer_fichier
from donnees_geo.territoire.modele import SourceLue
from tests.fabriques.territoire_exports import etude_exports


@given(st.lists(st.text(max_size=40), min_size=1, max_size=3))
def test_nom_valable_sous_windows(parties):
    nom = nommer_fichier(*parties, extension=".pdf")
    tige = nom.removesuffix(".pdf")
    assert set(tige) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert 0 < len(tige) <= LONGUEUR_MAX + 1
    assert tige not in {"con", "prn", "aux", "nul", "com1", "lpt9"}
    assert nommer_fichier(*parties, extension=".pdf") == nom


@pytest.mark.parametrize(
    ("parties", "attendu"),
    [
        (("fiche", "62119", "Béthune"), "fiche_62119_bethune.csv"),
        (("L’Œuvre à l'Haÿ",), "l-oeuvre-a-l-hay.csv"),
        (("../../etc/passwd",), "etc-passwd.csv"),
        (("CON",), "con-.csv"),
        (("***",), "sans-nom.csv"),
        (("a" * 200,), "a" * 60 + ".csv"),
    ],
)
def test_noms_prevus(parties, attendu):
    assert nommer_fichier(*parties, extension=".csv") == attendu


def test_licences_reconnues_et_millesime_lu_du_nom():
    territoire, _ = etude_exports()
    sources = {s.fichier: s for s in decrire_sources(territoire)}
    assert sources["essai.osm.pbf"].licence == "ODbL 1.0"
    assert sources["BPE24.csv"].millesime == "2024"
    assert sources["BPE24.csv"].licence == "Licence Ouverte 2.0"
    assert sources["carreaux_200m_met.gpkg"].citer() == "Population\u00a0: Insee, Filosofi, 2021"
    assert contient_osm(territoire)


def test_source_inconnue_ne_recoit_pas_de_licence():
    territoire, _ = etude_exports()
    autre = replace(
        territoire, sources=(SourceLue("population.fichier", "setores_rs.gpkg", "d", 1, ""),)
    )
    (source,) = decrire_sources(autre)
    assert source.licence == "licence du producteur, à vérifier"
    assert not contient_osm(autre)
    assert "non reconnu" in composer_licences(autre)


def test_texte_des_licences(tmp_path):
    territoire, _ = etude_exports()
    chemin = ecrire_licences(territoire, tmp_path, ["acces.gpkg"])
    assert chemin.name == "LICENCES.txt"
    octets = chemin.read_bytes()
    assert octets.startswith(b"\xef\xbb\xbf")
    texte = octets.decode("utf-8-sig")
    for attendu in (
        "ODbL 1.0",
        "Licence Ouverte 2.0",
        "acces.gpkg",
        "b" * 64,
        "© les contributeurs",
    ):
        assert attendu in texte
    assert "FICTIVES" not in texte


def test_territoire_fictif_n_attribue_rien_a_personne():
    territoire, _ = etude_exports(fictif=True)
    texte = composer_licences(territoire)
    assert "DONNÉES FICTIVES" in texte
    assert "contributeurs d'OpenStreetMap" not in texte
    assert "n’existe pas" in mentionner_sources(territoire)
    assert {s.licence for s in decrire_sources(territoire)} == {"données simulées"}

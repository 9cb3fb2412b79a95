"""Fiches : comptes justes, textes jamais coupés, ordre français, absences dites."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accessibilite.etude import calculer_etude
from couches.ecran.etiquettes import Police
from couches.licences import lister_citations, mentionner_sources
from couches.papier.dossier import choisir_theme
from couches.papier.fiche import choisir_zones, composer_fiches, compter_services, dire_grande_part
from couches.papier.page import Page
from couches.papier.polices import preparer_polices
from couches.styles import lire_styles
from couches.textes import compter_juste
from couches.themes import Themes
from donnees_geo.territoire.modele import SourceLue
from tests.fabriques.territoire_exports import etude_exports
from tests.fabriques.ville_quadrillee import parametres_essai


@pytest.fixture
def page():
    return Page.ouvrir("A4", preparer_polices(Police(), Path()))


def fiche(territoire, etude, code="A0002"):
    (seule,) = composer_fiches(
        territoire, etude, choisir_theme(etude), Themes(), lire_styles(), "commune", (code,)
    )
    return seule


def test_sommes_partielles_justes():
    hasard = np.random.default_rng(5).uniform(0, 3, 200)
    comptes = compter_juste(hasard)
    assert comptes and np.cumsum(comptes).tolist() == [round(c) for c in np.cumsum(hasard)]
    assert compter_juste([]) == []


def test_la_phrase_et_la_legende_somment_a_la_population():
    territoire, _ = etude_exports()
    # Populations décimales, comme dans Filosofi : 60,4 à 100,4 habitants dans cinq carreaux.
    carreaux = territoire.carreaux.assign(
        population_hab=territoire.carreaux["population_hab"].astype(float) + 0.4
    )
    territoire = replace(territoire, carreaux=carreaux)
    seuils = tuple(replace(s, seuil_s=130.0) for s in parametres_essai().seuils)
    etude = calculer_etude(territoire, None, parametres_essai(seuils=seuils))
    seule = fiche(territoire, etude)
    # À vélo, 20 c s : les carreaux 5 et 6 (60,4 + 70,4) sous 130 s ; 402 habitants en tout.
    assert seule.phrase.startswith(
        "131\u00a0habitants sur 402 (32,5\u00a0%) y parviennent, 271 non."
    )
    comptes = [int(c) for c in seule.classes]
    assert sum(comptes) == 402


@pytest.mark.parametrize(
    ("valeur", "attendu"),
    [
        (0.0, "0\u00a0%"),
        (0.0004, "0,1\u00a0%"),
        (0.42, "42\u00a0%"),
        (0.996, "99,6\u00a0%"),
        (0.99999, "99,9\u00a0%"),
        (1.0, "100\u00a0%"),
    ],
)
def test_une_grande_part_ne_dit_ni_tous_ni_personne_a_tort(valeur, attendu):
    assert dire_grande_part(valeur) == attendu


def test_services_sans_lieu_annonces():
    _, etude = etude_exports()
    # Boulangerie connue, cinéma sans lieu : le panier de proximité n'en mesure qu'un sur deux.
    assert compter_services(etude, "proximite") == "1\u00a0service connu sur 2"
    assert compter_services(etude, "structurant") == "1\u00a0service"


def test_index_dans_l_ordre_francais():
    territoire, etude = etude_exports()
    communes = territoire.communes.assign(nom=["Hurloy", "Hébloy"])
    zonage, rangs = choisir_zones(replace(territoire, communes=communes), etude, "commune")
    assert [zonage.noms[r] for r in rangs] == ["Hébloy", "Hurloy"]


def test_enumeration_sans_nom_coupe(page):
    noms = ["gare secondaire", "gymnase ou terrain de sport", "enseignement supérieur", "urgences"]
    for largeur in (40.0, 60.0, 90.0, 120.0, 186.0):
        (ligne,) = page.enumerer("Et aussi : ", noms, largeur)
        assert page.largeur(ligne) <= largeur + 0.01
        cites = [n for n in noms if n in ligne]
        assert cites == noms[: len(cites)]
        reste = len(noms) - len(cites)
        if reste:
            assert f"{reste} autre{'s' if reste > 1 else ''}." in ligne
        else:
            assert ligne == f"Et aussi : {', '.join(noms)}."
    deux = page.enumerer("Sources : ", noms * 3, 60.0, lignes_max=2, ailleurs=", voir LICENCES.txt")
    assert len(deux) == 2
    assert " ".join(deux).endswith("autres, voir LICENCES.txt.")


def test_sources_du_pied_de_page_datees_et_sans_doublon():
    territoire, _ = etude_exports()
    sources = (
        *territoire.sources,
        SourceLue("couches.inondation_moyenne", "n_tri_a.shp", "d" * 64, 1, "2013-06-30"),
        SourceLue("couches.inondation_extreme", "n_tri_b.shp", "e" * 64, 1, "2013-06-30"),
        SourceLue("decoupage.communes", "communes.geojson", "f" * 64, 1, "", "IGN", "ODbL 1.0"),
    )
    reel = replace(territoire, sources=sources)
    assert lister_citations(reel) == [
        "rues (OpenStreetMap, 05/01/2026)",
        "équipements (Insee, BPE, 2024)",
        "population (Insee, Filosofi, 2021)",
        "crues (État, 30/06/2013)",
        "communes (IGN)",
    ]
    fictif = replace(reel, fictif=True)
    assert lister_citations(fictif)[0] == "rues (05/01/2026)"
    assert "n’existe pas" in mentionner_sources(fictif)
    assert mentionner_sources(replace(reel, sources=())) == "non indiquées"

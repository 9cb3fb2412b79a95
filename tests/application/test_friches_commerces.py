"""Pages Friches et risques, et Commerces : tables, fiches et choix, sans navigateur."""

from __future__ import annotations

import json

import pytest
import shapely
from streamlit.testing.v1 import AppTest

from couches.catalogue import lire_catalogue, simplifier_pour_ecran
from pages._commun.ouverture import obtenir_partage
from pages._themes import donnees
from tests.application.test_pages import SCRIPT, html


@pytest.fixture(scope="module")
def partage(dossier_prepare):
    return obtenir_partage(dossier_prepare)


def ouvrir(monkeypatch, dossier, page):
    monkeypatch.setenv("DEMI_HEURE_DOSSIER", str(dossier))
    essai = AppTest.from_file(SCRIPT, default_timeout=300).run()
    return essai.switch_page(page).run()


def test_les_croisements_sont_gardes(partage):
    assert donnees.friches(partage) is donnees.friches(partage)
    assert donnees.exposition(partage) is donnees.exposition(partage)
    assert donnees.commerce(partage) is donnees.commerce(partage)


def test_exposition_et_commerce_coherents(partage):
    exposition = donnees.exposition(partage)
    population = exposition.population
    assert (population["population_carence_hab"] <= population["population_zone_hab"] + 1e-6).all()
    assert (exposition.dependance["equipements_inondables"] > 0).all()
    commerce = donnees.commerce(partage)
    actifs = donnees.themes(partage).commerces
    dedans = actifs[(actifs["code_commune"] != "") & ~actifs["vacant"]]
    assert commerce.communes["commerces"].sum() == len(dedans)


def test_petite_carte_allegee_et_serialisable(partage):
    fiche = lire_catalogue()["zones_inondables_reglement"]
    zones = donnees.themes(partage).zones_inondables
    formes = donnees.formes_classees(fiche, zones, {})
    assert formes
    assert {f["classe"] for f in formes} <= {c.libelle for c in fiche.classes}
    carte = donnees.carte_des_couches(
        partage, [(fiche, formes)], [], titre_points="t", couleurs_points={}
    )
    texte = json.dumps(carte)
    sommets = shapely.get_num_coordinates(zones.geometry.to_numpy()).sum()
    assert sum(len(str(f["geometry"])) for f in formes) < 60 * sommets
    assert "geoshape" in texte


def test_simplifier_ne_perd_ni_ne_modifie_rien():
    petit = shapely.box(0, 0, 4, 4)
    grand = shapely.Point(0, 0).buffer(1_000, quad_segs=500)
    formes = shapely.from_wkb([shapely.to_wkb(petit), shapely.to_wkb(grand)])
    avant = shapely.to_wkb(formes).tolist()
    legeres = simplifier_pour_ecran(formes, 20.0)
    assert shapely.area(legeres)[0] == 16
    assert shapely.get_num_coordinates(legeres)[1] < 60
    assert shapely.to_wkb(formes).tolist() == avant


def test_page_friches(monkeypatch, dossier_prepare, partage):
    page = ouvrir(monkeypatch, dossier_prepare, "friches.py")
    assert not page.exception
    texte = html(page)
    assert "Que peut accueillir chaque friche" in texte
    assert "Accès aux services depuis la friche" in texte
    assert "ne veut pas dire sans risque" in texte
    fiches = donnees.friches(partage)[1]
    assert len(page.dataframe[0].value) == len(fiches)
    premiere = page.dataframe[0].value.iloc[0]
    # Ne garder que la population : le classement suit les habitants à proximité.
    for curseur in page.slider:
        curseur.set_value(1.0 if "abitants à proximité" in curseur.label else 0.0)
    page.run()
    assert not page.exception
    table = page.dataframe[0].value
    assert table["habitants à 15 min"].is_monotonic_decreasing
    assert table["score"].iloc[0] == 100
    assert premiere["rang"] == table["rang"].iloc[0] == 1


def test_poids_tous_nuls_dits(monkeypatch, dossier_prepare):
    page = ouvrir(monkeypatch, dossier_prepare, "friches.py")
    for curseur in page.slider:
        curseur.set_value(0.0)
    page.run()
    assert "Tous les poids sont nuls" in html(page)


def test_page_commerces(monkeypatch, dossier_prepare, partage):
    page = ouvrir(monkeypatch, dossier_prepare, "commerces.py")
    assert not page.exception
    texte = html(page)
    assert "commerces en activité" in texte
    assert "Des locaux vides là où un service manque" in texte
    communes = page.dataframe[0].value
    assert len(communes) == len(partage.territoire.communes)
    assert communes["commerces"].is_monotonic_decreasing
    page.sidebar.selectbox[0].set_value("alimentaire")
    page.run()
    assert not page.exception

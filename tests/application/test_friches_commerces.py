"""Pages Friches et risques, et Commerces : tables, fiches, choix et adresse, sans navigateur."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import shapely
from streamlit.testing.v1 import AppTest

from couches.catalogue import lire_catalogue, simplifier_pour_ecran
from couches.ecran.petite_carte import calques_zones
from pages._commun.ouverture import obtenir_partage
from pages._themes import donnees
from pages._themes.classes import borner, couleur_classe, couleur_part
from pages._themes.habitants_inondables import choisir_lignes, cumuler
from pages._themes.marches import parts_par_jour
from pages._themes.reglages import ReglagesPage
from pages._themes.services_inondables import lister_lieux, totaliser
from tests.application.test_pages import SCRIPT, html


@pytest.fixture(scope="module")
def partage(dossier_prepare):
    return obtenir_partage(dossier_prepare)


def ouvrir(monkeypatch, dossier, page, **adresse):
    monkeypatch.setenv("DEMI_HEURE_DOSSIER", str(dossier))
    essai = AppTest.from_file(SCRIPT, default_timeout=300).run()
    for nom, valeur in adresse.items():
        essai.query_params[nom] = valeur
    return essai.switch_page(page).run()


def curseurs(essai):
    return [c for c in essai.select_slider if "poids" in c.key]


def regler(essai, **poids):
    """Mettre à zéro les poids, sauf ceux donnés par un morceau de leur nom."""
    for curseur in curseurs(essai):
        choisi = next((v for nom, v in poids.items() if nom in curseur.key), 0.0)
        curseur.set_value(choisi)
    return essai.run()


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
    assert commerce.communes["chalandise"].max() <= len(actifs[~actifs["vacant"]])


def test_les_communes_font_le_territoire(partage):
    population = donnees.exposition(partage).population
    famille = population["famille"].iloc[0]
    lignes = choisir_lignes(population, famille, "", "palier:proximite")
    communes = cumuler(lignes[lignes["zone_type"] == "commune"])
    territoire = cumuler(lignes[lignes["zone_type"] == "territoire"])
    for colonne in ("population_zone_hab", "population_carence_hab"):
        assert communes[colonne].sum() == pytest.approx(territoire[colonne].sum(), abs=0.5)
    assert communes["population_carence_hab"].is_monotonic_decreasing


def test_cumuler_les_niveaux_d_une_zone():
    lignes = pd.DataFrame(
        {
            "zone_code": ["a", "a", "b"],
            "zone_nom": ["A", "A", "B"],
            "population_zone_hab": [10.0, 30.0, 5.0],
            "population_carence_hab": [4.0, 6.0, 0.0],
        }
    )
    cumul = cumuler(lignes)
    assert cumul["zone_code"].tolist() == ["a", "b"]
    assert cumul["population_zone_hab"].tolist() == [40.0, 5.0]
    assert cumul["part_carence"].tolist() == [0.25, 0.0]


def test_lieux_inondables_d_un_service(partage):
    exposition = donnees.exposition(partage)
    totaux = totaliser(exposition)
    assert totaux["population_dependante_hab"].is_monotonic_decreasing
    premier = totaux.iloc[0]
    lieux = lister_lieux(partage, exposition, premier["service"])
    assert int(lieux["ferme"].sum()) == premier["equipements_inondables"]
    assert lieux["ferme"].is_monotonic_decreasing
    assert lieux["zone"].str.len().gt(0).all()


def test_parts_par_jour_une_ligne_par_commune(partage):
    marches = donnees.commerce(partage).marches
    avant = marches.copy()
    table = parts_par_jour(marches)
    assert len(table) == len(partage.territoire.communes)
    assert table.columns.tolist() == ["nom", 0, 1, 2, 3, 4, 5, 6]
    code = table.index[0]
    sienne = marches[(marches["zone_code"] == code) & (marches["jour"] == 3)]
    assert table.loc[code, 3] == sienne["part_desservie"].iloc[0]
    pd.testing.assert_frame_equal(marches, avant)


def test_calques_des_zones_alleges_et_serialisables(partage):
    fiche = lire_catalogue()["zones_inondables_reglement"]
    zones = donnees.themes(partage).zones_inondables
    calques, legende = calques_zones(fiche, zones, 60.0, partage.territoire.contour)
    assert {e.texte for e in legende} <= {c.libelle for c in fiche.classes}
    assert len(json.dumps(calques)) < 400_000
    formes = [shapely.geometry.shape(e["geometry"]) for e in calques[0]["data"]["values"]]
    hors = partage.territoire.contour.buffer(2.0)
    assert all(f.difference(hors).area < 1.0 for f in formes)


def test_simplifier_ne_perd_ni_ne_modifie_rien():
    petit = shapely.box(0, 0, 4, 4)
    grand = shapely.Point(0, 0).buffer(1_000, quad_segs=500)
    formes = shapely.from_wkb([shapely.to_wkb(petit), shapely.to_wkb(grand)])
    avant = shapely.to_wkb(formes).tolist()
    legeres = simplifier_pour_ecran(formes, 20.0)
    assert shapely.area(legeres)[0] == 16
    assert shapely.get_num_coordinates(legeres)[1] < 60
    assert shapely.to_wkb(formes).tolist() == avant


def test_classes_de_couleur():
    assert couleur_part(0.1) != couleur_part(0.11)
    assert couleur_part(0.76) == couleur_part(1.0)
    bornes = borner(np.array([0.0, 1.0, 2.0, 3.0, 10.04]), 1)
    assert bornes[-1] == 10.1
    assert couleur_classe(10.04, bornes) == couleur_classe(bornes[-1], bornes)
    assert couleur_classe(float("nan"), bornes) == couleur_classe(1.0, ())


def test_page_friches(monkeypatch, dossier_prepare, partage):
    page = ouvrir(monkeypatch, dossier_prepare, "friches.py")
    assert not page.exception
    texte = html(page)
    assert "Que peut accueillir chaque friche" in texte
    assert "Accès aux services depuis la friche" in texte
    assert "ne veut pas dire sans risque" in texte
    fiches = donnees.friches(partage)[1]
    assert len(page.dataframe[0].value) == len(fiches)
    # Ne garder que la population : le classement suit les habitants à proximité.
    regler(page, population=1.0)
    assert not page.exception
    table = page.dataframe[0].value
    assert table["habitants à 15 min"].is_monotonic_decreasing
    assert table["score"].iloc[0] == 100
    assert table["rang"].iloc[0] == 1


def test_poids_tous_nuls_dits(monkeypatch, dossier_prepare):
    page = regler(ouvrir(monkeypatch, dossier_prepare, "friches.py"))
    assert "Tous les poids sont nuls" in html(page)


def test_l_adresse_garde_les_poids_et_la_friche(monkeypatch, dossier_prepare, partage):
    fiches = donnees.friches(partage)[1]
    code, nom = str(fiches["friche"].iloc[-1]), str(fiches["nom"].iloc[-1])
    page = ouvrir(
        monkeypatch, dossier_prepare, "friches.py",
        poids_surface="4.5", friche=code, poids_manques="mille",
    )  # fmt: skip
    surface = next(c for c in curseurs(page) if c.key.endswith("poids_surface"))
    assert surface.value == 4.5
    assert nom in html(page)
    # Ce qui est inadmissible est dit, et remplacé par la valeur de départ.
    assert "poids_manques" in html(page)
    assert dict(page.query_params) == {"poids_surface": "4.5", "friche": code}


def test_volets_de_la_page_friches(monkeypatch, dossier_prepare, partage):
    page = ouvrir(monkeypatch, dossier_prepare, "friches.py", volet="services")
    assert not page.exception
    assert "fermait en zone inondable" in html(page)
    assert "rues restent ouvertes" in html(page)
    premier = totaliser(donnees.exposition(partage)).iloc[0]
    assert page.dataframe[0].value["lieux en tout"].iloc[0] == premier["equipements"]
    page.sidebar.radio[0].set_value("habitants")
    page.run()
    assert not page.exception
    assert "Qui vit en zone inondable" in html(page)
    assert page.query_params["volet"] == "habitants"


def test_niveau_d_un_autre_zonage_ignore(monkeypatch, dossier_prepare):
    page = ouvrir(
        monkeypatch, dossier_prepare, "friches.py",
        volet="habitants", zonage="tri", niveau="reglement:interdiction",
    )  # fmt: skip
    assert not page.exception
    assert dict(page.query_params) == {"volet": "habitants", "zonage": "tri"}


def test_en_salle_ni_tableau_ni_volet(monkeypatch, dossier_prepare):
    page = ouvrir(monkeypatch, dossier_prepare, "friches.py")
    next(b for b in page.button if b.label == "Mode projecteur").click()
    page.run()
    assert not page.dataframe
    assert "Données fictives" in html(page)
    next(b for b in page.button if b.label == "Suivante").click()
    page.run()
    assert "fermait en zone inondable" in html(page)
    next(b for b in page.button if b.label == "Quitter").click()
    page.run()
    assert len(page.dataframe) >= 1


def test_page_commerces(monkeypatch, dossier_prepare, partage):
    page = ouvrir(monkeypatch, dossier_prepare, "commerces.py")
    assert not page.exception
    assert "commerces en activité" in html(page)
    communes = page.dataframe[0].value
    assert len(communes) == len(partage.territoire.communes)
    assert communes["commerces"].is_monotonic_decreasing
    page.sidebar.selectbox[0].set_value("alimentaire")
    page.run()
    assert not page.exception
    assert page.dataframe[0].value["commerces"].sum() < communes["commerces"].sum()


def test_volets_de_la_page_commerces(monkeypatch, dossier_prepare, partage):
    page = ouvrir(monkeypatch, dossier_prepare, "commerces.py", volet="locaux")
    assert not page.exception
    assert "Où un local vide peut-il accueillir" in html(page)
    vacance = donnees.commerce(partage).vacance
    assert page.dataframe[1].value["communes"].max() <= vacance["zone_code"].nunique()
    page.sidebar.radio[0].set_value("marches")
    page.run()
    page.sidebar.selectbox[0].set_value("samedi")
    page.run()
    assert not page.exception
    assert "marché à portée le samedi" in html(page)
    assert page.query_params["marche"] == "samedi"


def test_reglage_hors_liste_ignore(monkeypatch):
    monkeypatch.setattr("streamlit.query_params", {"jour": "lundi", "famille": "<script>"})
    monkeypatch.setattr("streamlit.session_state", {})
    reglages = ReglagesPage("essai", {"jour": ["mardi", "lundi"], "famille": ["toutes", "autre"]})
    assert reglages["jour"] == "lundi"
    assert reglages["famille"] == "toutes"
    reglages.poser("famille", "inconnue")
    assert reglages["famille"] == "toutes"
    assert reglages.adresse() == {"jour": "lundi"}

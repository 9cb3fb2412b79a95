"""Page Carences : tables, fiche et choix d'une zone, sans navigateur."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from couches.resultats import lire_resultats
from pages._carences import donnees
from pages._carences.fiche import fiche
from pages._commun.ouverture import obtenir_partage
from pages._commun.partage import DOSSIER_ETUDE
from pages._methode import indice as carences_methode
from tests.application.test_pages import SCRIPT, html


@pytest.fixture(scope="module")
def partage(dossier_prepare):
    return obtenir_partage(dossier_prepare)


@pytest.fixture(scope="module")
def analyses(partage):
    return donnees.obtenir_analyses(partage)


def ouvrir(monkeypatch, dossier):
    monkeypatch.setenv("DEMI_HEURE_DOSSIER", str(dossier))
    page = AppTest.from_file(SCRIPT, default_timeout=300).run()
    return page.switch_page("carences.py").run()


def test_les_analyses_sont_gardees_avec_l_etude(partage, analyses, dossier_prepare):
    assert donnees.obtenir_analyses(partage) is analyses
    lues = lire_resultats(dossier_prepare / DOSSIER_ETUDE).analyses
    assert set(lues) == set(analyses)


def test_le_bassin_de_vie_d_abord(partage):
    assert next(iter(donnees.types_de_zones(partage))) == "bassin_de_vie"
    mesures = donnees.mesures_proposees(partage)
    assert next(iter(mesures)) == "palier:proximite"
    assert len(donnees.services_de_la_mesure(partage, "ensemble")) == len(partage.resultat.services)
    assert donnees.services_de_la_mesure(partage, "service:mairie") == ["mairie"]
    for service in donnees.services_de_la_mesure(partage, "fonction:apprendre"):
        assert next(s for s in partage.resultat.services if s.id == service).fonction == "apprendre"


@pytest.mark.parametrize("mesure", ["palier:proximite", "fonction:apprendre", "service:cinema"])
def test_zones_classees(partage, analyses, mesure):
    zones = donnees.classer_zones(partage, analyses, "commune", mesure)
    assert len(zones) == len(partage.zonages["commune"].codes)
    assert zones["manque_hab"].is_monotonic_decreasing
    habitees = zones[zones["population_hab"] > 0]
    assert np.allclose(habitees["part"], habitees["manque_hab"] / habitees["population_hab"])
    assert (zones["service"] != "").equals(zones["manque_hab"] > 1e-6)
    par_part = donnees.classer_zones(partage, analyses, "commune", mesure, par="part")
    assert par_part["part"].dropna().is_monotonic_decreasing
    petites = donnees.classer_zones(partage, analyses, "commune", mesure, population_max_hab=1000.0)
    assert 0 < len(petites) < len(zones)
    assert (petites["population_hab"] <= 1000).all()


def test_le_manque_d_un_service_est_celui_des_carences(partage, analyses):
    zones = donnees.classer_zones(partage, analyses, "secteur", "service:cinema")
    carences = donnees.carences_de(partage, "secteur", ["cinema"]).set_index("zone_code")
    for _, zone in zones[zones["manque_hab"] > 0].iterrows():
        assert zone["manque_hab"] == pytest.approx(
            carences.loc[zone["code"], "population_carence_hab"], rel=1e-6
        )


def test_carte_des_zones(partage, analyses):
    zones = donnees.classer_zones(partage, analyses, "bassin_de_vie", "palier:proximite")
    code = str(zones["code"].iloc[1])
    spec = donnees.carte_des_zones(partage, zones, "bassin_de_vie", code)
    formes = spec["data"]["values"]
    assert {f["code"] for f in formes} == set(zones["code"])
    assert [f["code"] for f in formes if f["choisie"]] == [code]
    assert formes[-1]["code"] == code
    permises = set(spec["encoding"]["color"]["scale"]["domain"])
    assert {f["classe"] for f in formes} <= permises
    assert len(spec["encoding"]["color"]["scale"]["range"]) == len(permises)


def test_classes_de_parts():
    parts = [0.0, 0.1, 0.100001, 0.25, 0.5, 0.75, 0.76, 1.0, float("nan")]
    rangs = [[*donnees.CLASSES_PARTS, donnees.SANS_HABITANT].index(donnees.classer_part(p))
             for p in parts]  # fmt: skip
    assert rangs == [0, 0, 1, 1, 2, 3, 4, 4, 5]


def test_fiche_d_une_commune(partage, analyses):
    zones = donnees.classer_zones(partage, analyses, "commune", "ensemble")
    code, nom = str(zones["code"].iloc[0]), str(zones["nom"].iloc[0])
    services = donnees.services_de_la_mesure(partage, "ensemble")
    texte = fiche(partage, analyses, "commune", code, services)
    assert nom in texte
    assert "les ont tous" in texte
    assert "s&#x27;approvisionner" in texte  # chaque texte des données est échappé
    carences = donnees.carences_de(partage, "commune", services)
    nombre = int((carences["zone_code"].astype(str) == code).sum())
    tableau = texte.split('aria-label="Carences"')[1]
    assert tableau.count("<tr><th scope='row'>") == nombre > 0
    assert "Accès concurrentiel" in texte


def test_fiche_sans_habitant(partage, analyses):
    vide = analyses["indice"].copy()
    code = str(partage.zonages["commune"].codes[0])
    ici = (vide["zone_type"] == "commune") & (vide["zone_code"].astype(str) == code)
    vide.loc[ici, ["population_hab"]] = 0.0
    vide.loc[ici, ["part_regle", "part_services", "part_imputee"]] = np.nan
    texte = fiche(partage, {**analyses, "indice": vide}, "commune", code, ["licorne"])
    assert "n’a pas d’habitant connu" in texte
    assert "Aucun habitant ne manque de ces services." in texte


def test_csv_pour_un_tableur_francais():
    octets = donnees.ecrire_csv(pd.DataFrame({"nom": ["Été"], "part": [0.25]}))
    assert octets.startswith(b"\xef\xbb\xbf")
    assert octets.decode("utf-8-sig") == "nom;part\nÉté;0,25\n"


def test_la_page_se_regle_et_suit_le_choix(dossier_prepare, monkeypatch, analyses):
    page = ouvrir(monkeypatch, dossier_prepare)
    assert not page.exception
    texte = html(page)
    assert "Qui manque de quoi, et où ?" in texte
    assert "Données fictives" in texte
    premiere = page.dataframe[0].value["zone"].iloc[0]
    assert f'id="fiche">{premiere}' in texte
    regroupement, mesure, taille = page.sidebar.selectbox
    mesure.set_value("service:cinema").run()
    assert not page.exception
    assert set(page.dataframe[0].value["le plus souvent"]) <= {"cinéma", ""}
    regroupement.set_value("commune").run()
    taille.set_value("moins de 1 000 habitants").run()
    assert not page.exception
    assert (page.dataframe[0].value["habitants"] <= 1000).all()
    seconde = obtenir_partage(dossier_prepare)
    zones = donnees.classer_zones(
        seconde, analyses, "commune", "service:cinema", population_max_hab=1000.0
    )
    page.session_state["carence_commune"] = str(zones["code"].iloc[1])
    page.run()
    assert f'id="fiche">{zones["nom"].iloc[1]}' in html(page)
    assert len(page.get("download_button")) == 3


def test_la_page_methode_dit_la_formule_et_le_controle(dossier_prepare, monkeypatch, partage):
    monkeypatch.setenv("DEMI_HEURE_DOSSIER", str(dossier_prepare))
    page = AppTest.from_file(SCRIPT, default_timeout=300).run().switch_page("methode.py").run()
    assert not page.exception
    texte = html(page)
    assert "aucun autre poids" in texte
    assert "Bohannon" in texte and "Irdes DT 51" in texte
    assert "Non contrôlés" in texte
    controle = pd.DataFrame(
        {
            "service": ["mairie"], "carreaux": [12], "biais_s": [-31.4],
            "ecart_absolu_median_s": [60.0], "ecart_absolu_p90_s": [180.0],
            "correlation": [0.91], "part_a_2_min": [0.875],
        }
    )  # fmt: skip
    monkeypatch.setattr(
        carences_methode,
        "lire_resultats",
        lambda _dossier: SimpleNamespace(analyses={"controle_insee": controle}),
    )
    dit = carences_methode.indice_et_analyses(partage)
    for attendu in ("mairie", "−31 s", "1 min", "3 min", "0,91", "87,5"):
        assert attendu in dit.replace("\u202f", " ").replace("\xa0", " "), attendu

"""Page Carences sans navigateur : volets, classements, fiche, adresse."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from couches.resultats import DOSSIER_ETUDE, lire_resultats
from pages._carences import donnees, reglages
from pages._carences.classement import classer_part, legende_parts
from pages._carences.composant import LARGEUR, decrire_zones, dessiner_zones
from pages._carences.equite import ATTEINTS, decrire_equite, mesures_equite
from pages._carences.fiche import fiche
from pages._carences.reglages import TOUS, Reglages
from pages._carences.suivis import lister_suivis
from pages._carences.volet_carences import composer_carences
from pages._carences.volet_evolution import comparer, composer_evolution, services_qui_changent
from pages._carences.volet_publics import composer_publics, services_du_public
from pages._carences.volet_soins import composer_soins, services_de_soins
from pages._carences.volet_voiture import composer_voiture, services_par_tc
from pages._commun.ouverture import obtenir_partage
from tests.application.test_pages import SCRIPT, html


@pytest.fixture(scope="module")
def partage(dossier_prepare):
    return obtenir_partage(dossier_prepare)


@pytest.fixture(scope="module")
def analyses(partage):
    return donnees.obtenir_analyses(partage)


@pytest.fixture
def depart(partage):
    return Reglages(**{**reglages.valeurs_de_depart(partage), "regroupement": "commune"})


def ouvrir(monkeypatch, dossier, **adresse):
    monkeypatch.setenv("DEMI_HEURE_DOSSIER", str(dossier))
    page = AppTest.from_file(SCRIPT, default_timeout=300).run()
    for nom, valeur in adresse.items():
        page.query_params[nom] = valeur
    return page.switch_page("carences.py").run()


def test_les_analyses_sont_gardees_avec_l_etude_et_leurs_reglages(
    partage, analyses, dossier_prepare
):
    assert donnees.obtenir_analyses(partage) is analyses
    lu = lire_resultats(dossier_prepare / DOSSIER_ETUDE)
    assert set(lu.analyses) == set(analyses)
    assert lu.description["reglages_analyses"]["nombre_choix"] == 3


def test_d_autres_reglages_d_analyse_ne_relisent_pas_les_anciennes(partage, analyses, monkeypatch):
    appels = []
    autres = replace(donnees.lire_parametres_analyses(), nombre_choix=1)
    monkeypatch.setattr(donnees, "lire_parametres_analyses", lambda: autres)
    monkeypatch.setattr(donnees, "ecrire_resultats", lambda *_a, **_k: None)

    def calculer(_territoire, _resultat, recus, **_options):
        appels.append(recus)
        return type("Analyses", (), {"tables": {}})()

    monkeypatch.setattr(donnees, "calculer_analyses", calculer)
    assert donnees._relire_ou_calculer(partage, None) == {}
    assert appels == [autres]


def test_le_bassin_de_vie_et_la_proximite_d_abord(partage):
    valeurs = reglages.valeurs_de_depart(partage)
    assert valeurs["regroupement"] == "bassin_de_vie"
    assert valeurs["palier"] == "proximite"
    retenus = reglages.filtrer_services(partage, "proximite", "apprendre")
    assert {(s.palier, s.fonction) for s in retenus} == {("proximite", "apprendre")}
    assert reglages.filtrer_services(partage, TOUS, TOUS) == list(partage.resultat.services)


def test_manques_classes_et_egaux_a_l_indice(partage, analyses, depart):
    classement = composer_carences(partage, depart)
    table = classement.table
    assert len(table) == len(partage.zonages["commune"].codes) == len(classement.lignes)
    assert table["manque_hab"].is_monotonic_decreasing
    indice = analyses["indice"]
    ici = indice[(indice["zone_type"] == "commune") & (indice["code"] == "proximite")]
    attendu = ici.set_index(ici["zone_code"].astype(str))["population_regle_hab"]
    servis = (table["total_hab"] - table["manque_hab"]).to_numpy()
    np.testing.assert_allclose(servis, attendu.loc[table["code"]].to_numpy(), rtol=1e-8, atol=1e-6)
    assert "de proximité à 15 minutes à pied ou à vélo ?" in classement.titre
    assert classement.lignes[0].cellules[0] in classement.phrase


def test_le_manque_d_un_service_est_celui_des_carences(partage, depart):
    classement = composer_carences(partage, replace(depart, service="cinema", palier=TOUS))
    carences = donnees.carences_de(partage, "commune", ["cinema"]).set_index("zone_code")
    concernees = classement.table[classement.table["manque_hab"] > 0]
    assert len(concernees)
    for _, zone in concernees.iterrows():
        assert zone["manque_hab"] == pytest.approx(
            carences.loc[zone["code"], "population_carence_hab"], rel=1e-6
        )
    assert classement.titre.startswith("À qui manque un cinéma à 30 minutes en transport")
    assert [c.titre for c in classement.colonnes][-2:] == ["à combien", "le plus proche"]


@pytest.mark.parametrize(("taille", "bornes"), [("1000", (0, 1000)), ("plus", (10_000, np.inf))])
def test_taille_des_zones(partage, depart, taille, bornes):
    table = composer_carences(partage, replace(depart, taille=taille)).table
    toutes = composer_carences(partage, depart).table
    attendues = toutes[toutes["total_hab"].round().between(bornes[0], bornes[1] - 1)]
    assert sorted(table["code"]) == sorted(attendues["code"])


def test_trier_par_part(partage, depart):
    parts = composer_carences(partage, replace(depart, tri="part")).table["part"].dropna()
    assert parts.is_monotonic_decreasing


def test_detail_par_carreau(partage, depart):
    tous = composer_carences(partage, replace(depart, carreaux=True))
    assert tous.carreaux.classes.max() < len(tous.legende)
    assert len(tous.carreaux.classes) == len(partage.territoire.carreaux)
    un = composer_carences(partage, replace(depart, carreaux=True, service="boulangerie"))
    np.testing.assert_array_equal(
        un.carreaux.classes, partage.classes(("boulangerie",), "plus_rapide")
    )


def test_classes_de_parts():
    parts = [0.0, 0.1, 0.100001, 0.25, 0.5, 0.75, 0.76, 1.0, float("nan")]
    assert [classer_part(p) for p in parts] == [0, 0, 1, 1, 2, 3, 4, 4, 5]
    textes = [e.texte for e in legende_parts((0.02, 0.05, 0.1, 0.2))]
    assert textes[:2] == ["2 % et moins", "2 à 5 %"]
    assert textes[4] == "plus de 20 %"


def test_dessin_des_zones(partage, depart):
    dessin = dessiner_zones(partage, "bassin_de_vie")
    assert set(dessin.zones) == set(partage.zonages["bassin_de_vie"].codes)
    for trace, x, y in dessin.zones.values():
        assert trace.startswith("M") and trace.endswith("Z")
        assert 0 < x < LARGEUR and 0 < y < dessin.hauteur
    longueur, metres = dessin.echelle
    # La barre d'échelle a la longueur que donne la largeur vraie du territoire.
    o, _, e, _ = partage.territoire.contour.bounds
    assert metres / longueur == pytest.approx((e - o) / (LARGEUR / 1.04), rel=0.06)


def test_ce_que_dessine_le_navigateur(partage, depart):
    classement = composer_carences(partage, replace(depart, carreaux=True))
    choisie = classement.lignes[3].code
    dit = decrire_zones(partage, classement, "commune", choisie, projecteur=False)
    assert dit["choisie"] == choisie
    assert dit["image"].startswith("data:image/png;base64,")
    assert [z["code"] for z in dit["zones"]] == [x["code"] for x in dit["lignes"]]
    assert all(0 <= z["classe"] <= 5 for z in dit["zones"])
    assert dit["colonnes"][0] == {
        "titre": "commune", "nombre": False, "barre": False, "facultative": False,
    }  # fmt: skip


def test_seniors_et_enfants(partage, analyses, depart):
    publics = reglages.publics_proposes(partage)
    assert list(publics)[:2] == ["ind_65_79", "ind_80p"]
    services = services_du_public(analyses, "ind_65_79")
    assert services[0] == "boulangerie"
    seniors = composer_publics(partage, analyses, depart, "boulangerie")
    marcheurs = analyses["marcheurs"]
    tout = marcheurs[
        (marcheurs["zone_type"] == "territoire")
        & (marcheurs["groupe"] == "ind_65_79")
        & (marcheurs["service"] == "boulangerie")
    ]
    assert seniors.table["manque"].sum() == pytest.approx(float(tout["perdent_hab"].iloc[0]))
    assert "perdent-ils une boulangerie, à leur pas" in seniors.titre
    enfants = composer_publics(
        partage, analyses, replace(depart, public="ind_6_10"), "ecole_elementaire"
    )
    assert enfants.titre == "Où les 6 à 10 ans sont-ils loin d’une école élémentaire ?"
    assert services_du_public(analyses, "ind_inc") == []


def test_soins_du_moins_au_mieux_dote(partage, analyses, depart):
    assert services_de_soins(analyses) == ["medecin", "infirmier"]
    classement = composer_soins(partage, analyses, depart, "medecin")
    valeurs = classement.table["professionnels_pour_100000_hab"].dropna()
    assert valeurs.is_monotonic_increasing
    assert "médecins généralistes pour 100" in classement.chiffre_legende
    assert "67 % jusqu’à 15 min" in classement.hypotheses
    assert "corrélation" in classement.phrase


def test_transport_collectif_face_a_la_voiture(partage, analyses, depart):
    premier = services_par_tc(partage)[0]
    assert next(s for s in partage.resultat.services if s.id == premier).palier != "proximite"
    classement = composer_voiture(partage, analyses, replace(depart, carreaux=True), "lycee")
    table = analyses["voiture_tc"]
    tout = table[(table["zone_type"] == "territoire") & (table["service"] == "lycee")].iloc[0]
    lents = tout[["de_2_a_3_hab", "de_3_a_5_hab", "plus_de_5_hab", "tc_impossible_hab"]].sum()
    assert classement.table["manque"].sum() == pytest.approx(lents)
    assert len(classement.carreaux.couleurs) == 5
    assert [e.texte for e in classement.legende][1:5] == [
        "1,5 à 2 fois", "2 à 3 fois", "3 à 5 fois", "plus de 5 fois",
    ]  # fmt: skip


def test_equite_dit_ses_deciles_et_le_manque_de_quartiers(partage, analyses):
    assert next(iter(mesures_equite(partage, analyses))) == ATTEINTS
    sans = {nom: table for nom, table in analyses.items() if nom != "quartiers"}
    texte = decrire_equite(partage, sans, ATTEINTS)
    assert "rapport de Palma" in texte
    assert texte.count("<tr><th scope='row'>") == 10
    assert "[couches] qpv" in texte
    quartiers = pd.DataFrame(
        {
            "mesure": ["mairie", "mairie"], "lieu": ["quartiers", "reste"],
            "population_hab": [120.0, 880.0], "part_imputee": [0.0, 0.1],
            "part_desservie": [0.25, 0.75], "temps_median_s": [1200.0, 600.0],
        }
    )  # fmt: skip
    avec = decrire_equite(partage, {**analyses, "quartiers": quartiers}, "mairie")
    for attendu in ("25,0", "75,0", "20", "10"):
        assert attendu in avec.split("Quartiers prioritaires")[1]


def test_fiche_d_une_commune(partage, analyses, depart):
    classement = composer_carences(partage, replace(depart, palier=TOUS))
    code, nom = classement.lignes[0].code, classement.lignes[0].cellules[0]
    texte = fiche(partage, analyses, "commune", code, partage.resultat.services)
    assert nom in texte
    assert "Indice de la demi-heure" in texte
    assert "s&#x27;approvisionner" in texte  # chaque texte des données est échappé
    tableau = texte.split('aria-label="Carences"')[1].split("</table>")[0]
    mesures = analyses["niveaux"]
    mesures = set(mesures[mesures["mode"] == "plus_rapide"]["service"])
    attendus = [s for s in partage.resultat.services if s.id in mesures]
    assert tableau.count("<tr><th scope='row'>") == len(attendus)
    assert tableau.count("dh-empile") == len(attendus)
    assert "Accès concurrentiel" in texte


def test_fiche_sans_habitant(partage, analyses):
    vide = analyses["indice"].copy()
    code = str(partage.zonages["commune"].codes[0])
    ici = (vide["zone_type"] == "commune") & (vide["zone_code"].astype(str) == code)
    vide.loc[ici, ["population_hab"]] = 0.0
    vide.loc[ici, ["part_regle", "part_services", "part_imputee"]] = np.nan
    texte = fiche(partage, {**analyses, "indice": vide}, "commune", code, [])
    assert "n’a pas d’habitant connu" in texte


def test_csv_pour_un_tableur_francais():
    octets = donnees.ecrire_csv(pd.DataFrame({"nom": ["Été"], "part": [0.25]}))
    assert octets.startswith(b"\xef\xbb\xbf")
    assert octets.decode("utf-8-sig") == "nom;part\nÉté;0,25\n"


def test_nommer_le_plus_proche(partage):
    code, nom = next(iter(partage.noms_communes.items()))
    ligne = {
        "equipement_proche": "e1", "equipement_proche_nom": "", "equipement_proche_commune": code,
    }  # fmt: skip
    assert donnees.nommer_proche(partage, pd.Series(ligne)) == f"à {nom}"
    dehors = {**ligne, "equipement_proche_commune": "", "equipement_proche_nom": "Gare"}
    assert donnees.nommer_proche(partage, pd.Series(dehors)) == "Gare (hors du territoire)"
    aucun = pd.Series({**ligne, "equipement_proche": ""})
    assert donnees.nommer_proche(partage, aucun) == "aucun n’est accessible"


def test_evolution_face_a_un_second_dossier(partage, analyses, dossier_prepare, depart):
    assert lister_suivis(partage) == {}
    second = dossier_prepare / "etude-ancienne"
    shutil.copytree(dossier_prepare / DOSSIER_ETUDE, second)
    try:
        assert list(lister_suivis(partage)) == ["etude-ancienne"]
        acces = pd.read_parquet(second / "acces_carreaux.parquet")
        colonne = "temps_mairie_plus_rapide_s"
        avant = acces[colonne] <= 900
        acces[colonne] = np.inf
        acces.to_parquet(second / "acces_carreaux.parquet")
        suivi = comparer(partage, second, forcer=False)
        assert services_qui_changent(suivi)[0] == "mairie"
        classement = composer_evolution(partage, suivi, depart, "mairie")
        gagnent = float(acces["population_hab"].fillna(0)[avant].sum())
        assert classement.table["gagnent_hab"].sum() == pytest.approx(gagnent)
        assert classement.chiffre.startswith("+")
        assert {x.classe for x in classement.lignes if x.code} <= set(range(6))
    finally:
        shutil.rmtree(second)


def test_la_page_suit_l_adresse_et_le_choix(dossier_prepare, monkeypatch, partage, depart):
    page = ouvrir(
        monkeypatch, dossier_prepare,
        regroupement="commune", palier="structurant", service="cinema", volet="licorne",
    )  # fmt: skip
    assert not page.exception
    texte = html(page)
    assert "À qui manque un cinéma" in texte
    assert "Réglages de l’adresse ignorés, car inconnus ici : volet." in texte
    assert "Données fictives" in texte
    lignes = composer_carences(
        partage, replace(depart, palier="structurant", service="cinema")
    ).lignes
    page.session_state["c_fiche"] = lignes[1].code
    page.run()
    assert not page.exception
    assert f"{lignes[1].cellules[0]}</h2>" in html(page)
    assert page.query_params["fiche"] in (lignes[1].code, [lignes[1].code])
    assert page.query_params["service"] in ("cinema", ["cinema"])
    assert len(page.get("download_button")) == 3


@pytest.mark.parametrize(
    ("volet", "titre"),
    [
        ("publics", "perdent-ils une boulangerie"),
        ("soins", "manquent-ils le plus"),
        ("voiture", "concurrencer la voiture"),
        ("equite", "Les plus modestes atteignent-ils"),
        ("evolution", "pas encore d’autre diagnostic"),
    ],
)
def test_chaque_volet_s_ouvre(dossier_prepare, monkeypatch, analyses, volet, titre):
    page = ouvrir(monkeypatch, dossier_prepare, volet=volet)
    assert not page.exception
    assert titre in html(page)


def test_voir_sur_la_carte(dossier_prepare, monkeypatch, analyses):
    page = ouvrir(
        monkeypatch, dossier_prepare, regroupement="commune", palier="structurant", service="cinema"
    )
    bouton = next(b for b in page.button if b.label == "Voir cette zone sur la carte")
    bouton.click().run()
    assert not page.exception
    assert "Qui peut rejoindre un cinéma en 30 minutes" in html(page)
    assert page.session_state["r_zone"].startswith("commune:")

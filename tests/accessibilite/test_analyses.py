"""Toutes les analyses d'un petit territoire : totaux, recalcul par carreaux, limites dites."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from accessibilite.analyses.ensemble import TABLES, calculer_analyses
from accessibilite.etude import calculer_etude
from donnees_geo.configuration.analyses import lire_parametres_analyses
from tests.fabriques.ville_quadrillee import (
    COIN,
    CRS,
    parametres_essai,
    service_essai,
    table_carreaux,
    table_communes,
    table_equipements,
    territoire_essai,
    ville_quadrillee,
)

REGLAGES = lire_parametres_analyses()
#: Assez lent pour qu'une ville de 2 km ait des carences.
PARAMETRES = parametres_essai(vitesse_velo_kmh=4.5)


def grand_territoire(ordre=None):
    """Ville de 2 × 2 km, 60 carreaux habités au hasard, cinq communes dont une sans habitant."""
    hasard = np.random.default_rng(4)
    points = hasard.uniform(0, 2000, (60, 2))
    codes = [f"A000{i}" for i in hasard.integers(1, 5, 60)]
    population = hasard.choice([0.0, 1.5, 12.5, 80.0], 60)
    population[[c == "A0004" for c in codes]] = 0.0
    carreaux = table_carreaux(points.tolist(), population.tolist(), codes)
    carreaux["impute"] = hasard.random(60) < 0.3
    carreaux["ind_snv"] = population * hasard.choice([12e3, 18e3, 25e3, 40e3], 60)
    for colonne, part in (("ind_65_79", 0.2), ("ind_80p", 0.05), ("ind_11_17", 0.1)):
        carreaux[colonne] = population * part
    lieux = [
        (service, *hasard.uniform(0, 2000, 2))
        for service, n in (("boulangerie", 5), ("medecin", 3), ("college", 2), ("hopital", 1))
        for _ in range(n)
    ]
    equipements, acces = table_equipements(lieux)
    equipements["code_commune"] = ["A0001"] * 8 + ["Z9999"] * 3
    if ordre is not None:
        carreaux = carreaux.iloc[ordre].reset_index(drop=True)
    return territoire_essai(
        carreaux=carreaux,
        communes=table_communes(
            [f"A000{i}" for i in range(1, 6)], ["B1", "B1", "B2", "B2", ""], ["S1"] * 5
        ),
        equipements=equipements,
        points_acces=acces,
        reseau=ville_quadrillee(21, 21),
        services=(
            service_essai("boulangerie"),
            service_essai("medecin"),
            service_essai("cinema"),
            replace(service_essai("college"), fonction="apprendre"),
            service_essai("hopital", "structurant"),
        ),
    )


@pytest.fixture(scope="module")
def territoire():
    return grand_territoire()


@pytest.fixture(scope="module")
def resultat(territoire):
    return calculer_etude(territoire, None, PARAMETRES)


@pytest.fixture(scope="module")
def analyses(territoire, resultat):
    return calculer_analyses(territoire, resultat, REGLAGES)


def test_chaque_table_est_annoncee(analyses):
    assert set(analyses.tables) <= set(TABLES)
    sans_tc_ni_quartiers = {"voiture_tc", "quartiers", "controle_insee"}
    assert set(analyses.tables) == set(TABLES) - sans_tc_ni_quartiers


@pytest.mark.parametrize("table", ["niveaux", "paniers", "indice", "choix", "soins"])
def test_carreaux_communes_bassins_et_territoire_ont_le_meme_total(analyses, resultat, table):
    lue = analyses.tables[table]
    total = resultat.acces["population_hab"].sum()
    cles = [c for c in ("palier", "service", "mode", "volet", "code", "decroissance") if c in lue]
    for zone_type in ("territoire", "commune", "bassin_de_vie", "secteur"):
        ici = lue[lue["zone_type"] == zone_type]
        sommes = ici.groupby(cles)["population_hab"].sum()
        assert len(sommes) and np.allclose(sommes, total), zone_type


def test_toute_la_fiche_se_recalcule_depuis_les_carreaux(territoire, resultat, analyses, tmp_path):
    """Dix lignes de pandas retrouvent chaque chiffre d'une fiche de commune."""
    acces = resultat.acces.join(analyses.carreaux)
    acces.to_parquet(tmp_path / "acces_carreaux.parquet", index=False)
    c = pd.read_parquet(tmp_path / "acces_carreaux.parquet").query("code_commune == 'A0002'")
    p, t = c["population_hab"], c["temps_boulangerie_plus_rapide_s"]

    def fiche(table, **cles):
        lignes = analyses.tables[table] if isinstance(table, str) else table
        ici = lignes["zone_code"] == "A0002"
        for nom, valeur in cles.items():
            ici &= lignes[nom] == valeur
        return lignes[ici].iloc[0]

    loin = fiche(resultat.carences, service="boulangerie")
    assert p[t > 900].sum() == pytest.approx(loin["population_carence_hab"])
    a_pied = fiche("carences_modes", service="boulangerie", mode="marche")
    assert a_pied["population_carence_hab"] == loin["population_carence_hab"]
    desservie = fiche(resultat.indicateurs, service="boulangerie", mode="plus_rapide")
    assert p[t <= 900].sum() == pytest.approx(desservie["population_desservie_hab"])
    niveau = fiche("niveaux", service="boulangerie", mode="plus_rapide")
    assert p[(t > 300) & (t <= 600)].sum() == pytest.approx(niveau["de_5_a_10_min_hab"])
    deux = fiche("choix", service="boulangerie", mode="marche")
    assert p[c["choix_boulangerie_marche"] == 2].sum() == pytest.approx(deux["choix_2_hab"])
    panier = ((t <= 900) & (c["temps_medecin_plus_rapide_s"] <= 900) &
              (c["temps_college_plus_rapide_s"] <= 900))  # fmt: skip
    assert p[panier].sum() == pytest.approx(
        fiche("paniers", palier="proximite")["population_panier_hab"]
    )
    ensemble = panier & (c["temps_hopital_plus_rapide_s"] <= 1800)
    assert p[ensemble].sum() == pytest.approx(
        fiche("indice", volet="ensemble")["population_regle_hab"]
    )
    soins = fiche("soins", service="medecin", decroissance="apl_2016")
    moyenne = (p * c["soins_medecin"]).sum() / p.sum()
    assert moyenne == pytest.approx(soins["professionnels_pour_100000_hab"], rel=1e-6)
    lents = c["temps_boulangerie_marche_s"] * 3.6 / 3.0  # leur vitesse : 3 km/h
    senior = fiche("marcheurs", service="boulangerie", groupe="ind_65_79")
    assert c["ind_65_79"][lents <= 900].sum() == pytest.approx(senior["desservie_hab"])


def test_resultats_identiques_quel_que_soit_l_ordre_des_carreaux(resultat, analyses):
    ordre = np.random.default_rng(8).permutation(60)
    autre_territoire = grand_territoire(ordre)
    autre_etude = calculer_etude(autre_territoire, None, PARAMETRES)
    autre = calculer_analyses(autre_territoire, autre_etude, REGLAGES)
    assert len(resultat.carences) > 5
    for nom, table in analyses.tables.items():
        pd.testing.assert_frame_equal(autre.tables[nom], table, obj=nom)
    pd.testing.assert_frame_equal(
        autre.carreaux.reset_index(drop=True), analyses.carreaux.iloc[ordre].reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(autre_etude.carences, resultat.carences)


def test_resultats_identiques_quel_que_soit_l_ordre_des_equipements(resultat, analyses):
    reference = grand_territoire()
    nombre = len(reference.equipements)
    ordre = np.random.default_rng(15).permutation(nombre)
    nouvelle_ligne = np.argsort(ordre)
    acces = reference.points_acces.iloc[::-1].reset_index(drop=True)
    melange = replace(
        reference,
        equipements=reference.equipements.iloc[ordre].reset_index(drop=True),
        points_acces=acces.assign(
            equipement=nouvelle_ligne[acces["equipement"]].astype(acces["equipement"].dtype)
        ),
    )
    etude = calculer_etude(melange, None, PARAMETRES)
    pd.testing.assert_frame_equal(etude.carences, resultat.carences)
    pd.testing.assert_frame_equal(etude.indicateurs, resultat.indicateurs)
    autres = calculer_analyses(melange, etude, REGLAGES)
    for nom, table in analyses.tables.items():
        pd.testing.assert_frame_equal(autres.tables[nom], table, obj=nom)
    pd.testing.assert_frame_equal(autres.carreaux, analyses.carreaux)


def test_zone_sans_habitant_dite_et_laissee_vide(analyses):
    constat = next(c for c in analyses.constats if "sans habitant" in c.message)
    assert "2 zone(s) « commune »" in constat.message
    assert "Commune A0004, Commune A0005" in constat.message
    vides = analyses.tables["indice"].query("zone_code in ['A0004', 'A0005']")
    assert len(vides) and vides[["part_regle", "part_services"]].isna().all(axis=None)


def test_carreaux_imputes_marques(analyses, resultat):
    acces = resultat.acces
    part = acces["population_hab"][acces["impute"]].sum() / acces["population_hab"].sum()
    tout = analyses.tables["indice"].query("zone_type == 'territoire'")
    assert tout["part_imputee"].to_numpy() == pytest.approx(part)


def test_choix_et_plus_proche_s_accordent(resultat, analyses):
    for service in ("boulangerie", "medecin"):
        for mode in ("marche", "velo", "voiture"):
            premier = resultat.acces[f"temps_{service}_{mode}_s"]
            second = analyses.carreaux[f"temps_{service}_{mode}_2_s"]
            assert (second >= premier).all()
            comptes = analyses.carreaux[f"choix_{service}_{mode}"]
            assert ((comptes >= 1) == (premier <= 900)).all()
    assert (analyses.carreaux["choix_cinema_marche"] == -1).all()


def test_reglages_et_donnees_absents_sont_dits(territoire):
    nu = replace(
        territoire,
        carreaux=territoire.carreaux.drop(columns=["ind_snv", "ind_65_79", "ind_80p", "ind_11_17"]),
    )
    etude = calculer_etude(nu, None, PARAMETRES, modes=["marche"], services=["boulangerie"])
    sobre = calculer_analyses(nu, etude, replace(REGLAGES, nombre_choix=1))
    assert set(sobre.tables) == {"niveaux", "paniers", "indice", "carences_modes"}
    textes = " ".join(c.message for c in sobre.constats)
    for attendu in ("ind_65_79, ind_80p", "ind_snv", "qpv", "voiture", "medecin"):
        assert attendu in textes
    assert sobre.carreaux.empty or not len(sobre.carreaux.columns)


def test_sans_population_des_parts_et_aucun_habitant(territoire):
    vide = replace(territoire, carreaux=territoire.carreaux.assign(population_hab=np.nan))
    etude = calculer_etude(vide, None, PARAMETRES)
    surfaces = calculer_analyses(vide, etude, REGLAGES)
    niveaux = surfaces.tables["niveaux"]
    assert niveaux.filter(like="_hab").isna().all(axis=None)
    tout = niveaux[(niveaux["zone_type"] == "territoire") & (niveaux["service"] == "boulangerie")]
    assert np.allclose(tout.filter(regex="^part_").sum(axis=1), 1)
    assert "soins" not in surfaces.tables
    assert "equite" not in surfaces.tables


def test_quartiers_et_temps_de_reference(territoire, resultat):
    boite = shapely.box(COIN[0], COIN[1], COIN[0] + 1000, COIN[1] + 2000)
    quartiers = gpd.GeoDataFrame(geometry=[boite], crs=CRS)
    notre = resultat.acces["temps_boulangerie_voiture_s"].astype(float)
    analyses = calculer_analyses(
        territoire, resultat, replace(REGLAGES, nombre_choix=1), quartiers=quartiers,
        temps_voiture_reference=pd.DataFrame({"boulangerie": notre + 30}),
    )  # fmt: skip
    dedans = territoire.carreaux["x"] < COIN[0] + 1000
    attendu = territoire.carreaux["population_hab"][dedans].sum()
    table = analyses.tables["quartiers"]
    assert table.loc[table["lieu"] == "quartiers", "population_hab"].to_numpy() == pytest.approx(
        attendu
    )
    assert analyses.tables["controle_insee"]["biais_s"].tolist() == pytest.approx([-30])


def test_les_entrees_ne_sont_pas_modifiees(territoire, resultat):
    avant = resultat.acces.copy(), territoire.carreaux.copy(), territoire.equipements.copy()
    calculer_analyses(territoire, resultat, REGLAGES)
    pd.testing.assert_frame_equal(resultat.acces, avant[0])
    pd.testing.assert_frame_equal(territoire.carreaux, avant[1])
    pd.testing.assert_frame_equal(territoire.equipements, avant[2])

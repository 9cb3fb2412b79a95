"""Croisements : dépendance, voisinage, classement et commerces prédits en ville quadrillée."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from accessibilite.bilans.agregation import construire_zonages
from accessibilite.croisements.commerces import (
    calculer_chalandise,
    calculer_commerces_communes,
    calculer_marches_par_jour,
    croiser_vacance_carences,
    mesurer_diversite,
)
from accessibilite.croisements.friches import (
    classer_friches,
    composer_fiches,
    croiser_friches,
    situer_en_zonage,
)
from accessibilite.croisements.inondation import (
    calculer_dependance,
    choisir_inondables,
    classer_equipements,
    compter_services_inondables,
    croiser_population,
)
from accessibilite.croisements.sites import calculer_acces_sites, calculer_voisinage
from accessibilite.etude import calculer_etude, construire_graphes
from donnees_geo.configuration.croisements import CRITERES, lire_parametres_croisements
from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees
from tests.fabriques.ville_quadrillee import (
    COIN,
    CRS,
    parametres_essai,
    table_equipements,
    territoire_essai,
)
from tests.fabriques.zones_inondables import boite, zones

HYPOTHESES = lire_parametres_croisements()


# --- Inondation × services × population -------------------------------------------------------


@pytest.fixture(scope="module")
def ville():
    """Boulangeries aux carrefours 0 et 1 000 m ; à 1,8 km/h, 15 minutes font 450 m."""
    equipements, acces = table_equipements(
        [("boulangerie", 0.0, 0.0), ("boulangerie", 1_000.0, 0.0), ("hopital", 1_000.0, 0.0)]
    )
    territoire = territoire_essai(equipements=equipements, points_acces=acces)
    parametres = parametres_essai(vitesse_marche_kmh=1.8, vitesse_velo_kmh=1.8)
    return territoire, calculer_etude(territoire, None, parametres)


def test_services_en_zone_inondable(ville):
    territoire, _ = ville
    classes = classer_equipements(
        territoire.equipements,
        zones(
            ("reglement", "prescription", 2, boite(-50, -50, 100)),
            ("reglement", "interdiction", 3, boite(-10, -10, 20)),
            ("tri", "extreme", 1, boite(950, -50, 100)),
        ),
    )
    assert classes[["equipement", "niveau"]].values.tolist() == [
        [0, "interdiction"], [1, "extreme"], [2, "extreme"],
    ]  # fmt: skip
    comptes = compter_services_inondables(classes).set_index(["service", "niveau"])["equipements"]
    assert comptes.to_dict() == {
        ("boulangerie", "interdiction"): 1,
        ("boulangerie", "extreme"): 1,
        ("hopital", "extreme"): 1,
    }
    masque = choisir_inondables(classes, 3, "reglement", ["interdiction"])
    assert masque.tolist() == [True, False, False]


def test_qui_depend_dun_service_inondable(ville):
    territoire, resultat = ville
    copie = territoire.equipements.copy()
    table = calculer_dependance(territoire, resultat, np.array([True, False, False]))
    par_zone = table.set_index(["zone_type", "zone_code"])
    # Carreaux 0 à 4 (10 à 50 habitants) : leur seule boulangerie à 450 m est celle du carrefour 0.
    assert par_zone.loc[("territoire", "territoire"), "population_dependante_hab"] == 150
    assert par_zone.loc[("commune", "A0001"), "part_dependante"] == 1
    assert ("commune", "A0002") not in par_zone.index
    assert set(table["service"]) == {"boulangerie"}
    assert set(table["equipements_inondables"]) == {1}
    assert set(table["equipements"]) == {2}
    pd.testing.assert_frame_equal(territoire.equipements, copie)


def test_aucun_equipement_inondable_ou_tous(ville):
    territoire, resultat = ville
    assert calculer_dependance(territoire, resultat, np.zeros(3, dtype=bool)).empty
    tous = calculer_dependance(territoire, resultat, np.ones(3, dtype=bool))
    dependants = tous.set_index(["zone_type", "service"])["population_dependante_hab"]
    # 0 à 400 m de l'une, 0 à 400 m de l'autre : tous les carreaux sauf le cinquième (500 m).
    assert dependants["territoire", "boulangerie"] == 550 - 60
    assert dependants["territoire", "hopital"] == 550
    with pytest.raises(ErreurDonnees, match="masque"):
        calculer_dependance(territoire, resultat, np.zeros(2, dtype=bool))


def test_population_inondable_et_carence(ville):
    territoire, resultat = ville
    # Bande de 50 m au nord des points : le quart de chaque carreau de 200 m, de x = 300 à 700 m.
    table = croiser_population(
        territoire, resultat, zones(("reglement", "interdiction", 3, boite(300, 0, 400, 50)))
    )
    lignes = table.set_index(["zone_type", "service"])
    # Carreaux (de 200 m) centrés en 300 … 700 : le quart de 400, 500, 600 ; le huitième des bords.
    exposes = 50 / 4 + 60 / 4 + 70 / 4 + 40 / 8 + 80 / 8
    total = lignes.loc[("territoire", "boulangerie")]
    assert total["population_zone_hab"] == pytest.approx(exposes)
    # Seul le carreau à 500 m des deux boulangeries est en carence.
    assert total["population_carence_hab"] == pytest.approx(60 / 4)
    assert lignes.loc[("territoire", ""), "palier"].tolist() == ["proximite", "structurant"]


# --- Friches ----------------------------------------------------------------------------------


def friches() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "friche": ["A", "B", "C", "D"],
            "nom": ["Est", "Ouest", "Reconvertie", "Dehors"],
            "dans_stock": [True, True, False, True],
            "statut": ["sans_projet", "avec_projet", "reconvertie", "sans_projet"],
            "pollution": ["inexistante", "inconnue", "inconnue", "averee"],
            "zone_urbanisme": ["U", "", "U", "U"],
            "code_commune": ["A0001", "A0002", "A0001", ""],
            "surface_ha": [1.0, np.nan, 1.0, 1.0],
            "surface_origine": ["contour", "inconnue", "contour", "contour"],
        },
        geometry=[
            boite(450, -50, 100),
            shapely.Point(COIN[0] + 100, COIN[1]),
            boite(0, 0, 10),
            boite(0, 0, 10),
        ],
        crs=CRS,
    )


def test_friches_croisees(ville):
    territoire, resultat = ville
    source = friches()
    croisement = croiser_friches(
        territoire,
        resultat,
        source,
        zones(("reglement", "interdiction", 3, boite(450, -50, 40, 100))),
        None,
        HYPOTHESES,
    )
    assert croisement.friches["friche"].tolist() == ["A", "B"]
    # Friche A : centrée au carrefour 500 m, à 450 m près les carreaux 1 à 9 (100 à 900 m).
    assert croisement.acces["temps_boulangerie_marche_s"].tolist() == pytest.approx([1_000, 200])
    assert croisement.voisins["population_marche_hab"].tolist() == [
        20 + 30 + 40 + 50 + 60 + 70 + 80 + 90 + 100,
        10 + 20 + 30 + 40 + 50 + 60,
    ]
    assert croisement.manques["boulangerie"].tolist() == [True, False]
    # Une boulangerie sur l'une ou l'autre desservirait les 60 habitants du carreau en carence.
    assert croisement.gains["boulangerie"].tolist() == [60, 60]
    assert "hopital" not in croisement.gains  # sa règle n'admet que la voiture
    fiches = composer_fiches(croisement, HYPOTHESES)
    assert fiches["part_interdite"].tolist() == [pytest.approx(0.4), 0.0]
    assert fiches["part_reglement_interdiction"].tolist() == [pytest.approx(0.4), 0.0]
    assert fiches["liste_manques"].tolist() == ["boulangerie", ""]
    assert fiches["meilleur_service"].tolist() == ["boulangerie", "boulangerie"]
    pd.testing.assert_frame_equal(pd.DataFrame(source), pd.DataFrame(friches()))


def test_voisinage_est_le_sens_vers_le_site(ville):
    territoire, resultat = ville
    graphe = construire_graphes(territoire, resultat.parametres, ["marche"])["marche"]
    points = np.array([[COIN[0] + 500.0, COIN[1]]])
    voisins = calculer_voisinage([graphe], territoire.carreaux, points, 450 / 0.5, 400.0)
    assert voisins.toarray()[0].tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]


def test_acces_des_sites_egale_celui_des_carreaux(ville):
    territoire, resultat = ville
    sites = territoire.carreaux.rename(columns={"carreau": "friche"})
    acces = calculer_acces_sites(territoire, sites, "friche", resultat.parametres)
    colonnes = [c for c in acces if c.startswith("temps_")]
    assert len(colonnes) == 12
    pd.testing.assert_frame_equal(acces[colonnes], resultat.acces[colonnes])


def fiches_essai(**colonnes) -> pd.DataFrame:
    base = {
        "population_hab": [1_000.0, 500.0, 0.0],
        "meilleur_gain_hab": [0.0, 100.0, 50.0],
        "surface_ha": [2.0, 1.0, np.nan],
        "part_interdite": [0.0, 1.0, 0.5],
        "zone_urbanisme": ["U", "N", ""],
        "pollution": ["inexistante", "averee", "inconnue"],
    }
    return pd.DataFrame(base | colonnes, index=["a", "b", "c"])


def test_classement_predit_et_poids_visibles():
    rangs = classer_friches(fiches_essai(), HYPOTHESES, {"population": 1.0})
    assert rangs.index.tolist() == ["a", "b", "c"]
    assert rangs["score"].tolist() == [1.0, 0.5, 0.0]
    egaux = classer_friches(fiches_essai(), HYPOTHESES, dict.fromkeys(CRITERES, 1.0))
    # a : (1 + 0 + 1 + 1 + 1 + 1) / 6 ; b : (0,5 + 1 + 0,5 + 0 + 0 + 0,1) / 6.
    assert egaux.loc["a", "score"] == pytest.approx(5 / 6)
    assert egaux.loc["b", "score"] == pytest.approx(2.1 / 6)
    # c n'a ni surface, ni zonage, ni état du sol : la moyenne porte sur les trois autres.
    assert egaux.loc["c", "score"] == pytest.approx((0 + 0.5 + 0.5) / 3)
    assert egaux.loc["c", "poids_connus"] == 0.5
    assert egaux["rang"].tolist() == [1, 2, 3]


def test_classement_sans_zones_inondables_ne_compte_pas_le_critere():
    fiches = fiches_essai().drop(columns="part_interdite")
    rangs = classer_friches(fiches, HYPOTHESES)
    assert rangs["note_hors_zone_inondable"].isna().all()
    assert (rangs["poids_connus"] < 1).all()


def test_classement_ex_aequo_et_poids_refuses():
    fiches = fiches_essai(population_hab=[5.0, 5.0, 1.0])
    rangs = classer_friches(fiches, HYPOTHESES, {"population": 2.0})
    assert rangs["rang"].tolist() == [1, 1, 3]
    with pytest.raises(ErreurConfiguration):
        classer_friches(fiches, HYPOTHESES, {"population": -1.0})


def test_zonage_majoritaire():
    zonage = gpd.GeoDataFrame(
        {"classe": ["U", "N"]}, geometry=[boite(0, 0, 40, 100), boite(40, 0, 60, 100)], crs=CRS
    )
    sites = gpd.GeoDataFrame(
        {"zone_urbanisme": ["A", "A", "A"]},
        geometry=[boite(0, 0, 100), shapely.Point(COIN[0] + 5, COIN[1] + 5), boite(500, 0, 10)],
        crs=CRS,
    )
    # Hors du zonage, la zone de l'inventaire reste.
    assert situer_en_zonage(sites, zonage).tolist() == ["N", "U", "A"]


# --- Commerces --------------------------------------------------------------------------------


def commerces(*lignes: tuple[str, bool, str, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "commerce": [f"c{i}" for i in range(len(lignes))],
            "categorie": [ligne[0] for ligne in lignes],
            "vacant": [ligne[1] for ligne in lignes],
            "code_commune": [ligne[2] for ligne in lignes],
        },
        geometry=[shapely.Point(COIN[0] + ligne[3], COIN[1]) for ligne in lignes],
        crs=CRS,
    )


def marches(*lignes: tuple[int, str, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"jour": [ligne[0] for ligne in lignes], "code_commune": [ligne[1] for ligne in lignes]},
        geometry=[shapely.Point(COIN[0] + ligne[2], COIN[1]) for ligne in lignes],
        crs=CRS,
    )


def test_offre_par_commune():
    communes = pd.DataFrame(
        {"code_commune": ["A", "B", "C"], "nom": ["a", "b", "c"], "population_hab": [500, 0, 200.0]}
    )
    table = calculer_commerces_communes(
        commerces(
            ("pain", False, "A", 0), ("pain", False, "A", 0), ("coiffeur", False, "A", 0),
            ("coiffeur", False, "A", 0), ("autre", True, "A", 0), ("pain", False, "B", 0),
            ("pain", False, "", 0),
        ),
        marches((1, "A", 0), (1, "A", 5), (4, "A", 0), (-1, "C", 0)),
        communes,
    ).set_index("code_commune")  # fmt: skip
    assert table["commerces"].tolist() == [4, 1, 0]
    assert table["categories"].tolist() == [2, 1, 0]
    assert table["diversite"].tolist() == pytest.approx([2, 1, 0])
    assert table["densite_1000_hab"].tolist()[0] == 8
    assert np.isnan(table.loc["B", "densite_1000_hab"])  # sans habitants
    assert table["taux_vacance"].tolist()[:2] == [0.2, 0.0]
    assert np.isnan(table.loc["C", "taux_vacance"])  # ni commerce ni local
    assert table["marches"].tolist() == [3, 0, 1]
    assert table["jours_marche"].tolist() == [2, 0, 0]


def test_vacance_inconnue_nest_pas_nulle():
    communes = pd.DataFrame({"code_commune": ["A"], "nom": ["a"], "population_hab": [10.0]})
    table = calculer_commerces_communes(commerces(("pain", False, "A", 0)), None, communes)
    assert table[["taux_vacance", "locaux_vacants", "marches", "jours_marche"]].isna().all().all()


def test_diversite_entre_un_et_le_nombre_de_categories():
    effectifs = np.random.default_rng(0).integers(0, 9, (50, 6)).astype(float)
    diversite = mesurer_diversite(effectifs)
    assert (diversite <= (effectifs > 0).sum(axis=1) + 1e-9).all()
    assert (diversite >= (effectifs.sum(axis=1) > 0)).all()


def test_chalandise_a_pied(ville):
    territoire, resultat = ville
    graphe = construire_graphes(territoire, resultat.parametres, ["marche"])["marche"]
    poids = territoire.carreaux["population_hab"].to_numpy()
    table = calculer_chalandise(
        graphe,
        territoire.carreaux,
        poids,
        commerces(("pain", False, "A", 0), ("pain", True, "A", 100), ("coiffeur", False, "A", 900)),
        np.array([[COIN[0], COIN[1]]]),
        400.0,  # 200 m à 0,5 m/s
        400.0,
    )
    assert table.to_dict("records") == [
        {"population_hab": 60.0, "commerces": 1, "locaux_vacants": 1, "categories": 1,
         "diversite": 1.0}
    ]  # fmt: skip


def test_vacance_et_service_manquant(ville):
    territoire, resultat = ville
    lieux = commerces(("autre", True, "A0002", 0), ("autre", True, "A0002", 5))
    table = croiser_vacance_carences(
        lieux, resultat.carences, territoire.equipements, ["boulangerie", "hopital"]
    )
    assert table[["zone_code", "service", "locaux_vacants"]].values.tolist() == [
        ["A0002", "boulangerie", 2]
    ]
    assert table["population_carence_hab"].tolist() == [60]
    assert table["equipements_commune"].tolist() == [0]
    assert croiser_vacance_carences(
        lieux, resultat.carences, territoire.equipements, ["hopital"]
    ).empty


def test_marche_a_portee_selon_le_jour(ville):
    territoire, resultat = ville
    graphes = construire_graphes(territoire, resultat.parametres, ["marche"])
    zonages = construire_zonages(territoire.carreaux, territoire.communes, territoire.nom)
    table = (
        calculer_marches_par_jour(
            graphes,
            territoire.carreaux,
            territoire.carreaux["population_hab"].to_numpy(),
            marches((1, "A0001", 0), (1, "A0002", 1_000), (5, "A0001", 0), (-1, "A0001", 500)),
            zonages,
            900.0,
            400.0,
        )
        .set_index(["zone_type", "zone_code", "jour"])
        .sort_index()
    )
    territoire_seul = table.loc[("territoire", "territoire")]
    assert territoire_seul["population_desservie_hab"].tolist() == [0, 490, 0, 0, 0, 150, 0]
    assert territoire_seul["marches"].tolist() == [0, 2, 0, 0, 0, 1, 0]
    assert table.loc[("commune", "A0001", 5), "part_desservie"] == 1
    assert table.loc[("commune", "A0002", 5), "part_desservie"] == 0


def test_sans_population_les_croisements_comptent_des_surfaces(ville):
    territoire, _ = ville
    sans = dataclasses.replace(
        territoire, carreaux=territoire.carreaux.assign(population_hab=np.nan)
    )
    resultat = calculer_etude(sans, None, parametres_essai())
    croisement = croiser_friches(sans, resultat, friches(), None, None, HYPOTHESES)
    assert not croisement.par_population
    assert croisement.inondation is None
    assert "part_interdite" not in composer_fiches(croisement, HYPOTHESES)
    assert croisement.voisins["population_hab"][0] == 10 * 40_000

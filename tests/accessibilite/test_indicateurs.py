"""Indicateurs et carences de dix carreaux, à la main ; invariants."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest

from accessibilite.bilans.agregation import construire_zonages
from accessibilite.bilans.carences import COLONNES_CARENCES, calculer_carences
from accessibilite.bilans.indicateurs import (
    COLONNES_INDICATEURS,
    calculer_indicateurs,
    calculer_plus_rapide,
)
from donnees_geo.configuration import SeuilPalier
from tests.fabriques.ville_quadrillee import (
    service_essai,
    table_carreaux,
    table_communes,
    table_equipements,
)

SEUILS = (
    SeuilPalier("proximite", 900.0, ("marche", "velo")),
    SeuilPalier("intermediaire", 900.0, ("tc",)),
    SeuilPalier("structurant", 1800.0, ("voiture",)),
)
SERVICES = (
    service_essai("epicerie"),
    service_essai("mairie"),
    service_essai("college", "intermediaire"),
    service_essai("cinema", "structurant"),
)
#: 10, 20, … 100 habitants : 550 en tout, 150 dans A et 400 dans B.
POPULATION = 10.0 * np.arange(1, 11)
COMMUNES = table_communes(["A", "B", "VIDE"], ["1", "1", "1"])


def carreaux():
    return table_carreaux([(0, 0)] * 10, list(POPULATION), ["A"] * 5 + ["B"] * 5)


def temps_essai() -> dict[str, np.ndarray]:
    """Épicerie : 200 s par rang à pied ; mairie : inaccessible à pied ; collège : sans donnée."""
    marche = np.full((10, 4), np.nan)
    marche[:, 0] = 200.0 * np.arange(10)
    marche[:, 1] = np.inf
    velo = marche.copy()
    velo[:, 0] = 1000.0
    velo[:, 1] = np.where(np.arange(10) < 9, 900.0, np.inf)
    velo[0, 1] = np.nan  # carreau non rattaché à vélo
    voiture = np.full((10, 4), np.nan)
    voiture[:, 3] = 1801.0
    return {"marche": marche, "velo": velo, "voiture": voiture}


def calculer(temps, population=POPULATION, par_population=True, seuils=SEUILS):
    rapide = calculer_plus_rapide(temps, SERVICES, seuils)
    zonages = construire_zonages(carreaux(), COMMUNES, "Pays")
    table = calculer_indicateurs(
        {**temps, "plus_rapide": rapide},
        SERVICES,
        seuils,
        zonages,
        np.asarray(population, dtype=np.float64),
        par_population=par_population,
    )
    return table.set_index(["zone_type", "zone_code", "service", "mode"])


def test_plus_rapide_des_modes_admis():
    rapide = calculer_plus_rapide(temps_essai(), SERVICES, SEUILS)
    # À pied jusqu'au sixième carreau (1 000 s), à vélo au-delà.
    assert rapide[:, 0].tolist() == [0, 200, 400, 600, 800, 1000, 1000, 1000, 1000, 1000]
    assert rapide[:, 1].tolist() == [np.inf] + [900.0] * 8 + [np.inf]
    assert np.isnan(rapide[:, 2]).all()  # réservé au transport collectif, non calculé
    assert (rapide[:, 3] == 1801.0).all()


def test_indicateurs_de_dix_carreaux():
    table = calculer(temps_essai())
    epicerie = table.loc[("territoire", "territoire", "epicerie", "marche")]
    assert epicerie["population_hab"] == 550
    assert epicerie["population_desservie_hab"] == 150  # carreaux 0 à 4, jusqu'à 800 s
    assert epicerie["part_desservie"] == pytest.approx(150 / 550)
    assert epicerie["temps_median_s"] == 1200  # 280 habitants sur 550 jusqu'au septième
    assert (epicerie["palier"], epicerie["fonction"]) == ("proximite", "s_approvisionner")
    assert epicerie["seuil_s"] == 900
    assert epicerie["zone_nom"] == "Pays"
    a = table.loc[("commune", "A", "epicerie", "marche")]
    assert (a["population_hab"], a["population_desservie_hab"]) == (150, 150)
    assert (a["part_desservie"], a["temps_median_s"]) == (1.0, 600)
    assert table.loc[("commune", "B", "epicerie", "marche"), "part_desservie"] == 0
    # À 900 s exactement, le seuil est tenu ; le carreau sans donnée n'est pas compté desservi.
    mairie = table.loc[("territoire", "territoire", "mairie", "velo")]
    assert mairie["population_desservie_hab"] == 550 - 10 - 100
    assert table.loc[("territoire", "territoire", "mairie", "marche"), "temps_median_s"] == np.inf
    assert table.loc[("territoire", "territoire", "mairie", "marche"), "part_desservie"] == 0
    cinema = table.loc[("territoire", "territoire", "cinema", "voiture")]
    assert (cinema["part_desservie"], cinema["temps_median_s"], cinema["seuil_s"]) == (
        0,
        1801,
        1800,
    )


def test_panier_complet():
    panier = calculer(temps_essai()).xs("panier_complet", level="service")
    # Palier de proximité : le plus lointain des deux services ; celui sans donnée n'y entre pas.
    tout = panier.loc[("territoire", "territoire", "plus_rapide")].set_index("palier")
    assert list(tout.index) == ["proximite", "structurant"]
    assert tout.loc["proximite", "population_desservie_hab"] == 20 + 30 + 40 + 50
    assert tout.loc["proximite", "fonction"] == ""


def test_sans_donnee_sans_population_et_zone_vide():
    table = calculer(temps_essai())
    colonnes = ["population_desservie_hab", "part_desservie", "temps_median_s"]
    college = table.xs("college", level="service")
    assert college[colonnes].isna().all().all()
    assert (college.xs("territoire", level="zone_type")["population_hab"] == 550).all()
    vide = table.xs("VIDE", level="zone_code")
    assert (vide["population_hab"] == 0).all()
    assert vide[["part_desservie", "temps_median_s"]].isna().all().all()
    surface = calculer(temps_essai(), np.full(10, 40_000.0), par_population=False)
    assert surface[["population_hab", "population_desservie_hab"]].isna().all().all()
    part = surface.loc[("territoire", "territoire", "epicerie", "marche"), "part_desservie"]
    assert part == pytest.approx(0.5)


def test_contrat_de_la_table():
    table = calculer(temps_essai()).reset_index()
    assert set(table.columns) == set(COLONNES_INDICATEURS)
    zones = 1 + 1 + 3
    assert len(table) == zones * (4 * 4 + 2)  # quatre services, quatre modes, deux paniers
    cles = table[["zone_type", "zone_code", "palier", "service", "mode"]]
    assert not cles.duplicated().any()
    # Les communes s'additionnent en territoire, par service et mode.
    sommes = table.groupby(["zone_type", "palier", "service", "mode"])[
        ["population_hab", "population_desservie_hab"]
    ].sum()
    pd.testing.assert_frame_equal(sommes.loc["commune"], sommes.loc["territoire"])


def test_un_seuil_plus_grand_dessert_au_moins_autant():
    hasard = np.random.default_rng(0)
    temps = {m: hasard.exponential(900, (10, 4)) for m in ("marche", "velo", "voiture")}
    larges = tuple(SeuilPalier(s.palier, s.seuil_s * 1.5, s.modes) for s in SEUILS)
    petit, grand = calculer(temps), calculer(temps, seuils=larges)
    cles = petit.index.names
    ecart = (
        grand.reset_index().set_index([*cles, "palier"])["population_desservie_hab"]
        - petit.reset_index().set_index([*cles, "palier"])["population_desservie_hab"]
    ).dropna()
    assert (ecart >= 0).all()
    assert (ecart > 0).any()


def test_l_ordre_des_carreaux_ne_change_rien():
    hasard = np.random.default_rng(1)
    temps = {m: hasard.exponential(900, (10, 4)) for m in ("marche", "velo", "voiture")}
    ordre = hasard.permutation(10)
    tables = []
    for rang in (np.arange(10), ordre):
        melanges = {m: t[rang] for m, t in temps.items()}
        zonages = construire_zonages(carreaux().iloc[rang], COMMUNES, "Pays")
        rapide = calculer_plus_rapide(melanges, SERVICES, SEUILS)
        tables.append(
            calculer_indicateurs(
                {**melanges, "plus_rapide": rapide},
                SERVICES,
                SEUILS,
                zonages,
                POPULATION[rang],
                par_population=True,
            )
        )
    pd.testing.assert_frame_equal(tables[0], tables[1])


def carences(temps_s, equipement, population=POPULATION, par_population=True, lieux=None):
    equipements, _ = table_equipements([("epicerie", 0.0, 0.0)] * 4 if lieux is None else lieux)
    return calculer_carences(
        temps_s,
        equipement,
        SERVICES,
        SEUILS,
        construire_zonages(carreaux(), COMMUNES, "Pays"),
        np.asarray(population, dtype=np.float64),
        equipements,
        par_population=par_population,
    )


def carences_essai(**options):
    rapide = calculer_plus_rapide(temps_essai(), SERVICES, SEUILS)
    equipement = np.full((10, 4), -1, dtype=np.int32)
    equipement[:, 0] = [0, 0, 0, 0, 0, 3, 1, 1, 2, 3]
    return carences(rapide, equipement, **options)


def test_carences_de_dix_carreaux():
    table = carences_essai()
    assert tuple(table.columns) == COLONNES_CARENCES
    pays = table[table["zone_type"] == "territoire"].set_index("service")
    # Cinéma : tous, à une seconde près ; épicerie : carreaux 5 à 9 ; mairie : les deux bouts.
    assert pays["population_carence_hab"].to_dict() == {
        "cinema": 550,
        "epicerie": 400,
        "mairie": 110,
    }
    assert pays["rang"].to_dict() == {"cinema": 1, "epicerie": 2, "mairie": 3}
    assert pays.loc["epicerie", "part_carence"] == pytest.approx(400 / 550)
    assert pays.loc["epicerie", "temps_median_carence_s"] == 1000
    assert pays.loc["mairie", "temps_median_carence_s"] == np.inf
    assert pays.loc["epicerie", "modes"] == "marche+velo"
    # 150 habitants iraient à l'équipement 1 (carreaux 6 et 7), 160 au 3 (5 et 9), 90 au 2.
    assert pays.loc["epicerie", "equipement_proche"] == "E3"
    assert pays.loc["epicerie", "equipement_proche_nom"] == "Lieu 3"
    assert pays.loc["mairie", "equipement_proche"] == ""
    # Ni le service sans donnée, ni les zones où personne ne manque de rien.
    assert "college" not in pays.index
    a = table[(table["zone_type"] == "commune") & (table["zone_code"] == "A")]
    assert a["service"].tolist() == ["cinema", "mairie"]
    assert "VIDE" not in set(table["zone_code"])


def test_carences_et_indicateurs_se_completent():
    indicateurs = calculer(temps_essai())
    table = carences_essai().set_index(["zone_type", "zone_code", "service"])
    for (zone_type, zone_code, service), ligne in table.iterrows():
        desservis = indicateurs.loc[(zone_type, zone_code, service, "plus_rapide")]
        total = ligne["population_carence_hab"] + desservis["population_desservie_hab"]
        assert total == ligne["population_hab"] == desservis["population_hab"]


def test_a_poids_egal_le_premier_equipement():
    temps = np.full((10, 4), np.nan)
    temps[:, 0] = 2000.0
    equipement = np.full((10, 4), -1, dtype=np.int32)
    equipement[:, 0] = [3, 2, 3, 2, 3, 2, 3, 2, 3, 2]
    table = carences(temps, equipement, np.ones(10))
    assert set(table.loc[table["zone_type"] == "territoire", "equipement_proche"]) == {"E2"}


def test_carences_sans_population_ni_carence_ni_equipement():
    surface = carences_essai(population=np.full(10, 40_000.0), par_population=False)
    assert surface[["population_hab", "population_carence_hab"]].isna().all().all()
    assert surface["part_carence"].between(0, 1).all()
    assert (surface["rang"] >= 1).all()
    equipement = np.full((10, 4), -1, dtype=np.int32)
    for temps in (np.zeros((10, 4)), np.full((10, 4), np.nan)):
        table = carences(temps, equipement)
        assert tuple(table.columns) == COLONNES_CARENCES
        assert table.empty
    partout = carences(np.full((10, 4), np.inf), equipement, lieux=[])
    assert (partout["equipement_proche"] == "").all()
    assert (partout["part_carence"] == 1).all()


def test_les_entrees_ne_sont_pas_modifiees():
    temps = temps_essai()
    copie = copy.deepcopy(temps)
    calculer(temps)
    assert all(np.array_equal(temps[m], copie[m], equal_nan=True) for m in temps)
    assert POPULATION.tolist() == [10.0 * i for i in range(1, 11)]

"""Niveaux gradués et choix par zone, prédits à la main."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accessibilite.bilans.choix import ChoixMode
from accessibilite.bilans.niveaux import (
    calculer_choix_zones,
    calculer_niveaux,
    classer_niveaux,
    nommer_niveaux,
)
from tests.fabriques.mesures_essai import INF, NAN, ligne, melanger, mesures_essai, service

BORNES = (300.0, 600.0, 900.0, 1800.0)
SERVICES = (service("boulangerie", "proximite"), service("mairie", "proximite", "habiter"))


def test_noms_et_bornes_incluses():
    assert nommer_niveaux(BORNES) == [
        "de_0_a_5_min",
        "de_5_a_10_min",
        "de_10_a_15_min",
        "de_15_a_30_min",
        "plus_de_30_min",
        "inaccessible",
        "sans_donnee",
    ]
    temps = np.array([0, 300, 300.5, 900, 1800, 1801, INF, NAN])
    assert classer_niveaux(temps, BORNES).tolist() == [0, 0, 1, 2, 3, 4, 5, 6]


def test_habitants_de_chaque_niveau():
    mesures = mesures_essai(
        {"marche": [[100, 700], [700, INF], [2000, NAN], [NAN, NAN]]},
        SERVICES,
        [10, 20, 30, 40],
        ["A", "A", "B", "B"],
    )
    table = calculer_niveaux(mesures, BORNES)
    tout = ligne(table, service="boulangerie", mode="marche")
    assert [tout[f"{n}_hab"] for n in nommer_niveaux(BORNES)] == [10, 0, 20, 0, 30, 0, 40]
    assert tout["part_de_10_a_15_min"] == pytest.approx(0.2)
    commune = ligne(table, "A", service="mairie", mode="plus_rapide")
    assert commune["de_10_a_15_min_hab"] == 10
    assert commune["inaccessible_hab"] == 20
    panier = ligne(table, "A", service="panier_complet")
    assert (panier["de_10_a_15_min_hab"], panier["inaccessible_hab"]) == (10, 20)
    assert panier["fonction"] == ""


def test_zone_sans_habitant_et_territoire_sans_population():
    vide = mesures_essai({"marche": [[100, 100], [100, 100]]}, SERVICES, [0, 5], ["A", "B"])
    sans = ligne(calculer_niveaux(vide, BORNES), "A", service="mairie", mode="marche")
    assert sans["population_hab"] == 0
    assert np.isnan(sans["part_de_0_a_5_min"])
    surface = mesures_essai({"marche": [[100, 100], [700, NAN]]}, SERVICES, [NAN, NAN])
    tout = ligne(calculer_niveaux(surface, BORNES), service="mairie", mode="marche")
    assert np.isnan(tout["population_hab"])
    assert np.isnan(tout["de_0_a_5_min_hab"])
    assert tout["part_de_0_a_5_min"] == pytest.approx(0.5)
    assert tout["part_sans_donnee"] == pytest.approx(0.5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_les_niveaux_s_additionnent_et_l_ordre_ne_compte_pas(graine):
    hasard = np.random.default_rng(graine)
    temps = hasard.choice([0, 300, 301, 899, 1800, 5000, INF, NAN], (12, 2))
    mesures = mesures_essai(
        {"marche": temps, "velo": temps / 3},
        SERVICES,
        hasard.choice([0, 1.5, 7, 40], 12).tolist(),
        hasard.choice(["A", "B", "C"], 12).tolist(),
    )
    table = calculer_niveaux(mesures, BORNES)
    somme = table[[f"{n}_hab" for n in nommer_niveaux(BORNES)]].sum(axis=1)
    assert np.allclose(somme, table["population_hab"])
    communes = table[table["zone_type"] == "commune"]
    par_commune = communes.groupby(["service", "mode"])["de_0_a_5_min_hab"].sum()
    territoire = table[table["zone_type"] == "territoire"].set_index(["service", "mode"])
    assert np.allclose(par_commune, territoire["de_0_a_5_min_hab"].loc[par_commune.index])
    autre = calculer_niveaux(melanger(mesures, hasard.permutation(12)), BORNES)
    pd.testing.assert_frame_equal(autre, table)


def test_choix_par_zone():
    mesures = mesures_essai({"marche": [[100, 100], [500, INF], [NAN, NAN]]}, SERVICES, [10, 20, 5])
    temps = np.full((3, 2, 3), INF)
    temps[0, 0], temps[1, 0], temps[2] = [100, 200, 901], [500, INF, INF], NAN
    temps[0, 1] = [100, 899, 900]
    choix = {"marche": ChoixMode(("boulangerie", "mairie"), temps, np.zeros((3, 2, 3), np.int32))}
    table = calculer_choix_zones(mesures, choix)
    tout = ligne(table, service="boulangerie")
    assert [tout[f"choix_{n}_hab"] for n in range(4)] == [0, 20, 10, 0]
    assert tout["choix_sans_donnee_hab"] == 5
    assert (tout["temps_median_1_s"], tout["temps_median_2_s"]) == (500, INF)
    mairie = ligne(table, service="mairie")
    assert (mairie["choix_0_hab"], mairie["choix_3_hab"]) == (20, 10)
    assert calculer_choix_zones(mesures, {}).empty

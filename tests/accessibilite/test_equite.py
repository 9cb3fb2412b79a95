"""Équité sur dix carreaux, tout à la main ; quartiers prioritaires ; cas limites."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from accessibilite.analyses.equite import (
    calculer_concentration,
    calculer_deciles,
    calculer_equite,
    calculer_equite_quartiers,
    calculer_niveau_vie,
    calculer_palma,
)
from tests.fabriques.mesures_essai import INF, NAN, ligne, melanger, mesures_essai, service

SERVICES = (service("boulangerie", "proximite"), service("mairie", "proximite", "habiter"))
#: Dix carreaux de dix habitants, du plus modeste (10 000 €) au plus aisé (28 000 €).
NIVEAUX = np.arange(10_000.0, 30_000.0, 2_000.0)
DIX = np.full(10, 10.0)
#: Les quatre plus modestes à 10 min, les autres à 5, le plus aisé à 20 min (hors seuil).
TEMPS = np.array([600.0] * 4 + [300.0] * 5 + [1200.0])


def dix_lignes():
    temps = np.column_stack([TEMPS, [100.0] * 9 + [INF]])
    return mesures_essai(
        {"marche": temps}, SERVICES, DIX.tolist(), impute=[True] + [False] * 9,
        ind_snv=NIVEAUX * DIX,
    )  # fmt: skip


def test_niveau_de_vie_moyen():
    table = pd.DataFrame({"population_hab": [10.0, 0.0, 4.0], "ind_snv": [200_000.0, 0.0, NAN]})
    assert calculer_niveau_vie(table)[0] == 20_000
    assert np.isnan(calculer_niveau_vie(table)[1:]).all()
    assert np.isnan(calculer_niveau_vie(table.drop(columns="ind_snv"))).all()


def test_deciles_de_dix_lignes():
    assert calculer_deciles(NIVEAUX, DIX).tolist() == list(range(1, 11))
    # Un carreau de la moitié du poids tombe là où est son milieu : (0 + 0,5) / 2 → décile 3.
    assert calculer_deciles(np.array([1.0, 2.0]), np.array([5.0, 5.0])).tolist() == [3, 8]
    # Mêmes revenus, même décile ; sans donnée ou sans habitants : 0.
    egaux = calculer_deciles(np.array([1.0, 1.0, NAN, 9.0]), np.array([5.0, 5.0, 1.0, 0.0]))
    assert egaux.tolist() == [6, 6, 0, 0]
    assert calculer_deciles(np.array([NAN]), np.array([1.0])).tolist() == [0]


def test_deciles_et_indices_ne_dependent_pas_de_l_ordre():
    ordre = np.random.default_rng(0).permutation(10)
    assert (calculer_deciles(NIVEAUX[ordre], DIX) == calculer_deciles(NIVEAUX, DIX)[ordre]).all()
    une = calculer_concentration(TEMPS, NIVEAUX, DIX)
    assert calculer_concentration(TEMPS[ordre], NIVEAUX[ordre], DIX) == pytest.approx(une)
    deciles, indices = calculer_equite(dix_lignes())
    autres, autres_indices = calculer_equite(melanger(dix_lignes(), ordre))
    pd.testing.assert_frame_equal(autres, deciles)
    pd.testing.assert_frame_equal(autres_indices, indices)


def test_palma_a_la_main():
    deciles = calculer_deciles(NIVEAUX, DIX)
    assert calculer_palma(TEMPS, deciles, DIX) == pytest.approx(1200 / 600)
    infinis = np.where(deciles == 1, INF, TEMPS)
    assert calculer_palma(infinis, deciles, DIX) == pytest.approx(2)  # l'inaccessible est à part
    assert np.isnan(calculer_palma(TEMPS, np.minimum(deciles, 9), DIX))
    assert np.isnan(calculer_palma(np.where(deciles == 10, 1.0, 0.0), deciles, DIX))


def test_concentration_a_la_main():
    # Tout chez le plus aisé de deux groupes égaux : rang 3/4, moyenne 1/2 → 2·(1/2·1/4)/(1/2).
    deux = np.array([1.0, 2.0])
    assert calculer_concentration(np.array([0.0, 1.0]), deux, deux * 0 + 5) == pytest.approx(0.5)
    assert calculer_concentration(np.array([1.0, 0.0]), deux, deux * 0 + 5) == pytest.approx(-0.5)
    assert calculer_concentration(np.full(10, 7.0), NIVEAUX, DIX) == pytest.approx(0)
    # Dix lignes : rangs 0,05 à 0,95 ; moyenne (4·600 + 5·300 + 1200)/10 = 510.
    rangs = np.arange(0.05, 1, 0.1)
    attendu = 2 / (510 * 10) * (TEMPS * (rangs - 0.5)).sum()
    assert calculer_concentration(TEMPS, NIVEAUX, DIX) == pytest.approx(attendu)
    assert np.isnan(calculer_concentration(np.zeros(10), NIVEAUX, DIX))
    assert np.isnan(calculer_concentration(TEMPS, NIVEAUX * NAN, DIX))


def test_tables_de_dix_lignes():
    deciles, indices = calculer_equite(dix_lignes())
    premier = deciles[(deciles["mesure"] == "boulangerie") & (deciles["decile"] == 1)].iloc[0]
    assert premier["population_hab"] == 10
    assert premier["niveau_vie_moyen_eur"] == pytest.approx(10_000)
    assert (premier["part_desservie"], premier["temps_moyen_s"]) == (1, 600)
    assert premier["part_imputee"] == 1
    assert premier["reference"] == "déciles du territoire"
    dernier = deciles[(deciles["mesure"] == "mairie") & (deciles["decile"] == 10)].iloc[0]
    assert (dernier["part_desservie"], dernier["inaccessible_hab"]) == (0, 10)
    assert np.isnan(dernier["temps_moyen_s"])
    atteints = deciles[deciles["mesure"] == "services_atteints"].set_index("decile")
    assert atteints["part_desservie"].tolist() == [1.0] * 9 + [0.0]
    par_mesure = indices.set_index("mesure")
    assert par_mesure.loc["boulangerie", "palma"] == pytest.approx(2)
    assert par_mesure.loc["mairie", "population_hab"] == 90  # un décile inaccessible
    assert par_mesure.loc["services_atteints", "moyenne"] == pytest.approx(1.8)
    assert par_mesure.loc["services_atteints", "palma"] == 0
    assert deciles.groupby("mesure")["population_hab"].sum().eq(100).all()


def test_sans_revenu_ou_sans_population():
    sans_revenu = mesures_essai({"marche": [[1.0, 1.0]]}, SERVICES, [1])
    assert all(t.empty for t in calculer_equite(sans_revenu))
    sans_habitant = mesures_essai({"marche": [[1.0, 1.0]]}, SERVICES, [NAN], ind_snv=[5.0])
    assert all(t.empty for t in calculer_equite(sans_habitant))


def test_quartiers_prioritaires():
    mesures = mesures_essai(
        {"marche": [[100, 1000], [200, 100], [950, 100]]}, SERVICES, [10, 30, 60],
        impute=[False, True, False],
    )  # fmt: skip
    x, y = np.array([5.0, 15.0, 50.0]), np.array([5.0, 5.0, 5.0])
    # Deux polygones qui se recouvrent : un carreau n'y compte qu'une fois.
    quartiers = gpd.GeoDataFrame(
        geometry=[shapely.box(0, 0, 20, 10), shapely.box(0, 0, 10, 10)], crs="EPSG:2154"
    )
    table = calculer_equite_quartiers(mesures, x, y, quartiers)
    dedans = ligne(table, mesure="boulangerie", lieu="quartiers")
    assert (dedans["population_hab"], dedans["part_desservie"]) == (40, 1)
    assert dedans["temps_median_s"] == 200
    assert dedans["part_imputee"] == pytest.approx(0.75)
    reste = ligne(table, mesure="boulangerie", lieu="reste")
    assert (reste["population_hab"], reste["part_desservie"]) == (60, 0)
    assert ligne(table, mesure="mairie", lieu="quartiers")["part_desservie"] == 0.75

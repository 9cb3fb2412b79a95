"""Transport collectif face à la voiture : rapports et classes à la main."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from accessibilite.analyses.comparaison_modes import (
    calculer_ratios,
    calculer_voiture_tc,
    classer_ratios,
    nommer_ratios,
)
from tests.fabriques.mesures_essai import INF, NAN, ligne, melanger, mesures_essai, service

BORNES = (1.5, 2.0, 3.0)
LYCEE = (service("lycee", "intermediaire", "apprendre"),)


def test_rapports():
    tc = np.array([150.0, 0.0, INF, INF, NAN, 100.0, 10.0])
    voiture = np.array([100.0, 0.0, 100.0, INF, 100.0, NAN, 0.0])
    ratios = calculer_ratios(tc, voiture)
    np.testing.assert_array_equal(ratios, [1.5, 1.0, INF, NAN, NAN, NAN, INF])
    assert tc[0] == 150


def test_classes():
    assert nommer_ratios(BORNES) == [
        "jusqu_a_1_5",
        "de_1_5_a_2",
        "de_2_a_3",
        "plus_de_3",
        "tc_impossible",
        "sans_donnee",
    ]
    ratios = np.array([0.5, 1.5, 1.6, 2.0, 3.0, 3.1, INF, NAN])
    assert classer_ratios(ratios, BORNES).tolist() == [0, 0, 1, 1, 2, 3, 4, 5]


def test_habitants_par_classe():
    mesures = mesures_essai(
        {"tc": [[150], [400], [INF], [100]], "voiture": [[100], [100], [100], [NAN]]},
        LYCEE,
        [10, 20, 30, 40],
        ["A", "A", "B", "B"],
    )
    table = calculer_voiture_tc(mesures, BORNES)
    tout = ligne(table)
    assert [tout[f"{n}_hab"] for n in nommer_ratios(BORNES)] == [10, 0, 0, 20, 30, 40]
    assert tout["part_plus_de_3"] == pytest.approx(0.2)
    assert tout["ratio_median"] == 4  # 10 à 1,5 ; 20 à 4 ; 30 sans bus
    assert ligne(table, "B")["ratio_median"] == INF
    pd.testing.assert_frame_equal(
        calculer_voiture_tc(melanger(mesures, [3, 0, 2, 1]), BORNES), table
    )


def test_sans_l_un_des_deux_modes():
    assert calculer_voiture_tc(mesures_essai({"tc": [[1]]}, LYCEE, [1]), BORNES).empty
    assert calculer_voiture_tc(mesures_essai({"voiture": [[1]]}, LYCEE, [1]), BORNES).empty

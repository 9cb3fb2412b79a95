"""Écarts aux temps en voiture d'une autre source, à la main."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from accessibilite.analyses.controle_voiture import comparer_temps_voiture
from tests.fabriques.mesures_essai import INF, NAN, ligne, mesures_essai, service

SERVICES = (service("boulangerie", "proximite"), service("mairie", "proximite"))


def test_statistiques_a_la_main():
    mesures = mesures_essai(
        {"voiture": [[100, 1], [500, 1], [300, 1], [INF, 1], [60, 1]]},
        SERVICES,
        [10, 10, 20, 5, 0],
    )
    reference = pd.DataFrame({"boulangerie": [200.0, 200.0, 300.0, 100.0, 60.0]})
    table = comparer_temps_voiture(mesures, reference)
    (service_compare,) = table["service"]
    r = ligne(table, service=service_compare)
    # Écarts −100 (10 hab), +300 (10), 0 (20) ; l'inaccessible et l'inhabité sont écartés.
    assert (r["carreaux"], r["population_hab"]) == (3, 40)
    assert r["biais_s"] == pytest.approx(50)
    assert r["ecart_absolu_moyen_s"] == pytest.approx(100)
    assert r["ecart_quadratique_s"] == pytest.approx(np.sqrt((10 * 100**2 + 10 * 300**2) / 40))
    assert (r["ecart_absolu_median_s"], r["ecart_absolu_p90_s"]) == (0, 300)
    assert r["rapport_median"] == 1
    assert r["part_a_2_min"] == pytest.approx(0.75)


def test_temps_identiques_et_constants():
    mesures = mesures_essai({"voiture": [[100, 7], [300, 7]]}, SERVICES, [1, 3])
    reference = pd.DataFrame({"boulangerie": [100.0, 300.0], "mairie": [5.0, 5.0]})
    table = comparer_temps_voiture(mesures, reference)
    pareil = ligne(table, service="boulangerie")
    assert (pareil["biais_s"], pareil["correlation"]) == (0, pytest.approx(1))
    assert np.isnan(ligne(table, service="mairie")["correlation"])


def test_rien_a_comparer():
    mesures = mesures_essai({"voiture": [[100, 7]]}, SERVICES, [1])
    assert comparer_temps_voiture(mesures, pd.DataFrame({"boulangerie": [NAN]})).empty
    sans_voiture = mesures_essai({"marche": [[100, 7]]}, SERVICES, [1])
    assert comparer_temps_voiture(sans_voiture, pd.DataFrame({"boulangerie": [1.0]})).empty

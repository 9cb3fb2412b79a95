"""Carences par mode et filtres de la liste, à la main."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from accessibilite.bilans.carences import calculer_carences
from accessibilite.bilans.carences_modes import calculer_carences_modes, filtrer_carences
from donnees_geo.erreurs import ErreurConfiguration
from tests.fabriques.mesures_essai import INF, ligne, melanger, mesures_essai, service
from tests.fabriques.ville_quadrillee import table_communes, table_equipements

SERVICES = (service("boulangerie", "proximite"), service("mairie", "proximite", "habiter"))


def equipements():
    table, _ = table_equipements([("boulangerie", 0, 0), ("boulangerie", 9, 0), ("mairie", 0, 0)])
    return table.assign(code_commune=["A", "Z9999", ""])


def mesures():
    return mesures_essai(
        {
            "marche": [[1000, 100], [2000, 100], [3000, 2000], [100, 100]],
            "velo": [[950, 100], [1500, 100], [2500, 1900], [100, 100]],
            "voiture": [[200, 50], [INF, 50], [400, 300], [10, 10]],
        },
        SERVICES,
        [10, 20, 30, 40],
        ["A", "A", "B", "B"],
        equipement={
            "marche": [[0, 2], [0, 2], [1, 2], [0, 2]],
            "velo": [[0, 2], [0, 2], [1, 2], [0, 2]],
            "voiture": [[1, 2], [-1, 2], [1, 2], [0, 2]],
        },
    )


def test_temps_et_equipement_nomme_par_mode():
    table = calculer_carences_modes(mesures(), equipements(), table_communes(["A", "B"]))
    tout = ligne(table, service="boulangerie", mode="marche")
    assert tout["population_carence_hab"] == 60
    assert tout["temps_median_carence_s"] == 2000
    # 30 habitants iraient à l'équipement 0, 30 au 1 : à égalité, le premier.
    assert (tout["equipement_proche_nom"], tout["hors_territoire"]) == ("Lieu 0", "non")
    auto = ligne(table, service="boulangerie", mode="voiture")
    assert auto["inaccessible_hab"] == 20
    assert (auto["equipement_proche_nom"], auto["hors_territoire"]) == ("Lieu 1", "oui")
    commune = ligne(table, "A", service="boulangerie", mode="voiture")
    assert commune["temps_median_carence_s"] == INF  # 20 habitants sur 30 n'y vont pas en voiture
    # Un équipement sans commune est hors du découpage.
    assert ligne(table, "B", service="mairie", mode="velo")["hors_territoire"] == "oui"
    assert not ((table["zone_code"] == "A") & (table["service"] == "mairie")).any()
    assert set(table["mode"]) == {"marche", "velo", "voiture"}


def test_memes_habitants_que_la_liste_des_carences_et_ordre_indifferent():
    m, communes = mesures(), table_communes(["A", "B"])
    table = calculer_carences_modes(m, equipements(), communes)
    liste = calculer_carences(
        m.rapide_s, m.equipement["marche"], m.services, m.seuils, m.zonages, m.poids,
        equipements(), par_population=True,
    )  # fmt: skip
    cles = ["zone_type", "zone_code", "service"]
    joint = table.merge(liste, on=cles, suffixes=("", "_liste"))
    assert len(joint) == len(table) == 3 * len(liste)
    assert (joint["population_carence_hab"] == joint["population_carence_hab_liste"]).all()
    autre = calculer_carences_modes(melanger(m, [3, 1, 0, 2]), equipements(), communes)
    pd.testing.assert_frame_equal(autre, table)


LISTE = pd.DataFrame(
    {
        "zone_type": ["commune", "commune", "commune", "secteur"],
        "zone_code": ["A", "B", "A", "S"],
        "palier": ["proximite", "proximite", "structurant", "proximite"],
        "fonction": ["habiter", "habiter", "s_epanouir", "habiter"],
        "service": ["mairie", "mairie", "cinema", "mairie"],
        "population_hab": [100.0, 5000.0, 100.0, 5100.0],
        "population_carence_hab": [90.0, 200.0, 100.0, 290.0],
        "part_carence": [0.9, 0.04, 1.0, 0.06],
        "temps_median_carence_s": [1200.0, 1000.0, INF, 1100.0],
        "rang": [2, 1, 1, 1],
    }
)


def cles(table):
    return list(zip(table["zone_code"], table["service"], table["rang"], strict=True))


def test_filtres_et_classements():
    avant = LISTE.copy()
    communes = filtrer_carences(LISTE, zone_type="commune")
    assert cles(communes) == [("B", "mairie", 1), ("A", "cinema", 2), ("A", "mairie", 3)]
    par_part = filtrer_carences(LISTE, zone_type="commune", par="part")
    assert cles(par_part) == [("A", "cinema", 1), ("A", "mairie", 2), ("B", "mairie", 3)]
    par_temps = filtrer_carences(LISTE, par="temps")
    assert par_temps["zone_code"].tolist() == ["A", "A", "S", "B"]
    petites = filtrer_carences(LISTE, population_max_hab=1000, fonctions=["habiter"])
    assert cles(petites) == [("A", "mairie", 1)]
    assert filtrer_carences(LISTE, paliers=["intermediaire"]).empty
    assert cles(filtrer_carences(LISTE, services=["cinema"])) == [("A", "cinema", 1)]
    pd.testing.assert_frame_equal(LISTE, avant)


def test_sans_population_la_taille_ne_filtre_pas():
    nue = LISTE.assign(population_hab=np.nan, population_carence_hab=np.nan)
    assert len(filtrer_carences(nue, population_min_hab=1000)) == 4
    assert filtrer_carences(nue)["part_carence"].is_monotonic_decreasing


def test_classement_inconnu():
    with pytest.raises(ErreurConfiguration, match="inconnu") as refus:
        filtrer_carences(LISTE, par="hasard")
    assert "habitants, part, temps" in str(refus.value)

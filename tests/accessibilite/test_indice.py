"""Indice de la demi-heure et paniers : formule appliquée à la main."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from accessibilite.bilans.indice import (
    FORMULE_INDICE,
    calculer_indice,
    calculer_paniers,
    regle_en_mots,
)
from tests.fabriques.mesures_essai import INF, NAN, ligne, melanger, mesures_essai, service

SERVICES = (
    service("boulangerie", "proximite", "s_approvisionner"),
    service("mairie", "proximite", "habiter"),
    service("college", "intermediaire", "apprendre"),
    service("cinema", "structurant", "s_epanouir"),
)


def essai(**options):
    """Quatre carreaux de 10, 20, 30 et 40 habitants, communes A, A, B, B."""
    return mesures_essai(
        {
            #          boulangerie mairie college cinema
            "marche": [[100, 100, 9000, 9000], [1000, 950, 1, 1], [100, INF, 1, 1], [NAN] * 4],
            "velo": [[50, 50, 1, 1], [300, 901, 1, 1], [100, INF, 1, 1], [NAN] * 4],
            "tc": [[100, 100, 900, 1800], [1, 1, 900, 1801], [1, 1, 100, 100], [NAN] * 4],
        },
        SERVICES,
        [10, 20, 30, 40],
        ["A", "A", "B", "B"],
        **options,
    )


def test_indice_a_la_main():
    table = calculer_indice(essai(impute=[True, False, False, True]))
    tout = ligne(table, volet="ensemble")
    # Seul le premier carreau a tout : le cinéma est à 1801 s du deuxième, la mairie manque au 3e.
    assert tout["population_regle_hab"] == 10
    assert tout["part_regle"] == pytest.approx(0.10)
    # Services atteints sur quatre : 4, 2, 3, 0.
    assert tout["part_services"] == pytest.approx((10 * 1 + 20 * 0.5 + 30 * 0.75) / 100)
    assert (tout["nombre_services"], tout["services_sans_donnee"]) == (4, 0)
    assert tout["part_imputee"] == pytest.approx(0.5)
    proximite = ligne(table, volet="palier", code="proximite")
    assert proximite["population_regle_hab"] == 10
    assert proximite["part_services"] == pytest.approx((10 + 20 * 0.5 + 30 * 0.5) / 100)
    assert ligne(table, "B", volet="palier", code="structurant")["part_regle"] == pytest.approx(
        30 / 70
    )
    habiter = ligne(table, volet="fonction", code="habiter")
    assert habiter["part_regle"] == habiter["part_services"] == pytest.approx(0.10)
    assert "se_deplacer" not in set(table["code"])


def test_indice_somme_des_zones_et_ordre_indifferent():
    mesures = essai()
    table = calculer_indice(mesures)
    communes = table[table["zone_type"] == "commune"].groupby(["volet", "code"])
    tout = table[table["zone_type"] == "territoire"].set_index(["volet", "code"])
    sommes = communes["population_regle_hab"].sum()
    assert np.allclose(sommes, tout["population_regle_hab"].loc[sommes.index])
    pd.testing.assert_frame_equal(calculer_indice(melanger(mesures, [2, 0, 3, 1])), table)


def test_palier_sans_mesure_service_sans_equipement_zone_vide():
    sans_tc = mesures_essai(
        {"marche": [[100, NAN], [100, NAN]]},
        (SERVICES[0], SERVICES[2]),
        [0, 10],
        ["A", "B"],
    )
    table = calculer_indice(sans_tc)
    assert np.isnan(ligne(table, volet="ensemble")["part_regle"])
    assert ligne(table, volet="ensemble")["services_sans_donnee"] == 1
    assert np.isnan(ligne(table, volet="palier", code="intermediaire")["part_regle"])
    assert ligne(table, volet="palier", code="proximite")["part_regle"] == 1
    assert np.isnan(ligne(table, "A", volet="palier", code="proximite")["part_regle"])
    # Un service sans équipement n'entre pas dans le compte.
    partiel = mesures_essai({"marche": [[100, NAN]]}, SERVICES[:2], [10])
    proximite = ligne(calculer_indice(partiel), volet="palier", code="proximite")
    assert (proximite["nombre_services"], proximite["part_services"]) == (1, 1)


def test_sans_population_des_parts_de_surface():
    mesures = mesures_essai({"marche": [[100, 100], [100, INF]]}, SERVICES[:2], [NAN, NAN])
    tout = ligne(calculer_indice(mesures), volet="palier", code="proximite")
    assert np.isnan(tout["population_regle_hab"])
    assert tout["part_regle"] == pytest.approx(0.5)


def test_panier_service_manquant_et_decisif():
    table = calculer_paniers(essai())
    proximite = ligne(table, palier="proximite")
    assert proximite["population_panier_hab"] == 10
    # La mairie manque à 20 + 30 + 40, la boulangerie aux 40 du carreau sans donnée.
    assert (proximite["service_manquant"], proximite["population_manquant_hab"]) == ("mairie", 90)
    # Seule à manquer : aux 20 et aux 30.
    assert (proximite["service_decisif"], proximite["population_decisif_hab"]) == ("mairie", 50)
    college = ligne(table, "A", palier="intermediaire")
    assert (college["service_manquant"], college["service_decisif"]) == ("", "")
    assert college["part_panier"] == 1


def test_panier_a_egalite_le_premier_du_catalogue():
    mesures = mesures_essai({"marche": [[INF, 100], [100, INF]]}, SERVICES[:2], [10, 10])
    for essai_mesures in (mesures, melanger(mesures, [1, 0])):
        panier = ligne(calculer_paniers(essai_mesures), palier="proximite")
        assert panier["service_manquant"] == panier["service_decisif"] == "boulangerie"


def test_une_regle_plus_large_ne_retire_personne():
    mesures = essai()
    larges = tuple(replace(s, seuil_s=2 * s.seuil_s) for s in mesures.seuils)
    avant = calculer_indice(mesures)["population_regle_hab"]
    apres = calculer_indice(replace(mesures, seuils=larges))["population_regle_hab"]
    assert (apres >= avant).all()
    assert (apres > avant).any()


def test_la_formule_et_la_regle_se_lisent():
    assert "aucun autre poids" in FORMULE_INDICE
    assert regle_en_mots(essai())[:1] == ["boulangerie : 15 min à pied ou à vélo"]

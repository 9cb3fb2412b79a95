"""Marcheurs à leur vitesse et publics de l'école, à la main et face à un vrai recalcul."""

from __future__ import annotations

import numpy as np
import pytest

from accessibilite.analyses.ages import calculer_marcheurs, calculer_publics, ralentir_marche
from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.services import calculer_acces_mode
from donnees_geo.configuration.analyses import GroupeMarcheurs, PublicScolaire
from tests.fabriques.mesures_essai import INF, NAN, ligne, mesures_essai, service
from tests.fabriques.ville_quadrillee import (
    parametres_essai,
    reseau_aleatoire,
    table_carreaux,
    table_equipements,
)

SERVICES = (
    service("boulangerie", "proximite"),
    service("college", "intermediaire", "apprendre"),
)
GROUPES = (
    GroupeMarcheurs("ind_65_79", "65 à 79 ans", None),
    GroupeMarcheurs("ind_80p", "80 ans et plus", 2.25),
)


def essai(**ages):
    return mesures_essai(
        {
            "marche": [[700, 100], [800, 100], [INF, 100], [NAN, NAN]],
            "velo": [[100, 1], [100, 1], [100, 1], [NAN, NAN]],
            "tc": [[700, 800], [700, 1000], [700, INF], [NAN, NAN]],
        },
        SERVICES,
        [100, 100, 100, 100],
        ["A", "A", "B", "B"],
        **ages,
    )


def test_seniors_qui_perdent_la_boulangerie():
    table = calculer_marcheurs(
        essai(ind_65_79=[10, 20, 30, 5], ind_80p=[1, 2, 3, NAN]),
        GROUPES,
        vitesse_marche_kmh=4.5,
        vitesse_senior_kmh=3.6,
    )
    # À 3,6 km/h : 875 et 1 000 s ; les 20 du deuxième carreau perdent la boulangerie.
    seniors = ligne(table, groupe="ind_65_79")
    assert seniors["service"] == "boulangerie"  # le collège ne se rejoint pas à pied
    assert seniors["vitesse_kmh"] == 3.6
    assert seniors["population_groupe_hab"] == 65
    assert (seniors["desservie_ordinaire_hab"], seniors["desservie_hab"]) == (30, 10)
    assert seniors["perdent_hab"] == 20
    assert seniors["part_desservie"] == pytest.approx(10 / 65)
    # Médiane parmi ceux dont le temps est connu (60) : la moitié du poids est à 1 000 s.
    assert seniors["temps_median_s"] == pytest.approx(1000)
    # À 2,25 km/h : 1 400 et 1 600 s ; plus personne.
    anciens = ligne(table, groupe="ind_80p")
    assert (anciens["desservie_hab"], anciens["perdent_hab"]) == (0, 3)
    assert ligne(table, "A", groupe="ind_65_79")["perdent_hab"] == 20


def test_sans_tranche_d_age_ou_sans_marche():
    vitesses = {"vitesse_marche_kmh": 4.5, "vitesse_senior_kmh": 3.6}
    assert calculer_marcheurs(essai(), GROUPES, **vitesses).empty
    seule = calculer_marcheurs(essai(ind_80p=[1, 1, 1, 1]), GROUPES, **vitesses)
    assert set(seule["groupe"]) == {"ind_80p"}
    velo = mesures_essai({"velo": [[1.0]]}, SERVICES[:1], [1], ind_80p=[1])
    assert calculer_marcheurs(velo, GROUPES, **vitesses).empty


def test_commune_sans_senior_n_a_pas_de_part():
    table = calculer_marcheurs(
        essai(ind_65_79=[0, 0, 3, 0]), GROUPES, vitesse_marche_kmh=4.5, vitesse_senior_kmh=3.6
    )
    assert np.isnan(ligne(table, "A")["part_desservie"])
    assert ligne(table, "B")["part_desservie"] == 0


def test_le_temps_deduit_est_celui_d_une_recherche_a_cette_vitesse():
    reseau = reseau_aleatoire(5)  # avec relief : la pente joue aux deux vitesses
    hasard = np.random.default_rng(5)
    carreaux = table_carreaux(hasard.uniform(0, 1500, (15, 2)).tolist(), [1] * 15, ["A"] * 15)
    equipements, acces = table_equipements(
        [("poste", *xy) for xy in hasard.uniform(0, 1500, (3, 2))]
    )

    def temps(vitesse):
        graphe = construire_graphe(
            reseau, construire_profil(parametres_essai(), "marche", vitesse), 4
        )
        return calculer_acces_mode(
            graphe, carreaux, equipements, acces, ["poste"], rattachement_max_m=400
        ).temps_s

    ordinaire, lent = temps(4.5), temps(3.4)
    assert np.isfinite(lent).sum() > 5
    np.testing.assert_allclose(ralentir_marche(ordinaire, 4.5, 3.4), lent, rtol=1e-6)


def test_publics_de_l_ecole():
    publics = (
        PublicScolaire("ind_11_17", "11 à 17 ans", ("college", "lycee"), "deux niveaux"),
        PublicScolaire("ind_0_3", "0 à 3 ans", ("creche",), ""),
    )
    table = calculer_publics(essai(ind_11_17=[10, 20, 30, 40], ind_0_3=[1, 1, 1, 1]), publics)
    regle = ligne(table, mode="plus_rapide")
    assert (regle["service"], regle["groupe"]) == ("college", "ind_11_17")
    assert regle["desservie_hab"] == 10
    assert regle["part_desservie"] == pytest.approx(0.1)
    # Élèves mesurés : 10 à 700 s, 20 à 1 000 s, 30 sans bus ; la moitié est à 1 000 s ou moins.
    assert regle["temps_median_s"] == 1000
    assert ligne(table, mode="marche")["desservie_hab"] == 60
    assert regle["ecart"] == "deux niveaux"
    assert set(table["service"]) == {"college"}  # ni lycée ni crèche dans l'étude
    assert calculer_publics(essai(), publics).empty

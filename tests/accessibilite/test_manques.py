"""Ce qui manque parmi des services choisis : à la main, et accord avec l'indice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from accessibilite.bilans.agregation import Zonage
from accessibilite.bilans.indice import calculer_indice
from accessibilite.bilans.manques import relever_manques, resumer_manques
from accessibilite.bilans.mesures import lire_mesures
from accessibilite.etude import calculer_etude
from donnees_geo.erreurs import ErreurConfiguration
from tests.fabriques.ville_quadrillee import parametres_essai, service_essai, territoire_essai

ZONAGE = Zonage("commune", ("A", "B", "C"), ("Aix", "Brie", "Cuy"), np.array([0, 0, 1, -1]))
SERVICES = (service_essai("boulangerie"), service_essai("medecin"))
MANQUE = np.array([[True, False], [True, True], [False, False], [True, True]])
POIDS = np.array([10.0, 30.0, 5.0, 1000.0])


@pytest.fixture(scope="module")
def territoire():
    return territoire_essai()


@pytest.fixture(scope="module")
def resultat(territoire):
    return calculer_etude(territoire, None, parametres_essai(vitesse_velo_kmh=2.0))


def test_resumer_a_la_main():
    table = resumer_manques(ZONAGE, MANQUE, SERVICES, POIDS).set_index("code")
    assert table["poids"].tolist() == [40.0, 5.0, 0.0]
    assert table["manque"].tolist() == [40.0, 0.0, 0.0]
    assert table.loc["A", "part"] == 1.0 and table.loc["B", "part"] == 0.0
    assert np.isnan(table.loc["C", "part"])  # sans habitant : pas de part
    assert table.loc["A", "moyenne"] == pytest.approx((10 + 30 + 30) / 40)
    assert table["service"].tolist() == ["boulangerie", "", ""]
    assert table.loc["A", "service_poids"] == 40.0


def test_a_egalite_le_premier_service():
    manque = np.array([[True, True], [False, False], [False, False], [False, False]])
    assert resumer_manques(ZONAGE, manque, SERVICES, POIDS)["service"].iloc[0] == "boulangerie"


def test_aucun_service_mesure_ne_donne_aucune_part():
    table = resumer_manques(ZONAGE, np.zeros((4, 0), dtype=bool), (), POIDS)
    assert table[["manque", "part", "moyenne"]].isna().all(axis=None)
    assert (table["service"] == "").all()


def test_un_carreau_non_rattache_manque_de_tout_et_l_inconnu_partout_ne_compte_pas(resultat):
    acces = resultat.acces.copy()
    acces.loc[3, "temps_boulangerie_plus_rapide_s"] = np.nan
    manque, mesures = relever_manques(
        replace(resultat, acces=acces), ["cinema", "boulangerie", "hopital"]
    )
    assert [s.id for s in mesures] == ["boulangerie", "hopital"]  # le cinéma n'a aucun lieu
    assert manque[3, 0]
    assert not manque[0, 0]


def test_accord_avec_l_indice_par_palier_par_fonction_et_ensemble(territoire, resultat):
    mesures = lire_mesures(resultat, territoire.communes, territoire.nom)
    indice = calculer_indice(mesures)
    volets = {("ensemble", ""): lambda s: True}
    volets |= {
        ("palier", p): lambda s, p=p: s.palier == p for p in {s.palier for s in mesures.services}
    }
    volets |= {
        ("fonction", f): lambda s, f=f: s.fonction == f
        for f in {s.fonction for s in mesures.services}
    }
    compares = 0
    for (volet, code), retenir in volets.items():
        manque, services = relever_manques(resultat, [s.id for s in mesures.services if retenir(s)])
        for zonage in mesures.zonages:
            table = resumer_manques(zonage, manque, services, mesures.poids)
            ici = indice[
                (indice["volet"] == volet)
                & (indice["code"] == code)
                & (indice["zone_type"] == zonage.type)
            ]
            if not services or ici["population_regle_hab"].isna().all():
                continue
            np.testing.assert_allclose(
                table["poids"] - table["manque"], ici["population_regle_hab"], atol=1e-9
            )
            compares += 1
    assert compares >= 3
    with pytest.raises(ErreurConfiguration, match="licorne"):
        relever_manques(resultat, ["licorne"])

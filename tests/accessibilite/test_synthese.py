import numpy as np
import pytest

from accessibilite.bilans.agregation import Zonage
from accessibilite.bilans.synthese import (
    compter_atteints,
    couper_classes,
    lire_proche,
    lire_temps,
    resumer_zones,
)
from accessibilite.etude import calculer_etude
from donnees_geo.erreurs import ErreurConfiguration
from tests.fabriques.ville_quadrillee import parametres_essai, territoire_essai

INF, NAN = np.inf, np.nan


@pytest.fixture(scope="module")
def resultat():
    return calculer_etude(territoire_essai(), None, parametres_essai())


def test_le_temps_d_un_service_est_celui_de_l_etude(resultat):
    # Carreaux tous les 100 m depuis la boulangerie, marche à 1 m/s.
    temps = lire_temps(resultat, ["boulangerie"], "marche")
    assert temps == pytest.approx(100.0 * np.arange(10), abs=0.1)
    assert (lire_proche(resultat, "boulangerie", "marche") == 0).all()


def test_un_panier_vaut_son_service_le_plus_lointain(resultat):
    # L'hôpital est à l'autre bout (1 000 m) ; le cinéma, sans lieu connu, ne compte pas.
    panier = lire_temps(resultat, ["boulangerie", "cinema", "hopital"], "marche")
    attendu = np.maximum(100.0 * np.arange(10), 1000 - 100.0 * np.arange(10))
    assert panier == pytest.approx(attendu, abs=0.1)


def test_un_service_sans_lieu_reste_sans_donnee(resultat):
    assert np.isnan(lire_temps(resultat, ["cinema"], "marche")).all()


@pytest.mark.parametrize(
    ("services", "mode", "message"),
    [
        ([], "marche", "Aucun service"),
        (["musee"], "marche", "service musee, mode marche"),
        (["boulangerie"], "fusee", "mode fusee"),
    ],
)
def test_une_demande_hors_de_l_etude_se_dit(resultat, services, mode, message):
    with pytest.raises(ErreurConfiguration, match=message):
        lire_temps(resultat, services, mode)


def test_compter_les_services_atteints_chacun_a_son_seuil(resultat):
    # La boulangerie est à 100 c s du carreau c, l'hôpital à 1 000 - 100 c s.
    compte = compter_atteints(resultat, ["boulangerie", "hopital"], "marche", [250.0, 650.0])
    assert compte.tolist() == [1, 1, 1, 0, 1, 1, 1, 1, 1, 1]
    assert compte.dtype == np.int16
    larges = compter_atteints(resultat, ["boulangerie", "hopital"], "marche", [650.0, 650.0])
    assert larges.tolist() == [1, 1, 1, 1, 2, 2, 2, 1, 1, 1]


def test_un_service_sans_lieu_ne_compte_ni_ne_masque(resultat):
    seul = compter_atteints(resultat, ["boulangerie"], "marche", [450.0])
    avec = compter_atteints(resultat, ["boulangerie", "cinema"], "marche", [450.0, 9e9])
    assert seul.tolist() == avec.tolist() == [1] * 5 + [0] * 5
    # Sans aucun temps connu, ce n'est pas zéro : c'est sans donnée.
    assert compter_atteints(resultat, ["cinema"], "marche", [9e9]).tolist() == [-1] * 10


def test_compter_refuse_une_liste_vide_et_un_service_inconnu(resultat):
    with pytest.raises(ErreurConfiguration, match="Aucun service"):
        compter_atteints(resultat, [], "marche", [])
    with pytest.raises(ErreurConfiguration, match="musee"):
        compter_atteints(resultat, ["musee"], "marche", [900.0])


def test_les_classes_ferment_leur_borne():
    classes = couper_classes(np.array([0, 300, 301, 900, 5000, INF, NAN]), [300, 900])
    assert classes.tolist() == [0, 0, 1, 1, 2, -1, -2]


ZONAGE = Zonage("commune", ("A", "B", "C"), ("Aix", "Brie", "Cuy"), np.array([0, 0, 0, 1, 1, -1]))
TEMPS = np.array([100.0, 900.0, 901.0, INF, NAN, 50.0])
POIDS = np.array([10.0, 20.0, 30.0, 5.0, 7.0, 1000.0])


def test_resumer_zones_a_la_main():
    table = resumer_zones(ZONAGE, TEMPS, POIDS, 900.0, [300.0, 900.0]).set_index("code")
    assert table.loc["A", ["poids", "desservi", "non_desservi"]].tolist() == [60.0, 30.0, 30.0]
    assert table.loc["A", "part"] == 0.5
    assert table.loc["A", "temps_median_s"] == 900.0
    assert table.loc["A", ["classe_0", "classe_1", "classe_2"]].tolist() == [10.0, 20.0, 30.0]
    # Brie : un carreau inaccessible (5), un sans donnée (7), qui reste dans le total.
    assert table.loc["B", ["poids", "desservi", "non_desservi"]].tolist() == [12.0, 0.0, 5.0]
    assert table.loc["B", ["inaccessible", "sans_donnee"]].tolist() == [5.0, 7.0]
    # Cuy n'a aucun carreau : pas de part inventée.
    assert np.isnan(table.loc["C", "part"])


def test_les_parties_font_le_tout_et_rien_n_est_modifie():
    temps, poids = TEMPS.copy(), POIDS.copy()
    table = resumer_zones(ZONAGE, temps, poids, 900.0, [300.0, 900.0])
    parties = table[[f"classe_{r}" for r in range(3)]].sum(axis=1)
    assert (parties + table["inaccessible"] + table["sans_donnee"]).tolist() == table[
        "poids"
    ].tolist()
    total = table["desservi"] + table["non_desservi"] + table["sans_donnee"]
    assert total.tolist() == table["poids"].tolist()
    assert np.array_equal(temps, TEMPS, equal_nan=True)
    assert (poids == POIDS).all()


def test_une_zone_entierement_sans_donnee_n_a_pas_de_part():
    table = resumer_zones(ZONAGE, np.full(6, NAN), POIDS, 900.0)
    assert np.isnan(table["part"]).all()


def test_un_plus_grand_seuil_dessert_au_moins_autant():
    hasard = np.random.default_rng(4)
    temps, poids = hasard.uniform(0, 3000, 6), hasard.uniform(0, 100, 6)
    desservis = [resumer_zones(ZONAGE, temps, poids, s)["desservi"].to_numpy() for s in (600, 1200)]
    assert (desservis[0] <= desservis[1]).all()

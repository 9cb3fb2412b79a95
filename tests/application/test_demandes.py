import pytest

from donnees_geo.erreurs import ErreurConfiguration
from pages._carte.demandes import (
    DemandeIsochrone,
    lire_emprise,
    lire_isochrone,
    lire_jour,
    lire_minutes,
    lire_points,
    lire_services,
    lire_vue,
)

VALIDE = {"points": "-3.44000,45.45000", "mode": "marche", "minutes": "15,5", "sens": "vers"}


def test_une_demande_valide():
    assert lire_isochrone(VALIDE) == DemandeIsochrone(
        ((-3.44, 45.45),), "marche", (5.0, 15.0), "vers", ""
    )


def test_le_jour_ne_compte_qu_en_transport_collectif():
    assert lire_isochrone(VALIDE | {"jour": "2026-03-17"}).jour == ""
    assert lire_isochrone(VALIDE | {"mode": "tc", "jour": "2026-03-17"}).jour == "2026-03-17"


@pytest.mark.parametrize(
    ("changement", "message"),
    [
        ({"mode": "fusee"}, "marche, velo, voiture, tc"),
        ({"mode": ""}, "rien"),
        ({"sens": "autour"}, "depuis, vers"),
        ({"minutes": ""}, "1 à 6 durées"),
        ({"minutes": "5,-1"}, "1 à 6 durées"),
        ({"minutes": "5,1e9"}, "1 à 6 durées"),
        ({"minutes": "1,2,3,4,5,6,7"}, "1 à 6 durées"),
        ({"minutes": "cinq"}, "nombres séparés"),
        ({"minutes": "nan"}, "nombres séparés"),
        ({"points": ""}, "1 à 6 points"),
        ({"points": ";".join(["-3.4,45.4"] * 7)}, "1 à 6 points"),
        ({"points": "-3.4"}, "longitude,latitude"),
        ({"points": "45.4,-3.4,2"}, "longitude,latitude"),
        ({"points": "200,45"}, "longitude,latitude"),
        ({"points": "-3.4,45.4;<script>"}, "nombres séparés"),
    ],
)
def test_une_demande_fautive_dit_ce_qui_est_attendu(changement, message):
    with pytest.raises(ErreurConfiguration, match=message):
        lire_isochrone(VALIDE | changement)


@pytest.mark.parametrize("texte", ["17/03/2026", "2026-13-01", "hier"])
def test_un_jour_fautif(texte):
    with pytest.raises(ErreurConfiguration, match="AAAA-MM-JJ"):
        lire_jour(texte)


def test_minutes_et_points_sont_normalises():
    assert lire_minutes("15,5,5") == (5.0, 15.0)
    assert lire_points("1,2;3,4") == ((1.0, 2.0), (3.0, 4.0))


@pytest.mark.parametrize("texte", ["", "1,2", "a,b,c", "95,0,12", "45,0,40", "45,inf,12"])
def test_une_vue_d_adresse_fautive_est_ignoree(texte):
    assert lire_vue(texte) is None


def test_une_vue_d_adresse():
    assert lire_vue("45.5,-3.4,12.25") == (45.5, -3.4, 12.25)


def test_services_connus_seulement():
    assert lire_services("b,a,b", ["a", "b"]) == ("b", "a")
    with pytest.raises(ErreurConfiguration, match="Service inconnu"):
        lire_services("a,../../etc", ["a"])
    with pytest.raises(ErreurConfiguration, match="Aucun service"):
        lire_services(",", ["a"])


def test_une_image_raisonnable():
    valeurs = {"emprise": "0,0,100,50", "largeur": "200", "hauteur": "100"}
    assert lire_emprise(valeurs) == ((0.0, 0.0, 100.0, 50.0), 200, 100)


@pytest.mark.parametrize(
    "changement",
    [
        {"emprise": "0,0,100"},
        {"emprise": "100,0,0,50"},
        {"emprise": "0,0,1e9,50"},
        {"largeur": "0"},
        {"largeur": "99999"},
        {"hauteur": "-5"},
        {"hauteur": "1e3"},
    ],
)
def test_une_image_demesuree_est_refusee(changement):
    valeurs = {"emprise": "0,0,100,50", "largeur": "200", "hauteur": "100"} | changement
    with pytest.raises(ErreurConfiguration):
        lire_emprise(valeurs)

"""Droits de passage et vitesses d'après les tags OSM."""

from __future__ import annotations

import math

import pytest

from donnees_geo.osm.acces import CLES_ACCES, evaluer_acces, ferme_aux_voitures
from donnees_geo.osm.vitesse import analyser_vitesse, lire_vitesse
from donnees_geo.reseau import (
    CLASSES_VOIE,
    ESCALIER,
    MARCHE_ALLER,
    MARCHE_RETOUR,
    PONT,
    TUNNEL,
    VELO_ALLER,
    VELO_POUSSE_ALLER,
    VELO_POUSSE_RETOUR,
    VELO_RETOUR,
    VOITURE_ALLER,
    VOITURE_RETOUR,
)

M = MARCHE_ALLER | MARCHE_RETOUR
V = VELO_ALLER | VELO_RETOUR
P = VELO_POUSSE_ALLER | VELO_POUSSE_RETOUR
A = VOITURE_ALLER | VOITURE_RETOUR


def bits(**tags: str) -> int:
    return evaluer_acces({cle.replace("__", ":"): valeur for cle, valeur in tags.items()}).bits


@pytest.mark.parametrize(
    ("tags", "attendu"),
    [
        ({"highway": "residential"}, M | V | A),
        ({"highway": "motorway"}, VOITURE_ALLER),
        ({"highway": "motorway_link"}, A),
        ({"highway": "motorway", "oneway": "no"}, A),
        ({"highway": "trunk"}, A),
        ({"highway": "trunk", "sidewalk": "both"}, M | A),
        ({"highway": "trunk", "foot": "yes", "bicycle": "yes"}, M | V | A),
        ({"highway": "trunk", "cycleway": "track"}, V | A),
        ({"highway": "primary", "motorroad": "yes"}, A),
        ({"highway": "footway"}, M | P),
        ({"highway": "footway", "bicycle": "yes"}, M | V),
        ({"highway": "footway", "bicycle": "no"}, M | P),
        ({"highway": "footway", "access": "yes"}, M | P),
        ({"highway": "footway", "oneway": "yes"}, M | P),
        ({"highway": "pedestrian"}, M | P),
        ({"highway": "pedestrian", "bicycle": "dismount"}, M | P),
        ({"highway": "pedestrian", "vehicle": "no"}, M | P),
        ({"highway": "pedestrian", "motor_vehicle": "destination"}, M | P | A),
        ({"highway": "steps"}, M | P | ESCALIER),
        ({"highway": "steps", "bicycle": "yes"}, M | P | ESCALIER),
        ({"highway": "steps", "conveying": "forward"}, MARCHE_ALLER | P | ESCALIER),
        ({"highway": "cycleway"}, M | V),
        ({"highway": "cycleway", "foot": "no"}, V),
        ({"highway": "cycleway", "oneway": "yes"}, M | VELO_ALLER),
        ({"highway": "path"}, M | V),
        ({"highway": "path", "bicycle": "no"}, M | P),
        ({"highway": "track"}, M | V),
        ({"highway": "track", "motor_vehicle": "yes"}, M | V | A),
        ({"highway": "bridleway"}, M | P),
        ({"highway": "platform"}, M | P),
        ({"highway": "construction"}, 0),
        ({"highway": "proposed", "foot": "yes"}, 0),
        ({"highway": "raceway"}, 0),
        ({"highway": "residential", "access": "private"}, 0),
        ({"highway": "residential", "access": "no", "foot": "yes"}, M),
        ({"highway": "residential", "access": "no", "bicycle": "designated"}, V),
        ({"highway": "residential", "access": "destination"}, M | V | A),
        ({"highway": "residential", "foot": "no"}, V | A),
        ({"highway": "residential", "foot": "use_sidepath"}, V | A),
        ({"highway": "primary", "bicycle": "use_sidepath"}, M | A),
        ({"highway": "primary", "bicycle": "no"}, M | A),
        ({"highway": "primary", "bicycle": "dismount"}, M | P | A),
        ({"highway": "residential", "motor_vehicle": "no"}, M | V),
        ({"highway": "residential", "vehicle": "no"}, M | P),
        ({"highway": "residential", "vehicle": "no", "bicycle": "yes"}, M | V),
        ({"highway": "residential", "motor_vehicle": "no", "motorcar": "yes"}, M | V | A),
        ({"highway": "service", "access": "private", "service": "driveway"}, A),
        ({"highway": "service", "access": "no"}, 0),
        ({"highway": "service", "access": "customers"}, M | V | A),
        ({"highway": "service", "service": "emergency_access"}, M | V),
        ({"highway": "residential", "oneway": "yes"}, M | VELO_ALLER | VOITURE_ALLER),
        ({"highway": "residential", "oneway": "-1"}, M | VELO_RETOUR | VOITURE_RETOUR),
        ({"highway": "residential", "oneway": "no"}, M | V | A),
        ({"highway": "residential", "oneway": "alternating"}, M | V | A),
        ({"highway": "tertiary", "junction": "roundabout"}, M | VELO_ALLER | VOITURE_ALLER),
        ({"highway": "tertiary", "junction": "circular"}, M | VELO_ALLER | VOITURE_ALLER),
        ({"route": "ferry"}, M | V),
        ({"route": "ferry", "motor_vehicle": "yes"}, M | V | A),
        ({"building": "yes"}, 0),
    ],
)
def test_droits_selon_les_tags(tags: dict[str, str], attendu: int) -> None:
    assert evaluer_acces(tags).bits == attendu


@pytest.mark.parametrize(
    "exception",
    [
        {"oneway:bicycle": "no"},
        {"cycleway": "opposite"},
        {"cycleway": "opposite_lane"},
        {"cycleway:left": "opposite_track"},
        {"cycleway:left": "lane", "cycleway:left:oneway": "-1"},
        {"cycleway:right": "track", "cycleway:right:oneway": "no"},
        {"cycleway:both": "opposite_lane"},
    ],
)
def test_double_sens_cyclable(exception: dict[str, str]) -> None:
    tags = {"highway": "residential", "oneway": "yes", **exception}
    assert evaluer_acces(tags).bits == M | V | VOITURE_ALLER


def test_bande_cyclable_ordinaire_ne_donne_pas_de_contresens() -> None:
    tags = {"highway": "residential", "oneway": "yes", "cycleway:right": "lane"}
    assert evaluer_acces(tags).bits == M | VELO_ALLER | VOITURE_ALLER


def test_sens_unique_propre_aux_velos_et_aux_pietons() -> None:
    assert bits(highway="residential", oneway__bicycle="yes") == M | VELO_ALLER | A
    assert bits(highway="residential", oneway__bicycle="-1") == M | VELO_RETOUR | A
    assert bits(highway="footway", oneway__foot="yes") == MARCHE_ALLER | P
    assert bits(highway="footway", oneway__foot="-1") == MARCHE_RETOUR | P


def test_ouvrages() -> None:
    assert bits(highway="residential", bridge="viaduct") == M | V | A | PONT
    assert bits(highway="residential", tunnel="building_passage") == M | V | A | TUNNEL
    assert bits(highway="residential", bridge="no", tunnel="no") == M | V | A
    assert bits(highway="residential", bridge="yes", access="private") == 0


@pytest.mark.parametrize(
    ("tags", "ferme"),
    [
        ({"barrier": "bollard"}, True),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, False),
        ({"barrier": "gate"}, False),
        ({"barrier": "gate", "access": "private"}, True),
        ({"barrier": "lift_gate", "motor_vehicle": "no", "access": "yes"}, True),
        ({"barrier": "kerb"}, False),
        ({"access": "no"}, False),
    ],
)
def test_barrieres(tags: dict[str, str], ferme: bool) -> None:
    assert ferme_aux_voitures(tags) is ferme


@pytest.mark.parametrize(
    "tags",
    [
        {"highway": "residential", "oneway": "yes", "cycleway:left": "opposite_lane"},
        {"highway": "residential", "oneway": "-1", "cycleway:right:oneway": "no"},
        {"highway": "residential", "cycleway": "opposite"},
        {"highway": "tertiary", "junction": "roundabout", "cycleway": "opposite"},
        {"highway": "trunk", "cycleway:both": "track"},
        {"highway": "residential", "maxspeed": "50", "zone:maxspeed": "FR:30"},
        {"highway": "residential", "maxspeed": "signals", "zone:maxspeed": "FR:30"},
        {"highway": "residential", "source:maxspeed": "FR:urban", "maxspeed:forward": "70"},
        {"route": "ferry", "foot": "no"},
    ],
)
def test_seules_les_cles_d_acces_comptent(tags: dict[str, str]) -> None:
    lus: dict[str, str] = {}

    class Espion(dict[str, str]):
        def get(self, cle, defaut=None):  # type: ignore[no-untyped-def]
            lus[cle] = ""
            return super().get(cle, defaut)

    evaluer_acces(Espion(tags))
    assert lus.keys() <= set(CLES_ACCES)


def test_classe() -> None:
    assert CLASSES_VOIE[evaluer_acces({"highway": "tertiary_link"}).classe] == "tertiary_link"
    assert CLASSES_VOIE[evaluer_acces({"highway": "corridor"}).classe] == "autre"
    assert CLASSES_VOIE[evaluer_acces({"route": "ferry"}).classe] == "ferry"


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("50", 50.0),
        ("50 km/h", 50.0),
        ("30 mph", 48.28032),
        ("30mph", 48.28032),
        ("10 knots", 18.52),
        ("walk", 6.0),
        ("none", 130.0),
        ("FR:urban", 50.0),
        ("FR:rural", 80.0),
        ("DE:rural", 100.0),
        ("BE-VLG:rural", 70.0),
        ("BE-VLG:urban", 50.0),
        ("BR:urban", 60.0),
        ("FR:zone30", 30.0),
        ("FR:30", 30.0),
        ("GB:zone20", 32.18688),
        ("FR:living_street", 20.0),
        ("70;50", 50.0),
        ("90|110", 90.0),
        ("22,5", 22.5),
    ],
)
def test_vitesse_comprise(texte: str, attendu: float) -> None:
    assert analyser_vitesse(texte) == pytest.approx(attendu)


@pytest.mark.parametrize(
    "texte", [None, "", "signals", "variable", "0", "-20", "vite", "FR:inconnu"]
)
def test_vitesse_incomprise_est_absente(texte: str | None) -> None:
    assert math.isnan(analyser_vitesse(texte))


def test_vitesse_ordre_des_tags() -> None:
    contexte = {"zone:maxspeed": "FR:30", "source:maxspeed": "FR:urban"}
    assert lire_vitesse({"maxspeed": "70", **contexte}) == 70
    assert lire_vitesse({"maxspeed": "signals", **contexte}) == 30
    assert lire_vitesse({"maxspeed:forward": "70", "maxspeed:backward": "50", **contexte}) == 50
    assert lire_vitesse({"source:maxspeed": "FR:urban"}) == 50
    assert lire_vitesse({"maxspeed:type": "FR:rural"}) == 80
    assert math.isnan(lire_vitesse({"source:maxspeed": "sign"}))

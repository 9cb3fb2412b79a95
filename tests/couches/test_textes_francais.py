import math
from datetime import date

import pytest

from couches.textes import (
    FINE,
    INSECABLE,
    distance,
    duree,
    heure,
    jour,
    nombre,
    part,
    pluriel,
    surface,
    taille,
)


@pytest.mark.parametrize(
    ("valeur", "decimales", "attendu"),
    [
        (12345, 0, f"12{FINE}345"),
        (1234567.891, 1, f"1{FINE}234{FINE}567,9"),
        (3.6, 1, "3,6"),
        (-1234.5, 1, f"\u22121{FINE}234,5"),
        (-0.2, 0, "0"),
        (math.nan, 0, "–"),
        (math.inf, 2, "–"),
    ],
)
def test_nombre(valeur, decimales, attendu):
    assert nombre(valeur, decimales) == attendu


@pytest.mark.parametrize(
    ("valeur", "decimales", "attendu"),
    [
        (0.426, 1, "42,6"),
        (1.0, 1, "100,0"),
        (0.0, 1, "0,0"),
        (0.99999, 1, "99,9"),  # presque tous n'est pas tous
        (0.00001, 1, "0,1"),
        (0.997, 0, "99"),
        (math.nan, 1, None),
    ],
)
def test_part(valeur, decimales, attendu):
    assert part(valeur, decimales) == ("–" if attendu is None else f"{attendu}{INSECABLE}%")


def test_durees_et_heures():
    assert duree(720) == f"12{INSECABLE}min"
    assert duree(3900) == f"1{INSECABLE}h{INSECABLE}05"
    assert duree(math.inf) == "inaccessible"
    assert duree(math.nan) == "–"
    assert heure(27000) == f"7{INSECABLE}h{INSECABLE}30"
    assert heure(25200) == f"7{INSECABLE}h"
    assert heure(90600) == f"1{INSECABLE}h{INSECABLE}10 le lendemain"


def test_dates():
    assert jour(date(2026, 3, 1)) == f"1er{INSECABLE}mars 2026"
    assert jour(date(2026, 3, 17), semaine=True) == f"mardi 17{INSECABLE}mars 2026"


def test_distances_surfaces_et_accords():
    assert distance(847) == f"850{INSECABLE}m"
    assert distance(3_640) == f"3,6{INSECABLE}km"
    assert surface(34_000) == f"3{INSECABLE}ha"
    assert surface(3_400_000) == f"3,4{INSECABLE}km²"
    assert pluriel(1, "habitant") == f"1{INSECABLE}habitant"
    assert pluriel(0, "habitant") == f"0{INSECABLE}habitant"
    assert pluriel(1200, "lieu", "lieux") == f"1{FINE}200{INSECABLE}lieux"


@pytest.mark.parametrize(
    ("octets", "texte"),
    [
        (0, "0 octet"),
        (1, "1 octet"),
        (812, "812 octets"),
        (4_974, "5,0 ko"),
        (45_000, "45 ko"),
        (999_999, "1,0 Mo"),
        (3_440_000, "3,4 Mo"),
        (40_000_000, "40 Mo"),
        (1_200_000_000, "1,2 Go"),
        (2.5e12, "2 500 Go"),
    ],
)
def test_taille_d_un_fichier(octets, texte):
    assert taille(octets).replace("\u202f", " ").replace("\xa0", " ") == texte

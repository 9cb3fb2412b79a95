"""Marchés : jours, horaires, fichiers locaux."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from donnees_geo.thematiques.marches import lire_heures, lire_jours, lire_marches, lire_seances

L93 = "EPSG:2154"
X, Y = 670_000.0, 7_050_000.0
COMMUNES = gpd.GeoDataFrame(
    {"code_commune": ["62001"], "nom": ["C"]},
    geometry=[shapely.box(X, Y, X + 1e3, Y + 1e3)],
    crs=L93,
)


@pytest.mark.parametrize(
    ("texte", "jours"),
    [
        ("mardi", (1,)),
        ("MARDIS, Vendredis", (1, 4)),
        ("lun. mer. sam.", (0, 2, 5)),
        ("du mardi au samedi", (1, 2, 3, 4, 5)),
        ("Mo-We,Sa", (0, 1, 2, 5)),
        ("dimanche-mardi", (6, 0, 1)),
        ("tous les jours", (0, 1, 2, 3, 4, 5, 6)),
        ("sur la place", ()),
        ("", ()),
    ],
)
def test_jours(texte, jours):
    assert lire_jours(texte) == jours


@pytest.mark.parametrize(
    ("texte", "heures"),
    [
        ("8h30 à 12h", (30_600, 43_200)),
        ("08:00:00 12:30:00", (28_800, 45_000)),
        ("à partir de 16 h", (57_600, None)),
        ("99:99", (None, None)),
    ],
)
def test_heures(texte, heures):
    lues = [None if np.isnan(h) else h for h in lire_heures(texte)]
    assert tuple(lues) == heures


def test_opening_hours_osm():
    seances = lire_seances("Tu 08:00-12:30; Fr,Sa 14:00-18:00; PH off; Su off")
    assert [(s.jour, s.debut_s, s.fin_s) for s in seances] == [
        (1, 28_800, 45_000), (4, 50_400, 64_800), (5, 50_400, 64_800),
    ]  # fmt: skip


def test_fichier_local(tmp_path):
    chemin = tmp_path / "marches.csv"
    chemin.write_text(
        "nom;jour;heure_debut;heure_fin;lieu;x;y\n"
        f"Grand marché;mardi et vendredi;08:00;12:30;Grand-Place;{X + 10};{Y + 10}\n"
        f"Marché bio;samedi;;;;{X + 500};{Y + 10}\n"
        f"Marché perdu;;08:00;12:00;;{X + 700};{Y + 10}\n"
        f"Marché du dehors;lundi;08:00;12:00;;{X + 1_200};{Y + 10}\n",
        encoding="utf-8",
    )
    table, constats = lire_marches(chemin, L93, shapely.box(X, Y, X + 2e3, Y + 2e3), COMMUNES)
    par_nom = table.groupby("nom")["jour"].apply(list).to_dict()
    assert par_nom == {
        "Grand marché": [1, 4], "Marché bio": [5], "Marché perdu": [-1], "Marché du dehors": [0],
    }  # fmt: skip
    grand = table.loc[table["nom"] == "Grand marché"].iloc[0]
    assert (grand["debut_s"], grand["fin_s"], grand["lieu"]) == (28_800, 45_000, "Grand-Place")
    assert table.set_index("nom").loc["Marché du dehors", "code_commune"] == ""
    texte = "\n".join(c.message for c in constats)
    assert "1 marché(s) sans jour reconnu (Marché perdu)" in texte
    assert "1 marché(s) sans horaires" in texte

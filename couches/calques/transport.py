"""Arrêts et lignes de transport collectif, d'après les horaires."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from couches.catalogue import lire_catalogue
from donnees_geo.territoire import Territoire


def construire_transport(territoire: Territoire) -> dict[str, gpd.GeoDataFrame]:
    """Arrêts desservis et tronçons de ligne, d'après les horaires ; vide sans horaires.

    Un tronçon joint en ligne droite deux arrêts qui se suivent : le tracé est schématique.
    """
    offre = territoire.offre
    if offre is None:
        return {}
    arrets, lignes = offre.arrets, offre.lignes
    course = np.repeat(np.arange(len(offre.courses)), np.diff(offre.passage_debut))
    ligne = offre.courses["ligne"].to_numpy(dtype=np.int64)[course]
    station = arrets["station"].to_numpy(dtype=np.int64)[offre.passage_arret]
    meme_course = course[1:] == course[:-1]
    depart, arrivee = station[:-1][meme_course], station[1:][meme_course]
    paires = pd.DataFrame(
        {
            "a": np.minimum(depart, arrivee),
            "b": np.maximum(depart, arrivee),
            "ligne": ligne[:-1][meme_course],
        }
    ).drop_duplicates()
    noms = lignes["nom_court"].where(lignes["nom_court"] != "", lignes["nom_long"]).astype(str)
    modes = lignes["mode"].astype(str)
    x, y = arrets["x"].to_numpy(dtype=np.float64), arrets["y"].to_numpy(dtype=np.float64)
    place = np.isfinite(x) & np.isfinite(y)
    paires = paires[place[paires["a"]] & place[paires["b"]] & (paires["a"] != paires["b"])]
    paires = paires.assign(
        mode=modes.to_numpy()[paires["ligne"]], nom=noms.to_numpy()[paires["ligne"]]
    )
    troncons = paires.groupby(["a", "b", "mode"], sort=False)["nom"].agg(_joindre).reset_index()
    a, b = troncons["a"].to_numpy(), troncons["b"].to_numpy()
    bouts = np.stack([np.column_stack([x[a], y[a]]), np.column_stack([x[b], y[b]])], axis=1)
    lignes_tc = gpd.GeoDataFrame(
        troncons[["mode", "nom"]], geometry=shapely.linestrings(bouts), crs=territoire.crs
    )
    passages = pd.DataFrame({"station": station, "ligne": ligne}).drop_duplicates()
    passages = passages[place[passages["station"]]].assign(
        mode=lambda p: modes.to_numpy()[p["ligne"]], nom=lambda p: noms.to_numpy()[p["ligne"]]
    )
    return {"lignes_tc": lignes_tc, "arrets_tc": _arrets(passages, territoire)}


def _arrets(passages: pd.DataFrame, territoire: Territoire) -> gpd.GeoDataFrame:
    """Arrêts desservis (``station``, ``mode``, ``nom`` de ligne par passage), un par gare."""
    assert territoire.offre is not None
    arrets = territoire.offre.arrets
    importance = {c.valeur: i for i, c in enumerate(lire_catalogue()["arrets_tc"].classes)}
    premiers = passages.assign(rang=passages["mode"].map(importance)).sort_values(
        "rang", kind="stable"
    )
    groupes = premiers.groupby("station")
    table = pd.DataFrame({"mode": groupes["mode"].first(), "lignes": groupes["nom"].agg(_joindre)})
    stations = table.index.to_numpy(dtype=np.int64)
    return gpd.GeoDataFrame(
        {
            "nom": arrets["nom"].to_numpy()[stations],
            "mode": table["mode"].to_numpy(),
            "lignes": table["lignes"].to_numpy(),
        },
        geometry=shapely.points(
            arrets["x"].to_numpy(dtype=np.float64)[stations],
            arrets["y"].to_numpy(dtype=np.float64)[stations],
        ),
        crs=territoire.crs,
    )


def _joindre(noms: pd.Series[str]) -> str:
    distincts = sorted(set(noms) - {""})
    suite = f" et {len(distincts) - 8} autres" if len(distincts) > 8 else ""
    return ", ".join(distincts[:8]) + suite

"""Gares fictives le long des voies ferrées."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from donnees_geo.demo.axes import Axes
from donnees_geo.demo.cadre import Cadre, plus_proches
from donnees_geo.demo.habitat import Habitat

NOMBRE_GARES: Final = 10


def construire_gares(cadre: Cadre, axes: Axes, habitat: Habitat) -> pd.DataFrame:
    """Gares sur les voies ferrées.

    Returns
    -------
    DataFrame
        nom, x, y, commune (rang), principale, ligne (0 ou 1), position_m le long de la ligne.
    """
    lignes = []
    for numero, trace in enumerate(axes.ferrees):
        cumul = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(trace, axis=0).T))])
        ecart, proche = plus_proches(trace, np.column_stack([habitat.x, habitat.y]))
        for k in np.flatnonzero((ecart < 1500) & (proche > 3) & (proche < len(trace) - 3)):
            lignes.append((k, numero, cumul[proche[k]], *trace[proche[k]], habitat.population[k]))
    table = pd.DataFrame(lignes, columns=["commune", "ligne", "position_m", "x", "y", "habitants"])
    # Le long de l'embranchement, en rase campagne, même un village a sa halte.
    table["poids"] = table["habitants"] * np.where(table["ligne"] == 1, 6.0, 1.0)
    table = table.sort_values("poids", ascending=False, kind="stable").drop_duplicates("commune")
    cible = cadre.part(NOMBRE_GARES) if cadre.facteur == 1 else 4
    retenus: list[int] = []
    dedans = 0
    for i, x, y, k in zip(table.index, table["x"], table["y"], table["commune"], strict=True):
        pris = table.loc[retenus]
        if len(pris) and np.hypot(pris["x"] - x, pris["y"] - y).min() < 1900:
            continue
        if habitat.interieure[k]:
            if dedans == cible:
                continue
            dedans += 1
        retenus.append(i)
    gares = table.loc[retenus].copy()
    gares["nom"] = ["Gare de " + habitat.noms[k] for k in gares["commune"]]
    rang = gares["habitants"].rank(ascending=False)
    gares["principale"] = rang <= max(1, round(3 * cadre.facteur))
    colonnes = ["nom", "x", "y", "commune", "principale", "ligne", "position_m"]
    return gares[colonnes].sort_values(["ligne", "position_m"]).reset_index(drop=True)

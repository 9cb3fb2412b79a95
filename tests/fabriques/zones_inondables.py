"""Zones inondables d'essai, posées sur la ville quadrillée."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from tests.fabriques.ville_quadrillee import COIN, CRS


def boite(x: float, y: float, largeur: float, hauteur: float | None = None) -> shapely.Polygon:
    return shapely.box(
        COIN[0] + x, COIN[1] + y, COIN[0] + x + largeur, COIN[1] + y + (hauteur or largeur)
    )


def zones(*lignes: tuple[str, str, int, shapely.Polygon], scenario: str = "") -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "famille": [ligne[0] for ligne in lignes],
            "niveau": [ligne[1] for ligne in lignes],
            "severite": np.array([ligne[2] for ligne in lignes], dtype=np.int8),
            "scenario": [scenario] * len(lignes),
        },
        geometry=[ligne[3] for ligne in lignes],
        crs=CRS,
    )

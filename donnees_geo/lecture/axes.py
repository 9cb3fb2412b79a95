"""Sites dont longitude et latitude (ou x et y) sont échangées, reconnus à leur commune.

L'exemple du standard CNIG « Friches » écrit ses points en latitude-longitude, les données réelles
en longitude-latitude : seul le lieu attendu départage.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from donnees_geo.conventions import CRS_GEO

#: Écart admis entre un site et sa commune : contours simplifiés, sites à cheval, mètres.
TOLERANCE_COMMUNE_M: Final = 2_000.0


def redresser_axes(
    table: gpd.GeoDataFrame, cibles: NDArray[np.object_], tolerance_m: float = TOLERANCE_COMMUNE_M
) -> tuple[gpd.GeoDataFrame, NDArray[np.bool_]]:
    """Échanger les axes des objets qui, ainsi, retrouvent leur lieu attendu.

    Parameters
    ----------
    table
        Objets dans un CRS métrique, tels que projetés d'après les axes de la source.
    cibles
        object[n], polygone où chaque objet est attendu (sa commune, à défaut le territoire).
    tolerance_m
        Distance à la cible en deçà de laquelle un objet est à sa place, mètres.

    Returns
    -------
    GeoDataFrame
        Même index ; un objet n'est changé que s'il était hors de sa cible et que l'échange des
        axes, en degrés ou en mètres, l'y ramène.
    numpy.ndarray
        bool[n], objets redressés.
    """
    geometries = table.geometry.to_numpy()
    dehors = ~(shapely.distance(shapely.centroid(geometries), cibles) <= tolerance_m)
    redresses = np.zeros(len(table), dtype=bool)
    corrigees = geometries.copy()
    for echanger in (_echanger_degres(str(table.crs)), _echanger_metres):
        restants = np.flatnonzero(dehors & ~redresses)
        if restants.size == 0:
            break
        essais = shapely.transform(geometries[restants], echanger)
        finis = np.isfinite(shapely.bounds(essais)).all(axis=1)
        place = np.zeros(restants.size, dtype=bool)
        place[finis] = (
            shapely.distance(shapely.centroid(essais[finis]), cibles[restants[finis]])
            <= tolerance_m
        )
        corrigees[restants[place]] = essais[place]
        redresses[restants[place]] = True
    if not redresses.any():
        return table, redresses
    return table.set_geometry(gpd.GeoSeries(corrigees, index=table.index, crs=table.crs)), redresses


def _echanger_metres(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    return xy[:, ::-1]


def _echanger_degres(crs: str) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Retour aux degrés, échange, et nouvelle projection."""
    vers_geo = Transformer.from_crs(crs, CRS_GEO, always_xy=True)
    vers_crs = Transformer.from_crs(CRS_GEO, crs, always_xy=True)

    def echanger(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = vers_geo.transform(xy[:, 0], xy[:, 1])
        return np.column_stack(vers_crs.transform(lat, lon))

    return echanger

"""Projection des tuiles web (EPSG:3857) : coordonnées, tuiles, pixels."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import pyproj
from numpy.typing import NDArray

from donnees_geo.conventions import CRS_GEO

CRS_MERCATOR: Final = "EPSG:3857"
#: Demi-côté du carré du monde, mètres Mercator.
DEMI_MONDE_M: Final = 20_037_508.342789244
Emprise = tuple[float, float, float, float]


def resolution_m(zoom: float, taille: int = 256) -> float:
    """Mètres Mercator par pixel, pour des tuiles de ``taille`` pixels."""
    return float(2 * DEMI_MONDE_M / (taille * 2.0**zoom))


def emprise_tuile(zoom: int, colonne: int, ligne: int) -> Emprise:
    """``(ouest, sud, est, nord)`` d'une tuile, mètres Mercator ; ligne 0 au nord."""
    cote = 2 * DEMI_MONDE_M / 2**zoom
    ouest, nord = -DEMI_MONDE_M + colonne * cote, DEMI_MONDE_M - ligne * cote
    return ouest, nord - cote, ouest + cote, nord


@cache
def _transformeur(depuis: str, vers: str) -> pyproj.Transformer:
    """Transformation gardée : la construire coûte plus que projeter un isochrone."""
    return pyproj.Transformer.from_crs(depuis, vers, always_xy=True)


def projeter(
    x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]], crs: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordonnées Mercator (mètres) de points donnés dans ``crs``."""
    mx, my = _transformeur(crs, CRS_MERCATOR).transform(np.asarray(x, float), np.asarray(y, float))
    return np.asarray(mx, dtype=np.float64), np.asarray(my, dtype=np.float64)


def vers_degres(
    x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]], crs: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes et latitudes (degrés WGS 84) de points donnés dans ``crs``."""
    lon, lat = _transformeur(crs, CRS_GEO).transform(np.asarray(x, float), np.asarray(y, float))
    return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)


def depuis_degres(lon: float, lat: float, crs: str) -> tuple[float, float]:
    """Point donné en degrés WGS 84, dans ``crs``."""
    x, y = _transformeur(CRS_GEO, crs).transform(lon, lat)
    return float(x), float(y)


def vers_pixels(
    x: NDArray[np.float64], y: NDArray[np.float64], emprise: Emprise, largeur: int, hauteur: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordonnées en pixels d'une image couvrant ``emprise`` ; ordonnée vers le bas."""
    ouest, sud, est, nord = emprise
    return (x - ouest) * (largeur / (est - ouest)), (nord - y) * (hauteur / (nord - sud))

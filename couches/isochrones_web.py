"""Bandes isochrones pour le navigateur : en degrés, au mètre près.

Elles vont de la plus lointaine à la
plus proche, pour que chacune reste visible sous la suivante.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from accessibilite.isochrones import Isochrone
from couches.mercator import vers_degres

#: Écart toléré au contour calculé, mètres : invisible à l'écran, dix fois moins de sommets.
TOLERANCE_M: Final = 4.0
DECIMALES: Final = 5


def decrire_bandes(isochrones: Sequence[Isochrone], crs: str) -> str:
    """GeoJSON des isochrones.

    Parameters
    ----------
    isochrones
        Emboîtés.
    crs
        CRS métrique de leurs polygones.

    Returns
    -------
    str
        ``FeatureCollection`` ; propriétés ``minutes`` et ``surface_m2``.
    """

    def convertir(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = vers_degres(xy[:, 0], xy[:, 1], crs)
        return np.asarray(np.round(np.column_stack([lon, lat]), DECIMALES), dtype=np.float64)

    ordre = sorted(isochrones, key=lambda i: -i.seuil_s)
    simples = shapely.simplify([i.polygone for i in ordre], TOLERANCE_M)
    degres = shapely.transform(simples, convertir)
    textes: Any = shapely.to_geojson(degres)
    bandes = [
        f'{{"type":"Feature","properties":{json.dumps(_proprietes(iso))},"geometry":{texte}}}'
        for iso, texte in zip(ordre, textes, strict=True)
    ]
    return f'{{"type":"FeatureCollection","features":[{",".join(bandes)}]}}'


def _proprietes(isochrone: Isochrone) -> dict[str, float]:
    return {
        "minutes": round(isochrone.seuil_s / 60, 2),
        "surface_m2": round(isochrone.surface_m2),
    }

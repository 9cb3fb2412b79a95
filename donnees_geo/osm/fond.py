"""Fond de carte dessiné hors ligne : eau, bois, zones bâties, voies ferrées, parcs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from donnees_geo.conventions import CRS_GEO
from donnees_geo.osm.surfaces import GeometriesOsm


@dataclass(frozen=True)
class CoucheFond:
    """Règle d'une couche du fond : ``tags`` (clé → valeurs) et dimension géométrique gardée."""

    tags: Mapping[str, frozenset[str]]
    dimension: int


COUCHES_FOND: Final[dict[str, CoucheFond]] = {
    "eau": CoucheFond(
        {
            "natural": frozenset({"water", "bay", "strait"}),
            "waterway": frozenset({"riverbank", "dock"}),
            "landuse": frozenset({"reservoir", "basin"}),
            "water": frozenset({"river", "lake", "pond", "canal", "reservoir", "basin"}),
        },
        2,
    ),
    "cours_eau": CoucheFond({"waterway": frozenset({"river", "canal", "stream"})}, 1),
    "bois": CoucheFond({"landuse": frozenset({"forest"}), "natural": frozenset({"wood"})}, 2),
    "zones_baties": CoucheFond(
        {"landuse": frozenset({"residential", "industrial", "commercial", "retail"})}, 2
    ),
    "voies_ferrees": CoucheFond(
        {"railway": frozenset({"rail", "light_rail", "tram", "subway", "narrow_gauge"})}, 1
    ),
    "parcs": CoucheFond(
        {
            "leisure": frozenset(
                {"park", "garden", "nature_reserve", "recreation_ground", "golf_course"}
            ),
            "landuse": frozenset({"recreation_ground", "village_green", "cemetery"}),
        },
        2,
    ),
}
CLES_FOND: Final = tuple(sorted({cle for c in COUCHES_FOND.values() for cle in c.tags}))
_REGLES_PLATES: Final = {
    cle: frozenset().union(*(c.tags.get(cle, frozenset()) for c in COUCHES_FOND.values()))
    for cle in CLES_FOND
}


def est_fond(tags: Any) -> bool:
    """Vrai si un objet relève d'une couche du fond de carte."""
    return any(tags.get(cle) in valeurs for cle, valeurs in _REGLES_PLATES.items())


def _valeur(tags: Mapping[str, str], couche: CoucheFond) -> str | None:
    """Valeur du tag qui range l'objet dans la couche, ``None`` s'il n'en relève pas."""
    return next((tags[c] for c, v in couche.tags.items() if tags.get(c) in v), None)


def construire_fond(surfaces: GeometriesOsm, crs: str) -> dict[str, gpd.GeoDataFrame]:
    """Couches du fond de carte.

    Parameters
    ----------
    surfaces
        Objets OSM en degrés.
    crs
        CRS métrique du résultat.

    Returns
    -------
    dict
        Pour chaque nom de :data:`COUCHES_FOND`, une table ``type`` (valeur du tag), ``nom``,
        ``geometry`` ; vide si l'extrait n'en contient pas.
    """
    dimensions = shapely.get_dimensions(surfaces.geometries)
    fond = {}
    for nom, couche in COUCHES_FOND.items():
        valeurs = [_valeur(tags, couche) for tags in surfaces.tags]
        indices = np.array(
            [
                i
                for i, v in enumerate(valeurs)
                if v is not None and dimensions[i] == couche.dimension
            ],
            dtype=np.int64,
        )
        table = pd.DataFrame(
            {
                "type": pd.array([valeurs[i] for i in indices], dtype="str"),
                "nom": pd.array([surfaces.tags[i].get("name", "") for i in indices], dtype="str"),
            }
        )
        geometrie = gpd.GeoSeries(surfaces.geometries[indices], crs=CRS_GEO).to_crs(crs)
        fond[nom] = gpd.GeoDataFrame(table, geometry=geometrie)
    return fond

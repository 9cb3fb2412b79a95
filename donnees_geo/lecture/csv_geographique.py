"""CSV dont chaque ligne porte des coordonnées ou du WKT."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from donnees_geo.conventions import CRS_GEO
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.lecture.tables import (
    ALIAS_LATITUDE,
    ALIAS_LONGITUDE,
    lire_csv,
    lire_nombres,
    normaliser_nom,
    resoudre_colonnes,
)

_ALIAS_WKT: Final = ("wkt", "geometrie", "geometry", "geom", "the_geom", "geompoint", "geomsurf")
_ALIAS_X: Final = ("x", "lambert_x", "x_l93", "coord_x", "coordx", "lambert93_x")
_ALIAS_Y: Final = ("y", "lambert_y", "y_l93", "coord_y", "coordy", "lambert93_y")


def lire_csv_geographique(
    fichier: Path, publie: Path, colonnes: Container[str] | None
) -> gpd.GeoDataFrame:
    """Lire un CSV dont chaque ligne porte longitude et latitude, x et y, ou du WKT.

    Parameters
    ----------
    fichier, publie
        Fichier extrait, et tel qu'il a été donné (pour les messages).
    colonnes
        Noms normalisés des colonnes à lire, coordonnées en plus ; ``None`` : toutes.

    Returns
    -------
    GeoDataFrame
        Sans CRS pour x et y ou du WKT ; géométrie absente où la ligne n'a pas de coordonnées.

    Raises
    ------
    ErreurDonnees
        Aucune colonne de coordonnées, ou coordonnée qui n'est pas un nombre.
    """
    table = lire_csv(fichier, {}, garder_autres=True)
    if colonnes is not None:
        coordonnees = {
            normaliser_nom(c)
            for alias in (ALIAS_LONGITUDE, ALIAS_LATITUDE, _ALIAS_X, _ALIAS_Y, _ALIAS_WKT)
            for c in alias
        }
        table = table[
            [c for c in table if normaliser_nom(c) in colonnes or normaliser_nom(c) in coordonnees]
        ]
    trouvees = resoudre_colonnes(
        table.columns,
        {},
        publie,
        facultatives={
            "lon": ALIAS_LONGITUDE,
            "lat": ALIAS_LATITUDE,
            "x": _ALIAS_X,
            "y": _ALIAS_Y,
            "wkt": _ALIAS_WKT,
        },
    )
    if "wkt" in trouvees:
        textes = table.pop(trouvees["wkt"]).replace("", None)
        geometries = shapely.from_wkt(textes.astype(object).where(textes.notna(), None).to_numpy())
        return gpd.GeoDataFrame(table, geometry=geometries)
    for abscisse, ordonnee, crs in (("lon", "lat", CRS_GEO), ("x", "y", None)):
        if abscisse in trouvees and ordonnee in trouvees:
            x = lire_nombres(table[trouvees[abscisse]], abscisse, publie).to_numpy()
            y = lire_nombres(table[trouvees[ordonnee]], ordonnee, publie).to_numpy()
            points = np.array(shapely.points(x, y), dtype=object)
            points[np.isnan(x) | np.isnan(y)] = None
            return gpd.GeoDataFrame(table, geometry=points, crs=crs)
    raise ErreurDonnees(
        "Le CSV ne porte pas de géométrie.",
        objet=publie,
        attendu=f"{ALIAS_LONGITUDE[0]} et {ALIAS_LATITUDE[0]}, {_ALIAS_X[0]} et {_ALIAS_Y[0]}, "
        f"ou du WKT ({', '.join(_ALIAS_WKT)})",
        trouve=", ".join(map(str, table.columns[:30])),
    )

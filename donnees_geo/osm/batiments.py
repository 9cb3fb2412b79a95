"""Bâtiments d'OpenStreetMap : emprise, niveaux, surface de plancher, usage d'habitation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from donnees_geo.conventions import CRS_GEO
from donnees_geo.osm.surfaces import GeometriesOsm

#: Valeurs de ``building`` qui désignent l'habitation (wiki OSM, « Key:building »).
TYPES_HABITATION: Final = frozenset(
    {
        "apartments",
        "bungalow",
        "cabin",
        "detached",
        "dormitory",
        "farm",
        "ger",
        "house",
        "houseboat",
        "residential",
        "semidetached_house",
        "semi_detached",
        "static_caravan",
        "terrace",
        "tree_house",
        "terraced",
    }
)
#: Un bâtiment sans type n'est pas tenu pour habité s'il porte une de ces clés et que rien ne dit
#: qu'on y loge aussi.
_CLES_ACTIVITE: Final = (
    "amenity",
    "office",
    "industrial",
    "leisure",
    "man_made",
    "military",
    "power",
    "historic",
    "tourism",
    "craft",
    "shop",
    "aeroway",
    "railway",
)
#: Niveaux supposés quand ``building:levels`` et ``height`` manquent (hypothèse de travail : la
#: maison compte un étage ou des combles, l'immeuble collectif quatre niveaux).
NIVEAUX_SUPPOSES: Final[dict[str, float]] = {
    "apartments": 4.0,
    "dormitory": 3.0,
    "bungalow": 1.0,
    "static_caravan": 1.0,
    "cabin": 1.0,
    "garage": 1.0,
    "garages": 1.0,
    "shed": 1.0,
    "hut": 1.0,
    "roof": 1.0,
}
NIVEAUX_PAR_DEFAUT: Final = 2.0
#: Hauteur d'un niveau, m.
HAUTEUR_NIVEAU_M: Final = 3.0
#: Tags dont dépend la table.
CLES_BATIMENT: Final = frozenset(
    {"building", "building:levels", "building:flats", "building:use", "height", *_CLES_ACTIVITE}
)
_NOMBRE: Final = re.compile(r"^\s*(\d+(?:[.,]\d+)?)")


def est_batiment(tags: Any) -> bool:
    """Vrai pour un bâtiment debout (``building`` autre que ``no``)."""
    return bool(tags.get("building", "no") != "no")


def lire_nombre(texte: str | None) -> float:
    """Premier nombre d'un texte (« 3 », « 7,5 m »), NaN sinon.

    Examples
    --------
    >>> lire_nombre("7,5 m"), lire_nombre("2;3")
    (7.5, 2.0)
    """
    trouve = _NOMBRE.match(texte or "")
    return float(trouve[1].replace(",", ".")) if trouve else float("nan")


def est_habite(tags: Mapping[str, str]) -> bool:
    """Vrai si les tags disent ou laissent supposer un logement."""
    genre = tags.get("building", "")
    if genre in TYPES_HABITATION or tags.get("building:use") == "residential":
        return True
    if genre != "yes":
        return False
    return "building:flats" in tags or not any(cle in tags for cle in _CLES_ACTIVITE)


def construire_batiments(surfaces: GeometriesOsm, crs: str) -> gpd.GeoDataFrame:
    """Table des bâtiments.

    Parameters
    ----------
    surfaces
        Objets OSM en degrés ; seuls les bâtiments surfaciques comptent.
    crs
        CRS métrique du résultat.

    Returns
    -------
    GeoDataFrame
        ``id_source``, ``type_batiment`` (valeur de ``building``), ``niveaux`` (float64, NaN si la
        carte ne le dit pas), ``logements`` (float64, NaN sinon), ``residentiel`` (bool),
        ``surface_plancher_m2`` (emprise au sol × niveaux, dits, déduits de la hauteur ou supposés
        d'après :data:`NIVEAUX_SUPPOSES`), ``geometry``.
    """
    batis = surfaces.choisir(est_batiment)
    batis = batis.prendre(np.flatnonzero(shapely.get_dimensions(batis.geometries) == 2))
    tags = batis.tags
    genres = [t["building"] for t in tags]
    niveaux = np.array([lire_nombre(t.get("building:levels")) for t in tags], dtype=np.float64)
    niveaux[niveaux == 0] = 1.0
    hauteurs = np.array([lire_nombre(t.get("height")) for t in tags], dtype=np.float64)
    supposes = np.array(
        [NIVEAUX_SUPPOSES.get(g, NIVEAUX_PAR_DEFAUT) for g in genres], dtype=np.float64
    )
    deduits = np.maximum(np.round(hauteurs / HAUTEUR_NIVEAU_M), 1.0)
    retenus = np.where(np.isnan(niveaux), np.where(np.isnan(deduits), supposes, deduits), niveaux)
    geometrie = gpd.GeoSeries(batis.geometries, crs=CRS_GEO).to_crs(crs)
    table = pd.DataFrame(
        {
            "id_source": pd.array(batis.identifiants, dtype="str"),
            "type_batiment": pd.array(genres, dtype="str"),
            "niveaux": niveaux,
            "logements": np.array([lire_nombre(t.get("building:flats")) for t in tags], float),
            "residentiel": np.array([est_habite(t) for t in tags], dtype=bool),
            "surface_plancher_m2": geometrie.area.to_numpy() * retenus,
        }
    )
    return gpd.GeoDataFrame(table, geometry=geometrie)

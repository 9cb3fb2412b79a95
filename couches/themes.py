"""Couches thématiques d'un territoire (friches, inondation, commerces, marchés) prêtes à exporter.

Une couche absente vaut ``None`` : les exports l'écrivent « non fourni », jamais zéro.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pyarrow as pa
import shapely

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.schemas import SCHEMAS_COUCHES
from donnees_geo.territoire import Territoire

_JOURNAL: Final = logging.getLogger(__name__)
#: Colonnes qui désignent des personnes dans les standards publics : jamais exportées.
_PERSONNELLES: Final = ("proprio", "contact", "telephone", "email", "courriel", "mail")
#: Niveaux réglementaires où l'on ne construit pas ; les autres niveaux prescrivent.
NIVEAUX_INTERDITS: Final = ("mesures_foncieres", "interdiction_stricte", "interdiction")


@dataclass(frozen=True)
class Themes:
    """Couches thématiques, dans le CRS du territoire.

    Attributes
    ----------
    friches, zones_inondables, commerces, marches
        Tables de ``donnees_geo.schemas``, ``None`` si elles ne sont pas fournies.
    autres
        Couches libres, par nom.
    """

    friches: gpd.GeoDataFrame | None = None
    zones_inondables: gpd.GeoDataFrame | None = None
    commerces: gpd.GeoDataFrame | None = None
    marches: gpd.GeoDataFrame | None = None
    autres: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)


def lire_themes(territoire: Territoire) -> Themes:
    """Lire les couches thématiques d'un territoire préparé.

    Une table au schéma attendu est reconnue à son nom et à ses colonnes ; toute autre est une
    couche libre, dont les colonnes personnelles sont ôtées.

    Raises
    ------
    ErreurDonnees
        Fichier du territoire préparé illisible.
    """
    connues: dict[str, gpd.GeoDataFrame] = {}
    autres: dict[str, gpd.GeoDataFrame] = {}
    for nom, chemin in sorted(territoire.couches.items()):
        table = _lire(chemin).to_crs(territoire.crs)
        schema = SCHEMAS_COUCHES.get(nom)
        if schema is not None and set(schema.colonnes) <= set(table.columns):
            connues[nom] = table
        else:
            autres[nom] = table.drop(columns=[c for c in table.columns if _est_personnelle(c)])
    return Themes(**connues, autres=autres)


def _lire(chemin: Path) -> gpd.GeoDataFrame:
    try:
        return gpd.read_parquet(chemin)
    except (OSError, ValueError, pa.ArrowException) as erreur:
        raise ErreurDonnees(
            "Une couche du territoire préparé est illisible.",
            objet=chemin,
            trouve=erreur,
            conseil="préparer de nouveau le territoire",
        ) from erreur


def _est_personnelle(colonne: str) -> bool:
    return any(mot in colonne.lower() for mot in _PERSONNELLES)


def garder_dans_zone(table: gpd.GeoDataFrame, zone: shapely.Geometry) -> gpd.GeoDataFrame:
    """Objets d'une couche dont un point intérieur est dans la zone."""
    points = shapely.point_on_surface(table.geometry.to_numpy())
    shapely.prepare(zone)
    return table[np.asarray(shapely.contains_properly(zone, points), dtype=bool)]


def partager_zonage(
    zones: gpd.GeoDataFrame,
) -> dict[str, gpd.GeoDataFrame]:
    """Zones réglementées d'un plan de prévention : « interdiction » et « prescription »."""
    reglement = zones[zones["famille"] == "reglement"]
    interdit = reglement["niveau"].isin(NIVEAUX_INTERDITS)
    return {"interdiction": reglement[interdit], "prescription": reglement[~interdit]}

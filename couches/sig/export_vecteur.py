"""Export d'isochrones et de lignes en GeoJSON (WGS 84) ou GeoPackage (CRS métrique)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from accessibilite.rues.isochrones import Isochrone
from donnees_geo.conventions import CRS_GEO
from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees

EXTENSIONS_VECTEUR: Final = (".geojson", ".json", ".gpkg")
#: Décimales des degrés écrits : 1e-7° vaut un centimètre au plus.
DECIMALES_DEGRES: Final = 7


def construire_table_isochrones(
    isochrones: Sequence[Isochrone], crs: str, attributs: dict[str, object]
) -> gpd.GeoDataFrame:
    """Table des isochrones, du plus grand seuil au plus petit (le petit se dessine au-dessus).

    Parameters
    ----------
    isochrones
        Isochrones d'un même lieu.
    crs
        CRS métrique des polygones.
    attributs
        Colonnes communes (mode, vitesse, hypothèses), recopiées sur chaque ligne.
    """
    ordre = sorted(isochrones, key=lambda i: i.seuil_s, reverse=True)
    return gpd.GeoDataFrame(
        {
            "minutes": [i.seuil_s / 60 for i in ordre],
            "seuil_s": [i.seuil_s for i in ordre],
            "surface_m2": [round(i.surface_m2, 1) for i in ordre],
            "longueur_m": [round(i.longueur_m, 1) for i in ordre],
            **{nom: [valeur] * len(ordre) for nom, valeur in attributs.items()},
        },
        geometry=[i.polygone for i in ordre],
        crs=crs,
    )


def exporter_vecteur(table: gpd.GeoDataFrame, chemin: Path, *, couche: str) -> Path:
    """Écrire une table : GeoJSON en WGS 84 (RFC 7946), GeoPackage dans le CRS de la table.

    Parameters
    ----------
    table
        Table à écrire.
    chemin
        ``.geojson``, ``.json`` ou ``.gpkg``.
    couche
        Nom de la couche du GeoPackage.

    Raises
    ------
    ErreurConfiguration
        Extension inconnue.
    ErreurDonnees
        Fichier impossible à écrire.
    """
    extension = chemin.suffix.lower()
    if extension not in EXTENSIONS_VECTEUR:
        raise ErreurConfiguration(
            "Extension de sortie inconnue.",
            objet=chemin.name,
            attendu=", ".join(EXTENSIONS_VECTEUR),
            trouve=extension or "aucune",
        )
    with ecrire_atomique(chemin) as provisoire:
        try:
            if extension == ".gpkg":
                table.to_file(provisoire, driver="GPKG", layer=couche, engine="pyogrio")
            else:
                arrondir_degres(table.to_crs(CRS_GEO)).to_file(
                    provisoire,
                    driver="GeoJSON",
                    engine="pyogrio",
                    RFC7946="YES",
                    COORDINATE_PRECISION=DECIMALES_DEGRES,
                )
        except (DataSourceError, DataLayerError, FeatureError) as erreur:
            # GDAL ne lève pas d'OSError quand le disque est plein ou le dossier retiré.
            raise ErreurDonnees(
                "Le fichier n'a pas pu être écrit.",
                objet=chemin,
                trouve=erreur,
                conseil="vérifier l'espace disque et le chemin ; l'ancien fichier est intact",
            ) from erreur
    return chemin


def arrondir_degres(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Arrondir les surfaces d'une table EPSG:4326 à la précision écrite (un centimètre).

    GDAL arrondit en écrivant et répare ensuite : une langue plus fine que l'arrondi devient une
    ligne, et la surface une collection que les SIG refusent. Ici l'arrondi se fait d'abord, et ce
    qui s'aplatit disparaît ; à sept décimales, un contour reste dans celui qui le contient.

    Returns
    -------
    geopandas.GeoDataFrame
        Table neuve, mêmes lignes ; les points et les lignes sont inchangés.
    """
    geometries = table.geometry.to_numpy()
    surfaces = np.isin(shapely.get_type_id(geometries), (3, 6))  # Polygon, MultiPolygon
    arrondies = shapely.set_precision(geometries[surfaces], 10.0**-DECIMALES_DEGRES)
    # Une surface qui s'aplatirait tout entière garde sa forme : aucun objet ne se perd.
    arrondies = np.where(shapely.is_empty(arrondies), geometries[surfaces], arrondies)
    nouvelles = geometries.copy()
    nouvelles[surfaces] = arrondies
    return table.set_geometry(gpd.GeoSeries(nouvelles, index=table.index, crs=table.crs))

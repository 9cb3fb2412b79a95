"""Écriture des fichiers sources fictifs, aux formats publiés, octet pour octet reproductibles."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import rasterio
import shapely
from rasterio.transform import from_origin

from donnees_geo.demo.cadre import CRS_DEMO, Cadre, Flottants
from donnees_geo.demo.calendrier import DATE_SERVICE
from donnees_geo.demo.noms import NOM_TERRITOIRE

#: Date portée par tous les fichiers : sans elle, deux générations différeraient.
DATE_FICHIERS: Final = "2026-01-05T00:00:00Z"
DATE_ZIP: Final = (2026, 1, 5, 0, 0, 0)


def ecrire_csv(
    table: pd.DataFrame, chemin: Path, *, separateur: str = ";", bom: bool = False
) -> None:
    """CSV en UTF-8, fins de ligne Unix."""
    table.to_csv(
        chemin,
        sep=separateur,
        index=False,
        lineterminator="\n",
        encoding="utf-8-sig" if bom else "utf-8",
    )


def ecrire_gtfs(tables: dict[str, pd.DataFrame], chemin: Path) -> None:
    """Archive GTFS, dates internes fixes."""
    with zipfile.ZipFile(chemin, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for nom in sorted(tables):
            membre = zipfile.ZipInfo(nom, DATE_ZIP)
            membre.compress_type = zipfile.ZIP_DEFLATED
            texte = tables[nom].to_csv(index=False, lineterminator="\n")
            archive.writestr(membre, texte.encode("utf-8"))


def ecrire_geojson(table: gpd.GeoDataFrame, chemin: Path) -> None:
    """GeoJSON en WGS 84, sept décimales, une entité par ligne."""
    geo = table.to_crs("EPSG:4326")
    contours = shapely.transform(geo.geometry.to_numpy(), lambda xy: xy.round(7))
    colonnes = [c for c in geo.columns if c != geo.geometry.name]
    lignes = [
        json.dumps(
            {
                "type": "Feature",
                "properties": dict(zip(colonnes, valeurs, strict=True)),
                "geometry": shapely.geometry.mapping(contour),
            },
            ensure_ascii=False,
        )
        for valeurs, contour in zip(
            geo[colonnes].itertuples(index=False, name=None), contours, strict=True
        )
    ]
    corps = ",\n".join(lignes)
    chemin.write_text(
        '{"type": "FeatureCollection", "features": [\n' + corps + "\n]}\n", encoding="utf-8"
    )


def ecrire_gpkg(table: gpd.GeoDataFrame, chemin: Path, couche: str) -> None:
    """GeoPackage dont la date de dernière modification est fixe."""
    # GDAL inscrit l'heure courante dans gpkg_contents, sauf si on la lui impose.
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": DATE_FICHIERS})
    try:
        pyogrio.write_dataframe(table, chemin, layer=couche, driver="GPKG")
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def ecrire_shp(table: gpd.GeoDataFrame, chemin: Path) -> None:
    """Shapefile en latin-1 sans ``.cpg``, comme les livraisons COVADIS."""
    pyogrio.write_dataframe(
        table,
        chemin,
        driver="ESRI Shapefile",
        encoding="ISO-8859-1",
        layer_options={"DBF_DATE_LAST_UPDATE": DATE_FICHIERS[:10]},
    )
    chemin.with_suffix(".cpg").unlink(missing_ok=True)


def ecrire_mnt(cadre: Cadre, altitudes: Flottants, chemin: Path) -> None:
    """Modèle numérique de terrain, décimètres arrondis, première ligne au nord."""
    lignes, colonnes = altitudes.shape
    with rasterio.open(
        chemin,
        "w",
        driver="GTiff",
        width=colonnes,
        height=lignes,
        count=1,
        dtype="float32",
        crs=CRS_DEMO,
        transform=from_origin(cadre.ouest, cadre.nord, cadre.pas_m, cadre.pas_m),
        nodata=-9999.0,
        compress="deflate",
        predictor=3,
        tiled=True,
    ) as sortie:
        sortie.write(np.round(altitudes[::-1], 1).astype(np.float32), 1)


def ecrire_manifeste(chemin: Path) -> None:
    """Manifeste du territoire : toutes les sections du contrat."""
    chemin.write_text(
        f"""# Territoire fictif : aucune donnée de ce dossier ne décrit un lieu réel.
nom = "{NOM_TERRITOIRE}"
crs = "{CRS_DEMO}"
fictif = true

[reseau]
osm = "orvenne.osm.pbf"

[decoupage]
communes = "communes.geojson"
bassins_de_vie = "bassins_de_vie.csv"
secteurs = "secteurs.csv"

[population]
fichier = "carreaux_200m_met.gpkg"

[services]
bpe = "BPE24.csv"
osm = true
fichiers = [{{ service = "marche", fichier = "marches.csv" }}]

[transport]
gtfs = ["bus.zip", "train.zip"]
date_service = {DATE_SERVICE:%Y-%m-%d}

[couches]
friches = "friches-standard.csv"
zones_inondables = "ppr/n_zone_reg_pprn_20190001_s_000.shp"
commerces = "commerces.csv"
marches = "marches.csv"
inondation_frequente = "tri/n_tri_orve_inondable_01_01for_s_000.shp"
inondation_moyenne = "tri/n_tri_orve_inondable_01_02moy_s_000.shp"
inondation_extreme = "tri/n_tri_orve_inondable_01_04fai_s_000.shp"
plu = "plu/ZONE_URBA.shp"
qpv = "qpv.geojson"
pvd = "liste-pvd.csv"
acv = "liste-acv.csv"

[relief]
mnt = "mnt.tif"

[millesimes]
"decoupage.communes" = "2026"
"decoupage.secteurs" = "2026"
"population.fichier" = "2021"
"relief.mnt" = "2024"
"services.fichiers (marche)" = "2026"
"couches.commerces" = "2026"
"couches.marches" = "2026"
"couches.plu" = "2024-01-15"
"couches.qpv" = "2024"
"couches.pvd" = "2026"
"couches.acv" = "2026"
""",
        encoding="utf-8",
    )

"""GeoPackage prêt pour QGIS : couches, tables, styles par défaut et métadonnées ; GeoJSON."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import geopandas as gpd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from accessibilite.etude import ResultatEtude
from couches.licences import decrire_sources
from couches.sig.couches import CoucheExport, composer_couches_export
from couches.sig.export_vecteur import exporter_vecteur
from couches.sig.styles_qgis import ecrire_qml, ecrire_sld
from couches.styles import Styles
from couches.tables_export import (
    decrire_hypotheses_etude,
)
from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.territoire import Territoire

_JOURNAL: Final = logging.getLogger(__name__)
Progression = Callable[[str, float], None]
#: Table que QGIS cherche pour ouvrir une couche avec son style ; colonnes et ordre sont les siens.
_CREER_STYLES: Final = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
    f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))
)"""
_INSERER_STYLE: Final = """
INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column,
    styleName, styleQML, styleSLD, useAsDefault, description, owner, ui)
VALUES ('', '', ?, ?, ?, ?, ?, ?, ?, '', NULL)"""
#: En deçà, un disque est tenu pour plein, octets.
_PLACE_MINIMALE: Final = 1 << 20
_ISO: Final = "http://www.isotc211.org/2005/gmd"


def exporter_geopackage(
    territoire: Territoire,
    resultat: ResultatEtude,
    styles: Styles,
    chemin: Path,
    progression: Progression | None = None,
) -> Path:
    """Écrire le GeoPackage d'un territoire : couches stylées, tables, métadonnées.

    Parameters
    ----------
    territoire, resultat
        Territoire et son étude ; les couches sont dans le CRS du territoire.
    styles
        Palette et classes.
    chemin
        Fichier ``.gpkg``.
    progression
        Rappel ``(étape, part faite)``.

    Raises
    ------
    ErreurDonnees
        Fichier impossible à écrire ; l'ancien est intact.
    """
    couches = composer_couches_export(territoire, resultat, styles)
    communs = _metadonnees(territoire, resultat)
    with ecrire_atomique(chemin) as provisoire:
        try:
            for rang, couche in enumerate(couches):
                if progression is not None:
                    progression(couche.titre, rang / len(couches))
                _ecrire_couche(couche, provisoire, communs, premiere=rang == 0)
            with closing(sqlite3.connect(provisoire)) as base, base:
                _ecrire_styles(base, couches)
                _ecrire_iso(base, couches, territoire, communs)
        except (DataSourceError, DataLayerError, FeatureError, sqlite3.Error) as erreur:
            # Ni GDAL ni SQLite ne lèvent d'OSError quand le disque est plein.
            raise ErreurDonnees(
                "Le GeoPackage n'a pas pu être écrit.",
                objet=chemin,
                trouve=_dire_cause(erreur, chemin.parent),
                conseil="vérifier l'espace disque et le chemin ; l'ancien fichier est intact",
            ) from erreur
    return chemin


def _dire_cause(erreur: Exception, dossier: Path) -> object:
    """Cause d'un échec ; le message de SQLite ne parle que de tables quand le disque est plein."""
    return "disque plein" if shutil.disk_usage(dossier).free < _PLACE_MINIMALE else erreur


def _metadonnees(territoire: Territoire, resultat: ResultatEtude) -> dict[str, str]:
    return {
        "TERRITOIRE": territoire.nom,
        "DONNEES_FICTIVES": "oui" if territoire.fictif else "non",
        "EMPREINTE": territoire.empreinte,
        "SOURCES": " ; ".join(
            f"{s.contenu} ({s.fichier}, {s.millesime}, {s.licence})"
            for s in decrire_sources(territoire)
        ),
        "HYPOTHESES": " ; ".join(decrire_hypotheses_etude(resultat)),
    }


def _ecrire_couche(
    couche: CoucheExport, chemin: Path, communs: dict[str, str], *, premiere: bool
) -> None:
    geographique = isinstance(couche.donnees, gpd.GeoDataFrame)
    options = {"IDENTIFIER": couche.titre, "DESCRIPTION": couche.description}
    pyogrio.write_dataframe(
        couche.donnees,
        chemin,
        layer=couche.nom,
        driver="GPKG",
        append=not premiere,
        promote_to_multi=geographique and "Polygon" in set(couche.donnees.geom_type.str[-7:]),
        layer_options=options | ({"GEOMETRY_NAME": "geom"} if geographique else {}),
        layer_metadata={"LICENCE": couche.licence, **communs},
        dataset_metadata=communs if premiere else None,
        # La 1.4 fait avertir les GDAL des QGIS encore en service.
        **({"dataset_options": {"VERSION": "1.3"}} if premiere else {}),
    )


def _ecrire_styles(base: sqlite3.Connection, couches: list[CoucheExport]) -> None:
    base.execute(_CREER_STYLES)
    base.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', 'Styles lus par QGIS', 0)"
    )
    for couche in couches:
        for rang, style in enumerate(couche.styles):
            base.execute(
                _INSERER_STYLE,
                (
                    couche.nom,
                    "geom",
                    style.nom[:30],
                    ecrire_qml(style, couche.alias),
                    ecrire_sld(style, couche.nom),
                    rang == 0,
                    style.description,
                ),
            )


def _ecrire_iso(
    base: sqlite3.Connection,
    couches: list[CoucheExport],
    territoire: Territoire,
    communs: dict[str, str],
) -> None:
    """Ajouter à chaque couche une fiche ISO 19115 (généalogie et contraintes d'usage)."""
    for couche in couches:
        curseur = base.execute(
            "INSERT INTO gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata) "
            "VALUES ('dataset', ?, 'text/xml', ?)",
            (_ISO, _fiche_iso(couche, territoire, communs)),
        )
        base.execute(
            "INSERT INTO gpkg_metadata_reference (reference_scope, table_name, md_file_id) "
            "VALUES ('table', ?, ?)",
            (couche.nom, curseur.lastrowid),
        )


def _fiche_iso(couche: CoucheExport, territoire: Territoire, communs: dict[str, str]) -> str:
    def texte(valeur: str) -> str:
        return f"<gco:CharacterString>{escape(valeur)}</gco:CharacterString>"

    genealogie = f"Sources : {communs['SOURCES']}. Hypothèses : {communs['HYPOTHESES']}."
    fictif = "Données fictives. " if territoire.fictif else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<gmd:MD_Metadata xmlns:gmd="{_ISO}" xmlns:gco="http://www.isotc211.org/2005/gco">
 <gmd:language>{texte("fre")}</gmd:language>
 <gmd:identificationInfo><gmd:MD_DataIdentification>
  <gmd:citation><gmd:CI_Citation><gmd:title>{texte(f"{couche.titre} — {territoire.nom}")}\
</gmd:title></gmd:CI_Citation></gmd:citation>
  <gmd:abstract>{texte(fictif + couche.description)}</gmd:abstract>
  <gmd:resourceConstraints><gmd:MD_LegalConstraints><gmd:useLimitation>{texte(couche.licence)}\
</gmd:useLimitation></gmd:MD_LegalConstraints></gmd:resourceConstraints>
 </gmd:MD_DataIdentification></gmd:identificationInfo>
 <gmd:dataQualityInfo><gmd:DQ_DataQuality><gmd:lineage><gmd:LI_Lineage><gmd:statement>\
{texte(genealogie)}</gmd:statement></gmd:LI_Lineage></gmd:lineage></gmd:DQ_DataQuality>\
</gmd:dataQualityInfo>
</gmd:MD_Metadata>
"""


def exporter_geojson(
    territoire: Territoire,
    resultat: ResultatEtude,
    styles: Styles,
    dossier: Path,
    progression: Progression | None = None,
) -> list[Path]:
    """Écrire un GeoJSON (WGS 84, RFC 7946) par couche géographique.

    Les carreaux n'y ont que le temps par le plus rapide des modes du palier.

    Raises
    ------
    ErreurDonnees
        Fichier impossible à écrire.
    """
    couches = [
        c
        for c in composer_couches_export(territoire, resultat, styles)
        if isinstance(c.donnees, gpd.GeoDataFrame)
    ]
    fichiers = []
    for rang, couche in enumerate(couches):
        if progression is not None:
            progression(couche.titre, rang / len(couches))
        table = gpd.GeoDataFrame(couche.donnees)
        # En texte, le temps de chaque mode pèserait dix fois la géométrie (il est au GeoPackage).
        de_modes = tuple(f"_{mode}_s" for mode in resultat.modes)
        table = table[[c for c in table.columns if not str(c).endswith(de_modes)]]
        fichiers.append(
            exporter_vecteur(table, dossier / f"{couche.nom}.geojson", couche=couche.nom)
        )
    return fichiers

"""GeoPackage prêt pour QGIS : couches, tables, styles par défaut et métadonnées ; GeoJSON."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import geopandas as gpd
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from accessibilite.etude import ResultatEtude, colonne_temps
from accessibilite.indicateurs import PLUS_RAPIDE
from accessibilite.synthese import lire_temps
from couches.composition import LICENCE_OUVERTE, ODBL, SIMULEE
from couches.export_vecteur import exporter_vecteur
from couches.licences import contient_osm, decrire_sources
from couches.noms_fichiers import nommer_fichier
from couches.styles import Styles
from couches.styles_couches import (
    COMMERCE,
    FRICHE,
    style_communes,
    style_equipements,
    style_inondation,
    style_libre,
    style_simple,
    styles_carreaux,
)
from couches.styles_qgis import StyleCouche, Symbole, ecrire_qml, ecrire_sld
from couches.tables_export import (
    decrire_hypotheses_etude,
    entiers,
    libelle_mode,
    libelles_services,
    table_bassins,
    table_carences,
    table_carreaux,
    table_communes,
    table_equipements,
    table_indicateurs,
)
from couches.themes import Themes, lire_themes
from donnees_geo.conventions import LIBELLES_PALIERS, PALIERS
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
_ISO: Final = "http://www.isotc211.org/2005/gmd"


@dataclass(frozen=True)
class CoucheExport:
    """Une couche (ou une table sans géométrie) du GeoPackage.

    Attributes
    ----------
    nom, titre, description
        Nom technique, titre affiché, phrase de métadonnées.
    donnees
        Table.
    licence
        Licence de rediffusion.
    styles
        Styles ; le premier est celui d'ouverture.
    alias
        Champ → titre affiché.
    """

    nom: str
    titre: str
    description: str
    donnees: pd.DataFrame
    licence: str
    styles: tuple[StyleCouche, ...] = ()
    alias: dict[str, str] = field(default_factory=dict)


def composer_couches_export(
    territoire: Territoire, resultat: ResultatEtude, styles: Styles
) -> list[CoucheExport]:
    """Couches d'un paquet SIG, de la plus haute à la plus basse dans la légende.

    Parameters
    ----------
    territoire, resultat
        Territoire et son étude.
    styles
        Palette et classes.
    """
    ouverte = SIMULEE if territoire.fictif else LICENCE_OUVERTE
    # Un temps tiré du réseau de rues relève de la base dérivée.
    derivee = SIMULEE if territoire.fictif else (ODBL if contient_osm(territoire) else ouverte)
    noms = dict(zip(territoire.communes["code_commune"], territoire.communes["nom"], strict=True))
    couches = [
        CoucheExport(
            "equipements",
            "Lieux de service",
            "Lieux de service retenus, un point par lieu.",
            table_equipements(territoire, resultat),
            derivee,
            (style_equipements(resultat.services),),
        ),
        *_couches_thematiques(lire_themes(territoire), territoire.fictif),
        _couche_communes(territoire, resultat, styles, derivee),
        *_couche_bassins(territoire, styles, ouverte),
        _couche_carreaux(territoire, resultat, styles, derivee),
    ]
    couches = [c for c in couches if len(c.donnees)]
    for table in (table_indicateurs(resultat), table_carences(resultat, noms)):
        alias = {c: titre for c, (titre, _) in table.colonnes.items()}
        # SQLite garde l'infini, que peu d'outils savent lire : un temps inaccessible est vide.
        donnees = table.donnees.replace([float("inf")], float("nan"))
        couches.append(
            CoucheExport(table.nom, table.titre, table.description, donnees, derivee, alias=alias)
        )
    return couches


def _couche_communes(
    territoire: Territoire, resultat: ResultatEtude, styles: Styles, licence: str
) -> CoucheExport:
    alias = {f"part_palier_{p}": f"Part, palier {LIBELLES_PALIERS[p]}" for p in PALIERS}
    alias |= {f"part_{s.id}": f"Part, {s.libelle}" for s in resultat.services}
    return CoucheExport(
        "communes",
        "Communes",
        "Communes, part des habitants à portée de chaque service (0 à 1) sous le seuil du palier.",
        table_communes(territoire, resultat),
        licence,
        (style_communes("part_palier_proximite", styles),),
        alias,
    )


def _couche_bassins(territoire: Territoire, styles: Styles, licence: str) -> list[CoucheExport]:
    bassins = table_bassins(territoire)
    if bassins is None:
        return []
    symbole = Symbole("surface", styles.fond["sol"], styles.fond["contour"], 0.6, trame="vide")
    return [
        CoucheExport(
            "bassins_de_vie",
            "Bassins de vie",
            "Bassins de vie, limités aux communes du territoire.",
            bassins,
            licence,
            (style_simple("Bassins de vie", symbole, "nom"),),
        )
    ]


def _couche_carreaux(
    territoire: Territoire, resultat: ResultatEtude, styles: Styles, licence: str
) -> CoucheExport:
    table = table_carreaux(territoire, resultat)
    paniers, alias = {}, {}
    for palier in PALIERS:
        ids = [s.id for s in resultat.services if s.palier == palier]
        if ids:
            champ = f"temps_panier_{palier}_s"
            paniers[champ] = entiers(lire_temps(resultat, ids, PLUS_RAPIDE))
            alias[champ] = f"Temps (s), panier {LIBELLES_PALIERS[palier]}"
    libelles = libelles_services(resultat)
    alias |= {
        colonne_temps(s.id, mode): f"Temps (s), {libelles[s.id]}, {libelle_mode(mode)}"
        for s in resultat.services
        for mode in (PLUS_RAPIDE, *resultat.modes)
    }
    geometrie = table.geometry
    table = gpd.GeoDataFrame(
        pd.concat([table.drop(columns="geometry"), pd.DataFrame(paniers)], axis=1),
        geometry=geometrie.to_numpy(),
        crs=territoire.crs,
    )
    presents = [p for p in PALIERS if f"temps_panier_{p}_s" in table]
    return CoucheExport(
        "carreaux",
        "Carreaux : temps d'accès",
        "Carreaux habités et temps porte à porte (secondes entières, arrondies vers le haut) au "
        "plus proche lieu de chaque service, par mode. -1 : inaccessible ; vide : sans donnée.",
        table,
        licence,
        tuple(styles_carreaux(presents, resultat.services, styles)),
        alias,
    )


def _couches_thematiques(themes: Themes, fictif: bool) -> Iterator[CoucheExport]:
    licence = SIMULEE if fictif else "voir LICENCES.txt"
    if themes.commerces is not None:
        symbole = Symbole("point", COMMERCE, "#ffffff", 0.2, 1.8)
        yield CoucheExport(
            "commerces",
            "Commerces",
            "Commerces et locaux vacants.",
            themes.commerces,
            licence,
            (style_simple("Commerces", symbole),),
        )
    if themes.marches is not None:
        symbole = Symbole("point", "#8c2d04", "#ffffff", 0.3, 3.0)
        yield CoucheExport(
            "marches",
            "Marchés",
            "Marchés hebdomadaires, une ligne par jour de tenue.",
            themes.marches,
            licence,
            (style_simple("Marchés", symbole),),
        )
    if themes.friches is not None:
        genre = themes.friches.geom_type.iloc[0] if len(themes.friches) else "Polygon"
        symbole = (
            Symbole("point", FRICHE, "#5d4300", 0.3, 3.0)
            if "Point" in genre
            else Symbole("surface", FRICHE, FRICHE, 0.4, trame="hachures")
        )
        yield CoucheExport(
            "friches",
            "Friches",
            "Friches inventoriées.",
            themes.friches,
            licence,
            (style_simple("Friches", symbole),),
        )
    if themes.zones_inondables is not None:
        yield CoucheExport(
            "zones_inondables",
            "Zones inondables",
            "Zonages d'inondation. Hors zone ne veut pas dire sans risque.",
            themes.zones_inondables,
            licence,
            (style_inondation(),),
        )
    for nom, table in themes.autres.items():
        titre = nom.replace("_", " ")
        genre = table.geom_type.iloc[0] if len(table) else "Polygon"
        yield CoucheExport(
            nommer_fichier(nom).replace("-", "_"),
            titre[:1].upper() + titre[1:],
            f"Couche « {titre} » du manifeste.",
            table,
            licence,
            (style_libre(nom, str(genre)),),
        )


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
                trouve=erreur,
                conseil="vérifier l'espace disque et le chemin ; l'ancien fichier est intact",
            ) from erreur
    return chemin


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
        # Du texte : le temps de chaque mode y pèserait dix fois la géométrie (il est au GeoPackage).
        de_modes = tuple(f"_{mode}_s" for mode in resultat.modes)
        table = table[[c for c in table.columns if not str(c).endswith(de_modes)]]
        fichiers.append(
            exporter_vecteur(table, dossier / f"{couche.nom}.geojson", couche=couche.nom)
        )
    return fichiers

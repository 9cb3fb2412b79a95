"""Projet QGIS (.qgz) : les couches du GeoPackage, stylées, et une mise en page d'atlas communal.

Le projet est un ``.qgs`` (XML) dans une archive ; les chemins y sont relatifs : le dossier se
déplace d'un bloc. Les styles y sont ceux du GeoPackage.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import geopandas as gpd
import pyproj

from accessibilite.etude import ResultatEtude
from couches.archive import archiver
from couches.noms_fichiers import nommer_fichier
from couches.sig.couches import CoucheExport, composer_couches_export
from couches.sig.export_geopackage import exporter_geopackage
from couches.sig.mise_en_page_qgis import (
    COUCHE_ATLAS,
    composer_mise_en_page,
    identifier_couche,
)
from couches.sig.styles_qgis import RegleStyle, StyleCouche, Symbole, ecrire_qml
from couches.styles import Styles
from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.territoire import Territoire

Progression = Callable[[str, float], None]
_VERSION: Final = "3.22.0-Białowieża"
#: Couches montrées à l'ouverture ; les autres sont dans l'arbre, décochées.
_VISIBLES: Final = ("carreaux", "communes", "bassins_de_vie")


def exporter_projet(
    territoire: Territoire,
    resultat: ResultatEtude,
    styles: Styles,
    dossier: Path,
    progression: Progression | None = None,
) -> list[Path]:
    """Écrire le GeoPackage et le projet QGIS qui l'ouvre.

    Parameters
    ----------
    territoire, resultat, styles
        Ce qui est écrit.
    dossier
        Dossier des deux fichiers, qui doivent rester ensemble.
    progression
        Rappel ``(étape, part faite)``.

    Raises
    ------
    ErreurDonnees
        Fichier impossible à écrire.
    """
    donnees = dossier / nommer_fichier("acces", territoire.nom, extension=".gpkg")
    exporter_geopackage(territoire, resultat, styles, donnees, progression)
    couches = [
        c
        for c in composer_couches_export(territoire, resultat, styles)
        if isinstance(c.donnees, gpd.GeoDataFrame)
    ]
    contenu = composer_projet(territoire, resultat, couches, donnees.name)
    projet = dossier / nommer_fichier("acces", territoire.nom, extension=".qgz")
    with ecrire_atomique(projet) as provisoire:
        provisoire.write_bytes(archiver({f"{projet.stem}.qgs": contenu.encode()}))
    return [donnees, projet]


def composer_projet(
    territoire: Territoire,
    resultat: ResultatEtude,
    couches: Sequence[CoucheExport],
    fichier: str,
) -> str:
    """Texte du ``.qgs``.

    Parameters
    ----------
    territoire, resultat
        Territoire et son étude.
    couches
        Couches géographiques, de la plus haute à la plus basse.
    fichier
        Nom du GeoPackage, dans le même dossier.
    """
    crs = _crs(territoire.crs)
    # Les communes se lisent par-dessus les carreaux.
    arbre = "\n".join(
        f'  <layer-tree-layer id="{identifier_couche(c)}" name={quoteattr(c.titre)} '
        f'providerKey="ogr" source={quoteattr(_source(c, fichier))} '
        f'expanded="{int(c.nom == "carreaux")}" '
        f'checked="Qt::{"Checked" if c.nom in _VISIBLES else "Unchecked"}"/>'
        for c in couches
    )
    couches_xml = "\n".join(_couche(c, fichier, crs) for c in couches)
    ordre = "\n".join(f'  <layer id="{identifier_couche(c)}"/>' for c in couches)
    ouest, sud, est, nord = territoire.contour.bounds
    titre = f"Accès aux services — {territoire.nom}"
    return f"""<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis projectname={quoteattr(titre)} version="{_VERSION}">
 <title>{escape(titre)}</title>
 <projectCrs>{crs}</projectCrs>
 <layer-tree-group>
{arbre}
 </layer-tree-group>
 <mapcanvas name="theMapCanvas" annotationsVisible="1">
  <units>meters</units>
  <extent><xmin>{ouest:.2f}</xmin><ymin>{sud:.2f}</ymin><xmax>{est:.2f}</xmax>\
<ymax>{nord:.2f}</ymax></extent>
  <rotation>0</rotation>
  <destinationsrs>{crs}</destinationsrs>
 </mapcanvas>
 <projectlayers>
{couches_xml}
 </projectlayers>
 <layerorder>
{ordre}
 </layerorder>
 <properties>
  <Paths><Absolute type="bool">false</Absolute></Paths>
  <SpatialRefSys><ProjectionsEnabled type="int">1</ProjectionsEnabled></SpatialRefSys>
 </properties>
 <Layouts>
{composer_mise_en_page(territoire, resultat, couches)}
 </Layouts>
</qgis>
"""


def _source(couche: CoucheExport, fichier: str) -> str:
    return f"./{fichier}|layername={couche.nom}"


def _crs(crs: str) -> str:
    definition = pyproj.CRS.from_user_input(crs)
    autorite = definition.to_authority()
    nom = f"{autorite[0]}:{autorite[1]}" if autorite else ""
    code = autorite[1] if autorite and autorite[1].isdigit() else "0"
    return (
        f'<spatialrefsys nativeFormat="Wkt"><wkt>{escape(definition.to_wkt())}</wkt>'
        f"<srid>{code}</srid><authid>{escape(nom)}</authid>"
        f"<description>{escape(definition.name)}</description>"
        "<geographicflag>false</geographicflag></spatialrefsys>"
    )


def _style_projet(couche: CoucheExport) -> StyleCouche:
    """Style d'ouverture ; la commune de la page d'atlas s'y détache."""
    style = couche.styles[0]
    if couche.nom != COUCHE_ATLAS:
        return style
    contour = Symbole("surface", "#22211e", "#22211e", 1.1, trame="vide")
    page = RegleStyle("commune de la page", contour, expression="$id = @atlas_featureid")
    return replace(style, regles=(*style.regles, page))


def _couche(couche: CoucheExport, fichier: str, crs: str) -> str:
    genres = set(gpd.GeoDataFrame(couche.donnees).geom_type)
    genre = (
        "Point"
        if any("Point" in g for g in genres)
        else ("Line" if any("Line" in g for g in genres) else "Polygon")
    )
    # Le corps du QML est celui d'une couche de projet : sans son prologue ni sa racine.
    qml = ecrire_qml(_style_projet(couche), couche.alias)
    corps = re.sub(r"\A.*?<qgis[^>]*>\n|</qgis>\s*\Z", "", qml, flags=re.DOTALL)
    etiquettes = int(bool(couche.styles[0].etiquette))
    return f"""  <maplayer type="vector" geometry="{genre}" labelsEnabled="{etiquettes}" \
autoRefreshEnabled="0" hasScaleBasedVisibilityFlag="0">
   <id>{identifier_couche(couche)}</id>
   <datasource>{escape(_source(couche, fichier))}</datasource>
   <layername>{escape(couche.titre)}</layername>
   <abstract>{escape(couche.description)}</abstract>
   <srs>{crs}</srs>
   <provider encoding="UTF-8">ogr</provider>
{corps}  </maplayer>"""

"""Projet QGIS (.qgz) : les couches du GeoPackage, stylées, et une mise en page d'atlas communal.

Le projet est un ``.qgs`` (XML) dans une archive ; les chemins y sont relatifs : le dossier se
déplace d'un bloc. Les styles y sont ceux du GeoPackage.
"""

from __future__ import annotations

import re
import uuid
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import geopandas as gpd
import pyproj

from accessibilite.etude import ResultatEtude
from couches.composition import poser_question
from couches.licences import mentionner_sources
from couches.noms_fichiers import nommer_fichier
from couches.papier.dossier import choisir_theme, dire_hypotheses_papier
from couches.papier.page import typographier
from couches.sig.couches import CoucheExport, composer_couches_export
from couches.sig.export_geopackage import exporter_geopackage
from couches.sig.styles_qgis import ecrire_qml
from couches.styles import Styles
from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.territoire import Territoire

Progression = Callable[[str, float], None]
_VERSION: Final = "3.22.0-Białowieża"
_ESPACE: Final = uuid.UUID("5b0d6c1e-6f0a-4a1e-9d3f-2f4a0c7c8d11")
#: Couches montrées à l'ouverture ; les autres sont dans l'arbre, décochées.
_VISIBLES: Final = ("carreaux", "communes", "bassins_de_vie")
#: Types d'éléments de mise en page (QgsLayoutItemRegistry).
_PAGE, _CARTE, _TEXTE, _LEGENDE, _ECHELLE = 65638, 65639, 65641, 65642, 65646


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
    with (
        ecrire_atomique(projet) as provisoire,
        zipfile.ZipFile(provisoire, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        fiche = zipfile.ZipInfo(f"{projet.stem}.qgs", date_time=(2000, 1, 1, 0, 0, 0))
        fiche.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(fiche, contenu)
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
        f'  <layer-tree-layer id="{_id(c)}" name={quoteattr(c.titre)} providerKey="ogr" '
        f'source={quoteattr(_source(c, fichier))} expanded="{int(c.nom == "carreaux")}" '
        f'checked="Qt::{"Checked" if c.nom in _VISIBLES else "Unchecked"}"/>'
        for c in couches
    )
    couches_xml = "\n".join(_couche(c, fichier, crs) for c in couches)
    ordre = "\n".join(f'  <layer id="{_id(c)}"/>' for c in couches)
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
 <properties><Paths><Absolute type="bool">false</Absolute></Paths></properties>
 <Layouts>
{_mise_en_page(territoire, resultat, couches)}
 </Layouts>
</qgis>
"""


def _id(couche: CoucheExport) -> str:
    return f"{couche.nom}_{uuid.uuid5(_ESPACE, couche.nom).hex}"


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


def _couche(couche: CoucheExport, fichier: str, crs: str) -> str:
    genres = set(gpd.GeoDataFrame(couche.donnees).geom_type)
    genre = (
        "Point"
        if any("Point" in g for g in genres)
        else ("Line" if any("Line" in g for g in genres) else "Polygon")
    )
    # Le corps du QML est celui d'une couche de projet : sans son prologue ni sa racine.
    qml = ecrire_qml(couche.styles[0], couche.alias)
    corps = re.sub(r"\A.*?<qgis[^>]*>\n|</qgis>\s*\Z", "", qml, flags=re.DOTALL)
    etiquettes = int(bool(couche.styles[0].etiquette))
    return f"""  <maplayer type="vector" geometry="{genre}" labelsEnabled="{etiquettes}" \
autoRefreshEnabled="0" hasScaleBasedVisibilityFlag="0">
   <id>{_id(couche)}</id>
   <datasource>{escape(_source(couche, fichier))}</datasource>
   <layername>{escape(couche.titre)}</layername>
   <abstract>{escape(couche.description)}</abstract>
   <srs>{crs}</srs>
   <provider encoding="UTF-8">ogr</provider>
{corps}  </maplayer>"""


def _mise_en_page(
    territoire: Territoire, resultat: ResultatEtude, couches: Sequence[CoucheExport]
) -> str:
    """Mise en page « Fiche communale » : une page par commune, carte, légende, échelle, sources."""
    communes = next(c for c in couches if c.nom == "communes")
    question = typographier(poser_question(resultat, choisir_theme(resultat)))
    fictif = "Données fictives. " if territoire.fictif else ""
    pied = (
        f"{fictif}Hypothèses\u00a0: {dire_hypotheses_papier(resultat, territoire)}. "
        f"Sources\u00a0: {mentionner_sources(territoire)}."
    )
    carte = "{" + str(uuid.uuid5(_ESPACE, "carte")) + "}"
    ouest, sud, est, nord = territoire.contour.bounds
    elements = [
        _texte("titre", '[% "nom" %]', (12, 10, 186, 14), 24),
        _texte("question", question, (12, 25, 186, 8), 11),
        _element(
            _CARTE,
            "carte",
            (12, 36, 186, 200),
            f'<Extent xmin="{ouest:.2f}" ymin="{sud:.2f}" xmax="{est:.2f}" '
            f'ymax="{nord:.2f}"/>'
            '<AtlasMap atlasDriven="1" scalingMode="1" margin="0.08"/>',
            'frame="true" followPreset="false" keepLayerSet="false" drawCanvasItems="true"',
            identifiant=carte,
        ),
        _element(
            _LEGENDE,
            "legende",
            (12, 240, 60, 30),
            "",
            f'map_uuid="{carte}" title="" resizeToContents="1" columnCount="3" '
            'legendFilterByAtlas="0"',
        ),
        _element(
            _ECHELLE,
            "echelle",
            (150, 240, 48, 12),
            "",
            f'mapUuid="{carte}" style="Single Box" unitType="meters" numUnitsPerSegment="500" '
            'numSegments="2" numSegmentsLeft="0" unitLabel="m" numMapUnitsPerScaleBarUnit="1" '
            'height="2" segmentSizeMode="0"',
        ),
        _texte("sources", pied, (12, 274, 186, 16), 8),
    ]
    page = _element(_PAGE, "", (0, 0, 210, 297), "", "")
    atlas = (
        f'<Atlas coverageLayer="{_id(communes)}" coverageLayerName={quoteattr(communes.titre)} '
        f'coverageLayerProvider="ogr" enabled="1" hideCoverage="0" filterFeatures="0" '
        'pageNameExpression="&quot;nom&quot;" sortFeatures="1" sortAscending="1" '
        'sortKey="&quot;nom&quot;" '
        "filenamePattern=\"'fiche_' || &quot;code_commune&quot;\"/>"
    )
    contenu = "\n".join(reversed(elements))
    return f"""  <Layout name="Fiche communale" units="mm" printResolution="300" \
worldFileMap="{carte}">
   <Snapper snapToGrid="0" snapToGuides="1" snapToItems="1" tolerance="5"/>
   <Grid resolution="10" resUnits="mm" offsetX="0" offsetY="0" offsetUnits="mm"/>
   <PageCollection>
{page}
    <GuideCollection visible="1"/>
   </PageCollection>
{contenu}
   <customproperties/>
   {atlas}
  </Layout>"""


def _texte(nom: str, texte: str, place: tuple[int, int, int, int], corps: int) -> str:
    police = (
        f'<text-style fontFamily="Sans Serif" fontSize="{corps}" fontSizeUnit="Point" '
        'textColor="34,33,30,255" textOpacity="1"/>'
        f'<LabelFont description="Sans Serif,{corps},-1,5,50,0,0,0,0,0"/>'
    )
    return _element(
        _TEXTE,
        nom,
        place,
        police,
        f'labelText={quoteattr(texte)} htmlState="0" halign="1" valign="32" marginX="0" '
        'marginY="0"',
    )


def _element(
    genre: int,
    nom: str,
    place: tuple[int, int, int, int],
    contenu: str,
    attributs: str,
    identifiant: str | None = None,
) -> str:
    x, y, largeur, hauteur = place
    cle = identifiant or "{" + str(uuid.uuid5(_ESPACE, f"{genre}/{nom}")) + "}"
    return (
        f'    <LayoutItem type="{genre}" id="{nom}" uuid="{cle}" templateUuid="{cle}" '
        f'position="{x},{y},mm" positionOnPage="{x},{y},mm" size="{largeur},{hauteur},mm" '
        f'referencePoint="0" itemRotation="0" visibility="1" zValue="1" opacity="1" {attributs}>'
        f"{contenu}</LayoutItem>"
    )

"""Mise en page d'atlas du projet QGIS : une page par commune, telle que QGIS 3.22 l'écrit."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import quoteattr

from accessibilite.etude import ResultatEtude
from couches.composition import poser_question
from couches.licences import mentionner_sources
from couches.papier.dossier import choisir_theme, dire_hypotheses_papier
from couches.papier.page import typographier
from couches.sig.couches import CoucheExport
from donnees_geo.territoire import Territoire

#: Couche dont chaque objet fait une page, et couche de la légende.
COUCHE_ATLAS: Final = "communes"
_COUCHE_LEGENDE: Final = "carreaux"
_ESPACE: Final = uuid.UUID("5b0d6c1e-6f0a-4a1e-9d3f-2f4a0c7c8d11")
#: Types d'éléments de mise en page (QgsLayoutItemRegistry).
_PAGE, _CARTE, _IMAGE, _TEXTE, _LEGENDE, _ECHELLE = 65638, 65639, 65640, 65641, 65642, 65646
_POLICE: Final = "Sans Serif"
_FLECHE: Final = ":/images/north_arrows/layout_default_north_arrow.svg"
#: Place de la carte, mm. QGIS donne à l'élément les proportions de son emprise.
_PLACE_CARTE: Final = (12, 36, 186, 186)

Place = tuple[int, int, int, int]


def identifier_couche(couche: CoucheExport) -> str:
    """Identifiant d'une couche dans le projet, le même d'un export à l'autre."""
    return f"{couche.nom}_{uuid.uuid5(_ESPACE, couche.nom).hex}"


def composer_mise_en_page(
    territoire: Territoire, resultat: ResultatEtude, couches: Sequence[CoucheExport]
) -> str:
    """XML de la mise en page « Fiche communale » : carte, légende, échelle, nord, sources.

    Parameters
    ----------
    territoire, resultat
        Territoire et son étude.
    couches
        Couches du projet ; celles de l'atlas et de la légende y sont.
    """
    question = typographier(poser_question(resultat, choisir_theme(resultat)))
    fictif = "Données fictives. " if territoire.fictif else ""
    pied = (
        f"{fictif}Hypothèses\u00a0: {dire_hypotheses_papier(resultat, territoire)}. "
        f"Sources\u00a0: {mentionner_sources(territoire)}."
    )
    carte = "{" + str(uuid.uuid5(_ESPACE, "carte")) + "}"
    elements = [
        _texte("titre", '[% "nom" %]', (12, 10, 186, 14), 24),
        _texte("question", question, (12, 25, 186, 8), 11),
        _element(
            _CARTE,
            "carte",
            _PLACE_CARTE,
            f'{_emprise(territoire)}<AtlasMap atlasDriven="1" scalingMode="2" margin="0.1"/>',
            'frame="true" followPreset="false" keepLayerSet="false" drawCanvasItems="true"',
            identifiant=carte,
        ),
        _legende(couches, carte),
        _texte(
            "denominateur",
            "Échelle 1\u00a0: [% format_number(item_variables('carte')['map_scale'], 0) %]",
            (140, 226, 44, 5),
            9,
        ),
        _element(
            _ECHELLE,
            "echelle",
            (140, 231, 44, 12),
            _format_texte(8),
            f'mapUuid="{carte}" style="Single Box" unitType="km" unitLabel="km" numSegments="2" '
            'numSegmentsLeft="0" numUnitsPerSegment="1" numMapUnitsPerScaleBarUnit="1" '
            'segmentSizeMode="1" minBarWidth="20" maxBarWidth="36" height="2" labelBarSpace="1.5" '
            'boxContentSpace="0"',
        ),
        _element(
            _IMAGE,
            "nord",
            (188, 226, 10, 14),
            "",
            f'file="{_FLECHE}" mode="2" mapUuid="{carte}" northMode="0" resizeMode="0"',
        ),
        _texte("sources", pied, (12, 262, 186, 27), 8),
    ]
    page = _element(_PAGE, "", (0, 0, 210, 297), "", "")
    communes = next(c for c in couches if c.nom == COUCHE_ATLAS)
    atlas = (
        f'<Atlas coverageLayer="{identifier_couche(communes)}" '
        f"coverageLayerName={quoteattr(communes.titre)} "
        'coverageLayerProvider="ogr" enabled="1" hideCoverage="0" filterFeatures="0" '
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


def _emprise(territoire: Territoire) -> str:
    """Emprise du territoire, élargie aux proportions de la carte."""
    ouest, sud, est, nord = territoire.contour.bounds
    _, _, largeur, hauteur = _PLACE_CARTE
    metre = max((est - ouest) / largeur, (nord - sud) / hauteur)
    cx, cy = (ouest + est) / 2, (sud + nord) / 2
    dx, dy = metre * largeur / 2, metre * hauteur / 2
    return (
        f'<Extent xmin="{cx - dx:.2f}" ymin="{cy - dy:.2f}" xmax="{cx + dx:.2f}" '
        f'ymax="{cy + dy:.2f}"/>'
    )


def _legende(couches: Sequence[CoucheExport], carte: str) -> str:
    """Légende de la seule couche des temps : celles des autres couches n'y tiendraient pas."""
    couche = next(c for c in couches if c.nom == _COUCHE_LEGENDE)
    styles = "".join(
        f'<style name="{nom}" alignment="1" indent="0" marginTop="{marge}" marginLeft="{gauche}">'
        f'<styleFont style="" description="{_POLICE},{corps},-1,5,50,0,0,0,0,0"/></style>'
        for nom, corps, marge, gauche in (
            ("title", 9, 0, 0),
            ("group", 9, 0, 0),
            ("subgroup", 9, 0, 0),
            ("symbol", 8, 1.5, 0),
            ("symbolLabel", 8, 1.5, 2),
        )
    )
    arbre = (
        f'<layer-tree-group><layer-tree-layer id="{identifier_couche(couche)}" '
        f'name={quoteattr(couche.titre)} providerKey="ogr" checked="Qt::Checked" expanded="1"/>'
        "</layer-tree-group>"
    )
    return _element(
        _LEGENDE,
        "legende",
        (12, 225, 120, 36),
        f"<styles>{styles}</styles>{arbre}",
        f'map_uuid="{carte}" title="" resizeToContents="1" columnCount="3" splitLayer="1" '
        'equalColumnWidth="1" symbolWidth="6" symbolHeight="3.5" boxSpace="0" columnSpace="6" '
        'legendFilterByAtlas="0"',
    )


def _format_texte(corps: int) -> str:
    return (
        f'<text-style fontFamily="{_POLICE}" fontSize="{corps}" fontSizeUnit="Point" '
        'textColor="34,33,30,255" textOpacity="1"/>'
    )


def _texte(nom: str, texte: str, place: Place, corps: int) -> str:
    police = (
        f'{_format_texte(corps)}<LabelFont style="" '
        f'description="{_POLICE},{corps},-1,5,50,0,0,0,0,0"/>'
        '<FontColor red="34" green="33" blue="30" alpha="255"/>'
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
    place: Place,
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

"""Styles pour QGIS : QML (QGIS 3) et SLD 1.1, tirés d'une même description.

Un style est une liste de règles, du plus bas au plus haut dans la légende. Le QML est celui que
QGIS écrit lui-même (``renderer-v2`` de type ``RuleRenderer``) ; les propriétés y figurent sous les
deux formes, ``Option`` (3.20 et plus récents) et ``prop`` (avant).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from xml.sax.saxutils import escape, quoteattr

from couches.styles import lire_couleur

Nature = Literal["surface", "ligne", "point"]
Trame = Literal["plein", "hachures", "vide"]
_VERSION_QGIS: Final = "3.22.0-Białowieża"
#: Espace de noms des clés de règles : les mêmes d'un export à l'autre.
_ESPACE: Final = uuid.UUID("5b0d6c1e-6f0a-4a1e-9d3f-2f4a0c7c8d11")


@dataclass(frozen=True)
class Symbole:
    """Un symbole.

    Attributes
    ----------
    nature
        Géométrie dessinée.
    couleur, contour
        Couleurs ``#rrggbb`` ; contour vide : sans contour.
    largeur_mm
        Contour d'une surface ou d'un point, ou largeur de la ligne.
    taille_mm
        Diamètre d'un point.
    opacite
        0 à 1.
    trame
        Surface pleine, hachurée (de la couleur) ou vide.
    tirets
        Ligne ou contour en tirets.
    """

    nature: Nature
    couleur: str
    contour: str = ""
    largeur_mm: float = 0.2
    taille_mm: float = 2.0
    opacite: float = 1.0
    trame: Trame = "plein"
    tirets: bool = False


@dataclass(frozen=True)
class Condition:
    """Condition sur un champ ; ``nul`` : le champ est vide."""

    champ: str
    operateur: Literal["=", ">", "<=", "nul"]
    valeur: float | str | bool = 0.0


@dataclass(frozen=True)
class RegleStyle:
    """Objets qui satisfont toutes les conditions, et leur symbole.

    ``expression`` : filtre propre à QGIS, à la place des conditions ; la règle n'est pas dans le
    SLD, qui ne saurait le dire.
    """

    libelle: str
    symbole: Symbole
    conditions: tuple[Condition, ...] = ()
    expression: str = ""


@dataclass(frozen=True)
class StyleCouche:
    """Style nommé d'une couche.

    Attributes
    ----------
    nom, description
        Nom dans le gestionnaire de styles, et phrase.
    regles
        Règles, dans l'ordre de la légende.
    etiquette
        Champ écrit sur la carte, vide sans étiquettes.
    """

    nom: str
    description: str
    regles: tuple[RegleStyle, ...]
    etiquette: str = ""


def ecrire_qml(style: StyleCouche, alias: Mapping[str, str] | None = None) -> str:
    """QML d'un style, avec les titres affichés des champs."""
    regles, symboles = [], []
    for rang, regle in enumerate(style.regles):
        cle = "{" + str(uuid.uuid5(_ESPACE, f"{style.nom}/{rang}/{regle.libelle}")) + "}"
        filtre = regle.expression or _expression(regle.conditions)
        attribut = f" filter={quoteattr(filtre)}" if filtre else ""
        regles.append(
            f'   <rule key="{cle}" symbol="{rang}"{attribut} label={quoteattr(regle.libelle)}/>'
        )
        symboles.append(_symbole_qml(regle.symbole, rang))
    racine = "{" + str(uuid.uuid5(_ESPACE, style.nom)) + "}"
    lignes = [
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>",
        f'<qgis version="{_VERSION_QGIS}" styleCategories="Symbology|Labeling|Fields">',
        ' <renderer-v2 type="RuleRenderer" forceraster="0" symbollevels="0" enableorderby="0">',
        f'  <rules key="{racine}">',
        *regles,
        "  </rules>",
        "  <symbols>",
        *symboles,
        "  </symbols>",
        " </renderer-v2>",
        *_etiquetage(style.etiquette),
        " <blendMode>0</blendMode>",
        " <featureBlendMode>0</featureBlendMode>",
        *_alias(alias or {}),
        f" <layerGeometryType>{_type_geometrie(style)}</layerGeometryType>",
        "</qgis>",
    ]
    return "\n".join(lignes) + "\n"


def _type_geometrie(style: StyleCouche) -> int:
    natures: Mapping[Nature, int] = {"point": 0, "ligne": 1, "surface": 2}
    return natures[style.regles[0].symbole.nature]


def _expression(conditions: Sequence[Condition]) -> str:
    morceaux = []
    for c in conditions:
        champ = '"' + c.champ.replace('"', '""') + '"'
        if c.operateur == "nul":
            morceaux.append(f"{champ} IS NULL")
        else:
            morceaux.append(f"{champ} {c.operateur} {_litteral(c.valeur)}")
    return " AND ".join(morceaux)


def _litteral(valeur: float | str | bool) -> str:
    if isinstance(valeur, bool):
        return "TRUE" if valeur else "FALSE"
    if isinstance(valeur, str):
        return "'" + valeur.replace("'", "''") + "'"
    return f"{valeur:g}"


def _rvba(couleur: str, opacite: float = 1.0) -> str:
    r, v, b = lire_couleur(couleur)
    return f"{r},{v},{b},{round(255 * opacite)}"


def _symbole_qml(symbole: Symbole, nom: int) -> str:
    genre = {"surface": "fill", "ligne": "line", "point": "marker"}[symbole.nature]
    couches = "\n".join(_couche_qml(classe, p) for classe, p in _couches_symbole(symbole))
    return (
        f'   <symbol type="{genre}" name="{nom}" alpha="{symbole.opacite:g}" clip_to_extent="1" '
        f'force_rhr="0">\n{couches}\n   </symbol>'
    )


def _couches_symbole(symbole: Symbole) -> list[tuple[str, dict[str, str]]]:
    trait = {
        "outline_color": _rvba(symbole.contour or symbole.couleur),
        "outline_style": ("dash" if symbole.tirets else "solid") if symbole.contour else "no",
        "outline_width": f"{symbole.largeur_mm:g}",
        "outline_width_unit": "MM",
    }
    if symbole.nature == "ligne":
        return [
            (
                "SimpleLine",
                {
                    "line_color": _rvba(symbole.couleur),
                    "line_style": "dash" if symbole.tirets else "solid",
                    "line_width": f"{symbole.largeur_mm:g}",
                    "line_width_unit": "MM",
                    "capstyle": "round",
                    "joinstyle": "round",
                },
            )
        ]
    if symbole.nature == "point":
        point = {"name": "circle", "size": f"{symbole.taille_mm:g}", "size_unit": "MM"}
        return [("SimpleMarker", {"color": _rvba(symbole.couleur), **point, **trait})]
    # Le remplissage simple nomme sa hachure comme Qt.
    motif = {"plein": "solid", "hachures": "b_diagonal", "vide": "no"}[symbole.trame]
    return [("SimpleFill", {"color": _rvba(symbole.couleur), "style": motif, **trait})]


def _couche_qml(classe: str, proprietes: Mapping[str, str]) -> str:
    options = "".join(
        f'\n      <Option type="QString" name="{nom}" value={quoteattr(valeur)}/>'
        for nom, valeur in proprietes.items()
    )
    anciennes = "".join(
        f'\n     <prop k="{nom}" v={quoteattr(valeur)}/>' for nom, valeur in proprietes.items()
    )
    return (
        f'    <layer class="{classe}" enabled="1" locked="0" pass="0">\n'
        f'     <Option type="Map">{options}\n     </Option>{anciennes}\n    </layer>'
    )


def _etiquetage(champ: str) -> list[str]:
    if not champ:
        return []
    return [
        ' <labeling type="simple">',
        '  <settings calloutType="simple">',
        f'   <text-style fieldName={quoteattr(champ)} isExpression="0" fontSize="9" '
        'fontWeight="63" fontSizeUnit="Point" fontFamily="Sans Serif" textColor="51,49,45,255" '
        'textOpacity="1" multilineHeight="1">',
        '    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" '
        'bufferColor="255,255,255,255" bufferOpacity="0.85" bufferNoFill="0" '
        'bufferJoinStyle="128"/>',
        "   </text-style>",
        '   <placement placement="1" priority="5"/>',
        '   <rendering drawLabels="1" displayAll="0" obstacle="1"/>',
        "  </settings>",
        " </labeling>",
    ]


def _alias(alias: Mapping[str, str]) -> list[str]:
    if not alias:
        return []
    lignes = [
        f'  <alias index="{rang}" field={quoteattr(champ)} name={quoteattr(titre)}/>'
        for rang, (champ, titre) in enumerate(alias.items())
    ]
    return [" <aliases>", *lignes, " </aliases>"]


def ecrire_sld(style: StyleCouche, couche: str) -> str:
    """SLD 1.1 d'un style (GeoServer, et QGIS à défaut de QML)."""
    regles = "\n".join(_regle_sld(r) for r in style.regles if not r.expression)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<StyledLayerDescriptor version="1.1.0" xmlns="http://www.opengis.net/sld" \
xmlns:se="http://www.opengis.net/se" xmlns:ogc="http://www.opengis.net/ogc">
 <NamedLayer>
  <se:Name>{escape(couche)}</se:Name>
  <UserStyle>
   <se:Name>{escape(style.nom)}</se:Name>
   <se:FeatureTypeStyle>
{regles}
   </se:FeatureTypeStyle>
  </UserStyle>
 </NamedLayer>
</StyledLayerDescriptor>
"""


def _regle_sld(regle: RegleStyle) -> str:
    filtre = "".join(_filtre_sld(c) for c in regle.conditions)
    if len(regle.conditions) > 1:
        filtre = f"<ogc:And>{filtre}</ogc:And>"
    filtre = f"<ogc:Filter>{filtre}</ogc:Filter>" if filtre else ""
    return (
        f"    <se:Rule><se:Name>{escape(regle.libelle)}</se:Name>{filtre}"
        f"{_symbole_sld(regle.symbole)}</se:Rule>"
    )


def _filtre_sld(condition: Condition) -> str:
    champ = f"<ogc:PropertyName>{escape(condition.champ)}</ogc:PropertyName>"
    if condition.operateur == "nul":
        return f"<ogc:PropertyIsNull>{champ}</ogc:PropertyIsNull>"
    nom = {
        "=": "PropertyIsEqualTo",
        ">": "PropertyIsGreaterThan",
        "<=": "PropertyIsLessThanOrEqualTo",
    }[condition.operateur]
    valeur = condition.valeur
    if isinstance(valeur, bool):
        valeur = "true" if valeur else "false"
    elif not isinstance(valeur, str):
        valeur = f"{valeur:g}"
    return f"<ogc:{nom}>{champ}<ogc:Literal>{escape(valeur)}</ogc:Literal></ogc:{nom}>"


def _symbole_sld(symbole: Symbole) -> str:
    def parametre(nom: str, valeur: object) -> str:
        return f'<se:SvgParameter name="{nom}">{valeur}</se:SvgParameter>'

    def trait(couleur: str) -> str:
        tirets = parametre("stroke-dasharray", "4 3") if symbole.tirets else ""
        contenu = parametre("stroke", couleur) + parametre("stroke-width", symbole.largeur_mm * 3.8)
        return f"<se:Stroke>{contenu}{tirets}</se:Stroke>"

    contour = trait(symbole.contour) if symbole.contour else ""
    plein = parametre("fill", symbole.couleur) + parametre("fill-opacity", symbole.opacite)
    if symbole.nature == "ligne":
        return f"<se:LineSymbolizer>{trait(symbole.couleur)}</se:LineSymbolizer>"
    if symbole.nature == "point":
        marque = f"<se:WellKnownName>circle</se:WellKnownName><se:Fill>{plein}</se:Fill>{contour}"
        taille = f"<se:Size>{symbole.taille_mm * 3.8:g}</se:Size>"
        graphique = f"<se:Graphic><se:Mark>{marque}</se:Mark>{taille}</se:Graphic>"
        return f"<se:PointSymbolizer>{graphique}</se:PointSymbolizer>"
    if symbole.trame == "hachures":
        hachure = parametre("stroke", symbole.couleur) + parametre("stroke-width", 1)
        marque = f"<se:WellKnownName>horline</se:WellKnownName><se:Stroke>{hachure}</se:Stroke>"
        graphique = (
            f"<se:Graphic><se:Mark>{marque}</se:Mark><se:Size>6</se:Size>"
            "<se:Rotation><ogc:Literal>45</ogc:Literal></se:Rotation></se:Graphic>"
        )
        fond = f"<se:Fill><se:GraphicFill>{graphique}</se:GraphicFill></se:Fill>"
    else:
        fond = f"<se:Fill>{plein}</se:Fill>" if symbole.trame == "plein" else ""
    return f"<se:PolygonSymbolizer>{fond}{contour}</se:PolygonSymbolizer>"

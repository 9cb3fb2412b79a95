"""Petites cartes cliquables des pages thématiques, en Vega-Lite : zones, cercles et points.

Une carte est une suite de calques posés sur le fond du territoire, du plus bas au plus haut ; un
seul se choisit au clic. Les formes sont allégées pour l'écran ; aucune mesure n'en est tirée.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from couches.catalogue import FicheCouche, choisir_lignes, classe_de, simplifier_pour_ecran
from couches.couche import EntreeLegende
from couches.ecran.petit_fond import (
    CONTOUR,
    LIMITE,
    Calque,
    Entite,
    FondPetiteCarte,
    calque,
    calques_noms,
    entite,
    lieu,
)
from couches.textes import nombre

#: Détail des zones invisible à l'échelle du territoire, mètres.
TOLERANCE_ZONES_M: Final = 25.0
#: Écart des hachures, pixels.
PAS_HACHURES_PX: Final = 5.0
#: Rayon du plus grand cercle proportionnel, pixels.
RAYON_MAX_PX: Final = 24.0
COULEUR_CHOIX: Final = "#c2410c"


def hachurer(forme: BaseGeometry, pas_m: float) -> BaseGeometry:
    """Lignes à 45° qui remplissent une surface, écartées de ``pas_m`` mètres.

    Les lignes sont calées sur l'origine du CRS : deux surfaces voisines ont des hachures alignées.
    """
    if shapely.is_empty(forme) or pas_m <= 0:
        return shapely.MultiLineString()
    ouest, sud, est, nord = shapely.bounds(forme)
    ecart = pas_m * np.sqrt(2.0)
    # Une ligne y = x + c coupe l'enveloppe pour c de sud - est à nord - ouest.
    c = np.arange(np.floor((sud - est) / ecart), np.ceil((nord - ouest) / ecart) + 1) * ecart
    debuts = np.column_stack([np.full(c.size, ouest), ouest + c])
    fins = np.column_stack([np.full(c.size, est), est + c])
    lignes = shapely.MultiLineString(np.stack([debuts, fins], axis=1).tolist())
    remplie: BaseGeometry = shapely.intersection(lignes, forme)
    return remplie


def calques_zones(
    fiche: FicheCouche,
    table: gpd.GeoDataFrame,
    metres_par_pixel: float,
    cadre: BaseGeometry | None = None,
) -> tuple[list[Calque], list[EntreeLegende]]:
    """Couche de surfaces du catalogue, une teinte légère et ses hachures par classe.

    Parameters
    ----------
    fiche
        Couche du catalogue.
    table
        Table au schéma de la fiche, CRS métrique.
    metres_par_pixel
        Échelle supposée.
    cadre
        Territoire hors duquel rien n'est dessiné ; ``None`` : tout.

    Returns
    -------
    calques, legende
        Classes présentes seulement ; la dernière de la légende (la moins sévère) est dessous.
    """
    lignes = choisir_lignes(fiche, table)
    rangs = classe_de(fiche, lignes)
    formes = simplifier_pour_ecran(lignes.geometry.to_numpy(), TOLERANCE_ZONES_M)
    formes = shapely.buffer(formes, 0)  # l'allègement peut croiser un bord
    surfaces: list[Entite] = []
    traits: list[Entite] = []
    legende: list[EntreeLegende] = []
    for rang in range(len(fiche.classes) - 1, -1, -1):
        classe = fiche.classes[rang]
        retenues = formes[rangs == rang]
        if not retenues.size:
            continue
        reunie = shapely.union_all(retenues)
        if cadre is not None:
            reunie = shapely.intersection(reunie, cadre)
        attributs = {"classe": classe.libelle, "couleur": classe.couleur}
        surfaces.append(entite(reunie, attributs))
        if classe.trame == "hachures":
            traits.append(entite(hachurer(reunie, PAS_HACHURES_PX * metres_par_pixel), attributs))
        legende.insert(0, EntreeLegende(classe.couleur, classe.libelle, classe.trame))
    couleur = {"field": "couleur", "type": "nominal", "scale": None}
    bulle = [{"field": "classe", "title": fiche.titre}]
    calques = [
        calque(
            surfaces,
            {"type": "geoshape", "opacity": 0.32 if traits else 0.85, "strokeWidth": 0.5},
            {"fill": couleur, "stroke": couleur, "tooltip": bulle},
        ),
        calque(traits, {"type": "geoshape", "filled": False, "strokeWidth": 0.8},
                {"stroke": couleur, "tooltip": bulle}),
    ]  # fmt: skip
    return [c for c in calques if c["data"]["values"]], legende


def calque_communes(entites: Sequence[Entite], titres: Mapping[str, str]) -> Calque:
    """Communes teintées ; ``entites`` portent ``code``, ``couleur``, ``choisie`` et les textes.

    Parameters
    ----------
    titres
        Attribut → intitulé de la bulle.
    """
    triees = sorted(entites, key=lambda e: bool(e["choisie"]))
    return calque(
        triees,
        {"type": "geoshape", "cursor": "pointer"},
        {
            "fill": {"field": "couleur", "type": "nominal", "scale": None},
            **_cerne(LIMITE, 0.6),
            "tooltip": _bulle(titres),
        },
        choix=True,
    )


def calque_cercles(entites: Sequence[Entite], titres: Mapping[str, str]) -> Calque:
    """Cercles : ``code``, ``x``, ``y``, ``taille`` (px²), ``couleur``, ``choisie``."""
    # Les grands d'abord : un petit cercle reste visible et cliquable sur un grand.
    triees = sorted(entites, key=lambda e: -float(e["taille"]))
    return calque(
        triees,
        {"type": "circle", "cursor": "pointer", "opacity": 0.92},
        {
            **lieu(),
            "size": {"field": "taille", "type": "quantitative", "scale": None},
            "color": {"field": "couleur", "type": "nominal", "scale": None},
            **_cerne(CONTOUR, 0.8),
            "tooltip": _bulle(titres),
        },
        choix=True,
    )


def calque_points(
    entites: Sequence[Entite],
    titres: Mapping[str, str],
    *,
    choix: bool = False,
    choisie_dessus: bool = True,
) -> Calque:
    """Lieux ; ``entites`` portent ``x``, ``y``, ``taille`` (px²), ``couleur`` et ``bord``."""
    triees = list(entites)
    if choisie_dessus:
        triees.sort(key=lambda e: bool(e.get("choisie")))
    return calque(
        triees,
        {"type": "point", "filled": True, "opacity": 1, "cursor": "pointer" if choix else "auto"},
        {
            **lieu(),
            "size": {"field": "taille", "type": "quantitative", "scale": None},
            "fill": {"field": "couleur", "type": "nominal", "scale": None},
            **_cerne({"field": "bord", "type": "nominal", "scale": None}, 1.2),
            "tooltip": _bulle(titres),
        },
        choix=choix,
    )


def calque_numeros(entites: Sequence[Entite], couleur: str = "#ffffff") -> Calque:
    """Numéros écrits sur des lieux ; ``entites`` portent ``x``, ``y`` et ``numero``."""
    return calque(
        list(entites),
        {"type": "text", "fontSize": 11, "fontWeight": 700, "fill": couleur, "dy": 0.5},
        {**lieu(), "text": {"field": "numero", "type": "nominal"}},
    )


def assembler(
    fond: FondPetiteCarte,
    calques: Sequence[Calque],
    description: str,
    *,
    noms: Sequence[Entite] | None = None,
) -> dict[str, Any]:
    """Carte complète.

    Parameters
    ----------
    fond
        Fond du territoire.
    calques
        Calques du thème, du plus bas au plus haut.
    description
        Ce que montre la carte, en une phrase, pour qui ne la voit pas.
    noms
        Noms écrits sur tout le reste ; ``None`` : ceux du fond, sous les signes.
    """
    ecrits = calques_noms(list(fond.noms if noms is None else noms), fond.grossissement)
    surfaces = [c for c in calques if c["mark"]["type"] == "geoshape"]
    signes = [c for c in calques if c["mark"]["type"] != "geoshape"]
    return {
        "description": description,
        "projection": {"type": "identity", "reflectY": True},
        "layer": [
            *fond.dessous,
            *surfaces,
            *fond.dessus,
            *(ecrits if noms is None else ()),
            *signes,
            *(ecrits if noms is not None else ()),
        ],
        "config": {
            "view": {"stroke": None},
            "font": "Public Sans",
            "background": "transparent",
        },
        "padding": {"left": 4, "right": 4, "top": 4, "bottom": 4},
    }


def tailles_cercles(valeurs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Surface (px²) de cercles proportionnels aux valeurs ; le plus grand a le rayon maximal.

    Examples
    --------
    >>> tailles = tailles_cercles(np.array([0.0, 25.0, 100.0]))
    >>> [round(float(t / tailles[2]), 2) for t in tailles]
    [0.0, 0.25, 1.0]
    """
    propres = np.nan_to_num(np.asarray(valeurs, dtype=np.float64), nan=0.0)
    maximum = propres.max(initial=0.0)
    if maximum <= 0:
        return np.zeros(propres.size)
    taille: NDArray[np.float64] = np.pi * RAYON_MAX_PX**2 * propres / maximum
    return taille


def legende_cercles(maximum: float, unite: str) -> list[tuple[float, str]]:
    """Rayon (px) et texte de trois cercles de légende, à des valeurs rondes.

    Examples
    --------
    >>> [texte for _, texte in legende_cercles(830, "habitants")]
    ['800 habitants', '160', '32']
    """
    if not maximum > 0:
        return []
    ordre = 10.0 ** np.floor(np.log10(maximum))
    grand = float(ordre * np.floor(maximum / ordre))
    valeurs = [v for v in (grand, grand / 5, grand / 25) if v >= 1]
    return [
        (
            float(RAYON_MAX_PX * np.sqrt(v / maximum)),
            nombre(v) + (f" {unite}" if rang == 0 else ""),
        )
        for rang, v in enumerate(valeurs)
    ]


def _cerne(trait: str | dict[str, Any], largeur: float) -> dict[str, Any]:
    """Contour ordinaire, ou celui de l'objet choisi."""
    ordinaire = {"value": trait} if isinstance(trait, str) else trait
    return {
        "stroke": {"condition": {"test": "datum.choisie", "value": COULEUR_CHOIX}, **ordinaire},
        "strokeWidth": {"condition": {"test": "datum.choisie", "value": 4}, "value": largeur},
    }


def _bulle(titres: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"field": champ, "type": "nominal", "title": titre} for champ, titre in titres.items()]

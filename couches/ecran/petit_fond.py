"""Fond des petites cartes (Vega-Lite) : communes, contour, noms sans collision, échelle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from couches.textes import nombre

Calque = dict[str, Any]
Entite = dict[str, Any]

#: Nom du paramètre de sélection, lu par la page.
PARAMETRE_CHOIX: Final = "lieu"
#: Largeur supposée de la carte, pixels : elle règle l'écart des noms et des hachures.
LARGEUR_PX: Final = 640.0
#: Détail invisible à l'échelle du territoire, mètres.
TOLERANCE_LIMITES_M: Final = 60.0
#: Corps des noms, pixels, et nombre de noms.
CORPS_PX: Final = 12.0
NOMS_MAX: Final = 14
#: Part de la surface du plus grand cercle en deçà de laquelle un cercle n'est pas nommé.
NOMMABLE_PART: Final = 0.04
#: Distance d'un nom à un signe qu'il ne doit pas toucher, pixels.
DEGAGEMENT_PX: Final = 14.0
LIMITE: Final = "#a59e92"
CONTOUR: Final = "#3a3a3a"
_SOL: Final = "#f4f1ea"
_ENCRE: Final = "#33312d"


@dataclass(frozen=True)
class FondPetiteCarte:
    """Fond d'un territoire : calques du sol et des limites, puis des noms et de l'échelle.

    Attributes
    ----------
    dessous, dessus
        Calques du sol, puis des limites et de l'échelle.
    noms
        Noms de communes placés : ``nom``, ``x``, ``y``.
    metres_par_pixel
        Échelle supposée de la carte.
    grossissement
        Agrandissement des textes (en salle).
    """

    dessous: tuple[Calque, ...]
    dessus: tuple[Calque, ...]
    noms: tuple[Entite, ...]
    metres_par_pixel: float
    grossissement: float


def composer_fond(communes: gpd.GeoDataFrame, grossissement: float = 1.0) -> FondPetiteCarte:
    """Fond d'un territoire : communes, contour, noms des plus peuplées sans collision, échelle.

    Parameters
    ----------
    communes
        Table COMMUNES (``nom``, ``population_hab``, ``geometry``), CRS métrique.
    grossissement
        Agrandissement des textes.
    """
    formes = shapely.coverage_simplify(communes.geometry.to_numpy(), TOLERANCE_LIMITES_M)
    ouest, sud, est, nord = communes.total_bounds
    metres = max(est - ouest, nord - sud) / LARGEUR_PX
    contour = shapely.union_all(formes)
    sol = calque(
        [entite(f) for f in formes],
        {"type": "geoshape", "fill": _SOL, "stroke": LIMITE, "strokeWidth": 0.6,
         "strokeDash": [3, 2]},
    )  # fmt: skip
    bord = calque(
        [entite(contour)],
        {"type": "geoshape", "filled": False, "stroke": CONTOUR, "strokeWidth": 1.6},
    )
    xy = shapely.get_coordinates(shapely.point_on_surface(communes.geometry.to_numpy()))
    population = communes["population_hab"].to_numpy(dtype=np.float64)
    noms = placer_noms(communes["nom"].astype(str).tolist(), xy, population, metres * grossissement)
    return FondPetiteCarte(
        (sol,),
        (bord, *_calques_echelle(ouest, sud, metres, grossissement)),
        tuple(noms),
        metres,
        grossissement,
    )


def placer_noms(
    noms: Sequence[str],
    xy: NDArray[np.float64],
    poids: NDArray[np.float64],
    metres_par_pixel: float,
) -> list[Entite]:
    """Noms qui tiennent sans se toucher, les plus lourds d'abord.

    Parameters
    ----------
    noms, xy, poids
        Textes, float64[n, 2] mètres, float64[n] (NaN : le plus léger).
    metres_par_pixel
        Échelle supposée, agrandissement des textes compris.

    Returns
    -------
    list of dict
        ``nom``, ``x``, ``y`` ; au plus :data:`NOMS_MAX`.
    """
    prises = np.empty((0, 4))
    places: list[Entite] = []
    for rang in np.argsort(-np.nan_to_num(poids, nan=-np.inf), kind="stable").tolist():
        if len(places) >= NOMS_MAX:
            break
        demi_l = metres_par_pixel * (0.3 * CORPS_PX * len(noms[rang]) + 14)
        demi_h = 2 * metres_par_pixel * CORPS_PX
        x, y = xy[rang]
        boite = np.array([x - demi_l, y - demi_h, x + demi_l, y + demi_h])
        gene = (prises[:, 0] < boite[2]) & (prises[:, 2] > boite[0])
        gene &= (prises[:, 1] < boite[3]) & (prises[:, 3] > boite[1])
        if not gene.any():
            prises = np.vstack([prises, boite])
            places.append({"nom": noms[rang], "x": round(float(x)), "y": round(float(y))})
    return places


def noms_des_cercles(cercles: Sequence[Entite], champ: str, fond: FondPetiteCarte) -> list[Entite]:
    """Noms des plus grands cercles, placés chacun sous le sien ; ``champ`` porte le nom."""
    tailles = np.array([float(c["taille"]) for c in cercles])
    montres = [c for c in cercles if float(c["taille"]) >= NOMMABLE_PART * tailles.max(initial=0)]
    tailles = np.array([float(c["taille"]) for c in montres])
    sous = fond.metres_par_pixel * (np.sqrt(tailles / np.pi) + 0.7 * CORPS_PX * fond.grossissement)
    xy = np.array([(float(c["x"]), float(c["y"])) for c in montres]).reshape(-1, 2)
    xy[:, 1] -= sous
    noms = [str(c[champ]) for c in montres]
    return placer_noms(noms, xy, tailles, fond.metres_par_pixel * fond.grossissement)


def noms_a_l_ecart(fond: FondPetiteCarte, points: Sequence[Entite]) -> list[Entite]:
    """Noms du fond qu'aucun des signes donnés ne couvre."""
    xy = np.array([(float(p["x"]), float(p["y"])) for p in points]).reshape(-1, 2)
    metres = fond.metres_par_pixel * fond.grossissement
    libres = []
    for nom in fond.noms:
        demi_l = metres * (0.3 * CORPS_PX * len(nom["nom"]) + DEGAGEMENT_PX)
        ecarts = np.abs(xy - (nom["x"], nom["y"]))
        if not ((ecarts[:, 0] < demi_l) & (ecarts[:, 1] < metres * DEGAGEMENT_PX)).any():
            libres.append(nom)
    return libres


def entite(forme: BaseGeometry, attributs: Mapping[str, Any] | None = None) -> Entite:
    """Entité au mètre près, avec ses attributs à plat (Vega-Lite les lit ainsi)."""
    arrondie: BaseGeometry = shapely.set_precision(forme, 1.0, mode="pointwise")
    return {
        "type": "Feature",
        "geometry": shapely.geometry.mapping(arrondie),
        **(attributs or {}),
    }


def calque(
    valeurs: list[Entite],
    marque: dict[str, Any],
    codage: dict[str, Any] | None = None,
    *,
    choix: bool = False,
) -> Calque:
    """Calque Vega-Lite : entités, marque et codage ; ``choix`` : se choisit au clic."""
    decrit: Calque = {"data": {"values": valeurs}, "mark": marque}
    if codage:
        decrit["encoding"] = codage
    if choix:
        selection = {"type": "point", "fields": ["code"]}
        decrit["params"] = [{"name": PARAMETRE_CHOIX, "select": selection}]
    return decrit


def lieu() -> dict[str, Any]:
    """Codage d'un lieu par ses colonnes ``x`` et ``y``."""
    return {
        "longitude": {"field": "x", "type": "quantitative"},
        "latitude": {"field": "y", "type": "quantitative"},
    }


def calques_noms(noms: list[Entite], grossissement: float) -> list[Calque]:
    """Noms gris foncé cernés de blanc."""
    commun = {"type": "text", "fontSize": CORPS_PX * grossissement, "fontWeight": 600}
    codage = {**lieu(), "text": {"field": "nom", "type": "nominal"}}
    halo = {**commun, "stroke": "#ffffff", "strokeWidth": 3, "strokeJoin": "round", "opacity": 0.9}
    return [calque(noms, halo, codage), calque(noms, {**commun, "fill": _ENCRE}, codage)]


def _calques_echelle(
    ouest: float, sud: float, metres_par_pixel: float, grossissement: float
) -> list[Calque]:
    """Trait d'une longueur ronde sous le coin du territoire, et sa longueur écrite."""
    longueur = float(10.0 ** np.floor(np.log10(110 * metres_par_pixel)))
    longueur = max(f * longueur for f in (1, 2, 5) if f * longueur <= 110 * metres_par_pixel)
    y = sud - 6 * metres_par_pixel
    talon = 4 * metres_par_pixel
    trait = shapely.linestrings(
        [(ouest, y + talon), (ouest, y), (ouest + longueur, y), (ouest + longueur, y + talon)]
    )
    texte = f"{nombre(longueur / 1000)} km" if longueur >= 1000 else f"{nombre(longueur)} m"
    haut = y + 10 * metres_par_pixel * grossissement
    place = {"nom": texte, "x": round(ouest + longueur / 2), "y": round(haut)}
    return [
        calque([entite(trait)],
                {"type": "geoshape", "filled": False, "stroke": CONTOUR, "strokeWidth": 1.4}),
        *calques_noms([place], grossissement),
    ]  # fmt: skip

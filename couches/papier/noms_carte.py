"""Noms des communes sur une carte de papier : jamais l'un sur l'autre, jamais coupés."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from couches.papier.carte import Cadre
from couches.papier.fond import FondPapier
from couches.papier.page import ENCRE, Page
from couches.styles import Styles

#: À plus petite échelle, les communes voisines ne sont plus nommées.
_ECHELLE_VOISINES: Final = 100_000
_MM_PAR_POINT: Final = 25.4 / 72


@dataclass(frozen=True)
class _Boite:
    x1: float
    y1: float
    x2: float
    y2: float

    def touche(self, autre: _Boite) -> bool:
        return (
            self.x1 < autre.x2 and self.x2 > autre.x1 and self.y1 < autre.y2 and self.y2 > autre.y1
        )


def ecrire_noms(
    page: Page, fond: FondPapier, cadre: Cadre, zone: shapely.Geometry, styles: Styles
) -> int:
    """Écrire les noms des communes, jamais l'un sur l'autre ni coupés par le cadre.

    Les communes de la zone d'abord, puis les voisines, de la plus à la moins peuplée. Un nom qui ne
    trouve pas sa place est omis.

    Returns
    -------
    int
        Nombre de noms écrits.
    """
    dedans = shapely.contains_properly(zone, shapely.point_on_surface(fond.communes))
    visibles = shapely.intersects(fond.communes, shapely.box(*cadre.emprise))
    if cadre.echelle > _ECHELLE_VOISINES:
        visibles &= dedans
    poids = np.nan_to_num(fond.population)
    ordre = np.lexsort((-poids, ~dedans))
    seule = int(dedans.sum()) == 1
    posees: list[_Boite] = []
    for i in ordre[visibles[ordre]]:
        corps, graisse = _aspect_nom(bool(dedans[i]), seule, float(poids[i]))
        centre = _accroche(fond.communes[i], cadre, page)
        boite = (
            None if centre is None else _placer(page, cadre, fond.noms[i], corps, graisse, centre)
        )
        libre = boite is not None and _tient(boite, cadre)
        if boite is None or not libre or any(boite.touche(p) for p in posees):
            continue
        posees.append(boite)
        couleur = styles.fond["nom"] if dedans[i] else "#6d675e"
        ecrire_halo(
            page,
            boite.x1 + 1.2,
            boite.y2 - 0.25 * (boite.y2 - boite.y1),
            fond.noms[i],
            corps,
            graisse=graisse,
            couleur=couleur,
        )
    return len(posees)


def _aspect_nom(dedans: bool, seule: bool, population: float) -> tuple[float, int]:
    if dedans and seule:
        return 11.0, 700
    if not dedans:
        return 8.5, 400
    return (10.0, 600) if population >= 8000 else (8.5, 600 if population >= 2000 else 400)


def _accroche(commune: shapely.Geometry, cadre: Cadre, page: Page) -> tuple[float, float] | None:
    """Point intérieur de la partie visible de la commune, à distance du bord du cadre."""
    retrait = 4e-3 * cadre.echelle * page.agrandissement
    ouest, sud, est, nord = cadre.emprise
    visible = shapely.clip_by_rect(
        commune, ouest + retrait, sud + retrait, est - retrait, nord - retrait
    )
    if shapely.is_empty(visible):
        return None
    point = shapely.point_on_surface(visible)
    return cadre.vers_page(shapely.get_x(point), shapely.get_y(point))


def _placer(
    page: Page, cadre: Cadre, nom: str, corps: float, graisse: int, centre: tuple[float, float]
) -> _Boite:
    """Place d'un nom autour de son point d'accroche, ramenée dans le cadre."""
    demi = page.largeur(nom, corps, graisse) / 2 + 1.2
    hauteur = page.pas(corps, 0.7)
    marge = 1.1
    x = min(max(centre[0], cadre.x + demi + marge), cadre.x + cadre.largeur - demi - marge)
    y = min(max(centre[1], cadre.y + hauteur + marge), cadre.y + cadre.hauteur - hauteur - marge)
    return _Boite(x - demi, y - hauteur, x + demi, y + hauteur)


def _tient(boite: _Boite, cadre: Cadre) -> bool:
    return (
        boite.x1 > cadre.x + 1
        and boite.x2 < cadre.x + cadre.largeur - 1
        and boite.y1 > cadre.y + 1
        and boite.y2 < cadre.y + cadre.hauteur - 1
    )


def ecrire_halo(
    page: Page,
    x: float,
    y: float,
    contenu: str,
    corps: float,
    *,
    graisse: int = 400,
    couleur: str = ENCRE,
) -> None:
    """Écrire un texte cerné de blanc, qui reste du texte dans le PDF."""
    e, taille = page.agrandissement, corps * page.agrandissement_texte
    trace = TextPath(
        (0, 0), contenu, prop=page.polices.fonte(contenu, taille, graisse), size=taille
    )
    place = Affine2D().scale(_MM_PAR_POINT, -_MM_PAR_POINT).translate(x * e, y * e)
    # Les cartes sont des axes posés sur la page : le texte de la page passe au-dessus d'elles.
    page.toile.add_artist(
        PathPatch(
            place.transform_path(trace),
            facecolor="#ffffff",
            edgecolor="#ffffff",
            linewidth=1.6,
            joinstyle="round",
            alpha=0.85,
        )
    )
    page.texte(x, y, contenu, corps, graisse=graisse, couleur=couleur)

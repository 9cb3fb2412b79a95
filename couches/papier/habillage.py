"""Habillage d'une carte de papier : échelle, nord, médaillon de situation."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Trace

from couches.papier.carte import Cadre, poser
from couches.papier.fond import DETAIL_MM, FondPapier, tracer
from couches.papier.page import ENCRE, Page
from couches.styles import Styles
from couches.textes import INSECABLE, distance, nombre

_BARRES_M: Final = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


def dessiner_echelle(
    page: Page, cadre: Cadre, x: float, y: float, largeur_max: float, *, numerique: bool = True
) -> None:
    """Barre graphique de longueur ronde, et échelle numérique sur le papier seulement."""
    mm_par_m = cadre.largeur / (cadre.emprise[2] - cadre.emprise[0])
    longueur = max((b for b in _BARRES_M if b * mm_par_m <= largeur_max), default=_BARRES_M[0])
    if numerique:
        echelle = f"Échelle 1{INSECABLE}:{INSECABLE}{nombre(cadre.echelle)}"
        page.texte(x, y, echelle, 8.5, graisse=600)
    demi = longueur * mm_par_m / 2
    page.rectangle(x, y + 2.0, demi, 1.3, fond=ENCRE, trait=ENCRE, epaisseur=0.5)
    page.rectangle(x + demi, y + 2.0, demi, 1.3, fond="#ffffff", trait=ENCRE, epaisseur=0.5)
    sous = y + 3.3 + page.pas(8.5, 1.1)
    page.texte(x, sous, "0")
    page.texte(x + 2 * demi, sous, _dire_longueur(longueur), alignement="center")


def _dire_longueur(metres: int) -> str:
    if metres >= 1000:
        return f"{metres // 1000}{INSECABLE}km"
    return distance(metres)


def dessiner_nord(page: Page, x: float, y: float, hauteur: float = 8.0) -> None:
    """Flèche du nord (celui de la grille : le haut de la carte), pointe en ``(x, y)``."""
    e, demi = page.agrandissement, hauteur * 0.28
    for signe, fond in ((-1, ENCRE), (1, "#ffffff")):
        sommets = [(x, y), (x + signe * demi, y + hauteur), (x, y + 0.76 * hauteur), (x, y)]
        trace = Trace([(a * e, b * e) for a, b in sommets], closed=True)
        page.toile.add_artist(
            PathPatch(trace, facecolor=fond, edgecolor=ENCRE, linewidth=0.5, joinstyle="miter")
        )
    page.texte(x, y + hauteur + 3.4, "N", 9, graisse=700, alignement="center")


def dessiner_situation(
    page: Page,
    place: tuple[float, float, float, float],
    fond: FondPapier,
    zone: shapely.Geometry,
    styles: Styles,
) -> None:
    """Médaillon qui situe la zone dans le territoire."""
    _, _, largeur, hauteur = place
    ouest, sud, est, nord = shapely.bounds(fond.contour)
    metres = max((est - ouest) / largeur, (nord - sud) / hauteur) * 1.04
    cx, cy = (ouest + est) / 2, (sud + nord) / 2
    axes = page.cadre(*place)
    axes.set_xlim(cx - metres * largeur / 2, cx + metres * largeur / 2)
    axes.set_ylim(cy - metres * hauteur / 2, cy + metres * hauteur / 2)
    axes.axis("off")
    fin = metres * DETAIL_MM * 2
    contour = np.array([shapely.simplify(fond.contour, fin)])
    poser(
        axes,
        tracer(contour, 2),
        1,
        facecolor="#e9e4d9",
        edgecolor=styles.fond["limite"],
        linewidth=0.5,
    )
    forme = np.array([shapely.simplify(zone, fin)])
    poser(axes, tracer(forme, 2), 2, facecolor=ENCRE, edgecolor=ENCRE, linewidth=0.4)
    # Une petite zone se voit mal : un cercle la désigne.
    if shapely.area(zone) < 0.004 * (metres**2 * largeur * hauteur):
        centre = shapely.centroid(zone)
        axes.plot(
            [shapely.get_x(centre)],
            [shapely.get_y(centre)],
            marker="o",
            markersize=9,
            markerfacecolor="none",
            markeredgecolor=ENCRE,
            markeredgewidth=0.8,
            zorder=3,
        )

"""Cartes sur papier : cadre à l'échelle ronde, fond, thème, voile hors de la zone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Trace
from numpy.typing import NDArray

from couches.papier.fond import DETAIL_MM, Emprise, FondPapier, Objets, tracer
from couches.papier.page import ENCRE, Page
from couches.styles import INACCESSIBLE, SANS_DONNEE, Styles

#: Dénominateurs d'échelle admis : ronds, et assez serrés pour que la zone remplisse le cadre.
ECHELLES: Final = (
    *(5_000, 7_500, 10_000, 12_500, 15_000, 20_000, 25_000, 30_000, 40_000, 50_000, 60_000),
    *(75_000, 100_000, 125_000, 150_000, 200_000, 250_000, 300_000, 400_000, 500_000),
    *(750_000, 1_000_000, 1_500_000, 2_000_000, 3_000_000, 5_000_000),
)
#: Blanc laissé autour de la zone, part de sa plus grande dimension.
MARGE: Final = 0.04
#: Classe de voie → (échelle la plus petite où elle est dessinée, trait, bord), points au 1:25 000.
_VOIES: Final[Mapping[str, tuple[int, float, float]]] = {
    "chemin": (12_500, 0.25, 0.0),
    "locale": (50_000, 0.45, 0.0),
    "secondaire": (150_000, 1.1, 1.6),
    "principale": (10_000_000, 1.7, 2.3),
}


@dataclass(frozen=True)
class Cadre:
    """Place d'une carte sur la page, et ce qu'elle montre.

    Attributes
    ----------
    x, y, largeur, hauteur
        Place, mm de l'A4.
    emprise
        Emprise montrée, mètres.
    echelle
        Dénominateur de l'échelle.
    """

    x: float
    y: float
    largeur: float
    hauteur: float
    emprise: Emprise
    echelle: int

    def vers_page(self, x: float, y: float) -> tuple[float, float]:
        """Point du terrain en mm de l'A4."""
        ouest, _, est, nord = self.emprise
        metre = self.largeur / (est - ouest)
        return self.x + (x - ouest) * metre, self.y + (nord - y) * metre

    @property
    def tolerance_m(self) -> float:
        """Plus petit détail visible, mètres."""
        return DETAIL_MM * self.echelle / 1000


def bornes_de(geometrie: shapely.Geometry) -> Emprise:
    """Emprise d'une géométrie, mètres."""
    ouest, sud, est, nord = (float(b) for b in shapely.bounds(geometrie))
    return ouest, sud, est, nord


def choisir_cadre(page: Page, place: tuple[float, float, float, float], bornes: Emprise) -> Cadre:
    """Cadrer une zone à l'échelle ronde la plus grande où elle tient, centrée.

    Parameters
    ----------
    page
        Page, dont l'agrandissement compte dans l'échelle.
    place
        ``(x, y, largeur, hauteur)``, mm de l'A4.
    bornes
        Emprise de la zone, mètres.
    """
    x, y, largeur, hauteur = place
    ouest, sud, est, nord = bornes
    reelle_l, reelle_h = (d * page.agrandissement / 1000 for d in (largeur, hauteur))
    marge = 1 + 2 * MARGE
    besoin = max((est - ouest) * marge / reelle_l, (nord - sud) * marge / reelle_h)
    echelle = next((e for e in ECHELLES if e >= besoin), ECHELLES[-1])
    cx, cy = (ouest + est) / 2, (sud + nord) / 2
    demi_l, demi_h = reelle_l * echelle / 2, reelle_h * echelle / 2
    return Cadre(
        x, y, largeur, hauteur, (cx - demi_l, cy - demi_h, cx + demi_l, cy + demi_h), echelle
    )


def ouvrir_carte(page: Page, cadre: Cadre, styles: Styles) -> Axes:
    """Axes de la carte, au fond de la couleur du sol."""
    axes = page.cadre(cadre.x, cadre.y, cadre.largeur, cadre.hauteur)
    ouest, sud, est, nord = cadre.emprise
    axes.set_xlim(ouest, est)
    axes.set_ylim(sud, nord)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor(styles.fond["sol"])
    for bord in axes.spines.values():
        bord.set_linewidth(0.6)
        bord.set_edgecolor(ENCRE)
        bord.set_zorder(60)
    return axes


def poser(axes: Axes, trace: Trace | None, niveau: float, **aspect: Any) -> None:
    """Ajouter un tracé à la carte."""
    if trace is not None:
        aspect.setdefault("linewidth", 0.0)
        piece = PathPatch(trace, zorder=niveau, **aspect)
        axes.add_artist(piece)
        piece.set_clip_path(axes.patch)


def dessiner_fond(axes: Axes, fond: FondPapier, cadre: Cadre, styles: Styles) -> None:
    """Surfaces, eaux et voies ferrées, sous le thème."""
    couleurs, e, tolerance = styles.fond, cadre.emprise, cadre.tolerance_m
    for rang, (couleur, objets) in enumerate(fond.surfaces.items()):
        trace = tracer(objets.decouper(e, tolerance), 2)
        poser(axes, trace, 1 + rang / 10, facecolor=couleurs[couleur])
    _ligne(axes, tracer(fond.cours_eau.decouper(e, tolerance), 1), 2, couleurs["cours_eau"], 0.7)
    voies = tracer(fond.voies_ferrees.decouper(e, tolerance), 1)
    _ligne(axes, voies, 12, couleurs["voies_ferrees"], 0.8)


def dessiner_rues(
    axes: Axes, fond: FondPapier, cadre: Cadre, styles: Styles, force: float = 1.0
) -> None:
    """Rues au-dessus du thème : bords d'abord, intérieurs ensuite, carrefours ouverts."""
    facteur = float(np.clip((25_000 / cadre.echelle) ** 0.5, 0.4, 1.4)) * force
    traces = {
        nom: tracer(fond.rues[nom].decouper(cadre.emprise, cadre.tolerance_m), 1)
        for nom, (limite, _, _) in _VOIES.items()
        if cadre.echelle <= limite and nom in fond.rues
    }
    couleurs = styles.fond
    for nom, trace in traces.items():
        if _VOIES[nom][2]:
            _ligne(axes, trace, 10, couleurs["rue_bord"], _VOIES[nom][2] * facteur)
    for rang, (nom, trace) in enumerate(traces.items()):
        couleur = couleurs["chemin"] if nom == "chemin" else couleurs["rue"]
        _ligne(axes, trace, 10.5 + rang / 10, couleur, _VOIES[nom][1] * facteur)


def _ligne(
    axes: Axes, trace: Trace | None, niveau: float, couleur: str, points: float, **aspect: Any
) -> None:
    poser(
        axes,
        trace,
        niveau,
        facecolor="none",
        edgecolor=couleur,
        linewidth=points,
        capstyle="butt",
        joinstyle="round",
        **aspect,
    )


def dessiner_carreaux(
    axes: Axes,
    carreaux: Objets,
    classes: NDArray[np.uint8],
    couleurs: Sequence[str],
    cadre: Cadre,
    styles: Styles,
) -> None:
    """Carreaux d'une carte, un tracé par classe ; hachures et points comme à l'écran.

    Parameters
    ----------
    classes
        uint8[carreaux], rang dans ``couleurs``, ou ``INACCESSIBLE``, ou ``SANS_DONNEE``.
    """
    visibles = np.sort(carreaux.arbre.query(shapely.box(*cadre.emprise)))
    for rang, couleur in enumerate(couleurs):
        trace = tracer(carreaux.geometries[visibles[classes[visibles] == rang]], 2)
        poser(axes, trace, 5, facecolor=couleur, alpha=0.88)
    trace = tracer(carreaux.geometries[visibles[classes[visibles] == INACCESSIBLE]], 2)
    poser(
        axes,
        trace,
        5,
        facecolor=styles.inaccessible_fond,
        edgecolor=styles.inaccessible_trait,
        hatch="/////",
    )
    trace = tracer(carreaux.geometries[visibles[classes[visibles] == SANS_DONNEE]], 2)
    poser(axes, trace, 5, facecolor="none", edgecolor=styles.sans_donnee_point, hatch="....")


def dessiner_zone(
    axes: Axes, fond: FondPapier, zone: shapely.Geometry, cadre: Cadre, styles: Styles
) -> None:
    """Voile hors de la zone, limites de communes en tirets, contour de la zone."""
    emprise = shapely.box(*cadre.emprise)
    dehors = shapely.difference(emprise, shapely.simplify(zone, cadre.tolerance_m))
    poser(axes, tracer(np.array([dehors]), 2), 20, facecolor=styles.fond["voile"], alpha=0.55)
    limites = tracer(fond.limites.decouper(cadre.emprise, cadre.tolerance_m), 1)
    _ligne(axes, limites, 21, styles.fond["limite"], 0.6, linestyle=(0, (4, 2.5)))
    bord = shapely.simplify(shapely.boundary(zone), cadre.tolerance_m)
    bord = shapely.clip_by_rect(bord, *cadre.emprise)
    _ligne(axes, tracer(np.array([bord]), 1), 22, styles.fond["contour"], 1.5)


def dessiner_points(
    axes: Axes,
    points: NDArray[np.object_],
    *,
    couleur: str,
    taille: float = 2.2,
    bord: str = "#ffffff",
    creux: bool = False,
    niveau: float = 25,
    signe: str = "o",
) -> None:
    """Points d'une couche (une surface est ramenée à un point intérieur) ; taille en points."""
    if points.size == 0:
        return
    coordonnees = shapely.get_coordinates(shapely.point_on_surface(points))
    axes.plot(
        coordonnees[:, 0],
        coordonnees[:, 1],
        linestyle="none",
        marker=signe,
        markersize=taille,
        markerfacecolor="#ffffff" if creux else couleur,
        markeredgecolor=couleur if creux else bord,
        markeredgewidth=0.5 if creux else 0.3,
        zorder=niveau,
    )

"""Cartes sur papier : échelle ronde, fond, thème, voile hors de la zone, noms, échelle et nord."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Trace
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray

from couches.papier.fond import DETAIL_MM, Emprise, FondPapier, Objets, tracer
from couches.papier.page import ENCRE, Page
from couches.styles import INACCESSIBLE, SANS_DONNEE, Styles
from couches.textes import INSECABLE, distance, nombre

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
#: À plus petite échelle, les communes voisines ne sont plus nommées.
_ECHELLE_VOISINES: Final = 100_000
_BARRES_M: Final = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)
_MM_PAR_POINT: Final = 25.4 / 72


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

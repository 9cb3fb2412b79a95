"""Calques dessinés en image, à l'échelle de l'écran.

Cinq mille polygones vectoriels ralentissent un navigateur ; une image par calque se dessine en
quelques dizaines de millisecondes, et son opacité et son rang changent sans la redemander. Un pixel
est une classe et un niveau d'alpha (seize) : l'image tient dans une palette de 256 entrées.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

import numba as nb
import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image

from couches.calques.modele import Calque
from couches.catalogue import Classe, simplifier_pour_ecran
from couches.couche import Trame
from couches.ecran.fond import Lignes, Surfaces, construire_lignes, construire_surfaces
from couches.ecran.mercator import Emprise, projeter, resolution_m, vers_pixels
from couches.ecran.trace import couvrir_lignes, remplir_polygones
from couches.styles import lire_couleur
from donnees_geo.reseau import indices_sommets

#: Simplifications gardées, mètres : chaque vue prend la plus forte qui ne se voit pas.
TOLERANCES_M: Final = (0.0, 2.0, 8.0, 30.0)
NIVEAUX: Final = 16
BLANC: Final = 15
CLASSES_MAX: Final = 15
PAS_HACHURE_PX: Final = 7
PAS_POINT_PX: Final = 6
#: Côté sous lequel un objet à repérer est montré par un signe, pixels.
COTE_VISIBLE_PX: Final = 7.0
#: Trame → alpha (0 à 15) du creux et du trait de la trame.
_ALPHAS: Final[dict[Trame, tuple[int, int]]] = {
    "plein": (9, 9),
    "hachures": (2, 14),
    "points": (2, 14),
    "trait": (1, 1),
    "tirets": (0, 0),
    "rond": (3, 3),
}
_MOTIFS: Final[dict[Trame, int]] = {"hachures": 1, "points": 2}
_LARGEUR_LIGNE_PX: Final = 2.6
#: Largeur d'un contour selon le zoom, sans quoi un semis de petites zones ne serait que traits.
_CONTOURS: Final = ((13.0, 1.4), (11.5, 1.0), (0.0, 0.6))
_TIRET_PX, _VIDE_PX = 7.0, 4.0
#: Rayon d'un point selon le zoom : (zoom minimal, pixels), du plus proche au plus lointain.
_RAYONS: Final = ((15.0, 6.0), (13.0, 4.5), (11.5, 3.4), (0.0, 2.6))


@dataclass(frozen=True)
class FormesCalque:
    """Géométries d'un calque en mètres Mercator, à une simplification près.

    Attributes
    ----------
    surfaces, contours, lignes
        Polygones, leurs bords, et lignes.
    rang_surfaces, rang_contours, rang_lignes
        Classe de chacun.
    points, rang_points
        float64[k, 2] et classe des objets ponctuels.
    centres, cotes_m, rang_centres
        Point intérieur, plus grand côté (mètres Mercator) et classe de chaque objet surfacique.
    """

    surfaces: Surfaces
    rang_surfaces: NDArray[np.int64]
    contours: Lignes
    rang_contours: NDArray[np.int64]
    lignes: Lignes
    rang_lignes: NDArray[np.int64]
    points: NDArray[np.float64]
    rang_points: NDArray[np.int64]
    centres: NDArray[np.float64]
    cotes_m: NDArray[np.float64]
    rang_centres: NDArray[np.int64]


def choisir_tolerance(emprise: Emprise, largeur: int) -> float:
    """Plus forte simplification qui reste sous un demi-pixel de la vue."""
    demi_pixel = 0.5 * (emprise[2] - emprise[0]) / largeur
    return max(t for t in TOLERANCES_M if t <= demi_pixel)


def construire_formes(calque: Calque, tolerance_m: float = 0.0) -> FormesCalque:
    """Projeter les géométries d'un calque, la classe la plus basse dessinée la première.

    La table n'est pas modifiée ; la simplification ne sert qu'au dessin.
    """
    # La première classe de la légende (la plus sévère) se dessine la dernière, par-dessus.
    ordre = np.argsort(-calque.rangs, kind="stable")
    geometries = calque.table.geometry.to_numpy()[ordre]
    crs = str(calque.table.crs)
    parties, source = shapely.get_parts(geometries, return_index=True)
    rangs = calque.rangs[ordre][source]
    dimensions = shapely.get_dimensions(parties)
    if tolerance_m > 0:
        parties = simplifier_pour_ecran(parties, tolerance_m)
    polygones, traits, points = (parties[dimensions == d] for d in (2, 1, 0))
    bords, du_polygone = shapely.get_rings(polygones, return_index=True)
    surfaces = construire_surfaces(polygones, crs)
    x, y = projeter(*_xy(points), crs)
    centres = projeter(*_xy(shapely.point_on_surface(polygones)), crs)
    return FormesCalque(
        surfaces=surfaces,
        rang_surfaces=rangs[dimensions == 2],
        contours=construire_lignes(bords, crs),
        rang_contours=rangs[dimensions == 2][du_polygone],
        lignes=construire_lignes(traits, crs),
        rang_lignes=rangs[dimensions == 1],
        points=np.column_stack([x, y]),
        rang_points=rangs[dimensions == 0],
        centres=np.column_stack(centres),
        cotes_m=np.maximum(
            surfaces.boites[:, 2] - surfaces.boites[:, 0],
            surfaces.boites[:, 3] - surfaces.boites[:, 1],
        ),
        rang_centres=rangs[dimensions == 2],
    )


def _xy(points: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return shapely.get_x(points), shapely.get_y(points)


def dessiner_calque(
    formes: FormesCalque,
    classes: tuple[Classe, ...],
    emprise: Emprise,
    largeur: int,
    hauteur: int,
    *,
    echelle: float = 1.0,
    reperer: bool = False,
) -> bytes:
    """Image PNG à palette d'un calque, transparente où il n'y a rien.

    Parameters
    ----------
    formes, classes
        Géométries et légende ; au plus :data:`CLASSES_MAX` classes.
    emprise
        Mètres Mercator couverts par l'image.
    largeur, hauteur
        Pixels.
    echelle
        Agrandissement des traits et des signes.
    reperer
        Montrer par un signe un objet trop petit pour se voir.
    """
    assert len(classes) <= CLASSES_MAX
    toile = _Toile(emprise, largeur, hauteur, echelle)
    toile.remplir(formes.surfaces, formes.rang_surfaces, classes)
    contour = next(largeur for zoom, largeur in _CONTOURS if toile.zoom >= zoom)
    toile.tracer(formes.contours, formes.rang_contours, classes, contour)
    toile.border(formes.lignes)
    toile.tracer(formes.lignes, formes.rang_lignes, classes, _LARGEUR_LIGNE_PX)
    if reperer:
        petits = formes.cotes_m < COTE_VISIBLE_PX * echelle * toile.metres_par_pixel
        toile.piquer(formes.centres[petits], formes.rang_centres[petits], classes)
    toile.piquer(formes.points, formes.rang_points, classes)
    return toile.encoder(classes)


class _Toile:
    """Image en cours : une classe (0 à 15) et un niveau d'alpha (0 à 15) par pixel."""

    def __init__(self, emprise: Emprise, largeur: int, hauteur: int, echelle: float) -> None:
        self.emprise, self.largeur, self.hauteur, self.echelle = emprise, largeur, hauteur, echelle
        self.classe = np.zeros((hauteur, largeur), dtype=np.uint8)
        self.alpha = np.zeros((hauteur, largeur), dtype=np.uint8)
        self.metres_par_pixel = (emprise[2] - emprise[0]) / largeur
        self.zoom = float(np.log2(resolution_m(0) / self.metres_par_pixel))

    def _visibles(self, boites: NDArray[np.float64]) -> NDArray[np.int64]:
        ouest, sud, est, nord = self.emprise
        return np.flatnonzero(
            (boites[:, 0] <= est)
            & (boites[:, 2] >= ouest)
            & (boites[:, 1] <= nord)
            & (boites[:, 3] >= sud)
        )

    def _pixels(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return vers_pixels(x, y, self.emprise, self.largeur, self.hauteur)

    def remplir(
        self, surfaces: Surfaces, rangs: NDArray[np.int64], classes: tuple[Classe, ...]
    ) -> None:
        """Poser les surfaces, chacune avec la trame de sa classe."""
        garde = self._visibles(surfaces.boites)
        if garde.size == 0:
            return
        image = np.zeros((self.hauteur, self.largeur), dtype=np.uint8)
        anneaux_gardes, polygones = indices_sommets(surfaces.polygones, garde)
        sommets, anneaux = indices_sommets(surfaces.anneaux, anneaux_gardes)
        x, y = self._pixels(surfaces.x[sommets], surfaces.y[sommets])
        remplir_polygones(image, polygones, anneaux, x, y, (rangs[garde] + 1).astype(np.uint8))
        motifs = np.array([_MOTIFS.get(c.trame, 0) for c in classes], dtype=np.uint8)
        alphas = np.array([_ALPHAS[c.trame] for c in classes], dtype=np.uint8)
        # La trame est calée sur le terrain, pour ne pas sauter quand la carte glisse.
        depart = (
            round(-self.emprise[3] / self.metres_par_pixel),
            round(self.emprise[0] / self.metres_par_pixel),
        )
        pas = (round(PAS_HACHURE_PX * self.echelle), round(PAS_POINT_PX * self.echelle))
        _tramer(image, self.classe, self.alpha, motifs, alphas, depart, pas)

    def tracer(
        self,
        lignes: Lignes,
        rangs: NDArray[np.int64],
        classes: tuple[Classe, ...],
        largeur_px: float,
    ) -> None:
        """Poser des lignes, celles de la première classe par-dessus."""
        for rang in reversed(range(len(classes))):
            tirets = classes[rang].trame == "tirets"
            couverture = self._couvrir(lignes, np.flatnonzero(rangs == rang), largeur_px, tirets)
            if couverture is not None:
                _poser(couverture, self.classe, self.alpha, rang)

    def border(self, lignes: Lignes) -> None:
        """Poser un liseré blanc sous des lignes, pour qu'elles se détachent du thème."""
        tout = np.arange(lignes.debut.size - 1)
        couverture = self._couvrir(lignes, tout, _LARGEUR_LIGNE_PX + 1.6, tirets=False)
        if couverture is not None:
            _poser(couverture * np.float32(0.8), self.classe, self.alpha, BLANC)

    def _couvrir(
        self, lignes: Lignes, choisies: NDArray[np.int64], largeur_px: float, tirets: bool
    ) -> NDArray[np.float32] | None:
        garde = np.intersect1d(choisies, self._visibles(lignes.boites))
        if garde.size == 0:
            return None
        sommets, debut = indices_sommets(lignes.debut, garde)
        x, y = self._pixels(lignes.x[sommets], lignes.y[sommets])
        couverture = np.zeros((self.hauteur, self.largeur), dtype=np.float32)
        vide = _VIDE_PX * self.echelle if tirets else 0.0
        demi = 0.5 * largeur_px * self.echelle
        couvrir_lignes(couverture, debut, x, y, demi, _TIRET_PX * self.echelle, vide)
        return couverture

    def piquer(
        self, points: NDArray[np.float64], rangs: NDArray[np.int64], classes: tuple[Classe, ...]
    ) -> None:
        """Poser des disques cernés de blanc ; creux pour la trame « rond »."""
        if not len(points):
            return
        rayon = self.echelle * next(r for seuil, r in _RAYONS if self.zoom >= seuil)
        x, y = self._pixels(points[:, 0], points[:, 1])
        marge = rayon + 3
        dedans = (x > -marge) & (x < self.largeur + marge) & (y > -marge)
        dedans &= y < self.hauteur + marge
        creux = np.array([c.trame == "rond" for c in classes])
        _piquer(
            self.classe,
            self.alpha,
            x[dedans],
            y[dedans],
            rayon,
            rangs[dedans],
            creux[rangs[dedans]],
        )

    def encoder(self, classes: tuple[Classe, ...]) -> bytes:
        """PNG à palette : une entrée par classe et par niveau d'alpha."""
        palette = np.zeros((256, 3), dtype=np.uint8)
        for rang, classe in enumerate(classes):
            palette[NIVEAUX * rang : NIVEAUX * (rang + 1)] = lire_couleur(classe.couleur)
        palette[NIVEAUX * BLANC :] = 255
        transparence = np.tile(np.arange(NIVEAUX) * (255 // (NIVEAUX - 1)), 256 // NIVEAUX)
        image = Image.fromarray(self.classe * np.uint8(NIVEAUX) + self.alpha)
        image.putpalette(palette.tobytes())
        tampon = io.BytesIO()
        image.save(
            tampon,
            format="PNG",
            compress_level=1,
            transparency=transparence.astype(np.uint8).tobytes(),
        )
        return tampon.getvalue()


@nb.njit(cache=True, nogil=True)
def _tramer(image, classe, alpha, motifs, alphas, depart, pas):  # type: ignore[no-untyped-def]
    """Traduire des rangs de classe (1…n, 0 : rien) en classe et alpha, selon la trame."""
    hauteur, largeur = image.shape
    i0, j0 = depart
    hachure, semis = pas
    for i in range(hauteur):
        for j in range(largeur):
            v = image[i, j]
            if v == 0:
                continue
            c = v - 1
            trait = False
            if motifs[c] == 1:
                trait = (i + i0 + j + j0) % hachure < 2
            elif motifs[c] == 2:
                trait = (i + i0) % semis < 2 and (j + j0) % semis < 2
            classe[i, j] = c
            alpha[i, j] = alphas[c, 1] if trait else alphas[c, 0]


@nb.njit(cache=True, nogil=True)
def _poser(couverture, classe, alpha, rang):  # type: ignore[no-untyped-def]
    """Poser une couverture (0 à 1) d'une classe : le pixel va au plus opaque des deux."""
    hauteur, largeur = couverture.shape
    for i in range(hauteur):
        for j in range(largeur):
            a = int(couverture[i, j] * 15 + 0.5)
            if a == 0:
                continue
            if classe[i, j] == rang:
                alpha[i, j] = max(alpha[i, j], a)
            elif a >= 8 or a >= alpha[i, j]:
                classe[i, j] = rang
                alpha[i, j] = max(a, alpha[i, j]) if a >= 8 else a


@nb.njit(cache=True, nogil=True)
def _piquer(classe, alpha, x, y, rayon, rangs, creux):  # type: ignore[no-untyped-def]
    """Poser des disques de ``rayon`` pixels, l'un après l'autre, cernés de blanc."""
    hauteur, largeur = classe.shape
    bord = rayon + 1.2
    coeur = 0.55 * rayon
    for k in range(x.size):
        for i in range(max(0, int(y[k] - bord)), min(hauteur, int(y[k] + bord) + 2)):
            for j in range(max(0, int(x[k] - bord)), min(largeur, int(x[k] + bord) + 2)):
                dx, dy = j + 0.5 - x[k], i + 0.5 - y[k]
                d = np.sqrt(dx * dx + dy * dy)
                if d <= rayon and not (creux[k] and d < coeur):
                    classe[i, j] = rangs[k]
                    alpha[i, j] = 15
                elif d <= bord:
                    part = min(1.0, bord - d) if d > rayon else 1.0
                    a = int(15 * part + 0.5)
                    if a >= 8:
                        classe[i, j] = 15
                        alpha[i, j] = a


def objets_sous(
    calque: Calque, x: float, y: float, rayon_m: float, nombre_max: int
) -> NDArray[np.int64]:
    """Lignes des objets sous un point (CRS du calque), les plus proches d'abord.

    Une surface est sous le point s'il est dedans ; une ligne ou un point, à ``rayon_m`` près, de
    même qu'une surface plus petite que ce rayon. À égale distance, la classe la plus haute de la
    légende l'emporte.
    """
    geometries = calque.table.geometry.to_numpy()
    zone = shapely.box(x - rayon_m, y - rayon_m, x + rayon_m, y + rayon_m)
    candidats = calque.table.sindex.query(zone)
    distances = shapely.distance(shapely.Point(x, y), geometries[candidats])
    bornes = shapely.bounds(geometries[candidats])
    cotes = np.maximum(bornes[:, 2] - bornes[:, 0], bornes[:, 3] - bornes[:, 1])
    grande = (shapely.get_dimensions(geometries[candidats]) == 2) & (cotes > rayon_m)
    dessous = distances <= np.where(grande, 0.0, rayon_m)
    candidats, distances = candidats[dessous], distances[dessous]
    ordre = np.lexsort((calque.rangs[candidats], np.round(distances, 1)))
    return np.asarray(candidats[ordre][:nombre_max], dtype=np.int64)

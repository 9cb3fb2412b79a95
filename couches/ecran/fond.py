"""Fond de carte dessiné d'après le territoire préparé, sans réseau.

Deux dessins : le *fond* (sol, bois, eau, rues), en tuiles, sous le thème ; les *repères* (voile
hors du territoire, contour, limites de communes, noms), au-dessus, en une image de la taille de la
carte, pour que les noms soient nets à tous les zooms.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image

from couches.ecran.etiquettes import Etiquettes, Police, dessiner_etiquettes, placer_etiquettes
from couches.ecran.mercator import Emprise, projeter, resolution_m, vers_pixels
from couches.ecran.trace import couvrir_lignes, reduire, remplir_polygones, superposer, vers_octets
from couches.styles import Styles, lire_couleur
from donnees_geo.reseau import CLASSES_VOIE, ReseauRues, indices_sommets
from donnees_geo.territoire import Territoire

#: Classe dessinée → classes de voies OSM, de la moins à la plus importante.
CLASSES_DESSIN: Final[dict[str, tuple[str, ...]]] = {
    "chemin": ("track", "cycleway", "footway", "path", "steps", "bridleway"),
    "locale": (
        *("unclassified", "residential", "living_street", "pedestrian", "road", "service"),
        "autre",
    ),
    "secondaire": ("secondary", "secondary_link", "tertiary", "tertiary_link"),
    "principale": (
        *("motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link"),
    ),
}
#: Surfaces du fond, de la plus basse à la plus haute.
SURFACES: Final = (("zones_baties", "bati"), ("parcs", "parcs"), ("bois", "bois"), ("eau", "eau"))
SURECHANTILLON: Final = 3


@dataclass(frozen=True)
class Lignes:
    """Lignes en mètres Mercator : bornes (int64[n+1]), sommets, et boîte de chacune."""

    debut: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    boites: NDArray[np.float64]


@dataclass(frozen=True)
class Surfaces:
    """Polygones en mètres Mercator, au format de ``trace.remplir_polygones``, et leurs boîtes."""

    polygones: NDArray[np.int64]
    anneaux: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    boites: NDArray[np.float64]


@dataclass(frozen=True)
class FondCarte:
    """Ce qu'il faut pour dessiner le fond d'un territoire.

    Attributes
    ----------
    rues
        Classe dessinée → lignes.
    surfaces
        Nom de couleur → polygones.
    cours_eau, voies_ferrees, limites
        Lignes ; les limites communes à deux communes n'y sont qu'une fois.
    contour, contour_trait
        Territoire étudié : surface, et son bord.
    etiquettes
        Noms des communes.
    emprise
        Emprise du territoire étudié, mètres Mercator.
    """

    rues: Mapping[str, Lignes]
    surfaces: Mapping[str, Surfaces]
    cours_eau: Lignes
    voies_ferrees: Lignes
    limites: Lignes
    contour: Surfaces
    contour_trait: Lignes
    etiquettes: Etiquettes
    emprise: Emprise


def _boites(
    x: NDArray[np.float64], y: NDArray[np.float64], debut: NDArray[np.int64]
) -> NDArray[np.float64]:
    if debut.size <= 1:
        return np.empty((0, 4))
    d = debut[:-1]
    return np.column_stack(
        [
            np.minimum.reduceat(x, d),
            np.minimum.reduceat(y, d),
            np.maximum.reduceat(x, d),
            np.maximum.reduceat(y, d),
        ]
    )


def construire_lignes(geometries: Iterable[shapely.Geometry], crs: str) -> Lignes:
    """Lignes dessinables d'après des géométries linéaires (les autres sont ignorées)."""
    parties = shapely.get_parts(np.array(list(geometries), dtype=object))
    parties = parties[(shapely.get_dimensions(parties) == 1) & ~shapely.is_empty(parties)]
    if parties.size == 0:
        return Lignes(np.zeros(1, np.int64), np.empty(0), np.empty(0), np.empty((0, 4)))
    coordonnees = shapely.get_coordinates(parties)
    debut = np.zeros(parties.size + 1, dtype=np.int64)
    np.cumsum(shapely.get_num_coordinates(parties), out=debut[1:])
    x, y = projeter(coordonnees[:, 0], coordonnees[:, 1], crs)
    return Lignes(debut, x, y, _boites(x, y, debut))


def construire_surfaces(geometries: Iterable[shapely.Geometry], crs: str) -> Surfaces:
    """Polygones dessinables (les géométries d'une autre nature sont ignorées)."""
    parties = shapely.get_parts(np.array(list(geometries), dtype=object))
    parties = parties[(shapely.get_dimensions(parties) == 2) & ~shapely.is_empty(parties)]
    if parties.size == 0:
        zero = np.zeros(1, np.int64)
        return Surfaces(zero, zero, np.empty(0), np.empty(0), np.empty((0, 4)))
    _, coordonnees, decalages = shapely.to_ragged_array(parties)
    x, y = projeter(coordonnees[:, 0], coordonnees[:, 1], crs)
    anneaux, polygones = (np.asarray(d, dtype=np.int64) for d in decalages)
    return Surfaces(polygones, anneaux, x, y, _boites(x, y, anneaux[polygones]))


def _construire_rues(reseau: ReseauRues) -> dict[str, Lignes]:
    x, y = projeter(reseau.geometrie_x, reseau.geometrie_y, reseau.crs)
    rues = {}
    for nom, classes in CLASSES_DESSIN.items():
        rangs = [CLASSES_VOIE.index(c) for c in classes]
        troncons = np.flatnonzero(np.isin(reseau.troncon_classe, rangs))
        sommets, debut = indices_sommets(reseau.geometrie_debut, troncons)
        rues[nom] = Lignes(debut, x[sommets], y[sommets], _boites(x[sommets], y[sommets], debut))
    return rues


def construire_fond_carte(territoire: Territoire) -> FondCarte:
    """Projeter une fois pour toutes ce que les tuiles dessinent."""
    crs = territoire.crs
    vide: list[shapely.Geometry] = []

    def couche(nom: str) -> Iterable[shapely.Geometry]:
        table = territoire.fond.get(nom)
        return vide if table is None else table.geometry.to_numpy()

    contours = shapely.boundary(territoire.communes.geometry.to_numpy())
    contour = construire_surfaces([territoire.contour], crs)
    emprise = (
        float(contour.x.min()),
        float(contour.y.min()),
        float(contour.x.max()),
        float(contour.y.max()),
    )
    return FondCarte(
        rues=_construire_rues(territoire.reseau),
        surfaces={couleur: construire_surfaces(couche(nom), crs) for nom, couleur in SURFACES},
        cours_eau=construire_lignes(couche("cours_eau"), crs),
        voies_ferrees=construire_lignes(couche("voies_ferrees"), crs),
        limites=construire_lignes(
            [shapely.line_merge(shapely.union_all(contours))] if len(contours) else vide, crs
        ),
        contour=contour,
        contour_trait=construire_lignes([shapely.boundary(territoire.contour)], crs),
        etiquettes=construire_etiquettes(territoire),
        emprise=emprise,
    )


def cerner(fond: FondCarte, zone: shapely.Geometry, crs: str) -> FondCarte:
    """Même fond, où ``zone`` (dans ``crs``) prend la place du territoire : cernée, dehors voilé."""
    return replace(
        fond,
        contour=construire_surfaces([zone], crs),
        contour_trait=construire_lignes([shapely.boundary(zone)], crs),
    )


def construire_etiquettes(territoire: Territoire) -> Etiquettes:
    """Noms des communes, placés en un point intérieur, et leur population (NaN : inconnue)."""
    points = shapely.get_coordinates(
        shapely.point_on_surface(territoire.communes.geometry.to_numpy())
    )
    x, y = projeter(points[:, 0], points[:, 1], territoire.crs)
    return Etiquettes(
        textes=tuple(str(n) for n in territoire.communes["nom"]),
        x=x,
        y=y,
        poids=territoire.communes["population_hab"].to_numpy(dtype=np.float64),
    )


@dataclass
class _Toile:
    """Image en cours de dessin."""

    image: NDArray[np.float32]
    emprise: Emprise

    @property
    def taille(self) -> tuple[int, int]:
        """Largeur et hauteur, pixels."""
        return int(self.image.shape[1]), int(self.image.shape[0])

    def visibles(self, boites: NDArray[np.float64], marge_px: float) -> NDArray[np.intp]:
        """Rangs des objets dont la boîte touche l'image, élargie de ``marge_px``."""
        ouest, sud, est, nord = self.emprise
        marge = marge_px * (est - ouest) / self.taille[0]
        return np.flatnonzero(
            (boites[:, 0] <= est + marge)
            & (boites[:, 2] >= ouest - marge)
            & (boites[:, 1] <= nord + marge)
            & (boites[:, 3] >= sud - marge)
        )

    def couvrir(
        self, lignes: Lignes, largeur: float, tiret: float = 0.0, vide: float = 0.0
    ) -> NDArray[np.float32]:
        """Couverture des lignes visibles, float32[h, w]."""
        masque = np.zeros(self.image.shape[:2], dtype=np.float32)
        garde = self.visibles(lignes.boites, largeur)
        if garde.size:
            sommets, debut = indices_sommets(lignes.debut, garde)
            x, y = vers_pixels(lignes.x[sommets], lignes.y[sommets], self.emprise, *self.taille)
            couvrir_lignes(masque, debut, x, y, largeur / 2, tiret, vide)
        return masque

    def remplir(self, surfaces: Surfaces, finesse: int = SURECHANTILLON) -> NDArray[np.float32]:
        """Couverture des surfaces visibles, float32[h, w], lissée par ``finesse``² échantillons."""
        garde = self.visibles(surfaces.boites, 1)
        if garde.size == 0:
            return np.zeros(self.image.shape[:2], dtype=np.float32)
        largeur, hauteur = (finesse * n for n in self.taille)
        image = np.zeros((hauteur, largeur), dtype=np.uint8)
        rangs, polygones = indices_sommets(surfaces.polygones, garde)
        sommets, anneaux = indices_sommets(surfaces.anneaux, rangs)
        x, y = vers_pixels(surfaces.x[sommets], surfaces.y[sommets], self.emprise, largeur, hauteur)
        remplir_polygones(image, polygones, anneaux, x, y, np.ones(garde.size, dtype=np.uint8))
        masque: NDArray[np.float32] = reduire(image, finesse)
        return masque

    def poser(self, masque: NDArray[np.float32], couleur: str, opacite: float = 1.0) -> None:
        superposer(self.image, masque, *lire_couleur(couleur), opacite)


def _zoom(emprise: Emprise, largeur: int) -> float:
    """Niveau de zoom (tuiles de 256 pixels) qui a la résolution de l'image, au quart près."""
    return round(4 * math.log2(resolution_m(0) / ((emprise[2] - emprise[0]) / largeur))) / 4


def dessiner_fond(fond: FondCarte, styles: Styles, emprise: Emprise, taille: int) -> bytes:
    """Tuile du fond : PNG opaque de ``taille`` × ``taille`` pixels couvrant ``emprise``."""
    couleurs, zoom = styles.fond, round(_zoom(emprise, taille))
    image = np.empty((taille, taille, 4), dtype=np.float32)
    image[...] = (*lire_couleur(couleurs["sol"]), 1.0)
    toile = _Toile(image, emprise)
    for _, couleur in SURFACES:
        surfaces = fond.surfaces[couleur]
        if surfaces.boites.size:
            toile.poser(toile.remplir(surfaces), couleurs[couleur])
    toile.poser(toile.couvrir(fond.cours_eau, _largeur_cours_eau(zoom)), couleurs["cours_eau"])
    if zoom >= 11:
        largeur = 1.0 if zoom < 14 else 1.8
        toile.poser(toile.couvrir(fond.voies_ferrees, largeur), couleurs["voies_ferrees"])
    _dessiner_rues(toile, fond, styles, zoom)
    return _encoder(toile.image, opaque=True)


def _largeur_cours_eau(zoom: int) -> float:
    return float(np.interp(zoom, [9, 12, 15, 18], [0.4, 0.9, 2.0, 4.0]))


def _dessiner_rues(toile: _Toile, fond: FondCarte, styles: Styles, zoom: int) -> None:
    """Bords d'abord, intérieurs ensuite : les carrefours restent ouverts."""
    couleurs = styles.fond
    largeurs = {classe: styles.largeur(classe, zoom) for classe in CLASSES_DESSIN}
    if largeurs["chemin"] > 0:
        tiret = 4.0 if zoom < 16 else 6.0
        masque = toile.couvrir(fond.rues["chemin"], largeurs["chemin"], tiret, tiret * 0.6)
        toile.poser(masque, couleurs["chemin"])
    carrossables = [c for c in CLASSES_DESSIN if c != "chemin" and largeurs[c] > 0]
    for classe in carrossables:
        # Un filet clair sur sol clair ne se verrait pas : sous 1,2 pixel, le bord seul.
        bord = largeurs[classe] + (1.2 if largeurs[classe] >= 1.2 else 0.0)
        force = 1.0 if largeurs[classe] >= 1.2 else 0.75
        toile.poser(toile.couvrir(fond.rues[classe], bord), couleurs["rue_bord"], force)
    for classe in carrossables:
        if largeurs[classe] >= 1.2:
            toile.poser(toile.couvrir(fond.rues[classe], largeurs[classe]), couleurs["rue"])


@dataclass(frozen=True)
class OptionsReperes:
    """Ce que montre la tuile de repères.

    Attributes
    ----------
    noms, limites
        Montrer les noms et les limites des communes.
    echelle
        Agrandissement des noms et des traits (1 ; 1,5 en mode projecteur).
    """

    noms: bool = True
    limites: bool = True
    echelle: float = 1.0


def dessiner_reperes(
    fond: FondCarte,
    styles: Styles,
    emprise: Emprise,
    largeur: int,
    hauteur: int,
    police: Police,
    options: OptionsReperes | None = None,
) -> bytes:
    """Repères à poser sur la carte : PNG transparent de ``largeur`` × ``hauteur`` pixels."""
    options = options or OptionsReperes()
    couleurs, zoom, e = styles.fond, _zoom(emprise, largeur), options.echelle
    toile = _Toile(np.zeros((hauteur, largeur, 4), dtype=np.float32), emprise)
    # Le trait du contour couvre le bord du voile : inutile de le lisser.
    dedans = toile.remplir(fond.contour, 1)
    toile.poser(np.float32(1.0) - dedans, couleurs["voile"], 0.6)
    if options.limites:
        trait = e * (0.8 if zoom < 12 else 1.2)
        toile.poser(toile.couvrir(fond.limites, trait, 5 * e, 3 * e), couleurs["limite"], 0.9)
    toile.poser(
        toile.couvrir(fond.contour_trait, e * (1.8 if zoom < 13 else 2.6)), couleurs["contour"]
    )
    if not options.noms:
        return _encoder(toile.image, opaque=False)
    placees = placer_etiquettes(fond.etiquettes, police, zoom, e)
    calque = dessiner_etiquettes(
        placees, emprise, largeur, hauteur, police, couleurs["nom"], couleurs["halo"]
    )
    image = _en_image(toile.image, opaque=False)
    if calque is not None:
        image = Image.alpha_composite(image, calque)
    return _png(image)


def _en_image(image: NDArray[np.float32], *, opaque: bool) -> Image.Image:
    octets = vers_octets(image)
    return Image.fromarray(np.ascontiguousarray(octets[..., :3]) if opaque else octets)


def _encoder(image: NDArray[np.float32], *, opaque: bool) -> bytes:
    return _png(_en_image(image, opaque=opaque))


def _png(image: Image.Image) -> bytes:
    sortie = io.BytesIO()
    image.save(sortie, format="PNG", compress_level=1)
    return sortie.getvalue()


def taille_image(image: bytes) -> tuple[int, int]:
    """Largeur et hauteur d'un PNG, pixels."""
    with Image.open(io.BytesIO(image)) as ouverte:
        return ouverte.size


__all__: Final[list[Any]] = [
    "FondCarte",
    "Lignes",
    "OptionsReperes",
    "Surfaces",
    "cerner",
    "construire_fond_carte",
    "construire_lignes",
    "construire_surfaces",
    "dessiner_fond",
    "dessiner_reperes",
    "taille_image",
]

"""Campagne fictive : chemins d'exploitation, sentiers, fossés, bois, étangs et parcs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Final, cast

import numpy as np
import shapely
from contourpy import FillType, contour_generator
from numpy.typing import NDArray
from scipy import ndimage

from donnees_geo.demo.axes import Axes
from donnees_geo.demo.cadre import Cadre, Entiers, Flottants, bruit
from donnees_geo.demo.emprise_batie import EmpriseBatie
from donnees_geo.demo.habitat import Habitat
from donnees_geo.demo.hydrographie import CoursEau
from donnees_geo.demo.quartiers import Segments, deformer
from donnees_geo.demo.relief import Vallees

#: Longueur des cours d'eau du territoire, fossés et canal compris, mètres.
LONGUEUR_EAU_M: Final = 610_000.0


@dataclass(frozen=True)
class Campagne:
    """Ce qui occupe l'espace entre les villages.

    Attributes
    ----------
    chemins
        Chemins et sentiers, pas encore mis en réseau.
    fosses
        Fossés de drainage, float64[n, 4].
    bois, etangs, parcs, zones_baties
        Polygones, mètres.
    """

    chemins: Segments
    fosses: Flottants
    bois: tuple[shapely.Polygon, ...]
    etangs: tuple[shapely.Polygon, ...]
    parcs: tuple[shapely.Polygon, ...]
    zones_baties: tuple[shapely.Polygon, ...]


def polygones_du_champ(
    cadre: Cadre, champ: Flottants, seuil: float, aire_min_m2: float
) -> tuple[shapely.Polygon, ...]:
    """Polygones (avec trous) où le champ dépasse le seuil, du plus grand au plus petit."""
    x, y = cadre.centres_cellules()
    generateur = contour_generator(x, y, champ, fill_type=FillType.OuterOffset)
    polygones: list[shapely.Polygon] = []
    # La forme OuterOffset rend exactement deux listes : sommets et bornes des anneaux.
    points, decoupes = cast(tuple[list[Flottants], list[Entiers]], generateur.filled(seuil, np.inf))
    for sommets, bornes in zip(points, decoupes, strict=True):
        anneaux = [sommets[a:b] for a, b in itertools.pairwise(bornes)]
        polygone = shapely.Polygon(anneaux[0], anneaux[1:]).simplify(6.0)
        if (
            isinstance(polygone, shapely.Polygon)
            and polygone.is_valid
            and polygone.area >= aire_min_m2
        ):
            polygones.append(polygone)
    return tuple(sorted(polygones, key=lambda p: (-p.area, p.bounds)))


def champ_bois(cadre: Cadre, vallees: Vallees, emprise: EmpriseBatie) -> Flottants:
    """Champ dont les valeurs positives sont boisées : crêtes et versants du sud, bosquets."""
    hasard = cadre.hasard(12)
    z = ndimage.gaussian_filter(vallees.altitude_m, 4)
    pente = np.hypot(*np.gradient(z, cadre.pas_m))
    champ = bruit(cadre.forme, 1900 / cadre.pas_m, hasard, 4)
    champ += 14.0 * np.clip(pente, 0, 0.08) + 0.5 * np.clip((z - 40) / 90, -0.4, 1)
    champ -= 1.75 + 3.0 * np.clip(1.5 - emprise.rang, 0, 1.0)
    return np.asarray(champ)


def _trame_rurale(cadre: Cadre) -> Flottants:
    """Limites de parcelles : carrefours d'une trame déformée, float64[i, j, 2]."""
    hasard = cadre.hasard(13)
    diagonale = np.hypot(cadre.est - cadre.ouest, cadre.nord - cadre.sud) / 2
    u = np.arange(-diagonale, diagonale, 400.0)
    v = np.arange(-diagonale, diagonale, 310.0)
    gu, gv = np.meshgrid(u, v, indexing="ij")
    angle = 0.23
    x = (cadre.ouest + cadre.est) / 2 + np.cos(angle) * gu - np.sin(angle) * gv
    y = (cadre.sud + cadre.nord) / 2 + np.sin(angle) * gu + np.cos(angle) * gv
    xy = np.column_stack([x.ravel(), y.ravel()]) + hasard.normal(0, 55, (x.size, 2))
    xy = deformer(cadre, xy, 130.0, 3600.0)
    return xy.reshape(*gu.shape, 2)


def _semer_chemins(
    cadre: Cadre, vallees: Vallees, emprise: EmpriseBatie, bois: Flottants
) -> tuple[Segments, Flottants]:
    """Chemins, sentiers et fossés le long des limites de parcelles."""
    hasard = cadre.hasard(14)
    points = _trame_rurale(cadre)
    forme = points.shape[:2]
    numeros = np.arange(forme[0] * forme[1]).reshape(forme)
    rues_u = np.broadcast_to(np.arange(forme[1]), forme)[:-1].ravel() * 2
    rues_v = np.broadcast_to(np.arange(forme[0])[:, None], forme)[:, :-1].ravel() * 2 + 1
    o = np.r_[numeros[:-1].ravel(), numeros[:, :-1].ravel()]
    c = np.r_[numeros[1:].ravel(), numeros[:, 1:].ravel()]
    rue = 1_000_000 + np.r_[rues_u, rues_v]
    plats = points.reshape(-1, 2)
    segments = np.column_stack([plats[o], plats[c]])
    milieu = (plats[o] + plats[c]) / 2
    dedans = cadre.contient(plats[o, 0], plats[o, 1], 250)
    dedans &= cadre.contient(plats[c, 0], plats[c, 1], 250)
    rang_o = cadre.echantillonner(emprise.rang, *plats[o].T)
    rang_c = cadre.echantillonner(emprise.rang, *plats[c].T)
    rural = dedans & (np.maximum(rang_o, rang_c) > 1.12) & (np.minimum(rang_o, rang_c) > 0.85)
    foret = cadre.echantillonner(bois, *milieu.T) > 0
    plaine = (cadre.echantillonner(vallees.altitude_m, *milieu.T) < 23.5) & ~foret
    tirage = hasard.random(o.size)
    chemin = rural & np.where(plaine, tirage < 0.40, tirage < 0.48)
    sentier = rural & ~chemin & np.where(foret, tirage < 0.92, tirage < 0.56)
    sentier |= rural & foret & chemin & (tirage > 0.2)
    fosse = rural & plaine & ~chemin & ~sentier & (tirage > 0.45)
    nature = np.where(sentier, "sentier", "chemin")
    garde = chemin | sentier
    # Un fossé s'arrête avant le carrefour : il ne barre pas le chemin qui y passe.
    retrait = 0.06 * (segments[:, 2:] - segments[:, :2])
    raccourcis = np.column_stack([segments[:, :2] + retrait, segments[:, 2:] - retrait])
    return (
        Segments(segments[garde], nature[garde], np.where(sentier, -1, rue)[garde]),
        raccourcis[fosse],
    )


def _taches(
    cadre: Cadre, centres: Flottants, rayons: Flottants, theme: int
) -> tuple[shapely.Polygon, ...]:
    """Taches arrondies et irrégulières (étangs, parcs)."""
    hasard = cadre.hasard(theme)
    angles = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    phases = hasard.uniform(0, 2 * np.pi, (len(centres), 3, 1))
    forme = 1 + sum(0.17 / k * np.sin((k + 1) * angles + phases[:, k - 1]) for k in (1, 2, 3))
    r = rayons[:, None] * forme
    x = centres[:, :1] + r * np.cos(angles)
    y = centres[:, 1:] + 0.8 * r * np.sin(angles)
    return tuple(np.atleast_1d(np.asarray(shapely.polygons(np.stack([x, y], axis=-1)))))


def _etangs(cadre: Cadre, vallees: Vallees, emprise: EmpriseBatie) -> tuple[shapely.Polygon, ...]:
    """Étangs des fonds humides et des affaissements miniers."""
    hasard = cadre.hasard(15)
    n = 900
    x = hasard.uniform(cadre.ouest + 500, cadre.est - 500, n)
    y = hasard.uniform(cadre.sud + 500, cadre.nord - 500, n)
    creux = (
        (cadre.echantillonner(vallees.hauteur_m, x, y) < 1.6)
        & (cadre.echantillonner(vallees.distance_m, x, y) > 110)
        & (cadre.echantillonner(vallees.distance_m, x, y) < 900)
        & (cadre.echantillonner(emprise.rang, x, y) > 1.25)
    )
    rang = np.flatnonzero(creux)[: cadre.part(46)]
    return _taches(cadre, np.column_stack([x, y])[rang], hasard.uniform(25, 110, rang.size), 16)


def _parcs(cadre: Cadre, habitat: Habitat, emprise: EmpriseBatie) -> tuple[shapely.Polygon, ...]:
    """Parcs et squares, plus nombreux dans les grandes communes."""
    hasard = cadre.hasard(17)
    nombre = np.ceil(habitat.population / 2600).astype(np.int64)
    nombre[habitat.population < 900] = hasard.random((habitat.population < 900).sum()) < 0.35
    rang = np.repeat(np.arange(nombre.size), nombre)
    distance = habitat.rayon_m[rang] * np.sqrt(hasard.uniform(0.01, 0.9, rang.size))
    angle = hasard.uniform(0, 2 * np.pi, rang.size)
    centres = np.column_stack(
        [habitat.x[rang] + distance * np.cos(angle), habitat.y[rang] + distance * np.sin(angle)]
    )
    bati = cadre.echantillonner(emprise.rang, *centres.T) < 1.2
    rayons = np.exp(hasard.normal(3.7, 0.45, rang.size))
    return _taches(cadre, centres[bati], rayons[bati], 18)


def construire_campagne(
    cadre: Cadre, vallees: Vallees, habitat: Habitat, axes: Axes, emprise: EmpriseBatie
) -> Campagne:
    """Chemins, fossés et occupation du sol."""
    bois = champ_bois(cadre, vallees, emprise)
    chemins, fosses = _semer_chemins(cadre, vallees, emprise, bois)
    return Campagne(
        chemins,
        fosses,
        polygones_du_champ(cadre, bois, 0.0, 12_000.0),
        _etangs(cadre, vallees, emprise),
        _parcs(cadre, habitat, emprise),
        polygones_du_champ(cadre, -ndimage.gaussian_filter(emprise.rang, 0.8), -1.0, 15_000.0),
    )


def limiter_fosses(
    cadre: Cadre,
    campagne: Campagne,
    rivieres: CoursEau,
    canal: Flottants,
    limites: tuple[shapely.Geometry, ...],
) -> Campagne:
    """Garder assez de fossés pour la longueur visée de cours d'eau dans le territoire."""
    territoire = shapely.union_all(list(limites))
    shapely.prepare(territoire)

    def longueurs_m(lignes: NDArray[np.object_]) -> Flottants:
        resultat: Flottants = shapely.length(shapely.intersection(lignes, territoire))
        return resultat

    naturels = np.array([shapely.LineString(ligne) for ligne in (*rivieres.lignes, canal)])
    fosses = np.asarray(shapely.linestrings(campagne.fosses.reshape(-1, 2, 2)))
    dedans = longueurs_m(fosses)
    manque = LONGUEUR_EAU_M * cadre.facteur - float(longueurs_m(naturels).sum())
    ordre = cadre.hasard(19).permutation(len(fosses))
    cumul = np.cumsum(dedans[ordre])
    # Les fossés extérieurs, de longueur nulle ici, sont éclaircis dans la même proportion.
    garde = np.sort(ordre[cumul <= max(manque, 0.0)])
    return replace(campagne, fosses=campagne.fosses[garde])

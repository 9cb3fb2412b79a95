"""Limites communales, bassins de vie et secteurs fictifs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from scipy.sparse import csgraph

from donnees_geo.demo.axes import Axes
from donnees_geo.demo.cadre import CENTRE_M, Cadre, Entiers, Flottants, plus_proches
from donnees_geo.demo.habitat import Habitat, ordonnee_ceinture
from donnees_geo.demo.hydrographie import CoursEau
from donnees_geo.demo.maillage import Maillage, penaliser_franchissements
from donnees_geo.demo.planarisation import segments_de_ligne

NOMBRE_BASSINS: Final = 10
SECTEURS: Final = ("Nord", "Ouest", "Sud", "Est")


@dataclass(frozen=True)
class Decoupage:
    """Communes du territoire et leurs zonages, dans l'ordre de l'habitat.

    Attributes
    ----------
    limites
        Un polygone par commune intérieure, mètres ; les limites communes sont identiques.
    bassin
        int64[n], rang de la commune pôle du bassin de vie.
    secteur
        int64[n], rang dans :data:`SECTEURS`.
    """

    limites: tuple[shapely.Geometry, ...]
    bassin: Entiers
    secteur: Entiers


def _attribuer_noeuds(
    maillage: Maillage, rivieres: CoursEau, canal: Flottants, habitat: Habitat
) -> Entiers:
    """Commune de chaque noeud du maillage : la plus proche, l'eau comptant comme un détour."""
    lits = np.vstack([segments_de_ligne(ligne) for ligne in rivieres.lignes])
    couts = penaliser_franchissements(maillage, maillage.longueur_m, lits, 700.0)
    couts = penaliser_franchissements(maillage, couts, segments_de_ligne(canal), 500.0)
    _, noeuds = plus_proches(maillage.xy, np.column_stack([habitat.x, habitat.y]))
    _, _, sources = csgraph.dijkstra(
        maillage.matrice(couts), indices=noeuds, min_only=True, return_predecessors=True
    )
    commune_du_noeud = np.zeros(len(maillage.xy), dtype=np.int64)
    commune_du_noeud[noeuds] = np.arange(noeuds.size)
    atteint = sources >= 0
    resultat = np.zeros(len(maillage.xy), dtype=np.int64)
    resultat[atteint] = commune_du_noeud[sources[atteint]]
    return resultat


def _frontieres(
    maillage: Maillage, commune: Entiers, rivieres: CoursEau
) -> tuple[Flottants, Entiers, Entiers]:
    """Segments de limite entre centres de triangles, attirés par les rivières proches."""
    t = maillage.triangles
    centres = maillage.xy[t].mean(axis=1)
    cotes = np.vstack([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])
    triangle = np.tile(np.arange(len(t)), 3)
    cotes = np.sort(cotes, axis=1)
    cle = cotes[:, 0] * np.int64(len(maillage.xy)) + cotes[:, 1]
    ordre = np.argsort(cle, kind="stable")
    paire = np.flatnonzero(np.diff(cle[ordre]) == 0)
    a, b = triangle[ordre][paire], triangle[ordre][paire + 1]
    bord = commune[cotes[ordre][paire, 0]] != commune[cotes[ordre][paire, 1]]
    a, b = a[bord], b[bord]
    utiles, rangs = np.unique(np.r_[a, b], return_inverse=True)
    xy, o, c = centres[utiles], rangs[: a.size], rangs[a.size :]
    degre = np.bincount(rangs, minlength=utiles.size)
    x, y, _, _ = rivieres.points_serres()
    ecart, proche = plus_proches(np.column_stack([x, y]), xy)
    attire = (degre == 2) & (ecart < 95)
    xy[attire] = np.column_stack([x, y])[proche[attire]]
    libre = (degre == 2) & ~attire
    for _ in range(3):
        somme = np.zeros_like(xy)
        np.add.at(somme, o, xy[c])
        np.add.at(somme, c, xy[o])
        xy[libre] = 0.4 * xy[libre] + 0.3 * somme[libre]
    return xy, o, c


def _polygones(
    cadre: Cadre, maillage: Maillage, commune: Entiers, xy: Flottants, o: Entiers, c: Entiers
) -> dict[int, shapely.Geometry]:
    """Polygone de chaque commune, toutes les limites étant nouées ensemble."""
    lignes = shapely.linestrings(np.stack([xy[o], xy[c]], axis=1))
    cadre_ligne = shapely.box(
        cadre.ouest + 40, cadre.sud + 40, cadre.est - 40, cadre.nord - 40
    ).exterior
    nouees = shapely.union_all(np.append(np.asarray(lignes), np.asarray(cadre_ligne)))
    faces = np.array(shapely.get_parts(shapely.polygonize(shapely.get_parts(nouees))))
    point = shapely.get_coordinates(shapely.point_on_surface(faces))
    _, proche = plus_proches(maillage.xy, point)
    numero = commune[proche]
    # La face qui contient le centre décide ; les éclats suivent leur noeud le plus proche.
    return {int(k): shapely.union_all(faces[numero == k]) for k in np.unique(numero)}


def _plus_grande_partie(
    polygones: dict[int, shapely.Geometry], interieures: Entiers
) -> list[shapely.Geometry]:
    """Rattacher les éclats détachés à la commune voisine : une commune, un seul polygone."""
    morceaux: list[list[shapely.Geometry]] = []
    eclats: list[shapely.Geometry] = []
    for k in interieures:
        parts = sorted(shapely.get_parts(polygones[int(k)]), key=lambda p: -p.area)
        morceaux.append([parts[0]])
        eclats += parts[1:]
    arbre = shapely.STRtree([m[0] for m in morceaux])
    # Un trou au milieu du territoire (éclat d'une commune extérieure) rejoint aussi un voisin.
    union = shapely.union_all([m[0] for m in morceaux] + eclats)
    eclats += [
        shapely.Polygon(trou) for partie in shapely.get_parts(union) for trou in partie.interiors
    ]
    for eclat in eclats:
        voisins = arbre.query(eclat, predicate="intersects")
        communs = [shapely.length(shapely.intersection(eclat, morceaux[v][0])) for v in voisins]
        if communs and max(communs) > 0:
            morceaux[int(voisins[int(np.argmax(communs))])].append(eclat)
    return [shapely.union_all(m) for m in morceaux]


def _poles(habitat: Habitat, nombre: int) -> Entiers:
    """Pôles des bassins de vie : les communes les plus peuplées, espacées."""
    dedans = np.flatnonzero(habitat.interieure)
    ordre = dedans[np.argsort(-habitat.population[dedans], kind="stable")]
    espacement = 5200.0
    while True:
        poles: list[int] = []
        for i in ordre:
            d = np.hypot(habitat.x[poles] - habitat.x[i], habitat.y[poles] - habitat.y[i])
            if not poles or d.min() > espacement:
                poles.append(int(i))
            if len(poles) == nombre:
                return np.array(poles)
        espacement *= 0.9


def construire_decoupage(
    cadre: Cadre, maillage: Maillage, rivieres: CoursEau, axes: Axes, habitat: Habitat
) -> Decoupage:
    """Communes, bassins de vie et secteurs."""
    commune = _attribuer_noeuds(maillage, rivieres, axes.canal, habitat)
    xy, o, c = _frontieres(maillage, commune, rivieres)
    polygones = _polygones(cadre, maillage, commune, xy, o, c)
    interieures = np.flatnonzero(habitat.interieure)
    poles = _poles(habitat, max(3, round(NOMBRE_BASSINS * cadre.facteur**0.5)))
    x, y = habitat.x[interieures], habitat.y[interieures]
    # Un pôle attire d'autant plus loin qu'il est peuplé.
    attrait = np.hypot(x[:, None] - habitat.x[poles], y[:, None] - habitat.y[poles])
    attrait = attrait / habitat.population[poles] ** 0.18
    attrait[np.searchsorted(interieures, poles), np.arange(poles.size)] = 0.0
    ecart = y - ordonnee_ceinture(cadre, x)
    bande = 0.13 * cadre.hauteur_m
    milieu = np.where(x < CENTRE_M[0], SECTEURS.index("Ouest"), SECTEURS.index("Est"))
    secteur = np.where(ecart > bande, 0, np.where(ecart < -bande, 2, milieu))
    return Decoupage(
        tuple(_plus_grande_partie(polygones, interieures)),
        poles[np.argmin(attrait, axis=1)],
        secteur.astype(np.int64),
    )

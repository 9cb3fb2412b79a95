"""Maillage plan du terrain et chemins de moindre coût.

Routes, voie ferrée et limites communales suivent les arêtes d'une même triangulation : elles ne
peuvent ni se chevaucher ni se croiser ailleurs qu'en un noeud.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import Delaunay

from donnees_geo.demo.cadre import Cadre, Entiers, Flottants, plus_proches
from donnees_geo.demo.planarisation import croisements
from donnees_geo.demo.relief import Vallees

#: Espacement des noeuds du maillage, mètres.
PAS_MAILLE_M: Final = 135.0


@dataclass(frozen=True)
class Maillage:
    """Triangulation du terrain.

    Attributes
    ----------
    xy
        float64[n, 2], mètres.
    origine, cible
        int64[m], arêtes non orientées (origine < cible).
    longueur_m
        float64[m].
    triangles
        int64[k, 3].
    """

    xy: Flottants
    origine: Entiers
    cible: Entiers
    longueur_m: Flottants
    triangles: Entiers

    def segments(self) -> Flottants:
        """Arêtes sous la forme float64[m, 4]."""
        return np.column_stack([self.xy[self.origine], self.xy[self.cible]])

    def matrice(self, couts: Flottants) -> sparse.csr_array:
        """Matrice creuse symétrique des coûts d'arêtes."""
        n = len(self.xy)
        return sparse.csr_array(
            (
                np.r_[couts, couts],
                (np.r_[self.origine, self.cible], np.r_[self.cible, self.origine]),
            ),
            shape=(n, n),
        )

    def aretes_de(self, a: Entiers, b: Entiers) -> Entiers:
        """Rang des arêtes joignant les noeuds ``a`` et ``b``."""
        n = np.int64(len(self.xy))
        cles = self.origine * n + self.cible
        rangs: Entiers = np.searchsorted(cles, np.minimum(a, b) * n + np.maximum(a, b))
        return rangs


def construire_maillage(cadre: Cadre, centres: Flottants) -> Maillage:
    """Triangulation de points en quinconce dérangés, centres de communes compris."""
    hasard = cadre.hasard(6)
    hauteur = PAS_MAILLE_M * np.sqrt(3) / 2
    lignes = np.arange(cadre.sud + 30, cadre.nord - 30, hauteur)
    colonnes = np.arange(cadre.ouest + 30, cadre.est - 30 - PAS_MAILLE_M / 2, PAS_MAILLE_M)
    x, y = np.meshgrid(colonnes, lignes)
    x[1::2] += PAS_MAILLE_M / 2
    xy = np.column_stack([x.ravel(), y.ravel()])
    xy += hasard.uniform(-0.33, 0.33, xy.shape) * PAS_MAILLE_M
    _, proches = plus_proches(xy, centres)
    xy[proches] = centres
    triangles = Delaunay(xy).simplices.astype(np.int64)
    paires = np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]))
    cles = np.unique(paires[:, 0] * np.int64(len(xy)) + paires[:, 1])
    origine, cible = np.divmod(cles, len(xy))
    longueur = np.hypot(*(xy[origine] - xy[cible]).T)
    # Les longues arêtes du bord de l'enveloppe feraient des raccourcis hors du terrain.
    courte = longueur < 3 * PAS_MAILLE_M
    return Maillage(xy, origine[courte], cible[courte], longueur[courte], triangles)


def cout_terrain(cadre: Cadre, maillage: Maillage, vallees: Vallees) -> Flottants:
    """Coût de chaque arête : longueur, pente, terrain humide et une part de hasard."""
    hasard = cadre.hasard(7)
    z = cadre.echantillonner(vallees.altitude_m, *maillage.xy.T)
    pente = np.abs(z[maillage.origine] - z[maillage.cible]) / maillage.longueur_m
    hauteur = cadre.echantillonner(vallees.hauteur_m, *maillage.xy.T)
    humide = np.clip(1.2 - hauteur, 0, 1.2)
    facteur = 1 + (pente / 0.035) ** 2 + 0.35 * (humide[maillage.origine] + humide[maillage.cible])
    cout: Flottants = maillage.longueur_m * facteur * hasard.uniform(0.85, 1.25, facteur.size)
    return cout


def penaliser_franchissements(
    maillage: Maillage, couts: Flottants, obstacle: Flottants, cout_m: float
) -> Flottants:
    """Ajouter un coût aux arêtes qui franchissent les segments d'un obstacle."""
    i, _, _, _ = croisements(maillage.segments(), obstacle)
    ajout = np.bincount(i, minlength=couts.size)
    return np.asarray(couts + cout_m * np.minimum(ajout, 2.0))


def tracer_chemins(
    maillage: Maillage, couts: Flottants, couples: Sequence[tuple[int, int]], limite: float
) -> list[Entiers]:
    """Noeuds du chemin de moindre coût de chaque couple ; vide quand il dépasse la limite."""
    if not couples:
        return []
    matrice = maillage.matrice(couts)
    destinations: dict[int, list[int]] = {}
    for a, b in couples:
        destinations.setdefault(a, []).append(b)
    chemins: dict[tuple[int, int], Entiers] = {}
    for depart, arrivees in sorted(destinations.items()):
        vol = np.hypot(*(maillage.xy[arrivees] - maillage.xy[depart]).T)
        # La plupart des chemins coûtent moins du double du vol d'oiseau : chercher loin est rare.
        portee = min(2.0 * float(vol.max()) + 1500.0, limite)
        parents = _arbre(matrice, depart, portee)
        if portee < limite and (parents[arrivees] < 0).any():
            parents = _arbre(matrice, depart, limite)
        for arrivee in arrivees:
            chemins[depart, arrivee] = _remonter(parents, depart, arrivee)
    return [chemins[c] for c in couples]


def _arbre(matrice: sparse.csr_array, depart: int, limite: float) -> Entiers:
    """Prédécesseur de chaque noeud sur le plus court chemin depuis ``depart``, négatif au-delà."""
    _, parents, _ = csgraph.dijkstra(
        matrice, indices=np.array([depart]), limit=limite, return_predecessors=True, min_only=True
    )
    return np.asarray(parents, dtype=np.int64)


def _remonter(parents: Entiers, depart: int, arrivee: int) -> Entiers:
    """Noeuds du départ à l'arrivée ; vide si l'arrivée n'est pas atteinte."""
    noeuds = [arrivee]
    while noeuds[-1] != depart and parents[noeuds[-1]] >= 0:
        noeuds.append(int(parents[noeuds[-1]]))
    return np.array(noeuds[::-1] if noeuds[-1] == depart else [], dtype=np.int64)

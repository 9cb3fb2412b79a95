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
from scipy.spatial import Delaunay, cKDTree

from donnees_geo.demo.cadre import Cadre, Entiers, Flottants
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
    _, proches = cKDTree(xy).query(centres)
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
    ajout: Flottants = np.bincount(i, minlength=couts.size)
    return couts + cout_m * np.minimum(ajout, 2)


def tracer_chemins(
    maillage: Maillage, couts: Flottants, couples: Sequence[tuple[int, int]], limite: float
) -> list[Entiers]:
    """Noeuds du chemin de moindre coût de chaque couple ; vide quand il dépasse la limite."""
    if not couples:
        return []
    departs = sorted({a for a, _ in couples})
    matrice = maillage.matrice(couts)
    chemins: dict[tuple[int, int], Entiers] = {}
    for depart in departs:
        _, parents = csgraph.dijkstra(
            matrice, indices=depart, limit=limite, return_predecessors=True
        )
        for a, b in couples:
            if a != depart:
                continue
            noeuds = [b]
            while noeuds[-1] != a and parents[noeuds[-1]] >= 0:
                noeuds.append(int(parents[noeuds[-1]]))
            chemins[a, b] = np.array(noeuds[::-1] if noeuds[-1] == a else [], dtype=np.int64)
    return [chemins[c] for c in couples]

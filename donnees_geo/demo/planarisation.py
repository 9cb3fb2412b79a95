"""Géométrie plane en tableaux : croisements de segments et découpe en réseau noué.

Un segment est une ligne ``x0, y0, x1, y1`` d'un tableau float64[n, 4], en mètres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from donnees_geo.demo.cadre import Booleens, Entiers, Flottants

#: Deux extrémités plus proches que cette distance (m) sont le même noeud.
PRECISION_M: Final = 0.05
#: Une extrémité plus proche que cette distance (m) d'un segment s'y rattache.
ACCROCHE_M: Final = 3.0


def segments_de_ligne(points: Flottants) -> Flottants:
    """Segments successifs d'une ligne float64[n, 2]."""
    return np.column_stack([points[:-1], points[1:]])


def _lignes(segments: Flottants) -> np.ndarray:
    return np.asarray(shapely.linestrings(segments.reshape(-1, 2, 2)))


def _au_voisinage(a: Flottants, b: Flottants) -> Booleens:
    """Segments de ``a`` assez proches d'un segment de ``b`` pour pouvoir le croiser.

    Deux segments qui se croisent ont des milieux plus proches que la plus grande longueur : avec
    des cases de ce côté, leurs milieux sont dans la même case ou dans deux cases voisines.
    """
    longueurs = [np.hypot(s[:, 2] - s[:, 0], s[:, 3] - s[:, 1]).max() for s in (a, b)]
    cote = max(*longueurs, 1.0)
    case_a, case_b = (np.floor((s[:, :2] + s[:, 2:]) / (2 * cote)).astype(np.int64) for s in (a, b))
    minimum = np.minimum(case_a.min(axis=0), case_b.min(axis=0)) - 1
    largeur = int(max(case_a[:, 1].max(), case_b[:, 1].max()) - minimum[1]) + 2
    case_a, case_b = case_a - minimum, case_b - minimum
    centres = np.unique(case_b[:, 0] * largeur + case_b[:, 1])
    voisines = [centres + dx * largeur + dy for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    proche: Booleens = np.isin(case_a[:, 0] * largeur + case_a[:, 1], np.concatenate(voisines))
    return proche


def croisements(a: Flottants, b: Flottants) -> tuple[Entiers, Entiers, Flottants, Flottants]:
    """Croisements entre deux familles de segments.

    Returns
    -------
    tuple
        Rangs dans ``a`` et dans ``b`` et positions (0 à 1) le long de chacun ; les segments
        parallèles ne se croisent pas.
    """
    vide = np.zeros(0, dtype=np.int64)
    if not len(a) or not len(b):
        return vide, vide, np.zeros(0), np.zeros(0)
    # Construire une ligne coûte plus cher que la croiser : on écarte d'abord les segments de ``a``
    # éloignés de tout ``b``.
    utiles = np.arange(len(a)) if a is b else np.flatnonzero(_au_voisinage(a, b))
    rang, j = shapely.STRtree(_lignes(b)).query(_lignes(a[utiles]))
    i = utiles[rang]
    da, db = a[i, 2:] - a[i, :2], b[j, 2:] - b[j, :2]
    ecart = b[j, :2] - a[i, :2]
    determinant = da[:, 0] * db[:, 1] - da[:, 1] * db[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        ta = (ecart[:, 0] * db[:, 1] - ecart[:, 1] * db[:, 0]) / determinant
        tb = (ecart[:, 0] * da[:, 1] - ecart[:, 1] * da[:, 0]) / determinant
        garde = (ta >= 0) & (ta <= 1) & (tb >= 0) & (tb <= 1) & np.isfinite(ta)
    return i[garde], j[garde], ta[garde], tb[garde]


def positions_uniques(xy: Flottants, precision_m: float = PRECISION_M) -> tuple[Flottants, Entiers]:
    """Positions distinctes à la précision près et rang de chaque point parmi elles."""
    cle = np.round(xy / precision_m).astype(np.int64)
    # Une seule clé entière se trie bien plus vite que des lignes à deux colonnes.
    minimum = cle.min(axis=0)
    etendue = int(cle[:, 1].max() - minimum[1]) + 1
    plate = (cle[:, 0] - minimum[0]) * etendue + (cle[:, 1] - minimum[1])
    _, premiers, rangs = np.unique(plate, return_index=True, return_inverse=True)
    return xy[premiers], rangs.astype(np.int64)


@dataclass(frozen=True)
class ReseauNoue:
    """Réseau plan : deux arêtes ne se touchent qu'à leurs noeuds.

    Attributes
    ----------
    x, y
        float64[n], mètres.
    origine, cible
        int64[m], noeuds des arêtes.
    source
        int64[m], rang du segment d'origine.
    """

    x: Flottants
    y: Flottants
    origine: Entiers
    cible: Entiers
    source: Entiers

    def longueurs(self) -> Flottants:
        """Longueur des arêtes, mètres."""
        longueurs: Flottants = np.hypot(
            self.x[self.cible] - self.x[self.origine], self.y[self.cible] - self.y[self.origine]
        )
        return longueurs

    def segments(self) -> Flottants:
        """Arêtes sous la forme float64[m, 4]."""
        o, c = self.origine, self.cible
        return np.column_stack([self.x[o], self.y[o], self.x[c], self.y[c]])

    def filtrer(self, garde: Booleens) -> ReseauNoue:
        """Réseau réduit aux arêtes retenues (les noeuds gardent leur rang)."""
        return ReseauNoue(
            self.x, self.y, self.origine[garde], self.cible[garde], self.source[garde]
        )


def _accrocher(segments: Flottants, accroche_m: float) -> tuple[Flottants, Entiers, Flottants]:
    """Amener sur le segment voisin les extrémités qui le manquent de peu.

    Returns
    -------
    tuple
        Segments déplacés, rang du segment accroché et position de l'accroche le long de lui.
    """
    bouts = np.vstack([segments[:, :2], segments[:, 2:]])
    uniques, rang = positions_uniques(bouts)
    arbre = shapely.STRtree(_lignes(segments))
    i, j = arbre.query(shapely.points(uniques), predicate="dwithin", distance=accroche_m)
    a, b = segments[j, :2], segments[j, 2:]
    d = b - a
    carre = np.maximum((d**2).sum(axis=1), 1e-9)
    t = ((uniques[i] - a) * d).sum(axis=1) / carre
    pied = a + t[:, None] * d
    longueur = np.sqrt(carre)
    # Seul l'intérieur du segment compte : un noeud commun est déjà partagé.
    interieur = (t * longueur > accroche_m) & ((1 - t) * longueur > accroche_m)
    i, j, t, pied = i[interieur], j[interieur], t[interieur], pied[interieur]
    _, premiers = np.unique(i, return_index=True)
    i, j, t, pied = i[premiers], j[premiers], t[premiers], pied[premiers]
    deplaces = uniques.copy()
    deplaces[i] = pied
    nouveaux = deplaces[rang]
    n = len(segments)
    return np.column_stack([nouveaux[:n], nouveaux[n:]]), j, t


def planariser(segments: Flottants, accroche_m: float = ACCROCHE_M) -> ReseauNoue:
    """Couper les segments à tous leurs croisements et souder leurs extrémités.

    Parameters
    ----------
    segments
        float64[n, 4], mètres. Non modifié.
    accroche_m
        Distance en deçà de laquelle une extrémité libre rejoint le segment voisin.

    Notes
    -----
    Invariant : la somme des longueurs est conservée aux accroches près, et deux arêtes du résultat
    n'ont en commun que des noeuds.
    """
    deplaces, j_accroche, t_accroche = _accrocher(segments, accroche_m)
    n = len(deplaces)
    i, j, ti, tj = croisements(deplaces, deplaces)
    garde = i < j
    rang = np.concatenate([np.arange(n), np.arange(n), i[garde], j[garde], j_accroche])
    t = np.concatenate([np.zeros(n), np.ones(n), ti[garde], tj[garde], t_accroche])
    ordre = np.lexsort((t, rang))
    rang, t = rang[ordre], t[ordre]
    xy = deplaces[rang, :2] + t[:, None] * (deplaces[rang, 2:] - deplaces[rang, :2])
    uniques, noeud = positions_uniques(xy, 0.5)
    suite = rang[:-1] == rang[1:]
    origine, cible, source = noeud[:-1][suite], noeud[1:][suite], rang[:-1][suite]
    utile = origine != cible
    origine, cible, source = origine[utile], cible[utile], source[utile]
    # Deux segments superposés ne font qu'une arête : la première source l'emporte.
    bas, haut = np.minimum(origine, cible), np.maximum(origine, cible)
    _, premiers = np.unique(bas * np.int64(len(uniques)) + haut, return_index=True)
    premiers.sort()
    return ReseauNoue(
        uniques[:, 0], uniques[:, 1], origine[premiers], cible[premiers], source[premiers]
    )

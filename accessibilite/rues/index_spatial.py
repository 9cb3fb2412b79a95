"""Index spatial en grille des segments de rue, pour rattacher un point à l'arête la plus proche.

Écrit en propre et compilé : le rattachement projette sur le segment, rend la position le long du
tronçon et traite des dizaines de milliers de points en quelques millisecondes ; un arbre général
de géométries demanderait de reprojeter ensuite chaque point.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from donnees_geo.reseau import ReseauRues

#: Côté visé des cases, m : une case contient quelques segments en ville.
CASE_M: Final = 100.0
#: Nombre maximal de cases ; au-delà elles grandissent.
CASES_MAX: Final = 4_000_000


class IndexTroncons(NamedTuple):
    """Segments rangés par case d'une grille régulière.

    Attributes
    ----------
    ouest, sud, case_m, colonnes, lignes
        Origine (m), côté des cases (m) et dimensions de la grille.
    debut_case
        int64[colonnes·lignes + 1], premier segment de chaque case dans ``segments``.
    segments
        int64[s], indice du premier sommet du segment dans la géométrie du réseau.
    troncon_sommet
        int32[k], tronçon de chaque sommet de la géométrie.
    abscisse_m
        float64[k], distance de chaque sommet au début de son tronçon, m.
    """

    ouest: float
    sud: float
    case_m: float
    colonnes: int
    lignes: int
    debut_case: NDArray[np.int64]
    segments: NDArray[np.int64]
    troncon_sommet: NDArray[np.int32]
    abscisse_m: NDArray[np.float64]


def calculer_abscisses(reseau: ReseauRues) -> NDArray[np.float64]:
    """Distance de chaque sommet au début de son tronçon, float64[k], mètres."""
    pas = np.hypot(np.diff(reseau.geometrie_x), np.diff(reseau.geometrie_y))
    cumul = np.concatenate([[0.0], np.cumsum(pas)])
    nombre = np.diff(reseau.geometrie_debut)
    abscisses: NDArray[np.float64] = cumul - np.repeat(cumul[reseau.geometrie_debut[:-1]], nombre)
    return abscisses


def construire_index(reseau: ReseauRues, retenus: NDArray[np.bool_]) -> IndexTroncons:
    """Ranger les segments des tronçons retenus dans une grille.

    Parameters
    ----------
    reseau
        Réseau de rues.
    retenus
        bool[m], tronçons auxquels on peut se rattacher.
    """
    nombre = np.diff(reseau.geometrie_debut)
    troncon_sommet = np.repeat(np.arange(reseau.nombre_troncons, dtype=np.int32), nombre)
    segment = np.flatnonzero(
        (troncon_sommet[:-1] == troncon_sommet[1:]) & retenus[troncon_sommet[:-1]]
    )
    x, y = reseau.geometrie_x, reseau.geometrie_y
    ouest, sud = (float(x.min()), float(y.min())) if x.size else (0.0, 0.0)
    largeur = float(x.max()) - ouest if x.size else 0.0
    hauteur = float(y.max()) - sud if y.size else 0.0
    case_m = max(CASE_M, float(np.sqrt((largeur + CASE_M) * (hauteur + CASE_M) / CASES_MAX)))
    colonnes, lignes = int(largeur // case_m) + 1, int(hauteur // case_m) + 1
    debut, segments = _remplir_cases(x, y, segment, ouest, sud, case_m, colonnes, lignes)
    return IndexTroncons(
        ouest=ouest,
        sud=sud,
        case_m=case_m,
        colonnes=colonnes,
        lignes=lignes,
        debut_case=debut,
        segments=segments,
        troncon_sommet=troncon_sommet,
        abscisse_m=calculer_abscisses(reseau),
    )


@nb.njit(cache=True, nogil=True)
def _remplir_cases(x, y, segment, ouest, sud, case_m, colonnes, lignes):  # type: ignore[no-untyped-def]
    """Deux passages : compter les segments de chaque case, puis les ranger."""
    debut = np.zeros(colonnes * lignes + 1, dtype=np.int64)
    for passage in range(2):
        if passage == 1:
            for c in range(colonnes * lignes):
                debut[c + 1] += debut[c]
            rempli = debut[:-1].copy()
            segments = np.empty(debut[-1], dtype=np.int64)
        for s in segment:
            # Le quotient peut s'arrondir à l'entier du dessus, au bord est ou nord de la grille.
            c0 = min(colonnes - 1, int((min(x[s], x[s + 1]) - ouest) / case_m))
            c1 = min(colonnes - 1, int((max(x[s], x[s + 1]) - ouest) / case_m))
            l0 = min(lignes - 1, int((min(y[s], y[s + 1]) - sud) / case_m))
            l1 = min(lignes - 1, int((max(y[s], y[s + 1]) - sud) / case_m))
            for ligne in range(l0, l1 + 1):
                for colonne in range(c0, c1 + 1):
                    case = ligne * colonnes + colonne
                    if passage == 0:
                        debut[case + 1] += 1
                    else:
                        segments[rempli[case]] = s
                        rempli[case] += 1
    return debut, segments


@nb.njit(cache=True, nogil=True)
def _examiner_case(px, py, x, y, index, case, d2, segment, part):  # type: ignore[no-untyped-def]
    """Meilleur segment après examen d'une case : (distance², segment, position sur le segment)."""
    for q in range(index.debut_case[case], index.debut_case[case + 1]):
        s = index.segments[q]
        ux, uy = x[s + 1] - x[s], y[s + 1] - y[s]
        norme2 = ux * ux + uy * uy
        p = 0.0
        if norme2 > 0:
            p = min(1.0, max(0.0, ((px - x[s]) * ux + (py - y[s]) * uy) / norme2))
        dx, dy = x[s] + p * ux - px, y[s] + p * uy - py
        candidat = dx * dx + dy * dy
        if candidat < d2 or (candidat == d2 and s < segment):
            d2, segment, part = candidat, s, p
    return d2, segment, part


@nb.njit(cache=True, nogil=True)
def _chercher_un(px, py, distance_max, x, y, index):  # type: ignore[no-untyped-def]
    """Segment le plus proche d'un point, par couronnes de cases croissantes."""
    colonne = int(np.floor((px - index.ouest) / index.case_m))
    ligne = int(np.floor((py - index.sud) / index.case_m))
    # Un point hors de la grille commence à la première couronne qui la touche, et toute case est
    # à moins de ``dernier`` couronnes.
    dehors = max(-colonne, colonne - index.colonnes + 1, -ligne, ligne - index.lignes + 1)
    rayon = max(0, dehors)
    dernier = rayon + index.colonnes + index.lignes
    d2, segment, part = np.inf, -1, 0.0
    while rayon <= dernier:
        # Distance minimale du point à une case de la couronne.
        plancher = max(0, rayon - 1) * index.case_m
        if plancher * plancher > min(d2, distance_max * distance_max):
            break
        for j in range(max(0, ligne - rayon), min(index.lignes, ligne + rayon + 1)):
            # Rangées extrêmes de la couronne : toutes les cases ; les autres : les deux bouts.
            pas, k0, k1 = max(1, 2 * rayon), colonne - rayon, colonne + rayon
            if abs(j - ligne) == rayon:
                pas, k0, k1 = 1, max(0, k0), min(index.colonnes - 1, k1)
            for k in range(k0, k1 + 1, pas):
                if 0 <= k < index.colonnes:
                    case = j * index.colonnes + k
                    d2, segment, part = _examiner_case(px, py, x, y, index, case, d2, segment, part)
        rayon += 1
    return np.sqrt(d2), segment, part


@nb.njit(cache=True, nogil=True)
def chercher_plus_proches(px, py, distance_max, x, y, index):  # type: ignore[no-untyped-def]
    """Segment le plus proche de chaque point.

    À distance égale, le segment de plus petit indice l'emporte : le résultat ne dépend pas de
    l'ordre des points.

    Returns
    -------
    segment, part, distance
        int64[p] (-1 : aucun à moins de ``distance_max``), float64[p] position le long du segment
        (0 à 1), float64[p] mètres (``inf`` sans segment).
    """
    segments = np.full(px.size, -1, dtype=np.int64)
    parts = np.zeros(px.size)
    distances = np.full(px.size, np.inf)
    for i in range(px.size):
        if np.isfinite(px[i]) and np.isfinite(py[i]):
            distance, segment, part = _chercher_un(px[i], py[i], distance_max, x, y, index)
            if distance <= distance_max:
                distances[i], segments[i], parts[i] = distance, segment, part
    return segments, parts, distances

"""Temps entre deux listes de points : matrice pleine ou liens creux bornés."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import NamedTuple, TypeVar

import numba as nb
import numpy as np
from numpy.typing import NDArray

from accessibilite.rues.dijkstra import allouer, rechercher
from accessibilite.rues.graphe import Graphe
from accessibilite.rues.rattachement import Rattachement, calculer_amorces

Progression = Callable[[str, float], None]
_Morceau = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]
_R = TypeVar("_R")


@dataclass(frozen=True)
class Liens:
    """Temps entre paires de points proches, au format CSR.

    Attributes
    ----------
    debut
        int64[p+1], premier lien de chaque point de départ.
    cible
        int32[l], rang du point d'arrivée, croissant dans chaque ligne.
    temps_s
        float64[l], secondes, approches comprises.
    """

    debut: NDArray[np.int64]
    cible: NDArray[np.int32]
    temps_s: NDArray[np.float64]


class _Paires(NamedTuple):
    """Ce que le balayage lit : amorces des départs, liens noeud → arrivée, mêmes tronçons."""

    amorce_debut: NDArray[np.int64]
    amorce_noeud: NDArray[np.int32]
    amorce_cout: NDArray[np.float64]
    noeud_debut: NDArray[np.int64]
    lien_point: NDArray[np.int32]
    lien_cout: NDArray[np.float64]
    point_debut: NDArray[np.int64]
    meme_point: NDArray[np.int32]
    meme_cout: NDArray[np.float64]


@nb.njit(cache=True, nogil=True)
def _noter(arrivee, duree, ligne, vus, nombre_vus):  # type: ignore[no-untyped-def]
    """Garder la plus courte durée vers une arrivée ; rend le nombre d'arrivées vues."""
    if duree < ligne[arrivee]:
        if ligne[arrivee] == np.inf:
            vus[nombre_vus] = arrivee
            nombre_vus += 1
        ligne[arrivee] = duree
    return nombre_vus


@nb.njit(cache=True, nogil=True)
def _lire_ligne(arcs, paires, p, limite, memoire, ligne, vus):  # type: ignore[no-untyped-def]
    """Recherche bornée depuis le départ ``p`` ; remplit ``ligne`` aux arrivées vues."""
    a0, a1 = paires.amorce_debut[p], paires.amorce_debut[p + 1]
    nombre = rechercher(
        arcs,
        paires.amorce_noeud[a0:a1],
        paires.amorce_cout[a0:a1],
        np.zeros(a1 - a0, dtype=np.int32),
        limite,
        memoire,
    )
    vues = 0
    for k in range(nombre):
        noeud = memoire.touches[k]
        for q in range(paires.noeud_debut[noeud], paires.noeud_debut[noeud + 1]):
            duree = memoire.temps[noeud] + paires.lien_cout[q]
            if duree <= limite:
                vues = _noter(paires.lien_point[q], duree, ligne, vus, vues)
        memoire.temps[noeud] = np.inf
    for q in range(paires.point_debut[p], paires.point_debut[p + 1]):
        if paires.meme_cout[q] <= limite:
            vues = _noter(paires.meme_point[q], paires.meme_cout[q], ligne, vus, vues)
    return vues


@nb.njit(cache=True, nogil=True)
def _remplir_matrice(arcs, paires, premier, dernier, limite, matrice):  # type: ignore[no-untyped-def]
    """Lignes ``premier`` à ``dernier`` (exclu) de la matrice des temps."""
    memoire = allouer(arcs.debut.size - 1)
    vus = np.empty(matrice.shape[1], dtype=np.int32)
    for p in range(premier, dernier):
        _lire_ligne(arcs, paires, p, limite, memoire, matrice[p], vus)


@nb.njit(cache=True, nogil=True)
def _chercher_liens(arcs, paires, premier, dernier, limite, arrivees):  # type: ignore[no-untyped-def]
    """Liens des départs ``premier`` à ``dernier`` (exclu) : nombre cumulé, arrivée, durée."""
    memoire = allouer(arcs.debut.size - 1)
    ligne = np.full(arrivees, np.inf)
    vus = np.empty(arrivees, dtype=np.int32)
    cumul = np.zeros(dernier - premier + 1, dtype=np.int64)
    cible = np.empty(1024, dtype=np.int32)
    temps = np.empty(1024, dtype=np.float64)
    total = 0
    for p in range(premier, dernier):
        vues = _lire_ligne(arcs, paires, p, limite, memoire, ligne, vus)
        while total + vues > cible.size:
            cible = np.concatenate((cible, np.empty_like(cible)))
            temps = np.concatenate((temps, np.empty_like(temps)))
        for arrivee in np.sort(vus[:vues]):
            cible[total] = arrivee
            temps[total] = ligne[arrivee]
            ligne[arrivee] = np.inf
            total += 1
        cumul[p - premier + 1] = total
    return cumul, cible[:total].copy(), temps[:total].copy()


def _debuts(cles: NDArray[np.integer], taille: int) -> NDArray[np.int64]:
    debut = np.zeros(taille + 1, dtype=np.int64)
    np.cumsum(np.bincount(cles, minlength=taille), out=debut[1:])
    return debut


def _preparer(graphe: Graphe, departs: Rattachement, arrivees: Rattachement) -> _Paires:
    noeud_d, cout_d, point_d = calculer_amorces(graphe, departs, "depuis")
    ordre = np.argsort(point_d, kind="stable")
    noeud_a, cout_a, point_a = calculer_amorces(graphe, arrivees, "vers")
    ordre_a = np.lexsort((point_a, noeud_a))
    meme_d, meme_a = _paires_meme_troncon(departs, arrivees)
    t = departs.troncon[meme_d]
    ecart = arrivees.position[meme_a] - departs.position[meme_d]
    with np.errstate(invalid="ignore"):
        cout = np.where(ecart > 0, ecart * graphe.aller_s[t], -ecart * graphe.retour_s[t])
    cout = np.where(ecart == 0, 0.0, cout)
    cout = cout + departs.approche_s[meme_d] + arrivees.approche_s[meme_a]
    return _Paires(
        amorce_debut=_debuts(point_d, len(departs)),
        amorce_noeud=noeud_d[ordre].astype(np.int32),
        amorce_cout=cout_d[ordre],
        noeud_debut=_debuts(noeud_a, graphe.nombre_noeuds),
        lien_point=point_a[ordre_a].astype(np.int32),
        lien_cout=cout_a[ordre_a],
        point_debut=_debuts(meme_d, len(departs)),
        meme_point=meme_a.astype(np.int32),
        meme_cout=cout,
    )


def _paires_meme_troncon(
    departs: Rattachement, arrivees: Rattachement
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Toutes les paires posées sur un même tronçon, triées par départ."""
    rang_a = np.flatnonzero(arrivees.rattaches)
    rang_a = rang_a[np.argsort(arrivees.troncon[rang_a], kind="stable")]
    troncon_a = arrivees.troncon[rang_a]
    rang_d = np.flatnonzero(departs.rattaches)
    gauche = np.searchsorted(troncon_a, departs.troncon[rang_d], side="left")
    droite = np.searchsorted(troncon_a, departs.troncon[rang_d], side="right")
    nombre = droite - gauche
    depart = np.repeat(rang_d, nombre)
    decalage = np.arange(nombre.sum()) - np.repeat(np.cumsum(nombre) - nombre, nombre)
    return depart, rang_a[np.repeat(gauche, nombre) + decalage]


def _par_lots(
    nombre: int, tache: Callable[[int, int], _R], progression: Progression | None = None
) -> list[_R]:
    """Exécuter une tâche par tranche de points sur tous les coeurs, résultats dans l'ordre."""
    coeurs = cpu_count() or 1
    bornes = np.linspace(0, nombre, min(nombre, 8 * coeurs) + 1).astype(int).tolist()
    resultats = []
    with ThreadPoolExecutor(coeurs) as fils:
        taches = [fils.submit(tache, a, b) for a, b in itertools.pairwise(bornes)]
        for i, en_cours in enumerate(taches):
            resultats.append(en_cours.result())
            if progression is not None:
                progression("temps entre les points", (i + 1) / len(taches))
    return resultats


def calculer_liens(
    graphe: Graphe, depuis: Rattachement, vers: Rattachement, limite_s: float
) -> Liens:
    """Temps entre les points de deux listes distants de moins de ``limite_s``.

    Une recherche bornée par point de départ ; exact à la position sur l'arête, y compris entre
    deux points d'un même tronçon.

    Parameters
    ----------
    graphe
        Graphe du mode.
    depuis, vers
        Points de départ et d'arrivée rattachés à ce graphe.
    limite_s
        Temps maximal, approches comprises.
    """
    paires = _preparer(graphe, depuis, vers)

    def chercher(premier: int, dernier: int) -> _Morceau:
        morceau: _Morceau = _chercher_liens(
            graphe.avant, paires, premier, dernier, float(limite_s), len(vers)
        )
        return morceau

    morceaux = _par_lots(len(depuis), chercher)
    if not morceaux:
        vide = np.zeros(1, dtype=np.int64)
        return Liens(vide, np.empty(0, dtype=np.int32), np.empty(0))
    decalages = np.cumsum([0, *(m[1].size for m in morceaux)])
    debuts = [m[0][1:] + d for m, d in zip(morceaux, decalages[:-1], strict=True)]
    return Liens(
        np.concatenate([[0], *debuts]).astype(np.int64),
        np.concatenate([m[1] for m in morceaux]),
        np.concatenate([m[2] for m in morceaux]),
    )


def calculer_matrice(
    graphe: Graphe,
    depuis: Rattachement,
    vers: Rattachement,
    *,
    limite_s: float = np.inf,
    progression: Progression | None = None,
) -> NDArray[np.float64]:
    """Temps de chaque départ à chaque arrivée.

    Returns
    -------
    numpy.ndarray
        float64[départs, arrivées], secondes, approches comprises ; ``inf`` si inaccessible ou
        au-delà de ``limite_s``.
    """
    matrice = np.full((len(depuis), len(vers)), np.inf)
    paires = _preparer(graphe, depuis, vers)

    def remplir(premier: int, dernier: int) -> None:
        _remplir_matrice(graphe.avant, paires, premier, dernier, float(limite_s), matrice)

    _par_lots(len(depuis), remplir, progression)
    return matrice

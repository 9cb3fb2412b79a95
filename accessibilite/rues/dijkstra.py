"""Recherches de plus courts temps sur un graphe de rues (noyaux compilés).

Écrits en propre plutôt que sur scipy : la recherche multi-source rend aussi *quel* service est le
plus proche, accepte des coûts initiaux sans noeud ajouté, s'arrête au seuil sans balayer le graphe
entier, et relâche le verrou de Python, si bien que les services se calculent sur tous les coeurs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from accessibilite.rues.graphe import Graphe
from accessibilite.rues.rattachement import Rattachement, calculer_amorces
from donnees_geo.conventions import Sens

#: Une entrée de la file : temps proposé, noeud, et entrée suivante du même seau (-1 : dernière).
ENTREE: Final = np.dtype([("cle", np.float64), ("noeud", np.int32), ("suivante", np.int32)])
#: Nombre de seaux de l'anneau (puissance de deux). Plus d'attente que n'en couvre l'anneau
#: coûterait des reprises, sans changer le résultat.
SEAUX: Final = 4096


class Memoire(NamedTuple):
    """Tableaux de travail d'une recherche.

    Attributes
    ----------
    temps
        float64[n], secondes.
    marque
        int32[n], marque de la source la plus proche.
    touches
        int32[n], noeuds modifiés, dans l'ordre de leur première atteinte.
    seaux
        int32[:data:`SEAUX`], première entrée de chaque seau, -1 s'il est vide.
    entrees
        :data:`ENTREE`[e], réserve d'entrées de la file.
    """

    temps: NDArray[np.float64]
    marque: NDArray[np.int32]
    touches: NDArray[np.int32]
    seaux: NDArray[np.int32]
    entrees: NDArray[np.void]


@nb.njit(cache=True, nogil=True)
def _agrandir(entrees):  # type: ignore[no-untyped-def]
    """Doubler la réserve d'entrées."""
    grandes = np.empty(2 * entrees.size, ENTREE)
    for e in range(entrees.size):
        grandes[e].cle = entrees[e].cle
        grandes[e].noeud = entrees[e].noeud
        grandes[e].suivante = entrees[e].suivante
    return grandes


@nb.njit(cache=True, nogil=True, inline="always")
def _empiler(noeud, cle, frequence, seaux, entrees, libre, neuve):  # type: ignore[no-untyped-def]
    """Ranger un noeud dans le seau de sa clé ; rend (entrée libre, entrée neuve) suivantes."""
    if libre >= 0:
        e = libre
        libre = entrees[e].suivante
    else:
        e = neuve
        neuve += 1
    seau = int(cle * frequence) & (SEAUX - 1)
    entrees[e].cle = cle
    entrees[e].noeud = noeud
    entrees[e].suivante = seaux[seau]
    seaux[seau] = e
    return libre, neuve


@nb.njit(cache=True, nogil=True)
def rechercher(arcs, amorces, couts, marques, limite, memoire):  # type: ignore[no-untyped-def]
    """Plus courts temps multi-source à coûts initiaux, bornés par ``limite``.

    File à seaux (Dial, 1969 ; Meyer et Sanders, 2003) : un noeud attend dans le seau de son temps,
    et un noeud amélioré y retourne. Le résultat est exact quelle que soit la largeur des seaux, qui
    ne règle que le nombre de reprises ; deux à trois fois plus rapide qu'un tas sur des rues.

    ``memoire.temps`` doit valoir ``inf`` partout à l'entrée ; ``memoire.touches`` reçoit les noeuds
    modifiés, que l'appelant remet à ``inf`` s'il réutilise la mémoire. À temps égal, la plus petite
    marque l'emporte : le résultat ne dépend pas de l'ordre des sources.

    Returns
    -------
    int
        Nombre de noeuds touchés.
    """
    temps, marque, touches = memoire.temps, memoire.marque, memoire.touches
    seaux, entrees = memoire.seaux, memoire.entrees
    frequence = 1.0 / arcs.pas_s
    nombre, en_attente = 0, 0
    libre, neuve = -1, 0
    premier = np.inf
    while amorces.size > entrees.size:
        entrees = _agrandir(entrees)
    for i in range(amorces.size):
        noeud, cout, m = amorces[i], couts[i], marques[i]
        ancien = temps[noeud]
        if cout <= limite and (cout < ancien or (cout == ancien and m < marque[noeud])):
            if ancien == np.inf:
                touches[nombre] = noeud
                nombre += 1
            temps[noeud] = cout
            marque[noeud] = m
            libre, neuve = _empiler(noeud, cout, frequence, seaux, entrees, libre, neuve)
            en_attente += 1
            premier = min(premier, cout)
    seau = int(premier * frequence) & (SEAUX - 1) if en_attente > 0 else 0
    while en_attente > 0:
        e = seaux[seau]
        if e < 0:
            seau = (seau + 1) & (SEAUX - 1)
            continue
        seaux[seau] = entrees[e].suivante
        noeud, cle = entrees[e].noeud, entrees[e].cle
        entrees[e].suivante = libre
        libre = e
        en_attente -= 1
        if cle > temps[noeud]:
            continue
        a0, a1 = arcs.debut[noeud], arcs.debut[noeud + 1]
        while neuve + a1 - a0 > entrees.size:
            entrees = _agrandir(entrees)
        m = marque[noeud]
        for a in range(a0, a1):
            cible, nouveau = arcs.arcs[a].cible, cle + arcs.arcs[a].temps_s
            ancien = temps[cible]
            if nouveau <= limite and (
                nouveau < ancien or (nouveau == ancien and m < marque[cible])
            ):
                if ancien == np.inf:
                    touches[nombre] = cible
                    nombre += 1
                temps[cible] = nouveau
                marque[cible] = m
                libre, neuve = _empiler(cible, nouveau, frequence, seaux, entrees, libre, neuve)
                en_attente += 1
    return nombre


@nb.njit(cache=True, nogil=True)
def allouer(n):  # type: ignore[no-untyped-def]
    """Mémoire de travail d'une recherche sur ``n`` noeuds, réutilisable."""
    return Memoire(
        np.full(n, np.inf),
        np.full(n, -1, dtype=np.int32),
        np.empty(n, dtype=np.int32),
        np.full(SEAUX, -1, dtype=np.int32),
        np.empty(n + 64, ENTREE),
    )


@nb.njit(cache=True, nogil=True)
def _rechercher_tout(arcs, amorces, couts, marques, limite):  # type: ignore[no-untyped-def]
    """Une recherche, mémoire allouée sur place."""
    memoire = allouer(arcs.debut.size - 1)
    nombre = rechercher(arcs, amorces, couts, marques, limite, memoire)
    return memoire.temps, memoire.marque, memoire.touches[:nombre].copy()


@dataclass(frozen=True)
class TempsNoeuds:
    """Résultat d'une recherche sur le graphe.

    Attributes
    ----------
    temps_s
        float64[n], secondes ; ``inf`` au-delà de la limite ou inaccessible.
    marque
        int32[n], marque de la source la plus proche, -1 si inaccessible.
    atteints
        int32[k], noeuds atteints.
    """

    temps_s: NDArray[np.float64]
    marque: NDArray[np.int32]
    atteints: NDArray[np.int32]


def calculer_temps_noeuds(
    graphe: Graphe,
    noeuds: NDArray[np.int32],
    couts_s: NDArray[np.float64],
    *,
    sens: Sens,
    limite_s: float = np.inf,
    marques: NDArray[np.int32] | None = None,
) -> TempsNoeuds:
    """Temps entre tous les noeuds et la plus proche des sources.

    Parameters
    ----------
    graphe
        Graphe du mode.
    noeuds, couts_s
        int[k], float[k] : noeuds sources et leur coût initial en secondes.
    sens
        ``depuis`` les sources, ou ``vers`` elles (graphe retourné).
    limite_s
        Temps au-delà duquel la recherche s'arrête.
    marques
        int32[k], marque rendue avec le temps (par défaut le rang de la source).
    """
    arcs = graphe.arcs(sens)
    if marques is None:
        marques = np.arange(noeuds.size, dtype=np.int32)
    temps, marque, atteints = _rechercher_tout(
        arcs,
        np.ascontiguousarray(noeuds, dtype=np.int32),
        np.ascontiguousarray(couts_s, dtype=np.float64),
        np.ascontiguousarray(marques, dtype=np.int32),
        float(limite_s),
    )
    return TempsNoeuds(temps, marque, atteints)


def calculer_temps_depuis_points(
    graphe: Graphe, points: Rattachement, *, sens: Sens, limite_s: float = np.inf
) -> TempsNoeuds:
    """Temps entre tous les noeuds et le plus proche des points ; la marque est le rang du point."""
    noeuds, couts, proprietaires = calculer_amorces(graphe, points, sens)
    return calculer_temps_noeuds(
        graphe,
        noeuds,
        couts,
        sens=sens,
        limite_s=limite_s,
        marques=proprietaires.astype(np.int32),
    )


class Points(NamedTuple):
    """Points rattachés, vus par les noyaux (voir :class:`Rattachement`).

    Attributes
    ----------
    troncon, position, approche
        int32[p], float64[p], float64[p] secondes.
    """

    troncon: NDArray[np.int32]
    position: NDArray[np.float64]
    approche: NDArray[np.float64]


def _points(rattachement: Rattachement) -> Points:
    return Points(rattachement.troncon, rattachement.position, rattachement.approche_s)


@nb.njit(cache=True, nogil=True)
def _lire_temps_points(temps, marque, origine, destination, points, vers_destination, vers_origine):  # type: ignore[no-untyped-def]
    """Temps en des points posés sur des tronçons, d'après les temps aux noeuds.

    Ne connaît pas les sources posées sur le même tronçon : voir :func:`_corriger_meme_troncon`.
    """
    n = points.troncon.size
    resultat = np.full(n, np.inf)
    proprietaire = np.full(n, -1, dtype=np.int32)
    for i in range(n):
        t = points.troncon[i]
        if t < 0:
            continue
        f = points.position[i]
        u, v = origine[t], destination[t]
        # Un point au bout du tronçon y est déjà, même à rebours d'un sens interdit (0 × inf).
        par_u = temps[u] + (f * vers_origine[t] if f > 0 else 0.0)
        par_v = temps[v] + ((1 - f) * vers_destination[t] if f < 1 else 0.0)
        if par_u < par_v or (par_u == par_v and marque[u] <= marque[v]):
            meilleur, m = par_u, marque[u]
        else:
            meilleur, m = par_v, marque[v]
        if meilleur < np.inf:
            resultat[i] = meilleur + points.approche[i]
            proprietaire[i] = m
    return resultat, proprietaire


@nb.njit(cache=True, nogil=True)
def _corriger_meme_troncon(  # type: ignore[no-untyped-def]
    resultat, proprietaire, points, sources, marques, vers_destination, vers_origine
):
    """Prendre en compte les sources posées sur le même tronçon que le point (trajet direct).

    Les sources sont triées par tronçon.
    """
    for i in range(points.troncon.size):
        t = points.troncon[i]
        if t < 0:
            continue
        j = np.searchsorted(sources.troncon, t)
        while j < sources.troncon.size and sources.troncon[j] == t:
            ecart = sources.position[j] - points.position[i]
            direct = 0.0
            if ecart > 0:
                direct = ecart * vers_destination[t]
            elif ecart < 0:
                direct = -ecart * vers_origine[t]
            direct += points.approche[i] + sources.approche[j]
            if direct < resultat[i] or (direct == resultat[i] and marques[j] < proprietaire[i]):
                resultat[i] = direct
                proprietaire[i] = marques[j]
            j += 1


@dataclass(frozen=True)
class PlusProche:
    """Temps de chaque point à la plus proche source.

    Attributes
    ----------
    temps_s
        float64[p], porte à porte, approches comprises ; ``inf`` si inaccessible.
    source
        int32[p], rang de la source la plus proche, -1 si inaccessible.
    """

    temps_s: NDArray[np.float64]
    source: NDArray[np.int32]


def calculer_plus_proche(
    graphe: Graphe,
    points: Rattachement,
    sources: Rattachement,
    *,
    sens: Sens = "vers",
    limite_s: float = np.inf,
) -> PlusProche:
    """Temps de chaque point à la plus proche des sources, en une seule recherche.

    Parameters
    ----------
    graphe
        Graphe du mode.
    points
        Lieux de demande (carreaux).
    sources
        Lieux d'offre (points d'accès d'un service).
    sens
        ``vers`` les sources (se rendre au service) ou ``depuis`` elles (en revenir).
    limite_s
        Temps au-delà duquel la recherche s'arrête.
    """
    aux_noeuds = calculer_temps_depuis_points(graphe, sources, sens=sens, limite_s=limite_s)
    return lire_plus_proche(graphe, aux_noeuds, points, sources, sens=sens, limite_s=limite_s)


def lire_plus_proche(
    graphe: Graphe,
    aux_noeuds: TempsNoeuds,
    points: Rattachement,
    sources: Rattachement,
    *,
    sens: Sens = "vers",
    limite_s: float = np.inf,
) -> PlusProche:
    """Temps des points d'après une recherche déjà faite (voir :func:`calculer_plus_proche`).

    Parameters
    ----------
    graphe
        Graphe du mode.
    aux_noeuds
        Temps entre les noeuds et ces ``sources``, dans ce ``sens`` et jusqu'à ``limite_s`` au
        moins (:func:`calculer_temps_depuis_points`).
    points, sources, sens, limite_s
        Comme pour :func:`calculer_plus_proche`.
    """
    reseau = graphe.reseau
    # « vers » les sources : le point rejoint d'abord un noeud, donc dans le sens du déplacement.
    vers_destination, vers_origine = graphe.temps_sens("depuis" if sens == "vers" else "vers")
    temps, source = _lire_temps_points(
        aux_noeuds.temps_s,
        aux_noeuds.marque,
        reseau.troncon_origine,
        reseau.troncon_destination,
        _points(points),
        vers_destination,
        vers_origine,
    )
    rang = np.flatnonzero(sources.rattaches)
    rang = rang[np.argsort(sources.troncon[rang], kind="stable")]
    _corriger_meme_troncon(
        temps,
        source,
        _points(points),
        _points(sources.extraire(rang)),
        rang.astype(np.int32),
        vers_destination,
        vers_origine,
    )
    trop_loin = temps > limite_s
    temps[trop_loin] = np.inf
    source[trop_loin] = -1
    return PlusProche(temps, source)

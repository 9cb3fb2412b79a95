"""Choix offert : les k plus proches équipements *distincts* de chaque carreau, par mode de rue.

Un seul équipement à portée laisse l'habitant captif ; le deuxième et le troisième disent s'il peut
choisir (« dual access », Cui et Levinson 2020). La recherche pose jusqu'à ``k`` étiquettes par
noeud, une par équipement : chaque étiquette d'un noeud vient des ``k`` meilleures d'un voisin, si
bien qu'une seule recherche par service suffit, comme pour le plus proche.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Final

import numba as nb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.rues.dijkstra import SEAUX, Points
from accessibilite.rues.graphe import Graphe
from accessibilite.rues.rattachement import Rattachement, calculer_amorces, rattacher_points
from donnees_geo.conventions import Sens

Progression = Callable[[str, float], None]
#: Marque d'une étiquette vide : plus grande que tout équipement, elle perd toujours à égalité.
_VIDE: Final = np.iinfo(np.int32).max
#: Une entrée de la file : temps, noeud et équipement proposés, entrée suivante du même seau.
ENTREE: Final = np.dtype(
    [("cle", np.float64), ("noeud", np.int32), ("marque", np.int32), ("suivante", np.int32)]
)


@dataclass(frozen=True)
class Choix:
    """Les k plus proches équipements distincts de chaque point.

    Attributes
    ----------
    temps_s
        float64[points, k], croissant, porte à porte ; ``inf`` s'il n'y a pas tant d'équipements
        accessibles.
    marque
        int32[points, k], équipement de chaque temps, -1 sans objet.
    """

    temps_s: NDArray[np.float64]
    marque: NDArray[np.int32]


@dataclass(frozen=True)
class ChoixMode:
    """Choix des carreaux par un mode, pour plusieurs services.

    Attributes
    ----------
    services
        Identifiants des services, dans l'ordre du deuxième axe.
    temps_s
        float64[carreaux, services, k], croissant ; ``inf`` sans équipement accessible de ce rang,
        NaN sans donnée (carreau non rattaché, service sans aucun équipement connu).
    equipement
        int32[carreaux, services, k], ligne de la table des équipements, -1 sans objet.
    """

    services: tuple[str, ...]
    temps_s: NDArray[np.float64]
    equipement: NDArray[np.int32]


@nb.njit(cache=True, nogil=True)
def _inserer(ligne, cout, m, temps, marque):  # type: ignore[no-untyped-def]
    """Insérer une étiquette parmi les k de ``ligne`` ; faux si elle n'en est pas.

    L'ordre est celui du couple (temps, marque) : le résultat ne dépend pas de l'ordre des
    propositions. Une marque n'y figure qu'une fois, à son plus court temps.
    """
    k = temps.shape[1]
    if cout > temps[ligne, k - 1] or (cout == temps[ligne, k - 1] and m >= marque[ligne, k - 1]):
        return False
    trou = k - 1
    for r in range(k):
        if marque[ligne, r] == m:
            if temps[ligne, r] <= cout:
                return False
            trou = r
            break
    while trou > 0 and (
        temps[ligne, trou - 1] > cout
        or (temps[ligne, trou - 1] == cout and marque[ligne, trou - 1] > m)
    ):
        temps[ligne, trou] = temps[ligne, trou - 1]
        marque[ligne, trou] = marque[ligne, trou - 1]
        trou -= 1
    temps[ligne, trou] = cout
    marque[ligne, trou] = m
    return True


@nb.njit(cache=True, nogil=True)
def _en_vigueur(ligne, cout, m, temps, marque):  # type: ignore[no-untyped-def]
    """Vrai si l'étiquette sortie du tas est encore parmi les k de son noeud."""
    for r in range(temps.shape[1]):
        if marque[ligne, r] == m:
            return bool(temps[ligne, r] == cout)
    return False


@nb.njit(cache=True, nogil=True)
def _agrandir(entrees):  # type: ignore[no-untyped-def]
    """Doubler la réserve d'entrées de la file."""
    grandes = np.empty(2 * entrees.size, ENTREE)
    for e in range(entrees.size):
        grandes[e].cle = entrees[e].cle
        grandes[e].noeud = entrees[e].noeud
        grandes[e].marque = entrees[e].marque
        grandes[e].suivante = entrees[e].suivante
    return grandes


@nb.njit(cache=True, nogil=True, inline="always")
def _empiler(noeud, cle, m, frequence, seaux, entrees, libre, neuve):  # type: ignore[no-untyped-def]
    """Ranger une étiquette dans le seau de son temps ; rend (entrée libre, neuve) suivantes."""
    if libre >= 0:
        e = libre
        libre = entrees[e].suivante
    else:
        e = neuve
        neuve += 1
    seau = int(cle * frequence) & (SEAUX - 1)
    entrees[e].cle = cle
    entrees[e].noeud = noeud
    entrees[e].marque = m
    entrees[e].suivante = seaux[seau]
    seaux[seau] = e
    return libre, neuve


@nb.njit(cache=True, nogil=True)
def _chercher(arcs, amorces, couts, marques, k, limite):  # type: ignore[no-untyped-def]
    """Temps et marque des k plus proches sources de chaque noeud.

    Même file à seaux que :func:`dijkstra.rechercher`. Une étiquette évincée après avoir été
    propagée l'est aussi chez ses voisins par celle qui l'a évincée : le résultat ne dépend pas de
    l'ordre de sortie de la file.
    """
    n = arcs.debut.size - 1
    temps = np.full((n, k), np.inf)
    marque = np.full((n, k), _VIDE, dtype=np.int32)
    seaux = np.full(SEAUX, -1, dtype=np.int32)
    entrees = np.empty(n + amorces.size + 64, ENTREE)
    frequence = 1.0 / arcs.pas_s
    libre, neuve, en_attente, premier = -1, 0, 0, np.inf
    for i in range(amorces.size):
        if couts[i] <= limite and _inserer(amorces[i], couts[i], marques[i], temps, marque):
            libre, neuve = _empiler(
                amorces[i], couts[i], marques[i], frequence, seaux, entrees, libre, neuve
            )
            en_attente += 1
            premier = min(premier, couts[i])
    seau = int(premier * frequence) & (SEAUX - 1) if en_attente > 0 else 0
    while en_attente > 0:
        e = seaux[seau]
        if e < 0:
            seau = (seau + 1) & (SEAUX - 1)
            continue
        seaux[seau] = entrees[e].suivante
        noeud, cle, m = entrees[e].noeud, entrees[e].cle, entrees[e].marque
        entrees[e].suivante = libre
        libre = e
        en_attente -= 1
        if not _en_vigueur(noeud, cle, m, temps, marque):
            continue
        a0, a1 = arcs.debut[noeud], arcs.debut[noeud + 1]
        while neuve + a1 - a0 > entrees.size:
            entrees = _agrandir(entrees)
        for a in range(a0, a1):
            cible, nouveau = arcs.arcs[a].cible, cle + arcs.arcs[a].temps_s
            if nouveau <= limite and _inserer(cible, nouveau, m, temps, marque):
                libre, neuve = _empiler(cible, nouveau, m, frequence, seaux, entrees, libre, neuve)
                en_attente += 1
    return temps, marque


@nb.njit(cache=True, nogil=True)
def _lire_points(  # type: ignore[no-untyped-def]
    aux_noeuds, marque_noeuds, extremites, points, sources, marques, vers_destination, vers_origine
):
    """Les k plus proches de points posés sur des tronçons ; sources triées par tronçon."""
    n, k = points.troncon.size, aux_noeuds.shape[1]
    temps = np.full((n, k), np.inf)
    marque = np.full((n, k), _VIDE, dtype=np.int32)
    origine, destination = extremites
    for i in range(n):
        t = points.troncon[i]
        if t < 0:
            continue
        f, approche = points.position[i], points.approche[i]
        u, v = origine[t], destination[t]
        # Un point au bout du tronçon y est déjà, même à rebours d'un sens interdit (0 × inf).
        vers_u = f * vers_origine[t] if f > 0 else 0.0
        vers_v = (1 - f) * vers_destination[t] if f < 1 else 0.0
        for r in range(k):
            par_u = (aux_noeuds[u, r] + vers_u) + approche
            if par_u < np.inf:
                _inserer(i, par_u, marque_noeuds[u, r], temps, marque)
            par_v = (aux_noeuds[v, r] + vers_v) + approche
            if par_v < np.inf:
                _inserer(i, par_v, marque_noeuds[v, r], temps, marque)
        j = np.searchsorted(sources.troncon, t)
        while j < sources.troncon.size and sources.troncon[j] == t:
            ecart = sources.position[j] - f
            direct = 0.0
            if ecart > 0:
                direct = ecart * vers_destination[t]
            elif ecart < 0:
                direct = -ecart * vers_origine[t]
            direct += approche + sources.approche[j]
            if direct < np.inf:
                _inserer(i, direct, marques[j], temps, marque)
            j += 1
    return temps, marque


def calculer_choix(
    graphe: Graphe,
    points: Rattachement,
    sources: Rattachement,
    marques: NDArray[np.int32],
    nombre: int,
    *,
    sens: Sens = "vers",
    limite_s: float = np.inf,
) -> Choix:
    """Les ``nombre`` plus proches équipements distincts de chaque point.

    Parameters
    ----------
    graphe
        Graphe du mode.
    points
        Lieux de demande (carreaux).
    sources
        Points d'accès des équipements ; un équipement peut en avoir plusieurs.
    marques
        int32[sources], équipement de chaque point d'accès, positif ou nul.
    nombre
        Nombre d'équipements voulus, k.
    sens
        ``vers`` les équipements, ou ``depuis`` eux.
    limite_s
        Temps au-delà duquel la recherche s'arrête.

    Returns
    -------
    Choix
        À temps égal, l'équipement de plus petite marque passe devant.
    """
    noeuds, couts, proprietaires = calculer_amorces(graphe, sources, sens)
    marques = np.ascontiguousarray(marques, dtype=np.int32)
    aux_noeuds, marque_noeuds = _chercher(
        graphe.arcs(sens),
        np.ascontiguousarray(noeuds, dtype=np.int32),
        np.ascontiguousarray(couts, dtype=np.float64),
        marques[proprietaires],
        int(nombre),
        float(limite_s),
    )
    vers_destination, vers_origine = graphe.temps_sens("depuis" if sens == "vers" else "vers")
    rang = np.flatnonzero(sources.rattaches)
    rang = rang[np.argsort(sources.troncon[rang], kind="stable")]
    temps, marque = _lire_points(
        aux_noeuds,
        marque_noeuds,
        (graphe.reseau.troncon_origine, graphe.reseau.troncon_destination),
        Points(points.troncon, points.position, points.approche_s),
        Points(sources.troncon[rang], sources.position[rang], sources.approche_s[rang]),
        marques[rang],
        vers_destination,
        vers_origine,
    )
    hors = ~(temps <= limite_s) | np.isinf(temps)
    temps[hors] = np.inf
    marque[hors] = -1
    return Choix(temps, marque)


def calculer_choix_mode(
    graphe: Graphe,
    carreaux: pd.DataFrame,
    equipements: pd.DataFrame,
    points_acces: pd.DataFrame,
    services: Sequence[str],
    nombre: int,
    *,
    rattachement_max_m: float,
    limite_s: float = np.inf,
    progression: Progression | None = None,
) -> ChoixMode:
    """Les ``nombre`` plus proches équipements distincts de chaque service, pour chaque carreau.

    Parameters
    ----------
    graphe
        Graphe du mode.
    carreaux, equipements, points_acces
        Tables du territoire (``donnees_geo.schemas``).
    services
        Services voulus ; ils sont répartis sur les coeurs.
    nombre
        Nombre d'équipements voulus par service.
    rattachement_max_m
        Distance maximale à une rue praticable.
    limite_s
        Temps au-delà duquel un équipement ne compte plus.
    progression
        Rappel ``(étape, part faite)``.
    """
    demande, offre = (
        rattacher_points(
            graphe,
            table["x"].to_numpy(dtype=np.float64),
            table["y"].to_numpy(dtype=np.float64),
            rattachement_max_m,
        )
        for table in (carreaux, points_acces)
    )
    ligne = points_acces["equipement"].to_numpy(dtype=np.int32)
    service_point = equipements["service"].to_numpy(dtype=object)[ligne]
    forme = (len(carreaux), len(services), nombre)
    temps = np.full(forme, np.nan)
    equipement = np.full(forme, -1, dtype=np.int32)

    def remplir(colonne: int, service: str) -> None:
        ici = np.flatnonzero(service_point == service)
        if ici.size:
            choix = calculer_choix(
                graphe, demande, offre.extraire(ici), ligne[ici], nombre, limite_s=limite_s
            )
            temps[:, colonne], equipement[:, colonne] = choix.temps_s, choix.marque

    with ThreadPoolExecutor(cpu_count() or 1) as fils:
        taches = [fils.submit(remplir, c, s) for c, s in enumerate(services)]
        for i, tache in enumerate(taches):
            tache.result()
            if progression is not None:
                progression(f"choix {graphe.profil.mode}", (i + 1) / len(taches))
    temps[~demande.rattaches] = np.nan
    return ChoixMode(tuple(services), temps, equipement)


def compter_choix(temps_s: NDArray[np.float64], seuils_s: NDArray[np.float64]) -> NDArray[np.int8]:
    """Nombre d'équipements distincts sous le seuil, plafonné à k.

    Parameters
    ----------
    temps_s
        float64[carreaux, services, k].
    seuils_s
        float64[services].

    Returns
    -------
    numpy.ndarray
        int8[carreaux, services] ; k veut dire « k ou plus », -1 sans donnée.
    """
    comptes: NDArray[np.int8] = (temps_s <= seuils_s[:, None]).sum(axis=2).astype(np.int8)
    comptes[np.isnan(temps_s[:, :, 0])] = -1
    return comptes

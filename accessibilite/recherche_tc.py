"""Depuis un point : matrice de temps et isochrone en transport collectif.

L'isochrone ne diffuse pas un centile autour des arrêts (le centile d'un minimum n'est pas le
minimum des centiles) : à chaque noeud de rue et à chaque minute est pris le meilleur des arrêts,
puis le centile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import numba as nb
import numpy as np
from numpy.typing import NDArray

from accessibilite.balayage_tc import ProfilArrets
from accessibilite.dijkstra import (
    TempsNoeuds,
    allouer,
    calculer_temps_depuis_points,
    rechercher,
)
from accessibilite.horaires import INFINI_S
from accessibilite.isochrones import Isochrone, OptionsTrace, tracer_isochrones, verifier_seuils
from accessibilite.liaisons_tc import (
    MarcheTc,
    en_secondes,
    lier_points,
    marcher_entre_arrets_et_lieu,
)
from accessibilite.matrices import calculer_matrice
from accessibilite.portions import Portions, calculer_portions
from accessibilite.rattachement import Rattachement, calculer_amorces
from accessibilite.transport_collectif import (
    CENTILES,
    LiensArrets,
    ReseauTc,
    chercher_profil,
    evaluer_acces,
)
from donnees_geo.conventions import Sens
from donnees_geo.erreurs import ErreurReseau


def calculer_matrice_tc(
    reseau: ReseauTc,
    marche: MarcheTc,
    origines: Rattachement,
    destinations: Rattachement,
    *,
    centiles: Sequence[float] = CENTILES,
    marche_directe_max_m: float = np.inf,
    progression: Callable[[str, float], None] | None = None,
) -> NDArray[np.float32]:
    """Temps porte à porte de chaque origine à chaque destination.

    Parameters
    ----------
    reseau
        Réseau de la fenêtre.
    marche
        Graphe de la marche et arrêts rattachés.
    origines, destinations
        Points rattachés au graphe de la marche.
    centiles
        Centiles voulus.
    marche_directe_max_m
        Limite de la marche de bout en bout, m ; sans elle, seule compte la durée maximale, et le
        transport collectif n'est jamais plus lent que la marche. (R5 la limite comme les autres.)
    progression
        Rappel ``(texte, part faite)``.

    Returns
    -------
    numpy.ndarray
        float32[origines, destinations, centiles], secondes ; ``inf`` si ce centile des départs
        n'aboutit pas dans la durée maximale.
    """
    sorties = lier_points(marche, destinations, "depuis")
    limite_s = min(
        float(reseau.options.duree_max_s),
        marche_directe_max_m / marche.graphe.profil.approche_m_s,
    )
    directe = en_secondes(
        calculer_matrice(marche.graphe, origines, destinations, limite_s=limite_s)
    )
    temps = np.empty((len(origines), len(destinations), len(centiles)), dtype=np.float32)
    _ = reseau.inverse  # préparé avant les fils d'exécution

    def remplir(i: int) -> None:
        depart = marcher_entre_arrets_et_lieu(marche, origines.extraire(slice(i, i + 1)), "depuis")
        profil = chercher_profil(reseau, depart, "depuis")
        acces = evaluer_acces(
            reseau, profil, sorties, directe[i], "depuis", seuil_s=0.0, centiles=centiles
        )
        temps[i] = acces.temps_s

    with ThreadPoolExecutor(max_workers=cpu_count() or 1) as fils:
        for fait, _rien in enumerate(fils.map(remplir, range(len(origines))), start=1):
            if progression is not None:
                progression("Transport collectif", fait / len(origines))
    return temps


def calculer_temps_noeuds_tc(
    reseau: ReseauTc,
    marche: MarcheTc,
    point: Rattachement,
    sens: Sens,
    *,
    centiles: Sequence[float] = CENTILES,
    limite_s: float = INFINI_S,
) -> list[TempsNoeuds]:
    """Temps de chaque noeud de rue depuis (ou vers) un lieu, un résultat par centile.

    Parameters
    ----------
    reseau
        Réseau de la fenêtre.
    marche
        Graphe de la marche et arrêts rattachés.
    point
        Point (ou portes d'un même lieu) rattaché au graphe de la marche.
    sens
        ``depuis`` le point ou ``vers`` lui.
    centiles
        Centiles voulus.
    limite_s
        Temps au-delà duquel rien n'intéresse (plus grand seuil d'une isochrone).

    Raises
    ------
    ErreurReseau
        Le point n'est rattaché à aucune rue.
    """
    if not point.rattaches.any():
        raise ErreurReseau(
            "Le point est trop loin de toute rue praticable à pied.",
            objet=f"({float(point.x[0]):.0f}, {float(point.y[0]):.0f})" if len(point) else "",
            conseil="Choisir un point du territoire proche d'une rue.",
        )
    duree_max_s = min(float(limite_s), float(reseau.options.duree_max_s))
    profil = chercher_profil(
        reseau, marcher_entre_arrets_et_lieu(marche, point, sens), sens, duree_max_s=duree_max_s
    )
    liens = _lier_noeuds(marche, profil, sens, duree_max_s)
    directe = calculer_temps_depuis_points(marche.graphe, point, sens=sens, limite_s=duree_max_s)
    acces = evaluer_acces(
        reseau, profil, liens, en_secondes(directe.temps_s), sens,
        seuil_s=0.0, centiles=centiles, duree_max_s=duree_max_s,
    )  # fmt: skip
    resultats = []
    for i in range(len(centiles)):
        temps = acces.temps_s[:, i].astype(np.float64)
        # Là où la marche l'emporte, garder la fraction de seconde : les rues se coupent mieux.
        np.minimum(temps, np.where(temps >= directe.temps_s, directe.temps_s, np.inf), out=temps)
        atteints = np.flatnonzero(np.isfinite(temps)).astype(np.int32)
        resultats.append(TempsNoeuds(temps, np.full(temps.size, -1, np.int32), atteints))
    return resultats


def calculer_isochrones_tc(
    reseau: ReseauTc,
    marche: MarcheTc,
    point: Rattachement,
    seuils_s: Sequence[float],
    sens: Sens,
    *,
    centile: float = 50.0,
    options: OptionsTrace | None = None,
) -> list[Isochrone]:
    """Isochrones en transport collectif : rues atteintes par ``centile`` % des départs.

    Mêmes paramètres que :func:`calculer_temps_noeuds_tc`. Les îlots autour des arrêts sont vrais
    et gardés.

    Raises
    ------
    ErreurReseau
        Le point n'est rattaché à aucune rue.
    ErreurConfiguration
        Seuil non positif, centile hors bornes.
    """
    seuils = verifier_seuils(seuils_s)
    return tracer_isochrones(
        marche.graphe,
        calculer_portions_tc(reseau, marche, point, seuils[-1], sens, centile=centile),
        seuils,
        options,
    )


def calculer_portions_tc(
    reseau: ReseauTc,
    marche: MarcheTc,
    point: Rattachement,
    limite_s: float,
    sens: Sens,
    *,
    centile: float = 50.0,
) -> Portions:
    """Portions de rues atteintes en ``limite_s`` par ``centile`` % des départs."""
    (temps,) = calculer_temps_noeuds_tc(
        reseau, marche, point, sens, centiles=[centile], limite_s=limite_s
    )
    return calculer_portions(marche.graphe, temps, float(limite_s), sens=sens, sources=point)


def _lier_noeuds(
    marche: MarcheTc, profil: ProfilArrets, sens: Sens, duree_max_s: float
) -> LiensArrets:
    """Marche entre les arrêts atteints et les noeuds de rue, une ligne par noeud."""
    atteints = np.flatnonzero((np.diff(profil.debut) > 0) & marche.arrets.rattaches)
    plus_court = np.minimum.reduceat(
        np.append(profil.arrivee_s - profil.depart_s, INFINI_S), profil.debut[:-1]
    )[atteints]
    # Au-delà de ce qui reste de la durée maximale, la marche n'atteint plus rien.
    reste = np.minimum(marche.limite_s, duree_max_s - plus_court).astype(np.float64)
    noeuds, couts, proprietaires = calculer_amorces(
        marche.graphe, marche.arrets.extraire(atteints), sens
    )
    ordre = np.argsort(proprietaires, kind="stable")
    debut = np.concatenate(
        [[0], np.cumsum(np.bincount(proprietaires, minlength=atteints.size))]
    ).astype(np.int64)
    noeud, arret, temps = _marcher_autour(
        marche.graphe.arcs(sens), debut, noeuds[ordre].astype(np.int32), couts[ordre], reste
    )
    n = marche.graphe.nombre_noeuds
    rang = np.argsort(noeud, kind="stable")
    return LiensArrets(
        np.concatenate([[0], np.cumsum(np.bincount(noeud, minlength=n))]).astype(np.int64),
        atteints.astype(np.int32)[arret[rang]],
        en_secondes(temps[rang]),
    )


@nb.njit(cache=True, nogil=True)
def _marcher_autour(arcs, debut, amorces, couts, limites):  # type: ignore[no-untyped-def]
    """Noeuds à portée de chaque arrêt : ``(noeud, rang de l'arrêt, temps)``."""
    memoire = allouer(arcs.debut.size - 1)
    noeud = np.empty(4096, dtype=np.int32)
    arret = np.empty(4096, dtype=np.int32)
    temps = np.empty(4096, dtype=np.float64)
    total = 0
    for i in range(debut.size - 1):
        a0, a1 = debut[i], debut[i + 1]
        nombre = rechercher(
            arcs, amorces[a0:a1], couts[a0:a1], np.zeros(a1 - a0, dtype=np.int32), limites[i],
            memoire,
        )  # fmt: skip
        while total + nombre > noeud.size:
            noeud = np.concatenate((noeud, np.empty_like(noeud)))
            arret = np.concatenate((arret, np.empty_like(arret)))
            temps = np.concatenate((temps, np.empty_like(temps)))
        for k in range(nombre):
            touche = memoire.touches[k]
            noeud[total] = touche
            arret[total] = i
            temps[total] = memoire.temps[touche]
            memoire.temps[touche] = np.inf
            total += 1
    return noeud[:total].copy(), arret[:total].copy(), temps[:total].copy()

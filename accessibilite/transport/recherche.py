"""Depuis un point : matrice de temps et isochrone en transport collectif.

L'isochrone ne diffuse pas un centile autour des arrêts (le centile d'un minimum n'est pas le
minimum des centiles) : à chaque noeud de rue et à chaque minute est pris le meilleur des arrêts,
puis le centile.

Le noyau d'ici appelle ceux de :mod:`accessibilite.rues.dijkstra` : numba garde le code compilé par
fichier source et ne voit pas qu'un fichier appelé a changé. Après une retouche de ceux-ci, vider
les dossiers ``__pycache__``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from accessibilite.rues.dijkstra import (
    TempsNoeuds,
    allouer,
    calculer_temps_depuis_points,
    rechercher,
)
from accessibilite.rues.graphe import Graphe
from accessibilite.rues.isochrones import (
    Isochrone,
    OptionsTrace,
    tracer_isochrones,
    verifier_seuils,
)
from accessibilite.rues.matrices import calculer_matrice
from accessibilite.rues.portions import Portions, calculer_portions
from accessibilite.rues.rattachement import Rattachement, calculer_amorces
from accessibilite.transport.balayage import ProfilArrets
from accessibilite.transport.fenetre import CENTILES
from accessibilite.transport.horaires import INFINI_S
from accessibilite.transport.liaisons import (
    MarcheTc,
    en_secondes,
    fusionner_liens,
    lier_points,
    marcher_entre_arrets_et_lieu,
)
from accessibilite.transport.porte_a_porte import (
    LiensArrets,
    ReseauTc,
    chercher_profil,
    evaluer_acces,
)
from accessibilite.transport.rabattement_velo import (
    OriginesVelo,
    RabattementVelo,
    rouler_entre_gares_et_lieu,
)
from donnees_geo.conventions import Sens
from donnees_geo.erreurs import ErreurReseau


class MatriceTc(NamedTuple):
    """Temps porte à porte entre deux listes de points.

    Attributes
    ----------
    temps_s
        float32[origines, destinations, centiles], secondes ; ``inf`` si ce centile des départs
        n'aboutit pas dans la durée maximale.
    part_seuil
        float32[origines, destinations], part des départs qui aboutissent sous le seuil, 0 à 1 ;
        NaN pour un point non rattaché.
    """

    temps_s: NDArray[np.float32]
    part_seuil: NDArray[np.float32]


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
    """Temps porte à porte de chaque origine à chaque destination, float32[o, d, centiles].

    Voir :func:`calculer_matrice_seuil_tc`.
    """
    return calculer_matrice_seuil_tc(
        reseau,
        marche,
        origines,
        destinations,
        seuil_s=0.0,
        centiles=centiles,
        marche_directe_max_m=marche_directe_max_m,
        progression=progression,
    ).temps_s


def calculer_matrice_seuil_tc(
    reseau: ReseauTc,
    marche: MarcheTc,
    origines: Rattachement,
    destinations: Rattachement,
    *,
    seuil_s: float,
    centiles: Sequence[float] = CENTILES,
    marche_directe_max_m: float = np.inf,
    velo: OriginesVelo | None = None,
    progression: Callable[[str, float], None] | None = None,
) -> MatriceTc:
    """Temps de chaque origine à chaque destination, et part des départs sous un seuil.

    Parameters
    ----------
    reseau
        Réseau de la fenêtre.
    marche
        Graphe de la marche et arrêts rattachés.
    origines, destinations
        Points rattachés au graphe de la marche.
    seuil_s
        Seuil de la part des départs, s.
    centiles
        Centiles voulus.
    marche_directe_max_m
        Limite de la marche de bout en bout, m ; sans elle, seule compte la durée maximale, et le
        transport collectif n'est jamais plus lent que la marche. (R5 la limite comme les autres.)
    velo
        Les mêmes origines, pour rejoindre aussi les gares à vélo.
    progression
        Rappel ``(texte, part faite)``.
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
    part = np.empty((len(origines), len(destinations)), dtype=np.float32)
    _ = reseau.inverse  # préparé avant les fils d'exécution

    def remplir(i: int) -> None:
        seule = slice(i, i + 1)
        depart = rejoindre_arrets(
            marche,
            origines.extraire(seule),
            "depuis",
            None if velo is None else velo.extraire(seule),
        )
        profil = chercher_profil(reseau, depart, "depuis")
        acces = evaluer_acces(
            reseau, profil, sorties, directe[i], "depuis", seuil_s=seuil_s, centiles=centiles
        )
        temps[i], part[i] = acces.temps_s, acces.part_seuil

    with ThreadPoolExecutor(max_workers=cpu_count() or 1) as fils:
        for fait, _rien in enumerate(fils.map(remplir, range(len(origines))), start=1):
            if progression is not None:
                progression("Transport collectif", fait / len(origines))
    part[~origines.rattaches] = np.nan
    part[:, ~destinations.rattaches] = np.nan
    return MatriceTc(temps, part)


def rejoindre_arrets(
    marche: MarcheTc, lieu: Rattachement, sens: Sens, velo: OriginesVelo | None = None
) -> NDArray[np.int32]:
    """Temps entre un lieu et chaque arrêt, à pied ou, pour les gares, à vélo s'il est permis.

    Parameters
    ----------
    marche
        Graphe de la marche et arrêts rattachés.
    lieu
        Point (ou portes d'un même lieu) rattaché au graphe de la marche.
    sens
        ``depuis`` le lieu ou ``vers`` lui.
    velo
        Le même lieu, rattaché au graphe du vélo ; sans effet vers le lieu, où le vélo n'est plus.

    Returns
    -------
    numpy.ndarray
        int32[a], secondes, ``INFINI_S`` au-delà des limites.
    """
    a_pied = marcher_entre_arrets_et_lieu(marche, lieu, sens)
    if velo is None or sens == "vers":
        return a_pied
    return np.minimum(a_pied, rouler_entre_gares_et_lieu(velo, sens))


def calculer_temps_noeuds_tc(
    reseau: ReseauTc,
    marche: MarcheTc,
    point: Rattachement,
    sens: Sens,
    *,
    centiles: Sequence[float] = CENTILES,
    limite_s: float = INFINI_S,
    velo: OriginesVelo | None = None,
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
    velo
        Le même point, pour rejoindre aussi les gares à vélo ; vers le point, ce sont les noeuds
        de rue qui les rejoignent ainsi.

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
        reseau, rejoindre_arrets(marche, point, sens, velo), sens, duree_max_s=duree_max_s
    )
    liens = _lier_noeuds(marche, profil, sens, duree_max_s)
    if velo is not None and sens == "vers":
        liens = fusionner_liens(liens, _lier_noeuds(velo.rabattement, profil, sens, duree_max_s))
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
    velo: OriginesVelo | None = None,
) -> Portions:
    """Portions de rues atteintes en ``limite_s`` par ``centile`` % des départs."""
    (temps,) = calculer_temps_noeuds_tc(
        reseau, marche, point, sens, centiles=[centile], limite_s=limite_s, velo=velo
    )
    return calculer_portions(marche.graphe, temps, float(limite_s), sens=sens, sources=point)


def _lier_noeuds(
    acces: MarcheTc | RabattementVelo, profil: ProfilArrets, sens: Sens, duree_max_s: float
) -> LiensArrets:
    """Marche (ou vélo) entre les arrêts atteints et les noeuds de rue, une ligne par noeud."""
    graphe: Graphe = acces.graphe
    arrets = acces.arrets if isinstance(acces, MarcheTc) else acces.gares
    atteints = np.flatnonzero((np.diff(profil.debut) > 0) & arrets.rattaches)
    plus_court = np.minimum.reduceat(
        np.append(profil.arrivee_s - profil.depart_s, INFINI_S), profil.debut[:-1]
    )[atteints]
    # Au-delà de ce qui reste de la durée maximale, la marche n'atteint plus rien.
    reste = np.minimum(acces.limite_s, duree_max_s - plus_court).astype(np.float64)
    noeuds, couts, proprietaires = calculer_amorces(graphe, arrets.extraire(atteints), sens)
    ordre = np.argsort(proprietaires, kind="stable")
    debut = np.concatenate(
        [[0], np.cumsum(np.bincount(proprietaires, minlength=atteints.size))]
    ).astype(np.int64)
    noeud, arret, temps = _marcher_autour(
        graphe.arcs(sens), debut, noeuds[ordre].astype(np.int32), couts[ordre], reste
    )
    rang = np.argsort(noeud, kind="stable")
    return LiensArrets(
        np.concatenate([[0], np.cumsum(np.bincount(noeud, minlength=graphe.nombre_noeuds))]).astype(
            np.int64
        ),
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

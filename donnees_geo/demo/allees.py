"""Impasses privées : allées greffées le long des rues, sans couper aucune autre voie."""

from __future__ import annotations

from typing import Final

import numpy as np

from donnees_geo.demo.axes import Axes
from donnees_geo.demo.cadre import Cadre, Entiers, Flottants
from donnees_geo.demo.campagne import Campagne
from donnees_geo.demo.hydrographie import CoursEau
from donnees_geo.demo.planarisation import croisements
from donnees_geo.demo.profils_voies import PROFILS
from donnees_geo.demo.voirie import AUCUN, Reseau, construire_obstacles, plus_grand_morceau

#: Allées privées de la variante normale.
NOMBRE_ALLEES: Final = 52_000


def greffer(reseau: Reseau, aretes: Entiers, t: Flottants) -> tuple[Reseau, Entiers]:
    """Insérer un noeud au point ``t`` de chaque arête donnée.

    Parameters
    ----------
    aretes
        int64[k], rangs d'arêtes, répétables.
    t
        float64[k], position strictement entre 0 et 1.

    Returns
    -------
    tuple
        Réseau découpé et rang du noeud inséré pour chaque point.
    """
    s = reseau.segments()[aretes]
    n, m = reseau.x.size, reseau.origine.size
    nouveaux = n + np.arange(aretes.size)
    rang = np.r_[np.arange(m), np.arange(m), aretes]
    position = np.r_[np.zeros(m), np.ones(m), t]
    noeud = np.r_[reseau.origine, reseau.cible, nouveaux]
    ordre = np.lexsort((position, rang))
    rang, noeud = rang[ordre], noeud[ordre]
    suite = rang[:-1] == rang[1:]
    source = rang[:-1][suite]
    return (
        Reseau(
            np.r_[reseau.x, s[:, 0] + t * (s[:, 2] - s[:, 0])],
            np.r_[reseau.y, s[:, 1] + t * (s[:, 3] - s[:, 1])],
            noeud[:-1][suite],
            noeud[1:][suite],
            reseau.nature[source],
            reseau.rue[source],
            reseau.ouvrage[source],
            np.r_[reseau.niveau, np.zeros(aretes.size, dtype=bool)],
        ),
        nouveaux,
    )


def ajouter_aretes(
    reseau: Reseau, depart: Entiers, x: Flottants, y: Flottants, nature: str
) -> Reseau:
    """Ajouter des impasses : un nouveau noeud par départ."""
    nouveaux = reseau.x.size + np.arange(depart.size)
    return Reseau(
        np.r_[reseau.x, x],
        np.r_[reseau.y, y],
        np.r_[reseau.origine, depart],
        np.r_[reseau.cible, nouveaux],
        np.r_[reseau.nature, np.full(depart.size, nature)],
        np.r_[reseau.rue, np.full(depart.size, -1)],
        np.r_[reseau.ouvrage, np.zeros(depart.size, dtype=np.int64)],
        np.r_[reseau.niveau, np.zeros(depart.size, dtype=bool)],
    )


def _greffer_allees(
    reseau: Reseau, obstacles: Flottants, cible: int, hasard: np.random.Generator
) -> Reseau:
    """Allées privées perpendiculaires aux rues, sans en couper aucune autre."""
    poids = np.array([PROFILS[n].habitations for n in np.unique(reseau.nature)])
    _, inverse = np.unique(reseau.nature, return_inverse=True)
    longueur = reseau.longueurs()
    possible = (reseau.ouvrage == AUCUN) & (longueur > 14)
    attrait = np.where(possible, np.sqrt(poids[inverse]) * longueur, 0.0)
    tirages = hasard.poisson(attrait * (1.42 * cible / attrait.sum()))
    aretes = np.repeat(np.arange(longueur.size), tirages)
    rang_local = np.arange(aretes.size) - np.repeat(np.cumsum(tirages) - tirages, tirages)
    # Réparties régulièrement le long de l'arête : deux allées ne se touchent pas.
    t = (rang_local + hasard.uniform(0.25, 0.75, aretes.size)) / tirages[aretes]
    s = reseau.segments()[aretes]
    d = s[:, 2:] - s[:, :2]
    normale = np.column_stack([-d[:, 1], d[:, 0]]) / longueur[aretes][:, None]
    cote = np.where(hasard.random(aretes.size) < 0.5, 1.0, -1.0)
    rural = np.isin(reseau.nature[aretes], ["chemin", "unclassified", "tertiary"])
    profondeur = np.where(
        rural, hasard.gamma(3.0, 16.0, aretes.size) + 14, hasard.uniform(11, 23, aretes.size)
    )
    pied = s[:, :2] + t[:, None] * d
    fond = pied + (cote * profondeur)[:, None] * normale
    # Au-delà du fond, une marge libre évite les allées qui frôlent la rue d'en face.
    essai = np.column_stack([pied + 0.04 * (fond - pied), pied + 1.35 * (fond - pied)])
    libre = (t * longueur[aretes] > 5) & ((1 - t) * longueur[aretes] > 5)
    for autre in (reseau.segments(), obstacles):
        coupe, _, _, _ = croisements(essai, autre)
        libre[coupe] = False
    i, j, _, _ = croisements(essai[libre], essai[libre])
    rangs = np.flatnonzero(libre)
    libre[rangs[np.maximum(i, j)[i != j]]] = False
    rangs = np.flatnonzero(libre)
    if rangs.size > cible:
        rangs = np.sort(hasard.permutation(rangs)[:cible])
    reseau, noeuds = greffer(reseau, aretes[rangs], t[rangs])
    return ajouter_aretes(reseau, noeuds, fond[rangs, 0], fond[rangs, 1], "allee")


def ajouter_allees(
    cadre: Cadre, axes: Axes, rivieres: CoursEau, campagne: Campagne, reseau: Reseau
) -> Reseau:
    """Réseau complété par les allées privées qui desservent les maisons."""
    hasard = cadre.hasard(32)
    obstacles = construire_obstacles(axes, rivieres, campagne)
    lits = np.vstack([o for _, o, _, _ in obstacles])
    reseau = _greffer_allees(reseau, lits, cadre.part(NOMBRE_ALLEES), hasard)
    return plus_grand_morceau(reseau)

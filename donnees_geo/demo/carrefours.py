"""Carrefours particuliers : giratoires, rues piétonnes des centres, marches des ruelles raides."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from scipy.spatial import cKDTree

from donnees_geo.demo.cadre import Cadre, Entiers, Flottants, plus_proches
from donnees_geo.demo.habitat import Habitat
from donnees_geo.demo.relief import Vallees
from donnees_geo.demo.voirie import AUCUN, Reseau

RAYON_GIRATOIRE_M: Final = 17.0
#: Sommets ajoutés sur l'anneau entre deux branches.
SOMMETS_ARC: Final = 3


def _choisir_giratoires(reseau: Reseau, cadre: Cadre, eaux: Flottants) -> Entiers:
    """Carrefours de routes départementales, espacés, loin de l'eau et des ouvrages."""
    hasard = cadre.hasard(31)
    bouts = np.r_[reseau.origine, reseau.cible]
    n = reseau.x.size
    degre = np.bincount(bouts, minlength=n)
    rangs = np.tile(reseau.rangs(), 2)
    routes = np.bincount(bouts[rangs <= 2], minlength=n)
    importante = np.bincount(bouts[rangs <= 1], minlength=n) > 0
    ouvrage = np.bincount(bouts, weights=np.tile(reseau.ouvrage, 2), minlength=n) > 0
    choix = (routes >= 3) & (degre <= 6) & importante & ~ouvrage & ~reseau.niveau
    xy = np.column_stack([reseau.x, reseau.y])
    choix &= plus_proches(eaux, xy, 60.0)[0] > 60.0
    candidats = np.flatnonzero(choix & (hasard.random(n) < 0.75))
    paires = cKDTree(xy[candidats]).query_pairs(180.0, output_type="ndarray")
    garde = np.ones(candidats.size, dtype=bool)
    garde[paires.max(axis=1)] = False
    return candidats[garde]


def _degager(reseau: Reseau, centres: Entiers) -> Reseau:
    """Fondre dans le carrefour les noeuds trop proches pour rester hors de l'anneau."""
    xy = np.column_stack([reseau.x, reseau.y])
    ecart, proche = plus_proches(xy[centres], xy, RAYON_GIRATOIRE_M + 7)
    rang = np.arange(reseau.x.size)
    dedans = np.isfinite(ecart)
    rang[dedans] = centres[proche[dedans]]
    fondu = replace(reseau, origine=rang[reseau.origine], cible=rang[reseau.cible])
    n = np.int64(reseau.x.size)
    bas = np.minimum(fondu.origine, fondu.cible)
    _, premiers = np.unique(bas * n + np.maximum(fondu.origine, fondu.cible), return_index=True)
    unique = np.zeros(fondu.origine.size, dtype=bool)
    unique[premiers] = True
    garde = unique & (fondu.origine != fondu.cible)
    return replace(
        fondu,
        origine=fondu.origine[garde],
        cible=fondu.cible[garde],
        nature=fondu.nature[garde],
        rue=fondu.rue[garde],
        ouvrage=fondu.ouvrage[garde],
    )


def poser_giratoires(reseau: Reseau, cadre: Cadre, eaux: Flottants) -> Reseau:
    """Remplacer des carrefours par un anneau parcouru dans le sens inverse des aiguilles.

    Parameters
    ----------
    eaux
        float64[n, 2], points serrés des axes à ne pas approcher (eau, rails, autoroute).
    """
    centres = _choisir_giratoires(reseau, cadre, eaux)
    reseau = _degager(reseau, centres)
    est_centre = np.zeros(reseau.x.size, dtype=bool)
    est_centre[centres] = True
    m = reseau.origine.size
    arete = np.r_[np.arange(m), np.arange(m)]
    noeud = np.r_[reseau.origine, reseau.cible]
    autre = np.r_[reseau.cible, reseau.origine]
    branche = np.flatnonzero(est_centre[noeud])
    arete, noeud, autre = arete[branche], noeud[branche], autre[branche]
    origine_touchee = branche < m
    angle = np.arctan2(reseau.y[autre] - reseau.y[noeud], reseau.x[autre] - reseau.x[noeud])
    ordre = np.lexsort((angle, noeud))
    arete, noeud, angle, origine_touchee = (
        t[ordre] for t in (arete, noeud, angle, origine_touchee)
    )
    n, k = reseau.x.size, arete.size
    entree = n + np.arange(k)
    origine, cible = reseau.origine.copy(), reseau.cible.copy()
    origine[arete[origine_touchee]] = entree[origine_touchee]
    cible[arete[~origine_touchee]] = entree[~origine_touchee]
    # Branche suivante autour du même centre ; la dernière revient à la première.
    premier = np.r_[True, noeud[1:] != noeud[:-1]]
    debut = np.maximum.accumulate(np.where(premier, np.arange(k), 0))
    suivant = np.where(np.r_[premier[1:], True], debut, np.arange(k) + 1)
    ouverture = np.mod(angle[suivant] - angle, 2 * np.pi)
    part = np.arange(1, SOMMETS_ARC + 1) / (SOMMETS_ARC + 1)
    angles = angle[:, None] + ouverture[:, None] * part
    arcs = n + k + np.arange(k * SOMMETS_ARC).reshape(k, SOMMETS_ARC)
    chaine = np.column_stack([entree, arcs, entree[suivant]])
    r = RAYON_GIRATOIRE_M
    ajout = k * (SOMMETS_ARC + 1)
    return Reseau(
        np.r_[
            reseau.x,
            reseau.x[noeud] + r * np.cos(angle),
            (reseau.x[noeud][:, None] + r * np.cos(angles)).ravel(),
        ],
        np.r_[
            reseau.y,
            reseau.y[noeud] + r * np.sin(angle),
            (reseau.y[noeud][:, None] + r * np.sin(angles)).ravel(),
        ],
        np.r_[origine, chaine[:, :-1].ravel()],
        np.r_[cible, chaine[:, 1:].ravel()],
        np.r_[reseau.nature, np.full(ajout, "giratoire")],
        np.r_[reseau.rue, np.full(ajout, -1)],
        np.r_[reseau.ouvrage, np.full(ajout, AUCUN, dtype=np.int64)],
        np.r_[reseau.niveau, np.zeros(k * (1 + SOMMETS_ARC), dtype=bool)],
    ).filtrer(np.ones(m + ajout, dtype=bool))


def qualifier_voies(reseau: Reseau, cadre: Cadre, habitat: Habitat, vallees: Vallees) -> Reseau:
    """Rues piétonnes au coeur des villes et marches sur les venelles pentues."""
    nature = reseau.nature.astype("<U16")
    milieu_x = (reseau.x[reseau.origine] + reseau.x[reseau.cible]) / 2
    milieu_y = (reseau.y[reseau.origine] + reseau.y[reseau.cible]) / 2
    for i in np.flatnonzero(habitat.population > 6500):
        coeur = np.hypot(milieu_x - habitat.x[i], milieu_y - habitat.y[i])
        rayon = 120.0 + 70.0 * (habitat.population[i] > 15_000)
        nature[(nature == "rue_centre") & (coeur < rayon)] = "pietonne"
    z = cadre.echantillonner(vallees.altitude_m, reseau.x, reseau.y)
    pente = np.abs(z[reseau.origine] - z[reseau.cible]) / np.maximum(reseau.longueurs(), 1.0)
    nature[(nature == "venelle") & (pente > 0.055)] = "marches"
    return replace(reseau, nature=nature)

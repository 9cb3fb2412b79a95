"""Relief fictif : plaine humide au nord, collines au sud, vallées creusées par les rivières."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from donnees_geo.demo.cadre import Cadre, Entiers, Flottants, bruit

#: Rapport entre le pas du drainage et celui du relief (100 m contre 50 m).
RAPPORT_DRAINAGE: Final = 2


@dataclass(frozen=True)
class Drainage:
    """Arbre d'écoulement sur une grille au pas double de celle du relief.

    Attributes
    ----------
    parent
        int64[n], cellule aval ; -1 à l'exutoire. Rangée à plat, ligne 0 au sud.
    aire_km2
        float64[n], surface drainée.
    x, y
        float64[n], position (mètres), légèrement déformée pour effacer la trame.
    profondeur
        int64[n], nombre de pas jusqu'à l'exutoire.
    """

    parent: Entiers
    aire_km2: Flottants
    x: Flottants
    y: Flottants
    profondeur: Entiers


def construire_altitudes(cadre: Cadre) -> Flottants:
    """Altitudes avant le creusement des vallées, mètres, ligne 0 au sud."""
    hasard = cadre.hasard(1)
    forme = cadre.forme
    echelle = 1000 / cadre.pas_m
    _, y = cadre.centres_cellules()
    nord = ((y - cadre.sud) / (cadre.nord - cadre.sud))[:, None]
    ondulation = 0.05 * bruit(forme, 6 * echelle, hasard, 2)
    collines = 1.0 / (1.0 + np.exp((nord + ondulation - 0.30) / 0.085))
    larges = bruit(forme, 3.2 * echelle, hasard, 3)
    fines = bruit(forme, 0.9 * echelle, hasard, 3)
    altitudes = 20.5 + 118.0 * collines + 26.0 * collines * larges
    altitudes += (1.1 + 7.0 * collines) * fines + 14.0 * np.clip(0.55 - nord, 0, None)
    altitudes -= 3.0 * np.clip(nord - 0.5, 0, None)
    return np.clip(altitudes, 14.0, 196.0)


def _profondeurs(parent: Entiers) -> Entiers:
    """Nombre de pas jusqu'à la racine, par doublement des ancêtres."""
    ancetre = np.where(parent < 0, np.arange(parent.size), parent)
    profondeur = (parent >= 0).astype(np.int64)
    while True:
        suivante = profondeur + profondeur[ancetre]
        if np.array_equal(suivante, profondeur):
            return profondeur
        profondeur, ancetre = suivante, ancetre[ancetre]


def _graphe_grille(altitudes: Flottants, pas_m: float) -> sparse.csr_array:
    """Graphe à huit voisins dont le coût fuit les hauteurs : les chemins suivent les vallées."""
    lignes, colonnes = altitudes.shape
    numeros = np.arange(altitudes.size).reshape(altitudes.shape)
    penalite = 1.0 + ((altitudes - altitudes.min()) / 7.0) ** 2
    origines, cibles, couts = [], [], []
    for dl, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
        de = (slice(0, lignes - dl), slice(max(0, -dc), colonnes - max(0, dc)))
        vers = (slice(dl, lignes), slice(max(0, dc), colonnes + min(0, dc)))
        origines.append(numeros[de].ravel())
        cibles.append(numeros[vers].ravel())
        moyenne = 0.5 * (penalite[de] + penalite[vers])
        couts.append((moyenne * np.hypot(dl, dc) * pas_m).ravel())
    o, c, v = (np.concatenate(t) for t in (origines, cibles, couts))
    n = altitudes.size
    return sparse.csr_array((np.r_[v, v], (np.r_[o, c], np.r_[c, o])), shape=(n, n))


def construire_drainage(cadre: Cadre, altitudes: Flottants) -> Drainage:
    """Arbre d'écoulement vers quelques exutoires du bord nord.

    Chaque cellule s'écoule le long du chemin le moins coûteux vers un exutoire ; le coût croît avec
    l'altitude, si bien que les chemins se rejoignent dans les creux comme un vrai chevelu.
    """
    hasard = cadre.hasard(2)
    pas = cadre.pas_m * RAPPORT_DRAINAGE
    grossier = altitudes[::RAPPORT_DRAINAGE, ::RAPPORT_DRAINAGE]
    rugueux = grossier + 4.5 * bruit(grossier.shape, 1500 / pas, hasard, 3)
    lignes, colonnes = grossier.shape
    parts = np.array([0.13, 0.40, 0.66, 0.93]) if cadre.facteur == 1 else np.array([0.3, 0.8])
    exutoires = (lignes - 1) * colonnes + (parts * colonnes).astype(np.int64)
    _distances, parents, _ = csgraph.dijkstra(
        _graphe_grille(rugueux, pas), indices=exutoires, min_only=True, return_predecessors=True
    )
    parent = np.where(parents < 0, -1, parents).astype(np.int64)
    profondeur = _profondeurs(parent)
    aire = np.full(parent.size, (pas / 1000) ** 2)
    ordre = np.argsort(-profondeur, kind="stable")
    bornes = np.searchsorted(-profondeur[ordre], -np.arange(profondeur.max(), -1, -1), "right")
    debut = 0
    for fin in bornes[:-1]:
        rang = ordre[debut:fin]
        np.add.at(aire, parent[rang], aire[rang])
        debut = int(fin)
    ligne, colonne = np.divmod(np.arange(parent.size), colonnes)
    deforme = [85.0 * bruit(grossier.shape, 450 / pas, hasard).ravel() for _ in range(2)]
    return Drainage(
        parent,
        aire,
        cadre.ouest + (colonne + 0.25) * pas + deforme[0],
        cadre.sud + (ligne + 0.25) * pas + deforme[1],
        profondeur,
    )


def altitudes_rivieres(cadre: Cadre, altitudes: Flottants, drainage: Drainage) -> Flottants:
    """Altitude du fil de l'eau en chaque cellule du drainage, jamais montante vers l'aval."""
    lissees = ndimage.gaussian_filter(altitudes, 250 / cadre.pas_m)
    terrain = cadre.echantillonner(lissees, drainage.x, drainage.y)
    encaissement = 1.2 + 1.6 * np.log1p(drainage.aire_km2)
    relief = np.clip((terrain - 20.0) / 60.0, 0.15, 1.0)
    fil = terrain - encaissement * relief
    # De l'aval vers l'amont : une cellule n'est jamais plus basse que celle qui la suit.
    ordre = np.argsort(drainage.profondeur, kind="stable")
    profondeurs = drainage.profondeur[ordre]
    bornes = np.searchsorted(profondeurs, np.arange(1, profondeurs.max() + 2))
    for debut, fin in itertools.pairwise(bornes):
        rang = ordre[debut:fin]
        fil[rang] = np.maximum(fil[rang], fil[drainage.parent[rang]] + 0.02)
    return fil


@dataclass(frozen=True)
class Vallees:
    """Relief creusé et grandeurs rapportées à la rivière la plus proche (grilles au pas du cadre).

    Attributes
    ----------
    altitude_m
        Altitude du sol.
    distance_m
        Distance au cours d'eau naturel le plus proche.
    hauteur_m
        Hauteur au-dessus du fil de l'eau le plus proche.
    aire_km2
        Surface drainée par ce cours d'eau à cet endroit.
    """

    altitude_m: Flottants
    distance_m: Flottants
    hauteur_m: Flottants
    aire_km2: Flottants


def creuser_vallees(
    cadre: Cadre, altitudes: Flottants, fil: tuple[Flottants, Flottants, Flottants, Flottants]
) -> Vallees:
    """Creuser le relief autour des rivières.

    Parameters
    ----------
    fil
        Abscisses, ordonnées, altitudes et aires drainées de points serrés le long des rivières.
    """
    x, y, z, aire = fil
    ligne, colonne = cadre.cellules(x, y)
    eau = np.zeros(cadre.forme, dtype=bool)
    eau[ligne, colonne] = True
    cote = np.zeros(cadre.forme)
    drainee = np.zeros(cadre.forme)
    cote[ligne, colonne] = z
    drainee[ligne, colonne] = aire
    distance, (li, co) = ndimage.distance_transform_edt(~eau, return_indices=True)
    distance = distance * cadre.pas_m
    proche = ndimage.gaussian_filter(cote[li, co], 2.0)
    drainee = drainee[li, co]
    # Fond plat dont la largeur croît avec l'aire drainée, puis versant.
    fond = 40.0 + 55.0 * np.log1p(drainee)
    versant = proche + np.clip(distance - fond, 0, None) ** 1.25 / 95.0 + distance / 600.0
    creuse = np.minimum(altitudes, versant)
    melange = np.exp(-((distance / (fond + 380.0)) ** 2))
    sol = ndimage.gaussian_filter(altitudes * (1 - melange) + creuse * melange, 0.9)
    return Vallees(sol, distance, sol - proche, drainee)

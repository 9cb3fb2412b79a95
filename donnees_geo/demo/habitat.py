"""Communes fictives : emplacement des centres, populations, noms, étendue bâtie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from donnees_geo.demo.cadre import CENTRE_M, Booleens, Cadre, Entiers, Flottants, plus_proches
from donnees_geo.demo.noms import NOMS_COMMUNES, NOMS_RIVIERES
from donnees_geo.demo.relief import Vallees

SURFACE_KM2: Final = 650.0
NOMBRE_COMMUNES: Final = 100
NOMBRE_PETITES: Final = 62
POPULATION: Final = 280_000


@dataclass(frozen=True)
class Habitat:
    """Centres de communes, dans le territoire (en tête) et autour.

    Attributes
    ----------
    x, y
        Position du centre, mètres.
    population
        Habitants.
    interieure
        Vrai pour les communes du territoire.
    noms, codes
        Nom et code à cinq caractères.
    ceinture
        Vrai dans la ceinture minière.
    rayon_m
        Rayon d'un disque de la surface bâtie.
    """

    x: Flottants
    y: Flottants
    population: Entiers
    interieure: Booleens
    noms: tuple[str, ...]
    codes: tuple[str, ...]
    ceinture: Booleens
    rayon_m: Flottants


def ordonnee_ceinture(cadre: Cadre, x: Flottants) -> Flottants:
    """Ordonnée de l'axe de la ceinture minière, orientée d'ouest en est."""
    u = (np.asarray(x) - cadre.ouest) / (cadre.est - cadre.ouest)
    part = 0.485 + 0.045 * np.sin(2.2 * np.pi * u + 0.6) - 0.05 * (u - 0.5)
    ordonnee: Flottants = cadre.sud + part * (cadre.nord - cadre.sud)
    return ordonnee


def distance_ceinture(cadre: Cadre, x: Flottants, y: Flottants) -> Flottants:
    """Distance (m, comptée du sud au nord) à l'axe de la ceinture, en valeur absolue."""
    ecart: Flottants = np.abs(np.asarray(y) - ordonnee_ceinture(cadre, x))
    return ecart


def _eloignement(cadre: Cadre, x: Flottants, y: Flottants) -> Flottants:
    """Distance au centre dans une norme arrondie et bosselée : forme du territoire."""
    dx, dy = (x - CENTRE_M[0]) / cadre.largeur_m, (y - CENTRE_M[1]) / cadre.hauteur_m
    angle = np.arctan2(dy, dx)
    rayon = (np.abs(dx) ** 2.6 + np.abs(dy) ** 2.6) ** (1 / 2.6)
    eloignement: Flottants = rayon * (1 + 0.09 * np.sin(3 * angle + 1.1) + 0.05 * np.cos(5 * angle))
    return eloignement


def _semer(candidats: Flottants, espacement: Flottants) -> Entiers:
    """Garder les candidats, dans l'ordre, à distance de tous ceux déjà gardés."""
    gardes: list[int] = []
    for i in range(len(candidats)):
        if gardes:
            d = np.hypot(*(candidats[gardes] - candidats[i]).T)
            if np.any(d < np.minimum(espacement[gardes], espacement[i])):
                continue
        gardes.append(i)
    return np.array(gardes, dtype=np.int64)


def _placer_centres(cadre: Cadre, vallees: Vallees) -> tuple[Flottants, Booleens]:
    """Centres espacés, près des rivières sans y toucher, plus serrés dans la ceinture."""
    hasard = cadre.hasard(3)
    n = 2600 if cadre.facteur == 1 else 900
    x = hasard.uniform(cadre.ouest + 500, cadre.est - 500, n)
    y = hasard.uniform(cadre.sud + 500, cadre.nord - 500, n)
    eau = cadre.echantillonner(vallees.distance_m, x, y)
    hauteur = cadre.echantillonner(vallees.hauteur_m, x, y)
    attrait = np.exp(-(((eau - 420) / 420) ** 2)) + 0.5 * hasard.random(n)
    attrait -= 0.8 * (eau < 160) + 0.5 * (hauteur > 35) + 0.4 * (hauteur < 0.6)
    ordre = np.argsort(-attrait, kind="stable")
    points = np.column_stack([x, y])[ordre]
    ceinture = np.exp(-((distance_ceinture(cadre, points[:, 0], points[:, 1]) / 3600) ** 4))
    base = 3000.0 - 1150.0 * ceinture
    cible = round(NOMBRE_COMMUNES * cadre.facteur)
    x_grille, y_grille = cadre.centres_cellules()
    gx, gy = np.meshgrid(x_grille[::6], y_grille[::6])
    echelle = 0.8
    for _ in range(6):
        centres = points[_semer(points, base * echelle)]
        rang = np.argsort(_eloignement(cadre, centres[:, 0], centres[:, 1]), kind="stable")
        interieure = np.zeros(len(centres), dtype=bool)
        interieure[rang[:cible]] = True
        _, proche = plus_proches(centres, np.column_stack([gx.ravel(), gy.ravel()]))
        surface = float(interieure[proche].sum()) * (6 * cadre.pas_m / 1000) ** 2
        echelle *= float(np.sqrt(SURFACE_KM2 * cadre.facteur / surface)) ** 0.9
    ordre = np.argsort(~interieure, kind="stable")
    return centres[ordre], interieure[ordre]


def _tailles(cadre: Cadre) -> Entiers:
    """Populations décroissantes : grandes villes, bourgs, villages, total fixé."""
    communes, petites = cadre.part(NOMBRE_COMMUNES), round(NOMBRE_PETITES * cadre.facteur)
    grandes = np.array([25_000.0, 20_400.0, 19_700.0] if cadre.facteur == 1 else [15_000.0])
    villages = np.geomspace(1_960, 170, petites)
    bourgs = communes - petites - len(grandes)
    moyenne = (POPULATION * cadre.facteur - grandes.sum() - villages.sum()) / bourgs
    puissance = 10_300.0 / (moyenne - 2_050.0) - 1.0
    t = (np.arange(bourgs) + 0.5) / bourgs
    tailles = np.concatenate([grandes, 2_050 + 10_300 * (1 - t) ** puissance, villages])
    entieres = np.round(tailles).astype(np.int64)
    entieres[len(grandes)] += round(POPULATION * cadre.facteur) - int(entieres.sum())
    return entieres


def _repartir_tailles(cadre: Cadre, centres: Flottants, interieure: Booleens) -> Entiers:
    """Grandes communes dans la ceinture, villages au sud et au nord."""
    hasard = cadre.hasard(4)
    x, y = centres.T
    ecart = distance_ceinture(cadre, x, y)
    population = np.zeros(len(x), dtype=np.int64)
    tailles = _tailles(cadre)
    dedans = np.flatnonzero(interieure)
    score = np.exp(-((ecart / 4200) ** 2)) + 0.42 * hasard.random(len(x))
    reperes = [(0.02, 0.0), (-0.29, 0.0), (0.24, -0.06)][: 3 if cadre.facteur == 1 else 1]
    places: list[int] = []
    for part_x, part_y in reperes:
        rx = CENTRE_M[0] + part_x * cadre.largeur_m
        ry = float(ordonnee_ceinture(cadre, np.array([rx]))[0]) + part_y * cadre.hauteur_m
        distance = np.hypot(x[dedans] - rx, y[dedans] - ry)
        distance[np.isin(dedans, places)] = np.inf
        places.append(int(dedans[np.argmin(distance)]))
    # Pas de bourg collé aux grandes villes : elles ont absorbé leurs voisins.
    proches = np.min([np.hypot(x - x[p], y - y[p]) for p in places], axis=0)
    score -= 0.35 * np.exp(-((proches / 2600) ** 2))
    autres = dedans[~np.isin(dedans, places)]
    autres = autres[np.argsort(-score[autres], kind="stable")]
    population[np.concatenate([places, autres]).astype(np.int64)] = tailles
    dehors = np.flatnonzero(~interieure)
    village = np.exp(hasard.normal(6.5, 0.6, len(dehors)))
    population[dehors] = np.clip(village * (1 + 3.5 * (ecart[dehors] < 3500)), 150, 6500)
    # Trois villes au-delà des limites : leurs services comptent pour les habitants.
    angles, habitants = (0.15, 2.2, -2.6), (22_000, 9_500, 7_000)
    for angle, taille in zip(angles, habitants, strict=True):
        direction = np.cos(np.arctan2(y[dehors] - CENTRE_M[1], x[dehors] - CENTRE_M[0]) - angle)
        retrait = np.minimum.reduce(
            [
                x[dehors] - cadre.ouest,
                cadre.est - x[dehors],
                y[dehors] - cadre.sud,
                cadre.nord - y[dehors],
            ]
        )
        choix = dehors[np.argmax(direction - 5.0 * (retrait < 1500))]
        population[choix] = round(taille * (1.0 if cadre.facteur == 1 else 0.5))
    return population


def _nommer(cadre: Cadre, population: Entiers, eau_m: Flottants) -> tuple[str, ...]:
    """Noms simples et composés (« -lès- » voisin, « -sur- » rivière)."""
    hasard = cadre.hasard(5)
    noms = list(NOMS_COMMUNES[: len(population)])
    manque = len(population) - len(noms)
    noms += [f"{NOMS_COMMUNES[i]}-le-Petit" for i in range(manque)]
    ordre = np.argsort(-population, kind="stable")
    tirage = hasard.random(len(noms))
    grande = noms[int(ordre[0])]
    for rang, i in enumerate(ordre[1:], start=1):
        if tirage[i] < 0.10 and eau_m[i] < 500:
            noms[i] += f"-sur-{NOMS_RIVIERES[rang % 12]}"
        elif 0.10 <= tirage[i] < 0.15:
            noms[i] += f"-lès-{grande}"
        elif 0.15 <= tirage[i] < 0.21:
            noms[i] = ("La " if noms[i].endswith("e") else "Le ") + noms[i]
        elif 0.21 <= tirage[i] < 0.25:
            noms[i] += "-les-Mines" if population[i] > 2500 else "-aux-Bois"
    return tuple(noms)


def construire_habitat(cadre: Cadre, vallees: Vallees) -> Habitat:
    """Centres de communes du territoire et de ses alentours."""
    centres, interieure = _placer_centres(cadre, vallees)
    population = _repartir_tailles(cadre, centres, interieure)
    x, y = centres.T
    densite = 1_050.0 + 2_500.0 * (population / 25_000) ** 0.38
    return Habitat(
        x,
        y,
        population,
        interieure,
        _nommer(cadre, population, cadre.echantillonner(vallees.distance_m, x, y)),
        tuple(f"00{i + 1:03d}" for i in range(len(x))),
        distance_ceinture(cadre, x, y) < 3600,
        np.sqrt(population / densite / np.pi) * 1000,
    )

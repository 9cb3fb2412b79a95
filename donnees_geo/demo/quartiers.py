"""Rues locales : chaque quartier a sa trame (centre ancien, corons, lotissement, village…)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import Voronoi

from donnees_geo.demo.axes import Axes
from donnees_geo.demo.cadre import (
    Booleens,
    Cadre,
    Entiers,
    Flottants,
    bruit,
    plus_proches,
    reechantillonner,
)
from donnees_geo.demo.emprise_batie import EmpriseBatie
from donnees_geo.demo.habitat import Habitat


@dataclass(frozen=True)
class Trame:
    """Trame de rues d'un type de quartier.

    Attributes
    ----------
    nature
        Nature des rues produites.
    longueur_m, largeur_m
        Dimensions d'un îlot.
    desordre
        Écart aléatoire des carrefours, part de la largeur.
    elagage
        Part des rues supprimées au hasard.
    arborescente
        Vrai pour des impasses greffées sur quelques rues (lotissements).
    """

    nature: str
    longueur_m: float
    largeur_m: float
    desordre: float
    elagage: float
    arborescente: bool = False


TRAMES: Final = (
    Trame("rue_centre", 92.0, 66.0, 0.30, 0.12),
    Trame("rue_faubourg", 135.0, 84.0, 0.12, 0.14),
    Trame("rue_coron", 178.0, 56.0, 0.0, 0.05),
    Trame("rue_lotissement", 78.0, 70.0, 0.24, 0.0, True),
    Trame("rue_village", 145.0, 105.0, 0.30, 0.30),
    Trame("rue_activite", 230.0, 150.0, 0.08, 0.18),
)
CENTRE, FAUBOURG, CORON, LOTISSEMENT, VILLAGE, ACTIVITE = range(6)
#: Part des rues d'un lotissement gardées en plus de l'arbre, pour quelques boucles.
PART_BOUCLES: Final = 0.10


@dataclass(frozen=True)
class Segments:
    """Segments de voirie avant la mise en réseau.

    Attributes
    ----------
    xy
        float64[n, 4], mètres.
    nature
        Nature de chaque segment (clé de ``profils_voies.PROFILS``).
    rue
        int64[n], numéro de la rue : les segments d'une même rue portent le même nom.
    """

    xy: Flottants
    nature: NDArray[np.str_]
    rue: Entiers

    @staticmethod
    def reunir(parts: list[Segments]) -> Segments:
        """Mettre bout à bout plusieurs familles de segments."""
        return Segments(
            np.vstack([p.xy for p in parts]),
            np.concatenate([p.nature for p in parts]),
            np.concatenate([p.rue for p in parts]),
        )

    def filtrer(self, garde: Booleens) -> Segments:
        """Segments retenus."""
        return Segments(self.xy[garde], self.nature[garde], self.rue[garde])


@dataclass(frozen=True)
class Quartiers:
    """Germes des quartiers.

    Attributes
    ----------
    xy
        float64[n, 2], mètres.
    trame
        int64[n], rang dans :data:`TRAMES`.
    angle
        float64[n], orientation de la trame, radians.
    commune
        int64[n], rang de la commune.
    """

    xy: Flottants
    trame: Entiers
    angle: Flottants
    commune: Entiers


def _orientations(axes: Axes, xy: Flottants) -> Flottants:
    """Direction de la route la plus proche de chaque germe."""
    segments = axes.segments_routes()
    milieu = (segments[:, :2] + segments[:, 2:]) / 2
    _, proche = plus_proches(milieu, xy)
    d = segments[proche, 2:] - segments[proche, :2]
    angles: Flottants = np.arctan2(d[:, 1], d[:, 0])
    return angles


def _choisir_trames(
    habitat: Habitat, commune: Entiers, rang: Flottants, hasard: np.random.Generator
) -> Entiers:
    """Trame selon la taille de la commune, la ceinture et l'éloignement du centre."""
    population = habitat.population[commune]
    tirage = hasard.random(rang.size)
    ville = population > 3500
    trame = np.where(ville, FAUBOURG, VILLAGE)
    trame = np.where((tirage < 0.50) & (rang > 0.62) & (population > 700), LOTISSEMENT, trame)
    miniere = habitat.ceinture[commune] & (population > 1200)
    trame = np.where(miniere & (rang > 0.3) & (tirage > 0.58), CORON, trame)
    coeur = np.where(population > 15_000, 0.36, np.where(population > 7000, 0.30, 0.26))
    return np.where(ville & (rang < coeur), CENTRE, trame).astype(np.int64)


def semer_quartiers(cadre: Cadre, habitat: Habitat, axes: Axes, emprise: EmpriseBatie) -> Quartiers:
    """Germes des quartiers dans l'étendue bâtie, et zones d'activités à ses abords."""
    hasard = cadre.hasard(9)
    pas = 345.0
    x, y = np.meshgrid(
        np.arange(cadre.ouest + 200, cadre.est - 200, pas),
        np.arange(cadre.sud + 200, cadre.nord - 200, pas * 0.87),
    )
    x[1::2] += pas / 2
    xy = np.column_stack([x.ravel(), y.ravel()])
    xy += hasard.uniform(-0.34, 0.34, xy.shape) * pas
    rang = cadre.echantillonner(emprise.rang, *xy.T)
    commune = emprise.commune[cadre.cellules(*xy.T)]
    activite = (
        (rang > 1.0)
        & (rang < 1.9)
        & habitat.ceinture[commune]
        & (habitat.population[commune] > 3500)
        & (hasard.random(rang.size) < 0.16)
    )
    bati = rang < 1.04
    garde = bati | activite
    trame = _choisir_trames(habitat, commune, rang, hasard)
    trame = np.where(activite, ACTIVITE, trame)
    angle = _orientations(axes, xy) + np.where(
        trame == CENTRE, hasard.normal(0, 0.18, rang.size), hasard.normal(0, 0.07, rang.size)
    )
    return Quartiers(xy[garde], trame[garde], angle[garde], commune[garde])


def _couper_au_voisin(
    a: Flottants, b: Flottants, propre: Flottants, voisin: Flottants
) -> Flottants:
    """Point de ``[a, b]`` à égale distance des germes ``propre`` et ``voisin``."""
    normale = voisin - propre
    milieu = (voisin + propre) / 2
    haut = ((milieu - a) * normale).sum(axis=1)
    bas = ((b - a) * normale).sum(axis=1)
    t = np.clip(haut / np.where(np.abs(bas) < 1e-6, 1e-6, bas), 0.0, 1.0)
    coupe: Flottants = a + t[:, None] * (b - a)
    return coupe


def _treillis(
    quartiers: Quartiers, rangs: Entiers, trame: Trame, hasard: np.random.Generator
) -> tuple[Flottants, Entiers, Entiers, Entiers, Entiers]:
    """Carrefours, germes, arêtes (origine, cible) et rues d'une trame autour de ses germes."""
    portee = 430.0 if trame.nature != "rue_activite" else 520.0
    ni, nj = int(portee // trame.longueur_m) + 1, int(portee // trame.largeur_m) + 1
    i, j = np.meshgrid(np.arange(-ni, ni + 1), np.arange(-nj, nj + 1), indexing="ij")
    par_germe = i.size
    cos, sin = np.cos(quartiers.angle[rangs])[:, None], np.sin(quartiers.angle[rangs])[:, None]
    # Décaler une rangée sur deux ferait des briques ; un décalage propre au quartier suffit.
    phase = hasard.uniform(-0.5, 0.5, (rangs.size, 2))
    u = (i.ravel() + phase[:, :1]) * trame.longueur_m
    v = (j.ravel() + phase[:, 1:]) * trame.largeur_m
    ecart = trame.desordre * trame.largeur_m
    x = quartiers.xy[rangs, :1] + cos * u - sin * v + hasard.normal(0, ecart / 2, u.shape)
    y = quartiers.xy[rangs, 1:] + sin * u + cos * v + hasard.normal(0, ecart / 2, u.shape)
    numeros = np.arange(par_germe).reshape(i.shape)
    locales_o = np.r_[numeros[:-1].ravel(), numeros[:, :-1].ravel()]
    locales_c = np.r_[numeros[1:].ravel(), numeros[:, 1:].ravel()]
    base = (np.arange(rangs.size) * par_germe)[:, None]
    # Une rue suit une rangée (numéro pair) ou une colonne (impair) de la trame.
    rue = np.r_[2 * (j[:-1].ravel() + nj), 2 * (i[:, :-1].ravel() + ni) + 1]
    return (
        np.column_stack([x.ravel(), y.ravel()]),
        np.repeat(rangs, par_germe),
        (base + locales_o).ravel(),
        (base + locales_c).ravel(),
        (rangs[:, None] * 64 + rue).ravel(),
    )


def _arbre_et_boucles(o: Entiers, c: Entiers, hasard: np.random.Generator) -> Booleens:
    """Arêtes d'un arbre couvrant aléatoire, plus quelques boucles."""
    utiles, rangs = np.unique(np.r_[o, c], return_inverse=True)
    lo, lc = rangs[: o.size], rangs[o.size :]
    poids = hasard.uniform(0.5, 1.5, o.size)
    graphe = sparse.csr_array((poids, (lo, lc)), shape=(utiles.size, utiles.size))
    arbre = csgraph.minimum_spanning_tree(graphe).tocoo()
    cles = arbre.row.astype(np.int64) * utiles.size + arbre.col
    garde: Booleens = np.isin(lo * np.int64(utiles.size) + lc, cles)
    return garde | (hasard.random(o.size) < PART_BOUCLES)


def _rues_de_trame(
    cadre: Cadre, quartiers: Quartiers, emprise: EmpriseBatie, numero: int
) -> list[Segments]:
    """Rues d'une trame, coupées à la limite des quartiers voisins."""
    hasard = cadre.hasard(20 + numero)
    trame = TRAMES[numero]
    rangs = np.flatnonzero(quartiers.trame == numero)
    if not rangs.size:
        return []
    xy, germe, o, c, rue = _treillis(quartiers, rangs, trame, hasard)
    _, proche = plus_proches(quartiers.xy, xy)
    limite = 2.3 if numero == ACTIVITE else 1.06
    bati = cadre.echantillonner(emprise.rang, *xy.T) < limite
    # Une trame d'activités s'arrête à 300 m de son germe : elle n'a pas toujours de voisin.
    bati &= np.hypot(*(xy - quartiers.xy[germe]).T) < (330.0 if numero == ACTIVITE else 400.0)
    propre = (proche == germe) & bati
    inverse = propre[c] & ~propre[o]
    o, c = np.where(inverse, c, o), np.where(inverse, o, c)
    garde = propre[o] & bati[c]
    if trame.arborescente:
        # Les arêtes de bord, coupées au voisin, servent d'entrées : une sur deux suffit.
        interne = propre[o] & propre[c]
        choisie = np.zeros(o.size, dtype=bool)
        choisie[interne] = _arbre_et_boucles(o[interne], c[interne], hasard)
        garde &= choisie | (~interne & (hasard.random(o.size) < 0.42))
    garde &= hasard.random(o.size) >= trame.elagage
    o, c, rue = o[garde], c[garde], rue[garde]
    arrivee = xy[c].copy()
    dehors = ~propre[c]
    arrivee[dehors] = _couper_au_voisin(
        xy[o][dehors],
        xy[c][dehors],
        quartiers.xy[germe[o]][dehors],
        quartiers.xy[proche[c]][dehors],
    )
    familles = [Segments(np.column_stack([xy[o], arrivee]), np.full(o.size, trame.nature), rue)]
    if numero == CORON:
        familles.append(_ruelles(xy, o, c, propre, trame))
    return familles


def _ruelles(xy: Flottants, o: Entiers, c: Entiers, propre: Booleens, trame: Trame) -> Segments:
    """Ruelles de desserte des jardins, au dos des maisons des corons."""
    # Les arêtes courtes relient deux rangées ; la ruelle part de leur milieu vers la suivante.
    d = xy[c] - xy[o]
    courtes = propre[c] & (np.hypot(*d.T) < 1.2 * trame.largeur_m)
    milieux = (xy[o] + xy[c])[courtes] / 2
    if len(milieux) < 2:
        return Segments(np.zeros((0, 4)), np.zeros(0, "<U8"), np.zeros(0, np.int64))
    direction = d[courtes] / np.hypot(*d[courtes].T)[:, None]
    suivant = milieux + np.column_stack([direction[:, 1], -direction[:, 0]]) * trame.longueur_m
    ecart, proche = plus_proches(milieux, suivant)
    lien = ecart < 2.0
    return Segments(
        np.column_stack([milieux[lien], milieux[proche[lien]]]),
        np.full(lien.sum(), "ruelle"),
        np.full(lien.sum(), -1),
    )


def _limites_de_quartiers(cadre: Cadre, quartiers: Quartiers, emprise: EmpriseBatie) -> Segments:
    """Rues collectrices : limites entre quartiers voisins."""
    hasard = cadre.hasard(10)
    voronoi = Voronoi(quartiers.xy)
    sommets = np.array(voronoi.ridge_vertices)
    finies = (sommets >= 0).all(axis=1)
    a, b = voronoi.vertices[sommets[finies, 0]], voronoi.vertices[sommets[finies, 1]]
    g = voronoi.ridge_points[finies]
    ecart = np.hypot(*(quartiers.xy[g[:, 0]] - quartiers.xy[g[:, 1]]).T)
    longueur = np.hypot(*(a - b).T)
    bati = (cadre.echantillonner(emprise.rang, *a.T) < 1.05) & (
        cadre.echantillonner(emprise.rang, *b.T) < 1.05
    )
    garde = bati & (ecart < 620) & (longueur > 35) & (longueur < 480)
    garde &= hasard.random(longueur.size) < 0.86
    return Segments(
        np.column_stack([a[garde], b[garde]]),
        np.full(garde.sum(), "collectrice"),
        # Des numéros au-delà de ceux des trames ; une limite de quartier est une rue.
        64 * len(quartiers.xy) + np.flatnonzero(garde),
    )


def deformer(cadre: Cadre, xy: Flottants, amplitude_m: float, longueur_m: float) -> Flottants:
    """Déplacer des points par un champ lisse : les alignements trop parfaits s'incurvent."""
    hasard = cadre.hasard(11)
    champs = [bruit(cadre.forme, longueur_m / cadre.pas_m, hasard) for _ in range(2)]
    x, y = xy.T
    deplacement = np.column_stack([cadre.echantillonner(f, x, y) for f in champs])
    return xy + amplitude_m * deplacement


def semis_routes(axes: Axes, pas_m: float = 9.0) -> Flottants:
    """Points serrés posés exactement sur les routes."""
    s = axes.segments_routes()
    longueur = np.hypot(s[:, 2] - s[:, 0], s[:, 3] - s[:, 1])
    nombre = np.maximum(1, (longueur / pas_m).astype(np.int64))
    rang = np.repeat(np.arange(len(s)), nombre)
    depart = np.repeat(np.cumsum(nombre) - nombre, nombre)
    t = (np.arange(rang.size) - depart) / nombre[rang]
    points: Flottants = s[rang, :2] + t[:, None] * (s[rang, 2:] - s[rang, :2])
    return points


def ecarter_des_axes(
    axes: Axes, rivieres: tuple[Flottants, ...], segments: Segments, accroche_m: float = 24.0
) -> Segments:
    """Accrocher aux routes ce qui les frôle, supprimer ce qui les double ou touche un obstacle."""
    routes = semis_routes(axes)
    a, b = segments.xy[:, :2].copy(), segments.xy[:, 2:].copy()
    da, ia = plus_proches(routes, a)
    db, ib = plus_proches(routes, b)
    a[da < accroche_m], b[db < accroche_m] = (
        routes[ia[da < accroche_m]],
        routes[ib[db < accroche_m]],
    )
    garde: Booleens = ~((da < accroche_m) & (db < accroche_m))
    eau = np.vstack([reechantillonner(r, 12.0) for r in rivieres])
    for points, distance in (
        (reechantillonner(axes.autoroute, 12.0), 48.0),
        (reechantillonner(axes.canal, 12.0), 42.0),
        (np.vstack([reechantillonner(f, 12.0) for f in axes.ferrees]), 20.0),
        (eau, 14.0),
    ):
        for bout in (a, b, (a + b) / 2):
            garde &= plus_proches(points, bout, distance)[0] > distance
    garde &= np.hypot(*(a - b).T) > 8.0
    return Segments(np.column_stack([a, b]), segments.nature, segments.rue).filtrer(garde)


def construire_rues_locales(
    cadre: Cadre,
    habitat: Habitat,
    axes: Axes,
    emprise: EmpriseBatie,
    rivieres: tuple[Flottants, ...],
) -> tuple[Segments, Quartiers]:
    """Rues locales de toute l'emprise, pas encore mises en réseau."""
    quartiers = semer_quartiers(cadre, habitat, axes, emprise)
    familles = [_limites_de_quartiers(cadre, quartiers, emprise)]
    for numero in range(len(TRAMES)):
        familles += _rues_de_trame(cadre, quartiers, emprise, numero)
    rues = Segments.reunir(familles)
    bouts = deformer(cadre, np.vstack([rues.xy[:, :2], rues.xy[:, 2:]]), 22.0, 520.0)
    n = len(rues.xy)
    rues = Segments(np.column_stack([bouts[:n], bouts[n:]]), rues.nature, rues.rue)
    return ecarter_des_axes(axes, rivieres, rues), quartiers

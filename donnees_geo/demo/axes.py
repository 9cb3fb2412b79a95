"""Grands axes fictifs : canal, autoroute, voies ferrées et routes départementales."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.spatial import Delaunay, cKDTree

from donnees_geo.demo.cadre import (
    Cadre,
    Entiers,
    Flottants,
    lisser_ligne,
    plus_proches,
    reechantillonner,
)
from donnees_geo.demo.habitat import Habitat, distance_ceinture
from donnees_geo.demo.hydrographie import CoursEau
from donnees_geo.demo.maillage import (
    Maillage,
    cout_terrain,
    penaliser_franchissements,
    tracer_chemins,
)
from donnees_geo.demo.planarisation import segments_de_ligne
from donnees_geo.demo.relief import Vallees

#: Classes de routes, de la plus importante à la moindre.
CLASSES_ROUTES: Final = ("primary", "secondary", "tertiary", "unclassified")
SANS_CLASSE: Final = 9


@dataclass(frozen=True)
class Axes:
    """Grands axes.

    Attributes
    ----------
    canal, autoroute
        Axe de la voie, float64[k, 2] en mètres, d'ouest en est.
    ferrees
        Axes des voies ferrées.
    route_xy
        float64[n, 2], sommets des routes départementales.
    route_origine, route_cible
        int64[m], segments entre sommets.
    route_classe
        int64[m], rang dans :data:`CLASSES_ROUTES`.
    maille_classe
        int64[arêtes du maillage], rang de la route qui l'emprunte, ou ``SANS_CLASSE``.
    """

    canal: Flottants
    autoroute: Flottants
    ferrees: tuple[Flottants, ...]
    route_xy: Flottants
    route_origine: Entiers
    route_cible: Entiers
    route_classe: Entiers
    maille_classe: Entiers

    def segments_routes(self) -> Flottants:
        """Routes sous la forme float64[m, 4]."""
        return np.column_stack([self.route_xy[self.route_origine], self.route_xy[self.route_cible]])


def _proche(maillage: Maillage, x: float, y: float) -> int:
    return int(np.argmin(np.hypot(maillage.xy[:, 0] - x, maillage.xy[:, 1] - y)))


def _axe_lisse(maillage: Maillage, couts: Flottants, etapes: list[int], sigma: float) -> Flottants:
    """Ligne souple passant près des étapes : chemins mis bout à bout puis fortement lissés."""
    couples = list(itertools.pairwise(etapes))
    chemins = tracer_chemins(maillage, couts, couples, np.inf)
    noeuds = np.concatenate([chemins[0][:1], *[c[1:] for c in chemins]])
    ligne = reechantillonner(maillage.xy[noeuds], 60.0)
    return lisser_ligne(ligne, sigma)


def _eviter(maillage: Maillage, habitat: Habitat, couts: Flottants, rayon: float) -> Flottants:
    """Renchérir les arêtes proches des centres (d'autant plus loin qu'ils sont grands)."""
    milieu = (maillage.xy[maillage.origine] + maillage.xy[maillage.cible]) / 2
    facteur = np.ones(len(milieu))
    arbre = cKDTree(milieu)
    for x, y, r in zip(habitat.x, habitat.y, habitat.rayon_m, strict=True):
        portee = rayon * (0.35 * r + 250.0)
        rang = arbre.query_ball_point([x, y], portee)
        facteur[rang] += 7.0
    return couts * facteur


def construire_canal(
    cadre: Cadre, maillage: Maillage, vallees: Vallees, habitat: Habitat
) -> Flottants:
    """Canal à grand gabarit, d'ouest en est, dans la plaine au nord de la ceinture."""
    z = cadre.echantillonner(vallees.altitude_m, *maillage.xy.T)
    cout = maillage.longueur_m * (1 + np.clip(z[maillage.origine] - 21.0, 0, None) ** 2 / 8)
    ecart = maillage.xy[:, 1] - (cadre.sud + 0.60 * (cadre.nord - cadre.sud))
    cout = cout * (1 + (ecart[maillage.origine] / 2500.0) ** 2)
    cout = _eviter(maillage, habitat, cout, 1.3)
    hauteur = cadre.nord - cadre.sud
    ordres = [(0.0, 0.61), (0.35, 0.575), (0.68, 0.60), (1.0, 0.66)]
    largeur = cadre.est - cadre.ouest
    etapes = [
        _proche(maillage, cadre.ouest + u * largeur, cadre.sud + v * hauteur) for u, v in ordres
    ]
    return _axe_lisse(maillage, cout, etapes, 14.0)


def construire_autoroute(
    cadre: Cadre, maillage: Maillage, couts: Flottants, habitat: Habitat
) -> Flottants:
    """Autoroute d'ouest en est, au sud de la ceinture, à l'écart des centres."""
    ecart = maillage.xy[:, 1] - (cadre.sud + 0.375 * (cadre.nord - cadre.sud))
    cout = couts * (1 + (ecart[maillage.origine] / 900.0) ** 2)
    cout = _eviter(maillage, habitat, cout, 1.6)
    hauteur, largeur = cadre.nord - cadre.sud, cadre.est - cadre.ouest
    ordres = [(0.0, 0.385), (1.0, 0.365)]
    etapes = [
        _proche(maillage, cadre.ouest + u * largeur, cadre.sud + v * hauteur) for u, v in ordres
    ]
    return _axe_lisse(maillage, cout, etapes, 16.0)


def construire_ferrees(
    cadre: Cadre, maillage: Maillage, couts: Flottants, habitat: Habitat
) -> tuple[Flottants, ...]:
    """Ligne d'ouest en est par les villes de la ceinture, et embranchement vers le nord."""
    cout = _eviter(maillage, habitat, couts, 0.45)
    hauteur, largeur = cadre.nord - cadre.sud, cadre.est - cadre.ouest
    villes = np.flatnonzero(
        (habitat.population > 5500) & (distance_ceinture(cadre, habitat.x, habitat.y) < 3300)
    )
    villes = villes[np.argsort(habitat.x[villes])]
    # Des villes trop serrées feraient serpenter la ligne : une étape tous les 3 km au plus.
    gardees: list[int] = []
    for v in villes:
        if not gardees or habitat.x[v] - habitat.x[gardees[-1]] > 3000:
            gardees.append(int(v))
    decalage = 330.0 + 0.12 * habitat.rayon_m
    etapes = [_proche(maillage, cadre.ouest, cadre.sud + 0.50 * hauteur)]
    etapes += [_proche(maillage, habitat.x[v], habitat.y[v] - decalage[v]) for v in gardees]
    etapes.append(_proche(maillage, cadre.est, cadre.sud + 0.47 * hauteur))
    principale = _axe_lisse(maillage, cout, etapes, 9.0)
    centre = int(np.argmax(np.where(habitat.interieure, habitat.population, 0)))
    rang = int(np.argmin(np.hypot(*(principale - [habitat.x[centre] + 900, habitat.y[centre]]).T)))
    nord = [
        _proche(maillage, *principale[rang]),
        _proche(maillage, cadre.ouest + 0.62 * largeur, cadre.sud + 0.80 * hauteur),
        _proche(maillage, cadre.ouest + 0.58 * largeur, cadre.nord),
    ]
    branche = _axe_lisse(maillage, cout, nord, 14.0)
    branche[0] = principale[rang]
    return principale, lisser_ligne(branche, 3.0)


def _voisins_gabriel(xy: Flottants, rayon: float = 1.0) -> list[tuple[int, int]]:
    """Couples voisins : aucun autre centre dans le disque de diamètre joignant les deux."""
    triangles = Delaunay(xy).simplices
    paires = np.unique(
        np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])),
        axis=0,
    )
    milieu = (xy[paires[:, 0]] + xy[paires[:, 1]]) / 2
    demi = np.hypot(*(xy[paires[:, 0]] - xy[paires[:, 1]]).T) / 2
    proche, _ = plus_proches(xy, milieu)
    return [(int(a), int(b)) for a, b in paires[proche > demi * rayon * 0.999]]


def _reseau_routes(cadre: Cadre, maillage: Maillage, couts: Flottants, habitat: Habitat) -> Entiers:
    """Classe de chaque arête du maillage empruntée par une route (``SANS_CLASSE`` sinon)."""
    centres = np.column_stack([habitat.x, habitat.y])
    _, noeud = plus_proches(maillage.xy, centres)
    classe = np.full(couts.size, SANS_CLASSE, dtype=np.int64)
    courant = couts.copy()
    niveaux = ((7000, 1.0), (1500, 1.0), (0, 1.0), (0, 0.62))
    for niveau, (seuil, rayon) in enumerate(niveaux):
        retenus = np.flatnonzero(habitat.population >= seuil)
        couples = _voisins_gabriel(centres[retenus], rayon)
        couples = [(int(noeud[retenus[a]]), int(noeud[retenus[b]])) for a, b in couples]
        if niveau == 0:
            couples += _sorties(cadre, maillage, habitat, noeud)
        ecarts = [float(np.hypot(*(maillage.xy[a] - maillage.xy[b]))) for a, b in couples]
        if niveau >= 2:
            couples = [c for c, e in zip(couples, ecarts, strict=True) if e < 6500]
            ecarts = [e for e in ecarts if e < 6500]
        limite = 3.5 * max(ecarts) + 3000
        for chemin in tracer_chemins(maillage, courant, couples, limite):
            if chemin.size:
                aretes = maillage.aretes_de(chemin[:-1], chemin[1:])
                classe[aretes] = np.minimum(classe[aretes], niveau)
        # Les routes suivantes empruntent volontiers celles qui existent.
        courant = np.where(classe < SANS_CLASSE, couts * 0.42, couts)
    return classe


def _sorties(
    cadre: Cadre, maillage: Maillage, habitat: Habitat, noeud: Entiers
) -> list[tuple[int, int]]:
    """Routes qui quittent l'emprise, depuis la ville la plus proche de chaque bord."""
    villes = np.flatnonzero(habitat.population >= 4000)
    couples = []
    for x, y in (
        (cadre.ouest, cadre.sud + 0.52 * (cadre.nord - cadre.sud)),
        (cadre.est, cadre.sud + 0.47 * (cadre.nord - cadre.sud)),
        (cadre.ouest + 0.35 * (cadre.est - cadre.ouest), cadre.nord),
        (cadre.ouest + 0.72 * (cadre.est - cadre.ouest), cadre.nord),
        (cadre.ouest + 0.30 * (cadre.est - cadre.ouest), cadre.sud),
        (cadre.ouest + 0.70 * (cadre.est - cadre.ouest), cadre.sud),
    ):
        ville = villes[np.argmin(np.hypot(habitat.x[villes] - x, habitat.y[villes] - y))]
        couples.append((int(noeud[ville]), _proche(maillage, x, y)))
    return couples


def _adoucir(xy: Flottants, o: Entiers, c: Entiers, passes: int = 5) -> Flottants:
    """Lisser les sommets de degré 2 (les carrefours restent en place)."""
    degre = np.bincount(np.r_[o, c], minlength=len(xy))
    libre = degre == 2
    lisse = xy.copy()
    for _ in range(passes):
        somme = np.zeros_like(xy)
        np.add.at(somme, o, lisse[c])
        np.add.at(somme, c, lisse[o])
        lisse[libre] = 0.4 * lisse[libre] + 0.3 * somme[libre]
    return lisse


def _arrondir(
    xy: Flottants, o: Entiers, c: Entiers, classe: Entiers, passes: int = 2
) -> tuple[Flottants, Entiers, Entiers, Entiers]:
    """Couper les angles : deux sommets par arête (méthode de Chaikin), carrefours gardés."""
    for _ in range(passes):
        degre = np.bincount(np.r_[o, c], minlength=len(xy))
        n, m = len(xy), len(o)
        quart = 0.75 * xy[o] + 0.25 * xy[c]
        trois = 0.25 * xy[o] + 0.75 * xy[c]
        # À un sommet de degré 2, les points voisins des deux arêtes se joignent directement.
        rang_o, rang_c = n + np.arange(m), n + m + np.arange(m)
        bouts = np.r_[o, c]
        rangs = np.r_[rang_o, rang_c]
        droit = degre[bouts] != 2
        lien_o, lien_c = bouts[droit], rangs[droit]
        classe_lien = np.r_[classe, classe][droit]
        doux = ~droit
        ordre = np.argsort(bouts[doux], kind="stable")
        couples = rangs[doux][ordre].reshape(-1, 2)
        classe_doux = np.r_[classe, classe][doux][ordre].reshape(-1, 2).min(axis=1)
        xy = np.vstack([xy, quart, trois])
        o = np.r_[rang_o, lien_o, couples[:, 0]]
        c = np.r_[rang_c, lien_c, couples[:, 1]]
        classe = np.r_[classe, classe_lien, classe_doux]
    return xy, o, c, classe


def construire_axes(
    cadre: Cadre, vallees: Vallees, rivieres: CoursEau, habitat: Habitat, maillage: Maillage
) -> Axes:
    """Tous les grands axes, du plus contraint (canal) au plus souple (routes de village)."""
    lits = np.vstack([segments_de_ligne(ligne) for ligne in rivieres.lignes])
    couts = penaliser_franchissements(maillage, cout_terrain(cadre, maillage, vallees), lits, 160.0)
    canal = construire_canal(cadre, maillage, vallees, habitat)
    couts = penaliser_franchissements(maillage, couts, segments_de_ligne(canal), 900.0)
    autoroute = construire_autoroute(cadre, maillage, couts, habitat)
    ferrees = construire_ferrees(cadre, maillage, couts, habitat)
    couts = penaliser_franchissements(maillage, couts, segments_de_ligne(autoroute), 650.0)
    for ferree in ferrees:
        couts = penaliser_franchissements(maillage, couts, segments_de_ligne(ferree), 420.0)
    classe = _reseau_routes(cadre, maillage, couts, habitat)
    prise = classe < SANS_CLASSE
    o, c = maillage.origine[prise], maillage.cible[prise]
    utiles, rangs = np.unique(np.r_[o, c], return_inverse=True)
    o, c = rangs[: o.size], rangs[o.size :]
    xy = _adoucir(maillage.xy[utiles], o, c)
    return Axes(canal, autoroute, ferrees, *_arrondir(xy, o, c, classe[prise]), classe)

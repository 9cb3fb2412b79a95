"""Lignes de bus et gares fictives : itinéraires le long des rues, arrêts partagés."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from donnees_geo.demo.cadre import Booleens, Cadre, Entiers, Flottants
from donnees_geo.demo.decoupage import Decoupage
from donnees_geo.demo.emprise_batie import EmpriseBatie
from donnees_geo.demo.habitat import Habitat
from donnees_geo.demo.voirie import Reseau

NOMBRE_FREQUENTES: Final = 7
NOMBRE_ORDINAIRES: Final = 20
#: Voies empruntées par les bus et coût relatif : ils suivent les grandes rues.
COUTS_BUS: Final = {
    "primary": 0.8,
    "secondary": 0.8,
    "tertiary": 1.0,
    "giratoire": 0.8,
    "unclassified": 1.2,
    "collectrice": 1.5,
    "rue_centre": 2.0,
    "rue_faubourg": 2.2,
    "rue_coron": 2.6,
    "rue_village": 1.8,
}
#: Deux points d'arrêt plus proches (m) n'en font qu'un.
FUSION_ARRETS_M: Final = 110.0


@dataclass(frozen=True)
class Ligne:
    """Ligne de bus, dans un sens ; l'autre sens la parcourt à rebours.

    Attributes
    ----------
    code, nom, genre
        Code, nom long, et genre : frequente, ordinaire, rurale, scolaire, navette ou tad.
    trace
        float64[k, 2], tracé le long des rues, mètres.
    arrets
        int64[s], rangs dans la table des arrêts, dans l'ordre.
    distances_m
        float64[s], position de chaque arrêt le long du tracé.
    temps_s
        int64[s], temps de parcours depuis le premier arrêt, en secondes (minutes entières).
    """

    code: str
    nom: str
    genre: str
    trace: Flottants
    arrets: Entiers
    distances_m: Flottants
    temps_s: Entiers


@dataclass(frozen=True)
class ReseauBus:
    """Lignes et arrêts.

    Attributes
    ----------
    arrets
        Colonnes nom, x, y (mètres), code_commune.
    lignes
        Lignes, une par sens aller.
    """

    arrets: pd.DataFrame
    lignes: tuple[Ligne, ...]


class GrapheBus:
    """Graphe des voies ouvertes aux bus et recherche d'itinéraires."""

    def __init__(self, reseau: Reseau) -> None:
        noms, inverse = np.unique(reseau.nature, return_inverse=True)
        cout = np.array([COUTS_BUS.get(str(n), 0.0) for n in noms])[inverse]
        prise = cout > 0
        o, c = reseau.origine[prise], reseau.cible[prise]
        utiles, rangs = np.unique(np.r_[o, c], return_inverse=True)
        o, c = rangs[: o.size], rangs[o.size :]
        poids = np.maximum(reseau.longueurs()[prise], 0.1) * cout[prise]
        double = reseau.nature[prise] != "giratoire"
        n = utiles.size
        graphe = sparse.coo_array(
            (np.r_[poids, poids[double]], (np.r_[o, c[double]], np.r_[c, o[double]])), shape=(n, n)
        ).tocsr()
        _, fort = csgraph.connected_components(graphe, directed=True, connection="strong")
        self.xy: Flottants = np.column_stack([reseau.x, reseau.y])[utiles]
        self._graphe = graphe
        principal = np.flatnonzero(fort == np.argmax(np.bincount(fort)))
        self._arbre = cKDTree(self.xy[principal])
        self._principal = principal

    def noeud(self, x: float, y: float) -> int:
        """Noeud desservi le plus proche d'un point."""
        return int(self._principal[self._arbre.query([x, y])[1]])

    def itineraire(self, noeuds: list[int]) -> Flottants:
        """Tracé float64[k, 2] par les noeuds donnés, dans l'ordre."""
        suite: list[int] = [noeuds[0]]
        for a, b in itertools.pairwise(noeuds):
            portee = 3.0 * float(np.hypot(*(self.xy[a] - self.xy[b]))) + 2500
            distances, parents, _ = csgraph.dijkstra(
                self._graphe,
                indices=np.array([a]),
                limit=portee,
                return_predecessors=True,
                min_only=True,
            )
            if not np.isfinite(distances[b]):
                continue
            chemin = [b]
            while chemin[-1] != a:
                chemin.append(int(parents[chemin[-1]]))
            suite += chemin[-2::-1]
        return self.xy[suite]


def _intermediaires(
    habitat: Habitat, depart: int, arrivee: int, population_min: int, largeur_m: float
) -> list[int]:
    """Communes proches de la ligne droite entre deux communes, dans l'ordre du trajet."""
    a = np.array([habitat.x[depart], habitat.y[depart]])
    d = np.array([habitat.x[arrivee], habitat.y[arrivee]]) - a
    longueur = float(np.hypot(*d))
    rel = np.column_stack([habitat.x, habitat.y]) - a
    t = rel @ d / longueur**2
    travers = np.abs(rel[:, 0] * d[1] - rel[:, 1] * d[0]) / longueur
    choix = (t > 0.1) & (t < 0.9) & (travers < largeur_m) & (habitat.population >= population_min)
    rangs = np.flatnonzero(choix)
    return [depart, *rangs[np.argsort(t[rangs])].tolist(), arrivee]


def _parcours_urbains(cadre: Cadre, habitat: Habitat) -> list[tuple[str, list[int]]]:
    """Suites de communes des lignes fréquentes puis ordinaires."""
    dedans = np.flatnonzero(habitat.interieure)
    ordre = dedans[np.argsort(-habitat.population[dedans], kind="stable")]
    centre = int(ordre[0])
    distance = np.hypot(habitat.x - habitat.x[centre], habitat.y - habitat.y[centre])
    parcours: list[tuple[str, list[int]]] = []
    frequentes = max(2, cadre.part(NOMBRE_FREQUENTES))
    for ville in ordre[1 : 1 + frequentes]:
        suite = _intermediaires(habitat, centre, int(ville), 3500, 900.0)
        parcours.append(("frequente", suite))
    paires: list[tuple[float, int, int]] = []
    bourgs = ordre[habitat.population[ordre] > 2300]
    for rang, a in enumerate(bourgs):
        for b in bourgs[rang + 1 :]:
            d = float(np.hypot(habitat.x[a] - habitat.x[b], habitat.y[a] - habitat.y[b]))
            if 3500 < d < 11_000:
                poids = habitat.population[a] * habitat.population[b]
                paires.append((-(float(poids) ** 0.5) / d, int(a), int(b)))
    passages = np.zeros(habitat.x.size, dtype=np.int64)
    for _, a, b in sorted(paires):
        if len(parcours) == frequentes + max(4, cadre.part(NOMBRE_ORDINAIRES)):
            break
        if passages[a] + passages[b] < 4 + 2 * (distance[a] < 1 or distance[b] < 1):
            suite = _intermediaires(habitat, a, b, 900, 1100.0)
            passages[suite] += 1
            parcours.append(("ordinaire", suite))
    return parcours


def _parcours_ruraux(
    habitat: Habitat, decoupage: Decoupage, desservies: set[int], hasard: np.random.Generator
) -> list[tuple[str, list[int]]]:
    """Lignes rurales : du pôle vers deux ou trois villages dans la même direction."""
    parcours: list[tuple[str, list[int]]] = []
    interieures = np.flatnonzero(habitat.interieure)
    for pole in np.unique(decoupage.bassin):
        villages = [
            int(k)
            for k in interieures[decoupage.bassin == pole]
            if int(k) not in desservies and k != pole and hasard.random() > 0.05
        ]
        villages.sort(
            key=lambda k: float(
                np.arctan2(habitat.y[k] - habitat.y[pole], habitat.x[k] - habitat.x[pole])
            )
        )
        for debut in range(0, len(villages), 3):
            groupe = villages[debut : debut + 3]
            groupe.sort(
                key=lambda k: float(
                    np.hypot(habitat.x[k] - habitat.x[pole], habitat.y[k] - habitat.y[pole])
                )
            )
            parcours.append(("rurale", [int(pole), *groupe]))
    return parcours


class _Arrets:
    """Recueil des arrêts, réutilisés d'une ligne à l'autre."""

    def __init__(self) -> None:
        self.xy: list[Flottants] = []

    def placer(self, points: Flottants) -> Entiers:
        """Rang de l'arrêt de chaque point, créé s'il n'y en a pas à proximité."""
        rangs = []
        for point in points:
            if self.xy:
                ecarts = np.hypot(*(np.array(self.xy) - point).T)
                proche = int(np.argmin(ecarts))
                if ecarts[proche] < FUSION_ARRETS_M:
                    rangs.append(proche)
                    continue
            self.xy.append(point)
            rangs.append(len(self.xy) - 1)
        return np.array(rangs, dtype=np.int64)


def _positions_arrets(trace: Flottants, bati: Booleens) -> tuple[Flottants, Flottants]:
    """Distances des arrêts (350 m en ville, 850 m à la campagne) et cumul des sommets."""
    cumul = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(trace, axis=0).T))])
    pas = np.diff(cumul)
    densite = np.where(bati[:-1], 1 / 370.0, 1 / 900.0)
    rang = np.concatenate([[0.0], np.cumsum(pas * densite)])
    nombre = max(2, round(rang[-1]) + 1)
    positions = np.interp(np.linspace(0, rang[-1], nombre), rang, cumul)
    return positions, cumul


def _construire_ligne(
    cadre: Cadre,
    emprise: EmpriseBatie,
    arrets: _Arrets,
    trace: Flottants,
    identite: tuple[str, str, str],
) -> Ligne | None:
    """Ligne complète : arrêts posés sur le tracé, temps de parcours."""
    bati = cadre.echantillonner(emprise.rang, *trace.T) < 1.05
    positions, cumul = _positions_arrets(trace, bati)
    points = np.column_stack([np.interp(positions, cumul, trace[:, i]) for i in (0, 1)])
    rangs = arrets.placer(points)
    # Un arrêt n'est desservi qu'une fois de suite ; le second passage d'une boucle est gardé.
    garde = np.r_[True, rangs[1:] != rangs[:-1]]
    rangs, positions = rangs[garde], positions[garde]
    if rangs.size < 3:
        return None
    vitesse = np.where(bati[:-1], 20.5, 37.0) / 3.6
    horloge = np.concatenate([[0.0], np.cumsum(np.diff(cumul) / vitesse)])
    temps = np.interp(positions, cumul, horloge) + 14.0 * np.arange(positions.size)
    temps = np.round((temps - temps[0]) / 60) * 60
    return Ligne(*identite, trace, rangs, positions, temps.astype(np.int64))


def construire_reseau_bus(
    cadre: Cadre, reseau: Reseau, habitat: Habitat, decoupage: Decoupage, emprise: EmpriseBatie
) -> ReseauBus:
    """Toutes les lignes de bus et leurs arrêts."""
    hasard = cadre.hasard(80)
    graphe = GrapheBus(reseau)
    centres = [graphe.noeud(x, y) for x, y in zip(habitat.x, habitat.y, strict=True)]
    parcours = _parcours_urbains(cadre, habitat)
    desservies = {k for _, suite in parcours for k in suite}
    rurales = _parcours_ruraux(habitat, decoupage, desservies, hasard)
    if rurales:
        # La dernière ligne rurale est à la demande.
        rurales[-1] = ("tad", rurales[-1][1])
    parcours += rurales
    parcours += _parcours_scolaires(cadre, habitat, decoupage, hasard)
    arrets = _Arrets()
    lignes: list[Ligne] = []
    for numero, (genre, suite) in enumerate(parcours, start=1):
        trace = graphe.itineraire([centres[k] for k in suite])
        prefixe = {"frequente": "B", "scolaire": "S", "tad": "T"}.get(genre, "")
        nom = f"{habitat.noms[suite[0]]} – {habitat.noms[suite[-1]]}"
        ligne = _construire_ligne(cadre, emprise, arrets, trace, (f"{prefixe}{numero}", nom, genre))
        if ligne is not None:
            lignes.append(ligne)
    navette = _navette(cadre, habitat, graphe, emprise, arrets)
    if navette is not None:
        lignes.append(navette)
    return ReseauBus(_table_arrets(cadre, emprise, habitat, arrets, hasard), tuple(lignes))


def _parcours_scolaires(
    cadre: Cadre, habitat: Habitat, decoupage: Decoupage, hasard: np.random.Generator
) -> list[tuple[str, list[int]]]:
    """Circuits scolaires : villages d'un bassin vers son pôle, du plus loin au plus près."""
    interieures = np.flatnonzero(habitat.interieure)
    parcours: list[tuple[str, list[int]]] = []
    for pole in np.unique(decoupage.bassin):
        villages = interieures[
            (decoupage.bassin == pole) & (habitat.population[interieures] < 3500)
        ]
        if villages.size < 2:
            continue
        for _ in range(2 if cadre.facteur == 1 else 1):
            choix = hasard.choice(villages, min(4, villages.size), replace=False)
            d = np.hypot(habitat.x[choix] - habitat.x[pole], habitat.y[choix] - habitat.y[pole])
            parcours.append(("scolaire", [*choix[np.argsort(-d)].tolist(), int(pole)]))
    return parcours


def _navette(
    cadre: Cadre, habitat: Habitat, graphe: GrapheBus, emprise: EmpriseBatie, arrets: _Arrets
) -> Ligne | None:
    """Navette de centre-ville, en boucle dans la plus grande commune (exploitée en fréquence)."""
    centre = int(np.argmax(np.where(habitat.interieure, habitat.population, 0)))
    angles = np.linspace(0, 2 * np.pi, 5)
    rayon = 0.55 * habitat.rayon_m[centre]
    noeuds = [
        graphe.noeud(habitat.x[centre] + rayon * np.cos(t), habitat.y[centre] + rayon * np.sin(t))
        for t in angles
    ]
    trace = graphe.itineraire(noeuds)
    nom = f"Navette de {habitat.noms[centre]}"
    return _construire_ligne(cadre, emprise, arrets, trace, ("N", nom, "navette"))


def _table_arrets(
    cadre: Cadre,
    emprise: EmpriseBatie,
    habitat: Habitat,
    arrets: _Arrets,
    hasard: np.random.Generator,
) -> pd.DataFrame:
    """Noms et communes des arrêts."""
    xy = np.array(arrets.xy)
    commune = emprise.commune[cadre.cellules(*xy.T)]
    rang = cadre.echantillonner(emprise.rang, *xy.T)
    lieux = np.array(
        [
            "Mairie",
            "Église",
            "École",
            "Collège",
            "Cimetière",
            "Stade",
            "Moulin",
            "Fosse",
            "Calvaire",
            "Gare",
            "Marais",
            "Cité",
            "Halle",
            "Piscine",
            "Brasserie",
            "Tilleuls",
            "Briqueterie",
            "Chapelle",
            "Pont",
            "Carrefour",
            "Résidence",
            "Jardins",
        ]
    )
    noms = lieux[hasard.integers(1, lieux.size, len(xy))]
    for k in np.unique(commune):
        ici = np.flatnonzero(commune == k)
        noms[ici[np.argmin(rang[ici])]] = "Mairie"
    noms_complets = [f"{habitat.noms[k]} – {lieu}" for k, lieu in zip(commune, noms, strict=True)]
    return pd.DataFrame(
        {
            "nom": noms_complets,
            "x": xy[:, 0],
            "y": xy[:, 1],
            "code_commune": np.array(habitat.codes)[commune],
        }
    )

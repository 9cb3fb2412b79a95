"""Oracle des temps de parcours : networkx, sur des rues vraiment coupées aux points.

Rien n'y vient du programme essayé : les temps de tronçon sont recalculés tronçon par tronçon, en
Python ordinaire, et chaque point devient un noeud inséré dans sa rue.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass

import networkx as nx
import numpy as np

from accessibilite.rues.rattachement import Rattachement
from donnees_geo.reseau import CLASSES_VOIE, ESCALIER, ReseauRues

_ALLER = {"marche": 1, "velo": 4, "voiture": 16}
_RETOUR = {"marche": 2, "velo": 8, "voiture": 32}
_POUSSE = (512, 1024)


@dataclass(frozen=True)
class Hypotheses:
    """Vitesses en m/s ; ``classes`` : vitesse en voiture par classe de voie (8,33 par défaut)."""

    mode: str
    vitesse_m_s: float = 1.0
    pas_m_s: float = 1.0
    escaliers: bool = True
    pente: bool = True
    classes: tuple[tuple[str, float], ...] = ()
    congestion: float = 1.0


def facteur_tobler(reseau: ReseauRues, troncon: int, retour: bool) -> float:
    """Temps de marche rapporté au plat, segment par segment."""
    altitude = reseau.geometrie_altitude_m
    debut, fin = reseau.geometrie_debut[troncon : troncon + 2]
    total = somme = 0.0
    for s in range(debut, fin - 1):
        longueur = math.dist(
            (reseau.geometrie_x[s], reseau.geometrie_y[s]),
            (reseau.geometrie_x[s + 1], reseau.geometrie_y[s + 1]),
        )
        denivele = float(altitude[s + 1]) - float(altitude[s])
        facteur = 1.0
        if longueur > 0 and not math.isnan(denivele):
            pente = max(-0.5, min(0.5, denivele / longueur)) * (-1 if retour else 1)
            facteur = math.exp(-3.5 * 0.05) * math.exp(3.5 * abs(pente + 0.05))
        total += longueur
        somme += longueur * facteur
    return somme / total if total > 0 else 1.0


def temps_troncon(reseau: ReseauRues, t: int, retour: bool, h: Hypotheses) -> float:
    """Temps d'un tronçon dans un sens, ``inf`` s'il est interdit."""
    acces = int(reseau.troncon_acces[t])
    longueur = float(reseau.troncon_longueur_m[t])
    roule = bool(acces & (_RETOUR if retour else _ALLER)[h.mode])
    if h.mode == "velo":
        if acces & ESCALIER and not h.escaliers:
            return math.inf
        if not roule and acces & _POUSSE[retour]:
            return longueur / h.pas_m_s
    if not roule:
        return math.inf
    if h.mode == "voiture":
        limite = float(reseau.troncon_vitesse_kmh[t])
        classe = CLASSES_VOIE[reseau.troncon_classe[t]]
        vitesse = dict(h.classes).get(classe, 30 / 3.6) if math.isnan(limite) else limite / 3.6
        return longueur / vitesse * h.congestion
    facteur = 1.0
    if h.mode == "marche" and h.pente and reseau.geometrie_altitude_m is not None:
        facteur = facteur_tobler(reseau, t, retour)
    return longueur / h.vitesse_m_s * facteur


def graphe_coupe(
    reseau: ReseauRues, hypotheses: Hypotheses, *listes: Rattachement
) -> nx.MultiDiGraph:
    """Graphe networkx où chaque point de chaque liste est un noeud ``(liste, rang)``.

    Les carrefours sont des entiers. Un point au bout d'une rue y est déjà, même à rebours d'un
    sens interdit : un bout de rue de longueur nulle se traverse toujours.
    """
    points = defaultdict(list)
    for numero, liste in enumerate(listes):
        for rang in np.flatnonzero(liste.troncon >= 0):
            points[int(liste.troncon[rang])].append(
                (float(liste.position[rang]), (numero, int(rang)))
            )
    graphe = nx.MultiDiGraph()
    graphe.add_nodes_from(range(reseau.nombre_noeuds))
    for t in range(reseau.nombre_troncons):
        chaine = [
            (0.0, int(reseau.troncon_origine[t])),
            *sorted(points.get(t, [])),
            (1.0, int(reseau.troncon_destination[t])),
        ]
        durees = [temps_troncon(reseau, t, retour, hypotheses) for retour in (False, True)]
        for (fa, a), (fb, b) in itertools.pairwise(chaine):
            graphe.add_nodes_from([a, b])
            for depart, arrivee, duree in ((a, b, durees[0]), (b, a, durees[1])):
                if fb == fa:
                    graphe.add_edge(depart, arrivee, weight=0.0)
                elif math.isfinite(duree):
                    graphe.add_edge(depart, arrivee, weight=(fb - fa) * duree)
    return graphe


def matrice_oracle(
    reseau: ReseauRues, hypotheses: Hypotheses, depuis: Rattachement, vers: Rattachement
) -> np.ndarray:
    """Temps de porte à porte de chaque départ à chaque arrivée (``inf`` : inaccessible)."""
    graphe = graphe_coupe(reseau, hypotheses, depuis, vers)
    resultat = np.full((len(depuis), len(vers)), np.inf)
    for i in np.flatnonzero(depuis.troncon >= 0):
        temps = nx.single_source_dijkstra_path_length(graphe, (0, int(i)))
        for j in np.flatnonzero(vers.troncon >= 0):
            trajet = temps.get((1, int(j)), math.inf)
            resultat[i, j] = trajet + depuis.approche_s[i] + vers.approche_s[j]
    return resultat

"""Autoroute à chaussées séparées et échangeurs raccordés aux routes départementales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.spatial import cKDTree

from donnees_geo.demo.axes import Axes
from donnees_geo.demo.cadre import Cadre, Entiers, Flottants, reechantillonner
from donnees_geo.demo.planarisation import croisements, segments_de_ligne
from donnees_geo.demo.voirie import Reseau

ECART_CHAUSSEES_M: Final = 11.0
#: Distance minimale entre deux échangeurs.
ESPACEMENT_M: Final = 3800.0
LONGUEUR_BRETELLE_M: Final = 380.0


@dataclass(frozen=True)
class Autoroute:
    """Chaussées et bretelles.

    Attributes
    ----------
    chaussees
        Deux lignes float64[k, 2], chacune dans son sens de circulation.
    bretelles
        Sommets intermédiaires de chaque bretelle, du départ à l'arrivée.
    raccords
        int64[n, 3] : chaussée, sommet de la chaussée, noeud de la route.
    sorties
        Vrai pour une sortie (chaussée vers route), faux pour une entrée.
    numeros
        Numéro d'échangeur de chaque bretelle.
    """

    chaussees: tuple[Flottants, Flottants]
    bretelles: tuple[Flottants, ...]
    raccords: Entiers
    sorties: tuple[bool, ...]
    numeros: tuple[int, ...]


def _normale(ligne: Flottants) -> Flottants:
    tangente = np.gradient(ligne, axis=0)
    tangente /= np.hypot(*tangente.T)[:, None]
    return np.column_stack([-tangente[:, 1], tangente[:, 0]])


def _courbe(depart: Flottants, appui: Flottants, arrivee: Flottants) -> Flottants:
    """Courbe de Bézier quadratique, extrémités exclues."""
    t = np.linspace(0, 1, 9)[1:-1, None]
    courbe: Flottants = (1 - t) ** 2 * depart + 2 * t * (1 - t) * appui + t**2 * arrivee
    return courbe


def construire_autoroute_complete(cadre: Cadre, axes: Axes, reseau: Reseau) -> Autoroute:
    """Chaussées, et un échangeur en losange à chaque grande route assez éloignée de la précédente.

    Parameters
    ----------
    reseau
        Réseau noué : les bretelles aboutissent à ses noeuds existants.
    """
    ligne = reechantillonner(axes.autoroute, 40.0)
    normale = _normale(ligne)
    # On circule à droite : vers l'est au sud, vers l'ouest au nord.
    est, ouest = ligne - ECART_CHAUSSEES_M * normale, (ligne + ECART_CHAUSSEES_M * normale)[::-1]
    rangs = reseau.rangs()
    grandes = np.flatnonzero(rangs <= 1)
    i, j, _, _ = croisements(reseau.segments()[grandes], segments_de_ligne(ligne))
    candidats = j[np.lexsort((j, rangs[grandes[i]]))]
    routes = np.unique(np.r_[reseau.origine[grandes], reseau.cible[grandes]])
    xy = np.column_stack([reseau.x, reseau.y])[routes]
    arbre = cKDTree(xy)
    bretelles, raccords, sorties, numeros = [], [], [], []
    retenus: list[int] = []
    portee = round(LONGUEUR_BRETELLE_M / 40)
    for s in candidats:
        if any(abs(s - r) * 40 < ESPACEMENT_M for r in retenus):
            continue
        if s < 2 * portee or s > len(ligne) - 2 * portee:
            continue
        cotes = []
        for cote in (-1.0, 1.0):
            cible = ligne[s] + cote * 115.0 * normale[s]
            ecart, proche = arbre.query(cible)
            cotes.append((int(routes[proche]), float(ecart)))
        if max(e for _, e in cotes) > 110.0 or cotes[0][0] == cotes[1][0]:
            continue
        retenus.append(int(s))
        numero = len(retenus)
        for chaussee, (noeud, _) in enumerate(cotes):
            axe = est if chaussee == 0 else ouest
            rang = int(s) if chaussee == 0 else len(ligne) - 1 - int(s)
            arrivee = np.array([reseau.x[noeud], reseau.y[noeud]])
            for sortie in (True, False):
                bout = rang - portee if sortie else rang + portee
                appui = axe[rang - portee // 3 if sortie else rang + portee // 3]
                appui = appui + 0.5 * (arrivee - axe[rang])
                courbe = _courbe(axe[bout], appui, arrivee)
                bretelles.append(courbe if sortie else courbe[::-1])
                raccords.append((chaussee, bout, noeud))
                sorties.append(sortie)
                numeros.append(numero)
    return Autoroute(
        (est, ouest),
        tuple(bretelles),
        np.array(raccords, dtype=np.int64).reshape(-1, 3),
        tuple(sorties),
        tuple(numeros),
    )

"""Cours d'eau fictifs : rivières et ruisseaux tirés du drainage, noms, surfaces en eau."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from donnees_geo.demo.cadre import Booleens, Cadre, Entiers, Flottants, lisser_ligne
from donnees_geo.demo.noms import NOMS_RIVIERES
from donnees_geo.demo.relief import Drainage

#: Au-delà de cette surface drainée, un cours d'eau est une rivière et non un ruisseau.
AIRE_RIVIERE_KM2: Final = 22.0
#: Densité des cours d'eau naturels, km par km² (le reste des 610 km : canal et fossés).
DENSITE_NATURELLE: Final = 0.56


@dataclass(frozen=True)
class CoursEau:
    """Cours d'eau linéaires, une entrée par tronçon entre deux confluences.

    Attributes
    ----------
    lignes
        Sommets de chaque tronçon, float64[k, 2] en mètres, de l'amont vers l'aval.
    altitudes
        Altitude du fil de l'eau en chaque sommet, float64[k].
    aires
        Surface drainée en chaque sommet, km².
    natures
        Valeur OSM de ``waterway`` par tronçon.
    noms
        Nom par tronçon, vide pour les plus petits.
    """

    lignes: tuple[Flottants, ...]
    altitudes: tuple[Flottants, ...]
    aires: tuple[Flottants, ...]
    natures: tuple[str, ...]
    noms: tuple[str, ...]

    def points_serres(self) -> tuple[Flottants, Flottants, Flottants, Flottants]:
        """Points tous les 12 m environ : abscisses, ordonnées, altitudes, aires drainées."""
        morceaux = []
        for ligne, z, aire in zip(self.lignes, self.altitudes, self.aires, strict=True):
            rang = np.arange(0, len(ligne) - 1 + 1e-9, 0.5)
            indices = np.arange(len(ligne))
            colonnes = (ligne[:, 0], ligne[:, 1], z, aire)
            morceaux.append(np.column_stack([np.interp(rang, indices, c) for c in colonnes]))
        x, y, z_tous, aires = np.vstack(morceaux).T
        return x, y, z_tous, aires


def _seuil_aire(cadre: Cadre, drainage: Drainage) -> float:
    """Aire drainée à partir de laquelle l'eau coule à l'air libre, pour la densité visée."""
    pas_km = 2 * cadre.pas_m / 1000
    surface_km2 = drainage.parent.size * pas_km**2
    # Un pas du drainage mesure en moyenne un peu plus que le pas de la grille (diagonales).
    cellules = int(DENSITE_NATURELLE * surface_km2 / (pas_km * 1.2))
    return float(np.partition(drainage.aire_km2, -cellules)[-cellules])


def _descendre(drainage: Drainage, riviere: Booleens) -> tuple[Entiers, Entiers]:
    """Cellules et numéros de chaîne, de chaque tête ou confluence jusqu'à la suivante."""
    amont = np.bincount(drainage.parent[riviere & (drainage.parent >= 0)], minlength=riviere.size)
    departs = np.flatnonzero(riviere & (amont != 1) & (drainage.parent >= 0))
    chaines = np.arange(departs.size)
    courant = departs
    cellules, numeros = [courant], [chaines]
    while courant.size:
        courant = drainage.parent[courant]
        cellules.append(courant)
        numeros.append(chaines)
        suite = (drainage.parent[courant] >= 0) & (amont[courant] < 2)
        courant, chaines = courant[suite], chaines[suite]
    toutes, num = np.concatenate(cellules), np.concatenate(numeros)
    ordre = np.argsort(num, kind="stable")
    return toutes[ordre], num[ordre]


def _nommer(premieres: Entiers, dernieres: Entiers, aires: Flottants) -> list[int]:
    """Rang du nom de chaque chaîne : la branche principale garde le nom de l'aval."""
    rang: list[int] = [-1] * len(premieres)
    par_depart = {int(c): i for i, c in enumerate(premieres)}
    prolongees: set[int] = set()
    suivant = 0
    for chaine in np.argsort(-aires, kind="stable"):
        aval = par_depart.get(int(dernieres[chaine]), -1)
        if aval >= 0 and rang[aval] >= 0 and aval not in prolongees:
            rang[chaine] = rang[aval]
            prolongees.add(aval)
        else:
            rang[chaine] = suivant
            suivant += 1
    return rang


def _arrondir(colonnes: Flottants, passes: int = 2) -> Flottants:
    """Couper les angles d'une ligne (méthode de Chaikin), extrémités gardées.

    Les colonnes qui suivent les coordonnées (altitude, aire) sont interpolées de même.
    """
    for _ in range(passes):
        a, b = colonnes[:-1], colonnes[1:]
        coupes = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1)
        coupes = coupes.reshape(-1, colonnes.shape[1])
        colonnes = np.vstack([colonnes[:1], coupes, colonnes[-1:]])
    return colonnes


def construire_rivieres(cadre: Cadre, drainage: Drainage, fil: Flottants) -> CoursEau:
    """Rivières et ruisseaux naturels.

    Parameters
    ----------
    fil
        float64[n], altitude du fil de l'eau par cellule du drainage.
    """
    riviere = drainage.aire_km2 >= _seuil_aire(cadre, drainage)
    cellules, chaines = _descendre(drainage, riviere)
    debuts = np.flatnonzero(np.r_[True, np.diff(chaines) > 0])
    fins = np.r_[debuts[1:], chaines.size]
    aire_fin = drainage.aire_km2[cellules[fins - 2]]
    rangs = _nommer(cellules[debuts], cellules[fins - 1], aire_fin)
    lignes, altitudes, aires, natures, noms = [], [], [], [], []
    for debut, fin, aire, rang in zip(debuts, fins, aire_fin, rangs, strict=True):
        c = cellules[debut:fin]
        ligne = lisser_ligne(np.column_stack([drainage.x[c], drainage.y[c]]), 1.1)
        # La dernière cellule appartient au cours d'eau d'aval, bien plus gros.
        colonnes = np.column_stack([ligne, fil[c], np.minimum(drainage.aire_km2[c], aire)])
        fine = _arrondir(colonnes)
        lignes.append(fine[:, :2])
        altitudes.append(fine[:, 2])
        aires.append(fine[:, 3])
        natures.append("river" if aire > AIRE_RIVIERE_KM2 else "stream")
        noms.append(NOMS_RIVIERES[rang] if rang < len(NOMS_RIVIERES) and aire > 2.5 else "")
    return CoursEau(tuple(lignes), tuple(altitudes), tuple(aires), tuple(natures), tuple(noms))

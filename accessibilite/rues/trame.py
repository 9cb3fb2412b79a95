"""Temps d'arrivée autour des rues atteintes, sur une grille fine.

Chaque segment atteint imprime, dans les mailles voisines, le temps d'arrivée exact en leur centre
(minimum des segments), pour un coût proportionnel à la longueur de rue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numba as nb
import numpy as np
from numpy.typing import NDArray

#: Longueur au-delà de laquelle un segment est découpé avant d'être imprimé, m.
SEGMENT_MAX_M: Final = 100.0


@dataclass(frozen=True)
class Trame:
    """Grille régulière ; la maille ``[i, j]`` a pour centre ``(x[j], y[i])``.

    Attributes
    ----------
    ouest, sud
        Centre de la maille du coin sud-ouest, mètres.
    pas_m
        Côté des mailles.
    valeurs
        float32[lignes, colonnes], du sud au nord.
    """

    ouest: float
    sud: float
    pas_m: float
    valeurs: NDArray[np.float32]

    @property
    def x(self) -> NDArray[np.float64]:
        """Abscisses des centres de colonnes, mètres."""
        return self.ouest + self.pas_m * np.arange(self.valeurs.shape[1], dtype=np.float64)

    @property
    def y(self) -> NDArray[np.float64]:
        """Ordonnées des centres de lignes, mètres."""
        return self.sud + self.pas_m * np.arange(self.valeurs.shape[0], dtype=np.float64)


@nb.njit(cache=True, nogil=True)
def _point_avantageux(pied, ecart, longueur, rayon, pente, inverse_vitesse):  # type: ignore[no-untyped-def]
    """Abscisse du point du segment, à moins de ``rayon``, d'où l'on arrive le plus tôt.

    Le temps d'arrivée ``pente·s + inverse_vitesse·√((s − pied)² + écart²)`` est convexe en ``s`` :
    son minimum libre, ramené dans l'intervalle permis, est le minimum.
    """
    demi_corde = np.sqrt(max(0.0, rayon * rayon - ecart * ecart))
    bas, haut = max(0.0, pied - demi_corde), min(longueur, pied + demi_corde)
    if pente >= inverse_vitesse:
        return bas
    if -pente >= inverse_vitesse:
        return haut
    libre = pied - ecart * pente / np.sqrt(inverse_vitesse * inverse_vitesse - pente * pente)
    return min(haut, max(bas, libre))


@nb.njit(cache=True, nogil=True)
def _imprimer_segment(  # type: ignore[no-untyped-def]
    ax, ay, bx, by, ta, tb, ouest, sud, pas, rayon, inverse_vitesse, champ
):
    """Minimum, dans les mailles proches, du temps d'arrivée."""
    lignes, colonnes = champ.shape
    j0 = max(0, int(np.ceil((min(ax, bx) - rayon - ouest) / pas)))
    j1 = min(colonnes - 1, int(np.floor((max(ax, bx) + rayon - ouest) / pas)))
    i0 = max(0, int(np.ceil((min(ay, by) - rayon - sud) / pas)))
    i1 = min(lignes - 1, int(np.floor((max(ay, by) + rayon - sud) / pas)))
    longueur = np.hypot(bx - ax, by - ay)
    ux, uy = (bx - ax) / longueur, (by - ay) / longueur
    pente = (tb - ta) / longueur
    for i in range(i0, i1 + 1):
        dy0 = sud + i * pas - ay
        for j in range(j0, j1 + 1):
            dx0 = ouest + j * pas - ax
            pied = dx0 * ux + dy0 * uy
            ecart = dx0 * uy - dy0 * ux
            s = min(longueur, max(0.0, pied))
            d2 = (s - pied) * (s - pied) + ecart * ecart
            if d2 > rayon * rayon:
                continue
            s = _point_avantageux(pied, abs(ecart), longueur, rayon, pente, inverse_vitesse)
            valeur = ta + pente * s + np.hypot(s - pied, ecart) * inverse_vitesse
            if valeur < champ[i, j]:
                champ[i, j] = valeur


@nb.njit(cache=True, nogil=True)
def _imprimer_lignes(  # type: ignore[no-untyped-def]
    debut, x, y, temps, ouest, sud, pas, rayon, inverse_vitesse, champ
):
    for ligne in range(debut.size - 1):
        for s in range(debut[ligne], debut[ligne + 1] - 1):
            ux, uy, ut = x[s + 1] - x[s], y[s + 1] - y[s], temps[s + 1] - temps[s]
            morceaux = int(np.ceil(np.hypot(ux, uy) / SEGMENT_MAX_M))
            for q in range(morceaux):
                r0, r1 = q / morceaux, (q + 1) / morceaux
                _imprimer_segment(
                    x[s] + r0 * ux, y[s] + r0 * uy, x[s] + r1 * ux, y[s] + r1 * uy,
                    temps[s] + r0 * ut, temps[s] + r1 * ut,
                    ouest, sud, pas, rayon, inverse_vitesse, champ,
                )  # fmt: skip


Lignes = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def construire_trame(
    lignes: Lignes, pas_m: float, rayon_m: float, *, vitesse_approche_m_s: float
) -> Trame:
    """Champ de temps autour des rues.

    Parameters
    ----------
    lignes
        ``(debut, x, y, temps_s)`` au format CSR (voir ``portions.couper_portions``).
    pas_m
        Côté des mailles ; la grille est calée sur ses multiples.
    rayon_m
        Distance au-delà de laquelle une maille n'est pas touchée (``inf`` dans le champ).
    vitesse_approche_m_s
        Vitesse entre le centre de la maille et la rue.
    """
    debut, x, y, temps = lignes
    marge = rayon_m + 2 * pas_m
    ouest = float(np.floor((x.min() - marge) / pas_m) * pas_m)
    sud = float(np.floor((y.min() - marge) / pas_m) * pas_m)
    colonnes = int(np.ceil((x.max() + marge - ouest) / pas_m)) + 1
    rangees = int(np.ceil((y.max() + marge - sud) / pas_m)) + 1
    champ = np.full((rangees, colonnes), np.inf, dtype=np.float32)
    _imprimer_lignes(
        debut,
        x,
        y,
        temps,
        ouest,
        sud,
        float(pas_m),
        float(rayon_m),
        1 / vitesse_approche_m_s,
        champ,
    )
    return Trame(ouest, sud, float(pas_m), champ)

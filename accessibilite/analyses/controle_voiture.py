"""Contrôle des temps en voiture par une source indépendante : statistiques d'écart par service."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.mesures import Mesures

#: Écart en deçà duquel deux temps s'accordent, secondes.
TOLERANCE_S: Final = 120.0


def comparer_temps_voiture(mesures: Mesures, reference_s: pd.DataFrame) -> pd.DataFrame:
    """Écarts entre nos temps en voiture et ceux d'une autre source, pondérés par la population.

    Parameters
    ----------
    mesures
        Diagnostic, voiture comprise.
    reference_s
        Index des carreaux ; une colonne par service, secondes, NaN sans valeur.

    Returns
    -------
    pandas.DataFrame
        Par service : ``service``, ``carreaux`` comparés, ``population_hab``, ``biais_s`` (moyenne
        des écarts, positif : nous sommes plus lents), ``ecart_absolu_moyen_s``,
        ``ecart_quadratique_s``, ``ecart_absolu_median_s``, ``ecart_absolu_p90_s``,
        ``rapport_median`` (nous ÷ référence), ``correlation`` (Pearson), ``part_a_2_min`` (accord à
        2 minutes). Un service sans carreau comparable n'a pas de ligne.
    """
    if "voiture" not in mesures.temps_s:
        return pd.DataFrame()
    lignes = []
    for rang, service in enumerate(mesures.services):
        if service.id not in reference_s:
            continue
        notre = mesures.temps_s["voiture"][:, rang]
        leur = reference_s[service.id].to_numpy(dtype=np.float64)
        utile = np.isfinite(notre) & np.isfinite(leur) & (mesures.poids > 0)
        if utile.any():
            lignes.append(
                {
                    "service": service.id,
                    "carreaux": int(utile.sum()),
                    "population_hab": float(mesures.poids[utile].sum()),
                    **_mesurer(notre[utile], leur[utile], mesures.poids[utile]),
                }
            )
    return pd.DataFrame(lignes)


def _mesurer(
    notre: NDArray[np.float64], leur: NDArray[np.float64], poids: NDArray[np.float64]
) -> dict[str, float]:
    ecart = notre - leur
    absolu = np.abs(ecart)
    positifs = leur > 0
    return {
        "biais_s": float(np.average(ecart, weights=poids)),
        "ecart_absolu_moyen_s": float(np.average(absolu, weights=poids)),
        "ecart_quadratique_s": float(np.sqrt(np.average(ecart**2, weights=poids))),
        "ecart_absolu_median_s": _quantile(absolu, poids, 0.5),
        "ecart_absolu_p90_s": _quantile(absolu, poids, 0.9),
        "rapport_median": (
            _quantile(notre[positifs] / leur[positifs], poids[positifs], 0.5)
            if positifs.any()
            else float("nan")
        ),
        "correlation": _correler(notre, leur, poids),
        "part_a_2_min": float(np.average(absolu <= TOLERANCE_S, weights=poids)),
    }


def _quantile(valeurs: NDArray[np.float64], poids: NDArray[np.float64], part: float) -> float:
    """Plus petite valeur qui laisse au moins ``part`` du poids en dessous d'elle ou sur elle."""
    ordre = np.argsort(valeurs, kind="stable")
    cumul = np.cumsum(poids[ordre])
    rang = int(np.searchsorted(cumul, part * cumul[-1] * (1 - 1e-12), side="left"))
    return float(valeurs[ordre[rang]])


def _correler(a: NDArray[np.float64], b: NDArray[np.float64], poids: NDArray[np.float64]) -> float:
    """Corrélation pondérée, NaN si l'une des séries est constante."""
    da, db = a - np.average(a, weights=poids), b - np.average(b, weights=poids)
    norme = float(np.sqrt((poids * da**2).sum() * (poids * db**2).sum()))
    return float((poids * da * db).sum() / norme) if norme > 0 else float("nan")

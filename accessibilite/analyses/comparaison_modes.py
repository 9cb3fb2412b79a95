"""Transport collectif face à la voiture : où le bus ne peut pas concurrencer.

Rapport ``temps en transport collectif ÷ temps en voiture`` de chaque carreau à chaque service, de
porte à porte. La voiture part du pas de la porte et se gare à l'arrivée sans chercher : le rapport
est un maximum là où stationner prend du temps.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.agregation import (
    assembler_blocs,
    calculer_medianes,
    compter_classes,
    diviser,
    etiqueter_zones,
    sommer_par_zone,
)
from accessibilite.bilans.mesures import Mesures, vider_habitants


def calculer_ratios(
    tc_s: NDArray[np.float64], voiture_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rapport des temps, même forme ; ``inf`` sans transport collectif, NaN sans donnée.

    NaN aussi là où la voiture n'arrive pas : il n'y a alors rien à concurrencer. Deux temps nuls
    sont à égalité (rapport 1).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: NDArray[np.float64] = tc_s / voiture_s
    ratios[(tc_s == 0) & (voiture_s == 0)] = 1.0
    ratios[np.isinf(voiture_s) | np.isnan(voiture_s) | np.isnan(tc_s)] = np.nan
    return ratios


def nommer_ratios(bornes: Sequence[float]) -> list[str]:
    """Nom de chaque classe de rapport, dans l'ordre.

    Examples
    --------
    >>> nommer_ratios([1.5, 2.0])
    ['jusqu_a_1_5', 'de_1_5_a_2', 'plus_de_2', 'tc_impossible', 'sans_donnee']
    """
    textes = [f"{b:g}".replace(".", "_") for b in bornes]
    milieux = [f"de_{a}_a_{b}" for a, b in itertools.pairwise(textes)]
    fin = [f"plus_de_{textes[-1]}", "tc_impossible", "sans_donnee"]
    return [f"jusqu_a_{textes[0]}", *milieux, *fin]


def classer_ratios(ratios: NDArray[np.float64], bornes: Sequence[float]) -> NDArray[np.int64]:
    """Rang de la classe de chaque rapport (voir :func:`nommer_ratios`), bornes hautes incluses."""
    classes = np.searchsorted(np.asarray(bornes, dtype=np.float64), ratios, side="left")
    classes[np.isinf(ratios)] = len(bornes) + 1
    classes[np.isnan(ratios)] = len(bornes) + 2
    return np.asarray(classes, dtype=np.int64)


def calculer_voiture_tc(mesures: Mesures, bornes: Sequence[float]) -> pd.DataFrame:
    """Habitants de chaque classe de rapport, par zone et service.

    Returns
    -------
    pandas.DataFrame
        ``zone_*``, ``palier``, ``fonction``, ``service``, ``population_hab``, ``ratio_median``,
        ``<classe>_hab`` et ``part_<classe>``. Vide si la voiture ou le transport collectif n'a pas
        été calculé.
    """
    if not {"tc", "voiture"} <= set(mesures.temps_s):
        return pd.DataFrame()
    ratios = calculer_ratios(mesures.temps_s["tc"], mesures.temps_s["voiture"])
    classes, noms = classer_ratios(ratios, bornes), nommer_ratios(bornes)
    blocs = []
    for zonage in mesures.zonages:
        zones, nombre = len(zonage.codes), len(mesures.services)
        comptes = compter_classes(zonage, classes, len(noms), mesures.poids)
        plats = comptes.transpose(1, 0, 2).reshape(zones * nombre, len(noms))
        total = np.tile(sommer_par_zone(zonage, mesures.poids), nombre)
        blocs.append(
            {
                **etiqueter_zones(zonage, nombre),
                "palier": mesures.etiquettes("palier", zones),
                "fonction": mesures.etiquettes("fonction", zones),
                "service": mesures.etiquettes("id", zones),
                "population_hab": total,
                "ratio_median": calculer_medianes(zonage, ratios, mesures.poids).T.ravel(),
                **{f"{nom}_hab": plats[:, r] for r, nom in enumerate(noms)},
                **{f"part_{nom}": diviser(plats[:, r], total) for r, nom in enumerate(noms)},
            }
        )
    return vider_habitants(assembler_blocs(blocs), mesures)

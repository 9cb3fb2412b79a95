"""Indicateurs d'accès par zone : part et nombre d'habitants desservis, temps médian."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.agregation import (
    Zonage,
    assembler_blocs,
    calculer_medianes,
    diviser,
    etiqueter_zones,
    ordonner_colonnes,
    sommer_par_zone,
)
from donnees_geo.configuration import Service, SeuilPalier

#: Mode combiné : le plus rapide des modes admis par la règle du palier.
PLUS_RAPIDE: Final = "plus_rapide"
#: Ligne « tous les services du palier à la fois ».
PANIER_COMPLET: Final = "panier_complet"

COLONNES_INDICATEURS: Final = (
    "zone_type",
    "zone_code",
    "zone_nom",
    "palier",
    "fonction",
    "service",
    "mode",
    "seuil_s",
    "population_hab",
    "population_desservie_hab",
    "part_desservie",
    "temps_median_s",
)

TempsParMode = Mapping[str, NDArray[np.float64]]


def regle_du_service(service: Service, seuils: Sequence[SeuilPalier]) -> SeuilPalier:
    """Règle (seuil et modes) du palier d'un service."""
    return next(s for s in seuils if s.palier == service.palier)


def calculer_plus_rapide(
    temps: TempsParMode, services: Sequence[Service], seuils: Sequence[SeuilPalier]
) -> NDArray[np.float64]:
    """Temps du plus rapide des modes admis par la règle de chaque service.

    Parameters
    ----------
    temps
        Mode → float64[carreaux, services], secondes.
    services
        Services, dans l'ordre des colonnes.
    seuils
        Règle de chaque palier.

    Returns
    -------
    numpy.ndarray
        float64[carreaux, services] ; NaN si aucun mode admis n'a été calculé.
    """
    forme = next(iter(temps.values())).shape
    resultat = np.full(forme, np.nan)
    for colonne, service in enumerate(services):
        for mode in regle_du_service(service, seuils).modes:
            if mode in temps:
                resultat[:, colonne] = np.fmin(resultat[:, colonne], temps[mode][:, colonne])
    return resultat


def calculer_indicateurs(
    temps: TempsParMode,
    services: Sequence[Service],
    seuils: Sequence[SeuilPalier],
    zonages: Sequence[Zonage],
    poids: NDArray[np.float64],
    *,
    par_population: bool,
) -> pd.DataFrame:
    """Table longue des indicateurs (colonnes :data:`COLONNES_INDICATEURS`).

    Une ligne par zone, service et mode au seuil du palier du service, plus le mode
    ``plus_rapide`` et, par palier, le service ``panier_complet`` (tous les services du palier à la
    fois par le plus rapide des modes admis).

    Parameters
    ----------
    temps
        Mode → float64[carreaux, services], secondes, ``plus_rapide`` compris.
    poids
        float64[carreaux], habitants ou m².
    par_population
        Faux : ``population_hab`` et ``population_desservie_hab`` sont vides, ``part_desservie`` est
        une part de surface.
    """
    lots = [
        _construire_lot(
            mode,
            valeurs,
            [(s.palier, s.fonction, s.id, regle_du_service(s, seuils).seuil_s) for s in services],
        )
        for mode, valeurs in temps.items()
    ]
    lots.append(_construire_panier(temps[PLUS_RAPIDE], services, seuils))
    blocs: list[dict[str, NDArray[np.generic]]] = []
    for zonage in zonages:
        totaux = sommer_par_zone(zonage, poids)
        blocs.extend(_calculer_bloc(zonage, lot, poids, totaux) for lot in lots)
    table = assembler_blocs(blocs)[list(COLONNES_INDICATEURS)]
    if not par_population:
        table[["population_hab", "population_desservie_hab"]] = np.nan
    return table


@dataclass(frozen=True)
class _Lot:
    """Colonnes de temps d'un même mode, à mesurer dans chaque zonage.

    Attributes
    ----------
    paliers, fonctions, services
        object[colonnes], étiquettes.
    seuils_s
        float64[colonnes].
    temps_s
        float64[carreaux, colonnes].
    ordre
        Voir :func:`agregation.ordonner_colonnes`, calculé une fois pour tous les zonages.
    """

    mode: str
    paliers: NDArray[np.object_]
    fonctions: NDArray[np.object_]
    services: NDArray[np.object_]
    seuils_s: NDArray[np.float64]
    temps_s: NDArray[np.float64]
    ordre: NDArray[np.int64]


def _construire_lot(
    mode: str, temps_s: NDArray[np.float64], etiquettes: Sequence[tuple[str, str, str, float]]
) -> _Lot:
    """Lot d'un mode ; ``etiquettes`` : palier, fonction, service et seuil de chaque colonne."""
    paliers, fonctions, services = (
        np.array([e[rang] for e in etiquettes], dtype=object) for rang in range(3)
    )
    seuils_s = np.array([e[3] for e in etiquettes], dtype=np.float64)
    ordre = ordonner_colonnes(temps_s)
    return _Lot(mode, paliers, fonctions, services, seuils_s, temps_s, ordre)


def _construire_panier(
    plus_rapide: NDArray[np.float64], services: Sequence[Service], seuils: Sequence[SeuilPalier]
) -> _Lot:
    """Panier complet de chaque palier : le service le plus lointain est le temps du panier."""
    connus = set(np.flatnonzero(~np.isnan(plus_rapide).all(axis=0)).tolist())
    etiquettes, pires = [], []
    for seuil in seuils:
        colonnes = [i for i, s in enumerate(services) if s.palier == seuil.palier and i in connus]
        if colonnes:
            etiquettes.append((str(seuil.palier), "", PANIER_COMPLET, seuil.seuil_s))
            pires.append(plus_rapide[:, colonnes].max(axis=1))
    temps = np.column_stack(pires) if pires else np.empty((plus_rapide.shape[0], 0))
    return _construire_lot(PLUS_RAPIDE, temps, etiquettes)


def _calculer_bloc(
    zonage: Zonage, lot: _Lot, poids: NDArray[np.float64], totaux: NDArray[np.float64]
) -> dict[str, NDArray[np.generic]]:
    """Colonnes des indicateurs d'un lot, rangées par service puis par zone."""
    desservis = sommer_par_zone(zonage, np.where(lot.temps_s <= lot.seuils_s, poids[:, None], 0.0))
    # Sans aucune donnée (service sans équipement, mode absent), rien n'est mesuré : ni 0 ni 100 %.
    desservis[:, np.isnan(lot.temps_s).all(axis=0)] = np.nan
    parts = diviser(desservis, totaux[:, None])
    medianes = calculer_medianes(zonage, lot.temps_s, poids, lot.ordre)
    zones, services = len(zonage.codes), lot.services.size
    return {
        **etiqueter_zones(zonage, services),
        "palier": np.repeat(lot.paliers, zones),
        "fonction": np.repeat(lot.fonctions, zones),
        "service": np.repeat(lot.services, zones),
        "mode": np.full(zones * services, lot.mode, dtype=object),
        "seuil_s": np.repeat(lot.seuils_s, zones),
        "population_hab": np.tile(totaux, services),
        "population_desservie_hab": desservis.T.ravel(),
        "part_desservie": parts.T.ravel(),
        "temps_median_s": medianes.T.ravel(),
    }

"""Indicateurs d'accès par zone : part et nombre d'habitants desservis, temps médian."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.agregation import Zonage, calculer_medianes, sommer_par_zone
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
    blocs: list[pd.DataFrame] = []
    for zonage in zonages:
        totaux = sommer_par_zone(zonage, poids)
        for mode, valeurs in temps.items():
            for colonne, service in enumerate(services):
                seuil = regle_du_service(service, seuils).seuil_s
                blocs.append(
                    _bloc(zonage, valeurs[:, colonne], poids, totaux, seuil).assign(
                        palier=service.palier,
                        fonction=service.fonction,
                        service=service.id,
                        mode=mode,
                    )
                )
        blocs.extend(_blocs_panier(temps, services, seuils, zonage, poids, totaux))
    table = pd.concat(blocs, ignore_index=True)
    if not par_population:
        table[["population_hab", "population_desservie_hab"]] = np.nan
    return table[list(COLONNES_INDICATEURS)]


def _bloc(
    zonage: Zonage,
    temps: NDArray[np.float64],
    poids: NDArray[np.float64],
    totaux: NDArray[np.float64],
    seuil_s: float,
) -> pd.DataFrame:
    """Indicateurs d'une colonne de temps, une ligne par zone."""
    if np.isnan(temps).all():
        desservis = part = mediane = np.full(len(zonage.codes), np.nan)
    else:
        desservis = sommer_par_zone(zonage, np.where(temps <= seuil_s, poids, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            part = np.where(totaux > 0, desservis / totaux, np.nan)
        mediane = calculer_medianes(zonage, temps, poids)
    return pd.DataFrame(
        {
            "zone_type": zonage.type,
            "zone_code": zonage.codes,
            "zone_nom": zonage.noms,
            "seuil_s": seuil_s,
            "population_hab": totaux,
            "population_desservie_hab": desservis,
            "part_desservie": part,
            "temps_median_s": mediane,
        }
    )


def _blocs_panier(
    temps: TempsParMode,
    services: Sequence[Service],
    seuils: Sequence[SeuilPalier],
    zonage: Zonage,
    poids: NDArray[np.float64],
    totaux: NDArray[np.float64],
) -> list[pd.DataFrame]:
    """Panier complet de chaque palier : le service le plus lointain est le temps du panier."""
    blocs = []
    plus_rapide = temps[PLUS_RAPIDE]
    for seuil in seuils:
        colonnes = [
            i
            for i, s in enumerate(services)
            if s.palier == seuil.palier and not np.isnan(plus_rapide[:, i]).all()
        ]
        if not colonnes:
            continue
        pire = plus_rapide[:, colonnes].max(axis=1)
        blocs.append(
            _bloc(zonage, pire, poids, totaux, seuil.seuil_s).assign(
                palier=seuil.palier, fonction="", service=PANIER_COMPLET, mode=PLUS_RAPIDE
            )
        )
    return blocs

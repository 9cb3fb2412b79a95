"""Agrégation des carreaux par zone : sommes et médianes pondérées."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class Zonage:
    """Partition des carreaux en zones d'un même type.

    Attributes
    ----------
    type
        ``territoire``, ``secteur``, ``bassin_de_vie`` ou ``commune``.
    codes, noms
        Code et nom de chaque zone, triés par code.
    zone_carreau
        int64[carreaux], rang de la zone de chaque carreau, -1 hors de toute zone.
    """

    type: str
    codes: tuple[str, ...]
    noms: tuple[str, ...]
    zone_carreau: NDArray[np.int64]


#: Type de zone → (colonne du code, colonne du nom) dans la table des communes.
_COLONNES_ZONES = {
    "secteur": ("code_secteur", "secteur"),
    "bassin_de_vie": ("code_bassin_de_vie", "bassin_de_vie"),
    "commune": ("code_commune", "nom"),
}


def construire_zonages(
    carreaux: pd.DataFrame, communes: pd.DataFrame, nom_territoire: str
) -> list[Zonage]:
    """Zonages disponibles, du plus vaste au plus fin.

    Parameters
    ----------
    carreaux
        Colonne ``code_commune``.
    communes
        Colonnes de ``schemas.COMMUNES`` ; un zonage dont tous les codes sont vides est omis.
    nom_territoire
        Nom de la zone unique du zonage ``territoire``.
    """
    zonages = [
        Zonage(
            "territoire",
            ("territoire",),
            (nom_territoire,),
            np.zeros(len(carreaux), dtype=np.int64),
        )
    ]
    commune = carreaux["code_commune"].astype(str)
    for type_zone, (colonne_code, colonne_nom) in _COLONNES_ZONES.items():
        table = communes[["code_commune", colonne_code, colonne_nom]].copy()
        table = table.loc[:, ~table.columns.duplicated()]
        table = table[table[colonne_code].astype(str) != ""]
        if table.empty:
            continue
        zones = table.drop_duplicates(colonne_code).sort_values(colonne_code)
        rang = {str(code): i for i, code in enumerate(zones[colonne_code])}
        code_par_commune = dict(
            zip(table["code_commune"].astype(str), table[colonne_code].astype(str), strict=True)
        )
        zone = commune.map(lambda c, m=code_par_commune, r=rang: r.get(m.get(c, ""), -1))
        zonages.append(
            Zonage(
                type_zone,
                tuple(str(c) for c in zones[colonne_code]),
                tuple(str(n) for n in zones[colonne_nom]),
                zone.to_numpy(dtype=np.int64),
            )
        )
    return zonages


def sommer_par_zone(zonage: Zonage, valeurs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Somme des valeurs par zone, float64[zones] ; les carreaux hors zone ne comptent pas."""
    dedans = zonage.zone_carreau >= 0
    sommes = np.bincount(
        zonage.zone_carreau[dedans], weights=valeurs[dedans], minlength=len(zonage.codes)
    )
    return sommes.astype(np.float64)


def calculer_medianes(
    zonage: Zonage, valeurs: NDArray[np.float64], poids: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Médiane pondérée par zone.

    Plus petite valeur telle que la moitié du poids de la zone lui soit inférieure ou égale. Les NaN
    (sans donnée) et les poids nuls sont écartés ; ``inf`` (inaccessible) compte.

    Returns
    -------
    numpy.ndarray
        float64[zones], NaN pour une zone sans poids.
    """
    mediane = np.full(len(zonage.codes), np.nan)
    utile = (zonage.zone_carreau >= 0) & ~np.isnan(valeurs) & (poids > 0)
    zone, v, p = zonage.zone_carreau[utile], valeurs[utile], poids[utile]
    if zone.size == 0:
        return mediane
    ordre = np.lexsort((v, zone))
    zone, v, p = zone[ordre], v[ordre], p[ordre]
    cumul = np.cumsum(p)
    fin = np.flatnonzero(np.append(zone[1:] != zone[:-1], True))
    avant = np.concatenate([[0.0], cumul[fin[:-1]]])
    moitie = (avant + cumul[fin]) / 2
    # Un arrondi du cumul ne doit pas faire franchir la moitié : marge relative infime.
    rang = np.searchsorted(cumul, moitie * (1 - 1e-12), side="left")
    mediane[zone[fin]] = v[np.minimum(rang, fin)]
    return mediane


def calculer_ponderation(carreaux: pd.DataFrame) -> tuple[NDArray[np.float64], bool]:
    """Poids des carreaux : habitants, ou surface (m²) sans aucune population connue.

    Returns
    -------
    poids, par_population
        float64[carreaux] ; vrai si le poids est une population.
    """
    population = carreaux["population_hab"].to_numpy(dtype=np.float64)
    if np.isnan(population).all():
        return carreaux["surface_m2"].to_numpy(dtype=np.float64), False
    return np.nan_to_num(population, nan=0.0), True

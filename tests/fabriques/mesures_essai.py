"""Diagnostics d'essai posés à la main : temps, habitants et communes donnés ligne à ligne."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from accessibilite.bilans.agregation import calculer_ponderation, construire_zonages
from accessibilite.bilans.indicateurs import PLUS_RAPIDE, calculer_plus_rapide
from accessibilite.bilans.mesures import Mesures
from donnees_geo.configuration import Service, SeuilPalier
from tests.fabriques.ville_quadrillee import service_essai, table_carreaux, table_communes

INF, NAN = np.inf, np.nan
SEUILS = (
    SeuilPalier("proximite", 900.0, ("marche", "velo")),
    SeuilPalier("intermediaire", 900.0, ("tc",)),
    SeuilPalier("structurant", 1800.0, ("tc",)),
)


def service(identifiant: str, palier: str, fonction: str = "s_approvisionner") -> Service:
    return replace(service_essai(identifiant, palier), fonction=fonction)


def mesures_essai(
    temps_s: Mapping[str, Sequence[Sequence[float]]],
    services: Sequence[Service],
    population_hab: Sequence[float],
    communes: Sequence[str] | None = None,
    *,
    equipement: Mapping[str, Sequence[Sequence[int]]] | None = None,
    impute: Sequence[bool] | None = None,
    **colonnes: Sequence[float],
) -> Mesures:
    """Mesures d'essai : ``temps_s`` donne, par mode, une ligne par carreau.

    Sans ``equipement``, l'équipement le plus proche de la colonne ``c`` est le rang ``c``. Les
    ``colonnes`` en plus (tranches d'âge, ``ind_snv``) vont dans la table des carreaux.
    """
    nombre = len(population_hab)
    codes = ["A0001"] * nombre if communes is None else list(communes)
    carreaux = pd.DataFrame(
        table_carreaux([(0, 0)] * nombre, population_hab, codes).drop(columns="geometry")
    )
    carreaux["impute"] = np.zeros(nombre, dtype=bool) if impute is None else list(impute)
    for nom, valeurs in colonnes.items():
        carreaux[nom] = np.asarray(valeurs, dtype=np.float64)
    temps = {m: np.array(t, dtype=np.float64).reshape(nombre, -1) for m, t in temps_s.items()}
    temps[PLUS_RAPIDE] = calculer_plus_rapide(temps, services, SEUILS)
    rangs = {
        m: np.where(np.isfinite(t), np.arange(t.shape[1]), -1).astype(np.int32)
        for m, t in temps.items()
    }
    if equipement is not None:
        rangs |= {m: np.array(e, dtype=np.int32) for m, e in equipement.items()}
    distincts = sorted({c for c in codes if c})
    poids, par_population = calculer_ponderation(carreaux)
    return Mesures(
        carreaux=carreaux,
        services=tuple(services),
        seuils=SEUILS,
        temps_s=temps,
        equipement=rangs,
        zonages=tuple(construire_zonages(carreaux, table_communes(distincts), "Essai")),
        poids=poids,
        par_population=par_population,
        impute=carreaux["impute"].to_numpy(dtype=bool),
    )


def melanger(mesures: Mesures, ordre: Sequence[int]) -> Mesures:
    """Les mêmes mesures, carreaux dans un autre ordre."""
    rangs = np.asarray(ordre)
    return replace(
        mesures,
        carreaux=mesures.carreaux.iloc[rangs].reset_index(drop=True),
        temps_s={m: t[rangs] for m, t in mesures.temps_s.items()},
        equipement={m: e[rangs] for m, e in mesures.equipement.items()},
        zonages=tuple(replace(z, zone_carreau=z.zone_carreau[rangs]) for z in mesures.zonages),
        poids=mesures.poids[rangs],
        impute=mesures.impute[rangs],
    )


def ligne(table: pd.DataFrame, zone: str = "territoire", **cles: object) -> pd.Series:
    """L'unique ligne d'une zone et de clés données."""
    garde = table["zone_code"] == zone if "zone_code" in table else np.ones(len(table), dtype=bool)
    for nom, valeur in cles.items():
        garde &= table[nom] == valeur
    assert garde.sum() == 1, table[garde]
    return table[garde].iloc[0]

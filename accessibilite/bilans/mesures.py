"""Ce que bilans et analyses lisent d'un diagnostic : temps, équipements, zonages, poids.

Tout vient de la table des carreaux (``acces``) : une étude relue d'un dossier se mesure comme une
étude qui vient d'être calculée.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.agregation import (
    Zonage,
    calculer_ponderation,
    construire_zonages,
    sommer_par_zone,
)
from accessibilite.bilans.indicateurs import PLUS_RAPIDE, regle_du_service
from accessibilite.etude import ResultatEtude, colonne_proche, colonne_temps
from donnees_geo.configuration import Service, SeuilPalier


@dataclass(frozen=True)
class Mesures:
    """Tableaux d'un diagnostic.

    Attributes
    ----------
    carreaux
        Table ``acces`` du diagnostic.
    services, seuils
        Services, dans l'ordre des colonnes, et règle de chaque palier.
    temps_s, equipement
        Mode (``plus_rapide`` compris) → float64 et int32[carreaux, services].
    zonages
        Zonages disponibles, du plus vaste au plus fin.
    poids, par_population
        float64[carreaux], habitants, ou m² si ``par_population`` est faux.
    impute
        bool[carreaux], carreaux imputés par le producteur.
    """

    carreaux: pd.DataFrame
    services: tuple[Service, ...]
    seuils: tuple[SeuilPalier, ...]
    temps_s: Mapping[str, NDArray[np.float64]]
    equipement: Mapping[str, NDArray[np.int32]]
    zonages: tuple[Zonage, ...]
    poids: NDArray[np.float64]
    par_population: bool
    impute: NDArray[np.bool_]

    @property
    def rapide_s(self) -> NDArray[np.float64]:
        """float64[carreaux, services], plus rapide des modes admis par la règle du palier."""
        return self.temps_s[PLUS_RAPIDE]

    @property
    def seuils_s(self) -> NDArray[np.float64]:
        """float64[services], seuil du palier de chaque service."""
        return np.array([regle_du_service(s, self.seuils).seuil_s for s in self.services])

    @property
    def connus(self) -> NDArray[np.bool_]:
        """bool[services], services mesurés quelque part par un mode admis de leur palier."""
        return np.asarray(~np.isnan(self.rapide_s).all(axis=0))

    @property
    def satisfaits(self) -> NDArray[np.bool_]:
        """bool[carreaux, services] : le service est atteint sous le seuil de son palier."""
        satisfaits: NDArray[np.bool_] = self.rapide_s <= self.seuils_s
        return satisfaits

    def etiquettes(self, nom: str, repetitions: int) -> NDArray[np.object_]:
        """Attribut des services (``id``, ``palier``, ``fonction``), répété pour chaque zone."""
        valeurs = np.array([getattr(s, nom) for s in self.services], dtype=object)
        return np.repeat(valeurs, repetitions)

    def part_imputee(self, zonage: Zonage) -> NDArray[np.float64]:
        """Part du poids de chaque zone portée par des carreaux imputés, NaN sans poids."""
        total = sommer_par_zone(zonage, self.poids)
        imputee = sommer_par_zone(zonage, np.where(self.impute, self.poids, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            part: NDArray[np.float64] = np.where(total > 0, imputee / total, np.nan)
        return part


def lire_mesures(resultat: ResultatEtude, communes: pd.DataFrame, nom_territoire: str) -> Mesures:
    """Tableaux d'un diagnostic.

    Parameters
    ----------
    resultat
        Diagnostic calculé ou relu.
    communes
        Table COMMUNES du territoire, pour ses zonages.
    nom_territoire
        Nom de la zone unique du zonage ``territoire``.
    """
    modes = (*resultat.modes, PLUS_RAPIDE)
    poids, par_population = calculer_ponderation(resultat.acces)
    return Mesures(
        carreaux=resultat.acces,
        services=resultat.services,
        seuils=resultat.parametres.seuils,
        temps_s={m: _empiler(resultat, m, colonne_temps).astype(np.float64) for m in modes},
        equipement={m: _empiler(resultat, m, colonne_proche).astype(np.int32) for m in modes},
        zonages=tuple(construire_zonages(resultat.acces, communes, nom_territoire)),
        poids=poids,
        par_population=par_population,
        impute=resultat.acces["impute"].to_numpy(dtype=bool),
    )


def _empiler(
    resultat: ResultatEtude, mode: str, colonne: Callable[[str, str], str]
) -> NDArray[np.generic]:
    noms = [colonne(s.id, mode) for s in resultat.services]
    return np.asarray(resultat.acces[noms].to_numpy())


def vider_habitants(table: pd.DataFrame, mesures: Mesures) -> pd.DataFrame:
    """Sans population, vider les colonnes d'habitants : il ne reste que des parts de surface."""
    if mesures.par_population:
        return table
    habitants: Sequence[str] = [c for c in table.columns if c.endswith("_hab")]
    return table.assign(**dict.fromkeys(habitants, np.nan))

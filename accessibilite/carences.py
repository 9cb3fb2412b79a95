"""Carences : qui manque de quoi, où, et où se trouve le plus proche équipement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.agregation import Zonage, calculer_medianes, sommer_par_zone
from accessibilite.indicateurs import regle_du_service
from donnees_geo.configuration import Service, SeuilPalier

COLONNES_CARENCES: Final = (
    "zone_type",
    "zone_code",
    "zone_nom",
    "rang",
    "palier",
    "fonction",
    "service",
    "modes",
    "seuil_s",
    "population_hab",
    "population_carence_hab",
    "part_carence",
    "temps_median_carence_s",
    "equipement_proche",
    "equipement_proche_nom",
    "equipement_proche_commune",
)


def calculer_carences(
    temps_s: NDArray[np.float64],
    equipement: NDArray[np.int32],
    services: Sequence[Service],
    seuils: Sequence[SeuilPalier],
    zonages: Sequence[Zonage],
    poids: NDArray[np.float64],
    equipements: pd.DataFrame,
    *,
    par_population: bool,
) -> pd.DataFrame:
    """Liste des carences par zone et service, classée par habitants concernés.

    Une carence est un carreau habité dont le plus proche équipement, par le plus rapide des modes
    admis, dépasse le seuil du palier (ou reste inaccessible).

    Parameters
    ----------
    temps_s, equipement
        float64 et int32[carreaux, services] : temps du plus rapide des modes admis, et équipement
        correspondant (-1 sans objet).
    equipements
        Colonnes ``equipement``, ``nom``, ``code_commune`` : l'équipement proche est nommé même s'il
        est hors du territoire. C'est celui que rejoindrait le plus grand nombre des habitants en
        carence de la zone.

    Returns
    -------
    pandas.DataFrame
        Colonnes :data:`COLONNES_CARENCES` ; ``rang`` 1 = le plus d'habitants concernés dans la
        zone. Sans population, les colonnes d'habitants sont vides et la part est une surface.
    """
    blocs = []
    for zonage in zonages:
        totaux = sommer_par_zone(zonage, poids)
        for colonne, service in enumerate(services):
            temps = temps_s[:, colonne]
            if np.isnan(temps).all():
                continue
            regle = regle_du_service(service, seuils)
            poids_carence = np.where(temps > regle.seuil_s, poids, 0.0)
            bloc = _bloc(zonage, temps, poids_carence, totaux)
            proche = _equipement_principal(zonage, equipement[:, colonne], poids_carence)
            blocs.append(
                bloc.assign(
                    palier=service.palier,
                    fonction=service.fonction,
                    service=service.id,
                    modes="+".join(regle.modes),
                    seuil_s=regle.seuil_s,
                    **_nommer(equipements, proche),
                )
            )
    if not blocs:
        return pd.DataFrame(columns=list(COLONNES_CARENCES))
    table = pd.concat(blocs, ignore_index=True)
    table = table[table["population_carence_hab"] > 0]
    table = table.sort_values(
        ["zone_type", "zone_code", "population_carence_hab", "service"],
        ascending=[True, True, False, True],
        kind="stable",
        ignore_index=True,
    )
    table["rang"] = table.groupby(["zone_type", "zone_code"]).cumcount() + 1
    if not par_population:
        table[["population_hab", "population_carence_hab"]] = np.nan
    return table[list(COLONNES_CARENCES)]


def _bloc(
    zonage: Zonage,
    temps: NDArray[np.float64],
    poids_carence: NDArray[np.float64],
    totaux: NDArray[np.float64],
) -> pd.DataFrame:
    concernes = sommer_par_zone(zonage, poids_carence)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(totaux > 0, concernes / totaux, np.nan)
    return pd.DataFrame(
        {
            "zone_type": zonage.type,
            "zone_code": zonage.codes,
            "zone_nom": zonage.noms,
            "population_hab": totaux,
            "population_carence_hab": concernes,
            "part_carence": part,
            "temps_median_carence_s": calculer_medianes(zonage, temps, poids_carence),
        }
    )


def _equipement_principal(
    zonage: Zonage, equipement: NDArray[np.int32], poids: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Équipement rejoint par le plus de poids dans chaque zone, -1 s'il n'y en a pas."""
    principal = np.full(len(zonage.codes), -1, dtype=np.int64)
    utile = (zonage.zone_carreau >= 0) & (equipement >= 0) & (poids > 0)
    if not utile.any():
        return principal
    table = pd.DataFrame(
        {
            "zone": zonage.zone_carreau[utile],
            "equipement": equipement[utile],
            "poids": poids[utile],
        }
    )
    sommes = table.groupby(["zone", "equipement"])["poids"].sum().reset_index()
    sommes = sommes.sort_values(["zone", "poids", "equipement"], ascending=[True, False, True])
    sommes = sommes.drop_duplicates("zone")
    principal[sommes["zone"].to_numpy()] = sommes["equipement"].to_numpy()
    return principal


def _nommer(equipements: pd.DataFrame, lignes: NDArray[np.int64]) -> dict[str, NDArray[np.object_]]:
    """Identifiant, nom et commune des équipements, vides pour -1."""
    connu = lignes >= 0
    sur = np.where(connu, lignes, 0)
    return {
        nom: np.where(connu, equipements[colonne].to_numpy(dtype=object)[sur], "")
        for nom, colonne in (
            ("equipement_proche", "equipement"),
            ("equipement_proche_nom", "nom"),
            ("equipement_proche_commune", "code_commune"),
        )
    }

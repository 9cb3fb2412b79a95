"""Carences : qui manque de quoi, où, et où se trouve le plus proche équipement."""

from __future__ import annotations

from collections.abc import Sequence
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
    ordonner_colonnes,
    sommer_par_zone,
)
from accessibilite.bilans.indicateurs import regle_du_service
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
    connus = np.flatnonzero(~np.isnan(temps_s).all(axis=0))
    retenus = [services[c] for c in connus.tolist()]
    regles = [regle_du_service(s, seuils) for s in retenus]
    temps = temps_s[:, connus]
    ordre = ordonner_colonnes(temps)
    seuils_s = np.array([r.seuil_s for r in regles], dtype=np.float64)
    poids_carence = np.where(temps > seuils_s, poids[:, None], 0.0)
    candidats = [Candidats.depuis(equipement[:, c]) for c in connus]
    blocs: list[dict[str, NDArray[np.generic]]] = []
    for zonage in zonages:
        totaux = sommer_par_zone(zonage, poids)
        concernes = sommer_par_zone(zonage, poids_carence)
        parts = diviser(concernes, totaux[:, None])
        medianes = calculer_medianes(zonage, temps, poids_carence, ordre)
        proches = [
            equipement_principal(zonage, candidat, poids_carence[:, c])
            for c, candidat in enumerate(candidats)
        ]
        # Une ligne par service et zone où quelqu'un manque de quelque chose.
        service, zone = np.nonzero(concernes.T > 0)
        blocs.append(
            {
                "zone_type": np.full(zone.size, zonage.type, dtype=object),
                "zone_code": np.array(zonage.codes, dtype=object)[zone],
                "zone_nom": np.array(zonage.noms, dtype=object)[zone],
                "palier": _etiqueter([s.palier for s in retenus], service),
                "fonction": _etiqueter([s.fonction for s in retenus], service),
                "service": _etiqueter([s.id for s in retenus], service),
                "modes": _etiqueter(["+".join(r.modes) for r in regles], service),
                "seuil_s": seuils_s[service],
                "population_hab": totaux[zone],
                "population_carence_hab": concernes[zone, service],
                "part_carence": parts[zone, service],
                "temps_median_carence_s": medianes[zone, service],
                **nommer_equipements(
                    equipements,
                    np.array([proches[s][z] for s, z in zip(service, zone, strict=True)], np.int64),
                ),
            }
        )
    return _classer(blocs, par_population=par_population)


def _etiqueter(etiquettes: Sequence[str], rangs: NDArray[np.intp]) -> NDArray[np.object_]:
    return np.array(etiquettes, dtype=object)[rangs]


def _classer(
    blocs: Sequence[dict[str, NDArray[np.generic]]], *, par_population: bool
) -> pd.DataFrame:
    """Réunir les blocs, ranger les carences de chaque zone et les numéroter."""
    table = assembler_blocs(blocs)
    # Deux carences de même ampleur ne doivent pas changer de rang selon l'ordre des additions.
    table = table.assign(_ampleur=table["population_carence_hab"].round(6)).sort_values(
        ["zone_type", "zone_code", "_ampleur", "service"],
        ascending=[True, True, False, True],
        kind="stable",
        ignore_index=True,
    )
    table["rang"] = table.groupby(["zone_type", "zone_code"]).cumcount() + 1
    if not par_population:
        table[["population_hab", "population_carence_hab"]] = np.nan
    return table[list(COLONNES_CARENCES)]


@dataclass(frozen=True)
class Candidats:
    """Équipements les plus proches d'un service, dénombrés une fois pour tous les zonages.

    Attributes
    ----------
    equipements
        int64[e], équipements distincts, croissants.
    rang
        int64[carreaux], rang dans ``equipements``, -1 sans équipement.
    """

    equipements: NDArray[np.int64]
    rang: NDArray[np.int64]

    @staticmethod
    def depuis(equipement: NDArray[np.int32]) -> Candidats:
        """Dénombrer les équipements d'un service, int32[carreaux], -1 sans objet."""
        avec = equipement >= 0
        distincts, inverse = np.unique(equipement[avec], return_inverse=True)
        rang = np.full(equipement.size, -1, dtype=np.int64)
        rang[avec] = inverse
        return Candidats(distincts.astype(np.int64), rang)


def equipement_principal(
    zonage: Zonage, candidats: Candidats, poids: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Équipement rejoint par le plus de poids dans chaque zone, -1 s'il n'y en a pas.

    À poids égal, celui de plus petit indice.
    """
    zones, nombre = len(zonage.codes), candidats.equipements.size
    utile = (zonage.zone_carreau >= 0) & (candidats.rang >= 0) & (poids > 0)
    principal = np.full(zones, -1, dtype=np.int64)
    if not utile.any():
        return principal
    cle = zonage.zone_carreau[utile] * nombre + candidats.rang[utile]
    sommes = np.bincount(cle, weights=poids[utile], minlength=zones * nombre)
    sommes = sommes.reshape(zones, nombre).round(6)
    rang = sommes.argmax(axis=1)
    trouve = sommes[np.arange(zones), rang] > 0
    principal[trouve] = candidats.equipements[rang[trouve]]
    return principal


def nommer_equipements(
    equipements: pd.DataFrame, lignes: NDArray[np.int64]
) -> dict[str, NDArray[np.object_]]:
    """Identifiant, nom et commune des équipements, vides pour -1."""
    # Le vide ajouté au bout est ce que désigne l'indice -1.
    return {
        nom: np.append(equipements[colonne].to_numpy(dtype=object), "")[lignes]
        for nom, colonne in (
            ("equipement_proche", "equipement"),
            ("equipement_proche_nom", "nom"),
            ("equipement_proche_commune", "code_commune"),
        )
    }

"""Carences vues par mode : où est le plus proche pour ceux à qui il manque, et comment s'y rendre.

Complète la liste des carences (:mod:`accessibilite.bilans.carences`) : mêmes zones, mêmes services,
mêmes habitants concernés ; un temps et un équipement nommé par mode, même hors du territoire.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.agregation import (
    Zonage,
    assembler_blocs,
    calculer_medianes,
    ordonner_colonnes,
    sommer_par_zone,
)
from accessibilite.bilans.carences import Candidats, equipement_principal, nommer_equipements
from accessibilite.bilans.indicateurs import PLUS_RAPIDE
from accessibilite.bilans.mesures import Mesures, vider_habitants
from donnees_geo.erreurs import ErreurConfiguration

#: Classements possibles d'une liste de carences : clé → colonne, du plus grand au plus petit.
CLASSEMENTS = {
    "habitants": "population_carence_hab",
    "part": "part_carence",
    "temps": "temps_median_carence_s",
}


def calculer_carences_modes(
    mesures: Mesures, equipements: pd.DataFrame, communes: pd.DataFrame
) -> pd.DataFrame:
    """Temps et équipement de chaque mode, pour les habitants en carence.

    Parameters
    ----------
    mesures
        Diagnostic.
    equipements
        Table EQUIPEMENTS du territoire.
    communes
        Table COMMUNES : un équipement d'une autre commune est dit hors du territoire.

    Returns
    -------
    pandas.DataFrame
        ``zone_*``, ``service``, ``mode``, ``population_carence_hab`` (par le plus rapide des modes
        admis), ``temps_median_carence_s`` par ce mode, ``inaccessible_hab``, et l'équipement que
        rejoindrait par ce mode le plus grand nombre : ``equipement_proche``,
        ``equipement_proche_nom``, ``equipement_proche_commune``, ``hors_territoire`` (``oui``,
        ``non``, vide sans équipement accessible).
    """
    colonnes = np.flatnonzero(mesures.connus)
    temps = {m: t[:, colonnes] for m, t in mesures.temps_s.items() if m != PLUS_RAPIDE}
    en_carence = mesures.rapide_s[:, colonnes] > mesures.seuils_s[colonnes]
    poids = np.where(en_carence, mesures.poids[:, None], 0.0)
    services = np.array([mesures.services[c].id for c in colonnes], dtype=object)
    blocs = []
    for mode, valeurs in temps.items():
        ordre = ordonner_colonnes(valeurs)
        candidats = [Candidats.depuis(mesures.equipement[mode][:, c]) for c in colonnes]
        loin = np.where(np.isinf(valeurs), poids, 0.0)
        for zonage in mesures.zonages:
            concernes = sommer_par_zone(zonage, poids)
            service, zone = np.nonzero(concernes.T > 0)
            proches = _proches(zonage, candidats, poids)
            medianes = calculer_medianes(zonage, valeurs, poids, ordre)
            noms = nommer_equipements(equipements, proches[zone, service])
            blocs.append(
                {
                    "zone_type": np.full(zone.size, zonage.type, dtype=object),
                    "zone_code": np.array(zonage.codes, dtype=object)[zone],
                    "zone_nom": np.array(zonage.noms, dtype=object)[zone],
                    "service": services[service],
                    "mode": np.full(zone.size, mode, dtype=object),
                    "population_carence_hab": concernes[zone, service],
                    "temps_median_carence_s": medianes[zone, service],
                    "inaccessible_hab": sommer_par_zone(zonage, loin)[zone, service],
                    **noms,
                    "hors_territoire": _dehors(noms, set(communes["code_commune"].astype(str))),
                }
            )
    return vider_habitants(assembler_blocs(blocs), mesures)


def _proches(
    zonage: Zonage, candidats: list[Candidats], poids: NDArray[np.float64]
) -> NDArray[np.int64]:
    """int64[zones, services], équipement principal, -1 sans objet."""
    colonnes = [
        equipement_principal(zonage, candidat, poids[:, c]) for c, candidat in enumerate(candidats)
    ]
    if not colonnes:
        return np.empty((len(zonage.codes), 0), dtype=np.int64)
    return np.column_stack(colonnes)


def _dehors(noms: dict[str, NDArray[np.object_]], du_territoire: set[str]) -> NDArray[np.object_]:
    """Un équipement sans commune est hors du découpage (``schemas.EQUIPEMENTS``)."""
    dits = [
        "" if not equipement else "non" if commune in du_territoire else "oui"
        for equipement, commune in zip(
            noms["equipement_proche"], noms["equipement_proche_commune"], strict=True
        )
    ]
    return np.array(dits, dtype=object)


def filtrer_carences(
    carences: pd.DataFrame,
    *,
    zone_type: str | None = None,
    paliers: Collection[str] = (),
    fonctions: Collection[str] = (),
    services: Collection[str] = (),
    population_min_hab: float = 0.0,
    population_max_hab: float = np.inf,
    par: str = "habitants",
) -> pd.DataFrame:
    """Lignes d'une liste de carences qui répondent à tous les filtres, classées entre elles.

    Parameters
    ----------
    carences
        Table ``carences`` d'un diagnostic.
    zone_type
        Type de zone ; ``None`` : tous.
    paliers, fonctions, services
        Valeurs retenues ; vide : toutes.
    population_min_hab, population_max_hab
        Taille de la zone, bornes incluses ; sans population connue, la taille ne filtre rien.
    par
        ``habitants`` concernés, ``part`` de la zone ou ``temps`` médian (l'inaccessible d'abord).

    Returns
    -------
    pandas.DataFrame
        Mêmes colonnes, ``rang`` refait de 1 à n dans l'ordre demandé ; index neuf.

    Raises
    ------
    ErreurConfiguration
        Classement inconnu.
    """
    if par not in CLASSEMENTS:
        raise ErreurConfiguration(
            "Classement des carences inconnu.",
            objet="par",
            attendu=", ".join(CLASSEMENTS),
            trouve=par,
        )
    garde = pd.Series(True, index=carences.index)
    if zone_type is not None:
        garde &= carences["zone_type"] == zone_type
    for colonne, valeurs in (("palier", paliers), ("fonction", fonctions), ("service", services)):
        if valeurs:
            garde &= carences[colonne].isin(list(valeurs))
    taille = carences["population_hab"]
    garde &= taille.isna() | taille.between(population_min_hab, population_max_hab)
    table = carences[garde]
    # À égalité (ou sans population), l'ordre des zones et des services départage.
    table = table.assign(_cle=table[CLASSEMENTS[par]].round(6)).sort_values(
        ["_cle", "part_carence", "zone_type", "zone_code", "service"],
        ascending=[False, False, True, True, True],
        kind="stable",
        ignore_index=True,
    )
    table["rang"] = np.arange(1, len(table) + 1)
    return table.drop(columns="_cle")

"""Lecture d'un résultat d'étude : temps d'un service ou d'un panier, et parts desservies par zone.

Le visualiseur change de service, de mode et de seuil sans rien recalculer d'autre que ces sommes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.agregation import Zonage, calculer_medianes, sommer_par_zone
from accessibilite.etude import ResultatEtude, colonne_proche, colonne_temps
from donnees_geo.erreurs import ErreurConfiguration


def couper_classes(temps_s: NDArray[np.float64], bornes_s: Sequence[float]) -> NDArray[np.int64]:
    """Rang de classe de chaque temps ; une borne appartient à la classe qu'elle ferme.

    Returns
    -------
    numpy.ndarray
        int64, 0 à ``len(bornes_s)`` ; -1 inaccessible (``inf``), -2 sans donnée (NaN).
    """
    classes = np.searchsorted(np.asarray(bornes_s, dtype=np.float64), temps_s, side="left")
    classes[np.isinf(temps_s)] = -1
    classes[np.isnan(temps_s)] = -2
    return classes


def lire_temps(resultat: ResultatEtude, services: Sequence[str], mode: str) -> NDArray[np.float64]:
    """Temps de chaque carreau au service, ou au plus lointain des services d'un panier.

    Parameters
    ----------
    resultat
        Étude calculée.
    services
        Un service, ou plusieurs : il faut alors les atteindre tous. Ceux qui n'ont aucun équipement
        connu (sans donnée partout) ne comptent pas dans un panier.
    mode
        Mode calculé, ou ``plus_rapide``.

    Returns
    -------
    numpy.ndarray
        float64[carreaux], secondes ; ``inf`` inaccessible, NaN sans donnée.

    Raises
    ------
    ErreurConfiguration
        Service ou mode absent de l'étude, ou liste vide.
    """
    if not services:
        raise ErreurConfiguration("Aucun service n'est demandé.", objet="services")
    colonnes = []
    for service in services:
        nom = colonne_temps(service, mode)
        if nom not in resultat.acces:
            raise ErreurConfiguration(
                "L'étude ne contient pas ce temps d'accès.",
                objet=f"service {service}, mode {mode}",
                attendu=f"modes {', '.join(resultat.modes)}",
                conseil="relancer le diagnostic avec ce service et ce mode",
            )
        colonnes.append(resultat.acces[nom].to_numpy(dtype=np.float64))
    temps = np.column_stack(colonnes)
    connus = ~np.isnan(temps).all(axis=0)
    if not connus.any():
        return np.full(len(resultat.acces), np.nan)
    pire: NDArray[np.float64] = temps[:, connus].max(axis=1)
    return pire


def lire_proche(resultat: ResultatEtude, service: str, mode: str) -> NDArray[np.int32]:
    """Équipement le plus proche de chaque carreau, int32 ; -1 sans objet."""
    return resultat.acces[colonne_proche(service, mode)].to_numpy(dtype=np.int32)


def resumer_zones(
    zonage: Zonage,
    temps_s: NDArray[np.float64],
    poids: NDArray[np.float64],
    seuil_s: float,
    bornes_s: Sequence[float] = (),
) -> pd.DataFrame:
    """Poids total, desservi et part de chaque zone.

    Parameters
    ----------
    zonage
        Zones.
    temps_s
        float64[carreaux].
    poids
        float64[carreaux], habitants (ou m² sans population).
    seuil_s
        Desservi : temps inférieur ou égal au seuil.
    bornes_s
        Bornes hautes de classes de temps : une colonne ``classe_<rang>`` par classe, la dernière
        ouverte, sans les inaccessibles.

    Returns
    -------
    pandas.DataFrame
        Une ligne par zone : ``code``, ``nom``, ``poids``, ``desservi``, ``non_desservi``,
        ``inaccessible``, ``sans_donnee``, ``part`` (du poids total), ``temps_median_s``, classes.
    """
    totaux = sommer_par_zone(zonage, poids)
    inconnu = np.isnan(temps_s)
    sans_donnee = sommer_par_zone(zonage, np.where(inconnu, poids, 0.0))
    desservi = sommer_par_zone(zonage, np.where(temps_s <= seuil_s, poids, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(totaux > sans_donnee, desservi / totaux, np.nan)
    table = pd.DataFrame(
        {
            "code": zonage.codes,
            "nom": zonage.noms,
            "poids": totaux,
            "desservi": desservi,
            "non_desservi": np.maximum(totaux - sans_donnee - desservi, 0.0),
            "inaccessible": sommer_par_zone(zonage, np.where(np.isinf(temps_s), poids, 0.0)),
            "sans_donnee": sans_donnee,
            "part": part,
            "temps_median_s": calculer_medianes(zonage, temps_s[:, None], poids)[:, 0],
        }
    )
    if len(bornes_s):
        classe = couper_classes(temps_s, bornes_s)
        for rang in range(len(bornes_s) + 1):
            table[f"classe_{rang}"] = sommer_par_zone(zonage, np.where(classe == rang, poids, 0.0))
    return table


def compter_atteints(
    resultat: ResultatEtude, services: Sequence[str], mode: str, seuils_s: Sequence[float]
) -> NDArray[np.int16]:
    """Nombre de services que chaque carreau atteint sous le seuil de chacun.

    Parameters
    ----------
    resultat
        Étude calculée.
    services
        Services comptés ; ceux qui sont sans donnée partout ne le sont pas.
    mode
        Mode calculé, ou ``plus_rapide``.
    seuils_s
        Seuil de chaque service, secondes.

    Returns
    -------
    numpy.ndarray
        int16[carreaux] ; -1 là où aucun service n'a de temps connu.

    Raises
    ------
    ErreurConfiguration
        Service ou mode absent de l'étude, ou liste vide.
    """
    if not services:
        raise ErreurConfiguration("Aucun service n'est demandé.", objet="services")
    temps = np.column_stack([lire_temps(resultat, [s], mode) for s in services])
    atteints = temps <= np.asarray(seuils_s, dtype=np.float64)
    compte: NDArray[np.int16] = atteints.sum(axis=1).astype(np.int16)
    compte[np.isnan(temps).all(axis=1)] = -1
    return compte

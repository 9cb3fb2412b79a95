"""Temps de chaque carreau au plus proche équipement de chaque service, par mode de rue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.rues.dijkstra import calculer_plus_proche
from accessibilite.rues.graphe import Graphe
from accessibilite.rues.rattachement import Rattachement, rattacher_points
from donnees_geo.conventions import Sens

Progression = Callable[[str, float], None]


@dataclass(frozen=True)
class AccesMode:
    """Accès des carreaux aux services par un mode.

    Attributes
    ----------
    services
        Identifiants des services, dans l'ordre des colonnes.
    temps_s
        float64[carreaux, services], porte à porte ; ``inf`` inaccessible ; NaN sans donnée (carreau
        non rattaché, ou service sans aucun équipement connu).
    equipement
        int32[carreaux, services], ligne de la table des équipements, -1 sans objet.
    carreaux_non_rattaches
        bool[carreaux].
    points_non_rattaches
        Nombre de points d'accès trop loin de toute rue.
    """

    services: tuple[str, ...]
    temps_s: NDArray[np.float64]
    equipement: NDArray[np.int32]
    carreaux_non_rattaches: NDArray[np.bool_]
    points_non_rattaches: int


def calculer_acces_mode(
    graphe: Graphe,
    carreaux: pd.DataFrame,
    equipements: pd.DataFrame,
    points_acces: pd.DataFrame,
    services: Sequence[str],
    *,
    rattachement_max_m: float,
    sens: Sens = "vers",
    progression: Progression | None = None,
) -> AccesMode:
    """Temps de chaque carreau au plus proche équipement de chaque service.

    Une recherche multi-source retournée par service ; les services sont répartis sur les coeurs.

    Parameters
    ----------
    graphe
        Graphe du mode.
    carreaux
        Colonnes ``x``, ``y`` (mètres).
    equipements
        Colonne ``service``.
    points_acces
        Colonnes ``equipement`` (ligne de ``equipements``), ``x``, ``y``.
    services
        Services voulus.
    rattachement_max_m
        Distance maximale à une rue praticable.
    sens
        ``vers`` le service ou ``depuis`` lui.
    progression
        Rappel ``(étape, part faite)``.
    """
    demande = _rattacher(graphe, carreaux, rattachement_max_m)
    offre = _rattacher(graphe, points_acces, rattachement_max_m)
    ligne_equipement = points_acces["equipement"].to_numpy(dtype=np.int32)
    service_point = equipements["service"].to_numpy(dtype=object)[ligne_equipement]
    temps = np.full((len(carreaux), len(services)), np.nan)
    equipement = np.full((len(carreaux), len(services)), -1, dtype=np.int32)

    def remplir(colonne: int, service: str) -> None:
        points = np.flatnonzero(service_point == service)
        if points.size == 0:
            return
        # À égalité de temps, la source de plus petit rang l'emporte : ce doit être la première
        # ligne d'équipement, quel que soit l'ordre des points d'accès.
        points = points[np.argsort(ligne_equipement[points], kind="stable")]
        resultat = calculer_plus_proche(graphe, demande, offre.extraire(points), sens=sens)
        temps[:, colonne] = resultat.temps_s
        trouve = resultat.source >= 0
        equipement[trouve, colonne] = ligne_equipement[points[resultat.source[trouve]]]

    with ThreadPoolExecutor(cpu_count() or 1) as fils:
        taches = [fils.submit(remplir, c, s) for c, s in enumerate(services)]
        for i, tache in enumerate(taches):
            tache.result()
            if progression is not None:
                progression(f"accès {graphe.profil.mode}", (i + 1) / len(taches))
    temps[~demande.rattaches] = np.nan
    return AccesMode(
        services=tuple(services),
        temps_s=temps,
        equipement=equipement,
        carreaux_non_rattaches=~demande.rattaches,
        points_non_rattaches=int((~offre.rattaches).sum()),
    )


def _rattacher(graphe: Graphe, points: pd.DataFrame, distance_max_m: float) -> Rattachement:
    return rattacher_points(
        graphe,
        points["x"].to_numpy(dtype=np.float64),
        points["y"].to_numpy(dtype=np.float64),
        distance_max_m,
    )

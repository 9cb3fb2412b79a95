"""Ce qu'on atteint depuis un ou plusieurs lieux : habitants et services, comptés sur le réseau.

Jamais dans les polygones : un carreau est atteint si le trajet jusqu'à son point de demande, ou
depuis lui, tient dans le seuil.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.rues.dijkstra import (
    TempsNoeuds,
    calculer_temps_depuis_points,
    lire_plus_proche,
)
from accessibilite.rues.graphe import Graphe
from accessibilite.rues.rattachement import Rattachement, rattacher_points
from donnees_geo.conventions import Sens


@dataclass(frozen=True)
class Cibles:
    """Carreaux et points d'accès aux services, rattachés au graphe d'un mode.

    Attributes
    ----------
    carreaux
        Carreaux, dans l'ordre de la table.
    poids
        float64[carreaux], habitants (ou m² sans population).
    acces
        Points d'accès aux équipements.
    equipement
        int32[points], ligne de la table des équipements.
    service
        int32[équipements], rang du service dans ``services`` (-1 hors du catalogue).
    services
        Identifiants.
    """

    carreaux: Rattachement
    poids: NDArray[np.float64]
    acces: Rattachement
    equipement: NDArray[np.int32]
    service: NDArray[np.int32]
    services: tuple[str, ...]


@dataclass(frozen=True)
class Atteinte:
    """Habitants et services atteints.

    Attributes
    ----------
    seuils_s
        Seuils croissants, secondes.
    poids
        Habitants (ou m²) atteints à chaque seuil, cumulés.
    services
        int64[seuils, services], nombre d'équipements atteints, cumulés.
    temps_carreaux_s
        float64[carreaux], secondes ; ``inf`` au-delà du plus grand seuil.
    temps_acces_s
        float64[points d'accès], de même.
    """

    seuils_s: tuple[float, ...]
    poids: tuple[float, ...]
    services: NDArray[np.int64]
    temps_carreaux_s: NDArray[np.float64]
    temps_acces_s: NDArray[np.float64]


def construire_cibles(
    graphe: Graphe,
    carreaux: pd.DataFrame,
    poids: NDArray[np.float64],
    equipements: pd.DataFrame,
    points_acces: pd.DataFrame,
    services: Sequence[str],
    rattachement_max_m: float,
) -> Cibles:
    """Rattacher une fois pour toutes ce que l'on comptera à chaque clic.

    Parameters
    ----------
    graphe
        Graphe du mode.
    carreaux, equipements, points_acces
        Tables du territoire (``schemas``).
    poids
        float64[carreaux].
    services
        Services comptés, dans l'ordre voulu.
    rattachement_max_m
        Distance maximale à une rue praticable.
    """
    rang = {s: i for i, s in enumerate(services)}

    def rattacher(table: pd.DataFrame) -> Rattachement:
        x, y = (table[c].to_numpy(dtype=np.float64) for c in ("x", "y"))
        return rattacher_points(graphe, x, y, rattachement_max_m)

    return Cibles(
        carreaux=rattacher(carreaux),
        poids=poids,
        acces=rattacher(points_acces),
        equipement=points_acces["equipement"].to_numpy(dtype=np.int32),
        service=np.array([rang.get(str(s), -1) for s in equipements["service"]], dtype=np.int32),
        services=tuple(services),
    )


def mesurer_atteinte(
    graphe: Graphe,
    cibles: Cibles,
    origines: Rattachement,
    seuils_s: Sequence[float],
    *,
    sens: Sens = "depuis",
    noeuds: TempsNoeuds | None = None,
) -> Atteinte:
    """Compter ce qu'on atteint depuis le plus proche des ``origines`` (ou en allant vers lui).

    Parameters
    ----------
    graphe
        Graphe du mode.
    cibles
        Carreaux et services rattachés à ce graphe.
    origines
        Lieux ; plusieurs : leur réunion, chacun compté une fois.
    seuils_s
        Seuils, secondes.
    sens
        ``depuis`` les origines ou ``vers`` elles.
    noeuds
        Recherche depuis ces origines, dans ce sens et jusqu'au plus grand seuil, si elle est déjà
        faite.
    """
    seuils = sorted(seuils_s)
    if noeuds is None:
        noeuds = calculer_temps_depuis_points(graphe, origines, sens=sens, limite_s=seuils[-1])
    carreaux, acces = (
        lire_plus_proche(graphe, noeuds, points, origines, sens=sens, limite_s=seuils[-1]).temps_s
        for points in (cibles.carreaux, cibles.acces)
    )
    return resumer_atteinte(cibles, carreaux, acces, seuils)


def lire_temps_points(
    graphe: Graphe, temps_noeuds_s: NDArray[np.float64], points: Rattachement, sens: Sens
) -> NDArray[np.float64]:
    """Temps en des points, d'après les temps aux noeuds de rue.

    Parameters
    ----------
    graphe
        Graphe des rues.
    temps_noeuds_s
        float64[n], secondes, ``inf`` hors d'atteinte.
    points
        Points rattachés au graphe.
    sens
        ``depuis`` l'origine des temps, ou ``vers`` elle.

    Returns
    -------
    numpy.ndarray
        float64[points], approche comprise ; ``inf`` hors d'atteinte ou non rattaché. Un point posé
        sur la rue même de l'origine n'est lu que par les bouts de la rue.
    """
    temps = np.full(len(points), np.inf)
    r = np.flatnonzero(points.rattaches)
    t, f = points.troncon[r], points.position[r]
    vers_destination, vers_origine = graphe.temps_sens("vers" if sens == "depuis" else "depuis")
    with np.errstate(invalid="ignore"):
        # 0 × inf : le point est au bout d'un sens interdit ; il y est déjà.
        par_origine = temps_noeuds_s[graphe.reseau.troncon_origine[t]] + np.where(
            f > 0, f * vers_origine[t], 0.0
        )
        par_destination = temps_noeuds_s[graphe.reseau.troncon_destination[t]] + np.where(
            f < 1, (1 - f) * vers_destination[t], 0.0
        )
    temps[r] = np.minimum(par_origine, par_destination) + points.approche_s[r]
    return temps


def resumer_atteinte(
    cibles: Cibles,
    temps_carreaux_s: NDArray[np.float64],
    temps_acces_s: NDArray[np.float64],
    seuils_s: Sequence[float],
) -> Atteinte:
    """Compter d'après des temps déjà calculés, quel que soit le mode."""
    # Un équipement à plusieurs entrées (parc) est atteint par la plus proche.
    equipement = np.full(cibles.service.size, np.inf)
    np.minimum.at(equipement, cibles.equipement, temps_acces_s)
    poids, services = [], []
    for seuil in seuils_s:
        poids.append(float(cibles.poids[temps_carreaux_s <= seuil].sum()))
        atteints = (equipement <= seuil) & (cibles.service >= 0)
        services.append(np.bincount(cibles.service[atteints], minlength=len(cibles.services)))
    return Atteinte(
        tuple(seuils_s),
        tuple(poids),
        np.array(services, dtype=np.int64).reshape(len(seuils_s), len(cibles.services)),
        temps_carreaux_s,
        temps_acces_s,
    )

"""Accès d'un ensemble de sites (friches) : services proches, habitants proches, manques comblés."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from os import cpu_count
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy.sparse as sp
import shapely
from numpy.typing import NDArray

from accessibilite.bilans.indicateurs import PLUS_RAPIDE, regle_du_service
from accessibilite.etude import Progression, calculer_etude, colonne_temps, construire_graphes
from accessibilite.rues.dijkstra import calculer_plus_proche
from accessibilite.rues.graphe import Graphe
from accessibilite.rues.rattachement import rattacher_points
from donnees_geo.configuration import Parametres, Service
from donnees_geo.conventions import Mode, ModeRue

if TYPE_CHECKING:
    from donnees_geo.territoire import Territoire


def situer_sites(geometries: NDArray[np.object_]) -> NDArray[np.float64]:
    """Point par lequel chaque site est atteint : intérieur au contour, float64[n, 2], mètres."""
    return np.asarray(shapely.get_coordinates(shapely.point_on_surface(geometries)))


def calculer_acces_sites(
    territoire: Territoire,
    sites: gpd.GeoDataFrame,
    identifiant: str,
    parametres: Parametres,
    *,
    modes: Sequence[Mode] | None = None,
    services: Sequence[str] | None = None,
    jour: date | None = None,
    progression: Progression | None = None,
) -> pd.DataFrame:
    """Temps de chaque site au plus proche équipement de chaque service, tous modes.

    Le calcul est celui des carreaux : mêmes graphes, mêmes horaires, même porte à porte.

    Parameters
    ----------
    territoire
        Territoire préparé.
    sites
        Points ou polygones dans le CRS du territoire, et ``code_commune``.
    identifiant
        Colonne de l'identifiant des sites.
    modes, services, jour
        Comme :func:`etude.calculer_etude`.

    Returns
    -------
    pandas.DataFrame
        Même index que ``sites`` ; colonnes ``temps_<service>_<mode>_s`` et
        ``proche_<service>_<mode>`` (``inf`` inaccessible, NaN sans donnée), ``plus_rapide``
        compris.
    """
    points = situer_sites(sites.geometry.to_numpy())
    # Un site est traité comme un carreau sans habitants ; sa surface ne sert à aucun résultat.
    carreaux = gpd.GeoDataFrame(
        {
            "carreau": sites[identifiant].to_numpy(),
            "population_hab": np.full(len(sites), np.nan),
            "surface_m2": np.ones(len(sites)),
            "impute": np.zeros(len(sites), dtype=bool),
            "code_commune": sites["code_commune"].to_numpy(),
            "x": points[:, 0],
            "y": points[:, 1],
        },
        geometry=shapely.points(points),
        crs=territoire.crs,
    )
    resultat = calculer_etude(
        replace(territoire, carreaux=carreaux),
        None,
        parametres,
        modes=modes,
        services=services,
        jour=jour,
        progression=progression,
    )
    acces = resultat.acces
    colonnes = [c for c in acces.columns if c.startswith(("temps_", "proche_"))]
    return acces[colonnes].set_axis(sites.index)


def calculer_voisinage(
    graphes: Sequence[Graphe],
    carreaux: pd.DataFrame,
    points: NDArray[np.float64],
    seuil_s: float,
    rattachement_max_m: float,
) -> sp.csr_array:
    """Carreaux d'où l'on rejoint chaque site dans le seuil, par le plus rapide des modes donnés.

    Parameters
    ----------
    graphes
        Graphe de chaque mode admis.
    carreaux
        ``x``, ``y``.
    points
        float64[sites, 2].
    seuil_s
        Temps maximal, du carreau vers le site.
    rattachement_max_m
        Distance maximale à une rue praticable.

    Returns
    -------
    scipy.sparse.csr_array
        bool[sites, carreaux].
    """
    lignes: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)] * len(points)
    for graphe in graphes:
        demande = rattacher_points(
            graphe,
            carreaux["x"].to_numpy(dtype=np.float64),
            carreaux["y"].to_numpy(dtype=np.float64),
            rattachement_max_m,
        )
        lieux = rattacher_points(graphe, points[:, 0], points[:, 1], rattachement_max_m)

        def chercher(site: int, g: Graphe = graphe, d=demande, p=lieux) -> NDArray[np.int64]:  # type: ignore[no-untyped-def]
            proche = calculer_plus_proche(
                g, d, p.extraire(np.array([site])), sens="vers", limite_s=seuil_s
            )
            return np.flatnonzero(proche.temps_s <= seuil_s)

        with ThreadPoolExecutor(cpu_count() or 1) as fils:
            trouves = list(fils.map(chercher, range(len(points))))
        lignes = [np.union1d(a, b) for a, b in zip(lignes, trouves, strict=True)]
    debut = np.concatenate([[0], np.cumsum([ligne.size for ligne in lignes])])
    indices = np.concatenate(lignes) if lignes else np.empty(0, dtype=np.int64)
    return sp.csr_array((np.ones(indices.size), indices, debut), shape=(len(points), len(carreaux)))


def compter_habitants_proches(
    territoire: Territoire,
    points: NDArray[np.float64],
    parametres: Parametres,
    poids: NDArray[np.float64],
    seuil_s: float,
    modes: Sequence[ModeRue] = ("marche", "velo"),
) -> tuple[pd.DataFrame, sp.csr_array]:
    """Habitants qui rejoignent chaque site dans le seuil, par mode.

    Returns
    -------
    pandas.DataFrame
        ``population_<mode>_hab`` par site, comptés sur le réseau.
    scipy.sparse.csr_array
        [sites, carreaux], voisinage par l'un quelconque des modes.
    """
    graphes = construire_graphes(territoire, parametres, modes)
    colonnes: dict[str, NDArray[np.float64]] = {}
    reunion: sp.csr_array | None = None
    for mode in modes:
        voisins = calculer_voisinage(
            [graphes[mode]], territoire.carreaux, points, seuil_s, parametres.rattachement_max_m
        )
        colonnes[f"population_{mode}_hab"] = np.asarray(voisins @ poids)
        reunion = voisins if reunion is None else reunion.maximum(voisins)
    if reunion is None:
        reunion = sp.csr_array((len(points), len(territoire.carreaux)))
    return pd.DataFrame(colonnes), sp.csr_array(reunion)


def calculer_manques(
    acces_sites: pd.DataFrame, services: Sequence[Service], parametres: Parametres
) -> pd.DataFrame:
    """Services hors de portée de chaque site, par la règle de leur palier.

    Returns
    -------
    pandas.DataFrame
        bool, une colonne par service qui a des équipements connus, même index.
    """
    manques = {}
    for service in services:
        temps = acces_sites[colonne_temps(service.id, PLUS_RAPIDE)].to_numpy(dtype=np.float64)
        if not np.isnan(temps).all():
            seuil = regle_du_service(service, parametres.seuils).seuil_s
            manques[service.id] = temps > seuil
    return pd.DataFrame(manques, index=acces_sites.index)


def calculer_gains(
    voisinage: sp.csr_array,
    acces: pd.DataFrame,
    services: Sequence[Service],
    parametres: Parametres,
    poids: NDArray[np.float64],
) -> pd.DataFrame:
    """Habitants en carence d'un service qui l'auraient à portée s'il ouvrait sur le site.

    Parameters
    ----------
    voisinage
        [sites, carreaux] au seuil de proximité.
    acces
        Table ``ResultatEtude.acces``.
    services
        Services comptés : ceux dont la règle admet la marche ou le vélo.
    poids
        float64[carreaux].

    Returns
    -------
    pandas.DataFrame
        Habitants, une ligne par site, une colonne par service de proximité.
    """
    retenus = [
        s
        for s in services
        if {"marche", "velo"} & set(regle_du_service(s, parametres.seuils).modes)
        and colonne_temps(s.id, PLUS_RAPIDE) in acces
    ]
    en_carence = np.zeros((len(acces), len(retenus)))
    for colonne, service in enumerate(retenus):
        temps = acces[colonne_temps(service.id, PLUS_RAPIDE)].to_numpy(dtype=np.float64)
        seuil = regle_du_service(service, parametres.seuils).seuil_s
        en_carence[:, colonne] = np.where(temps > seuil, poids, 0.0)
    return pd.DataFrame(np.asarray(voisinage @ en_carence), columns=[s.id for s in retenus])

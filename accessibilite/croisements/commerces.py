"""Commerces × communes × accès : offre, vacance, chalandise à pied, marchés de la semaine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from accessibilite.bilans.agregation import Zonage, sommer_par_zone
from accessibilite.croisements.sites import calculer_voisinage
from accessibilite.rues.dijkstra import calculer_plus_proche
from accessibilite.rues.graphe import Graphe
from accessibilite.rues.rattachement import rattacher_points
from donnees_geo.conventions import JOUR_INCONNU, JOURS

COLONNES_COMMUNES: Final = (
    "code_commune",
    "nom",
    "population_hab",
    "commerces",
    "categories",
    "diversite",
    "densite_1000_hab",
    "locaux_vacants",
    "taux_vacance",
    "marches",
    "jours_marche",
)


def calculer_commerces_communes(
    commerces: gpd.GeoDataFrame, marches: gpd.GeoDataFrame | None, communes: pd.DataFrame
) -> pd.DataFrame:
    """Offre commerciale de chaque commune.

    Parameters
    ----------
    commerces
        Table COMMERCES.
    marches
        Table MARCHES, ou ``None`` : les colonnes de marché sont alors vides.
    communes
        Table COMMUNES.

    Returns
    -------
    pandas.DataFrame
        Colonnes :data:`COLONNES_COMMUNES`, une ligne par commune, ordre de ``communes``.
        ``diversite`` est le nombre équivalent de catégories (exponentielle de l'entropie de
        Shannon ; Hill 1973) : 1 si tout est de même sorte, ``categories`` si toutes sont à égalité,
        0 sans commerce. ``taux_vacance`` est vide quand aucun local vacant n'est connu nulle part :
        la source ne les relève pas. ``jours_marche`` compte les jours de semaine distincts.
    """
    code = communes["code_commune"].to_numpy(dtype=str)
    rang = pd.Index(code).get_indexer(commerces["code_commune"].to_numpy(dtype=str))
    dedans = rang >= 0
    vacant = commerces["vacant"].to_numpy(dtype=bool)
    actifs = np.bincount(rang[dedans & ~vacant], minlength=code.size)
    vacants = np.bincount(rang[dedans & vacant], minlength=code.size)
    categorie, noms = pd.factorize(commerces["categorie"])
    effectifs = np.zeros((code.size, max(len(noms), 1)))
    ouverts = dedans & ~vacant
    np.add.at(effectifs, (rang[ouverts], categorie[ouverts]), 1.0)
    population = communes["population_hab"].to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        densite = np.where(population > 0, 1_000.0 * actifs / population, np.nan)
        locaux = actifs + vacants
        taux = np.where(locaux > 0, vacants / locaux, np.nan)
    if not vacant.any():
        taux = np.full(code.size, np.nan)
    table = pd.DataFrame(
        {
            "code_commune": code,
            "nom": communes["nom"].to_numpy(),
            "population_hab": population,
            "commerces": actifs,
            "categories": (effectifs > 0).sum(axis=1),
            "diversite": mesurer_diversite(effectifs),
            "densite_1000_hab": densite,
            "locaux_vacants": np.where(vacant.any(), vacants, np.nan),
            "taux_vacance": taux,
            **_compter_marches(marches, code),
        },
        index=communes.index,
    )
    return table[list(COLONNES_COMMUNES)]


def mesurer_diversite(effectifs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nombre équivalent de catégories de chaque ligne (Hill d'ordre 1), 0 pour une ligne vide.

    Examples
    --------
    >>> mesurer_diversite(np.array([[5.0, 5.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 0.0]])).tolist()
    [2.0, 1.0, 0.0]
    """
    totaux = effectifs.sum(axis=1, keepdims=True)
    parts = np.divide(effectifs, totaux, out=np.zeros_like(effectifs), where=totaux > 0)
    logarithmes = np.log(parts, out=np.zeros_like(parts), where=parts > 0)
    entropie = -(parts * logarithmes).sum(axis=1)
    return np.where(totaux[:, 0] > 0, np.exp(entropie), 0.0)


def _compter_marches(
    marches: gpd.GeoDataFrame | None, codes: NDArray[np.str_]
) -> dict[str, NDArray[np.float64]]:
    if marches is None:
        vide = np.full(codes.size, np.nan)
        return {"marches": vide, "jours_marche": vide.copy()}
    rang = pd.Index(codes).get_indexer(marches["code_commune"].to_numpy(dtype=str))
    jour = marches["jour"].to_numpy(dtype=np.int64)
    dedans = rang >= 0
    tenus = np.zeros((codes.size, len(JOURS)))
    dates = dedans & (jour != JOUR_INCONNU)
    np.add.at(tenus, (rang[dates], jour[dates]), 1.0)
    return {
        "marches": np.bincount(rang[dedans], minlength=codes.size).astype(np.float64),
        "jours_marche": (tenus > 0).sum(axis=1).astype(np.float64),
    }


def calculer_chalandise(
    graphe: Graphe,
    carreaux: pd.DataFrame,
    poids: NDArray[np.float64],
    commerces: gpd.GeoDataFrame,
    lieux: NDArray[np.float64],
    seuil_s: float,
    rattachement_max_m: float,
) -> pd.DataFrame:
    """Habitants et commerces dans la zone de chalandise à pied de lieux (centre, marché, friche).

    Parameters
    ----------
    graphe
        Graphe de la marche.
    carreaux, poids
        ``x``, ``y`` et habitants.
    commerces
        Table COMMERCES.
    lieux
        float64[n, 2], mètres.
    seuil_s
        Temps de marche vers le lieu.

    Returns
    -------
    pandas.DataFrame
        Une ligne par lieu : ``population_hab``, ``commerces``, ``locaux_vacants``, ``categories``
        et ``diversite``, comptés sur le réseau.
    """
    habitants = calculer_voisinage([graphe], carreaux, lieux, seuil_s, rattachement_max_m)
    xy = shapely.get_coordinates(commerces.geometry.to_numpy())
    points = pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1]})
    atteints = calculer_voisinage([graphe], points, lieux, seuil_s, rattachement_max_m)
    vacant = commerces["vacant"].to_numpy(dtype=bool)
    categorie, noms = pd.factorize(commerces["categorie"])
    indicatrices = np.zeros((len(commerces), max(len(noms), 1)))
    indicatrices[np.flatnonzero(~vacant), categorie[~vacant]] = 1.0
    effectifs = np.asarray(atteints @ indicatrices)
    return pd.DataFrame(
        {
            "population_hab": np.asarray(habitants @ poids),
            "commerces": effectifs.sum(axis=1).astype(np.int64),
            "locaux_vacants": np.asarray(atteints @ vacant.astype(np.float64)).astype(np.int64),
            "categories": (effectifs > 0).sum(axis=1),
            "diversite": mesurer_diversite(effectifs),
        }
    )


def croiser_vacance_carences(
    commerces: gpd.GeoDataFrame,
    carences: pd.DataFrame,
    equipements: pd.DataFrame,
    services: Collection[str],
) -> pd.DataFrame:
    """Communes qui ont des locaux vacants et à qui un service manque.

    Parameters
    ----------
    commerces
        Table COMMERCES.
    carences
        ``ResultatEtude.carences``.
    equipements
        Table EQUIPEMENTS.
    services
        Services qu'un local commercial peut accueillir.

    Returns
    -------
    pandas.DataFrame
        ``zone_code``, ``zone_nom``, ``locaux_vacants``, ``service``, ``palier``,
        ``population_carence_hab``, ``part_carence``, ``equipements_commune`` (0 : la commune n'en a
        aucun) et ``temps_median_carence_s``, du plus grand nombre d'habitants concernés au plus
        petit ; vide sans local vacant connu.
    """
    vacants = commerces.loc[commerces["vacant"] & (commerces["code_commune"] != "")]
    nombre = vacants.groupby("code_commune").size().rename("locaux_vacants")
    lignes = carences.loc[
        (carences["zone_type"] == "commune") & carences["service"].isin(list(services))
    ]
    croise = lignes.merge(nombre, left_on="zone_code", right_index=True, how="inner")
    presents = (
        equipements.groupby(["code_commune", "service"])
        .size()
        .rename("equipements_commune")
        .reset_index()
        .rename(columns={"code_commune": "zone_code"})
    )
    croise = croise.merge(presents, on=["zone_code", "service"], how="left")
    croise["equipements_commune"] = croise["equipements_commune"].fillna(0).astype(np.int64)
    colonnes = [
        "zone_code", "zone_nom", "locaux_vacants", "service", "palier", "population_carence_hab",
        "part_carence", "equipements_commune", "temps_median_carence_s",
    ]  # fmt: skip
    return croise[colonnes].sort_values(
        ["population_carence_hab", "part_carence", "zone_code", "service"],
        ascending=[False, False, True, True],
        ignore_index=True,
    )


def calculer_marches_par_jour(
    graphes: Mapping[str, Graphe],
    carreaux: pd.DataFrame,
    poids: NDArray[np.float64],
    marches: gpd.GeoDataFrame,
    zonages: Sequence[Zonage],
    seuil_s: float,
    rattachement_max_m: float,
) -> pd.DataFrame:
    """Habitants qui ont un marché à portée, jour par jour.

    Parameters
    ----------
    graphes
        Mode → graphe ; le plus rapide des modes donnés compte.
    carreaux, poids
        ``x``, ``y`` et habitants.
    marches
        Table MARCHES ; ceux de jour inconnu ne comptent dans aucun jour.
    zonages
        Zones du résultat.
    seuil_s
        Temps maximal vers le marché.

    Returns
    -------
    pandas.DataFrame
        ``zone_type``, ``zone_code``, ``zone_nom``, ``jour`` (0 = lundi), ``marches`` (tenus ce
        jour dans tout le territoire élargi), ``population_desservie_hab`` et ``part_desservie``.
    """
    jours = marches["jour"].to_numpy(dtype=np.int64)
    xy = shapely.get_coordinates(marches.geometry.to_numpy())
    atteint = np.zeros((len(carreaux), len(JOURS)), dtype=bool)
    for graphe in graphes.values():
        demande = rattacher_points(
            graphe,
            carreaux["x"].to_numpy(dtype=np.float64),
            carreaux["y"].to_numpy(dtype=np.float64),
            rattachement_max_m,
        )
        lieux = rattacher_points(graphe, xy[:, 0], xy[:, 1], rattachement_max_m)
        for jour in np.unique(jours[jours != JOUR_INCONNU]):
            tenus = lieux.extraire(np.flatnonzero(jours == jour))
            proche = calculer_plus_proche(graphe, demande, tenus, sens="vers", limite_s=seuil_s)
            atteint[:, jour] |= proche.temps_s <= seuil_s
    nombres = np.bincount(jours[jours != JOUR_INCONNU], minlength=len(JOURS))
    blocs = []
    for zonage in zonages:
        totaux = sommer_par_zone(zonage, poids)
        desservis = sommer_par_zone(zonage, atteint * poids[:, None])
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = np.where(totaux[:, None] > 0, desservis / totaux[:, None], np.nan)
        zone = np.repeat(np.arange(len(zonage.codes)), len(JOURS))
        blocs.append(
            pd.DataFrame(
                {
                    "zone_type": zonage.type,
                    "zone_code": np.array(zonage.codes, dtype=object)[zone],
                    "zone_nom": np.array(zonage.noms, dtype=object)[zone],
                    "jour": np.tile(np.arange(len(JOURS)), len(zonage.codes)),
                    "marches": np.tile(nombres, len(zonage.codes)),
                    "population_desservie_hab": desservis.ravel(),
                    "part_desservie": parts.ravel(),
                }
            )
        )
    return pd.concat(blocs, ignore_index=True)

"""Habitants fictifs : adresses le long des rues, puis carreaux de 200 m au format Filosofi."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from donnees_geo.conventions import CRS_LAEA
from donnees_geo.demo.cadre import CRS_DEMO, Cadre, Entiers, Flottants
from donnees_geo.demo.decoupage import Decoupage
from donnees_geo.demo.emprise_batie import EmpriseBatie
from donnees_geo.demo.habitat import Habitat, distance_ceinture
from donnees_geo.demo.profils_voies import PROFILS
from donnees_geo.demo.voirie import AUCUN, Reseau

#: Carreaux habités de la variante normale.
NOMBRE_CARREAUX: Final = 10_000
#: Structure par âge moyenne ; 36,7 % de moins de 30 ans (un tiers environ des 25-39 ans).
PARTS_AGES: Final = {
    "ind_0_3": 0.046,
    "ind_4_5": 0.024,
    "ind_6_10": 0.065,
    "ind_11_17": 0.092,
    "ind_18_24": 0.078,
    "ind_25_39": 0.182,
    "ind_40_54": 0.195,
    "ind_55_64": 0.128,
    "ind_65_79": 0.140,
    "ind_80p": 0.050,
}
#: En deçà de ce nombre de ménages, l'INSEE impute le carreau.
MENAGES_SECRET: Final = 11


@dataclass(frozen=True)
class Adresses:
    """Points habités ou habitables le long des rues.

    Attributes
    ----------
    x, y
        Mètres.
    habitants
        Habitants attribués (0 hors du territoire : la demande s'y arrête).
    commune
        int64, rang de la commune.
    rang
        Éloignement du centre (0 au centre, 1 à la limite du bâti).
    nature
        Nature de la voie.
    poids
        Logements relatifs, avant le calage sur la population communale.
    """

    x: Flottants
    y: Flottants
    habitants: Flottants
    commune: Entiers
    rang: Flottants
    nature: np.ndarray
    poids: Flottants


def commune_des_points(
    cadre: Cadre,
    decoupage: Decoupage,
    emprise: EmpriseBatie,
    habitat: Habitat,
    x: Flottants,
    y: Flottants,
) -> Entiers:
    """Commune de chaque point ; hors du territoire, la commune extérieure la plus accessible."""
    commune = emprise.commune[cadre.cellules(x, y)].copy()
    interieures = np.flatnonzero(habitat.interieure)
    exterieures = np.flatnonzero(~habitat.interieure)
    arbre = shapely.STRtree(np.asarray(shapely.points(x, y)))
    zones, points = arbre.query(np.array(decoupage.limites), predicate="contains")
    dedans = np.zeros(x.size, dtype=bool)
    dedans[points] = True
    egares = ~dedans & habitat.interieure[commune]
    if egares.any():
        d = np.hypot(
            x[egares][:, None] - habitat.x[exterieures], y[egares][:, None] - habitat.y[exterieures]
        )
        commune[egares] = exterieures[np.argmin(d, axis=1)]
    commune[points] = interieures[zones]
    return commune


def construire_adresses(
    cadre: Cadre, reseau: Reseau, decoupage: Decoupage, emprise: EmpriseBatie, habitat: Habitat
) -> Adresses:
    """Adresses tous les 22 m environ, et habitants calés sur la population des communes."""
    hasard = cadre.hasard(40)
    noms, inverse = np.unique(reseau.nature, return_inverse=True)
    habitations = np.array([PROFILS[n].habitations for n in noms])[inverse]
    longueur = reseau.longueurs()
    utile = (habitations > 0) & (reseau.ouvrage == AUCUN)
    nombre = np.where(utile, np.maximum(1, np.round(longueur / 22.0)), 0).astype(np.int64)
    arete = np.repeat(np.arange(longueur.size), nombre)
    t = (np.arange(arete.size) - np.repeat(np.cumsum(nombre) - nombre, nombre) + 0.5) / nombre[
        arete
    ]
    s = reseau.segments()[arete]
    d = s[:, 2:] - s[:, :2]
    cote = np.where(hasard.random(arete.size) < 0.5, 9.0, -9.0) / longueur[arete]
    x = s[:, 0] + t * d[:, 0] - cote * d[:, 1]
    y = s[:, 1] + t * d[:, 1] + cote * d[:, 0]
    rang = cadre.echantillonner(emprise.rang, x, y)
    poids = habitations[arete] * longueur[arete] / nombre[arete]
    poids *= np.exp(-0.75 * np.clip(rang, 0, 1.4))
    # Hors du bâti, une maison isolée par-ci par-là au lieu d'un semis continu.
    isolee = rang > 1.12
    poids *= np.where(isolee, np.where(hasard.random(rang.size) < 0.85, 1.1, 0.0), 1.0)
    poids *= hasard.gamma(2.5, 0.4, rang.size)
    garde = poids > 0
    x, y, rang, poids, arete = x[garde], y[garde], rang[garde], poids[garde], arete[garde]
    commune = commune_des_points(cadre, decoupage, emprise, habitat, x, y)
    total = np.bincount(commune, weights=poids, minlength=habitat.x.size)
    habitants = poids * (habitat.population / np.maximum(total, 1e-9))[commune]
    habitants[~habitat.interieure[commune]] = 0.0
    return Adresses(x, y, habitants, commune, rang, reseau.nature[arete], poids)


def _agreger(cadre: Cadre, adresses: Adresses, habitat: Habitat) -> pd.DataFrame:
    """Habitants par carreau et communes touchées, une ligne par carreau habité."""
    dedans = adresses.habitants > 0
    vers_laea = pyproj.Transformer.from_crs(CRS_DEMO, CRS_LAEA, always_xy=True)
    e, n = vers_laea.transform(adresses.x[dedans], adresses.y[dedans])
    table = pd.DataFrame(
        {
            "e": (np.floor(np.asarray(e) / 200) * 200).astype(np.int64),
            "n": (np.floor(np.asarray(n) / 200) * 200).astype(np.int64),
            "ind": adresses.habitants[dedans],
            "commune": adresses.commune[dedans],
            "coron": (adresses.nature[dedans] == "rue_coron") * adresses.habitants[dedans],
            "rang": adresses.rang[dedans] * adresses.habitants[dedans],
        }
    )
    par_commune = table.groupby(["e", "n", "commune"], as_index=False).sum()
    par_commune["code"] = np.array(habitat.codes)[par_commune["commune"]]
    par_commune = par_commune.sort_values(["e", "n", "ind"], ascending=[True, True, False])
    groupes = par_commune.groupby(["e", "n"])
    carreaux = groupes[["ind", "coron", "rang"]].sum()
    carreaux["lcog_geo"] = groupes["code"].agg(",".join)
    carreaux["commune"] = groupes["commune"].first()
    carreaux = carreaux.reset_index()
    # Les plus peuplés d'abord : au-delà de l'effectif visé, quelques dixièmes d'habitant.
    gardes = carreaux.nlargest(cadre.part(NOMBRE_CARREAUX), "ind").sort_values(["n", "e"])
    gardes["ind"] = gardes["ind"].clip(lower=1.0)
    cible = habitat.population[habitat.interieure].sum()
    facteur = cible / gardes["ind"].sum()
    for colonne in ("ind", "coron", "rang"):
        gardes[colonne] *= facteur
    return gardes.reset_index(drop=True)


def _menages(carreaux: pd.DataFrame, ceinture: Flottants, hasard: np.random.Generator) -> None:
    """Ajouter ménages, logements et revenus (colonnes Filosofi), en place sur une table privée."""
    ind = carreaux["ind"].to_numpy()
    n = ind.size
    coron = np.clip(carreaux["coron"].to_numpy() / ind, 0, 1)
    rang = np.clip(carreaux["rang"].to_numpy() / ind, 0, 1.5)
    taille = np.clip(2.30 + 0.22 * rang - 0.1 * (1 - rang) + hasard.normal(0, 0.12, n), 1.6, 3.4)
    men = ind / taille
    pauvrete = np.clip(0.13 + 0.14 * coron + 0.07 * ceinture - 0.05 * rang, 0.04, 0.8)
    pauvrete = np.clip(pauvrete * hasard.lognormal(0, 0.35, n), 0.01, 0.8)
    collectif = np.clip(0.55 * np.exp(-3.0 * rang) + hasard.normal(0, 0.05, n), 0, 0.95)
    revenu = 23_800 - 5_600 * coron - 1_900 * ceinture + 1_500 * rang + hasard.normal(0, 1_500, n)
    parts = {
        "men_pauv": pauvrete,
        "men_1ind": np.clip(0.33 + 0.12 * collectif, 0, 1),
        "men_5ind": np.clip(0.07 + 0.03 * coron, 0, 1),
        "men_prop": np.clip(0.66 - 0.4 * coron - 0.3 * collectif, 0.05, 1),
        "men_fmp": np.clip(0.09 + 0.05 * coron, 0, 1),
        "men_coll": collectif,
        "men_mais": 1 - collectif,
        "log_soc": np.clip(0.08 + 0.5 * coron + 0.25 * collectif, 0, 0.95),
    }
    carreaux["men"] = men
    for nom, part in parts.items():
        carreaux[nom] = men * part
    carreaux["men_surf"] = men * (88 + 14 * rang - 16 * collectif)
    carreaux["ind_snv"] = ind * revenu
    anciens = np.clip(0.25 + 0.5 * coron + 0.2 * (1 - rang), 0, 0.9)
    reste = 1 - anciens
    for nom, part in (
        ("log_av45", anciens),
        ("log_45_70", 0.35 * reste),
        ("log_70_90", 0.37 * reste),
        ("log_ap90", 0.28 * reste),
    ):
        carreaux[nom] = men * part
    carreaux["log_inc"] = 0.0


def _ages(carreaux: pd.DataFrame, hasard: np.random.Generator) -> None:
    """Ajouter les tranches d'âge : plus jeunes dans les corons, plus âgés au centre."""
    ind = carreaux["ind"].to_numpy()
    coron = np.clip(carreaux["coron"].to_numpy() / ind, 0, 1)
    jeunesse = 0.10 * (coron - coron.mean()) + hasard.normal(0, 0.05, ind.size)
    rangs = np.linspace(1.0, -1.0, len(PARTS_AGES))
    parts = np.array(list(PARTS_AGES.values())) * np.exp(3.0 * jeunesse[:, None] * rangs)
    parts /= parts.sum(axis=1, keepdims=True)
    # Le calage par tranche rend exactement la structure moyenne sur tout le territoire.
    for _ in range(30):
        totaux = (ind[:, None] * parts).sum(axis=0) / ind.sum()
        parts *= np.array(list(PARTS_AGES.values())) / totaux
        parts /= parts.sum(axis=1, keepdims=True)
    for nom, part in zip(PARTS_AGES, parts.T, strict=True):
        carreaux[nom] = ind * part
    carreaux["ind_inc"] = 0.0


_COLONNES_2021: Final = """
idcar_200m idcar_1km idcar_nat i_est_200 i_est_1km lcog_geo ind men men_pauv men_1ind men_5ind
men_prop men_fmp ind_snv men_surf men_coll men_mais log_av45 log_45_70 log_70_90 log_ap90
log_inc log_soc ind_0_3 ind_4_5 ind_6_10 ind_11_17 ind_18_24 ind_25_39 ind_40_54 ind_55_64
ind_65_79 ind_80p ind_inc
"""
#: Ordre des colonnes du millésime 2021.
COLONNES_2021: Final[tuple[str, ...]] = tuple(_COLONNES_2021.split())


def construire_carreaux(cadre: Cadre, adresses: Adresses, habitat: Habitat) -> gpd.GeoDataFrame:
    """Carreaux habités aux colonnes de Filosofi 2021, géométrie en Lambert-93 comme l'INSEE."""
    hasard = cadre.hasard(41)
    carreaux = _agreger(cadre, adresses, habitat)
    commune = carreaux["commune"].to_numpy()
    ecart = distance_ceinture(cadre, habitat.x[commune], habitat.y[commune])
    _menages(carreaux, np.exp(-((ecart / 3500) ** 2)), hasard)
    _ages(carreaux, hasard)
    e, n = carreaux["e"].to_numpy(), carreaux["n"].to_numpy()

    def identifiants(pas: int) -> list[str]:
        coins = zip((n // pas) * pas, (e // pas) * pas, strict=True)
        return [f"CRS3035RES{pas}mN{nord}E{est}" for nord, est in coins]

    carreaux["idcar_200m"] = identifiants(200)
    carreaux["idcar_1km"] = identifiants(1000)
    impute = carreaux["men"].to_numpy() < MENAGES_SECRET
    carreaux["i_est_200"] = impute.astype(np.int64)
    carreaux["i_est_1km"] = 0
    carreaux["idcar_nat"] = np.where(impute, carreaux["idcar_1km"], carreaux["idcar_200m"])
    nombres = carreaux.select_dtypes("float").columns
    carreaux[nombres] = carreaux[nombres].round(1)
    coins = np.stack(
        [
            np.stack([e + dx, n + dy], axis=-1)
            for dx, dy in ((0, 0), (200, 0), (200, 200), (0, 200))
        ],
        axis=1,
    ).astype(np.float64)
    vers_lambert = pyproj.Transformer.from_crs(CRS_LAEA, CRS_DEMO, always_xy=True)
    x, y = vers_lambert.transform(coins[..., 0], coins[..., 1])
    geometrie = shapely.polygons(np.stack([x, y], axis=-1))
    return gpd.GeoDataFrame(carreaux[list(COLONNES_2021)], geometry=geometrie, crs=CRS_DEMO)

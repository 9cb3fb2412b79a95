"""Agrégation des carreaux par zone : sommes et médianes pondérées."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numba as nb
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray


@dataclass(frozen=True)
class Zonage:
    """Partition des carreaux en zones d'un même type.

    Attributes
    ----------
    type
        ``territoire``, ``secteur``, ``bassin_de_vie`` ou ``commune``.
    codes, noms
        Code et nom de chaque zone, triés par code.
    zone_carreau
        int64[carreaux], rang de la zone de chaque carreau, -1 hors de toute zone.
    """

    type: str
    codes: tuple[str, ...]
    noms: tuple[str, ...]
    zone_carreau: NDArray[np.int64]


#: Type de zone → (colonne du code, colonne du nom) dans la table des communes.
_COLONNES_ZONES = {
    "secteur": ("code_secteur", "secteur"),
    "bassin_de_vie": ("code_bassin_de_vie", "bassin_de_vie"),
    "commune": ("code_commune", "nom"),
}


#: Colonnes des communes qui les regroupent, reportées sur chaque carreau des résultats.
COLONNES_REGROUPEMENTS: Final = ("code_bassin_de_vie", "code_secteur")


def zones_des_carreaux(
    carreaux: pd.DataFrame, communes: pd.DataFrame, colonne: str
) -> NDArray[np.object_]:
    """Code de la zone de chaque carreau d'après sa commune, object[carreaux], vide hors de toute.

    Parameters
    ----------
    colonne
        Une de :data:`COLONNES_REGROUPEMENTS`.
    """
    zone_commune = dict(
        zip(
            communes["code_commune"].astype(str),
            communes[colonne].fillna("").astype(str),
            strict=True,
        )
    )
    codes = carreaux["code_commune"].astype(str)
    return np.array([zone_commune.get(c, "") for c in codes], dtype=object)


def construire_zonages(
    carreaux: pd.DataFrame, communes: pd.DataFrame, nom_territoire: str
) -> list[Zonage]:
    """Zonages disponibles, du plus vaste au plus fin.

    Parameters
    ----------
    carreaux
        Colonne ``code_commune``.
    communes
        Colonnes de ``schemas.COMMUNES`` ; un zonage dont tous les codes sont vides est omis.
    nom_territoire
        Nom de la zone unique du zonage ``territoire``.
    """
    zonages = [
        Zonage(
            "territoire",
            ("territoire",),
            (nom_territoire,),
            np.zeros(len(carreaux), dtype=np.int64),
        )
    ]
    commune_carreau, distinctes = pd.factorize(carreaux["code_commune"])
    for type_zone, (colonne_code, colonne_nom) in _COLONNES_ZONES.items():
        commune = communes["code_commune"].astype(str)
        code = communes[colonne_code].fillna("").astype(str)
        avec = code != ""
        if not avec.any():
            continue
        zones = pd.DataFrame({"code": code[avec], "nom": communes.loc[avec, colonne_nom]})
        zones = zones.drop_duplicates("code").sort_values("code", ignore_index=True)
        rang = pd.Index(zones["code"]).get_indexer(code[avec])
        zone_commune = dict(zip(commune[avec], rang.tolist(), strict=True))
        # L'indice -1 (carreau sans commune) désigne le -1 ajouté au bout.
        zone = np.array([*(zone_commune.get(str(c), -1) for c in distinctes), -1], dtype=np.int64)
        zonages.append(
            Zonage(
                type_zone,
                tuple(str(c) for c in zones["code"]),
                tuple(str(n) for n in zones["nom"]),
                zone[commune_carreau],
            )
        )
    return zonages


def sommer_par_zone(zonage: Zonage, valeurs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Somme des valeurs par zone ; les carreaux hors zone ne comptent pas.

    Parameters
    ----------
    valeurs
        float64[carreaux] ou float64[carreaux, colonnes].

    Returns
    -------
    numpy.ndarray
        float64[zones] ou float64[zones, colonnes].
    """
    dedans = np.flatnonzero(zonage.zone_carreau >= 0)
    appartenance = sp.csr_array(
        (np.ones(dedans.size), (zonage.zone_carreau[dedans], dedans)),
        shape=(len(zonage.codes), zonage.zone_carreau.size),
    )
    return np.asarray(appartenance @ valeurs, dtype=np.float64)


def compter_classes(
    zonage: Zonage, classes: NDArray[np.integer], nombre: int, poids: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Poids de chaque classe, par zone et par colonne.

    Parameters
    ----------
    classes
        int[carreaux, colonnes], de 0 à ``nombre - 1`` ; ailleurs, le carreau ne compte pas.
    nombre
        Nombre de classes.
    poids
        float64[carreaux].

    Returns
    -------
    numpy.ndarray
        float64[zones, colonnes, classes].
    """
    colonnes = classes.shape[1]
    utile = (zonage.zone_carreau >= 0)[:, None] & (classes >= 0) & (classes < nombre)
    base = zonage.zone_carreau[:, None] * colonnes + np.arange(colonnes)
    cle = (base * nombre + classes)[utile]
    taille = len(zonage.codes) * colonnes * nombre
    poids_utiles = np.broadcast_to(poids[:, None], classes.shape)[utile]
    sommes = np.bincount(cle, weights=poids_utiles, minlength=taille).astype(np.float64)
    return sommes.reshape(len(zonage.codes), colonnes, nombre)


def diviser(numerateur: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quotient, NaN là où le total est nul : une zone sans habitants n'a pas de part."""
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient: NDArray[np.float64] = np.where(total > 0, numerateur / total, np.nan)
    return quotient


def etiqueter_zones(zonage: Zonage, repetitions: int = 1) -> dict[str, NDArray[np.object_]]:
    """Colonnes ``zone_type``, ``zone_code``, ``zone_nom`` d'un bloc rangé par zone à l'intérieur.

    Parameters
    ----------
    repetitions
        Nombre de fois que la liste des zones se répète (une par colonne mesurée).
    """
    nombre = len(zonage.codes) * repetitions
    return {
        "zone_type": np.full(nombre, zonage.type, dtype=object),
        "zone_code": np.tile(np.array(zonage.codes, dtype=object), repetitions),
        "zone_nom": np.tile(np.array(zonage.noms, dtype=object), repetitions),
    }


def assembler_blocs(blocs: Sequence[dict[str, NDArray[np.generic]]]) -> pd.DataFrame:
    """Table faite de blocs de mêmes colonnes, vide sans bloc."""
    if not blocs:
        return pd.DataFrame()
    return pd.DataFrame({c: np.concatenate([bloc[c] for bloc in blocs]) for c in blocs[0]})


def ordonner_colonnes(valeurs: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rangs triant chaque colonne, int64[colonnes, carreaux], les NaN à la fin."""
    return np.argsort(np.ascontiguousarray(valeurs.T), axis=1)


def calculer_medianes(
    zonage: Zonage,
    valeurs: NDArray[np.float64],
    poids: NDArray[np.float64],
    ordre: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Médianes pondérées de chaque colonne par zone.

    Plus petite valeur telle que la moitié du poids de la zone lui soit inférieure ou égale. Les NaN
    (sans donnée) et les poids nuls sont écartés ; ``inf`` (inaccessible) compte.

    Parameters
    ----------
    valeurs
        float64[carreaux, colonnes].
    poids
        float64[carreaux], ou float64[carreaux, colonnes] si le poids dépend de la colonne.
    ordre
        Résultat de :func:`ordonner_colonnes`, à donner quand plusieurs zonages se succèdent.

    Returns
    -------
    numpy.ndarray
        float64[zones, colonnes], NaN pour une zone sans poids.
    """
    if ordre is None:
        ordre = ordonner_colonnes(valeurs)
    poids = poids[:, None] if poids.ndim == 1 else poids
    medianes: NDArray[np.float64] = _medianes(
        zonage.zone_carreau,
        len(zonage.codes),
        np.ascontiguousarray(valeurs.T, dtype=np.float64),
        np.ascontiguousarray(poids.T, dtype=np.float64),
        ordre,
    )
    return medianes


@nb.njit(cache=True, nogil=True)
def _medianes(zone, nombre_zones, valeurs, poids, ordre):  # type: ignore[no-untyped-def]
    """Un passage par colonne dans l'ordre des valeurs : chaque zone cumule son poids à part."""
    colonnes, carreaux = valeurs.shape
    medianes = np.full((nombre_zones, colonnes), np.nan)
    for k in range(colonnes):
        p = k if poids.shape[0] > 1 else 0
        total = np.zeros(nombre_zones)
        for i in range(carreaux):
            if zone[i] >= 0 and poids[p, i] > 0 and not np.isnan(valeurs[k, i]):
                total[zone[i]] += poids[p, i]
        cumul = np.zeros(nombre_zones)
        for r in range(carreaux):
            i = ordre[k, r]
            z = zone[i]
            if z < 0 or not poids[p, i] > 0 or np.isnan(valeurs[k, i]):
                continue
            cumul[z] += poids[p, i]
            # Un arrondi du cumul ne doit pas faire franchir la moitié : marge relative infime.
            if np.isnan(medianes[z, k]) and cumul[z] >= total[z] / 2 * (1 - 1e-12):
                medianes[z, k] = valeurs[k, i]
    return medianes


def calculer_ponderation(carreaux: pd.DataFrame) -> tuple[NDArray[np.float64], bool]:
    """Poids des carreaux : habitants, ou surface (m²) sans aucune population connue.

    Returns
    -------
    poids, par_population
        float64[carreaux] ; vrai si le poids est une population.
    """
    population = carreaux["population_hab"].to_numpy(dtype=np.float64)
    if np.isnan(population).all():
        return carreaux["surface_m2"].to_numpy(dtype=np.float64), False
    return np.nan_to_num(population, nan=0.0), True

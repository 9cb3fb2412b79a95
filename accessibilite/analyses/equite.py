"""Équité : accès selon le niveau de vie des carreaux, et dans les quartiers prioritaires.

Le niveau de vie d'un carreau est ``ind_snv / population`` (``ind_snv`` : somme des niveaux de vie
winsorisés de ses habitants, Filosofi). Les déciles sont ceux du territoire étudié, non du pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from accessibilite.bilans.agregation import Zonage, calculer_medianes, diviser, sommer_par_zone
from accessibilite.bilans.indicateurs import PLUS_RAPIDE
from accessibilite.bilans.mesures import Mesures

DECILES: Final = 10
#: Ce que les tables d'équité disent de leurs déciles.
REFERENCE_DECILES: Final = "déciles du territoire"


def calculer_niveau_vie(carreaux: pd.DataFrame) -> NDArray[np.float64]:
    """Niveau de vie moyen de chaque carreau, euros par an ; NaN sans donnée ou sans habitants.

    Parameters
    ----------
    carreaux
        Colonnes ``population_hab`` et, si la source la donne, ``ind_snv``.
    """
    if "ind_snv" not in carreaux:
        return np.full(len(carreaux), np.nan)
    return diviser(
        carreaux["ind_snv"].to_numpy(dtype=np.float64),
        carreaux["population_hab"].to_numpy(dtype=np.float64),
    )


def _rangs_moyens(valeurs: NDArray[np.float64], poids: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rang fractionnaire pondéré (milieu du poids cumulé), entre 0 et 1, NaN sans donnée.

    Les carreaux de même valeur partagent le rang du milieu de leur groupe : l'ordre des lignes ne
    compte pas.
    """
    rangs = np.full(valeurs.size, np.nan)
    utile = ~np.isnan(valeurs) & (poids > 0)
    if not utile.any():
        return rangs
    _, groupe = np.unique(valeurs[utile], return_inverse=True)
    par_groupe = np.bincount(groupe, weights=poids[utile])
    milieu = np.cumsum(par_groupe) - par_groupe / 2
    rangs[utile] = (milieu / par_groupe.sum())[groupe]
    return rangs


def calculer_deciles(
    niveau_vie: NDArray[np.float64], poids: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Décile de population de chaque carreau, 1 (le plus modeste) à 10 ; 0 sans donnée.

    Un carreau est tout entier dans le décile où tombe le milieu de son poids cumulé ; les carreaux
    de même niveau de vie sont ensemble.
    """
    rangs = _rangs_moyens(niveau_vie, poids)
    deciles = np.zeros(niveau_vie.size, dtype=np.int64)
    connu = ~np.isnan(rangs)
    # L'arrondi ne doit pas faire changer de décile un rang posé juste sur la borne.
    deciles[connu] = np.minimum(
        np.floor(rangs[connu] * DECILES + 1e-9).astype(np.int64) + 1, DECILES
    )
    return deciles


def calculer_concentration(
    valeurs: NDArray[np.float64], niveau_vie: NDArray[np.float64], poids: NDArray[np.float64]
) -> float:
    """Indice de concentration d'une quantité selon le niveau de vie.

    ``C = 2 / (μ·P) · somme de p·v·(R − 1/2)``, R le rang fractionnaire pondéré du niveau de vie
    (Kakwani, Wagstaff et van Doorslaer 1997). Positif : la quantité est concentrée chez les plus
    aisés ; nul : indépendante du niveau de vie. NaN sans donnée, ou si la moyenne est nulle.
    """
    rangs = _rangs_moyens(niveau_vie, poids)
    utile = ~np.isnan(rangs) & np.isfinite(valeurs)
    if not utile.any():
        return float("nan")
    # Les rangs se prennent parmi les seuls carreaux mesurés.
    rangs = _rangs_moyens(niveau_vie[utile], poids[utile])
    p, v = poids[utile], valeurs[utile]
    moyenne = float((p * v).sum() / p.sum())
    if moyenne == 0:
        return float("nan")
    return float(2 * (p * v * (rangs - 0.5)).sum() / (moyenne * p.sum()))


def calculer_palma(
    valeurs: NDArray[np.float64], deciles: NDArray[np.int64], poids: NDArray[np.float64]
) -> float:
    """Rapport de Palma : moyenne du décile le plus aisé ÷ moyenne des quatre plus modestes.

    NaN si l'un des deux groupes est vide ou si la seconde moyenne est nulle.
    """
    utile = np.isfinite(valeurs) & (poids > 0)
    aises, modestes = utile & (deciles == DECILES), utile & (deciles >= 1) & (deciles <= 4)
    if not (aises.any() and modestes.any()):
        return float("nan")
    haut = float(np.average(valeurs[aises], weights=poids[aises]))
    bas = float(np.average(valeurs[modestes], weights=poids[modestes]))
    return haut / bas if bas != 0 else float("nan")


def calculer_equite(mesures: Mesures) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Accès par décile de niveau de vie, et indices d'inégalité, sur le territoire.

    Returns
    -------
    deciles
        ``mesure`` (service, ou ``services_atteints``), ``decile``, ``reference``,
        ``population_hab``, ``part_imputee``, ``niveau_vie_moyen_eur``, ``part_desservie`` (ou, pour
        ``services_atteints``, part moyenne des services mesurés), ``temps_moyen_s`` (des habitants
        qui y accèdent), ``temps_median_s``, ``inaccessible_hab``, ``sans_donnee_hab``.
    indices
        ``mesure``, ``quantite`` (``temps_s`` ou ``services_atteints``), ``moyenne``, ``palma``,
        ``indice_concentration``, ``population_hab`` mesurée. Pour un temps, un Palma supérieur à 1
        veut dire que les plus aisés sont plus loin ; pour un nombre de services, mieux servis.

    Notes
    -----
    Deux tables vides sans niveau de vie ou sans population.
    """
    niveau_vie = calculer_niveau_vie(mesures.carreaux)
    if not mesures.par_population or np.isnan(niveau_vie).all():
        return pd.DataFrame(), pd.DataFrame()
    poids = mesures.poids
    deciles = calculer_deciles(niveau_vie, poids)
    zonage = Zonage(
        "decile", tuple(str(d) for d in range(1, DECILES + 1)), ("",) * DECILES, deciles - 1
    )
    connus = np.flatnonzero(mesures.connus)
    blocs = [_bloc_deciles(mesures, zonage, niveau_vie, int(c)) for c in connus]
    lignes = []
    for c in connus:
        temps = mesures.rapide_s[:, c]
        lignes.append((mesures.services[c].id, "temps_s", temps))
    if connus.size:
        atteints = mesures.satisfaits[:, connus].sum(axis=1).astype(np.float64)
        lignes.append(("services_atteints", "services_atteints", atteints))
        blocs.append(_bloc_atteints(mesures, zonage, niveau_vie, atteints, connus.size))
    indices = [
        (
            mesure,
            quantite,
            *_moyenner(valeurs, niveau_vie, poids),
            calculer_palma(valeurs, deciles, poids),
            calculer_concentration(valeurs, niveau_vie, poids),
        )
        for mesure, quantite, valeurs in lignes
    ]
    titres = ["mesure", "quantite", "moyenne", "population_hab", "palma", "indice_concentration"]
    return pd.concat(blocs, ignore_index=True), pd.DataFrame(indices, columns=titres)


def _moyenner(
    valeurs: NDArray[np.float64], niveau_vie: NDArray[np.float64], poids: NDArray[np.float64]
) -> tuple[float, float]:
    """Moyenne pondérée des valeurs finies de niveau de vie connu, et poids mesuré."""
    utile = np.isfinite(valeurs) & ~np.isnan(niveau_vie) & (poids > 0)
    if not utile.any():
        return float("nan"), 0.0
    return float(np.average(valeurs[utile], weights=poids[utile])), float(poids[utile].sum())


def _commun(
    mesures: Mesures, zonage: Zonage, niveau_vie: NDArray[np.float64], mesure: str
) -> dict[str, object]:
    total = sommer_par_zone(zonage, mesures.poids)
    return {
        "mesure": mesure,
        "decile": np.arange(1, DECILES + 1),
        "reference": REFERENCE_DECILES,
        "population_hab": total,
        "part_imputee": mesures.part_imputee(zonage),
        "niveau_vie_moyen_eur": diviser(
            sommer_par_zone(zonage, mesures.poids * np.nan_to_num(niveau_vie)), total
        ),
    }


def _bloc_deciles(
    mesures: Mesures, zonage: Zonage, niveau_vie: NDArray[np.float64], colonne: int
) -> pd.DataFrame:
    temps, poids = mesures.rapide_s[:, colonne], mesures.poids
    fini = np.isfinite(temps)
    commun = _commun(mesures, zonage, niveau_vie, mesures.services[colonne].id)
    total = sommer_par_zone(zonage, poids)
    accedent = sommer_par_zone(zonage, np.where(fini, poids, 0.0))
    somme = sommer_par_zone(zonage, np.where(fini, poids * np.where(fini, temps, 0.0), 0.0))
    atteints = np.where(mesures.satisfaits[:, colonne], poids, 0.0)
    return pd.DataFrame(
        {
            **commun,
            "part_desservie": diviser(sommer_par_zone(zonage, atteints), total),
            "temps_moyen_s": diviser(somme, accedent),
            "temps_median_s": calculer_medianes(zonage, temps[:, None], poids)[:, 0],
            "inaccessible_hab": sommer_par_zone(zonage, np.where(np.isinf(temps), poids, 0.0)),
            "sans_donnee_hab": sommer_par_zone(zonage, np.where(np.isnan(temps), poids, 0.0)),
        }
    )


def _bloc_atteints(
    mesures: Mesures,
    zonage: Zonage,
    niveau_vie: NDArray[np.float64],
    atteints: NDArray[np.float64],
    nombre: int,
) -> pd.DataFrame:
    total = sommer_par_zone(zonage, mesures.poids)
    part = diviser(sommer_par_zone(zonage, mesures.poids * atteints / nombre), total)
    commun = _commun(mesures, zonage, niveau_vie, "services_atteints")
    return pd.DataFrame({**commun, "part_desservie": part})


def calculer_equite_quartiers(
    mesures: Mesures, x: NDArray[np.float64], y: NDArray[np.float64], quartiers: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Accès dans les quartiers prioritaires (QPV) et dans le reste du territoire.

    Parameters
    ----------
    x, y
        float64[carreaux], point de demande, mètres, dans le CRS de ``quartiers``.
    quartiers
        Polygones. Un carreau y est compté si son point de demande y tombe : à 200 m, c'est une
        approximation du contour du quartier.

    Returns
    -------
    pandas.DataFrame
        ``mesure`` (service), ``lieu`` (``quartiers`` ou ``reste``), ``population_hab``,
        ``part_imputee``, ``part_desservie``, ``temps_median_s``.
    """
    dedans = np.zeros(x.size, dtype=bool)
    arbre = shapely.STRtree(quartiers.geometry.to_numpy())
    dedans[np.unique(arbre.query(shapely.points(x, y), predicate="within")[0])] = True
    zonage = Zonage("quartier", ("quartiers", "reste"), ("", ""), np.where(dedans, 0, 1))
    total = sommer_par_zone(zonage, mesures.poids)
    connus = np.flatnonzero(mesures.connus)
    temps = mesures.temps_s[PLUS_RAPIDE][:, connus]
    atteints = np.where(mesures.satisfaits[:, connus], mesures.poids[:, None], 0.0)
    parts = diviser(sommer_par_zone(zonage, atteints), total[:, None])
    medianes = calculer_medianes(zonage, temps, mesures.poids)
    noms: Sequence[str] = [mesures.services[c].id for c in connus]
    return pd.DataFrame(
        {
            "mesure": np.repeat(np.array(noms, dtype=object), 2),
            "lieu": list(zonage.codes) * len(noms),
            "population_hab": np.tile(total, len(noms)) if mesures.par_population else np.nan,
            "part_imputee": np.tile(mesures.part_imputee(zonage), len(noms)),
            "part_desservie": parts.T.ravel(),
            "temps_median_s": medianes.T.ravel(),
        }
    )

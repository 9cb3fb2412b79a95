"""Concurrence pour les soins : accès flottant en deux temps à décroissance par pas (E2SFCA).

Dans l'esprit de l'APL : un professionnel est partagé entre tous ceux qui peuvent le joindre. Pour
l'équipement j et le carreau i, à un temps t(i, j) de poids w :

- charge : ``R(j) = S(j) / somme sur i de P(i)·w(t(i, j))``, S l'effectif donné par la source ;
- accès : ``A(i) = somme sur j de R(j)·w(t(i, j))``, en professionnels par habitant.

Sans besoin par âge ni activité en équivalent temps plein, ce n'est pas l'APL de la DREES. La
demande hors du territoire n'est pas connue : un équipement extérieur paraît réservé aux quelques
habitants du bord. L'accès retenu est donc celui des équipements du territoire ; celui qui compte
aussi les extérieurs, majorant, est donné à côté (Luo et Qi 2009 ; Barlet et al. 2012).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from accessibilite.bilans.agregation import (
    assembler_blocs,
    diviser,
    etiqueter_zones,
    sommer_par_zone,
)
from accessibilite.bilans.mesures import Mesures, vider_habitants
from accessibilite.rues.graphe import Graphe
from accessibilite.rues.matrices import calculer_liens
from accessibilite.rues.rattachement import rattacher_points
from donnees_geo.configuration.analyses import Decroissance

Progression = Callable[[str, float], None]


@dataclass(frozen=True)
class LiensSoins:
    """Temps entre carreaux et équipements d'un service, bornés.

    Attributes
    ----------
    carreau, equipement
        int32[l] : carreau, et rang de l'équipement dans ``lignes``.
    temps_s
        float64[l], secondes, plus court des points d'accès.
    lignes
        int64[e], ligne de chaque équipement dans la table des équipements.
    """

    carreau: NDArray[np.int32]
    equipement: NDArray[np.int32]
    temps_s: NDArray[np.float64]
    lignes: NDArray[np.int64]


def calculer_liens_soins(
    graphe: Graphe,
    carreaux: pd.DataFrame,
    equipements: pd.DataFrame,
    points_acces: pd.DataFrame,
    service: str,
    limite_s: float,
    *,
    rattachement_max_m: float,
) -> LiensSoins:
    """Temps de chaque carreau à chaque équipement d'un service, jusqu'à ``limite_s``.

    Une recherche retournée par point d'accès : il y a moins de cabinets que de carreaux.
    """
    ligne = points_acces["equipement"].to_numpy(dtype=np.int64)
    du_service = np.flatnonzero(equipements["service"].to_numpy(dtype=object)[ligne] == service)
    ici = points_acces.iloc[du_service]
    retourne = replace(
        graphe,
        aller_s=graphe.retour_s,
        retour_s=graphe.aller_s,
        avant=graphe.inverse,
        inverse=graphe.avant,
    )
    demande, offre = (
        rattacher_points(
            graphe,
            table["x"].to_numpy(dtype=np.float64),
            table["y"].to_numpy(dtype=np.float64),
            rattachement_max_m,
        )
        for table in (carreaux, ici)
    )
    liens = calculer_liens(retourne, offre, demande, limite_s)
    lignes, rang_point = np.unique(ligne[du_service], return_inverse=True)
    equipement = np.repeat(rang_point, np.diff(liens.debut)).astype(np.int32)
    if lignes.size == du_service.size:
        return LiensSoins(liens.cible, equipement, liens.temps_s, lignes)
    # Un équipement de plusieurs entrées ne compte qu'une fois, par la plus proche.
    ordre = np.lexsort((liens.temps_s, equipement, liens.cible))
    c, e, t = liens.cible[ordre], equipement[ordre], liens.temps_s[ordre]
    premier = np.ones(c.size, dtype=bool)
    premier[1:] = (c[1:] != c[:-1]) | (e[1:] != e[:-1])
    return LiensSoins(c[premier], e[premier], t[premier], lignes)


def ponderer_temps(temps_s: NDArray[np.float64], decroissance: Decroissance) -> NDArray[np.float64]:
    """Poids de chaque temps : celui de son pas, 0 au-delà de la dernière borne (bornes incluses).

    Examples
    --------
    >>> d = Decroissance("d", (300.0, 600.0), (1.0, 0.5), "")
    >>> ponderer_temps(np.array([0.0, 300.0, 300.1, 600.0, 601.0]), d).tolist()
    [1.0, 1.0, 0.5, 0.5, 0.0]
    """
    poids = np.array([*decroissance.poids, 0.0])
    return poids[np.searchsorted(np.array(decroissance.bornes_s), temps_s, side="left")]


def calculer_e2sfca(
    liens: LiensSoins,
    population: NDArray[np.float64],
    offre: NDArray[np.float64],
    decroissance: Decroissance,
    exterieur: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Accès concurrentiel de chaque carreau (formule en tête du module).

    Parameters
    ----------
    liens
        Temps entre carreaux et équipements.
    population
        float64[carreaux], habitants.
    offre
        float64[équipements de ``liens``], effectif donné par la source.
    decroissance
        Poids par pas de temps.
    exterieur
        bool[équipements], équipements hors du territoire.

    Returns
    -------
    interieur, exterieur
        float64[carreaux], professionnels par habitant qu'apportent les équipements du territoire,
        et les autres. Un équipement que personne ne peut joindre ne sert personne.

    Notes
    -----
    Invariant : la somme de ``P(i)·A(i)`` est l'offre des équipements joints par quelqu'un.
    """
    forme = (population.size, offre.size)
    poids = sp.csr_array(
        (ponderer_temps(liens.temps_s, decroissance), (liens.carreau, liens.equipement)),
        shape=forme,
    )
    demande = np.asarray(poids.T @ population, dtype=np.float64)
    charge = np.nan_to_num(diviser(offre, demande), nan=0.0)
    dehors = np.zeros(offre.size, dtype=bool) if exterieur is None else exterieur
    return (
        np.asarray(poids @ np.where(dehors, 0.0, charge)),
        np.asarray(poids @ np.where(dehors, charge, 0.0)),
    )


@dataclass(frozen=True)
class AccesSoins:
    """Accès concurrentiel d'un service selon une décroissance.

    Attributes
    ----------
    service, decroissance
        Service et nom de la décroissance.
    interieur, exterieur
        float64[carreaux], professionnels par habitant (voir :func:`calculer_e2sfca`) ; NaN sans
        donnée (carreau non rattaché).
    """

    service: str
    decroissance: str
    interieur: NDArray[np.float64]
    exterieur: NDArray[np.float64]


def calculer_acces_soins(
    graphe: Graphe,
    mesures: Mesures,
    tables: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
    codes_communes: set[str],
    services: Sequence[str],
    decroissances: Sequence[Decroissance],
    *,
    rattachement_max_m: float,
    progression: Progression | None = None,
) -> list[AccesSoins]:
    """Accès concurrentiel de chaque service et décroissance.

    Parameters
    ----------
    tables
        Carreaux (``x``, ``y``), équipements et points d'accès du territoire.
    codes_communes
        Communes du territoire ; les équipements des autres sont extérieurs.
    services
        Services voulus ; ceux qui n'ont aucun équipement sont laissés de côté.
    """
    carreaux, equipements, points_acces = tables
    limite_s = max(d.bornes_s[-1] for d in decroissances)
    resultats = []
    seuls = ~rattacher_points(
        graphe,
        carreaux["x"].to_numpy(dtype=np.float64),
        carreaux["y"].to_numpy(dtype=np.float64),
        rattachement_max_m,
    ).rattaches
    for rang, service in enumerate(services):
        liens = calculer_liens_soins(
            graphe, carreaux, equipements, points_acces, service, limite_s,
            rattachement_max_m=rattachement_max_m,
        )  # fmt: skip
        if liens.lignes.size:
            offre = equipements["effectif"].to_numpy(dtype=np.float64)[liens.lignes]
            commune = equipements["code_commune"].astype(str).to_numpy(dtype=object)[liens.lignes]
            dehors = np.array([c not in codes_communes for c in commune], dtype=bool)
            for d in decroissances:
                ici, ailleurs = calculer_e2sfca(liens, mesures.poids, offre, d, dehors)
                ici[seuls] = ailleurs[seuls] = np.nan
                resultats.append(AccesSoins(service, d.nom, ici, ailleurs))
        if progression is not None:
            progression("concurrence pour les soins", (rang + 1) / len(services))
    return resultats


def agreger_soins(mesures: Mesures, acces: Sequence[AccesSoins]) -> pd.DataFrame:
    """Accès concurrentiel moyen par zone, pondéré par la population.

    Returns
    -------
    pandas.DataFrame
        ``zone_*``, ``service``, ``decroissance``, ``population_hab``,
        ``professionnels_pour_100000_hab`` (équipements du territoire),
        ``avec_exterieur_pour_100000_hab`` (tous les équipements, majorant), ``sans_acces_hab``
        (aucun équipement à portée, même extérieur), ``sans_donnee_hab``.
    """
    blocs = []
    for zonage in mesures.zonages:
        total = sommer_par_zone(zonage, mesures.poids)
        for un in acces:
            tous = un.interieur + un.exterieur
            ici = sommer_par_zone(zonage, mesures.poids * np.nan_to_num(un.interieur))
            partout = sommer_par_zone(zonage, mesures.poids * np.nan_to_num(tous))
            ignores = sommer_par_zone(zonage, np.where(np.isnan(tous), mesures.poids, 0.0))
            blocs.append(
                {
                    **etiqueter_zones(zonage),
                    "service": np.full(total.size, un.service, dtype=object),
                    "decroissance": np.full(total.size, un.decroissance, dtype=object),
                    "population_hab": total,
                    "professionnels_pour_100000_hab": 1e5 * diviser(ici, total - ignores),
                    "avec_exterieur_pour_100000_hab": 1e5 * diviser(partout, total - ignores),
                    "sans_acces_hab": sommer_par_zone(
                        zonage, np.where(tous == 0, mesures.poids, 0.0)
                    ),
                    "sans_donnee_hab": ignores,
                }
            )
    return vider_habitants(assembler_blocs(blocs), mesures)


def mesurer_sensibilite(soins: pd.DataFrame) -> pd.DataFrame:
    """Ce que change la décroissance : accord des classements de communes.

    Parameters
    ----------
    soins
        Résultat de :func:`agreger_soins` ; la première décroissance est la référence.

    Returns
    -------
    pandas.DataFrame
        ``service``, ``decroissance``, ``reference``, ``communes``, ``correlation_rangs`` (Spearman,
        NaN en deçà de trois communes), ``communes_changeant_de_quart`` (du quart le moins bien doté
        à un autre, ou l'inverse).
    """
    colonnes = ("service", "decroissance", "reference", "communes", "correlation_rangs",
                "communes_changeant_de_quart")  # fmt: skip
    communes = soins[soins["zone_type"] == "commune"] if len(soins) else soins
    lignes = []
    for service, table in communes.groupby("service", sort=False) if len(communes) else ():
        large = table.pivot(
            index="zone_code", columns="decroissance", values="professionnels_pour_100000_hab"
        )
        ordre = list(dict.fromkeys(table["decroissance"]))
        # Deux communes à égalité ne se départagent pas sur un reste d'addition.
        large = large[ordre].dropna().round(6)
        for autre in ordre[1:]:
            rangs = large[[ordre[0], autre]].rank()
            derniers = rangs <= 0.25 * len(large)
            lignes.append(
                (
                    service,
                    autre,
                    ordre[0],
                    len(large),
                    rangs.corr().iloc[0, 1] if len(large) > 2 else np.nan,
                    int((derniers[ordre[0]] != derniers[autre]).sum()),
                )
            )
    return pd.DataFrame(lignes, columns=list(colonnes))

"""Inondation × services × population × accès : ce qui est exposé, et qui en dépend.

Hypothèse, à dire à côté des chiffres : un service est fermé quand son lieu est dans une zone
réglementaire ou une emprise TRI, quelle que soit la hauteur d'eau ; les rues restent ouvertes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.agregation import (
    Zonage,
    calculer_ponderation,
    construire_zonages,
    sommer_par_zone,
)
from accessibilite.bilans.indicateurs import PLUS_RAPIDE, regle_du_service
from accessibilite.croisements.surfaces import croiser_zones_inondables
from accessibilite.etude import Progression, ResultatEtude, calculer_etude, colonne_temps
from donnees_geo.configuration import Service
from donnees_geo.erreurs import ErreurDonnees

if TYPE_CHECKING:
    from donnees_geo.territoire import Territoire

#: Ligne « au moins un service du palier hors de portée ».
TOUT_SERVICE: Final = ""
COLONNES_SERVICES: Final = ("service", "famille", "niveau", "severite", "equipements")
COLONNES_DEPENDANCE: Final = (
    "zone_type",
    "zone_code",
    "zone_nom",
    "service",
    "equipements_inondables",
    "equipements",
    "population_dependante_hab",
    "part_dependante",
)


def classer_equipements(
    equipements: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, *, scenario_hauteur: str = "moyen"
) -> pd.DataFrame:
    """Classe de zone inondable de chaque équipement, par un point intérieur de son lieu.

    Returns
    -------
    pandas.DataFrame
        ``equipement`` (ligne de la table), ``service``, ``famille``, ``niveau``, ``severite`` : une
        ligne par équipement et famille rencontrée, au niveau le plus sévère.
    """
    parts = croiser_zones_inondables(
        equipements.geometry.to_numpy(), zones, scenario_hauteur=scenario_hauteur, points=True
    )
    rang = parts["rang"].to_numpy(dtype=np.int64)
    return pd.DataFrame(
        {
            "equipement": rang,
            "service": equipements["service"].to_numpy()[rang],
            "famille": parts["famille"],
            "niveau": parts["niveau"],
            "severite": parts["severite"],
        }
    )


def compter_services_inondables(classes: pd.DataFrame) -> pd.DataFrame:
    """Nombre d'équipements de chaque service dans chaque classe de zone inondable.

    Parameters
    ----------
    classes
        Table de :func:`classer_equipements`.

    Returns
    -------
    pandas.DataFrame
        Colonnes :data:`COLONNES_SERVICES`, du plus au moins sévère.
    """
    if classes.empty:
        return pd.DataFrame({c: [] for c in COLONNES_SERVICES})
    comptes = (
        classes.groupby(["service", "famille", "niveau", "severite"])
        .size()
        .rename("equipements")
        .reset_index()
        .sort_values(
            ["service", "famille", "severite"], ascending=[True, True, False], ignore_index=True
        )
    )
    return comptes[list(COLONNES_SERVICES)]


def choisir_inondables(
    classes: pd.DataFrame, nombre: int, famille: str, niveaux: Sequence[str]
) -> NDArray[np.bool_]:
    """Équipements dans l'un des niveaux d'une famille : bool[nombre]."""
    retenus = classes.loc[(classes["famille"] == famille) & classes["niveau"].isin(niveaux)]
    masque = np.zeros(nombre, dtype=bool)
    masque[retenus["equipement"].to_numpy(dtype=np.int64)] = True
    return masque


def calculer_dependance(
    territoire: Territoire,
    resultat: ResultatEtude,
    inondables: NDArray[np.bool_],
    *,
    progression: Progression | None = None,
) -> pd.DataFrame:
    """Habitants dont tous les équipements à portée d'un service sont en zone inondable.

    Ils ont aujourd'hui le service dans le seuil de son palier, et ne l'auraient plus si ces
    équipements fermaient. L'accès est recalculé sans eux, par les mêmes modes et le même jour.

    Parameters
    ----------
    territoire, resultat
        Territoire et son étude.
    inondables
        bool[équipements].

    Returns
    -------
    pandas.DataFrame
        Colonnes :data:`COLONNES_DEPENDANCE`, par zone (territoire, secteur, bassin, commune) et par
        service exposé ; les zones sans personne de concerné sont omises, sauf le territoire.

    Raises
    ------
    ErreurDonnees
        Le masque n'a pas la taille de la table des équipements.
    """
    if inondables.size != len(territoire.equipements):
        raise ErreurDonnees(
            "Le masque des équipements inondables n'a pas la bonne taille.",
            attendu=len(territoire.equipements),
            trouve=inondables.size,
        )
    service_equipement = territoire.equipements["service"].to_numpy(dtype=str)
    exposes = [s for s in resultat.services if (inondables & (service_equipement == s.id)).any()]
    poids, _ = calculer_ponderation(territoire.carreaux)
    zonages = construire_zonages(territoire.carreaux, territoire.communes, territoire.nom)
    if not exposes:
        return pd.DataFrame({c: [] for c in COLONNES_DEPENDANCE})
    sec = calculer_etude(
        _retirer_equipements(territoire, inondables),
        None,
        resultat.parametres,
        modes=resultat.modes,  # type: ignore[arg-type]
        services=[s.id for s in exposes],
        jour=resultat.jour,
        progression=progression,
    )
    blocs = []
    for service in exposes:
        du_service = service_equipement == service.id
        dependants = trouver_dependants(resultat, sec, service)
        comptes = int((inondables & du_service).sum()), int(du_service.sum())
        blocs += [_compter_par_zone(z, service, dependants, poids, comptes) for z in zonages]
    return pd.concat(blocs, ignore_index=True)[list(COLONNES_DEPENDANCE)]


def trouver_dependants(
    avec: ResultatEtude, sans: ResultatEtude, service: Service
) -> NDArray[np.bool_]:
    """Carreaux à portée du service avec tous les équipements, hors de portée sans les inondables.

    Un service dont tous les équipements sont inondables n'a plus de temps du tout (NaN) : il est
    alors hors de portée.
    """
    colonne = colonne_temps(service.id, PLUS_RAPIDE)
    seuil = regle_du_service(service, avec.parametres.seuils).seuil_s
    avant = avec.acces[colonne].to_numpy(dtype=np.float64) <= seuil
    apres = sans.acces[colonne].to_numpy(dtype=np.float64) <= seuil
    return avant & ~apres


def croiser_population(
    territoire: Territoire,
    resultat: ResultatEtude,
    zones: gpd.GeoDataFrame,
    *,
    scenario_hauteur: str = "moyen",
) -> pd.DataFrame:
    """Habitants en zone inondable, et parmi eux ceux à qui un service manque aussi.

    La population d'un carreau est supposée répartie également sur sa surface : elle compte au
    prorata de la part du carreau dans la zone.

    Returns
    -------
    pandas.DataFrame
        ``zone_type``, ``zone_code``, ``zone_nom``, ``famille``, ``niveau``, ``severite``,
        ``palier``, ``service`` (vide : au moins un service du palier), ``population_zone_hab`` et
        ``population_carence_hab`` ; une ligne par zone où quelqu'un est concerné.
    """
    parts = croiser_zones_inondables(
        territoire.carreaux.geometry.to_numpy(), zones, scenario_hauteur=scenario_hauteur
    )
    poids, _ = calculer_ponderation(territoire.carreaux)
    zonages = construire_zonages(territoire.carreaux, territoire.communes, territoire.nom)
    etiquettes, carences = _colonnes_carence(resultat)
    blocs = []
    for (famille, severite), lot in parts.groupby(["famille", "severite"], sort=True):
        exposes = np.zeros(len(poids))
        np.add.at(exposes, lot["rang"].to_numpy(dtype=np.int64), lot["part"].to_numpy(float))
        exposes *= poids
        for zonage in zonages:
            totaux = sommer_par_zone(zonage, exposes)
            manquants = sommer_par_zone(zonage, carences * exposes[:, None])
            zone, colonne = np.nonzero(np.broadcast_to(totaux[:, None] > 0, manquants.shape))
            blocs.append(
                pd.DataFrame(
                    {
                        "zone_type": zonage.type,
                        "zone_code": np.array(zonage.codes, dtype=object)[zone],
                        "zone_nom": np.array(zonage.noms, dtype=object)[zone],
                        "famille": famille,
                        "niveau": lot["niveau"].iloc[0],
                        "severite": severite,
                        "palier": etiquettes["palier"].to_numpy()[colonne],
                        "service": etiquettes["service"].to_numpy()[colonne],
                        "population_zone_hab": totaux[zone],
                        "population_carence_hab": manquants[zone, colonne],
                    }
                )
            )
    colonnes = [
        "zone_type", "zone_code", "zone_nom", "famille", "niveau", "severite", "palier", "service",
        "population_zone_hab", "population_carence_hab",
    ]  # fmt: skip
    if not blocs:
        return pd.DataFrame({c: [] for c in colonnes})
    return pd.concat(blocs, ignore_index=True)[colonnes]


def _colonnes_carence(resultat: ResultatEtude) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Carence (0 ou 1) de chaque carreau par service, puis par palier entier.

    Returns
    -------
    pandas.DataFrame
        ``palier`` et ``service`` de chaque colonne.
    numpy.ndarray
        float64[carreaux, colonnes].
    """
    etiquettes: list[tuple[str, str]] = []
    colonnes: list[NDArray[np.bool_]] = []
    par_palier: dict[str, NDArray[np.bool_]] = {}
    for service in resultat.services:
        temps = resultat.acces[colonne_temps(service.id, PLUS_RAPIDE)].to_numpy(dtype=np.float64)
        if np.isnan(temps).all():
            continue
        carence = temps > regle_du_service(service, resultat.parametres.seuils).seuil_s
        etiquettes.append((service.palier, service.id))
        colonnes.append(carence)
        deja = par_palier.get(service.palier)
        par_palier[service.palier] = carence if deja is None else deja | carence
    for palier, carence in par_palier.items():
        etiquettes.append((palier, TOUT_SERVICE))
        colonnes.append(carence)
    table = pd.DataFrame(etiquettes, columns=["palier", "service"])
    if not colonnes:
        return table, np.zeros((len(resultat.acces), 0))
    return table, np.column_stack(colonnes).astype(np.float64)


def _retirer_equipements(territoire: Territoire, retires: NDArray[np.bool_]) -> Territoire:
    """Territoire sans certains équipements, points d'accès renumérotés."""
    garde = ~retires
    nouveau_rang = np.cumsum(garde) - 1
    points = territoire.points_acces
    ancien = points["equipement"].to_numpy(dtype=np.int64)
    restants = points.loc[garde[ancien]].reset_index(drop=True)
    rangs = nouveau_rang[restants["equipement"].to_numpy(dtype=np.int64)].astype(np.int32)
    return replace(
        territoire,
        equipements=territoire.equipements.loc[garde].reset_index(drop=True),
        points_acces=restants.assign(equipement=rangs),
    )


def _compter_par_zone(
    zonage: Zonage,
    service: Service,
    dependants: NDArray[np.bool_],
    poids: NDArray[np.float64],
    comptes: tuple[int, int],
) -> pd.DataFrame:
    totaux = sommer_par_zone(zonage, poids)
    concernes = sommer_par_zone(zonage, np.where(dependants, poids, 0.0))
    montrees = (concernes > 0) | (zonage.type == "territoire")
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(totaux > 0, concernes / totaux, np.nan)
    return pd.DataFrame(
        {
            "zone_type": zonage.type,
            "zone_code": np.array(zonage.codes, dtype=object)[montrees],
            "zone_nom": np.array(zonage.noms, dtype=object)[montrees],
            "service": service.id,
            "equipements_inondables": comptes[0],
            "equipements": comptes[1],
            "population_dependante_hab": concernes[montrees],
            "part_dependante": parts[montrees],
        }
    )

"""Friches × accès × inondation × urbanisme : fiche de chaque site, classement à poids visibles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.agregation import calculer_ponderation
from accessibilite.croisements.sites import (
    calculer_acces_sites,
    calculer_gains,
    calculer_manques,
    compter_habitants_proches,
    situer_sites,
)
from accessibilite.croisements.surfaces import croiser_zones_inondables, mesurer_par_severite
from accessibilite.etude import Progression, ResultatEtude
from donnees_geo.configuration import Parametres
from donnees_geo.configuration.croisements import (
    CRITERES,
    ParametresCroisements,
    verifier_poids,
)

if TYPE_CHECKING:
    from donnees_geo.territoire import Territoire

#: Rang des familles de zone d'urbanisme, pour retenir la zone majoritaire d'un site.
_ZONES: Final = ("U", "AU", "A", "N", "RNU", "")
REGLEMENT: Final = "reglement"


@dataclass(frozen=True)
class CroisementFriches:
    """Ce que l'on sait de chaque friche, lignes dans l'ordre de la table des friches.

    Attributes
    ----------
    friches
        Table FRICHES, et ``zone_urbanisme`` complétée par le zonage du territoire.
    acces
        Temps aux services par mode.
    voisins
        ``population_marche_hab``, ``population_velo_hab``, ``population_hab`` (l'un ou l'autre).
    manques
        bool par service : hors de portée du site.
    gains
        Habitants en carence qu'un équipement de chaque service y desservirait.
    inondation
        Parts par classe (:func:`croisements_surfaces.croiser_zones_inondables`), ou ``None`` sans
        zones inondables : on ne sait pas, ce n'est pas zéro.
    par_population
        Faux : les habitants sont des m² faute de population.
    """

    friches: gpd.GeoDataFrame
    acces: pd.DataFrame
    voisins: pd.DataFrame
    manques: pd.DataFrame
    gains: pd.DataFrame
    inondation: pd.DataFrame | None
    par_population: bool


def croiser_friches(
    territoire: Territoire,
    resultat: ResultatEtude,
    friches: gpd.GeoDataFrame,
    zones_inondables: gpd.GeoDataFrame | None,
    zonage: gpd.GeoDataFrame | None,
    hypotheses: ParametresCroisements,
    *,
    progression: Progression | None = None,
) -> CroisementFriches:
    """Croiser les friches du stock avec l'accès, l'inondation et l'urbanisme.

    Parameters
    ----------
    territoire, resultat
        Territoire et son étude (mêmes services, modes et paramètres).
    friches
        Table FRICHES ; seuls les sites du stock et du territoire sont croisés.
    zones_inondables
        Table ZONES_INONDABLES ou ``None``.
    zonage
        Zonage d'urbanisme (``classe``, ``geometry``) ou ``None`` : la zone de l'inventaire reste.
    hypotheses
        Seuils.
    """
    stock = friches.loc[friches["dans_stock"] & (friches["code_commune"] != "")]
    stock = stock.reset_index(drop=True)
    geometries = stock.geometry.to_numpy()
    parametres: Parametres = resultat.parametres
    poids, par_population = calculer_ponderation(territoire.carreaux)
    acces = calculer_acces_sites(
        territoire,
        stock,
        "friche",
        parametres,
        modes=resultat.modes,  # type: ignore[arg-type]
        services=[s.id for s in resultat.services],
        jour=resultat.jour,
        progression=progression,
    )
    points = situer_sites(geometries)
    voisins, voisinage = compter_habitants_proches(
        territoire, points, parametres, poids, hypotheses.seuil_proximite_s
    )
    voisins["population_hab"] = np.asarray(voisinage @ poids)
    inondation = None
    if zones_inondables is not None:
        inondation = croiser_zones_inondables(
            geometries, zones_inondables, scenario_hauteur=hypotheses.scenario_hauteur
        )
    if zonage is not None:
        stock = stock.assign(zone_urbanisme=situer_en_zonage(stock, zonage))
    return CroisementFriches(
        friches=stock,
        acces=acces,
        voisins=voisins,
        manques=calculer_manques(acces, resultat.services, parametres),
        gains=calculer_gains(voisinage, resultat.acces, resultat.services, parametres, poids),
        inondation=inondation,
        par_population=par_population,
    )


def situer_en_zonage(friches: gpd.GeoDataFrame, zonage: gpd.GeoDataFrame) -> pd.Series[str]:
    """Famille de zone majoritaire de chaque site ; celle de l'inventaire hors du zonage.

    Un site sans contour prend la zone de son point.
    """
    rangs = zonage["classe"].map({z: len(_ZONES) - r for r, z in enumerate(_ZONES)}).fillna(0)
    severites = rangs.to_numpy(dtype=np.int64)
    geometries = friches.geometry.to_numpy()
    # Un point devient un carré de 2 m : une seule mesure de surface convient à tous.
    etendues = np.where(
        friches.geometry.area.to_numpy() > 0, geometries, friches.geometry.buffer(1, quad_segs=1)
    )
    niveaux, mesures = mesurer_par_severite(etendues, zonage.geometry.to_numpy(), severites)
    if not niveaux.size:
        return pd.Series(friches["zone_urbanisme"], dtype="str")
    majoritaire = niveaux[mesures.argmax(axis=1)]
    noms = np.array(["", *reversed(_ZONES)], dtype=object)[majoritaire]
    trouvee = mesures.sum(axis=1) > 0
    zones = np.where(trouvee & (noms != ""), noms, friches["zone_urbanisme"])
    return pd.Series(zones, index=friches.index, dtype="str")


def part_par_niveaux(
    inondation: pd.DataFrame, nombre: int, famille: str, niveaux: Sequence[str]
) -> NDArray[np.float64]:
    """Part de chaque objet dans un groupe de niveaux d'une famille, 0 hors zone."""
    retenus = inondation.loc[
        (inondation["famille"] == famille) & inondation["niveau"].isin(niveaux)
    ]
    parts = np.zeros(nombre)
    np.add.at(parts, retenus["rang"].to_numpy(dtype=np.int64), retenus["part"].to_numpy(float))
    return parts


def composer_fiches(
    croisement: CroisementFriches, hypotheses: ParametresCroisements
) -> pd.DataFrame:
    """Table d'une ligne par friche : l'essentiel de sa fiche.

    Returns
    -------
    pandas.DataFrame
        Attributs de la friche, ``population_*_hab``, ``manques`` (nombre) et ``liste_manques``
        (identifiants séparés par des virgules), ``meilleur_service`` et ``meilleur_gain_hab``
        (service dont l'ouverture y desservirait le plus d'habitants en carence), et, avec des zones
        inondables, ``part_<famille>_<niveau>`` et ``part_interdite``.
    """
    fiches = pd.DataFrame(croisement.friches.drop(columns=croisement.friches.geometry.name))
    for colonne in croisement.voisins:
        fiches[colonne] = croisement.voisins[colonne].to_numpy()
    noms = np.array(croisement.manques.columns, dtype=object)
    manques = croisement.manques.to_numpy(dtype=bool)
    fiches["manques"] = manques.sum(axis=1)
    fiches["liste_manques"] = [",".join(noms[ligne]) for ligne in manques]
    gains = croisement.gains.to_numpy(dtype=np.float64)
    if gains.shape[1]:
        meilleur = gains.argmax(axis=1)
        fiches["meilleur_gain_hab"] = gains.max(axis=1)
        services = np.array(croisement.gains.columns, dtype=object)[meilleur]
        fiches["meilleur_service"] = np.where(gains.max(axis=1) > 0, services, "")
    if croisement.inondation is not None:
        classes = croisement.inondation[["famille", "niveau"]].drop_duplicates()
        for famille, niveau in classes.sort_values(["famille", "niveau"]).itertuples(index=False):
            fiches[f"part_{famille}_{niveau}"] = part_par_niveaux(
                croisement.inondation, len(fiches), famille, [niveau]
            )
        fiches["part_interdite"] = part_par_niveaux(
            croisement.inondation, len(fiches), REGLEMENT, hypotheses.niveaux_interdits
        )
    return fiches


def classer_friches(
    fiches: pd.DataFrame,
    hypotheses: ParametresCroisements,
    poids: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Classer les friches par une moyenne pondérée de critères, tous visibles.

    Parameters
    ----------
    fiches
        Table de :func:`composer_fiches`.
    hypotheses
        Notes d'urbanisme et de pollution, surface pleine, poids par défaut.
    poids
        Critère → poids, à la place de ceux des hypothèses.

    Returns
    -------
    pandas.DataFrame
        Même index, trié par rang : ``rang`` (1 = meilleur, ex aequo au même rang), ``score`` (0 à
        1), ``note_<critère>`` (0 à 1, NaN inconnu) et ``poids_connus`` (part du poids des critères
        connus). Un critère inconnu n'entre ni au numérateur ni au dénominateur.

    Raises
    ------
    ErreurConfiguration
        Poids inadmissibles.
    """
    retenus = {**dict.fromkeys(CRITERES, 0.0), **(dict(poids) if poids else hypotheses.poids)}
    verifier_poids(retenus)
    notes = pd.DataFrame(
        {
            "population": _rapporter_au_meilleur(fiches["population_hab"]),
            "manques": _rapporter_au_meilleur(fiches["meilleur_gain_hab"])
            if "meilleur_gain_hab" in fiches
            else np.nan,
            "surface": (fiches["surface_ha"] / hypotheses.surface_pleine_ha).clip(upper=1.0),
            "hors_zone_inondable": 1.0 - fiches["part_interdite"]
            if "part_interdite" in fiches
            else np.nan,
            "urbanisme": fiches["zone_urbanisme"].map(hypotheses.notes_urbanisme),
            "pollution": fiches["pollution"].map(hypotheses.notes_pollution),
        },
        index=fiches.index,
        dtype="float64",
    )[list(CRITERES)]
    vecteur = np.array([retenus[c] for c in CRITERES])
    valeurs = notes.to_numpy()
    connus = np.where(np.isnan(valeurs), 0.0, vecteur)
    somme = connus.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(somme > 0, (np.nan_to_num(valeurs) * connus).sum(axis=1) / somme, np.nan)
    table = notes.add_prefix("note_")
    table.insert(0, "score", score)
    table["poids_connus"] = somme / vecteur.sum()
    table.insert(0, "rang", table["score"].rank(ascending=False, method="min").astype("Int64"))
    return table.sort_values(["rang"], kind="stable")


def _rapporter_au_meilleur(valeurs: pd.Series[float]) -> pd.Series[float]:
    """Valeurs rapportées à la plus grande : 1 pour le meilleur site, 0 pour aucun."""
    maximum = valeurs.max()
    return valeurs / maximum if maximum > 0 else valeurs * 0.0

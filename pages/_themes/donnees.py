"""Croisements des pages Friches et risques, et Commerces : calculés une fois, gardés en mémoire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import streamlit as st
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from accessibilite.croisements.commerces import (
    calculer_chalandise,
    calculer_commerces_communes,
    calculer_marches_par_jour,
    croiser_vacance_carences,
)
from accessibilite.croisements.friches import (
    REGLEMENT,
    CroisementFriches,
    composer_fiches,
    croiser_friches,
)
from accessibilite.croisements.inondation import (
    calculer_dependance,
    choisir_inondables,
    classer_equipements,
    compter_services_inondables,
    croiser_population,
)
from couches.catalogue import lire_catalogue
from couches.couche import EntreeLegende
from couches.ecran.petit_fond import TOLERANCE_LIMITES_M, Calque, FondPetiteCarte, composer_fond
from couches.ecran.petite_carte import calques_zones
from couches.themes import Themes, lire_themes
from donnees_geo.configuration.croisements import (
    ParametresCroisements,
    lire_parametres_croisements,
)
from donnees_geo.conventions import ModeRue
from donnees_geo.thematiques.commerces_categories import lire_categories
from pages._commun.etat import est_projecteur
from pages._commun.gabarit import message
from pages._commun.partage import Partage, Progression

#: Textes des cartes en salle : rien sous 18 pixels.
GROSSISSEMENT_SALLE: Final = 1.5
#: Modes d'un marché à portée : la règle du palier de proximité.
MODES_PROXIMITE: Final[tuple[ModeRue, ...]] = ("marche", "velo")


@dataclass(frozen=True)
class Exposition:
    """Ce que les zones inondables exposent.

    Attributes
    ----------
    classes, services, dependance, population
        Tables de ``accessibilite.croisements.inondation``.
    fermes
        bool[équipements], supposés fermés.
    fermeture
        Ce qui est supposé fermé : niveaux d'interdiction du règlement, ou toute zone connue.
    """

    classes: pd.DataFrame
    fermes: NDArray[np.bool_]
    services: pd.DataFrame
    dependance: pd.DataFrame
    population: pd.DataFrame
    fermeture: str


@dataclass(frozen=True)
class Commerce:
    """Tables de ``accessibilite.croisements.commerces`` ; ``None`` sans la donnée.

    Attributes
    ----------
    communes
        Offre par commune, et ``chalandise`` : commerces à portée de marche de la mairie (NaN sans
        mairie connue ; le plus grand nombre si la commune en a plusieurs).
    vacance, marches, chalandise
        Vacance et manques, marchés par jour, zone de chalandise des marchés.
    """

    communes: pd.DataFrame
    vacance: pd.DataFrame
    marches: pd.DataFrame | None
    chalandise: pd.DataFrame | None


def hypotheses(partage: Partage) -> ParametresCroisements:
    """Hypothèses des croisements."""
    return partage.objets.obtenir(("croisements",), lire_parametres_croisements)


def themes(partage: Partage) -> Themes:
    """Couches thématiques du territoire."""
    return partage.objets.obtenir(("themes",), lambda: lire_themes(partage.territoire))


def friches(
    partage: Partage, progression: Progression | None = None
) -> tuple[CroisementFriches, pd.DataFrame] | None:
    """Croisement des friches et table de leurs fiches ; ``None`` sans friches."""
    lus = themes(partage)
    table = lus.friches
    if table is None or not (table["dans_stock"] & (table["code_commune"] != "")).any():
        return None
    zonage = next((t for n, t in sorted(lus.autres.items()) if "classe" in t and "plu" in n), None)

    def calculer() -> tuple[CroisementFriches, pd.DataFrame]:
        croisement = croiser_friches(
            partage.territoire,
            partage.resultat,
            table,
            lus.zones_inondables,
            zonage,
            hypotheses(partage),
            progression=progression,
        )
        return croisement, composer_fiches(croisement, hypotheses(partage))

    return partage.objets.obtenir(("friches",), calculer)


def exposition(partage: Partage, progression: Progression | None = None) -> Exposition | None:
    """Services et habitants exposés ; ``None`` sans zones inondables."""
    zones = themes(partage).zones_inondables
    if zones is None or zones.empty:
        return None

    def calculer() -> Exposition:
        h = hypotheses(partage)
        equipements = partage.territoire.equipements
        classes = classer_equipements(equipements, zones, scenario_hauteur=h.scenario_hauteur)
        reglementees = (zones["famille"] == REGLEMENT).any()
        if reglementees:
            fermes = choisir_inondables(classes, len(equipements), REGLEMENT, h.niveaux_interdits)
        else:
            fermes = np.zeros(len(equipements), dtype=bool)
            fermes[classes["equipement"].to_numpy(dtype=np.int64)] = True
        return Exposition(
            classes=classes,
            fermes=fermes,
            services=compter_services_inondables(classes),
            dependance=calculer_dependance(
                partage.territoire, partage.resultat, fermes, progression=progression
            ),
            population=croiser_population(
                partage.territoire,
                partage.resultat,
                zones,
                scenario_hauteur=h.scenario_hauteur,
            ),
            fermeture="les zones d’interdiction du plan de prévention"
            if reglementees
            else "les zones inondables connues",
        )

    return partage.objets.obtenir(("exposition",), calculer)


def commerce(partage: Partage) -> Commerce | None:
    """Offre commerciale ; ``None`` sans commerces."""
    lus = themes(partage)
    table = lus.commerces
    if table is None or table.empty:
        return None

    return partage.objets.obtenir(("commerce",), lambda: _calculer_commerce(partage, lus, table))


def dire_sans_commerce() -> None:
    """Dire que le territoire n'a pas de commerces."""
    st.html(
        message(
            "Ce territoire n’a pas de commerces connus.",
            "Ajoutez [couches] commerces au manifeste, ou la BPE, ou OpenStreetMap.",
            genre="note",
        )
    )


def _calculer_commerce(partage: Partage, lus: Themes, table: gpd.GeoDataFrame) -> Commerce:
    territoire, h = partage.territoire, hypotheses(partage)
    communes = calculer_commerces_communes(table, lus.marches, territoire.communes)
    communes["chalandise"] = _chalandise_des_mairies(partage, table)
    marches, chalandise = None, None
    if lus.marches is not None and len(lus.marches):
        marches = calculer_marches_par_jour(
            {mode: partage.graphe(mode) for mode in MODES_PROXIMITE},
            territoire.carreaux,
            partage.ponderation[0],
            lus.marches,
            tuple(partage.zonages.values()),
            h.seuil_proximite_s,
            partage.parametres.rattachement_max_m,
        )
        mesures = _chalandise(partage, table, lus.marches.geometry.to_numpy())
        noms = lus.marches[["nom", "jour", "lieu", "code_commune"]].reset_index(drop=True)
        chalandise = pd.concat([noms, mesures], axis=1)
    return Commerce(
        communes=communes,
        vacance=croiser_vacance_carences(
            table, partage.resultat.carences, territoire.equipements, h.services_en_local
        ),
        marches=marches,
        chalandise=chalandise,
    )


def _chalandise(
    partage: Partage, commerces: gpd.GeoDataFrame, lieux: NDArray[np.object_]
) -> pd.DataFrame:
    """Zone de chalandise à pied de lieux."""
    return calculer_chalandise(
        partage.graphe("marche"),
        partage.territoire.carreaux,
        partage.ponderation[0],
        commerces,
        shapely.get_coordinates(shapely.point_on_surface(lieux)),
        hypotheses(partage).seuil_chalandise_s,
        partage.parametres.rattachement_max_m,
    )


def _chalandise_des_mairies(partage: Partage, commerces: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Commerces à portée de marche de la mairie de chaque commune, NaN sans mairie connue."""
    equipements = partage.territoire.equipements
    mairies = equipements.loc[equipements["service"].astype(str) == "mairie"]
    codes = partage.territoire.communes["code_commune"].astype(str)
    if mairies.empty:
        return np.full(len(codes), np.nan)
    atteints = _chalandise(partage, commerces, mairies.geometry.to_numpy())["commerces"]
    par_commune = atteints.groupby(mairies["code_commune"].astype(str).to_numpy()).max()
    return par_commune.reindex(codes).to_numpy(dtype=np.float64)


def offre_de_famille(partage: Partage, famille: str) -> pd.DataFrame | None:
    """Offre par commune des seuls commerces en activité d'une famille ; ``None`` sans commerces."""
    table = themes(partage).commerces
    if table is None:
        return None
    retenues = [c.id for c in lire_categories() if c.famille == famille]

    def calculer() -> pd.DataFrame:
        ouverts = table.loc[table["categorie"].isin(retenues) & ~table["vacant"]]
        return calculer_commerces_communes(ouverts, None, partage.territoire.communes)

    return partage.objets.obtenir(("offre", famille), calculer)


def fond(partage: Partage) -> FondPetiteCarte:
    """Fond des petites cartes."""
    grossissement = GROSSISSEMENT_SALLE if est_projecteur() else 1.0
    return partage.objets.obtenir(
        ("petit_fond", grossissement),
        lambda: composer_fond(partage.territoire.communes, grossissement),
    )


def calques_risque(
    partage: Partage, famille: str = REGLEMENT
) -> tuple[str, list[Calque], list[EntreeLegende]]:
    """Titre, calques et légende des zones inondables d'une famille du catalogue, vides sinon."""
    fiche = next(
        (
            f
            for f in lire_catalogue().values()
            if f.schema == "zones_inondables" and f.filtre.get("famille") == famille
        ),
        None,
    )
    zones = themes(partage).zones_inondables
    if fiche is None or zones is None:
        return "", [], []
    calques, legende = partage.objets.obtenir(
        ("risque", famille),
        lambda: calques_zones(
            fiche, zones, fond(partage).metres_par_pixel, partage.territoire.contour
        ),
    )
    return fiche.titre, calques, legende


def centres(partage: Partage) -> dict[str, tuple[float, float]]:
    """Point intérieur de chaque commune (x, y en mètres), par code."""

    def situer() -> dict[str, tuple[float, float]]:
        communes = partage.territoire.communes
        xy = shapely.get_coordinates(shapely.point_on_surface(communes.geometry.to_numpy()))
        codes = communes["code_commune"].astype(str)
        return {c: (x, y) for c, (x, y) in zip(codes, xy.round().tolist(), strict=True)}

    return partage.objets.obtenir(("centres",), situer)


def formes_communes(partage: Partage) -> dict[str, BaseGeometry]:
    """Contour allégé de chaque commune, par code."""

    def alleger() -> dict[str, BaseGeometry]:
        communes = partage.territoire.communes
        formes = shapely.coverage_simplify(communes.geometry.to_numpy(), TOLERANCE_LIMITES_M)
        return dict(zip(communes["code_commune"].astype(str), formes, strict=True))

    return partage.objets.obtenir(("formes_communes",), alleger)

"""Croisements des pages Friches et risques, et Commerces : calculés une fois, gardés en mémoire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from accessibilite.bilans.agregation import construire_zonages
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
from accessibilite.etude import construire_graphes
from couches.catalogue import (
    FicheCouche,
    choisir_lignes,
    classe_de,
    lire_catalogue,
    simplifier_pour_ecran,
)
from couches.themes import Themes, lire_themes
from donnees_geo.configuration.croisements import (
    ParametresCroisements,
    lire_parametres_croisements,
)
from pages._commun.partage import Partage, Progression

#: Au-delà, une petite carte ralentirait le navigateur ; ce qui n'est pas montré est dit.
OBJETS_MAX: Final = 4_000


@dataclass(frozen=True)
class Exposition:
    """Ce que les zones inondables exposent.

    Attributes
    ----------
    services, dependance, population
        Tables de ``accessibilite.croisements.inondation``.
    fermeture
        Ce qui est supposé fermé : niveaux d'interdiction du règlement, ou toute zone connue.
    """

    services: pd.DataFrame
    dependance: pd.DataFrame
    population: pd.DataFrame
    fermeture: str


@dataclass(frozen=True)
class Commerce:
    """Tables de ``accessibilite.croisements.commerces`` ; ``None`` sans la donnée."""

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

    def calculer() -> Commerce:
        territoire, resultat, h = partage.territoire, partage.resultat, hypotheses(partage)
        poids = partage.ponderation[0]
        marches, chalandise = None, None
        if lus.marches is not None and len(lus.marches):
            graphes = construire_graphes(territoire, partage.parametres, ("marche", "velo"))
            zonages = construire_zonages(territoire.carreaux, territoire.communes, territoire.nom)
            rattachement = partage.parametres.rattachement_max_m
            marches = calculer_marches_par_jour(
                {str(mode): graphe for mode, graphe in graphes.items()},
                territoire.carreaux,
                poids,
                lus.marches,
                zonages,
                h.seuil_proximite_s,
                rattachement,
            )
            lieux = shapely.get_coordinates(lus.marches.geometry.to_numpy())
            mesures = calculer_chalandise(
                graphes["marche"],
                territoire.carreaux,
                poids,
                table,
                lieux,
                h.seuil_chalandise_s,
                rattachement,
            )
            noms = lus.marches[["nom", "jour", "lieu", "code_commune"]].reset_index(drop=True)
            chalandise = pd.concat([noms, mesures], axis=1)
        return Commerce(
            communes=calculer_commerces_communes(table, lus.marches, territoire.communes),
            vacance=croiser_vacance_carences(
                table, resultat.carences, territoire.equipements, h.services_en_local
            ),
            marches=marches,
            chalandise=chalandise,
        )

    return partage.objets.obtenir(("commerce",), calculer)


def limites(partage: Partage) -> list[dict[str, Any]]:
    """Limites des communes, allégées, pour le fond d'une petite carte."""

    def dessiner() -> list[dict[str, Any]]:
        formes = shapely.coverage_simplify(partage.territoire.communes.geometry.to_numpy(), 60.0)
        return [_entite(f, {}) for f in formes]

    return partage.objets.obtenir(("limites",), dessiner)


def formes_classees(
    fiche: FicheCouche, table: gpd.GeoDataFrame, colonnes: Mapping[str, pd.Series[Any]]
) -> list[dict[str, Any]]:
    """Formes allégées d'une couche du catalogue, avec le libellé de leur classe."""
    lignes = choisir_lignes(fiche, table)
    rangs = classe_de(fiche, lignes)
    lignes, rangs = lignes.loc[rangs >= 0], rangs[rangs >= 0]
    # La classe la plus haute du catalogue (la plus sévère) se dessine par-dessus.
    ordre = np.argsort(-rangs, kind="stable")[-OBJETS_MAX:]
    formes = simplifier_pour_ecran(lignes.geometry.to_numpy()[ordre])
    valeurs = {nom: serie.reindex(lignes.index).to_numpy() for nom, serie in colonnes.items()}
    return [
        _entite(
            forme,
            {
                "classe": fiche.classes[rangs[rang]].libelle,
                **{nom: str(v[rang]) for nom, v in valeurs.items()},
            },
        )
        for forme, rang in zip(formes, ordre.tolist(), strict=True)
    ]


def carte_des_couches(
    partage: Partage,
    surfaces: list[tuple[FicheCouche, list[dict[str, Any]]]],
    points: list[dict[str, Any]],
    *,
    titre_points: str,
    couleurs_points: Mapping[str, str],
) -> dict[str, Any]:
    """Petite carte (Vega-Lite) : limites, couches de surfaces, puis points à choisir.

    Parameters
    ----------
    surfaces
        Couche du catalogue et ses formes.
    points
        Entités ponctuelles : ``code``, ``nom``, ``texte``, ``classe`` et ``choisie``.
    titre_points, couleurs_points
        Titre de la légende des points, et couleur de chaque classe.
    """
    fond = {
        "data": {"values": limites(partage)},
        "mark": {"type": "geoshape", "fill": "#f4f1ea", "stroke": "#b6afa4", "strokeWidth": 0.6},
    }
    bandes = [
        {
            "data": {"values": formes},
            "mark": {"type": "geoshape", "opacity": 0.55, "stroke": None},
            "encoding": {
                "fill": _echelle(
                    fiche.titre, {c.libelle: c.couleur for c in fiche.classes}, formes
                ),
                "tooltip": [{"field": "classe", "title": fiche.titre}],
            },
        }
        for fiche, formes in surfaces
        if formes
    ]
    lieux = {
        "data": {"values": points},
        "params": [{"name": "lieu", "select": {"type": "point", "fields": ["code"]}}],
        "mark": {"type": "geoshape", "cursor": "pointer", "pointRadius": 5},
        "encoding": {
            "color": _echelle(titre_points, couleurs_points, points),
            "stroke": {
                "condition": {"test": "datum.choisie", "value": "#c2410c"},
                "value": "#ffffff",
            },
            "strokeWidth": {"condition": {"test": "datum.choisie", "value": 4}, "value": 1},
            "tooltip": [{"field": "nom", "title": "lieu"}, {"field": "texte", "title": "détail"}],
        },
    }
    return {
        "height": 430,
        "projection": {"type": "identity", "reflectY": True},
        "layer": [fond, *bandes, lieux],
        "resolve": {"scale": {"fill": "independent", "color": "independent"}},
        "config": {
            "view": {"stroke": None},
            "font": "Public Sans",
            # Les légendes l'une sous l'autre : côte à côte, la seconde serait coupée.
            "legend": {"layout": {"bottom": {"anchor": "start", "direction": "vertical"}}},
        },
    }


def entite_point(x: float, y: float, attributs: dict[str, Any]) -> dict[str, Any]:
    """Entité ponctuelle d'une petite carte."""
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [round(x), round(y)]},
        **attributs,
    }


def catalogue() -> Mapping[str, FicheCouche]:
    """Catalogue des couches."""
    return lire_catalogue()


def _entite(forme: Any, attributs: dict[str, Any]) -> dict[str, Any]:
    arrondie = shapely.set_precision(forme, 1.0, mode="pointwise")
    return {"type": "Feature", "geometry": shapely.geometry.mapping(arrondie), **attributs}


def _echelle(
    titre: str, couleurs: Mapping[str, str], entites: list[dict[str, Any]]
) -> dict[str, Any]:
    presentes = {str(e["classe"]) for e in entites}
    domaine = [c for c in couleurs if c in presentes]
    return {
        "field": "classe",
        "type": "nominal",
        "scale": {"domain": domaine, "range": [couleurs[c] for c in domaine]},
        "legend": {
            "title": titre,
            "orient": "bottom",
            "columns": 2,
            "symbolType": "square",
            "labelLimit": 260,
            "titleLimit": 420,
        },
    }

"""Tables de la page Carences : analyses du territoire, zones classées, carences d'une zone."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from accessibilite.analyses.ensemble import calculer_analyses
from accessibilite.bilans.carences_modes import filtrer_carences
from accessibilite.bilans.indicateurs import PLUS_RAPIDE
from couches.resultats import ecrire_resultats, lire_resultats
from couches.textes import nombre, part
from donnees_geo.configuration.analyses import lire_parametres_analyses
from donnees_geo.conventions import FONCTIONS, LIBELLES_FONCTIONS, LIBELLES_PALIERS, PALIERS
from donnees_geo.erreurs import ErreurProjet
from donnees_geo.thematiques.quartiers import lire_quartiers
from pages._commun.partage import DOSSIER_ETUDE, Partage, Progression

_JOURNAL = logging.getLogger(__name__)
ENSEMBLE: Final = "ensemble"
#: Bornes hautes des classes de la carte, part de la population à qui il manque quelque chose.
BORNES_PARTS: Final = (0.1, 0.25, 0.5, 0.75, 1.0)
CLASSES_PARTS: Final = ("jusqu’à 10 %", "10 à 25 %", "25 à 50 %", "50 à 75 %", "plus de 75 %")
SANS_HABITANT: Final = "sans habitant ou sans donnée"
#: Un détail du contour plus petit ne se voit pas sur la petite carte.
_SIMPLIFICATION_M: Final = 60.0

Analyses = Mapping[str, pd.DataFrame]


def obtenir_analyses(partage: Partage, progression: Progression | None = None) -> Analyses:
    """Tables des analyses : gardées en mémoire, sinon relues du disque, sinon calculées et gardées.

    Raises
    ------
    ErreurReseau
        Aucune rue praticable par un mode de l'étude.
    """
    return partage.objets.obtenir(("analyses",), lambda: _relire_ou_calculer(partage, progression))


def _relire_ou_calculer(partage: Partage, progression: Progression | None) -> Analyses:
    territoire = partage.territoire
    dossier = None if territoire.dossier is None else territoire.dossier / DOSSIER_ETUDE
    if dossier is not None:
        try:
            lu = lire_resultats(dossier)
        except (ErreurProjet, OSError, ValueError, KeyError):
            lu = None
        if lu is not None and lu.analyses and _meme_etude(lu.description, partage):
            return lu.analyses
    analyses = calculer_analyses(
        territoire,
        partage.resultat,
        lire_parametres_analyses(),
        quartiers=lire_quartiers(territoire),
        progression=progression,
    )
    if dossier is not None:
        try:
            ecrire_resultats(
                partage.resultat,
                dossier,
                nom=territoire.nom,
                fictif=territoire.fictif,
                analyses=analyses,
            )
        except ErreurProjet as erreur:
            # Un dossier en lecture seule n'empêche pas de consulter.
            _JOURNAL.warning("Les analyses n'ont pas pu être gardées : %s", erreur)
    return analyses.tables


def _meme_etude(description: Mapping[str, Any], partage: Partage) -> bool:
    """Vrai si le résultat gardé est celui de l'étude affichée."""
    jour = partage.resultat.jour
    return (
        description["empreinte_territoire"] == partage.territoire.empreinte
        and description["modes"] == list(partage.resultat.modes)
        and description.get("jour") == (jour.isoformat() if jour else None)
        and partage.etude_relue
    )


def types_de_zones(partage: Partage) -> dict[str, str]:
    """Regroupements proposés, le bassin de vie d'abord."""
    noms = {"bassin_de_vie": "Bassins de vie", "secteur": "Secteurs", "commune": "Communes"}
    return {t: nom for t, nom in noms.items() if t in partage.zonages}


def mesures_proposees(partage: Partage) -> dict[str, str]:
    """Ce qui peut manquer : tous les services, un palier, une fonction ou un service."""
    services = partage.resultat.services
    presentes = {s.fonction for s in services}
    return {
        # L'ensemble sature (presque chacun manque de quelque chose) : il n'ouvre pas la page.
        **{f"palier:{p}": f"Palier {LIBELLES_PALIERS[p]}" for p in PALIERS},
        ENSEMBLE: "Tous les services des trois paliers",
        **{
            f"fonction:{f}": f"Fonction « {LIBELLES_FONCTIONS[f]} »"
            for f in FONCTIONS
            if f in presentes
        },
        **{f"service:{s.id}": f"{s.libelle[:1].upper()}{s.libelle[1:]}" for s in services},
    }


def services_de_la_mesure(partage: Partage, mesure: str) -> list[str]:
    """Identifiants des services d'une mesure."""
    genre, _, code = mesure.partition(":")
    return [
        s.id
        for s in partage.resultat.services
        if genre == ENSEMBLE
        or (genre == "palier" and s.palier == code)
        or (genre == "fonction" and s.fonction == code)
        or (genre == "service" and s.id == code)
    ]


def classer_zones(
    partage: Partage,
    analyses: Analyses,
    type_zone: str,
    mesure: str,
    *,
    par: str = "habitants",
    population_max_hab: float = np.inf,
) -> pd.DataFrame:
    """Zones d'un type, celles où il manque le plus d'abord.

    Parameters
    ----------
    mesure
        Clé de :func:`mesures_proposees`.
    par
        ``habitants`` ou ``part``.
    population_max_hab
        Taille maximale des zones montrées.

    Returns
    -------
    pandas.DataFrame
        ``code``, ``nom``, ``population_hab``, ``manque_hab``, ``part`` (NaN sans habitants),
        ``service`` : celui qui manque au plus grand nombre parmi ceux de la mesure, vide si rien.
    """
    genre, _, code = mesure.partition(":")
    if genre == "service":
        lignes = partage.resultat.indicateurs
        lignes = lignes[(lignes["service"] == code) & (lignes["mode"] == PLUS_RAPIDE)]
        servis, parts = lignes["population_desservie_hab"], lignes["part_desservie"]
    else:
        lignes = analyses["indice"]
        lignes = lignes[(lignes["volet"] == genre) & (lignes["code"] == code)]
        servis, parts = lignes["population_regle_hab"], lignes["part_regle"]
    table = pd.DataFrame(
        {
            "code": lignes["zone_code"].astype(str),
            "nom": lignes["zone_nom"].astype(str),
            "population_hab": lignes["population_hab"],
            "manque_hab": lignes["population_hab"] - servis,
            "part": 1 - parts,
        }
    )[lignes["zone_type"] == type_zone]
    table = table[~(table["population_hab"] > population_max_hab)]
    manquants = carences_de(partage, type_zone, services_de_la_mesure(partage, mesure))
    premiers = manquants.drop_duplicates("zone_code").set_index("zone_code")["service"]
    table["service"] = table["code"].map(premiers).fillna("")
    cles = ["manque_hab", "part"] if par == "habitants" else ["part", "manque_hab"]
    return table.sort_values([*cles, "nom"], ascending=[False, False, True], ignore_index=True)


def carences_de(partage: Partage, type_zone: str, services: list[str]) -> pd.DataFrame:
    """Carences d'un type de zone, les plus lourdes d'abord."""
    return filtrer_carences(partage.resultat.carences, zone_type=type_zone, services=services)


def contours(partage: Partage, type_zone: str) -> gpd.GeoDataFrame:
    """Contours simplifiés des zones d'un type, mètres : colonnes ``code`` et ``geometry``."""

    def dessiner() -> gpd.GeoDataFrame:
        communes = partage.territoire.communes
        colonne = "code_commune" if type_zone == "commune" else f"code_{type_zone}"
        zones = communes[communes[colonne].astype(str) != ""].dissolve(by=colonne)
        # Les limites communes restent jointives : la couverture est simplifiée d'un bloc.
        formes = shapely.coverage_simplify(zones.geometry.to_numpy(), _SIMPLIFICATION_M)
        return gpd.GeoDataFrame({"code": zones.index.astype(str)}, geometry=formes, crs=zones.crs)

    return partage.objets.obtenir(("contours", type_zone), dessiner)


def carte_des_zones(
    partage: Partage, zones: pd.DataFrame, type_zone: str, choisie: str
) -> dict[str, Any]:
    """Petite carte des zones (Vega-Lite) : part de ceux à qui il manque, zone choisie cernée."""
    valeurs = zones.set_index("code")
    formes = []
    limites = contours(partage, type_zone)
    for code, forme in zip(limites["code"], limites.geometry, strict=True):
        if code not in valeurs.index:
            continue
        ligne = valeurs.loc[code]
        formes.append(
            {
                "type": "Feature",
                "geometry": shapely.geometry.mapping(forme),
                "code": code,
                "nom": ligne["nom"],
                "classe": classer_part(float(ligne["part"])),
                "texte": f"{nombre(float(ligne['manque_hab']))} ({part(float(ligne['part']))})",
                "choisie": code == choisie,
            }
        )
    # La zone choisie est dessinée en dernier : ses voisines ne rognent pas son contour.
    formes.sort(key=lambda f: bool(f["choisie"]))
    classes = [*CLASSES_PARTS, SANS_HABITANT]
    couleurs = ["#edf2f7", "#bcd3e6", "#7fabd0", "#3a7ab1", "#0b4a82", "#d8d4cb"]
    return {
        "height": 380,
        "data": {"values": formes},
        "params": [{"name": "zone", "select": {"type": "point", "fields": ["code"]}}],
        "projection": {"type": "identity", "reflectY": True},
        "mark": {"type": "geoshape", "cursor": "pointer"},
        "encoding": {
            "color": {
                "field": "classe",
                "type": "nominal",
                "scale": {"domain": classes, "range": couleurs},
                "legend": {
                    "title": "part des habitants à qui il manque quelque chose",
                    "orient": "bottom",
                    "columns": 3,
                    "symbolType": "square",
                    "symbolStrokeWidth": 0.6,
                    "labelLimit": 260,
                    "titleLimit": 400,
                },
            },
            "stroke": {
                "condition": {"test": "datum.choisie", "value": "#c2410c"},
                "value": "#55504a",
            },
            "strokeWidth": {"condition": {"test": "datum.choisie", "value": 4}, "value": 0.6},
            "tooltip": [
                {"field": "nom", "title": "zone"},
                {"field": "texte", "title": "sans tous ces services"},
            ],
        },
        "config": {"view": {"stroke": None}, "font": "Public Sans"},
    }


def classer_part(valeur: float) -> str:
    """Classe de la carte d'une part, bornes hautes incluses.

    Examples
    --------
    >>> classer_part(0.1), classer_part(0.11), classer_part(float("nan"))
    ('jusqu’à 10 %', '10 à 25 %', 'sans habitant ou sans donnée')
    """
    if not np.isfinite(valeur):
        return SANS_HABITANT
    return CLASSES_PARTS[int(np.searchsorted(BORNES_PARTS, valeur - 1e-9, side="left"))]


def ecrire_csv(table: pd.DataFrame) -> bytes:
    """Table pour un tableur français : UTF-8 avec BOM, point-virgule, virgule décimale."""
    texte: str = table.to_csv(index=False, sep=";", decimal=",", float_format="%.6g")
    return texte.encode("utf-8-sig")

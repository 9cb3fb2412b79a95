"""Tables de la page Carences : analyses du territoire, carences d'un type de zone, CSV."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd

from accessibilite.analyses.ensemble import calculer_analyses
from accessibilite.bilans.carences_modes import filtrer_carences
from couches.resultats import DOSSIER_ETUDE, ecrire_resultats, lire_resultats
from donnees_geo.configuration.analyses import ParametresAnalyses, lire_parametres_analyses
from donnees_geo.erreurs import ErreurProjet
from donnees_geo.thematiques.quartiers import lire_quartiers
from pages._commun.partage import Partage, Progression

_JOURNAL = logging.getLogger(__name__)
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
    reglages = lire_parametres_analyses()
    dossier = None if territoire.dossier is None else territoire.dossier / DOSSIER_ETUDE
    if dossier is not None:
        try:
            lu = lire_resultats(dossier)
        except (ErreurProjet, OSError, ValueError, KeyError):
            lu = None
        if lu is not None and lu.analyses and _meme_etude(lu.description, partage, reglages):
            return lu.analyses
    analyses = calculer_analyses(
        territoire,
        partage.resultat,
        reglages,
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


def _meme_etude(
    description: Mapping[str, Any], partage: Partage, reglages: ParametresAnalyses
) -> bool:
    """Vrai si le résultat gardé est celui de l'étude affichée, analysée avec les mêmes réglages."""
    jour = partage.resultat.jour
    return (
        description["empreinte_territoire"] == partage.territoire.empreinte
        and description["modes"] == list(partage.resultat.modes)
        and description.get("jour") == (jour.isoformat() if jour else None)
        and partage.etude_relue
        and description.get("reglages_analyses") == json.loads(json.dumps(asdict(reglages)))
    )


def carences_de(partage: Partage, type_zone: str, services: list[str]) -> pd.DataFrame:
    """Carences d'un type de zone, les plus lourdes d'abord."""
    return filtrer_carences(partage.resultat.carences, zone_type=type_zone, services=services)


def nommer_proche(partage: Partage, ligne: pd.Series[Any]) -> str:
    """Équipement le plus proche d'une carence : nom et commune, même hors du territoire."""
    if not ligne["equipement_proche"]:
        return "aucun n’est accessible"
    code = str(ligne["equipement_proche_commune"])
    lieu = partage.noms_communes.get(code, code) or "hors du territoire"
    nom = str(ligne["equipement_proche_nom"])
    return f"{nom} ({lieu})" if nom else f"à {lieu}" if code else lieu


def ecrire_csv(table: pd.DataFrame) -> bytes:
    """Table pour un tableur français : UTF-8 avec BOM, point-virgule, virgule décimale."""
    texte: str = table.to_csv(index=False, sep=";", decimal=",", float_format="%.6g")
    return texte.encode("utf-8-sig")

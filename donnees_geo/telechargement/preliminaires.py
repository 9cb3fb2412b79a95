"""Petits fichiers qui disent le territoire avant toute autre source : nom, communes, contours."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from donnees_geo.erreurs import ErreurDonnees, ErreurProjet
from donnees_geo.telechargement.adresses import remplir
from donnees_geo.telechargement.cache import Cache
from donnees_geo.telechargement.catalogue import SOURCE_EPCI, Catalogue, SourceOuverte
from donnees_geo.telechargement.client import AdresseAbsente
from donnees_geo.telechargement.trace import Trace, est_a_la_main

journal = logging.getLogger(__name__)


def obtenir_seul(
    source: SourceOuverte | None,
    champs: dict[str, str],
    cache: Cache,
    *,
    trace: Trace | None = None,
    dossier: Path | None = None,
) -> Path:
    """Fichier d'une source à une seule part, de la première adresse qui répond.

    Parameters
    ----------
    source
        Ligne du catalogue.
    champs
        Valeurs des champs de l'adresse.
    trace, dossier
        Territoire où le fichier a pu être posé à la main : il l'emporte.

    Raises
    ------
    ErreurDonnees
        Aucune adresse ne répond ; l'erreur de la première est rendue, et où poser le fichier.
    """
    if source is None:
        raise ErreurDonnees("Le catalogue n'a pas cette source.")
    if dossier is not None and trace is not None and est_a_la_main(trace, dossier, source.fichier):
        return dossier / source.fichier
    premiere: ErreurDonnees | None = None
    for modele in source.adresses:
        try:
            objet = cache.obtenir(
                remplir(modele, champs), source.format, taille_max=source.taille_max_octets
            )
        except ErreurDonnees as erreur:
            premiere = premiere or erreur
        else:
            return objet.chemin
    ou = "" if dossier is None else f", ou posez le fichier sous {dossier / source.fichier}"
    epci = champs.get("epci")
    if isinstance(premiere, AdresseAbsente) and epci:
        raise ErreurDonnees(
            f"Aucune intercommunalité de code {epci}.",
            objet=premiere.objet,
            trouve=premiere.trouve,
            conseil=f"vérifiez le code SIREN de l'EPCI ({source.page}){ou}",
        ) from premiere
    if premiere is None:
        raise ErreurDonnees("Source sans adresse.", objet=source.id)
    raise ErreurDonnees(
        f"{source.titre} : {premiere.message}",
        objet=premiere.objet,
        attendu=premiere.attendu,
        trouve=premiere.trouve,
        conseil=f"{premiere.conseil or 'voyez ' + source.page}{ou}",
    ) from premiere


def lire_nom(epci: str, catalogue: Catalogue, cache: Cache) -> str:
    """Nom d'un EPCI ; à défaut, son code."""
    source = catalogue.source(SOURCE_EPCI)
    try:
        fichier = obtenir_seul(source, {"epci": epci}, cache)
        lu = json.loads(fichier.read_text(encoding="utf-8-sig"))
        nom = lu.get("nom") if isinstance(lu, dict) else None
    except (ErreurProjet, OSError, ValueError) as erreur:
        journal.info("nom de l'EPCI %s inconnu : %s", epci, erreur)
        nom = None
    return str(nom) if nom else f"EPCI {epci}"

"""Manifeste écrit d'après les fichiers présents, prêt pour ``preparer``."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.erreurs import ErreurProjet
from donnees_geo.gtfs import lire_gtfs
from donnees_geo.gtfs.jours import choisir_jour
from donnees_geo.telechargement.catalogue import SourceOuverte
from donnees_geo.telechargement.cible import Cible
from donnees_geo.telechargement.contenu import calculer_somme
from donnees_geo.telechargement.trace import Trace

journal = logging.getLogger(__name__)

FICHIER: Final = "territoire.toml"
#: Clé du manifeste qui réunit les flux de plusieurs sources.
CLE_GTFS: Final = "transport.gtfs"
#: Où va le manifeste neuf quand l'utilisateur a modifié le sien.
FICHIER_PROPOSE: Final = "territoire.propose.toml"
_ORDRE: Final = (
    "reseau", "decoupage", "population", "services", "transport", "couches", "relief",
)  # fmt: skip


def composer_manifeste(
    cible: Cible,
    fichiers: Mapping[str, Sequence[str]],
    sources: Sequence[SourceOuverte],
    date_service: date | None = None,
) -> str:
    """Texte du manifeste.

    Parameters
    ----------
    fichiers
        Identifiant de source → fichiers présents, relatifs au dossier.
    sources
        Catalogue, dont les clés disent où va chaque fichier.
    date_service
        Jour étudié, quand il y a du transport.
    """
    sections: dict[str, list[str]] = {nom: [] for nom in _ORDRE}
    gtfs = lister_flux(fichiers, sources)
    for source in sources:
        presents = fichiers.get(source.id, ())
        if not source.cle or not presents:
            continue
        section, _, cle = source.cle.partition(".")
        if source.cle != CLE_GTFS:
            sections[section].append(f"{cle} = {_texte(presents[0])}")
    if gtfs:
        liste = "".join(f"    {_texte(f)},\n" for f in gtfs)
        sections["transport"].append(f"gtfs = [\n{liste}]")
        if date_service is not None:
            sections["transport"].append(f"date_service = {date_service.isoformat()}")
    if sections["reseau"]:
        sections["services"].append("osm = true")
    lignes = [
        "# Écrit par « demi-heure telecharger ». Complétez-le librement : un manifeste modifié",
        "# n'est jamais remplacé. Origine et licence de chaque fichier : telechargement.json.",
        f"nom = {_texte(cible.nom)}",
        f"crs = {_texte(cible.crs)}",
    ]
    for nom in _ORDRE:
        if sections[nom]:
            lignes += ["", f"[{nom}]", *sections[nom]]
    return "\n".join(lignes) + "\n"


def lister_flux(
    fichiers: Mapping[str, Sequence[str]], sources: Sequence[SourceOuverte]
) -> list[str]:
    """Flux GTFS présents, triés."""
    return sorted({f for s in sources if s.cle == CLE_GTFS for f in fichiers.get(s.id, ())})


def proposer_date(flux: Sequence[str], dossier: Path, cible: Cible, trace: Trace) -> date | None:
    """Mardi de période scolaire commun aux flux ; ``None`` s'ils n'en montrent pas.

    La trace garde la réponse : elle n'est recalculée que si un flux change.
    """
    if not flux:
        return None
    empreintes = " ".join(calculer_somme(dossier / f) for f in flux)
    if empreintes != trace.flux:
        try:
            offre, _constats = lire_gtfs([dossier / f for f in flux], cible.crs, cible.emprise_geo)
            trace.date_service = choisir_jour(offre, "mardi_scolaire").isoformat()
        except ErreurProjet as erreur:  # « verifier » dira la faute du flux
            journal.info("aucun jour proposé : %s", erreur)
            trace.date_service = ""
        trace.flux = empreintes
    return date.fromisoformat(trace.date_service) if trace.date_service else None


def ecrire_manifeste(texte: str, dossier: Path, trace: Trace) -> Path:
    """Écrire le manifeste, sans jamais remplacer celui que l'utilisateur a modifié.

    La trace reçoit l'empreinte de ce qui est écrit.

    Returns
    -------
    Path
        Manifeste en vigueur : le neuf, ou celui de l'utilisateur (le neuf est alors à côté, sous
        :data:`FICHIER_PROPOSE`).
    """
    chemin = dossier / FICHIER
    propose = dossier / FICHIER_PROPOSE
    modifie = chemin.exists() and calculer_somme(chemin) != trace.manifeste_sha256
    if modifie and chemin.read_text(encoding="utf-8") == texte:
        modifie = False
    cible = propose if modifie else chemin
    with ecrire_atomique(cible) as provisoire:
        provisoire.write_text(texte, encoding="utf-8")
    if not modifie:
        trace.manifeste_sha256 = calculer_somme(chemin)
        propose.unlink(missing_ok=True)
    return chemin


def _texte(valeur: str) -> str:
    """Texte TOML : mêmes échappements que JSON pour ce qui peut s'y trouver."""
    return json.dumps(valeur, ensure_ascii=False)

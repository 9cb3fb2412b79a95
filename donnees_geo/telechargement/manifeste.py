"""Manifeste écrit d'après les fichiers présents, prêt pour ``preparer``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.telechargement.catalogue import SourceOuverte
from donnees_geo.telechargement.cible import Cible
from donnees_geo.telechargement.contenu import calculer_somme
from donnees_geo.telechargement.trace import Trace

FICHIER: Final = "territoire.toml"
#: Où va le manifeste neuf quand l'utilisateur a modifié le sien.
FICHIER_PROPOSE: Final = "territoire.propose.toml"
_ORDRE: Final = (
    "reseau", "decoupage", "population", "services", "transport", "couches", "relief",
)  # fmt: skip


def composer_manifeste(
    cible: Cible,
    fichiers: Mapping[str, Sequence[str]],
    sources: Sequence[SourceOuverte],
) -> str:
    """Texte du manifeste.

    Parameters
    ----------
    fichiers
        Identifiant de source → fichiers présents, relatifs au dossier.
    sources
        Catalogue, dont les clés disent où va chaque fichier.
    """
    sections: dict[str, list[str]] = {nom: [] for nom in _ORDRE}
    gtfs: list[str] = []
    for source in sources:
        presents = fichiers.get(source.id, ())
        if not source.cle or not presents:
            continue
        section, _, cle = source.cle.partition(".")
        if source.cle == "transport.gtfs":
            gtfs += presents
        else:
            sections[section].append(f"{cle} = {_texte(presents[0])}")
    if gtfs:
        liste = "".join(f"    {_texte(f)},\n" for f in sorted(gtfs))
        sections["transport"].append(f"gtfs = [\n{liste}]")
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

"""Diagnostics à comparer : dossiers de résultats posés à côté de l'étude du territoire."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from couches.resultats import DOSSIER_ETUDE
from pages._commun.partage import Partage

_DESCRIPTION: Final = "resultat.json"


def lister_suivis(partage: Partage) -> dict[str, Path]:
    """Dossiers de résultats du territoire préparé, sauf l'étude affichée : nom → chemin."""
    dossier = partage.territoire.dossier
    if dossier is None:
        return {}
    trouves = sorted(c.parent for c in dossier.glob(f"*/{_DESCRIPTION}"))
    return {c.name: c for c in trouves if c.name != DOSSIER_ETUDE}

"""Mesure de ce programme : du clic au polygone affiché, dans un vrai navigateur."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any, Final

from protocole import executer, mesure

from donnees_geo.erreurs import ErreurProjet
from scripts.banc_visualiseur import mesurer_clics

MODES: Final = ("marche", "voiture")


def mesurer(travail: dict[str, Any]) -> list[dict[str, Any]]:
    """Cliquer dans chaque mode ; le contrôle est la part du calcul en Python."""
    mesures = []
    for mode in MODES:
        try:
            clics = mesurer_clics(Path(travail["territoire"]), travail["clics"], mode)
        except ErreurProjet as erreur:
            # Dernière ligne de la sortie d'erreur : le banc la donne pour raison.
            sys.exit(erreur.message)
        mesures.append(
            mesure(
                f"clic_{mode}",
                "nous",
                statistics.median(clics.durees_ms) / 1000,
                controle=clics.calcul_median_ms,
                unite_controle="ms en Python",
            )
        )
    return mesures


if __name__ == "__main__":
    executer(mesurer)

"""Commande ``app`` : ouvrir le visualiseur sur un territoire préparé."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from donnees_geo.erreurs import ErreurProjet

RACINE: Final = Path(__file__).resolve().parent.parent.parent
#: Variables par lesquelles le visualiseur reçoit ses réglages de départ.
VARIABLE_DOSSIER: Final = "DEMI_HEURE_DOSSIER"
VARIABLE_PROJECTEUR: Final = "DEMI_HEURE_PROJECTEUR"


def declarer(commandes: Any) -> None:
    """Ajouter la commande à l'analyseur."""
    analyseur = commandes.add_parser(
        "app",
        help="ouvrir le visualiseur",
        description="Ouvre le visualiseur dans le navigateur, sans rien envoyer sur internet.",
    )
    analyseur.add_argument(
        "dossier",
        nargs="?",
        type=Path,
        default=RACINE / "donnees" / "demo-prepare",
        metavar="DOSSIER",
        help="territoire préparé (par défaut celui de démonstration, donnees/demo-prepare)",
    )
    analyseur.add_argument(
        "--port", type=_port, default=8501, metavar="N", help="port local (8501 par défaut)"
    )
    analyseur.add_argument(
        "--projecteur",
        action="store_true",
        help="présentation agrandie et contrastée, pour une salle",
    )
    analyseur.set_defaults(executer=executer)


def _port(texte: str) -> int:
    if not texte.isdigit() or not 1024 <= int(texte) <= 65535:
        raise argparse.ArgumentTypeError(
            f"un numéro de port entre 1024 et 65535 est attendu, trouvé « {texte} »"
        )
    return int(texte)


def executer(options: argparse.Namespace) -> int:
    """Lancer Streamlit sur ``app.py`` ; son code de retour est le nôtre.

    Raises
    ------
    ErreurProjet
        Si le visualiseur n'est pas installé avec cette version, ou si le dossier n'est pas un
        territoire préparé.
    """
    page = RACINE / "app.py"
    if not page.exists() or importlib.util.find_spec("streamlit") is None:
        raise ErreurProjet(
            "Le visualiseur n'est pas encore livré avec cette version.",
            objet=page,
            conseil="Servez-vous des autres commandes (isochrone, temps, diagnostiquer) ; leurs "
            "fichiers s'ouvrent dans QGIS ou un tableur.",
        )
    dossier = options.dossier.resolve()
    if not (dossier / "territoire.json").is_file():
        raise ErreurProjet(
            "Ce dossier n'est pas un territoire préparé.",
            objet=dossier,
            attendu="un dossier écrit par « demi-heure preparer » (avec territoire.json)",
            conseil="Préparez-le d'abord : demi-heure preparer MANIFESTE --sortie DOSSIER",
        )
    environnement = os.environ | {
        VARIABLE_DOSSIER: str(dossier),
        VARIABLE_PROJECTEUR: "1" if options.projecteur else "",
    }
    commande = [
        *(sys.executable, "-m", "streamlit", "run", str(page)),
        *("--server.port", str(options.port), "--browser.gatherUsageStats", "false"),
    ]
    processus = subprocess.Popen(commande, env=environnement, cwd=RACINE)
    try:
        return processus.wait()
    except KeyboardInterrupt:
        processus.terminate()
        processus.wait()
        return 0

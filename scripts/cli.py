"""Point d'entrée de la commande ``demi-heure``.

Codes de retour : 0 fait, 1 données ou demande fautives (dites en français, sans trace Python),
2 commande mal écrite, 130 interrompue au clavier.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Final

from donnees_geo.erreurs import ErreurProjet
from scripts.commandes import (
    application,
    banc,
    desserte,
    diagnostic,
    exporter,
    isochrone,
    suivi,
    telecharger,
    temps,
    territoire,
)
from scripts.commandes.analyse import Analyseur
from scripts.commandes.sorties import traduire_erreur_systeme

DESCRIPTION: Final = """\
Mesure l'accès aux services d'un territoire : qui atteint quoi, en combien de temps, par quel mode.

Pour commencer : demi-heure demo --sortie donnees/demo
                 demi-heure preparer donnees/demo/territoire.toml --sortie donnees/demo-prepare
                 demi-heure app donnees/demo-prepare"""

EXEMPLE_COMMANDE: Final = "demi-heure COMMANDE --aide explique chaque commande."


def construire_analyseur() -> Analyseur:
    """Construire l'analyseur et ses commandes, dans l'ordre où l'on s'en sert."""
    analyseur = Analyseur(prog="demi-heure", description=DESCRIPTION, epilog=EXEMPLE_COMMANDE)
    analyseur.add_argument(
        "--bavard", action="store_true", help="écrire aussi le journal des étapes"
    )
    analyseur.add_argument(
        "--progression",
        choices=("auto", "oui", "non"),
        default="auto",
        help="barres de progression (auto : seulement sur un terminal)",
    )
    commandes = analyseur.add_subparsers(
        title="commandes", dest="commande", metavar="COMMANDE", required=True
    )
    for module in (
        territoire,
        telecharger,
        isochrone,
        temps,
        desserte,
        diagnostic,
        exporter,
        suivi,
        banc,
        application,
    ):
        module.declarer(commandes)
    return analyseur


def principal(arguments: Sequence[str] | None = None) -> int:
    """Exécuter une commande et rendre son code de retour."""
    _parler_utf8()
    options = construire_analyseur().parse_args(arguments)
    logging.basicConfig(
        level=logging.INFO if options.bavard else logging.ERROR, format="%(message)s", force=True
    )
    logging.captureWarnings(True)
    options.montrer = {"auto": None, "oui": True, "non": False}[options.progression]
    try:
        with _arret_propre():
            return _executer(options)
    except BrokenPipeError:
        # Le lecteur (« | head ») est parti : on se tait, sans que Python se plaigne en sortant.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("Interrompu : rien n'a été laissé à moitié écrit.", file=sys.stderr)
        return 130
    except ErreurProjet as faute:
        print(f"Erreur : {faute}", file=sys.stderr)
        return 1
    except OSError as faute:
        print(f"Erreur : {traduire_erreur_systeme(faute)}", file=sys.stderr)
        return 1
    except MemoryError:
        print(
            "Erreur : la mémoire de la machine ne suffit pas.\n"
            "  À faire : fermez d'autres programmes, ou réduisez l'emprise du manifeste.",
            file=sys.stderr,
        )
        return 1


def _executer(options: argparse.Namespace) -> int:
    code: int = options.executer(options)
    return code


@contextlib.contextmanager
def _arret_propre() -> Iterator[None]:
    """Traiter une demande d'arrêt (SIGTERM) comme Ctrl-C : les fichiers provisoires sont ôtés."""

    def interrompre(_signal: int, _cadre: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        ancien = signal.signal(signal.SIGTERM, interrompre)
    except ValueError:  # hors du fil principal (essais) : Python réserve les signaux à celui-ci
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, ancien)


def _parler_utf8() -> None:
    """Éviter qu'une console ancienne (Windows) fasse échouer un message accentué."""
    for flux in (sys.stdout, sys.stderr):
        reconfigurer = getattr(flux, "reconfigure", None)
        if reconfigurer is not None:
            reconfigurer(errors="replace")


if __name__ == "__main__":
    sys.exit(principal())

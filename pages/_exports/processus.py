"""Processus d'un export : à part, pour qu'un long atlas ne ralentisse aucune session.

Lancé par l'atelier (``python -m pages._exports.processus COMMANDE.json``) ; dit où il en est sur sa
sortie, une ligne JSON à la fois. Une demande d'arrêt le laisse ranger ses fichiers provisoires ; il
s'arrête aussi si le serveur disparaît.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final

from couches.paquets import exporter_archive
from couches.resultats import relire_etude
from donnees_geo.erreurs import ErreurProjet
from donnees_geo.territoire import charger_territoire
from pages._exports.demande import Commande

#: Priorité abaissée : les clics des sessions passent devant.
_GENTILLESSE: Final = 5
#: Code de sortie d'un export interrompu, comme la ligne de commande.
INTERROMPU: Final = 130


def dire(message: Mapping[str, Any]) -> None:
    """Écrire une ligne à l'atelier."""
    sys.stdout.write(json.dumps(message, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def executer(commande: Commande) -> None:
    """Écrire l'archive d'un export.

    Raises
    ------
    ErreurProjet
        Demande ou données en faute.
    """

    def avancer(etape: str, part: float) -> None:
        dire({"etape": etape, "part": round(part, 4)})

    avancer("chargement", 0.0)
    territoire = charger_territoire(commande.dossier)
    resultat = relire_etude(commande.resultats, territoire)
    demande = commande.demande
    exporter_archive(
        demande.format_export,
        territoire,
        resultat,
        commande.archive,
        demande.options(resultat, commande.resultats),
        avancer,
    )


def _interrompre(_signal: int, _cadre: FrameType | None) -> None:
    raise KeyboardInterrupt


def principal(arguments: list[str]) -> int:
    """Exécuter la commande écrite dans le fichier donné ; 0 fait, 1 en faute, 130 interrompu."""
    signal.signal(signal.SIGTERM, _interrompre)
    if hasattr(os, "nice"):
        os.nice(_GENTILLESSE)
    try:
        executer(Commande.lire(Path(arguments[0])))
    except ErreurProjet as erreur:
        objet = None if erreur.objet is None else str(erreur.objet)
        dire({"message": erreur.message, "objet": objet, "conseil": erreur.conseil})
        return 1
    except OSError as erreur:
        dire(
            {
                "message": "Le système a refusé l'écriture de l'export.",
                "objet": erreur.strerror or type(erreur).__name__,
                "conseil": "libérer de la place sur le disque du serveur, puis recommencer",
            }
        )
        return 1
    except KeyboardInterrupt:
        return INTERROMPU
    return 0


if __name__ == "__main__":
    sys.exit(principal(sys.argv[1:]))

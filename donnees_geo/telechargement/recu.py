"""Fichier reçu et contrat d'un traitement, partagés par les découpes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.telechargement.catalogue import SourceOuverte
from donnees_geo.telechargement.cible import Cible

Progression = Callable[[str, float], None]


class RienDansTerritoire(ErreurDonnees):
    """La source est bonne, mais ne contient rien ici."""


@dataclass(frozen=True)
class Recu:
    """Fichier reçu, et l'enveloppe qu'il couvre s'il s'agit d'une dalle."""

    chemin: Path
    bornes: tuple[float, float, float, float] | None = None


Traitement = Callable[[Sequence[Recu], Cible, SourceOuverte, Path, Progression], None]


def seul(recus: Sequence[Recu], source: SourceOuverte) -> Recu:
    """Le seul fichier attendu d'une source.

    Raises
    ------
    ErreurDonnees
        Il y en a plusieurs, ou aucun.
    """
    if len(recus) != 1:
        raise ErreurDonnees(
            "Cette source devrait tenir en un fichier.", objet=source.id, trouve=str(len(recus))
        )
    return recus[0]


def exiger(nombre: int, source: SourceOuverte, quoi: str) -> None:
    """Vérifier qu'une découpe a gardé quelque chose.

    Raises
    ------
    RienDansTerritoire
        Sinon.
    """
    if nombre == 0:
        raise RienDansTerritoire(
            f"{source.titre} : {quoi}.",
            objet=source.id,
            conseil="cela peut être vrai ; sinon vérifiez le fichier publié",
        )

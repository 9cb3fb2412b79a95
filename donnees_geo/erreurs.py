"""Erreurs du projet et constats de vérification.

Une seule famille d'exceptions (:class:`ErreurProjet`) : la ligne de commande et le visualiseur
n'attrapent qu'elle, et son texte suffit à l'utilisateur pour agir.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ErreurProjet(Exception):
    """Faute dans les données ou dans la demande, dite en français à l'utilisateur.

    Parameters
    ----------
    message
        Ce qui ne va pas, en une phrase.
    objet
        Fichier, colonne, ligne, identifiant ou paramètre en cause.
    attendu, trouve
        Ce que le programme attendait et ce qu'il a trouvé.
    conseil
        Ce que l'utilisateur peut faire.
    """

    def __init__(
        self,
        message: str,
        *,
        objet: object = None,
        attendu: object = None,
        trouve: object = None,
        conseil: str | None = None,
    ) -> None:
        self.message = message
        self.objet = objet
        self.attendu = attendu
        self.trouve = trouve
        self.conseil = conseil
        super().__init__(str(self))

    def __str__(self) -> str:
        lignes = [self.message]
        for titre, valeur in (
            ("Objet", self.objet),
            ("Attendu", self.attendu),
            ("Trouvé", self.trouve),
            ("À faire", self.conseil),
        ):
            if valeur is not None:
                lignes.append(f"  {titre} : {valeur}")
        return "\n".join(lignes)


class ErreurConfiguration(ErreurProjet):
    """Manifeste ou fichier de paramètres fautif."""


class ErreurDonnees(ErreurProjet):
    """Fichier source absent, illisible ou incohérent."""


class ErreurEcriture(ErreurDonnees):
    """Disque ou dossier qui refuse l'écriture ; les données elles-mêmes ne sont pas en cause."""


class ErreurReseau(ErreurProjet):
    """Réseau de rues inutilisable, ou point hors du réseau."""


class ErreurScenario(ErreurProjet):
    """Scénario impossible à appliquer au territoire."""


class ErreurSolveur(ErreurProjet):
    """Problème d'optimisation sans solution ou solveur en échec."""


_RAISONS_SYSTEME: Final = {
    errno.ENOSPC: "disque plein",
    errno.EDQUOT: "quota de disque atteint",
    errno.EROFS: "support en lecture seule",
    errno.EACCES: "accès refusé",
    errno.EPERM: "opération interdite",
    errno.ENOTDIR: "un élément du chemin n'est pas un dossier",
    errno.EISDIR: "c'est un dossier",
    errno.ENOENT: "chemin absent",
    errno.ENAMETOOLONG: "nom trop long",
    errno.EIO: "panne de lecture ou d'écriture",
}


def dire_raison(erreur: OSError) -> str:
    """Ce que dit le système, en français quand la cause est courante.

    Examples
    --------
    >>> dire_raison(OSError(28, "No space left on device"))
    'disque plein'
    >>> dire_raison(OSError("rien de connu"))
    'rien de connu'
    """
    return _RAISONS_SYSTEME.get(erreur.errno or 0) or erreur.strerror or str(erreur)


class Gravite(StrEnum):
    """Gravité d'un constat : ``bloquant`` empêche de préparer le territoire."""

    BLOQUANT = "bloquant"
    MAJEUR = "majeur"
    MINEUR = "mineur"


@dataclass(frozen=True)
class Constat:
    """Un fait relevé pendant la vérification d'une source.

    Attributes
    ----------
    gravite
        Degré de gravité.
    objet
        Source, fichier ou table concernée (« services.bpe », « communes »…).
    message
        Phrase complète : ce qui a été trouvé, combien, et ce qui en est fait.
    """

    gravite: Gravite
    objet: str
    message: str


def lever_si_bloquant(
    constats: Iterable[Constat], erreur: type[ErreurProjet] = ErreurDonnees
) -> None:
    """Lever une seule erreur qui énumère tous les constats bloquants.

    Raises
    ------
    ErreurProjet
        Du type ``erreur``, si au moins un constat est bloquant.
    """
    bloquants: Sequence[Constat] = [c for c in constats if c.gravite is Gravite.BLOQUANT]
    if bloquants:
        detail = "\n".join(f"  - {c.objet} : {c.message}" for c in bloquants)
        raise erreur(f"{len(bloquants)} constat(s) bloquant(s) :\n{detail}")

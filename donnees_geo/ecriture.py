"""Écriture atomique des fichiers de sortie : rien d'à moitié écrit, rien de perdu."""

from __future__ import annotations

import glob
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from donnees_geo.erreurs import ErreurDonnees, ErreurEcriture, dire_raison


@contextmanager
def ecrire_atomique(chemin: Path) -> Iterator[Path]:
    """Donner un fichier provisoire du même dossier, puis le substituer à ``chemin``.

    Le fichier provisoire garde l'extension, dont les bibliothèques déduisent le format. Si
    l'écriture échoue, l'ancien fichier reste intact et le provisoire disparaît.

    Raises
    ------
    ErreurDonnees
        Dossier absent.
    ErreurEcriture
        Dossier protégé, disque plein, fichier ouvert par un autre programme.
    """
    chemin = Path(chemin)
    if not chemin.parent.is_dir():
        raise ErreurDonnees(
            "Le dossier de sortie n'existe pas.",
            objet=chemin.parent,
            conseil="créer le dossier, ou choisir un autre chemin",
        )
    try:
        dossier = Path(tempfile.mkdtemp(prefix=_prefixe(chemin), dir=chemin.parent))
    except OSError as erreur:
        raise _traduire(erreur, chemin) from erreur
    provisoire = dossier / chemin.name
    try:
        yield provisoire
        provisoire.replace(chemin)
    except OSError as erreur:
        raise _traduire(erreur, chemin) from erreur
    finally:
        for reste in dossier.glob("*"):
            reste.unlink(missing_ok=True)
        dossier.rmdir()


def retirer_restes(chemin: Path) -> None:
    """Retirer ce qu'une écriture tuée a laissé à côté d'un fichier.

    À n'appeler que si personne d'autre n'écrit ce fichier
    (:func:`donnees_geo.verrou.verrouiller`).
    """
    for reste in chemin.parent.glob(f"{glob.escape(_prefixe(chemin))}????????"):
        if reste.is_dir():
            shutil.rmtree(reste, ignore_errors=True)


def _prefixe(chemin: Path) -> str:
    """Début du nom du dossier provisoire d'un fichier."""
    return f".{chemin.stem}-"


def _traduire(erreur: OSError, chemin: Path) -> ErreurEcriture:
    if isinstance(erreur, PermissionError):
        conseil = "fermer le fichier s'il est ouvert dans un autre programme, vérifier les droits"
    else:
        conseil = "vérifier l'espace disque et le chemin ; l'ancien fichier est intact"
    return ErreurEcriture(
        "Le fichier n'a pas pu être écrit.",
        objet=chemin,
        trouve=dire_raison(erreur),
        conseil=conseil,
    )

"""Sorties demandées : vérifiées avant de calculer, fautes du disque dites en français."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final

from donnees_geo.erreurs import ErreurProjet

_CAUSES: Final[dict[int, tuple[str, str]]] = {
    errno.ENOSPC: ("Le disque est plein.", "Libérez de la place, puis relancez."),
    errno.EDQUOT: ("Le quota de disque est atteint.", "Libérez de la place, puis relancez."),
    errno.EROFS: ("Le disque est en lecture seule.", "Choisissez un autre dossier de sortie."),
    errno.EACCES: (
        "L'accès est refusé.",
        "Fermez le fichier s'il est ouvert dans un autre programme (tableur, SIG), ou vérifiez "
        "les droits d'accès.",
    ),
    errno.EPERM: ("L'opération n'est pas permise.", "Vérifiez les droits d'accès."),
    errno.ENOENT: ("Le fichier ou le dossier n'existe pas.", "Vérifiez le chemin."),
    errno.EISDIR: ("Un fichier est attendu, pas un dossier.", "Vérifiez le chemin."),
    errno.ENOTDIR: ("Un dossier est attendu, pas un fichier.", "Vérifiez le chemin."),
    errno.ENAMETOOLONG: ("Le nom du fichier est trop long.", "Raccourcissez le chemin."),
}


def traduire_erreur_systeme(faute: OSError) -> str:
    """Dire en français une erreur du système de fichiers : ce qui s'est passé, où, que faire."""
    phrase, conseil = _CAUSES.get(
        faute.errno or 0,
        (f"Le système a refusé l'opération ({faute}).", "Vérifiez le disque et le chemin."),
    )
    chemin = faute.filename2 or faute.filename
    lignes = [phrase, *([f"  Objet : {chemin}"] if chemin else []), f"  À faire : {conseil}"]
    return "\n".join(lignes)


def exiger_dossier_parent(chemin: Path) -> None:
    """Vérifier avant tout calcul que le dossier où écrire existe.

    Raises
    ------
    ErreurProjet
        Si le dossier manque, ou si ``chemin`` est un dossier.
    """
    if chemin.is_dir():
        raise ErreurProjet(
            "La sortie demandée est un dossier ; un fichier est attendu.", objet=chemin
        )
    if not chemin.parent.is_dir():
        raise ErreurProjet(
            "Le dossier où écrire n'existe pas.",
            objet=chemin.parent,
            conseil="Créez-le, ou corrigez --sortie.",
        )

"""Ouverture d'un flux GTFS : archive zip (ou dossier), contrôlée avant toute lecture.

Une archive reçue d'un tiers peut être tronquée, mentir sur ses tailles ou contenir des chemins qui
sortent du dossier : rien n'est extrait sur le disque, et ce qui est suspect est refusé.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from donnees_geo.erreurs import ErreurDonnees

#: Taille décompressée totale admise ; le flux national le plus lourd d'Europe tient dedans.
TAILLE_MAX_OCTETS: Final = 8 * 2**30
#: Rapport de compression au-delà duquel un gros fichier est tenu pour une bombe (texte CSV : < 40).
RAPPORT_MAX: Final = 200
_SEUIL_RAPPORT_OCTETS: Final = 10 * 2**20


@dataclass(frozen=True)
class ArchiveGtfs:
    """Flux GTFS ouvert en lecture.

    Attributes
    ----------
    chemin
        Archive zip ou dossier.
    membres
        Nom de fichier GTFS (``stops.txt``) → nom complet dans l'archive.
    """

    chemin: Path
    membres: dict[str, str]

    def contient(self, nom: str) -> bool:
        """Dire si le fichier ``nom`` est présent."""
        return nom in self.membres

    def lire(self, nom: str) -> bytes:
        """Lire un fichier du flux en entier.

        Raises
        ------
        ErreurDonnees
            Fichier absent, archive tronquée ou contenu altéré (somme de contrôle fausse).
        """
        if nom not in self.membres:
            raise ErreurDonnees(
                f"Le flux GTFS n'a pas le fichier obligatoire {nom}.",
                objet=self.chemin,
                attendu=nom,
                trouve=", ".join(sorted(self.membres)) or "aucun fichier .txt",
                conseil="Demander un flux complet au producteur.",
            )
        if self.chemin.is_dir():
            return (self.chemin / self.membres[nom]).read_bytes()
        try:
            with zipfile.ZipFile(self.chemin) as archive:
                return archive.read(self.membres[nom])
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as faute:
            raise _archive_illisible(self.chemin, f"{nom} : {faute}") from faute
        except RuntimeError as faute:  # zipfile : membre chiffré
            raise _archive_illisible(self.chemin, f"{nom} est chiffré") from faute


def ouvrir_archive(chemin: Path) -> ArchiveGtfs:
    """Ouvrir un flux GTFS et contrôler son contenu sans rien extraire.

    Les fichiers peuvent être rangés dans un sous-dossier de l'archive.

    Raises
    ------
    ErreurDonnees
        Fichier absent ou illisible, chemin qui sort de l'archive, taille décompressée démesurée,
        ou plusieurs flux dans la même archive.
    """
    if not chemin.exists():
        raise ErreurDonnees(
            "Le flux GTFS est introuvable.",
            objet=chemin,
            conseil="Vérifier le chemin écrit dans le manifeste, section [transport].",
        )
    if chemin.is_dir():
        noms = [p.relative_to(chemin).as_posix() for p in sorted(chemin.rglob("*.txt"))]
    else:
        noms = _noms_zip(chemin)
    return ArchiveGtfs(chemin, _choisir_dossier(chemin, noms))


def _noms_zip(chemin: Path) -> list[str]:
    """Lister les membres d'un zip après contrôle des chemins et des tailles."""
    try:
        with zipfile.ZipFile(chemin) as archive:
            infos = archive.infolist()
    except zipfile.BadZipFile as faute:
        raise _archive_illisible(chemin, _decrire_contenu(chemin)) from faute
    except OSError as faute:
        raise _archive_illisible(chemin, faute) from faute
    total = 0
    for info in infos:
        morceaux = PurePosixPath(info.filename.replace("\\", "/"))
        if morceaux.is_absolute() or ".." in morceaux.parts or ":" in morceaux.parts[0][:2]:
            raise ErreurDonnees(
                "L'archive GTFS est refusée : un de ses chemins sort de l'archive.",
                objet=chemin,
                trouve=info.filename,
                conseil="Ne pas utiliser ce fichier ; le reprendre chez le producteur.",
            )
        total += info.file_size
        rapport = info.file_size / max(info.compress_size, 1)
        if info.file_size > _SEUIL_RAPPORT_OCTETS and rapport > RAPPORT_MAX:
            raise ErreurDonnees(
                "L'archive GTFS est refusée : un fichier se décompresse démesurément "
                "(bombe de décompression).",
                objet=f"{chemin} : {info.filename}",
                attendu=f"un rapport de compression inférieur à {RAPPORT_MAX}",
                trouve=f"{rapport:.0f} ({info.file_size:,} octets)".replace(",", " "),
                conseil="Ne pas utiliser ce fichier ; le reprendre chez le producteur.",
            )
    if total > TAILLE_MAX_OCTETS:
        raise ErreurDonnees(
            "L'archive GTFS est refusée : elle se décompresse au-delà de la taille admise.",
            objet=chemin,
            attendu=f"au plus {TAILLE_MAX_OCTETS / 2**30:.0f} Gio",
            trouve=f"{total / 2**30:.1f} Gio",
        )
    return [i.filename for i in infos if not i.is_dir()]


def _choisir_dossier(chemin: Path, noms: list[str]) -> dict[str, str]:
    """Retenir le dossier de l'archive qui contient ``stops.txt``."""
    utiles = [
        (PurePosixPath(n.replace("\\", "/")), n)
        for n in noms
        if "__MACOSX" not in n and not PurePosixPath(n).name.startswith("._")
    ]
    dossiers = sorted({str(p.parent) for p, _ in utiles if p.name.lower() == "stops.txt"})
    if len(dossiers) > 1:
        raise ErreurDonnees(
            "L'archive contient plusieurs flux GTFS.",
            objet=chemin,
            trouve=", ".join(dossiers),
            conseil="Faire une archive par flux et les déclarer toutes dans le manifeste.",
        )
    if not dossiers:
        raise ErreurDonnees(
            "Ce fichier n'est pas un flux GTFS : le fichier obligatoire stops.txt est absent.",
            objet=chemin,
            attendu="stops.txt, routes.txt, trips.txt, stop_times.txt, calendar.txt ou "
            "calendar_dates.txt",
            trouve=", ".join(sorted(p.name for p, _ in utiles)[:10]) or "aucun fichier",
        )
    return {p.name.lower(): n for p, n in utiles if str(p.parent) == dossiers[0]}


def _archive_illisible(chemin: Path, detail: object) -> ErreurDonnees:
    """Composer l'erreur d'une archive tronquée ou altérée."""
    return ErreurDonnees(
        "L'archive GTFS est illisible : elle est tronquée, altérée ou n'est pas un zip.",
        objet=chemin,
        trouve=detail,
        conseil="Télécharger de nouveau le fichier et vérifier sa taille.",
    )


def _decrire_contenu(chemin: Path) -> str:
    """Dire ce qu'est un fichier qui n'est pas un zip entier, d'après ses premiers octets."""
    with chemin.open("rb") as flux:
        debut = flux.read(512).lstrip()
    if not debut:
        return "un fichier vide"
    if debut.startswith(b"PK"):
        return f"un zip dont la fin manque, de {chemin.stat().st_size} octets"
    if debut.startswith(b"<"):
        return "une page web ou un fichier XML"
    return "un autre format de fichier"

"""Contrôle d'un fichier reçu : format attendu, entier, et non une page d'erreur."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zipfile
import zlib
from pathlib import Path
from typing import Final

import py7zr
from py7zr.exceptions import ArchiveError

from donnees_geo.erreurs import ErreurDonnees

#: Format → débuts de fichier admis ; un format absent de la table n'a pas de signature.
_SIGNATURES: Final[dict[str, tuple[bytes, ...]]] = {
    "zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "xlsx": (b"PK\x03\x04",),
    "7z": (b"7z\xbc\xaf\x27\x1c",),
    "csv.gz": (b"\x1f\x8b",),
    "gpkg": (b"SQLite format 3\x00",),
    "parquet": (b"PAR1",),
    "tif": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    "json": (b"{", b"["),
    "geojson": (b"{",),
}
FORMATS: Final = (*_SIGNATURES, "csv", "osm.pbf", "osm")
_BLOC: Final = 1 << 20
#: Fin de fichier où un service dit qu'il s'est arrêté en chemin, octets.
_FIN: Final = 4096
_HTML: Final = re.compile(rb"\s*(<!doctype html|<html|<head|<\?xml[^>]*>\s*<!doctype html)", re.I)


def verifier_contenu(fichier: Path, format_attendu: str, adresse: str) -> None:
    """Vérifier la signature et l'intégrité d'un fichier reçu.

    Raises
    ------
    ErreurDonnees
        Fichier vide, page HTML, autre format, archive tronquée, JSON coupé.
    """
    with fichier.open("rb") as flux:
        debut = flux.read(512)
    nu = debut.removeprefix(b"\xef\xbb\xbf")
    if not nu.strip():
        raise _refus("Le serveur a rendu un fichier vide.", adresse, format_attendu)
    if _HTML.match(nu):
        raise _refus(
            "Le serveur a rendu une page web au lieu des données.",
            adresse,
            format_attendu,
            _titre(fichier),
        )
    signatures = _SIGNATURES.get(format_attendu, ())
    attendu_json = format_attendu in ("json", "geojson")
    lu = nu.lstrip() if attendu_json else debut
    if signatures and not lu.startswith(signatures):
        raise _refus("Le fichier reçu n'est pas du format attendu.", adresse, format_attendu, lu)
    if format_attendu == "osm.pbf" and b"OSMHeader" not in debut[:64]:
        raise _refus("Le fichier reçu n'est pas un extrait OSM.", adresse, format_attendu, lu)
    if format_attendu == "osm":
        _verifier_osm_xml(fichier, nu, adresse)
    if format_attendu == "csv" and b"\0" in debut:
        raise _refus("Le fichier reçu n'est pas un texte.", adresse, format_attendu, lu)
    try:
        _parcourir(fichier, format_attendu)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ArchiveError, ValueError) as erreur:
        raise _refus(
            "Le fichier reçu est tronqué ou altéré.", adresse, format_attendu, str(erreur)
        ) from erreur


def _parcourir(fichier: Path, format_attendu: str) -> None:
    """Lire ce qui prouve que le fichier est entier (table d'archive, flux gzip, JSON)."""
    if format_attendu in ("zip", "xlsx"):
        with zipfile.ZipFile(fichier) as archive:
            archive.infolist()
    elif format_attendu == "7z":
        with py7zr.SevenZipFile(fichier) as archive_7z:
            archive_7z.list()
    elif format_attendu.endswith(".gz"):
        # La somme de contrôle est à la fin : il faut tout lire, sans rien garder.
        with gzip.open(fichier) as flux:
            while flux.read(_BLOC):
                pass
    elif format_attendu in ("json", "geojson"):
        json.loads(fichier.read_bytes().decode("utf-8-sig"))


def _verifier_osm_xml(fichier: Path, debut: bytes, adresse: str) -> None:
    """Vérifier qu'un OSM XML est entier et que le service qui l'a calculé est allé au bout.

    Overpass rend le code 200 et un XML bien formé même quand il s'arrête faute de temps ou de
    mémoire : seule une remarque, à la fin, le dit.
    """
    if b"<osm" not in debut:
        raise _refus("Le fichier reçu n'est pas un extrait OSM.", adresse, "osm", debut)
    with fichier.open("rb") as flux:
        flux.seek(max(0, fichier.stat().st_size - _FIN))
        fin = flux.read()
    remarque = re.search(rb"<remark>(.*?)</remark>", fin, re.S)
    if remarque is not None:
        raise ErreurDonnees(
            "Le service n'a pas rendu l'extrait en entier.",
            objet=adresse.partition("?")[0],
            trouve=remarque[1].decode("utf-8", errors="replace").strip()[:200],
            conseil="relancez plus tard, ou prenez l'extrait régional (--osm geofabrik)",
        )
    if not fin.rstrip().endswith(b"</osm>"):
        raise _refus("Le fichier reçu est tronqué ou altéré.", adresse, "osm", fin[-16:])


def verifier_somme(fichier: Path, algorithme: str, attendue: str, adresse: str) -> None:
    """Comparer un fichier à la somme publiée par son producteur.

    Raises
    ------
    ErreurDonnees
        Sommes différentes.
    """
    trouvee = calculer_somme(fichier, algorithme)
    if trouvee != attendue.strip().lower():
        raise ErreurDonnees(
            "Le fichier reçu n'a pas la somme de contrôle publiée.",
            objet=adresse,
            attendu=f"{algorithme} {attendue}",
            trouve=trouvee,
            conseil="relancez : le fichier a pu changer pendant le transfert",
        )


def calculer_somme(fichier: Path, algorithme: str = "sha256") -> str:
    """Somme de contrôle d'un fichier, en hexadécimal."""
    with fichier.open("rb") as flux:
        return hashlib.file_digest(flux, algorithme).hexdigest()


def _titre(fichier: Path) -> str:
    with fichier.open("rb") as flux:
        trouve = re.search(rb"<title[^>]*>(.*?)</title>", flux.read(1 << 16), re.I | re.S)
    texte = trouve[1].decode("utf-8", errors="replace").strip() if trouve else ""
    return f"une page intitulée « {texte[:80]} »" if texte else "une page HTML"


def _refus(
    message: str, adresse: str, format_attendu: str, trouve: bytes | str | None = None
) -> ErreurDonnees:
    if isinstance(trouve, bytes):
        trouve = "octets " + repr(trouve[:16])
    return ErreurDonnees(
        message,
        objet=adresse,
        attendu=f"un fichier {format_attendu}",
        trouve=trouve,
        conseil="vérifiez l'adresse dans un navigateur, ou posez le fichier à la main",
    )

"""Contenu d'un fichier géographique, confronté à son suffixe avant qu'une bibliothèque l'ouvre.

GDAL reconnaît un format à son contenu, non à son nom : sans ce contrôle, un texte nommé
``.geojson`` ou ``.shp`` qui décrit une source virtuelle (``OGRVRTDataSource``,
``OGRWFSDataSource``…) lui ferait lire un autre fichier de la machine, ou une adresse du réseau.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from donnees_geo.erreurs import ErreurDonnees

_LUS: Final = 4096
_FORMATS: Final[dict[str, tuple[str, re.Pattern[bytes]]]] = {
    ".gpkg": ("GeoPackage", re.compile(rb"SQLite format 3\x00")),
    ".shp": ("shapefile", re.compile(rb"\x00\x00\x27\x0a")),
    ".geojson": ("GeoJSON", re.compile(rb"(\xef\xbb\xbf)?\s*[\[{]")),
    ".json": ("GeoJSON", re.compile(rb"(\xef\xbb\xbf)?\s*[\[{]")),
    ".kml": ("KML", re.compile(rb"(\xef\xbb\xbf)?\s*<(?!OGR)(?:.(?!<OGR))*?kml\b", re.DOTALL)),
}


def verifier_signature(fichier: Path, publie: Path) -> None:
    """Refuser un fichier dont le contenu n'est pas celui qu'annonce son suffixe.

    Parameters
    ----------
    fichier
        Fichier extrait ; un autre suffixe que ceux d'ici n'est pas contrôlé.
    publie
        Fichier tel qu'il a été donné, pour le message.

    Raises
    ------
    ErreurDonnees
        Contenu d'un autre format, ou shapefile sans son index.
    """
    suffixe = fichier.suffix.lower()
    if suffixe not in _FORMATS or not fichier.is_file():
        return
    nom, motif = _FORMATS[suffixe]
    with fichier.open("rb") as flux:
        debut = flux.read(_LUS)
    if motif.match(debut) is None:
        raise ErreurDonnees(
            f"Le contenu du fichier n'est pas du {nom}.",
            objet=publie,
            attendu=f"un fichier {nom}, d'après le suffixe {suffixe}",
            trouve=repr(debut[:40].decode("utf-8", errors="replace")),
            conseil="ouvrez le fichier dans un SIG et enregistrez-le de nouveau",
        )
    if suffixe == ".shp":
        presents = {f.suffix.lower() for f in fichier.parent.glob(f"{fichier.stem}.*")}
        manquants = [s for s in (".shx", ".dbf") if s not in presents]
        if manquants:
            raise ErreurDonnees(
                "Le shapefile est incomplet.",
                objet=publie,
                attendu="les fichiers .shp, .shx, .dbf et .prj, ensemble",
                trouve="sans " + " ni ".join(manquants),
                conseil="réunissez-les dans le même dossier ou le même zip",
            )

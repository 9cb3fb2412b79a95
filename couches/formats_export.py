"""Formats d'export proposés et sortie demandée : de quoi remplir une liste sans rien charger."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from donnees_geo.erreurs import ErreurConfiguration


@dataclass(frozen=True)
class FormatExport:
    """Un format proposé.

    Attributes
    ----------
    extension
        Extension du fichier ; ``None`` si l'export est toujours un dossier.
    libelle
        Ce qu'il contient, en une ligne.
    par_zone, par_theme
        Vrai s'il dépend des zones demandées, du thème de la carte principale.
    """

    extension: str | None
    libelle: str
    par_zone: bool = False
    par_theme: bool = False


FORMATS: Final[dict[str, FormatExport]] = {
    "atlas": FormatExport(
        ".pdf", "fiches de communes ou de bassins de vie, index, méthode (PDF)", True, True
    ),
    "fiches": FormatExport(None, "une fiche PDF par zone", True, True),
    "gpkg": FormatExport(".gpkg", "GeoPackage stylé pour QGIS"),
    "qgis": FormatExport(None, "GeoPackage et projet QGIS avec mise en page d'atlas"),
    "geojson": FormatExport(None, "un GeoJSON par couche (WGS 84)"),
    "tif": FormatExport(".tif", "GeoTIFF des temps d'accès", par_theme=True),
    "xlsx": FormatExport(".xlsx", "classeur Excel"),
    "csv": FormatExport(None, "CSV pour Excel français"),
    "html": FormatExport(".html", "page autonome, sans serveur ni réseau"),
    "png": FormatExport(".png", "image de la carte, pour un diaporama", True, True),
    "svg": FormatExport(".svg", "carte vectorielle, pour un diaporama", True, True),
}


def choisir_sortie(format_export: str, sortie: Path) -> tuple[Path | None, Path]:
    """Fichier demandé (``None`` : nommé d'après le format) et dossier où écrire.

    Raises
    ------
    ErreurConfiguration
        Format inconnu, extension d'un autre format, dossier parent absent, fichier là où il faut
        un dossier.
    """
    extension = lire_format(format_export).extension
    suffixe = sortie.suffix.lower()
    if extension is not None and suffixe == extension and not sortie.is_dir():
        if not sortie.parent.is_dir():
            raise ErreurConfiguration(
                "Le dossier où écrire n'existe pas.",
                objet=sortie.parent,
                conseil="le créer, ou corriger la sortie",
            )
        return sortie, sortie.parent
    if suffixe in {f.extension for f in FORMATS.values() if f.extension}:
        raise ErreurConfiguration(
            "L'extension de la sortie n'est pas celle du format demandé.",
            objet=sortie,
            attendu=f"un dossier, ou un fichier {extension}" if extension else "un dossier",
            trouve=suffixe,
        )
    if sortie.exists() and not sortie.is_dir():
        raise ErreurConfiguration("La sortie doit être un dossier.", objet=sortie)
    return None, sortie


def lire_format(format_export: str) -> FormatExport:
    """Format d'après son nom.

    Raises
    ------
    ErreurConfiguration
        Format inconnu.
    """
    if format_export not in FORMATS:
        raise ErreurConfiguration(
            "Format d'export inconnu.", objet=format_export, attendu=", ".join(FORMATS)
        )
    return FORMATS[format_export]

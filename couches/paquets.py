"""Porte unique des exports : la ligne de commande et la page Exports n'appellent que ce module."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import geopandas as gpd
import pandas as pd
import shapely

from accessibilite.etude import ResultatEtude
from couches.archive import archiver
from couches.composition import Theme
from couches.ecran.hors_ligne import ACTIFS, lister_police
from couches.formats_export import choisir_sortie, lire_format
from couches.licences import ecrire_licences
from couches.noms_fichiers import nommer_fichier
from couches.page_autonome import exporter_page, lire_actifs_page
from couches.papier.atlas import OptionsAtlas, exporter_atlas, exporter_fiches
from couches.papier.dossier import choisir_theme
from couches.papier.image_carte import exporter_image
from couches.papier.page import FormatPage
from couches.sig.export_geopackage import exporter_geojson, exporter_geopackage
from couches.sig.projet_qgis import exporter_projet
from couches.sig.rasters_acces import exporter_rasters
from couches.styles import lire_styles
from couches.tableur import exporter_classeur, exporter_csv
from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.erreurs import ErreurConfiguration
from donnees_geo.territoire import Territoire

Progression = Callable[[str, float], None]
Emprise = tuple[float, float, float, float]


@dataclass(frozen=True)
class OptionsExport:
    """Ce qui est demandé, en plus du format.

    Attributes
    ----------
    zone_type, codes
        Type de zone (``commune`` ou ``bassin_de_vie``) et codes voulus ; toutes par défaut. Une
        image n'en montre qu'une.
    format_page
        Papier de l'atlas et des fiches.
    theme
        Ce que montre la carte principale, l'image ou le GeoTIFF ; par défaut le panier de
        proximité (et tous les services, pour des GeoTIFF dans un dossier).
    emprise
        Vue de l'image (ouest, sud, est, nord), degrés WGS 84 ; par défaut la zone.
    date_edition
        Date imprimée ; aujourd'hui par défaut.
    analyses
        Tables d'analyses jointes au classeur et aux CSV (``resultats.lire_resultats``), par nom.
    """

    zone_type: str = "commune"
    codes: tuple[str, ...] = ()
    format_page: FormatPage = "A4"
    theme: Theme | None = None
    emprise: Emprise | None = None
    date_edition: date | None = None
    analyses: Mapping[str, pd.DataFrame] | None = None


@dataclass(frozen=True)
class _Demande:
    territoire: Territoire
    resultat: ResultatEtude
    options: OptionsExport
    fichier: Path
    dossier: Path
    nomme: bool
    avancer: Progression

    @property
    def theme(self) -> Theme:
        return self.options.theme or choisir_theme(self.resultat)


def exporter(
    format_export: str,
    territoire: Territoire,
    resultat: ResultatEtude,
    sortie: Path,
    options: OptionsExport | None = None,
    progression: Progression | None = None,
) -> list[Path]:
    """Écrire un export et son ``LICENCES.txt``.

    Parameters
    ----------
    format_export
        Clé de :data:`couches.formats_export.FORMATS`.
    territoire, resultat
        Territoire préparé et son étude ; jamais modifiés.
    sortie
        Fichier de l'extension du format, ou dossier (créé s'il le faut) où il reçoit son nom.
    options
        Zones, papier, thème, vue.
    progression
        Rappel ``(étape, part faite)``. Une exception qu'il lève interrompt l'export : rien d'à
        moitié écrit ne reste, les anciens fichiers sont intacts.

    Returns
    -------
    list of Path
        Fichiers écrits, ``LICENCES.txt`` en dernier.

    Raises
    ------
    ErreurConfiguration
        Format inconnu, extension d'un autre format, zone ou service inconnus.
    ErreurDonnees
        Dossier ou fichier impossible à écrire ; l'ancien fichier est intact.
    OSError
        Dossier de sortie impossible à créer.
    """
    options = options or OptionsExport()
    fichier, dossier = choisir_sortie(format_export, sortie)
    dossier.mkdir(parents=True, exist_ok=True)
    demande = _Demande(
        territoire,
        resultat,
        options,
        fichier or dossier / nommer_export(format_export, territoire, options),
        dossier,
        fichier is not None,
        progression or _se_taire,
    )
    ecrits = list(_EXPORTS[format_export](demande))
    return [*ecrits, ecrire_licences(territoire, dossier, [e.name for e in ecrits])]


def exporter_archive(
    format_export: str,
    territoire: Territoire,
    resultat: ResultatEtude,
    chemin: Path,
    options: OptionsExport | None = None,
    progression: Progression | None = None,
) -> Path:
    """Écrire un export et ses licences dans une seule archive ``.zip``, à télécharger.

    Parameters
    ----------
    format_export, territoire, resultat, options, progression
        Comme :func:`exporter`.
    chemin
        Archive à écrire.

    Raises
    ------
    ErreurConfiguration, ErreurDonnees
        Comme :func:`exporter`.
    """
    with ecrire_atomique(chemin) as provisoire, tempfile.TemporaryDirectory() as travail:
        ecrits = exporter(format_export, territoire, resultat, Path(travail), options, progression)
        provisoire.write_bytes(
            archiver({e.relative_to(travail).as_posix(): e.read_bytes() for e in ecrits})
        )
    return chemin


def nommer_export(format_export: str, territoire: Territoire, options: OptionsExport) -> str:
    """Nom stable du fichier d'un export, accepté par Windows."""
    extension = lire_format(format_export).extension or ""
    unique = options.codes[0] if len(options.codes) == 1 else None
    prefixes = {
        "atlas": f"fiche-{unique}" if unique else "atlas",
        "png": f"carte-{unique}" if unique else "carte",
    }
    prefixes["svg"] = prefixes["png"]
    prefixe = prefixes.get(format_export, "acces")
    return nommer_fichier(prefixe, territoire.nom, extension=extension)


def _se_taire(_etape: str, _part: float) -> None:
    return None


def _atlas(demande: _Demande) -> Sequence[Path]:
    o = demande.options
    return [
        exporter_atlas(
            demande.territoire,
            demande.resultat,
            demande.theme,
            lire_styles(),
            lister_police(),
            demande.fichier,
            OptionsAtlas(o.zone_type, o.codes, o.format_page, o.date_edition),
            demande.avancer,
        )
    ]


def _fiches(demande: _Demande) -> Sequence[Path]:
    o = demande.options
    return exporter_fiches(
        demande.territoire,
        demande.resultat,
        demande.theme,
        lire_styles(),
        lister_police(),
        demande.dossier,
        OptionsAtlas(o.zone_type, o.codes, o.format_page, o.date_edition),
        demande.avancer,
    )


def _gpkg(demande: _Demande) -> Sequence[Path]:
    return [
        exporter_geopackage(
            demande.territoire, demande.resultat, lire_styles(), demande.fichier, demande.avancer
        )
    ]


def _qgis(demande: _Demande) -> Sequence[Path]:
    return exporter_projet(
        demande.territoire, demande.resultat, lire_styles(), demande.dossier, demande.avancer
    )


def _geojson(demande: _Demande) -> Sequence[Path]:
    return exporter_geojson(
        demande.territoire, demande.resultat, lire_styles(), demande.dossier, demande.avancer
    )


def _tif(demande: _Demande) -> Sequence[Path]:
    return exporter_rasters(
        demande.territoire,
        demande.resultat,
        lire_styles(),
        demande.dossier,
        fichier=demande.fichier if demande.nomme else None,
        theme=demande.options.theme,
        progression=demande.avancer,
    )


def _xlsx(demande: _Demande) -> Sequence[Path]:
    return [
        exporter_classeur(
            demande.territoire,
            demande.resultat,
            demande.fichier,
            demande.avancer,
            demande.options.analyses,
        )
    ]


def _csv(demande: _Demande) -> Sequence[Path]:
    return exporter_csv(
        demande.territoire, demande.resultat, demande.dossier, demande.options.analyses
    )


def _html(demande: _Demande) -> Sequence[Path]:
    return [
        exporter_page(
            demande.territoire,
            demande.resultat,
            lire_styles(),
            lire_actifs_page(ACTIFS),
            demande.fichier,
            demande.options.date_edition,
            demande.avancer,
        )
    ]


def _image(demande: _Demande) -> Sequence[Path]:
    o = demande.options
    if len(o.codes) > 1:
        raise ErreurConfiguration(
            "Une image montre une seule zone.", objet="zones demandées", trouve=", ".join(o.codes)
        )
    return [
        exporter_image(
            demande.territoire,
            demande.resultat,
            demande.theme,
            lire_styles(),
            lister_police(),
            demande.fichier,
            zone_type=o.zone_type,
            code=o.codes[0] if o.codes else None,
            emprise=None if o.emprise is None else _projeter(o.emprise, demande.territoire),
        )
    ]


def _projeter(emprise: Emprise, territoire: Territoire) -> Emprise:
    """Vue en degrés → mètres du CRS du territoire."""
    vue = gpd.GeoSeries([shapely.box(*emprise)], crs=4326).to_crs(territoire.crs)
    ouest, sud, est, nord = vue.total_bounds
    return float(ouest), float(sud), float(est), float(nord)


_EXPORTS: Final[dict[str, Callable[[_Demande], Sequence[Path]]]] = {
    "atlas": _atlas,
    "fiches": _fiches,
    "gpkg": _gpkg,
    "qgis": _qgis,
    "geojson": _geojson,
    "tif": _tif,
    "xlsx": _xlsx,
    "csv": _csv,
    "html": _html,
    "png": _image,
    "svg": _image,
}

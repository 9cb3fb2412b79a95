"""Commande ``exporter`` : atlas, paquet SIG, tableur, rasters, images et page autonome."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from donnees_geo.erreurs import ErreurConfiguration, ErreurProjet
from scripts.commandes.affichage import progression
from scripts.commandes.sorties import exiger_dossier_parent

if TYPE_CHECKING:
    from accessibilite.etude import ResultatEtude
    from donnees_geo.territoire import Territoire

Progression = Callable[[str, float], None]
#: Format → (extension du fichier, ``None`` si l'export est toujours un dossier, ce qu'il est).
FORMATS: Final[dict[str, tuple[str | None, str]]] = {
    "atlas": (".pdf", "fiches de communes ou de bassins de vie, index, méthode (PDF)"),
    "fiches": (None, "une fiche PDF par zone"),
    "gpkg": (".gpkg", "GeoPackage stylé pour QGIS"),
    "qgis": (None, "GeoPackage et projet QGIS avec mise en page d'atlas"),
    "geojson": (None, "un GeoJSON par couche (WGS 84)"),
    "tif": (".tif", "GeoTIFF des temps d'accès"),
    "xlsx": (".xlsx", "classeur Excel"),
    "csv": (None, "CSV pour Excel français"),
    "html": (".html", "page autonome, sans serveur ni réseau"),
    "png": (".png", "image de la carte, pour un diaporama"),
    "svg": (".svg", "carte vectorielle, pour un diaporama"),
}
TYPES_ZONE: Final = {"commune": "commune", "bassin": "bassin_de_vie"}


@dataclass(frozen=True)
class _Demande:
    territoire: Territoire
    resultat: ResultatEtude
    options: argparse.Namespace
    fichier: Path | None
    dossier: Path
    avancer: Progression


def declarer(commandes: Any) -> None:
    """Ajouter la commande à l'analyseur."""
    formats = " ; ".join(f"{nom} : {sens}" for nom, (_, sens) in FORMATS.items())
    analyseur = commandes.add_parser(
        "exporter",
        help="écrire atlas, fiches, paquet QGIS, tableur, page autonome",
        description=f"Écrit un export d'un territoire et de son diagnostic. {formats}. Un fichier "
        "LICENCES.txt l'accompagne.",
    )
    analyseur.add_argument("dossier", type=Path, metavar="DOSSIER", help="territoire préparé")
    analyseur.add_argument(
        "resultats", type=Path, metavar="RESULTATS", help="dossier écrit par diagnostiquer"
    )
    analyseur.add_argument("--format", required=True, choices=tuple(FORMATS), help="voir ci-dessus")
    analyseur.add_argument(
        "--sortie",
        required=True,
        type=Path,
        metavar="CHEMIN",
        help="fichier de l'extension du format, ou dossier (créé s'il le faut)",
    )
    analyseur.add_argument(
        "--zone",
        action="append",
        default=[],
        metavar="CODE",
        help="code d'une zone (atlas, fiches, png, svg) ; peut se répéter ; toutes par défaut",
    )
    analyseur.add_argument(
        "--type-zone",
        choices=tuple(TYPES_ZONE),
        default="commune",
        help="commune (par défaut) ou bassin de vie",
    )
    analyseur.add_argument(
        "--format-page", choices=("A4", "A3"), default="A4", help="format du papier (A4)"
    )
    analyseur.add_argument(
        "--service",
        metavar="SERVICE",
        help="service de la carte principale, de l'image ou du GeoTIFF (par défaut : panier de "
        "proximité ; pour tif dans un dossier : tous)",
    )
    analyseur.set_defaults(executer=executer)


def executer(options: argparse.Namespace) -> int:
    """Vérifier la demande, charger, écrire l'export et ses licences."""
    from couches.licences import ecrire_licences
    from couches.resultats import relire_etude
    from donnees_geo.territoire import charger_territoire

    fichier, dossier = choisir_sortie(options.format, options.sortie)
    with progression("Export", montrer=options.montrer) as avancer:
        avancer("chargement", 0.0)
        territoire = charger_territoire(options.dossier)
        resultat = relire_etude(options.resultats, territoire)
        _creer(dossier)
        demande = _Demande(territoire, resultat, options, fichier, dossier, avancer)
        ecrits = _EXPORTS[options.format](demande)
        licences = ecrire_licences(territoire, dossier, [chemin.name for chemin in ecrits])
    if territoire.fictif:
        print("Données fictives : ce territoire n'existe pas.")
    montres = [str(chemin) for chemin in ecrits[:5]]
    suite = f" et {len(ecrits) - 5} autres" if len(ecrits) > 5 else ""
    print(f"Écrit : {', '.join(montres)}{suite}, {licences.name}")
    return 0


def choisir_sortie(format_export: str, sortie: Path) -> tuple[Path | None, Path]:
    """Fichier demandé (``None`` : nommé d'après le format) et dossier où écrire.

    Raises
    ------
    ErreurProjet
        Extension d'un autre format, dossier parent absent, fichier là où il faut un dossier.
    """
    extension = FORMATS[format_export][0]
    suffixe = sortie.suffix.lower()
    connues = {e for e, _ in FORMATS.values() if e}
    if extension is not None and suffixe == extension and not sortie.is_dir():
        exiger_dossier_parent(sortie)
        return sortie, sortie.parent
    if suffixe in connues:
        raise ErreurConfiguration(
            "L'extension de la sortie n'est pas celle du format demandé.",
            objet=sortie,
            attendu=f"un dossier, ou un fichier {extension}" if extension else "un dossier",
            trouve=suffixe,
        )
    if sortie.exists() and not sortie.is_dir():
        raise ErreurProjet("La sortie doit être un dossier.", objet=sortie)
    return None, sortie


def _creer(dossier: Path) -> None:
    # Un OSError (protégé, disque plein) est traduit par la ligne de commande.
    dossier.mkdir(parents=True, exist_ok=True)


def _nommer(demande: _Demande, prefixe: str) -> Path:
    """Fichier demandé, ou nom stable dans le dossier."""
    from couches.noms_fichiers import nommer_fichier

    if demande.fichier is not None:
        return demande.fichier
    extension = FORMATS[demande.options.format][0] or ""
    nom = nommer_fichier(prefixe, demande.territoire.nom, extension=extension)
    return demande.dossier / nom


def _atlas(demande: _Demande) -> Sequence[Path]:
    from couches.ecran.hors_ligne import lister_police
    from couches.papier.atlas import exporter_atlas, exporter_fiches
    from couches.papier.dossier import choisir_theme
    from couches.styles import lire_styles

    o = demande.options
    options = _options_atlas(o)
    theme = choisir_theme(demande.resultat, o.service)
    commun = (demande.territoire, demande.resultat, theme, lire_styles(), lister_police())
    if o.format == "fiches":
        return exporter_fiches(*commun, demande.dossier, options, demande.avancer)
    prefixe = "atlas" if len(o.zone) != 1 else f"fiche-{o.zone[0]}"
    return [exporter_atlas(*commun, _nommer(demande, prefixe), options, demande.avancer)]


def _options_atlas(options: argparse.Namespace) -> Any:
    from couches.papier.atlas import OptionsAtlas

    return OptionsAtlas(
        zone_type=TYPES_ZONE[options.type_zone],
        codes=tuple(options.zone),
        format_page=options.format_page,
    )


def _gpkg(demande: _Demande) -> Sequence[Path]:
    from couches.sig.export_geopackage import exporter_geopackage
    from couches.styles import lire_styles

    sortie = _nommer(demande, "acces")
    return [
        exporter_geopackage(
            demande.territoire, demande.resultat, lire_styles(), sortie, demande.avancer
        )
    ]


def _qgis(demande: _Demande) -> Sequence[Path]:
    from couches.sig.projet_qgis import exporter_projet
    from couches.styles import lire_styles

    return exporter_projet(
        demande.territoire, demande.resultat, lire_styles(), demande.dossier, demande.avancer
    )


def _geojson(demande: _Demande) -> Sequence[Path]:
    from couches.sig.export_geopackage import exporter_geojson
    from couches.styles import lire_styles

    return exporter_geojson(
        demande.territoire, demande.resultat, lire_styles(), demande.dossier, demande.avancer
    )


def _tif(demande: _Demande) -> Sequence[Path]:
    from couches.sig.rasters_acces import exporter_rasters
    from couches.styles import lire_styles

    return exporter_rasters(
        demande.territoire,
        demande.resultat,
        lire_styles(),
        demande.dossier,
        fichier=demande.fichier,
        service=demande.options.service,
        progression=demande.avancer,
    )


def _xlsx(demande: _Demande) -> Sequence[Path]:
    from couches.resultats import lire_resultats
    from couches.tableur import exporter_classeur

    analyses = lire_resultats(demande.options.resultats).analyses
    sortie = _nommer(demande, "acces")
    return [
        exporter_classeur(demande.territoire, demande.resultat, sortie, demande.avancer, analyses)
    ]


def _csv(demande: _Demande) -> Sequence[Path]:
    from couches.resultats import lire_resultats
    from couches.tableur import exporter_csv

    analyses = lire_resultats(demande.options.resultats).analyses
    return exporter_csv(demande.territoire, demande.resultat, demande.dossier, analyses)


def _html(demande: _Demande) -> Sequence[Path]:
    from couches.ecran.hors_ligne import ACTIFS
    from couches.page_autonome import exporter_page, lire_actifs_page
    from couches.styles import lire_styles

    return [
        exporter_page(
            demande.territoire,
            demande.resultat,
            lire_styles(),
            lire_actifs_page(ACTIFS),
            _nommer(demande, "acces"),
            progression=demande.avancer,
        )
    ]


def _image(demande: _Demande) -> Sequence[Path]:
    from couches.ecran.hors_ligne import lister_police
    from couches.papier.dossier import choisir_theme
    from couches.papier.image_carte import exporter_image
    from couches.styles import lire_styles

    o = demande.options
    if len(o.zone) > 1:
        raise ErreurConfiguration(
            "Une image montre une seule zone.", objet="--zone", trouve=", ".join(o.zone)
        )
    return [
        exporter_image(
            demande.territoire,
            demande.resultat,
            choisir_theme(demande.resultat, o.service),
            lire_styles(),
            lister_police(),
            _nommer(demande, f"carte-{o.zone[0]}" if o.zone else "carte"),
            zone_type=TYPES_ZONE[o.type_zone],
            code=o.zone[0] if o.zone else None,
        )
    ]


_EXPORTS: Final[dict[str, Callable[[_Demande], Sequence[Path]]]] = {
    "atlas": _atlas,
    "fiches": _atlas,
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

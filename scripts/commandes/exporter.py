"""Commande ``exporter`` : atlas, paquet SIG, tableur, rasters, images et page autonome."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from couches.formats_export import FORMATS, choisir_sortie
from donnees_geo.conventions import MODES, PALIERS
from donnees_geo.erreurs import ErreurConfiguration
from scripts.commandes.affichage import progression

if TYPE_CHECKING:
    from accessibilite.etude import ResultatEtude
    from couches.composition import Theme

TYPES_ZONE: Final = {"commune": "commune", "bassin": "bassin_de_vie"}
_MONTRES: Final = 5


def declarer(commandes: Any) -> None:
    """Ajouter la commande à l'analyseur."""
    formats = " ; ".join(f"{nom} : {f.libelle}" for nom, f in FORMATS.items())
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
    _declarer_theme(analyseur)
    analyseur.set_defaults(executer=executer)


def _declarer_theme(analyseur: argparse.ArgumentParser) -> None:
    choix = analyseur.add_mutually_exclusive_group()
    choix.add_argument(
        "--service",
        metavar="SERVICE",
        help="service de la carte principale, de l'image ou du GeoTIFF (par défaut : panier de "
        "proximité ; pour tif dans un dossier : tous)",
    )
    choix.add_argument("--palier", choices=PALIERS, help="palier dont la carte montre le panier")
    analyseur.add_argument(
        "--mode",
        choices=MODES,
        help="mode de la carte (par défaut : le plus rapide de ceux du palier)",
    )
    analyseur.add_argument(
        "--emprise",
        nargs=4,
        type=float,
        metavar=("OUEST", "SUD", "EST", "NORD"),
        help="vue de l'image, en degrés (png, svg ; par défaut : la zone)",
    )


def executer(options: argparse.Namespace) -> int:
    """Vérifier la demande, charger, écrire l'export et ses licences."""
    choisir_sortie(options.format, options.sortie)
    emprise = None if options.emprise is None else verifier_emprise(*options.emprise)

    from couches.paquets import OptionsExport, exporter
    from couches.resultats import lire_resultats, relire_etude
    from donnees_geo.territoire import charger_territoire

    with progression("Export", montrer=options.montrer) as avancer:
        avancer("chargement", 0.0)
        territoire = charger_territoire(options.dossier)
        resultat = relire_etude(options.resultats, territoire)
        # Seules les tables citent les analyses : les relire ralentirait les autres exports.
        tables = options.format in ("xlsx", "csv")
        demande = OptionsExport(
            zone_type=TYPES_ZONE[options.type_zone],
            codes=tuple(options.zone),
            format_page=options.format_page,
            theme=_choisir(resultat, options),
            emprise=emprise,
            analyses=lire_resultats(options.resultats).analyses if tables else None,
        )
        ecrits = exporter(options.format, territoire, resultat, options.sortie, demande, avancer)
    if territoire.fictif:
        print("Données fictives : ce territoire n'existe pas.")
    *fichiers, licences = ecrits
    montres = [str(chemin) for chemin in fichiers[:_MONTRES]]
    suite = f" et {len(fichiers) - _MONTRES} autres" if len(fichiers) > _MONTRES else ""
    print(f"Écrit : {', '.join(montres)}{suite}, {licences.name}")
    return 0


def _choisir(resultat: ResultatEtude, options: argparse.Namespace) -> Theme | None:
    """Thème demandé ; ``None`` : celui du format."""
    from accessibilite.bilans.indicateurs import PLUS_RAPIDE
    from couches.papier.dossier import choisir_theme

    if options.service is None and options.palier is None and options.mode is None:
        return None
    return choisir_theme(
        resultat, options.service, palier=options.palier, mode=options.mode or PLUS_RAPIDE
    )


def verifier_emprise(
    ouest: float, sud: float, est: float, nord: float
) -> tuple[float, float, float, float]:
    """Vue demandée, en degrés.

    Raises
    ------
    ErreurConfiguration
        Bornes hors des degrés, ou inversées.
    """
    if not (-180 <= ouest < est <= 180 and -90 <= sud < nord <= 90):
        raise ErreurConfiguration(
            "L'emprise n'est pas un rectangle de la Terre.",
            objet="--emprise",
            attendu="ouest sud est nord, en degrés : ouest < est, sud < nord",
            trouve=f"{ouest:g} {sud:g} {est:g} {nord:g}",
        )
    return ouest, sud, est, nord

"""Atlas PDF : une fiche par zone, couverture, index paginé, méthode ; pages en parallèle."""

from __future__ import annotations

import os
import pickle
import signal
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import matplotlib
from matplotlib.backends.backend_pdf import PdfPages
from pypdf import PdfReader, PdfWriter

from accessibilite.etude import ResultatEtude
from couches.composition import Theme
from couches.ecran.etiquettes import Police
from couches.noms_fichiers import nommer_fichier
from couches.papier.dossier import composer_dossier
from couches.papier.fiche import Fiche, composer_fiches
from couches.papier.liminaires import (
    dessiner_couverture,
    dessiner_index,
    dessiner_methode,
    pages_index,
)
from couches.papier.mise_en_page import dessiner_fiche
from couches.papier.modele import Dossier
from couches.papier.page import FormatPage
from couches.papier.polices import preparer_polices
from couches.styles import Styles
from couches.themes import lire_themes
from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.territoire import Territoire

Progression = Callable[[str, float], None]
#: Pages écrites par un même fichier provisoire : les polices n'y sont qu'une fois.
_PAGES_PAR_LOT: Final = 8
#: TrueType embarqué (42) : texte sélectionnable, police incorporée ; pas de date dans le fichier.
_REGLAGES_PDF: Final[Any] = {"pdf.fonttype": 42, "pdf.compression": 9, "hatch.linewidth": 0.45}
_SANS_DATE: Final = {"CreationDate": None, "Producer": None, "Creator": None}

_DOSSIER: Dossier | None = None


@dataclass(frozen=True)
class OptionsAtlas:
    """Ce qui est demandé.

    Attributes
    ----------
    zone_type, codes
        Type de zone, et codes voulus (tous par défaut).
    format_page
        ``A4`` ou ``A3``.
    date_edition
        Date imprimée.
    processus
        Nombre de processus ; ``None`` : un par cœur.
    """

    zone_type: str = "commune"
    codes: tuple[str, ...] = ()
    format_page: FormatPage = "A4"
    date_edition: date | None = None
    processus: int | None = None


def nommer_fiche(fiche: Fiche) -> str:
    """Nom stable du fichier d'une fiche."""
    return nommer_fichier("fiche", fiche.code, fiche.nom, extension=".pdf")


def exporter_atlas(
    territoire: Territoire,
    resultat: ResultatEtude,
    theme: Theme,
    styles: Styles,
    police: Police,
    chemin: Path,
    options: OptionsAtlas | None = None,
    progression: Progression | None = None,
) -> Path:
    """Écrire un atlas : couverture, index, une fiche par zone, méthode.

    Une seule zone demandée donne sa fiche, sans couverture ni index.

    Parameters
    ----------
    territoire, resultat, theme
        Territoire, son étude, et ce que montre la carte principale.
    styles, police
        Palette et police installée.
    chemin
        Fichier ``.pdf``.
    options
        Zones, format, date.
    progression
        Rappel ``(étape, part faite)``.

    Raises
    ------
    ErreurConfiguration
        Découpage absent ou zone inconnue.
    ErreurDonnees
        Fichier impossible à écrire ; l'ancien est intact.
    """
    options = options or OptionsAtlas()
    avancer = progression or _se_taire
    avancer("textes", 0.0)
    themes = lire_themes(territoire)
    fiches = composer_fiches(
        territoire, resultat, theme, themes, styles, options.zone_type, options.codes
    )
    with ecrire_atomique(chemin) as provisoire, tempfile.TemporaryDirectory() as travail:
        dossier = composer_dossier(
            territoire,
            resultat,
            theme,
            themes,
            styles,
            preparer_polices(police, Path(travail)),
            options.date_edition or date.today(),
        )
        avancer("pages", 0.05)
        lots = _dessiner_lots(dossier, fiches, options, Path(travail), avancer)
        avancer("assemblage", 0.95)
        liminaires = (
            _dessiner_liminaires(dossier, fiches, territoire, resultat, options, Path(travail))
            if len(fiches) > 1
            else None
        )
        _assembler(provisoire, liminaires, lots, fiches, dossier)
    return chemin


def _se_taire(_etape: str, _part: float) -> None:
    return None


def _decouper(fiches: Sequence[Fiche], premiere: int, total: int) -> list[list[tuple[Fiche, str]]]:
    """Lots de fiches et leur pagination."""
    numerotees = [
        (fiche, f"{premiere + rang} / {total}" if len(fiches) > 1 else "")
        for rang, fiche in enumerate(fiches)
    ]
    return [
        numerotees[debut : debut + _PAGES_PAR_LOT]
        for debut in range(0, len(numerotees), _PAGES_PAR_LOT)
    ]


def _dessiner_lots(
    dossier: Dossier,
    fiches: Sequence[Fiche],
    options: OptionsAtlas,
    travail: Path,
    avancer: Progression,
) -> list[Path]:
    premiere = 2 + pages_index(len(fiches))
    lots = _decouper(fiches, premiere, premiere + len(fiches))
    sorties = [travail / f"lot-{rang:04d}.pdf" for rang in range(len(lots))]
    nombre = options.processus or os.cpu_count() or 1
    if len(lots) == 1 or nombre == 1:
        for rang, (lot, sortie) in enumerate(zip(lots, sorties, strict=True)):
            _dessiner_lot(dossier, lot, options.format_page, sortie)
            avancer("pages", 0.05 + 0.9 * (rang + 1) / len(lots))
        return sorties
    # Par un fichier : interrompu au démarrage, un processus ne lit pas un tube à moitié écrit.
    partage = travail / "dossier.pickle"
    partage.write_bytes(pickle.dumps(dossier, pickle.HIGHEST_PROTOCOL))
    # « spawn » : le visualiseur a des fils d'exécution, qu'un « fork » figerait.
    bassin = ProcessPoolExecutor(
        min(nombre, len(lots)), get_context("spawn"), _preparer_processus, (partage,)
    )
    try:
        taches = [
            bassin.submit(_dessiner_lot_distant, lot, options.format_page, sortie)
            for lot, sortie in zip(lots, sorties, strict=True)
        ]
        for faits, tache in enumerate(as_completed(taches), start=1):
            tache.result()
            avancer(
                f"{min(faits * _PAGES_PAR_LOT, len(fiches))} pages sur {len(fiches)}",
                0.05 + 0.9 * faits / len(lots),
            )
    finally:
        # Interrompu, l'atlas n'attend pas les pages commencées d'avance.
        bassin.shutdown(wait=True, cancel_futures=True)
    return sorties


def _preparer_processus(partage: Path) -> None:
    """Lire le dossier une fois par processus ; Ctrl-C est l'affaire du parent."""
    global _DOSSIER
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _DOSSIER = pickle.loads(partage.read_bytes())


def _dessiner_lot_distant(
    lot: Sequence[tuple[Fiche, str]], format_page: FormatPage, sortie: Path
) -> None:
    assert _DOSSIER is not None
    _dessiner_lot(_DOSSIER, lot, format_page, sortie)


def _dessiner_lot(
    dossier: Dossier, lot: Sequence[tuple[Fiche, str]], format_page: FormatPage, sortie: Path
) -> None:
    with (
        matplotlib.rc_context(_REGLAGES_PDF),
        PdfPages(sortie, metadata=dict(_SANS_DATE)) as pdf,
    ):
        for fiche, pagination in lot:
            pdf.savefig(dessiner_fiche(dossier, fiche, format_page, pagination))


def _dessiner_liminaires(
    dossier: Dossier,
    fiches: Sequence[Fiche],
    territoire: Territoire,
    resultat: ResultatEtude,
    options: OptionsAtlas,
    travail: Path,
) -> Path:
    """Couverture, index, puis méthode (déplacée à la fin à l'assemblage)."""
    sortie = travail / "liminaires.pdf"
    premiere = 2 + pages_index(len(fiches))
    total = premiere + len(fiches)
    with (
        matplotlib.rc_context(_REGLAGES_PDF),
        PdfPages(sortie, metadata=dict(_SANS_DATE)) as pdf,
    ):
        pdf.savefig(dessiner_couverture(dossier, fiches, options.format_page))
        for figure in dessiner_index(dossier, fiches, options.format_page, premiere, total):
            pdf.savefig(figure)
        pdf.savefig(
            dessiner_methode(
                dossier, territoire, resultat, options.format_page, f"{total} / {total}"
            )
        )
    return sortie


def _assembler(
    chemin: Path,
    liminaires: Path | None,
    lots: Sequence[Path],
    fiches: Sequence[Fiche],
    dossier: Dossier,
) -> None:
    """Réunir les pages dans l'ordre, avec signets et titre ; aucune date n'est écrite."""
    with PdfWriter() as sortie:
        if liminaires is not None:
            debut = PdfReader(liminaires)
            sortie.append(debut, pages=(0, len(debut.pages) - 1), import_outline=False)
            sortie.add_outline_item(title="Index", page_number=1)
        for lot in lots:
            sortie.append(lot, import_outline=False)
        premiere = len(sortie.pages) - len(fiches)
        for rang, fiche in enumerate(fiches):
            sortie.add_outline_item(title=fiche.nom, page_number=premiere + rang)
        if liminaires is not None:
            sortie.append(
                debut, pages=(len(debut.pages) - 1, len(debut.pages)), import_outline=False
            )
            sortie.add_outline_item(
                title="Méthode, sources et licences", page_number=len(sortie.pages) - 1
            )
        titre = fiches[0].nom if len(fiches) == 1 else f"Atlas — {dossier.territoire}"
        sortie.metadata = {
            "/Title": titre,
            "/Subject": f"{'Données fictives. ' if dossier.fictif else ''}Accès aux services",
            "/Author": "Demi-heure",
        }
        sortie.compress_identical_objects()
        sortie.write(chemin)


def exporter_fiches(
    territoire: Territoire,
    resultat: ResultatEtude,
    theme: Theme,
    styles: Styles,
    police: Police,
    dossier_sortie: Path,
    options: OptionsAtlas | None = None,
    progression: Progression | None = None,
) -> list[Path]:
    """Écrire une fiche par fichier, à envoyer à chaque commune.

    Raises
    ------
    ErreurConfiguration, ErreurDonnees
        Comme :func:`exporter_atlas`.
    """
    options = options or OptionsAtlas()
    with tempfile.TemporaryDirectory() as travail:
        atlas = exporter_atlas(
            territoire,
            resultat,
            theme,
            styles,
            police,
            Path(travail) / "atlas.pdf",
            options,
            progression,
        )
        fiches = composer_fiches(
            territoire,
            resultat,
            theme,
            lire_themes(territoire),
            styles,
            options.zone_type,
            options.codes,
        )
        pages = PdfReader(atlas)
        premiere = len(pages.pages) - len(fiches) - (1 if len(fiches) > 1 else 0)
        sorties = []
        for rang, fiche in enumerate(fiches):
            sortie = dossier_sortie / nommer_fiche(fiche)
            with ecrire_atomique(sortie) as provisoire, PdfWriter() as pdf:
                pdf.append(
                    pages, pages=(premiere + rang, premiere + rang + 1), import_outline=False
                )
                pdf.metadata = {"/Title": fiche.nom, "/Author": "Demi-heure"}
                pdf.write(provisoire)
            sorties.append(sortie)
    return sorties

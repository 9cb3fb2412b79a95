"""GeoTIFF des temps d'accès d'une étude : un fichier par panier et par service, stylé pour QGIS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from accessibilite.bilans.synthese import lire_temps
from accessibilite.etude import ResultatEtude
from couches.composition import Theme, dire_modes, poser_question
from couches.licences import contient_osm, decrire_sources
from couches.noms_fichiers import nommer_fichier
from couches.papier.dossier import choisir_theme, dire_hypotheses_papier
from couches.sig.export_raster import exporter_acces_raster
from couches.styles import Styles
from donnees_geo.territoire import Territoire

Progression = Callable[[str, float], None]
_UNITE: Final = "minutes entamées"


def exporter_rasters(
    territoire: Territoire,
    resultat: ResultatEtude,
    styles: Styles,
    dossier: Path,
    *,
    fichier: Path | None = None,
    theme: Theme | None = None,
    progression: Progression | None = None,
) -> list[Path]:
    """Écrire les temps d'accès en GeoTIFF.

    Parameters
    ----------
    territoire, resultat, styles
        Ce qui est écrit, et ses couleurs.
    dossier
        Dossier des fichiers, nommés d'après le service.
    fichier
        Fichier unique voulu : celui de ``theme``, ou du panier de proximité.
    theme
        Un seul thème ; par défaut le panier de proximité et tous les services.
    progression
        Rappel ``(étape, part faite)``.

    Raises
    ------
    ErreurDonnees
        Fichier impossible à écrire.
    """
    themes = [theme or choisir_theme(resultat)]
    if fichier is None and theme is None:
        themes += [choisir_theme(resultat, s.id) for s in resultat.services]
    sorties = []
    for rang, vise in enumerate(themes):
        nom = f"panier-{vise.palier}" if vise.panier else vise.services[0].id
        if progression is not None:
            progression(nom, rang / len(themes))
        sorties.append(
            exporter_acces_raster(
                territoire.carreaux.geometry.to_numpy(),
                lire_temps(resultat, vise.ids, vise.mode),
                territoire.crs,
                fichier or dossier / nommer_fichier("temps", nom, vise.mode, extension=".tif"),
                styles,
                _etiquettes(territoire, resultat, vise),
            )
        )
    return sorties


def _etiquettes(territoire: Territoire, resultat: ResultatEtude, theme: Theme) -> dict[str, str]:
    licence = "ODbL 1.0" if contient_osm(territoire) else "voir LICENCES.txt"
    return {
        "TERRITOIRE": territoire.nom,
        "DONNEES_FICTIVES": "oui" if territoire.fictif else "non",
        "QUESTION": poser_question(resultat, theme),
        "MODES": dire_modes(resultat, theme),
        "UNITE": _UNITE,
        "HYPOTHESES": dire_hypotheses_papier(resultat, territoire),
        "SOURCES": " ; ".join(s.citer() for s in decrire_sources(territoire)),
        "LICENCE": "données simulées" if territoire.fictif else licence,
        "EMPREINTE": territoire.empreinte,
    }

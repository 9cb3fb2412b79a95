"""Un export demandé : contrôlé, puis confié par écrit à un autre processus."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from accessibilite.bilans.indicateurs import PLUS_RAPIDE
from accessibilite.etude import ResultatEtude
from couches.formats_export import lire_format
from couches.papier.dossier import choisir_theme
from couches.papier.page import FormatPage
from couches.paquets import OptionsExport
from couches.resultats import lire_resultats
from donnees_geo.conventions import Palier

#: Formats qui citent les tables d'analyses ; les relire ralentirait les autres.
AVEC_ANALYSES: Final = ("xlsx", "csv")


@dataclass(frozen=True)
class DemandeExport:
    """Ce qui est demandé, en valeurs simples (JSON).

    Attributes
    ----------
    format_export
        Clé de ``couches.formats_export.FORMATS``.
    zone_type, codes
        Type de zone et codes voulus ; tous par défaut.
    format_page
        Papier des fiches.
    service, palier
        Service de la carte principale, ou palier dont elle montre le panier ; ``None`` tous deux :
        le choix du format.
    mode
        Mode de la carte, ou le plus rapide.
    emprise
        Vue de l'image, degrés.
    """

    format_export: str
    zone_type: str = "commune"
    codes: tuple[str, ...] = ()
    format_page: FormatPage = "A4"
    service: str | None = None
    palier: Palier | None = None
    mode: str = PLUS_RAPIDE
    emprise: tuple[float, float, float, float] | None = None

    def nettoyer(self) -> DemandeExport:
        """Sans ce dont le format ne tient pas compte : deux demandes égales font le même export."""
        fiche = lire_format(self.format_export)
        vide = DemandeExport(self.format_export)
        propre = self
        if not fiche.par_zone:
            propre = replace(propre, zone_type=vide.zone_type, codes=())
        if not fiche.par_theme:
            propre = replace(propre, service=None, palier=None, mode=vide.mode)
        if self.format_export not in ("atlas", "fiches"):
            propre = replace(propre, format_page=vide.format_page)
        if self.format_export not in ("png", "svg"):
            propre = replace(propre, emprise=None)
        return propre

    def options(self, resultat: ResultatEtude, resultats: Path | None = None) -> OptionsExport:
        """Options de la porte des exports.

        Parameters
        ----------
        resultat
            Étude exportée.
        resultats
            Dossier d'où relire les analyses, si le format les cite.

        Raises
        ------
        ErreurConfiguration
            Service, palier ou mode absents de l'étude.
        """
        theme = None
        if self.service is not None or self.palier is not None:
            theme = choisir_theme(resultat, self.service, palier=self.palier, mode=self.mode)
        analyses = None
        if resultats is not None and self.format_export in AVEC_ANALYSES:
            analyses = lire_resultats(resultats).analyses
        return OptionsExport(
            zone_type=self.zone_type,
            codes=self.codes,
            format_page=self.format_page,
            theme=theme,
            emprise=self.emprise,
            analyses=analyses,
        )


@dataclass(frozen=True)
class Commande:
    """Ce que lit le processus d'un export.

    Attributes
    ----------
    dossier, resultats
        Territoire préparé, et son étude.
    archive
        Fichier ``.zip`` à écrire.
    demande
        Ce qui est demandé.
    """

    dossier: Path
    resultats: Path
    archive: Path
    demande: DemandeExport

    def ecrire(self, fichier: Path) -> None:
        """Écrire la commande pour le processus."""
        contenu = asdict(self) | {
            c: str(getattr(self, c)) for c in ("dossier", "resultats", "archive")
        }
        fichier.write_text(json.dumps(contenu, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def lire(cls, fichier: Path) -> Commande:
        """Relire une commande écrite par :meth:`ecrire`."""
        contenu: dict[str, Any] = json.loads(fichier.read_text(encoding="utf-8"))
        demande = contenu["demande"]
        demande["codes"] = tuple(demande["codes"])
        demande["emprise"] = tuple(demande["emprise"]) if demande["emprise"] else None
        dossier, resultats, archive = (
            Path(contenu[c]) for c in ("dossier", "resultats", "archive")
        )
        return cls(dossier, resultats, archive, DemandeExport(**demande))

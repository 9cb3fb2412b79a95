"""Polices du papier : Public Sans si elle est installée, DejaVu Sans sinon.

Le PDF embarque des TrueType ; les fichiers web sont donc convertis une fois par export. Les
chiffres y deviennent tabulaires (ceux d'une colonne s'alignent) et l'espace fine insécable, absente
de la police, prend le dessin de l'espace fine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import matplotlib
from fontTools.ttLib import TTFont
from matplotlib.font_manager import FontProperties
from PIL import ImageFont

from couches.ecran.etiquettes import Police

_MM_PAR_POINT: Final = 25.4 / 72
_TAILLE_MESURE: Final = 256
_FINE, _FINE_SECABLE, _INSECABLE = 0x202F, 0x2009, 0x00A0


@dataclass(frozen=True)
class PolicesPapier:
    """Un fichier TrueType par graisse (400, 600, 700)."""

    normale: Path
    demi_grasse: Path
    grasse: Path

    def fichier(self, graisse: int, texte: str = "") -> Path:
        """Fichier de la graisse demandée, ou DejaVu Sans si la police n'a pas tous les signes."""
        choisi = self.normale
        if graisse >= 600:
            choisi = self.grasse if graisse >= 700 else self.demi_grasse
        if _signes(choisi).issuperset(texte):
            return choisi
        return _dejavu(gras=graisse >= 600)

    def fonte(self, texte: str, taille_pt: float, graisse: int = 400) -> FontProperties:
        """Police de matplotlib pour ce texte."""
        return FontProperties(fname=str(self.fichier(graisse, texte)), size=taille_pt)

    def largeur_mm(self, texte: str, taille_pt: float, graisse: int = 400) -> float:
        """Largeur d'un texte composé, mm."""
        return _largeur(self.fichier(graisse, texte), texte) * taille_pt * _MM_PAR_POINT


def _dejavu(*, gras: bool) -> Path:
    fournies = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return fournies / ("DejaVuSans-Bold.ttf" if gras else "DejaVuSans.ttf")


@lru_cache(maxsize=16)
def _signes(fichier: Path) -> frozenset[str]:
    with TTFont(fichier, lazy=True) as fonte:
        return frozenset(chr(code) for code in fonte.getBestCmap())


@lru_cache(maxsize=16)
def _ouvrir(fichier: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(fichier), _TAILLE_MESURE)


@lru_cache(maxsize=8192)
def _largeur(fichier: Path, texte: str) -> float:
    return float(_ouvrir(fichier).getlength(texte)) / _TAILLE_MESURE


def preparer_polices(police: Police, dossier: Path) -> PolicesPapier:
    """Polices du papier, converties dans ``dossier`` si elles viennent du web.

    Parameters
    ----------
    police
        Fichiers installés (``hors_ligne.lister_police``) ; vide : DejaVu Sans.
    dossier
        Dossier provisoire, à garder tant que l'on dessine.
    """
    par_graisse = dict(police.fichiers)
    if not {400, 600, 700} <= par_graisse.keys():
        grasse = _dejavu(gras=True)
        return PolicesPapier(_dejavu(gras=False), grasse, grasse)
    return PolicesPapier(*(_convertir(par_graisse[g], dossier) for g in (400, 600, 700)))


def _convertir(source: Path, dossier: Path) -> Path:
    sortie = dossier / f"{source.stem}.ttf"
    with TTFont(source, recalcTimestamp=False) as fonte:
        fonte.flavor = None
        tabulaires = _chiffres_tabulaires(fonte)
        for table in fonte["cmap"].tables:
            if not table.isUnicode():
                continue
            for code, glyphe in list(table.cmap.items()):
                table.cmap[code] = tabulaires.get(glyphe, glyphe)
            espace = table.cmap.get(_FINE_SECABLE) or table.cmap.get(_INSECABLE)
            if espace is not None:
                table.cmap.setdefault(_FINE, espace)
        fonte.save(sortie)
    return sortie


def _chiffres_tabulaires(fonte: Any) -> dict[str, str]:
    """Glyphe → glyphe tabulaire, d'après la substitution ``tnum`` de la police."""
    if "GSUB" not in fonte:
        return {}
    gsub = fonte["GSUB"].table
    remplacements: dict[str, str] = {}
    for trait in gsub.FeatureList.FeatureRecord:
        if trait.FeatureTag == "tnum":
            for rang in trait.Feature.LookupListIndex:
                for sous_table in gsub.LookupList.Lookup[rang].SubTable:
                    remplacements |= getattr(sous_table, "mapping", {})
    return remplacements

"""Aspect des cartes, lu dans ``parametres/couches.toml`` : palettes, classes, largeurs."""

from __future__ import annotations

import itertools
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accessibilite.bilans.synthese import couper_classes
from donnees_geo.erreurs import ErreurConfiguration

FICHIER: Final = Path(__file__).resolve().parent.parent / "parametres" / "couches.toml"
#: Rangs de classe qui ne viennent pas d'une durée.
INACCESSIBLE: Final = 254
SANS_DONNEE: Final = 255
Couleur = tuple[int, int, int]


@dataclass(frozen=True)
class Styles:
    """Aspect des cartes.

    Attributes
    ----------
    bornes_s
        Bornes hautes des classes de temps, secondes ; la dernière classe est ouverte.
    couleurs_temps
        Une couleur par classe (une de plus que de bornes).
    inaccessible_trait, inaccessible_fond, sans_donnee_point
        Couleurs des hachures et du semis de points.
    fond
        Couleurs du fond de carte, par nom.
    zoom_largeurs
        Zoom de la première largeur.
    largeurs
        Classe de voie → largeur en pixels, par zoom croissant.
    isochrones, isochrones_opacite
        Teinte de chaque point gardé, et opacité des bandes.
    groupes
        Titre des groupes de couches.
    """

    bornes_s: tuple[float, ...]
    couleurs_temps: tuple[str, ...]
    inaccessible_trait: str
    inaccessible_fond: str
    sans_donnee_point: str
    fond: dict[str, str]
    zoom_largeurs: int
    largeurs: dict[str, tuple[float, ...]]
    isochrones: tuple[str, ...]
    isochrones_opacite: float
    groupes: dict[str, str]

    def largeur(self, classe: str, zoom: int) -> float:
        """Largeur d'une classe de voie à un zoom, pixels (0 : non dessinée)."""
        valeurs = self.largeurs[classe]
        if zoom < self.zoom_largeurs:
            return 0.0 if classe != "principale" else valeurs[0]
        return valeurs[min(zoom - self.zoom_largeurs, len(valeurs) - 1)]


def lire_couleur(texte: str) -> Couleur:
    """Composantes 0–255 d'une couleur ``#rrggbb``.

    Raises
    ------
    ErreurConfiguration
        Texte d'une autre forme.
    """
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", texte):
        raise ErreurConfiguration(
            "La couleur n'est pas valable.", objet="couleur", attendu="#rrggbb", trouve=texte
        )
    return int(texte[1:3], 16), int(texte[3:5], 16), int(texte[5:7], 16)


@cache
def lire_styles(fichier: Path = FICHIER) -> Styles:
    """Lire l'aspect des cartes.

    Raises
    ------
    ErreurConfiguration
        Fichier absent ou mal formé, section ou couleur fautive, nombre de couleurs qui ne
        correspond pas au nombre de classes.
    """
    try:
        contenu = tomllib.loads(fichier.read_text(encoding="utf-8"))
        styles = _construire(contenu)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as erreur:
        raise ErreurConfiguration(
            "Le fichier des styles est absent ou fautif.",
            objet=fichier,
            trouve=erreur,
            conseil="le comparer à celui du dépôt (parametres/couches.toml)",
        ) from erreur
    _verifier(styles, fichier)
    return styles


def _construire(contenu: dict[str, Any]) -> Styles:
    temps, largeurs = contenu["temps"], dict(contenu["largeurs"])
    zoom_min = int(largeurs.pop("zoom_min"))
    return Styles(
        bornes_s=tuple(60.0 * float(b) for b in temps["bornes_min"]),
        couleurs_temps=tuple(temps["couleurs"]),
        inaccessible_trait=temps["inaccessible_trait"],
        inaccessible_fond=temps["inaccessible_fond"],
        sans_donnee_point=temps["sans_donnee_point"],
        fond=dict(contenu["fond"]),
        zoom_largeurs=zoom_min,
        largeurs={nom: tuple(float(v) for v in valeurs) for nom, valeurs in largeurs.items()},
        isochrones=tuple(contenu["isochrones"]["couleurs"]),
        isochrones_opacite=float(contenu["isochrones"]["opacite"]),
        groupes=dict(contenu["groupes"]),
    )


def _verifier(styles: Styles, fichier: Path) -> None:
    couleurs = [
        *styles.couleurs_temps,
        *styles.fond.values(),
        *styles.isochrones,
        styles.inaccessible_trait,
        styles.inaccessible_fond,
        styles.sans_donnee_point,
    ]
    for couleur in couleurs:
        lire_couleur(couleur)
    croissantes = all(a < b for a, b in zip(styles.bornes_s[:-1], styles.bornes_s[1:], strict=True))
    if len(styles.couleurs_temps) != len(styles.bornes_s) + 1 or not croissantes:
        raise ErreurConfiguration(
            "Les classes de temps ne sont pas cohérentes.",
            objet=f"{fichier.name}, [temps]",
            attendu="des bornes croissantes, et une couleur de plus que de bornes",
            trouve=f"{len(styles.bornes_s)} bornes, {len(styles.couleurs_temps)} couleurs",
        )


def classer_temps(temps_s: NDArray[np.floating[Any]], styles: Styles) -> NDArray[np.uint8]:
    """Ranger des temps dans les classes de la rampe.

    Une borne appartient à la classe qu'elle ferme : 15 min 00 s est « 10 à 15 minutes ».

    Returns
    -------
    numpy.ndarray
        uint8, rang de classe, ou :data:`INACCESSIBLE` (``inf``), ou :data:`SANS_DONNEE` (NaN).
    """
    rangs = couper_classes(np.asarray(temps_s, dtype=np.float64), styles.bornes_s)
    classes = np.where(rangs == -1, INACCESSIBLE, np.where(rangs == -2, SANS_DONNEE, rangs))
    return classes.astype(np.uint8)


def libelles_classes(styles: Styles) -> tuple[str, ...]:
    """Nom de chaque classe de temps : « 0 à 5 min », …, « plus de 30 min »."""
    bornes = [0, *(round(b / 60) for b in styles.bornes_s)]
    fermees = [f"{a} à {b} min" for a, b in itertools.pairwise(bornes)]
    return (*fermees, f"plus de {bornes[-1]} min")

"""Ce qu'un volet de la page Carences montre : question, chiffre, phrase, zones classées."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from couches.couche import EntreeLegende
from couches.styles import Styles
from couches.textes import de, nombre, part, pluriel, surface
from pages._carences.reglages import Reglages

#: Bornes hautes des classes de parts, incluses ; la dernière classe est ouverte.
BORNES_PARTS: Final = (0.1, 0.25, 0.5, 0.75)
#: Les mêmes pour une part toujours petite (ce que l'âge éloigne).
BORNES_FINES: Final = (0.02, 0.05, 0.1, 0.2)
TEINTES_PARTS: Final = ("#edf2f7", "#bcd3e6", "#7fabd0", "#3a7ab1", "#0b4a82")
SANS_DONNEE: Final = EntreeLegende("#8f8a80", "sans habitant ou sans donnée", "points")
SANS_TRAJET: Final = EntreeLegende("#1d1026", "aucun trajet", "hachures")
COULEUR_BARRE: Final = "#0b4a82"
_ZONES: Final = {
    "bassin_de_vie": ("bassin de vie", "le bassin de vie"),
    "secteur": ("secteur", "le secteur"),
    "commune": ("commune", "la commune"),
    "territoire": ("territoire", "le territoire"),
}


@dataclass(frozen=True)
class Colonne:
    """Colonne du classement.

    Attributes
    ----------
    titre
        En-tête.
    nombre
        Alignée à droite.
    barre
        La part y est aussi dessinée.
    facultative
        Laissée de côté sur un écran étroit ou projeté.
    """

    titre: str
    nombre: bool = True
    barre: bool = False
    facultative: bool = False


@dataclass(frozen=True)
class LigneZone:
    """Une zone classée.

    Attributes
    ----------
    code
        Code de la zone.
    cellules
        Textes, le nom d'abord.
    classe
        Rang de sa classe dans la légende.
    barre
        Longueur de la barre, 0 à 1, ``None`` sans valeur.
    bulle
        Texte au survol de la carte.
    """

    code: str
    cellules: tuple[str, ...]
    classe: int
    barre: float | None
    bulle: str


@dataclass(frozen=True)
class CarreauxClasses:
    """Détail par carreau.

    Attributes
    ----------
    classes
        uint8[carreaux], rang de couleur, ou codes de ``couches.styles``.
    couleurs
        Une couleur par rang.
    """

    classes: NDArray[np.uint8]
    couleurs: tuple[str, ...]

    def appliquer(self, styles: Styles) -> Styles:
        """Styles dont la rampe est celle-ci."""
        return replace(styles, couleurs_temps=self.couleurs)


@dataclass(frozen=True)
class Classement:
    """Contenu d'un volet.

    Attributes
    ----------
    titre
        Question à laquelle il répond.
    chiffre, chiffre_legende
        Grand chiffre, et ce qu'il compte.
    phrase
        Réponse, en une ou deux phrases.
    colonnes, lignes
        Zones, de la plus concernée à la moins.
    legende, legende_titre
        Classes de la carte.
    hypotheses
        Ce qui fonde les chiffres.
    table
        Mêmes lignes, pour un tableur.
    carreaux
        Détail par carreau à la place des zones, ou ``None``.
    couleur_barre
        Couleur des barres.
    """

    titre: str
    chiffre: str
    chiffre_legende: str
    phrase: str
    colonnes: tuple[Colonne, ...]
    lignes: tuple[LigneZone, ...]
    legende: tuple[EntreeLegende, ...]
    legende_titre: str
    hypotheses: str
    table: pd.DataFrame
    carreaux: CarreauxClasses | None = None
    couleur_barre: str = COULEUR_BARRE


def legende_parts(bornes: Sequence[float] = BORNES_PARTS) -> tuple[EntreeLegende, ...]:
    """Classes de parts, puis sans donnée."""
    pourcents = [f"{100 * b:g}" for b in bornes]
    textes = [
        f"{pourcents[0]} % et moins",
        *(f"{a} à {b} %" for a, b in itertools.pairwise(pourcents)),
        f"plus de {pourcents[-1]} %",
    ]
    classes = [EntreeLegende(c, t) for c, t in zip(TEINTES_PARTS, textes, strict=True)]
    return (*classes, SANS_DONNEE)


def classer_part(valeur: float, bornes: Sequence[float] = BORNES_PARTS) -> int:
    """Rang de la classe d'une part (voir :func:`legende_parts`), bornes hautes incluses.

    Examples
    --------
    >>> classer_part(0.1), classer_part(0.11), classer_part(1.0), classer_part(float("nan"))
    (0, 1, 4, 5)
    """
    if not np.isfinite(valeur):
        return len(bornes) + 1
    return int(np.searchsorted(bornes, valeur - 1e-9, side="left"))


def compter(poids: float, *, par_population: bool) -> str:
    """Habitants, ou surface sans population."""
    return nombre(poids) if par_population else surface(poids)


def compter_gens(poids: float, *, par_population: bool) -> str:
    """« 12 habitants », ou une surface sans population."""
    return pluriel(round(poids), "habitant") if par_population else surface(poids)


def unite(*, par_population: bool) -> str:
    """Nom de ce qui est compté."""
    return "habitants" if par_population else "surface"


def nommer_type(type_zone: str) -> str:
    """« bassin de vie », « secteur », « commune »."""
    return _ZONES[type_zone][0]


def nommer_zone(type_zone: str, nom: str) -> str:
    """Zone avec son article : « le bassin de vie de Lambancourt »."""
    return f"{_ZONES[type_zone][1]} {de(nom)}"


def trier_zones(
    table: pd.DataFrame, reglages: Reglages, *, concernes: str = "manque"
) -> pd.DataFrame:
    """Zones de la taille voulue, les plus concernées d'abord.

    Parameters
    ----------
    table
        Colonnes ``nom``, ``poids``, ``part`` et ``concernes``.
    """
    mini, maxi = reglages.bornes_taille_hab
    garde = table["poids"].between(mini, maxi) if (mini, maxi) != (0.0, np.inf) else slice(None)
    cles = [concernes, "part"] if reglages.tri == "habitants" else ["part", concernes]
    triee: pd.DataFrame = table[garde].sort_values(
        [*cles, "nom"], ascending=[False, False, True], ignore_index=True
    )
    return triee


def table_des_zones(zones: pd.DataFrame, *, poids: str, **autres: str) -> pd.DataFrame:
    """Table d'un classement, d'après les lignes d'une analyse.

    Parameters
    ----------
    zones
        ``zone_code``, ``zone_nom``, ``manque`` et les colonnes nommées.
    poids
        Colonne de ce qui est compté en tout.
    **autres
        Nom voulu → colonne reprise telle quelle.

    Returns
    -------
    pandas.DataFrame
        ``code``, ``nom``, ``poids``, ``manque``, ``part`` (NaN sans poids), et les autres.
    """
    total = zones[poids]
    return pd.DataFrame(
        {
            "code": zones["zone_code"].astype(str),
            "nom": zones["zone_nom"].astype(str),
            "poids": total,
            "manque": zones["manque"],
            "part": zones["manque"] / total.where(total > 0),
            **{nom: zones[colonne] for nom, colonne in autres.items()},
        }
    )


def bulles_habitants(table: pd.DataFrame, suite: str = "") -> list[str]:
    """Texte au survol de chaque zone : « Aix : 12 habitants (3,4 %) »."""
    return [
        f"{nom} : {pluriel(round(float(manque)), 'habitant')}{suite} ({part(float(taux))})"
        for nom, manque, taux in zip(table["nom"], table["manque"], table["part"], strict=True)
    ]


def composer_lignes(
    table: pd.DataFrame,
    cellules: Sequence[Sequence[str]],
    bulles: Sequence[str],
    classes: Sequence[int] | None = None,
) -> tuple[LigneZone, ...]:
    """Lignes du classement ; la colonne ``part`` donne la barre et, à défaut, les classes."""
    rangs = [classer_part(float(p)) for p in table["part"]] if classes is None else classes
    return tuple(
        LigneZone(
            code=str(code),
            cellules=(str(nom), *textes),
            classe=rang,
            barre=float(valeur) if np.isfinite(valeur) else None,
            bulle=bulle,
        )
        for code, nom, valeur, textes, bulle, rang in zip(
            table["code"], table["nom"], table["part"], cellules, bulles, rangs, strict=True
        )
    )


def dire_premiere(
    table: pd.DataFrame, reglages: Reglages, *, concernes: str = "manque", par_population: bool
) -> str:
    """Première zone du classement, en une phrase ; vide si personne n'est concerné."""
    if table.empty or not table[concernes].iloc[0] > 0:
        return ""
    premiere = table.iloc[0]
    zone = nommer_zone(reglages.regroupement, str(premiere["nom"]))
    gens = compter_gens(float(premiere[concernes]), par_population=par_population)
    rang = "en réunit le plus" if reglages.tri == "habitants" else "en a la plus forte part"
    return f"{zone[:1].upper()}{zone[1:]} {rang} : {gens} ({part(float(premiere['part']))})."

"""Une couche de la carte : ce qu'elle montre, sa légende, et d'où elle vient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

ODBL: Final = "ODbL 1.0"
LICENCE_OUVERTE: Final = "Licence Ouverte 2.0"
SIMULEE: Final = "données simulées"

Trame = Literal["plein", "hachures", "points", "trait", "tirets", "rond"]


@dataclass(frozen=True)
class EntreeLegende:
    """Une ligne de légende : un signe (couleur et trame, jamais la couleur seule) et son sens."""

    couleur: str
    texte: str
    trame: Trame = "plein"


@dataclass(frozen=True)
class Couche:
    """Une couche de la carte.

    Attributes
    ----------
    id, groupe, titre
        Identifiant, groupe (clé de ``Styles.groupes``) et titre affiché.
    legende
        Entrées, dans l'ordre de lecture.
    source, millesime, licence
        Provenance ; millésime vide si la source ne le donne pas.
    services, mode
        Services et mode montrés (carreaux et lieux).
    opacite
        Opacité proposée, 0 à 1.
    visible
        Montrée par défaut.
    """

    id: str
    groupe: str
    titre: str
    legende: tuple[EntreeLegende, ...] = ()
    source: str = ""
    millesime: str = ""
    licence: str = ""
    services: tuple[str, ...] = ()
    mode: str = ""
    opacite: float = 1.0
    visible: bool = True

"""Ce que toutes les pages d'un atlas partagent : données seulement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from couches.papier.fond import FondPapier, Objets
from couches.papier.polices import PolicesPapier
from couches.styles import Styles

#: Nombre de services à portée : clair, tous ; foncé, aucun (comme les temps : foncé, loin).
COULEURS_NOMBRE: Final = ("#dcebf4", "#a5cbe0", "#5f9fc6", "#2b6a9c", "#12365c")


@dataclass(frozen=True)
class CarteSecondaire:
    """Une petite carte de carreaux : titre, classes, couleurs et légende."""

    titre: str
    classes: NDArray[np.uint8]
    couleurs: tuple[str, ...]
    legende: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Contraintes:
    """Objets de la carte des friches, de l'inondation et des commerces ; ``None`` : non fourni.

    ``couleurs`` : couleur de chaque nature d'objet, celle du catalogue des couches.
    """

    friches: Objets | None
    interdiction: Objets | None
    prescription: Objets | None
    commerces: Objets | None
    vacants: Objets | None
    couleurs: Mapping[str, str]


@dataclass(frozen=True)
class Dossier:
    """Ce que toutes les pages d'un atlas partagent.

    Attributes
    ----------
    territoire, fictif
        Nom du territoire, et s'il est simulé.
    date_edition
        Date imprimée.
    hypotheses, sources, licence
        Pied de page.
    fond, carreaux, styles, polices
        De quoi dessiner.
    classes
        uint8[carreaux], classe de la carte principale.
    titre_legende
        Ce que mesurent ses couleurs.
    secondaire
        Deuxième carte.
    lieux, libelle_lieux
        Points de service de la carte principale.
    contraintes
        Troisième carte.
    """

    territoire: str
    fictif: bool
    date_edition: str
    hypotheses: str
    sources: tuple[str, ...]
    licence: str
    fond: FondPapier
    carreaux: Objets
    styles: Styles
    polices: PolicesPapier
    classes: NDArray[np.uint8]
    titre_legende: str
    unite_legende: str
    secondaire: CarteSecondaire
    lieux: Objets
    libelle_lieux: str
    contraintes: Contraintes

"""Un calque : une couche thématique classée, sa légende et sa provenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from couches.catalogue import ChampBulle, Classe
from couches.couche import Couche, EntreeLegende
from couches.textes import nombre
from donnees_geo.thematiques.couches_libres import ColonneStyle, decrire_colonnes

Nature = Literal["surface", "ligne", "point"]
NATURES: Final[tuple[Nature, ...]] = ("point", "ligne", "surface")


@dataclass(frozen=True)
class Calque:
    """Une couche posée sur la carte.

    Attributes
    ----------
    id, titre, groupe
        Identifiant stable (il s'écrit dans l'adresse), titre, et clé de ``Styles.groupes``.
    table
        Objets, dans le CRS métrique du territoire ; index 0…n-1.
    classes, rangs
        Légende, et int64[n] rang de la classe de chaque objet.
    nature
        Nature de la plupart des objets : fixe le signe de légende et le rang d'empilement.
    nom, champs
        Colonne du nom d'un objet (vide : sans nom), et colonnes dites dans sa bulle.
    source, millesime, licence, avertissement
        Provenance ; millésime vide si la source ne le donne pas.
    notes
        Ce qui a été mis de côté ou réparé à la lecture.
    reperer
        Vrai : un objet trop petit pour se voir est montré par un signe.
    libre
        Vrai : la couche peut être colorée d'après une de ses colonnes.
    """

    id: str
    titre: str
    groupe: str
    table: gpd.GeoDataFrame
    classes: tuple[Classe, ...]
    rangs: NDArray[np.int64]
    nature: Nature
    nom: str = ""
    champs: tuple[ChampBulle, ...] = ()
    source: str = ""
    millesime: str = ""
    licence: str = ""
    avertissement: str = ""
    notes: tuple[str, ...] = ()
    reperer: bool = False
    libre: bool = False

    @property
    def comptes(self) -> tuple[int, ...]:
        """Nombre d'objets de chaque classe."""
        return tuple(np.bincount(self.rangs, minlength=len(self.classes)).tolist())

    @property
    def colonnes(self) -> list[ColonneStyle]:
        """Colonnes d'après lesquelles une couche libre peut être colorée."""
        return decrire_colonnes(self.table) if self.libre else []

    def en_couche(self) -> Couche:
        """Légende et provenance, pour la liste des couches montrées."""
        presentes = [
            (c, n) for c, n in zip(self.classes, self.comptes, strict=True) if n or self.libre
        ]
        return Couche(
            id=self.id,
            groupe=self.groupe,
            titre=self.titre,
            legende=tuple(
                EntreeLegende(c.couleur, f"{c.libelle} ({nombre(n)})", c.trame)
                for c, n in presentes
            ),
            source=" ".join(t for t in (self.source, self.avertissement, *self.notes) if t),
            millesime=self.millesime or "millésime non indiqué",
            licence=self.licence,
            visible=False,
        )


def dire_nature(table: gpd.GeoDataFrame) -> Nature:
    """Nature de la plupart des objets d'une table."""
    dimensions = shapely.get_dimensions(table.geometry.to_numpy())
    comptes = np.bincount(np.clip(dimensions, 0, 2), minlength=3)
    return NATURES[int(comptes.argmax())]


def position_d_arrivee(nouveau: Nature, presents: Sequence[Nature]) -> int:
    """Rang où poser un calque, du dessus vers le dessous : points, puis lignes, puis surfaces."""
    hauteur = NATURES.index(nouveau)
    return next((i for i, n in enumerate(presents) if NATURES.index(n) >= hauteur), len(presents))

"""Fond de carte vectoriel du papier : rues, eaux, bois, communes, en mètres du CRS du territoire.

Chaque famille d'objets devient un seul tracé composé : la page reste légère et se dessine en
quelques dizaines de millisecondes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from matplotlib.path import Path as Trace
from numpy.typing import NDArray

from couches.ecran.fond import CLASSES_DESSIN
from donnees_geo.reseau import CLASSES_VOIE
from donnees_geo.territoire import Territoire

Emprise = tuple[float, float, float, float]
#: Surfaces du fond, de la plus basse à la plus haute : couche du territoire → couleur.
SURFACES: Final = {"zones_baties": "bati", "parcs": "parcs", "bois": "bois", "eau": "eau"}
#: Détail plus fin que ceci, mm sur le papier : invisible, il n'est pas écrit.
DETAIL_MM: Final = 0.06


@dataclass(frozen=True)
class Objets:
    """Géométries et leur index spatial."""

    geometries: NDArray[np.object_]
    arbre: shapely.STRtree

    @staticmethod
    def depuis(geometries: Iterable[shapely.Geometry]) -> Objets:
        """Indexer des géométries ; les vides sont ôtées."""
        table = np.array(list(geometries), dtype=object)
        table = table[~(shapely.is_missing(table) | shapely.is_empty(table))]
        return Objets(table, shapely.STRtree(table))

    def decouper(self, emprise: Emprise, tolerance_m: float) -> NDArray[np.object_]:
        """Parties visibles dans l'emprise, simplifiées."""
        cadre = shapely.box(*emprise)
        touche = self.geometries[np.sort(self.arbre.query(cadre))]
        if touche.size == 0:
            return touche
        # Le découpage rectangulaire de GEOS refuse les surfaces mal fermées : on les a réparées.
        coupees = shapely.clip_by_rect(touche, *emprise)
        return shapely.simplify(coupees[~shapely.is_empty(coupees)], tolerance_m)


@dataclass(frozen=True)
class FondPapier:
    """Ce que dessine toute carte sur papier.

    Attributes
    ----------
    rues
        Classe dessinée → lignes.
    surfaces
        Nom de couleur → surfaces.
    cours_eau, voies_ferrees, limites
        Lignes.
    communes
        Contours des communes, dans l'ordre du territoire.
    noms, population
        Nom et population de chaque commune.
    contour
        Territoire étudié.
    """

    rues: Mapping[str, Objets]
    surfaces: Mapping[str, Objets]
    cours_eau: Objets
    voies_ferrees: Objets
    limites: Objets
    communes: NDArray[np.object_]
    noms: tuple[str, ...]
    population: NDArray[np.float64]
    contour: shapely.Geometry


def construire_fond_papier(territoire: Territoire) -> FondPapier:
    """Rassembler et indexer le fond d'un territoire, une fois pour toutes les pages."""
    reseau = territoire.reseau
    rues = {}
    for nom, classes in CLASSES_DESSIN.items():
        rangs = [CLASSES_VOIE.index(c) for c in classes]
        troncons = np.flatnonzero(np.isin(reseau.troncon_classe, rangs))
        # Les tronçons bout à bout n'en font qu'un : deux fois moins à écrire.
        fondus = shapely.line_merge(shapely.multilinestrings(reseau.lignes(troncons)))
        rues[nom] = Objets.depuis(shapely.get_parts(fondus))
    communes = shapely.make_valid(territoire.communes.geometry.to_numpy())
    limites = shapely.line_merge(shapely.union_all(shapely.boundary(communes)))
    return FondPapier(
        rues=rues,
        surfaces={couleur: _surfaces(territoire, nom) for nom, couleur in SURFACES.items()},
        cours_eau=_lignes(territoire, "cours_eau"),
        voies_ferrees=_lignes(territoire, "voies_ferrees"),
        limites=Objets.depuis(shapely.get_parts(limites)),
        communes=communes,
        noms=tuple(str(n) for n in territoire.communes["nom"]),
        population=territoire.communes["population_hab"].to_numpy(dtype=np.float64),
        contour=territoire.contour,
    )


def _couche(territoire: Territoire, nom: str, dimension: int) -> Objets:
    table = territoire.fond.get(nom)
    if table is None:
        return Objets.depuis([])
    parties = shapely.get_parts(shapely.make_valid(table.geometry.to_numpy()))
    return Objets.depuis(parties[shapely.get_dimensions(parties) == dimension])


def _surfaces(territoire: Territoire, nom: str) -> Objets:
    return _couche(territoire, nom, 2)


def _lignes(territoire: Territoire, nom: str) -> Objets:
    return _couche(territoire, nom, 1)


def tracer(geometries: NDArray[np.object_], dimension: int) -> Trace | None:
    """Tracé composé de lignes (1) ou de surfaces (2) ; ``None`` s'il n'y a rien à dessiner."""
    parties = shapely.get_parts(geometries)
    parties = parties[(shapely.get_dimensions(parties) == dimension) & ~shapely.is_empty(parties)]
    if parties.size == 0:
        return None
    lignes = shapely.get_rings(parties) if dimension == 2 else parties
    coordonnees, rang = shapely.get_coordinates(lignes, return_index=True)
    codes = np.full(len(coordonnees), Trace.LINETO, dtype=np.uint8)
    premier = np.flatnonzero(np.diff(rang, prepend=-1))
    codes[premier] = Trace.MOVETO
    if dimension == 2:
        codes[np.append(premier[1:], len(coordonnees)) - 1] = Trace.CLOSEPOLY
    return Trace(coordonnees, codes)

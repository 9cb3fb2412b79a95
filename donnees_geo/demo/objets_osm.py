"""Assemblage des objets OSM (noeuds, voies, relations) avant leur écriture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

from donnees_geo.demo.cadre import Entiers, Flottants

Tags = dict[str, str]


@dataclass
class ObjetsOsm:
    """Recueil d'objets OSM en coordonnées métriques.

    Les noeuds reçoivent des numéros croissants à mesure qu'ils arrivent ; l'écriture les convertit
    en identifiants OSM.

    Attributes
    ----------
    x, y
        Blocs de coordonnées, mètres.
    tags_noeuds
        Tags des seuls noeuds qui en portent.
    voies
        Noeuds et tags de chaque voie.
    relations
        Membres (rang de voie, rôle) et tags de chaque relation.
    """

    x: list[Flottants] = field(default_factory=list)
    y: list[Flottants] = field(default_factory=list)
    tags_noeuds: dict[int, Tags] = field(default_factory=dict)
    voies: list[tuple[Entiers, Tags]] = field(default_factory=list)
    relations: list[tuple[list[tuple[int, str]], Tags]] = field(default_factory=list)
    nombre_noeuds: int = 0

    def ajouter_noeuds(self, xy: Flottants) -> Entiers:
        """Ajouter des noeuds float64[n, 2] et rendre leurs numéros."""
        xy = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
        numeros = np.arange(self.nombre_noeuds, self.nombre_noeuds + len(xy))
        self.x.append(xy[:, 0])
        self.y.append(xy[:, 1])
        self.nombre_noeuds += len(xy)
        return numeros

    def position(self, numero: int) -> Flottants:
        """Coordonnées d'un noeud déjà ajouté, float64[2]."""
        reste = numero
        for x, y in zip(self.x, self.y, strict=True):
            if reste < x.size:
                return np.array([x[reste], y[reste]])
            reste -= x.size
        raise IndexError(numero)

    def ajouter_points(self, xy: Flottants, tags: Sequence[Tags]) -> None:
        """Ajouter des noeuds isolés avec leurs tags."""
        self.tags_noeuds |= dict(zip(self.ajouter_noeuds(xy).tolist(), tags, strict=True))

    def ajouter_ligne(self, xy: Flottants, tags: Tags) -> Entiers:
        """Ajouter une voie et ses noeuds, rendre les numéros de ceux-ci."""
        numeros = self.ajouter_noeuds(xy)
        self.voies.append((numeros, tags))
        return numeros

    def _anneau(self, anneau: shapely.LinearRing, tags: Tags) -> int:
        numeros = self.ajouter_noeuds(shapely.get_coordinates(anneau)[:-1])
        self.voies.append((np.r_[numeros, numeros[:1]], tags))
        return len(self.voies) - 1

    def ajouter_surface(self, surface: shapely.Geometry, tags: Tags) -> None:
        """Ajouter chaque polygone : voie fermée, ou multipolygone s'il a des trous."""
        for polygone in shapely.get_parts(surface):
            if isinstance(polygone, shapely.Polygon):
                self._ajouter_polygone(polygone, tags)

    def _ajouter_polygone(self, polygone: shapely.Polygon, tags: Tags) -> None:
        if not polygone.interiors:
            self._anneau(polygone.exterior, tags)
            return
        membres = [(self._anneau(polygone.exterior, {}), "outer")]
        membres += [(self._anneau(trou, {}), "inner") for trou in polygone.interiors]
        self.relations.append((membres, {"type": "multipolygon", **tags}))

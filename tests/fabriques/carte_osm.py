"""Petites cartes OSM écrites en mètres, lues par les vrais lecteurs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import osmium
import pyproj

CRS_CARTE = "EPSG:2154"
#: Coin sud-ouest des cartes, en Lambert-93.
ORIGINE = (680_000.0, 7_050_000.0)


@dataclass
class CarteOsm:
    """Carte en construction : les positions sont en mètres depuis :data:`ORIGINE`."""

    noeuds: dict[int, tuple[float, float]] = field(default_factory=dict)
    tags_noeuds: dict[int, Mapping[str, str]] = field(default_factory=dict)
    voies: list[tuple[int, Sequence[int], Mapping[str, str]]] = field(default_factory=list)
    relations: list[tuple[int, Sequence[tuple[str, int, str]], Mapping[str, str]]] = field(
        default_factory=list
    )

    def noeud(self, numero: int, x: float, y: float, **tags: str) -> None:
        self.noeuds[numero] = (x, y)
        if tags:
            self.tags_noeuds[numero] = tags

    def voie(self, numero: int, refs: Sequence[int], tags: Mapping[str, str] | None = None) -> None:
        self.voies.append((numero, list(refs), tags or {"highway": "residential"}))

    def relation(
        self, numero: int, membres: Sequence[tuple[str, int, str]], tags: Mapping[str, str]
    ) -> None:
        self.relations.append((numero, list(membres), tags))

    def ecrire(self, fichier: Path) -> Path:
        """Écrire la carte au format dit par l'extension (``.osm``, ``.osm.gz``, ``.osm.pbf``…)."""
        vers_degres = pyproj.Transformer.from_crs(CRS_CARTE, "EPSG:4326", always_xy=True)
        with osmium.SimpleWriter(str(fichier), overwrite=True) as ecrit:
            for numero, (x, y) in sorted(self.noeuds.items()):
                position = vers_degres.transform(ORIGINE[0] + x, ORIGINE[1] + y)
                ecrit.add_node(
                    osmium.osm.mutable.Node(
                        id=numero, location=position, tags=self.tags_noeuds.get(numero, {})
                    )
                )
            for numero, refs, tags in sorted(self.voies, key=lambda v: v[0]):
                ecrit.add_way(osmium.osm.mutable.Way(id=numero, nodes=refs, tags=dict(tags)))
            for numero, membres, tags in self.relations:
                ecrit.add_relation(
                    osmium.osm.mutable.Relation(id=numero, members=membres, tags=dict(tags))
                )
        return fichier

    def boite_degres(
        self, ouest: float, sud: float, est: float, nord: float
    ) -> tuple[float, float, float, float]:
        """Rectangle en degrés couvrant un rectangle en mètres depuis l'origine."""
        vers_degres = pyproj.Transformer.from_crs(CRS_CARTE, "EPSG:4326", always_xy=True)
        return vers_degres.transform_bounds(
            ORIGINE[0] + ouest, ORIGINE[1] + sud, ORIGINE[0] + est, ORIGINE[1] + nord
        )

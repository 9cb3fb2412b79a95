"""Extrait OSM de taille régionale, fait de copies décalées d'un petit extrait réel.

Sert au banc et aux essais de charge. Les copies sont posées en damier, sans se toucher ; les
identifiants sont renumérotés puis espacés, pour être aussi dispersés que les vrais.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import osmium

#: Écart entre identifiants de noeuds : 20 millions de noeuds occupent 12 milliards de numéros.
ECART_IDENTIFIANTS = 600


@dataclass(frozen=True)
class ObjetsSource:
    """Objets d'un extrait : positions de tous les noeuds, tags des noeuds, voies et relations."""

    rang_noeud: dict[int, int]
    lon: np.ndarray
    lat: np.ndarray
    tags_noeuds: dict[int, list[tuple[str, str]]]
    voies: list[tuple[list[tuple[str, str]], list[int]]]
    relations: list[tuple[list[tuple[str, str]], list[tuple[str, int, str]]]]


class _Noeud:
    """Noeud minimal accepté par le rédacteur d'osmium (lecture d'attributs seulement)."""

    __slots__ = ("id", "location", "tags")


def lire_source(fichier: Path) -> ObjetsSource:
    """Charger un petit extrait en mémoire ; les références absentes sont gardées (-1)."""
    rang: dict[int, int] = {}
    lon: list[float] = []
    lat: list[float] = []
    tags: dict[int, list[tuple[str, str]]] = {}
    voies: list[tuple[list[tuple[str, str]], list[int]]] = []
    rang_voie: dict[int, int] = {}
    relations = []
    for objet in osmium.FileProcessor(str(fichier)):
        cles = [(t.k, t.v) for t in objet.tags]
        if objet.is_node():
            if cles:
                tags[len(rang)] = cles
            rang[objet.id] = len(rang)
            lon.append(objet.lon)
            lat.append(objet.lat)
        elif objet.is_way():
            rang_voie[objet.id] = len(voies)
            voies.append((cles, [rang.get(n.ref, -1) for n in objet.nodes]))
        else:
            membres = [
                (m.type, (rang if m.type == "n" else rang_voie)[m.ref], m.role)
                for m in objet.members
                if (m.type == "n" and m.ref in rang) or (m.type == "w" and m.ref in rang_voie)
            ]
            relations.append((cles, membres))
    return ObjetsSource(rang, np.array(lon), np.array(lat), tags, voies, relations)


def fabriquer_extrait_regional(
    source: Path,
    sortie: Path,
    noeuds_voulus: int = 20_000_000,
    *,
    progression: Callable[[int, int], None] | None = None,
) -> int:
    """Écrire un extrait d'environ ``noeuds_voulus`` noeuds.

    Parameters
    ----------
    source
        Petit extrait réel.
    sortie
        Fichier ``.osm.pbf`` à écrire (remplacé s'il existe).
    noeuds_voulus
        Nombre de noeuds visé ; le nombre de copies est arrondi au-dessus.
    progression
        Appelée avec le numéro de la copie et le nombre de copies.

    Returns
    -------
    int
        Nombre de copies. La copie 0 est à la place de la source ; la copie ``k`` est décalée de
        ``k % c`` largeurs vers l'est et ``k // c`` hauteurs vers le nord.
    """
    objets = lire_source(source)
    n, v, r = len(objets.rang_noeud), len(objets.voies), len(objets.relations)
    copies = -(-noeuds_voulus // n)
    colonnes = int(np.ceil(np.sqrt(copies)))
    pas_lon = float(np.ptp(objets.lon)) * 1.05
    pas_lat = float(np.ptp(objets.lat)) * 1.05
    with osmium.SimpleWriter(str(sortie), overwrite=True, bufsz=16 * 1024 * 1024) as ecrit:
        for copie in range(copies):
            _ecrire_noeuds(
                ecrit.add_node,
                objets,
                copie * n,
                copie % colonnes * pas_lon,
                copie // colonnes * pas_lat,
            )
            if progression is not None:
                progression(copie, copies)
        for copie in range(copies):
            for rang, (tags, refs) in enumerate(objets.voies):
                # Une référence absente de la source le reste : numéro jamais attribué.
                noeuds = [
                    (copie * n + max(i, 0)) * ECART_IDENTIFIANTS + (1 if i >= 0 else 2)
                    for i in refs
                ]
                ecrit.add_way(
                    osmium.osm.mutable.Way(id=copie * v + rang + 1, tags=tags, nodes=noeuds)
                )
        for copie in range(copies):
            decalages = {"n": copie * n, "w": copie * v}
            for rang, (tags, membres) in enumerate(objets.relations):
                ecrit.add_relation(
                    osmium.osm.mutable.Relation(
                        id=copie * r + rang + 1,
                        tags=tags,
                        members=[(t, _numero(t, decalages[t] + i), role) for t, i, role in membres],
                    )
                )
    return copies


def _numero(genre: str, rang: int) -> int:
    return rang * ECART_IDENTIFIANTS + 1 if genre == "n" else rang + 1


def _ecrire_noeuds(
    ajouter: Callable[[Any], None], objets: ObjetsSource, base: int, dlon: float, dlat: float
) -> None:
    noeud = _Noeud()
    lons, lats = (objets.lon + dlon).tolist(), (objets.lat + dlat).tolist()
    tags = objets.tags_noeuds
    for i, position in enumerate(zip(lons, lats, strict=True)):
        noeud.id = (base + i) * ECART_IDENTIFIANTS + 1
        noeud.location = position
        noeud.tags = tags.get(i, ())
        ajouter(noeud)

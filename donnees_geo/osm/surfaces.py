"""Surfaces et lignes d'OpenStreetMap : voies fermées et multipolygones, en calcul vectoriel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from donnees_geo.osm.collecte import ObjetsOsm, decoder_wkb

#: Octets hexadécimaux d'un point (deux float64).
_HEXA_PAR_POINT: Final = 32
#: Une voie fermée qui porte une de ces clés est une ligne, sauf ``area=yes``.
_CLES_LINEAIRES: Final = frozenset({"highway", "waterway", "railway", "barrier"})
_VALEURS_SURFACIQUES: Final = frozenset({"riverbank", "dock", "boatyard", "platform", "station"})


@dataclass(frozen=True)
class GeometriesOsm:
    """Objets OSM non ponctuels et leur géométrie en degrés.

    Attributes
    ----------
    identifiants
        ``w`` ou ``r`` suivi du numéro.
    tags
        Tags de chacun.
    geometries
        object[n], ``Polygon``, ``MultiPolygon`` ou ``LineString``, EPSG:4326.
    incompletes
        Nombre de relations écartées parce que leur contour n'est pas fermé dans l'extrait.
    """

    identifiants: Sequence[str]
    tags: Sequence[Mapping[str, str]]
    geometries: NDArray[np.object_]
    incompletes: int = 0

    def prendre(self, indices: NDArray[np.int64]) -> GeometriesOsm:
        """Objets d'``indices`` donnés (int64[k]), dans cet ordre."""
        return GeometriesOsm(
            [self.identifiants[i] for i in indices.tolist()],
            [self.tags[i] for i in indices.tolist()],
            self.geometries[indices],
            self.incompletes,
        )

    def choisir(self, garder: Callable[[Mapping[str, str]], bool]) -> GeometriesOsm:
        """Sous-ensemble des objets dont les tags satisfont ``garder``."""
        # Les objets aux mêmes tags partagent leur dictionnaire : un test par dictionnaire.
        distincts = {id(tags): tags for tags in self.tags}
        gardes = {cle for cle, tags in distincts.items() if garder(tags)}
        indices = [i for i, tags in enumerate(self.tags) if id(tags) in gardes]
        return self.prendre(np.array(indices, dtype=np.int64))


def construire_geometries(objets: ObjetsOsm) -> GeometriesOsm:
    """Géométries des voies et des relations retenues.

    Une voie fermée est une surface, sauf si ses tags en font une ligne (une route en boucle). Une
    relation est assemblée en reliant ses membres : la règle pair-impair des contours emboîtés donne
    les trous, sans se fier aux rôles. Les surfaces invalides sont réparées.
    """
    voies = _lignes([hexa for _, _, hexa, _ in objets.lignes])
    if objets.lignes:
        fermees = np.array(
            [f and _est_surface(tags) for _, tags, _, f in objets.lignes], dtype=bool
        ) & (shapely.get_num_points(voies) >= 4)
        anneaux = shapely.get_coordinates(voies[fermees], return_index=True)
        if anneaux[1].size:
            voies[fermees] = _reparer(
                np.asarray(shapely.polygons(_anneaux(*anneaux)), dtype=object)
            )
    relations = [_assembler(membres, objets.membres) for _, _, membres in objets.relations]
    presentes = [i for i, forme in enumerate(relations) if forme is not None]
    identifiants = [f"w{numero}" for numero, *_ in objets.lignes]
    identifiants += [f"r{objets.relations[i][0]}" for i in presentes]
    tags: list[Mapping[str, str]] = [t for _, t, _, _ in objets.lignes]
    tags += [objets.relations[i][1] for i in presentes]
    formes = np.empty(len(presentes), dtype=object)
    formes[:] = [relations[i] for i in presentes]
    return GeometriesOsm(
        identifiants,
        tags,
        np.concatenate([voies, _reparer(formes)]),
        len(relations) - len(presentes),
    )


def _est_surface(tags: Mapping[str, str]) -> bool:
    if tags.get("area") in ("yes", "no"):
        return tags["area"] == "yes"
    return (
        not any(cle in tags and tags[cle] not in _VALEURS_SURFACIQUES for cle in _CLES_LINEAIRES)
        or "building" in tags
    )


def _lignes(morceaux: Sequence[str]) -> NDArray[np.object_]:
    """LineString (ou Point, pour un seul sommet) de chaque morceau hexadécimal."""
    if not morceaux:
        return np.empty(0, dtype=object)
    nombres = np.array([len(m) // _HEXA_PAR_POINT for m in morceaux], dtype=np.int64)
    coordonnees = decoder_wkb(morceaux)
    resultat = np.empty(len(morceaux), dtype=object)
    debut = np.cumsum(nombres) - nombres
    seuls = nombres == 1
    resultat[seuls] = shapely.points(coordonnees[debut[seuls]])
    plusieurs = np.repeat(~seuls, nombres)
    if plusieurs.any():
        rang = np.cumsum(~seuls) - 1
        resultat[~seuls] = shapely.linestrings(
            coordonnees[plusieurs], indices=np.repeat(rang, nombres)[plusieurs]
        )
    return resultat


def _anneaux(coordonnees: NDArray[np.float64], indices: NDArray[np.int64]) -> NDArray[np.object_]:
    """Anneaux fermés (shapely ferme celui dont un bout manque)."""
    anneaux: NDArray[np.object_] = np.asarray(
        shapely.linearrings(coordonnees, indices=indices), dtype=object
    )
    return anneaux


def _assembler(membres: Sequence[int], lignes: Mapping[int, str]) -> shapely.Geometry | None:
    """Surface délimitée par les voies membres, ``None`` s'il en manque ou si rien ne se ferme."""
    presentes = [lignes[m] for m in membres if m in lignes]
    # Sans tous ses membres, un contour intérieur orphelin passerait pour une surface.
    if not presentes or len(presentes) < len(membres):
        return None
    contours = shapely.multilinestrings(
        [ligne for ligne in _lignes(presentes) if ligne.geom_type == "LineString"]
    )
    surface = shapely.build_area(shapely.line_merge(contours))
    return None if shapely.is_empty(surface) else surface


def _reparer(surfaces: NDArray[np.object_]) -> NDArray[np.object_]:
    """Surfaces valides ; ``make_valid`` ne garde que leur partie à deux dimensions."""
    surfaces = np.asarray(surfaces, dtype=object)
    mauvaises = ~shapely.is_valid(surfaces)
    if not mauvaises.any():
        return surfaces
    resultat = surfaces.copy()
    reparees = shapely.make_valid(surfaces[mauvaises], method="structure", keep_collapsed=False)
    resultat[mauvaises] = reparees
    return resultat

"""Bandes isochrones pour le navigateur : en degrés, au mètre près.

Elles vont de la plus lointaine à la
plus proche, pour que chacune reste visible sous la suivante.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from accessibilite.rues.isochrones import Isochrone
from couches.ecran.mercator import vers_degres

#: Écart toléré au contour calculé, mètres : invisible à l'écran, dix fois moins de sommets.
TOLERANCE_MIN_M: Final = 4.0
#: Un grand isochrone se regarde de loin : l'écart suit son étendue, et reste sous le pixel quand il
#: remplit un écran de 1 080 lignes.
PART_TOLERANCE: Final = 1 / 1200
#: Un trou ou un îlot plus petit que ce nombre d'écarts de côté ne se verrait pas.
COTE_MIN_ECARTS: Final = 4.0
DECIMALES: Final = 5


def decrire_bandes(isochrones: Sequence[Isochrone], crs: str) -> str:
    """GeoJSON des isochrones.

    Parameters
    ----------
    isochrones
        Emboîtés.
    crs
        CRS métrique de leurs polygones.

    Returns
    -------
    str
        ``FeatureCollection`` ; propriétés ``minutes`` et ``surface_m2``.
    """

    def convertir(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        lon, lat = vers_degres(xy[:, 0], xy[:, 1], crs)
        return np.asarray(np.round(np.column_stack([lon, lat]), DECIMALES), dtype=np.float64)

    ordre = sorted(isochrones, key=lambda i: -i.seuil_s)
    polygones = [i.polygone for i in ordre]
    degres = shapely.transform(alleger(polygones, choisir_tolerance(polygones)), convertir)
    textes: Any = shapely.to_geojson(degres)
    bandes = [
        f'{{"type":"Feature","properties":{json.dumps(_proprietes(iso))},"geometry":{texte}}}'
        for iso, texte in zip(ordre, textes, strict=True)
    ]
    return f'{{"type":"FeatureCollection","features":[{",".join(bandes)}]}}'


def choisir_tolerance(polygones: Sequence[shapely.MultiPolygon]) -> float:
    """Écart toléré au contour, mètres, d'après la plus grande étendue."""
    bornes = shapely.bounds(np.array(polygones, dtype=object))
    etendues = np.append(bornes[:, 2] - bornes[:, 0], bornes[:, 3] - bornes[:, 1])
    finies = etendues[np.isfinite(etendues)]
    return max(TOLERANCE_MIN_M, PART_TOLERANCE * float(finies.max(initial=0.0)))


def alleger(polygones: Sequence[shapely.MultiPolygon], tolerance_m: float) -> NDArray[np.object_]:
    """Polygones simplifiés à ``tolerance_m`` près, sans les anneaux trop petits pour se voir.

    Les anneaux sont simplifiés un à un, sans se soucier qu'ils se touchent : le résultat se
    dessine, il ne sert à aucun calcul.
    """
    parties, rang = shapely.get_parts(np.array(polygones, dtype=object), return_index=True)
    anneaux, polygone = shapely.get_rings(parties, return_index=True)
    exterieur = np.diff(polygone, prepend=-1) > 0
    visible = _mesurer_aires(anneaux) >= (COTE_MIN_ECARTS * tolerance_m) ** 2
    # Sans son bord extérieur, un polygone disparaît avec ses trous.
    visible &= visible[exterieur][polygone]
    anneaux, polygone, exterieur = anneaux[visible], polygone[visible], exterieur[visible]
    simples = shapely.simplify(anneaux, tolerance_m, preserve_topology=False)
    visible = shapely.get_num_coordinates(simples) >= 4
    visible &= np.isin(polygone, polygone[visible & exterieur])
    resultat = np.array([shapely.MultiPolygon()] * len(polygones), dtype=object)
    if visible.any():
        dessines = _percer(simples[visible], exterieur[visible])
        shapely.multipolygons(dessines, indices=rang[polygone[visible & exterieur]], out=resultat)
    return resultat


def _mesurer_aires(anneaux: NDArray[np.object_]) -> NDArray[np.float64]:
    """Aire enfermée par chaque anneau, m², sans en faire des polygones."""
    if anneaux.size == 0:
        return np.empty(0)
    coordonnees = shapely.get_coordinates(anneaux)
    nombres = shapely.get_num_coordinates(anneaux)
    debuts = np.cumsum(nombres) - nombres
    x, y = (coordonnees - np.repeat(coordonnees[debuts], nombres, axis=0)).T
    croise = np.zeros(x.size)
    croise[:-1] = x[:-1] * y[1:] - x[1:] * y[:-1]
    # Du dernier sommet d'un anneau au premier du suivant, il n'y a pas de côté.
    croise[debuts + nombres - 1] = 0.0
    return np.asarray(np.abs(np.add.reduceat(croise, debuts)) / 2, dtype=np.float64)


def _percer(anneaux: NDArray[np.object_], exterieur: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Polygones d'après leurs anneaux, l'extérieur d'abord."""
    coordonnees = shapely.get_coordinates(anneaux)
    bornes_anneaux = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(anneaux))])
    bornes_polygones = np.concatenate([np.flatnonzero(exterieur), [exterieur.size]])
    resultat = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, coordonnees, (bornes_anneaux, bornes_polygones)
    )
    return np.asarray(resultat, dtype=object)


def _proprietes(isochrone: Isochrone) -> dict[str, float]:
    return {
        "minutes": round(isochrone.seuil_s / 60, 2),
        "surface_m2": round(isochrone.surface_m2),
    }

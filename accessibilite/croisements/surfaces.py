"""Croisement de géométries par tableaux : surfaces communes, règle la plus sévère.

Les surfaces sont mesurées dans le CRS métrique, sur les géométries entières, jamais simplifiées.
"""

from __future__ import annotations

from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from donnees_geo.erreurs import ErreurDonnees

Geometries = NDArray[np.object_]

#: Nombre de sommets au-delà duquel une zone est coupée en morceaux avant d'être croisée.
SOMMETS_MAX: Final = 400
#: Une surface commune plus petite est un bord partagé, m².
SURFACE_NULLE_M2: Final = 1e-6
#: Croissance du nombre de sommets au-delà de laquelle couper encore n'allège plus rien.
_ENFLURE_MAX: Final = 1.2
#: Erreur relative d'arrondi d'une surface.
_ARRONDI: Final = 1e-12

COLONNES_PARTS: Final = ("rang", "famille", "niveau", "severite", "part", "surface_m2")


def subdiviser(
    geometries: Geometries, sommets_max: int = SOMMETS_MAX
) -> tuple[Geometries, NDArray[np.int64]]:
    """Couper les polygones trop longs en morceaux, pour que chaque croisement reste bref.

    Un polygone de 100 000 sommets croisé à mille sites coûterait mille parcours entiers ; coupé en
    deux par le milieu de son enveloppe jusqu'à tenir sous ``sommets_max``, chaque site n'en
    rencontre qu'un morceau. L'union des morceaux est le polygone.

    Returns
    -------
    pieces, origine
        object[k] polygones, int64[k] rang de la géométrie dont chacun vient.
    """
    finies: list[Geometries] = []
    origines: list[NDArray[np.int64]] = []
    courantes = np.asarray(geometries, dtype=object)
    origine = np.arange(courantes.size, dtype=np.int64)
    while courantes.size:
        longues = shapely.get_num_coordinates(courantes) > sommets_max
        finies.append(courantes[~longues])
        origines.append(origine[~longues])
        courantes, origine = courantes[longues], origine[longues]
        if not courantes.size:
            break
        xmin, ymin, xmax, ymax = shapely.bounds(courantes).T
        large = (xmax - xmin) >= (ymax - ymin)
        milieu_x = np.where(large, (xmin + xmax) / 2, xmax)
        milieu_y = np.where(large, ymax, (ymin + ymax) / 2)
        premiere = shapely.box(xmin, ymin, milieu_x, milieu_y)
        seconde = shapely.box(
            np.where(large, milieu_x, xmin), np.where(large, ymin, milieu_y), xmax, ymax
        )
        moities = np.concatenate(
            [shapely.intersection(courantes, premiere), shapely.intersection(courantes, seconde)]
        )
        garde = shapely.area(moities) > 0
        avant = int(shapely.get_num_coordinates(courantes).sum())
        if shapely.get_num_coordinates(moities[garde]).sum() > _ENFLURE_MAX * avant:
            # Un contour en étoile traverse chaque coupe mille fois : le couper ne l'allège pas.
            finies.append(courantes)
            origines.append(origine)
            break
        courantes, origine = moities[garde], np.tile(origine, 2)[garde]
    if not finies:
        return np.empty(0, dtype=object), np.empty(0, dtype=np.int64)
    return np.concatenate(finies), np.concatenate(origines)


def croiser_surfaces(
    objets: Geometries, zones: Geometries
) -> tuple[NDArray[np.int64], NDArray[np.int64], Geometries]:
    """Parties communes de chaque objet et de chaque zone.

    Parameters
    ----------
    objets, zones
        Polygones valides, même CRS métrique.

    Returns
    -------
    rang_objet, rang_zone, commune
        int64[k], int64[k], object[k] : une partie commune non vide par ligne, triées par objet. Une
        zone coupée par :func:`subdiviser` donne plusieurs lignes, sans recouvrement.

    Raises
    ------
    ErreurDonnees
        Géométrie invalide : elle aurait dû être réparée à la lecture.
    """
    _exiger_valides(objets, "objets")
    _exiger_valides(zones, "zones")
    pieces, origine = subdiviser(zones)
    arbre = shapely.STRtree(pieces)
    rang, piece = arbre.query(objets, predicate="intersects")
    shapely.prepare(pieces)
    entier = shapely.contains_properly(pieces[piece], objets[rang])
    communes = objets[rang].copy()
    a_couper = ~entier
    communes[a_couper] = shapely.intersection(objets[rang[a_couper]], pieces[piece[a_couper]])
    garde = shapely.area(communes) > SURFACE_NULLE_M2
    ordre = np.flatnonzero(garde)[np.argsort(rang[garde], kind="stable")]
    return rang[ordre].astype(np.int64), origine[piece[ordre]], communes[ordre]


def mesurer_par_severite(
    objets: Geometries, zones: Geometries, severites: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Surface de chaque objet dans chaque niveau de sévérité, la plus sévère l'emportant.

    Là où des zones se recouvrent, la surface ne compte que dans la plus sévère ; deux zones du même
    niveau qui se recouvrent ne comptent qu'une fois.

    Parameters
    ----------
    objets, zones
        Polygones valides.
    severites
        int[zones], rang croissant.

    Returns
    -------
    niveaux, surfaces_m2
        int64[k] niveaux distincts, décroissants ; float64[objets, k]. Invariant : la somme d'une
        ligne est la surface de l'objet couverte par l'union des zones.
    """
    niveaux = np.unique(np.asarray(severites, dtype=np.int64))[::-1]
    rang, zone, communes = croiser_surfaces(objets, zones)
    severite = np.asarray(severites, dtype=np.int64)[zone]
    entieres = shapely.area(objets)
    couvert = np.full(objets.size, None, dtype=object)
    cumul = np.zeros((objets.size, niveaux.size + 1))
    for colonne, niveau in enumerate(niveaux, start=1):
        cumul[:, colonne] = cumul[:, colonne - 1]
        # Un objet déjà couvert en entier par plus sévère ne gagne plus rien.
        reste = cumul[rang, colonne] < entieres[rang] * (1 - _ARRONDI)
        retenus = (severite == niveau) & reste
        touches = _etendre(couvert, rang[retenus], communes[retenus])
        cumul[touches, colonne] = shapely.area(couvert[touches])
    # L'union est exacte à l'arrondi près : une différence infime peut être négative.
    return niveaux, np.maximum(np.diff(cumul, axis=1), 0.0)


def _etendre(
    couvert: Geometries, rang: NDArray[np.int64], parties: Geometries
) -> NDArray[np.int64]:
    """Ajouter à ce qui est couvert de chaque objet ses nouvelles parties (``rang`` trié).

    ``couvert`` est modifié sur place ; rend les objets touchés.
    """
    touches = np.unique(rang)
    deja = touches[~shapely.is_missing(couvert[touches])]
    tous = np.concatenate([rang, deja])
    formes = np.concatenate([parties, couvert[deja]])
    ordre = np.argsort(tous, kind="stable")
    tous, formes = tous[ordre], formes[ordre]
    debut = np.searchsorted(tous, touches)
    effectif = np.diff(np.append(debut, tous.size))
    couvert[touches[effectif == 1]] = formes[debut[effectif == 1]]
    # L'union deux à deux est bien plus rapide que celle d'une collection.
    paires = debut[effectif == 2]
    couvert[touches[effectif == 2]] = shapely.union(formes[paires], formes[paires + 1])
    nombreux = np.flatnonzero(effectif > 2)
    if nombreux.size:
        groupe = np.repeat(np.arange(touches.size), effectif)
        dedans = effectif[groupe] > 2
        _, numero = np.unique(groupe[dedans], return_inverse=True)
        lots = np.asarray(shapely.geometrycollections(formes[dedans], indices=numero), dtype=object)
        couvert[touches[nombreux]] = shapely.union_all(lots[:, None], axis=1)
    return touches


def classer_points(
    points: Geometries, zones: Geometries, severites: NDArray[np.integer[Any]]
) -> NDArray[np.int64]:
    """Sévérité la plus forte des zones qui contiennent chaque point, -1 hors de toute zone."""
    pieces, origine = subdiviser(zones)
    rang, piece = shapely.STRtree(pieces).query(points, predicate="intersects")
    classe = np.full(points.size, -1, dtype=np.int64)
    np.maximum.at(classe, rang, np.asarray(severites, dtype=np.int64)[origine[piece]])
    return classe


def croiser_zones_inondables(
    geometries: Geometries,
    zones: gpd.GeoDataFrame,
    *,
    scenario_hauteur: str = "moyen",
    points: bool = False,
) -> pd.DataFrame:
    """Part de chaque objet dans chaque classe de zone inondable, famille par famille.

    Parameters
    ----------
    geometries
        Polygones, ou objets quelconques ramenés à leur point si ``points`` ; un objet sans surface
        est situé par son point (part 0 ou 1).
    zones
        Schéma ZONES_INONDABLES, même CRS.
    scenario_hauteur
        Scénario dont les hauteurs d'eau sont croisées.
    points
        Situer tous les objets par un point intérieur.

    Returns
    -------
    pandas.DataFrame
        ``rang`` de l'objet, ``famille``, ``niveau``, ``severite``, ``part`` (0 à 1) et
        ``surface_m2`` (NaN pour un point) ; une ligne par classe rencontrée. Dans une famille, les
        parts d'un objet ne se recouvrent pas : la règle la plus sévère l'emporte.
    """
    retenues = zones.loc[
        (zones["famille"] != "hauteur") | (zones["scenario"].isin((scenario_hauteur, "")))
    ]
    surfaces = np.zeros(geometries.size) if points else shapely.area(geometries)
    surfacique = np.flatnonzero(surfaces > 0)
    ponctuel = np.flatnonzero(surfaces <= 0)
    blocs = []
    for famille, lot in retenues.groupby("famille", sort=True):
        noms = lot.drop_duplicates("severite").set_index("severite")["niveau"]
        formes, severites = lot.geometry.to_numpy(), lot["severite"].to_numpy()
        niveaux, mesures = mesurer_par_severite(geometries[surfacique], formes, severites)
        ligne, colonne = np.nonzero(mesures > SURFACE_NULLE_M2)
        objet = surfacique[ligne]
        surface = mesures[ligne, colonne]
        interieurs = shapely.point_on_surface(geometries[ponctuel])
        classe = classer_points(interieurs, formes, severites)
        dedans = classe >= 0
        severite = np.concatenate([niveaux[colonne], classe[dedans]])
        blocs.append(
            pd.DataFrame(
                {
                    "rang": np.concatenate([objet, ponctuel[dedans]]),
                    "famille": famille,
                    "niveau": noms.reindex(severite).to_numpy(),
                    "severite": severite,
                    "part": np.concatenate([surface / surfaces[objet], np.ones(dedans.sum())]),
                    "surface_m2": np.concatenate([surface, np.full(dedans.sum(), np.nan)]),
                }
            )
        )
    if not blocs:
        return pd.DataFrame({c: [] for c in COLONNES_PARTS})
    table = pd.concat(blocs, ignore_index=True)
    return table.sort_values(
        ["rang", "famille", "severite"], ascending=[True, True, False], ignore_index=True
    )


def _exiger_valides(geometries: Geometries, quoi: str) -> None:
    fautives = np.flatnonzero(~shapely.is_valid(geometries))
    if fautives.size:
        raise ErreurDonnees(
            f"Des géométries à croiser ({quoi}) sont invalides.",
            objet=f"lignes {', '.join(map(str, fautives[:5].tolist()))}",
            trouve=str(shapely.is_valid_reason(geometries[fautives[0]])),
            conseil="préparez le territoire de nouveau : la lecture les répare",
        )

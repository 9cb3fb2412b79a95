"""Isochrones : polygones emboîtés, rues coupées au seuil, ou raster de temps.

Les polygones sont des images : on compte les habitants sur le réseau, jamais dedans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from accessibilite.rues.contours import contourner, imprimer_rues, ouvrir_champ
from accessibilite.rues.graphe import Graphe
from accessibilite.rues.portions import Portions, atteindre, couper_portions, mesurer_longueur
from accessibilite.rues.rattachement import Rattachement
from accessibilite.rues.trame import Lignes, Trame, construire_trame
from donnees_geo.conventions import Sens
from donnees_geo.erreurs import ErreurConfiguration, ErreurReseau

Trous = Literal["gardes", "combles"]
Emprise = tuple[float, float, float, float]
#: Nombre de mailles au-delà duquel on passe au pas long.
MAILLES_MAX: Final = 1_500_000


@dataclass(frozen=True)
class OptionsTrace:
    """Manière de dessiner un isochrone ; à dire dans la légende.

    Attributes
    ----------
    tampon_m
        Demi-largeur dessinée de part et d'autre des rues atteintes.
    pas_m, pas_long_m
        Pas de la grille, et pas des grandes emprises.
    trous
        ``gardes`` : les îlots non desservis restent vides ; ``combles`` : ils sont remplis (la
        surface peut croître d'un tiers).
    """

    tampon_m: float = 25.0
    pas_m: float = 10.0
    pas_long_m: float = 20.0
    trous: Trous = "gardes"


@dataclass(frozen=True)
class Isochrone:
    """Zone atteinte en un temps donné.

    Attributes
    ----------
    seuil_s
        Temps maximal, secondes.
    polygone
        MultiPolygon dans le CRS métrique du réseau (vide si rien n'est atteint).
    surface_m2
        Surface du polygone.
    longueur_m
        Longueur de rue atteinte (portions, sans double compte des tronçons).
    """

    seuil_s: float
    polygone: shapely.MultiPolygon
    surface_m2: float
    longueur_m: float


def verifier_seuils(seuils_s: Sequence[float]) -> list[float]:
    """Seuils triés et distincts.

    Raises
    ------
    ErreurConfiguration
        Liste vide, ou seuil nul, négatif ou non fini.
    """
    seuils = sorted({float(s) for s in seuils_s})
    if not seuils or not all(np.isfinite(s) and s > 0 for s in seuils):
        raise ErreurConfiguration(
            "Les seuils d'isochrone ne sont pas valables.",
            objet="seuils",
            attendu="une ou plusieurs durées positives",
            trouve=list(seuils_s),
        )
    return seuils


def couper_lignes(
    graphe: Graphe, portions: Portions, limite_s: float, depuis_s: float = -np.inf
) -> Lignes:
    """Rues atteintes de ``depuis_s`` à ``limite_s`` : ``(debut, x, y, temps_s)`` au format CSR."""
    reseau = graphe.reseau
    lignes: Lignes = couper_portions(
        portions,
        float(depuis_s),
        float(limite_s),
        reseau.geometrie_debut,
        graphe.index.abscisse_m,
        reseau.geometrie_x,
        reseau.geometrie_y,
    )
    return lignes


def tracer_lignes(lignes: Lignes) -> NDArray[np.object_]:
    """LineString de chaque rue atteinte."""
    debut, x, y, _ = lignes
    resultat: NDArray[np.object_] = shapely.from_ragged_array(
        shapely.GeometryType.LINESTRING, np.column_stack([x, y]), (debut,)
    )
    return resultat


def _choisir_pas(emprise: Emprise, options: OptionsTrace) -> float:
    ouest, sud, est, nord = emprise
    marge = 2 * (options.tampon_m + 2 * options.pas_m)
    mailles = (est - ouest + marge) * (nord - sud + marge) / options.pas_m**2
    return options.pas_m if mailles <= MAILLES_MAX else options.pas_long_m


def _mesurer_emprise(lignes: Lignes) -> Emprise:
    _, x, y, _ = lignes
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _joindre(une: Emprise, autre: Emprise) -> Emprise:
    """Plus petite emprise qui contient les deux."""
    return (
        min(une[0], autre[0]),
        min(une[1], autre[1]),
        max(une[2], autre[2]),
        max(une[3], autre[3]),
    )


def _reunir(polygones: NDArray[np.object_], trous: Trous) -> shapely.MultiPolygon:
    if trous == "gardes":
        return shapely.MultiPolygon(list(polygones))
    pleins = shapely.polygons(shapely.get_exterior_ring(polygones))
    reunis = shapely.union_all(pleins)
    parties = [p for p in shapely.get_parts(reunis) if isinstance(p, shapely.Polygon)]
    return shapely.MultiPolygon(parties)


def tracer_isochrones(
    graphe: Graphe,
    portions: Portions,
    seuils_s: Sequence[float],
    options: OptionsTrace | None = None,
) -> list[Isochrone]:
    """Polygones emboîtés de plusieurs seuils, d'après les portions atteintes au plus grand.

    Emboîtés par construction : chaque seuil ajoute les rues qu'il atteint de plus au champ de
    distance du précédent, qui ne peut que baisser.

    Parameters
    ----------
    graphe
        Graphe du mode.
    portions
        Portions atteintes au plus grand des seuils.
    seuils_s
        Seuils, secondes.
    options
        Manière de dessiner.
    """
    options = options or OptionsTrace()
    seuils = verifier_seuils(seuils_s)
    anneaux = [
        couper_lignes(graphe, portions, seuil, depuis)
        for depuis, seuil in zip([-np.inf, *seuils[:-1]], seuils, strict=True)
    ]
    emprises = [_mesurer_emprise(a) if a[0].size > 1 else None for a in anneaux]
    presentes = [e for e in emprises if e is not None]
    if not presentes:
        return [Isochrone(s, shapely.MultiPolygon(), 0.0, 0.0) for s in seuils]
    totale = reduce(_joindre, presentes)
    champ = ouvrir_champ(totale, _choisir_pas(totale, options), options.tampon_m)
    longueurs = graphe.reseau.troncon_longueur_m
    resultats = []
    atteinte: Emprise | None = None
    for seuil, lignes, emprise in zip(seuils, anneaux, emprises, strict=True):
        if emprise is not None:
            imprimer_rues(champ, lignes)
            atteinte = emprise if atteinte is None else _joindre(atteinte, emprise)
        polygone = shapely.MultiPolygon()
        if atteinte is not None:
            polygone = _reunir(contourner(champ, atteinte), options.trous)
        longueur = float(mesurer_longueur(portions, seuil, longueurs))
        resultats.append(Isochrone(seuil, polygone, float(polygone.area), longueur))
    return resultats


def calculer_isochrones(
    graphe: Graphe,
    points: Rattachement,
    seuils_s: Sequence[float],
    *,
    sens: Sens = "depuis",
    options: OptionsTrace | None = None,
) -> list[Isochrone]:
    """Isochrones d'un ou plusieurs points (réunis), du plus petit seuil au plus grand.

    Parameters
    ----------
    graphe
        Graphe du mode.
    points
        Points rattachés à ce graphe ; plusieurs points : le plus proche compte.
    seuils_s
        Seuils, secondes.
    sens
        ``depuis`` les points ou ``vers`` eux.
    options
        Manière de dessiner.

    Raises
    ------
    ErreurReseau
        Aucun point n'est rattaché au réseau.
    ErreurConfiguration
        Seuil non positif.
    """
    seuils = verifier_seuils(seuils_s)
    portions, _ = atteindre(graphe, points, seuils[-1], sens=sens)
    return tracer_isochrones(graphe, portions, seuils, options)


def calculer_raster(
    graphe: Graphe,
    portions: Portions,
    limite_s: float,
    options: OptionsTrace | None = None,
) -> Trame:
    """Raster des temps autour des rues atteintes.

    Chaque maille reçoit le plus court temps d'arrivée en son centre, l'approche étant marchée en
    ligne droite depuis le plus avantageux des points de rue à moins de ``tampon_m``. Les mailles
    loin de toute rue atteinte valent NaN, ainsi que celles dont le temps dépasse la limite.

    Returns
    -------
    Trame
        ``valeurs`` float32, secondes, NaN ailleurs.

    Raises
    ------
    ErreurReseau
        Rien n'est atteint : l'approche à elle seule dépasse la limite.
    """
    options = options or OptionsTrace()
    lignes = couper_lignes(graphe, portions, limite_s)
    if lignes[0].size <= 1:
        raise ErreurReseau(
            "Aucune rue n'est atteinte dans le temps donné : il n'y a rien à dessiner.",
            objet=f"raster des temps {graphe.profil.mode}",
            trouve=f"limite de {limite_s / 60:g} min, passée à rejoindre la première rue",
            conseil="augmenter la durée, ou choisir un point plus proche d'une rue",
        )
    trame = construire_trame(
        lignes,
        _choisir_pas(_mesurer_emprise(lignes), options),
        options.tampon_m,
        vitesse_approche_m_s=graphe.profil.approche_m_s,
    )
    valeurs = np.where(trame.valeurs <= limite_s, trame.valeurs, np.nan).astype(np.float32)
    return Trame(trame.ouest, trame.sud, trame.pas_m, valeurs)

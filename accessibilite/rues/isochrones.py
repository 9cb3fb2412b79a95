"""Isochrones : polygones emboîtés, rues coupées au seuil, ou raster de temps.

Les polygones sont des images : on compte les habitants sur le réseau, jamais dedans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

import contourpy
import numpy as np
import shapely
from numpy.typing import NDArray

from accessibilite.rues.graphe import Graphe
from accessibilite.rues.portions import Portions, atteindre, couper_portions
from accessibilite.rues.rattachement import Rattachement
from accessibilite.rues.trame import Lignes, Trame, construire_trame
from donnees_geo.conventions import Sens
from donnees_geo.erreurs import ErreurConfiguration, ErreurReseau

Trous = Literal["gardes", "combles"]
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


def couper_lignes(graphe: Graphe, portions: Portions, limite_s: float) -> Lignes:
    """Rues atteintes, coupées à ``limite_s`` : ``(debut, x, y, temps_s)`` au format CSR."""
    reseau = graphe.reseau
    lignes: Lignes = couper_portions(
        portions,
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


def _choisir_pas(lignes: Lignes, options: OptionsTrace) -> float:
    _, x, y, _ = lignes
    marge = 2 * (options.tampon_m + 2 * options.pas_m)
    mailles = (np.ptp(x) + marge) * (np.ptp(y) + marge) / options.pas_m**2
    return options.pas_m if mailles <= MAILLES_MAX else options.pas_long_m


def tracer_polygone(trame: Trame, options: OptionsTrace) -> shapely.MultiPolygon:
    """Polygone des mailles à moins de ``tampon_m`` des rues (contour interpolé)."""
    # Les mailles non touchées reçoivent une valeur finie, que l'interpolation n'atteint jamais.
    plafond = options.tampon_m + 2 * trame.pas_m
    champ = np.minimum(trame.valeurs, plafond)
    generateur = contourpy.contour_generator(
        trame.x, trame.y, champ, fill_type=contourpy.FillType.OuterOffset
    )
    points, decalages = cast(
        tuple[list[NDArray[np.float64]], list[NDArray[np.uint32]]],
        generateur.filled(-1.0, options.tampon_m),
    )
    if not points:
        return shapely.MultiPolygon()
    if options.trous == "combles":
        pleins = [shapely.Polygon(p[: d[1]]) for p, d in zip(points, decalages, strict=True)]
        return _en_multipolygone(shapely.union_all(shapely.make_valid(pleins)))
    sommets = np.concatenate(points)
    tailles = np.concatenate([np.diff(d.astype(np.int64)) for d in decalages])
    polygones = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON,
        sommets,
        (
            np.concatenate([[0], np.cumsum(tailles)]),
            np.cumsum([0, *(len(d) - 1 for d in decalages)]),
        ),
    )
    # Les anneaux du contour ne se touchent que si deux sommets coïncident (seuil atteint exactement
    # au centre d'une maille) : c'est le seul cas à réparer.
    distincts = np.unique(sommets.view(np.complex128)).size
    if distincts < sommets.shape[0] - tailles.size:
        return _en_multipolygone(shapely.union_all(shapely.make_valid(polygones)))
    return shapely.MultiPolygon(list(polygones))


def _en_multipolygone(geometrie: shapely.Geometry) -> shapely.MultiPolygon:
    if isinstance(geometrie, shapely.MultiPolygon):
        return geometrie
    parties = [p for p in shapely.get_parts(geometrie) if isinstance(p, shapely.Polygon)]
    return shapely.MultiPolygon(parties)


def tracer_isochrones(
    graphe: Graphe,
    portions: Portions,
    seuils_s: Sequence[float],
    options: OptionsTrace | None = None,
) -> list[Isochrone]:
    """Polygones emboîtés de plusieurs seuils, d'après les portions atteintes au plus grand.

    Emboîtés par construction : chaque champ de distance part de celui du seuil précédent, donc lui
    est partout inférieur ou égal, arrondis compris.

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
    lignes = couper_lignes(graphe, portions, seuils[-1])
    if lignes[0].size <= 1:
        return [Isochrone(s, shapely.MultiPolygon(), 0.0, 0.0) for s in seuils]
    pas = _choisir_pas(lignes, options)
    emprise = tuple(float(f(c)) for f in (np.min, np.max) for c in lignes[1:3])
    resultats = []
    trame: Trame | None = None
    for seuil in seuils:
        coupees = lignes if seuil == seuils[-1] else couper_lignes(graphe, portions, seuil)
        trame = construire_trame(
            coupees,
            pas,
            options.tampon_m + 1.5 * pas,
            emprise=(emprise[0], emprise[1], emprise[2], emprise[3]),
            base=trame,
        )
        polygone = tracer_polygone(trame, options)
        resultats.append(
            Isochrone(seuil, polygone, float(polygone.area), _longueur(graphe, portions, seuil))
        )
    return resultats


def _longueur(graphe: Graphe, portions: Portions, seuil_s: float) -> float:
    """Longueur de rue atteinte, m ; ce que deux portions couvrent ensemble compte une fois."""
    bas = np.minimum(portions.temps_debut, portions.temps_fin)
    duree = np.abs(portions.temps_fin - portions.temps_debut)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(duree > 0, np.clip((seuil_s - bas) / duree, 0, 1), bas <= seuil_s)
    etendue = part * (portions.fin - portions.debut)
    croissant = portions.temps_fin >= portions.temps_debut
    debut = np.where(croissant, portions.debut, portions.fin - etendue)
    # Le tronçon t occupe l'intervalle [2t, 2t + 1] : un seul balayage les réunit tous.
    decalage = 2.0 * portions.troncon
    ordre = np.argsort(decalage + debut, kind="stable")
    gauche, troncon = (decalage + debut)[ordre], portions.troncon[ordre]
    droite = gauche + etendue[ordre]
    deja = np.concatenate([[-np.inf], np.maximum.accumulate(droite)[:-1]])
    nouveau = np.maximum(0.0, droite - np.maximum(gauche, deja))
    return float((nouveau * graphe.reseau.troncon_longueur_m[troncon]).sum())


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
        _choisir_pas(lignes, options),
        options.tampon_m,
        vitesse_approche_m_s=graphe.profil.approche_m_s,
    )
    valeurs = np.where(trame.valeurs <= limite_s, trame.valeurs, np.nan).astype(np.float32)
    return Trame(trame.ouest, trame.sud, trame.pas_m, valeurs)

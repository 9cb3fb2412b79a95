"""Demande : où vivent les habitants, quelle que soit la source de population.

Chaque fonction rend une table de carreaux (ou de polygones) avec le point de demande de chacun ;
:func:`affecter_communes` les rattache ensuite aux communes du territoire.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from donnees_geo.carreaux import construire_grille, nommer_carres
from donnees_geo.conventions import COLONNES_AGES, COLONNES_MENAGES
from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.lecture.tables import lire_nombres, resoudre_colonnes
from donnees_geo.lecture.vecteur import lire_couche

PAS_GRILLE_M: Final = 200.0
#: Un carreau dont le point tombe hors de tout contour, mais à moins de cette distance, revient à la
#: commune la plus proche : les contours publiés sont simplifiés.
TOLERANCE_CONTOUR_M: Final = 100.0
_ALIAS_ID: Final = ("carreau", "id", "identifiant", "idcar_200m", "code", "fid", "h3", "hex_id")
#: Rayon des cellules d'une couche de points, en part de la distance au plus proche voisin ; une
#: maille hexagonale a un rayon de 0,577 fois cette distance, une maille carrée de 0,707.
_RAYON_CELLULE: Final = 0.75


def lire_population_couche(
    chemin: Path, colonne: str, crs: str, emprise: BaseGeometry | None = None
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire une couche libre de polygones ou de points qui porte une colonne de population.

    Des points reçoivent pour polygone leur cellule de Voronoï, bornée : une maille régulière
    (hexagones, carrés) est ainsi retrouvée.

    Parameters
    ----------
    chemin
        Couche géographique ou CSV (longitude et latitude, x et y, ou WKT), nus ou archivés.
    colonne
        Colonne de la population (comparée sans casse ni accents).
    crs
        CRS métrique du territoire.
    emprise
        Géométrie dans ``crs`` qui limite la lecture.

    Returns
    -------
    GeoDataFrame
        ``carreau``, ``population_hab``, ``impute`` (faux), tranches d'âge et ménages s'ils portent
        les noms de l'INSEE, ``x``, ``y``, ``geometry``.
    list of Constat

    Raises
    ------
    ErreurDonnees
        Colonne absente, population négative ou vide, identifiant répété, géométries linéaires.
    """
    couche, constats = lire_couche(chemin, crs, emprise=emprise, objet="population")
    autres = {nom: (nom,) for nom in (*COLONNES_AGES, *COLONNES_MENAGES)}
    trouvees = resoudre_colonnes(
        couche.columns,
        {"population_hab": (colonne,)},
        chemin,
        facultatives={"carreau": _ALIAS_ID, **autres},
    )
    nombres = [nom for nom in trouvees if nom != "carreau"]
    donnees: dict[str, Any] = {n: lire_nombres(couche[trouvees[n]], n, chemin) for n in nombres}
    if "carreau" in trouvees:
        identifiants = couche[trouvees["carreau"]].astype("str")
    else:
        identifiants = pd.Series([f"z{rang:06d}" for rang in range(len(couche))], dtype="str")
    types = set(couche.geometry.geom_type)
    if types <= {"Polygon", "MultiPolygon"}:
        polygones = couche.geometry.to_numpy()
    elif types == {"Point"}:
        polygones = construire_cellules(couche.geometry.to_numpy())
        hectares = f"{np.median(shapely.area(polygones)) / 1e4:.1f}".replace(".", ",")
        constats.append(
            Constat(
                Gravite.MINEUR,
                "population",
                f"{len(couche)} points de population : chacun reçoit une cellule de {hectares} ha "
                "(médiane) pour le dessin.",
            )
        )
    else:
        raise ErreurDonnees(
            "La couche de population n'est ni de polygones ni de points.",
            objet=chemin,
            trouve=", ".join(sorted(types)) or "aucune géométrie",
        )
    centres = couche.geometry.centroid
    donnees = {"carreau": identifiants, "impute": False, **donnees, "x": centres.x, "y": centres.y}
    carreaux = gpd.GeoDataFrame(donnees, geometry=polygones, crs=crs)
    verifier_population(carreaux, chemin)
    return carreaux, constats


def verifier_population(carreaux: pd.DataFrame, objet: object) -> None:
    """Refuser une population négative ou vide, et les identifiants répétés.

    Raises
    ------
    ErreurDonnees
        Les premiers identifiants fautifs sont dits.
    """
    for message, fautives in (
        ("Population négative", carreaux["population_hab"] < 0),
        ("Population vide", carreaux["population_hab"].isna()),
        ("Identifiant répété", carreaux["carreau"].duplicated()),
    ):
        if fautives.any():
            raise ErreurDonnees(
                f"{message} dans {int(fautives.sum())} carreau(x).",
                objet=objet,
                trouve=", ".join(carreaux.loc[fautives, "carreau"].head(5)),
                conseil="corrigez ces lignes (0 pour un carreau inhabité) ou retirez-les",
            )


def construire_cellules(points: NDArray[np.object_]) -> NDArray[np.object_]:
    """Construire la cellule de Voronoï bornée de chaque point (les points confondus partagent)."""
    coordonnees, inverse = np.unique(shapely.get_coordinates(points), axis=0, return_inverse=True)
    uniques = np.asarray(shapely.points(coordonnees))
    if len(uniques) < 3:
        carres = shapely.buffer(uniques, PAS_GRILLE_M / 2, cap_style="square")
        return np.asarray(carres)[inverse]
    arbre = shapely.STRtree(uniques)
    paires, distances = arbre.query_nearest(uniques, exclusive=True, return_distance=True)
    voisins = np.full(len(uniques), np.inf)
    np.minimum.at(voisins, paires[0], distances)
    rayon = _RAYON_CELLULE * float(np.median(voisins))
    cellules = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(uniques), ordered=True)
    )
    bornees = shapely.intersection(cellules, shapely.buffer(uniques, rayon))
    return np.asarray(bornees)[inverse]


def repartir_sur_batiments(
    batiments: gpd.GeoDataFrame, communes: gpd.GeoDataFrame, pas_m: float = PAS_GRILLE_M
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Répartir la population de chaque commune sur ses bâtiments d'habitation.

    La population va au prorata des surfaces de plancher, puis se regroupe dans une grille
    régulière. Le point de demande d'un carré est le barycentre de ses habitants. Un carré à cheval
    sur deux communes donne deux lignes : les totaux communaux sont exacts.

    Parameters
    ----------
    batiments
        ``residentiel`` (bool), ``surface_plancher_m2`` et ``geometry``, dans le CRS des communes.
    communes
        ``code_commune``, ``population_hab``, ``geometry``.
    pas_m
        Côté des carrés, mètres.

    Returns
    -------
    GeoDataFrame
        ``carreau``, ``population_hab``, ``impute`` (faux), ``code_commune``, ``x``, ``y``,
        ``geometry`` (carré, limité à la commune s'il est à cheval). Invariant : la somme par
        commune est sa population.
    list of Constat
        Communes sans bâtiment d'habitation : leur population est étalée sur leur surface.

    Raises
    ------
    ErreurDonnees
        Communes sans population (codes énumérés).
    """
    sans = communes.loc[communes["population_hab"].isna(), "code_commune"]
    if len(sans):
        raise ErreurDonnees(
            f"{len(sans)} commune(s) sans population à répartir sur les bâtiments.",
            objet="communes",
            trouve=", ".join(sans.head(20)),
            conseil="donnez une colonne « population » au fichier des communes",
        )
    habites = batiments.loc[batiments["residentiel"] & (batiments["surface_plancher_m2"] > 0)]
    points = shapely.centroid(habites.geometry.to_numpy())
    rang_commune = situer_dans_communes(points, communes)
    dedans = rang_commune >= 0
    rang_commune = rang_commune[dedans]
    plancher = habites["surface_plancher_m2"].to_numpy(dtype="float64")[dedans]
    coordonnees = shapely.get_coordinates(points[dedans])
    constats: list[Constat] = []
    sans_bati = np.setdiff1d(np.arange(len(communes)), rang_commune)
    if sans_bati.size:
        ajout = [_etaler(rang, communes, pas_m) for rang in sans_bati]
        coordonnees = np.vstack([coordonnees, *(c for c, _ in ajout)])
        plancher = np.concatenate([plancher, *(p for _, p in ajout)])
        rang_commune = np.concatenate(
            [rang_commune, np.repeat(sans_bati, [len(p) for _, p in ajout])]
        )
        codes = communes["code_commune"].iloc[sans_bati]
        constats.append(
            Constat(
                Gravite.MAJEUR,
                "population",
                f"{len(codes)} commune(s) sans bâtiment d'habitation dans l'extrait : leur "
                "population est étalée sur leur surface ("
                + ", ".join(codes.head(10))
                + (" …)." if len(codes) > 10 else ")."),
            )
        )
    population = communes["population_hab"].to_numpy(dtype="float64")[rang_commune]
    totaux = np.bincount(rang_commune, plancher, minlength=len(communes))
    habitants = population * plancher / totaux[rang_commune]
    constats.append(
        Constat(
            Gravite.MINEUR,
            "population",
            f"population des communes répartie sur {int(dedans.sum())} bâtiments d'habitation "
            "d'OpenStreetMap, au prorata des surfaces de plancher : c'est une estimation.",
        )
    )
    return _regrouper(coordonnees, habitants, rang_commune, communes, pas_m), constats


def construire_carreaux_sans_population(
    contour: BaseGeometry, crs: str, pas_m: float = PAS_GRILLE_M
) -> gpd.GeoDataFrame:
    """Grille régulière de population NaN : les indicateurs seront des parts de surface."""
    grille = construire_grille(contour, pas_m).set_crs(crs)
    centres = grille.geometry.centroid
    return grille.assign(population_hab=np.nan, impute=False, x=centres.x, y=centres.y)


def situer_dans_communes(
    points: NDArray[np.object_], communes: gpd.GeoDataFrame
) -> NDArray[np.int64]:
    """Rang de la commune qui contient chaque point, -1 s'il n'y en a pas.

    Un point sur une limite revient à la commune de plus petit rang.
    """
    rangs = np.full(len(points), -1, dtype=np.int64)
    arbre = shapely.STRtree(communes.geometry.to_numpy())
    qui, commune = arbre.query(points, predicate="intersects")
    ordre = np.lexsort((commune, qui))[::-1]
    rangs[qui[ordre]] = commune[ordre]
    return rangs


def affecter_communes(
    carreaux: gpd.GeoDataFrame, communes: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Donner à chaque carreau la commune de son point de demande ; écarter les autres.

    Un carreau dont le point tombe hors des contours est rattaché à la plus proche commune s'il en
    est à moins de :data:`TOLERANCE_CONTOUR_M`, ou si sa source dit qu'il est dans le territoire
    (``codes_communes``).

    Parameters
    ----------
    carreaux
        ``x``, ``y``, et facultativement ``codes_communes`` (tuples) ou ``code_commune``, qui est
        alors respecté.
    communes
        ``code_commune`` et ``geometry``, même CRS.

    Returns
    -------
    GeoDataFrame
        Carreaux du territoire, avec ``code_commune``, sans ``codes_communes`` ; index 0…n-1.
    list of Constat
    """
    if "code_commune" in carreaux:
        return carreaux.reset_index(drop=True), []
    codes = communes["code_commune"].to_numpy()
    points = np.asarray(shapely.points(carreaux["x"].to_numpy(), carreaux["y"].to_numpy()))
    rangs = situer_dans_communes(points, communes)
    dehors = np.flatnonzero(rangs < 0)
    constats: list[Constat] = []
    if dehors.size:
        arbre = shapely.STRtree(communes.geometry.to_numpy())
        (qui, proche), distances = arbre.query_nearest(
            points[dehors], return_distance=True, all_matches=False
        )
        annonces = np.zeros(dehors.size, dtype=bool)
        if "codes_communes" in carreaux:
            connus = set(codes)
            # Un carreau n'est tenu pour intérieur que si toutes ses communes le sont.
            annonces = np.array(
                [bool(c) and connus.issuperset(c) for c in carreaux["codes_communes"].iloc[dehors]]
            )
        repris = (
            (distances <= TOLERANCE_CONTOUR_M) & ~annonces[qui] & _sans_annonce(carreaux, dehors)
        )
        repris |= annonces[qui]
        rangs[dehors[qui[repris]]] = proche[repris]
        if repris.any():
            habitants = carreaux["population_hab"].iloc[dehors[qui[repris]]].sum()
            constats.append(
                Constat(
                    Gravite.MINEUR,
                    "population",
                    f"{int(repris.sum())} carreau(x) au bord du territoire ({habitants:.0f} "
                    "habitants), hors des contours, rattachés à la commune la plus proche.",
                )
            )
    garde = rangs >= 0
    affectes = carreaux.loc[garde].drop(columns="codes_communes", errors="ignore")
    affectes = affectes.assign(code_commune=pd.array(codes[rangs[garde]], dtype="str"))
    return affectes.reset_index(drop=True), constats


def _sans_annonce(carreaux: gpd.GeoDataFrame, lignes: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Vrai pour les carreaux dont la source ne dit pas la commune : la distance seule décide."""
    if "codes_communes" not in carreaux:
        return np.ones(lignes.size, dtype=bool)
    return np.array([not c for c in carreaux["codes_communes"].iloc[lignes]], dtype=bool)


def _etaler(
    rang: int, communes: gpd.GeoDataFrame, pas_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points et poids égaux des carrés d'une commune sans bâtiment (au moins un point)."""
    contour = communes.geometry.iloc[rang]
    grille = construire_grille(contour, pas_m)
    if grille.empty:
        point = contour.representative_point()
        return np.array([[point.x, point.y]]), np.ones(1)
    centres = shapely.get_coordinates(grille.geometry.centroid.to_numpy())
    return centres, np.ones(len(centres))


def _regrouper(
    coordonnees: NDArray[np.float64],
    habitants: NDArray[np.float64],
    rang_commune: NDArray[np.int64],
    communes: gpd.GeoDataFrame,
    pas_m: float,
) -> gpd.GeoDataFrame:
    """Regrouper des habitants ponctuels par carré de grille et commune."""
    coins = np.floor(coordonnees / pas_m).astype(np.int64)
    table = pd.DataFrame(
        {
            "commune": rang_commune,
            "nord": coins[:, 1],
            "est": coins[:, 0],
            "hab": habitants,
            "hx": habitants * coordonnees[:, 0],
            "hy": habitants * coordonnees[:, 1],
        }
    )
    table = table.loc[table["hab"] > 0]
    groupes = table.groupby(["nord", "est", "commune"], as_index=False, sort=True).sum()
    est = groupes["est"].to_numpy() * pas_m
    nord = groupes["nord"].to_numpy() * pas_m
    noms = nommer_carres(est, nord, pas_m)
    codes = communes["code_commune"].to_numpy()[groupes["commune"]]
    a_cheval = groupes.duplicated(["nord", "est"], keep=False).to_numpy()
    carres = np.array(shapely.box(est, nord, est + pas_m, nord + pas_m))
    contours = communes.geometry.to_numpy()[groupes["commune"]]
    morceaux = shapely.intersection(carres[a_cheval], contours[a_cheval])
    pleins = shapely.area(morceaux) > 0
    carres[np.flatnonzero(a_cheval)[pleins]] = morceaux[pleins]
    return gpd.GeoDataFrame(
        {
            "carreau": noms.where(~a_cheval, noms + "-" + pd.Series(codes, dtype="str")),
            "population_hab": groupes["hab"],
            "impute": False,
            "code_commune": pd.array(codes, dtype="str"),
            "x": groupes["hx"] / groupes["hab"],
            "y": groupes["hy"] / groupes["hab"],
        },
        geometry=carres,
        crs=communes.crs,
    )

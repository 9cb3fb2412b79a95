"""Planification fictive : zonage de PLU, quartiers prioritaires, programmes de l'État."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import ndimage, sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from donnees_geo.demo.cadre import CRS_DEMO, DEPARTEMENT, Booleens, Cadre, Entiers, bruit
from donnees_geo.demo.campagne import Campagne, polygones_du_champ
from donnees_geo.demo.decoupage import Decoupage
from donnees_geo.demo.emprise_batie import EmpriseBatie
from donnees_geo.demo.habitat import Habitat
from donnees_geo.demo.population import Adresses
from donnees_geo.demo.relief import Vallees

DATE_APPROBATION: Final = "20240115"
#: Part des communes sans document d'urbanisme : le règlement national s'y applique.
PART_RNU: Final = 0.08
#: Surface minimale d'une zone, m².
AIRE_MIN_M2: Final = 5_000.0
#: Éclats laissés par la découpe, trop fins pour être une zone, m².
ECLAT_M2: Final = 1.0
#: Quartiers prioritaires de la variante normale, et leur population.
NOMBRE_QUARTIERS: Final = 14
HABITANTS_QUARTIER: Final = (900.0, 6_000.0)
#: Population et niveau de vie d'un carreau de quartier prioritaire (habitants, part des plus bas).
HABITANTS_CARREAU: Final = 60.0
PART_MODESTE: Final = 0.22
#: Rangs de population des communes Petites villes de demain, après la ville centre.
RANGS_PVD: Final = slice(2, 9)
_TYPES: Final = {
    "UA": ("Zone urbaine de centre", "U", "0100"),
    "UB": ("Zone urbaine résidentielle", "U", "0100"),
    "1AU": ("Zone à urbaniser ouverte", "AUc", "0100"),
    "N": ("Zone naturelle", "N", "0700"),
    "A": ("Zone agricole", "A", "0600"),
}


def _zones_communales(
    cadre: Cadre, vallees: Vallees, emprise: EmpriseBatie, campagne: Campagne
) -> dict[str, shapely.Geometry]:
    """Réunion, sur toute l'emprise, de ce que chaque type de zone voudrait couvrir."""
    rang = emprise.rang
    taches = np.asarray(bruit(cadre.forme, 12, cadre.hasard(90), 2))
    frange = np.minimum(np.minimum(rang - 0.9, 1.28 - rang), 0.4 * (taches - 0.62))
    vallee = np.minimum(1.2 - vallees.hauteur_m, (220.0 - vallees.distance_m) / 200.0)

    def couvrir(champ: np.ndarray) -> shapely.Geometry:
        lisse = np.asarray(ndimage.gaussian_filter(champ, 0.8), dtype=np.float64)
        return shapely.union_all(polygones_du_champ(cadre, lisse, 0.0, AIRE_MIN_M2))

    naturelles = [couvrir(vallee), *campagne.bois, *campagne.etangs]
    return {
        "UA": couvrir(0.42 - rang),
        "UB": shapely.union_all(list(campagne.zones_baties)),
        "1AU": couvrir(frange),
        "N": shapely.union_all(naturelles),
    }


def construire_zonage(
    cadre: Cadre,
    vallees: Vallees,
    emprise: EmpriseBatie,
    campagne: Campagne,
    decoupage: Decoupage,
    habitat: Habitat,
) -> gpd.GeoDataFrame:
    """Zonage des plans locaux d'urbanisme, aux colonnes de ``ZONE_URBA`` (standard CNIG).

    Les zones d'une commune la couvrent sans se recouvrir : le centre l'emporte sur le reste du
    bâti, le bâti sur les zones à urbaniser, celles-ci sur les zones naturelles ; le reste est
    agricole. Les moins peuplées sont au règlement national d'urbanisme et n'ont aucune ligne.
    """
    interieures = np.flatnonzero(habitat.interieure)
    codes = [habitat.codes[i] for i in interieures]
    voulues = _zones_communales(cadre, vallees, emprise, campagne)
    petites = np.argsort(habitat.population[interieures], kind="stable")
    rnu = set(petites[: round(PART_RNU * len(codes))].tolist())
    lignes, geometries = [], []
    for i, (code, limite) in enumerate(zip(codes, decoupage.limites, strict=True)):
        if i in rnu:
            continue
        reste = limite
        for zone, (libelle, famille, forme) in _TYPES.items():
            part = reste if zone == "A" else shapely.intersection(reste, voulues[zone])
            reste = reste if zone == "A" else shapely.difference(reste, voulues[zone])
            surfaces = [p for p in shapely.get_parts(part) if p.area > ECLAT_M2]
            if surfaces:
                lignes.append((zone, libelle, famille, forme, f"{code}_PLU_{DATE_APPROBATION}"))
                geometries.append(shapely.union_all(surfaces))
    table = pd.DataFrame(
        lignes, columns=["LIBELLE", "LIBELONG", "TYPEZONE", "FORMDOMI", "IDURBA"]
    ).assign(NOMFIC="reglement_fictif.pdf", URLFIC="", DATVALID=DATE_APPROBATION)
    return gpd.GeoDataFrame(table, geometry=geometries, crs=CRS_DEMO)


def _grouper(centres: np.ndarray, pas_m: float) -> Entiers:
    """Numéro du groupe de carreaux voisins (côtés et coins) de chaque carreau."""
    paires = cKDTree(centres).query_pairs(1.5 * pas_m, output_type="ndarray")
    n = len(centres)
    liens = sparse.coo_array((np.ones(len(paires)), (paires[:, 0], paires[:, 1])), shape=(n, n))
    return csgraph.connected_components(liens, directed=False)[1].astype(np.int64)


def _carreaux_modestes(carreaux: gpd.GeoDataFrame) -> Booleens:
    """Carreaux denses dont le niveau de vie est parmi les plus bas."""
    niveau = (carreaux["ind_snv"] / carreaux["ind"]).to_numpy()
    dense = carreaux["ind"].to_numpy() >= HABITANTS_CARREAU
    seuil = np.quantile(niveau[dense], PART_MODESTE)
    return np.asarray(dense & (niveau <= seuil))


def construire_quartiers_prioritaires(
    cadre: Cadre, carreaux: gpd.GeoDataFrame, adresses: Adresses, habitat: Habitat
) -> gpd.GeoDataFrame:
    """Quartiers prioritaires, aux colonnes de l'ANCT (génération 2024).

    Groupes de carreaux denses et modestes, les plus peuplés d'abord ; leur contour suit les
    adresses, non la grille.
    """
    modestes = carreaux[_carreaux_modestes(carreaux)]
    centres = np.column_stack([modestes.centroid.x, modestes.centroid.y])
    groupe = _grouper(centres, 200.0)
    habitants = np.bincount(groupe, weights=modestes["ind"].to_numpy())
    bas, haut = HABITANTS_QUARTIER
    admis = np.flatnonzero((habitants >= bas) & (habitants <= haut))
    admis = admis[np.argsort(-habitants[admis], kind="stable")][: cadre.part(NOMBRE_QUARTIERS)]
    points = np.asarray(shapely.points(adresses.x, adresses.y))[adresses.habitants > 0]
    communes = adresses.commune[adresses.habitants > 0]
    arbre = shapely.STRtree(points)
    lignes, contours = [], []
    for g in admis:
        maille = shapely.union_all(modestes.geometry.to_numpy()[groupe == g])
        dedans = arbre.query(maille, predicate="contains")
        contour = shapely.union_all(shapely.buffer(points[dedans], 55.0))
        contour = contour.buffer(60.0).buffer(-70.0).simplify(4.0)
        parts = sorted(shapely.get_parts(contour), key=lambda p: -p.area)
        commune = int(np.bincount(communes[dedans]).argmax())
        contours.append(shapely.MultiPolygon([shapely.Polygon(parts[0].exterior)]))
        lignes.append((habitat.codes[commune], habitat.noms[commune]))
    table = pd.DataFrame(lignes, columns=["insee_com", "lib_com"])
    table = table.assign(insee_dep=DEPARTEMENT, insee_reg=DEPARTEMENT)
    numero = np.arange(1, len(table) + 1)
    rang = table.groupby("insee_com").cumcount() + 1
    table.insert(0, "code_qp", [f"QN0{DEPARTEMENT}{i:02d}M" for i in numero])
    table.insert(1, "lib_qp", table["lib_com"] + ", quartier " + rang.astype(str))
    return gpd.GeoDataFrame(table, geometry=contours, crs=CRS_DEMO)


def construire_programmes(habitat: Habitat) -> dict[str, pd.DataFrame]:
    """Listes de communes « Petites villes de demain » et « Action cœur de ville » de l'ANCT.

    Returns
    -------
    dict
        ``pvd`` et ``acv`` → ``insee_com``, ``lib_com``, identifiant, ``date_signature``.
    """
    interieures = np.flatnonzero(habitat.interieure)
    par_taille = interieures[np.argsort(-habitat.population[interieures], kind="stable")]

    def lister(rangs: slice, prefixe: str) -> pd.DataFrame:
        choix = np.sort(par_taille[rangs])
        return pd.DataFrame(
            {
                "insee_com": [habitat.codes[i] for i in choix],
                "lib_com": [habitat.noms[i] for i in choix],
                f"id_{prefixe}": [f"{prefixe}-00-{k + 1}" for k in range(choix.size)],
                "date_signature": "2021-06-15",
            }
        )

    return {"pvd": lister(RANGS_PVD, "pvd"), "acv": lister(slice(0, 1), "acv")}

"""Zones inondables fictives : PPR (standard COVADIS) et emprises TRI emboîtées."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from scipy import ndimage

from donnees_geo.demo.cadre import CRS_DEMO, Cadre, Flottants
from donnees_geo.demo.campagne import polygones_du_champ
from donnees_geo.demo.decoupage import Decoupage
from donnees_geo.demo.emprise_batie import EmpriseBatie
from donnees_geo.demo.relief import Vallees

#: Communes touchées par le PPR dans la variante normale.
COMMUNES_PPR: Final = 78
ID_GASPAR: Final = "00DDTM20190001"
#: Scénario → hauteur d'eau relative (m) au droit d'une rivière drainant 40 km².
SCENARIOS: Final = {"01For": 0.45, "02Moy": 0.95, "04Fai": 1.7}
#: Surface minimale d'une zone, m².
AIRE_MIN_M2: Final = 4_000.0


def _champ_inondation(vallees: Vallees, crue_m: float, aire_min_km2: float) -> Flottants:
    """Hauteur d'eau (positive dans la zone) d'une crue qui grossit avec l'aire drainée."""
    montee = crue_m * np.clip(np.log1p(vallees.aire_km2) / np.log1p(40.0), 0.25, 1.5)
    # En plaine, la hauteur seule noierait tout : l'étendue est bornée par l'aire drainée.
    portee = (60.0 + 75.0 * np.log1p(vallees.aire_km2)) * np.sqrt(crue_m / 0.95) * 1.6
    champ = np.minimum(montee - vallees.hauteur_m, 1.2 * (1 - vallees.distance_m / portee))
    champ = np.where(vallees.aire_km2 >= aire_min_km2, champ, -1.0)
    return np.asarray(ndimage.gaussian_filter(champ, 0.9))


def _aire_minimale(cadre: Cadre, vallees: Vallees, decoupage: Decoupage) -> float:
    """Aire drainée au-delà de laquelle le PPR s'applique, pour le nombre de communes visé."""
    cible = round(COMMUNES_PPR * cadre.facteur)
    limites = shapely.STRtree(decoupage.limites)
    meilleure, ecart = 2.0, np.inf
    for aire in np.geomspace(1.5, 20.0, 22):
        zones = polygones_du_champ(
            cadre, _champ_inondation(vallees, SCENARIOS["02Moy"], float(aire)), 0.0, AIRE_MIN_M2
        )
        touchees = np.unique(limites.query(np.array(zones), predicate="intersects")[1]).size
        if abs(touchees - cible) < ecart:
            meilleure, ecart = float(aire), abs(touchees - cible)
    return meilleure


def construire_ppr(
    cadre: Cadre, vallees: Vallees, emprise: EmpriseBatie, decoupage: Decoupage
) -> gpd.GeoDataFrame:
    """Zonage réglementaire : interdiction près de l'eau, prescription dans le bâti, et au-delà."""
    territoire = shapely.union_all(list(decoupage.limites))
    aire = _aire_minimale(cadre, vallees, decoupage)
    moyen = _champ_inondation(vallees, SCENARIOS["02Moy"], aire)
    fort = _champ_inondation(vallees, SCENARIOS["01For"], aire)
    extreme = _champ_inondation(vallees, SCENARIOS["04Fai"], aire)
    bati = 1.02 - emprise.rang
    familles = (
        ("04", "Rouge foncé", "RF", np.minimum(fort - 0.15, 1.0)),
        ("03", "Rouge clair", "RC", np.minimum(np.minimum(moyen, 0.15 - fort), -bati + 0.02)),
        ("02", "Bleu", "B", np.minimum(np.minimum(moyen, 0.15 - fort), bati)),
        ("01", "Vert", "V", np.minimum(np.minimum(extreme, -moyen), bati)),
    )
    lignes, geometries = [], []
    for typereg, nom, code, champ in familles:
        for zone in polygones_du_champ(cadre, champ, 0.0, AIRE_MIN_M2):
            for part in shapely.get_parts(shapely.intersection(zone, territoire)):
                if part.geom_type == "Polygon" and part.area > AIRE_MIN_M2 / 2:
                    lignes.append((nom, code, typereg, "oui" if typereg != "01" else "non"))
                    geometries.append(part)
    n = len(lignes)
    return gpd.GeoDataFrame(
        {
            "id_zone": np.arange(1, n + 1),
            "id_gaspar": ID_GASPAR,
            "nom": [f"Zone {ligne[0].lower()} de la vallée" for ligne in lignes],
            "codezone": [ligne[1] for ligne in lignes],
            "typereg": [ligne[2] for ligne in lignes],
            "soumisalea": [ligne[3] for ligne in lignes],
            "nomfic": "reglement_fictif.pdf",
            "urlfic": "",
            "srce_geom": "99",
            "srce_annee": "2019",
            "precision": "02",
        },
        geometry=geometries,
        crs=CRS_DEMO,
    )


def construire_tri(
    cadre: Cadre, vallees: Vallees, decoupage: Decoupage
) -> dict[str, gpd.GeoDataFrame]:
    """Emprises par scénario, de la crue fréquente à l'extrême, emboîtées par construction."""
    territoire = shapely.union_all(list(decoupage.limites)).buffer(600.0)
    resultat: dict[str, gpd.GeoDataFrame] = {}
    precedente: shapely.Geometry | None = None
    for scenario, crue in SCENARIOS.items():
        champ = _champ_inondation(vallees, crue, 12.0)
        surface = shapely.union_all(list(polygones_du_champ(cadre, champ, 0.0, 9_000.0)))
        surface = shapely.intersection(surface, territoire)
        if precedente is not None:
            surface = shapely.union_all([surface, precedente])
        precedente = surface
        parts = [p for p in shapely.get_parts(surface) if p.geom_type == "Polygon"]
        parts.sort(key=lambda p: (-p.area, p.bounds))
        n = len(parts)
        resultat[scenario] = gpd.GeoDataFrame(
            {
                "id_s_inond": [f"{scenario}_{i + 1:04d}" for i in range(n)],
                "id_tri": "FRA_TRI_ORVE",
                "typ_inond": "01",
                "scenario": scenario,
                "cours_deau": "Orvenne et affluents",
                "datentree": "2013-06-30",
                "datsortie": "",
            },
            geometry=parts,
            crs=CRS_DEMO,
        )
    return resultat

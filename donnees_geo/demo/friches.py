"""Friches fictives, au standard CNIG « Friches » 1.0.6."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import pyproj
import shapely

from donnees_geo.conventions import CRS_GEO
from donnees_geo.demo.cadre import CRS_DEMO, Cadre, Flottants
from donnees_geo.demo.habitat import Habitat, distance_ceinture
from donnees_geo.demo.population import Adresses

SURFACE_TOTALE_M2: Final = 3_500_000.0
NOMBRE_FRICHES: Final = 118
_COLONNES_CNIG: Final = """
site_id site_nom site_type site_adresse site_identif_date site_actu_date site_url site_ademe_url
site_securite site_occupation site_statut site_projet_url site_reconv_annee site_reconv_type
activite_libelle activite_code activite_fin_annee comm_nom comm_insee bati_type bati_nombre
bati_surface bati_pollution bati_vacance bati_patrimoine bati_etat local_ancien_annee
local_recent_annee proprio_type proprio_personne proprio_nom sol_pollution_annee
sol_pollution_existe sol_pollution_origine sol_pollution_commentaire sol_depollution_fiche
unite_fonciere_surface unite_fonciere_refcad urba_zone_type urba_zone_lib urba_zone_formdomi
urba_zaer urba_doc_type desserte_distance desserte_commentaire source_nom source_url
source_producteur source_contact geompoint geomsurf
"""

COLONNES_CNIG: Final[tuple[str, ...]] = tuple(_COLONNES_CNIG.split())
TYPES: Final[dict[str, tuple[float, str]]] = {
    "friche industrielle": (0.34, "Ancienne usine"),
    "friche carrière ou mine": (0.16, "Ancien carreau de fosse"),
    "friche commerciale": (0.16, "Ancien magasin"),
    "friche ferroviaire": (0.08, "Délaissé ferroviaire"),
    "friche agro-industrielle": (0.08, "Ancienne sucrerie"),
    "friche d'équipement public": (0.10, "Ancienne école"),
    "friche d'habitat": (0.08, "Ancienne cité"),
}
RECONVERTIE: Final = "friche reconvertie"
STATUTS: Final[dict[str, float]] = {
    "friche sans projet": 0.46,
    "friche avec projet": 0.28,
    "friche potentielle": 0.18,
    RECONVERTIE: 0.08,
}


def _contours(centres: Flottants, surfaces: Flottants, hasard: np.random.Generator) -> np.ndarray:
    """Parcelles irrégulières de la surface voulue."""
    n = len(centres)
    angles = np.sort(
        hasard.uniform(0, 2 * np.pi, (n, 1)) + np.linspace(0, 2 * np.pi, 7)[:-1], axis=1
    )
    rayons = hasard.uniform(0.7, 1.25, angles.shape)
    etirement = hasard.uniform(0.6, 1.0, (n, 1))
    x, y = rayons * np.cos(angles), etirement * rayons * np.sin(angles)
    aire = shapely.area(shapely.polygons(np.stack([x, y], axis=-1)))
    echelle = np.sqrt(surfaces / aire)[:, None]
    sommets = np.stack([centres[:, :1] + echelle * x, centres[:, 1:] + echelle * y], axis=-1)
    return np.asarray(shapely.polygons(sommets))


def construire_friches(cadre: Cadre, adresses: Adresses, habitat: Habitat) -> pd.DataFrame:
    """Sites en friche aux colonnes du standard, géométries WKT en longitude-latitude.

    Une partie des sites n'a qu'un point, comme dans les inventaires réels.
    """
    hasard = cadre.hasard(70)
    n = cadre.part(NOMBRE_FRICHES)
    attrait = np.where(
        (adresses.habitants > 0) & (adresses.rang > 0.25) & (adresses.rang < 1.5),
        np.exp(-((distance_ceinture(cadre, adresses.x, adresses.y) / 3200) ** 2)) + 0.05,
        0.0,
    )
    choix = hasard.choice(adresses.x.size, n, replace=False, p=attrait / attrait.sum())
    commune = adresses.commune[choix]
    surfaces = np.exp(hasard.normal(0, 1.1, n))
    statut = hasard.choice(list(STATUTS), n, p=list(STATUTS.values()))
    # La surface visée est celle du stock : un site reconverti n'attend plus d'usage.
    surfaces *= SURFACE_TOTALE_M2 * cadre.facteur / surfaces[statut != RECONVERTIE].sum()
    contours = _contours(np.column_stack([adresses.x, adresses.y])[choix], surfaces, hasard)
    vers_geo = pyproj.Transformer.from_crs(CRS_DEMO, CRS_GEO, always_xy=True)

    def en_geo(xy: Flottants) -> Flottants:
        return np.column_stack(vers_geo.transform(xy[:, 0], xy[:, 1])).round(7)

    points = shapely.transform(shapely.point_on_surface(contours), en_geo)
    contours = shapely.transform(contours, en_geo)
    types = hasard.choice(list(TYPES), n, p=[p for p, _ in TYPES.values()])
    annee = hasard.integers(1968, 2021, n)
    surfacique = hasard.random(n) < 0.82
    table = pd.DataFrame("", index=range(n), columns=list(COLONNES_CNIG))
    codes = np.array(habitat.codes)[commune]
    table["site_id"] = [f"{c}_{i + 1:04d}" for i, c in enumerate(codes)]
    table["site_nom"] = [f"{TYPES[t][1]} n° {i + 1}" for i, t in enumerate(types)]
    table["site_type"] = types
    table["site_identif_date"], table["site_actu_date"] = "2024-05-14", "2025-11-03"
    table["site_statut"] = statut
    table["site_occupation"] = hasard.choice(["totalement inoccupé", "partiellement inoccupé"], n)
    table["activite_fin_annee"] = annee.astype(str)
    table["comm_nom"], table["comm_insee"] = np.array(habitat.noms)[commune], codes
    table["bati_etat"] = hasard.choice(
        ["dégradation inexistante ou faible", "dégradation moyenne", "dégradation très importante"],
        n,
    )
    table["bati_surface"] = (
        np.round(surfaces * hasard.uniform(0.05, 0.4, n)).astype(int).astype(str)
    )
    table["sol_pollution_existe"] = hasard.choice(
        ["pollution supposée", "pollution avérée", "pollution peu probable", "inconnu"], n
    )
    table["unite_fonciere_surface"] = np.round(surfaces).astype(int).astype(str)
    table["urba_zone_type"] = hasard.choice(["U", "AUc", "N", "A"], n, p=[0.7, 0.12, 0.12, 0.06])
    table["urba_zaer"], table["urba_doc_type"] = "NA", "PLU"
    table["source_nom"] = "Inventaire fictif des friches"
    table["geompoint"] = shapely.to_wkt(points, rounding_precision=7)
    table["geomsurf"] = np.where(surfacique, shapely.to_wkt(contours, rounding_precision=7), "")
    return table

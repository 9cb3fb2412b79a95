"""Équipements d'OpenStreetMap : des règles de tags du catalogue aux objets placés."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from donnees_geo.configuration import Service
from donnees_geo.conventions import CRS_GEO
from donnees_geo.osm.surfaces import GeometriesOsm

Regle = Mapping[str, tuple[str, ...]]

COLONNES = ("service", "nom", "source", "id_source", "geometry")


@lru_cache(maxsize=65_536)
def texte_simple(texte: str) -> str:
    """Texte en minuscules et sans accents, pour comparer des sous-chaînes.

    Examples
    --------
    >>> texte_simple("École Élémentaire")
    'ecole elementaire'
    """
    decompose = unicodedata.normalize("NFKD", texte)
    return "".join(c for c in decompose if not unicodedata.combining(c)).casefold()


def valeur_admise(valeur: str, admises: Iterable[str]) -> bool:
    """Vrai si une valeur OSM (liste à ``;`` comprise) satisfait une condition du catalogue.

    Examples
    --------
    >>> valeur_admise("bakery;pastry", ("pastry",)), valeur_admise("bakery", ("*",))
    (True, True)
    >>> valeur_admise("Maternelle et élémentaire", ("~elementaire",))
    True
    """
    morceaux = [m.strip() for m in valeur.split(";")]
    for admise in admises:
        if admise == "*" or admise in morceaux:
            return True
        if admise.startswith("~") and texte_simple(admise[1:]) in texte_simple(valeur):
            return True
    return False


def regle_satisfaite(regle: Regle, tags: Mapping[str, str]) -> bool:
    """Vrai si toutes les conditions de la règle le sont."""
    return all(
        (valeur := tags.get(cle)) is not None and valeur_admise(valeur, admises)
        for cle, admises in regle.items()
    )


def services_de(tags: Mapping[str, str], services: Sequence[Service]) -> list[int]:
    """Indices des services qu'un objet OSM rend, d'après ses tags."""
    return [
        i
        for i, service in enumerate(services)
        if any(regle_satisfaite(r, tags) for r in service.tags_osm)
        and not any(regle_satisfaite(r, tags) for r in service.tags_osm_exclus)
    ]


def cles_discriminantes(services: Sequence[Service]) -> tuple[str, ...]:
    """Une clé par règle : un objet sans aucune d'elles ne peut satisfaire aucune règle.

    La clé la moins répandue de la règle suffit ; ``name`` n'est prise que si elle est seule.
    """
    cles = set()
    for service in services:
        for regle in service.tags_osm:
            if regle:
                cles.add(min(regle, key=lambda cle: (cle in _CLES_REPANDUES, cle)))
    return tuple(sorted(cles))


_CLES_REPANDUES = frozenset({"name", "access", "building", "operator", "brand", "official_name"})


def cles_lues(services: Sequence[Service]) -> frozenset[str]:
    """Toutes les clés dont dépendent les services, et le nom."""
    regles = [r for s in services for r in (*s.tags_osm, *s.tags_osm_exclus)]
    return frozenset(cle for regle in regles for cle in regle) | {"name"}


def filtre_services(services: Sequence[Service]) -> Callable[[Any], bool]:
    """Test rapide d'un objet lu : vrai si ses tags satisfont au moins une règle."""
    regles = [r for s in services for r in s.tags_osm if r]
    par_cle: dict[str, list[Regle]] = {}
    for regle in regles:
        cle = min(regle, key=lambda c: (c in _CLES_REPANDUES, c))
        par_cle.setdefault(cle, []).append(regle)
    paires = list(par_cle.items())

    def retenir(tags: Any) -> bool:
        for cle, candidates in paires:
            if tags.get(cle) is not None and any(regle_satisfaite(r, tags) for r in candidates):
                return True
        return False

    return retenir


def construire_points_interet(
    noeuds: Sequence[tuple[int, float, float, dict[str, str]]],
    surfaces: GeometriesOsm,
    services: Sequence[Service],
    crs: str,
    tags_gardes: Sequence[str] = (),
) -> gpd.GeoDataFrame:
    """Équipements trouvés dans les objets lus, une ligne par objet et par service rendu.

    Parameters
    ----------
    noeuds
        ``(id, lon, lat, tags)``.
    surfaces
        Voies et relations retenues, en degrés.
    services
        Catalogue.
    crs
        CRS métrique du résultat.
    tags_gardes
        Tags rendus en plus, chacun dans une colonne à son nom, vide s'il est absent.

    Returns
    -------
    GeoDataFrame
        Colonnes :data:`COLONNES`, puis ``tags_gardes``. La géométrie est le point (un point
        intérieur pour une surface), ou la surface elle-même quand le service est ``surfacique``.
    """
    positions = np.asarray(
        shapely.points([n[1] for n in noeuds], [n[2] for n in noeuds]), dtype=object
    )
    geometries = np.concatenate([positions.reshape(-1), surfaces.geometries])
    tags = [n[3] for n in noeuds] + list(surfaces.tags)
    identifiants = [f"n{n[0]}" for n in noeuds] + list(surfaces.identifiants)
    rendus = {cle: services_de(t, services) for cle, t in {id(t): t for t in tags}.items()}
    lignes = [(o, s) for o, t in enumerate(tags) for s in rendus[id(t)]]
    objet = np.array([o for o, _ in lignes], dtype=np.int64)
    service = np.array([s for _, s in lignes], dtype=np.int64)
    surfacique = np.array([s.surfacique for s in services], dtype=bool)
    formes = _reduire(geometries[objet], surfacique[service] if lignes else np.zeros(0, bool))
    table = pd.DataFrame(
        {
            "service": pd.array([services[s].id for s in service], dtype="str"),
            "nom": pd.array([tags[o].get("name", "") for o in objet], dtype="str"),
            "source": pd.array(["osm"] * len(lignes), dtype="str"),
            "id_source": pd.array([identifiants[o] for o in objet], dtype="str"),
            **{
                tag: pd.array([tags[o].get(tag, "") for o in objet], dtype="str")
                for tag in tags_gardes
            },
        }
    )
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(formes, crs=CRS_GEO).to_crs(crs))


def _reduire(
    geometries: NDArray[np.object_], garder_surface: NDArray[np.bool_]
) -> NDArray[np.object_]:
    """Réduire à un point les lignes, et les surfaces qui ne comptent pas par leur pourtour.

    Le centre de gravité est gardé s'il tombe dans la surface, sinon un point intérieur.
    """
    resultat = geometries.copy()
    a_reduire = (shapely.get_type_id(geometries) != 0) & ~(
        garder_surface & (shapely.get_dimensions(geometries) == 2)
    )
    formes = geometries[a_reduire]
    centres = shapely.centroid(formes)
    dedans = (shapely.get_dimensions(formes) == 2) & shapely.intersects(formes, centres)
    resultat[a_reduire] = np.where(dedans, centres, shapely.point_on_surface(formes))
    return resultat

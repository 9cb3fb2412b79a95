"""Lecture complète d'un extrait OSM : rues, équipements, bâtiments et fond de carte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from donnees_geo.configuration import Service
from donnees_geo.configuration.manifeste import verifier_crs_metrique
from donnees_geo.erreurs import Constat, ErreurConfiguration, Gravite
from donnees_geo.osm.batiments import CLES_BATIMENT, construire_batiments, est_batiment
from donnees_geo.osm.collecte import ObjetsOsm, Selection
from donnees_geo.osm.fond import CLES_FOND, construire_fond, est_fond
from donnees_geo.osm.lecture import Progression, lire_objets
from donnees_geo.osm.points_interet import (
    cles_discriminantes,
    cles_lues,
    construire_points_interet,
    filtre_services,
)
from donnees_geo.osm.rues import construire_reseau
from donnees_geo.osm.surfaces import GeometriesOsm, construire_geometries
from donnees_geo.reseau import ReseauRues


@dataclass(frozen=True)
class ExtraitOsm:
    """Ce que le programme tire d'un extrait OpenStreetMap.

    Attributes
    ----------
    reseau
        Réseau de rues simplifié.
    points_interet
        Équipements : ``service``, ``nom``, ``source`` (« osm »), ``id_source`` (« n1 », « w2 »,
        « r3 ») et ``geometry``.
    batiments
        Bâtiments, ou ``None`` s'ils n'ont pas été demandés.
    fond
        Couches du fond de carte, par nom ; vide si elles n'ont pas été demandées.
    constats
        Ce qui a été écarté ou coupé.
    date_donnees
        Date des données dite par l'en-tête du fichier.
    """

    reseau: ReseauRues
    points_interet: gpd.GeoDataFrame
    batiments: gpd.GeoDataFrame | None
    fond: dict[str, gpd.GeoDataFrame]
    constats: list[Constat]
    date_donnees: datetime | None


def lire_osm(
    fichier: Path,
    crs: str,
    emprise: BaseGeometry | None = None,
    services: Sequence[Service] = (),
    *,
    avec_batiments: bool = False,
    avec_fond: bool = True,
    avec_bacs: bool = False,
    tags_gardes: Sequence[str] = (),
    progression: Progression | None = None,
) -> ExtraitOsm:
    """Lire les rues, les équipements et le fond de carte d'un extrait OSM.

    Parameters
    ----------
    fichier
        ``.osm.pbf``, ``.osm``, ``.osm.gz`` ou ``.osm.bz2``.
    crs
        CRS métrique de travail. Les longueurs sont mesurées dans ce CRS (en Lambert-93,
        l'altération linéaire reste inférieure à 0,1 % dans le nord de la France).
    emprise
        Polygone en EPSG:4326 auquel la lecture se limite ; ``None`` : tout le fichier. Une voie
        qui en sort est coupée au premier noeud extérieur.
    services
        Catalogue dont les règles ``tags_osm`` désignent les équipements.
    avec_batiments, avec_fond, avec_bacs
        Lire aussi les bâtiments, le fond de carte, les liaisons par bac.
    tags_gardes
        Tags des équipements rendus en colonnes (``opening_hours``).
    progression
        Appelée avec un message et la part accomplie (0 à 1).

    Raises
    ------
    ErreurConfiguration
        ``crs`` inconnu ou non métrique.
    ErreurDonnees
        Fichier absent, tronqué ou d'un autre format.
    ErreurReseau
        Aucune voie circulable dans l'emprise.
    """
    verifier_crs_metrique(crs)
    if emprise is not None and shapely.is_empty(emprise):
        raise ErreurConfiguration("L'emprise de lecture de l'extrait OSM est vide.", objet=fichier)
    avance = progression or (lambda _message, _part: None)
    selection = _selection(emprise, services, avec_batiments, avec_fond, avec_bacs, tags_gardes)
    objets = lire_objets(fichier, selection, avance)
    avance("Construction du réseau de rues", 0.60)
    reseau = construire_reseau(objets.voies, emprise, crs, fichier)
    avance("Construction des surfaces", 0.80)
    surfaces = _dans_emprise(construire_geometries(objets), emprise)
    constats = _constats(fichier, objets, surfaces)
    noeuds = _noeuds_dans_emprise(objets, emprise)
    date = objets.date
    del objets  # les coordonnées brutes pèsent autant que les surfaces construites
    avance("Recherche des équipements", 0.88)
    points = construire_points_interet(
        noeuds, surfaces.choisir(filtre_services(services)), services, crs, tags_gardes
    )
    batiments = construire_batiments(surfaces, crs) if avec_batiments else None
    fond = construire_fond(surfaces, crs) if avec_fond else {}
    avance("Extrait OSM lu", 1.0)
    return ExtraitOsm(reseau, points, batiments, fond, constats, date)


def _selection(
    emprise: BaseGeometry | None,
    services: Sequence[Service],
    avec_batiments: bool,
    avec_fond: bool,
    avec_bacs: bool,
    tags_gardes: Sequence[str],
) -> Selection:
    cles_services = cles_discriminantes(services)
    cles_surfaces = set(cles_services)
    cles_tags = {"area", "highway", "waterway", "railway", "barrier", *cles_lues(services)}
    cles_tags.update(tags_gardes)
    tests: list[Callable[[Any], bool]] = []
    if services:
        tests.append(filtre_services(services))
    if avec_fond:
        cles_surfaces.update(CLES_FOND)
        cles_tags.update(CLES_FOND)
        tests.append(est_fond)
    if avec_batiments:
        cles_surfaces.add("building")
        cles_tags.update(CLES_BATIMENT)
        tests.insert(0, est_batiment)  # le plus fréquent et le plus rapide
    return Selection(
        boite=None if emprise is None else emprise.bounds,
        cles_tags=frozenset(cles_tags),
        cles_noeuds=cles_services,
        cles_surfaces=tuple(sorted(cles_surfaces)),
        retenir=lambda tags: any(test(tags) for test in tests),
        avec_bacs=avec_bacs,
    )


def _dans_emprise(surfaces: GeometriesOsm, emprise: BaseGeometry | None) -> GeometriesOsm:
    if emprise is None or not len(surfaces.tags):
        return surfaces
    dedans = np.flatnonzero(shapely.intersects(emprise, surfaces.geometries))
    return surfaces.prendre(dedans)


def _noeuds_dans_emprise(
    objets: ObjetsOsm, emprise: BaseGeometry | None
) -> list[tuple[int, float, float, dict[str, str]]]:
    if emprise is None or not objets.noeuds:
        return objets.noeuds
    dedans = shapely.intersects_xy(
        emprise, [n[1] for n in objets.noeuds], [n[2] for n in objets.noeuds]
    )
    return [n for n, d in zip(objets.noeuds, dedans.tolist(), strict=True) if d]


def _constats(fichier: Path, objets: ObjetsOsm, surfaces: GeometriesOsm) -> list[Constat]:
    objet = f"osm ({fichier.name})"
    constats = []
    if objets.voies.noeuds_manquants:
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{objets.voies.voies_coupees} voie(s) citent {objets.voies.noeuds_manquants} "
                "noeud(s) absents de l'extrait (bord de la découpe) : elles sont coupées là.",
            )
        )
    if objets.lignes_coupees:
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{objets.lignes_coupees} surface(s) ou ligne(s) ont des noeuds absents de "
                "l'extrait : celles dont le contour ne se ferme plus comptent comme des lignes.",
            )
        )
    if surfaces.incompletes:
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{surfaces.incompletes} surface(s) en plusieurs voies sont écartées : leur "
                "contour ne se ferme pas dans l'extrait.",
            )
        )
    return constats

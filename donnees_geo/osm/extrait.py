"""Lecture complète d'un extrait OSM : rues, équipements, bâtiments et fond de carte."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from donnees_geo.configuration import Service
from donnees_geo.configuration_manifeste import verifier_crs_metrique
from donnees_geo.conventions import CRS_GEO
from donnees_geo.erreurs import Constat, ErreurConfiguration, ErreurReseau, Gravite
from donnees_geo.osm.acces import CLES_ACCES, evaluer_acces
from donnees_geo.osm.batiments import CLES_BATIMENT, construire_batiments, est_batiment
from donnees_geo.osm.fond import CLES_FOND, construire_fond, est_fond
from donnees_geo.osm.lecture import ObjetsOsm, Progression, Selection, VoiesBrutes, lire_objets
from donnees_geo.osm.points_interet import (
    cles_discriminantes,
    cles_lues,
    construire_points_interet,
    filtre_services,
)
from donnees_geo.osm.simplification import (
    Attributs,
    Noeuds,
    Segments,
    fusionner_noeuds_confondus,
    simplifier,
)
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
    transformation = pyproj.Transformer.from_crs(
        CRS_GEO, verifier_crs_metrique(crs), always_xy=True
    )
    if emprise is not None and shapely.is_empty(emprise):
        raise ErreurConfiguration("L'emprise de lecture de l'extrait OSM est vide.", objet=fichier)
    avance = progression or (lambda _message, _part: None)
    selection = _selection(emprise, services, avec_batiments, avec_fond, avec_bacs)
    objets = lire_objets(fichier, selection, avance)
    avance("Construction du réseau de rues", 0.60)
    reseau = _construire_reseau(objets.voies, emprise, crs, transformation, fichier)
    avance("Construction des surfaces", 0.80)
    surfaces = _dans_emprise(construire_geometries(objets), emprise)
    constats = _constats(fichier, objets, surfaces)
    noeuds = _noeuds_dans_emprise(objets, emprise)
    date = objets.date
    del objets  # les coordonnées brutes pèsent autant que les surfaces construites
    avance("Recherche des équipements", 0.88)
    points = construire_points_interet(
        noeuds, surfaces.choisir(filtre_services(services)), services, crs
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
) -> Selection:
    cles_services = cles_discriminantes(services)
    cles_surfaces = set(cles_services)
    cles_tags = {"area", "highway", "waterway", "railway", "barrier", *cles_lues(services)}
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


def _construire_reseau(
    voies: VoiesBrutes,
    emprise: BaseGeometry | None,
    crs: str,
    transformation: pyproj.Transformer,
    fichier: Path,
) -> ReseauRues:
    positions = voies.positions()
    refs, premier, indice = np.unique(
        np.frombuffer(voies.refs, dtype=np.int64), return_index=True, return_inverse=True
    )
    lon, lat = positions[premier].T if refs.size else np.empty((2, 0))
    acces = [
        evaluer_acces({c: v for c, v in zip(CLES_ACCES, combinaison, strict=True) if v is not None})
        for combinaison in voies.combinaisons
    ]
    voie, depart = _segments_continus(voies)
    combinaison = np.array(voies.combinaison, dtype=np.int64)[voie]
    bits = np.array([a.bits for a in acces], dtype=np.uint16)[combinaison]
    origine, destination = indice[depart], indice[depart + 1]
    garde = (bits != 0) & (origine != destination)
    if emprise is not None and refs.size:
        shapely.prepare(emprise)
        dedans = shapely.intersects_xy(emprise, lon, lat)
        garde &= dedans[origine] | dedans[destination]
    if not garde.any():
        raise ErreurReseau(
            "L'extrait OpenStreetMap ne contient aucune rue praticable"
            + ("." if emprise is None else " dans l'emprise du territoire."),
            objet=fichier,
            attendu="des voies « highway » dans l'emprise "
            + ("du fichier" if emprise is None else _texte_boite(emprise.bounds)),
            trouve=f"{len(voies.ids)} voie(s) lue(s)",
            conseil="vérifier que l'extrait couvre le territoire et qu'il n'est pas filtré ; si ses"
            " voies précèdent ses noeuds, le trier (osmium sort).",
        )
    x, y = transformation.transform(lon, lat)
    noeuds = Noeuds(refs, np.asarray(x), np.asarray(y))
    groupe, attributs = _grouper(voies, [a.classe for a in acces], [a.vitesse_kmh for a in acces])
    segments = Segments(
        origine[garde],
        destination[garde],
        np.frombuffer(voies.ids, dtype=np.int64)[voie[garde]],
        bits[garde],
        groupe[voie[garde]],
    )
    segments = fusionner_noeuds_confondus(noeuds, segments)
    return simplifier(noeuds, segments, attributs, tuple(voies.noms), crs)


def _segments_continus(voies: VoiesBrutes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Voie et position de départ (dans ``refs``) de chaque segment entre noeuds consécutifs."""
    nombre = np.array(voies.nombre, dtype=np.int64)
    voie = np.repeat(np.arange(nombre.size), nombre)
    depart = np.arange(max(voie.size - 1, 0))
    continu = voie[:-1] == voie[1:]
    ruptures = np.array(voies.rupture, dtype=np.int64)
    continu[ruptures - 1] = False
    return voie[:-1][continu], depart[continu]


def _grouper(
    voies: VoiesBrutes, classes: Sequence[int], vitesses: Sequence[float]
) -> tuple[NDArray[np.int64], Attributs]:
    """Numéro de groupe (classe, vitesse, nom) de chaque voie, et attributs de chaque groupe."""
    combinaison = np.array(voies.combinaison, dtype=np.int64)
    connues = sorted({v for v in vitesses if not math.isnan(v)})
    rang_vitesse = {v: i for i, v in enumerate(connues)}
    code_vitesse = np.array([rang_vitesse.get(v, -1) for v in vitesses], dtype=np.int64)
    cles = np.column_stack(
        [
            np.array(classes, dtype=np.int64)[combinaison],
            code_vitesse[combinaison],
            np.array(voies.nom, dtype=np.int64),
        ]
    )
    uniques, groupe = np.unique(cles, axis=0, return_inverse=True)
    valeurs = np.array([*connues, np.nan], dtype=np.float32)
    return groupe.reshape(-1), Attributs(
        uniques[:, 0].astype(np.uint8), valeurs[uniques[:, 1]], uniques[:, 2].astype(np.int32)
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


def _texte_boite(boite: tuple[float, float, float, float]) -> str:
    ouest, sud, est, nord = boite
    return f"{ouest:.4f} à {est:.4f} de longitude, {sud:.4f} à {nord:.4f} de latitude"

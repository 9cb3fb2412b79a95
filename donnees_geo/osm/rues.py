"""Réseau de rues d'un extrait OSM, sans équipements ni fond de carte.

Ce module n'importe ni geopandas ni pandas : charger les seules rues reste léger.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from donnees_geo.configuration.manifeste import verifier_crs_metrique
from donnees_geo.conventions import CRS_GEO
from donnees_geo.erreurs import ErreurReseau
from donnees_geo.osm.acces import evaluer_acces
from donnees_geo.osm.collecte import Selection
from donnees_geo.osm.lecture import lire_objets
from donnees_geo.osm.simplification import (
    Attributs,
    Noeuds,
    Segments,
    fermer_aux_voitures,
    fusionner_noeuds_confondus,
    simplifier,
)
from donnees_geo.osm.voies import VoiesBrutes
from donnees_geo.reseau import ReseauRues


def lire_rues(
    fichier: Path, crs: str, emprise: BaseGeometry | None = None, *, avec_bacs: bool = False
) -> ReseauRues:
    """Lire les seules rues d'un extrait OSM ; paramètres et erreurs de ``lire_osm``."""
    boite = None if emprise is None else emprise.bounds
    objets = lire_objets(fichier, Selection(boite=boite, avec_bacs=avec_bacs))
    return construire_reseau(objets.voies, emprise, crs, fichier)


def construire_reseau(
    voies: VoiesBrutes,
    emprise: BaseGeometry | None,
    crs: str,
    fichier: Path,
) -> ReseauRues:
    """Réseau simplifié des voies lues, coupé à l'emprise.

    Raises
    ------
    ErreurConfiguration
        ``crs`` inconnu ou non métrique.
    ErreurReseau
        Aucune voie circulable ; l'erreur nomme le ``fichier``.
    """
    transformation = pyproj.Transformer.from_crs(
        CRS_GEO, verifier_crs_metrique(crs), always_xy=True
    )
    lon, lat = voies.lon, voies.lat
    acces = [evaluer_acces(tags) for tags in voies.combinaisons]
    voie, depart = _segments_continus(voies)
    bits = np.array([a.bits for a in acces], dtype=np.uint16)[voies.combinaison[voie]]
    origine, destination = voies.noeud[depart], voies.noeud[depart + 1]
    garde = (bits != 0) & (origine != destination)
    if emprise is not None and lon.size:
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
            trouve=f"{voies.ids.size} voie(s) lue(s)",
            conseil="vérifier que l'extrait couvre le territoire et qu'il n'est pas filtré ; si ses"
            " voies précèdent ses noeuds, le trier (osmium sort).",
        )
    x, y = transformation.transform(lon, lat)
    noeuds = Noeuds(voies.noeud_osm, np.asarray(x), np.asarray(y))
    groupe, attributs = _grouper(voies, [a.classe for a in acces], [a.vitesse_kmh for a in acces])
    segments = Segments(
        origine[garde],
        destination[garde],
        voies.ids[voie[garde]],
        bits[garde],
        groupe[voie[garde]],
    )
    segments = fermer_aux_voitures(noeuds, segments, voies.barrieres)
    segments = fusionner_noeuds_confondus(noeuds, segments)
    return simplifier(noeuds, segments, attributs, voies.noms, crs)


def _segments_continus(voies: VoiesBrutes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Voie et position de départ (dans ``noeud``) de chaque segment entre noeuds consécutifs."""
    voie = np.repeat(np.arange(voies.nombre.size), voies.nombre)
    place = voies.noeud >= 0
    continu = (voie[:-1] == voie[1:]) & place[:-1] & place[1:]
    depart = np.flatnonzero(continu)
    return voie[depart], depart


def _grouper(
    voies: VoiesBrutes, classes: Sequence[int], vitesses: Sequence[float]
) -> tuple[NDArray[np.int64], Attributs]:
    """Numéro de groupe (classe, vitesse, nom) de chaque voie, et attributs de chaque groupe."""
    connues = sorted({v for v in vitesses if not math.isnan(v)})
    rang_vitesse = {v: i for i, v in enumerate(connues)}
    # Un seul entier par voie (les -1 décalés à 0) : trier des entiers, non des lignes.
    code_vitesse = np.array([rang_vitesse.get(v, -1) for v in vitesses], dtype=np.int64) + 1
    classe_vitesse = np.array(classes, dtype=np.int64) * (len(connues) + 1) + code_vitesse
    base_nom = len(voies.noms) + 1
    cles, groupe = np.unique(
        classe_vitesse[voies.combinaison] * base_nom + voies.nom + 1, return_inverse=True
    )
    classe_vitesse, nom = np.divmod(cles, base_nom)
    classe, vitesse = np.divmod(classe_vitesse, len(connues) + 1)
    valeurs = np.array([np.nan, *connues], dtype=np.float32)
    return groupe, Attributs(classe.astype(np.uint8), valeurs[vitesse], (nom - 1).astype(np.int32))


def _texte_boite(boite: tuple[float, float, float, float]) -> str:
    ouest, sud, est, nord = boite
    return f"{ouest:.4f} à {est:.4f} de longitude, {sud:.4f} à {nord:.4f} de latitude"

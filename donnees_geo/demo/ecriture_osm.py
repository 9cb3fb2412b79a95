"""Écriture de l'extrait OSM fictif (.osm.pbf) : rues, rails, eaux, occupation du sol, services."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import osmium
import pyproj
import shapely
from osmium.osm.mutable import Node, Relation, Way

from donnees_geo.conventions import CRS_GEO
from donnees_geo.demo.autoroute import Autoroute
from donnees_geo.demo.axes import Axes
from donnees_geo.demo.cadre import (
    CRS_DEMO,
    Cadre,
    Entiers,
    Flottants,
    plus_proches,
)
from donnees_geo.demo.campagne import Campagne
from donnees_geo.demo.hydrographie import CoursEau
from donnees_geo.demo.objets_osm import ObjetsOsm, Tags
from donnees_geo.demo.planarisation import croisements, segments_de_ligne
from donnees_geo.demo.voies import Voies
from donnees_geo.demo.voirie import Reseau

#: Premier identifiant OSM des noeuds, des voies et des relations.
PREMIER_NOEUD: Final = 1_000_001
PREMIERE_VOIE: Final = 500_001
PREMIERE_RELATION: Final = 9_001
NOM_CANAL: Final = "Canal d'Orvenne"
NUMERO_AUTOROUTE: Final = "A 926"


def ajouter_rues(objets: ObjetsOsm, reseau: Reseau, voies: Voies) -> None:
    """Rues ; doit être appelée en premier, pour que les numéros de noeuds soient ceux du réseau."""
    objets.ajouter_noeuds(np.column_stack([reseau.x, reseau.y]))
    bornes = voies.debut.tolist()
    for rang, tags in enumerate(voies.tags):
        objets.voies.append((voies.noeuds[bornes[rang] : bornes[rang + 1]], tags))
    for noeud in np.flatnonzero(reseau.niveau).tolist():
        objets.tags_noeuds[noeud] = {"railway": "level_crossing", "crossing:barrier": "half"}


def _ponts_le_long(ligne: Flottants, eaux: Flottants, demi_m: float) -> Flottants:
    """Intervalles (début, fin) de la ligne portés par un pont, en mètres, disjoints."""
    cumul = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(ligne, axis=0).T))])
    i, _, t, _ = croisements(segments_de_ligne(ligne), eaux)
    intervalles: list[list[float]] = []
    for position in np.sort(cumul[i] + t * np.diff(cumul)[i]).tolist():
        if intervalles and position - demi_m <= intervalles[-1][1]:
            intervalles[-1][1] = position + demi_m
        else:
            intervalles.append([position - demi_m, position + demi_m])
    bornes = np.array(intervalles, dtype=np.float64).reshape(-1, 2)
    return np.asarray(np.clip(bornes, 1.0, cumul[-1] - 1.0))


def _ajouter_axe(
    objets: ObjetsOsm,
    ligne: Flottants,
    ponts: Flottants,
    tags: Tags,
    noeuds_poses: tuple[Entiers, Flottants] | None = None,
) -> Entiers:
    """Ajouter un axe coupé en voies à l'entrée et à la sortie de ses ponts.

    Parameters
    ----------
    ponts
        float64[n, 2], intervalles en mètres le long de la ligne.
    noeuds_poses
        Noeuds déjà présents par où l'axe doit passer, et leur position en mètres.

    Returns
    -------
    ndarray
        int64, numéro de noeud de chaque sommet de la ligne.
    """
    cumul = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(ligne, axis=0).T))])
    bouts = ponts.ravel()
    xy_bouts = np.column_stack([np.interp(bouts, cumul, ligne[:, k]) for k in (0, 1)])
    numeros = objets.ajouter_noeuds(np.vstack([ligne, xy_bouts]))
    positions = np.r_[cumul, bouts]
    tous = numeros
    if noeuds_poses is not None:
        tous, positions = np.r_[numeros, noeuds_poses[0]], np.r_[positions, noeuds_poses[1]]
    ordre = np.argsort(positions, kind="stable")
    tous, positions = tous[ordre], positions[ordre]
    milieux = (positions[:-1] + positions[1:]) / 2
    rang = np.searchsorted(bouts, milieux)
    # Entre une entrée et la sortie suivante, le rang d'insertion est impair.
    coupes = np.flatnonzero(np.diff(rang)) + 1
    for debut, fin in pairwise([0, *coupes.tolist(), milieux.size]):
        pont = {"bridge": "yes", "layer": "1"} if rang[debut] % 2 else {}
        objets.voies.append((tous[debut : fin + 1], tags | pont))
    return numeros[: len(ligne)]


def ajouter_autoroute(objets: ObjetsOsm, autoroute: Autoroute, eaux: Flottants) -> None:
    """Chaussées, bretelles et sorties numérotées."""
    tags = {
        "highway": "motorway",
        "ref": NUMERO_AUTOROUTE,
        "oneway": "yes",
        "maxspeed": "130",
        "lanes": "2",
        "surface": "asphalt",
    }
    numeros = [
        _ajouter_axe(objets, chaussee, _ponts_le_long(chaussee, eaux, 18.0), tags)
        for chaussee in autoroute.chaussees
    ]
    for courbe, (chaussee, sommet, noeud), sortie, numero in zip(
        autoroute.bretelles,
        autoroute.raccords.tolist(),
        autoroute.sorties,
        autoroute.numeros,
        strict=True,
    ):
        attache = int(numeros[chaussee][sommet])
        bouts = [objets.position(attache), objets.position(noeud)]
        depart, arrivee = bouts if sortie else bouts[::-1]
        trace = np.vstack([depart, courbe, arrivee])
        _ajouter_bretelle(objets, trace, (attache, noeud) if sortie else (noeud, attache), eaux)
        if sortie:
            objets.tags_noeuds[attache] = {"highway": "motorway_junction", "ref": str(numero)}


def _ajouter_bretelle(
    objets: ObjetsOsm, trace: Flottants, bouts: tuple[int, int], eaux: Flottants
) -> None:
    """Bretelle entre deux noeuds existants ; son tracé passe sur un pont s'il croise l'eau."""
    tags = {"highway": "motorway_link", "oneway": "yes", "maxspeed": "70"}
    if len(_ponts_le_long(trace, eaux, 12.0)):
        tags |= {"bridge": "yes", "layer": "1"}
    milieu = objets.ajouter_noeuds(trace[1:-1])
    objets.voies.append((np.r_[bouts[0], milieu, bouts[1]], tags))


def ajouter_rails(objets: ObjetsOsm, axes: Axes, reseau: Reseau, eaux: Flottants) -> None:
    """Voies ferrées, passant par les noeuds des passages à niveau."""
    niveaux = np.flatnonzero(reseau.niveau)
    xy = np.column_stack([reseau.x[niveaux], reseau.y[niveaux]])
    for rang, ligne in enumerate(axes.ferrees):
        segments = segments_de_ligne(ligne)
        cumul = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(ligne, axis=0).T))])
        milieux = (segments[:, :2] + segments[:, 2:]) / 2
        ecart, proche = plus_proches(milieux, xy)
        s = segments[proche]
        d = s[:, 2:] - s[:, :2]
        t = ((xy - s[:, :2]) * d).sum(axis=1) / (d**2).sum(axis=1)
        # Un passage à niveau est posé exactement sur la voie.
        touche = (ecart < 60) & (np.hypot(*(s[:, :2] + t[:, None] * d - xy).T) < 1.0)
        positions = cumul[proche] + np.clip(t, 0, 1) * np.diff(cumul)[proche]
        _ajouter_axe(
            objets,
            ligne,
            _ponts_le_long(ligne, eaux, 14.0),
            {
                "railway": "rail",
                "usage": "main" if rang == 0 else "branch",
                "electrified": "contact_line",
                "gauge": "1435",
            },
            (niveaux[touche], positions[touche]),
        )


def ajouter_eaux(
    objets: ObjetsOsm, axes: Axes, rivieres: CoursEau, campagne: Campagne, reseau: Reseau
) -> None:
    """Rivières, ruisseaux, canal et fossés (busés sous les chemins), étangs et plans d'eau."""
    for ligne, nature, nom in zip(rivieres.lignes, rivieres.natures, rivieres.noms, strict=True):
        objets.ajouter_ligne(ligne, {"waterway": nature} | ({"name": nom} if nom else {}))
    objets.ajouter_ligne(axes.canal, {"waterway": "canal", "name": NOM_CANAL, "boat": "yes"})
    objets.ajouter_surface(
        shapely.LineString(axes.canal).buffer(19.0, cap_style="flat").simplify(1.0),
        {"natural": "water", "water": "canal", "name": NOM_CANAL},
    )
    for ligne, aires, nature in zip(rivieres.lignes, rivieres.aires, rivieres.natures, strict=True):
        if nature == "river":
            largeur = 2.0 + 0.55 * float(np.sqrt(aires.max()))
            lit = shapely.LineString(ligne).buffer(largeur / 2 + 1.0, cap_style="flat", quad_segs=2)
            objets.ajouter_surface(lit.simplify(0.5), {"natural": "water", "water": "river"})
    for etang in campagne.etangs:
        objets.ajouter_surface(etang, {"natural": "water", "water": "pond"})
    _ajouter_fosses(objets, campagne.fosses, reseau)


def _ajouter_fosses(objets: ObjetsOsm, fosses: Flottants, reseau: Reseau) -> None:
    """Fossés ; la partie sous une voie est une buse."""
    i, _, t, _ = croisements(fosses, reseau.segments())
    buse = np.zeros(len(fosses), dtype=bool)
    buse[i] = True
    position = np.zeros(len(fosses))
    position[i] = t
    for segment, busee, t_buse in zip(fosses, buse.tolist(), position.tolist(), strict=True):
        a, b = segment[:2], segment[2:]
        if not busee:
            objets.ajouter_ligne(np.array([a, b]), {"waterway": "ditch"})
            continue
        demi = min(6.0 / float(np.hypot(*(b - a))), 0.4)
        t0, t1 = max(t_buse - demi, 0.01), min(t_buse + demi, 0.99)
        numeros = objets.ajouter_noeuds(np.array([a, a + t0 * (b - a), a + t1 * (b - a), b]))
        objets.voies.append((numeros[:2], {"waterway": "ditch"}))
        objets.voies.append(
            (numeros[1:3], {"waterway": "ditch", "tunnel": "culvert", "layer": "-1"})
        )
        objets.voies.append((numeros[2:], {"waterway": "ditch"}))


def ajouter_occupation(objets: ObjetsOsm, cadre: Cadre, campagne: Campagne) -> None:
    """Bois, parcs, zones bâties."""
    hasard = cadre.hasard(50)
    for rang, bois in enumerate(campagne.bois):
        tags = {"landuse": "forest"} if bois.area > 4e4 else {"natural": "wood"}
        if bois.area > 6e5:
            tags["name"] = f"Bois {('des Loges', 'du Roy', 'de la Haie', 'Carré')[rang % 4]}"
        objets.ajouter_surface(bois, tags | {"leaf_type": "broadleaved"})
    noms = ("Parc de la Lampisterie", "Square des Tilleuls", "Jardin public", "Parc du Vivier")
    for parc in campagne.parcs:
        tags = {"leisure": "park"}
        if hasard.random() < 0.6:
            tags["name"] = noms[int(hasard.integers(len(noms)))]
        objets.ajouter_surface(parc, tags)
    for zone in campagne.zones_baties:
        objets.ajouter_surface(zone, {"landuse": "residential"})


def ecrire_pbf(objets: ObjetsOsm, chemin: Path, date: str) -> None:
    """Écrire les objets, dans l'ordre attendu (noeuds, voies, relations) et sans horodatage propre.

    Parameters
    ----------
    date
        Date des données, ISO 8601 UTC ; portée par l'en-tête et par chaque objet.
    """
    vers_geo = pyproj.Transformer.from_crs(CRS_DEMO, CRS_GEO, always_xy=True)
    lon, lat = vers_geo.transform(np.concatenate(objets.x), np.concatenate(objets.y))
    entete = osmium.io.Header()
    entete.set("generator", "demi-heure demo")
    entete.set("osmosis_replication_timestamp", date)
    entete.add_box(
        osmium.osm.Box(float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))
    )
    with osmium.SimpleWriter(str(chemin), header=entete, overwrite=True) as sortie:
        tags_de = objets.tags_noeuds.get
        positions = zip(np.round(lon, 7).tolist(), np.round(lat, 7).tolist(), strict=True)
        for numero, position in enumerate(positions):
            sortie.add_node(
                Node(
                    id=PREMIER_NOEUD + numero,
                    location=position,
                    tags=tags_de(numero),
                    version=1,
                    timestamp=date,
                )
            )
        for rang, (noeuds, tags_voie) in enumerate(objets.voies):
            sortie.add_way(
                Way(
                    id=PREMIERE_VOIE + rang,
                    nodes=(noeuds + PREMIER_NOEUD).tolist(),
                    tags=tags_voie,
                    version=1,
                    timestamp=date,
                )
            )
        for rang, (membres, tags_relation) in enumerate(objets.relations):
            sortie.add_relation(
                Relation(
                    id=PREMIERE_RELATION + rang,
                    members=[("w", PREMIERE_VOIE + voie, role) for voie, role in membres],
                    tags=tags_relation,
                    version=1,
                    timestamp=date,
                )
            )

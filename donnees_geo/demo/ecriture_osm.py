"""Écriture de l'extrait OSM fictif (.osm.pbf) : rues, rails, eaux, occupation du sol, services."""

from __future__ import annotations

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
from donnees_geo.demo.cadre import CRS_DEMO, Cadre, Flottants, plus_proches, reechantillonner
from donnees_geo.demo.campagne import Campagne
from donnees_geo.demo.hydrographie import CoursEau
from donnees_geo.demo.objets_osm import ObjetsOsm
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


def ajouter_autoroute(objets: ObjetsOsm, autoroute: Autoroute) -> None:
    """Chaussées, bretelles et sorties numérotées."""
    tags = {
        "highway": "motorway",
        "ref": NUMERO_AUTOROUTE,
        "oneway": "yes",
        "maxspeed": "130",
        "lanes": "2",
        "surface": "asphalt",
    }
    numeros = [objets.ajouter_ligne(chaussee, dict(tags)) for chaussee in autoroute.chaussees]
    for courbe, (chaussee, sommet, noeud), sortie, numero in zip(
        autoroute.bretelles,
        autoroute.raccords.tolist(),
        autoroute.sorties,
        autoroute.numeros,
        strict=True,
    ):
        milieu = objets.ajouter_noeuds(courbe)
        attache = int(numeros[chaussee][sommet])
        suite = np.r_[attache, milieu, noeud] if sortie else np.r_[noeud, milieu, attache]
        objets.voies.append(
            (suite, {"highway": "motorway_link", "oneway": "yes", "maxspeed": "70"})
        )
        if sortie:
            objets.tags_noeuds[attache] = {"highway": "motorway_junction", "ref": str(numero)}


def ajouter_rails(objets: ObjetsOsm, axes: Axes, reseau: Reseau) -> None:
    """Voies ferrées, passant par les noeuds des passages à niveau."""
    niveaux = np.flatnonzero(reseau.niveau)
    xy = np.column_stack([reseau.x[niveaux], reseau.y[niveaux]])
    for rang, ligne in enumerate(axes.ferrees):
        segments = segments_de_ligne(ligne)
        milieux = (segments[:, :2] + segments[:, 2:]) / 2
        ecart, proche = plus_proches(milieux, xy)
        s = segments[proche]
        d = s[:, 2:] - s[:, :2]
        t = ((xy - s[:, :2]) * d).sum(axis=1) / (d**2).sum(axis=1)
        # Un passage à niveau est posé exactement sur la voie.
        touche = (ecart < 60) & (np.hypot(*(s[:, :2] + t[:, None] * d - xy).T) < 1.0)
        position = np.r_[np.arange(len(ligne)), (proche + np.clip(t, 0, 1))[touche]]
        numeros = np.r_[objets.ajouter_noeuds(ligne), niveaux[touche]]
        objets.voies.append(
            (
                numeros[np.argsort(position, kind="stable")],
                {
                    "railway": "rail",
                    "usage": "main" if rang == 0 else "branch",
                    "electrified": "contact_line",
                    "gauge": "1435",
                },
            )
        )


def ajouter_eaux(
    objets: ObjetsOsm, axes: Axes, rivieres: CoursEau, campagne: Campagne, reseau: Reseau
) -> None:
    """Rivières, ruisseaux, canal et fossés (busés sous les chemins), étangs et plans d'eau."""
    for ligne, nature, nom in zip(rivieres.lignes, rivieres.natures, rivieres.noms, strict=True):
        objets.ajouter_ligne(ligne, {"waterway": nature} | ({"name": nom} if nom else {}))
    canal = reechantillonner(axes.canal, 60.0)
    objets.ajouter_ligne(canal, {"waterway": "canal", "name": NOM_CANAL, "boat": "yes"})
    objets.ajouter_surface(
        shapely.LineString(canal).buffer(19.0, cap_style="flat").simplify(1.0),
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

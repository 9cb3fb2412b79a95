"""Échange avec osmnx : GraphML, et ``MultiDiGraph`` de networkx à la convention d'osmnx.

Convention d'osmnx : un arc par sens permis, noeuds ``x``/``y``, arcs ``osmid``, ``highway``,
``oneway``, ``reversed``, ``length`` (m), ``geometry``, et ``crs`` sur le graphe.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias
from xml.etree.ElementTree import ParseError

import networkx as nx
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from donnees_geo.configuration.manifeste import verifier_crs_metrique
from donnees_geo.conventions import MODES_RUE, ModeRue
from donnees_geo.erreurs import ErreurDonnees, ErreurReseau
from donnees_geo.osm.acces import CLES_ACCES, evaluer_acces
from donnees_geo.reseau import (
    BITS_ALLER,
    BITS_RETOUR,
    CLASSES_VOIE,
    MARCHE_ALLER,
    MARCHE_RETOUR,
    PONT,
    TUNNEL,
    VELO_POUSSE_ALLER,
    VELO_POUSSE_RETOUR,
    ReseauRues,
    inverser_acces,
    longueurs_lignes,
    ranger_reseau,
)

Graphe: TypeAlias = "nx.MultiDiGraph[Any]"

#: Bits de l'autre sens, à retirer d'une rue dont le graphe ne donne qu'un arc.
_BITS_RETOUR_TOUS: Final = sum(BITS_RETOUR.values()) | VELO_POUSSE_RETOUR


def lire_graphml(fichier: Path, crs: str) -> ReseauRues:
    """Lire un GraphML écrit par ``osmnx.save_graphml``.

    Parameters
    ----------
    fichier
        Fichier ``.graphml``.
    crs
        CRS métrique du réseau voulu.

    Raises
    ------
    ErreurDonnees
        Fichier absent, illisible, ou qui n'est pas un graphe d'osmnx.
    """
    if not fichier.is_file():
        raise ErreurDonnees(
            "Le graphe GraphML n'existe pas.",
            objet=fichier,
            conseil="vérifier le chemin « osm » du manifeste.",
        )
    # osmnx charge matplotlib, qui écrit dans le dossier personnel : pas avant d'en avoir besoin.
    import osmnx

    try:
        graphe = osmnx.load_graphml(fichier)
    except (ParseError, nx.NetworkXError, KeyError, ValueError) as erreur:
        raise ErreurDonnees(
            "Le graphe GraphML est illisible.",
            objet=fichier,
            attendu="un fichier écrit par osmnx.save_graphml",
            trouve=f"{type(erreur).__name__} : {erreur}",
            conseil="l'écrire de nouveau avec osmnx.",
        ) from erreur
    return depuis_networkx(graphe, crs)


def vers_networkx(reseau: ReseauRues, mode: ModeRue) -> Graphe:
    """Graphe orienté d'un mode, lisible par tous les outils d'osmnx.

    Parameters
    ----------
    reseau
        Réseau de rues.
    mode
        ``marche``, ``velo`` (roulé ou poussé) ou ``voiture``.

    Returns
    -------
    networkx.MultiDiGraph
        Noeuds nommés par leur identifiant OSM, coordonnées dans ``reseau.crs``. Chaque arc porte
        aussi ``troncon`` (indice dans le réseau) et ``acces`` (bits, dans le sens de l'arc), qui
        permettent à :func:`depuis_networkx` de retrouver le réseau.

    Raises
    ------
    ErreurReseau
        Mode inconnu.
    """
    if mode not in MODES_RUE:
        raise ErreurReseau(
            "Mode inconnu sur le réseau de rues.",
            objet=mode,
            attendu=", ".join(MODES_RUE),
        )
    aller, retour = BITS_ALLER[mode], BITS_RETOUR[mode]
    if mode == "velo":
        aller, retour = aller | VELO_POUSSE_ALLER, retour | VELO_POUSSE_RETOUR
    graphe: Graphe = nx.MultiDiGraph(crs=reseau.crs, simplified=True)
    utiles = np.flatnonzero(reseau.troncons_permis(mode))
    origines, destinations = reseau.troncon_origine[utiles], reseau.troncon_destination[utiles]
    presents = np.unique(np.concatenate([origines, destinations]))
    rues = np.bincount(np.concatenate([origines, destinations]), minlength=reseau.nombre_noeuds)
    graphe.add_nodes_from(
        (osm, {"x": x, "y": y, "street_count": nombre})
        for osm, x, y, nombre in zip(
            reseau.noeud_osm[presents].tolist(),
            reseau.noeud_x[presents].tolist(),
            reseau.noeud_y[presents].tolist(),
            rues[presents].tolist(),
            strict=True,
        )
    )
    inverses = inverser_acces(reseau.troncon_acces)
    lignes = reseau.lignes(utiles)
    for t, ligne in zip(utiles.tolist(), lignes, strict=True):
        u = int(reseau.noeud_osm[reseau.troncon_origine[t]])
        v = int(reseau.noeud_osm[reseau.troncon_destination[t]])
        acces = int(reseau.troncon_acces[t])
        attributs = _attributs_arc(reseau, t)
        attributs["oneway"] = not (acces & aller and acces & retour)
        if acces & aller:
            graphe.add_edge(u, v, **attributs, reversed=False, geometry=ligne, acces=acces)
        if acces & retour:
            graphe.add_edge(
                v, u, **attributs, reversed=True, geometry=ligne.reverse(), acces=int(inverses[t])
            )
    return graphe


def _attributs_arc(reseau: ReseauRues, t: int) -> dict[str, Any]:
    """Attributs d'osmnx communs aux deux sens d'un tronçon ; un attribut inconnu est absent."""
    attributs: dict[str, Any] = {
        "osmid": int(reseau.troncon_way[t]),
        "highway": CLASSES_VOIE[reseau.troncon_classe[t]],
        "length": float(reseau.troncon_longueur_m[t]),
        "troncon": t,
    }
    if reseau.troncon_nom[t] >= 0:
        attributs["name"] = reseau.noms[reseau.troncon_nom[t]]
    vitesse = float(reseau.troncon_vitesse_kmh[t])
    if not math.isnan(vitesse):
        attributs["maxspeed"] = f"{vitesse:g}"
    if reseau.troncon_acces[t] & PONT:
        attributs["bridge"] = "yes"
    if reseau.troncon_acces[t] & TUNNEL:
        attributs["tunnel"] = "yes"
    return attributs


@dataclass(frozen=True)
class _Rue:
    """Un tronçon en cours d'assemblage, dans le sens de son premier arc."""

    origine: Hashable
    destination: Hashable
    attributs: Mapping[str, Any]
    double: bool


def depuis_networkx(graphe: Graphe, crs: str) -> ReseauRues:
    """Réseau de rues tiré d'un graphe à la convention d'osmnx.

    Les deux arcs d'une rue à double sens sont réunis en un tronçon. Les droits sont ceux de
    ``acces`` (graphe venu de :func:`vers_networkx`), sinon ceux des tags ; une rue que le graphe ne
    parcourt que dans un sens est à sens unique pour les véhicules, et pour tous si elle n'est pas
    dite à sens unique. Un graphe « walk » d'osmnx ignore les sens uniques : les sens en voiture
    qu'on en tire sont optimistes.

    Parameters
    ----------
    graphe
        ``crs`` dans ``graphe.graph`` ; noeuds ``x`` et ``y``.
    crs
        CRS métrique du réseau voulu.

    Raises
    ------
    ErreurConfiguration
        ``crs`` inconnu ou non métrique.
    ErreurReseau
        Graphe sans CRS, sans arc, ou dont un noeud n'a pas de coordonnées.
    """
    cible = verifier_crs_metrique(crs)
    if "crs" not in graphe.graph:
        raise ErreurReseau(
            "Le graphe n'a pas de système de coordonnées.",
            objet="graph.graph['crs']",
            conseil="partir d'un graphe d'osmnx, ou renseigner cet attribut.",
        )
    sans_position = [n for n, d in graphe.nodes(data=True) if "x" not in d or "y" not in d]
    if sans_position:
        raise ErreurReseau(
            f"{len(sans_position)} noeud(s) du graphe n'ont pas de coordonnées « x » et « y ».",
            objet=", ".join(str(n) for n in sans_position[:5]),
        )
    rues = [rue for rue in _apparier(graphe) if _bits(rue)]
    if not rues:
        raise ErreurReseau(
            "Le graphe ne contient aucune rue praticable.",
            trouve=f"{graphe.number_of_nodes()} noeud(s), {graphe.number_of_edges()} arc(s)",
        )
    transformation = pyproj.Transformer.from_crs(graphe.graph["crs"], cible, always_xy=True)
    noeuds = list(graphe.nodes)
    indice = {n: i for i, n in enumerate(noeuds)}
    nx_, ny = transformation.transform(
        [float(graphe.nodes[n]["x"]) for n in noeuds], [float(graphe.nodes[n]["y"]) for n in noeuds]
    )
    lignes = [_ligne(graphe, rue) for rue in rues]
    coordonnees, appartenance = shapely.get_coordinates(lignes, return_index=True)
    gx, gy = (np.asarray(v) for v in transformation.transform(*coordonnees.T))
    debut = np.zeros(len(rues) + 1, dtype=np.int64)
    np.cumsum(np.bincount(appartenance, minlength=len(rues)), out=debut[1:])
    acces = [evaluer_acces(_tags(rue.attributs)) for rue in rues]
    textes = [_premier(rue.attributs.get("name")) or "" for rue in rues]
    noms = {nom: i for i, nom in enumerate(sorted(set(textes) - {""}))}
    return ranger_reseau(
        ReseauRues(
            crs=crs,
            noeud_x=np.asarray(nx_),
            noeud_y=np.asarray(ny),
            noeud_osm=_identifiants(noeuds),
            troncon_origine=np.array([indice[r.origine] for r in rues], dtype=np.int32),
            troncon_destination=np.array([indice[r.destination] for r in rues], dtype=np.int32),
            troncon_longueur_m=longueurs_lignes(gx, gy, debut),
            troncon_way=np.array([int(_premier(r.attributs.get("osmid")) or 0) for r in rues]),
            troncon_classe=np.array([a.classe for a in acces], dtype=np.uint8),
            troncon_acces=np.array([_bits(r) for r in rues], dtype=np.uint16),
            troncon_vitesse_kmh=np.array([a.vitesse_kmh for a in acces], dtype=np.float32),
            troncon_nom=np.array([noms.get(t, -1) for t in textes], dtype=np.int32),
            noms=tuple(noms),
            geometrie_debut=debut,
            geometrie_x=gx,
            geometrie_y=gy,
        )
    )


def _apparier(graphe: Graphe) -> Iterable[_Rue]:
    """Réunir chaque arc et son inverse (mêmes voies, même longueur)."""
    en_attente: dict[tuple[Any, ...], list[tuple[Hashable, Hashable, dict[str, Any]]]] = {}
    for u, v, attributs in graphe.edges(data=True):
        identite = attributs.get("troncon", _normaliser(attributs.get("osmid")))
        longueur = round(float(attributs.get("length", 0.0)), 2)
        retours = en_attente.get((v, u, identite, longueur))
        if retours:
            origine, destination, premiers = retours.pop(0)
            yield _Rue(origine, destination, premiers, double=True)
        else:
            en_attente.setdefault((u, v, identite, longueur), []).append((u, v, attributs))
    for arcs in en_attente.values():
        for u, v, attributs in arcs:
            yield _Rue(u, v, attributs, double=False)


def _normaliser(osmid: Any) -> Hashable:
    return tuple(sorted(osmid)) if isinstance(osmid, list) else osmid


def _bits(rue: _Rue) -> int:
    """Droits d'une rue, dans le sens de son premier arc."""
    if "acces" in rue.attributs:
        return int(rue.attributs["acces"])
    bits = evaluer_acces(_tags(rue.attributs)).bits
    if rue.double:
        return bits
    marche = bits & (MARCHE_ALLER | MARCHE_RETOUR) if _sens_unique(rue.attributs) else 0
    return (bits & ~_BITS_RETOUR_TOUS) | marche


def _sens_unique(attributs: Mapping[str, Any]) -> bool:
    return _premier(attributs.get("oneway")) in (True, "True", "yes")


def _tags(attributs: Mapping[str, Any]) -> dict[str, str]:
    """Tags OSM d'un arc : premières valeurs des listes, vitesse la plus faible, sens de l'arc."""
    tags = {
        cle: str(_premier(attributs[cle]))
        for cle in CLES_ACCES
        if cle in attributs and cle not in ("oneway", "maxspeed")
    }
    vitesse = attributs.get("maxspeed")
    if vitesse is not None:
        tags["maxspeed"] = ";".join(vitesse) if isinstance(vitesse, list) else str(vitesse)
    if _sens_unique(attributs):
        tags["oneway"] = "yes"
    else:
        # Le graphe dit déjà le sens : un giratoire parcouru dans les deux sens l'est vraiment.
        tags["oneway"] = "no"
    return tags


def _premier(valeur: Any) -> Any:
    return valeur[0] if isinstance(valeur, list) else valeur


def _ligne(graphe: Graphe, rue: _Rue) -> shapely.LineString:
    """Géométrie d'un arc ; un arc sans ``geometry`` est un segment droit."""
    if "geometry" in rue.attributs:
        ligne: shapely.LineString = rue.attributs["geometry"]
        return ligne
    bouts = (graphe.nodes[rue.origine], graphe.nodes[rue.destination])
    return shapely.LineString([(float(b["x"]), float(b["y"])) for b in bouts])


def _identifiants(noeuds: list[Hashable]) -> NDArray[np.int64]:
    """Identifiants entiers des noeuds ; ceux qui ne le sont pas en reçoivent un négatif."""
    return np.array(
        [n if isinstance(n, int) else -1 - i for i, n in enumerate(noeuds)], dtype=np.int64
    )

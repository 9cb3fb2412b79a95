"""Objets OSM gardés en mémoire, et leur tri au fil de la lecture."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
import osmium
from numpy.typing import NDArray
from osmium.geom import ALL, WKBFactory

from donnees_geo.osm.acces import ferme_aux_voitures, lire_tags_acces

#: En-tête d'une LineString WKB en hexadécimal : ordre (1 octet), type (4), nombre de points (4).
_ENTETE_HEXA: Final = 18
_OCTETS_LIGNE_COURTE: Final = 40 * 16

Boite = tuple[float, float, float, float]


@dataclass
class VoiesBrutes:
    """Voies circulables telles que lues, avant tout découpage.

    Attributes
    ----------
    ids
        Identifiant de chaque voie.
    combinaison
        Pour chaque voie, indice dans ``combinaisons`` (valeurs des :data:`CLES_ACCES`).
    nom
        Pour chaque voie, indice dans ``noms``, -1 sans nom.
    nombre
        Nombre de noeuds gardés de chaque voie.
    refs
        Identifiants des noeuds, voies mises bout à bout.
    rupture
        Positions dans ``refs`` devant lesquelles la voie est interrompue (noeud manquant).
    coordonnees
        Coordonnées (lon, lat) en WKB hexadécimal sans en-tête, dans l'ordre de ``refs``.
    barrieres
        Identifiants des noeuds qu'une barrière ferme aux voitures.
    noeuds_manquants
        Nombre de références à des noeuds absents du fichier.
    voies_coupees
        Nombre de voies qui en citent au moins un.
    """

    ids: array[int] = field(default_factory=lambda: array("q"))
    combinaison: array[int] = field(default_factory=lambda: array("q"))
    nom: array[int] = field(default_factory=lambda: array("q"))
    nombre: array[int] = field(default_factory=lambda: array("q"))
    refs: array[int] = field(default_factory=lambda: array("q"))
    rupture: array[int] = field(default_factory=lambda: array("q"))
    coordonnees: list[str] = field(default_factory=list)
    barrieres: array[int] = field(default_factory=lambda: array("q"))
    combinaisons: dict[tuple[str | None, ...], int] = field(default_factory=dict)
    noms: dict[str, int] = field(default_factory=dict)
    noeuds_manquants: int = 0
    voies_coupees: int = 0

    def positions(self) -> NDArray[np.float64]:
        """Coordonnées float64[k, 2] (longitude, latitude en degrés)."""
        return decoder_wkb(self.coordonnees)


@dataclass
class ObjetsOsm:
    """Objets utiles d'un fichier OSM, en mémoire.

    Attributes
    ----------
    voies
        Voies circulables.
    noeuds
        ``(id, lon, lat, tags)`` des noeuds retenus.
    lignes
        ``(id, tags, coordonnées hexadécimales, fermée)`` des voies retenues hors circulation ; une
        voie dont un noeud manque n'est pas tenue pour fermée.
    relations
        ``(id, tags, identifiants des voies membres)`` des surfaces en plusieurs voies.
    membres
        Coordonnées hexadécimales des voies membres.
    lignes_coupees
        Nombre d'objets ``lignes`` dont un noeud manque.
    date
        Date des données lue dans l'en-tête, si elle y est.
    """

    voies: VoiesBrutes = field(default_factory=VoiesBrutes)
    noeuds: list[tuple[int, float, float, dict[str, str]]] = field(default_factory=list)
    lignes: list[tuple[int, dict[str, str], str, bool]] = field(default_factory=list)
    relations: list[tuple[int, dict[str, str], tuple[int, ...]]] = field(default_factory=list)
    membres: dict[int, str] = field(default_factory=dict)
    lignes_coupees: int = 0
    date: datetime | None = None


@dataclass(frozen=True)
class Selection:
    """Ce qu'il faut garder d'un fichier OSM.

    Attributes
    ----------
    boite
        ``(ouest, sud, est, nord)`` en degrés, ou ``None`` pour tout garder.
    cles_tags
        Clés dont la valeur est conservée.
    cles_noeuds, cles_surfaces
        Clés qui retiennent un noeud, une voie ou une relation ; vide : aucun.
    retenir
        Décide, d'après les tags, si un objet porteur d'une de ces clés est gardé.
    avec_bacs
        Lire aussi les bacs (``route=ferry``).
    """

    boite: Boite | None
    cles_tags: frozenset[str] = frozenset()
    cles_noeuds: tuple[str, ...] = ()
    cles_surfaces: tuple[str, ...] = ()
    retenir: Callable[[Any], bool] = lambda tags: False
    avec_bacs: bool = False


def decoder_wkb(morceaux: Iterable[str]) -> NDArray[np.float64]:
    """Coordonnées float64[k, 2] de morceaux hexadécimaux mis bout à bout."""
    return np.frombuffer(bytes.fromhex("".join(morceaux)), dtype="<f8").reshape(-1, 2)


_FABRIQUE: Final = WKBFactory()


def coordonnees_voie(voie: Any) -> tuple[str, int]:
    """Coordonnées hexadécimales d'une voie et nombre de ses noeuds absents du fichier."""
    try:
        return _FABRIQUE.create_linestring(voie, ALL)[_ENTETE_HEXA:], 0
    except (osmium.InvalidLocationError, RuntimeError):
        places = [n for n in voie.nodes if n.location.valid()]
        if not places:
            return "", len(voie.nodes)
        octets = np.array([(n.lon, n.lat) for n in places], dtype="<f8").tobytes()
        return octets.hex().upper(), len(voie.nodes) - len(places)


def _touche(hexa: str, boite: Boite) -> bool:
    """Vrai si l'enveloppe d'une ligne (coordonnées hexadécimales) touche la boîte."""
    ouest, sud, est, nord = boite
    octets = bytes.fromhex(hexa)
    lon, lat = struct.unpack_from("<2d", octets)
    if ouest <= lon <= est and sud <= lat <= nord:
        return True
    if len(octets) <= _OCTETS_LIGNE_COURTE:
        # Pour une ligne courte, les comparaisons de Python coûtent moins que numpy.
        valeurs = struct.unpack(f"<{len(octets) // 8}d", octets)
        lons, lats = valeurs[0::2], valeurs[1::2]
        return bool(
            min(lons) <= est and max(lons) >= ouest and min(lats) <= nord and max(lats) >= sud
        )
    points = np.frombuffer(octets, dtype="<f8").reshape(-1, 2)
    (lon_min, lat_min), (lon_max, lat_max) = points.min(axis=0), points.max(axis=0)
    return bool(lon_min <= est and lon_max >= ouest and lat_min <= nord and lat_max >= sud)


class Collecte:
    """Range chaque objet reçu du lecteur dans :class:`ObjetsOsm`."""

    def __init__(self, selection: Selection, objets: ObjetsOsm) -> None:
        self._selection = selection
        self._objets = objets
        self._boite = selection.boite
        self._avec_surfaces = bool(selection.cles_surfaces)
        self._tags_connus: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}

    def recevoir(self, objet: Any) -> None:
        """Garder ce qui est utile d'un noeud, d'une voie ou d'une relation."""
        if objet.is_way():
            self._recevoir_voie(objet)
        elif objet.is_node():
            self._recevoir_noeud(objet)
        elif self._selection.retenir(objet.tags):
            # Seules les voies délimitent une surface ; les étiquettes (« label ») sont des noeuds.
            membres = tuple(m.ref for m in objet.members if m.type == "w")
            self._objets.relations.append((objet.id, self._tags(objet.tags), membres))

    def _recevoir_noeud(self, noeud: Any) -> None:
        position = noeud.location
        if not position.valid():
            return
        lon, lat = position.lon, position.lat
        if self._boite is not None:
            ouest, sud, est, nord = self._boite
            if not (ouest <= lon <= est and sud <= lat <= nord):
                return
        if "barrier" in noeud.tags and ferme_aux_voitures(noeud.tags):
            self._objets.voies.barrieres.append(noeud.id)
        if self._selection.retenir(noeud.tags):
            self._objets.noeuds.append((noeud.id, lon, lat, self._tags(noeud.tags)))

    def _recevoir_voie(self, voie: Any) -> None:
        # La position d'abord : d'un extrait régional, la plupart des voies sont hors de la boîte.
        hexa, manquants = coordonnees_voie(voie)
        if not hexa or (self._boite is not None and not _touche(hexa, self._boite)):
            return
        tags = voie.tags
        circulable = "highway" in tags or (
            self._selection.avec_bacs and tags.get("route") == "ferry"
        )
        retenue = self._avec_surfaces and self._selection.retenir(tags)
        if circulable:
            self._ajouter_voie(voie, hexa, manquants)
        if retenue:
            self._objets.lignes_coupees += manquants > 0
            complete = voie.is_closed() and not manquants
            self._objets.lignes.append((voie.id, self._tags(tags), hexa, complete))

    def _tags(self, tags: Any) -> dict[str, str]:
        """Tags utiles d'un objet ; les objets aux mêmes tags partagent le même dictionnaire."""
        gardees = self._selection.cles_tags
        paires = tuple([(t.k, t.v) for t in tags if t.k in gardees])
        connu = self._tags_connus.get(paires)
        if connu is None:
            connu = self._tags_connus[paires] = dict(paires)
        return connu

    def _ajouter_voie(self, voie: Any, hexa: str, manquants: int) -> None:
        voies = self._objets.voies
        lire = voie.tags.get
        combinaison = lire_tags_acces(lire)
        nom = lire("name")
        avant = len(voies.refs)
        if manquants:
            self._ajouter_refs_coupees(voie, avant)
            voies.noeuds_manquants += manquants
            voies.voies_coupees += 1
        else:
            voies.refs.extend([n.ref for n in voie.nodes])
        voies.ids.append(voie.id)
        voies.combinaison.append(
            voies.combinaisons.setdefault(combinaison, len(voies.combinaisons))
        )
        voies.nom.append(-1 if not nom else voies.noms.setdefault(nom, len(voies.noms)))
        voies.nombre.append(len(voies.refs) - avant)
        voies.coordonnees.append(hexa)

    def _ajouter_refs_coupees(self, voie: Any, avant: int) -> None:
        """Ajouter les noeuds présents, en notant où un noeud manquant interrompt la voie."""
        voies = self._objets.voies
        coupe = False
        for n in voie.nodes:
            if not n.location.valid():
                coupe = True
                continue
            if coupe and len(voies.refs) > avant:
                voies.rupture.append(len(voies.refs))
            coupe = False
            voies.refs.append(n.ref)

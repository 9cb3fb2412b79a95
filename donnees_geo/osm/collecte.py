"""Objets OSM gardés en mémoire, et leur tri au fil de la lecture."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
import osmium
from numpy.typing import NDArray
from osmium.geom import ALL, WKBFactory

from donnees_geo.osm.acces import ferme_aux_voitures
from donnees_geo.osm.voies import Boite, VoiesBrutes

#: En-tête d'une LineString WKB en hexadécimal : ordre (1 octet), type (4), nombre de points (4).
_ENTETE_HEXA: Final = 18
_OCTETS_LIGNE_COURTE: Final = 40 * 16


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

    voies: VoiesBrutes
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
    """Trie les objets reçus du lecteur : ce qui est circulable, ce qui est gardé tel quel.

    Les voies circulables sont confiées à l'écrivain que relira
    :func:`~donnees_geo.osm.voies.lire_voies` ; sans écrivain, elles ne passent pas par ici.
    """

    def __init__(self, selection: Selection, ecrivain: osmium.SimpleWriter | None) -> None:
        self._selection = selection
        self._ecrivain = ecrivain
        self._boite = selection.boite
        self._tags_connus: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
        self._barrieres: list[int] = []
        self._noeuds: list[tuple[int, float, float, dict[str, str]]] = []
        self._lignes: list[tuple[int, dict[str, str], str, bool]] = []
        self._relations: list[tuple[int, dict[str, str], tuple[int, ...]]] = []
        self._lignes_coupees = 0

    @property
    def barrieres(self) -> NDArray[np.int64]:
        """Identifiants (int64[b]) des noeuds qu'une barrière ferme aux voitures."""
        return np.array(self._barrieres, dtype=np.int64)

    def conclure(self, voies: VoiesBrutes, date: datetime | None) -> ObjetsOsm:
        """Réunir ce qui a été gardé et les voies circulables."""
        return ObjetsOsm(
            voies=voies,
            noeuds=self._noeuds,
            lignes=self._lignes,
            relations=self._relations,
            lignes_coupees=self._lignes_coupees,
            date=date,
        )

    def recevoir(self, objet: Any) -> None:
        """Garder ce qui est utile d'un noeud, d'une voie ou d'une relation."""
        if objet.is_way():
            self._recevoir_voie(objet)
        elif objet.is_node():
            self._recevoir_noeud(objet)
        elif self._selection.retenir(objet.tags):
            # Seules les voies délimitent une surface ; les étiquettes (« label ») sont des noeuds.
            membres = tuple(m.ref for m in objet.members if m.type == "w")
            self._relations.append((objet.id, self._tags(objet.tags), membres))

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
            self._barrieres.append(noeud.id)
        if self._selection.retenir(noeud.tags):
            self._noeuds.append((noeud.id, lon, lat, self._tags(noeud.tags)))

    def _recevoir_voie(self, voie: Any) -> None:
        # La position d'abord : d'un extrait régional, la plupart des voies sont hors de la boîte.
        if self._boite is not None:
            hexa, _ = coordonnees_voie(voie)
            if not hexa or not _touche(hexa, self._boite):
                return
        tags = voie.tags
        if self._ecrivain is not None and ("highway" in tags or tags.get("route") == "ferry"):
            self._ecrivain.add(voie)
        if self._selection.retenir(tags):
            hexa, manquants = coordonnees_voie(voie)
            if hexa:
                self._lignes_coupees += manquants > 0
                complete = voie.is_closed() and not manquants
                self._lignes.append((voie.id, self._tags(tags), hexa, complete))

    def _tags(self, tags: Any) -> dict[str, str]:
        """Tags utiles d'un objet ; les objets aux mêmes tags partagent le même dictionnaire."""
        gardees = self._selection.cles_tags
        paires = tuple([(t.k, t.v) for t in tags if t.k in gardees])
        connu = self._tags_connus.get(paires)
        if connu is None:
            connu = self._tags_connus[paires] = dict(paires)
        return connu

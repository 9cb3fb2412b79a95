"""Lecture d'un fichier OSM : un passage filtré dans libosmium, puis un second pour les relations.

Seuls les objets portant une clé utile arrivent jusqu'à Python ; les positions des noeuds restent
dans un index de libosmium. Le second passage ne relit que les voies membres de multipolygones, et
n'a lieu que s'il y en a.
"""

from __future__ import annotations

import logging
import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import osmium
from numpy.typing import NDArray
from osmium.geom import ALL, WKBFactory

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.osm.acces import CLES_ACCES

journal = logging.getLogger(__name__)

EXTENSIONS: Final = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")
#: Index de positions : 16 octets par noeud, quelle que soit la dispersion des identifiants.
_INDEX_POSITIONS: Final = "sparse_mem_array"
#: En-tête d'une LineString WKB en hexadécimal : ordre (1 octet), type (4), nombre de points (4).
_ENTETE_HEXA: Final = 18
_OCTETS_LIGNE_COURTE: Final = 40 * 16
_TYPES_SURFACE: Final = (("type", "multipolygon"), ("type", "boundary"))

Boite = tuple[float, float, float, float]
Progression = Callable[[str, float], None]


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
    cles_tags: frozenset[str]
    cles_noeuds: tuple[str, ...]
    cles_surfaces: tuple[str, ...]
    retenir: Callable[[Any], bool]
    avec_bacs: bool = False


def lire_objets(
    fichier: Path, selection: Selection, progression: Progression | None = None
) -> ObjetsOsm:
    """Lire en une passe (deux s'il y a des relations) les objets utiles d'un fichier OSM.

    Raises
    ------
    ErreurDonnees
        Fichier absent, d'un autre format, vide, tronqué ou corrompu.
    """
    verifier_fichier(fichier)
    avance = progression or (lambda _message, _part: None)
    objets = ObjetsOsm()
    positions = osmium.index.create_map(_INDEX_POSITIONS)
    try:
        avance("Lecture des rues et des lieux", 0.02)
        _premier_passage(fichier, selection, objets, positions, avance)
        if objets.relations:
            avance("Lecture des surfaces en plusieurs voies", 0.55)
            _second_passage(fichier, objets, positions)
    except (RuntimeError, OSError, ValueError) as erreur:
        raise _erreur_lecture(fichier, erreur) from erreur
    journal.info(
        "%s : %d voies circulables, %d noeuds, %d lignes et %d relations retenus",
        fichier.name,
        len(objets.voies.ids),
        len(objets.noeuds),
        len(objets.lignes),
        len(objets.relations),
    )
    return objets


def verifier_fichier(fichier: Path) -> None:
    """Vérifier qu'un extrait OSM existe, n'est pas vide et porte une extension connue.

    Raises
    ------
    ErreurDonnees
        Sinon.
    """
    if not fichier.is_file():
        raise ErreurDonnees(
            "L'extrait OpenStreetMap n'existe pas.",
            objet=fichier,
            conseil="vérifier le chemin « osm » du manifeste, ou télécharger l'extrait.",
        )
    if not fichier.name.lower().endswith(EXTENSIONS):
        raise ErreurDonnees(
            "L'extension du fichier n'est pas celle d'un extrait OpenStreetMap.",
            objet=fichier,
            attendu=", ".join(EXTENSIONS),
            trouve="".join(fichier.suffixes) or "aucune extension",
        )
    if fichier.stat().st_size == 0:
        raise ErreurDonnees(
            "L'extrait OpenStreetMap est vide (0 octet).",
            objet=fichier,
            conseil="télécharger de nouveau le fichier.",
        )


def decoder_wkb(morceaux: Iterable[str]) -> NDArray[np.float64]:
    """Coordonnées float64[k, 2] de morceaux hexadécimaux mis bout à bout."""
    return np.frombuffer(bytes.fromhex("".join(morceaux)), dtype="<f8").reshape(-1, 2)


def _erreur_lecture(fichier: Path, erreur: Exception) -> ErreurDonnees:
    return ErreurDonnees(
        "L'extrait OpenStreetMap est illisible : il est tronqué, corrompu ou d'un autre format.",
        objet=fichier,
        attendu="un fichier OSM complet (.osm.pbf, .osm, .osm.gz ou .osm.bz2)",
        trouve=str(erreur) or type(erreur).__name__,
        conseil="télécharger de nouveau le fichier et comparer sa taille à celle annoncée.",
    )


def _premier_passage(
    fichier: Path, selection: Selection, objets: ObjetsOsm, positions: Any, avance: Progression
) -> None:
    cles_voies = {"highway", *selection.cles_surfaces}
    if selection.avec_bacs:
        cles_voies.add("route")
    entites = osmium.osm.NODE | osmium.osm.WAY
    filtres: list[Any] = []
    if selection.cles_noeuds:
        filtres.append(_pour(osmium.filter.KeyFilter(*selection.cles_noeuds), osmium.osm.NODE))
    else:
        filtres.append(osmium.filter.EntityFilter(osmium.osm.WAY | osmium.osm.RELATION))
    filtres.append(_pour(osmium.filter.KeyFilter(*sorted(cles_voies)), osmium.osm.WAY))
    if selection.cles_surfaces:
        entites |= osmium.osm.RELATION
        for filtre in (
            osmium.filter.TagFilter(*_TYPES_SURFACE),
            osmium.filter.KeyFilter(*selection.cles_surfaces),
        ):
            filtres.append(_pour(filtre, osmium.osm.RELATION))
    with osmium.io.Reader(str(fichier), entites) as lecteur:
        objets.date = _date_entete(lecteur.header())
        collecte = _Collecte(selection, objets)
        for vues, objet in enumerate(_parcourir(lecteur, positions, filtres), start=1):
            collecte.recevoir(objet)
            if vues % 200_000 == 0:
                avance(
                    f"Lecture des rues et des lieux ({vues // 1000} milliers d'objets)",
                    0.55 * (1 - 1 / (1 + vues / 1_500_000)),
                )


def _second_passage(fichier: Path, objets: ObjetsOsm, positions: Any) -> None:
    voulues = sorted({m for _, _, membres in objets.relations for m in membres})
    filtre = _pour(osmium.filter.IdFilter(voulues), osmium.osm.WAY)
    with osmium.io.Reader(str(fichier), osmium.osm.WAY) as lecteur:
        for voie in _parcourir(lecteur, positions, [filtre]):
            hexa, manque = _coordonnees(voie)
            if not manque and hexa:
                objets.membres[voie.id] = hexa


def _parcourir(lecteur: Any, positions: Any, filtres: Sequence[Any]) -> Iterator[Any]:
    """Objets passés par les filtres, les noeuds de leurs voies étant placés."""
    placeur = osmium.NodeLocationsForWays(positions)
    placeur.ignore_errors()
    yield from osmium.OsmFileIterator(lecteur, placeur, *filtres)


def _pour(filtre: Any, entites: Any) -> Any:
    """Limiter un filtre de libosmium à certains types d'objets (il laisse passer les autres)."""
    filtre.enable_for(entites)
    return filtre


def _date_entete(entete: Any) -> datetime | None:
    for cle in ("osmosis_replication_timestamp", "timestamp"):
        texte = entete.get(cle, "")
        if texte:
            try:
                return datetime.fromisoformat(texte.replace("Z", "+00:00"))
            except ValueError:
                journal.warning("date illisible dans l'en-tête OSM : %s", texte)
    return None


_FABRIQUE: Final = WKBFactory()


def _coordonnees(voie: Any) -> tuple[str, int]:
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


class _Collecte:
    """Range chaque objet reçu du lecteur dans :class:`ObjetsOsm`."""

    def __init__(self, selection: Selection, objets: ObjetsOsm) -> None:
        self._selection = selection
        self._objets = objets
        self._boite = selection.boite
        self._avec_surfaces = bool(selection.cles_surfaces)
        self._tags_connus: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}

    def recevoir(self, objet: Any) -> None:
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
        if self._selection.retenir(noeud.tags):
            self._objets.noeuds.append((noeud.id, lon, lat, self._tags(noeud.tags)))

    def _recevoir_voie(self, voie: Any) -> None:
        # La position d'abord : d'un extrait régional, la plupart des voies sont hors de la boîte.
        hexa, manquants = _coordonnees(voie)
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
        combinaison = tuple([lire(cle) for cle in CLES_ACCES])
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

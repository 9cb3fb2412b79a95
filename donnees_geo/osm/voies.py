"""Voies circulables d'un extrait OSM, reçues de libosmium en un bloc de texte, non une à une.

Interroger chaque voie depuis Python (tags, puis noeuds) coûte vingt fois la lecture du fichier.
libosmium écrit donc lui-même les voies retenues au format OPL, une par ligne
(``w12 Thighway=path,name=Le%20%Pré Nn3x2.64y50.48,n4x2.65y50.48``), dans un fichier provisoire que
l'on relit par grandes tranches : les nombres sont convertis en bloc par numpy, et les tags examinés
une fois par suite distincte.

Source du format : « OPL File Format Manual », https://osmcode.org/opl-file-format/.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import osmium
from numpy.typing import NDArray

from donnees_geo.osm.acces import CLES_ACCES

Boite = tuple[float, float, float, float]

#: Ce que lèvent les lectures et les écritures de libosmium (IndexError : texte mal codé).
ECHECS_OSMIUM: Final = (RuntimeError, OSError, ValueError, IndexError)
#: Les voies portent la position de leurs noeuds ; version, date et auteur ne sont pas écrits.
_FORMAT: Final = "opl,locations_on_ways=true,add_metadata=false"
_OCTETS_TRANCHE: Final = 2 << 20
_CLES_ACCES: Final = frozenset(cle.encode() for cle in CLES_ACCES)
_ECHAPPEMENT: Final = re.compile(r"%([0-9a-f]+)%")
#: « n3x2.64y50.48 » se lit comme trois nombres : 3, 2.64, 50.48.
_SEPARER: Final = bytes.maketrans(b"xy", b",,")
#: Position, vide, d'un noeud absent du fichier : on la remplace par une autre, hors du monde.
_POSITION_ABSENTE: Final = re.compile(rb",,(?=,|$)")
#: OSM donne les positions au dix-millionième de degré, et l'OPL ôte les zéros finals.
_DECIMALES: Final = 7
_PUISSANCES: Final = 10 ** np.arange(_DECIMALES + 1)


@dataclass(frozen=True)
class VoiesBrutes:
    """Voies circulables telles que lues, avant tout découpage.

    Attributes
    ----------
    ids
        int64[v], identifiant de chaque voie.
    combinaison
        int64[v], indice dans ``combinaisons``.
    nom
        int64[v], indice dans ``noms``, -1 sans nom.
    nombre
        int64[v], nombre de noeuds cités par chaque voie.
    noeud
        int64[k], indice de chaque noeud cité, voies mises bout à bout ; -1 s'il est absent du
        fichier (la voie y est interrompue).
    noeud_osm
        int64[n], identifiants des noeuds, croissants.
    lon, lat
        float64[n], leurs positions en degrés (EPSG:4326).
    combinaisons
        Tags de :data:`~donnees_geo.osm.acces.CLES_ACCES` que portent les voies.
    noms
        Noms distincts, dans l'ordre des voies.
    barrieres
        int64[b], identifiants des noeuds qu'une barrière ferme aux voitures.
    """

    ids: NDArray[np.int64]
    combinaison: NDArray[np.int64]
    nom: NDArray[np.int64]
    nombre: NDArray[np.int64]
    noeud: NDArray[np.int64]
    noeud_osm: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    combinaisons: tuple[dict[str, str], ...]
    noms: tuple[str, ...]
    barrieres: NDArray[np.int64]

    @property
    def noeuds_manquants(self) -> int:
        """Nombre de références à des noeuds absents du fichier."""
        return int((self.noeud < 0).sum())

    @property
    def voies_coupees(self) -> int:
        """Nombre de voies qui citent au moins un noeud absent."""
        voie = np.repeat(np.arange(self.nombre.size), self.nombre)
        return int(np.unique(voie[self.noeud < 0]).size)


@dataclass(frozen=True)
class _Tranche:
    """Quelques voies ; ``refs``, ``lon`` et ``lat`` [k] sont mis bout à bout, NaN si absent."""

    ids: NDArray[np.int64]
    etiquette: NDArray[np.int64]
    nombre: NDArray[np.int64]
    refs: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]

    def prendre(self, garde: NDArray[np.bool_]) -> _Tranche:
        """Les seules voies ``garde`` (bool[v])."""
        if garde.all():
            return self
        noeuds = np.repeat(garde, self.nombre)
        return _Tranche(
            self.ids[garde],
            self.etiquette[garde],
            self.nombre[garde],
            self.refs[noeuds],
            self.lon[noeuds],
            self.lat[noeuds],
        )


@contextlib.contextmanager
def ouvrir_ecriture(fichier: Path) -> Iterator[osmium.SimpleWriter]:
    """Écrivain de libosmium pour un fichier que :func:`lire_voies` relira, fermé en sortie.

    Raises
    ------
    RuntimeError, OSError, ValueError, IndexError
        Échec de libosmium : disque plein, texte qui n'est pas de l'UTF-8…
    """
    ecrivain = osmium.SimpleWriter(osmium.io.File(str(fichier), _FORMAT), bufsz=1 << 20)
    reussie = False
    try:
        yield ecrivain
        reussie = True
    finally:
        _fermer(ecrivain, muet=not reussie)


def _fermer(ecrivain: osmium.SimpleWriter, *, muet: bool) -> None:
    """Fermer un écrivain ; ``muet`` : taire l'échec, suite d'une autre erreur déjà levée."""
    try:
        ecrivain.close()
    except ECHECS_OSMIUM:
        # Le destructeur d'un écrivain en échec retente l'écriture et arrête le processus entier :
        # une référence que rien ne rend l'empêche d'être appelé.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(ecrivain))
        if not muet:
            raise


def lire_voies(
    fichier: Path,
    boite: Boite | None,
    barrieres: NDArray[np.int64],
    *,
    avec_bacs: bool = False,
) -> VoiesBrutes:
    """Relire les voies écrites par :func:`ouvrir_ecriture` ; les autres objets sont ignorés.

    Parameters
    ----------
    fichier
        Fichier OPL complet.
    boite
        ``(ouest, sud, est, nord)`` en degrés que l'enveloppe d'une voie doit toucher, ou ``None``.
    barrieres
        int64[b], noeuds fermés aux voitures, rendus tels quels.
    avec_bacs
        Retenir aussi les bacs (``route=ferry``), en plus des ``highway``.

    Raises
    ------
    ValueError
        Tag ou nombre mal formé.
    """
    etiquettes: dict[bytes, int] = {}
    tranches = []
    circulables: list[bool] = []
    for tranche in _lire_tranches(fichier, etiquettes):
        nouvelles = list(etiquettes)[len(circulables) :]
        circulables += [_est_circulable(texte, avec_bacs) for texte in nouvelles]
        garde = np.array(circulables, dtype=bool)[tranche.etiquette] & _touche(tranche, boite)
        tranches.append(tranche.prendre(garde))
    return _rassembler(tranches, list(etiquettes), barrieres)


def _lire_tranches(fichier: Path, etiquettes: dict[bytes, int]) -> Iterator[_Tranche]:
    """Voies du fichier, quelques Mio à la fois ; ``etiquettes`` numérote leurs suites de tags."""
    with fichier.open("rb") as lignes_opl:
        while texte := lignes_opl.read(_OCTETS_TRANCHE):
            texte += lignes_opl.readline()
            if texte.startswith(b"n") or b"\nn" in texte:
                lignes = texte.splitlines(keepends=True)
                texte = b"".join([ligne for ligne in lignes if ligne.startswith(b"w")])
            # Un espace n'est jamais écrit tel quel dans un tag : trois champs par voie.
            champs = texte.split()
            if champs:
                etiquette = [etiquettes.setdefault(t, len(etiquettes)) for t in champs[1::3]]
                nombre = [liste.count(b"n") for liste in champs[2::3]]
                yield _Tranche(
                    _lire_entiers(b",".join(champs[0::3]).translate(None, b"w")),
                    np.array(etiquette, dtype=np.int64),
                    np.array(nombre, dtype=np.int64),
                    *_lire_noeuds(champs[2::3]),
                )


def _lire_entiers(texte: bytes) -> NDArray[np.int64]:
    return np.fromstring(texte, dtype=np.int64, sep=",")


def _lire_noeuds(
    listes: Sequence[bytes],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Identifiants et positions (degrés, NaN si absente) de listes « Nn3x2.64y50.48,n4x… ».

    Les nombres sont lus comme des entiers, point décimal ôté, puis mis à l'échelle d'après la place
    du point : c'est exact et dix fois plus rapide que de lire des décimaux.
    """
    vide = np.empty(0)
    if b"N" in listes:
        listes = [liste for liste in listes if liste != b"N"]
        if not listes:
            return vide.astype(np.int64), vide, vide
    texte = b",".join(listes).translate(_SEPARER, b"nN")
    if b",," in texte:
        texte = _POSITION_ABSENTE.sub(b",999,999", texte)
    octets = np.frombuffer(texte, dtype=np.uint8)
    fins = np.append(np.flatnonzero(octets == ord(",")), octets.size)
    points = np.flatnonzero(octets == ord("."))
    nombre = np.searchsorted(fins, points)
    decimales = np.zeros(fins.size, dtype=np.int64)
    decimales[nombre] = fins[nombre] - points - 1
    entiers = _lire_entiers(texte.translate(None, b".")).reshape(-1, 3)
    echelle = _PUISSANCES[_DECIMALES - decimales.reshape(-1, 3)[:, 1:]]
    lon, lat = (entiers[:, 1:] * echelle).T / 10.0**_DECIMALES
    absente = (np.abs(lon) > 180) | (np.abs(lat) > 90)
    return entiers[:, 0], np.where(absente, np.nan, lon), np.where(absente, np.nan, lat)


def _touche(tranche: _Tranche, boite: Boite | None) -> NDArray[np.bool_]:
    """Voies (bool[v]) dont un noeud au moins est placé et dont l'enveloppe touche la boîte."""
    touche = np.zeros(tranche.nombre.size, dtype=bool)
    pleines = np.flatnonzero(tranche.nombre)
    if pleines.size:
        debut = (np.cumsum(tranche.nombre) - tranche.nombre)[pleines]
        ouest, sud, est, nord = boite or (-180.0, -90.0, 180.0, 90.0)
        # fmin et fmax ignorent les NaN ; une comparaison à NaN (aucun noeud placé) est fausse.
        touche[pleines] = (
            (np.fmin.reduceat(tranche.lon, debut) <= est)
            & (np.fmax.reduceat(tranche.lon, debut) >= ouest)
            & (np.fmin.reduceat(tranche.lat, debut) <= nord)
            & (np.fmax.reduceat(tranche.lat, debut) >= sud)
        )
    return touche


def _rassembler(
    tranches: Sequence[_Tranche], etiquettes: Sequence[bytes], barrieres: NDArray[np.int64]
) -> VoiesBrutes:
    tout = _mettre_bout_a_bout(tranches)
    place = ~np.isnan(tout.lon)
    noeud = np.full(tout.refs.size, -1, dtype=np.int64)
    noeud_osm, premier, noeud[place] = np.unique(
        tout.refs[place], return_index=True, return_inverse=True
    )
    combinaison, nom, combinaisons, noms = _lire_etiquettes(tout.etiquette, etiquettes)
    return VoiesBrutes(
        ids=tout.ids,
        combinaison=combinaison[tout.etiquette],
        nom=nom[tout.etiquette],
        nombre=tout.nombre,
        noeud=noeud,
        noeud_osm=noeud_osm,
        lon=tout.lon[place][premier],
        lat=tout.lat[place][premier],
        combinaisons=combinaisons,
        noms=noms,
        barrieres=barrieres,
    )


def _mettre_bout_a_bout(tranches: Sequence[_Tranche]) -> _Tranche:
    entiers, decimaux = np.empty(0, dtype=np.int64), np.empty(0)
    return _Tranche(
        np.concatenate([entiers, *(t.ids for t in tranches)]),
        np.concatenate([entiers, *(t.etiquette for t in tranches)]),
        np.concatenate([entiers, *(t.nombre for t in tranches)]),
        np.concatenate([entiers, *(t.refs for t in tranches)]),
        np.concatenate([decimaux, *(t.lon for t in tranches)]),
        np.concatenate([decimaux, *(t.lat for t in tranches)]),
    )


def _lire_etiquettes(
    portees: NDArray[np.int64], etiquettes: Sequence[bytes]
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[dict[str, str], ...], tuple[str, ...]]:
    """Combinaison de tags d'accès et nom de chaque suite de tags que porte une voie gardée.

    Returns
    -------
    tuple
        Indices de la combinaison et du nom de chaque étiquette (int64[e], -1 sans nom ou si aucune
        voie gardée ne la porte), combinaisons et noms, dans l'ordre des voies.
    """
    combinaison = np.full(len(etiquettes), -1, dtype=np.int64)
    nom = np.full(len(etiquettes), -1, dtype=np.int64)
    combinaisons: dict[bytes, int] = {}
    noms: dict[bytes, int] = {}
    connues: dict[bytes, bool] = {}
    distinctes, premieres = np.unique(portees, return_index=True)
    for numero in distinctes[np.argsort(premieres)].tolist():
        cle, nom_voie = _trier_tags(etiquettes[numero], connues)
        combinaison[numero] = combinaisons.setdefault(cle, len(combinaisons))
        if nom_voie:
            nom[numero] = noms.setdefault(nom_voie, len(noms))
    return (
        combinaison,
        nom,
        tuple(_lire_tags(cle) for cle in combinaisons),
        tuple(_desechapper(nom_voie) for nom_voie in noms),
    )


def _trier_tags(etiquette: bytes, connues: dict[bytes, bool]) -> tuple[bytes, bytes]:
    """Tags d'accès (« clé=valeur,clé=valeur ») et nom d'une suite « Tclé=valeur,clé=valeur ».

    ``connues`` retient si un tag déjà rencontré compte : peu sont distincts, hormis les noms.
    """
    utiles = []
    nom = b""
    for tag in etiquette[1:].split(b","):
        utile = connues.get(tag)
        if utile is None:
            utile = connues[tag] = tag.partition(b"=")[0] in _CLES_ACCES
        if utile:
            utiles.append(tag)
        elif not nom and tag.startswith(b"name="):
            nom = tag[5:]
    return b",".join(utiles), nom


def _lire_tags(texte: bytes) -> dict[str, str]:
    """Tags « clé=valeur,clé=valeur » ; la première de deux clés égales l'emporte."""
    tags: dict[str, str] = {}
    for tag in texte.split(b",") if texte else ():
        cle, _, valeur = tag.partition(b"=")
        tags.setdefault(cle.decode(), _desechapper(valeur))
    return tags


def _desechapper(octets: bytes) -> str:
    return _ECHAPPEMENT.sub(lambda echappe: chr(int(echappe[1], 16)), octets.decode())


def _est_circulable(etiquette: bytes, avec_bacs: bool) -> bool:
    tags = b"," + etiquette[1:] + b","
    return b",highway=" in tags or (avec_bacs and b",route=ferry," in tags)

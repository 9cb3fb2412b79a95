"""Réseau de rues compact : la table de tronçons que partagent tous les modes.

Le réseau est simplifié entre carrefours ; chaque tronçon garde sa géométrie (pour dessiner et
couper exactement) et, par mode et par sens, le droit d'y circuler. Les graphes par mode sont
construits à partir de lui par ``accessibilite.rues.graphe``.
"""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from donnees_geo.erreurs import ErreurReseau

# Droits de passage, un bit par mode et par sens (ALLER = sens de la géométrie du tronçon).
MARCHE_ALLER: Final = 1
MARCHE_RETOUR: Final = 2
VELO_ALLER: Final = 4
VELO_RETOUR: Final = 8
VOITURE_ALLER: Final = 16
VOITURE_RETOUR: Final = 32
# Qualités du tronçon.
ESCALIER: Final = 64
PONT: Final = 128
TUNNEL: Final = 256
#: Le vélo n'y roule pas mais s'y pousse (trottoir, zone piétonne, escalier) : vitesse de marche.
VELO_POUSSE_ALLER: Final = 512
VELO_POUSSE_RETOUR: Final = 1024

BITS_ALLER: Final = {"marche": MARCHE_ALLER, "velo": VELO_ALLER, "voiture": VOITURE_ALLER}
BITS_RETOUR: Final = {"marche": MARCHE_RETOUR, "velo": VELO_RETOUR, "voiture": VOITURE_RETOUR}
#: Couples de bits (aller, retour) à échanger quand un tronçon est lu dans l'autre sens.
PAIRES_SENS: Final = (
    (MARCHE_ALLER, MARCHE_RETOUR),
    (VELO_ALLER, VELO_RETOUR),
    (VOITURE_ALLER, VOITURE_RETOUR),
    (VELO_POUSSE_ALLER, VELO_POUSSE_RETOUR),
)

#: Tous les droits de passage (les qualités du tronçon en sont exclues).
DROITS: Final = sum(aller | retour for aller, retour in PAIRES_SENS)

#: Classes de voies (valeurs OSM de ``highway``) ; ``troncon_classe`` en est l'indice.
CLASSES_VOIE: Final[tuple[str, ...]] = (
    "autre",
    "motorway",
    "motorway_link",
    "trunk",
    "trunk_link",
    "primary",
    "primary_link",
    "secondary",
    "secondary_link",
    "tertiary",
    "tertiary_link",
    "unclassified",
    "residential",
    "living_street",
    "service",
    "pedestrian",
    "track",
    "cycleway",
    "footway",
    "path",
    "steps",
    "bridleway",
    "road",
    "ferry",
)


@dataclass(frozen=True)
class ReseauRues:
    """Réseau de rues simplifié, en colonnes.

    Attributes
    ----------
    crs
        CRS métrique de ``x`` et ``y`` (par exemple ``"EPSG:2154"``).
    noeud_x, noeud_y
        float64[n], mètres. Les noeuds sont rangés par proximité (courbe de Hilbert).
    noeud_osm
        int64[n], identifiant OSM du noeud (négatif s'il a été créé).
    troncon_origine, troncon_destination
        int32[m], indices de noeuds.
    troncon_longueur_m
        float64[m], longueur développée de la géométrie en mètres, dans le CRS métrique.
    troncon_way
        int64[m], identifiant OSM de la voie (la première, si plusieurs sont fusionnées).
    troncon_classe
        uint8[m], indice dans :data:`CLASSES_VOIE`.
    troncon_acces
        uint16[m], bits ``MARCHE_ALLER`` … ``VELO_POUSSE_RETOUR``.
    troncon_vitesse_kmh
        float32[m], vitesse maximale autorisée (tag ``maxspeed``), NaN si elle n'est pas dite.
    troncon_nom
        int32[m], indice dans ``noms``, -1 sans nom.
    noms
        Noms de voies distincts.
    geometrie_debut
        int64[m+1] : les sommets du tronçon ``t`` sont ``geometrie_debut[t]`` à
        ``geometrie_debut[t+1]`` (exclu) ; extrémités comprises, dans le sens aller.
    geometrie_x, geometrie_y
        float64[k], mètres.
    geometrie_altitude_m
        float32[k] ou ``None`` sans relief ; NaN hors du relief.
    """

    crs: str
    noeud_x: NDArray[np.float64]
    noeud_y: NDArray[np.float64]
    noeud_osm: NDArray[np.int64]
    troncon_origine: NDArray[np.int32]
    troncon_destination: NDArray[np.int32]
    troncon_longueur_m: NDArray[np.float64]
    troncon_way: NDArray[np.int64]
    troncon_classe: NDArray[np.uint8]
    troncon_acces: NDArray[np.uint16]
    troncon_vitesse_kmh: NDArray[np.float32]
    troncon_nom: NDArray[np.int32]
    noms: tuple[str, ...]
    geometrie_debut: NDArray[np.int64]
    geometrie_x: NDArray[np.float64]
    geometrie_y: NDArray[np.float64]
    geometrie_altitude_m: NDArray[np.float32] | None = None

    @property
    def nombre_noeuds(self) -> int:
        """Nombre de noeuds (carrefours et extrémités)."""
        return int(self.noeud_x.size)

    @property
    def nombre_troncons(self) -> int:
        """Nombre de tronçons (non orientés)."""
        return int(self.troncon_origine.size)

    @property
    def longueur_totale_m(self) -> float:
        """Somme des longueurs de tronçons, en mètres."""
        return float(self.troncon_longueur_m.sum())

    @property
    def emprise_m(self) -> tuple[float, float, float, float]:
        """``(ouest, sud, est, nord)`` des géométries, mètres ; NaN pour un réseau vide."""
        if self.geometrie_x.size == 0:
            return (np.nan, np.nan, np.nan, np.nan)
        return (
            float(self.geometrie_x.min()),
            float(self.geometrie_y.min()),
            float(self.geometrie_x.max()),
            float(self.geometrie_y.max()),
        )

    def troncons_permis(self, mode: str) -> NDArray[np.bool_]:
        """Tronçons ouverts au ``mode`` dans un sens au moins (bool[m]) ; vélo poussé compris."""
        bits = BITS_ALLER[mode] | BITS_RETOUR[mode]
        if mode == "velo":
            bits |= VELO_POUSSE_ALLER | VELO_POUSSE_RETOUR
        permis: NDArray[np.bool_] = (self.troncon_acces & np.uint16(bits)) != 0
        return permis

    def lignes(self, troncons: NDArray[np.integer[Any]] | None = None) -> NDArray[np.object_]:
        """Géométries shapely (``LineString``, CRS ``crs``) de tous les tronçons ou de ``troncons``.

        Un tronçon de longueur nulle garde ses deux sommets confondus.
        """
        if troncons is None:
            troncons = np.arange(self.nombre_troncons)
        sommets, debut = indices_sommets(self.geometrie_debut, troncons)
        coordonnees = np.column_stack([self.geometrie_x[sommets], self.geometrie_y[sommets]])
        indices = np.repeat(np.arange(troncons.size), np.diff(debut))
        lignes: NDArray[np.object_] = np.asarray(
            shapely.linestrings(coordonnees, indices=indices), dtype=object
        )
        return lignes


def indices_sommets(
    debut: NDArray[np.int64], troncons: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices des sommets des ``troncons`` mis bout à bout, et leurs nouvelles bornes.

    Parameters
    ----------
    debut
        int64[m+1], bornes de chaque tronçon.
    troncons
        int[k], tronçons voulus, dans l'ordre voulu.

    Returns
    -------
    tuple
        ``(sommets int64[s], bornes int64[k+1])``.
    """
    nombres = debut[troncons + 1] - debut[troncons]
    bornes = np.zeros(troncons.size + 1, dtype=np.int64)
    np.cumsum(nombres, out=bornes[1:])
    sommets = np.arange(bornes[-1]) + np.repeat(debut[troncons] - bornes[:-1], nombres)
    return sommets, bornes


def rang_hilbert(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Position de chaque point sur une courbe de Hilbert de 65 536 × 65 536 cellules.

    Deux points voisins sur la courbe sont voisins sur le terrain : ranger les noeuds par ce rang
    rapproche en mémoire ce qu'un parcours du graphe lit ensemble.

    Parameters
    ----------
    x, y
        float64[n], dans une même unité.

    Returns
    -------
    ndarray
        int64[n], entre 0 et 2**32 - 1.
    """
    if x.size == 0:
        return np.empty(0, dtype=np.int64)
    etendue = max(float(np.ptp(x)), float(np.ptp(y)))
    echelle = 65_535.0 / etendue if etendue > 0 else 0.0
    i = ((x - x.min()) * echelle).astype(np.int32)
    j = ((y - y.min()) * echelle).astype(np.int32)
    rang = np.zeros(x.size, dtype=np.int64)
    for bit in range(15, -1, -1):
        bit_i = (i >> bit) & 1
        bit_j = (j >> bit) & 1
        rang <<= 2
        rang |= 3 * bit_i ^ bit_j
        # Rotation du quadrant, pour que la courbe reste continue d'un quadrant au suivant : sur
        # 16 bits, 65 535 - i est i ^ 65 535 ; des masques 0 ou -1 remplacent les conditions.
        miroir = -(bit_i & ~bit_j) & 0xFFFF
        i ^= miroir
        j ^= miroir
        echange = (i ^ j) & (bit_j - 1)
        i ^= echange
        j ^= echange
    return rang


def extraire_troncons(
    reseau: ReseauRues, troncons: NDArray[np.integer[Any]], *, ranger: bool = False
) -> ReseauRues:
    """Réseau fait des seuls ``troncons`` (dans cet ordre) et des noeuds qu'ils touchent.

    Parameters
    ----------
    reseau
        Réseau de départ, inchangé.
    troncons
        int[k], indices des tronçons gardés.
    ranger
        Ranger les noeuds le long d'une courbe de Hilbert et les tronçons par origine ; sinon
        l'ordre des noeuds et celui des ``troncons`` sont conservés.
    """
    origine, destination = reseau.troncon_origine[troncons], reseau.troncon_destination[troncons]
    touches = np.zeros(reseau.nombre_noeuds, dtype=bool)
    touches[origine] = True
    touches[destination] = True
    gardes = np.flatnonzero(touches)
    if ranger:
        rang = rang_hilbert(reseau.noeud_x[gardes], reseau.noeud_y[gardes])
        gardes = gardes[np.lexsort((reseau.noeud_osm[gardes], rang))]
    nouveau = np.full(reseau.nombre_noeuds, -1, dtype=np.int32)
    nouveau[gardes] = np.arange(gardes.size, dtype=np.int32)
    if ranger:
        bouts = nouveau[origine].astype(np.int64) << 32 | nouveau[destination]
        ordre = np.lexsort((reseau.troncon_way[troncons], bouts))
        troncons = troncons[ordre]
        origine, destination = origine[ordre], destination[ordre]
    sommets, debut = indices_sommets(reseau.geometrie_debut, troncons)
    altitude = reseau.geometrie_altitude_m
    return replace(
        reseau,
        noeud_x=reseau.noeud_x[gardes],
        noeud_y=reseau.noeud_y[gardes],
        noeud_osm=reseau.noeud_osm[gardes],
        troncon_origine=nouveau[origine],
        troncon_destination=nouveau[destination],
        troncon_longueur_m=reseau.troncon_longueur_m[troncons],
        troncon_way=reseau.troncon_way[troncons],
        troncon_classe=reseau.troncon_classe[troncons],
        troncon_acces=reseau.troncon_acces[troncons],
        troncon_vitesse_kmh=reseau.troncon_vitesse_kmh[troncons],
        troncon_nom=reseau.troncon_nom[troncons],
        geometrie_debut=debut,
        geometrie_x=reseau.geometrie_x[sommets],
        geometrie_y=reseau.geometrie_y[sommets],
        geometrie_altitude_m=None if altitude is None else altitude[sommets],
    )


def ranger_reseau(reseau: ReseauRues) -> ReseauRues:
    """Même réseau, noeuds rangés sur une courbe de Hilbert et tronçons par noeud d'origine."""
    return extraire_troncons(reseau, np.arange(reseau.nombre_troncons), ranger=True)


def inverser_acces(acces: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Droits de passage lus dans l'autre sens : chaque bit ALLER échangé avec son RETOUR."""
    resultat = acces & np.uint16(ESCALIER | PONT | TUNNEL)
    for aller, retour in PAIRES_SENS:
        resultat |= np.where(acces & aller, np.uint16(retour), np.uint16(0))
        resultat |= np.where(acces & retour, np.uint16(aller), np.uint16(0))
    return resultat.astype(np.uint16)


def longueurs_lignes(
    x: NDArray[np.float64], y: NDArray[np.float64], debut: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Longueur développée (float64[m], mètres) des lignes ``debut[t]:debut[t+1]``."""
    if debut.size <= 1:
        return np.empty(0)
    pas = np.zeros(x.size)
    pas[1:] = np.hypot(np.diff(x), np.diff(y))
    pas[debut[:-1]] = 0.0
    return np.asarray(np.add.reduceat(pas, debut[:-1]), dtype=np.float64)


def enregistrer_reseau(reseau: ReseauRues, fichier: Path) -> None:
    """Écrire le réseau dans une archive ``.npz`` non compressée, sans objet Python sérialisé.

    Le fichier n'apparaît sous son nom qu'une fois complet : une interruption laisse l'ancien.
    """
    colonnes: dict[str, NDArray[Any]] = {}
    for champ in fields(reseau):
        valeur = getattr(reseau, champ.name)
        if isinstance(valeur, np.ndarray):
            colonnes[champ.name] = valeur
    textes = [nom.encode() for nom in reseau.noms]
    colonnes["noms_octets"] = np.frombuffer(b"".join(textes), dtype=np.uint8)
    colonnes["noms_longueur"] = np.array([len(t) for t in textes], dtype=np.int64)
    colonnes["crs"] = np.array(reseau.crs)
    with tempfile.NamedTemporaryFile(dir=fichier.parent, suffix=".npz", delete=False) as provisoire:
        chemin = Path(provisoire.name)
        try:
            np.savez(provisoire, allow_pickle=False, **colonnes)
            provisoire.close()
            chemin.replace(fichier)
        finally:
            chemin.unlink(missing_ok=True)


def charger_reseau(fichier: Path) -> ReseauRues:
    """Relire un réseau écrit par :func:`enregistrer_reseau`.

    Raises
    ------
    ErreurReseau
        Fichier absent, tronqué, ou qui n'est pas un réseau enregistré.
    """
    attendus = {c.name for c in fields(ReseauRues)} - {"geometrie_altitude_m", "noms", "crs"}
    try:
        with np.load(fichier, allow_pickle=False) as archive:
            contenu = {nom: archive[nom] for nom in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as erreur:
        raise ErreurReseau(
            "Le réseau enregistré est absent ou illisible.",
            objet=fichier,
            trouve=erreur,
            conseil="préparer de nouveau le territoire (demi-heure preparer).",
        ) from erreur
    manquants = (attendus | {"crs", "noms_octets", "noms_longueur"}) - contenu.keys()
    if manquants:
        raise ErreurReseau(
            "Le fichier n'est pas un réseau enregistré par ce programme.",
            objet=fichier,
            attendu=", ".join(sorted(attendus)),
            trouve=f"sans {', '.join(sorted(manquants))}",
            conseil="préparer de nouveau le territoire (demi-heure preparer).",
        )
    octets = contenu.pop("noms_octets").tobytes()
    bornes = np.concatenate([[0], np.cumsum(contenu.pop("noms_longueur"))])
    noms = tuple(
        octets[a:b].decode() for a, b in zip(bornes[:-1].tolist(), bornes[1:].tolist(), strict=True)
    )
    return ReseauRues(crs=str(contenu.pop("crs")), noms=noms, **contenu)

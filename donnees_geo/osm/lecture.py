"""Lecture d'un fichier OSM : un passage filtré dans libosmium, puis un second pour les relations.

Seuls les objets portant une clé utile arrivent à Python, et les voies circulables n'y viennent
qu'en bloc (:mod:`donnees_geo.osm.voies`) ; les positions des noeuds restent dans un index de
libosmium. Le second passage ne relit que les voies membres de multipolygones, et n'a lieu que s'il
y en a.
"""

from __future__ import annotations

import errno
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import osmium

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.osm.collecte import Collecte, ObjetsOsm, Selection, coordonnees_voie
from donnees_geo.osm.voies import ECHECS_OSMIUM, lire_voies, ouvrir_ecriture

journal = logging.getLogger(__name__)

EXTENSIONS: Final = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2")
#: Index de positions : 16 octets par noeud, quelle que soit la dispersion des identifiants.
_INDEX_POSITIONS: Final = "sparse_mem_array"
_TYPES_SURFACE: Final = (("type", "multipolygon"), ("type", "boundary"))

Progression = Callable[[str, float], None]


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
    positions = osmium.index.create_map(_INDEX_POSITIONS)
    try:
        avance("Lecture des rues et des lieux", 0.02)
        objets = _premier_passage(fichier, selection, positions, avance)
        if objets.relations:
            avance("Lecture des surfaces en plusieurs voies", 0.55)
            _second_passage(fichier, objets, positions)
    except ECHECS_OSMIUM as erreur:
        raise _erreur_lecture(fichier, erreur) from erreur
    journal.info(
        "%s : %d voies circulables, %d noeuds, %d lignes et %d relations retenus",
        fichier.name,
        objets.voies.ids.size,
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


def _erreur_lecture(fichier: Path, erreur: Exception) -> ErreurDonnees:
    if os.strerror(errno.ENOSPC) in str(erreur):
        return ErreurDonnees(
            "La place manque pour lire l'extrait OpenStreetMap : ses rues passent par un fichier"
            " provisoire.",
            objet=tempfile.gettempdir(),
            trouve=str(erreur),
            conseil="libérer de la place sur ce disque, ou désigner un autre dossier provisoire par"
            " la variable d'environnement TMPDIR.",
        )
    return ErreurDonnees(
        "L'extrait OpenStreetMap est illisible : il est tronqué, corrompu ou d'un autre format.",
        objet=fichier,
        attendu="un fichier OSM complet (.osm.pbf, .osm, .osm.gz ou .osm.bz2)",
        trouve=str(erreur) or type(erreur).__name__,
        conseil="télécharger de nouveau le fichier et comparer sa taille à celle annoncée.",
    )


def _premier_passage(
    fichier: Path, selection: Selection, positions: Any, avance: Progression
) -> ObjetsOsm:
    cles_voies = {"highway", *selection.cles_surfaces}
    if selection.avec_bacs:
        cles_voies.add("route")
    entites = osmium.osm.NODE | osmium.osm.WAY
    filtres: list[Any] = [
        _pour(osmium.filter.KeyFilter("barrier", *selection.cles_noeuds), osmium.osm.NODE),
        _pour(osmium.filter.KeyFilter(*sorted(cles_voies)), osmium.osm.WAY),
    ]
    if selection.cles_surfaces:
        entites |= osmium.osm.RELATION
        for filtre in (
            osmium.filter.TagFilter(*_TYPES_SURFACE),
            osmium.filter.KeyFilter(*selection.cles_surfaces),
        ):
            filtres.append(_pour(filtre, osmium.osm.RELATION))
    with tempfile.TemporaryDirectory(prefix="rues-osm-", ignore_cleanup_errors=True) as provisoire:
        rues = Path(provisoire) / "rues.opl"
        with (
            osmium.io.Reader(str(fichier), entites) as lecteur,
            ouvrir_ecriture(rues) as ecrivain,
        ):
            date = _date_entete(lecteur.header())
            if selection.cles_surfaces:
                collecte = Collecte(selection, ecrivain)
            else:
                # Toute voie filtrée est une rue : libosmium l'écrit sans passer par Python.
                collecte = Collecte(selection, None)
                filtres += [ecrivain, osmium.filter.EntityFilter(osmium.osm.NODE)]
            _trier(_parcourir(lecteur, positions, filtres), collecte, avance)
        voies = lire_voies(rues, selection.boite, collecte.barrieres, avec_bacs=selection.avec_bacs)
    return collecte.conclure(voies, date)


def _trier(objets: Iterator[Any], collecte: Collecte, avance: Progression) -> None:
    for vus, objet in enumerate(objets, start=1):
        collecte.recevoir(objet)
        if vus % 200_000 == 0:
            avance(
                f"Lecture des rues et des lieux ({vus // 1000} milliers d'objets)",
                0.55 * (1 - 1 / (1 + vus / 1_500_000)),
            )


def _second_passage(fichier: Path, objets: ObjetsOsm, positions: Any) -> None:
    voulues = sorted({m for _, _, membres in objets.relations for m in membres})
    filtre = _pour(osmium.filter.IdFilter(voulues), osmium.osm.WAY)
    with osmium.io.Reader(str(fichier), osmium.osm.WAY) as lecteur:
        for voie in _parcourir(lecteur, positions, [filtre]):
            hexa, manque = coordonnees_voie(voie)
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

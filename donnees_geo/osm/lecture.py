"""Lecture d'un fichier OSM : un passage filtré dans libosmium, puis un second pour les relations.

Seuls les objets portant une clé utile arrivent jusqu'à Python ; les positions des noeuds restent
dans un index de libosmium. Le second passage ne relit que les voies membres de multipolygones, et
n'a lieu que s'il y en a.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import osmium

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.osm.collecte import Collecte, ObjetsOsm, Selection, coordonnees_voie

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
    with osmium.io.Reader(str(fichier), entites) as lecteur:
        objets.date = _date_entete(lecteur.header())
        collecte = Collecte(selection, objets)
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

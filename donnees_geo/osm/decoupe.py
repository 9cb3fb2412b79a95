"""Découpe d'extraits OSM régionaux à une enveloppe, et leur réunion en un seul fichier.

Les voies qui touchent l'enveloppe sont gardées entières, ainsi que les surfaces en plusieurs voies
(bois, parcs) ; les limites administratives, qui traversent la région, ne sont pas complétées.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import osmium
from numpy.typing import NDArray

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.osm.lecture import verifier_fichier

journal = logging.getLogger(__name__)

Bornes = tuple[float, float, float, float]
Progression = Callable[[str, float], None]

_DATE: Final = "osmosis_replication_timestamp"
#: Ligne d'un index de positions de libosmium : identifiant, longitude et latitude en 1e-7 degré.
_POSITION: Final = np.dtype([("id", "<u8"), ("x", "<i4"), ("y", "<i4")])
_UNITES_PAR_DEGRE: Final = 10_000_000


def decouper_extraits(
    fichiers: Sequence[Path],
    bornes: Bornes,
    sortie: Path,
    progression: Progression | None = None,
) -> None:
    """Écrire la partie d'un ou plusieurs extraits OSM qui touche une enveloppe.

    Parameters
    ----------
    fichiers
        Extraits ; un objet présent dans deux extraits voisins n'est écrit qu'une fois.
    bornes
        ``(ouest, sud, est, nord)``, degrés WGS 84.
    sortie
        Fichier ``.osm.pbf`` à créer.
    progression
        Appelée avec un message et la part accomplie.

    Raises
    ------
    ErreurDonnees
        Extrait absent, tronqué ou d'un autre format, ou rien dans l'enveloppe.
    OSError
        Plus de place pour l'extrait découpé.
    """
    avance = progression or (lambda _message, _part: None)
    if len(fichiers) == 1:
        _decouper(fichiers[0], bornes, sortie, avance)
        return
    with tempfile.TemporaryDirectory(prefix="demi-heure-osm-", dir=sortie.parent) as dossier:
        coupes = []
        for rang, fichier in enumerate(fichiers):
            coupe = Path(dossier) / f"{rang}.osm.pbf"
            try:
                _decouper(fichier, bornes, coupe, avance)
            except ErreurDonnees as erreur:
                # Une région voisine peut n'être effleurée que par la marge, sans y avoir d'objet.
                if erreur.message != _MESSAGE_VIDE:
                    raise
                journal.info("%s : rien dans l'enveloppe", fichier.name)
                continue
            coupes.append(coupe)
        if not coupes:
            raise ErreurDonnees(_MESSAGE_VIDE, objet=", ".join(f.name for f in fichiers))
        _reunir(coupes, bornes, sortie)


_MESSAGE_VIDE: Final = "L'extrait OpenStreetMap n'a aucun noeud dans le territoire."


def _decouper(fichier: Path, bornes: Bornes, sortie: Path, avance: Progression) -> None:
    verifier_fichier(fichier)
    try:
        with tempfile.TemporaryDirectory(prefix="demi-heure-osm-", dir=sortie.parent) as dossier:
            gardes = _choisir(fichier, bornes, Path(dossier), avance)
        entete = _entete(bornes, _date_des_donnees(fichier))
        avance("Écriture de l'extrait", 0.8)
        with osmium.SimpleWriter(str(sortie), header=entete, overwrite=True) as ecrit:
            for objet in osmium.FileProcessor(str(fichier)).with_filter(gardes.id_filter()):
                ecrit.add(objet)
    except (RuntimeError, OSError, ValueError) as erreur:
        if os.strerror(errno.ENOSPC) in str(erreur):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(sortie)) from erreur
        raise ErreurDonnees(
            "L'extrait OpenStreetMap est illisible : il est tronqué, corrompu ou d'un autre "
            "format.",
            objet=fichier,
            trouve=str(erreur) or type(erreur).__name__,
            conseil="télécharger de nouveau le fichier.",
        ) from erreur


def _date_des_donnees(fichier: Path) -> str:
    """Date d'un extrait (ISO 8601) ; vide s'il ne la dit pas."""
    with osmium.io.Reader(str(fichier), osmium.osm.NOTHING) as lecteur:
        date = str(lecteur.header().get(_DATE, ""))
    if date or fichier.suffix.lower() != ".osm":
        return date
    # Overpass la donne dans un élément que libosmium ne lit pas.
    with fichier.open("rb") as flux:
        trouvee = re.search(rb'osm_base="([0-9TZ:.+-]+)"', flux.read(2048))
    return trouvee[1].decode() if trouvee else ""


def _choisir(fichier: Path, bornes: Bornes, dossier: Path, avance: Progression) -> Any:
    """Identifiants des objets à garder."""
    gardes = osmium.IdTracker()
    avance("Découpe : lecture des noeuds", 0.0)
    dedans = _noeuds_dedans(fichier, bornes, dossier)
    if not len(dedans):
        ouest, sud, est, nord = bornes
        raise ErreurDonnees(
            _MESSAGE_VIDE,
            objet=fichier,
            attendu=f"des données entre {ouest:.2f} et {est:.2f}°, {sud:.2f} et {nord:.2f}°",
            conseil="vérifier la région de l'extrait.",
        )
    for identifiant in dedans.tolist():
        gardes.add_node(identifiant)
    avance("Découpe : voies et surfaces touchées", 0.5)
    gardes.complete_forward_references(str(fichier), relation_depth=0)
    for identifiant in _membres_des_surfaces(fichier, gardes):
        gardes.add_way(identifiant)
    gardes.complete_backward_references(str(fichier), relation_depth=0)
    return gardes


def _noeuds_dedans(fichier: Path, bornes: Bornes, dossier: Path) -> NDArray[np.uint64]:
    """Identifiants des noeuds de l'enveloppe.

    libosmium écrit lui-même les positions dans un fichier, que numpy compare d'un coup : présenter
    un par un à Python les trente millions de noeuds d'une région serait dix fois plus long.
    """
    index = dossier / "positions.bin"
    positions = osmium.index.create_map(f"sparse_file_array,{index}")
    placeur = osmium.NodeLocationsForWays(positions)
    with osmium.io.Reader(str(fichier), osmium.osm.NODE) as lecteur:
        osmium.apply(lecteur, placeur)
    del placeur, positions  # libosmium ferme le fichier
    if not index.exists() or index.stat().st_size == 0:
        return np.empty(0, dtype=np.uint64)
    table = np.memmap(index, dtype=_POSITION, mode="r")
    ouest, sud, est, nord = (round(b * _UNITES_PAR_DEGRE) for b in bornes)
    x, y = table["x"], table["y"]
    # Les lignes de réserve du fichier sont à zéro.
    dedans = (x >= ouest) & (x <= est) & (y >= sud) & (y <= nord) & (table["id"] > 0)
    identifiants = np.array(table["id"][dedans])
    del table, x, y
    index.unlink()
    return identifiants


def _membres_des_surfaces(fichier: Path, gardes: Any) -> list[int]:
    """Voies des surfaces touchées ; une limite administrative n'est pas complétée."""
    touchees = gardes.relation_ids()
    relations: Any = osmium.FileProcessor(str(fichier), osmium.osm.RELATION).with_filter(
        osmium.filter.TagFilter(("type", "multipolygon"), ("type", "boundary"))
    )
    return [
        membre.ref
        for relation in relations
        if touchees.get(relation.id) and "admin_level" not in relation.tags
        for membre in relation.members
        if membre.type == "w"
    ]


def _reunir(coupes: Sequence[Path], bornes: Bornes, sortie: Path) -> None:
    """Fondre des extraits découpés ; de deux versions d'un objet, la plus récente reste."""
    dates = []
    for coupe in coupes:
        with osmium.io.Reader(str(coupe), osmium.osm.NOTHING) as lecteur:
            dates.append(lecteur.header().get(_DATE, ""))
    fusion = osmium.MergeInputReader()
    for coupe in coupes:
        fusion.add_file(str(coupe))
    with osmium.SimpleWriter(
        str(sortie), header=_entete(bornes, min(dates)), overwrite=True
    ) as ecrit:
        fusion.apply(_Copie(ecrit), simplify=True)


class _Copie(osmium.SimpleHandler):
    """Recopie tout ce qu'on lui présente."""

    def __init__(self, ecrit: Any) -> None:
        super().__init__()
        self.node = ecrit.add_node
        self.way = ecrit.add_way
        self.relation = ecrit.add_relation


def _entete(bornes: Bornes, date: str) -> Any:
    entete = osmium.io.Header()
    entete.set("generator", "demi-heure")
    if date:
        entete.set(_DATE, date)
    ouest, sud, est, nord = bornes
    entete.add_box(osmium.osm.Box(osmium.osm.Location(ouest, sud), osmium.osm.Location(est, nord)))
    return entete

"""Découpe d'extraits OSM régionaux à une enveloppe, et leur réunion en un seul fichier.

Les voies qui touchent l'enveloppe sont gardées entières, ainsi que les surfaces en plusieurs voies
(bois, parcs) ; les limites administratives, qui traversent la région, ne sont pas complétées.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import osmium

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.osm.lecture import verifier_fichier

journal = logging.getLogger(__name__)

Bornes = tuple[float, float, float, float]
Progression = Callable[[str, float], None]

_DATE: Final = "osmosis_replication_timestamp"
_PAS_PROGRESSION: Final = 500_000


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
        gardes = _choisir(fichier, bornes, avance)
        with osmium.io.Reader(str(fichier), osmium.osm.NOTHING) as lecteur:
            entete = _entete(bornes, lecteur.header().get(_DATE, ""))
        avance("Écriture de l'extrait", 0.8)
        with osmium.SimpleWriter(str(sortie), header=entete, overwrite=True) as ecrit:
            for objet in osmium.FileProcessor(str(fichier)).with_filter(gardes.id_filter()):
                ecrit.add(objet)
    except (RuntimeError, OSError, ValueError) as erreur:
        raise ErreurDonnees(
            "L'extrait OpenStreetMap est illisible : il est tronqué, corrompu ou d'un autre "
            "format.",
            objet=fichier,
            trouve=str(erreur) or type(erreur).__name__,
            conseil="télécharger de nouveau le fichier.",
        ) from erreur


def _choisir(fichier: Path, bornes: Bornes, avance: Progression) -> Any:
    """Identifiants des objets à garder."""
    ouest, sud, est, nord = bornes
    gardes = osmium.IdTracker()
    dedans = 0
    noeuds: Any = osmium.FileProcessor(str(fichier), osmium.osm.NODE)
    for vus, noeud in enumerate(noeuds, start=1):
        lieu = noeud.location
        if ouest <= lieu.lon <= est and sud <= lieu.lat <= nord:
            gardes.add_node(noeud.id)
            dedans += 1
        if vus % _PAS_PROGRESSION == 0:
            avance(f"Découpe ({vus // 1000} milliers de noeuds lus)", 0.5 * vus / (vus + 2e7))
    if not dedans:
        raise ErreurDonnees(
            _MESSAGE_VIDE,
            objet=fichier,
            attendu=f"des données entre {ouest:.2f} et {est:.2f}°, {sud:.2f} et {nord:.2f}°",
            conseil="vérifier la région de l'extrait.",
        )
    avance("Découpe des voies", 0.5)
    for voie in osmium.FileProcessor(str(fichier), osmium.osm.WAY):
        if gardes.contains_any_references(voie):
            gardes.add_way(voie.id)
    _choisir_relations(fichier, gardes)
    gardes.complete_backward_references(str(fichier), relation_depth=0)
    return gardes


def _choisir_relations(fichier: Path, gardes: Any) -> None:
    """Garder les relations touchées ; une surface est complétée de toutes ses voies."""
    membres: list[int] = []
    touchees: list[int] = []
    relations: Any = osmium.FileProcessor(str(fichier), osmium.osm.RELATION)
    for relation in relations:
        if gardes.contains_any_references(relation):
            touchees.append(relation.id)
            surface = relation.tags.get("type", "") in ("multipolygon", "boundary")
            if surface and "admin_level" not in relation.tags:
                membres += [m.ref for m in relation.members if m.type == "w"]
    for identifiant in touchees:
        gardes.add_relation(identifiant)
    for identifiant in membres:
        gardes.add_way(identifiant)


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

"""Banc d'essai : nos temps et ceux des pairs, dans la même séance, sur les mêmes données.

Chaque moteur tourne dans son propre processus (``scripts/banc_pairs``) et ne chronomètre que le
calcul. Seuls les rapports d'une même séance sont solides : une machine n'est pas une autre.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import statistics
import subprocess
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from donnees_geo.erreurs import ErreurDonnees
from scripts.banc_donnees import TailleReseau
from scripts.banc_environnements import Interpretes
from scripts.environnement import RACINE

SCRIPTS: Final = RACINE / "scripts" / "banc_pairs"
#: Un moteur qui dépasse cela est arrêté et dit trop lent, s.
DELAI_MAX_S: Final = 1800
LIBELLES: Final = {
    "chargement": "Chargement d'un extrait OSM en graphe piéton",
    "voisinage": "Noeuds à moins de 15 min à pied, une origine",
    "isochrone": "Isochrone de 15 min à pied avec polygone, une origine",
    "plus_proche_50": "Plus proche de 50 lieux, 25 catégories, tous les noeuds",
    "plus_proche_500": "Plus proche de 500 lieux, 25 catégories, tous les noeuds",
    "tc_temps": "Transport collectif : une origine, tous les carreaux, 120 départs",
    "tc_isochrone": "Transport collectif : isochrone de 30 min, une origine, 120 départs",
    "etude_rues": "Diagnostic du territoire préparé, à pied, à vélo et en voiture",
    "etude": "Diagnostic du territoire préparé, transport collectif compris",
    "clic_marche": "Visualiseur : du clic au polygone affiché, à pied, dans un navigateur",
    "clic_voiture": "Visualiseur : du clic au polygone affiché, en voiture, dans un navigateur",
    "etude_tc": "dont transport collectif : tous les services, carreaux et départs de la fenêtre",
}
COLONNES: Final = (
    "date",
    "travail",
    "moteur",
    "version",
    "secondes",
    "rapport",
    "preparation_s",
    "memoire_mio",
    "controle",
    "unite_controle",
    "noeuds",
    "arcs",
    "copies",
    "coeurs",
    "python",
    "systeme",
)


@dataclass(frozen=True)
class Tache:
    """Un processus de mesure.

    Attributes
    ----------
    script
        Fichier de ``scripts/banc_pairs``.
    moteur
        Nom affiché si la mesure ne peut pas avoir lieu.
    module
        Module que l'interpréteur doit trouver ; ``None`` pour nous.
    travail
        Demande passée au processus.
    recent
        Demande un Python 3.12 ou plus récent.
    passages
        Nombre de processus ; s'il y en a plusieurs, le premier (caches froids) ne compte pas et la
        médiane des autres est gardée.
    """

    script: str
    moteur: str
    module: str | None
    travail: dict[str, Any]
    recent: bool = False
    passages: int = 1


@dataclass(frozen=True)
class Absence:
    """Un moteur qui n'a pas pu être mesuré, et pourquoi."""

    moteur: str
    raison: str


@dataclass(frozen=True)
class Sujet:
    """Ce qu'une séance mesure.

    Attributes
    ----------
    crs
        CRS métrique des rues.
    pbf
        Extrait OSM à charger, ``None`` pour ne pas mesurer le chargement.
    territoire
        Dossier préparé, ``None`` pour ne mesurer que les rues.
    gtfs, jour
        Dossiers GTFS dépliés et jour ISO ; sans eux, pas de mesure de transport collectif.
    """

    crs: str
    pbf: Path | None = None
    territoire: Path | None = None
    gtfs: tuple[str, ...] = ()
    jour: str = ""


def composer_taches(dossier: Path, sujet: Sujet, *, rapide: bool) -> list[Tache]:
    """Toutes les mesures d'une séance, dans l'ordre du tableau.

    Parameters
    ----------
    dossier
        Dossier de travail, où sont les données communes.
    sujet
        Ce qui est mesuré.
    rapide
        Moins de répétitions, et les moteurs lents sur moins de catégories ou de départs.
    """
    commun: dict[str, Any] = {
        "dossier": str(dossier),
        "seuil_s": 900.0,
        "repetitions": 1 if rapide else 5,
        "categories_controle": 3,
    }
    taches = [] if sujet.pbf is None else _taches_chargement(dossier, sujet, rapide=rapide)
    lents = commun | {"repetitions": 1} | ({"categories_max": 3} if rapide else {})
    taches.append(Tache("rues_nous", "nous", None, commun))
    for moteur in ("scipy", "networkx", "igraph", "pandana"):
        taches.append(Tache("rues", moteur, moteur, lents | {"moteur": moteur}))
    taches.append(Tache("isochrone_osmnx", "osmnx (tampons)", "osmnx", lents))
    if sujet.pbf is not None:
        valhalla = commun | {"pbf": str(sujet.pbf), "vitesse_kmh": 4.5}
        taches.append(Tache("isochrone_valhalla", "pyvalhalla", "valhalla", valhalla, recent=True))
    if sujet.territoire is not None:
        etude = {"territoire": str(sujet.territoire)}
        taches.append(Tache("etude_nous", "nous", None, etude))
        clics = etude | {"clics": 5 if rapide else 20}
        taches.append(Tache("visualiseur_nous", "visualiseur", None, clics))
        if sujet.pbf is not None and sujet.gtfs and sujet.jour:
            taches += _taches_tc(commun, sujet, rapide=rapide)
    return taches


def _taches_chargement(dossier: Path, sujet: Sujet, *, rapide: bool) -> list[Tache]:
    travail = {"pbf": str(sujet.pbf), "xml": str(dossier / "rues.osm"), "crs": sujet.crs}
    taches = [Tache("convertir", "osmnx", None, travail)]
    for moteur in ("nous", "osmnx", "pyrosm"):
        module = None if moteur == "nous" else moteur
        passages = 2 if rapide else 4
        taches.append(
            Tache("chargement", moteur, module, travail | {"moteur": moteur}, passages=passages)
        )
    return taches


def _taches_tc(commun: dict[str, Any], sujet: Sujet, *, rapide: bool) -> list[Tache]:
    travail = commun | {
        "territoire": str(sujet.territoire),
        "pbf": str(sujet.pbf),
        "gtfs": list(sujet.gtfs),
        "jour": sujet.jour,
        "seuil_s": 1800.0,
        "debut_s": 7 * 3600,
        "departs": 120,
        "departs_mesures": 3 if rapide else 12,
        "origines_pairs": 2 if rapide else 5,
    }
    return [
        Tache("tc_nous", "nous", None, travail),
        Tache("tc_ferrobus", "ferrobus", "ferrobus", travail, recent=True),
        Tache("tc_valhalla", "pyvalhalla (multimodal)", "valhalla", travail, recent=True),
    ]


def mesurer(
    taches: Iterable[Tache],
    interpretes: Interpretes,
    dossier: Path,
    annoncer: Callable[[Tache], None],
) -> tuple[list[dict[str, Any]], list[Absence]]:
    """Exécuter les mesures l'une après l'autre, jamais deux à la fois."""
    mesures: list[dict[str, Any]] = []
    absences: list[Absence] = []
    for tache in taches:
        annoncer(tache)
        python = interpretes.nous
        if tache.module is not None:
            trouve = interpretes.pour(tache.module, recent=tache.recent)
            if trouve is None:
                absences.append(Absence(tache.moteur, "non installé : voir --installer-pairs"))
                continue
            python = trouve
        resultats = [executer(tache, python, dossier) for _ in range(tache.passages)]
        gardes = resultats[1:] if tache.passages > 1 else resultats
        echecs = [resultat for resultat in resultats if isinstance(resultat, Absence)]
        if echecs:
            absences.append(echecs[0])
        else:
            version = {"version": version_projet()} if tache.module is None else {}
            mesures += (
                m | version for m in resumer([r for r in gardes if not isinstance(r, Absence)])
            )
    return mesures, absences


def resumer(passages: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Médiane, mesure par mesure, de plusieurs passages d'une même tâche."""
    resume = []
    for memes in zip(*passages, strict=True):
        medianes = {
            cle: statistics.median(m[cle] for m in memes)
            for cle in ("secondes", "memoire_mio")
            if cle in memes[0]
        }
        resume.append(memes[0] | medianes)
    return resume


def executer(tache: Tache, python: Path, dossier: Path) -> list[dict[str, Any]] | Absence:
    """Lancer un processus de mesure et lire ses résultats."""
    demande, reponse = dossier / "travail.json", dossier / "mesures.json"
    demande.write_text(json.dumps(tache.travail), encoding="utf-8")
    reponse.unlink(missing_ok=True)
    environnement = dict(os.environ)
    if tache.module is None or tache.script == "chargement":
        environnement["PYTHONPATH"] = str(RACINE)
    try:
        processus = subprocess.run(
            [python, SCRIPTS / f"{tache.script}.py", demande, reponse],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DELAI_MAX_S,
            env=environnement,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Absence(tache.moteur, f"arrêté après {DELAI_MAX_S // 60} minutes")
    if processus.returncode != 0 or not reponse.exists():
        derniere = (processus.stderr.strip().splitlines() or ["sans message"])[-1]
        return Absence(tache.moteur, f"{tache.script} a échoué : {derniere}")
    mesures: list[dict[str, Any]] = json.loads(reponse.read_text(encoding="utf-8"))
    return mesures


def version_projet() -> str:
    """Version de ce programme, lue dans ``pyproject.toml``."""
    projet = tomllib.loads((RACINE / "pyproject.toml").read_text(encoding="utf-8"))
    return str(projet["project"]["version"])


def ajouter_rapports(mesures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rapporter chaque temps au nôtre sur le même travail (le nôtre vaut 1)."""
    references = {m["travail"]: m["secondes"] for m in mesures if m["moteur"] == "nous"}
    return [
        m
        | {
            "rapport": m["secondes"] / references[m["travail"]]
            if m["travail"] in references
            else None
        }
        for m in mesures
    ]


@dataclass(frozen=True)
class Exigence:
    """Un rapport promis face à un pair.

    Attributes
    ----------
    travail, moteur
        Mesure du pair.
    rapport_min
        Son temps doit valoir au moins ce nombre de fois le nôtre (moins de 1 : il peut être plus
        rapide d'autant).
    """

    travail: str
    moteur: str
    rapport_min: float


EXIGENCES: Final = (
    Exigence("chargement", "osmnx", 20.0),
    Exigence("isochrone", "osmnx (tampons)", 50.0),
    Exigence("isochrone", "pyvalhalla", 1 / 1.5),
    Exigence("plus_proche_50", "networkx", 15.0),
    Exigence("plus_proche_500", "networkx", 15.0),
    Exigence("plus_proche_50", "pandana", 10.0),
    Exigence("plus_proche_500", "pandana", 10.0),
    Exigence("tc_temps", "ferrobus", 50.0),
    Exigence("tc_isochrone", "pyvalhalla", 50.0),
)


def juger(mesures: Iterable[dict[str, Any]]) -> list[tuple[Exigence, float, bool]]:
    """Confronter les rapports mesurés aux exigences ; une mesure absente n'est pas jugée."""
    rapports = {(m["travail"], m["moteur"]): m.get("rapport") for m in mesures}
    return [
        (exigence, rapport, rapport >= exigence.rapport_min)
        for exigence in EXIGENCES
        if (rapport := rapports.get((exigence.travail, exigence.moteur))) is not None
    ]


def ajouter_au_csv(fichier: Path, mesures: Iterable[dict[str, Any]], taille: TailleReseau) -> None:
    """Ajouter les mesures à un CSV (UTF-8, virgule, point décimal), créé s'il est absent.

    Raises
    ------
    ErreurDonnees
        Si le fichier existe avec d'autres colonnes.
    """
    contexte = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "noeuds": taille.noeuds,
        "arcs": taille.arcs,
        "copies": taille.copies,
        "coeurs": os.cpu_count(),
        "python": platform.python_version(),
        "systeme": f"{platform.system()} {platform.machine()}",
    }
    neuf = not fichier.exists() or fichier.stat().st_size == 0
    if not neuf:
        with fichier.open(encoding="utf-8", newline="") as flux:
            entete = next(csv.reader(flux), [])
        if tuple(entete) != COLONNES:
            raise ErreurDonnees(
                "Ce fichier n'est pas un historique du banc d'essai.",
                objet=fichier,
                attendu=",".join(COLONNES),
                trouve=",".join(entete),
                conseil="Donnez un autre nom à --sortie.",
            )
    with fichier.open("a", encoding="utf-8", newline="") as flux:
        redacteur = csv.DictWriter(flux, COLONNES, lineterminator="\n", restval="")
        if neuf:
            redacteur.writeheader()
        for une in mesures:
            ligne = {c: une[c] for c in COLONNES if une.get(c) is not None}
            redacteur.writerow(ligne | contexte)

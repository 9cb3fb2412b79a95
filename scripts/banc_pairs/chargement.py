"""Mesure : d'un extrait OSM au graphe piéton utilisable, temps et mémoire.

Un seul chargement par processus (c'est ce que vit l'utilisateur) ; les imports des bibliothèques
ne sont pas comptés, et la mémoire est donnée au-dessus de ce qu'ils occupent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from protocole import Memoire, executer, mesure, version


def charger_nous(travail: dict[str, Any]) -> Callable[[], int]:
    """Lecture du PBF, simplification et graphe piéton, par ce programme."""
    from accessibilite.rues.graphe import construire_graphe
    from accessibilite.rues.profils import construire_profil
    from donnees_geo.configuration import lire_parametres
    from donnees_geo.osm import lire_rues

    profil = construire_profil(lire_parametres(), "marche")

    def charger() -> int:
        reseau = lire_rues(Path(travail["pbf"]), travail["crs"])
        return construire_graphe(reseau, profil).nombre_noeuds

    return charger


def charger_osmnx(travail: dict[str, Any]) -> Callable[[], int]:
    """Le chemin d'osmnx pour un fichier : XML (rues seules, converti hors chronomètre)."""
    import osmnx

    def charger() -> int:
        graphe = osmnx.graph_from_xml(travail["xml"], bidirectional=True, simplify=True)
        return len(graphe)

    return charger


def charger_pyrosm(travail: dict[str, Any]) -> Callable[[], int]:
    """Tables de noeuds et d'arêtes piétonnes de pyrosm (sans simplification ni graphe)."""
    import pyrosm

    def charger() -> int:
        noeuds, _ = pyrosm.OSM(travail["pbf"]).get_network(network_type="walking", nodes=True)
        return len(noeuds)

    return charger


def mesurer(travail: dict[str, Any]) -> list[dict[str, Any]]:
    """Charger une fois et rendre la mesure."""
    moteur = travail["moteur"]
    charger = {"nous": charger_nous, "osmnx": charger_osmnx, "pyrosm": charger_pyrosm}[moteur](
        travail
    )
    memoire = Memoire()
    debut = time.perf_counter()
    noeuds = charger()
    secondes = time.perf_counter() - debut
    return [
        mesure(
            "chargement",
            moteur,
            secondes,
            memoire_mio=memoire.prise_mio,
            controle=noeuds,
            unite_controle="noeuds",
            version=version(moteur),
        )
    ]


if __name__ == "__main__":
    executer(mesurer)

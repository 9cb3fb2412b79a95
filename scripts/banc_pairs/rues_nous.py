"""Mesures de ce programme sur le même graphe : voisinage, plus proche lieu, isochrone."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from protocole import chronometrer, executer, mesure

from accessibilite.rues.dijkstra import calculer_temps_noeuds
from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.isochrones import calculer_isochrones
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import rattacher_points
from donnees_geo.configuration import lire_parametres
from donnees_geo.reseau import charger_reseau


def mesurer(travail: dict[str, Any]) -> list[dict[str, Any]]:
    """Mesurer les trois travaux ; les noyaux sont compilés pendant la chauffe."""
    dossier, seuil = Path(travail["dossier"]), float(travail["seuil_s"])
    debut = time.perf_counter()
    reseau = charger_reseau(dossier / "reseau.npz")
    graphe = construire_graphe(reseau, construire_profil(lire_parametres(), "marche"))
    commun = {"preparation_s": time.perf_counter() - debut}
    with np.load(dossier / "demandes.npz") as archive:
        demandes = {nom: archive[nom] for nom in archive.files}
    zero = np.zeros(1)

    def voisinage(origine: int) -> int:
        noeud = np.array([origine], dtype=np.int32)
        return len(
            calculer_temps_noeuds(graphe, noeud, zero, sens="depuis", limite_s=seuil).atteints
        )

    def plus_proche(lieux: Any) -> float:
        noeuds = np.unique(lieux).astype(np.int32)
        temps = calculer_temps_noeuds(
            graphe, noeuds, np.zeros(noeuds.size), sens="vers", limite_s=seuil
        ).temps_s
        return float(temps[np.isfinite(temps)].sum())

    def isochrone(position: tuple[float, float]) -> float:
        x, y = np.array([position[0]]), np.array([position[1]])
        point = rattacher_points(graphe, x, y)
        return calculer_isochrones(graphe, point, [seuil])[0].surface_m2

    repetitions = travail["repetitions"]
    secondes, tailles = chronometrer(
        voisinage, list(demandes["origines"]), repetitions=repetitions, chauffe=3
    )
    mesures = [
        mesure(
            "voisinage",
            "nous",
            secondes,
            controle=int(sum(tailles)),
            unite_controle="noeuds atteints",
            **commun,
        )
    ]
    for nom in sorted(nom for nom in demandes if nom.startswith("lieux_")):
        categories = list(demandes[nom])

        def toutes(fils: int, categories: Any = categories) -> list[float]:
            # Comme le diagnostic : une recherche par catégorie, réparties sur les coeurs.
            with ThreadPoolExecutor(fils) as pool:
                return list(pool.map(plus_proche, categories))

        for fils, moteur in ((os.cpu_count() or 1, "nous"), (1, "nous, un seul fil")):
            secondes, (sommes, *_) = chronometrer(toutes, [fils], repetitions=repetitions)
            mesures.append(
                mesure(
                    f"plus_proche_{nom.removeprefix('lieux_')}",
                    moteur,
                    secondes,
                    controle=round(sum(sommes[: travail["categories_controle"]])),
                    unite_controle="somme des temps (s)",
                    **commun,
                )
            )
    positions = list(zip(demandes["x"].tolist(), demandes["y"].tolist(), strict=True))
    secondes, surfaces = chronometrer(isochrone, positions, repetitions=repetitions, chauffe=3)
    mesures.append(
        mesure(
            "isochrone",
            "nous",
            secondes,
            controle=round(sum(surfaces) / len(surfaces) / 1e4, 1),
            unite_controle="hectares en moyenne",
            **commun,
        )
    )
    return mesures


if __name__ == "__main__":
    executer(mesurer)

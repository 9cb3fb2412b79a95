"""Mesure de ferrobus : d'une origine à tous les carreaux, minute de départ par minute.

ferrobus cherche pour une heure de départ ; la fenêtre coûte autant de recherches que de minutes.
Le temps médian d'une recherche est donc multiplié par le nombre de départs.
"""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import ferrobus
import numpy as np
from protocole import chronometrer, executer, mesure, version

#: Marche maximale de 1 000 m à 4,5 km/h, s.
MARCHE_MAX_S = 800


def mesurer(travail: dict[str, Any]) -> list[dict[str, Any]]:
    """Construire le modèle (à part), puis mesurer des départs répartis sur la fenêtre."""
    with np.load(Path(travail["dossier"]) / "demandes_tc.npz") as archive:
        d = {nom: archive[nom].tolist() for nom in archive.files}
    debut = time.perf_counter()
    modele = ferrobus.create_transit_model(
        travail["pbf"], travail["gtfs"], date.fromisoformat(travail["jour"]), MARCHE_MAX_S
    )
    preparation = time.perf_counter() - debut

    def placer(lon: list[float], lat: list[float]) -> list[Any]:
        points = []
        for x, y in zip(lon, lat, strict=True):
            try:
                points.append(ferrobus.create_transit_point(y, x, modele, MARCHE_MAX_S))
            except ValueError:  # loin de toute rue : ferrobus refuse le point
                continue
        return points

    destinations = placer(d["destination_lon"], d["destination_lat"])
    nombre = travail["origines_pairs"]
    origines = placer(d["origine_lon"][:nombre], d["origine_lat"][:nombre])
    heures = np.linspace(0, travail["departs"] - 1, travail["departs_mesures"]).round().astype(int)
    cas = [(o, int(travail["debut_s"] + 60 * m)) for o in origines for m in heures]

    def chercher(un_cas: tuple[Any, int]) -> int:
        origine, heure = un_cas
        trajets = ferrobus.find_routes_one_to_many(modele, origine, destinations, heure, 3)
        return sum(t is not None and t["travel_time_seconds"] <= 1800 for t in trajets)

    secondes, atteints = chronometrer(chercher, cas)
    return [
        mesure(
            "tc_temps",
            "ferrobus",
            secondes * travail["departs"],
            preparation_s=preparation,
            controle=round(sum(atteints) / max(1, len(cas))),
            unite_controle="carreaux à 30 min ou moins (moyenne des départs)",
            version=version("ferrobus"),
        )
    ]


if __name__ == "__main__":
    executer(mesurer)

"""Mesure : l'isochrone à pied de Valhalla (pyvalhalla), tuiles construites hors chronomètre."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from protocole import chronometrer, executer, mesure, version


def environnement() -> dict[str, str]:
    """Variables des programmes de Valhalla, que pyvalhalla cherche d'abord dans le chemin."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def construire_tuiles(
    dossier: Path,
    pbf: str,
    *,
    horaires: Path | None = None,
    avant: Callable[[Path], None] | None = None,
) -> dict[str, Any]:
    """Construire les tuiles de l'extrait et rendre la configuration de Valhalla.

    ``horaires`` est le dossier des flux GTFS dépliés ; ``avant`` les convertit, une fois la
    configuration écrite.
    """
    import valhalla

    (dossier / "tuiles").mkdir(parents=True, exist_ok=True)
    configuration = valhalla.get_config(tile_extract="", tile_dir=str(dossier / "tuiles"))
    if horaires is not None:
        (dossier / "transport").mkdir(exist_ok=True)
        configuration["mjolnir"]["transit_dir"] = str(dossier / "transport")
        configuration["mjolnir"]["transit_feeds_dir"] = str(horaires)
    fichier = dossier / "valhalla.json"
    fichier.write_text(json.dumps(configuration), encoding="utf-8")
    if avant is not None:
        avant(fichier)
    subprocess.run(
        [sys.executable, "-m", "valhalla", "valhalla_build_tiles", "-c", str(fichier), pbf],
        check=True,
        capture_output=True,
        env=environnement(),
    )
    return configuration


def mesurer(travail: dict[str, Any]) -> list[dict[str, Any]]:
    """Mesurer l'isochrone à 15 minutes depuis chaque origine."""
    import valhalla

    dossier = Path(travail["dossier"])
    debut = time.perf_counter()
    configuration = construire_tuiles(dossier / "valhalla", travail["pbf"])
    preparation = time.perf_counter() - debut
    moteur = valhalla.Actor(configuration)
    with np.load(dossier / "demandes.npz") as archive:
        positions = list(zip(archive["lon"].tolist(), archive["lat"].tolist(), strict=True))

    def tracer(position: tuple[float, float]) -> str:
        demande = {
            "locations": [{"lon": position[0], "lat": position[1]}],
            "costing": "pedestrian",
            "costing_options": {"pedestrian": {"walking_speed": travail["vitesse_kmh"]}},
            "contours": [{"time": travail["seuil_s"] / 60}],
            "polygons": True,
        }
        return str(moteur.isochrone(json.dumps(demande)))

    secondes, reponses = chronometrer(
        tracer, positions, repetitions=travail["repetitions"], chauffe=3
    )
    trouvees = sum('"Polygon"' in reponse for reponse in reponses)
    return [
        mesure(
            "isochrone",
            "pyvalhalla",
            secondes,
            preparation_s=preparation,
            controle=trouvees,
            unite_controle="polygones",
            version=version("pyvalhalla"),
        )
    ]


if __name__ == "__main__":
    executer(mesurer)

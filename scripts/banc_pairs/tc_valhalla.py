"""Mesure de Valhalla : isochrone multimodal de 30 minutes, minute de départ par minute.

Comme pour ferrobus, une heure de départ par requête : le temps médian est multiplié par le nombre
de départs. Valhalla rend alors autant de polygones, et aucun centile.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from isochrone_valhalla import construire_tuiles, environnement
from protocole import chronometrer, executer, mesure, version


def mesurer(travail: dict[str, Any]) -> list[dict[str, Any]]:
    """Construire les tuiles avec les horaires (à part), puis mesurer."""
    import valhalla

    dossier = Path(travail["dossier"]) / "valhalla-tc"
    debut = time.perf_counter()
    configuration = construire_tuiles(
        dossier, travail["pbf"], horaires=Path(travail["gtfs"][0]).parent, avant=convertir
    )
    preparation = time.perf_counter() - debut
    moteur = valhalla.Actor(configuration)
    with np.load(Path(travail["dossier"]) / "demandes_tc.npz") as archive:
        positions = np.column_stack([archive["origine_lon"], archive["origine_lat"]]).tolist()
    positions = positions[: travail["origines_pairs"]]
    minutes = np.linspace(0, travail["departs"] - 1, travail["departs_mesures"]).round().astype(int)
    cas = [(p, travail["debut_s"] // 60 + int(m)) for p in positions for m in minutes]

    def tracer(un_cas: tuple[list[float], int]) -> str:
        (lon, lat), minute = un_cas
        demande = {
            "locations": [{"lon": lon, "lat": lat}],
            "costing": "multimodal",
            "contours": [{"time": travail["seuil_s"] / 60}],
            "polygons": True,
            "date_time": {
                "type": 1,
                "value": f"{travail['jour']}T{minute // 60:02d}:{minute % 60:02d}",
            },
        }
        return str(moteur.isochrone(json.dumps(demande)))

    secondes, reponses = chronometrer(tracer, cas)
    return [
        mesure(
            "tc_isochrone",
            "pyvalhalla",
            secondes * travail["departs"],
            preparation_s=preparation,
            controle=sum('"Polygon"' in reponse for reponse in reponses),
            unite_controle="polygones",
            version=version("pyvalhalla"),
        )
    ]


def convertir(configuration: Path) -> None:
    """Faire des horaires GTFS des tuiles de transport."""
    for programme in ("valhalla_ingest_transit", "valhalla_convert_transit"):
        subprocess.run(
            [sys.executable, "-m", "valhalla", programme, "-c", str(configuration)],
            check=True,
            capture_output=True,
            env=environnement(),
        )


if __name__ == "__main__":
    executer(mesurer)

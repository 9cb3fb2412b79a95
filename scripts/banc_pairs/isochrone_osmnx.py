"""Mesure : l'isochrone à pied avec polygone de l'exemple d'osmnx (sous-graphe et tampons).

Méthode de l'exemple public « isochrones » d'osmnx : ``ego_graph`` de networkx sur le temps, tampon
de chaque noeud (50 m) et de chaque rue (25 m), union.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely
from protocole import chronometrer, executer, mesure, version

TAMPON_NOEUD_M = 50.0
TAMPON_RUE_M = 25.0


def lire_graphe(dossier: Path) -> nx.MultiDiGraph:
    """Multigraphe à la façon d'osmnx : coordonnées, temps et géométrie des rues."""
    with np.load(dossier / "rues.npz") as archive:
        a = {nom: archive[nom] for nom in archive.files}
    graphe = nx.MultiDiGraph()
    graphe.add_nodes_from(
        (i, {"x": x, "y": y}) for i, (x, y) in enumerate(zip(a["x"], a["y"], strict=True))
    )
    lignes = shapely.from_ragged_array(
        shapely.GeometryType.LINESTRING,
        np.column_stack([a["geometrie_x"], a["geometrie_y"]]),
        (a["geometrie_debut"],),
    )
    for depart, arrivee, temps in (
        (a["origine"], a["destination"], a["aller_s"]),
        (a["destination"], a["origine"], a["retour_s"]),
    ):
        ouvert = np.isfinite(temps)
        graphe.add_edges_from(
            (u, v, {"time": t, "geometry": g})
            for u, v, t, g in zip(
                depart[ouvert].tolist(),
                arrivee[ouvert].tolist(),
                temps[ouvert].tolist(),
                lignes[ouvert],
                strict=True,
            )
        )
    return graphe


def mesurer(travail: dict[str, Any]) -> list[dict[str, Any]]:
    """Mesurer le sous-graphe seul, puis avec le polygone."""
    dossier, seuil = Path(travail["dossier"]), float(travail["seuil_s"])
    graphe = lire_graphe(dossier)
    with np.load(dossier / "demandes.npz") as archive:
        origines = archive["origines"].tolist()

    def extraire(origine: int) -> nx.MultiDiGraph:
        return nx.ego_graph(graphe, origine, radius=seuil, distance="time")

    def tracer(origine: int) -> float:
        partie = extraire(origine)
        points = gpd.GeoSeries([shapely.Point(d["x"], d["y"]) for _, d in partie.nodes(data=True)])
        rues = gpd.GeoSeries([d["geometry"] for _, _, d in partie.edges(data=True)])
        formes = [*points.buffer(TAMPON_NOEUD_M), *rues.buffer(TAMPON_RUE_M)]
        return float(gpd.GeoSeries(formes).union_all().area)

    repetitions = travail["repetitions"]
    sous_graphe, parties = chronometrer(extraire, origines, repetitions=repetitions, chauffe=2)
    polygone, surfaces = chronometrer(tracer, origines, repetitions=1, chauffe=1)
    return [
        mesure(
            "voisinage",
            "osmnx (ego_graph)",
            sous_graphe,
            controle=sum(len(partie) for partie in parties),
            unite_controle="noeuds atteints",
            version=version("osmnx"),
        ),
        mesure(
            "isochrone",
            "osmnx (tampons)",
            polygone,
            controle=round(sum(surfaces) / len(surfaces) / 1e4, 1),
            unite_controle="hectares en moyenne",
            version=version("osmnx"),
        ),
    ]


if __name__ == "__main__":
    executer(mesurer)

"""Mesures des pairs sur un graphe de rues : voisinage à 15 minutes, plus proche de K lieux.

Le graphe arrive en tableaux (``graphe.npz``) ; sa construction dans chaque bibliothèque, et le
précalcul de pandana, sont hors chronomètre et rapportés à part.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from protocole import chronometrer, executer, mesure, version


class Rues:
    """Graphe commun et demandes, lus une fois."""

    def __init__(self, dossier: Path) -> None:
        with np.load(dossier / "graphe.npz") as archive:
            self.debut = archive["debut"]
            self.cible = archive["cible"]
            self.temps_s = archive["temps_s"]
            self.x, self.y = archive["x"], archive["y"]
        with np.load(dossier / "demandes.npz") as archive:
            self.origines = archive["origines"]
            self.lieux = {
                int(nom[6:]): archive[nom] for nom in archive.files if nom[:6] == "lieux_"
            }
        self.n = self.debut.size - 1
        self.source = np.repeat(np.arange(self.n), np.diff(self.debut))


def preparer_scipy(rues: Rues, seuil: float) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """``dijkstra(limit)`` et ``dijkstra(min_only)`` de scipy."""
    import scipy.sparse as sp
    from scipy.sparse.csgraph import dijkstra

    avant = sp.csr_array((rues.temps_s, rues.cible, rues.debut), shape=(rues.n, rues.n))
    inverse = avant.T.tocsr()

    def voisinage(origine: int) -> int:
        return int(np.isfinite(dijkstra(avant, indices=origine, limit=seuil)).sum())

    def plus_proche(lieux: Any) -> float:
        temps = dijkstra(inverse, indices=np.unique(lieux), limit=seuil, min_only=True)
        return float(temps[np.isfinite(temps)].sum())

    return voisinage, plus_proche


def preparer_networkx(rues: Rues, seuil: float) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Dijkstra borné de networkx."""
    import networkx as nx

    graphe = nx.DiGraph()
    graphe.add_nodes_from(range(rues.n))
    graphe.add_weighted_edges_from(
        zip(rues.source.tolist(), rues.cible.tolist(), rues.temps_s.tolist(), strict=True),
        weight="temps",
    )
    inverse = graphe.reverse()

    def voisinage(origine: int) -> int:
        return len(
            nx.single_source_dijkstra_path_length(
                graphe, int(origine), cutoff=seuil, weight="temps"
            )
        )

    def plus_proche(lieux: Any) -> float:
        temps = nx.multi_source_dijkstra_path_length(
            inverse, set(lieux.tolist()), cutoff=seuil, weight="temps"
        )
        return float(sum(temps.values()))

    return voisinage, plus_proche


def preparer_igraph(rues: Rues, seuil: float) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Distances d'igraph, qui ne se bornent pas ; plusieurs sources : un sommet de plus."""
    import igraph

    aretes = np.column_stack([rues.source, rues.cible])
    graphe = igraph.Graph(n=rues.n, edges=aretes, directed=True)

    def voisinage(origine: int) -> int:
        temps = np.asarray(graphe.distances(source=int(origine), weights=rues.temps_s)[0])
        return int((temps <= seuil).sum())

    def plus_proche(lieux: Any) -> float:
        uniques = np.unique(lieux)
        vers = np.column_stack([np.full(uniques.size, rues.n), uniques])
        inverse = igraph.Graph(
            n=rues.n + 1, edges=np.vstack([aretes[:, ::-1], vers]), directed=True
        )
        poids = np.concatenate([rues.temps_s, np.zeros(uniques.size)])
        temps = np.asarray(inverse.distances(source=rues.n, weights=poids)[0])[: rues.n]
        return float(temps[temps <= seuil].sum())

    return voisinage, plus_proche


def preparer_pandana(rues: Rues, seuil: float) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """``nodes_in_range`` et ``nearest_pois`` de pandana, après son précalcul."""
    import pandana
    import pandas as pd

    reseau = pandana.Network(
        pd.Series(rues.x),
        pd.Series(rues.y),
        pd.Series(rues.source),
        pd.Series(rues.cible.astype(np.int64)),
        pd.DataFrame({"temps": rues.temps_s}),
        twoway=False,
    )
    reseau.precompute(seuil)

    def voisinage(origine: int) -> int:
        return len(reseau.nodes_in_range([int(origine)], seuil))

    def plus_proche(lieux: Any) -> float:
        uniques = np.unique(lieux)
        reseau.set_pois("lieux", seuil, 1, pd.Series(rues.x[uniques]), pd.Series(rues.y[uniques]))
        temps = reseau.nearest_pois(seuil, "lieux", num_pois=1)[1].to_numpy()
        return float(temps[temps < seuil].sum())

    return voisinage, plus_proche


MOTEURS = {
    "scipy": preparer_scipy,
    "networkx": preparer_networkx,
    "igraph": preparer_igraph,
    "pandana": preparer_pandana,
}


def mesurer(travail: dict[str, Any]) -> list[dict[str, Any]]:
    """Mesurer un moteur sur le voisinage et le plus proche lieu."""
    moteur, seuil = travail["moteur"], float(travail["seuil_s"])
    rues = Rues(Path(travail["dossier"]))
    debut = time.perf_counter()
    voisinage, plus_proche = MOTEURS[moteur](rues, seuil)
    commun = {"preparation_s": time.perf_counter() - debut, "version": version(moteur)}
    secondes, tailles = chronometrer(
        voisinage, list(rues.origines), repetitions=travail["repetitions"], chauffe=3
    )
    mesures = [
        mesure(
            "voisinage",
            moteur,
            secondes,
            controle=int(sum(tailles)),
            unite_controle="noeuds atteints",
            **commun,
        )
    ]
    for nombre, categories in sorted(rues.lieux.items()):
        retenues = categories[: travail.get("categories_max", len(categories))]
        secondes, sommes = chronometrer(plus_proche, list(retenues), chauffe=1)
        # Chaque catégorie est une recherche : la médiane est ramenée aux 25.
        mesures.append(
            mesure(
                f"plus_proche_{nombre}",
                moteur,
                secondes * len(categories),
                controle=round(sum(sommes[: travail["categories_controle"]])),
                unite_controle="somme des temps (s)",
                **commun,
            )
        )
    return mesures


if __name__ == "__main__":
    executer(mesurer)

"""Mesures de ce programme en transport collectif : une origine, tous les départs de la fenêtre."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from protocole import chronometrer, executer, mesure

from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import rattacher_points
from accessibilite.transport.fenetre import options_tc
from accessibilite.transport.liaisons import construire_correspondances, rattacher_arrets
from accessibilite.transport.porte_a_porte import (
    construire_reseau_tc,
)
from accessibilite.transport.recherche import calculer_isochrones_tc, calculer_matrice_seuil_tc
from donnees_geo.configuration import lire_parametres
from donnees_geo.gtfs import courses_du_jour
from donnees_geo.territoire import charger_territoire


def mesurer(travail: dict[str, Any]) -> list[dict[str, Any]]:
    """Mesurer la matrice d'une origine à tous les carreaux, et l'isochrone de 30 minutes."""
    territoire = charger_territoire(Path(travail["territoire"]))
    if territoire.offre is None:
        raise SystemExit("territoire sans offre de transport")
    parametres = replace(
        lire_parametres(),
        fenetre_tc_debut_s=int(travail["debut_s"]),
        fenetre_tc_duree_s=int((travail["departs"] - 1) * 60),
    )
    debut = time.perf_counter()
    graphe = construire_graphe(territoire.reseau, construire_profil(parametres, "marche"))
    marche = rattacher_arrets(
        graphe,
        territoire.offre,
        marche_max_m=parametres.marche_max_tc_m,
        rattachement_max_m=parametres.rattachement_max_m,
    )
    reseau = construire_reseau_tc(
        courses_du_jour(territoire.offre, date.fromisoformat(travail["jour"])),
        construire_correspondances(marche, territoire.offre, parametres.embarquement_min_s),
        options_tc(parametres),
    )
    preparation = time.perf_counter() - debut
    with np.load(Path(travail["dossier"]) / "demandes_tc.npz") as archive:
        d = {nom: archive[nom] for nom in archive.files}
    destinations = rattacher_points(graphe, d["destination_x"], d["destination_y"])
    origines = rattacher_points(graphe, d["origine_x"], d["origine_y"])
    points = [origines.extraire(slice(i, i + 1)) for i in range(len(origines))]

    def matrice(depuis: Any) -> int:
        resultat = calculer_matrice_seuil_tc(
            reseau, marche, depuis, destinations, seuil_s=1800.0, centiles=[50.0]
        )
        # Le contrôle porte sur les origines que les pairs mesurent aussi, et, comme chez eux, sur
        # la moyenne des départs : c'est la somme des parts de départs sous le seuil.
        communes = resultat.part_seuil[: travail["origines_pairs"]]
        return int(np.nansum(communes) / len(communes))

    def isochrone(point: Any) -> float:
        seuils = [float(travail["seuil_s"])]
        return calculer_isochrones_tc(reseau, marche, point, seuils, "depuis")[0].surface_m2

    repetitions = travail["repetitions"]
    # La marche autour des destinations sert à toutes les origines : le temps est celui d'un lot,
    # ramené à une origine (les pairs, eux, rattachent les destinations hors chronomètre).
    lot = max(1, len(origines))
    temps_matrice, atteints = chronometrer(matrice, [origines], repetitions=repetitions)
    temps_isochrone, surfaces = chronometrer(isochrone, points, repetitions=repetitions)
    return [
        mesure(
            "tc_temps",
            "nous",
            temps_matrice / lot,
            preparation_s=preparation,
            controle=atteints[0],
            unite_controle="carreaux à 30 min ou moins (moyenne des départs)",
        ),
        mesure(
            "tc_isochrone",
            "nous",
            temps_isochrone,
            preparation_s=preparation,
            controle=round(sum(surfaces) / len(surfaces) / 1e4),
            unite_controle="hectares en moyenne",
        ),
    ]


if __name__ == "__main__":
    executer(mesurer)

"""Commande ``isochrone`` : la zone atteinte en un temps donné, en polygones ou en raster."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from donnees_geo.conventions import LIBELLES_MODES, Sens
from scripts.commandes.affichage import composer_tableau, nombre_fr, progression
from scripts.commandes.analyse import (
    ajouter_options_trajet,
    ajouter_parametres,
    fichier_sortie,
    liste_minutes,
    nombre_entre,
)
from scripts.commandes.sorties import exiger_dossier_parent
from scripts.commandes.trajets import (
    Deplacement,
    charger_deplacement,
    exiger_rattache,
    rattacher,
    refuser_options_tc,
)

if TYPE_CHECKING:
    from accessibilite.isochrones import Isochrone, OptionsTrace
    from accessibilite.rattachement import Rattachement

EXTENSIONS: Final = (".geojson", ".gpkg", ".tif")


def declarer(commandes: Any) -> None:
    """Ajouter la commande à l'analyseur."""
    analyseur = commandes.add_parser(
        "isochrone",
        help="tracer la zone atteinte en un temps donné",
        description="Trace la zone atteinte depuis un point (ou d'où on l'atteint) en un ou "
        "plusieurs temps.\nLes habitants sont comptés sur le réseau, pas dans les polygones.",
    )
    analyseur.add_argument("dossier", type=Path, metavar="DOSSIER", help="territoire préparé")
    analyseur.add_argument(
        "--lon", required=True, type=nombre_entre(-180, 180, "degrés"), help="longitude WGS 84"
    )
    analyseur.add_argument(
        "--lat", required=True, type=nombre_entre(-90, 90, "degrés"), help="latitude WGS 84"
    )
    analyseur.add_argument(
        "--minutes",
        required=True,
        type=liste_minutes,
        metavar="M[,M…]",
        help="seuils en minutes, comme 5,10,15",
    )
    analyseur.add_argument(
        "--sens",
        choices=("depuis", "vers"),
        default="depuis",
        help="depuis le point (par défaut) ou vers lui",
    )
    analyseur.add_argument(
        "--trous",
        choices=("gardes", "combles"),
        default="gardes",
        help="îlots non desservis : gardes vides (par défaut) ou combles",
    )
    analyseur.add_argument(
        "--sortie",
        required=True,
        type=fichier_sortie(*EXTENSIONS),
        metavar="F",
        help="fichier .geojson, .gpkg (polygones) ou .tif (temps en secondes)",
    )
    ajouter_options_trajet(analyseur, plusieurs_centiles=False)
    ajouter_parametres(analyseur)
    analyseur.set_defaults(executer=executer)


def executer(options: argparse.Namespace) -> int:
    """Tracer, écrire et résumer."""
    from accessibilite.isochrones import OptionsTrace, tracer_isochrones
    from accessibilite.portions import atteindre

    exiger_dossier_parent(options.sortie)
    refuser_options_tc(options)
    with progression("Isochrone", montrer=options.montrer) as avancer:
        avancer("chargement", 0.0)
        deplacement = charger_deplacement(options, options.mode)
        parametres = deplacement.parametres
        nom = ["le point demandé"]
        point = rattacher(deplacement, [options.lon], [options.lat], nom)
        exiger_rattache(point, options.mode, parametres.rattachement_max_m, nom)
        trace = OptionsTrace(
            tampon_m=parametres.tampon_isochrone_m,
            pas_m=parametres.pas_isochrone_m,
            pas_long_m=parametres.pas_isochrone_long_m,
            trous=options.trous,
        )
        seuils = [minutes * 60.0 for minutes in options.minutes]
        avancer("recherche", 0.5)
        portions, _ = atteindre(deplacement.graphe, point, seuils[-1], sens=options.sens)
        avancer("tracé", 0.7)
        isochrones = tracer_isochrones(deplacement.graphe, portions, seuils, trace)
        habitants = compter_habitants(deplacement, point, options.sens, seuils)
        avancer("écriture", 0.9)
        attributs = decrire(options, deplacement)
        _ecrire(options.sortie, deplacement, portions, isochrones, habitants, attributs, trace)
    print(f"Isochrones {LIBELLES_MODES[options.mode]} {options.sens} ({attributs['hypotheses']})")
    print(_resumer(isochrones, habitants))
    print(f"Écrit : {options.sortie}")
    return 0


def compter_habitants(
    deplacement: Deplacement, point: Rattachement, sens: Sens, seuils: list[float]
) -> list[float]:
    """Habitants atteints sous chaque seuil, d'après le temps de leur carreau sur le réseau.

    Returns
    -------
    list
        Une valeur par seuil ; NaN si le territoire n'a pas de population.
    """
    from accessibilite.dijkstra import calculer_plus_proche
    from accessibilite.rattachement import rattacher_points

    carreaux = deplacement.territoire.carreaux
    population = carreaux["population_hab"].to_numpy(dtype=float)
    if not np.isfinite(population).any():
        return [float("nan")] * len(seuils)
    demande = rattacher_points(
        deplacement.graphe,
        carreaux["x"].to_numpy(dtype=float),
        carreaux["y"].to_numpy(dtype=float),
        deplacement.parametres.rattachement_max_m,
    )
    temps = calculer_plus_proche(deplacement.graphe, demande, point, sens=sens).temps_s
    return [float(np.nansum(population[temps <= seuil])) for seuil in seuils]


def decrire(options: argparse.Namespace, deplacement: Deplacement) -> dict[str, object]:
    """Hypothèses écrites à côté de chaque polygone : une carte sans elles ne se relit pas."""
    profil = deplacement.graphe.profil
    if options.mode == "voiture":
        hypotheses = f"vitesses autorisées, temps × {nombre_fr(profil.facteur_congestion, 2)}"
    else:
        hypotheses = f"{nombre_fr(profil.vitesse_kmh, 1)} km/h"
        if profil.pente and options.mode == "marche":
            avec_relief = deplacement.territoire.reseau.geometrie_altitude_m is not None
            hypotheses += ", pente comptée" if avec_relief else ", sans relief"
    trous = "vides" if options.trous == "gardes" else "comblés"
    return {
        "territoire": deplacement.territoire.nom,
        "donnees_fictives": bool(deplacement.territoire.fictif),
        "mode": options.mode,
        "sens": options.sens,
        "lon": options.lon,
        "lat": options.lat,
        "hypotheses": f"{hypotheses}, îlots non desservis {trous}",
    }


def _ecrire(
    sortie: Path,
    deplacement: Deplacement,
    portions: Any,
    isochrones: list[Isochrone],
    habitants: list[float],
    attributs: dict[str, object],
    trace: OptionsTrace,
) -> None:
    from accessibilite.isochrones import calculer_raster
    from couches.export_raster import exporter_temps_raster
    from couches.export_vecteur import construire_table_isochrones, exporter_vecteur

    crs = deplacement.territoire.crs
    if sortie.suffix.lower() == ".tif":
        trame = calculer_raster(deplacement.graphe, portions, isochrones[-1].seuil_s, trace)
        exporter_temps_raster(trame, crs, sortie, {cle: str(v) for cle, v in attributs.items()})
        return
    table = construire_table_isochrones(isochrones, crs, attributs)
    par_seuil = {i.seuil_s: h for i, h in zip(isochrones, habitants, strict=True)}
    comptes = table["seuil_s"].map(par_seuil)
    exporter_vecteur(table.assign(population_hab=comptes), sortie, couche="isochrones")


def _resumer(isochrones: list[Isochrone], habitants: list[float]) -> str:
    return composer_tableau(
        ("minutes", "surface (km²)", "rues (km)", "habitants"),
        [
            (
                f"{isochrone.seuil_s / 60:g}",
                nombre_fr(isochrone.surface_m2 / 1e6, 2),
                nombre_fr(isochrone.longueur_m / 1e3, 1),
                nombre_fr(nombre) if np.isfinite(nombre) else "sans population",
            )
            for isochrone, nombre in zip(isochrones, habitants, strict=True)
        ],
        a_droite=(0, 1, 2, 3),
    )

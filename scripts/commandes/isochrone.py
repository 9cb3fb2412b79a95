"""Commande ``isochrone`` : la zone atteinte en un temps donné, en polygones ou en raster."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from donnees_geo.conventions import LIBELLES_MODES, ModeRue
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
from scripts.commandes.transport import (
    charger_transport,
    montrer_attentions,
    temps_des_carreaux,
)

if TYPE_CHECKING:
    import pandas as pd

    from accessibilite.rues.isochrones import Isochrone, OptionsTrace
    from accessibilite.rues.portions import Portions
    from accessibilite.rues.rattachement import Rattachement
    from donnees_geo.erreurs import Constat

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
    analyseur.add_argument(
        "--arrets",
        type=fichier_sortie(".csv"),
        metavar="F.csv",
        help="en transport collectif, écrire aussi les arrêts atteints, leurs temps et la part des "
        "départs sous chaque seuil",
    )
    ajouter_options_trajet(analyseur, plusieurs_centiles=False)
    ajouter_parametres(analyseur)
    analyseur.set_defaults(executer=executer)


@dataclass(frozen=True)
class Recherche:
    """Rues atteintes et temps des carreaux, quel que soit le mode.

    Attributes
    ----------
    deplacement
        Territoire, paramètres et graphe sur lequel les rues sont atteintes.
    portions
        Portions de rues atteintes au plus grand seuil.
    temps_carreaux_s
        float64[carreaux] ; ``inf`` inaccessible.
    hypotheses
        Vitesses, fenêtre, limites : une carte sans elles ne se relit pas.
    arrets
        Arrêts atteints, si on les a demandés.
    attentions
        Ce qu'il faut savoir du jour étudié en transport collectif.
    """

    deplacement: Deplacement
    portions: Portions
    temps_carreaux_s: NDArray[np.float64]
    hypotheses: str
    arrets: pd.DataFrame | None = None
    attentions: tuple[Constat, ...] = ()


def executer(options: argparse.Namespace) -> int:
    """Tracer, écrire et résumer."""
    from accessibilite.rues.isochrones import OptionsTrace, tracer_isochrones

    for fichier in (options.sortie, options.arrets):
        if fichier is not None:
            exiger_dossier_parent(fichier)
    seuils = [minutes * 60.0 for minutes in options.minutes]
    with progression("Isochrone", montrer=options.montrer) as avancer:
        avancer("recherche", 0.0)
        chercher = chercher_tc if options.mode == "tc" else chercher_rue
        recherche = chercher(options, seuils[-1])
        parametres = recherche.deplacement.parametres
        trace = OptionsTrace(
            tampon_m=parametres.tampon_isochrone_m,
            pas_m=parametres.pas_isochrone_m,
            pas_long_m=parametres.pas_isochrone_long_m,
            trous=options.trous,
        )
        avancer("tracé", 0.7)
        isochrones = tracer_isochrones(
            recherche.deplacement.graphe, recherche.portions, seuils, trace
        )
        habitants = compter_habitants(recherche, seuils)
        avancer("écriture", 0.9)
        attributs = decrire(options, recherche)
        _ecrire(options.sortie, recherche, isochrones, habitants, attributs, trace)
        if recherche.arrets is not None:
            ecrire_arrets(recherche.arrets, options.arrets)
    print(f"Isochrones {LIBELLES_MODES[options.mode]} {options.sens} le point")
    print(f"Hypothèses : {attributs['hypotheses']}")
    if recherche.deplacement.territoire.fictif:
        print("Données fictives : ce territoire n'existe pas.")
    montrer_attentions(recherche.attentions)
    print(_resumer(isochrones, habitants))
    if recherche.arrets is not None:
        print(f"{nombre_fr(len(recherche.arrets))} arrêt(s) atteint(s) par un départ au moins.")
    print(f"Écrit : {options.sortie}" + (f", {options.arrets}" if options.arrets else ""))
    return 0


def chercher_rue(options: argparse.Namespace, limite_s: float) -> Recherche:
    """Rues et carreaux atteints à pied, à vélo ou en voiture."""
    from accessibilite.rues.dijkstra import calculer_plus_proche
    from accessibilite.rues.portions import atteindre

    refuser_options_tc(options)
    deplacement = charger_deplacement(options, options.mode)
    point = _rattacher_point(options, deplacement, options.mode)
    portions, _ = atteindre(deplacement.graphe, point, limite_s, sens=options.sens)
    demande = rattacher_carreaux(deplacement)
    temps = calculer_plus_proche(deplacement.graphe, demande, point, sens=options.sens).temps_s
    return Recherche(deplacement, portions, temps, decrire_profil(deplacement))


def chercher_tc(options: argparse.Namespace, limite_s: float) -> Recherche:
    """Rues et carreaux atteints en transport collectif, au centile demandé."""
    from accessibilite.transport.arrets import calculer_arrets_atteints
    from accessibilite.transport.recherche import calculer_portions_tc

    pret = charger_transport(options, duree_min_s=limite_s)
    point = _rattacher_point(options, pret.deplacement, "marche")
    velo = pret.rattacher_velo([options.lon], [options.lat])
    portions = calculer_portions_tc(
        pret.reseau, pret.marche, point, limite_s, options.sens, centile=pret.centiles[0], velo=velo
    )
    demande = rattacher_carreaux(pret.deplacement)
    carreaux = pret.deplacement.territoire.carreaux
    # Le vélo sert du côté du départ : le point, ou les carreaux quand on va vers lui.
    departs = velo
    if options.sens == "vers":
        departs = pret.rattacher_velo_m(
            carreaux["x"].to_numpy(dtype=float), carreaux["y"].to_numpy(dtype=float)
        )
    temps = temps_des_carreaux(pret, point, demande, options.sens, departs)
    offre = pret.deplacement.territoire.offre
    arrets = None
    if options.arrets is not None and offre is not None:
        arrets = calculer_arrets_atteints(
            pret.reseau,
            pret.marche,
            offre,
            point,
            [minutes * 60.0 for minutes in options.minutes],
            options.sens,
            centiles=pret.deplacement.parametres.centiles_tc,
            velo=velo,
        )
    return Recherche(pret.deplacement, portions, temps, pret.hypotheses, arrets, pret.constats)


def ecrire_arrets(arrets: pd.DataFrame, sortie: Path) -> None:
    """Écrire les arrêts atteints (UTF-8, virgule, point) ; un temps infini laisse la case vide."""
    from donnees_geo.ecriture import ecrire_atomique

    temps = [c for c in arrets.columns if c.startswith("secondes_")]
    table = arrets.assign(**{c: arrets[c].where(np.isfinite(arrets[c])) for c in temps})
    with ecrire_atomique(sortie) as provisoire:
        table.to_csv(
            provisoire, index=False, encoding="utf-8", lineterminator="\n", float_format="%.7g"
        )


def _rattacher_point(
    options: argparse.Namespace, deplacement: Deplacement, mode: ModeRue
) -> Rattachement:
    nom = ["le point demandé"]
    point = rattacher(deplacement, [options.lon], [options.lat], nom)
    exiger_rattache(point, mode, deplacement.parametres.rattachement_max_m, nom)
    return point


def rattacher_carreaux(deplacement: Deplacement) -> Rattachement:
    """Rattacher les points de demande des carreaux."""
    from accessibilite.rues.rattachement import rattacher_points

    carreaux = deplacement.territoire.carreaux
    return rattacher_points(
        deplacement.graphe,
        carreaux["x"].to_numpy(dtype=float),
        carreaux["y"].to_numpy(dtype=float),
        deplacement.parametres.rattachement_max_m,
    )


def compter_habitants(recherche: Recherche, seuils_s: list[float]) -> list[float]:
    """Habitants atteints sous chaque seuil, d'après le temps de leur carreau sur le réseau.

    Returns
    -------
    list
        Une valeur par seuil ; NaN si le territoire n'a pas de population.
    """
    carreaux = recherche.deplacement.territoire.carreaux
    population = carreaux["population_hab"].to_numpy(dtype=float)
    if not np.isfinite(population).any():
        return [float("nan")] * len(seuils_s)
    temps = recherche.temps_carreaux_s
    return [float(np.nansum(population[temps <= seuil])) for seuil in seuils_s]


def decrire_profil(deplacement: Deplacement) -> str:
    """Vitesse et pente d'un mode de rue, en une phrase."""
    profil = deplacement.graphe.profil
    if profil.mode == "voiture":
        return f"vitesses autorisées, temps × {nombre_fr(profil.facteur_congestion, 2)}"
    phrase = f"{nombre_fr(profil.vitesse_kmh, 1)} km/h"
    if profil.pente and profil.mode == "marche":
        avec_relief = deplacement.territoire.reseau.geometrie_altitude_m is not None
        phrase += ", pente comptée" if avec_relief else ", sans relief"
    return phrase


def decrire(options: argparse.Namespace, recherche: Recherche) -> dict[str, object]:
    """Colonnes écrites à côté de chaque polygone."""
    territoire = recherche.deplacement.territoire
    trous = "vides" if options.trous == "gardes" else "comblés"
    return {
        "territoire": territoire.nom,
        "donnees_fictives": bool(territoire.fictif),
        "mode": options.mode,
        "sens": options.sens,
        "lon": options.lon,
        "lat": options.lat,
        "hypotheses": f"{recherche.hypotheses}, îlots non desservis {trous}",
    }


def _ecrire(
    sortie: Path,
    recherche: Recherche,
    isochrones: list[Isochrone],
    habitants: list[float],
    attributs: dict[str, object],
    trace: OptionsTrace,
) -> None:
    graphe, crs = recherche.deplacement.graphe, recherche.deplacement.territoire.crs
    if sortie.suffix.lower() == ".tif":
        from accessibilite.rues.isochrones import calculer_raster
        from couches.sig.export_raster import exporter_temps_raster

        trame = calculer_raster(graphe, recherche.portions, isochrones[-1].seuil_s, trace)
        exporter_temps_raster(trame, crs, sortie, {cle: str(v) for cle, v in attributs.items()})
        return
    from couches.sig.export_vecteur import construire_table_isochrones, exporter_vecteur

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

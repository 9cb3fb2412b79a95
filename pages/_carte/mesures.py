"""Isochrones et comptages d'un clic, partagés entre l'image et les chiffres."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from accessibilite.atteinte import (
    Atteinte,
    lire_temps_points,
    mesurer_atteinte,
    resumer_atteinte,
)
from accessibilite.rues.graphe import Graphe
from accessibilite.rues.isochrones import Isochrone, OptionsTrace, tracer_isochrones
from accessibilite.rues.portions import atteindre, calculer_portions
from accessibilite.rues.rattachement import Rattachement, rattacher_points
from accessibilite.transport.recherche import calculer_temps_noeuds_tc
from couches.ecran.isochrones_web import decrire_bandes
from couches.ecran.mercator import depuis_degres
from donnees_geo.conventions import LIBELLES_MODES, ModeRue
from donnees_geo.erreurs import ErreurReseau
from pages._carte.demandes import DemandeIsochrone
from pages._commun.partage import Partage


@dataclass(frozen=True)
class Mesure:
    """Résultat d'un clic.

    Attributes
    ----------
    geojson
        Bandes pour le navigateur.
    atteinte
        Habitants et services comptés sur le réseau.
    surfaces_m2
        Surface dessinée de chaque bande.
    duree_s
        Temps de calcul, secondes.
    """

    geojson: str
    atteinte: Atteinte
    surfaces_m2: tuple[float, ...]
    duree_s: float


def mesurer(partage: Partage, demande: DemandeIsochrone) -> Mesure:
    """Isochrone et comptage d'une demande ; la même n'est calculée qu'une fois.

    Raises
    ------
    ErreurReseau
        Aucun point n'est près d'une rue praticable.
    ErreurConfiguration
        Mode que ce territoire ne permet pas.
    """
    return partage.objets.obtenir(("mesure", demande), lambda: _mesurer(partage, demande))


def _mesurer(partage: Partage, demande: DemandeIsochrone) -> Mesure:
    debut = time.perf_counter()
    p = partage.parametres
    seuils = [60.0 * m for m in demande.minutes]
    options = OptionsTrace(p.tampon_isochrone_m, p.pas_isochrone_m, p.pas_isochrone_long_m)
    mode: ModeRue = "marche" if demande.mode == "tc" else demande.mode
    graphe = partage.graphe(mode)
    origines = _rattacher(partage, graphe, demande, mode)
    portions, noeuds = atteindre(graphe, origines, seuils[-1], sens=demande.sens)
    atteinte = mesurer_atteinte(
        graphe, partage.cibles(mode), origines, seuils, sens=demande.sens, noeuds=noeuds
    )
    if demande.mode == "tc":
        bandes, atteinte = _mesurer_tc(partage, demande, origines, atteinte, options)
    else:
        bandes = tracer_isochrones(graphe, portions, seuils, options)
    return Mesure(
        geojson=decrire_bandes(bandes, partage.territoire.crs),
        atteinte=atteinte,
        surfaces_m2=tuple(b.surface_m2 for b in bandes),
        duree_s=time.perf_counter() - debut,
    )


def _rattacher(
    partage: Partage, graphe: Graphe, demande: DemandeIsochrone, mode: ModeRue
) -> Rattachement:
    limite_m = partage.parametres.rattachement_max_m
    xy = np.array([depuis_degres(lon, lat, partage.territoire.crs) for lon, lat in demande.points])
    origines = rattacher_points(graphe, xy[:, 0], xy[:, 1], limite_m)
    if not origines.rattaches.any():
        raise ErreurReseau(
            f"Aucune rue praticable {LIBELLES_MODES[mode]} à moins de {limite_m:.0f} m "
            "de ce point.",
            conseil="cliquez plus près d’une rue",
        )
    return origines


def _mesurer_tc(
    partage: Partage,
    demande: DemandeIsochrone,
    origines: Rattachement,
    a_pied: Atteinte,
    options: OptionsTrace,
) -> tuple[list[Isochrone], Atteinte]:
    """Isochrone et comptage en transport collectif, ou à pied où la marche est plus rapide."""
    reseau, marche = partage.transport(demande.jour)
    seuils = a_pied.seuils_s
    centile = partage.parametres.centile_tc
    (noeuds,) = calculer_temps_noeuds_tc(
        reseau, marche, origines, demande.sens, centiles=[centile], limite_s=seuils[-1]
    )
    portions = calculer_portions(
        marche.graphe, noeuds, seuils[-1], sens=demande.sens, sources=origines
    )
    cibles = partage.cibles("marche")
    carreaux, acces = (
        np.minimum(lire_temps_points(marche.graphe, noeuds.temps_s, points, demande.sens), direct)
        for points, direct in (
            (cibles.carreaux, a_pied.temps_carreaux_s),
            (cibles.acces, a_pied.temps_acces_s),
        )
    )
    return (
        tracer_isochrones(marche.graphe, portions, seuils, options),
        resumer_atteinte(cibles, carreaux, acces, seuils),
    )

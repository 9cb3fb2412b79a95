"""Isochrones et comptages d'un clic, partagés entre l'image et les chiffres."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from accessibilite.atteinte import Atteinte, mesurer_atteinte
from accessibilite.isochrones import Isochrone, OptionsTrace, calculer_isochrones
from accessibilite.rattachement import rattacher_points
from couches.isochrones_web import decrire_bandes
from couches.mercator import depuis_degres
from donnees_geo.conventions import LIBELLES_MODES, ModeRue
from donnees_geo.erreurs import ErreurConfiguration, ErreurReseau
from pages._commun.demandes import DemandeIsochrone
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
    if demande.mode == "tc":
        raise ErreurConfiguration(
            "L'isochrone en transport collectif n'est pas disponible sur ce territoire.",
            objet="mode",
        )
    mode: ModeRue = demande.mode
    graphe = partage.graphe(mode)
    xy = np.array([depuis_degres(lon, lat, partage.territoire.crs) for lon, lat in demande.points])
    origines = rattacher_points(graphe, xy[:, 0], xy[:, 1], partage.parametres.rattachement_max_m)
    if not origines.rattaches.any():
        raise ErreurReseau(
            f"Aucune rue praticable {LIBELLES_MODES[mode]} à moins de "
            f"{partage.parametres.rattachement_max_m:.0f} m de ce point.",
            conseil="cliquez plus près d'une rue",
        )
    seuils = [60.0 * m for m in demande.minutes]
    p = partage.parametres
    options = OptionsTrace(p.tampon_isochrone_m, p.pas_isochrone_m, p.pas_isochrone_long_m)
    bandes: list[Isochrone] = calculer_isochrones(
        graphe, origines, seuils, sens=demande.sens, options=options
    )
    atteinte = mesurer_atteinte(graphe, partage.cibles(mode), origines, seuils, sens=demande.sens)
    return Mesure(
        geojson=decrire_bandes(bandes, partage.territoire.crs),
        atteinte=atteinte,
        surfaces_m2=tuple(b.surface_m2 for b in bandes),
        duree_s=time.perf_counter() - debut,
    )

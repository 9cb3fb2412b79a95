"""Arrêts atteints depuis un point (ou d'où on l'atteint) sur toute une fenêtre de départ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from accessibilite.rues.dijkstra import calculer_plus_proche
from accessibilite.rues.rattachement import Rattachement
from accessibilite.transport.fenetre import CENTILES
from accessibilite.transport.liaisons import MarcheTc, en_secondes, fusionner_liens, lier_points
from accessibilite.transport.porte_a_porte import (
    LiensArrets,
    ReseauTc,
    chercher_profil,
    evaluer_acces,
)
from accessibilite.transport.rabattement_velo import OriginesVelo
from accessibilite.transport.recherche import rejoindre_arrets
from donnees_geo.conventions import Sens
from donnees_geo.gtfs import OffreTransport


def calculer_arrets_atteints(
    reseau: ReseauTc,
    marche: MarcheTc,
    offre: OffreTransport,
    point: Rattachement,
    seuils_s: Sequence[float],
    sens: Sens,
    *,
    centiles: Sequence[float] = CENTILES,
    velo: OriginesVelo | None = None,
) -> pd.DataFrame:
    """Temps de chaque arrêt depuis un point, et part des départs sous chaque seuil.

    Un arrêt est atteint en y descendant, ou à pied (du point, ou d'un autre arrêt) : c'est le temps
    porte à porte de son emplacement.

    Parameters
    ----------
    reseau
        Réseau de la fenêtre.
    marche
        Graphe de la marche et arrêts rattachés.
    offre
        Offre de transport.
    point
        Point rattaché au graphe de la marche.
    seuils_s
        Seuils, s.
    sens
        ``depuis`` le point ou ``vers`` lui.
    centiles
        Centiles voulus.
    velo
        Le même point, pour rejoindre aussi les gares à vélo (sans effet vers lui).

    Returns
    -------
    pandas.DataFrame
        Une ligne par arrêt atteint par un départ au moins sous le plus grand seuil, rangée par
        temps : ``arret``, ``nom``, ``lon``, ``lat``, ``secondes_p5``… (``inf`` si ce centile des
        départs n'aboutit pas) et ``part_15min``…, de 0 à 1.
    """
    n = offre.nombre_arrets
    acces_s = rejoindre_arrets(marche, point, sens, velo)
    profil = chercher_profil(reseau, acces_s, sens)
    # Un arrêt qu'aucune rue n'approche n'est relié qu'à lui-même.
    soi = LiensArrets(
        np.arange(n + 1, dtype=np.int64), np.arange(n, dtype=np.int32), np.zeros(n, np.int32)
    )
    liens = fusionner_liens(soi, lier_points(marche, marche.arrets, sens))
    a_pied = calculer_plus_proche(
        marche.graphe, marche.arrets, point, sens=sens, limite_s=reseau.options.duree_max_s
    )
    directe = np.minimum(en_secondes(a_pied.temps_s), acces_s)
    acces = [
        evaluer_acces(reseau, profil, liens, directe, sens, seuil_s=s, centiles=centiles)
        for s in seuils_s
    ]
    table = offre.arrets[["arret", "nom", "lon", "lat"]].copy()
    for i, centile in enumerate(centiles):
        table[f"secondes_p{centile:g}"] = acces[0].temps_s[:, i]
    for seuil, resume in zip(seuils_s, acces, strict=True):
        table[f"part_{seuil / 60:g}min"] = resume.part_seuil
    atteints = acces[int(np.argmax(seuils_s))].part_seuil > 0
    cles = [f"secondes_p{c:g}" for c in sorted(centiles)]
    return table[atteints].sort_values([*cles, "arret"], ignore_index=True)

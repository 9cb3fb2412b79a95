"""Choix offert en transport collectif, dans la forme de celui des modes de rue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.bilans.choix import ChoixMode
from accessibilite.rues.graphe import Graphe
from accessibilite.transport.acces import LieuxTransport
from accessibilite.transport.choix import LieuxService, calculer_choix_lieux
from accessibilite.transport.liaisons import en_secondes
from donnees_geo.configuration import Parametres
from donnees_geo.gtfs import OffreTransport, courses_du_jour


def calculer_choix_transport(
    offre: OffreTransport,
    jour: date,
    graphe_marche: Graphe,
    parametres: Parametres,
    tables: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
    choix_marche: ChoixMode,
    services: Sequence[str],
    *,
    progression: Callable[[str, float], None] | None = None,
) -> ChoixMode:
    """Temps des k plus proches lieux de quelques services, à l'aller, au centile de l'étude.

    Le premier est le temps du diagnostic (aller simple).

    Parameters
    ----------
    offre, jour
        Offre de transport et jour étudié.
    graphe_marche
        Graphe de la marche.
    parametres
        Fenêtre, centile et limites.
    tables
        Carreaux, équipements et points d'accès du territoire.
    choix_marche
        Choix à pied, qui donne k et les services ; un lieu s'atteint aussi en marchant.
    services
        Services voulus.
    progression
        Rappel ``(étape, part faite)``.

    Returns
    -------
    ChoixMode
        Services de ``choix_marche`` ; NaN pour ceux qui ne sont pas voulus ou n'ont aucun
        équipement. ``equipement`` vaut -1 : il change d'un départ à l'autre.

    Raises
    ------
    ErreurDonnees
        Jour hors du calendrier de l'offre.
    """
    lieux = LieuxTransport(offre, graphe_marche, parametres, *tables)
    reseau = lieux.construire_reseau(
        courses_du_jour(offre, jour), int(parametres.fenetre_tc_debut_s)
    )
    colonnes = [
        c
        for c, service in enumerate(choix_marche.services)
        if service in services and lieux.points_du_service(service).size
    ]
    temps = np.full(choix_marche.temps_s.shape, np.nan)
    trouves = calculer_choix_lieux(
        reseau,
        lieux.lier("vers"),
        [_lieux_du_service(lieux, choix_marche, c) for c in colonnes],
        centile=parametres.centile_tc,
        progression=progression,
    )
    for colonne, trouve in zip(colonnes, trouves, strict=True):
        temps[:, colonne] = trouve
    temps[~lieux.rattaches] = np.nan
    return ChoixMode(choix_marche.services, temps, np.full(temps.shape, -1, dtype=np.int32))


def _lieux_du_service(lieux: LieuxTransport, choix: ChoixMode, colonne: int) -> LieuxService:
    """Marche entre les arrêts et chaque équipement d'un service, et marches de bout en bout."""
    points = lieux.points_du_service(choix.services[colonne])
    equipement = lieux.equipement_des(points)
    distincts = np.unique(equipement)
    marche = np.stack([lieux.marcher(points[equipement == e], "vers") for e in distincts])
    proches: NDArray[np.int32] = choix.equipement[:, colonne]
    rang = np.searchsorted(distincts, proches).astype(np.int32)
    return LieuxService(
        marche_arrets_s=marche,
        marche_s=en_secondes(np.nan_to_num(choix.temps_s[:, colonne], nan=np.inf)),
        marche_lieu=np.where(proches >= 0, rang, -1).astype(np.int32),
    )

"""Rejoindre les gares à vélo : du domicile à la gare le matin, de la gare au domicile le soir.

Le vélo est laissé à la gare : il ne sert que du côté du domicile (l'origine d'un aller, l'arrivée
d'un retour), et la marche reste permise. Ajouter le vélo ne rallonge donc jamais un trajet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from accessibilite.rues.dijkstra import calculer_plus_proche
from accessibilite.rues.graphe import Graphe, construire_graphe
from accessibilite.rues.matrices import calculer_liens
from accessibilite.rues.profils import KMH_EN_M_S, construire_profil
from accessibilite.rues.rattachement import Rattachement, rattacher_points
from accessibilite.transport.liaisons import en_secondes, transposer_liens
from accessibilite.transport.porte_a_porte import LiensArrets
from donnees_geo.configuration import Parametres
from donnees_geo.conventions import Sens
from donnees_geo.gtfs import OffreTransport
from donnees_geo.reseau import ReseauRues

#: Modes dont les arrêts se rejoignent à vélo.
MODES_RABATTEMENT: Final = ("train",)


@dataclass(frozen=True)
class RabattementVelo:
    """Gares joignables à vélo.

    Attributes
    ----------
    graphe
        Graphe du vélo.
    gares
        Arrêts de l'offre, dans l'ordre de ``offre.arrets``, rattachés au graphe du vélo ; seuls
        ceux d'un mode du rabattement le sont.
    distance_max_m
        Distance maximale à vélo, m.
    """

    graphe: Graphe
    gares: Rattachement
    distance_max_m: float

    @property
    def limite_s(self) -> float:
        """Temps de vélo correspondant, à plat."""
        return self.distance_max_m / (self.graphe.profil.vitesse_kmh * KMH_EN_M_S)


class OriginesVelo(NamedTuple):
    """Points d'où l'on part (ou où l'on rentre) à vélo.

    Attributes
    ----------
    rabattement
        Gares joignables.
    points
        Les mêmes points que ceux rattachés à la marche, dans le même ordre, rattachés au graphe du
        vélo.
    """

    rabattement: RabattementVelo
    points: Rattachement

    def extraire(self, indices: NDArray[np.intp] | NDArray[np.bool_] | slice) -> OriginesVelo:
        """Sous-ensemble des points, dans l'ordre demandé."""
        return OriginesVelo(self.rabattement, self.points.extraire(indices))


def construire_rabattement(
    reseau: ReseauRues, offre: OffreTransport, parametres: Parametres
) -> RabattementVelo:
    """Graphe du vélo et gares qui s'y rattachent, d'après les paramètres de l'étude.

    Parameters
    ----------
    reseau
        Réseau de rues du territoire.
    offre
        Offre de transport, dans le CRS du réseau.
    parametres
        Vitesse à vélo, ``rabattement_velo_max_m`` et ``rattachement_max_m``.

    Raises
    ------
    ErreurReseau
        Aucune rue praticable à vélo.
    """
    graphe = construire_graphe(
        reseau, construire_profil(parametres, "velo"), parametres.composante_min_noeuds
    )
    return rattacher_gares(
        graphe,
        offre,
        distance_max_m=parametres.rabattement_velo_max_m,
        rattachement_max_m=parametres.rattachement_max_m,
    )


def rattacher_gares(
    graphe_velo: Graphe,
    offre: OffreTransport,
    *,
    distance_max_m: float,
    rattachement_max_m: float,
    modes: Sequence[str] = MODES_RABATTEMENT,
) -> RabattementVelo:
    """Rattacher au graphe du vélo les arrêts où passe au moins une course d'un des modes.

    Parameters
    ----------
    graphe_velo
        Graphe du vélo.
    offre
        Offre de transport.
    distance_max_m
        Distance maximale à vélo, m.
    rattachement_max_m
        Distance au-delà de laquelle un arrêt n'est relié à aucune rue, m.
    modes
        Modes du rabattement.
    """
    ligne = offre.courses["ligne"].to_numpy()[
        np.repeat(np.arange(offre.nombre_courses), np.diff(offre.passage_debut))
    ]
    du_mode = offre.lignes["mode"].isin(modes).to_numpy()[ligne]
    garde = np.zeros(offre.nombre_arrets, dtype=bool)
    garde[offre.passage_arret[du_mode]] = True
    garde &= offre.arrets["dans_emprise"].to_numpy()
    gares = rattacher_points(
        graphe_velo,
        np.where(garde, offre.arrets["x"].to_numpy(), np.nan),
        np.where(garde, offre.arrets["y"].to_numpy(), np.nan),
        distance_max_m=rattachement_max_m,
    )
    return RabattementVelo(graphe_velo, gares, float(distance_max_m))


def lier_points_a_velo(origines: OriginesVelo, sens: Sens = "vers") -> LiensArrets:
    """Vélo entre des points et les gares à portée, une ligne par point.

    À réunir aux liens à pied par :func:`accessibilite.transport.liaisons.fusionner_liens`.

    Parameters
    ----------
    origines
        Points rattachés au graphe du vélo.
    sens
        ``vers`` : du point aux gares ; ``depuis`` : des gares au point (retour).
    """
    r = origines.rabattement
    if sens == "vers":
        liens = calculer_liens(r.graphe, origines.points, r.gares, limite_s=r.limite_s)
        return LiensArrets(liens.debut, liens.cible, en_secondes(liens.temps_s))
    liens = calculer_liens(r.graphe, r.gares, origines.points, limite_s=r.limite_s)
    return transposer_liens(liens, len(origines.points))


def rouler_entre_gares_et_lieu(origines: OriginesVelo, sens: Sens) -> NDArray[np.int32]:
    """Vélo entre chaque arrêt et le plus proche des points d'un lieu, int32[a].

    ``INFINI_S`` pour un arrêt qui n'est pas une gare ou est hors de portée.

    Parameters
    ----------
    origines
        Points du lieu, rattachés au graphe du vélo.
    sens
        ``depuis`` le lieu (du domicile à la gare) ou ``vers`` lui.
    """
    r = origines.rabattement
    plus_proche = calculer_plus_proche(
        r.graphe, r.gares, origines.points, sens=sens, limite_s=r.limite_s
    )
    return en_secondes(plus_proche.temps_s)

"""Accès des carreaux aux services en transport collectif, sur toute une fenêtre de départ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from accessibilite.rues.graphe import Graphe
from accessibilite.rues.rattachement import rattacher_points
from accessibilite.rues.services import AccesMode
from accessibilite.transport.fenetre import options_tc
from accessibilite.transport.horaires import PassagesDuJour
from accessibilite.transport.liaisons import (
    construire_correspondances,
    en_secondes,
    fusionner_liens,
    lier_points,
    marcher_entre_arrets_et_lieu,
    rattacher_arrets,
)
from accessibilite.transport.porte_a_porte import (
    AccesTc,
    DemandeService,
    LiensArrets,
    ReseauTc,
    calculer_acces_services,
    construire_reseau_tc,
)
from accessibilite.transport.rabattement_velo import (
    OriginesVelo,
    construire_rabattement,
    lier_points_a_velo,
)
from donnees_geo.configuration import Parametres
from donnees_geo.conventions import Sens
from donnees_geo.gtfs import OffreTransport, courses_du_jour

Progression = Callable[[str, float], None]
TC: Final = "tc"


@dataclass(frozen=True)
class AccesTransport:
    """Accès en transport collectif d'un jour, aller ou aller-retour.

    Attributes
    ----------
    mode
        Temps retenus (centile de l'étude) ; en aller-retour, le plus long des deux trajets.
        L'équipement est le plus proche par la rue : un trajet en transport collectif vise celui
        qu'un horaire rapproche, qui change d'une minute à l'autre.
    jour
        Jour étudié.
    centiles
        Centile → float32[carreaux, services], secondes, à l'aller.
    part_seuil
        float32[carreaux, services], part des départs de l'aller qui aboutissent sous le seuil du
        palier, de 0 à 1 ; NaN sans donnée.
    retour_s
        float32[carreaux, services], temps du retour au centile de l'étude, ``None`` à l'aller seul.
    """

    mode: AccesMode
    jour: date
    centiles: dict[float, NDArray[np.float32]]
    part_seuil: NDArray[np.float32]
    retour_s: NDArray[np.float32] | None


def calculer_acces_transport(
    offre: OffreTransport,
    jour: date,
    graphe_marche: Graphe,
    parametres: Parametres,
    carreaux: pd.DataFrame,
    equipements: pd.DataFrame,
    points_acces: pd.DataFrame,
    acces_marche: AccesMode,
    seuils_s: Sequence[float],
    *,
    aller_retour: bool = False,
    progression: Progression | None = None,
) -> AccesTransport:
    """Temps porte à porte de chaque carreau au plus proche équipement de chaque service.

    Toutes les minutes de la fenêtre comptent ; la marche de bout en bout l'emporte quand elle est
    plus rapide, sans autre limite que la durée maximale, si bien que le transport collectif n'est
    jamais plus lent que la marche. Avec ``parametres.rabattement_velo``, les gares se rejoignent
    aussi à vélo, du côté du domicile, à l'aller comme au retour.

    Parameters
    ----------
    offre, jour
        Offre de transport et jour étudié.
    graphe_marche
        Graphe de la marche.
    parametres
        Fenêtre, centiles et limites.
    carreaux, equipements, points_acces
        Tables du territoire.
    acces_marche
        Accès à pied aux mêmes services (marche de bout en bout).
    seuils_s
        Seuil de chaque service.
    aller_retour
        Exiger aussi le retour, fenêtre ``fenetre_tc_retour_debut_s``.
    progression
        Rappel ``(étape, part faite)``.

    Raises
    ------
    ErreurDonnees
        Jour hors du calendrier de l'offre.
    ErreurReseau
        Rabattement à vélo demandé, et aucune rue praticable à vélo.
    """
    lieux = LieuxTransport(offre, graphe_marche, parametres, carreaux, equipements, points_acces)
    courses = courses_du_jour(offre, jour)

    def balayer(sens: Sens, debut_s: int) -> list[AccesTc | None]:
        reseau = lieux.construire_reseau(courses, debut_s)
        return lieux.balayer(
            reseau, sens, acces_marche, seuils_s, parametres.centiles_tc, progression
        )

    aller = balayer("vers", parametres.fenetre_tc_debut_s)
    centile = parametres.centile_tc
    temps = lieux.empiler(aller, partial(AccesTc.centile, valeur=centile))
    retour = None
    if aller_retour:
        soir = balayer("depuis", parametres.fenetre_tc_retour_debut_s)
        retour = lieux.empiler(soir, partial(AccesTc.centile, valeur=centile))
    return AccesTransport(
        mode=AccesMode(
            services=acces_marche.services,
            temps_s=(temps if retour is None else np.maximum(temps, retour)).astype(np.float64),
            equipement=acces_marche.equipement,
            carreaux_non_rattaches=acces_marche.carreaux_non_rattaches,
            points_non_rattaches=acces_marche.points_non_rattaches,
        ),
        jour=jour,
        centiles={
            c: lieux.empiler(aller, partial(AccesTc.centile, valeur=c))
            for c in parametres.centiles_tc
        },
        part_seuil=lieux.empiler(aller, lambda a: a.part_seuil),
        retour_s=retour,
    )


class LieuxTransport:
    """Arrêts, carreaux et équipements rattachés à la marche, pour toutes les fenêtres d'un jour.

    Parameters
    ----------
    offre
        Offre de transport.
    graphe_marche
        Graphe de la marche.
    parametres
        Limites ; avec ``rabattement_velo``, les gares se rejoignent aussi à vélo.
    carreaux, equipements, points_acces
        Tables du territoire.

    Raises
    ------
    ErreurReseau
        Rabattement à vélo demandé, et aucune rue praticable à vélo.
    """

    def __init__(
        self,
        offre: OffreTransport,
        graphe_marche: Graphe,
        parametres: Parametres,
        carreaux: pd.DataFrame,
        equipements: pd.DataFrame,
        points_acces: pd.DataFrame,
    ) -> None:
        distance = parametres.rattachement_max_m
        self._parametres = parametres
        self._marche = rattacher_arrets(
            graphe_marche,
            offre,
            marche_max_m=parametres.marche_max_tc_m,
            rattachement_max_m=distance,
        )
        self._correspondances = construire_correspondances(
            self._marche, offre, parametres.embarquement_min_s
        )
        self._demande = rattacher_points(graphe_marche, *_coordonnees(carreaux), distance)
        self._offre = rattacher_points(graphe_marche, *_coordonnees(points_acces), distance)
        self._equipement = points_acces["equipement"].to_numpy()
        self._service = equipements["service"].to_numpy(dtype=object)[self._equipement]
        self._velo: OriginesVelo | None = None
        if parametres.rabattement_velo:
            rabattement = construire_rabattement(graphe_marche.reseau, offre, parametres)
            points = rattacher_points(rabattement.graphe, *_coordonnees(carreaux), distance)
            self._velo = OriginesVelo(rabattement, points)

    @property
    def rattaches(self) -> NDArray[np.bool_]:
        """bool[carreaux], carreaux rattachés à une rue."""
        return self._demande.rattaches

    def construire_reseau(self, courses: PassagesDuJour, debut_s: int) -> ReseauTc:
        """Réseau de la fenêtre qui commence à ``debut_s``."""
        return construire_reseau_tc(
            courses, self._correspondances, options_tc(self._parametres, debut_s)
        )

    def lier(self, sens: Sens) -> LiensArrets:
        """Liens des carreaux et des arrêts, à pied ou, pour les gares, à vélo s'il est permis."""
        # Se rendre au service : le carreau marche vers l'arrêt, et l'arrêt vers le service.
        liens = lier_points(self._marche, self._demande, sens)
        if self._velo is None:
            return liens
        return fusionner_liens(liens, lier_points_a_velo(self._velo, sens))

    def points_du_service(self, service: str) -> NDArray[np.intp]:
        """Points d'accès d'un service."""
        return np.flatnonzero(self._service == service)

    def equipement_des(self, points: NDArray[np.intp]) -> NDArray[np.int32]:
        """Équipement de chaque point d'accès."""
        lignes: NDArray[np.int32] = self._equipement[points].astype(np.int32)
        return lignes

    def marcher(self, points: NDArray[np.intp], sens: Sens) -> NDArray[np.int32]:
        """Marche entre chaque arrêt et le plus proche de ces points d'accès, int32[a]."""
        return marcher_entre_arrets_et_lieu(self._marche, self._offre.extraire(points), sens)

    def balayer(
        self,
        reseau: ReseauTc,
        sens: Sens,
        acces_marche: AccesMode,
        seuils_s: Sequence[float],
        centiles: Sequence[float],
        progression: Progression | None,
    ) -> list[AccesTc | None]:
        """Un accès par service, ``None`` pour un service sans aucun équipement."""
        demandes, colonnes = [], []
        for colonne, service in enumerate(acces_marche.services):
            points = self.points_du_service(service)
            if points.size == 0:
                continue
            directe = np.nan_to_num(acces_marche.temps_s[:, colonne], nan=np.inf)
            demandes.append(
                DemandeService(
                    self.marcher(points, sens), en_secondes(directe), float(seuils_s[colonne])
                )
            )
            colonnes.append(colonne)
        resultats: list[AccesTc | None] = [None] * len(acces_marche.services)
        calcules = calculer_acces_services(
            reseau, self.lier(sens), demandes, sens, centiles=centiles, progression=progression
        )
        for colonne, acces in zip(colonnes, calcules, strict=True):
            resultats[colonne] = acces
        return resultats

    def empiler(
        self,
        acces: Sequence[AccesTc | None],
        lire: Callable[[AccesTc], NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        """Une colonne par service ; NaN sans équipement ou carreau non rattaché."""
        table = np.full((len(self._demande), len(acces)), np.nan, dtype=np.float32, order="F")
        for colonne, resultat in enumerate(acces):
            if resultat is not None:
                table[:, colonne] = lire(resultat)
        table[~self._demande.rattaches] = np.nan
        return table


def _coordonnees(table: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Colonnes ``x`` et ``y`` d'une table, mètres."""
    return table["x"].to_numpy(dtype=np.float64), table["y"].to_numpy(dtype=np.float64)

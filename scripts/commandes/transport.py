"""Transport collectif de ``isochrone`` et ``temps`` : jour, fenêtre et réseau prêts au calcul."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from donnees_geo.conventions import Sens
from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees
from scripts.commandes.affichage import nombre_fr
from scripts.commandes.trajets import Deplacement, charger_deplacement

if TYPE_CHECKING:
    from accessibilite.liaisons_tc import MarcheTc
    from accessibilite.rattachement import Rattachement
    from accessibilite.transport_collectif import ReseauTc
    from donnees_geo.gtfs import OffreTransport
    from donnees_geo.territoire import Territoire


@dataclass(frozen=True)
class TransportPret:
    """Réseau de transport d'un jour et d'une fenêtre.

    Attributes
    ----------
    deplacement
        Territoire, paramètres (fenêtre et limites demandées) et graphe de la marche.
    reseau, marche
        Horaires de la fenêtre ; marche entre arrêts et rues.
    jour
        Jour étudié.
    centiles
        Centiles demandés, dans l'ordre.
    """

    deplacement: Deplacement
    reseau: ReseauTc
    marche: MarcheTc
    jour: date
    centiles: tuple[float, ...]

    @property
    def hypotheses(self) -> str:
        """Fenêtre, centile et limites, en une phrase."""
        parametres = self.deplacement.parametres
        debut, duree = parametres.fenetre_tc_debut_s, parametres.fenetre_tc_duree_s
        centiles = ", ".join(
            "médiane" if c == 50 else f"{nombre_fr(c, int(c % 1 > 0))}ᵉ centile"
            for c in self.centiles
        )
        return (
            f"{self.jour:%d/%m/%Y}, départs de {heure_fr(debut)} à {heure_fr(debut + duree)}, "
            f"{centiles}, marche à {nombre_fr(self.deplacement.graphe.profil.vitesse_kmh, 1)} km/h "
            f"sur {nombre_fr(parametres.marche_max_tc_m)} m au plus, "
            f"{parametres.duree_max_tc_s / 60:g} min au plus"
        )


def heure_fr(secondes: float) -> str:
    """Écrire une heure : « 7 h 05 » ; passé minuit, « 1 h 30 le lendemain »."""
    jours, reste = divmod(int(secondes), 86_400)
    return f"{reste // 3600} h {reste % 3600 // 60:02d}" + (" le lendemain" if jours else "")


def charger_transport(options: argparse.Namespace, *, duree_min_s: float = 0.0) -> TransportPret:
    """Charger le territoire et préparer le transport du jour et de la fenêtre demandés.

    Parameters
    ----------
    options
        Options de la ligne de commande.
    duree_min_s
        Durée que le calcul doit couvrir (le plus grand seuil d'une isochrone), s.

    Raises
    ------
    ErreurDonnees
        Territoire sans offre de transport, ou jour hors de son calendrier.
    ErreurConfiguration
        Jour inconnu, ou ``--duree-max`` plus courte que le plus grand seuil.
    """
    from accessibilite.liaisons_tc import construire_correspondances, rattacher_arrets
    from accessibilite.transport_collectif import construire_reseau_tc, options_tc
    from donnees_geo.gtfs import courses_du_jour

    deplacement = charger_deplacement(options, "marche")
    territoire = deplacement.territoire
    if territoire.offre is None:
        raise ErreurDonnees(
            "Ce territoire n'a pas d'offre de transport collectif.",
            objet=territoire.nom,
            conseil="Ajoutez [transport] gtfs = [...] au manifeste et préparez-le de nouveau.",
        )
    parametres = _regler(deplacement.parametres, options, duree_min_s)
    jour = _choisir_jour(options, territoire, territoire.offre)
    marche = rattacher_arrets(
        deplacement.graphe,
        territoire.offre,
        marche_max_m=parametres.marche_max_tc_m,
        rattachement_max_m=parametres.rattachement_max_m,
    )
    correspondances = construire_correspondances(
        marche, territoire.offre, parametres.embarquement_min_s
    )
    reseau = construire_reseau_tc(
        courses_du_jour(territoire.offre, jour), correspondances, options_tc(parametres)
    )
    centiles = options.centile if options.centile is not None else parametres.centile_tc
    if not isinstance(centiles, tuple):
        centiles = (float(centiles),)
    return TransportPret(
        replace(deplacement, parametres=parametres), reseau, marche, jour, centiles
    )


def _regler(parametres: Any, options: argparse.Namespace, duree_min_s: float) -> Any:
    """Paramètres où les options de la ligne de commande l'emportent."""
    reglages: dict[str, Any] = {}
    if options.depart is not None:
        reglages["fenetre_tc_debut_s"] = options.depart.hour * 3600 + options.depart.minute * 60
    if options.fenetre is not None:
        reglages["fenetre_tc_duree_s"] = int(options.fenetre * 60)
    if options.marche_max is not None:
        reglages["marche_max_tc_m"] = options.marche_max
    duree = parametres.duree_max_tc_s if options.duree_max is None else options.duree_max * 60
    if duree < duree_min_s and options.duree_max is not None:
        raise ErreurConfiguration(
            "La durée maximale est plus courte que le plus grand seuil.",
            objet="--duree-max",
            attendu=f"au moins {duree_min_s / 60:g} minutes",
            trouve=f"{options.duree_max:g} minutes",
        )
    return replace(parametres, duree_max_tc_s=max(duree, duree_min_s), **reglages)


def _choisir_jour(
    options: argparse.Namespace, territoire: Territoire, offre: OffreTransport
) -> date:
    if options.depart is not None:
        jour: date = options.depart.date()
        return jour
    if territoire.date_service is not None:
        return territoire.date_service
    debut, fin = offre.validite
    raise ErreurConfiguration(
        "Le jour étudié n'est pas connu : le manifeste ne donne pas de date_service.",
        objet=territoire.nom,
        attendu=f"un jour entre le {debut:%d/%m/%Y} et le {fin:%d/%m/%Y}",
        conseil="Donnez --depart, comme --depart 2026-03-17T07:00.",
    )


def temps_des_carreaux(
    pret: TransportPret, point: Rattachement, demande: Rattachement, sens: Sens
) -> NDArray[np.float64]:
    """Temps de chaque carreau depuis (ou vers) un point, au premier centile demandé.

    Un seul balayage de l'horaire sert tous les carreaux.

    Returns
    -------
    numpy.ndarray
        float64[carreaux], secondes ; ``inf`` au-delà de la durée maximale.
    """
    from accessibilite.dijkstra import calculer_plus_proche
    from accessibilite.liaisons_tc import en_secondes, lier_points, marcher_entre_arrets_et_lieu
    from accessibilite.transport_collectif import chercher_profil, evaluer_acces

    marche = pret.marche
    profil = chercher_profil(pret.reseau, marcher_entre_arrets_et_lieu(marche, point, sens), sens)
    # La marche de bout en bout n'est bornée que par la durée maximale, comme dans l'isochrone.
    duree_max_s = pret.reseau.options.duree_max_s
    directe = calculer_plus_proche(marche.graphe, demande, point, sens=sens, limite_s=duree_max_s)
    acces = evaluer_acces(
        pret.reseau,
        profil,
        lier_points(marche, demande, sens),
        en_secondes(directe.temps_s),
        sens,
        seuil_s=0.0,
        centiles=pret.centiles[:1],
    )
    temps: NDArray[np.float64] = acces.temps_s[:, 0].astype(np.float64)
    return temps

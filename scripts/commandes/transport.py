"""Transport collectif de ``isochrone`` et ``temps`` : jour, fenêtre et réseau prêts au calcul."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from donnees_geo.conventions import Sens
from donnees_geo.erreurs import Constat, ErreurConfiguration, ErreurDonnees, lever_si_bloquant
from scripts.commandes.affichage import nombre_fr
from scripts.commandes.trajets import Deplacement, charger_deplacement, projeter

if TYPE_CHECKING:
    from accessibilite.rues.rattachement import Rattachement
    from accessibilite.transport.liaisons import MarcheTc
    from accessibilite.transport.porte_a_porte import ReseauTc
    from accessibilite.transport.rabattement_velo import OriginesVelo, RabattementVelo
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
    constats
        Ce qu'il faut savoir de ce jour : aucune course, flux qui n'est pas valable.
    rabattement
        Gares joignables à vélo, ``None`` sans rabattement.
    sans_course
        Aucune course du jour de service : tous les temps sont des temps de marche.
    """

    deplacement: Deplacement
    reseau: ReseauTc
    marche: MarcheTc
    jour: date
    centiles: tuple[float, ...]
    constats: tuple[Constat, ...] = ()
    rabattement: RabattementVelo | None = None
    sans_course: bool = False

    @property
    def hypotheses(self) -> str:
        """Fenêtre, centile et limites, en une phrase."""
        parametres = self.deplacement.parametres
        debut, duree = parametres.fenetre_tc_debut_s, parametres.fenetre_tc_duree_s
        centiles = ", ".join(
            "médiane" if c == 50 else f"{nombre_fr(c, int(c % 1 > 0))}ᵉ centile"
            for c in self.centiles
        )
        velo = ""
        if self.rabattement is not None:
            velo = (
                f", gares à vélo jusqu'à {nombre_fr(parametres.rabattement_velo_max_m)} m à "
                f"{nombre_fr(parametres.vitesse_velo_kmh, 1)} km/h"
            )
        vide = " (aucune course ce jour-là)" if self.sans_course else ""
        return (
            f"{self.jour:%d/%m/%Y}{vide}, départs de {heure_fr(debut)} à "
            f"{heure_fr(debut + duree)}, "
            f"{centiles}, marche à {nombre_fr(self.deplacement.graphe.profil.vitesse_kmh, 1)} km/h "
            f"sur {nombre_fr(parametres.marche_max_tc_m)} m au plus, "
            f"{parametres.duree_max_tc_s / 60:g} min et {parametres.trajets_max_tc} véhicule"
            f"{'s' if parametres.trajets_max_tc > 1 else ''} au plus{velo}"
        )

    def rattacher_velo(self, lon: Any, lat: Any) -> OriginesVelo | None:
        """Rattacher des points (degrés) au réseau du vélo, ``None`` sans rabattement."""
        return self.rattacher_velo_m(*projeter(self.deplacement.territoire, lon, lat))

    def rattacher_velo_m(self, x: Any, y: Any) -> OriginesVelo | None:
        """Rattacher des points (mètres) au réseau du vélo, ``None`` sans rabattement."""
        from accessibilite.rues.rattachement import rattacher_points
        from accessibilite.transport.rabattement_velo import OriginesVelo

        if self.rabattement is None:
            return None
        points = rattacher_points(
            self.rabattement.graphe, x, y, self.deplacement.parametres.rattachement_max_m
        )
        return OriginesVelo(self.rabattement, points)


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
    from accessibilite.transport.fenetre import options_tc
    from accessibilite.transport.liaisons import construire_correspondances, rattacher_arrets
    from accessibilite.transport.porte_a_porte import (
        construire_reseau_tc,
    )
    from accessibilite.transport.rabattement_velo import construire_rabattement
    from donnees_geo.gtfs import courses_du_jour, verifier_date

    deplacement = charger_deplacement(options, "marche")
    territoire = deplacement.territoire
    if territoire.offre is None:
        raise ErreurDonnees(
            "Ce territoire n'a pas d'offre de transport collectif.",
            objet=territoire.nom,
            conseil="Ajoutez [transport] gtfs = [...] au manifeste et préparez-le de nouveau.",
        )
    parametres = _regler(deplacement.parametres, options, duree_min_s)
    jour = choisir_jour_etudie(options, territoire, territoire.offre)
    courses = courses_du_jour(territoire.offre, jour)
    constats = tuple(verifier_date(territoire.offre, jour))
    lever_si_bloquant(constats)
    marche = rattacher_arrets(
        deplacement.graphe,
        territoire.offre,
        marche_max_m=parametres.marche_max_tc_m,
        rattachement_max_m=parametres.rattachement_max_m,
    )
    correspondances = construire_correspondances(
        marche, territoire.offre, parametres.embarquement_min_s
    )
    reseau = construire_reseau_tc(courses, correspondances, options_tc(parametres))
    rabattement = None
    if parametres.rabattement_velo:
        rabattement = construire_rabattement(territoire.reseau, territoire.offre, parametres)
    centiles = options.centile if options.centile is not None else parametres.centile_tc
    if not isinstance(centiles, tuple):
        centiles = (float(centiles),)
    return TransportPret(
        replace(deplacement, parametres=parametres),
        reseau,
        marche,
        jour,
        centiles,
        constats,
        rabattement,
        not (courses.decalage_jour == 0).any(),
    )


def montrer_attentions(constats: Sequence[Constat]) -> None:
    """Dire ce qu'il faut savoir du jour étudié, s'il y a lieu."""
    for constat in constats:
        print(f"Attention : {constat.message}")


def _regler(parametres: Any, options: argparse.Namespace, duree_min_s: float) -> Any:
    """Paramètres où les options de la ligne de commande l'emportent."""
    reglages: dict[str, Any] = {}
    if options.depart is not None:
        reglages["fenetre_tc_debut_s"] = options.depart[1]
    if options.fenetre is not None:
        reglages["fenetre_tc_duree_s"] = int(options.fenetre * 60)
    if options.marche_max is not None:
        reglages["marche_max_tc_m"] = options.marche_max
    if options.trajets_max is not None:
        reglages["trajets_max_tc"] = options.trajets_max
    if options.rabattement_velo:
        reglages["rabattement_velo"] = True
    duree = parametres.duree_max_tc_s if options.duree_max is None else options.duree_max * 60
    if duree < duree_min_s and options.duree_max is not None:
        raise ErreurConfiguration(
            "La durée maximale est plus courte que le plus grand seuil.",
            objet="--duree-max",
            attendu=f"au moins {duree_min_s / 60:g} minutes",
            trouve=f"{options.duree_max:g} minutes",
        )
    return replace(parametres, duree_max_tc_s=max(duree, duree_min_s), **reglages)


def choisir_jour_etudie(
    options: argparse.Namespace, territoire: Territoire, offre: OffreTransport
) -> date:
    """Jour de ``--jour``, de ``--depart``, ou du manifeste.

    Raises
    ------
    ErreurConfiguration
        Aucun des trois, ou ``--jour`` et ``--depart`` donnent des jours différents.
    ErreurDonnees
        Jour type que le calendrier ne permet pas.
    """
    from donnees_geo.gtfs import choisir_jour

    demande = getattr(options, "depart", None)
    du_depart: date | None = None if demande is None else demande[0]
    if options.jour is not None:
        jour = choisir_jour(offre, options.jour)
        if du_depart is not None and du_depart != jour:
            raise ErreurConfiguration(
                "--jour et --depart donnent des jours différents.",
                objet=f"--jour {options.jour}",
                attendu=f"{jour:%d/%m/%Y}",
                trouve=f"{du_depart:%d/%m/%Y}",
                conseil="Avec --jour, donnez l'heure seule : --depart 07:00.",
            )
        return jour
    if du_depart is not None:
        return du_depart
    if territoire.date_service is not None:
        return territoire.date_service
    debut, fin = offre.validite
    raise ErreurConfiguration(
        "Le jour étudié n'est pas connu : le manifeste ne donne pas de date_service.",
        objet=territoire.nom,
        attendu=f"un jour entre le {debut:%d/%m/%Y} et le {fin:%d/%m/%Y}",
        conseil="Donnez --jour : une date, ou un jour type (demi-heure jours DOSSIER les liste).",
    )


def temps_des_carreaux(
    pret: TransportPret,
    point: Rattachement,
    demande: Rattachement,
    sens: Sens,
    velo: OriginesVelo | None = None,
) -> NDArray[np.float64]:
    """Temps de chaque carreau depuis (ou vers) un point, au premier centile demandé.

    Un seul balayage de l'horaire sert tous les carreaux. ``velo`` donne, pour rejoindre les gares à
    vélo, les origines du trajet : le point (``depuis``) ou les carreaux (``vers``).

    Returns
    -------
    numpy.ndarray
        float64[carreaux], secondes ; ``inf`` au-delà de la durée maximale.
    """
    from accessibilite.rues.dijkstra import calculer_plus_proche
    from accessibilite.transport.liaisons import en_secondes, fusionner_liens, lier_points
    from accessibilite.transport.porte_a_porte import chercher_profil, evaluer_acces
    from accessibilite.transport.rabattement_velo import lier_points_a_velo
    from accessibilite.transport.recherche import rejoindre_arrets

    marche = pret.marche
    profil = chercher_profil(
        pret.reseau, rejoindre_arrets(marche, point, sens, velo if sens == "depuis" else None), sens
    )
    liens = lier_points(marche, demande, sens)
    if velo is not None and sens == "vers":
        liens = fusionner_liens(liens, lier_points_a_velo(velo, sens))
    # La marche de bout en bout n'est bornée que par la durée maximale, comme dans l'isochrone.
    duree_max_s = pret.reseau.options.duree_max_s
    directe = calculer_plus_proche(marche.graphe, demande, point, sens=sens, limite_s=duree_max_s)
    acces = evaluer_acces(
        pret.reseau,
        profil,
        liens,
        en_secondes(directe.temps_s),
        sens,
        seuil_s=0.0,
        centiles=pret.centiles[:1],
    )
    temps: NDArray[np.float64] = acces.temps_s[:, 0].astype(np.float64)
    return temps

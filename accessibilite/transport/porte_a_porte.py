"""Transport collectif porte à porte, sur toute une fenêtre de départ.

Porte à porte = marche + attente + trajets + correspondances + marche, pour **chaque minute** de
départ de la fenêtre, résumé par des centiles et par la part des départs sous le seuil ; jamais par
le meilleur cas. La marche seule l'emporte quand elle est plus rapide, dans ses propres limites.

Vers un service, un balayage arrière donne d'un coup toutes les origines et toutes les minutes ;
depuis un point, le même balayage sur l'horaire retourné.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from os import cpu_count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accessibilite.transport.balayage import (
    ProfilArrets,
    balayer,
    extraire_profil,
    remplir_durees,
    resumer_durees,
)
from accessibilite.transport.fenetre import (
    CENTILES,
    OptionsTc,
    rangs_centiles,
    verifier_options,
)
from accessibilite.transport.horaires import (
    INFINI_S,
    Correspondances,
    Horaire,
    PassagesDuJour,
    Suites,
    construire_horaire,
    construire_suites,
    renverser,
    transposer,
)
from donnees_geo.conventions import Sens
from donnees_geo.erreurs import ErreurConfiguration


class LiensArrets(NamedTuple):
    """Liens à pied entre points et arrêts, au format CSR (une ligne par point).

    Attributes
    ----------
    debut
        int64[n+1].
    cible
        int32[l], arrêt.
    temps_s
        int32[l], secondes entières (arrondies vers le haut).
    """

    debut: NDArray[np.int64]
    cible: NDArray[np.int32]
    temps_s: NDArray[np.int32]


@dataclass(frozen=True)
class ReseauTc:
    """Réseau de transport collectif prêt au calcul pour une fenêtre.

    Attributes
    ----------
    horaire
        Passages de la fenêtre, prolongée de la durée maximale.
    correspondances
        Liens à pied entre arrêts, marge d'embarquement comprise.
    options
        Fenêtre et limites.
    """

    horaire: Horaire
    correspondances: Correspondances
    options: OptionsTc

    @property
    def nombre_arrets(self) -> int:
        """Nombre d'arrêts."""
        return self.horaire.arret_debut.size - 1

    @cached_property
    def suites(self) -> Suites:
        """Descentes d'où l'on attrape chaque embarquement."""
        return construire_suites(self.horaire, self.correspondances)

    @cached_property
    def inverse(self) -> tuple[Horaire, Suites]:
        """Horaire et suites dans le temps retourné."""
        horaire = renverser(self.horaire)
        return horaire, construire_suites(horaire, transposer(self.correspondances))


def construire_reseau_tc(
    passages: PassagesDuJour,
    correspondances: Correspondances,
    options: OptionsTc,
) -> ReseauTc:
    """Préparer le calcul d'une fenêtre.

    Parameters
    ----------
    passages
        Courses du jour (:func:`donnees_geo.gtfs.courses_du_jour`).
    correspondances
        Voir :func:`accessibilite.transport.liaisons.construire_correspondances`.
    options
        Fenêtre et limites.
    """
    verifier_options(options)
    fin = options.fenetre_debut_s + options.fenetre_duree_s + options.duree_max_s
    horaire = construire_horaire(
        passages, correspondances.debut.size - 1, options.fenetre_debut_s, fin
    )
    return ReseauTc(horaire, correspondances, options)


def chercher_profil(
    reseau: ReseauTc,
    marche_s: NDArray[np.int32],
    sens: Sens,
    *,
    duree_max_s: float = INFINI_S,
) -> ProfilArrets:
    """Profil de tous les arrêts vers (ou depuis) un lieu, pour toute la fenêtre.

    Parameters
    ----------
    reseau
        Réseau de la fenêtre.
    marche_s
        int32[a], marche entre chaque arrêt et le lieu (le point le plus proche, si le lieu en
        compte plusieurs), ``INFINI_S`` s'il est trop loin.
    sens
        ``vers`` le lieu, ou ``depuis`` lui.
    duree_max_s
        Abaisse la durée maximale des options : la recherche s'arrête plus tôt.
    """
    o = reseau.options
    if sens == "vers":
        h, suites, sortie = reseau.horaire, reseau.suites, marche_s
    else:
        h, suites = reseau.inverse
        # La marge d'embarquement précède la montée : dans le temps retourné, elle suit la marche.
        sortie = np.where(marche_s < INFINI_S, marche_s + o.embarquement_min_s, INFINI_S)
    budget = np.int32(min(o.duree_max_s, duree_max_s))
    meilleur = balayer(h, suites, sortie.astype(np.int32), budget, o.trajets_max)
    return ProfilArrets(*extraire_profil(h, meilleur, sens == "depuis"))


@dataclass(frozen=True)
class AccesTc:
    """Temps porte à porte de chaque point, résumés sur la fenêtre.

    Attributes
    ----------
    centiles
        Centiles calculés.
    temps_s
        float32[points, centiles], secondes ; ``inf`` si ce centile des départs n'aboutit pas dans
        la durée maximale.
    part_seuil
        float32[points], part des départs qui aboutissent sous le seuil, de 0 à 1.
    """

    centiles: tuple[float, ...]
    temps_s: NDArray[np.float32]
    part_seuil: NDArray[np.float32]

    def centile(self, valeur: float) -> NDArray[np.float32]:
        """Temps d'un des centiles calculés, float32[points].

        Raises
        ------
        ErreurConfiguration
            Centile non calculé.
        """
        if valeur not in self.centiles:
            raise ErreurConfiguration(
                "Ce centile n'a pas été calculé.",
                objet="centile",
                attendu=", ".join(f"{c:g}" for c in self.centiles),
                trouve=f"{valeur:g}",
            )
        return self.temps_s[:, self.centiles.index(valeur)]


def evaluer_acces(
    reseau: ReseauTc,
    profil: ProfilArrets,
    liens: LiensArrets,
    marche_directe_s: NDArray[np.int32],
    sens: Sens,
    *,
    seuil_s: float,
    centiles: Sequence[float] = CENTILES,
    duree_max_s: float = INFINI_S,
) -> AccesTc:
    """Résumer, point par point, toutes les minutes de départ de la fenêtre.

    Parameters
    ----------
    reseau, profil
        Réseau et profil du lieu (:func:`chercher_profil`, même ``sens``).
    liens
        Marche entre chaque point et ses arrêts, dans le sens du déplacement.
    marche_directe_s
        int32[n], marche de bout en bout, ``INFINI_S`` au-delà de ses limites.
    sens
        ``vers`` le lieu (les points en sont les origines) ou ``depuis`` lui.
    seuil_s
        Seuil de ``part_seuil``.
    centiles
        Centiles voulus.
    duree_max_s
        Abaisse la durée maximale des options.
    """
    o = reseau.options
    minutes = o.minutes
    n = liens.debut.size - 1
    temps = np.empty((n, len(centiles)), dtype=np.float32)
    part = np.empty(n, dtype=np.float32)
    resumer_durees(
        profil, liens, marche_directe_s, _marge(o, sens), sens == "depuis", minutes,
        np.int32(min(o.duree_max_s, duree_max_s)), rangs_centiles(centiles, minutes.size),
        np.int32(min(seuil_s, INFINI_S - 1)), temps, part,
    )  # fmt: skip
    return AccesTc(tuple(float(c) for c in centiles), temps, part)


def calculer_durees(
    reseau: ReseauTc,
    profil: ProfilArrets,
    liens: LiensArrets,
    marche_directe_s: NDArray[np.int32],
    sens: Sens,
) -> NDArray[np.int32]:
    """Durées porte à porte de chaque point à chaque minute, int32[n, minutes].

    ``INFINI_S`` si le lieu n'est pas atteint dans la durée maximale. Mêmes paramètres que
    :func:`evaluer_acces`.
    """
    o = reseau.options
    n = liens.debut.size - 1
    durees = np.empty((n, o.minutes.size), dtype=np.int32)
    remplir_durees(
        profil, liens, marche_directe_s, _marge(o, sens), sens == "depuis", o.minutes,
        np.int32(o.duree_max_s), durees,
    )  # fmt: skip
    return durees


def _marge(options: OptionsTc, sens: Sens) -> int:
    """Marge à ajouter à la marche d'approche ; depuis un lieu, le profil la contient déjà."""
    return options.embarquement_min_s if sens == "vers" else 0


@dataclass(frozen=True)
class DemandeService:
    """Un lieu à plusieurs portes (un service) dont on veut l'accès.

    Attributes
    ----------
    marche_arrets_s
        int32[a], marche entre chaque arrêt et la plus proche des portes.
    marche_directe_s
        int32[n], marche directe de chaque point à la plus proche des portes.
    seuil_s
        Seuil de la part des départs.
    """

    marche_arrets_s: NDArray[np.int32]
    marche_directe_s: NDArray[np.int32]
    seuil_s: float


def calculer_acces_services(
    reseau: ReseauTc,
    liens: LiensArrets,
    demandes: Sequence[DemandeService],
    sens: Sens = "vers",
    *,
    centiles: Sequence[float] = CENTILES,
    progression: Callable[[str, float], None] | None = None,
) -> list[AccesTc]:
    """Accès de tous les points à chaque service : un balayage par service, tous les coeurs.

    Parameters
    ----------
    reseau
        Réseau de la fenêtre.
    liens
        Marche entre les points et leurs arrêts.
    demandes
        Un élément par service.
    sens
        ``vers`` les services (aller) ou ``depuis`` eux (retour).
    centiles
        Centiles voulus.
    progression
        Rappel ``(texte, part faite)``.

    Returns
    -------
    list of AccesTc
        Dans l'ordre des demandes.
    """
    # Préparés avant les fils d'exécution : chacun les lit, aucun ne les refait.
    _ = reseau.suites if sens == "vers" else reseau.inverse

    def traiter(demande: DemandeService) -> AccesTc:
        profil = chercher_profil(reseau, demande.marche_arrets_s, sens)
        return evaluer_acces(
            reseau,
            profil,
            liens,
            demande.marche_directe_s,
            sens,
            seuil_s=demande.seuil_s,
            centiles=centiles,
        )

    resultats: list[AccesTc] = []
    with ThreadPoolExecutor(max_workers=cpu_count() or 1) as fils:
        for resultat in fils.map(traiter, demandes):
            resultats.append(resultat)
            if progression is not None:
                progression("Transport collectif", len(resultats) / len(demandes))
    return resultats

"""Noyaux du transport collectif : balayage arrière d'un horaire et lecture des profils.

Le balayage donne, pour chaque embarquement de la fenêtre, l'heure d'arrivée au plus tôt à la
destination : toutes les origines et toutes les heures de départ en une fois. Il procède par nombre
de véhicules (comme RAPTOR : Delling, Pajor et Werneck 2012), sur des embarquements triés (comme le
balayage de connexions : Dibbelt et coll. 2013) ; les heures égales ne posent donc pas de question
d'ordre. Tout est en secondes entières.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from accessibilite.horaires import INFINI_S


class ProfilArrets(NamedTuple):
    """Meilleurs trajets de chaque arrêt : couples (départ, arrivée) non dominés.

    Attributes
    ----------
    debut
        int64[a+1], couples de chaque arrêt.
    depart_s, arrivee_s
        int32[k], croissants tous deux dans un arrêt. Vers une destination : heure de montée à
        l'arrêt et heure d'arrivée à destination. Depuis une origine : heure de sortie de l'origine
        et heure de descente à l'arrêt.
    """

    debut: NDArray[np.int64]
    depart_s: NDArray[np.int32]
    arrivee_s: NDArray[np.int32]


@nb.njit(cache=True, nogil=True)
def _marquer_motifs(h, arret_utile, motif_actif):  # type: ignore[no-untyped-def]
    """Activer les motifs dont un arrêt (autre que le premier) est utile à la descente."""
    for m in range(h.motif_debut.size - 1):
        c = h.motif_debut[m]
        motif_actif[m] = False
        for e in range(h.course_debut[c] + 1, h.course_debut[c + 1]):
            if arret_utile[h.arret[e]]:
                motif_actif[m] = True
                break


@nb.njit(cache=True, nogil=True)
def _remonter_course(h, suites, c, sortie, budget, rang, meilleur, courant, arret_change):  # type: ignore[no-untyped-def]
    """Remonter une course de son terminus à son départ."""
    arrivee = INFINI_S
    for e in range(h.course_debut[c + 1] - 1, h.course_debut[c] - 1, -1):
        p = h.embarquement[e]
        if p >= 0 and arrivee < courant[p] and arrivee - h.depart_s[e] <= budget:
            courant[p] = arrivee
            arret_change[h.arret[e]] = True
        if h.descente[e]:
            if sortie[h.arret[e]] < INFINI_S:
                arrivee = min(arrivee, h.arrivee_s[e] + sortie[h.arret[e]])
            if rang > 0:
                for q in range(suites.debut[e], suites.debut[e + 1]):
                    arrivee = min(arrivee, meilleur[suites.embarquement[q]])


@nb.njit(cache=True, nogil=True)
def balayer(h, suites, correspondances, sortie, budget, trajets_max):  # type: ignore[no-untyped-def]
    """Heure d'arrivée au plus tôt pour chaque embarquement.

    Parameters
    ----------
    h, suites, correspondances
        Horaire, suites et correspondances de même sens.
    sortie
        int32[a], temps à pied de l'arrêt à la destination, ``INFINI_S`` s'il est trop loin.
    budget
        Durée au-delà de laquelle un trajet n'intéresse plus (de la montée à l'arrivée).
    trajets_max
        Nombre maximal de véhicules.

    Returns
    -------
    int32[p]
        Arrivée au plus tôt en montant à cet embarquement ou plus tard au même arrêt.
    """
    n_arrets = h.arret_debut.size - 1
    courant = np.full(h.embarquement_s.size, INFINI_S, dtype=np.int32)
    meilleur = courant.copy()
    arret_utile = sortie < INFINI_S
    arret_change = np.zeros(n_arrets, dtype=np.bool_)
    motif_actif = np.zeros(h.motif_debut.size - 1, dtype=np.bool_)
    for rang in range(trajets_max):
        _marquer_motifs(h, arret_utile, motif_actif)
        arret_change[:] = False
        for m in range(motif_actif.size):
            if motif_actif[m]:
                for c in range(h.motif_debut[m], h.motif_debut[m + 1]):
                    _remonter_course(
                        h, suites, c, sortie, budget, rang, meilleur, courant, arret_change
                    )
        change = False
        for a in range(n_arrets):
            if arret_change[a]:
                change = True
                arrivee = INFINI_S
                for p in range(h.arret_debut[a + 1] - 1, h.arret_debut[a] - 1, -1):
                    arrivee = min(arrivee, courant[p])
                    meilleur[p] = arrivee
        if not change:
            break
        # Au tour suivant ne comptent que les courses qui descendent près d'un arrêt amélioré.
        for a in range(n_arrets):
            arret_utile[a] = False
            for q in range(correspondances.debut[a], correspondances.debut[a + 1]):
                if arret_change[correspondances.cible[q]]:
                    arret_utile[a] = True
                    break
    return meilleur


@nb.njit(cache=True, nogil=True)
def extraire_profil(h, meilleur, envers):  # type: ignore[no-untyped-def]
    """Couples non dominés de chaque arrêt ; ``envers`` remet à l'endroit un horaire retourné."""
    n = h.arret_debut.size - 1
    debut = np.zeros(n + 1, dtype=np.int64)
    depart = np.empty(meilleur.size, dtype=np.int32)
    arrivee = np.empty(meilleur.size, dtype=np.int32)
    k = 0
    for a in range(n):
        debut[a] = k
        p0, p1 = h.arret_debut[a], h.arret_debut[a + 1]
        for p in range(p0, p1):
            utile = meilleur[p] < INFINI_S
            if utile and p + 1 < p1 and meilleur[p + 1] == meilleur[p]:
                utile = False  # partir plus tard arrive aussi tôt
            if utile:
                depart[k] = h.embarquement_s[p]
                arrivee[k] = meilleur[p]
                k += 1
        if envers:
            k0 = debut[a]
            for i in range(k0, k):
                depart[i], arrivee[i] = -arrivee[i], -depart[i]
            depart[k0:k] = depart[k0:k][::-1].copy()
            arrivee[k0:k] = arrivee[k0:k][::-1].copy()
    debut[n] = k
    return debut, depart[:k].copy(), arrivee[:k].copy()


@nb.njit(cache=True, nogil=True)
def _durees_point(profil, cibles, temps, avant_s, apres, minutes, budget, durees):  # type: ignore[no-untyped-def]
    """Abaisser les durées d'un point, pour chaque minute, par chacun de ses arrêts."""
    for q in range(cibles.size):
        k, k1 = profil.debut[cibles[q]], profil.debut[cibles[q] + 1]
        if k == k1:
            continue
        avant = avant_s + (0 if apres else temps[q])
        reste = temps[q] if apres else 0
        k += np.searchsorted(profil.depart_s[k:k1], minutes[0] + avant)
        for j in range(minutes.size):
            while k < k1 and profil.depart_s[k] < minutes[j] + avant:
                k += 1
            if k == k1:
                break
            duree = profil.arrivee_s[k] + reste - minutes[j]
            if duree < durees[j] and duree <= budget:
                durees[j] = duree


@nb.njit(cache=True, nogil=True)
def remplir_durees(profil, liens, marche, avant_s, apres, minutes, budget, durees):  # type: ignore[no-untyped-def]
    """Durées porte à porte de chaque point à chaque minute, int32[points, minutes]."""
    for i in range(durees.shape[0]):
        durees[i, :] = marche[i] if marche[i] <= budget else INFINI_S
        l0, l1 = liens.debut[i], liens.debut[i + 1]
        _durees_point(
            profil, liens.cible[l0:l1], liens.temps_s[l0:l1], avant_s, apres, minutes, budget,
            durees[i],
        )  # fmt: skip


@nb.njit(cache=True, nogil=True)
def resumer_durees(  # type: ignore[no-untyped-def]
    profil, liens, marche, avant_s, apres, minutes, budget, rangs, seuil, centiles, part,
):  # fmt: skip
    """Centiles et part des départs sous le seuil, point par point, sans garder les minutes."""
    durees = np.empty(minutes.size, dtype=np.int32)
    for i in range(part.size):
        durees[:] = marche[i] if marche[i] <= budget else INFINI_S
        l0, l1 = liens.debut[i], liens.debut[i + 1]
        _durees_point(
            profil, liens.cible[l0:l1], liens.temps_s[l0:l1], avant_s, apres, minutes, budget,
            durees,
        )  # fmt: skip
        mini = INFINI_S
        maxi = 0
        sous = 0
        for j in range(minutes.size):
            mini = min(mini, durees[j])
            maxi = max(maxi, durees[j])
            if durees[j] <= seuil:
                sous += 1
        part[i] = sous / minutes.size
        if mini < maxi:
            durees.sort()
        for r in range(rangs.size):
            d = durees[rangs[r]]
            centiles[i, r] = np.inf if d >= INFINI_S else d

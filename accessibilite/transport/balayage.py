"""Noyaux du transport collectif : balayage arrière d'un horaire et lecture des profils.

Le balayage donne, pour chaque embarquement de la fenêtre, l'heure d'arrivée au plus tôt à la
destination : toutes les origines et toutes les heures de départ en une fois. Il procède par nombre
de véhicules (comme RAPTOR : Delling, Pajor et Werneck 2012), sur des embarquements triés (comme le
balayage de connexions : Dibbelt et coll. 2013) ; les heures égales ne posent donc pas de question
d'ordre. Tout est en secondes entières.

Les noyaux compilés sont gardés sur disque par fichier source : ceux qui s'appellent sont donc ici
ensemble. Après une retouche de :data:`~accessibilite.transport.horaires.INFINI_S`, que le code
compilé recopie, il faut vider les dossiers ``__pycache__``.
"""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np
from numpy.typing import NDArray

from accessibilite.transport.horaires import INFINI_S


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
def _apporter_sorties(h, sortie, apport, course_active):  # type: ignore[no-untyped-def]
    """Premier tour : descendre et marcher jusqu'à la destination."""
    for e in range(h.arret.size):
        if h.descente[e] and sortie[h.arret[e]] < INFINI_S:
            apport[e] = h.arrivee_s[e] + sortie[h.arret[e]]
            course_active[h.course[e]] = True


@nb.njit(cache=True, nogil=True)
def _apporter_suites(h, suites, budget, meilleur, nouveau, apport, course_active):  # type: ignore[no-untyped-def]
    """Tours suivants : descendre et remonter à un embarquement amélioré au tour précédent.

    Ce qu'apportent les autres a déjà été reporté sur les montées d'amont.
    """
    for p in range(nouveau.size):
        if nouveau[p]:
            arrivee = meilleur[p]
            for q in range(suites.debut[p], suites.debut[p + 1]):
                e = suites.descente[q]
                if arrivee < apport[e] and arrivee - h.arrivee_s[e] <= budget:
                    apport[e] = arrivee
                    course_active[h.course[e]] = True


@nb.njit(cache=True, nogil=True)
def _remonter_course(h, c, budget, apport, courant, arret_change):  # type: ignore[no-untyped-def]
    """Remonter une course de son terminus à son départ."""
    arrivee = INFINI_S
    for e in range(h.course_debut[c + 1] - 1, h.course_debut[c] - 1, -1):
        p = h.embarquement[e]
        if p >= 0 and arrivee < courant[p] and arrivee - h.depart_s[e] <= budget:
            courant[p] = arrivee
            arret_change[h.arret[e]] = True
        arrivee = min(arrivee, apport[e])


@nb.njit(cache=True, nogil=True)
def _reporter_arrets(h, courant, meilleur, nouveau, arret_change):  # type: ignore[no-untyped-def]
    """Attendre à l'arrêt : le meilleur des embarquements suivants ; rend s'il y a du nouveau."""
    change = False
    for a in range(arret_change.size):
        p0, p1 = h.arret_debut[a], h.arret_debut[a + 1]
        if not arret_change[a]:
            nouveau[p0:p1] = False
            continue
        change = True
        arret_change[a] = False
        arrivee = INFINI_S
        for p in range(p1 - 1, p0 - 1, -1):
            arrivee = min(arrivee, courant[p])
            nouveau[p] = arrivee < meilleur[p]
            meilleur[p] = min(arrivee, meilleur[p])
    return change


@nb.njit(cache=True, nogil=True)
def balayer(h, suites, sortie, budget, trajets_max):  # type: ignore[no-untyped-def]
    """Heure d'arrivée au plus tôt pour chaque embarquement.

    Parameters
    ----------
    h, suites
        Horaire et suites de même sens.
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
    courant = np.full(h.embarquement_s.size, INFINI_S, dtype=np.int32)
    meilleur = courant.copy()
    apport = np.full(h.arret.size, INFINI_S, dtype=np.int32)
    nouveau = np.zeros(h.embarquement_s.size, dtype=np.bool_)
    arret_change = np.zeros(h.arret_debut.size - 1, dtype=np.bool_)
    course_active = np.zeros(h.course_debut.size - 1, dtype=np.bool_)
    for rang in range(trajets_max):
        if rang == 0:
            _apporter_sorties(h, sortie, apport, course_active)
        else:
            _apporter_suites(h, suites, budget, meilleur, nouveau, apport, course_active)
        for c in range(course_active.size):
            if course_active[c]:
                _remonter_course(h, c, budget, apport, courant, arret_change)
                course_active[c] = False
        if not _reporter_arrets(h, courant, meilleur, nouveau, arret_change):
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
def durees_plus_courtes(profil):  # type: ignore[no-untyped-def]
    """Plus courte durée de chaque arrêt à la destination, int32[a], ``INFINI_S`` sans trajet."""
    n = profil.debut.size - 1
    durees = np.full(n, INFINI_S, dtype=np.int32)
    for a in range(n):
        for i in range(profil.debut[a], profil.debut[a + 1]):
            durees[a] = min(durees[a], profil.arrivee_s[i] - profil.depart_s[i])
    return durees


@nb.njit(cache=True, nogil=True)
def _durees_point(  # type: ignore[no-untyped-def]
    profil, plus_courtes, cibles, temps, avant_s, apres, minutes, budget, durees
):
    """Abaisser les durées d'un point, pour chaque minute, par chacun de ses arrêts."""
    pire = durees.max()
    for q in range(cibles.size):
        # Au mieux, sans attendre : cet arrêt n'améliore rien s'il ne fait pas mieux que la pire.
        borne = plus_courtes[cibles[q]] + temps[q] + avant_s
        if borne > budget or borne >= pire:
            continue
        k, k1 = profil.debut[cibles[q]], profil.debut[cibles[q] + 1]
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
        pire = durees.max()


@nb.njit(cache=True, nogil=True)
def remplir_durees(profil, liens, marche, avant_s, apres, minutes, budget, durees):  # type: ignore[no-untyped-def]
    """Durées porte à porte de chaque point à chaque minute, int32[points, minutes]."""
    plus_courtes = durees_plus_courtes(profil)
    for i in range(durees.shape[0]):
        durees[i, :] = marche[i] if marche[i] <= budget else INFINI_S
        l0, l1 = liens.debut[i], liens.debut[i + 1]
        _durees_point(
            profil, plus_courtes, liens.cible[l0:l1], liens.temps_s[l0:l1], avant_s, apres,
            minutes, budget, durees[i],
        )  # fmt: skip


@nb.njit(cache=True, nogil=True)
def resumer_durees(  # type: ignore[no-untyped-def]
    profil, liens, marche, avant_s, apres, minutes, budget, rangs, seuil, centiles, part,
):  # fmt: skip
    """Centiles et part des départs sous le seuil, point par point, sans garder les minutes."""
    plus_courtes = durees_plus_courtes(profil)
    durees = np.empty(minutes.size, dtype=np.int32)
    premier = rangs.min()
    for i in range(part.size):
        a_pied = marche[i] if marche[i] <= budget else INFINI_S
        l0, l1 = liens.debut[i], liens.debut[i + 1]
        if l0 == l1:  # aucun arrêt à portée : la marche, la même à chaque minute
            part[i] = 1.0 if a_pied <= seuil else 0.0
            centiles[i, :] = np.inf if a_pied >= INFINI_S else a_pied
            continue
        durees[:] = a_pied
        _durees_point(
            profil, plus_courtes, liens.cible[l0:l1], liens.temps_s[l0:l1], avant_s, apres,
            minutes, budget, durees,
        )  # fmt: skip
        sous = 0
        atteintes = 0
        for j in range(minutes.size):
            sous += durees[j] <= seuil
            atteintes += durees[j] < INFINI_S
        part[i] = sous / minutes.size
        # Trier coûte cher : inutile si tous les centiles voulus sont hors d'atteinte.
        if atteintes > premier:
            durees.sort()
        for r in range(rangs.size):
            joint = rangs[r] < atteintes
            centiles[i, r] = durees[rangs[r]] if joint else np.inf


@nb.njit(cache=True, nogil=True)
def ajouter_lieu(  # type: ignore[no-untyped-def]
    profil, plus_courtes, liens, marche, avant_s, minutes, budget, rang, meilleures,
):  # fmt: skip
    """Compter un lieu de plus parmi les k plus proches de chaque point, à chaque minute.

    Un lieu est laissé si, à plus de ``rang`` minutes, k lieux sont déjà aussi près que lui au mieux
    : il ne remplacerait que des temps plus longs que le centile des k-ièmes temps par d'autres qui
    le sont autant ou plus, et n'en change donc aucun, ni celui des rangs plus petits.

    Parameters
    ----------
    profil, plus_courtes
        Profil des arrêts vers ce lieu, et :func:`durees_plus_courtes`.
    liens, marche, avant_s, minutes, budget
        Voir :func:`remplir_durees` ; ``marche`` mène à ce lieu.
    rang
        Rang du centile voulu parmi les minutes.
    meilleures
        int32[points, k, minutes], croissant sur k ; complété sur place.
    """
    k = meilleures.shape[1]
    durees = np.empty(minutes.size, dtype=np.int32)
    for i in range(meilleures.shape[0]):
        l0, l1 = liens.debut[i], liens.debut[i + 1]
        borne = marche[i]
        for q in range(l0, l1):
            borne = min(borne, plus_courtes[liens.cible[q]] + liens.temps_s[q] + avant_s)
        if borne > budget:
            continue
        aussi_pres = 0
        for j in range(minutes.size):
            aussi_pres += meilleures[i, k - 1, j] <= borne
        if aussi_pres > rang:
            continue
        durees[:] = marche[i] if marche[i] <= budget else INFINI_S
        _durees_point(
            profil, plus_courtes, liens.cible[l0:l1], liens.temps_s[l0:l1], avant_s, False,
            minutes, budget, durees,
        )  # fmt: skip
        for j in range(minutes.size):
            duree = durees[j]
            for r in range(k):
                if duree < meilleures[i, r, j]:
                    duree, meilleures[i, r, j] = meilleures[i, r, j], duree

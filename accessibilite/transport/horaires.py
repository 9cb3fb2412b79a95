"""Horaires d'une fenêtre de temps, en tableaux triés, et leur image retournée dans le temps.

Une même structure sert aux deux sens : retourner le temps (t → -t) échange départs et arrivées,
montées et descentes. Chercher depuis un point est donc chercher vers lui dans l'horaire retourné,
et un seul noyau (:mod:`accessibilite.transport.balayage`) suffit, éprouvé dans les deux sens.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

import numba as nb
import numpy as np
from numpy.typing import NDArray

#: Durée ou heure infinie (s) : plus grande que toute heure, sans débordement par addition.
INFINI_S: Final = 2**30


class PassagesDuJour(Protocol):
    """Ce que l'horaire lit des courses d'un jour (``donnees_geo.gtfs.CoursesDuJour``)."""

    @property
    def debut_vehicules(self) -> NDArray[np.int64]: ...  # noqa: D102
    @property
    def arret(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def arrivee_s(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def depart_s(self) -> NDArray[np.int32]: ...  # noqa: D102
    @property
    def montee(self) -> NDArray[np.bool_]: ...  # noqa: D102
    @property
    def descente(self) -> NDArray[np.bool_]: ...  # noqa: D102


class Horaire(NamedTuple):
    """Passages d'une fenêtre, rangés par course puis dans l'ordre du parcours.

    Un *embarquement* est un passage où l'on peut monter ; les embarquements sont rangés par arrêt
    puis par heure de départ, si bien que « le premier départ après telle heure » est un rang.

    Attributes
    ----------
    course_debut
        int64[c+1], passages de chaque course.
    course
        int32[e], course du passage.
    arret
        int32[e], arrêt du passage.
    arrivee_s, depart_s
        int32[e], secondes (négatives dans l'horaire retourné).
    descente
        bool[e], on peut y descendre (jamais au premier passage).
    embarquement
        int32[e], rang de l'embarquement, -1 si l'on ne peut pas monter.
    arret_debut
        int64[a+1], embarquements de chaque arrêt.
    embarquement_s
        int32[p], heure de départ de chaque embarquement, croissante dans un arrêt.
    """

    course_debut: NDArray[np.int64]
    course: NDArray[np.int32]
    arret: NDArray[np.int32]
    arrivee_s: NDArray[np.int32]
    depart_s: NDArray[np.int32]
    descente: NDArray[np.bool_]
    embarquement: NDArray[np.int32]
    arret_debut: NDArray[np.int64]
    embarquement_s: NDArray[np.int32]


class Correspondances(NamedTuple):
    """Passages à pied d'un arrêt à l'autre (l'arrêt lui-même compris), au format CSR.

    Attributes
    ----------
    debut
        int64[a+1].
    cible
        int32[l], arrêt où l'on remonte.
    temps_s
        int32[l], de la descente à la montée au plus tôt : marche et marge d'embarquement.
    """

    debut: NDArray[np.int64]
    cible: NDArray[np.int32]
    temps_s: NDArray[np.int32]


class Suites(NamedTuple):
    """Descentes d'où l'on attrape chaque embarquement, au format CSR.

    Une descente figure une fois par arrêt de correspondance, au premier embarquement possible : les
    suivants s'en déduisent en attendant à l'arrêt.

    Attributes
    ----------
    debut
        int64[p+1], par embarquement.
    descente
        int32[s], passage où l'on descend.
    """

    debut: NDArray[np.int64]
    descente: NDArray[np.int32]


def construire_horaire(
    passages: PassagesDuJour, nombre_arrets: int, debut_s: int, fin_s: int
) -> Horaire:
    """Ranger les passages d'une fenêtre.

    Parameters
    ----------
    passages
        Courses du jour.
    nombre_arrets
        Nombre d'arrêts de l'offre.
    debut_s, fin_s
        Seuls les passages partant après ``debut_s`` et arrivant avant ``fin_s`` servent.

    Returns
    -------
    Horaire
        Courses d'au moins deux passages dans la fenêtre ; celles qu'un même véhicule enchaîne n'en
        font qu'une, on y reste à bord.
    """
    bornes = passages.debut_vehicules
    course = np.repeat(np.arange(bornes.size - 1), np.diff(bornes))
    garde = (passages.depart_s >= debut_s) & (passages.arrivee_s <= fin_s)
    nombre = np.bincount(course[garde], minlength=bornes.size - 1)
    garde &= (nombre >= 2)[course]
    return _ranger(
        course[garde],
        passages.arret[garde],
        passages.arrivee_s[garde],
        passages.depart_s[garde],
        passages.montee[garde],
        passages.descente[garde],
        nombre_arrets,
    )


def renverser(horaire: Horaire) -> Horaire:
    """Horaire vu dans un temps retourné : arrêts en sens inverse, heures opposées.

    Retourner deux fois redonne le même horaire.
    """
    course = np.repeat(np.arange(horaire.course_debut.size - 1), np.diff(horaire.course_debut))
    envers = np.arange(course.size)[::-1]
    return _ranger(
        course[envers],
        horaire.arret[envers],
        -horaire.depart_s[envers],
        -horaire.arrivee_s[envers],
        horaire.descente[envers],
        (horaire.embarquement >= 0)[envers],
        horaire.arret_debut.size - 1,
    )


def _ranger(
    course: NDArray[np.intp],
    arret: NDArray[np.int32],
    arrivee_s: NDArray[np.int32],
    depart_s: NDArray[np.int32],
    montee: NDArray[np.bool_],
    descente: NDArray[np.bool_],
    nombre_arrets: int,
) -> Horaire:
    """Ranger des passages contigus par course, dans l'ordre du parcours."""
    change = np.append(True, course[1:] != course[:-1]) if course.size else np.zeros(0, bool)
    debut = np.append(np.flatnonzero(change), course.size).astype(np.int64)
    bouts = np.zeros((2, course.size), dtype=bool)
    bouts[0, debut[:-1]] = bouts[1, debut[1:] - 1] = True
    est_premier, est_dernier = bouts
    monte = np.flatnonzero(montee & ~est_dernier)
    rang = monte[np.lexsort((depart_s[monte], arret[monte]))]
    embarquement = np.full(course.size, -1, dtype=np.int32)
    embarquement[rang] = np.arange(rang.size, dtype=np.int32)
    par_arret = np.bincount(arret[rang], minlength=nombre_arrets)
    return Horaire(
        course_debut=debut,
        course=(np.cumsum(change) - 1).astype(np.int32),
        arret=arret.astype(np.int32),
        arrivee_s=arrivee_s.astype(np.int32),
        depart_s=depart_s.astype(np.int32),
        descente=descente & ~est_premier,
        embarquement=embarquement,
        arret_debut=np.concatenate([[0], np.cumsum(par_arret)]).astype(np.int64),
        embarquement_s=depart_s[rang].astype(np.int32),
    )


def transposer(correspondances: Correspondances) -> Correspondances:
    """Correspondances vues dans le temps retourné (de l'arrêt de montée à celui de descente)."""
    n = correspondances.debut.size - 1
    origine = np.repeat(np.arange(n, dtype=np.int32), np.diff(correspondances.debut))
    ordre = np.lexsort((origine, correspondances.cible))
    debut = np.concatenate([[0], np.cumsum(np.bincount(correspondances.cible, minlength=n))])
    return Correspondances(
        debut.astype(np.int64), origine[ordre], correspondances.temps_s[ordre].astype(np.int32)
    )


def construire_suites(horaire: Horaire, correspondances: Correspondances) -> Suites:
    """Chercher, pour chaque descente et chaque arrêt voisin, le premier embarquement possible."""
    debut, descente = _chercher_suites(horaire, correspondances)
    return Suites(debut, descente)


@nb.njit(cache=True, nogil=True)
def _chercher_suites(h, c):  # type: ignore[no-untyped-def]
    """Deux passes : compter les descentes de chaque embarquement, puis les ranger."""
    debut = np.zeros(h.embarquement_s.size + 1, dtype=np.int64)
    descentes = np.empty(0, dtype=np.int32)
    place = debut
    for passe in range(2):
        for e in range(h.arret.size):
            if not h.descente[e]:
                continue
            a = h.arret[e]
            for q in range(c.debut[a], c.debut[a + 1]):
                s = c.cible[q]
                p0, p1 = h.arret_debut[s], h.arret_debut[s + 1]
                heure = h.arrivee_s[e] + c.temps_s[q]
                p = p0 + np.searchsorted(h.embarquement_s[p0:p1], heure)
                if p == p1:
                    continue
                if passe == 0:
                    debut[p + 1] += 1
                else:
                    descentes[place[p]] = e
                    place[p] += 1
        if passe == 0:
            debut = np.cumsum(debut)
            place = debut[:-1].copy()
            descentes = np.empty(debut[-1], dtype=np.int32)
    return debut, descentes

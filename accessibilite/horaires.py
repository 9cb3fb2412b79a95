"""Horaires d'une fenêtre de temps, en tableaux triés, et leur image retournée dans le temps.

Une même structure sert aux deux sens : retourner le temps (t → -t) échange départs et arrivées,
montées et descentes. Chercher depuis un point est donc chercher vers lui dans l'horaire retourné,
et un seul noyau (:mod:`accessibilite.balayage_tc`) suffit, éprouvé dans les deux sens.
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
    def debut(self) -> NDArray[np.int64]: ...  # noqa: D102
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
    """Passages d'une fenêtre, courses rangées par suite d'arrêts (« motif »).

    Un *embarquement* est un passage où l'on peut monter ; les embarquements sont rangés par arrêt
    puis par heure de départ, si bien que « le premier départ après telle heure » est un rang.

    Attributes
    ----------
    course_debut
        int64[c+1], passages de chaque course.
    arret
        int32[e], arrêt du passage.
    arrivee_s, depart_s
        int32[e], secondes (négatives dans l'horaire retourné).
    descente
        bool[e], on peut y descendre (jamais au premier passage).
    embarquement
        int32[e], rang de l'embarquement, -1 si l'on ne peut pas monter.
    motif_debut
        int64[m+1], courses de chaque motif.
    arret_debut
        int64[a+1], embarquements de chaque arrêt.
    embarquement_s
        int32[p], heure de départ de chaque embarquement, croissante dans un arrêt.
    """

    course_debut: NDArray[np.int64]
    arret: NDArray[np.int32]
    arrivee_s: NDArray[np.int32]
    depart_s: NDArray[np.int32]
    descente: NDArray[np.bool_]
    embarquement: NDArray[np.int32]
    motif_debut: NDArray[np.int64]
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
    """Embarquements possibles après chaque descente, au format CSR.

    Attributes
    ----------
    debut
        int64[e+1], par passage.
    embarquement
        int32[s], premier embarquement possible à chaque arrêt de correspondance.
    """

    debut: NDArray[np.int64]
    embarquement: NDArray[np.int32]


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
        Courses d'au moins deux passages dans la fenêtre.
    """
    course = np.repeat(np.arange(passages.debut.size - 1), np.diff(passages.debut))
    garde = (passages.depart_s >= debut_s) & (passages.arrivee_s <= fin_s)
    nombre = np.bincount(course[garde], minlength=passages.debut.size - 1)
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
    """Ranger des passages (contigus par course) par motif, course puis parcours."""
    change = np.append(True, course[1:] != course[:-1]) if course.size else np.zeros(0, bool)
    premier = np.flatnonzero(change)
    debut = np.append(premier, course.size)
    motif = _numeroter_motifs(arret, debut)
    ordre = np.lexsort((depart_s[premier], motif))
    longueur = np.diff(debut)[ordre]
    course_debut = np.concatenate([[0], np.cumsum(longueur)]).astype(np.int64)
    source = np.repeat(premier[ordre] - course_debut[:-1], longueur) + np.arange(course.size)
    arret, arrivee_s, depart_s = arret[source], arrivee_s[source], depart_s[source]
    est_premier = np.zeros(course.size, dtype=bool)
    est_premier[course_debut[:-1]] = True
    est_dernier = np.zeros(course.size, dtype=bool)
    est_dernier[course_debut[1:] - 1] = True
    monte = np.flatnonzero(montee[source] & ~est_dernier)
    rang = monte[np.lexsort((depart_s[monte], arret[monte]))]
    embarquement = np.full(course.size, -1, dtype=np.int32)
    embarquement[rang] = np.arange(rang.size, dtype=np.int32)
    motifs = motif[ordre]
    return Horaire(
        course_debut,
        arret.astype(np.int32),
        arrivee_s.astype(np.int32),
        depart_s.astype(np.int32),
        descente[source] & ~est_premier,
        embarquement,
        np.concatenate([[0], np.cumsum(np.bincount(motifs))]).astype(np.int64),
        np.concatenate([[0], np.cumsum(np.bincount(arret[rang], minlength=nombre_arrets))]).astype(
            np.int64
        ),
        depart_s[rang].astype(np.int32),
    )


def _numeroter_motifs(arret: NDArray[np.int32], debut: NDArray[np.intp]) -> NDArray[np.intp]:
    """Numéro de la suite d'arrêts de chaque course."""
    numeros: dict[bytes, int] = {}
    texte = np.ascontiguousarray(arret, dtype=np.int32).tobytes()
    return np.array(
        [
            numeros.setdefault(texte[4 * a : 4 * b], len(numeros))
            for a, b in zip(debut[:-1].tolist(), debut[1:].tolist(), strict=True)
        ],
        dtype=np.intp,
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
    """Chercher, après chaque descente, le premier embarquement à chaque arrêt voisin."""
    debut, embarquement = _chercher_suites(horaire, correspondances)
    return Suites(debut, embarquement)


@nb.njit(cache=True, nogil=True)
def _chercher_suites(h, c):  # type: ignore[no-untyped-def]
    """Deux passes : compter les suites de chaque passage, puis les écrire."""
    n = h.arret.size
    debut = np.zeros(n + 1, dtype=np.int64)
    suites = np.empty(0, dtype=np.int32)
    for passe in range(2):
        total = 0
        for e in range(n):
            debut[e] = total
            if not h.descente[e]:
                continue
            a = h.arret[e]
            for q in range(c.debut[a], c.debut[a + 1]):
                s = c.cible[q]
                p0, p1 = h.arret_debut[s], h.arret_debut[s + 1]
                heure = h.arrivee_s[e] + c.temps_s[q]
                p = p0 + np.searchsorted(h.embarquement_s[p0:p1], heure)
                if p < p1:
                    if passe == 1:
                        suites[total] = p
                    total += 1
        debut[n] = total
        if passe == 0:
            suites = np.empty(total, dtype=np.int32)
    return debut, suites

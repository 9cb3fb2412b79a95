"""Jours étudiés : jours types proposés et courses d'un jour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from donnees_geo.conventions import JOURS_TYPES
from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees
from donnees_geo.gtfs.enchainements import enchainer_courses
from donnees_geo.gtfs.offre import OffreTransport

JOUR_S: Final = 86_400
#: Le lendemain est lu jusqu'à cette heure, pour les fenêtres qui passent minuit.
LENDEMAIN_JUSQU_A_S: Final = 6 * 3600
#: Écart d'offre entre deux niveaux de mardis qui sépare période scolaire et vacances.
ECART_NIVEAUX_PART: Final = 0.04

_NOMS_JOURS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


@dataclass(frozen=True)
class CoursesDuJour:
    """Courses qui roulent un jour donné, heures rapportées à minuit de ce jour.

    Attributes
    ----------
    jour
        Jour étudié.
    course
        int32[n], ligne de ``offre.courses`` (répétée pour une course en fréquence).
    decalage_jour
        int8[n], -1 pour une course du jour de service précédent (après 24 h), +1 du suivant.
    debut
        int64[n + 1], passages de la course ``i`` : ``debut[i]`` à ``debut[i + 1]`` exclu.
    arret
        int32[k], ligne de ``offre.arrets``.
    arrivee_s, depart_s
        int32[k], secondes après minuit du jour étudié (négatives la veille).
    montee, descente
        bool[k] ; jamais de montée au terminus d'une course, ni de descente à son départ.
    enchainee
        bool[n], le véhicule vient de finir la course précédente du tableau : on reste à bord.
    """

    jour: date
    course: NDArray[np.int32]
    decalage_jour: NDArray[np.int8]
    debut: NDArray[np.int64]
    arret: NDArray[np.int32]
    arrivee_s: NDArray[np.int32]
    depart_s: NDArray[np.int32]
    montee: NDArray[np.bool_]
    descente: NDArray[np.bool_]
    enchainee: NDArray[np.bool_]

    @property
    def debut_vehicules(self) -> NDArray[np.int64]:
        """int64[v + 1], passages de chaque suite de courses que l'on parcourt sans descendre."""
        return np.append(self.debut[:-1][~self.enchainee], self.debut[-1])

    @property
    def nombre_courses(self) -> int:
        """Nombre de courses, répétitions des fréquences comprises."""
        return int(self.course.size)


def courses_du_jour(offre: OffreTransport, jour: date) -> CoursesDuJour:
    """Courses en circulation un jour civil.

    Sont comprises les courses du jour de service, celles de la veille encore en route après
    minuit, et celles du lendemain jusqu'à 6 h (fenêtres de nuit).

    Parameters
    ----------
    offre
        Offre réunie.
    jour
        Jour étudié.

    Returns
    -------
    CoursesDuJour
        Peut être vide : un jour sans course n'est pas une erreur.

    Raises
    ------
    ErreurDonnees
        Jour hors du calendrier de tous les flux ; le message donne la période valable.
    """
    debut_validite, fin_validite = offre.validite
    if not debut_validite <= jour <= fin_validite:
        raise ErreurDonnees(
            "Le jour étudié est hors du calendrier de l'offre de transport.",
            objet=f"{jour:%d/%m/%Y}",
            attendu=f"une date du {debut_validite:%d/%m/%Y} au {fin_validite:%d/%m/%Y}",
            trouve=f"{jour:%d/%m/%Y}",
            conseil="Choisir une date de cette période, ou télécharger un flux à jour.",
        )
    rang = jour.toordinal() - offre.premier_jour.toordinal()
    veilles = int(np.ceil(max(int(offre.passage_arrivee_s.max(initial=0)), 1) / JOUR_S)) - 1
    choix, decalages, heures = [], [], []
    for ecart in range(-veilles, 2):
        actives = _actives(offre, rang + ecart)
        course, delta = _deployer(offre, actives)
        premier = offre.passage_depart_s[offre.passage_debut[course]] + delta + ecart * JOUR_S
        dernier = (
            offre.passage_arrivee_s[offre.passage_debut[course + 1] - 1] + delta + ecart * JOUR_S
        )
        garde = np.ones(course.size, dtype=bool)
        if ecart < 0:
            garde = dernier >= 0
        elif ecart > 0:
            garde = premier < JOUR_S + LENDEMAIN_JUSQU_A_S
        choix.append(course[garde])
        heures.append(delta[garde] + ecart * JOUR_S)
        decalages.append(np.full(int(garde.sum()), ecart, np.int8))
    course, heure, decalage = (
        np.concatenate(choix), np.concatenate(heures), np.concatenate(decalages),
    )  # fmt: skip
    ordre, enchainee = enchainer_courses(offre, course, heure, decalage)
    return _assembler(offre, jour, course[ordre], heure[ordre], decalage[ordre], enchainee)


def _actives(offre: OffreTransport, rang: int) -> NDArray[np.int32]:
    """Courses dont le service circule au rang de jour donné."""
    if not 0 <= rang < offre.calendrier.shape[1]:
        return np.zeros(0, np.int32)
    actif = offre.calendrier[:, rang][offre.courses["service"].to_numpy()]
    return np.flatnonzero(actif).astype(np.int32)


def _deployer(
    offre: OffreTransport, actives: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Répéter les courses en fréquence ; rend (course, décalage horaire en secondes)."""
    frequences = offre.frequences[offre.frequences["course"].isin(actives)]
    regulieres = actives[~np.isin(actives, frequences["course"].to_numpy())]
    courses, deltas = [regulieres], [np.zeros(regulieres.size, np.int32)]
    colonnes = ("course", "debut_s", "fin_s", "intervalle_s", "exacte", "phase")
    for course, debut, fin, intervalle, exacte, phase in zip(
        *(frequences[c].tolist() for c in colonnes), strict=True
    ):
        origine = offre.passage_depart_s[offre.passage_debut[course]]
        decalage = 0 if exacte else int(phase * intervalle)
        departs = np.arange(debut + decalage, fin, intervalle, dtype=np.int32)
        courses.append(np.full(departs.size, course, np.int32))
        deltas.append((departs - origine).astype(np.int32))
    return np.concatenate(courses), np.concatenate(deltas)


def _assembler(
    offre: OffreTransport,
    jour: date,
    course: NDArray[np.int32],
    heure: NDArray[np.int32],
    decalage: NDArray[np.int8],
    enchainee: NDArray[np.bool_],
) -> CoursesDuJour:
    """Recopier les passages des courses choisies, décalés."""
    longueur = offre.passage_debut[course + 1] - offre.passage_debut[course]
    debut = np.concatenate([[0], np.cumsum(longueur)]).astype(np.int64)
    source = np.arange(debut[-1]) + np.repeat(offre.passage_debut[course] - debut[:-1], longueur)
    delta = np.repeat(heure, longueur).astype(np.int32)
    montee, descente = offre.passage_montee[source], offre.passage_descente[source]
    # D'un terminus, le véhicule peut aller ailleurs avant la course qu'il enchaîne.
    montee[debut[1:] - 1] = False
    descente[debut[:-1]] = False
    return CoursesDuJour(
        jour,
        course,
        decalage,
        debut,
        offre.passage_arret[source],
        offre.passage_arrivee_s[source] + delta,
        offre.passage_depart_s[source] + delta,
        montee,
        descente,
        enchainee,
    )


def compter_par_jour(offre: OffreTransport) -> pd.Series:
    """Nombre de courses par jour civil du calendrier (index : dates).

    Une course en fréquence compte autant de fois qu'elle part.
    """
    poids = np.ones(offre.nombre_courses)
    if len(offre.frequences):
        f = offre.frequences
        plage = f["fin_s"].to_numpy() - f["debut_s"].to_numpy()
        departs = np.ceil(plage / f["intervalle_s"].to_numpy())
        course = f["course"].to_numpy()
        poids[course] = 0.0
        np.add.at(poids, course, departs)
    par_service = np.bincount(
        offre.courses["service"].to_numpy(), weights=poids, minlength=len(offre.services)
    )
    comptes = np.rint(par_service @ offre.calendrier).astype(np.int64)
    index = pd.date_range(offre.premier_jour, periods=offre.calendrier.shape[1])
    return pd.Series(comptes, index=index, name="courses")


def proposer_jours_types(offre: OffreTransport) -> pd.DataFrame:
    """Proposer une date par jour type d'après le calendrier de l'offre.

    Les mardis se rangent par niveaux d'offre : le niveau le plus fourni est tenu pour la période
    scolaire, un niveau nettement plus bas (mais plus haut que le dimanche) pour les vacances. À
    chaque niveau, la date proposée est la première de celles qui portent le nombre de courses le
    plus courant : un jour exceptionnel n'est pas choisi.

    Returns
    -------
    pandas.DataFrame
        ``jour_type``, ``date`` (NaT si le calendrier ne permet pas d'en proposer), ``courses``,
        ``certain`` (faux si le niveau n'a pas pu être distingué), ``explication``.
    """
    comptes = _comptes_communs(offre)
    semaine = pd.DatetimeIndex(comptes.index).day_of_week
    dimanche = _courant(comptes[semaine == 6])
    plancher = 0 if dimanche is None else int(comptes[dimanche])
    mardis = comptes[(semaine == 1) & (comptes > 0)]
    ouvres = mardis[mardis > plancher * 1.05]
    mardis = ouvres if len(ouvres) else mardis
    seuil = _seuil_scolaire(mardis)
    distingue = seuil is not None
    scolaires = mardis[mardis >= seuil] if seuil is not None else mardis
    lignes = [
        _proposition(
            "mardi_scolaire",
            scolaires,
            distingue,
            "mardi du niveau d'offre le plus fourni"
            if distingue
            else "un seul niveau d'offre le mardi : période scolaire non distinguée",
        )
    ]
    semaines_scolaires = {(d.isocalendar().year, d.isocalendar().week) for d in scolaires.index}
    for nom, rang in (("mercredi", 2), ("samedi", 5), ("dimanche", 6)):
        choix = comptes[(semaine == rang) & (comptes > 0)]
        memes = choix[
            [(d.isocalendar().year, d.isocalendar().week) in semaines_scolaires
             for d in choix.index]
        ]  # fmt: skip
        choix = memes if len(memes) else choix
        lignes.append(
            _proposition(nom, choix, True, f"{_NOMS_JOURS[rang]} courant en période scolaire")
        )
    vacances = mardis[mardis < seuil] if seuil is not None else mardis[:0]
    lignes.append(
        _proposition(
            "vacances",
            vacances,
            distingue,
            "mardi d'un niveau d'offre réduit, hors jours fériés"
            if distingue
            else "le calendrier ne montre pas de mardi à offre réduite",
        )
    )
    return pd.DataFrame(lignes)


def choisir_jour(offre: OffreTransport, demande: str) -> date:
    """Jour d'un nom de jour type ou d'une date écrite ``AAAA-MM-JJ``.

    Parameters
    ----------
    offre
        Offre réunie.
    demande
        Un de :data:`JOURS_TYPES`, ou une date.

    Raises
    ------
    ErreurConfiguration
        Ni un jour type, ni une date.
    ErreurDonnees
        Le calendrier ne permet pas de proposer ce jour type ; le message donne ceux qu'il permet.
    """
    if demande not in JOURS_TYPES:
        try:
            return date.fromisoformat(demande)
        except ValueError:
            raise ErreurConfiguration(
                "Le jour étudié n'est pas valable.",
                objet="jour",
                attendu=f"{', '.join(JOURS_TYPES)}, ou une date AAAA-MM-JJ",
                trouve=demande,
            ) from None
    proposes = proposer_jours_types(offre).dropna(subset=["date"]).set_index("jour_type")["date"]
    if demande not in proposes:
        debut, fin = offre.validite
        raise ErreurDonnees(
            "Le calendrier de l'offre de transport ne permet pas de proposer ce jour type.",
            objet=demande,
            attendu=", ".join(proposes.index) or "aucun jour type",
            conseil=f"Donnez une date, du {debut:%d/%m/%Y} au {fin:%d/%m/%Y}.",
        )
    jour: date = pd.Timestamp(proposes[demande]).date()
    return jour


def _comptes_communs(offre: OffreTransport) -> pd.Series:
    """Courses par jour, sur les jours où tous les flux sont valables s'il y en a."""
    comptes = compter_par_jour(offre)
    if not len(offre.periodes) or (offre.periodes["debut"] == "").any():
        return comptes
    debut = pd.Timestamp(offre.periodes["debut"].max())
    fin = pd.Timestamp(offre.periodes["fin"].min())
    communs = comptes[(comptes.index >= debut) & (comptes.index <= fin)]
    return communs if len(communs) else comptes


def _seuil_scolaire(mardis: pd.Series) -> float | None:
    """Nombre de courses qui sépare les deux niveaux de mardis, ``None`` s'il n'y en a qu'un."""
    niveaux = np.unique(mardis.to_numpy())
    if niveaux.size < 2:
        return None
    sauts = np.diff(niveaux)
    large = int(np.argmax(sauts))
    if sauts[large] < ECART_NIVEAUX_PART * niveaux[-1]:
        return None
    return float(niveaux[large] + niveaux[large + 1]) / 2


def _courant(comptes: pd.Series) -> pd.Timestamp | None:
    """Premier jour qui porte le nombre de courses le plus courant."""
    comptes = comptes[comptes > 0]
    if comptes.empty:
        return None
    frequence = comptes.map(comptes.value_counts())
    meilleurs = comptes[frequence == frequence.max()]
    # À fréquence égale, le niveau le plus fourni ; à niveau égal, la première date.
    jour: pd.Timestamp = meilleurs[meilleurs == meilleurs.max()].index[0]
    return jour


def _proposition(
    jour_type: str, comptes: pd.Series, certain: bool, explication: str
) -> dict[str, object]:
    """Une ligne de la table des jours types."""
    jour = _courant(comptes)
    if jour is None:
        return {
            "jour_type": jour_type,
            "date": pd.NaT,
            "courses": 0,
            "certain": False,
            "explication": "aucun jour de ce type dans le calendrier de l'offre",
        }
    return {
        "jour_type": jour_type,
        "date": jour,
        "courses": int(comptes[jour]),
        "certain": certain,
        "explication": explication,
    }

"""Passages aux arrêts (``stop_times.txt``) : lecture, contrôle, interpolation.

Aucune course n'est corrigée en silence : celle dont les heures reculent ou manquent aux bouts est
écartée, comptée et citée dans les constats.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from donnees_geo.erreurs import Constat, Gravite
from donnees_geo.gtfs.archive import ArchiveGtfs
from donnees_geo.gtfs.colonnes import HEURE_ABSENTE, Colonne, TableGtfs, lire_table

_COLONNES: Final = (
    "trip_id",
    "arrival_time",
    "departure_time",
    "stop_id",
    "stop_sequence",
    "pickup_type",
    "drop_off_type",
    "start_pickup_drop_off_window",
)
_OBLIGATOIRES: Final = ("trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence")
#: Vitesse à vol d'oiseau entre deux arrêts au-delà de laquelle une position est suspecte (m/s).
VITESSE_SUSPECTE_M_S: Final = 400 / 3.6
_SAUT_SUSPECT_M: Final = 3_000.0


@dataclass(frozen=True)
class Passages:
    """Passages d'un flux, rangés par course puis par ordre de parcours.

    Attributes
    ----------
    course, arret
        int32[k], lignes des tables de courses et d'arrêts du flux.
    arrivee_s, depart_s
        int32[k], secondes après minuit du jour de service.
    montee, descente
        bool[k], permises sans réservation.
    reservation
        bool[k], montée ou descente sur réservation seulement.
    """

    course: NDArray[np.int32]
    arret: NDArray[np.int32]
    arrivee_s: NDArray[np.int32]
    depart_s: NDArray[np.int32]
    montee: NDArray[np.bool_]
    descente: NDArray[np.bool_]
    reservation: NDArray[np.bool_]

    def garder(self, garde: NDArray[np.bool_]) -> Passages:
        """Ne garder que les passages du masque."""
        return Passages(
            self.course[garde],
            self.arret[garde],
            self.arrivee_s[garde],
            self.depart_s[garde],
            self.montee[garde],
            self.descente[garde],
            self.reservation[garde],
        )


def lire_passages(
    archive: ArchiveGtfs,
    courses: pd.DataFrame,
    arrets: pd.DataFrame,
    constats: list[Constat],
) -> tuple[Passages, NDArray[np.bool_]]:
    """Lire les passages des courses qui desservent l'emprise.

    Parameters
    ----------
    archive
        Flux ouvert.
    courses
        Courses du flux (``id_source``), index 0…n-1.
    arrets
        Arrêts du flux (voir :func:`donnees_geo.gtfs.arrets.lire_arrets`).
    constats
        Liste complétée.

    Returns
    -------
    passages : Passages
        Courses entières (au moins deux passages, heures croissantes) dont un passage au moins est
        dans l'emprise.
    en_zone : ndarray
        bool[courses], courses à la demande qui desservent une zone et non des arrêts.
    """
    table = lire_table(archive, "stop_times.txt", _COLONNES, _OBLIGATOIRES, constats)
    objet = f"{archive.chemin.name} : stop_times.txt"
    course = _indices(table.colonne("trip_id"), courses["id_source"])
    arret = _indices(table.colonne("stop_id"), arrets["id_source"])
    _constater_inconnus(table, course, arret, objet, constats)
    sans_passage = np.bincount(course[course >= 0], minlength=len(courses)) == 0
    if sans_passage.any():
        _constater_courses(
            sans_passage, courses, "n'ont aucun arrêt dans ce fichier et sont écartées",
            objet, constats,
        )  # fmt: skip
    fenetres = ~table.colonne("start_pickup_drop_off_window").vides()
    en_zone = np.zeros(len(courses), dtype=bool)
    en_zone[course[fenetres & (course >= 0) & (arret < 0)]] = True
    # Découper d'abord : d'un flux national, seules les courses locales sont converties et triées.
    connus = (course >= 0) & (arret >= 0) & ~np.append(en_zone, False)[course]
    utiles = np.zeros(len(courses), dtype=bool)
    locaux = np.append(arrets["dans_emprise"].to_numpy(), False)
    utiles[course[connus & locaux[arret]]] = True
    garde = np.flatnonzero(connus & np.append(utiles, False)[course])
    arrivee, depart = table.heures("arrival_time")[garde], table.heures("departure_time")[garde]
    rang = table.entiers("stop_sequence", 0)[garde]
    course, arret = course[garde], arret[garde]
    ordre = np.lexsort((rang, course))
    course, arret, rang = course[ordre], arret[ordre], rang[ordre]
    _constater_rangs_doubles(course, rang, objet, constats)
    prise = table.entiers("pickup_type", 0)[garde][ordre]
    depose = table.entiers("drop_off_type", 0)[garde][ordre]
    fenetre = fenetres[garde][ordre]
    passages = Passages(
        course,
        arret,
        arrivee[ordre],
        depart[ordre],
        ~np.isin(prise, (1, 2)) & ~fenetre,
        ~np.isin(depose, (1, 2)) & ~fenetre,
        (prise == 2) | (depose == 2) | fenetre,
    )
    return verifier_passages(passages, courses, arrets, objet, constats), en_zone


def verifier_passages(
    passages: Passages,
    courses: pd.DataFrame,
    arrets: pd.DataFrame,
    objet: str,
    constats: list[Constat],
) -> Passages:
    """Écarter les courses fautives et interpoler les heures vides."""
    nombre = np.bincount(passages.course, minlength=len(courses))
    courtes = nombre == 1
    if courtes.any():
        _constater_courses(
            courtes, courses, "n'ont qu'un seul arrêt connu et sont écartées", objet, constats
        )
    passages = passages.garder(~courtes[passages.course])
    passages = _interpoler(passages, courses, arrets, objet, constats)
    reculs = np.zeros(len(courses), dtype=bool)
    reculs[passages.course[passages.depart_s < passages.arrivee_s]] = True
    meme = passages.course[1:] == passages.course[:-1]
    recule = meme & (passages.arrivee_s[1:] < passages.depart_s[:-1])
    reculs[passages.course[1:][recule]] = True
    if reculs.any():
        _constater_courses(
            reculs,
            courses,
            "ont des heures qui reculent d'un arrêt au suivant (temps de parcours négatif) et "
            "sont écartées",
            objet,
            constats,
        )
        passages = passages.garder(~reculs[passages.course])
    _constater_vitesses(passages, arrets, objet, constats)
    return passages


def _interpoler(
    passages: Passages,
    courses: pd.DataFrame,
    arrets: pd.DataFrame,
    objet: str,
    constats: list[Constat],
) -> Passages:
    """Donner une heure aux passages vides, au prorata de la distance entre arrêts successifs."""
    arrivee, depart = passages.arrivee_s, passages.depart_s
    arrivee = np.where(arrivee == HEURE_ABSENTE, depart, arrivee)
    depart = np.where(depart == HEURE_ABSENTE, arrivee, depart)
    vide = arrivee == HEURE_ABSENTE
    passages = replace(passages, arrivee_s=arrivee, depart_s=depart)
    if not vide.any():
        return passages
    bouts = _bouts(passages.course)
    ouvertes = np.zeros(len(courses), dtype=bool)
    ouvertes[passages.course[vide & bouts]] = True
    if ouvertes.any():
        _constater_courses(
            ouvertes, courses, "n'ont pas d'heure à leur premier ou dernier arrêt et sont écartées",
            objet, constats,
        )  # fmt: skip
        garde = ~ouvertes[passages.course]
        passages, vide = passages.garder(garde), vide[garde]
        if not vide.any():
            return passages
    position = _positions_le_long(passages, arrets)
    connus = ~vide
    # Entre deux heures données, on part du départ du premier et l'on arrive à l'arrivée du second.
    rangs = np.arange(vide.size)
    avant = np.maximum.accumulate(np.where(connus, rangs, -1))[vide]
    apres = np.minimum.accumulate(np.where(connus, rangs, vide.size)[::-1])[::-1][vide]
    longueur = position[apres] - position[avant]
    part = np.where(
        longueur > 0,
        (position[vide] - position[avant]) / np.where(longueur > 0, longueur, 1.0),
        (rangs[vide] - avant) / (apres - avant),
    )
    debut, fin = passages.depart_s[avant], passages.arrivee_s[apres]
    heure = np.round(debut + part * (fin - debut)).astype(np.int32)
    arrivee, depart = passages.arrivee_s.copy(), passages.depart_s.copy()
    arrivee[vide] = depart[vide] = heure
    constats.append(
        Constat(
            Gravite.MINEUR,
            objet,
            f"{int(vide.sum())} heures de passage vides sur {vide.size} sont interpolées au "
            "prorata de la distance entre arrêts.",
        )
    )
    return replace(passages, arrivee_s=arrivee, depart_s=depart)


def _positions_le_long(passages: Passages, arrets: pd.DataFrame) -> NDArray[np.float64]:
    """Distance cumulée à vol d'oiseau, float64[k] ; un saut inconnu vaut le saut médian."""
    x = arrets["x"].to_numpy()[passages.arret]
    y = arrets["y"].to_numpy()[passages.arret]
    saut = np.hypot(np.diff(x), np.diff(y))
    inconnus = np.isnan(saut)
    if inconnus.any():
        saut[inconnus] = 1.0 if inconnus.all() else np.median(saut[~inconnus])
    saut[passages.course[1:] != passages.course[:-1]] = 0.0
    return np.concatenate([[0.0], np.cumsum(saut)])


def _bouts(course: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Masque des premiers et derniers passages de chaque course."""
    change = course[1:] != course[:-1]
    bouts: NDArray[np.bool_] = np.append(True, change) | np.append(change, True)
    return bouts


def _indices(colonne: Colonne, identifiants: pd.Series) -> NDArray[np.int32]:
    """Traduire une colonne codée en lignes d'une table (-1 si l'identifiant est inconnu)."""
    rang = pd.Index(identifiants).get_indexer(pd.Index(colonne.valeurs))
    indices: NDArray[np.int32] = rang.astype(np.int32)[colonne.codes]
    return indices


def _constater_inconnus(
    table: TableGtfs,
    course: NDArray[np.int32],
    arret: NDArray[np.int32],
    objet: str,
    constats: list[Constat],
) -> None:
    """Compter les passages qui citent un arrêt ou une course inconnus."""
    for indices, colonne, mot in ((course, "trip_id", "course"), (arret, "stop_id", "arrêt")):
        perdus = indices < 0
        if colonne == "stop_id":
            # Passage à la demande dans une zone : il n'a pas d'arrêt et sera mis à part.
            perdus &= table.colonne("start_pickup_drop_off_window").vides()
        if perdus.any():
            source = table.colonne(colonne)
            noms = source.valeurs[np.unique(source.codes[perdus])]
            constats.append(
                Constat(
                    Gravite.MAJEUR,
                    objet,
                    f"{int(perdus.sum())} passage(s) citent {len(noms)} {mot}(s) inconnu(s) et "
                    f"sont écartés : {', '.join(str(n) for n in noms[:5])}"
                    + (", …." if len(noms) > 5 else "."),
                )
            )


def _constater_rangs_doubles(
    course: NDArray[np.int32], rang: NDArray[np.int64], objet: str, constats: list[Constat]
) -> None:
    """Signaler les rangs d'arrêt répétés dans une même course."""
    doubles = int(((course[1:] == course[:-1]) & (rang[1:] == rang[:-1])).sum())
    if doubles:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                f"{doubles} passage(s) répètent un stop_sequence dans leur course ; l'ordre du "
                "fichier est suivi.",
            )
        )


def _constater_courses(
    masque: NDArray[np.bool_],
    courses: pd.DataFrame,
    verdict: str,
    objet: str,
    constats: list[Constat],
) -> None:
    """Ajouter un constat majeur qui compte et cite des courses."""
    exemples = [str(c) for c in courses.loc[masque, "id_source"].iloc[:5]]
    suite = ", …" if int(masque.sum()) > 5 else ""
    constats.append(
        Constat(
            Gravite.MAJEUR,
            objet,
            f"{int(masque.sum())} course(s) sur {masque.size} {verdict} : "
            f"{', '.join(exemples)}{suite}.",
        )
    )


def _constater_vitesses(
    passages: Passages, arrets: pd.DataFrame, objet: str, constats: list[Constat]
) -> None:
    """Signaler les sauts impossibles entre deux arrêts successifs (arrêt mal placé)."""
    x = arrets["x"].to_numpy()[passages.arret]
    y = arrets["y"].to_numpy()[passages.arret]
    saut_m = np.hypot(np.diff(x), np.diff(y))
    duree_s = np.maximum(passages.arrivee_s[1:] - passages.depart_s[:-1], 60)
    with np.errstate(invalid="ignore"):
        impossible = (
            (passages.course[1:] == passages.course[:-1])
            & (saut_m > _SAUT_SUSPECT_M)
            & (saut_m / duree_s > VITESSE_SUSPECTE_M_S)
        )
    if impossible.any():
        couples = np.column_stack([passages.arret[:-1][impossible], passages.arret[1:][impossible]])
        couples = np.unique(couples, axis=0)
        noms = arrets["id_source"].to_numpy()
        exemples = "; ".join(f"{noms[a]} → {noms[b]}" for a, b in couples[:3])
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                f"{len(couples)} liaison(s) entre arrêts successifs dépassent "
                f"{VITESSE_SUSPECTE_M_S * 3.6:.0f} km/h : un des deux arrêts est sans doute mal "
                f"placé : {exemples}.",
            )
        )

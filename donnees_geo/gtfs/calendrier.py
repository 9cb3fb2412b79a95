"""Calendrier d'un flux GTFS : services × jours en tableau booléen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.gtfs.archive import ArchiveGtfs
from donnees_geo.gtfs.colonnes import TableGtfs, lire_table

JOURS_SEMAINE: Final = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
#: Un calendrier « sans fin » (2099) est lu sur cette durée à partir de son premier jour.
DUREE_MAX_JOURS: Final = 5 * 366


@dataclass(frozen=True)
class Calendrier:
    """Jours de circulation des services d'un flux.

    Attributes
    ----------
    services
        object[s], identifiants ``service_id``.
    premier_jour
        Jour (``toordinal``) de la première colonne.
    circule
        bool[s, jours].
    """

    services: NDArray[np.object_]
    premier_jour: int
    circule: NDArray[np.bool_]


def lire_calendrier(archive: ArchiveGtfs, constats: list[Constat]) -> Calendrier:
    """Lire ``calendar.txt`` et ``calendar_dates.txt`` (l'un des deux suffit).

    Raises
    ------
    ErreurDonnees
        Aucun des deux fichiers, ou aucun jour de circulation.
    """
    reguliers = exceptions = None
    if archive.contient("calendar.txt"):
        utiles = ("service_id", "start_date", "end_date", *JOURS_SEMAINE)
        reguliers = lire_table(archive, "calendar.txt", utiles, utiles, constats)
    if archive.contient("calendar_dates.txt"):
        dates = ("service_id", "date", "exception_type")
        exceptions = lire_table(archive, "calendar_dates.txt", dates, dates, constats)
    if reguliers is None and exceptions is None:
        raise ErreurDonnees(
            "Le flux GTFS n'a pas de calendrier.",
            objet=archive.chemin,
            attendu="calendar.txt ou calendar_dates.txt",
            trouve=", ".join(sorted(archive.membres)),
            conseil="Demander un flux complet au producteur.",
        )
    debut, fin = _bornes(archive, reguliers, exceptions, constats)
    noms = sorted(
        {
            str(s)
            for t in (reguliers, exceptions)
            if t is not None
            for s in t.colonne("service_id").valeurs[np.unique(t.colonne("service_id").codes)]
        }
    )
    rang = {nom: i for i, nom in enumerate(noms)}
    circule = np.zeros((len(noms), fin - debut + 1), dtype=bool)
    if reguliers is not None:
        _appliquer_semaines(reguliers, rang, debut, circule)
    if exceptions is not None:
        _appliquer_exceptions(exceptions, rang, debut, circule)
    services = np.empty(len(noms), dtype=object)
    services[:] = noms
    return Calendrier(services, debut, circule)


def _bornes(
    archive: ArchiveGtfs,
    reguliers: TableGtfs | None,
    exceptions: TableGtfs | None,
    constats: list[Constat],
) -> tuple[int, int]:
    """Premier et dernier jours cités par le calendrier."""
    jours: list[NDArray[np.int64]] = []
    if reguliers is not None and reguliers.taille:
        debuts, fins = reguliers.dates("start_date"), reguliers.dates("end_date")
        inverses = int((fins < debuts).sum())
        if inverses:
            constats.append(
                Constat(
                    Gravite.MAJEUR,
                    f"{archive.chemin.name} : calendar.txt",
                    f"{inverses} service(s) finissent avant de commencer : ils ne circulent pas.",
                )
            )
        jours += [debuts, fins]
    if exceptions is not None and exceptions.taille:
        jours.append(exceptions.dates("date"))
    connus = np.concatenate(jours) if jours else np.zeros(0, np.int64)
    connus = connus[connus > 0]
    if connus.size == 0:
        raise ErreurDonnees(
            "Le calendrier du flux GTFS est vide : aucun jour de circulation.",
            objet=archive.chemin,
            attendu="au moins une ligne dans calendar.txt ou calendar_dates.txt",
        )
    debut, fin = int(connus.min()), int(connus.max())
    if fin - debut > DUREE_MAX_JOURS:
        constats.append(
            Constat(
                Gravite.MINEUR,
                f"{archive.chemin.name} : calendrier",
                f"Le calendrier va jusqu'au {date.fromordinal(fin):%d/%m/%Y} ; seuls les "
                f"{DUREE_MAX_JOURS} jours à partir du {date.fromordinal(debut):%d/%m/%Y} "
                "sont lus.",
            )
        )
        fin = debut + DUREE_MAX_JOURS
    return debut, fin


def _appliquer_semaines(
    table: TableGtfs, rang: dict[str, int], debut: int, circule: NDArray[np.bool_]
) -> None:
    """Marquer les jours de semaine de chaque ligne de ``calendar.txt``."""
    semaine = np.column_stack([table.entiers(j, 0) == 1 for j in JOURS_SEMAINE])
    jours = np.arange(circule.shape[1]) + debut
    jour_de_semaine = (jours + 6) % 7  # toordinal 1 = lundi 1er janvier de l'an 1
    premiers, derniers = table.dates("start_date"), table.dates("end_date")
    services = np.array([rang[str(s)] for s in table.textes("service_id")], dtype=np.intp)
    actif = (jours >= premiers[:, None]) & (jours <= derniers[:, None])
    actif &= semaine[:, jour_de_semaine]
    np.logical_or.at(circule, services, actif)


def _appliquer_exceptions(
    table: TableGtfs, rang: dict[str, int], debut: int, circule: NDArray[np.bool_]
) -> None:
    """Ajouter (type 1) puis retrancher (type 2) les jours de ``calendar_dates.txt``."""
    colonne = table.colonne("service_id")
    indice = np.array([rang.get(str(v), -1) for v in colonne.valeurs], dtype=np.intp)
    services = indice[colonne.codes]
    jours = table.dates("date") - debut
    types = table.entiers("exception_type", 0)
    dedans = (jours >= 0) & (jours < circule.shape[1])
    for type_exception, valeur in ((1, True), (2, False)):
        garde = dedans & (types == type_exception)
        circule[services[garde], jours[garde]] = valeur

"""Lecture complète de flux GTFS et réunion en une seule offre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from donnees_geo.erreurs import Constat, Gravite
from donnees_geo.gtfs.archive import ArchiveGtfs, ouvrir_archive
from donnees_geo.gtfs.arrets import lire_arrets
from donnees_geo.gtfs.calendrier import Calendrier, lire_calendrier
from donnees_geo.gtfs.colonnes import lire_table
from donnees_geo.gtfs.complements import (
    constater,
    lire_correspondances,
    lire_frequences,
    rangs_dans,
)
from donnees_geo.gtfs.passages import Passages, lire_passages

#: ``route_type`` de base → mode affiché.
MODES_GTFS: Final = {
    0: "tram",
    1: "metro",
    2: "train",
    3: "bus",
    4: "bateau",
    5: "tram",
    6: "telepherique",
    7: "funiculaire",
    11: "bus",
    12: "train",
}
#: Types étendus (centaine → mode), codes HVT repris par les producteurs européens.
MODES_ETENDUS: Final = {
    1: "train",
    2: "bus",
    3: "train",
    4: "metro",
    5: "metro",
    6: "metro",
    7: "bus",
    8: "bus",
    9: "tram",
    10: "bateau",
    12: "bateau",
    13: "telepherique",
    14: "funiculaire",
}
#: Types étendus qui désignent du transport à la demande.
TYPES_A_LA_DEMANDE: Final = (715, 1500, 1501)


@dataclass(frozen=True)
class FluxLu:
    """Un flux lu et découpé, avant réunion (indices locaux au flux)."""

    nom: str
    arrets: pd.DataFrame
    lignes: pd.DataFrame
    courses: pd.DataFrame
    passages: Passages
    calendrier: Calendrier
    frequences: pd.DataFrame
    correspondances: pd.DataFrame
    enchainements: pd.DataFrame
    a_la_demande: pd.DataFrame
    periode: dict[str, object]


def lire_flux(
    chemin: Path, nom: str, crs: str, emprise: BaseGeometry | None, constats: list[Constat]
) -> FluxLu:
    """Lire un flux GTFS, découpé à l'emprise pendant la lecture.

    Une course est gardée entière dès qu'un de ses arrêts est dans l'emprise ; les arrêts gardés
    sont ceux des courses gardées, et leurs gares.

    Raises
    ------
    ErreurDonnees
        Archive refusée ou illisible, fichier ou colonne obligatoire absent, valeur illisible.
    """
    archive = ouvrir_archive(chemin)
    arrets = lire_arrets(archive, crs, emprise, constats)
    lignes = _lire_lignes(archive, constats)
    calendrier = lire_calendrier(archive, constats)
    courses = _lire_courses(archive, lignes, calendrier, constats)
    passages, en_zone = lire_passages(archive, courses, arrets, constats)
    periode = _periode(nom, courses, arrets, calendrier)
    demande = _courses_a_la_demande(courses, lignes, passages, en_zone)
    a_la_demande = _resumer_a_la_demande(nom, courses, lignes, demande)
    if len(a_la_demande):
        constats.append(
            Constat(
                Gravite.MAJEUR,
                f"{chemin.name} : trips.txt",
                f"{int(a_la_demande['courses'].sum())} course(s) à la demande sur "
                f"{len(a_la_demande)} ligne(s) sont mises à part : elles n'entrent pas dans les "
                "temps de parcours.",
            )
        )
    passages = passages.garder(~demande[passages.course])
    partielles = int((passages.reservation).sum())
    if partielles:
        constats.append(
            Constat(
                Gravite.MINEUR,
                f"{chemin.name} : stop_times.txt",
                f"{partielles} passage(s) sur réservation dans des courses régulières : on n'y "
                "monte ni n'en descend dans les calculs.",
            )
        )
    gardees = np.zeros(len(courses), dtype=bool)
    gardees[passages.course] = True
    frequences = lire_frequences(archive, courses, constats)
    correspondances, enchainements = lire_correspondances(archive, arrets, courses, constats)
    return _elaguer(
        FluxLu(
            nom, arrets, lignes, courses, passages, calendrier, frequences, correspondances,
            enchainements, a_la_demande, periode,
        ),
        gardees,
    )  # fmt: skip


def _lire_lignes(archive: ArchiveGtfs, constats: list[Constat]) -> pd.DataFrame:
    """Lire ``routes.txt`` et le nom des exploitants."""
    colonnes = (
        "route_id",
        "agency_id",
        "route_short_name",
        "route_long_name",
        "route_type",
        "route_color",
    )
    table = lire_table(archive, "routes.txt", colonnes, ("route_id", "route_type"), constats)
    types = table.entiers("route_type", 3)
    exploitants = _exploitants(archive, constats)
    par_defaut = next(iter(exploitants.values())) if len(exploitants) == 1 else ""
    lignes = pd.DataFrame(
        {
            "id_source": table.textes("route_id"),
            "nom_court": table.textes("route_short_name"),
            "nom_long": table.textes("route_long_name"),
            "type": types.astype(np.int32),
            "mode": [mode_de_ligne(int(t)) for t in types],
            "couleur": [_couleur(str(c)) for c in table.textes("route_color")],
            "exploitant": [exploitants.get(str(a), par_defaut) for a in table.textes("agency_id")],
        }
    )
    return lignes.drop_duplicates("id_source").reset_index(drop=True)


def _exploitants(archive: ArchiveGtfs, constats: list[Constat]) -> dict[str, str]:
    """Identifiant d'exploitant → nom (``agency.txt`` facultatif ici)."""
    if not archive.contient("agency.txt"):
        constats.append(
            Constat(Gravite.MINEUR, archive.chemin.name, "agency.txt absent : exploitant inconnu.")
        )
        return {}
    table = lire_table(archive, "agency.txt", ("agency_id", "agency_name"), (), constats)
    return dict(zip(table.textes("agency_id"), table.textes("agency_name"), strict=True))


def mode_de_ligne(route_type: int) -> str:
    """Traduire un ``route_type`` (de base ou étendu) en mode affiché.

    Examples
    --------
    >>> mode_de_ligne(2), mode_de_ligne(704), mode_de_ligne(99)
    ('train', 'bus', 'autre')
    """
    if route_type in MODES_GTFS:
        return MODES_GTFS[route_type]
    return MODES_ETENDUS.get(route_type // 100, "autre")


def _couleur(texte: str) -> str:
    """Couleur ``#rrggbb``, vide si elle n'est pas donnée ou pas hexadécimale."""
    net = texte.lstrip("#")
    correct = len(net) == 6 and all(c in "0123456789abcdefABCDEF" for c in net)
    return f"#{net.lower()}" if correct else ""


def _lire_courses(
    archive: ArchiveGtfs, lignes: pd.DataFrame, calendrier: Calendrier, constats: list[Constat]
) -> pd.DataFrame:
    """Lire ``trips.txt`` ; une course sans ligne ou sans service connus est écartée."""
    colonnes = ("route_id", "service_id", "trip_id", "trip_headsign", "direction_id", "block_id")
    table = lire_table(archive, "trips.txt", colonnes, colonnes[:3], constats)
    courses = pd.DataFrame(
        {
            "id_source": table.textes("trip_id"),
            "ligne": rangs_dans(table, "route_id", lignes["id_source"]),
            "service": rangs_dans(table, "service_id", pd.Series(calendrier.services)),
            "sens": table.entiers("direction_id", -1).astype(np.int8),
            "destination": table.textes("trip_headsign"),
            "bloc": table.textes("block_id"),
        }
    )
    doubles = courses["id_source"].duplicated()
    if doubles.any():
        constater(
            constats,
            archive,
            "trips.txt",
            f"{int(doubles.sum())} identifiant(s) de course sont répétés ; la première ligne est "
            "gardée.",
        )
    sans_ligne = courses["ligne"] < 0
    if sans_ligne.any():
        constater(
            constats,
            archive,
            "trips.txt",
            f"{int(sans_ligne.sum())} course(s) citent une ligne absente de routes.txt et sont "
            "écartées.",
        )
    sans_service = courses["service"] < 0
    if sans_service.any():
        constater(
            constats,
            archive,
            "trips.txt",
            f"{int(sans_service.sum())} course(s) citent un service absent du calendrier et sont "
            "écartées.",
        )
    return courses[~doubles & ~sans_ligne & ~sans_service].reset_index(drop=True)


def _courses_a_la_demande(
    courses: pd.DataFrame, lignes: pd.DataFrame, passages: Passages, en_zone: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Courses où l'on ne monte que sur réservation, bool[courses]."""
    reservees = np.zeros(len(courses), dtype=bool)
    reservees[passages.course[passages.reservation]] = True
    regulieres = np.zeros(len(courses), dtype=bool)
    regulieres[passages.course[passages.montee]] = True
    types = lignes["type"].to_numpy()[courses["ligne"].to_numpy()]
    demande: NDArray[np.bool_] = (
        (reservees & ~regulieres) | en_zone | np.isin(types, TYPES_A_LA_DEMANDE)
    )
    return demande


def _resumer_a_la_demande(
    flux: str, courses: pd.DataFrame, lignes: pd.DataFrame, demande: NDArray[np.bool_]
) -> pd.DataFrame:
    """Table des courses mises à part, une ligne par ligne commerciale."""
    comptes = courses.loc[demande, "ligne"].value_counts().sort_index()
    rangs = comptes.index.to_numpy(dtype=np.intp)
    noms = lignes["nom_long"].where(lignes["nom_long"] != "", lignes["nom_court"]).to_numpy()
    return pd.DataFrame(
        {
            "flux": pd.Series([flux] * len(comptes), dtype="str"),
            "ligne": pd.Series(lignes["nom_court"].to_numpy()[rangs], dtype="str"),
            "nom": pd.Series(noms[rangs], dtype="str"),
            "courses": comptes.to_numpy(dtype=np.int64),
            "motif": pd.Series(["sur réservation"] * len(comptes), dtype="str"),
        }
    )


def _periode(
    nom: str, courses: pd.DataFrame, arrets: pd.DataFrame, calendrier: Calendrier
) -> dict[str, object]:
    """Validité du flux entier, avant découpe."""
    utiles = np.unique(courses["service"].to_numpy())
    jours = np.flatnonzero(calendrier.circule[utiles].any(axis=0))
    bornes = (
        (calendrier.premier_jour + int(jours[0]), calendrier.premier_jour + int(jours[-1]))
        if jours.size
        else None
    )
    return {
        "flux": nom,
        "debut": date.fromordinal(bornes[0]).isoformat() if bornes else "",
        "fin": date.fromordinal(bornes[1]).isoformat() if bornes else "",
        "courses_flux": len(courses),
        "arrets_flux": len(arrets),
    }


def _elaguer(flux: FluxLu, gardees: NDArray[np.bool_]) -> FluxLu:
    """Renuméroter après n'avoir gardé que les courses, arrêts, lignes et services utiles."""
    courses = flux.courses[gardees].reset_index(drop=True)
    rang_course = _renumeroter(gardees)
    arret_utile = np.zeros(len(flux.arrets), dtype=bool)
    arret_utile[flux.passages.arret] = True
    parent = flux.arrets["parent"].to_numpy()
    for _ in range(3):
        parents = parent[arret_utile]
        arret_utile[parents[parents >= 0]] = True
    rang_arret = _renumeroter(arret_utile)
    arrets = flux.arrets[arret_utile].reset_index(drop=True)
    arrets["parent"] = np.append(rang_arret, np.int32(-1))[arrets["parent"].to_numpy()]
    arrets["station"] = rang_arret[arrets["station"].to_numpy()]
    ligne_utile = np.zeros(len(flux.lignes), dtype=bool)
    ligne_utile[courses["ligne"].to_numpy()] = True
    service_utile = np.zeros(flux.calendrier.services.size, dtype=bool)
    service_utile[courses["service"].to_numpy()] = True
    courses["ligne"] = _renumeroter(ligne_utile)[courses["ligne"].to_numpy()]
    courses["service"] = _renumeroter(service_utile)[courses["service"].to_numpy()]
    passages = flux.passages
    frequences = flux.frequences[gardees[flux.frequences["course"].to_numpy()]].copy()
    frequences["course"] = rang_course[frequences["course"].to_numpy()]
    correspondances = flux.correspondances
    for colonne in ("depuis", "vers"):
        correspondances = correspondances[arret_utile[correspondances[colonne].to_numpy()]].copy()
        correspondances[colonne] = rang_arret[correspondances[colonne].to_numpy()]
    enchainements = flux.enchainements
    for colonne in ("depuis", "vers"):
        enchainements = enchainements[gardees[enchainements[colonne].to_numpy()]].copy()
        enchainements[colonne] = rang_course[enchainements[colonne].to_numpy()]
    periode = {**flux.periode, "courses": len(courses), "arrets": len(arrets)}
    return FluxLu(
        flux.nom,
        arrets,
        flux.lignes[ligne_utile].reset_index(drop=True),
        courses,
        Passages(
            rang_course[passages.course],
            rang_arret[passages.arret],
            passages.arrivee_s,
            passages.depart_s,
            passages.montee,
            passages.descente,
            passages.reservation,
        ),
        Calendrier(
            flux.calendrier.services[service_utile],
            flux.calendrier.premier_jour,
            flux.calendrier.circule[service_utile],
        ),
        frequences,
        correspondances,
        enchainements,
        flux.a_la_demande,
        periode,
    )


def _renumeroter(garde: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Nouveau rang de chaque ligne gardée (-1 pour les autres)."""
    rang = np.cumsum(garde, dtype=np.int32) - 1
    return np.where(garde, rang, -1).astype(np.int32)


def noms_de_flux(fichiers: Sequence[Path]) -> list[str]:
    """Nom court et unique de chaque flux, tiré du nom de fichier.

    Examples
    --------
    >>> noms_de_flux([Path("a/tadao.zip"), Path("b/tadao.zip"), Path("ter.zip")])
    ['tadao', 'tadao_2', 'ter']
    """
    noms: list[str] = []
    for fichier in fichiers:
        base = nom = fichier.stem or fichier.name
        suite = 2
        while nom in noms:
            nom = f"{base}_{suite}"
            suite += 1
        noms.append(nom)
    return noms

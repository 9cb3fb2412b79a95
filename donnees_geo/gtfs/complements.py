"""Fréquences et correspondances d'un flux GTFS (``frequencies.txt``, ``transfers.txt``)."""

from __future__ import annotations

import zlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from donnees_geo.erreurs import Constat, Gravite
from donnees_geo.gtfs.archive import ArchiveGtfs
from donnees_geo.gtfs.colonnes import TableGtfs, lire_table
from donnees_geo.gtfs.offre import table_vide


def rangs_dans(table: TableGtfs, colonne: str, identifiants: pd.Series) -> NDArray[np.int32]:
    """Lignes d'une table pour une colonne d'identifiants (-1 inconnu)."""
    codee = table.colonne(colonne)
    rang = pd.Index(identifiants).get_indexer(pd.Index(codee.valeurs))
    rangs: NDArray[np.int32] = rang.astype(np.int32)[codee.codes]
    return rangs


def constater(constats: list[Constat], archive: ArchiveGtfs, fichier: str, message: str) -> None:
    """Ajouter un constat majeur sur un fichier du flux."""
    constats.append(Constat(Gravite.MAJEUR, f"{archive.chemin.name} : {fichier}", message))


def lire_frequences(
    archive: ArchiveGtfs, courses: pd.DataFrame, constats: list[Constat]
) -> pd.DataFrame:
    """Lire ``frequencies.txt`` (les deux sortes : ``exact_times`` 0 et 1)."""
    if not archive.contient("frequencies.txt"):
        return table_vide("frequences")
    obligatoires = ("trip_id", "start_time", "end_time", "headway_secs")
    table = lire_table(
        archive, "frequencies.txt", (*obligatoires, "exact_times"), obligatoires, constats
    )
    course = rangs_dans(table, "trip_id", courses["id_source"])
    noms = table.textes("trip_id")
    frequences = pd.DataFrame(
        {
            "course": course,
            "debut_s": table.heures("start_time"),
            "fin_s": table.heures("end_time"),
            "intervalle_s": table.entiers("headway_secs", 0).astype(np.int32),
            "exacte": table.entiers("exact_times", 0) == 1,
            # Sans horaire exact, chaque course a un décalage fixe tiré de son identifiant : il ne
            # dépend ni de l'ordre des lignes ni des autres flux.
            "phase": [zlib.crc32(str(n).encode()) / 2**32 for n in noms],
        }
    )
    fautives = (
        (frequences["intervalle_s"] <= 0)
        | (frequences["fin_s"] <= frequences["debut_s"])
        | (frequences["debut_s"] < 0)
    )
    if fautives.any():
        constater(
            constats,
            archive,
            "frequencies.txt",
            f"{int(fautives.sum())} ligne(s) ont un intervalle nul ou une plage vide et sont "
            "écartées.",
        )
    return frequences[~fautives & (frequences["course"] >= 0)].reset_index(drop=True)


def lire_correspondances(
    archive: ArchiveGtfs, arrets: pd.DataFrame, courses: pd.DataFrame, constats: list[Constat]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lire ``transfers.txt`` : règles entre arrêts, et enchaînements de courses (types 4 et 5).

    Les règles de marche propres à une ligne ou à une course sont laissées et comptées : le calcul
    garde, pour chaque descente, le premier départ possible de chaque arrêt voisin, et une règle qui
    ne vaut que pour certaines courses n'y tient pas.

    Parameters
    ----------
    archive
        Flux.
    arrets, courses
        Tables lues, dont les lignes servent d'indices.
    constats
        Complétés.

    Returns
    -------
    correspondances, enchainements : DataFrame
        ``depuis``, ``vers`` (arrêts), ``type``, ``temps_min_s`` ; ``depuis``, ``vers`` (courses),
        ``type``.
    """
    correspondances = table_vide("correspondances")
    enchainements = table_vide("enchainements")
    if not archive.contient("transfers.txt"):
        return correspondances, enchainements
    obligatoires = ("from_stop_id", "to_stop_id", "transfer_type")
    precises = ("from_route_id", "to_route_id", "from_trip_id", "to_trip_id")
    table = lire_table(
        archive, "transfers.txt", (*obligatoires, "min_transfer_time", *precises), (), constats
    )
    if any(c not in table.colonnes for c in obligatoires):
        constater(
            constats,
            archive,
            "transfers.txt",
            "Colonnes obligatoires absentes : les correspondances sont construites à pied sur le "
            "réseau de rues.",
        )
        return correspondances, enchainements
    genre = table.entiers("transfer_type", 0).astype(np.int8)
    precise = np.zeros(table.taille, dtype=bool)
    for colonne in precises:
        precise |= ~table.colonne(colonne).vides()
    entre_arrets = pd.DataFrame(
        {
            "depuis": rangs_dans(table, "from_stop_id", arrets["id_source"]),
            "vers": rangs_dans(table, "to_stop_id", arrets["id_source"]),
            "type": genre,
            "temps_min_s": table.entiers("min_transfer_time", -1).astype(np.int32),
        }
    )[~precise & (genre <= 3)]
    entre_courses = pd.DataFrame(
        {
            "depuis": rangs_dans(table, "from_trip_id", courses["id_source"]),
            "vers": rangs_dans(table, "to_trip_id", courses["id_source"]),
            "type": genre,
        }
    )[np.isin(genre, (4, 5))]
    inconnus = (entre_arrets[["depuis", "vers"]] < 0).any(axis=1)
    inconnues = (entre_courses[["depuis", "vers"]] < 0).any(axis=1)
    for nombre, message in (
        (
            int((precise & (genre <= 3)).sum()),
            "correspondance(s) propres à une ligne ou à une course ne sont pas appliquées : celles "
            "de leurs arrêts valent pour tous.",
        ),
        (int(inconnus.sum()), "correspondance(s) citent un arrêt inconnu."),
        (
            int(inconnues.sum()),
            "enchaînement(s) de courses (types 4 et 5) ne donnent pas deux courses connues et ne "
            "sont pas appliqués.",
        ),
    ):
        if nombre:
            objet = f"{archive.chemin.name} : transfers.txt"
            constats.append(Constat(Gravite.MINEUR, objet, f"{nombre} {message}"))
    return (
        entre_arrets[~inconnus].reset_index(drop=True),
        entre_courses[~inconnues].reset_index(drop=True),
    )

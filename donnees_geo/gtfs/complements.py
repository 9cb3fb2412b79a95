"""Fréquences et correspondances d'un flux GTFS (``frequencies.txt``, ``transfers.txt``)."""

from __future__ import annotations

import zlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from donnees_geo.erreurs import Constat, Gravite
from donnees_geo.gtfs.archive import ArchiveGtfs
from donnees_geo.gtfs.colonnes import TableGtfs, lire_table


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
        return _frequences_vides()
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


def _frequences_vides() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "course": np.zeros(0, np.int32),
            "debut_s": np.zeros(0, np.int32),
            "fin_s": np.zeros(0, np.int32),
            "intervalle_s": np.zeros(0, np.int32),
            "exacte": np.zeros(0, bool),
            "phase": np.zeros(0, np.float64),
        }
    )


def lire_correspondances(
    archive: ArchiveGtfs, arrets: pd.DataFrame, constats: list[Constat]
) -> pd.DataFrame:
    """Lire ``transfers.txt`` ; les règles propres à une ligne ou une course sont laissées."""
    vide = pd.DataFrame(
        {
            "depuis": np.zeros(0, np.int32),
            "vers": np.zeros(0, np.int32),
            "type": np.zeros(0, np.int8),
            "temps_min_s": np.zeros(0, np.int32),
        }
    )
    if not archive.contient("transfers.txt"):
        return vide
    objet = f"{archive.chemin.name} : transfers.txt"
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
        return vide
    precise = np.zeros(table.taille, dtype=bool)
    for colonne in precises:
        precise |= ~table.colonne(colonne).vides()
    correspondances = pd.DataFrame(
        {
            "depuis": rangs_dans(table, "from_stop_id", arrets["id_source"]),
            "vers": rangs_dans(table, "to_stop_id", arrets["id_source"]),
            "type": table.entiers("transfer_type", 0).astype(np.int8),
            "temps_min_s": table.entiers("min_transfer_time", -1).astype(np.int32),
        }
    )
    if precise.any():
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{int(precise.sum())} correspondance(s) propres à une ligne ou à une course ne "
                "sont pas appliquées.",
            )
        )
    inconnues = (correspondances["depuis"] < 0) | (correspondances["vers"] < 0)
    if (inconnues & ~precise).any():
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{int((inconnues & ~precise).sum())} correspondance(s) citent un arrêt inconnu.",
            )
        )
    garde = ~inconnues & ~precise & (correspondances["type"] <= 3)
    return correspondances[garde].reset_index(drop=True)

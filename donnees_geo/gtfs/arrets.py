"""Arrêts d'un flux GTFS : positions, gares parentes, contrôles."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from donnees_geo.conventions import CRS_GEO
from donnees_geo.erreurs import Constat, Gravite
from donnees_geo.gtfs.archive import ArchiveGtfs
from donnees_geo.gtfs.colonnes import lire_table

_COLONNES: Final = (
    "stop_id",
    "stop_name",
    "stop_lat",
    "stop_lon",
    "location_type",
    "parent_station",
)
#: Un arrêt plus loin que cela du centre de son flux est signalé (position sans doute fausse).
ELOIGNEMENT_MAX_M: Final = 1_500_000.0


def lire_arrets(
    archive: ArchiveGtfs, crs: str, emprise: BaseGeometry | None, constats: list[Constat]
) -> pd.DataFrame:
    """Lire ``stops.txt`` : une ligne par arrêt, dans l'ordre du fichier.

    Parameters
    ----------
    archive
        Flux ouvert.
    crs
        CRS métrique de sortie.
    emprise
        Polygone EPSG:4326 du territoire élargi, ``None`` pour tout garder.
    constats
        Liste complétée.

    Returns
    -------
    pandas.DataFrame
        ``id_source``, ``nom``, ``type``, ``parent``, ``station``, ``lon``, ``lat``, ``x``, ``y``,
        ``localise``, ``dans_emprise``.
    """
    table = lire_table(
        archive, "stops.txt", _COLONNES, ("stop_id", "stop_lat", "stop_lon"), constats
    )
    objet = f"{archive.chemin.name} : stops.txt"
    arrets = pd.DataFrame(
        {
            "id_source": table.textes("stop_id"),
            "nom": table.textes("stop_name"),
            "type": table.entiers("location_type", 0).astype(np.int8),
            "lon": table.nombres("stop_lon", np.nan),
            "lat": table.nombres("stop_lat", np.nan),
            "_parent": table.textes("parent_station"),
        }
    )
    doubles = arrets["id_source"].duplicated()
    if doubles.any():
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                f"{int(doubles.sum())} identifiant(s) d'arrêt sont répétés ; la première ligne "
                f"est gardée : {_exemples(arrets.loc[doubles, 'id_source'])}.",
            )
        )
        arrets = arrets[~doubles].reset_index(drop=True)
    _verifier_positions(arrets, objet, constats)
    arrets["parent"], arrets["station"] = _resoudre_parents(arrets, objet, constats)
    versant = Transformer.from_crs(CRS_GEO, crs, always_xy=True)
    x, y = versant.transform(arrets["lon"].to_numpy(), arrets["lat"].to_numpy())
    arrets["x"] = np.where(np.isfinite(x), x, np.nan)
    arrets["y"] = np.where(np.isfinite(y), y, np.nan)
    arrets["localise"] = arrets["x"].notna() & arrets["y"].notna()
    arrets["dans_emprise"] = arrets["localise"]
    if emprise is not None:
        shapely.prepare(emprise)
        arrets["dans_emprise"] &= shapely.contains_xy(
            emprise, arrets["lon"].to_numpy(), arrets["lat"].to_numpy()
        )
    return arrets.drop(columns="_parent")


def _verifier_positions(arrets: pd.DataFrame, objet: str, constats: list[Constat]) -> None:
    """Effacer les positions impossibles et signaler les positions lointaines."""
    lon, lat = arrets["lon"].to_numpy(), arrets["lat"].to_numpy()
    with np.errstate(invalid="ignore"):
        nulles = (np.abs(lon) < 1e-3) & (np.abs(lat) < 1e-3)
        impossibles = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    perdus = nulles | impossibles
    # Les gares (1) et zones (3, 4) sans position sont permises ou sans effet sur les trajets.
    genants = perdus & (arrets["type"].to_numpy() == 0)
    if genants.any():
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                f"{int(genants.sum())} arrêt(s) sans position ou en (0, 0) : ils gardent leurs "
                "horaires mais aucun piéton ne peut les atteindre : "
                f"{_exemples(arrets.loc[genants, 'id_source'])}.",
            )
        )
    arrets.loc[perdus, ["lon", "lat"]] = np.nan
    connus = arrets[["lon", "lat"]].dropna()
    if connus.empty:
        return
    centre = connus.median()
    ecart_m = 111_000.0 * np.hypot(
        (arrets["lon"] - centre["lon"]) * np.cos(np.radians(centre["lat"])),
        arrets["lat"] - centre["lat"],
    )
    loin = (ecart_m > ELOIGNEMENT_MAX_M).to_numpy()
    if loin.any():
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{int(loin.sum())} arrêt(s) à plus de {ELOIGNEMENT_MAX_M / 1000:.0f} km du "
                f"centre du flux : {_exemples(arrets.loc[loin, 'id_source'])}.",
            )
        )


def _resoudre_parents(
    arrets: pd.DataFrame, objet: str, constats: list[Constat]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Indices de la gare parente (-1 sans) et de la racine ; les boucles sont rompues."""
    rang = pd.Index(arrets["id_source"])
    cites = arrets["_parent"].to_numpy()
    parent = rang.get_indexer(pd.Index(cites)).astype(np.int32)
    parent[cites == ""] = -1
    inconnus = (cites != "") & (parent < 0)
    if inconnus.any():
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{int(inconnus.sum())} arrêt(s) citent une gare parente inconnue ; ils sont lus "
                f"sans gare : {_exemples(arrets.loc[inconnus, 'id_source'])}.",
            )
        )
    station = np.arange(len(arrets), dtype=np.int32)
    # Quai → gare, ou zone d'embarquement → quai → gare : trois pas suffisent ; au-delà, boucle.
    for _ in range(4):
        suivant = parent[station]
        station = np.where(suivant >= 0, suivant, station)
    boucle = parent[station] >= 0
    if boucle.any():
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                f"{int(boucle.sum())} arrêt(s) ont des gares parentes qui se citent en boucle ; "
                f"ils sont lus sans gare : {_exemples(arrets.loc[boucle, 'id_source'])}.",
            )
        )
        parent[boucle] = -1
        station[boucle] = np.flatnonzero(boucle)
    return parent, station.astype(np.int32)


def _exemples(valeurs: pd.Series, nombre: int = 5) -> str:
    """Premiers identifiants d'une liste, pour un message."""
    textes = [str(v) for v in valeurs.iloc[:nombre]]
    return ", ".join(textes) + (", …" if len(valeurs) > nombre else "")

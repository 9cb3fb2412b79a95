"""Tables GTFS fictives des trains régionaux : ``calendar_dates`` seul, sans tracé."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from donnees_geo.demo import calendrier
from donnees_geo.demo.axes import Axes
from donnees_geo.demo.cadre import Flottants
from donnees_geo.demo.commerces import en_degres
from donnees_geo.demo.horaires_demo import Tables, en_heures, informations_flux

_DEPARTS_SEMAINE: Final = (
    "5:18 6:00 6:30 7:00 7:30 8:00 9:00 10:30 12:00 13:00 14:30 16:00 16:45 17:15 17:45 18:30 "
    "19:30 20:45"
)
#: Départs du premier terminus, par type de jour.
DEPARTS: Final[dict[str, str]] = {
    "JS": _DEPARTS_SEMAINE,
    "VAC": "5:18 6:30 7:00 7:30 8:30 10:30 12:00 14:30 16:00 17:15 18:15 19:30",
    "SAM": "6:30 8:00 10:00 12:00 14:00 16:00 18:00 20:00",
    "DIM": "8:30 11:00 14:30 17:00 19:00 21:00",
}
#: Vitesse moyenne entre deux gares et durée d'arrêt.
VITESSE_M_S: Final = 75 / 3.6
ARRET_S: Final = 60
#: Décalage des départs du second sens, secondes.
DECALAGE_RETOUR_S: Final = 11 * 60


@dataclass(frozen=True)
class LigneTrain:
    """Gares desservies par une ligne, dans l'ordre.

    Attributes
    ----------
    noms
        Noms des gares.
    xy
        float64[n, 2], mètres.
    temps_s
        int64[n], secondes depuis la première gare.
    frequence
        Un départ retenu sur ``frequence``.
    """

    noms: list[str]
    xy: Flottants
    temps_s: np.ndarray
    frequence: int


def _prolonger(trace: Flottants, distance_m: float, debut: bool) -> Flottants:
    """Point au-delà d'une extrémité de la ligne : la ligne continue hors de l'emprise."""
    a, b = (trace[12], trace[0]) if debut else (trace[-13], trace[-1])
    direction = (b - a) / np.hypot(*(b - a))
    point: Flottants = b + distance_m * direction
    return point


def _construire_ligne(numero: int, trace: Flottants, gares: pd.DataFrame) -> LigneTrain:
    """Gares du territoire, prolongées jusqu'aux terminus extérieurs.

    La première ligne traverse l'emprise ; les suivantes partent de sa gare la plus proche de la
    bifurcation.
    """
    ici = gares[gares["ligne"] == numero]
    longueur = float(np.hypot(*np.diff(trace, axis=0).T).sum())
    etapes = [
        (nom.removeprefix("Gare de "), np.array([x, y]), position)
        for nom, x, y, position in zip(
            ici["nom"], ici["x"], ici["y"], ici["position_m"], strict=True
        )
    ]
    if numero == 0:
        etapes.append(("Terminus Ouest", _prolonger(trace, 14_000, True), -14_000.0))
        etapes.append(("Terminus Est", _prolonger(trace, 12_000, False), longueur + 12_000))
    else:
        etapes.append(("Terminus Nord", _prolonger(trace, 9_000, False), longueur + 9_000))
        principales = gares[gares["ligne"] == 0].reset_index(drop=True)
        ecart = np.hypot(principales["x"] - trace[0, 0], principales["y"] - trace[0, 1])
        k = int(np.argmin(ecart.to_numpy()))
        depart = principales[["x", "y"]].to_numpy()[k]
        nom = str(principales["nom"].iloc[k]).removeprefix("Gare de ")
        etapes.append((nom, depart, -float(ecart.iloc[k])))
    etapes.sort(key=lambda etape: etape[2])
    position = np.array([etape[2] for etape in etapes])
    temps = (position - position[0]) / VITESSE_M_S + ARRET_S * np.arange(position.size)
    return LigneTrain(
        [etape[0] for etape in etapes],
        np.array([etape[1] for etape in etapes]),
        (np.round(temps / 60) * 60).astype(np.int64),
        1 if numero == 0 else 2,
    )


def _secondes(heure: str) -> int:
    heures, minutes = heure.split(":")
    return int(heures) * 3600 + int(minutes) * 60


def _courses(numero: int, ligne: LigneTrain) -> tuple[list[dict[str, object]], list[pd.DataFrame]]:
    """Courses des deux sens, tous types de jours, et leurs passages (gares par leur nom)."""
    courses: list[dict[str, object]] = []
    passages: list[pd.DataFrame] = []
    for service, departs in DEPARTS.items():
        for sens in (0, 1):
            noms = ligne.noms if sens == 0 else ligne.noms[::-1]
            temps = ligne.temps_s if sens == 0 else ligne.temps_s[-1] - ligne.temps_s[::-1]
            for rang, heure in enumerate(departs.split()[:: ligne.frequence]):
                course = f"OCE{numero}{sens}{service}{rang:02d}"
                instants = en_heures(temps + _secondes(heure) + sens * DECALAGE_RETOUR_S)
                courses.append(
                    {
                        "route_id": f"TER:{numero + 1}",
                        "service_id": service,
                        "trip_id": course,
                        "direction_id": sens,
                        "trip_headsign": noms[-1],
                    }
                )
                passages.append(
                    pd.DataFrame(
                        {
                            "trip_id": course,
                            "arrival_time": instants,
                            "departure_time": instants,
                            "gare": noms,
                            "stop_sequence": np.arange(len(noms)),
                        }
                    )
                )
    return courses, passages


def _arrets(lignes: list[LigneTrain]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Zones d'arrêt et points d'arrêt, et code de chaque gare d'après son nom."""
    positions = {nom: xy for ligne in lignes for nom, xy in zip(ligne.noms, ligne.xy, strict=True)}
    noms = sorted(positions)
    codes = {nom: f"{87_900_000 + rang}" for rang, nom in enumerate(noms)}
    lon, lat = en_degres(*np.array([positions[nom] for nom in noms]).T)
    zones = pd.DataFrame(
        {
            "stop_id": [f"StopArea:OCE{codes[nom]}" for nom in noms],
            "stop_name": noms,
            "stop_lat": lat.round(6),
            "stop_lon": lon.round(6),
            "location_type": 1,
            "parent_station": "",
        }
    )
    quais = zones.assign(
        stop_id=[f"StopPoint:OCETrain-{codes[nom]}" for nom in noms],
        location_type=0,
        parent_station=zones["stop_id"],
    )
    return pd.concat([zones, quais], ignore_index=True), codes


def construire_gtfs_train(axes: Axes, gares: pd.DataFrame) -> Tables:
    """Tables du flux ferré.

    Parameters
    ----------
    gares
        Table de ``gares.construire_gares``.
    """
    lignes = [_construire_ligne(n, trace, gares) for n, trace in enumerate(axes.ferrees)]
    arrets, codes = _arrets(lignes)
    courses: list[dict[str, object]] = []
    passages: list[pd.DataFrame] = []
    for numero, ligne in enumerate(lignes):
        c, p = _courses(numero, ligne)
        courses += c
        passages += p
    table = pd.concat(passages, ignore_index=True)
    table.insert(3, "stop_id", "StopPoint:OCETrain-" + table.pop("gare").map(codes))
    dates = [(calendrier.service_du_jour(jour), f"{jour:%Y%m%d}", 1) for jour in calendrier.jours()]
    return informations_flux("Trains régionaux fictifs") | {
        "stops.txt": arrets,
        "routes.txt": pd.DataFrame(
            {
                "route_id": [f"TER:{n + 1}" for n in range(len(lignes))],
                "agency_id": "OP",
                "route_short_name": [f"K{n + 1}" for n in range(len(lignes))],
                "route_long_name": [f"{ligne.noms[0]} – {ligne.noms[-1]}" for ligne in lignes],
                "route_type": 2,
            }
        ),
        "trips.txt": pd.DataFrame(courses),
        "stop_times.txt": table,
        "calendar_dates.txt": pd.DataFrame(dates, columns=["service_id", "date", "exception_type"]),
    }

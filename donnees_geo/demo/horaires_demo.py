"""Tables GTFS fictives : bus (calendar et exceptions, fréquences, demande) et train."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from donnees_geo.demo import calendrier
from donnees_geo.demo.cadre import Entiers
from donnees_geo.demo.commerces import en_degres
from donnees_geo.demo.lignes import Ligne, ReseauBus

Tables = dict[str, pd.DataFrame]

#: Genre de ligne → service → plages (début, fin, intervalle), heures et minutes.
OFFRE: Final[dict[str, dict[str, tuple[tuple[float, float, int], ...]]]] = {
    "frequente": {
        "JS": ((5.0, 6.5, 15), (6.5, 19.5, 10), (19.5, 21.5, 20), (21.5, 24.6, 45)),
        "VAC": ((5.0, 20.0, 15), (20.0, 24.2, 45)),
        "SAM": ((5.5, 20.0, 15), (20.0, 24.6, 45)),
        "DIM": ((7.5, 21.0, 30),),
    },
    "ordinaire": {
        "JS": ((5.7, 9.0, 30), (9.0, 16.0, 60), (16.0, 19.5, 30)),
        "VAC": ((6.2, 19.5, 60),),
        "SAM": ((7.0, 19.0, 75),),
        "DIM": ((10.0, 18.5, 240),),
    },
    "rurale": {
        "JS": ((6.6, 8.6, 60), (12.2, 14.0, 90), (16.4, 19.0, 60)),
        "VAC": ((7.5, 18.5, 330),),
        "SAM": ((9.0, 17.5, 240),),
    },
    "tad": {"JS": ((8.5, 17.6, 120),), "VAC": ((9.0, 17.0, 240),)},
}
#: Une ligne fréquente sur deux a un bus tous les quarts d'heure.
INTERVALLE_LENT_MIN: Final = 15
BASCULE_SCOLAIRE: Final = {"SCOL": ((7.45, 0), (17.15, 1)), "SCOM": ((7.45, 0), (12.25, 1))}
BATTEMENT_S: Final = 7 * 60


def en_heures(secondes: Entiers) -> np.ndarray:
    """Secondes après minuit en ``HH:MM:SS``, au-delà de 24 h s'il le faut."""
    s = np.asarray(secondes)
    h, m, r = s // 3600, s // 60 % 60, s % 60
    deux = np.array([f"{i:02d}" for i in range(100)])
    return np.char.add(np.char.add(np.char.add(deux[h], ":"), np.char.add(deux[m], ":")), deux[r])


def _departs(plages: tuple[tuple[float, float, int], ...], decalage_s: int, lent: bool) -> Entiers:
    """Heures de départ, secondes, d'après les plages."""
    morceaux = []
    for debut, fin, intervalle in plages:
        pas = max(intervalle, INTERVALLE_LENT_MIN) if lent else intervalle
        morceaux.append(np.arange(round(debut * 60), round(fin * 60), pas) * 60)
    return (np.concatenate(morceaux) + decalage_s).astype(np.int64)


def _courses(ligne: Ligne, rang: int) -> list[tuple[str, int, Entiers]]:
    """Courses d'une ligne : service, sens et départs."""
    if ligne.genre == "navette":
        return [
            ("JS", 0, np.array([7 * 3600])),
            ("VAC", 0, np.array([7 * 3600])),
            ("SAM", 0, np.array([9 * 3600])),
        ]
    if ligne.genre == "scolaire":
        # L'aller arrive avant la sonnerie ; le retour part après la classe.
        return [
            (
                service,
                sens,
                np.array([round(heure * 60) * 60 - (int(ligne.temps_s[-1]) if sens == 0 else 0)]),
            )
            for service, courses in BASCULE_SCOLAIRE.items()
            for heure, sens in courses
        ]
    courses = []
    for service, plages in OFFRE[ligne.genre].items():
        for sens in (0, 1):
            decalage = (rang * 4 % 15 + sens * 5) * 60
            courses.append((service, sens, _departs(plages, decalage, rang % 2 == 1)))
    return courses


def _stop_times(
    ligne: Ligne, service: str, sens: int, departs: Entiers
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Courses et passages d'un service dans un sens."""
    arrets, temps = ligne.arrets, ligne.temps_s
    distances = ligne.distances_m - ligne.distances_m[0]
    if sens == 1:
        arrets, temps = arrets[::-1], temps[-1] - temps[::-1]
        distances = distances[-1] - distances[::-1]
    s = arrets.size
    ids = [f"{ligne.code}:{service}:{sens}:{i:03d}" for i in range(departs.size)]
    heures = en_heures((departs[:, None] + temps).ravel())
    zonal = "2" if ligne.genre == "tad" else "0"
    passages = pd.DataFrame(
        {
            "trip_id": np.repeat(ids, s),
            "arrival_time": heures,
            "departure_time": heures,
            "stop_id": np.tile([f"PA:{a:04d}:{'AB'[sens]}" for a in arrets], departs.size),
            "stop_sequence": np.tile(np.arange(1, s + 1), departs.size),
            "pickup_type": zonal,
            "drop_off_type": zonal,
            "shape_dist_traveled": np.tile(distances.round(1), departs.size),
        }
    )
    destination = ligne.nom.split(" – ")[-1 if sens == 0 else 0]
    courses = pd.DataFrame(
        {
            "route_id": f"L:{ligne.code}",
            "service_id": service,
            "trip_id": ids,
            "trip_headsign": destination,
            "direction_id": sens,
            "shape_id": f"T:{ligne.code}:{sens}",
        }
    )
    return courses, passages


def _trace(ligne: Ligne, sens: int) -> pd.DataFrame:
    """Tracé d'un sens, le long des rues."""
    xy = ligne.trace if sens == 0 else ligne.trace[::-1]
    cumul = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    lon, lat = en_degres(*xy.T)
    return pd.DataFrame(
        {
            "shape_id": f"T:{ligne.code}:{sens}",
            "shape_pt_lat": lat.round(6),
            "shape_pt_lon": lon.round(6),
            "shape_pt_sequence": np.arange(1, len(xy) + 1),
            "shape_dist_traveled": cumul.round(1),
        }
    )


def _arrets(bus: ReseauBus) -> pd.DataFrame:
    """Zones d'arrêt et leurs deux quais, de part et d'autre de la rue."""
    n = len(bus.arrets)
    codes = [f"{i:04d}" for i in range(n)]
    familles = []
    for lettre, decalage in (("", 0.0), ("A", -5.0), ("B", 5.0)):
        lon, lat = en_degres(bus.arrets["x"].to_numpy() + decalage, bus.arrets["y"].to_numpy())
        familles.append(
            pd.DataFrame(
                {
                    "stop_id": [f"PA:{c}:{lettre}" if lettre else f"ZA:{c}" for c in codes],
                    "stop_name": bus.arrets["nom"].to_numpy(),
                    "stop_lat": lat.round(6),
                    "stop_lon": lon.round(6),
                    "location_type": 0 if lettre else 1,
                    "parent_station": [f"ZA:{c}" if lettre else "" for c in codes],
                    "wheelchair_boarding": 1 if lettre == "A" else 0,
                }
            )
        )
    return pd.concat(familles, ignore_index=True)


def _calendriers() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Services hebdomadaires et exceptions qui ramènent chaque jour à son type."""
    semaine = {
        "JS": "1111100",
        "VAC": "0000000",
        "SAM": "0000010",
        "DIM": "0000001",
        "SCOL": "1101100",
        "SCOM": "0010000",
    }
    noms = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    lignes = [
        {
            "service_id": service,
            **dict(zip(noms, jours, strict=True)),
            "start_date": f"{calendrier.DEBUT:%Y%m%d}",
            "end_date": f"{calendrier.FIN:%Y%m%d}",
        }
        for service, jours in semaine.items()
    ]
    exceptions = []
    for jour in calendrier.jours():
        genre = calendrier.service_du_jour(jour)
        for service, masque in semaine.items():
            prevu = masque[jour.weekday()] == "1"
            vrai = genre == "JS" and prevu if service in ("SCOL", "SCOM") else genre == service
            if vrai != prevu:
                exceptions.append((service, f"{jour:%Y%m%d}", 1 if vrai else 2))
    return pd.DataFrame(lignes), pd.DataFrame(
        exceptions, columns=["service_id", "date", "exception_type"]
    )


def informations_flux(editeur: str) -> Tables:
    """Tables agency et feed_info."""
    return {
        "agency.txt": pd.DataFrame(
            [
                {
                    "agency_id": "OP",
                    "agency_name": editeur,
                    "agency_url": "https://exemple.invalid",
                    "agency_timezone": "Europe/Paris",
                    "agency_lang": "fr",
                }
            ]
        ),
        "feed_info.txt": pd.DataFrame(
            [
                {
                    "feed_publisher_name": f"{editeur} (données fictives)",
                    "feed_publisher_url": "https://exemple.invalid",
                    "feed_lang": "fr",
                    "feed_start_date": f"{calendrier.DEBUT:%Y%m%d}",
                    "feed_end_date": f"{calendrier.FIN:%Y%m%d}",
                    "feed_version": "2026-demo",
                }
            ]
        ),
    }


def construire_gtfs_bus(bus: ReseauBus) -> Tables:
    """Tables du flux de bus."""
    courses, passages, traces, lignes = [], [], [], []
    couleurs = ("C0392B", "1F618D", "117A65", "B9770E", "6C3483", "A04000", "2E4053")
    for rang, ligne in enumerate(bus.lignes):
        for service, sens, departs in _courses(ligne, rang):
            c, p = _stop_times(ligne, service, sens, departs)
            courses.append(c)
            passages.append(p)
        traces += [_trace(ligne, sens) for sens in ((0,) if ligne.genre == "navette" else (0, 1))]
        frequente = ligne.genre == "frequente"
        lignes.append(
            {
                "route_id": f"L:{ligne.code}",
                "agency_id": "OP",
                "route_short_name": ligne.code,
                "route_long_name": ligne.nom,
                "route_type": 3,
                "route_color": couleurs[rang % 7] if frequente else "",
                "route_text_color": "FFFFFF" if frequente else "",
            }
        )
    semaine, exceptions = _calendriers()
    navettes = [ligne.code for ligne in bus.lignes if ligne.genre == "navette"]
    frequences = [
        {
            "trip_id": f"{code}:{service}:0:000",
            "start_time": debut,
            "end_time": fin,
            "headway_secs": 720,
            "exact_times": 0,
        }
        for code in navettes
        for service, debut, fin in (
            ("JS", "07:00:00", "19:30:00"),
            ("VAC", "07:30:00", "19:00:00"),
            ("SAM", "09:00:00", "19:00:00"),
        )
    ]
    return informations_flux("Bus d'Orvenne") | {
        "stops.txt": _arrets(bus),
        "routes.txt": pd.DataFrame(lignes),
        "trips.txt": pd.concat(courses, ignore_index=True),
        "stop_times.txt": pd.concat(passages, ignore_index=True),
        "calendar.txt": semaine,
        "calendar_dates.txt": exceptions,
        "frequencies.txt": pd.DataFrame(
            frequences, columns=["trip_id", "start_time", "end_time", "headway_secs", "exact_times"]
        ),
        "shapes.txt": pd.concat(traces, ignore_index=True),
    }

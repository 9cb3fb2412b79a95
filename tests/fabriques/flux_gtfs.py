"""Petits flux GTFS écrits comme de vrais fichiers, à déformer dans chaque essai."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyproj import Transformer

from donnees_geo.erreurs import Constat, Gravite
from donnees_geo.gtfs import OffreTransport, lire_gtfs
from tests.fabriques.ville_quadrillee import COIN, CRS

_VERS_GEO = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def lonlat(x_m: float, y_m: float) -> tuple[float, float]:
    """Position géographique d'un point en mètres depuis le coin des villes d'essai."""
    lon, lat = _VERS_GEO.transform(COIN[0] + x_m, COIN[1] + y_m)
    return float(lon), float(lat)


def arrets_csv(arrets: Mapping[str, tuple[float, float]]) -> str:
    """``stops.txt`` d'arrêts donnés en mètres depuis le coin."""
    lignes = ["stop_id,stop_name,stop_lat,stop_lon"]
    for nom, (x, y) in arrets.items():
        lon, lat = lonlat(x, y)
        lignes.append(f"{nom},Arrêt {nom},{lat:.12f},{lon:.12f}")
    return "\n".join(lignes) + "\n"


def heure(secondes: int) -> str:
    """``H:MM:SS`` ; les heures peuvent dépasser 24."""
    return f"{secondes // 3600}:{secondes % 3600 // 60:02d}:{secondes % 60:02d}"


def passages_csv(courses: Mapping[str, Sequence[tuple[str, int]]]) -> str:
    """``stop_times.txt`` : course → suite de (arrêt, heure en secondes)."""
    lignes = ["trip_id,arrival_time,departure_time,stop_id,stop_sequence"]
    for course, passages in courses.items():
        for rang, (arret, s) in enumerate(passages):
            lignes.append(f"{course},{heure(s)},{heure(s)},{arret},{rang}")
    return "\n".join(lignes) + "\n"


def courses_csv(courses: Sequence[str], ligne: str = "L1", service: str = "S") -> str:
    """``trips.txt`` d'une seule ligne et d'un seul service."""
    lignes = ["route_id,service_id,trip_id", *(f"{ligne},{service},{c}" for c in courses)]
    return "\n".join(lignes) + "\n"


SEMAINE = (
    "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
)


def flux_simple() -> dict[str, str]:
    """Trois arrêts en ligne (0, 300 et 1 000 m), deux courses à 8 h et 9 h, mars 2026, semaine."""
    return {
        "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\n"
        "A,Réseau d'essai,http://exemple.fr,Europe/Paris\n",
        "stops.txt": arrets_csv({"a": (0, 0), "b": (300, 0), "c": (1000, 0)}),
        "routes.txt": "route_id,agency_id,route_short_name,route_long_name,route_type,route_color\n"
        "L1,A,1,Gare - Centre,3,FF8800\n",
        "trips.txt": courses_csv(["t8", "t9"]),
        "stop_times.txt": passages_csv(
            {
                f"t{h}": [("a", h * 3600), ("b", h * 3600 + 120), ("c", h * 3600 + 400)]
                for h in (8, 9)
            }
        ),
        "calendar.txt": SEMAINE + "S,1,1,1,1,1,0,0,20260302,20260327\n",
    }


def ecrire_flux(chemin: Path, fichiers: Mapping[str, str | bytes], *, dossier: str = "") -> Path:
    """Écrire un flux en zip, au besoin dans un sous-dossier de l'archive."""
    with zipfile.ZipFile(chemin, "w", zipfile.ZIP_DEFLATED) as archive:
        for nom, texte in fichiers.items():
            archive.writestr(dossier + nom, texte)
    return chemin


def lire_flux_essai(
    dossier: Path, fichiers: Mapping[str, str | bytes], **options: Any
) -> tuple[OffreTransport, list[Constat]]:
    """Écrire un flux ``essai.zip`` et le lire."""
    return lire_gtfs([ecrire_flux(dossier / "essai.zip", fichiers)], CRS, **options)


def messages(constats: Sequence[Constat], gravite: Gravite | None = None) -> str:
    """Constats mis bout à bout, ceux d'une gravité si elle est donnée."""
    return "\n".join(f"{c.objet} : {c.message}" for c in constats if gravite in (None, c.gravite))

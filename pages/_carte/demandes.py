"""Demandes venues du navigateur (adresse de la page, clic, images) : lues et contrôlées ici.

Rien de ce qu'écrit une adresse n'est employé sans avoir passé ce contrôle.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from couches.ecran.mercator import DEMI_MONDE_M, Emprise
from donnees_geo.conventions import Mode, Sens
from donnees_geo.erreurs import ErreurConfiguration

POINTS_MAX: Final = 6
MINUTES_MAX: Final = 60.0
BANDES_MAX: Final = 6
COTE_MAX: Final = 4096
Point = tuple[float, float]
_T = TypeVar("_T", bound=str)
MODES: Final[tuple[Mode, ...]] = ("marche", "velo", "voiture", "tc")


@dataclass(frozen=True)
class DemandeIsochrone:
    """Isochrone demandé.

    Attributes
    ----------
    points
        ``(lon, lat)`` en degrés ; plusieurs : leur réunion.
    mode, minutes, sens
        Mode, bandes croissantes en minutes, sens du trajet.
    jour
        Jour du transport collectif (AAAA-MM-JJ), vide pour celui du territoire ou un autre mode.
    """

    points: tuple[Point, ...]
    mode: Mode
    minutes: tuple[float, ...]
    sens: Sens
    jour: str = ""


def lire_isochrone(valeurs: Mapping[str, str]) -> DemandeIsochrone:
    """Lire les paramètres d'un isochrone.

    Raises
    ------
    ErreurConfiguration
        Paramètre absent ou inadmissible.
    """
    mode = choisir(valeurs.get("mode", ""), MODES, "mode")
    sens: Sens = choisir(valeurs.get("sens", "depuis"), ("depuis", "vers"), "sens")
    return DemandeIsochrone(
        lire_points(valeurs.get("points", "")),
        mode,
        lire_minutes(valeurs.get("minutes", "")),
        sens,
        lire_jour(valeurs.get("jour", "")) if mode == "tc" else "",
    )


def lire_jour(texte: str) -> str:
    """Jour AAAA-MM-JJ, ou vide.

    Raises
    ------
    ErreurConfiguration
        Texte d'une autre forme.
    """
    try:
        return date.fromisoformat(texte).isoformat() if texte else ""
    except ValueError as erreur:
        raise ErreurConfiguration(
            "Ce jour n'est pas valable.", objet="jour", attendu="AAAA-MM-JJ", trouve=texte[:20]
        ) from erreur


def choisir(valeur: str, permis: Sequence[_T], objet: str) -> _T:
    """Valeur permise, ou erreur qui dit lesquelles le sont."""
    for permise in permis:
        if valeur == permise:
            return permise
    raise ErreurConfiguration(
        "Ce réglage n'est pas reconnu.",
        objet=objet,
        attendu=", ".join(permis),
        trouve=valeur[:40] or "rien",
    )


def lire_minutes(texte: str) -> tuple[float, ...]:
    """Bandes croissantes et distinctes, minutes : « 5,10,15 »."""
    nombres = _nombres(texte, "minutes")
    minutes = tuple(sorted(set(nombres)))
    if not 1 <= len(minutes) <= BANDES_MAX or not all(0 < m <= MINUTES_MAX for m in minutes):
        raise ErreurConfiguration(
            "Les durées demandées ne sont pas valables.",
            objet="minutes",
            attendu=f"1 à {BANDES_MAX} durées, de 1 à {MINUTES_MAX:g} minutes",
            trouve=texte[:40],
        )
    return minutes


def lire_points(texte: str) -> tuple[Point, ...]:
    """Points en degrés : « lon,lat;lon,lat »."""
    points = []
    for morceau in texte.split(";") if texte else []:
        couple = _nombres(morceau, "points")
        if len(couple) != 2 or not (-180 <= couple[0] <= 180 and -85 <= couple[1] <= 85):
            raise ErreurConfiguration(
                "Ce point n'est pas valable.",
                objet="points",
                attendu="longitude,latitude en degrés",
                trouve=morceau[:40],
            )
        points.append((couple[0], couple[1]))
    if not 1 <= len(points) <= POINTS_MAX:
        raise ErreurConfiguration(
            "Le nombre de points n'est pas valable.",
            objet="points",
            attendu=f"1 à {POINTS_MAX} points",
            trouve=len(points),
        )
    return tuple(points)


def lire_vue(texte: str) -> tuple[float, float, float] | None:
    """Vue « lat,lon,zoom » d'une adresse, ou ``None`` si elle n'est pas valable."""
    try:
        nombres = _nombres(texte, "vue")
    except ErreurConfiguration:
        return None
    if len(nombres) != 3:
        return None
    lat, lon, zoom = nombres
    if -85 <= lat <= 85 and -180 <= lon <= 180 and 1 <= zoom <= 20:
        return lat, lon, zoom
    return None


def lire_emprise(valeurs: Mapping[str, str]) -> tuple[Emprise, int, int]:
    """Emprise (mètres Mercator) et dimensions d'une image demandée.

    Raises
    ------
    ErreurConfiguration
        Emprise vide ou hors du monde, image trop grande.
    """
    bornes = _nombres(valeurs.get("emprise", ""), "emprise")
    cotes = [_entier(valeurs.get(nom, ""), nom) for nom in ("largeur", "hauteur")]
    valable = (
        len(bornes) == 4
        and bornes[0] < bornes[2]
        and bornes[1] < bornes[3]
        and all(abs(b) <= 2 * DEMI_MONDE_M for b in bornes)
        and all(1 <= c <= COTE_MAX for c in cotes)
    )
    if not valable:
        raise ErreurConfiguration(
            "L'image demandée n'est pas valable.",
            objet="emprise, largeur, hauteur",
            attendu=f"ouest,sud,est,nord en mètres Mercator ; 1 à {COTE_MAX} pixels",
        )
    return (bornes[0], bornes[1], bornes[2], bornes[3]), cotes[0], cotes[1]


def lire_services(texte: str, connus: Sequence[str]) -> tuple[str, ...]:
    """Services du catalogue, dans l'ordre demandé.

    Raises
    ------
    ErreurConfiguration
        Service inconnu, ou aucun.
    """
    services = tuple(dict.fromkeys(s for s in texte.split(",") if s))
    inconnus = [s for s in services if s not in connus]
    if inconnus or not services:
        raise ErreurConfiguration(
            "Service inconnu." if inconnus else "Aucun service n'est demandé.",
            objet="services",
            trouve=", ".join(inconnus)[:80] or None,
        )
    return services


def lire_metres(texte: str) -> float:
    """Longueur positive, mètres.

    Raises
    ------
    ErreurConfiguration
        Pas un nombre, ou négatif.
    """
    nombres = _nombres(texte, "mètres")
    if len(nombres) != 1 or nombres[0] < 0:
        raise ErreurConfiguration(
            "Cette longueur n'est pas valable.",
            objet="rayon",
            attendu="un nombre de mètres, positif",
            trouve=texte[:40],
        )
    return nombres[0]


def _entier(texte: str, objet: str) -> int:
    if not re.fullmatch(r"\d{1,6}", texte):
        raise ErreurConfiguration("Un nombre entier est attendu.", objet=objet, trouve=texte[:20])
    return int(texte)


def _nombres(texte: str, objet: str) -> list[float]:
    try:
        nombres = [float(n) for n in texte.split(",")] if texte else []
    except ValueError:
        nombres = [math.nan]
    if not all(math.isfinite(n) for n in nombres):
        raise ErreurConfiguration(
            "Des nombres séparés par des virgules sont attendus.", objet=objet, trouve=texte[:40]
        )
    return nombres

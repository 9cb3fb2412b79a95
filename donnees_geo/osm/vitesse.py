"""Vitesse maximale autorisée d'une voie OSM.

Source : wiki OpenStreetMap, pages « Key:maxspeed » et « Default speed limits ».
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from typing import Final

#: Tags dont dépend la vitesse.
CLES_VITESSE: Final = (
    "maxspeed",
    "maxspeed:forward",
    "maxspeed:backward",
    "zone:maxspeed",
    "source:maxspeed",
    "maxspeed:type",
)

# Vitesses sous-entendues par un contexte (« FR:urban »), km/h. Source : wiki OSM, « Default speed
# limits » ; les pays absents prennent la ligne « * ».
VITESSES_CONTEXTE: Final[dict[str, dict[str, float]]] = {
    "*": {"urban": 50, "rural": 80, "trunk": 110, "motorway": 130, "living_street": 20, "walk": 6},
    "FR": {"rural": 80, "trunk": 110, "motorway": 130, "living_street": 20},
    "BE": {"rural": 90, "motorway": 120},
    "BE-VLG": {"rural": 70},
    "BE-BRU": {"urban": 30},
    "BR": {"urban": 60, "rural": 60, "motorway": 110},
    "CH": {"motorway": 120},
    "DE": {"rural": 100, "living_street": 7},
    "ES": {"rural": 90, "motorway": 120},
    "FI": {"motorway": 120},
    "GB": {
        "urban": 48.28,
        "rural": 96.56,
        "motorway": 112.65,
        "nsl_single": 96.56,
        "nsl_dual": 112.65,
    },
    "IT": {"rural": 90, "motorway": 130},
    "LU": {"rural": 90},
    "NL": {"rural": 80, "motorway": 100},
}
_UNITES_KMH: Final = {"": 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": 1.609344, "knots": 1.852}
_NOMBRE: Final = re.compile(r"^(\d+(?:[.,]\d+)?)\s*([a-z/]*)$")
_CONTEXTE: Final = re.compile(r"^([A-Za-z]{2}(?:-[A-Za-z]+)?):(.+)$")
#: Vitesse retenue pour ``maxspeed=none`` (pas de limite) : la vitesse conseillée allemande.
VITESSE_SANS_LIMITE_KMH: Final = 130.0


def lire_vitesse(tags: Mapping[str, str]) -> float:
    """Vitesse maximale (km/h) dite par les tags, NaN si aucun ne la donne.

    ``maxspeed`` l'emporte, puis ``maxspeed:forward``/``backward`` (la plus petite), puis
    ``zone:maxspeed``, ``source:maxspeed`` et ``maxspeed:type`` (contexte : ``FR:urban``).
    """
    sens = [analyser_vitesse(tags.get(f"maxspeed:{s}")) for s in ("forward", "backward")]
    dites = [v for v in sens if not math.isnan(v)]
    candidats = (
        analyser_vitesse(tags.get("maxspeed")),
        min(dites) if dites else math.nan,
        *(
            analyser_vitesse(tags.get(c))
            for c in ("zone:maxspeed", "source:maxspeed", "maxspeed:type")
        ),
    )
    return next((v for v in candidats if not math.isnan(v)), math.nan)


@functools.cache
def analyser_vitesse(texte: str | None) -> float:
    """Convertir une valeur de ``maxspeed`` en km/h ; NaN si elle n'est pas comprise.

    Examples
    --------
    >>> analyser_vitesse("50"), analyser_vitesse("FR:urban"), analyser_vitesse("none")
    (50.0, 50.0, 130.0)
    >>> round(analyser_vitesse("30 mph"), 2), analyser_vitesse("70;50"), analyser_vitesse("walk")
    (48.28, 50.0, 6.0)
    """
    if texte is None:
        return math.nan
    vitesses = [_une_vitesse(morceau.strip()) for morceau in re.split(r"[;|]", texte)]
    connues = [v for v in vitesses if not math.isnan(v)]
    return min(connues, default=math.nan)


def _une_vitesse(texte: str) -> float:
    contexte = _CONTEXTE.match(texte)
    if contexte:
        return _vitesse_contexte(contexte[1].upper(), contexte[2].strip().lower())
    texte = texte.lower()
    if texte in ("none", "unlimited"):
        return VITESSE_SANS_LIMITE_KMH
    if texte == "walk":
        return float(VITESSES_CONTEXTE["*"]["walk"])
    nombre = _NOMBRE.match(texte)
    if nombre is None or nombre[2] not in _UNITES_KMH:
        return math.nan
    valeur = float(nombre[1].replace(",", ".")) * _UNITES_KMH[nombre[2]]
    return valeur if valeur > 0 else math.nan


def _vitesse_contexte(pays: str, contexte: str) -> float:
    chiffres = re.fullmatch(r"(?:zone)?:?(\d+)", contexte)
    if chiffres:
        valeur = float(chiffres[1])
        # Au Royaume-Uni, « GB:zone20 » se lit en milles à l'heure.
        return valeur * _UNITES_KMH["mph"] if pays == "GB" else valeur
    for table in (pays, pays.split("-")[0], "*"):
        if contexte in VITESSES_CONTEXTE.get(table, {}):
            return float(VITESSES_CONTEXTE[table][contexte])
    return math.nan

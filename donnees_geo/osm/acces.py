"""Droits de passage et vitesse d'une voie OSM, d'après ses tags.

Les règles sont des tables : valeur par défaut de la classe de voie, puis tags de plus en plus
précis (``access`` < ``vehicle`` < ``motor_vehicle`` < ``motorcar``). Elles sont évaluées une fois
par combinaison distincte de tags, non par voie.

Source : wiki OpenStreetMap, pages « OSM tags for routing/Access restrictions », « Key:oneway »,
« Key:cycleway » et « Key:barrier ».
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from donnees_geo.osm.vitesse import CLES_VITESSE, lire_vitesse
from donnees_geo.reseau import (
    CLASSES_VOIE,
    ESCALIER,
    MARCHE_ALLER,
    MARCHE_RETOUR,
    PONT,
    TUNNEL,
    VELO_ALLER,
    VELO_POUSSE_ALLER,
    VELO_POUSSE_RETOUR,
    VELO_RETOUR,
    VOITURE_ALLER,
    VOITURE_RETOUR,
)

_CLES_BANDES: Final = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")
_CLES_SENS_BANDES: Final = tuple(f"{c}:oneway" for c in _CLES_BANDES[1:])
#: Seuls tags dont dépendent les droits, la classe et la vitesse.
CLES_ACCES: Final = (
    "highway",
    "route",
    "access",
    "foot",
    "bicycle",
    "vehicle",
    "motor_vehicle",
    "motorcar",
    "oneway",
    "oneway:foot",
    "oneway:bicycle",
    "junction",
    "sidewalk",
    "service",
    "motorroad",
    "conveying",
    "bridge",
    "tunnel",
    *_CLES_BANDES,
    *_CLES_SENS_BANDES,
    *CLES_VITESSE,
)

#: Barrières qu'une voiture ne franchit pas, sauf tag contraire.
BARRIERES_VOITURE: Final = frozenset(
    {
        "block",
        "bollard",
        "bus_trap",
        "chain",
        "cycle_barrier",
        "debris",
        "full-height_turnstile",
        "jersey_barrier",
        "kissing_gate",
        "log",
        "motorcycle_barrier",
        "planter",
        "stile",
        "turnstile",
    }
)

_INDICE_CLASSE: Final = {nom: i for i, nom in enumerate(CLASSES_VOIE)}
_ROUTES: Final = frozenset(
    {
        "primary",
        "primary_link",
        "secondary",
        "secondary_link",
        "tertiary",
        "tertiary_link",
        "unclassified",
        "residential",
        "living_street",
        "service",
        "road",
    }
)
_VOIES_EXPRESS: Final = frozenset({"motorway", "motorway_link", "trunk", "trunk_link"})
_CHEMINS: Final = frozenset({"track", "path", "cycleway", "bridleway"})
_VOIES_PIETONNES: Final = frozenset(
    {"footway", "pedestrian", "steps", "corridor", "platform", "elevator"}
)

#: Classes ouvertes par défaut, par mode. Une classe absente (``construction``, ``raceway``…) est
#: fermée.
MARCHE_PAR_DEFAUT: Final = _ROUTES | _CHEMINS | _VOIES_PIETONNES | {"ferry"}
VELO_PAR_DEFAUT: Final = _ROUTES | {"track", "path", "cycleway", "ferry"}
#: Le vélo s'y pousse par défaut, si le piéton y passe.
VELO_POUSSE_PAR_DEFAUT: Final = _VOIES_PIETONNES | {"bridleway"}
VOITURE_PAR_DEFAUT: Final = _ROUTES | _VOIES_EXPRESS
#: Classes fermées à tous, quels que soient les autres tags.
CLASSES_FERMEES: Final = frozenset(
    {
        "construction",
        "proposed",
        "planned",
        "abandoned",
        "razed",
        "disused",
        "raceway",
        "no",
        "services",
        "rest_area",
        "escape",
        "via_ferrata",
        "bus_guideway",
        "emergency_bay",
    }
)

_OUI: Final = frozenset(
    {
        "yes",
        "designated",
        "permissive",
        "destination",
        "official",
        "customers",
        "delivery",
        "residents",
        "public",
        "allowed",
        "discouraged",
        "true",
        "1",
    }
)
_NON: Final = frozenset(
    {
        "no",
        "private",
        "agricultural",
        "forestry",
        "agricultural;forestry",
        "emergency",
        "military",
        "permit",
        "restricted",
        "use_sidepath",
        "bus",
        "psv",
        "taxi",
        "authorized",
        "false",
        "0",
    }
)
_SENS_UNIQUE: Final = frozenset({"yes", "true", "1", "reversible"})
_SENS_INVERSE: Final = frozenset({"-1", "reverse"})
_SANS_SENS: Final = frozenset({"no", "false", "0", "alternating"})


@dataclass(frozen=True)
class AccesVoie:
    """Ce que les tags d'une voie disent du passage.

    Attributes
    ----------
    bits
        Bits de :mod:`donnees_geo.reseau` dans le sens du tracé ; 0 si personne n'y passe.
    classe
        Indice dans ``CLASSES_VOIE``.
    vitesse_kmh
        Vitesse maximale dite par les tags, NaN sinon.
    """

    bits: int
    classe: int
    vitesse_kmh: float


def evaluer_acces(tags: Mapping[str, str]) -> AccesVoie:
    """Droits de passage, classe et vitesse d'une voie.

    Parameters
    ----------
    tags
        Tags de la voie ; seuls ceux de :data:`CLES_ACCES` comptent.

    Examples
    --------
    >>> evaluer_acces({"highway": "steps"}).bits == (
    ...     MARCHE_ALLER | MARCHE_RETOUR | VELO_POUSSE_ALLER | VELO_POUSSE_RETOUR | ESCALIER)
    True
    """
    voie = tags.get("highway") or ("ferry" if tags.get("route") == "ferry" else "")
    classe = _INDICE_CLASSE.get(voie, 0)
    if not voie or voie in CLASSES_FERMEES:
        return AccesVoie(0, classe, math.nan)
    marche = _bits_marche(voie, tags)
    bits = marche | _bits_velo(voie, tags, marche != 0) | _bits_voiture(voie, tags)
    if bits:
        bits |= _bits_ouvrage(voie, tags)
    return AccesVoie(bits, classe, lire_vitesse(tags))


def ferme_aux_voitures(tags: Any) -> bool:
    """Vrai si un noeud ``barrier=*`` arrête les voitures (borne, bloc, portail interdit)."""
    permis = _permission(tags, "motorcar", "motor_vehicle", "vehicle", "access")
    if permis is None:
        return tags.get("barrier") in BARRIERES_VOITURE
    return not permis and tags.get("barrier") is not None


def _permission(tags: Mapping[str, str], *cles: str) -> bool | None:
    """Permission dite par la première des ``cles`` présente : vrai, faux, ou ``None`` si rien."""
    for cle in cles:
        valeur = tags.get(cle)
        if valeur is None:
            continue
        valeur = valeur.strip().lower()
        if valeur in _OUI:
            return True
        if valeur in _NON:
            return False
    return None


def _bits_ouvrage(voie: str, tags: Mapping[str, str]) -> int:
    bits = ESCALIER if voie == "steps" else 0
    if tags.get("bridge", "no") != "no":
        bits |= PONT
    if tags.get("tunnel", "no") != "no":
        bits |= TUNNEL
    return bits


def _bits_marche(voie: str, tags: Mapping[str, str]) -> int:
    permis = _permission(tags, "foot", "access")
    defaut = voie in MARCHE_PAR_DEFAUT and tags.get("motorroad") != "yes"
    if voie in ("trunk", "trunk_link"):
        # Une voie rapide bordée d'un trottoir est une rue pour le piéton.
        defaut = tags.get("sidewalk", "no") not in ("no", "none", "separate")
    if permis and _permission(tags, "foot") is None:
        # access=yes ne suffit pas à ouvrir une autoroute ou un couloir de bus aux piétons.
        permis = defaut
    if not (defaut if permis is None else permis):
        return 0
    sens = tags.get("oneway:foot") or tags.get("conveying") or "no"
    if sens in _SENS_UNIQUE or sens == "forward":
        return MARCHE_ALLER
    if sens in _SENS_INVERSE or sens == "backward":
        return MARCHE_RETOUR
    return MARCHE_ALLER | MARCHE_RETOUR


def _bits_velo(voie: str, tags: Mapping[str, str], marche: bool) -> int:
    """Bits du vélo : roulé, sinon poussé là où le piéton passe et où l'on met pied à terre."""
    dit = tags.get("bicycle")
    if dit == "dismount":
        return _pousse(marche)
    propre = _permission(tags, "bicycle")
    permis = propre if propre is not None else _permission(tags, "vehicle", "access")
    roule = voie in VELO_PAR_DEFAUT and tags.get("motorroad") != "yes"
    if propre is None and permis:
        permis = None  # vehicle=yes n'ouvre pas un trottoir ni une autoroute
    if permis is None:
        if roule:
            return _sens_velo(voie, tags)
        bande = any(tags.get(c) in ("lane", "track") for c in _CLES_BANDES)
        if voie in ("trunk", "trunk_link") and bande and tags.get("motorroad") != "yes":
            return _sens_velo(voie, tags)
        return _pousse(marche) if voie in VELO_POUSSE_PAR_DEFAUT else 0
    if permis:
        # Un escalier reste un escalier, même bicycle=yes (goulotte) : on y pousse.
        return _pousse(marche) if voie == "steps" else _sens_velo(voie, tags)
    pietonne = voie in VELO_POUSSE_PAR_DEFAUT or voie == "path"
    interdit_de_rouler = dit == "no" or (propre is None and _permission(tags, "vehicle") is False)
    return _pousse(marche) if interdit_de_rouler and (pietonne or dit is None) else 0


def _pousse(marche: bool) -> int:
    return VELO_POUSSE_ALLER | VELO_POUSSE_RETOUR if marche else 0


def _sens_velo(voie: str, tags: Mapping[str, str]) -> int:
    propre = tags.get("oneway:bicycle")
    if propre in _SANS_SENS:
        return VELO_ALLER | VELO_RETOUR
    sens = propre if propre is not None else _sens_circulation(voie, tags)
    if sens in _SENS_UNIQUE:
        aller, retour = True, False
    elif sens in _SENS_INVERSE:
        aller, retour = False, True
    else:
        return VELO_ALLER | VELO_RETOUR
    if propre is None and _contresens(tags):
        aller = retour = True
    return (VELO_ALLER if aller else 0) | (VELO_RETOUR if retour else 0)


def _contresens(tags: Mapping[str, str]) -> bool:
    """Double sens cyclable dit par une bande ou une piste à contresens."""
    if any(tags.get(c, "").startswith("opposite") for c in _CLES_BANDES):
        return True
    return any(tags.get(c) in ("-1", "no") for c in _CLES_SENS_BANDES)


def _sens_circulation(voie: str, tags: Mapping[str, str]) -> str:
    """Valeur de ``oneway``, dite ou sous-entendue (autoroute, carrefour giratoire)."""
    dit = tags.get("oneway")
    if dit is not None:
        return dit
    if voie == "motorway" or tags.get("junction") in ("roundabout", "circular"):
        return "yes"
    return "no"


def _bits_voiture(voie: str, tags: Mapping[str, str]) -> int:
    propre = _permission(tags, "motorcar", "motor_vehicle", "vehicle")
    permis = propre if propre is not None else _permission(tags, "access")
    defaut = voie in VOITURE_PAR_DEFAUT
    if permis and propre is None:
        permis = defaut  # access=yes n'ouvre pas un sentier aux voitures
    if permis is False and voie == "service" and _est_privee(tags):
        # Desserte privée (allée, parking) : on y finit son trajet, elle est en cul-de-sac.
        permis = True
    if tags.get("service") == "emergency_access":
        permis = False
    if not (defaut if permis is None else permis):
        return 0
    sens = _sens_circulation(voie, tags)
    if sens in _SENS_UNIQUE:
        return VOITURE_ALLER
    if sens in _SENS_INVERSE:
        return VOITURE_RETOUR
    return VOITURE_ALLER | VOITURE_RETOUR


def _est_privee(tags: Mapping[str, str]) -> bool:
    """Vrai si le tag le plus précis qui ferme la voie aux voitures est ``private``."""
    for cle in ("motorcar", "motor_vehicle", "vehicle", "access"):
        if cle in tags:
            return tags[cle] == "private"
    return False

"""Réglages d'une session : lus de l'adresse à l'arrivée, réécrits dans l'adresse à chaque passage.

Une adresse copiée redonne donc la même vue, et une page rechargée ne perd rien.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from accessibilite.bilans.indicateurs import PLUS_RAPIDE
from couches.composition import Theme, regle_du_palier
from couches.ecran.carte import FONDS_EN_LIGNE, ecrire_points
from donnees_geo.conventions import PALIERS, Palier
from donnees_geo.erreurs import ErreurConfiguration
from pages._carte.calques import calques_du_territoire, ouvrir_depots
from pages._carte.calques_voulus import CalqueVoulu, ecrire_calques, lire_calques
from pages._carte.demandes import (
    BANDES_MAX,
    MODES,
    Point,
    lire_minutes,
    lire_points,
    lire_vue,
)
from pages._commun.partage import Partage

VARIABLE_PROJECTEUR: Final = "DEMI_HEURE_PROJECTEUR"
MINUTES_PROPOSEES: Final = (5, 10, 15, 20, 30)
BANDES_PROPOSEES: Final = (5, 10, 15, 20, 30, 45)
FONDS: Final = {"hors_ligne": "Dessiné, hors ligne"} | {
    "ign": "Plan IGN (internet)",
    "osm": "OpenStreetMap (internet)",
}
TYPES_ZONES: Final = {
    "territoire": "Tout le territoire",
    "secteur": "Secteur",
    "bassin_de_vie": "Bassin de vie",
    "commune": "Commune",
}
COUCHES: Final = ("carreaux", "lieux", "limites", "noms")
#: Préfixe des réglages dans l'état de session, à part des autres clés.
_PREFIXE: Final = "r_"


@dataclass(frozen=True)
class Etat:
    """Réglages contrôlés d'une carte.

    Attributes
    ----------
    mesure
        Identifiant de service, ou ``palier:<palier>``.
    mode
        Mode calculé, ou ``plus_rapide``.
    minutes
        Seuil des chiffres.
    zone
        ``territoire``, ou ``<type>:<code>``.
    jour
        Jour du transport collectif (AAAA-MM-JJ), vide sans transport collectif.
    couches, opacite, fond
        Couches montrées, opacité des carreaux (0 à 100), fond de carte.
    iso_mode, iso_minutes, iso_sens
        Isochrone d'un clic.
    garder, fusion
        Garder plusieurs points, et les réunir.
    calques
        Couches thématiques montrées, du dessus vers le dessous.
    """

    mesure: str
    mode: str
    minutes: int
    zone: str
    jour: str
    couches: tuple[str, ...]
    opacite: int
    fond: str
    iso_mode: str
    iso_minutes: tuple[int, ...]
    iso_sens: str
    garder: bool
    fusion: bool
    calques: tuple[CalqueVoulu, ...] = ()


def cle(nom: str) -> str:
    """Clé de session d'un réglage (celle de son widget)."""
    return _PREFIXE + nom


def est_projecteur() -> bool:
    """Vrai en mode projecteur."""
    return bool(st.session_state.get(cle("projecteur"), False))


def valeurs_de_depart(partage: Partage) -> dict[str, Any]:
    """Réglages d'une session sans adresse."""
    presents = set(partage.territoire.equipements["service"].astype(str))
    services = [s for s in partage.territoire.services if s.id in presents]
    premier = next((s.id for s in services if s.id == "boulangerie"), None)
    mesure = premier or (services[0].id if services else partage.territoire.services[0].id)
    return {
        "mesure": mesure,
        "par": PLUS_RAPIDE,
        "minutes": 15,
        "zone": "territoire",
        "jour": next(iter(partage.jours_types), ""),
        "couches": ["carreaux", "lieux", "limites", "noms"],
        "opacite": 82,
        "fond": "hors_ligne",
        "iso_mode": "marche",
        "iso_minutes": [5, 10, 15],
        "iso_sens": "depuis",
        "garder": False,
        "fusion": False,
        "calques": [],
        "projecteur": os.environ.get(VARIABLE_PROJECTEUR) == "1",
    }


def preparer_session(partage: Partage) -> None:
    """Poser les réglages de la session : ceux de l'adresse à la première page, puis les siens.

    Un réglage d'adresse inadmissible est remplacé par celui de départ, et c'est dit.
    """
    s = st.session_state
    if s.get("territoire") != partage.cle:
        s["territoire"] = partage.cle
        s["jeton"] = secrets.token_urlsafe(9)
        s["depots"] = ouvrir_depots(s["jeton"])
        s["points"] = ()
        appliquer_reglages(partage, dict(st.query_params))
    for nom in valeurs_de_depart(partage):
        # Streamlit oublie l'état d'un widget qui n'est pas affiché : le réécrire le garde.
        s[cle(nom)] = s[cle(nom)]


def appliquer_reglages(partage: Partage, reglages: Mapping[str, str]) -> None:
    """Poser des réglages écrits (adresse, vue enregistrée) ; les fautifs sont dits et ignorés."""
    s = st.session_state
    valeurs = valeurs_de_depart(partage)
    refuses = lire_reglages(partage, reglages, valeurs)
    for nom, valeur in valeurs.items():
        s[cle(nom)] = valeur
    s["refuses"] = refuses
    try:
        s["points"] = lire_points(reglages["points"]) if reglages.get("points") else ()
    except ErreurConfiguration:
        s["points"] = ()
        s["refuses"] = [*refuses, "points"]
    vue = lire_vue(reglages.get("vue", ""))
    s["vue_voulue"] = vue
    demander_cadrage("vue" if vue else "zone")


def demander_cadrage(genre: str) -> None:
    """Demander à la carte de se caler sur la zone, ou sur la vue voulue."""
    s = st.session_state
    s["cadrage"] = (genre, int(s.get("cadrage", ("", 0))[1]) + 1)


def lire_reglages(
    partage: Partage, reglages: Mapping[str, str], valeurs: MutableMapping[str, Any]
) -> list[str]:
    """Compléter ``valeurs`` avec les réglages admissibles ; rend le nom des autres."""
    permis: dict[str, tuple[str, ...]] = {
        "mesure": tuple(mesures(partage)),
        "par": (PLUS_RAPIDE, *partage.resultat.modes),
        "minutes": tuple(str(m) for m in MINUTES_PROPOSEES),
        "zone": tuple(zones(partage)),
        "jour": tuple(partage.jours_types),
        "fond": ("hors_ligne", *FONDS_EN_LIGNE),
        "iso_mode": tuple(m for m in MODES if m in partage.resultat.modes),
        "iso_sens": ("depuis", "vers"),
    }
    refuses = []
    for nom, choix in permis.items():
        if nom in reglages:
            if reglages[nom] in choix:
                valeurs[nom] = int(reglages[nom]) if nom == "minutes" else reglages[nom]
            else:
                refuses.append(nom)
    for nom in ("garder", "fusion"):
        if nom in reglages:
            valeurs[nom] = reglages[nom] == "1"
    if "mode" in reglages:
        valeurs["projecteur"] = reglages["mode"] == "projecteur"
        refuses += [] if reglages["mode"] in ("projecteur", "bureau") else ["mode"]
    return refuses + _lire_listes(partage, reglages, valeurs)


def _lire_listes(
    partage: Partage, reglages: Mapping[str, str], valeurs: MutableMapping[str, Any]
) -> list[str]:
    refuses = []
    if "couches" in reglages:
        voulues = [c for c in reglages["couches"].split(",") if c]
        valeurs["couches"] = [c for c in COUCHES if c in voulues]
        refuses += ["couches"] if set(voulues) - set(COUCHES) else []
    if "calques" in reglages:
        try:
            valeurs["calques"] = lire_calques(reglages["calques"], calques_du_territoire(partage))
        except ErreurConfiguration:
            refuses.append("calques")
    if "opacite" in reglages:
        if reglages["opacite"].isdigit() and int(reglages["opacite"]) <= 100:
            valeurs["opacite"] = int(reglages["opacite"])
        else:
            refuses.append("opacite")
    if "iso_minutes" in reglages:
        try:
            minutes = [int(m) for m in lire_minutes(reglages["iso_minutes"])]
            valeurs["iso_minutes"] = [m for m in minutes if m in BANDES_PROPOSEES][:BANDES_MAX]
        except ErreurConfiguration:
            refuses.append("iso_minutes")
    return refuses


def mesures(partage: Partage) -> dict[str, str]:
    """Mesures proposées : identifiant → libellé, les paniers d'abord."""
    paniers = {f"palier:{p}": f"Palier {NOMS_PALIERS[p]} : tous les services" for p in PALIERS}
    services = {
        s.id: f"{s.libelle[:1].upper()}{s.libelle[1:]}" for s in partage.territoire.services
    }
    return paniers | services


NOMS_PALIERS: Final[dict[str, str]] = {
    "proximite": "de proximité",
    "intermediaire": "intermédiaire",
    "structurant": "structurant",
}


def zones(partage: Partage) -> dict[str, str]:
    """Zones proposées : identifiant → libellé, de la plus vaste à la plus petite."""
    resultat = {"territoire": TYPES_ZONES["territoire"]}
    for type_zone, zonage in partage.zonages.items():
        if type_zone == "territoire":
            continue
        for nom, code in sorted(zip(zonage.noms, zonage.codes, strict=True)):
            resultat[f"{type_zone}:{code}"] = f"{TYPES_ZONES[type_zone]} – {nom}"
    return resultat


def etat_courant() -> Etat:
    """Réglages de la session."""
    s = st.session_state

    def lire(nom: str) -> Any:
        return s[cle(nom)]

    return Etat(
        mesure=lire("mesure"),
        mode=lire("par") or PLUS_RAPIDE,
        minutes=int(lire("minutes") or 15),
        zone=lire("zone"),
        jour=lire("jour") or "",
        couches=tuple(c for c in COUCHES if c in lire("couches")),
        opacite=int(lire("opacite")),
        fond=lire("fond"),
        iso_mode=lire("iso_mode") or "marche",
        iso_minutes=tuple(sorted(lire("iso_minutes"))) or (15,),
        iso_sens=lire("iso_sens") or "depuis",
        garder=bool(lire("garder")),
        fusion=bool(lire("fusion")),
        calques=tuple(lire("calques")),
    )


def theme_de(partage: Partage, etat: Etat) -> Theme:
    """Ce que la carte mesure, d'après les réglages."""
    services = partage.territoire.services
    if etat.mesure.startswith("palier:"):
        nom = etat.mesure.removeprefix("palier:")
        palier: Palier = next(p for p in PALIERS if p == nom)
        retenus = tuple(s for s in services if s.palier == palier)
        return Theme(retenus, palier, True, etat.mode, 60.0 * etat.minutes, etat.jour)
    service = next(s for s in services if s.id == etat.mesure)
    return Theme((service,), service.palier, False, etat.mode, 60.0 * etat.minutes, etat.jour)


def minutes_de_la_regle(partage: Partage, theme: Theme) -> int:
    """Seuil du palier, minutes."""
    return round(regle_du_palier(partage.parametres, theme.palier).seuil_s / 60)


def emploie_tc(partage: Partage, theme: Theme) -> bool:
    """Vrai si la carte dépend d'un jour de transport collectif."""
    if "tc" not in partage.resultat.modes:
        return False
    regle = regle_du_palier(partage.parametres, theme.palier).modes
    return theme.mode == "tc" or (theme.mode == PLUS_RAPIDE and "tc" in regle)


def points_courants() -> tuple[Point, ...]:
    """Points gardés, (lon, lat)."""
    return tuple(st.session_state.get("points", ()))


def reglages_courants(partage: Partage) -> dict[str, str]:
    """Réglages de la session écrits pour une adresse ou une vue (ceux de départ sont omis)."""
    s = st.session_state
    depart = valeurs_de_depart(partage)
    reglages = {}
    for nom, valeur in depart.items():
        actuelle = s.get(cle(nom), valeur)
        if nom == "projecteur" or actuelle in (valeur, None):
            continue
        if nom == "calques":
            texte = ecrire_calques(actuelle)
            if not texte:
                continue
        elif isinstance(actuelle, list | tuple):
            texte = ",".join(str(v) for v in actuelle)
        else:
            texte = str(int(actuelle)) if isinstance(actuelle, bool) else str(actuelle)
        reglages[nom] = texte
    if points_courants():
        reglages["points"] = ecrire_points(points_courants())
    vue = partage.vues.get(s["jeton"]) or s.get("vue_voulue")
    if vue is not None:
        reglages["vue"] = f"{vue[0]:.5f},{vue[1]:.5f},{vue[2]:g}"
    return reglages


def ecrire_adresse(partage: Partage) -> None:
    """Mettre l'adresse de la page à jour."""
    reglages = reglages_courants(partage)
    if est_projecteur():
        reglages["mode"] = "projecteur"
    if dict(st.query_params) != reglages:
        st.query_params.from_dict(reglages)

"""Réglages de la page Carences : lus de l'adresse à l'arrivée, contrôlés, réécrits dans l'adresse.

Leurs noms d'adresse ne sont pas ceux de la page Carte : une adresse copiée ne règle que sa page.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import streamlit as st

from accessibilite.analyses.ages import publics_presents
from donnees_geo.configuration import Service
from donnees_geo.configuration.analyses import lire_parametres_analyses
from donnees_geo.conventions import FONCTIONS, LIBELLES_FONCTIONS, LIBELLES_PALIERS, PALIERS
from pages._carences.suivis import lister_suivis
from pages._commun.etat import est_projecteur
from pages._commun.partage import Partage

TOUS: Final = "tous"
VOLETS: Final = {
    "carences": "Ce qui manque",
    "publics": "Seniors et enfants",
    "soins": "Médecins et infirmiers",
    "voiture": "Transport collectif ou voiture",
    "equite": "Niveau de vie et quartiers",
    "evolution": "Évolution",
}
TAILLES: Final = {
    TOUS: ("toutes", 0.0, np.inf),
    "1000": ("moins de 1 000 habitants", 0.0, 999.5),
    "3000": ("de 1 000 à 3 000 habitants", 999.5, 2_999.5),
    "10000": ("de 3 000 à 10 000 habitants", 2_999.5, 9_999.5),
    "plus": ("10 000 habitants et plus", 9_999.5, np.inf),
}
TRIS: Final = {"habitants": "Habitants concernés", "part": "Part des habitants"}
TYPES: Final = {
    "bassin_de_vie": "Bassins de vie",
    "secteur": "Secteurs",
    "commune": "Communes",
}
_PREFIXE: Final = "c_"


@dataclass(frozen=True)
class Reglages:
    """Réglages contrôlés.

    Attributes
    ----------
    volet
        Clé de :data:`VOLETS`.
    regroupement
        Type de zone, vide sans découpage en communes.
    palier, fonction, service
        Filtres ; :data:`TOUS` pour ne pas filtrer.
    tri, taille
        Clés de :data:`TRIS` et de :data:`TAILLES`.
    fiche
        Code de la zone montrée, vide : la première du classement.
    public
        Tranche d'âge (colonne des carreaux).
    carreaux
        Montrer le détail par carreau.
    suivi
        Dossier du diagnostic comparé, vide s'il n'y en a pas.
    """

    volet: str
    regroupement: str
    palier: str
    fonction: str
    service: str
    tri: str
    taille: str
    fiche: str
    public: str
    carreaux: bool
    suivi: str

    @property
    def bornes_taille_hab(self) -> tuple[float, float]:
        """Habitants d'une zone montrée, au moins et au plus."""
        return TAILLES[self.taille][1:]


def cle(nom: str) -> str:
    """Clé de session d'un réglage (celle de son contrôle)."""
    return _PREFIXE + nom


def types_de_zones(partage: Partage) -> dict[str, str]:
    """Regroupements proposés, le bassin de vie d'abord."""
    return {t: nom for t, nom in TYPES.items() if t in partage.zonages}


def publics_proposes(partage: Partage) -> dict[str, str]:
    """Tranches d'âge que la population donne : colonne → libellé."""
    return publics_presents(partage.resultat.acces, lire_parametres_analyses())


def fonctions_proposees(partage: Partage) -> dict[str, str]:
    """Fonctions qui ont un service."""
    presentes = {s.fonction for s in partage.resultat.services}
    return {f: LIBELLES_FONCTIONS[f] for f in FONCTIONS if f in presentes}


def filtrer_services(partage: Partage, palier: str, fonction: str) -> list[Service]:
    """Services d'un palier et d'une fonction."""
    return [
        s
        for s in partage.resultat.services
        if palier in (TOUS, s.palier) and fonction in (TOUS, s.fonction)
    ]


def valeurs_de_depart(partage: Partage) -> dict[str, Any]:
    """Réglages d'une page sans adresse."""
    return {
        "volet": "carences",
        "regroupement": next(iter(types_de_zones(partage)), ""),
        # Les trois paliers à la fois saturent : presque chacun manque de quelque chose.
        "palier": PALIERS[0],
        "fonction": TOUS,
        "service": TOUS,
        "tri": "habitants",
        "taille": TOUS,
        "fiche": "",
        "public": next(iter(publics_proposes(partage)), ""),
        "carreaux": False,
        "suivi": next(iter(lister_suivis(partage)), ""),
    }


def permis(partage: Partage) -> dict[str, Sequence[str]]:
    """Valeurs admises de chaque réglage de texte, sauf la fiche."""
    return {
        "volet": tuple(VOLETS),
        "regroupement": tuple(types_de_zones(partage)),
        "palier": (TOUS, *PALIERS),
        "fonction": (TOUS, *fonctions_proposees(partage)),
        "service": (TOUS, *(s.id for s in partage.resultat.services)),
        "tri": tuple(TRIS),
        "taille": tuple(TAILLES),
        "public": tuple(publics_proposes(partage)),
        "suivi": tuple(lister_suivis(partage)),
    }


def lire_adresse(
    partage: Partage, adresse: Mapping[str, str], valeurs: MutableMapping[str, Any]
) -> list[str]:
    """Compléter ``valeurs`` avec les réglages admissibles ; rend le nom des autres."""
    refuses = []
    for nom, choix in permis(partage).items():
        if nom in adresse:
            if adresse[nom] in choix:
                valeurs[nom] = adresse[nom]
            else:
                refuses.append(nom)
    if "carreaux" in adresse:
        valeurs["carreaux"] = adresse["carreaux"] == "1"
    if "fiche" in adresse:
        if adresse["fiche"] in _codes(partage, valeurs["regroupement"]):
            valeurs["fiche"] = adresse["fiche"]
        else:
            refuses.append("fiche")
    return refuses


def _codes(partage: Partage, type_zone: str) -> tuple[str, ...]:
    return partage.zonages[type_zone].codes if type_zone in partage.zonages else ()


def preparer(partage: Partage) -> None:
    """Poser les réglages de la page : ceux de l'adresse à la première visite, puis les siens."""
    s = st.session_state
    if s.get("carences_de") != partage.cle:
        s["carences_de"] = partage.cle
        valeurs = valeurs_de_depart(partage)
        refuses = lire_adresse(partage, dict(st.query_params), valeurs)
        s["refuses"] = [*s.get("refuses", []), *refuses]
        for nom, valeur in valeurs.items():
            s[cle(nom)] = valeur
    for nom in valeurs_de_depart(partage):
        # Streamlit oublie l'état d'un contrôle qui n'est pas affiché : le réécrire le garde.
        s[cle(nom)] = s[cle(nom)]


def courants() -> Reglages:
    """Réglages de la session."""
    s = st.session_state
    noms = Reglages.__dataclass_fields__
    return Reglages(**{nom: s[cle(nom)] for nom in noms})


def ecrire_adresse(partage: Partage) -> None:
    """Mettre l'adresse de la page à jour ; les réglages de départ sont omis."""
    depart = valeurs_de_depart(partage)
    regroupement = st.session_state[cle("regroupement")]
    adresse = {}
    for nom, valeur in depart.items():
        actuelle = st.session_state[cle(nom)]
        if nom == "fiche" and actuelle not in _codes(partage, regroupement):
            continue  # fiche d'un autre regroupement : la première zone du classement est montrée
        if actuelle not in (valeur, None):
            adresse[nom] = str(int(actuelle)) if isinstance(actuelle, bool) else str(actuelle)
    if est_projecteur():
        adresse["mode"] = "projecteur"
    if dict(st.query_params) != adresse:
        st.query_params.from_dict(adresse)


def dire_filtre(reglages: Reglages) -> str:
    """Ce que retiennent les filtres de palier et de fonction, pour un fichier ou une phrase."""
    morceaux = []
    if reglages.palier != TOUS:
        morceaux.append(f"palier {LIBELLES_PALIERS[reglages.palier]}")
    if reglages.fonction != TOUS:
        morceaux.append(f"fonction « {LIBELLES_FONCTIONS[reglages.fonction]} »")
    return ", ".join(morceaux) or "tous les paliers"

"""Page Friches et risques : ce que peut accueillir chaque friche, ce qu'expose l'inondation."""

from __future__ import annotations

from typing import Final

import streamlit as st

from pages._commun.partage import Partage
from pages._themes import ecran, friches, habitants_inondables, services_inondables
from pages._themes.reglages import ReglagesPage

VUES: Final = {
    "friches": friches,
    "services": services_inondables,
    "habitants": habitants_inondables,
}
VOLETS: Final = {
    "friches": "Friches",
    "services": "Services inondables",
    "habitants": "Habitants inondables",
}


def principal(partage: Partage) -> None:
    """Afficher la page."""
    permis = {nom: v for vue in VUES.values() for nom, v in vue.permettre(partage).items()}
    reglages = ReglagesPage("friches", {ecran.VOLET: list(VOLETS), **permis})
    volet = ecran.ouvrir(
        partage,
        "Friches et risques",
        VOLETS,
        reglages,
        lambda choisi: VUES[choisi].regler(partage, reglages),
    )
    VUES[volet].afficher(partage, reglages)
    ecran.fermer(reglages, VOLETS)


principal(st.session_state["partage"])

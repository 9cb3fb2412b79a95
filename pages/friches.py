"""Page Friches et risques : ce que peut accueillir chaque friche, ce qu'expose l'inondation."""

from __future__ import annotations

from typing import Final

import streamlit as st

from pages._commun.partage import Partage
from pages._themes import ecran
from pages._themes.friches import VUE as FRICHES
from pages._themes.habitants_inondables import VUE as HABITANTS
from pages._themes.services_inondables import VUE as SERVICES

VUES: Final = {"friches": FRICHES, "services": SERVICES, "habitants": HABITANTS}


def principal(partage: Partage) -> None:
    """Afficher la page."""
    reglages = ecran.construire_reglages(partage, "friches", VUES)
    ecran.ouvrir(partage, "Friches et risques", VUES, reglages).afficher(partage, reglages)
    ecran.fermer(reglages, VUES)


principal(st.session_state["partage"])

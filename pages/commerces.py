"""Page Commerces : offre et vacance, locaux vides là où un service manque, marchés."""

from __future__ import annotations

from typing import Final

import streamlit as st

from pages._commun.partage import Partage
from pages._themes import ecran
from pages._themes.locaux import VUE as LOCAUX
from pages._themes.marches import VUE as MARCHES
from pages._themes.offre import VUE as OFFRE

VUES: Final = {"offre": OFFRE, "locaux": LOCAUX, "marches": MARCHES}


def principal(partage: Partage) -> None:
    """Afficher la page."""
    reglages = ecran.construire_reglages(partage, "commerces", VUES)
    ecran.ouvrir(partage, "Commerces", VUES, reglages).afficher(partage, reglages)
    ecran.fermer(reglages, VUES)


principal(st.session_state["partage"])

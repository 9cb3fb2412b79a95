"""Page Commerces : offre et vacance, locaux vides là où un service manque, marchés."""

from __future__ import annotations

from typing import Final

import streamlit as st

from pages._commun.gabarit import message
from pages._commun.partage import Partage
from pages._themes import donnees, ecran, locaux, marches, offre
from pages._themes.reglages import ReglagesPage

VUES: Final = {"offre": offre, "locaux": locaux, "marches": marches}
VOLETS: Final = {"offre": "Offre", "locaux": "Locaux vides et manques", "marches": "Marchés"}


def principal(partage: Partage) -> None:
    """Afficher la page."""
    permis = {nom: v for vue in VUES.values() for nom, v in vue.permettre(partage).items()}
    reglages = ReglagesPage("commerces", {ecran.VOLET: list(VOLETS), **permis})
    volet = ecran.ouvrir(
        partage,
        "Commerces",
        VOLETS,
        reglages,
        lambda choisi: VUES[choisi].regler(partage, reglages),
    )
    lu = donnees.commerce(partage)
    if lu is None:
        st.html(
            message(
                "Ce territoire n’a pas de commerces connus.",
                "Ajoutez [couches] commerces au manifeste, ou la BPE, ou OpenStreetMap.",
                genre="note",
            )
        )
    else:
        VUES[volet].afficher(partage, reglages, lu)
    ecran.fermer(reglages, VOLETS)


principal(st.session_state["partage"])

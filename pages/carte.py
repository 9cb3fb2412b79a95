"""Page Carte : qui accède à quoi, en combien de temps, et ce qu'on atteint depuis un point."""

from __future__ import annotations

import streamlit as st

from pages._carte.projecteur import barre_projecteur
from pages._carte.reglages import reglages
from pages._carte.vue import afficher_carte
from pages._commun.etat import Etat, ecrire_adresse, est_projecteur, etat_courant, theme_de
from pages._commun.partage import Partage
from pages._commun.presentation import avertissements, menu


def principal(partage: Partage) -> None:
    """Afficher la page."""
    with st.sidebar:
        menu(partage, "Carte")
        reglages(partage)
    etat = etat_courant()
    theme = theme_de(partage, etat)
    avertissements(partage)
    _preparer_jour(partage, etat)
    afficher_carte(partage, etat, theme)
    if est_projecteur():
        barre_projecteur(partage)
    ecrire_adresse(partage)


def _preparer_jour(partage: Partage, etat: Etat) -> None:
    """Calculer l'étude d'un autre jour ; un réglage changé entre-temps l'interrompt."""
    attente = st.empty()

    def avancer(etape: str, fait: float) -> None:
        attente.progress(min(max(fait, 0.0), 1.0), text=f"Étude du {etat.jour} : {etape}")

    partage.calculer_jour(etat.jour, avancer)
    attente.empty()


principal(st.session_state["partage"])

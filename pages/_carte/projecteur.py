"""Barre du mode projecteur : vue suivante et précédente, au clavier ou à la télécommande."""

from __future__ import annotations

from html import escape

import streamlit as st

from couches.vues import lire_vues
from donnees_geo.erreurs import ErreurProjet
from pages._carte.reglages import garder_la_vue, ouvrir_vue
from pages._commun.etat import cle
from pages._commun.partage import Partage
from pages._commun.presentation import afficher_erreur


def barre_projecteur(partage: Partage) -> None:
    """Nom de la vue, précédente, suivante, et sortie."""
    try:
        vues = lire_vues(partage.territoire.dossier) if partage.territoire.dossier else []
    except ErreurProjet as erreur:
        afficher_erreur(erreur)
        vues = []
    rang: int | None = st.session_state.get("vue_ouverte")
    with st.container(key="barre_projecteur", horizontal=True, vertical_alignment="center"):
        if vues:
            # Sans vue ouverte, « suivante » commence à la première et « précédente » à la dernière.
            avant, apres = (len(vues) - 1, 0) if rang is None else (rang - 1, rang + 1)
            st.button("Précédente", on_click=ouvrir_vue, args=(partage, avant), shortcut="PageUp")
            st.button("Suivante", on_click=ouvrir_vue, args=(partage, apres), shortcut="PageDown")
            nom, compte = "", f"{len(vues)} vues"
            if rang is not None and rang < len(vues):
                nom, compte = vues[rang].nom, f"{rang + 1} / {len(vues)}"
            st.html(f'<p class="dh-vue"><span>{compte}</span> {escape(nom)}</p>')
        else:
            st.html('<p class="dh-vue">Aucune vue enregistrée</p>')
        st.button("Quitter", on_click=_quitter, args=(partage,))


def _quitter(partage: Partage) -> None:
    st.session_state[cle("projecteur")] = False
    garder_la_vue(partage)

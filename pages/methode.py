"""Page Méthode : d'où viennent les données, ce qui y manque, et comment on calcule."""

from __future__ import annotations

import streamlit as st

from pages._commun.etat import cle
from pages._commun.partage import Partage
from pages._commun.presentation import avertissements, menu
from pages._methode.contenu import (
    constats,
    definitions,
    durees,
    essentiel,
    hypotheses,
    qualite,
    sources,
)
from pages._methode.indice import indice_et_analyses


def principal(partage: Partage) -> None:
    """Afficher la page."""
    st.session_state[cle("projecteur")] = False
    with st.sidebar:
        menu(partage, "Méthode")
        st.html(
            '<nav aria-label="Sommaire"><ul class="dh-sommaire">'
            + "".join(
                f'<li><a href="#{ancre}">{titre}</a></li>'
                for ancre, titre in (
                    ("sources", "Sources"),
                    ("qualite", "Qualité des données"),
                    ("constats", "Constats"),
                    ("hypotheses", "Hypothèses"),
                    ("indice", "Indice et analyses"),
                    ("definitions", "Définitions"),
                    ("durees", "Durées de calcul"),
                )
            )
            + "</ul></nav>"
        )
    avertissements(partage)
    st.html('<h1 class="dh-titre">D’où viennent ces chiffres ?</h1>')
    for bloc in (
        essentiel,
        sources,
        qualite,
        constats,
        hypotheses,
        indice_et_analyses,
        definitions,
        durees,
    ):
        st.html(bloc(partage))


principal(st.session_state["partage"])

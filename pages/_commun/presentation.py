"""Habillage commun des pages : feuille de style, langue, menu, erreurs."""

from __future__ import annotations

import logging
from functools import cache
from html import escape
from pathlib import Path

import streamlit as st

from couches.ecran.hors_ligne import lister_actifs
from donnees_geo.erreurs import ErreurProjet
from pages._commun import gabarit
from pages._commun.partage import Partage

_JOURNAL = logging.getLogger(__name__)
_DOSSIER = Path(__file__).resolve().parent
#: Pages du menu, dans l'ordre.
PAGES = (
    ("carte.py", "Carte"),
    ("carences.py", "Carences"),
    ("friches.py", "Friches et risques"),
    ("commerces.py", "Commerces"),
    ("exports.py", "Exports"),
    ("methode.py", "Méthode"),
)


@cache
def _feuille(nom: str) -> str:
    return (_DOSSIER / nom).read_text(encoding="utf-8")


def habiller(*, projecteur: bool) -> None:
    """Appliquer la feuille de style ; à appeler à chaque page."""
    styles = _feuille("style.css") + (_feuille("projecteur.css") if projecteur else "")
    st.html(f"<style>{styles}</style>")
    # Streamlit annonce ses pages, et nomme ses boutons, en anglais.
    st.html(f"<script>{_feuille('francais.js')}</script>", unsafe_allow_javascript=True)


def menu(partage: Partage, courante: str) -> None:
    """Nom du programme, du territoire, et liens vers les pages ; ``courante`` est soulignée."""
    st.html(
        '<div class="dh-marque"><span class="nom">Demi-heure</span>'
        f'<span class="territoire">{escape(partage.territoire.nom)}</span></div>'
    )
    with st.container(key="menu", horizontal=True, gap="medium"):
        for fichier, titre in PAGES:
            if titre == courante:
                st.html(f'<span class="dh-page" aria-current="page">{titre}</span>')
            else:
                st.page_link(fichier, label=titre, width="content")


def avertissements(partage: Partage) -> None:
    """Bandeau des données fictives, composants absents, réglages refusés."""
    if partage.territoire.fictif:
        st.html(gabarit.bandeau_fictif())
    if not lister_actifs().locaux:
        st.html(
            gabarit.message(
                "Les composants de carte ne sont pas installés : la carte ne s’affichera que si "
                "internet est joignable.",
                "Lancez « python scripts/demarrer.py » sur une machine reliée à internet.",
            )
        )
    refuses = st.session_state.pop("refuses", [])
    if refuses:
        st.html(
            gabarit.message(
                f"Réglages de l’adresse ignorés, car inconnus ici : {', '.join(refuses)}.",
                genre="note",
            )
        )


def dire_imprevu(erreur: Exception) -> bool:
    """Dire qu'une faute du programme est survenue ; le détail va au journal, non à l'écran."""
    _JOURNAL.error("Faute imprévue dans une page", exc_info=erreur)
    st.html(
        gabarit.message(
            "Une faute imprévue du programme a interrompu cette page.",
            "Rechargez la page ; si elle revient, transmettez le journal affiché par le serveur.",
        )
    )
    return True


def afficher_erreur(erreur: ErreurProjet) -> None:
    """Dire ce qui s'est passé et que faire ; la page reste debout."""
    details = [f"{erreur.objet}"] if erreur.objet is not None else []
    if erreur.conseil:
        details.append(f"À faire : {erreur.conseil}")
    st.html(gabarit.message(erreur.message, " — ".join(details)))

"""Point d'entrée d'une session : ouvre le territoire, puis donne la main à la page choisie."""

from __future__ import annotations

import streamlit as st

from couches.ecran.hors_ligne import RESSOURCES
from donnees_geo.erreurs import ErreurProjet
from pages._commun.etat import est_projecteur, preparer_session
from pages._commun.ouverture import dossier_du_serveur, obtenir_partage
from pages._commun.partage import Partage
from pages._commun.presentation import afficher_erreur, habiller


def ouvrir() -> Partage | None:
    """Territoire du serveur, avec une barre d'avancement s'il faut calculer ; ``None`` en échec."""
    dossier = dossier_du_serveur()
    attente = st.empty()

    def avancer(etape: str, fait: float) -> None:
        attente.progress(min(max(fait, 0.0), 1.0), text=f"Étude de l’accès aux services : {etape}")

    try:
        partage = obtenir_partage(dossier, avancer)
    except ErreurProjet as erreur:
        afficher_erreur(erreur)
        return None
    attente.empty()
    return partage


def principal() -> None:
    """Exécuter une session."""
    st.set_page_config(
        page_title="Demi-heure",
        page_icon=str(RESSOURCES / "icone.svg"),
        layout="wide",
        initial_sidebar_state="collapsed"
        if st.query_params.get("mode") == "projecteur"
        else "expanded",
    )
    partage = ouvrir()
    if partage is None:
        habiller(projecteur=False)
        return
    preparer_session(partage)
    st.session_state["partage"] = partage
    habiller(projecteur=est_projecteur())
    page = st.navigation(
        [
            st.Page("carte.py", title="Carte", url_path="carte", default=True),
            st.Page("carences.py", title="Carences", url_path="carences"),
            st.Page("friches.py", title="Friches et risques", url_path="friches"),
            st.Page("commerces.py", title="Commerces", url_path="commerces"),
            st.Page("exports.py", title="Exports", url_path="exports"),
            st.Page("methode.py", title="Méthode", url_path="methode"),
        ],
        position="hidden",
    )
    try:
        page.run()
    except ErreurProjet as erreur:
        afficher_erreur(erreur)


principal()

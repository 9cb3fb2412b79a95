"""Contrôles de la page Carences : ceux du volet courant, et eux seuls."""

from __future__ import annotations

import streamlit as st

from donnees_geo.conventions import LIBELLES_PALIERS, PALIERS
from pages._carences import donnees, reglages
from pages._carences.equite import ATTEINTS, mesures_equite
from pages._carences.reglages import TOUS
from pages._carences.suivis import lister_suivis
from pages._carences.volet_publics import services_du_public
from pages._carences.volet_soins import services_de_soins
from pages._carences.volet_voiture import services_par_tc
from pages._commun import etat as etat_carte
from pages._commun.partage import Partage


def services_proposes(partage: Partage, analyses: donnees.Analyses) -> list[str]:
    """Services au choix dans le volet courant ; un service qui n'en est plus est oublié."""
    s, cle = st.session_state, reglages.cle
    volet = s[cle("volet")] or "carences"
    tous = [x.id for x in partage.resultat.services]
    if volet == "publics":
        choix = services_du_public(analyses, s[cle("public")])
    elif volet == "soins":
        choix = services_de_soins(analyses)
    elif volet == "voiture":
        choix = services_par_tc(partage) if "voiture_tc" in analyses else []
    elif volet == "equite":
        choix = [TOUS if m == ATTEINTS else m for m in mesures_equite(partage, analyses)]
    elif volet == "evolution":
        choix = [TOUS, *tous]
    else:
        retenus = reglages.filtrer_services(partage, s[cle("palier")], s[cle("fonction")])
        choix = [TOUS, *(x.id for x in retenus)]
    if choix and s[cle("service")] not in choix:
        s[cle("service")] = choix[0]
    return choix


def regler(partage: Partage, choix: list[str]) -> None:
    """Réglages du volet courant, et eux seuls."""
    cle = reglages.cle
    st.selectbox(
        "Ce qu’on regarde", list(reglages.VOLETS), format_func=reglages.VOLETS.__getitem__,
        key=cle("volet"),
    )  # fmt: skip
    volet = st.session_state[cle("volet")]
    if volet == "carences":
        _filtres(partage)
    if volet == "publics" and (publics := reglages.publics_proposes(partage)):
        st.selectbox(
            "Tranche d’âge", list(publics), format_func=publics.__getitem__, key=cle("public"),
        )  # fmt: skip
    if volet == "evolution" and (suivis := lister_suivis(partage)):
        st.selectbox("Comparer à", list(suivis), key=cle("suivi"))
    if choix:
        noms = _nommer_services(partage, volet)
        st.selectbox("Service", choix, format_func=noms.__getitem__, key=cle("service"))
    if volet != "equite":
        types = reglages.types_de_zones(partage)
        st.segmented_control(
            "Regrouper par", list(types), format_func=types.__getitem__, required=True,
            key=cle("regroupement"),
        )  # fmt: skip
        st.selectbox(
            "Taille des zones", list(reglages.TAILLES),
            format_func=lambda t: reglages.TAILLES[t][0], key=cle("taille"),
        )  # fmt: skip
    if volet in ("carences", "publics", "voiture"):
        st.segmented_control(
            "Classer par", list(reglages.TRIS), format_func=reglages.TRIS.__getitem__,
            key=cle("tri"), required=True,
        )  # fmt: skip
    if volet in ("carences", "voiture"):
        st.toggle("Détail par carreau", key=cle("carreaux"))
    st.button("Projeter", on_click=projeter, args=(True,), width="stretch")


def _filtres(partage: Partage) -> None:
    cle = reglages.cle
    paliers: dict[str, str] = {p: LIBELLES_PALIERS[p].capitalize() for p in PALIERS} | {
        TOUS: "Tous"
    }
    st.segmented_control(
        "Palier", list(paliers), format_func=paliers.__getitem__, key=cle("palier"), required=True
    )
    fonctions = {TOUS: "toutes"} | reglages.fonctions_proposees(partage)
    st.selectbox(
        "Fonction", list(fonctions), format_func=fonctions.__getitem__, key=cle("fonction")
    )


def _nommer_services(partage: Partage, volet: str) -> dict[str, str]:
    tous = "celui qui change le plus" if volet == "evolution" else "tous à la fois"
    return {
        TOUS: tous,
        **{s.id: s.libelle for s in partage.resultat.services},
    }


def projeter(oui: bool) -> None:
    """Passer en mode projecteur, ou le quitter."""
    st.session_state[etat_carte.cle("projecteur")] = oui

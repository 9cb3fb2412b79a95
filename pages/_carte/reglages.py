"""Réglages de la page Carte, dans le volet de gauche."""

from __future__ import annotations

from datetime import date
from typing import Final

import streamlit as st

from accessibilite.bilans.indicateurs import PLUS_RAPIDE
from couches.composition import Theme, dire_modes, nommer_service, regle_du_palier
from couches.textes import jour
from couches.vues import ajouter_vue, deplacer_vue, lire_vues, retirer_vue
from donnees_geo.conventions import LIBELLES_MODES
from donnees_geo.erreurs import ErreurProjet
from pages._carte.couches_affichees import panneau_couches
from pages._carte.demandes import POINTS_MAX, Point
from pages._commun.etat import (
    BANDES_PROPOSEES,
    MINUTES_PROPOSEES,
    appliquer_reglages,
    cle,
    demander_cadrage,
    emploie_tc,
    etat_courant,
    mesures,
    minutes_de_la_regle,
    points_courants,
    reglages_courants,
    theme_de,
    zones,
)
from pages._commun.partage import Partage
from pages._commun.presentation import afficher_erreur

LIBELLES_COURTS: Final = {
    PLUS_RAPIDE: "Règle",
    "marche": "À pied",
    "velo": "À vélo",
    "voiture": "Voiture",
    "tc": "Bus et train",
}


def reglages(partage: Partage) -> None:
    """Tous les réglages, du plus au moins employé."""
    _mesure(partage)
    _isochrone(partage)
    panneau_couches(partage)
    _vues(partage)
    st.button("Mode projecteur", on_click=_projeter, args=(partage,), width="stretch")


def _mesure(partage: Partage) -> None:
    libelles = mesures(partage)
    st.selectbox(
        "Service ou palier",
        list(libelles),
        format_func=lambda m: libelles[m],
        key=cle("mesure"),
        on_change=_suivre_la_regle,
        args=(partage,),
        help="Un palier compte ceux qui atteignent tous ses services à la fois.",
    )
    etat = etat_courant()
    theme = theme_de(partage, etat)
    modes = [PLUS_RAPIDE, *partage.resultat.modes]
    st.segmented_control(
        "Déplacement",
        modes,
        format_func=lambda m: LIBELLES_COURTS[m],
        key=cle("par"),
        required=True,
        help=_aide_modes(partage, theme),
    )
    st.segmented_control(
        "Seuil, en minutes",
        MINUTES_PROPOSEES,
        key=cle("minutes"),
        required=True,
        help=f"Règle du palier : {minutes_de_la_regle(partage, theme)} minutes.",
    )
    if emploie_tc(partage, theme) or etat.iso_mode == "tc":
        st.selectbox(
            "Jour",
            list(partage.jours_types),
            format_func=lambda j: dire_jour(partage, j),
            key=cle("jour"),
            help="Jours proposés d’après le calendrier des horaires.",
        )
    zones_proposees = zones(partage)
    st.selectbox(
        "Zone",
        list(zones_proposees),
        format_func=lambda z: zones_proposees[z],
        key=cle("zone"),
        on_change=demander_cadrage,
        args=("zone",),
        help="Recale la carte et recompte les chiffres. Tapez un nom pour chercher.",
    )


def dire_jour(partage: Partage, instant: str) -> str:
    """« Mardi 17 mars 2026 – mardi scolaire » ; un genre que dit déjà la date n'est pas répété."""
    texte = jour(date.fromisoformat(instant), semaine=True)
    nom = partage.jours_types.get(instant, "")
    suite = "" if nom in texte else f" – {nom}"
    return f"{texte[:1].upper()}{texte[1:]}{suite}"


def _suivre_la_regle(partage: Partage) -> None:
    """Un autre palier prend son propre seuil."""
    theme = theme_de(partage, etat_courant())
    st.session_state[cle("minutes")] = minutes_de_la_regle(partage, theme)


def _aide_modes(partage: Partage, theme: Theme) -> str:
    regle = regle_du_palier(partage.parametres, theme.palier)
    texte = " ou ".join(LIBELLES_MODES[m] for m in regle.modes)
    aide = f"Règle du palier : {texte}, le plus rapide compte."
    if "tc" not in partage.resultat.modes:
        raison = (
            "le territoire n’a pas d’horaires (GTFS)"
            if partage.territoire.offre is None
            else "il n’est pas dans l’étude"
        )
        aide += f" Pas de transport collectif : {raison}."
    return aide


def _isochrone(partage: Partage) -> None:
    with st.expander("Depuis un point", expanded=False):
        st.caption("Cliquez sur la carte, ou cherchez-y un lieu par son nom (touche « / »).")
        modes = [m for m in ("marche", "velo", "voiture", "tc") if m in partage.resultat.modes]
        st.segmented_control(
            "Mode",
            modes,
            format_func=lambda m: LIBELLES_COURTS[m],
            key=cle("iso_mode"),
            required=True,
        )
        st.pills(
            "Bandes, en minutes",
            BANDES_PROPOSEES,
            selection_mode="multi",
            key=cle("iso_minutes"),
        )
        st.segmented_control(
            "Sens",
            ["depuis", "vers"],
            format_func=lambda s: {"depuis": "Depuis le point", "vers": "Vers le point"}[s],
            key=cle("iso_sens"),
            required=True,
        )
        st.toggle("Garder plusieurs points", key=cle("garder"), help=f"{POINTS_MAX} au plus.")
        st.toggle(
            "Réunir les points",
            key=cle("fusion"),
            disabled=not st.session_state[cle("garder")],
            help="Un seul isochrone : chaque habitant est compté une fois.",
        )


def ajouter_point(point: Point) -> None:
    """Ajouter un point aux points gardés, ou le substituer au précédent."""
    gardes = points_courants() if st.session_state[cle("garder")] else ()
    if point not in gardes and len(gardes) < POINTS_MAX:
        st.session_state["points"] = (*gardes, point)


def _vues(partage: Partage) -> None:
    dossier = partage.territoire.dossier
    if dossier is None:
        return
    with st.expander("Vues enregistrées", expanded=False):
        try:
            vues = lire_vues(dossier)
        except ErreurProjet as erreur:
            afficher_erreur(erreur)
            return
        proposition = _nom_propose(partage)
        st.text_input("Nom de la vue", placeholder=proposition, key="nom_vue", max_chars=80)
        st.button("Enregistrer la vue", on_click=_enregistrer, args=(partage, proposition))
        for rang, vue in enumerate(vues):
            nom, haut, bas, retrait = st.columns([6, 1, 1, 1], gap="small")
            nom.button(
                vue.nom,
                key=f"vue_{rang}",
                on_click=ouvrir_vue,
                args=(partage, rang),
                width="stretch",
            )
            for colonne, signe, pas, aide in (
                (haut, ":material/arrow_upward:", -1, "Avancer"),
                (bas, ":material/arrow_downward:", 1, "Reculer"),
            ):
                colonne.button(
                    signe,
                    key=f"vue_{rang}_{pas}",
                    help=f"{aide} « {vue.nom} »",
                    on_click=_ranger,
                    args=(partage, vue.nom, pas),
                    type="tertiary",
                )
            retrait.button(
                ":material/close:",
                key=f"vue_{rang}_x",
                help=f"Retirer « {vue.nom} »",
                on_click=_retirer,
                args=(partage, vue.nom),
                type="tertiary",
            )
        if (echec := st.session_state.pop("echec_vues", None)) is not None:
            afficher_erreur(echec)


def _nom_propose(partage: Partage) -> str:
    etat = etat_courant()
    theme = theme_de(partage, etat)
    quoi = mesures(partage)[etat.mesure] if theme.panier else nommer_service(theme.services[0])
    return f"{quoi[:1].upper()}{quoi[1:]}, {dire_modes(partage.resultat, theme)}"[:80]


def _enregistrer(partage: Partage, proposition: str) -> None:
    dossier = partage.territoire.dossier
    nom = st.session_state.get("nom_vue") or proposition
    if dossier is None:
        return
    try:
        ajouter_vue(dossier, nom, reglages_courants(partage))
    except ErreurProjet as erreur:
        st.session_state["echec_vues"] = erreur
    st.session_state["nom_vue"] = ""


def _ranger(partage: Partage, nom: str, pas: int) -> None:
    if partage.territoire.dossier is not None:
        try:
            deplacer_vue(partage.territoire.dossier, nom, pas)
        except ErreurProjet as erreur:
            st.session_state["echec_vues"] = erreur


def _retirer(partage: Partage, nom: str) -> None:
    if partage.territoire.dossier is not None:
        try:
            retirer_vue(partage.territoire.dossier, nom)
        except ErreurProjet as erreur:
            st.session_state["echec_vues"] = erreur


def ouvrir_vue(partage: Partage, rang: int) -> None:
    """Appliquer une vue enregistrée, sans quitter le mode projecteur."""
    dossier = partage.territoire.dossier
    if dossier is None:
        return
    try:
        vues = lire_vues(dossier)
    except ErreurProjet as erreur:
        st.session_state["echec_vues"] = erreur
        return
    if vues:
        rang %= len(vues)
        projecteur = st.session_state[cle("projecteur")]
        appliquer_reglages(partage, vues[rang].reglages)
        st.session_state[cle("projecteur")] = projecteur
        st.session_state["vue_ouverte"] = rang


def _projeter(partage: Partage) -> None:
    """Passer en mode projecteur sans changer ce que montre la carte."""
    st.session_state[cle("projecteur")] = True
    garder_la_vue(partage)


def garder_la_vue(partage: Partage) -> None:
    """Redemander la vue actuelle à une carte qui va être reconstruite."""
    vue = partage.vues.get(st.session_state["jeton"])
    if vue is not None:
        st.session_state["vue_voulue"] = vue
        demander_cadrage("vue")

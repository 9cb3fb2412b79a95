"""Page Carences : qui manque de quoi, où, et où se trouve le plus proche."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from donnees_geo.erreurs import ErreurProjet
from pages._carences import donnees, reglages
from pages._carences.classement import Classement
from pages._carences.composant import montrer_zones
from pages._carences.controles import projeter, regler, services_proposes
from pages._carences.equite import ATTEINTS, decrire_equite, mesures_equite, poser_question
from pages._carences.fiche import fiche
from pages._carences.reglages import TOUS, Reglages
from pages._carences.suivis import lister_suivis
from pages._carences.volet_carences import composer_carences, services_retenus
from pages._carences.volet_evolution import comparer, composer_evolution, services_qui_changent
from pages._carences.volet_publics import composer_publics
from pages._carences.volet_soins import composer_soins
from pages._carences.volet_voiture import composer_voiture
from pages._commun import etat as etat_carte
from pages._commun.etat import demander_cadrage, est_projecteur
from pages._commun.gabarit import grand_chiffre, hypothese, message, phrase
from pages._commun.partage import Partage
from pages._commun.presentation import afficher_erreur, avertissements, menu

_DOSSIER: Final = Path(__file__).resolve().parent / "_carences"


def principal(partage: Partage) -> None:
    """Afficher la page."""
    reglages.preparer(partage)
    _habiller()
    analyses = _analyser(partage)
    choix = services_proposes(partage, analyses)
    with st.sidebar:
        menu(partage, "Carences")
        regler(partage, choix)
    avertissements(partage)
    courants = reglages.courants()
    if not courants.regroupement:
        st.html(message("Ce territoire n’a pas de découpage en communes.", genre="note"))
    elif courants.volet == "equite":
        _montrer_equite(partage, analyses)
    elif courants.volet == "evolution":
        _montrer_evolution(partage, analyses, courants)
    else:
        _montrer_volet(partage, analyses, courants, choix)
    if est_projecteur():
        st.button("Quitter", on_click=projeter, args=(False,), key="quitter_carences")
    reglages.ecrire_adresse(partage)


@cache
def _feuille(nom: str) -> str:
    return (_DOSSIER / nom).read_text(encoding="utf-8")


def _habiller() -> None:
    styles = _feuille("carences.css") + (_feuille("projecteur.css") if est_projecteur() else "")
    st.html(f"<style>{styles}</style>")


def _analyser(partage: Partage) -> donnees.Analyses:
    """Analyses du territoire, avec une barre d'avancement la première fois."""
    attente = st.empty()

    def avancer(etape: str, fait: float) -> None:
        attente.progress(min(max(fait, 0.0), 1.0), text=f"Analyse des carences : {etape}")

    analyses = donnees.obtenir_analyses(partage, avancer)
    attente.empty()
    return analyses


def _montrer_volet(
    partage: Partage, analyses: donnees.Analyses, courants: Reglages, choix: list[str]
) -> None:
    """Volet fait d'une carte et d'un classement."""
    if courants.volet == "carences":
        if not services_retenus(partage, courants):
            st.html(
                message(
                    "Aucun service n’est à la fois de ce palier et de cette fonction.",
                    "Choisissez un autre palier ou une autre fonction.",
                    genre="note",
                )
            )
            return
        classement = composer_carences(partage, courants)
    elif not choix:
        st.html(message(*_ABSENCES[courants.volet], genre="note"))
        return
    elif courants.volet == "publics":
        classement = composer_publics(partage, analyses, courants, courants.service)
    elif courants.volet == "soins":
        classement = composer_soins(partage, analyses, courants, courants.service)
    else:
        classement = composer_voiture(partage, analyses, courants, courants.service)
    _montrer_classement(partage, analyses, courants, classement)


_ABSENCES: Final = {
    "publics": (
        "La population de ce territoire ne donne pas les âges.",
        "Les carreaux Filosofi de l’Insee les donnent (ind_65_79, ind_6_10…).",
    ),
    "soins": (
        "L’accès concurrentiel aux soins n’est pas mesuré.",
        "Il demande une population, la voiture et des médecins ou des infirmiers.",
    ),
    "voiture": (
        "La voiture et le transport collectif ne sont pas tous deux dans l’étude.",
        "Ajoutez des horaires : [transport] gtfs = [...] au manifeste.",
    ),
}


def _montrer_classement(
    partage: Partage, analyses: donnees.Analyses, courants: Reglages, classement: Classement
) -> None:
    """Question, chiffre, réponse, carte et classement liés, fiche, téléchargements."""
    st.html(f'<h1 class="dh-titre">{escape(classement.titre)}</h1>')
    if not classement.lignes:
        st.html(message("Aucune zone de cette taille.", genre="note"))
        return
    codes = [ligne.code for ligne in classement.lignes]
    code = courants.fiche if courants.fiche in codes else codes[0]
    st.html(
        '<div class="dh-reponse">'
        + grand_chiffre(classement.chiffre, classement.chiffre_legende)
        + phrase(classement.phrase)
        + "</div>"
    )
    montrer_zones(
        partage,
        classement,
        courants.regroupement,
        code,
        cle=f"zones_{courants.regroupement}",
        projecteur=est_projecteur(),
        choisir=_choisir,
    )
    st.html(hypothese(classement.hypotheses))
    if est_projecteur():
        return
    services = (
        services_retenus(partage, courants)
        if courants.volet == "carences"
        else list(partage.resultat.services)
    )
    st.html(fiche(partage, analyses, courants.regroupement, code, services))
    _actions(partage, courants, classement.table, code, [s.id for s in services])


def _choisir(code: str) -> None:
    st.session_state[reglages.cle("fiche")] = code


def _actions(
    partage: Partage, courants: Reglages, table: pd.DataFrame, code: str, services: list[str]
) -> None:
    """Voir la zone sur la carte, et tables pour un tableur."""
    type_zone = courants.regroupement
    carences = donnees.carences_de(partage, type_zone, services)
    de_la_zone = carences[carences["zone_code"].astype(str) == code]
    with st.container(horizontal=True):
        if st.button("Voir cette zone sur la carte", type="primary"):
            _aller_a_la_carte(courants, f"{type_zone}:{code}")
        for nom, contenu, fichier in (
            ("Zones classées", table, f"{courants.volet}_{type_zone}.csv"),
            ("Toutes les carences", carences, f"carences_{type_zone}.csv"),
            ("Carences de la zone", de_la_zone, f"carences_{type_zone}_{code}.csv"),
        ):
            st.download_button(
                f"{nom} (CSV)", donnees.ecrire_csv(contenu), file_name=fichier, mime="text/csv"
            )


def _aller_a_la_carte(courants: Reglages, zone: str) -> None:
    """Ouvrir la page Carte sur la zone, le service ou le palier, et le seuil de la règle."""
    s, cle = st.session_state, etat_carte.cle
    s[cle("zone")] = zone
    if courants.service != TOUS:
        s[cle("mesure")] = courants.service
    elif courants.palier != TOUS:
        s[cle("mesure")] = f"palier:{courants.palier}"
    service = courants.service if courants.service != TOUS else courants.palier
    s[cle("par")] = "marche" if courants.volet == "publics" else "plus_rapide"
    s[cle("minutes")] = _minutes_de_la_regle(service)
    demander_cadrage("zone")
    st.switch_page("carte.py")


def _minutes_de_la_regle(service: str) -> int:
    partage: Partage = st.session_state["partage"]
    palier = next((s.palier for s in partage.resultat.services if s.id == service), service)
    regle = next((r for r in partage.parametres.seuils if r.palier == palier), None)
    minutes = 15 if regle is None else round(regle.seuil_s / 60)
    return minutes if minutes in etat_carte.MINUTES_PROPOSEES else 15


def _montrer_equite(partage: Partage, analyses: donnees.Analyses) -> None:
    service = st.session_state[reglages.cle("service")]
    mesure = ATTEINTS if service == TOUS else service
    if mesure not in mesures_equite(partage, analyses):
        st.html(
            message(
                "La population de ce territoire ne donne pas le niveau de vie.",
                "Les carreaux Filosofi de l’Insee le donnent (ind_snv).",
                genre="note",
            )
        )
        return
    st.html(f'<h1 class="dh-titre">{escape(poser_question(partage, mesure))}</h1>')
    st.html(decrire_equite(partage, analyses, mesure))
    table = analyses["equite_deciles"]
    st.download_button(
        "Accès par dixième (CSV)",
        donnees.ecrire_csv(table),
        file_name="equite_deciles.csv",
        mime="text/csv",
    )


def _montrer_evolution(partage: Partage, analyses: donnees.Analyses, courants: Reglages) -> None:
    suivis = lister_suivis(partage)
    if courants.suivi not in suivis:
        st.html('<h1 class="dh-titre">Qu’est-ce qui a changé ?</h1>')
        st.html(
            message(
                "Il n’y a pas encore d’autre diagnostic à comparer à celui-ci.",
                "Écrivez-en un à côté de l’étude : « demi-heure diagnostiquer DOSSIER --sortie "
                "DOSSIER/etude-samedi --jour samedi », ou copiez-y les résultats d’un autre "
                "millésime.",
                genre="note",
            )
        )
        return
    forcer = bool(st.session_state.get("suivi_forcer", False))
    try:
        suivi = comparer(partage, suivis[courants.suivi], forcer=forcer)
    except ErreurProjet as erreur:
        afficher_erreur(erreur)
        st.checkbox("Comparer malgré tout", key="suivi_forcer")
        return
    ordre = services_qui_changent(suivi)
    service = courants.service if courants.service in ordre else ordre[0]
    classement = composer_evolution(partage, suivi, courants, service)
    _montrer_classement(partage, analyses, courants, classement)


principal(st.session_state["partage"])

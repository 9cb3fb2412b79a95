"""Page Carences : qui manque de quoi, où, et où se trouve le plus proche."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from pages._carences import donnees
from pages._carences.fiche import fiche
from pages._commun.etat import cle
from pages._commun.partage import Partage
from pages._commun.presentation import avertissements, menu

TAILLES: Final = {
    "toutes": np.inf,
    "moins de 1 000 habitants": 1_000.0,
    "moins de 3 000 habitants": 3_000.0,
    "moins de 10 000 habitants": 10_000.0,
}
CLASSEMENTS: Final = {"habitants": "Habitants concernés", "part": "Part des habitants"}


def principal(partage: Partage) -> None:
    """Afficher la page."""
    st.session_state[cle("projecteur")] = False
    types = donnees.types_de_zones(partage)
    mesures = donnees.mesures_proposees(partage)
    with st.sidebar:
        menu(partage, "Carences")
        type_zone = st.selectbox("Regrouper par", list(types), format_func=types.__getitem__)
        mesure = st.selectbox("Ce qui manque", list(mesures), format_func=mesures.__getitem__)
        par = st.radio("Classer par", list(CLASSEMENTS), format_func=CLASSEMENTS.__getitem__)
        taille = st.selectbox("Taille des zones", list(TAILLES))
    avertissements(partage)
    st.html('<h1 class="dh-titre">Qui manque de quoi, et où ?</h1>')
    if type_zone is None or mesure is None:
        st.html("<p>Ce territoire n’a pas de découpage en communes.</p>")
        return
    analyses = _analyser(partage)
    zones = donnees.classer_zones(
        partage,
        analyses,
        type_zone,
        mesure,
        par=par or "habitants",
        population_max_hab=TAILLES[taille or "toutes"],
    )
    if zones.empty:
        st.html("<p>Aucune zone de cette taille.</p>")
        return
    code = _zone_choisie(type_zone, zones)
    gauche, droite = st.columns([3, 2])
    with gauche:
        _tableau(partage, zones, type_zone)
    with droite:
        st.vega_lite_chart(
            donnees.carte_des_zones(partage, zones, type_zone, code),
            key=f"carte_{type_zone}",
            on_select=lambda: _choisir_sur_la_carte(type_zone),
            width="stretch",
        )
    services = donnees.services_de_la_mesure(partage, mesure)
    st.html(fiche(partage, analyses, type_zone, code, services))
    _telechargements(partage, zones, type_zone, code, services)


def _analyser(partage: Partage) -> donnees.Analyses:
    """Analyses du territoire, avec une barre d'avancement la première fois."""
    attente = st.empty()

    def avancer(etape: str, fait: float) -> None:
        attente.progress(min(max(fait, 0.0), 1.0), text=f"Analyse des carences : {etape}")

    analyses = donnees.obtenir_analyses(partage, avancer)
    attente.empty()
    return analyses


def _cle_zone(type_zone: str) -> str:
    return f"carence_{type_zone}"


def _zone_choisie(type_zone: str, zones: pd.DataFrame) -> str:
    """Zone de la fiche : celle du dernier clic, sinon la première du classement."""
    choisie = str(st.session_state.get(_cle_zone(type_zone), ""))
    codes = [str(c) for c in zones["code"]]
    return choisie if choisie in codes else codes[0]


def _tableau(partage: Partage, zones: pd.DataFrame, type_zone: str) -> None:
    """Zones classées ; cliquer une ligne ouvre sa fiche et la cerne sur la carte."""
    libelles = {s.id: s.libelle for s in partage.resultat.services}
    montre = pd.DataFrame(
        {
            "zone": zones["nom"],
            "habitants": zones["population_hab"].round(),
            "il leur manque": zones["manque_hab"].round(),
            "part": 100 * zones["part"],
            "le plus souvent": zones["service"].map(libelles).fillna(""),
        }
    )
    entier = st.column_config.NumberColumn(format="localized")
    st.dataframe(
        montre,
        key=f"table_{type_zone}",
        on_select=lambda: _choisir_dans_la_table(type_zone, list(zones["code"])),
        selection_mode="single-row",
        hide_index=True,
        height=420,
        width="stretch",
        column_config={
            "habitants": entier,
            "il leur manque": entier,
            "part": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100),
        },
    )


def _choisir_dans_la_table(type_zone: str, codes: list[str]) -> None:
    rangs = st.session_state[f"table_{type_zone}"].selection.rows
    if rangs:
        st.session_state[_cle_zone(type_zone)] = codes[rangs[0]]


def _choisir_sur_la_carte(type_zone: str) -> None:
    choix = st.session_state[f"carte_{type_zone}"].selection.get("zone") or []
    if choix and choix[0].get("code"):
        st.session_state[_cle_zone(type_zone)] = str(choix[0]["code"])


def _telechargements(
    partage: Partage, zones: pd.DataFrame, type_zone: str, code: str, services: list[str]
) -> None:
    """Tables affichées, pour un tableur."""
    carences = donnees.carences_de(partage, type_zone, services)
    with st.container(horizontal=True):
        for nom, table, fichier in (
            ("Zones classées", zones, f"zones_{type_zone}.csv"),
            ("Toutes les carences", carences, f"carences_{type_zone}.csv"),
            (
                "Carences de la zone",
                carences[carences["zone_code"].astype(str) == code],
                f"carences_{type_zone}_{code}.csv",
            ),
        ):
            st.download_button(
                f"{nom} (CSV)", donnees.ecrire_csv(table), file_name=fichier, mime="text/csv"
            )


principal(st.session_state["partage"])

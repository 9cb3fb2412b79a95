"""Couches de la carte, dans le volet de gauche : montrées, rangées, atténuées, ajoutées."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

import streamlit as st

from couches.calques.modele import Calque, Nature, position_d_arrivee
from couches.textes import pluriel
from pages._carte.calques import Depots, calques_du_territoire
from pages._carte.calques_voulus import (
    CALQUES_MAX,
    OPACITE_MAX,
    OPACITE_MIN,
    CalqueVoulu,
    deplacer,
    modifier,
)
from pages._carte.depot_fichier import proposer_depot
from pages._commun.etat import COUCHES, FONDS, cle
from pages._commun.gabarit import hypothese, sans_balises
from pages._commun.partage import Partage

LIBELLES_COUCHES: Final = {
    "carreaux": "Temps d’accès par carreau",
    "lieux": "Lieux de service",
    "limites": "Limites des communes",
    "noms": "Noms des communes",
}
UNE_COULEUR: Final = "une seule couleur"
#: Opacité d'un calque qui vient d'être montré ; un aplat plus opaque cacherait le temps d'accès.
OPACITE_DEPART: Final = 90
OPACITE_APLAT: Final = 60


def panneau_couches(partage: Partage) -> None:
    """Fond, couches d'accès, couches thématiques montrées puis proposées, et dépôt d'un fichier."""
    with st.expander("Couches", expanded=False, key="volet_couches"):
        st.pills(
            "Montrées",
            COUCHES,
            format_func=lambda c: LIBELLES_COUCHES[c],
            selection_mode="multi",
            key=cle("couches"),
        )
        st.slider("Opacité des carreaux", 10, 100, step=1, format="%d %%", key=cle("opacite"))
        _fond()
        depots: Depots = st.session_state["depots"]
        calques = calques_du_territoire(partage) | depots.calques
        _montres(calques)
        _proposes(partage, calques)
        natures = {c.id: c.nature for c in calques.values()}
        proposer_depot(partage, depots, lambda c: montrer(c, natures), masquer)


def _fond() -> None:
    st.selectbox("Fond de carte", list(FONDS), format_func=lambda f: FONDS[f], key=cle("fond"))
    if st.session_state[cle("fond")] != "hors_ligne":
        st.html(
            hypothese(
                "Ce fond est demandé à internet par le navigateur, au fil de la carte ; sans "
                "réseau, le fond dessiné revient."
            )
        )


def calques_voulus() -> list[CalqueVoulu]:
    """Calques montrés, du dessus vers le dessous."""
    return list(st.session_state[cle("calques")])


def _changer(calques: list[CalqueVoulu]) -> None:
    st.session_state[cle("calques")] = calques


def _montres(calques: Mapping[str, Calque]) -> None:
    """Calques montrés : rang, opacité, colonne ; le premier est au-dessus."""
    voulus = [v for v in calques_voulus() if v.id in calques]
    if not voulus:
        return
    st.html('<h3 class="dh-groupe">Sur la carte, du dessus vers le dessous</h3>')
    for rang, voulu in enumerate(voulus):
        calque = calques[voulu.id]
        with st.container(key=f"calque_{voulu.id}", gap=None):
            _entete(calque, rang, len(voulus))
            _aspect(calque, voulu)


def _entete(calque: Calque, rang: int, total: int) -> None:
    titre = sans_balises(calque.titre)
    nom, haut, bas, retrait = st.columns([7, 1, 1, 1], gap=None, vertical_alignment="center")
    nom.html(f'<span class="dh-calque">{rang + 1}. {escape(calque.titre)}</span>')
    for colonne, signe, pas, aide, bout in (
        (haut, ":material/arrow_upward:", -1, "Monter", rang == 0),
        (bas, ":material/arrow_downward:", 1, "Descendre", rang == total - 1),
    ):
        colonne.button(
            signe,
            key=f"rang_{calque.id}_{pas}",
            help=f"{aide} « {titre} »",
            on_click=_deplacer,
            args=(calque.id, pas),
            type="tertiary",
            disabled=bout,
        )
    retrait.button(
        ":material/close:",
        key=f"masquer_{calque.id}",
        help=f"Masquer « {titre} »",
        on_click=masquer,
        args=(calque.id,),
        type="tertiary",
    )


def _aspect(calque: Calque, voulu: CalqueVoulu) -> None:
    cle_opacite, cle_colonne = f"opacite_{voulu.id}", f"colonne_{voulu.id}"
    # La liste des calques fait foi : les réglages la suivent, d'où qu'elle vienne.
    st.session_state[cle_opacite] = voulu.opacite
    st.slider(
        f"Opacité de « {sans_balises(calque.titre)} »",
        OPACITE_MIN,
        OPACITE_MAX,
        step=5,
        format="%d %%",
        key=cle_opacite,
        on_change=_attenuer,
        args=(voulu.id,),
        label_visibility="collapsed",
    )
    colonnes = [c.nom for c in calque.colonnes]
    if not colonnes:
        return
    st.session_state[cle_colonne] = voulu.colonne if voulu.colonne in colonnes else ""
    st.selectbox(
        "Colorer d’après",
        ["", *colonnes],
        format_func=lambda c: c or UNE_COULEUR,
        key=cle_colonne,
        on_change=_colorer,
        args=(voulu.id,),
    )


def _deplacer(identifiant: str, pas: int) -> None:
    _changer(deplacer(calques_voulus(), identifiant, pas))


def _attenuer(identifiant: str) -> None:
    opacite = int(st.session_state[f"opacite_{identifiant}"])
    _changer(modifier(calques_voulus(), identifiant, opacite=opacite))


def _colorer(identifiant: str) -> None:
    colonne = str(st.session_state[f"colonne_{identifiant}"])
    _changer(modifier(calques_voulus(), identifiant, colonne=colonne))


def masquer(identifiant: str) -> None:
    """Ne plus montrer un calque."""
    _changer([v for v in calques_voulus() if v.id != identifiant])


def montrer(calque: Calque, natures: Mapping[str, Nature]) -> None:
    """Montrer un calque, à sa place : les points au-dessus des lignes, au-dessus des surfaces.

    Parameters
    ----------
    natures
        Nature de chaque calque connu.
    """
    voulus = calques_voulus()
    if len(voulus) < CALQUES_MAX and all(v.id != calque.id for v in voulus):
        rang = position_d_arrivee(calque.nature, [natures.get(v.id, "surface") for v in voulus])
        aplat = calque.nature == "surface" and any(c.trame == "plein" for c in calque.classes)
        voulus.insert(rang, CalqueVoulu(calque.id, OPACITE_APLAT if aplat else OPACITE_DEPART))
        _changer(voulus)


def _basculer(calque: Calque, natures: Mapping[str, Nature]) -> None:
    if any(v.id == calque.id for v in calques_voulus()):
        masquer(calque.id)
    else:
        montrer(calque, natures)


def _proposes(partage: Partage, calques: Mapping[str, Calque]) -> None:
    """Toutes les couches thématiques, par groupe, avec leur nombre d'objets."""
    montres = {v.id for v in calques_voulus()}
    natures = {c.id: c.nature for c in calques.values()}
    for groupe, titre in partage.styles.groupes.items():
        siens = [c for c in calques.values() if c.groupe == groupe]
        if not siens:
            continue
        st.html(f'<h3 class="dh-groupe">{escape(titre)}</h3>')
        for calque in siens:
            cle_case = f"case_{calque.id}"
            st.session_state[cle_case] = calque.id in montres
            st.checkbox(
                f"{sans_balises(calque.titre)} ({pluriel(len(calque.table), 'objet')})",
                key=cle_case,
                on_change=_basculer,
                args=(calque, natures),
                disabled=len(montres) >= CALQUES_MAX and calque.id not in montres,
            )
    if not calques:
        st.html(hypothese("Ce territoire n’a pas de couche thématique ([couches] du manifeste)."))

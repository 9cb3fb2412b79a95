"""Disposition commune des pages thématiques : volets, carte et panneau, légendes, tableaux."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from html import escape
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from couches.couche import EntreeLegende
from couches.ecran.petit_fond import PARAMETRE_CHOIX
from couches.textes import nombre, part
from pages._carences.donnees import ecrire_csv
from pages._commun.etat import cle, est_projecteur
from pages._commun.gabarit import hypothese, phrase, signe, titre
from pages._commun.partage import Partage
from pages._commun.presentation import avertissements, menu
from pages._themes.reglages import ReglagesPage

#: Hauteur donnée à la carte, pixels ; la feuille de style l'ajuste à la fenêtre.
HAUTEUR_CARTE: Final = 600
VOLET: Final = "volet"
#: Écriture des colonnes, selon ce qu'elles contiennent.
ENTIER: Final[Callable[[float], str]] = nombre
DECIMAL: Final[Callable[[float], str]] = partial(nombre, decimales=1)
PART: Final[Callable[[float], str]] = partial(part, decimales=0)
PART_FINE: Final[Callable[[float], str]] = part


@dataclass(frozen=True)
class Vue:
    """Une vue d'une page thématique.

    Attributes
    ----------
    intitule
        Nom dans le volet de gauche.
    permettre
        Réglage → valeurs permises, celle de départ d'abord.
    regler, afficher
        Montrent ses réglages (volet de gauche) et son contenu.
    """

    intitule: str
    permettre: Callable[[Partage], Mapping[str, Sequence[Any]]]
    regler: Callable[[Partage, ReglagesPage], None]
    afficher: Callable[[Partage, ReglagesPage], None]


def construire_reglages(partage: Partage, page: str, vues: Mapping[str, Vue]) -> ReglagesPage:
    """Réglages d'une page : le volet, puis ceux de chaque vue."""
    permis = {nom: v for vue in vues.values() for nom, v in vue.permettre(partage).items()}
    return ReglagesPage(page, {VOLET: list(vues), **permis})


@cache
def _feuille() -> str:
    return (Path(__file__).resolve().parent / "style.css").read_text(encoding="utf-8")


def ouvrir(partage: Partage, page: str, vues: Mapping[str, Vue], reglages: ReglagesPage) -> Vue:
    """Volet de gauche et bandeaux d'une page ; rend la vue choisie.

    Parameters
    ----------
    page
        Titre de la page dans le menu.
    vues
        Vues de la page, par identifiant.
    """
    st.html(f"<style>{_feuille()}</style>")
    with st.sidebar:
        menu(partage, page)
        st.radio(
            "Vue",
            list(vues),
            format_func=lambda nom: vues[nom].intitule,
            key=reglages.cle(VOLET),
            on_change=reglages.relever,
            args=(VOLET,),
        )
        choisie = vues[str(reglages[VOLET])]
        choisie.regler(partage, reglages)
        st.button("Mode projecteur", on_click=_projeter, args=(True,), width="stretch")
    avertissements(partage)
    return choisie


def fermer(reglages: ReglagesPage, vues: Mapping[str, Vue]) -> None:
    """Barre du mode projecteur, puis mise à jour de l'adresse."""
    if est_projecteur():
        noms = list(vues)
        rang = noms.index(str(reglages[VOLET]))
        with st.container(key="barre_projecteur", horizontal=True, vertical_alignment="center"):
            for texte, pas, touche in (("Précédente", -1, "PageUp"), ("Suivante", 1, "PageDown")):
                suivant = noms[(rang + pas) % len(noms)]
                st.button(texte, on_click=reglages.poser, args=(VOLET, suivant), shortcut=touche)
            compte = f"{rang + 1} / {len(noms)}"
            st.html(
                f'<p class="dh-vue"><span>{compte}</span> {escape(vues[noms[rang]].intitule)}</p>'
            )
            st.button("Quitter", on_click=_projeter, args=(False,))
    reglages.ecrire_adresse()


def choisir_dans(
    reglages: ReglagesPage, nom: str, intitule: str, libelles: Mapping[str, str]
) -> None:
    """Liste d'un réglage dans le volet de gauche : les valeurs permises qui ont un libellé."""
    st.selectbox(
        intitule,
        [v for v in reglages.choix(nom) if v in libelles],
        key=reglages.cle(nom),
        format_func=libelles.__getitem__,
        on_change=reglages.relever,
        args=(nom,),
    )


def _projeter(oui: bool) -> None:
    st.session_state[cle("projecteur")] = oui


@contextmanager
def vue(question: str, sous_titre: str) -> Iterator[tuple[DeltaGenerator, DeltaGenerator]]:
    """Titre, puis colonnes de la carte et du panneau."""
    st.html(titre(question, sous_titre))
    with st.container(key="corps"):
        gauche, droite = st.columns([1.7, 1], gap="medium")
        yield gauche, droite.container(key="panneau")


def montrer_carte(
    carte: Mapping[str, Any],
    legendes: Sequence[str],
    *,
    cle_carte: str,
    choisir: Callable[[str], None] | None = None,
) -> None:
    """Carte cliquable et ses légendes, dessous.

    Parameters
    ----------
    carte
        Carte de :func:`couches.ecran.petite_carte.assembler`.
    legendes
        Légendes HTML.
    cle_carte
        Clé de session de la carte.
    choisir
        Appelée avec le code de l'objet cliqué.
    """

    def lire_clic() -> None:
        etat: Any = st.session_state.get(cle_carte)
        choix = etat.selection.get(PARAMETRE_CHOIX) if etat else None
        if choisir is not None and choix and choix[0].get("code"):
            choisir(str(choix[0]["code"]))

    with st.container(key="cadre_theme", height=HAUTEUR_CARTE, border=False):
        st.vega_lite_chart(
            None,
            dict(carte),
            key=cle_carte,
            on_select=lire_clic,
            theme=None,
            width="stretch",
            height="stretch",
        )
    st.html(f'<div class="dh-legendes">{"".join(legendes)}</div>')


def legende_signes(intitule: str, entrees: Sequence[EntreeLegende]) -> str:
    """Légende de classes, sur une ligne."""
    if not entrees:
        return ""
    lignes = "".join(f"<li>{signe(e)} {escape(e.texte)}</li>" for e in entrees)
    return (
        f'<div class="dh-legende-ligne"><strong>{escape(intitule)}</strong><ul>{lignes}</ul></div>'
    )


def legende_tailles(intitule: str, cercles: Sequence[tuple[float, str]]) -> str:
    """Légende de cercles proportionnels."""
    if not cercles:
        return ""
    lignes = "".join(
        f'<li><span class="dh-rond" style="width:{2 * r:.1f}px;height:{2 * r:.1f}px" '
        f'aria-hidden="true"></span> {escape(texte)}</li>'
        for r, texte in cercles
    )
    return (
        f'<div class="dh-legende-ligne"><strong>{escape(intitule)}</strong><ul>{lignes}</ul></div>'
    )


def _ligne_de_legende(intitule: str, lignes: str) -> str:
    titre_ligne = f"<strong>{escape(intitule)}</strong>"
    return f'<div class="dh-legende-ligne">{titre_ligne}<ul>{lignes}</ul></div>'


def montrer_table(
    table: pd.DataFrame,
    ecritures: Mapping[str, Callable[[float], str]],
    *,
    cle_table: str,
    codes: Sequence[str] = (),
    choisi: str = "",
    choisir: Callable[[str], None] | None = None,
    hauteur: int = 400,
    barres: Sequence[str] = (),
) -> None:
    """Tableau aux nombres écrits en français ; choisir une ligne choisit l'objet sur la carte.

    Parameters
    ----------
    table
        Colonnes montrées, dans l'ordre ; les tris portent sur leurs valeurs.
    ecritures
        Colonne de nombres → écriture.
    cle_table
        Clé de session ; elle porte le choix venu de la carte.
    codes
        Code de l'objet de chaque ligne.
    choisi
        Code de la ligne à montrer choisie.
    choisir
        Appelée avec le code de la ligne choisie.
    barres
        Colonnes de 0 à 100 montrées par une barre.
    """
    rangs = [list(codes).index(choisi)] if choisi in codes else []
    # Un choix venu d'ailleurs (la carte) renouvelle le tableau ; le sien le laisse en place.
    venu = st.session_state.get(f"{cle_table}_sien")
    if venu != choisi:
        st.session_state[f"{cle_table}_tour"] = st.session_state.get(f"{cle_table}_tour", 0) + 1
        st.session_state[f"{cle_table}_sien"] = choisi
    cle_widget = f"{cle_table}_{st.session_state.get(f'{cle_table}_tour', 0)}"

    def lire_choix() -> None:
        lignes = st.session_state[cle_widget].selection.rows
        if lignes and choisir is not None:
            st.session_state[f"{cle_table}_sien"] = codes[lignes[0]]
            choisir(codes[lignes[0]])

    formats: dict[Any, Any] = {c: _elargir(e) for c, e in ecritures.items() if c in table}
    ecrite = table.style.format(formats, na_rep="–")
    config = {
        c: st.column_config.ProgressColumn(format="%.0f", min_value=0, max_value=100)
        for c in barres
    }
    if choisir is None:
        st.dataframe(ecrite, hide_index=True, height=_hauteur(table, hauteur), column_config=config)
        return
    st.dataframe(
        ecrite,
        key=cle_widget,
        on_select=lire_choix,
        selection_mode="single-row",
        selection_default={"selection": {"rows": rangs, "columns": [], "cells": []}},
        hide_index=True,
        height=_hauteur(table, hauteur),
        column_config=config,
    )


def _elargir(ecriture: Callable[[float], str]) -> Callable[[float], str]:
    """Espaces fines élargies : la police du tableau les montre à peine."""
    return lambda valeur: ecriture(valeur).replace("\u202f", "\u00a0")


def _hauteur(table: pd.DataFrame, maximum: int) -> int:
    """Hauteur du tableau : celle de ses lignes, au plus ``maximum`` pixels."""
    return min(38 + 35 * max(len(table), 1), maximum)


def tableau_court(
    entetes: Sequence[str], lignes: Sequence[Sequence[str]], nom: str, *, textes: int = 1
) -> str:
    """Petit tableau du panneau : ``textes`` colonnes de texte, puis des nombres."""
    haut = "".join(
        f"<th scope='col'{'' if i < textes else ' class=n'}>{escape(t)}</th>"
        for i, t in enumerate(entetes)
    )
    corps = "".join(
        "<tr>"
        + "".join(
            f"<th scope='row'>{escape(c)}</th>"
            if i == 0
            else f"<td{'' if i < textes else ' class=n'}>{escape(c)}</td>"
            for i, c in enumerate(ligne)
        )
        + "</tr>"
        for ligne in lignes
    )
    return (
        f'<table class="dh-pires" aria-label="{escape(nom)}"><thead><tr>{haut}</tr></thead>'
        f"<tbody>{corps}</tbody></table>"
    )


def telecharger(tables: Mapping[str, tuple[pd.DataFrame, str]]) -> None:
    """Boutons des tables en CSV pour un tableur français : intitulé → (table, nom de fichier)."""
    with st.container(horizontal=True):
        for nom, (table, fichier) in tables.items():
            st.download_button(
                f"{nom} (CSV)", ecrire_csv(table), file_name=fichier, mime="text/csv"
            )


def section(texte: str) -> None:
    """Titre de partie."""
    st.html(f'<h2 class="dh-section">{escape(texte)}</h2>')


@contextmanager
def avancement(intitule: str) -> Iterator[Callable[[str, float], None]]:
    """Barre d'avancement, retirée à la fin."""
    attente = st.empty()

    def avancer(etape: str, fait: float) -> None:
        attente.progress(min(max(fait, 0.0), 1.0), text=f"{intitule} : {etape}")

    yield avancer
    attente.empty()


__all__ = ["hypothese", "phrase"]

"""Page Exports : ce qui sort de la salle — fiches, atlas, SIG, tableur, page autonome, images."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Final

import streamlit as st

from couches.formats_export import lire_format
from couches.paquets import nommer_export
from couches.resultats import DOSSIER_ETUDE, ecrire_resultats
from couches.textes import pluriel, taille
from donnees_geo.erreurs import ErreurProjet
from pages._commun import gabarit
from pages._commun.etat import cle
from pages._commun.partage import Partage
from pages._commun.presentation import afficher_erreur, avertissements, menu
from pages._exports.atelier import FINIS, EtatTravail, Travail, atelier_du_serveur
from pages._exports.choix import ANNONCES, choisir
from pages._exports.demande import DemandeExport
from pages._exports.routes import adresse_de

_FEUILLE: Final = Path(__file__).resolve().parent / "_exports" / "exports.css"
#: Rafraîchissement de la liste tant qu'un export est en cours, s.
PERIODE_S: Final = 1.0
_FICHIERS_MONTRES: Final = 12


def principal(partage: Partage) -> None:
    """Afficher la page."""
    st.session_state[cle("projecteur")] = False
    st.html(f"<style>{_FEUILLE.read_text(encoding='utf-8')}</style>")
    with st.sidebar:
        menu(partage, "Exports")
    avertissements(partage)
    suivi = _reprendre_suivi()
    st.html(
        '<h1 class="dh-titre">Que faut-il emporter ?</h1>'
        f'<p class="dh-zone">{escape(partage.territoire.nom)}</p>'
    )
    gauche, droite = st.columns([1.15, 1], gap="large")
    with gauche:
        demande = choisir(partage)
        if st.button("Préparer", type="primary", key="export_preparer"):
            _deposer(partage, suivi, demande)
        st.html(
            gabarit.hypothese(
                "L’archive contient les fichiers, nommés comme par la ligne de commande, et "
                "LICENCES.txt (sources, millésimes, licences). Étude de référence du territoire : "
                "les autres jours de la page Carte s’exportent par « demi-heure diagnostiquer »."
            )
        )
    with droite:
        st.html('<h2 class="dh-h2">Exports demandés</h2>')
        _suivre(suivi)


def _reprendre_suivi() -> str:
    """Ce qui désigne les exports de cette personne : gardé dans l'adresse, pour un rechargement."""
    demande = st.query_params.get("suivi", "")
    if "suivi_exports" not in st.session_state:
        valable = re.fullmatch(r"[\w-]{12}", demande) is not None
        st.session_state["suivi_exports"] = demande if valable else st.session_state["jeton"]
    suivi: str = st.session_state["suivi_exports"]
    if demande != suivi:
        st.query_params["suivi"] = suivi
    return suivi


def _deposer(partage: Partage, suivi: str, demande: DemandeExport) -> None:
    dossier = partage.territoire.dossier
    if dossier is None:
        return
    try:
        options = demande.options(partage.resultat)
        nom = Path(nommer_export(demande.format_export, partage.territoire, options))
        extension = lire_format(demande.format_export).extension
        if extension is None:
            nom = nom.with_name(f"{demande.format_export}_{nom.name}")
        atelier_du_serveur().deposer(
            suivi,
            _dire(partage, demande),
            f"{nom.stem if extension else nom.name}.zip",
            dossier,
            _garder_etude(partage, dossier),
            demande,
        )
    except ErreurProjet as erreur:
        afficher_erreur(erreur)


def _garder_etude(partage: Partage, dossier: Path) -> Path:
    """Dossier de l'étude ; récrite là où le serveur peut écrire si le sien est protégé."""
    etude = dossier / DOSSIER_ETUDE
    if etude.is_dir():
        return etude
    t = partage.territoire
    copie = atelier_du_serveur().dossier_etude / partage.cle
    if not copie.is_dir():
        copie.mkdir(parents=True)
        ecrire_resultats(partage.resultat, copie, nom=t.nom, fictif=t.fictif)
    return copie


def _dire(partage: Partage, demande: DemandeExport) -> str:
    """Ce qu'est un export : format et zones."""
    titre = ANNONCES[demande.format_export].titre
    if not demande.codes:
        return titre
    zonage = partage.zonages[demande.zone_type]
    noms = dict(zip(zonage.codes, zonage.noms, strict=True))
    zones = ", ".join(noms[c] for c in demande.codes[:3])
    suite = f" et {len(demande.codes) - 3} autres" if len(demande.codes) > 3 else ""
    return f"{titre} — {zones}{suite}"


def _suivre(suivi: str) -> None:
    """Liste des exports ; elle se rafraîchit seule tant que l'un d'eux n'est pas fini."""
    actifs = any(t.etat not in FINIS for t in atelier_du_serveur().travaux(suivi))
    st.fragment(_lister, run_every=PERIODE_S if actifs else None)(suivi, actifs)


def _lister(suivi: str, actifs: bool) -> None:
    travaux = atelier_du_serveur().travaux(suivi)
    if not travaux:
        st.html(gabarit.phrase("Aucun pour l’instant."))
    for travail in travaux:
        with st.container(key=f"export_{travail.jeton}", border=True):
            _montrer(travail)
    if actifs and all(t.etat in FINIS for t in travaux):
        st.rerun()


def _montrer(travail: Travail) -> None:
    atelier = atelier_du_serveur()
    st.html(f'<p class="dh-export">{escape(travail.libelle)}</p>')
    if travail.etat == EtatTravail.ATTENTE:
        rang = atelier.rang(travail.jeton)
        st.progress(0.0, text=f"En attente : {pluriel(rang, 'export')} avant celui-ci")
    elif travail.etat == EtatTravail.EN_COURS:
        st.progress(travail.part, text=f"{travail.etape[:1].upper()}{travail.etape[1:]}")
    elif travail.etat == EtatTravail.ECHEC:
        st.html(gabarit.message(travail.message, travail.detail))
    elif travail.etat == EtatTravail.INTERROMPU:
        st.html(gabarit.message("Interrompu : rien n’a été écrit.", genre="note"))
    else:
        _montrer_archive(travail)
    if travail.etat in FINIS:
        st.button(
            "Retirer de la liste",
            key=f"retirer_{travail.jeton}",
            on_click=atelier.oublier,
            args=(travail.jeton,),
            type="tertiary",
        )
    else:
        st.button(
            "Interrompre",
            key=f"interrompre_{travail.jeton}",
            on_click=atelier.interrompre,
            args=(travail.jeton,),
        )


def _montrer_archive(travail: Travail) -> None:
    montres = travail.contenu[:_FICHIERS_MONTRES]
    lignes = "".join(
        f"<tr><th scope='row'>{escape(nom)}</th><td class='n'>{taille(octets)}</td></tr>"
        for nom, octets in montres
    )
    reste = len(travail.contenu) - len(montres)
    suite = f"<p class='dh-hypothese'>et {pluriel(reste, 'autre fichier')}</p>" if reste else ""
    st.html(
        f'<a class="dh-bouton" href="{escape(adresse_de(travail))}" '
        f'download="{escape(travail.nom)}">Télécharger '
        f"({taille(travail.octets)})</a>"
        f"<details class='dh-contenu'><summary>{pluriel(len(travail.contenu), 'fichier')}</summary>"
        f"<table><tbody>{lignes}</tbody></table>{suite}</details>"
    )


principal(st.session_state["partage"])

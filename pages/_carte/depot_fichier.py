"""Dépôt d'un fichier de planificateur : contrôlé, gardé le temps de la session, retirable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path, PureWindowsPath
from typing import Final

import streamlit as st

from couches.calques.libres import composer_libre
from couches.calques.modele import Calque
from couches.textes import pluriel
from donnees_geo.erreurs import ErreurProjet
from donnees_geo.thematiques.couches_deposees import DEPOT_MAX_OCTETS, lire_couche_deposee
from pages._carte.calques import Depots
from pages._carte.calques_voulus import PREFIXE_DEPOT
from pages._commun.gabarit import hypothese, message, sans_balises
from pages._commun.partage import Partage

DEPOTS_MAX: Final = 4
GROUPE: Final = "deposes"
#: Abords du territoire où un objet déposé est encore à sa place, mètres.
ABORDS_M: Final = 20_000.0
_TITRE_MAX: Final = 60


@cache
def _francais() -> str:
    """Script qui traduit les textes que Streamlit écrit en anglais dans la zone de dépôt."""
    return (Path(__file__).resolve().parent / "depot.js").read_text(encoding="utf-8")


def proposer_depot(
    partage: Partage,
    depots: Depots,
    montrer: Callable[[Calque], None],
    masquer: Callable[[str], None],
) -> None:
    """Zone de dépôt, fichiers déposés et compte rendu du dernier dépôt.

    Parameters
    ----------
    partage, depots
        Territoire, et dépôts de la session.
    montrer, masquer
        Appelées avec le calque qui vient d'être déposé, ou l'identifiant de celui qui est retiré.
    """
    st.html('<h3 class="dh-groupe">Ajouter un fichier</h3>')
    if len(depots.calques) >= DEPOTS_MAX:
        st.html(hypothese(f"{DEPOTS_MAX} fichiers au plus : retirez-en un pour en ajouter."))
    else:
        # Un autre numéro rend la zone vide : Streamlit ne garde pas l'ancien contenu.
        cle = f"depot_{depots.numero}"
        st.file_uploader(
            "GeoPackage, GeoJSON, shapefile en zip, KML, CSV avec coordonnées",
            key=cle,
            max_upload_size=DEPOT_MAX_OCTETS // 1024**2,
            on_change=_recevoir,
            args=(partage, depots, cle, montrer),
        )
        st.html(f"<script>{_francais()}</script>", unsafe_allow_javascript=True)
    if depots.retour:
        st.html(depots.retour)
    for calque in depots.calques.values():
        st.button(
            f"Retirer {sans_balises(calque.titre)}",
            key=f"retirer_{calque.id}",
            on_click=_retirer,
            args=(depots, calque.id, masquer),
            width="stretch",
        )


def _recevoir(
    partage: Partage, depots: Depots, cle: str, montrer: Callable[[Calque], None]
) -> None:
    """Lire le fichier reçu ; une faute est dite, la page et les autres couches restent."""
    recu = st.session_state.get(cle)
    if recu is None:
        return
    depots.numero += 1
    try:
        calque, depots.retour = deposer(partage, depots, recu.name, recu.getvalue())
    except ErreurProjet as erreur:
        depots.retour = dire_refus(erreur)
        return
    montrer(calque)


def deposer(partage: Partage, depots: Depots, nom: str, contenu: bytes) -> tuple[Calque, str]:
    """Ajouter un fichier aux dépôts d'une session ; rend son calque et le compte rendu (HTML).

    Raises
    ------
    ErreurDonnees
        Fichier refusé (voir ``couches_deposees.lire_couche_deposee``).
    """
    territoire = partage.territoire
    table, constats = lire_couche_deposee(
        nom, contenu, territoire.crs, territoire.contour.buffer(ABORDS_M)
    )
    notes = tuple(c.message for c in constats)
    titre = PureWindowsPath(nom).stem.replace("_", " ")[:_TITRE_MAX] or "Fichier déposé"
    calque = replace(
        composer_libre(f"{PREFIXE_DEPOT}{depots.numero}", titre, table),
        groupe=GROUPE,
        source=PureWindowsPath(nom).name[:100],
        licence="fichier déposé, licence du producteur",
        avertissement="Montré à cette session seulement.",
        notes=notes,
    )
    depots.calques[calque.id] = calque
    retour = message(
        f"« {titre} » : {pluriel(len(table), 'objet')} sur la carte.", " ".join(notes), genre="note"
    )
    return calque, retour


def dire_refus(erreur: ErreurProjet) -> str:
    """Refus d'un fichier, en entier : ce qui ne va pas, attendu, trouvé, que faire."""
    details = [
        f"{titre} : {valeur}."
        for titre, valeur in (
            ("Fichier", erreur.objet),
            ("Attendu", erreur.attendu),
            ("Trouvé", erreur.trouve),
            ("À faire", erreur.conseil),
        )
        if valeur is not None
    ]
    return message(f"Fichier refusé. {erreur.message}", " ".join(details))


def _retirer(depots: Depots, identifiant: str, masquer: Callable[[str], None]) -> None:
    depots.calques.pop(identifiant, None)
    depots.retour = ""
    masquer(identifiant)

"""Réglages d'une page thématique : une liste de valeurs permises chacun, gardés dans l'adresse.

Tout réglage se choisit dans une liste fermée : l'adresse ne peut rien demander d'autre. Une adresse
copiée redonne la vue, une page quittée puis rouverte la retrouve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from pages._commun.etat import est_projecteur

Valeur = str | int | float
#: Clé de l'adresse réservée au mode d'affichage, commune aux pages.
MODE: Final = "mode"


class ReglagesPage:
    """Réglages d'une page dans la session.

    Parameters
    ----------
    page
        Nom de la page : deux pages ne partagent rien.
    permis
        Réglage → valeurs permises, celle de départ d'abord.
    """

    def __init__(self, page: str, permis: Mapping[str, Sequence[Valeur]]) -> None:
        self._page = page
        self._permis = {nom: tuple(valeurs) for nom, valeurs in permis.items() if len(valeurs)}
        memoire = f"themes_{page}"
        if memoire not in st.session_state:
            st.session_state[memoire] = self._lire_adresse(dict(st.query_params))
        self._valeurs: dict[str, Valeur] = st.session_state[memoire]

    def _lire_adresse(self, adresse: Mapping[str, str]) -> dict[str, Valeur]:
        """Valeurs admissibles de l'adresse ; les autres sont nommées dans le bandeau."""
        valeurs: dict[str, Valeur] = {}
        refuses = []
        for nom, permises in self._permis.items():
            if nom not in adresse:
                continue
            par_texte = {ecrire(v): v for v in permises}
            if adresse[nom] in par_texte:
                valeurs[nom] = par_texte[adresse[nom]]
            else:
                refuses.append(nom)
        if refuses:
            st.session_state["refuses"] = [*st.session_state.get("refuses", []), *refuses]
        return valeurs

    def __getitem__(self, nom: str) -> Any:
        permises = self._permis[nom]
        valeur = self._valeurs.get(nom, permises[0])
        return valeur if valeur in permises else permises[0]

    def choix(self, nom: str) -> tuple[Valeur, ...]:
        """Valeurs permises d'un réglage."""
        return self._permis[nom]

    def poser(self, nom: str, valeur: Valeur) -> None:
        """Changer un réglage ; une valeur non permise est ignorée."""
        if valeur in self._permis.get(nom, ()):
            self._valeurs[nom] = valeur

    def cle(self, nom: str) -> str:
        """Clé du widget d'un réglage, posé à sa valeur courante."""
        cle = f"themes_{self._page}_{nom}"
        st.session_state[cle] = self[nom]
        return cle

    def relever(self, nom: str) -> None:
        """Rappel d'un widget changé : retenir sa valeur."""
        self.poser(nom, st.session_state[f"themes_{self._page}_{nom}"])

    def adresse(self) -> dict[str, str]:
        """Réglages qui ne sont pas ceux de départ, écrits pour l'adresse."""
        return {
            nom: ecrire(self[nom])
            for nom, permises in self._permis.items()
            if self[nom] != permises[0]
        }

    def ecrire_adresse(self) -> None:
        """Mettre l'adresse de la page à jour."""
        voulue = self.adresse() | ({MODE: "projecteur"} if est_projecteur() else {})
        if dict(st.query_params) != voulue:
            st.query_params.from_dict(voulue)


def ecrire(valeur: Valeur) -> str:
    """Valeur dans une adresse.

    Examples
    --------
    >>> ecrire(3.0), ecrire(0.5), ecrire("lundi")
    ('3', '0.5', 'lundi')
    """
    return f"{valeur:g}" if isinstance(valeur, float) else str(valeur)

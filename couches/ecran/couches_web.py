"""Calques montrés par la carte du visualiseur : adresses des images, bulles et légende."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from couches.calques.modele import Calque
from couches.catalogue import Classe
from couches.textes import nombre


@dataclass(frozen=True)
class CalqueMontre:
    """Un calque de la carte.

    Attributes
    ----------
    calque
        Ce qui est montré, déjà coloré.
    demande
        Texte « identifiant:opacité:colonne » des adresses.
    opacite
        0 à 1.
    """

    calque: Calque
    demande: str
    opacite: float


def decrire_calques(
    racine: str, montres: Sequence[CalqueMontre], *, session: str, echelle: float
) -> dict[str, Any]:
    """Part de la consigne qui porte les calques (voir ``ressources/calques.js``).

    Parameters
    ----------
    racine
        ``/rendu/<clé>``.
    montres
        Calques, du dessus vers le dessous.
    session
        Jeton de la session, que demandent les fichiers déposés.
    echelle
        Agrandissement des traits et des signes.
    """
    suite = f"&session={quote(session)}"
    liste = [
        {
            "id": m.calque.id,
            "gabarit": f"{racine}/calque.png?calque={quote(_sans_opacite(m))}"
            f"&echelle={echelle:g}{suite if _depose(m) else ''}",
            "opacite": m.opacite,
            "legende": _legende(m.calque),
        }
        for m in montres
    ]
    demandes = ",".join(quote(_sans_opacite(m)) for m in montres)
    objets = f"{racine}/objets.json?calques={demandes}{suite}" if montres else ""
    return {"liste": liste, "objets": objets}


def _depose(montre: CalqueMontre) -> bool:
    return montre.calque.groupe == "deposes"


def _sans_opacite(montre: CalqueMontre) -> str:
    """Demande dont l'opacité, que le navigateur applique seul, ne change pas l'adresse."""
    identifiant, _, suite = montre.demande.partition(":")
    colonne = suite.partition(":")[2]
    return f"{identifiant}:100:{colonne}" if colonne else f"{identifiant}:100"


def _legende(calque: Calque) -> dict[str, Any]:
    origine = [calque.source, calque.millesime or "millésime non indiqué", calque.licence]
    presentes = [(c, n) for c, n in zip(calque.classes, calque.comptes, strict=True) if n]
    return {
        "titre": calque.titre,
        "nature": calque.nature,
        "classes": [_entree(c, n) for c, n in presentes],
        "avertissement": calque.avertissement,
        "origine": " · ".join(t for t in origine if t),
    }


def _entree(classe: Classe, compte: int) -> dict[str, str]:
    return {
        "couleur": classe.couleur,
        "trame": classe.trame,
        "texte": classe.libelle,
        "compte": nombre(compte),
    }

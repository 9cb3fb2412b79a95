"""Vues enregistrées d'un territoire : emprise, couches et réglages, nommés et rangés.

Elles sont gardées dans ``vues.json``, à côté de ``territoire.json`` : une nouvelle préparation ne
les efface pas.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Final

from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.erreurs import ErreurDonnees

FICHIER: Final = "vues.json"
FORMAT: Final = 1
NOM_MAX: Final = 80
VUES_MAX: Final = 200
_VERROU: Final = Lock()


@dataclass(frozen=True)
class Vue:
    """Une vue : son nom et les réglages d'adresse qui la redonnent."""

    nom: str
    reglages: dict[str, str]


def lire_vues(dossier: Path) -> list[Vue]:
    """Vues enregistrées, dans leur ordre ; liste vide s'il n'y en a pas.

    Raises
    ------
    ErreurDonnees
        Fichier illisible ou d'une autre forme.
    """
    chemin = dossier / FICHIER
    try:
        contenu = json.loads(chemin.read_text(encoding="utf-8"))
        if contenu["format"] != FORMAT:
            raise ValueError(f"format {contenu['format']}, attendu {FORMAT}")
        return [
            Vue(str(v["nom"]), {str(c): str(r) for c, r in v["reglages"].items()})
            for v in contenu["vues"]
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as erreur:
        raise ErreurDonnees(
            "Le fichier des vues enregistrées est illisible.",
            objet=chemin,
            trouve=erreur,
            conseil="le corriger, ou le mettre de côté pour repartir sans vues",
        ) from erreur


def ecrire_vues(dossier: Path, vues: Sequence[Vue]) -> None:
    """Remplacer les vues enregistrées, en une fois.

    Raises
    ------
    ErreurDonnees
        Dossier protégé ou disque plein ; les anciennes vues sont intactes.
    """
    contenu = {"format": FORMAT, "vues": [asdict(v) for v in vues]}
    with ecrire_atomique(dossier / FICHIER) as provisoire:
        provisoire.write_text(
            json.dumps(contenu, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )


def ajouter_vue(dossier: Path, nom: str, reglages: dict[str, str]) -> list[Vue]:
    """Ajouter une vue à la fin, ou remplacer celle du même nom à sa place.

    Returns
    -------
    list of Vue
        Vues après l'ajout.

    Raises
    ------
    ErreurDonnees
        Nom vide ou trop long, trop de vues, fichier impossible à lire ou à écrire.
    """
    nom = " ".join(nom.split())
    if not 1 <= len(nom) <= NOM_MAX:
        raise ErreurDonnees(
            "Le nom de la vue n'est pas valable.",
            attendu=f"1 à {NOM_MAX} caractères",
            trouve=f"{len(nom)} caractères",
        )
    with _VERROU:
        vues = lire_vues(dossier)
        rang = next((i for i, v in enumerate(vues) if v.nom == nom), None)
        if rang is not None:
            vues[rang] = replace(vues[rang], reglages=dict(reglages))
        elif len(vues) >= VUES_MAX:
            raise ErreurDonnees("Il y a trop de vues enregistrées.", attendu=f"{VUES_MAX} au plus")
        else:
            vues.append(Vue(nom, dict(reglages)))
        ecrire_vues(dossier, vues)
        return vues


def deplacer_vue(dossier: Path, nom: str, pas: int) -> list[Vue]:
    """Avancer (``pas`` négatif) ou reculer une vue dans la liste ; sans effet au bout."""
    with _VERROU:
        vues = lire_vues(dossier)
        rang = next((i for i, v in enumerate(vues) if v.nom == nom), None)
        if rang is None:
            return vues
        vue = vues.pop(rang)
        vues.insert(min(max(rang + pas, 0), len(vues)), vue)
        ecrire_vues(dossier, vues)
        return vues


def retirer_vue(dossier: Path, nom: str) -> list[Vue]:
    """Retirer une vue ; sans effet si elle n'existe pas."""
    with _VERROU:
        vues = [v for v in lire_vues(dossier) if v.nom != nom]
        ecrire_vues(dossier, vues)
        return vues

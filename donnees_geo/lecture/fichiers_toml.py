"""Lecture contrôlée de fichiers TOML : clés connues, types, valeurs admises.

Les fautes sont accumulées puis levées ensemble, pour qu'un manifeste se corrige en une fois.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from donnees_geo.erreurs import ErreurConfiguration


def lire_toml(chemin: Path) -> dict[str, Any]:
    """Lire un fichier TOML.

    Raises
    ------
    ErreurConfiguration
        Fichier absent, non UTF-8 ou de syntaxe fautive (ligne et colonne dites).
    """
    if not chemin.is_file():
        raise ErreurConfiguration(
            "Fichier de configuration introuvable.",
            objet=chemin,
            conseil="vérifiez le chemin donné à la commande",
        )
    try:
        return tomllib.loads(chemin.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as erreur:
        raise ErreurConfiguration(
            "Fichier de configuration mal encodé.",
            objet=chemin,
            attendu="UTF-8",
            trouve=f"octet illisible en position {erreur.start}",
            conseil="enregistrez le fichier en UTF-8",
        ) from erreur
    except tomllib.TOMLDecodeError as erreur:
        raise ErreurConfiguration(
            "Fichier TOML de syntaxe fautive.",
            objet=chemin,
            trouve=str(erreur),
            conseil="mettez les textes entre guillemets et une seule clé par ligne",
        ) from erreur


def proposer(mot: str, connus: Sequence[str]) -> str:
    """Rédiger la proposition de correction d'un mot inconnu.

    Examples
    --------
    >>> proposer("comunes", ["communes", "secteurs"])
    'vouliez-vous « communes » ?'
    >>> proposer("xyz", ["a", "b"])
    'mots admis : a, b'
    """
    proches = difflib.get_close_matches(mot, connus, n=1, cutoff=0.6)
    if proches:
        return f"vouliez-vous « {proches[0]} » ?"
    return "mots admis : " + ", ".join(connus)


class TableToml:
    """Table TOML lue clé par clé.

    Parameters
    ----------
    valeurs
        Contenu de la table.
    nom
        Nom affiché dans les messages (``[population]``), vide à la racine.
    fautes
        Liste commune où s'ajoutent les fautes.
    """

    def __init__(self, valeurs: object, nom: str, fautes: list[str]) -> None:
        self.nom = nom
        self.fautes = fautes
        self._connues: list[str] = []
        if isinstance(valeurs, dict):
            self.valeurs: dict[str, Any] = valeurs
        else:
            self.valeurs = {}
            self.faute(f"une table est attendue, trouvé {_decrire(valeurs)}")

    def faute(self, message: str, cle: str | None = None) -> None:
        """Retenir une faute sur la table ou sur une de ses clés."""
        lieu = " ".join(p for p in (self.nom, cle) if p)
        self.fautes.append(f"{lieu} : {message}" if lieu else message)

    def _prendre(self, cle: str, obligatoire: bool) -> Any:
        self._connues.append(cle)
        valeur = self.valeurs.get(cle)
        if valeur is None and obligatoire:
            self.faute("clé obligatoire absente", cle)
        return valeur

    def brut(self, cle: str) -> Any:
        """Valeur sans contrôle, ``None`` si la clé manque."""
        return self._prendre(cle, obligatoire=False)

    def texte(self, cle: str, *, obligatoire: bool = False) -> str | None:
        """Texte non vide, ou ``None``."""
        valeur = self._prendre(cle, obligatoire)
        if valeur is None:
            return None
        if not isinstance(valeur, str) or not valeur.strip():
            self.faute(f"un texte non vide est attendu, trouvé {_decrire(valeur)}", cle)
            return None
        return valeur

    def choix(self, cle: str, admis: Sequence[str], *, obligatoire: bool = False) -> str | None:
        """Texte parmi ``admis``, ou ``None``."""
        valeur = self.texte(cle, obligatoire=obligatoire)
        if valeur is not None and valeur not in admis:
            self.faute(f"valeur « {valeur} » inconnue ; {proposer(valeur, admis)}", cle)
            return None
        return valeur

    def booleen(self, cle: str, defaut: bool) -> bool:
        """Booléen, ``defaut`` si la clé manque."""
        valeur = self._prendre(cle, obligatoire=False)
        if valeur is None:
            return defaut
        if not isinstance(valeur, bool):
            self.faute(f"true ou false est attendu, trouvé {_decrire(valeur)}", cle)
            return defaut
        return valeur

    def nombre(
        self, cle: str, *, mini: float = 0.0, strict: bool = True, obligatoire: bool = False
    ) -> float | None:
        """Nombre fini supérieur à ``mini`` (ou égal si ``strict`` est faux), ou ``None``."""
        valeur = self._prendre(cle, obligatoire)
        if valeur is None:
            return None
        if not est_nombre(valeur):
            self.faute(f"un nombre est attendu, trouvé {_decrire(valeur)}", cle)
            return None
        if valeur < mini or (strict and valeur == mini):
            borne = "supérieur à" if strict else "au moins égal à"
            self.faute(f"un nombre {borne} {mini:g} est attendu, trouvé {valeur}", cle)
            return None
        return float(valeur)

    def textes(self, cle: str) -> tuple[str, ...]:
        """Liste de textes (un texte seul vaut une liste d'un élément), vide par défaut."""
        valeur = self._prendre(cle, obligatoire=False)
        if valeur is None:
            return ()
        if isinstance(valeur, str):
            valeur = [valeur]
        if not isinstance(valeur, list) or not all(isinstance(v, str) and v for v in valeur):
            self.faute(f"une liste de textes est attendue, trouvé {_decrire(valeur)}", cle)
            return ()
        return tuple(valeur)

    def table(self, cle: str) -> TableToml:
        """Sous-table, vide si la clé manque."""
        return TableToml(self._prendre(cle, obligatoire=False) or {}, f"[{cle}]", self.fautes)

    def tables(self, cle: str) -> list[TableToml]:
        """Tableau de tables ; une table seule vaut un tableau d'un élément."""
        valeur = self._prendre(cle, obligatoire=False)
        if valeur is None:
            return []
        liste = valeur if isinstance(valeur, list) else [valeur]
        prefixe = f"{self.nom} " if self.nom else ""
        return [
            TableToml(v, f"{prefixe}{cle}[{rang}]", self.fautes)
            for rang, v in enumerate(liste, start=1)
        ]

    def terminer(self) -> None:
        """Retenir une faute par clé qui n'a pas été demandée."""
        for cle in self.valeurs:
            if cle not in self._connues:
                self.faute(f"clé « {cle} » inconnue ; {proposer(cle, self._connues)}")


def est_nombre(valeur: object) -> bool:
    """Vrai pour un entier ou un réel fini (un booléen n'en est pas un)."""
    return (
        isinstance(valeur, int | float)
        and not isinstance(valeur, bool)
        and abs(valeur) < float("inf")
    )


def lever_fautes(fautes: Sequence[str], chemin: Path, quoi: str) -> None:
    """Lever une seule erreur qui énumère les fautes du fichier, s'il y en a.

    Raises
    ------
    ErreurConfiguration
        Si ``fautes`` n'est pas vide.
    """
    if fautes:
        detail = "\n".join(f"  - {f}" for f in fautes)
        raise ErreurConfiguration(
            f"{quoi} fautif, {len(fautes)} faute(s) :\n{detail}",
            objet=chemin,
            conseil="corrigez ces lignes puis relancez la commande",
        )


def _decrire(valeur: object) -> str:
    texte = repr(valeur)
    return texte if len(texte) <= 60 else texte[:57] + "…"

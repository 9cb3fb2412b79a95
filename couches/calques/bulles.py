"""Ce que dit la bulle d'un objet d'un calque : des lignes de texte, sans aucune mise en forme."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import pandas as pd

from couches.calques.modele import Calque
from couches.catalogue import ChampBulle, GenreChamp
from couches.textes import INSECABLE, heure, nombre
from donnees_geo.conventions import JOURS

#: Un texte plus long déborderait de la carte.
TEXTE_MAX: Final = 120


def decrire_objet(calque: Calque, ligne: int) -> list[str]:
    """Nom de l'objet, couche et classe, puis ses champs connus.

    Parameters
    ----------
    calque
        Calque.
    ligne
        Ligne de sa table.

    Returns
    -------
    list of str
        Textes bruts : le navigateur les montre sans les lire comme du HTML.
    """
    objet = calque.table.iloc[ligne]
    nom = _dire(objet[calque.nom], "texte") if calque.nom in calque.table else ""
    classe = calque.classes[int(calque.rangs[ligne])].libelle
    couche = calque.titre if len(calque.classes) == 1 else f"{calque.titre} : {classe}"
    lignes = [nom, couche] if nom else [couche]
    for champ in calque.champs:
        if texte := _dire_champ(objet[champ.colonne], champ):
            lignes.append(f"{champ.libelle} : {texte}")
    return lignes


def _dire_champ(valeur: Any, champ: ChampBulle) -> str:
    texte = _dire(valeur, champ.genre)
    return f"{texte}{INSECABLE}{champ.unite}" if texte and champ.unite else texte


def _dire(valeur: Any, genre: GenreChamp) -> str:
    """Texte d'une valeur, vide si elle est inconnue."""
    if valeur is None or (pd.api.types.is_scalar(valeur) and pd.isna(valeur)):
        return ""
    texte = _FORMES[genre](valeur).strip()
    return texte if len(texte) <= TEXTE_MAX else texte[: TEXTE_MAX - 1] + "…"


def _texte(valeur: Any) -> str:
    if pd.api.types.is_bool(valeur):
        return "oui" if valeur else "non"
    if isinstance(valeur, float):
        return _nombre(valeur)
    return str(valeur)


def _nombre(valeur: Any) -> str:
    reel = float(valeur)
    if not math.isfinite(reel):
        return ""
    return nombre(reel, 0 if reel.is_integer() else 1)


def _jour(valeur: Any) -> str:
    rang = int(valeur)
    return JOURS[rang] if 0 <= rang < len(JOURS) else ""


_FORMES: Final[dict[GenreChamp, Callable[[Any], str]]] = {
    "texte": _texte,
    "code": lambda valeur: str(valeur).replace("_", " "),
    "nombre": _nombre,
    "jour": _jour,
    "heure": lambda valeur: heure(float(valeur)),
}

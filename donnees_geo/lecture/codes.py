"""Listes de codes écrites librement : comparées sans casse, sans accents et par mot-clé."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import pandas as pd

from donnees_geo.erreurs import Constat, Gravite
from donnees_geo.lecture.tables import normaliser_nom

#: Écritures d'une valeur manquante admises par le standard CNIG, et celles de pandas.
MANQUANTES: Final = frozenset({"", "na", "nan", "n/a", "null", "none", "<na>"})

Motifs = Sequence[tuple[str, str]]


def vider_manquantes(textes: pd.Series[Any]) -> pd.Series[str]:
    """Textes sans blancs de bord, où toute écriture d'une valeur manquante est vide.

    Examples
    --------
    >>> vider_manquantes(pd.Series(["NA", " a ", None, "N/A"])).tolist()
    ['', 'a', '', '']
    """
    propres = textes.astype("object").where(textes.notna(), "").astype("str").str.strip()
    return propres.mask(propres.str.casefold().isin(MANQUANTES), "")


def classer_textes(
    textes: pd.Series[str], motifs: Motifs, *, vide: str, defaut: str
) -> tuple[pd.Series[str], list[str]]:
    """Ranger des libellés libres dans une liste de codes.

    Parameters
    ----------
    textes
        Libellés, manquants vidés.
    motifs
        ``(mot-clé normalisé, code)`` ; le premier mot-clé contenu dans le libellé l'emporte.
    vide, defaut
        Code d'une case vide, et d'un libellé qui n'est pas dans la liste.

    Returns
    -------
    pandas.Series
        Codes, même index.
    list of str
        Libellés inconnus distincts, triés.

    Examples
    --------
    >>> codes, inconnus = classer_textes(
    ...     pd.Series(["Friche RECONVERTIE", "", "à l'étude"]),
    ...     (("reconverti", "reconvertie"),), vide="inconnu", defaut="autre")
    >>> codes.tolist(), inconnus
    (['reconvertie', 'inconnu', 'autre'], ["à l'étude"])
    """
    par_texte: dict[str, str] = {"": vide}
    inconnus = []
    for texte in sorted(set(textes.unique()) - {""}):
        normalise = normaliser_nom(texte)
        code = next((c for motif, c in motifs if motif in normalise), None)
        if code is None:
            inconnus.append(texte)
        par_texte[texte] = code or defaut
    return textes.map(par_texte).astype("str"), inconnus


def nombres_tolerants(textes: pd.Series[Any]) -> tuple[pd.Series[float], int]:
    """Nombres lus dans des textes ; illisible ou manquant donne NaN.

    Une surface déclarée fautive ne doit pas faire perdre la couche : les fautes sont comptées.

    Returns
    -------
    pandas.Series
        float64.
    int
        Valeurs présentes mais illisibles.
    """
    if pd.api.types.is_numeric_dtype(textes):
        return textes.astype("float64"), 0
    propres = vider_manquantes(textes)
    propres = propres.str.replace("[\\s\u202f\u00a0]", "", regex=True)
    propres = propres.str.replace(",", ".", regex=False)
    nombres = pd.to_numeric(propres.where(propres != "", None), errors="coerce").astype("float64")
    return nombres, int((nombres.isna() & (propres != "")).sum())


def constater_inconnus(objet: str, colonne: str, inconnus: Iterable[str]) -> list[Constat]:
    """Dire les libellés qui ne sont pas dans la liste de codes d'une colonne."""
    liste = list(inconnus)
    if not liste:
        return []
    exemples = ", ".join(f"« {t} »" for t in liste[:6]) + (" …" if len(liste) > 6 else "")
    return [
        Constat(
            Gravite.MINEUR,
            objet,
            f"{len(liste)} valeur(s) de {colonne} hors de la liste du standard, rangée(s) dans "
            f"« autre » : {exemples}.",
        )
    ]

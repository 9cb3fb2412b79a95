"""Calques sans fiche au catalogue : couches libres du manifeste et fichiers déposés."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from couches.calques.modele import Calque, dire_nature
from couches.catalogue import ChampBulle, Classe, lire_aspect_libre
from couches.couche import Trame
from couches.textes import nombre

#: Champs dits dans la bulle d'un objet d'une couche sans fiche.
CHAMPS_LIBRES_MAX: Final = 6
#: Classes de nombres d'une couche colorée par colonne (quantiles).
CLASSES_NOMBRES: Final = 5
SANS_VALEUR: Final = "sans valeur"
_NOMS: Final = ("libelle", "libellé", "nom", "name", "titre")
_TRAMES: Final[tuple[Trame, ...]] = ("plein", "hachures", "points")


def composer_libre(identifiant: str, titre: str, table: gpd.GeoDataFrame) -> Calque:
    """Calque d'une couche sans fiche : une seule classe, et ses premières colonnes en bulle."""
    table = table.reset_index(drop=True)
    aspect, nature = lire_aspect_libre(), dire_nature(table)
    trame: Trame = "trait" if nature == "ligne" else "plein"
    colonnes = [str(c) for c in table.columns.drop(table.geometry.name)]
    nom = next((c for c in colonnes if c.lower() in _NOMS), "")
    champs = [ChampBulle(c, c) for c in colonnes if c != nom][:CHAMPS_LIBRES_MAX]
    return Calque(
        id=identifiant,
        titre=titre,
        groupe="libres",
        table=table,
        classes=(Classe("", "objet", aspect.couleur, trame),),
        rangs=np.zeros(len(table), dtype=np.int64),
        nature=nature,
        nom=nom,
        champs=tuple(champs),
        libre=True,
    )


def colorer(calque: Calque, colonne: str) -> Calque:
    """Calque libre coloré d'après une colonne ; vide ou inconnue : une seule couleur.

    Catégories : une teinte chacune, puis une autre trame quand les teintes manquent. Nombres :
    quantiles, du clair au foncé. Les objets sans valeur ont leur propre classe.
    """
    description = next((c for c in calque.colonnes if c.nom == colonne), None)
    if description is None:
        return calque
    valeurs = calque.table[colonne]
    if description.nature == "numerique":
        classes, rangs = _classer_nombres(valeurs.to_numpy(dtype=np.float64, na_value=np.nan))
    else:
        classes, rangs = _classer_textes(valeurs, description.valeurs)
    if (rangs < 0).any():
        muette = Classe("", SANS_VALEUR, lire_aspect_libre().sans_valeur, "points")
        rangs = np.where(rangs < 0, len(classes), rangs)
        classes = (*classes, muette)
    if calque.nature == "ligne":
        classes = tuple(
            replace(c, trame="trait" if c.trame == "plein" else "tirets") for c in classes
        )
    elif calque.nature == "point":
        classes = tuple(
            replace(c, trame="plein" if c.trame == "plein" else "rond") for c in classes
        )
    return replace(calque, classes=classes, rangs=rangs)


def _classer_textes(
    valeurs: pd.Series[Any], categories: Sequence[str]
) -> tuple[tuple[Classe, ...], NDArray[np.int64]]:
    teintes = lire_aspect_libre().categories
    classes = tuple(
        Classe(c, c, teintes[i % len(teintes)], _TRAMES[(i // len(teintes)) % len(_TRAMES)])
        for i, c in enumerate(categories)
    )
    rangs = {c: i for i, c in enumerate(categories)}
    textes = valeurs.astype(object).map(lambda v: rangs.get(str(v).strip(), -1))
    return classes, textes.to_numpy(dtype=np.int64)


def _classer_nombres(
    valeurs: NDArray[np.float64],
) -> tuple[tuple[Classe, ...], NDArray[np.int64]]:
    rampe = lire_aspect_libre().rampe
    connues = valeurs[np.isfinite(valeurs)]
    distinctes = np.unique(connues)
    if distinctes.size <= CLASSES_NOMBRES:
        bornes = distinctes[1:]
        libelles = [_dire_nombre(v) for v in distinctes]
    else:
        parts = np.arange(1, CLASSES_NOMBRES) / CLASSES_NOMBRES
        bornes = np.unique(np.quantile(connues, parts, method="lower"))
        bornes = bornes[bornes > distinctes[0]]
        limites = [distinctes[0], *bornes, distinctes[-1]]
        libelles = [
            f"{_dire_nombre(a)} à {'moins de ' if i < len(bornes) else ''}{_dire_nombre(b)}"
            for i, (a, b) in enumerate(itertools.pairwise(limites))
        ]
    teintes = [
        rampe[round(i * (len(rampe) - 1) / max(len(libelles) - 1, 1))] for i in range(len(libelles))
    ]
    classes = tuple(Classe(t, t, c, "plein") for t, c in zip(libelles, teintes, strict=True))
    rangs = np.searchsorted(bornes, valeurs, side="right").astype(np.int64)
    return classes, np.where(np.isfinite(valeurs), rangs, -1)


def _dire_nombre(valeur: float) -> str:
    entier = float(valeur).is_integer()
    return nombre(valeur, 0 if entier or abs(valeur) >= 1000 else 2)

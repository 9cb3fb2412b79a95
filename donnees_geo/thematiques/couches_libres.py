"""Couches libres d'un planificateur : contrôlées, projetées, prêtes à être stylées par colonne.

Le manifeste et le dépôt d'un fichier dans le visualiseur (``couches_deposees``) passent par la même
lecture.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.lecture.axes import redresser_axes
from donnees_geo.lecture.codes import vider_manquantes
from donnees_geo.lecture.tables import normaliser_nom
from donnees_geo.lecture.vecteur import lire_couche

Nature = Literal["numerique", "categories"]

#: Un format lu en entier tient plusieurs fois sa taille en mémoire.
TAILLE_MAX_OCTETS: Final = 300 * 1024**2
_FORMATS_ENTIERS: Final = (".geojson", ".json", ".kml", ".csv", ".txt")
#: Au-delà, une colonne de texte n'est pas une classification.
CATEGORIES_MAX: Final = 12
#: Colonnes qui désignent des personnes : jamais reprises d'un fichier libre.
_PERSONNELLES: Final = frozenset(
    normaliser_nom(n)
    for n in (
        "proprio_nom", "nom_proprietaire", "proprietaire", "idprocpte", "ddenom", "telephone",
        "tel", "mobile", "courriel", "email", "e_mail", "mail", "date_naissance", "source_contact",
        "contact", "nom_contact",
    )
)  # fmt: skip
_DIMENSIONS: Final = {0: "point", 1: "ligne", 2: "surface"}


@dataclass(frozen=True)
class ColonneStyle:
    """Une colonne d'après laquelle une couche peut être colorée.

    Attributes
    ----------
    nom, nature
        Colonne, et si ses valeurs sont des nombres ou des catégories.
    valeurs
        Catégories triées, ou minimum et maximum.
    manquantes
        Objets sans valeur.
    """

    nom: str
    nature: Nature
    valeurs: tuple[Any, ...]
    manquantes: int


def lire_couche_libre(
    chemin: Path, crs: str, emprise: BaseGeometry | None, objet: str = "couche"
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire un fichier de planificateur (GPKG, GeoJSON, SHP zippé, KML, CSV à coordonnées).

    Parameters
    ----------
    chemin
        Fichier, dossier ou archive.
    crs
        CRS métrique du territoire.
    emprise
        Territoire élargi, dans ``crs`` ; ``None`` : tout le fichier.
    objet
        Nom de la couche dans les constats.

    Returns
    -------
    GeoDataFrame
        Colonnes de la source, sauf celles qui désignent des personnes, géométries valides en deux
        dimensions.
    list of Constat
        Géométries réparées, écartées ou de dimensions mêlées, CRS deviné, colonnes écartées.

    Raises
    ------
    ErreurDonnees
        Fichier illisible, trop lourd pour son format, sans géométrie, ou hors du territoire (axes
        échangés compris, alors dits).
    """
    verifier_taille(chemin)
    lue, constats = lire_couche(chemin, crs, emprise=emprise, objet=objet)
    if lue.empty and emprise is not None:
        _expliquer_absence(chemin, crs, emprise, objet)
        constats.append(Constat(Gravite.MAJEUR, objet, "aucun objet dans le territoire."))
    personnelles = [c for c in lue.columns if normaliser_nom(c) in _PERSONNELLES]
    if personnelles:
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                "colonne(s) qui désignent des personnes, non reprise(s) : "
                + ", ".join(personnelles)
                + ".",
            )
        )
    propre = lue.drop(columns=personnelles)
    propre = propre.set_geometry(
        gpd.GeoSeries(shapely.force_2d(propre.geometry.to_numpy()), index=propre.index, crs=crs)
    )
    return propre, constats + _dire_dimensions(propre, objet)


def verifier_taille(chemin: Path) -> None:
    """Refuser un fichier trop lourd pour un format qui se lit en entier.

    Raises
    ------
    ErreurDonnees
        GeoJSON, KML ou CSV de plus de :data:`TAILLE_MAX_OCTETS`.
    """
    if not chemin.is_file() or chemin.suffix.lower() not in _FORMATS_ENTIERS:
        return
    taille = chemin.stat().st_size
    if taille > TAILLE_MAX_OCTETS:
        raise ErreurDonnees(
            "Fichier trop lourd pour ce format, qui se lit en entier.",
            objet=chemin,
            attendu=f"au plus {TAILLE_MAX_OCTETS // 1024**2} Mo",
            trouve=f"{taille // 1024**2} Mo",
            conseil="enregistrez-le en GeoPackage (seule l'emprise du territoire en est lue), ou "
            "découpez-le au territoire",
        )


def decrire_colonnes(couche: gpd.GeoDataFrame) -> list[ColonneStyle]:
    """Colonnes d'après lesquelles une couche peut être colorée, dans l'ordre de la source.

    Une colonne constante, un identifiant, ou un texte de plus de :data:`CATEGORIES_MAX` valeurs
    n'en est pas une.
    """
    decrites = []
    for nom in couche.columns.drop(couche.geometry.name):
        valeurs = couche[nom]
        if pd.api.types.is_numeric_dtype(valeurs) and not pd.api.types.is_bool_dtype(valeurs):
            connues = valeurs.dropna()
            if connues.nunique() > 1:
                bornes = (float(connues.min()), float(connues.max()))
                decrites.append(
                    ColonneStyle(str(nom), "numerique", bornes, int(valeurs.isna().sum()))
                )
            continue
        textes = vider_manquantes(valeurs)
        distinctes = sorted(set(textes) - {""})
        if 1 < len(distinctes) <= CATEGORIES_MAX:
            decrites.append(
                ColonneStyle(str(nom), "categories", tuple(distinctes), int((textes == "").sum()))
            )
    return decrites


def _dire_dimensions(couche: gpd.GeoDataFrame, objet: str) -> list[Constat]:
    dimensions = sorted(set(shapely.get_dimensions(couche.geometry.to_numpy()).tolist()))
    if len(dimensions) < 2:
        return []
    noms = " et ".join(f"{_DIMENSIONS[d]}s" for d in dimensions if d in _DIMENSIONS)
    return [
        Constat(
            Gravite.MINEUR, objet, f"types de géométrie mêlés ({noms}), chacun montré à sa façon."
        )
    ]


def _expliquer_absence(chemin: Path, crs: str, emprise: BaseGeometry, objet: str) -> None:
    """Dire si des axes échangés expliquent qu'aucun objet ne soit dans le territoire."""
    tout, _ = lire_couche(chemin, crs, objet=objet)
    refuser_axes_echanges(tout, emprise, chemin)


def refuser_axes_echanges(couche: gpd.GeoDataFrame, emprise: BaseGeometry, objet: object) -> None:
    """Refuser une couche qui serait dans l'emprise en échangeant ses axes.

    Raises
    ------
    ErreurDonnees
        Axes échangés.
    """
    cibles = [emprise] * len(couche)
    _, redresses = redresser_axes(couche, pd.Series(cibles, dtype=object).to_numpy())
    if redresses.any():
        raise ErreurDonnees(
            "Les axes de la couche sont échangés : elle serait dans le territoire en lisant la "
            "latitude avant la longitude.",
            objet=objet,
            trouve=f"{int(redresses.sum())} objet(s) sur {len(couche)}",
            conseil="inversez les coordonnées (x et y) dans un SIG et enregistrez de nouveau",
        )

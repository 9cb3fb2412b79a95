"""Contexte de planification : zonage du PLU, quartiers prioritaires, programmes, protections.

Ces couches sont montrées telles quelles ; seuls le libellé et la classe y sont harmonisés.
Formats : standard CNIG PLU (``ZONE_URBA`` du Géoportail de l'urbanisme), QPV 2024 et listes PVD et
ACV de l'ANCT.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import geopandas as gpd
import pandas as pd
from shapely.geometry.base import BaseGeometry

from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.lecture.codes import vider_manquantes
from donnees_geo.lecture.tables import lire_csv, normaliser_nom, resoudre_colonnes
from donnees_geo.lecture.vecteur import lire_couche
from donnees_geo.thematiques.couches_libres import lire_couche_libre

#: Famille de contexte → débuts de clé de ``[couches]`` qui la désignent.
FAMILLES_CONTEXTE: Final[dict[str, tuple[str, ...]]] = {
    "zonage_urbanisme": (
        "plu", "plui", "zone_urba", "zonage_plu", "zonage_plui", "zonage_urbanisme",
    ),
    "qpv": ("qpv",),
    "pvd": ("pvd",),
    "acv": ("acv",),
    "zones_humides": ("zones_humides",),
    "natura_2000": ("natura_2000", "natura2000"),
    "znieff": ("znieff",),
    "espaces_proteges": ("espaces_proteges",),
    "amenagements_cyclables": ("amenagements_cyclables", "pistes_cyclables"),
    "gares": ("gares",),
}  # fmt: skip
_ZONES: Final = (
    (re.compile(r"RNU", re.I), "RNU"),
    (re.compile(r"\d*\s*AU", re.I), "AU"),
    (re.compile(r"U", re.I), "U"),
    (re.compile(r"A", re.I), "A"),
    (re.compile(r"N", re.I), "N"),
    # Carte communale : secteurs constructibles (ZC, 01, 02) et non constructibles (ZnC, 03, 99).
    (re.compile(r"ZN", re.I), "N"),
    (re.compile(r"ZC|0?[12]$", re.I), "U"),
    (re.compile(r"0?3$|99$", re.I), "N"),
)
LIBELLES_ZONES: Final = {
    "U": "zone urbaine",
    "AU": "zone à urbaniser",
    "A": "zone agricole",
    "N": "zone naturelle et forestière",
    "RNU": "règlement national d'urbanisme",
}
_ALIAS_ZONE_URBA: Final = {
    "classe": ("typezone", "typesect", "urba_zone_type"),
    "libelle": ("libelle", "lib_idzone", "libelong"),
}
_ALIAS_LIBELLE: Final = (
    "lib_qp", "nom_qp", "libelle", "nom", "nom_site", "sitename", "nom_zh", "name", "id_itineraire",
    "code_qp",
)  # fmt: skip
_ALIAS_COMMUNE: Final = ("insee_com", "codgeo", "code_commune", "com", "code_insee", "depcom")


def reconnaitre_contexte(cle: str) -> str:
    """Famille de contexte d'une clé de ``[couches]``, vide pour une autre couche.

    Examples
    --------
    >>> [reconnaitre_contexte(cle) for cle in ("qpv_2024", "plui", "plage")]
    ['qpv', 'zonage_urbanisme', '']
    """
    for famille, debuts in FAMILLES_CONTEXTE.items():
        if any(cle == debut or cle.startswith(f"{debut}_") for debut in debuts):
            return famille
    return ""


def classer_zone_urbanisme(textes: pd.Series[str]) -> pd.Series[str]:
    """Famille de zone d'un document d'urbanisme : U, AU, A, N, RNU ou vide.

    Examples
    --------
    >>> classer_zone_urbanisme(pd.Series(["UAc", "1AUh", "AUs", "Ap", "Nh", "ZnC", ""])).tolist()
    ['U', 'AU', 'AU', 'A', 'N', 'N', '']
    """
    propres = vider_manquantes(textes)
    familles = {
        texte: next((famille for motif, famille in _ZONES if motif.match(texte)), "")
        for texte in propres.unique()
    }
    return propres.map(familles).astype("str")


def lire_zonage_urbanisme(
    chemin: Path, crs: str, emprise: BaseGeometry, objet: str
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire le zonage d'un PLU, d'un PLUi ou d'une carte communale.

    Returns
    -------
    GeoDataFrame
        ``classe`` (U, AU, A, N ou vide), ``libelle`` (zone du règlement), ``idurba`` si la source
        le donne, ``geometry`` ; polygones seulement.
    list of Constat

    Raises
    ------
    ErreurDonnees
        Couche illisible, ou sans colonne de type de zone.
    """
    lue, constats = lire_couche(chemin, crs, emprise=emprise, objet=objet, nom_couche="zone_urba")
    trouvees = resoudre_colonnes(
        lue.columns,
        {"classe": _ALIAS_ZONE_URBA["classe"]},
        chemin,
        facultatives={"libelle": _ALIAS_ZONE_URBA["libelle"], "idurba": ("idurba",)},
    )
    table = gpd.GeoDataFrame(
        {
            "classe": classer_zone_urbanisme(lue[trouvees["classe"]].astype("str")),
            **{n: vider_manquantes(lue[c]) for n, c in trouvees.items() if n != "classe"},
        },
        geometry=lue.geometry.to_numpy(),
        crs=crs,
    )
    inconnues = int((table["classe"] == "").sum())
    if inconnues:
        constats.append(
            Constat(Gravite.MINEUR, objet, f"{inconnues} zone(s) d'un type inconnu, sans classe.")
        )
    return table, constats


def lire_couche_contexte(
    chemin: Path, crs: str, emprise: BaseGeometry, objet: str
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire une couche de contexte (QPV, protections, itinéraires cyclables, gares).

    Returns
    -------
    GeoDataFrame
        Colonnes de la source, et ``libelle`` tiré de la première colonne de nom reconnue.
    list of Constat

    Raises
    ------
    ErreurDonnees
        Comme :func:`couches_libres.lire_couche_libre`.
    """
    lue, constats = lire_couche_libre(chemin, crs, emprise, objet)
    trouvees = resoudre_colonnes(lue.columns, {}, chemin, facultatives={"nom": _ALIAS_LIBELLE})
    libelle = (
        vider_manquantes(lue[trouvees["nom"]])
        if "nom" in trouvees
        else pd.Series("", index=lue.index, dtype="str")
    )
    return lue.assign(libelle=libelle), constats


def lire_communes_programme(
    chemin: Path, communes: gpd.GeoDataFrame, objet: str
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Communes du territoire dans un programme (Petites villes de demain, Action cœur de ville).

    Parameters
    ----------
    chemin
        CSV de l'ANCT : une ligne par commune, code INSEE et facultativement identifiants.
    communes
        ``code_commune``, ``nom``, ``geometry``.

    Raises
    ------
    ErreurDonnees
        Colonne du code commune absente.
    """
    liste = lire_csv(chemin, {"code_commune": _ALIAS_COMMUNE}, garder_autres=True)
    codes = set(liste["code_commune"].str.strip().str.zfill(5))
    retenues = communes.loc[communes["code_commune"].isin(codes)].reset_index(drop=True)
    constats = []
    if retenues.empty:
        constats.append(
            Constat(Gravite.MINEUR, objet, f"aucune commune du territoire dans {chemin.name}.")
        )
    table = gpd.GeoDataFrame(
        {"code_commune": retenues["code_commune"], "libelle": retenues["nom"]},
        geometry=retenues.geometry.to_numpy(),
        crs=communes.crs,
    )
    return table, constats


def est_liste_de_communes(chemin: Path) -> bool:
    """Vrai pour un CSV de communes sans coordonnées."""
    if chemin.suffix.lower() not in (".csv", ".txt") or not chemin.is_file():
        return False
    try:
        table = lire_csv(chemin, {"code_commune": _ALIAS_COMMUNE}, garder_autres=True)
    except ErreurDonnees:
        return False
    noms = {normaliser_nom(c) for c in table.columns}
    return not noms & {"lon", "longitude", "wkt", "geometry", "geompoint", "x"}

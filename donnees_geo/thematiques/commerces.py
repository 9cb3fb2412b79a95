"""Commerces et locaux vacants : fichier local, SIRENE géolocalisé, BPE et OpenStreetMap.

Un inventaire local l'emporte ; à défaut SIRENE, à défaut la BPE complétée par OpenStreetMap. La
vacance ne vient que d'un inventaire local ou d'OpenStreetMap : aucune base nationale ouverte n'en
existe (LOVAC ne porte que sur le logement), et un établissement fermé au SIRENE n'est pas un local
vide.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from donnees_geo.equipements import regrouper_lieux
from donnees_geo.erreurs import Constat, Gravite
from donnees_geo.lecture.codes import vider_manquantes
from donnees_geo.lecture.tables import resoudre_colonnes
from donnees_geo.lecture.vecteur import lire_couche
from donnees_geo.population import situer_dans_communes
from donnees_geo.thematiques.commerces_categories import (
    AUTRE,
    DESAFFECTE,
    PREFIXE,
    VACANT,
    Categorie,
    classer_par_mots,
)

_ALIAS: Final = {
    "id": ("identifiant", "id", "code", "siret", "fid"),
    "nom": ("nom", "enseigne", "name", "libelle"),
    "categorie": ("categorie", "activite", "type", "secteur_activite", "shop", "classe"),
    "etat": ("etat", "statut", "occupation", "vacance", "vacant", "situation"),
}
_MOTS_VACANT: Final = ("vacan", "vide", "inoccup", "disponible", "a louer", "à louer", "ferm")
_MOTS_OUI: Final = frozenset({"1", "oui", "o", "true", "vrai", "yes", "t"})
#: Deux commerces de même catégorie et de sources différentes plus proches sont le même, mètres.
_DOUBLON_M: Final = 30.0


def lire_commerces_locaux(
    chemin: Path,
    crs: str,
    emprise: BaseGeometry,
    categories: Sequence[Categorie],
    objet: str = "couches.commerces",
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire un inventaire local de commerces et de locaux vacants.

    Parameters
    ----------
    chemin
        Couche de points, ou CSV avec longitude et latitude ; colonnes ``categorie``, ``etat`` (ou
        ``vacant``), ``nom`` et ``identifiant``, toutes facultatives.
    crs, emprise
        CRS métrique et territoire élargi.
    categories
        Catalogue.

    Returns
    -------
    GeoDataFrame
        Schéma COMMERCES sans ``code_commune`` ; ``source`` = « fichier ».
    list of Constat
    """
    lue, constats = lire_couche(chemin, crs, emprise=emprise, objet=objet)
    trouvees = resoudre_colonnes(lue.columns, {}, chemin, facultatives=_ALIAS)
    vide = pd.Series("", index=lue.index, dtype="str")
    textes = {
        nom: vider_manquantes(lue[trouvees[nom]]) if nom in trouvees else vide for nom in _ALIAS
    }
    etat = textes["etat"].str.casefold()
    vacant = etat.map(lambda t: t in _MOTS_OUI or any(m in t for m in _MOTS_VACANT))
    if "etat" not in trouvees:
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                "pas de colonne etat : aucun local vacant connu, la vacance n'est pas mesurée.",
            )
        )
    categorie = classer_par_mots(textes["categorie"], categories)
    libelles_autres = {c.libelle for c in categories if c.id == AUTRE} | {AUTRE, ""}
    inconnus = sorted(set(textes["categorie"][categorie == AUTRE]) - libelles_autres)
    if inconnus:
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{len(inconnus)} catégorie(s) non reconnue(s), rangée(s) dans « autre » : "
                + ", ".join(inconnus[:6])
                + (" …" if len(inconnus) > 6 else "."),
            )
        )
    identifiants = textes["id"].where(
        textes["id"] != "", pd.Series(lue.index.astype(str), lue.index)
    )
    return (
        _assembler(
            "fichier", identifiants, textes["nom"], categorie, vacant.astype(bool), lue.geometry
        ),
        constats,
    )


def extraire_commerces(table: gpd.GeoDataFrame, source: str) -> gpd.GeoDataFrame:
    """Commerces lus dans la passe des équipements (services au préfixe ``commerce.``).

    Un objet reconnu par plusieurs catégories va à la première du catalogue ; un local désaffecté
    est vacant.
    """
    lus = table.loc[table["service"].astype("str").str.startswith(PREFIXE)]
    # L'ordre des lignes suit celui du catalogue pour un même objet.
    if source == "osm":
        lus = lus.drop_duplicates("id_source")
    vacant = lus["service"].isin((VACANT, DESAFFECTE))
    categorie = lus["service"].str.removeprefix(PREFIXE).where(~vacant, AUTRE)
    noms = lus["nom"].fillna("").astype("str").where(~vacant, "")
    return _assembler(source, lus["id_source"], noms, categorie, vacant, lus.geometry)


def sans_commerces(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Équipements d'une passe commune, sans les commerces."""
    garde = ~table["service"].astype("str").str.startswith(PREFIXE)
    return table.loc[garde].reset_index(drop=True)


def reunir_commerces(
    tables: Sequence[gpd.GeoDataFrame], communes: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Réunir des commerces de plusieurs sources, sans doublons, et les situer.

    Parameters
    ----------
    tables
        De la plus à la moins préférée : deux commerces de même catégorie à moins de 30 m, de
        sources différentes, n'en font qu'un, celui de la source préférée. Dans une même source,
        deux voisins restent deux.
    communes
        ``code_commune`` et ``geometry``.

    Returns
    -------
    GeoDataFrame
        Schéma COMMERCES, trié par identifiant.
    """
    gardees: list[gpd.GeoDataFrame] = []
    for table in tables:
        if gardees and len(table):
            deja = pd.concat(gardees, ignore_index=True)
            table = table.loc[~_deja_connus(table, gpd.GeoDataFrame(deja))]
        gardees.append(table)
    reunie = gpd.GeoDataFrame(pd.concat(gardees, ignore_index=True), crs=communes.crs)
    rang = situer_dans_communes(reunie.geometry.to_numpy(), communes)
    codes = np.append(communes["code_commune"].to_numpy(dtype=object), "")
    reunie["code_commune"] = pd.Series(codes[rang], index=reunie.index, dtype="str")
    repetes = reunie.groupby("commerce").cumcount()
    suffixes = ("#" + (repetes + 1).astype("str")).where(repetes > 0, "")
    reunie["commerce"] = reunie["commerce"] + suffixes
    ordre = ["commerce", "nom", "categorie", "vacant", "source", "code_commune", "geometry"]
    return reunie[ordre].sort_values("commerce", kind="stable", ignore_index=True)


def _deja_connus(table: gpd.GeoDataFrame, deja: gpd.GeoDataFrame) -> pd.Series[bool]:
    """Commerces de ``table`` qui ont un semblable tout proche dans une source préférée."""
    connus = pd.Series(False, index=table.index)
    for categorie, lot in table.groupby("categorie"):
        memes = deja.loc[deja["categorie"] == categorie]
        if memes.empty:
            continue
        points = np.vstack(
            [
                shapely.get_coordinates(memes.geometry.to_numpy()),
                shapely.get_coordinates(lot.geometry.to_numpy()),
            ]
        )
        chefs = regrouper_lieux(points, _DOUBLON_M)[len(memes) :]
        connus.loc[lot.index] = chefs < len(memes)
    return connus


def _assembler(
    source: str,
    identifiants: pd.Series[str],
    noms: pd.Series[str],
    categories: pd.Series[str],
    vacants: pd.Series[bool],
    geometries: gpd.GeoSeries,
) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "commerce": source + ":" + identifiants.astype("str"),
            "nom": noms.astype("str"),
            "categorie": categories.astype("str"),
            "vacant": vacants.astype(bool),
            "source": pd.Series(source, index=identifiants.index, dtype="str"),
        },
        geometry=shapely.point_on_surface(geometries.to_numpy()),
        crs=geometries.crs,
    ).reset_index(drop=True)

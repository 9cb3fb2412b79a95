"""Zones inondables de toutes origines, réunies dans une table harmonisée.

PPR au standard COVADIS (shapefiles, toute casse et tout encodage) ou CNIG 2025 (GeoPackage), TRI de
la directive inondation 2020 (emprises par scénario, hauteurs d'eau), atlas des zones inondables,
remontées de nappe du BRGM, et toute couche de polygones portant un scénario ou un niveau.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from shapely.geometry.base import BaseGeometry

from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.lecture.archives import extraire_plusieurs
from donnees_geo.lecture.codes import classer_textes, nombres_tolerants, vider_manquantes
from donnees_geo.lecture.tables import normaliser_nom, resoudre_colonnes
from donnees_geo.lecture.vecteur import (
    COMPTE_MAX,
    SUFFIXES_VECTEUR,
    garder_polygones,
    lire_couche,
    lister_couches,
)
from donnees_geo.thematiques.couches_libres import refuser_axes_echanges
from donnees_geo.thematiques.zones_inondables_codes import (
    GRIDCODE_NAPPE,
    MOTS_ALEA,
    MOTS_REGLEMENT,
    MOTS_TYPE_INONDATION,
    NIVALEA_ST,
    PROBABILITES,
    SCENARIOS,
    TYPEREG,
    TYPES_INONDATION,
    classe_hauteur,
    severite_de,
)

#: Noms tronqués à 10 caractères par le DBF compris.
_ALIAS: Final = {
    "document": ("id_gaspar", "codeprocedure", "codeproced", "id_tri", "id_azi", "idgaspar"),
    "zone": ("codezone", "id_zone", "idzonealea", "idzone", "id_s_inond", "id"),
    "libelle": ("nom", "libelle", "descript", "description", "descriptio", "libzone"),
    "typereg": ("typereg", "typereglement", "typereglem"),
    "nivalea": ("nivalea_st", "niveaualea", "nivalea", "niveau_alea", "alea"),
    "type_alea": ("typ_inond", "typ_inond1", "nomrisque", "typealea", "type_alea"),
    "scenario": ("scenario", "occurrence"),
    "hauteur_min_m": ("ht_min", "hauteur_min"),
    "hauteur_max_m": ("ht_max", "hauteur_max"),
    "nappe": ("gridcode", "classe"),
}
_LUES: Final = frozenset(normaliser_nom(a) for noms in _ALIAS.values() for a in noms)
#: (motif du nom de couche, famille) ; le premier motif trouvé l'emporte.
_FAMILLES: Final = (
    (r"zone_?reg", "reglement"),
    (r"zone_?alea", "alea"),
    (r"iso_?ht|isoht|hauteur", "hauteur"),
    (r"re_nappe|remnappe|remontee", "nappe"),
    (r"azi|atlas", "azi"),
    (r"inondable|inond|_tri_|^tri", "tri"),
)
#: Couches d'une livraison PPR ou TRI qui ne sont pas des zones inondables.
_ECARTEES: Final = re.compile(
    r"soust_inond|suralea|carte_(inond|risq)|enjeu|iso_cote|iso_deb|ecoul|champ_vit|cote_vit|"
    r"ouv_protec|perimetre|document|orig_risq|commune|quartier|masque|n_tri_s|_(l|p)_\d{3}$",
    re.IGNORECASE,
)


def lire_zones_inondables(
    chemin: Path, crs: str, emprise: BaseGeometry, objet: str = "couches.zones_inondables"
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire une livraison de zonage d'inondation et l'harmoniser.

    Parameters
    ----------
    chemin
        Fichier (SHP, GPKG, GeoJSON, Parquet), dossier ou zip de livraison : toutes les couches
        reconnues à leur nom ou à leurs colonnes sont lues, les autres sont dites.
    crs
        CRS métrique du territoire.
    emprise
        Territoire élargi, dans ``crs``.
    objet
        Nom de la source dans les constats.

    Returns
    -------
    GeoDataFrame
        Schéma ZONES_INONDABLES, polygones valides, non découpés ni fondus.
    list of Constat

    Raises
    ------
    ErreurDonnees
        Livraison illisible, ou sans aucune couche de zone inondable.
    """
    constats: list[Constat] = []
    tables: list[gpd.GeoDataFrame] = []
    ecartees: list[str] = []
    with extraire_plusieurs(chemin, [s for s in SUFFIXES_VECTEUR if s != ".csv"]) as fichiers:
        for publie, fichier in fichiers.items():
            try:
                for nom, lue in _lire_fichier(fichier, publie, crs, emprise, objet, constats):
                    table = None if lue is None else harmoniser_zones(lue, nom)
                    if table is None:
                        ecartees.append(nom)
                    else:
                        tables.append(table)
            except ErreurDonnees as erreur:
                if len(fichiers) == 1:
                    raise
                if _reconnaitre(publie, {}) is None or _ECARTEES.search(publie):
                    ecartees.append(publie)  # une livraison contient aussi des fiches et des index
                    continue
                texte = f"{publie} n'est pas lu : {erreur.message} Les autres fichiers le sont."
                constats.append(Constat(Gravite.MAJEUR, objet, texte))
        if len(fichiers) == 1 and tables and all(t.empty for t in tables):
            _expliquer_absence(next(iter(fichiers.values())), chemin, crs, emprise)
    if ecartees:
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{len(ecartees)} couche(s) qui ne sont pas des zones inondables, laissées : "
                + ", ".join(ecartees[:8])
                + (" …" if len(ecartees) > 8 else "."),
            )
        )
    if not tables:
        raise ErreurDonnees(
            "Aucune couche de zone inondable reconnue.",
            objet=chemin,
            attendu="n_zone_reg_pprn_…, …_zonereglementaireurba_s, …inondable_…_s, zone_alea, azi, "
            "Re_Nappe_fr, ou une colonne typereg, scenario ou niveau d'aléa",
            trouve=", ".join(ecartees[:8]) or "aucun fichier cartographique",
        )
    reunie = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=crs)
    return _garder_surfaces(reunie, objet, constats), constats + _constater(reunie, objet)


def _lire_fichier(
    fichier: Path,
    publie: str,
    crs: str,
    emprise: BaseGeometry,
    objet: str,
    constats: list[Constat],
) -> Iterator[tuple[str, gpd.GeoDataFrame | None]]:
    """Nom et contenu de chaque couche d'un fichier ; ``None`` pour celles d'une autre nature."""
    couches = lister_couches(fichier, Path(publie))
    for couche in couches:
        nom = couche if len(couches) > 1 else PurePosixPath(publie).stem
        if _ECARTEES.search(nom):
            yield nom, None
            continue
        lue, lus = lire_couche(
            fichier, crs, emprise=emprise, nom_couche=couche, objet=objet, colonnes=_LUES
        )
        constats += lus
        yield nom, lue


def _expliquer_absence(fichier: Path, publie: Path, crs: str, emprise: BaseGeometry) -> None:
    """Dire si des axes échangés expliquent qu'aucune zone ne soit dans le territoire.

    Le fichier est relu sans filtre d'emprise ; une couche trop longue ne l'est pas.
    """
    for couche in lister_couches(fichier, publie):
        if 0 < pyogrio.read_info(fichier, layer=couche)["features"] <= COMPTE_MAX:
            toutes, _ = lire_couche(fichier, crs, nom_couche=couche, colonnes=())
            refuser_axes_echanges(toutes, emprise, publie)


def harmoniser_zones(lue: gpd.GeoDataFrame, nom: str) -> gpd.GeoDataFrame | None:
    """Mettre une couche de zonage au schéma ; ``None`` si ce n'en est pas une.

    Parameters
    ----------
    lue
        Couche projetée.
    nom
        Nom de la couche ou du fichier, qui porte souvent la nature et le scénario.
    """
    colonnes = resoudre_colonnes(lue.columns, {}, nom, facultatives=_ALIAS)
    famille = _reconnaitre(nom, colonnes)
    if famille is None:
        return None
    textes = {
        cle: vider_manquantes(lue[colonnes[cle]])
        if cle in colonnes
        else pd.Series("", index=lue.index, dtype="str")
        for cle in _ALIAS
    }
    minimum, _ = nombres_tolerants(textes["hauteur_min_m"])
    maximum, _ = nombres_tolerants(textes["hauteur_max_m"])
    scenario = _lire_scenario(textes["scenario"], nom)
    if famille == "hauteur":
        niveau = pd.Series(
            [classe_hauteur(a, b) for a, b in zip(minimum, maximum, strict=True)],
            index=lue.index,
            dtype="str",
        )
    else:
        niveau = _NIVEAUX[famille](textes, scenario)
    table = gpd.GeoDataFrame(
        {
            "document": textes["document"].where(textes["document"] != "", _code_du_nom(nom)),
            "zone": textes["zone"].str.replace(r"\.0$", "", regex=True),
            "famille": pd.Series(famille, index=lue.index, dtype="str"),
            "niveau": niveau,
            "severite": niveau.map(lambda n: severite_de(famille, n)).astype("int8"),
            "alea": _lire_alea(textes["type_alea"], nom, famille),
            "scenario": scenario,
            "probabilite": scenario.map(PROBABILITES).astype("str"),
            "hauteur_min_m": minimum,
            "hauteur_max_m": maximum,
            "libelle": textes["libelle"],
        },
        geometry=lue.geometry.to_numpy(),
        crs=lue.crs,
    )
    # Maille « aucun débordement » des remontées de nappe : ce n'est pas une zone.
    return gpd.GeoDataFrame(table.loc[table["niveau"] != ""], crs=lue.crs).reset_index(drop=True)


def _reconnaitre(nom: str, colonnes: dict[str, str]) -> str | None:
    """Famille d'une couche : par ses colonnes si elles sont sans équivoque, sinon par son nom."""
    par_nom = next((f for motif, f in _FAMILLES if re.search(motif, nom, re.IGNORECASE)), None)
    if "typereg" in colonnes:
        return "reglement"
    if {"hauteur_min_m", "hauteur_max_m"} <= colonnes.keys():
        return "hauteur"
    if par_nom == "nappe":
        return "nappe" if "nappe" in colonnes else None
    if par_nom is not None:
        return par_nom
    if "scenario" in colonnes:
        return "tri"
    if "nivalea" in colonnes:
        return "alea"
    return None


def _niveau_reglement(
    textes: dict[str, pd.Series[str]], scenario: pd.Series[str]
) -> pd.Series[str]:
    codes = textes["typereg"].str.replace(r"\.0$", "", regex=True).str.zfill(2).map(TYPEREG)
    libelles, _ = classer_textes(
        textes["typereg"].where(textes["typereg"].str.len() > 2, textes["libelle"]),
        MOTS_REGLEMENT,
        vide="inconnu",
        defaut="inconnu",
    )
    return codes.where(codes.notna(), libelles).astype("str")


def _niveau_alea(textes: dict[str, pd.Series[str]], scenario: pd.Series[str]) -> pd.Series[str]:
    codes = textes["nivalea"].str.replace(r"\.0$", "", regex=True).str.zfill(2).map(NIVALEA_ST)
    libelles, _ = classer_textes(textes["nivalea"], MOTS_ALEA, vide="inconnu", defaut="inconnu")
    return codes.where(codes.notna(), libelles).astype("str")


def _niveau_tri(textes: dict[str, pd.Series[str]], scenario: pd.Series[str]) -> pd.Series[str]:
    return scenario.where(scenario != "", "inconnu")


def _niveau_nappe(textes: dict[str, pd.Series[str]], scenario: pd.Series[str]) -> pd.Series[str]:
    codes = textes["nappe"].str.replace(r"\.0$", "", regex=True)
    par_code = codes.map(GRIDCODE_NAPPE)
    libelles, _ = classer_textes(
        codes, (("cave", "cave"), ("debordement", "debordement")), vide="", defaut=""
    )
    return par_code.where(par_code.notna(), libelles).astype("str")


def _niveau_unique(textes: dict[str, pd.Series[str]], scenario: pd.Series[str]) -> pd.Series[str]:
    return pd.Series("zone_inondable", index=scenario.index, dtype="str")


_NIVEAUX: Final[
    dict[str, Callable[[dict[str, pd.Series[Any]], pd.Series[Any]], pd.Series[Any]]]
] = {
    "reglement": _niveau_reglement,
    "alea": _niveau_alea,
    "tri": _niveau_tri,
    "nappe": _niveau_nappe,
    "azi": _niveau_unique,
}


def _lire_scenario(textes: pd.Series[str], nom: str) -> pd.Series[str]:
    """Scénario de chaque zone, à défaut celui que porte le nom de la couche."""
    du_nom, _ = classer_textes(pd.Series([nom], dtype="str"), SCENARIOS[:4], vide="", defaut="")
    lus, _ = classer_textes(textes, SCENARIOS, vide="", defaut="")
    return lus.where(lus != "", du_nom.iloc[0])


def _lire_alea(textes: pd.Series[str], nom: str, famille: str) -> pd.Series[str]:
    if famille == "nappe":
        return pd.Series("nappe", index=textes.index, dtype="str")
    codes = textes.str.zfill(2).map(TYPES_INONDATION)
    libelles, _ = classer_textes(textes, MOTS_TYPE_INONDATION, vide="inconnu", defaut="inconnu")
    lus = codes.where(codes.notna(), libelles)
    # « …_inondable_02_02moy_s_062 » : le premier nombre est le type d'inondation.
    motif = re.search(r"(?:inondable|iso_ht)_0([123])_", nom, re.IGNORECASE)
    if motif is not None:
        lus = lus.where(lus != "inconnu", TYPES_INONDATION[f"0{motif[1]}"])
    return lus.astype("str")


def _code_du_nom(nom: str) -> str:
    """Document désigné par le nom d'une couche : code GASPAR, sinon le nom lui-même."""
    motif = re.search(r"\d{2,3}[a-z]{3,4}\d{8}", nom, re.IGNORECASE)
    return motif[0].upper() if motif else nom


def _garder_surfaces(
    table: gpd.GeoDataFrame, objet: str, constats: list[Constat]
) -> gpd.GeoDataFrame:
    """Ne garder que la part surfacique des géométries ; points et lignes sont comptés."""
    geometries = garder_polygones(shapely.force_2d(table.geometry.to_numpy()))
    surfaces = (shapely.get_dimensions(geometries) == 2) & ~shapely.is_empty(geometries)
    if not surfaces.all():
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                f"{int((~surfaces).sum())} objet(s) qui ne sont pas des surfaces, écarté(s).",
            )
        )
    propre = table.set_geometry(gpd.GeoSeries(geometries, index=table.index, crs=table.crs))
    return propre.loc[surfaces].reset_index(drop=True)


def _constater(table: gpd.GeoDataFrame, objet: str) -> list[Constat]:
    constats = []
    if table.empty:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                "aucune zone dans le territoire : cela ne veut pas dire sans risque, vérifiez que "
                "le document est celui de ce territoire.",
            )
        )
    inconnus = int((table["niveau"] == "inconnu").sum())
    if inconnus:
        constats.append(
            Constat(Gravite.MAJEUR, objet, f"{inconnus} zone(s) sans niveau reconnu (typereg…).")
        )
    return constats


def reunir_zones(tables: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Réunir des tables harmonisées, triées par famille, document et sévérité décroissante."""
    reunie = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=tables[0].crs)
    ordre = np.lexsort(
        (
            reunie["zone"].to_numpy(dtype=str),
            -reunie["severite"].to_numpy(),
            reunie["document"].to_numpy(dtype=str),
            reunie["famille"].to_numpy(dtype=str),
        )
    )
    return reunie.iloc[ordre].reset_index(drop=True)

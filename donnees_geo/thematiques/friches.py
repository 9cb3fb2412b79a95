"""Friches au standard CNIG (1.0.x), Cartofriches et inventaires locaux plus anciens.

Source du format : cnigfr/schema-friches, ``schema.json`` 1.0.3 à 1.0.6, et le pré-standard d'avril
2022 (``site_numero``, ``tup_surface``, ``comm_code``). Les colonnes qui désignent des personnes
(nom et compte du propriétaire, contact) ne sont jamais lues.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.lecture.archives import extraire_fichier
from donnees_geo.lecture.axes import TOLERANCE_COMMUNE_M, redresser_axes
from donnees_geo.lecture.codes import (
    classer_textes,
    constater_inconnus,
    nombres_tolerants,
    vider_manquantes,
)
from donnees_geo.lecture.tables import (
    ALIAS_LATITUDE,
    ALIAS_LONGITUDE,
    lire_blocs_csv,
    normaliser_nom,
    resoudre_colonnes,
)
from donnees_geo.lecture.vecteur import (
    SUFFIXES_VECTEUR,
    deviner_crs,
    lire_couche,
    reparer_geometries,
)
from donnees_geo.population import situer_dans_communes
from donnees_geo.thematiques.contexte import classer_zone_urbanisme
from donnees_geo.thematiques.friches_codes import OCCUPATIONS, POLLUTIONS, STATUTS, TYPES

_ALIAS: Final = {
    "site_id": ("site_id", "site_numero", "id_site", "identifiant"),
    "site_nom": ("site_nom", "nom_site", "friche", "nom"),
    "site_type": ("site_type", "type_friche"),
    "site_statut": ("site_statut", "statut"),
    "site_occupation": ("site_occupation", "occupation"),
    "sol_pollution_existe": ("sol_pollution_existe", "pollution"),
    "urba_zone_type": ("urba_zone_type", "zone_plu"),
    "comm_insee": ("comm_insee", "comm_code", "code_insee", "insee_com", "code_commune"),
    "unite_fonciere_surface": ("unite_fonciere_surface", "tup_surface", "surface_m2"),
    "site_reconv_annee": ("site_reconv_annee",),
}
_ALIAS_GEOMETRIE: Final = {
    "geomsurf": ("geomsurf",),
    "geompoint": ("geompoint", "wkt", "geom", "geometry"),
    "longitude": ALIAS_LONGITUDE,
    "latitude": ALIAS_LATITUDE,
}
_LUES: Final = frozenset(normaliser_nom(a) for noms in _ALIAS.values() for a in noms)
_LUES_CSV: Final = _LUES | {normaliser_nom(a) for n in _ALIAS_GEOMETRIE.values() for a in n}

#: Écart entre surface déclarée et contour au-delà duquel l'un des deux est douteux.
_ECART_SURFACE: Final = 0.25


def lire_friches(
    chemin: Path,
    crs: str,
    communes: gpd.GeoDataFrame,
    emprise: BaseGeometry,
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire un inventaire de friches et l'harmoniser.

    Parameters
    ----------
    chemin
        CSV (géométries WKT, ou longitude et latitude), GeoPackage, GeoJSON ou shapefile.
    crs
        CRS métrique du territoire.
    communes
        ``code_commune`` et ``geometry``, dans ``crs``.
    emprise
        Territoire élargi, dans ``crs`` : les sites du dehors ne sont pas gardés.

    Returns
    -------
    GeoDataFrame
        Schéma FRICHES, trié par identifiant ; le contour quand la source le donne, sinon le point.
        Les sites reconvertis y sont, hors du stock (``dans_stock`` faux).
    list of Constat

    Raises
    ------
    ErreurDonnees
        Fichier illisible, sans géométrie, ou dont aucun site n'est localisable.
    """
    objet = "couches.friches"
    constats: list[Constat] = []
    with extraire_fichier(chemin, SUFFIXES_VECTEUR) as fichier:
        if fichier.suffix.lower() in (".csv", ".txt"):
            brute = _lire_csv_friches(fichier, chemin, crs, objet, constats)
        else:
            brute, lus = lire_couche(fichier, crs, objet=objet, colonnes=_LUES)
            constats += lus
    table = _renommer(brute, chemin)
    table = _placer(table, communes, emprise, objet, constats)
    attributs = _harmoniser(table, objet, constats)
    attributs["friche"] = _identifiants(table, objet, constats)
    rang = situer_dans_communes(shapely.point_on_surface(table.geometry.to_numpy()), communes)
    codes = np.append(communes["code_commune"].to_numpy(dtype=object), "")
    attributs["code_commune"] = pd.Series(codes[rang], index=table.index, dtype="str")
    colonnes = [
        "friche", "nom", "type", "statut", "dans_stock", "occupation", "pollution",
        "zone_urbanisme", "code_commune", "surface_ha", "surface_origine",
    ]  # fmt: skip
    resultat = gpd.GeoDataFrame(attributs[colonnes], geometry=table.geometry.to_numpy(), crs=crs)
    resultat = resultat.sort_values("friche", kind="stable", ignore_index=True)
    return resultat, constats + _compter_stock(resultat, objet)


def _lire_csv_friches(
    fichier: Path, publie: Path, crs: str, objet: str, constats: list[Constat]
) -> gpd.GeoDataFrame:
    """Lire un CSV : contour WKT, à défaut point WKT, à défaut longitude et latitude."""
    blocs = lire_blocs_csv(
        fichier,
        colonnes=lambda nom: normaliser_nom(nom) in _LUES_CSV,
        guillemets_echappes=True,
    )
    table = pd.concat(blocs, ignore_index=True)
    if table.empty:
        raise ErreurDonnees("L'inventaire de friches ne contient aucun site.", objet=publie)
    trouvees = resoudre_colonnes(table.columns, {}, publie, facultatives=_ALIAS_GEOMETRIE)
    degres = {"longitude", "latitude"} <= trouvees.keys()
    if not degres and not {"geomsurf", "geompoint"} & trouvees.keys():
        raise ErreurDonnees(
            "L'inventaire de friches ne porte pas de géométrie.",
            objet=publie,
            attendu="geompoint ou geomsurf (WKT), ou longitude et latitude",
            trouve=", ".join(map(str, table.columns[:20])) or "aucune colonne reconnue",
        )
    geometries = np.full(len(table), None, dtype=object)
    illisibles = np.zeros(len(table), dtype=bool)
    for nom in ("geomsurf", "geompoint"):
        if nom in trouvees:
            textes = vider_manquantes(table[trouvees[nom]])
            textes = textes.str.replace(r"^SRID=\d+;", "", regex=True)
            presents = (textes != "").to_numpy()
            bruts = textes.to_numpy(dtype=object, copy=True)
            bruts[~presents] = None
            lues = shapely.from_wkt(bruts, on_invalid="ignore")
            illisibles |= presents & shapely.is_missing(lues)
            lues[shapely.is_empty(lues)] = None
            geometries = np.where(shapely.is_missing(geometries), lues, geometries)
    if degres:
        lon, _ = nombres_tolerants(table[trouvees["longitude"]])
        lat, _ = nombres_tolerants(table[trouvees["latitude"]])
        points = np.asarray(shapely.points(lon.to_numpy(), lat.to_numpy()), dtype=object)
        points[(lon.isna() | lat.isna()).to_numpy()] = None
        geometries = np.where(shapely.is_missing(geometries), points, geometries)
    place = ~shapely.is_missing(geometries)
    noms = _nommer_sites(table, publie)
    for masque, constat in (
        (illisibles, "géométrie(s) WKT illisible(s)"),
        (~place, "site(s) sans géométrie, écarté(s)"),
    ):
        if masque.any():
            texte = f"{int(masque.sum())} {constat} : {_enumerer(noms[masque].tolist())}."
            constats.append(Constat(Gravite.MAJEUR, objet, texte))
    if not place.any():
        raise ErreurDonnees("Aucun site de l'inventaire n'est localisé.", objet=publie)
    source = _crs_des_textes(geometries[place], publie)
    brute = gpd.GeoDataFrame(
        table.loc[place].drop(columns=list(trouvees.values())),
        geometry=shapely.force_2d(geometries[place]),
        crs=source,
    ).to_crs(crs)
    finies = np.isfinite(brute.geometry.bounds.to_numpy()).all(axis=1)
    if not finies.all():
        texte = (
            f"{int((~finies).sum())} site(s) dont les coordonnées ne se projettent pas, "
            f"écarté(s) : {_enumerer(noms[place][~finies].tolist())}."
        )
        constats.append(Constat(Gravite.MAJEUR, objet, texte))
    return reparer_geometries(brute.loc[finies], objet, constats)


def _nommer_sites(table: pd.DataFrame, publie: Path) -> NDArray[np.object_]:
    """Identifiant de chaque ligne, à défaut son rang dans le fichier (1 : la première)."""
    trouvees = resoudre_colonnes(
        table.columns, {}, publie, facultatives={"site_id": _ALIAS["site_id"]}
    )
    rangs = np.array([f"ligne {rang + 1}" for rang in range(len(table))], dtype=object)
    if "site_id" not in trouvees:
        return rangs
    noms = vider_manquantes(table[trouvees["site_id"]]).to_numpy(dtype=object)
    return np.where(noms == "", rangs, noms)


def _crs_des_textes(geometries: NDArray[np.object_], publie: Path) -> int:
    """CRS des géométries WKT, reconnu à leur position médiane, axes échangés admis."""
    x, y = np.median(shapely.get_coordinates(shapely.centroid(geometries)), axis=0)
    code = deviner_crs((x, y, x, y)) or deviner_crs((y, x, y, x))
    if code is None:
        raise ErreurDonnees(
            "Le système de coordonnées des friches n'est pas reconnu.",
            objet=publie,
            attendu="des degrés (EPSG:4326) ou du Lambert-93 (EPSG:2154)",
            trouve=f"position médiane {x:g}, {y:g}",
        )
    return code


def _renommer(brute: gpd.GeoDataFrame, publie: Path) -> gpd.GeoDataFrame:
    """Colonnes du standard, vides quand la source ne les a pas."""
    trouvees = resoudre_colonnes(brute.columns, {}, publie, facultatives=_ALIAS)
    vide = pd.Series("", index=brute.index, dtype="str")
    table = {
        nom: vider_manquantes(brute[trouvees[nom]]) if nom in trouvees else vide for nom in _ALIAS
    }
    # Ce qui est une surface ou un code lu comme nombre (GeoPackage) redevient un texte net.
    table["comm_insee"] = table["comm_insee"].str.replace(r"\.0$", "", regex=True).str.zfill(5)
    table["comm_insee"] = table["comm_insee"].where(table["comm_insee"] != "00000", "")
    return gpd.GeoDataFrame(table, geometry=brute.geometry.to_numpy(), crs=brute.crs)


def _placer(
    table: gpd.GeoDataFrame,
    communes: gpd.GeoDataFrame,
    emprise: BaseGeometry,
    objet: str,
    constats: list[Constat],
) -> gpd.GeoDataFrame:
    """Redresser les axes échangés, garder les sites de l'emprise, dire ceux qui sont mal placés."""
    rang = pd.Index(communes["code_commune"]).get_indexer(table["comm_insee"])
    # -1 (commune hors du territoire ou inconnue) désigne l'emprise, ajoutée au bout.
    cibles = np.append(communes.geometry.to_numpy(), np.array([emprise], dtype=object))[rang]
    table, redresses = redresser_axes(table, cibles)
    if redresses.any():
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                f"{int(redresses.sum())} site(s) aux axes échangés (latitude avant longitude), "
                "remis dans leur commune.",
            )
        )
    dedans = shapely.intersects(table.geometry.to_numpy(), emprise)
    ailleurs = (rang >= 0) & ~(
        shapely.distance(table.geometry.to_numpy(), cibles) <= TOLERANCE_COMMUNE_M
    )
    if ailleurs.any():
        noms = ", ".join(table.loc[ailleurs, "site_id"].head(5))
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                f"{int(ailleurs.sum())} site(s) à plus de {TOLERANCE_COMMUNE_M / 1000:.0f} km de "
                f"la commune déclarée ({noms}) : leur position est gardée, vérifiez comm_insee.",
            )
        )
    if not dedans.any():
        constats.append(Constat(Gravite.MAJEUR, objet, "aucun site dans le territoire."))
    elif not dedans.all():
        # Un inventaire départemental ou national en a toujours : ce n'est pas une faute.
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{int((~dedans).sum())} site(s) hors du territoire élargi, laissé(s).",
            )
        )
    return table.loc[dedans].reset_index(drop=True)


def _harmoniser(table: gpd.GeoDataFrame, objet: str, constats: list[Constat]) -> pd.DataFrame:
    """Attributs du schéma, hors identifiant et commune."""
    codes: dict[str, pd.Series[Any]] = {"nom": table["site_nom"]}
    for nom, colonne, motifs, vide, defaut in (
        ("type", "site_type", TYPES, "inconnu", "autre"),
        ("statut", "site_statut", STATUTS, "inconnu", "autre"),
        ("occupation", "site_occupation", OCCUPATIONS, "", "autre"),
        ("pollution", "sol_pollution_existe", POLLUTIONS, "inconnue", "inconnue"),
    ):
        codes[nom], inconnus = classer_textes(table[colonne], motifs, vide=vide, defaut=defaut)
        constats += constater_inconnus(objet, colonne, inconnus)
    # Une année de reconversion passée vaut statut quand celui-ci n'est pas rempli.
    reconvertie = (codes["statut"] == "inconnu") & table["site_reconv_annee"].str.fullmatch(
        r"\d{4}"
    )
    codes["statut"] = codes["statut"].mask(reconvertie, "reconvertie")
    codes["dans_stock"] = codes["statut"] != "reconvertie"
    codes["zone_urbanisme"] = classer_zone_urbanisme(table["urba_zone_type"])
    codes["surface_ha"], codes["surface_origine"] = _mesurer(table, objet, constats)
    return pd.DataFrame(codes)


def _mesurer(
    table: gpd.GeoDataFrame, objet: str, constats: list[Constat]
) -> tuple[pd.Series[float], pd.Series[str]]:
    """Surface de chaque site (ha) et son origine : contour mesuré, sinon déclarée."""
    geometries = table.geometry.to_numpy()
    contour_m2 = pd.Series(shapely.area(geometries), index=table.index)
    avec_contour = contour_m2 > 0
    declaree_m2, illisibles = nombres_tolerants(table["unite_fonciere_surface"])
    refusees = illisibles + int((declaree_m2 <= 0).sum())
    declaree_m2 = declaree_m2.where(declaree_m2 > 0)
    if refusees:
        texte = (
            f"{refusees} surface(s) déclarée(s) illisible(s), nulle(s) ou négative(s), ignorée(s)."
        )
        constats.append(Constat(Gravite.MINEUR, objet, texte))
    ecarts = (declaree_m2 / contour_m2.where(avec_contour) - 1).abs() > _ECART_SURFACE
    if ecarts.any():
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{int(ecarts.sum())} site(s) dont la surface déclarée s'écarte de plus de "
                f"{_ECART_SURFACE:.0%} du contour : celle du contour est gardée.".replace(
                    "%", " %"
                ),
            )
        )
    surface = contour_m2.where(avec_contour, declaree_m2) / 10_000
    origine = pd.Series("inconnue", index=table.index, dtype="str")
    origine = origine.mask(declaree_m2.notna(), "declaree").mask(avec_contour, "contour")
    return surface, origine


def _identifiants(table: gpd.GeoDataFrame, objet: str, constats: list[Constat]) -> pd.Series[str]:
    """Identifiants uniques ; les absents sont construits, les répétés numérotés."""
    identifiants = table["site_id"].str.replace(r"\.0$", "", regex=True)
    absents = identifiants == ""
    if absents.any():
        constats.append(
            Constat(Gravite.MINEUR, objet, f"{int(absents.sum())} site(s) sans site_id, numérotés.")
        )
        numeros = pd.Series(np.arange(1, len(table) + 1).astype(str), index=table.index)
        identifiants = identifiants.mask(absents, "sans-id-" + numeros)
    rang = identifiants.groupby(identifiants).cumcount()
    repetes = sorted(identifiants[rang > 0].unique())
    if repetes:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                f"{len(repetes)} site_id répété(s) ({_enumerer(repetes)}) : tous les sites sont "
                "gardés, les suivants numérotés #2, #3… Corrigez l'inventaire.",
            )
        )
    numerotes: pd.Series[str] = identifiants + "#" + (rang + 1).astype("str")
    uniques: pd.Series[str] = identifiants.where(rang == 0, numerotes)
    return uniques


def _enumerer(textes: Sequence[str]) -> str:
    return ", ".join(textes[:5]) + (" …" if len(textes) > 5 else "")


def _compter_stock(friches: gpd.GeoDataFrame, objet: str) -> list[Constat]:
    dedans = friches.loc[friches["code_commune"] != ""]
    stock = dedans.loc[dedans["dans_stock"]]
    hectares = f"{stock['surface_ha'].sum():.1f}".replace(".", ",")
    sans_contour = int((stock["surface_origine"] != "contour").sum())
    return [
        Constat(
            Gravite.MINEUR,
            objet,
            f"{len(stock)} friches dans le territoire ({hectares} ha), dont {sans_contour} sans "
            f"contour ; {len(dedans) - len(stock)} site(s) reconverti(s), hors du stock.",
        )
    ]

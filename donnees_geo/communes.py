"""Communes du territoire : contours, codes, population municipale."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.lecture.tables import lire_nombres, resoudre_colonnes
from donnees_geo.lecture.vecteur import lire_couche

#: Admin Express (≤ 3-2 et 4-0), geo.api.gouv.fr, contours d'Etalab, INSEE.
ALIAS_CODE: Final = (
    "code_commune",
    "code_insee",
    "insee_com",
    "code",
    "insee",
    "codgeo",
    "depcom",
    "com",
    "id_commune",
)
ALIAS_NOM: Final = (
    "nom_cog",
    "nom_officiel",
    "nom_commune",
    "nom",
    "libgeo",
    "libelle",
    "nom_com",
    "name",
)
ALIAS_POPULATION: Final = (
    "population_hab",
    "pop_municipale",
    "population_municipale",
    "pmun",
    "population",
    "pop",
)
#: Part de surface commune au-delà de laquelle deux contours se chevauchent vraiment.
_CHEVAUCHEMENT_PART: Final = 0.005


def lire_communes(
    chemin: Path, crs: str, codes: Sequence[str] = ()
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire les communes.

    Parameters
    ----------
    chemin
        Couche de polygones : GeoJSON, GeoPackage (Admin Express 4-0), shapefile (Admin Express
        3-2), nue ou archivée.
    crs
        CRS métrique du territoire.
    codes
        Codes à garder ; vide : toutes les communes du fichier.

    Returns
    -------
    GeoDataFrame
        Colonnes ``code_commune`` (texte), ``nom``, ``population_hab`` (float64, NaN si la source
        ne la donne pas), ``geometry`` ; triée par code, index 0…n-1.
    list of Constat

    Raises
    ------
    ErreurDonnees
        Centres au lieu de contours, commune sans contour, colonne absente, code vide ou répété,
        code demandé inconnu, population négative.
    """
    # Une commune écartée perdrait ses habitants ; un fichier national peut en avoir ailleurs.
    brute, constats = lire_couche(
        chemin, crs, nom_couche="commune", objet="communes", vides_admis=bool(codes)
    )
    _refuser_centres(brute, chemin)
    trouvees = resoudre_colonnes(
        brute.columns,
        {"code_commune": ALIAS_CODE},
        chemin,
        facultatives={"nom": ALIAS_NOM, "population_hab": ALIAS_POPULATION},
    )
    code = normaliser_codes(brute[trouvees["code_commune"]])
    nom = brute[trouvees["nom"]].astype("str") if "nom" in trouvees else code
    population = pd.Series(np.nan, index=brute.index)
    if "population_hab" in trouvees:
        population = lire_nombres(brute[trouvees["population_hab"]], "population", chemin)
    communes = gpd.GeoDataFrame(
        {"code_commune": code, "nom": nom, "population_hab": population},
        geometry=brute.geometry.to_numpy(),
        crs=crs,
    )
    # Le filtre vient avant les contrôles : un fichier national n'est jugé que sur le territoire.
    communes = _garder(communes, codes, chemin)
    _verifier(communes, chemin)
    constats += _constater(communes)
    return communes.sort_values("code_commune", ignore_index=True), constats


def normaliser_codes(valeurs: pd.Series[Any]) -> pd.Series[str]:
    """Rendre les codes de communes en texte, zéros de tête compris.

    Un code lu comme nombre (``1004``, ``62119.0``) retrouve ses cinq caractères ; un texte n'est
    que débarrassé de ses espaces.

    Examples
    --------
    >>> normaliser_codes(pd.Series([1004, 62119])).tolist()
    ['01004', '62119']
    >>> normaliser_codes(pd.Series(["2A041 ", "bairro-7"])).tolist()
    ['2A041', 'bairro-7']
    """
    if pd.api.types.is_numeric_dtype(valeurs):
        entiers = valeurs.round().astype("Int64")
        textes = entiers.astype("string").str.zfill(5).fillna("")
        return textes.astype("str")
    textes = valeurs.fillna("").astype("str").str.strip()
    return textes.str.replace(r"^(\d{4,5})\.0$", r"\1", regex=True)


def _refuser_centres(brute: gpd.GeoDataFrame, chemin: Path) -> None:
    types = set(brute.geometry.geom_type)
    if types <= {"Polygon", "MultiPolygon"}:
        return
    conseil = None
    if "Point" in types:
        conseil = "à geo.api.gouv.fr, demandez « geometry=contour » : sinon il rend les centres"
    raise ErreurDonnees(
        "Les communes ne sont pas des contours.",
        objet=chemin,
        attendu="Polygon ou MultiPolygon",
        trouve=", ".join(sorted(types)),
        conseil=conseil,
    )


def _garder(communes: gpd.GeoDataFrame, codes: Sequence[str], chemin: Path) -> gpd.GeoDataFrame:
    if not codes:
        return communes
    inconnus = sorted(set(codes) - set(communes["code_commune"]))
    if inconnus:
        raise ErreurDonnees(
            f"{len(inconnus)} code(s) de commune de l'emprise inconnu(s) du découpage.",
            objet=chemin,
            trouve=", ".join(inconnus[:20]),
            conseil="vérifiez les codes, ou l'année du découpage (communes fusionnées)",
        )
    return communes.loc[communes["code_commune"].isin(list(codes))].reset_index(drop=True)


def _verifier(communes: gpd.GeoDataFrame, chemin: Path) -> None:
    vides = communes["code_commune"].isin(["", "None", "nan"])
    if vides.any():
        raise ErreurDonnees(
            f"{int(vides.sum())} commune(s) sans code.",
            objet=chemin,
            trouve=", ".join(communes.loc[vides, "nom"].head(10)),
        )
    repetes = communes.loc[communes["code_commune"].duplicated(), "code_commune"].unique()
    if len(repetes):
        raise ErreurDonnees(
            f"{len(repetes)} code(s) de commune répété(s).",
            objet=chemin,
            trouve=", ".join(sorted(repetes)[:20]),
            conseil="gardez un contour par commune (communes déléguées, arrondissements)",
        )
    negatives = communes["population_hab"] < 0
    if negatives.any():
        raise ErreurDonnees(
            "Population de commune négative.",
            objet=chemin,
            trouve=", ".join(communes.loc[negatives, "code_commune"].head(10)),
        )


def _constater(communes: gpd.GeoDataFrame) -> list[Constat]:
    constats = []
    sans = communes["population_hab"].isna()
    if sans.any():
        combien = "aucune commune n'a" if sans.all() else f"{int(sans.sum())} commune(s) n'ont pas"
        constats.append(Constat(Gravite.MINEUR, "communes", f"{combien} de population."))
    geometries = communes.geometry.to_numpy()
    somme = float(shapely.area(geometries).sum())
    reunion = shapely.union_all(geometries).area
    if somme - reunion > _CHEVAUCHEMENT_PART * reunion:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                "communes",
                f"des contours se chevauchent sur {100 * (somme - reunion) / reunion:.0f} % de la "
                "surface : un habitant n'y est compté que dans une commune.",
            )
        )
    return constats

"""Commerces actifs du répertoire SIRENE, lus en flux.

Deux livraisons conviennent : le fichier géocodé d'Etalab (``geo_siret_62.csv.gz``, coordonnées
comprises) ; ou le stock national des établissements accompagné de sa géolocalisation par l'INSEE
(38 millions de lignes), joints sur le SIRET. Aucun nom de personne n'est repris : seules les
enseignes le sont, et rien d'un établissement dont la diffusion est partielle.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from donnees_geo.conventions import CRS_GEO
from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.lecture.flux import lire_blocs_arrow, lire_entete
from donnees_geo.lecture.tables import normaliser_nom
from donnees_geo.thematiques.commerces_categories import Categorie

_ALIAS: Final = {
    "siret": ("siret",),
    "naf": ("activitePrincipaleEtablissement",),
    "etat": ("etatAdministratifEtablissement",),
}
_FACULTATIVES: Final = {
    "diffusion": ("statutDiffusionEtablissement",),
    "enseigne": ("enseigne1Etablissement",),
    "lon": ("longitude", "x_longitude"),
    "lat": ("latitude", "y_latitude"),
    "score": ("geo_score",),
}
_ALIAS_POSITIONS: Final = {
    "siret": ("siret",),
    "lon": ("x_longitude", "longitude"),
    "lat": ("y_latitude", "latitude"),
}
#: Score de géocodage BAN en deçà duquel la position est au mieux celle de la commune.
_SCORE_MIN: Final = 0.4


def est_sirene(chemin: Path) -> bool:
    """Vrai si une table a les colonnes du stock des établissements SIRENE."""
    try:
        noms = {normaliser_nom(c) for c in lire_entete(chemin)}
    except ErreurDonnees:
        return False
    return {"siret", normaliser_nom(_ALIAS["naf"][0])} <= noms


def lire_sirene(
    chemin: Path,
    positions: Path | None,
    crs: str,
    emprise: BaseGeometry,
    categories: Sequence[Categorie],
    objet: str = "couches.commerces",
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire les commerces en activité situés dans une emprise.

    Parameters
    ----------
    chemin
        Stock des établissements (CSV, gzip, zip ou Parquet), géocodé ou non.
    positions
        Géolocalisation de l'INSEE, quand ``chemin`` n'a pas de coordonnées.
    crs, emprise
        CRS métrique et territoire élargi.
    categories
        Catalogue ; les codes NAF rév. 2 s'écrivent avec leur point.

    Returns
    -------
    GeoDataFrame
        Schéma COMMERCES sans ``code_commune``, ``source`` = « sirene », aucun local vacant.
    list of Constat

    Raises
    ------
    ErreurDonnees
        Colonne absente, fichier illisible, ou aucune coordonnée.
    """
    par_naf = {code: c.id for c in categories for code in c.codes_naf}
    constats: list[Constat] = []
    actifs = _lire_actifs(chemin, sorted(par_naf))
    if "lon" not in actifs or "lat" not in actifs:
        if positions is None:
            raise ErreurDonnees(
                "Le fichier SIRENE n'a pas de coordonnées.",
                objet=chemin,
                attendu="longitude et latitude (geo_siret_62.csv.gz)",
                conseil="prenez le fichier géocodé, ou ajoutez commerces_positions = « Geolocalis"
                "ationEtablissement… » dans [couches]",
            )
        # À gauche : un établissement sans position est compté avec ceux qui n'en ont pas de sûre.
        situes = _lire_positions(positions, actifs["siret"].tolist())
        actifs = actifs.merge(situes, on="siret", how="left")
    lon, lat = (pd.to_numeric(actifs[c], errors="coerce") for c in ("lon", "lat"))
    place = lon.notna() & lat.notna()
    if "score" in actifs:
        place &= ~(pd.to_numeric(actifs["score"], errors="coerce") < _SCORE_MIN)
    if not place.all():
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{int((~place).sum())} établissement(s) sans position sûre, écarté(s).",
            )
        )
    vers = Transformer.from_crs(CRS_GEO, crs, always_xy=True)
    x, y = vers.transform(lon[place].to_numpy(), lat[place].to_numpy())
    dedans = np.isfinite(x) & np.isfinite(y)
    dedans[dedans] = shapely.intersects_xy(emprise, x[dedans], y[dedans])
    garde = actifs.loc[place].loc[dedans]
    noms = garde["enseigne"] if "enseigne" in garde else pd.Series("", garde.index, dtype="str")
    if "diffusion" in garde:
        noms = noms.where(garde["diffusion"] == "O", "")
    table = gpd.GeoDataFrame(
        {
            "commerce": "sirene:" + garde["siret"],
            "nom": noms.replace("[ND]", "").astype("str"),
            "categorie": garde["naf"].map(par_naf).astype("str"),
            "vacant": np.zeros(len(garde), dtype=bool),
            "source": pd.Series("sirene", index=garde.index, dtype="str"),
        },
        geometry=np.asarray(shapely.points(x[dedans], y[dedans])),
        crs=crs,
    ).reset_index(drop=True)
    if table.empty:
        constats.append(
            Constat(Gravite.MAJEUR, objet, f"aucun commerce de {chemin.name} dans le territoire.")
        )
    return table, constats


def _lire_actifs(chemin: Path, codes: Sequence[str]) -> pd.DataFrame:
    """Établissements en activité d'un commerce connu, d'un fichier qui peut être national."""
    voulus = pa.array(codes, pa.string())
    morceaux = []
    for bloc in lire_blocs_arrow(chemin, _ALIAS, facultatives=_FACULTATIVES):
        garde = pc.and_(pc.equal(bloc["etat"], "A"), pc.is_in(bloc["naf"], voulus))
        morceaux.append(_en_pandas(bloc.filter(garde)))
    return pd.concat(morceaux, ignore_index=True)


def _lire_positions(chemin: Path, sirets: Sequence[str]) -> pd.DataFrame:
    voulus = pa.array(sirets, pa.string())
    morceaux = [
        _en_pandas(bloc.filter(pc.is_in(bloc["siret"], voulus)))
        for bloc in lire_blocs_arrow(chemin, _ALIAS_POSITIONS)
    ]
    return pd.concat(morceaux, ignore_index=True).drop_duplicates("siret")


def _en_pandas(bloc: Any) -> pd.DataFrame:
    table: pd.DataFrame = bloc.to_pandas()
    return table.astype("str")

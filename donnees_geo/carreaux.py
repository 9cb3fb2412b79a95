"""Carreaux de population Filosofi (INSEE), tous millésimes, et grille régulière."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.dataset as jeu_arrow
import pyogrio
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from donnees_geo.conventions import COLONNES_AGES, COLONNES_MENAGES
from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.lecture.archives import extraire_fichier
from donnees_geo.lecture.tables import lire_blocs_csv, lire_nombres, resoudre_colonnes

_SUFFIXES: Final = (".csv", ".gpkg", ".shp", ".parquet")
#: Un zip de l'INSEE réunit métropole, Martinique et Réunion : la métropole l'emporte.
_PREFERES: Final = (r"200m", r"met(?![a-z])|metropole")
_MOTIF_ID: Final = re.compile(r"CRS(\d+)RES(\d+)mN(-?\d+)E(-?\d+)")
_ALIAS_ID: Final = ("idcar_200m", "id_inspire", "idinspire", "id_carr", "idcar")
_ALIAS: Final = {"carreau": _ALIAS_ID, "population_hab": ("ind", "ind_c", "population_hab")}
_ALIAS_FACULTATIFS: Final = {
    "impute": ("i_est_200", "i_est_cr", "i_car_est"),
    "codes_communes": ("lcog_geo", "depcom"),
    **{nom: (nom,) for nom in (*COLONNES_AGES, *COLONNES_MENAGES)},
}
_LIGNES_PAR_BLOC: Final = 200_000


def lire_carreaux_filosofi(
    chemin: Path, crs: str, emprise: BaseGeometry
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire les carreaux Filosofi dont le carré touche l'enveloppe d'une emprise.

    Le carré est reconstruit d'après son identifiant (coin sud-ouest, N avant E), jamais repris de
    la géométrie publiée : les éditions GeoPackage et shapefile sont en Lambert-93.

    Parameters
    ----------
    chemin
        CSV, GeoPackage, shapefile ou Parquet, nu ou dans ses archives (zip, 7z dans un zip).
    crs
        CRS métrique du territoire.
    emprise
        Géométrie dans ``crs``.

    Returns
    -------
    GeoDataFrame
        ``carreau``, ``population_hab``, ``impute``, ``codes_communes`` (tuple de codes INSEE, vide
        si la source n'en donne pas), tranches d'âge et ménages présents (float64), ``geometry``
        dans ``crs``. Index 0…n-1, trié par identifiant.
    list of Constat

    Raises
    ------
    ErreurDonnees
        Colonne absente, identifiant illisible, population négative ou vide, carreau répété,
        aucun carreau dans l'emprise.

    Notes
    -----
    Source : INSEE, Filosofi carroyé à 200 m, dessins de fichiers 2010, 2015, 2017, 2019 et 2021.
    """
    morceaux = []
    lignes = 0
    with extraire_fichier(chemin, _SUFFIXES, _PREFERES) as fichier:
        for bloc in _lire_blocs(fichier, chemin, crs, emprise):
            lignes += len(bloc)
            morceaux.append(_retenir(_harmoniser(bloc, chemin), crs, emprise, chemin))
    table = pd.concat(morceaux, ignore_index=True) if morceaux else pd.DataFrame()
    if table.empty:
        raise ErreurDonnees(
            "Aucun carreau de population dans le territoire.",
            objet=chemin,
            trouve=f"{lignes} carreau(x), tous ailleurs",
            conseil="vérifiez que le fichier couvre le territoire (métropole, Réunion, Martinique)",
        )
    _verifier(table, chemin)
    table = table.sort_values("carreau", ignore_index=True)
    cotes, _, _, _ = _decoder(table["carreau"], chemin)
    geometries = construire_carres(table["carreau"], crs, chemin)
    carreaux = gpd.GeoDataFrame(table, geometry=geometries, crs=crs)
    return carreaux, _constater(carreaux, cotes)


def construire_carres(identifiants: pd.Series[str], crs: str, objet: object) -> NDArray[np.object_]:
    """Reconstruire les carrés d'après leurs identifiants INSPIRE.

    Parameters
    ----------
    identifiants
        ``CRS3035RES200mN2893400E3763200`` : CRS, côté en mètres, ordonnée et abscisse du coin
        sud-ouest.
    crs
        CRS des polygones rendus.

    Raises
    ------
    ErreurDonnees
        Identifiant d'une autre forme, ou CRS inconnu.
    """
    cotes, nords, ests, codes = _decoder(identifiants, objet)
    polygones = np.empty(len(identifiants), dtype=object)
    for code in np.unique(codes):
        choisis = codes == code
        est, nord, cote = ests[choisis], nords[choisis], cotes[choisis]
        x = np.column_stack([est, est + cote, est + cote, est])
        y = np.column_stack([nord, nord, nord + cote, nord + cote])
        px, py = _transformateur(int(code), crs, objet).transform(x.ravel(), y.ravel())
        sommets = np.stack([px, py], axis=-1).reshape(-1, 4, 2)
        polygones[choisis] = shapely.polygons(sommets)
    return polygones


def decouper_codes_communes(texte: str) -> tuple[str, ...]:
    """Séparer les codes INSEE d'un ``lcog_geo``, accolés (2017, 2019) ou à virgules (2021).

    Examples
    --------
    >>> decouper_codes_communes("7737393051")
    ('77373', '93051')
    >>> decouper_codes_communes("2A041,2A247")
    ('2A041', '2A247')
    >>> decouper_codes_communes("")
    ()
    """
    propre = texte.strip().strip('"')
    if "," in propre:
        return tuple(c.strip() for c in propre.split(",") if c.strip())
    return tuple(propre[i : i + 5] for i in range(0, len(propre), 5))


def construire_grille(contour: BaseGeometry, pas_m: float = 200.0) -> gpd.GeoDataFrame:
    """Construire la grille régulière dont le centre des carrés tombe dans un contour.

    La grille est calée sur les multiples du pas : deux territoires voisins partagent leurs carrés.

    Parameters
    ----------
    contour
        Géométrie dans un CRS métrique.
    pas_m
        Côté, mètres.

    Returns
    -------
    GeoDataFrame
        ``carreau`` (``G200N<ordonnée>E<abscisse>`` du coin sud-ouest) et ``geometry``, sans CRS.
    """
    xmin, ymin, xmax, ymax = np.asarray(contour.bounds) / pas_m
    colonnes = np.arange(np.floor(xmin), np.ceil(xmax)) * pas_m
    rangs = np.arange(np.floor(ymin), np.ceil(ymax)) * pas_m
    est, nord = (g.ravel() for g in np.meshgrid(colonnes, rangs))
    shapely.prepare(contour)
    dedans = shapely.contains_xy(contour, est + pas_m / 2, nord + pas_m / 2)
    est, nord = est[dedans], nord[dedans]
    return gpd.GeoDataFrame(
        {"carreau": nommer_carres(est, nord, pas_m)},
        geometry=np.asarray(shapely.box(est, nord, est + pas_m, nord + pas_m)),
    )


def nommer_carres(
    est: NDArray[np.float64], nord: NDArray[np.float64], pas_m: float
) -> pd.Series[str]:
    """Nommer des carrés de grille d'après leur coin sud-ouest, en mètres."""
    abscisses = pd.Series(est).astype("int64").astype("str")
    ordonnees = pd.Series(nord).astype("int64").astype("str")
    return f"G{pas_m:g}N" + ordonnees + "E" + abscisses


def _lire_blocs(
    fichier: Path, publie: Path, crs: str, emprise: BaseGeometry
) -> Iterator[pd.DataFrame]:
    """Blocs de la table, colonnes de la source, sans géométrie."""
    suffixe = fichier.suffix.lower()
    if suffixe == ".parquet":
        jeu = jeu_arrow.dataset(fichier, format="parquet")
        gardees = _colonnes_utiles(jeu.schema.names, publie)
        for lot in jeu.to_batches(columns=gardees, batch_size=_LIGNES_PAR_BLOC):
            yield lot.to_pandas()
    elif suffixe in (".csv", ".txt", ".gz"):
        for bloc in lire_blocs_csv(fichier, lignes_par_bloc=_LIGNES_PAR_BLOC):
            yield bloc[_colonnes_utiles(bloc.columns, publie)]
    else:
        yield from _lire_ogr(fichier, publie, crs, emprise)


def _lire_ogr(
    fichier: Path, publie: Path, crs: str, emprise: BaseGeometry
) -> Iterator[pd.DataFrame]:
    try:
        couches = [str(c) for c, _ in pyogrio.list_layers(fichier)]
        for motif in _PREFERES:
            if len(couches) > 1:
                couches = [c for c in couches if re.search(motif, c, re.IGNORECASE)] or couches
        infos = pyogrio.read_info(fichier, layer=couches[0])
        boite = None
        if infos["crs"] is not None:
            vers = Transformer.from_crs(crs, infos["crs"], always_xy=True)
            boite = vers.transform_bounds(*emprise.bounds, densify_pts=21)
        yield pyogrio.read_dataframe(
            fichier,
            layer=couches[0],
            columns=_colonnes_utiles(infos["fields"], publie),
            read_geometry=False,
            bbox=boite,
        )
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as erreur:
        raise ErreurDonnees(
            "Fichier de carreaux illisible ou tronqué.", objet=publie, trouve=str(erreur)
        ) from erreur


def _colonnes_utiles(presentes: Any, publie: Path) -> list[str]:
    trouvees = resoudre_colonnes(presentes, _ALIAS, publie, facultatives=_ALIAS_FACULTATIFS)
    return list(dict.fromkeys(trouvees.values()))


def _harmoniser(bloc: pd.DataFrame, publie: Path) -> pd.DataFrame:
    trouvees = resoudre_colonnes(bloc.columns, _ALIAS, publie, facultatives=_ALIAS_FACULTATIFS)
    inverse = {source: nom for nom, source in trouvees.items()}
    return bloc.rename(columns=inverse)[list(trouvees)]


def _retenir(bloc: pd.DataFrame, crs: str, emprise: BaseGeometry, publie: Path) -> pd.DataFrame:
    """Garder les carrés qui touchent l'enveloppe de l'emprise, et typer leurs colonnes."""
    cotes, nords, ests, codes = _decoder(bloc["carreau"], publie)
    garde = np.zeros(len(bloc), dtype=bool)
    for code in np.unique(codes):
        vers = _transformateur(crs, int(code), publie)
        xmin, ymin, xmax, ymax = vers.transform_bounds(*emprise.bounds, densify_pts=21)
        garde |= (
            (codes == code)
            & (ests + cotes > xmin)
            & (ests < xmax)
            & (nords + cotes > ymin)
            & (nords < ymax)
        )
    retenu = bloc.loc[garde].reset_index(drop=True)
    nombres = [c for c in retenu.columns if c not in ("carreau", "impute", "codes_communes")]
    table = pd.DataFrame({"carreau": retenu["carreau"].astype("str")})
    for colonne in nombres:
        table[colonne] = lire_nombres(retenu[colonne], colonne, publie)
    if "impute" in retenu:
        table["impute"] = lire_nombres(_sans_guillemets(retenu["impute"]), "impute", publie) == 1
    else:
        table["impute"] = False
    textes = retenu["codes_communes"] if "codes_communes" in retenu else pd.Series("", retenu.index)
    table["codes_communes"] = textes.fillna("").astype("str").map(decouper_codes_communes)
    return table


def _sans_guillemets(valeurs: pd.Series[Any]) -> pd.Series[Any]:
    if pd.api.types.is_numeric_dtype(valeurs):
        return valeurs
    return valeurs.astype("str").str.strip('"')


def _decoder(
    identifiants: pd.Series[str], objet: object
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Côté, ordonnée, abscisse et code EPSG de chaque identifiant."""
    parties = identifiants.astype("str").str.extract(f'^"?{_MOTIF_ID.pattern}"?$')
    fautifs = parties[0].isna()
    if fautifs.any():
        raise ErreurDonnees(
            f"{int(fautifs.sum())} identifiant(s) de carreau illisible(s).",
            objet=objet,
            attendu="CRS3035RES200mN2893400E3763200",
            trouve=", ".join(identifiants[fautifs].astype("str").head(3)),
            conseil="pour une autre couche de population, donnez sa « colonne » au manifeste",
        )
    valeurs = parties.astype("int64")
    cote, nord, est = (valeurs[i].to_numpy(dtype="float64") for i in (1, 2, 3))
    return cote, nord, est, valeurs[0].to_numpy(dtype="int64")


def _transformateur(depuis: int | str, vers: int | str, objet: object) -> Transformer:
    try:
        return Transformer.from_crs(depuis, vers, always_xy=True)
    except CRSError as erreur:
        raise ErreurDonnees(
            "Identifiants de carreaux dans un CRS inconnu.", objet=objet, trouve=str(erreur)
        ) from erreur


def _verifier(table: pd.DataFrame, chemin: Path) -> None:
    for message, fautives in (
        ("Population négative", table["population_hab"] < 0),
        ("Population vide", table["population_hab"].isna()),
        ("Identifiant répété", table["carreau"].duplicated()),
    ):
        if fautives.any():
            raise ErreurDonnees(
                f"{message} dans {int(fautives.sum())} carreau(x).",
                objet=chemin,
                trouve=", ".join(table.loc[fautives, "carreau"].head(5)),
                conseil="reprenez le fichier publié par l'INSEE",
            )


def _constater(carreaux: gpd.GeoDataFrame, cotes: NDArray[np.float64]) -> list[Constat]:
    constats = []
    if not np.all(cotes == 200):
        constats.append(
            Constat(
                Gravite.MAJEUR,
                "population",
                f"les carreaux mesurent {cotes.min():g} à {cotes.max():g} m, et non 200 m : "
                "l'accès y est moins précis.",
            )
        )
    imputes = carreaux["impute"]
    population = float(carreaux["population_hab"].sum())
    if imputes.any() and population > 0:
        part = 100 * float(carreaux.loc[imputes, "population_hab"].sum()) / population
        constats.append(
            Constat(
                Gravite.MINEUR,
                "population",
                f"{int(imputes.sum())} carreau(x) sur {len(carreaux)} sont imputés par l'INSEE "
                f"(secret statistique), {part:.0f} % de la population.",
            )
        )
    return constats

"""Lecture d'une couche vectorielle quelconque vers le CRS du territoire.

GeoJSON, GeoPackage, shapefile, GeoParquet, ou CSV portant des coordonnées ou du WKT ; nus, dans un
dossier ou archivés. Le CRS vient du fichier, à défaut de l'emprise des coordonnées.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from donnees_geo.conventions import CRS_GEO
from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.lecture.archives import extraire_fichier
from donnees_geo.lecture.csv_geographique import lire_csv_geographique
from donnees_geo.lecture.signatures import verifier_signature
from donnees_geo.lecture.tables import normaliser_nom

SUFFIXES_VECTEUR: Final = (".gpkg", ".geojson", ".json", ".shp", ".parquet", ".kml", ".csv")
#: Au-delà, compter les objets sans géométrie coûterait plus que lire l'emprise.
COMPTE_MAX: Final = 200_000
#: Emprises qui font reconnaître un CRS absent : (code, xmin, ymin, xmax, ymax).
_EMPRISES_CONNUES: Final = (
    (2154, 100_000, 6_000_000, 1_300_000, 7_200_000),
    (3035, 2_500_000, 1_400_000, 7_400_000, 5_500_000),
    (4326, -180, -90, 180, 90),
)


def lire_couche(
    chemin: Path,
    crs: str,
    *,
    emprise: BaseGeometry | None = None,
    nom_couche: str | None = None,
    objet: str = "couche",
    colonnes: Container[str] | None = None,
    vides_admis: bool = True,
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire une couche et la projeter.

    Parameters
    ----------
    chemin
        Fichier, dossier ou archive.
    crs
        CRS métrique du territoire.
    emprise
        Géométrie dans ``crs`` : seuls les objets dont l'enveloppe la touche sont lus.
    nom_couche
        Partie du nom de la couche voulue dans un GeoPackage à plusieurs couches.
    objet
        Nom de la source dans les constats.
    colonnes
        Noms normalisés (:func:`lecture.normaliser_nom`) des colonnes à lire ; les autres ne le
        sont pas, ce qui tient à l'écart les données personnelles. ``None`` : toutes.
    vides_admis
        Faux : un objet sans géométrie est une faute, non un constat.

    Returns
    -------
    GeoDataFrame
        Index 0…n-1, géométries valides et non vides, colonnes de la source.
    list of Constat
        Géométries vides écartées, géométries réparées, CRS deviné, accents rétablis.

    Raises
    ------
    ErreurDonnees
        Fichier absent, tronqué ou illisible, couche vide, CRS indéterminable, objet sans géométrie
        si ``vides_admis`` est faux.
    """
    constats: list[Constat] = []
    with extraire_fichier(chemin, SUFFIXES_VECTEUR) as fichier:
        suffixe = fichier.suffix.lower()
        try:
            if suffixe in (".csv", ".txt"):
                brute = lire_csv_geographique(fichier, chemin, colonnes)
            elif suffixe == ".parquet":
                brute = _lire_parquet(fichier, colonnes)
            else:
                verifier_signature(fichier, chemin)
                brute, sans = _lire_ogr(fichier, crs, emprise, nom_couche, colonnes, chemin)
                constats += _dire_sans_geometrie(sans, objet)
                brute = _retablir_accents(brute, objet, constats)
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError) as erreur:
            raise _illisible(chemin, erreur) from erreur
        except (pa.ArrowException, ValueError, UnicodeDecodeError) as erreur:
            raise _illisible(chemin, erreur) from erreur
    if brute.empty and emprise is None:
        raise ErreurDonnees("La couche ne contient aucun objet.", objet=chemin)
    pleine = _ecarter_vides(brute, objet, constats)
    if pleine.empty and not brute.empty:
        raise ErreurDonnees("Aucun objet de la couche n'a de géométrie.", objet=chemin)
    if not vides_admis and len(pleine) < len(brute):
        raise _sans_geometrie(brute.loc[brute.index.difference(pleine.index)], chemin)
    projetee = _projeter(pleine, crs, chemin, objet, constats)
    propre = reparer_geometries(projetee, objet, constats)
    if emprise is not None:
        touche = shapely.intersects(
            shapely.box(*propre.geometry.bounds.to_numpy().T), shapely.envelope(emprise)
        )
        propre = propre.loc[touche].reset_index(drop=True)
    return propre, constats


def garder_polygones(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Ne garder que la part surfacique de géométries (une intersection laisse des lignes)."""
    resultat = geometries.copy()
    melanges = np.flatnonzero(shapely.get_type_id(geometries) == 7)  # GeometryCollection
    for rang in melanges:
        parties = shapely.get_parts(geometries[rang])
        resultat[rang] = shapely.union_all(parties[shapely.get_dimensions(parties) == 2])
    return resultat


def verifier_emprise_crs(bornes_wgs84: Sequence[float], crs: str, objet: str) -> Constat | None:
    """Vérifier que des données tombent dans le domaine d'emploi du CRS du territoire.

    Parameters
    ----------
    bornes_wgs84
        ``(ouest, sud, est, nord)`` des données, degrés.

    Returns
    -------
    Constat or None
        Bloquant si les données sont entièrement hors du domaine, majeur si elles en débordent.
    """
    domaine = CRS.from_user_input(crs).area_of_use
    if domaine is None:
        return None
    ouest, sud, est, nord = bornes_wgs84
    zone = (
        f"{domaine.name} ({domaine.west:g} à {domaine.east:g}°, "
        f"{domaine.south:g} à {domaine.north:g}°)"
    )
    lieu = f"{ouest:.2f} à {est:.2f}°, {sud:.2f} à {nord:.2f}°"
    if not np.all(np.isfinite(bornes_wgs84)) or (
        est < domaine.west or ouest > domaine.east or nord < domaine.south or sud > domaine.north
    ):
        return Constat(
            Gravite.BLOQUANT,
            objet,
            f"le CRS {crs} ne convient pas aux données : il vaut pour {zone}, elles sont en "
            f"{lieu}. Corrigez « crs » dans le manifeste.",
        )
    if (
        ouest < domaine.west - 1
        or est > domaine.east + 1
        or sud < domaine.south - 1
        or nord > domaine.north + 1
    ):
        return Constat(
            Gravite.MAJEUR,
            objet,
            f"les données ({lieu}) débordent du domaine du CRS {crs} : {zone} ; les longueurs y "
            "sont moins sûres.",
        )
    return None


def bornes_en_wgs84(bornes: Sequence[float], crs: str) -> tuple[float, float, float, float]:
    """Transformer une enveloppe ``(xmin, ymin, xmax, ymax)`` de ``crs`` en degrés WGS 84."""
    vers_geo = Transformer.from_crs(crs, CRS_GEO, always_xy=True)
    xmin, ymin, xmax, ymax = bornes
    ouest, sud, est, nord = vers_geo.transform_bounds(xmin, ymin, xmax, ymax, densify_pts=21)
    return ouest, sud, est, nord


def reprojeter(geometrie: BaseGeometry, transformation: Transformer) -> BaseGeometry:
    """Appliquer une transformation de CRS (``always_xy``) aux sommets d'une géométrie."""
    return shapely.transform(
        geometrie, lambda xy: np.column_stack(transformation.transform(xy[:, 0], xy[:, 1]))
    )


def deviner_crs(bornes: Sequence[float]) -> int | None:
    """Reconnaître un CRS d'après l'enveloppe des coordonnées.

    Examples
    --------
    >>> deviner_crs((660_000, 7_040_000, 690_000, 7_060_000))
    2154
    >>> deviner_crs((2.2, 50.3, 2.9, 50.7))
    4326
    >>> deviner_crs((0, 0, 99_000, 99_000)) is None
    True
    """
    xmin, ymin, xmax, ymax = bornes
    for code, ouest, sud, est, nord in _EMPRISES_CONNUES:
        if ouest <= xmin and xmax <= est and sud <= ymin and ymax <= nord:
            return code
    return None


def _ecarter_vides(
    table: gpd.GeoDataFrame, objet: str, constats: list[Constat]
) -> gpd.GeoDataFrame:
    vides = table.geometry.isna() | table.geometry.is_empty
    constats += _dire_sans_geometrie(int(vides.sum()), objet)
    return table.loc[~vides]


def _dire_sans_geometrie(nombre: int, objet: str) -> list[Constat]:
    texte = f"{nombre} objet(s) sans géométrie, écarté(s)."
    return [Constat(Gravite.MAJEUR, objet, texte)] if nombre else []


def _sans_geometrie(vides: gpd.GeoDataFrame, chemin: Path) -> ErreurDonnees:
    attributs = vides.drop(columns=vides.geometry.name).iloc[:5, :3].astype("str")
    return ErreurDonnees(
        f"{len(vides)} objet(s) sans géométrie.",
        objet=chemin,
        attendu="une géométrie pour chaque objet",
        trouve=" ; ".join(", ".join(ligne) for ligne in attributs.to_numpy()),
        conseil="complétez ces objets, ou retirez-les du fichier",
    )


def reparer_geometries(
    table: gpd.GeoDataFrame, objet: str, constats: list[Constat]
) -> gpd.GeoDataFrame:
    """Réparer les géométries invalides, et renuméroter les lignes."""
    geometries = table.geometry.to_numpy()
    invalides = ~shapely.is_valid(geometries)
    if invalides.any():
        raison = shapely.is_valid_reason(geometries[invalides][:1])[0]
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{int(invalides.sum())} géométrie(s) invalide(s), réparée(s) ({raison}).",
            )
        )
        reparees = geometries.copy()
        reparees[invalides] = shapely.make_valid(
            geometries[invalides], method="structure", keep_collapsed=False
        )
        table = table.set_geometry(gpd.GeoSeries(reparees, index=table.index, crs=table.crs))
        vides = table.geometry.is_empty
        if vides.any():
            constats.append(
                Constat(
                    Gravite.MINEUR,
                    objet,
                    f"{int(vides.sum())} géométrie(s) réduite(s) à rien par la réparation (surface "
                    "nulle), écartée(s).",
                )
            )
        table = table.loc[~vides]
    return table.reset_index(drop=True)


def lister_couches(fichier: Path, publie: Path) -> list[str]:
    """Noms des couches géographiques d'un fichier déjà extrait.

    Raises
    ------
    ErreurDonnees
        Fichier illisible, ou sans couche géographique.
    """
    try:
        couches = [str(c) for c, genre in pyogrio.list_layers(fichier) if genre is not None]
    except pyogrio.errors.DataSourceError as erreur:
        raise _illisible(publie, erreur) from erreur
    if not couches:
        raise ErreurDonnees("Le fichier ne contient aucune couche géographique.", objet=publie)
    return couches


def _lire_ogr(
    fichier: Path,
    crs: str,
    emprise: BaseGeometry | None,
    nom_couche: str | None,
    colonnes: Container[str] | None,
    publie: Path,
) -> tuple[gpd.GeoDataFrame, int]:
    """Couche lue dans l'emprise, et nombre d'objets sans géométrie que l'emprise a fait taire."""
    couches = lister_couches(fichier, publie)
    if nom_couche is not None and nom_couche in couches:
        couches = [nom_couche]
    elif nom_couche is not None:
        couches = [c for c in couches if nom_couche.lower() in c.lower()] or couches
    if len(couches) > 1:
        raise ErreurDonnees(
            "Plusieurs couches dans le fichier.",
            objet=publie,
            trouve=", ".join(couches[:8]),
            conseil="gardez une seule couche géographique dans le fichier",
        )
    boite = None
    infos = pyogrio.read_info(fichier, layer=couches[0])
    if emprise is not None and infos["crs"] is not None:
        vers = Transformer.from_crs(crs, infos["crs"], always_xy=True)
        boite = vers.transform_bounds(*emprise.bounds, densify_pts=21)
    voulues = _choisir_colonnes(infos["fields"], colonnes)

    def lire(encodage: str | None) -> gpd.GeoDataFrame:
        return gpd.read_file(
            fichier,
            layer=couches[0],
            bbox=boite,
            columns=voulues,
            encoding=encodage,
            engine="pyogrio",
        )

    try:
        lue = lire(None)
    except UnicodeDecodeError:
        # Le .cpg annonce UTF-8, le contenu est en Latin-1.
        lue = lire("ISO-8859-1")
    if not isinstance(lue, gpd.GeoDataFrame):
        raise ErreurDonnees(
            "La table n'a pas de géométrie.",
            objet=publie,
            conseil="joignez-la à une couche dans un SIG, ou donnez les coordonnées",
        )
    return lue, _compter_sans_geometrie(fichier, couches[0], infos) if boite else 0


def _compter_sans_geometrie(fichier: Path, couche: str, infos: dict[str, Any]) -> int:
    """Objets sans géométrie : un filtre d'emprise les écarte sans le dire.

    Une couche de plus de :data:`COMPTE_MAX` objets n'est pas parcourue pour cela.
    """
    if not 0 < infos["features"] <= COMPTE_MAX:
        return 0
    colonne = infos.get("geometry_name") or "geometry"
    nom, colonne = (t.replace('"', '""') for t in (couche, colonne))
    comptes = pyogrio.read_dataframe(
        fichier,
        sql=f'SELECT COUNT(*) AS nombre FROM "{nom}" WHERE "{colonne}" IS NULL',
        sql_dialect="SQLITE",
        read_geometry=False,
    )
    return int(comptes["nombre"].iloc[0])


def _choisir_colonnes(
    presentes: Iterable[object], colonnes: Container[str] | None
) -> list[str] | None:
    """Colonnes présentes dont le nom normalisé est voulu ; ``None`` : toutes."""
    if colonnes is None:
        return None
    return [str(c) for c in presentes if normaliser_nom(c) in colonnes]


def _retablir_accents(
    table: gpd.GeoDataFrame, objet: str, constats: list[Constat]
) -> gpd.GeoDataFrame:
    """Relire en UTF-8 les textes d'un shapefile sans ``.cpg`` pris à tort pour du Latin-1."""
    corrigees: dict[str, pd.Series[str]] = {}
    for nom in table.columns.drop(table.geometry.name):
        textes = table[nom]
        if not pd.api.types.is_string_dtype(textes):
            continue
        suspects = textes.str.contains("[ÃÂ][\u0080-\u00bf]", regex=True, na=False)
        if suspects.any():
            try:
                relus = [t.encode("latin-1").decode("utf-8") for t in textes[suspects]]
            except UnicodeError:
                continue
            corrigees[nom] = textes.where(~suspects, pd.Series(relus, textes.index[suspects]))
    if not corrigees:
        return table
    constats.append(
        Constat(
            Gravite.MINEUR,
            objet,
            "textes en UTF-8 annoncés comme Latin-1 : accents rétablis dans "
            + ", ".join(corrigees)
            + ".",
        )
    )
    return table.assign(**corrigees)


def _lire_parquet(fichier: Path, colonnes: Container[str] | None) -> gpd.GeoDataFrame:
    if colonnes is None:
        return gpd.read_parquet(fichier)
    schema = pq.read_schema(fichier)
    metadonnees = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
    principale = metadonnees.get("primary_column", "geometry")
    voulues = _choisir_colonnes(schema.names, colonnes) or []
    return gpd.read_parquet(fichier, columns=[*(c for c in voulues if c != principale), principale])


def _projeter(
    table: gpd.GeoDataFrame, crs: str, chemin: Path, objet: str, constats: list[Constat]
) -> gpd.GeoDataFrame:
    if table.empty:
        return table.set_crs(crs, allow_override=True)
    if table.crs is None:
        code = deviner_crs(table.total_bounds)
        if code is None:
            raise ErreurDonnees(
                "La couche ne dit pas son CRS et ses coordonnées ne le font pas reconnaître.",
                objet=chemin,
                trouve="enveloppe " + ", ".join(f"{b:g}" for b in table.total_bounds),
                conseil="enregistrez la couche avec son CRS (fichier .prj ou GeoPackage)",
            )
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{chemin.name} ne dit pas son CRS ; EPSG:{code} est reconnu à ses coordonnées.",
            )
        )
        table = table.set_crs(code)
    projetee = table.to_crs(crs)
    if not np.all(np.isfinite(projetee.total_bounds)):
        raise ErreurDonnees(
            "Les coordonnées ne se projettent pas dans le CRS du territoire.",
            objet=chemin,
            attendu=crs,
            trouve=f"{table.crs.name}, enveloppe "
            + ", ".join(f"{b:g}" for b in table.total_bounds),
            conseil="vérifiez « crs » dans le manifeste et le CRS annoncé par le fichier",
        )
    return projetee


def _illisible(chemin: Path, erreur: Exception) -> ErreurDonnees:
    return ErreurDonnees(
        "Couche géographique illisible ou tronquée.",
        objet=chemin,
        attendu="GeoJSON, GeoPackage, shapefile, GeoParquet ou CSV",
        trouve=str(erreur).splitlines()[0][:200] if str(erreur) else type(erreur).__name__,
        conseil="ouvrez le fichier dans un SIG et enregistrez-le de nouveau",
    )

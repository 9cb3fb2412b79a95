"""De la source publiée au fichier du territoire : découpe à l'emprise, en flux.

Chaque traitement écrit un fichier d'après les objets reçus. Les fichiers nationaux sont lus bloc
par bloc dans leur archive : le disque ne garde que la part utile.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv_arrow
import pyogrio

from donnees_geo.archives import extraire_fichier, extraire_plusieurs
from donnees_geo.carreaux import lire_carreaux_filosofi
from donnees_geo.communes import lire_communes
from donnees_geo.conventions import CRS_GEO
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.lecture import lire_blocs_csv, resoudre_colonnes
from donnees_geo.lecture_flux import lire_blocs_arrow, lire_entete
from donnees_geo.lecture_vecteur import SUFFIXES_VECTEUR, lire_couche
from donnees_geo.osm.decoupe import decouper_extraits
from donnees_geo.relief import assembler_dalles
from donnees_geo.telechargement.adresses import PAS_RELIEF_M
from donnees_geo.telechargement.catalogue import SourceOuverte
from donnees_geo.telechargement.cible import Cible
from donnees_geo.zonages import lire_zonage

journal = logging.getLogger(__name__)

Progression = Callable[[str, float], None]


class RienDansTerritoire(ErreurDonnees):
    """La source est bonne, mais ne contient rien ici."""


@dataclass(frozen=True)
class Recu:
    """Fichier reçu, et l'enveloppe qu'il couvre s'il s'agit d'une dalle."""

    chemin: Path
    bornes: tuple[float, float, float, float] | None = None


Traitement = Callable[[Sequence[Recu], Cible, SourceOuverte, Path, Progression], None]

#: Débord des carreaux : un carré à cheval sur la limite est gardé.
_DEBORD_CARREAUX_M: Final = 500.0
_ALIAS_COMMUNE: Final = ("comm_insee", "comm_code", "code_insee_commune", "code insee commune",
                         "cod_commune", "code_commune", "code_insee", "insee_com")  # fmt: skip
#: Colonnes SIRENE utiles : ni nom de personne, ni adresse.
_SIRENE: Final = {
    nom: (nom,)
    for nom in ("siret", "activitePrincipaleEtablissement", "etatAdministratifEtablissement")
} | {"longitude": ("longitude", "x_longitude"), "latitude": ("latitude", "y_latitude")}
_SIRENE_FACULTATIVES: Final = {
    nom: (nom,) for nom in ("statutDiffusionEtablissement", "enseigne1Etablissement", "geo_score")
}


def installer(
    recus: Sequence[Recu],
    cible: Cible,
    source: SourceOuverte,
    sortie: Path,
    progression: Progression | None = None,
) -> None:
    """Écrire le fichier du territoire d'après ce qui a été reçu.

    Parameters
    ----------
    recus
        Fichiers du cache, dans l'ordre des parts.
    cible, source
        Territoire, et ligne du catalogue qui dit le traitement.
    sortie
        Fichier provisoire à écrire.

    Raises
    ------
    ErreurDonnees
        Contenu inutilisable, ou rien dans le territoire.
    """
    traitement = _TRAITEMENTS[source.traitement]
    traitement(recus, cible, source, sortie, progression or (lambda _message, _part: None))


def _copier(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, _: Progression
) -> None:
    shutil.copyfile(_seul(recus, source).chemin, sortie)


def _seul(recus: Sequence[Recu], source: SourceOuverte) -> Recu:
    if len(recus) != 1:
        raise ErreurDonnees(
            "Cette source devrait tenir en un fichier.", objet=source.id, trouve=str(len(recus))
        )
    return recus[0]


def _communes_voisines(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, _: Progression
) -> None:
    """Communes hors de l'EPCI que touche l'emprise."""
    tables = []
    for recu in recus:
        table, _constats = lire_communes(recu.chemin, cible.crs)
        tables.append(table)
    toutes = pd.concat(tables, ignore_index=True)
    garde = toutes.geometry.intersects(cible.emprise) & ~toutes["code_commune"].isin(
        cible.codes_communes
    )
    voisines = gpd.GeoDataFrame(toutes.loc[garde], crs=cible.crs).rename(
        columns={"code_commune": "code", "population_hab": "population"}
    )
    _exiger(len(voisines), source, "aucune commune voisine")
    _ecrire_geojson(voisines, sortie)


def _bassins_de_vie(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, _: Progression
) -> None:
    zones, _constats = lire_zonage(
        _seul(recus, source).chemin, "bassin_de_vie", cible.codes_communes
    )
    table = zones.rename(columns={"code_zone": "code_bassin_de_vie", "nom_zone": "bassin_de_vie"})
    table.to_csv(sortie, sep=";", index=False, lineterminator="\n", encoding="utf-8")


def _carreaux(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, _: Progression
) -> None:
    """Carreaux de l'EPCI, sous les noms de colonnes de l'INSEE."""
    contour = cible.communes.union_all().buffer(_DEBORD_CARREAUX_M)
    carreaux, _constats = lire_carreaux_filosofi(_seul(recus, source).chemin, cible.crs, contour)
    touche = carreaux.geometry.intersects(contour)
    _exiger(int(touche.sum()), source, "aucun carreau dans l'emprise")
    table = pd.DataFrame(carreaux.loc[touche].drop(columns="geometry"))
    table["impute"] = table["impute"].astype("int8")
    table["codes_communes"] = table["codes_communes"].map(",".join)
    noms = {
        "carreau": "idcar_200m",
        "population_hab": "ind",
        "impute": "i_est_200",
        "codes_communes": "lcog_geo",
    }
    table.rename(columns=noms).to_csv(sortie, index=False, lineterminator="\n", encoding="utf-8")


def _bpe(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, avance: Progression
) -> None:
    """Lignes des départements touchés, dans l'emprise ou sans coordonnées ; toutes colonnes."""
    recu = _seul(recus, source)
    preferes = [source.membre] if source.membre else []
    colonnes = lire_entete(recu.chemin, preferes)
    noms = resoudre_colonnes(
        colonnes,
        {"commune": ("DEPCOM",), "x": ("LAMBERT_X",), "y": ("LAMBERT_Y",)},
        recu.chemin,
        facultatives={"epsg": ("EPSG",)},
    )
    xmin, ymin, xmax, ymax = cible.emprise.bounds
    code = cible.crs.rpartition(":")[2]

    def garder(bloc: pa.Table) -> pa.Table:
        bloc = bloc.filter(_dans_departements(bloc[noms["commune"]], cible.departements))
        x, y = (_nombres(bloc[noms[c]]) for c in ("x", "y"))
        ailleurs = (x < xmin) | (x > xmax) | (y < ymin) | (y > ymax)  # faux si la case est vide
        if "epsg" in noms:
            # Une coordonnée d'un autre CRS ne se compare pas : la ligne est gardée.
            ailleurs &= np.asarray(pc.equal(bloc[noms["epsg"]], code).to_numpy(), dtype=bool)
        return bloc.filter(pa.array(~ailleurs))

    blocs = lire_blocs_arrow(recu.chemin, {c: (c,) for c in colonnes}, preferes=preferes)
    _ecrire_blocs((garder(b) for b in _suivre(blocs, "BPE", avance)), sortie, ";", source, colonnes)


def _sirene(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, avance: Progression
) -> None:
    """Établissements actifs de l'emprise, sans leurs colonnes personnelles."""
    ouest, sud, est, nord = cible.emprise_geo.bounds

    def garder(bloc: pa.Table) -> pa.Table:
        bloc = bloc.filter(pc.equal(bloc["etatAdministratifEtablissement"], "A"))
        lon, lat = _nombres(bloc["longitude"]), _nombres(bloc["latitude"])
        return bloc.filter(pa.array((lon >= ouest) & (lon <= est) & (lat >= sud) & (lat <= nord)))

    def blocs() -> Iterator[pa.Table]:
        for recu in recus:
            yield from _suivre(
                lire_blocs_arrow(recu.chemin, _SIRENE, facultatives=_SIRENE_FACULTATIVES),
                "SIRENE",
                avance,
            )

    colonnes = [*_SIRENE, *_SIRENE_FACULTATIVES]
    _ecrire_blocs((garder(b) for b in blocs()), sortie, ",", source, colonnes)


def _friches(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, _: Progression
) -> None:
    _filtrer_communes(recus, source, sortie, lambda codes: _commencent(codes, cible.departements),
                      guillemets_echappes=True)  # fmt: skip


def _table_communes(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, _: Progression
) -> None:
    _filtrer_communes(recus, source, sortie, lambda codes: codes.isin(cible.codes_communes))


def _filtrer_communes(
    recus: Sequence[Recu],
    source: SourceOuverte,
    sortie: Path,
    garder: Callable[[pd.Series[str]], pd.Series[bool]],
    *,
    guillemets_echappes: bool = False,
) -> None:
    """Garder les lignes d'un CSV d'après leur commune, toutes colonnes."""
    preferes = [source.membre] if source.membre else []
    total = 0
    with sortie.open("w", encoding="utf-8", newline="") as flux:
        for recu in recus:
            for bloc in lire_blocs_csv(
                recu.chemin, preferes=preferes, guillemets_echappes=guillemets_echappes
            ):
                colonne = resoudre_colonnes(bloc.columns, {"commune": _ALIAS_COMMUNE}, recu.chemin)[
                    "commune"
                ]
                gardees = bloc.loc[garder(bloc[colonne].str.strip())]
                entete = flux.tell() == 0
                gardees.to_csv(flux, sep=";", index=False, header=entete, lineterminator="\n")
                total += len(gardees)
    _exiger(total, source, "aucune ligne dans le territoire")


def _osm(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, avance: Progression
) -> None:
    ouest, sud, est, nord = cible.emprise_geo.bounds
    decouper_extraits([r.chemin for r in recus], (ouest, sud, est, nord), sortie, avance)


def _risques(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, _: Progression
) -> None:
    """Couches d'une livraison par département qui touchent l'emprise, découpées, en un zip."""
    motif = re.compile(source.membre or ".", re.IGNORECASE)
    ecrites = 0
    dossier = sortie.with_suffix(".couches")
    dossier.mkdir()
    try:
        for recu in recus:
            # Les shapefiles de la livraison sont lus un à un ; seule leur part utile est récrite.
            with extraire_plusieurs(recu.chemin, _SUFFIXES_RISQUES) as fichiers:
                for publie, fichier in fichiers.items():
                    nom = PurePosixPath(publie).stem
                    if motif.search(nom):
                        ecrites += _ecrire_couche_utile(fichier, nom, cible, dossier)
        _exiger(ecrites, source, "aucune zone dans le territoire")
        with zipfile.ZipFile(sortie, "w", zipfile.ZIP_DEFLATED) as archive:
            for fichier in sorted(dossier.iterdir()):
                archive.write(fichier, fichier.name)
    finally:
        shutil.rmtree(dossier, ignore_errors=True)


_SUFFIXES_RISQUES: Final = tuple(s for s in SUFFIXES_VECTEUR if s not in (".csv", ".json"))


def _ecrire_couche_utile(fichier: Path, nom: str, cible: Cible, dossier: Path) -> int:
    """Écrire en GeoPackage les objets d'une couche qui touchent l'emprise ; leur nombre."""
    table, _constats = lire_couche(fichier, cible.crs, emprise=cible.emprise, objet=nom)
    if table.empty:
        return 0
    # Deux départements peuvent livrer des couches du même nom.
    rang = sum(1 for deja in dossier.glob(f"{nom}*.gpkg"))
    couche = f"{nom}_{rang}" if rang else nom
    pyogrio.write_dataframe(table, dossier / f"{couche}.gpkg", layer=couche, driver="GPKG")
    return len(table)


def _couche(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, _: Progression
) -> None:
    """Objets d'une couche nationale, ou des pages d'un service, qui touchent l'emprise."""
    tables = []
    for recu in recus:
        with _membre(recu.chemin, source) as fichier:
            if fichier.suffix.lower() in (".geojson", ".json") and compter_objets(fichier) == 0:
                continue
            table, _constats = lire_couche(
                fichier, cible.crs, emprise=cible.emprise, objet=source.id
            )
            tables.append(table)
    _exiger(sum(map(len, tables)), source, "aucun objet dans le territoire")
    reunie = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=cible.crs)
    # Une page qui glisse pendant la lecture répète des objets.
    _ecrire_geojson(reunie.drop_duplicates(ignore_index=True), sortie)


@contextmanager
def _membre(chemin: Path, source: SourceOuverte) -> Iterator[Path]:
    if chemin.suffix.lower() not in (".zip", ".7z"):
        yield chemin
        return
    suffixes = (PurePosixPath(source.fichier).suffix,) if source.membre else SUFFIXES_VECTEUR
    with extraire_fichier(chemin, suffixes, [source.membre] if source.membre else ()) as fichier:
        yield fichier


def _relief(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, _: Progression
) -> None:
    dalles = [(r.chemin, r.bornes) for r in recus if r.bornes is not None]
    assembler_dalles(dalles, cible.crs, PAS_RELIEF_M, sortie)


_TRAITEMENTS: Final[dict[str, Traitement]] = {
    "telle_quelle": _copier,
    "gtfs": _copier,
    "communes_voisines": _communes_voisines,
    "bassins_de_vie": _bassins_de_vie,
    "carreaux": _carreaux,
    "bpe": _bpe,
    "osm": _osm,
    "friches": _friches,
    "sirene": _sirene,
    "risques": _risques,
    "table_communes": _table_communes,
    "couche": _couche,
    "relief": _relief,
}


def compter_objets(fichier: Path) -> int:
    """Nombre d'objets d'un GeoJSON (0 s'il n'a pas de ``features``)."""
    contenu = json.loads(fichier.read_text(encoding="utf-8-sig"))
    return len(contenu.get("features") or ()) if isinstance(contenu, dict) else 0


def _ecrire_geojson(table: gpd.GeoDataFrame, sortie: Path) -> None:
    pyogrio.write_dataframe(
        table.to_crs(CRS_GEO), sortie, driver="GeoJSON", layer_options={"RFC7946": "YES"}
    )


def _ecrire_blocs(
    blocs: Iterator[pa.Table],
    sortie: Path,
    separateur: str,
    source: SourceOuverte,
    colonnes: Sequence[str],
) -> None:
    """Écrire des blocs de textes en CSV, sans les réunir en mémoire."""
    total = 0
    ecrit: Any = None
    options = csv_arrow.WriteOptions(delimiter=separateur)
    try:
        for bloc in blocs:
            bloc = bloc.select([c for c in colonnes if c in bloc.column_names])
            if ecrit is None:
                ecrit = csv_arrow.CSVWriter(sortie, bloc.schema, write_options=options)
            ecrit.write(bloc)
            total += bloc.num_rows
    finally:
        if ecrit is not None:
            ecrit.close()
    _exiger(total, source, "aucune ligne dans le territoire")


def _suivre(blocs: Iterator[pa.Table], titre: str, avance: Progression) -> Iterator[pa.Table]:
    lignes = 0
    for bloc in blocs:
        lignes += bloc.num_rows
        avance(f"{titre} : {lignes // 1000} milliers de lignes lues", lignes / (lignes + 1e6))
        yield bloc


def _dans_departements(codes: Any, departements: Sequence[str]) -> Any:
    """Masque des codes de communes situés dans des départements (62, 2A, 974)."""
    masques = [pc.starts_with(codes, d) for d in departements]
    masque = masques[0]
    for autre in masques[1:]:
        masque = pc.or_(masque, autre)
    return masque


def _commencent(codes: pd.Series[str], departements: Sequence[str]) -> pd.Series[bool]:
    # Un zéro de tête perdu (« 1004 ») est rendu au code.
    return codes.str.zfill(5).str.startswith(tuple(departements))


def _nombres(valeurs: Any) -> Any:
    """Nombres d'une colonne de textes ; NaN si la case est vide ou n'en est pas un."""
    textes = pd.Series(pc.replace_substring(valeurs, ",", ".").to_pandas())
    return pd.to_numeric(textes, errors="coerce").to_numpy(dtype="float64")


def _exiger(nombre: int, source: SourceOuverte, quoi: str) -> None:
    if nombre == 0:
        raise RienDansTerritoire(
            f"{source.titre} : {quoi}.",
            objet=source.id,
            conseil="cela peut être vrai ; sinon vérifiez le fichier publié",
        )

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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

import geopandas as gpd
import pandas as pd
import pyogrio

from donnees_geo.carreaux import lire_carreaux_filosofi
from donnees_geo.communes import lire_communes
from donnees_geo.conventions import CRS_GEO
from donnees_geo.lecture.archives import extraire_fichier, extraire_plusieurs
from donnees_geo.lecture.vecteur import SUFFIXES_VECTEUR, lire_couche
from donnees_geo.osm.decoupe import decouper_extraits
from donnees_geo.relief import assembler_dalles
from donnees_geo.telechargement.adresses import PAS_RELIEF_M
from donnees_geo.telechargement.catalogue import SourceOuverte
from donnees_geo.telechargement.cible import Cible
from donnees_geo.telechargement.decoupe_tables import (
    decouper_bpe,
    decouper_friches,
    decouper_sirene,
    decouper_table,
)
from donnees_geo.telechargement.recu import Progression, Recu, Traitement, exiger, seul
from donnees_geo.zonages import lire_zonage

journal = logging.getLogger(__name__)


#: Débord des carreaux : un carré à cheval sur la limite est gardé.
_DEBORD_CARREAUX_M: Final = 500.0


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
    shutil.copyfile(seul(recus, source).chemin, sortie)


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
    exiger(len(voisines), source, "aucune commune voisine")
    _ecrire_geojson(voisines, sortie)


def _bassins_de_vie(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, _: Progression
) -> None:
    zones, _constats = lire_zonage(
        seul(recus, source).chemin, "bassin_de_vie", cible.codes_communes
    )
    table = zones.rename(columns={"code_zone": "code_bassin_de_vie", "nom_zone": "bassin_de_vie"})
    table.to_csv(sortie, sep=";", index=False, lineterminator="\n", encoding="utf-8")


def _carreaux(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, _: Progression
) -> None:
    """Carreaux de l'EPCI, sous les noms de colonnes de l'INSEE."""
    contour = cible.communes.union_all().buffer(_DEBORD_CARREAUX_M)
    carreaux, _constats = lire_carreaux_filosofi(seul(recus, source).chemin, cible.crs, contour)
    touche = carreaux.geometry.intersects(contour)
    exiger(int(touche.sum()), source, "aucun carreau dans l'emprise")
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
        exiger(ecrites, source, "aucune zone dans le territoire")
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
    exiger(sum(map(len, tables)), source, "aucun objet dans le territoire")
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
    "bpe": decouper_bpe,
    "osm": _osm,
    "friches": decouper_friches,
    "sirene": decouper_sirene,
    "risques": _risques,
    "table_communes": decouper_table,
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

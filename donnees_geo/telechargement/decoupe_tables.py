"""Découpe des tables nationales, en flux : BPE, SIRENE, friches, plans de prévention."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv_arrow

from donnees_geo.lecture.flux import lire_blocs_arrow, lire_entete
from donnees_geo.lecture.tables import lire_blocs_csv, resoudre_colonnes
from donnees_geo.telechargement.catalogue import SourceOuverte
from donnees_geo.telechargement.cible import Cible
from donnees_geo.telechargement.recu import Progression, Recu, exiger, seul

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


def decouper_bpe(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, avance: Progression
) -> None:
    """Lignes des départements touchés, dans l'emprise ou sans coordonnées ; toutes colonnes."""
    recu = seul(recus, source)
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


def decouper_sirene(
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


def decouper_friches(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, _: Progression
) -> None:
    """Friches des départements touchés, toutes colonnes."""
    _filtrer_communes(recus, source, sortie, lambda codes: _commencent(codes, cible.departements),
                      guillemets_echappes=True)  # fmt: skip


def decouper_table(
    recus: Sequence[Recu], cible: Cible, source: SourceOuverte, sortie: Path, _: Progression
) -> None:
    """Lignes des communes de l'EPCI, toutes colonnes."""
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
    exiger(total, source, "aucune ligne dans le territoire")


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
    exiger(total, source, "aucune ligne dans le territoire")


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

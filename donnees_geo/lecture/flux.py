"""Lecture en flux de très grandes tables (CSV ou Parquet) : quelques colonnes, bloc par bloc."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv_arrow
import pyarrow.dataset as jeu_arrow

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.lecture.tables import (
    Alias,
    FluxReprise,
    FormatCsv,
    ouvrir_csv,
    resoudre_colonnes,
)

_OCTETS_PAR_BLOC: Final = 4 << 20
#: Rapport de taille observé du zip national de la BPE (1 515 Mo dans 143 Mo).
_COMPRESSION: Final = 10.6


def lire_entete(chemin: Path, preferes: Sequence[str] = ()) -> list[str]:
    """Noms des colonnes d'un CSV (nu ou archivé) ou d'un Parquet, sans lire les lignes."""
    if _est_parquet(chemin):
        return list(_ouvrir_parquet(chemin).schema.names)
    with ouvrir_csv(chemin, preferes=preferes) as (flux, format_csv):
        return _premiere_ligne(flux, format_csv)


def lire_blocs_arrow(
    chemin: Path,
    alias: Alias,
    *,
    facultatives: Alias | None = None,
    preferes: Sequence[str] = (),
    nom: str = "Table",
    avancer: Callable[[float], None] | None = None,
) -> Iterator[pa.Table]:
    """Lire une grande table par blocs, colonnes renommées, toutes en texte (vide : ``""``).

    Parameters
    ----------
    chemin
        CSV nu, compressé ou dans un zip, ou Parquet.
    alias, facultatives
        Nom voulu → alias ; seules ces colonnes sont décodées.
    preferes
        Membre cherché dans une archive, comme :func:`archives.ouvrir_flux`.
    nom
        Nom de la table dans les erreurs.
    avancer
        Appelée à chaque bloc d'un CSV avec la part lue, estimée d'après la taille du fichier.

    Raises
    ------
    ErreurDonnees
        Colonne obligatoire absente, fichier illisible.
    """
    if _est_parquet(chemin):
        jeu = _ouvrir_parquet(chemin, nom)
        colonnes = resoudre_colonnes(jeu.schema.names, alias, chemin, facultatives=facultatives)
        for lot in jeu.to_batches(columns=_distinctes(colonnes), batch_size=100_000):
            yield _en_textes(pa.Table.from_batches([lot]), colonnes)
        return
    with ouvrir_csv(chemin, preferes=preferes) as (flux, format_csv):
        entete = _premiere_ligne(flux, format_csv)
        attendus = max(chemin.stat().st_size, 1) * _grossissement(chemin)
        colonnes = resoudre_colonnes(entete, alias, chemin, facultatives=facultatives)
        utf8 = format_csv.encodage.startswith("utf-8")
        try:
            blocs = csv_arrow.open_csv(
                flux,
                csv_arrow.ReadOptions(
                    block_size=_OCTETS_PAR_BLOC, encoding="utf8" if utf8 else format_csv.encodage
                ),
                csv_arrow.ParseOptions(delimiter=format_csv.separateur),
                csv_arrow.ConvertOptions(
                    include_columns=_distinctes(colonnes),
                    column_types={c: pa.string() for c in colonnes.values()},
                    strings_can_be_null=False,
                ),
            )
            for lot in blocs:
                yield _en_textes(pa.Table.from_batches([lot]), colonnes)
                if avancer is not None:
                    avancer(min(0.99, cast(FluxReprise, flux.raw).octets_lus / attendus))
        except pa.ArrowInvalid as erreur:
            raise ErreurDonnees(
                f"{nom} illisible.",
                objet=chemin,
                attendu=f"un CSV à « {format_csv.separateur} », {format_csv.encodage}",
                trouve=str(erreur)[:200],
                conseil="téléchargez de nouveau le fichier",
            ) from erreur


def _est_parquet(chemin: Path) -> bool:
    return chemin.suffix.lower() == ".parquet" and chemin.is_file()


def _grossissement(chemin: Path) -> float:
    """Taille du CSV rapportée à celle du fichier, pour le seul avancement."""
    return 1.0 if chemin.suffix.lower() == ".csv" else _COMPRESSION


def _ouvrir_parquet(chemin: Path, nom: str = "Table") -> jeu_arrow.Dataset:
    try:
        return jeu_arrow.dataset(chemin, format="parquet")
    except pa.ArrowInvalid as erreur:
        raise ErreurDonnees(f"{nom} illisible.", objet=chemin, trouve=str(erreur)[:200]) from erreur


def _premiere_ligne(flux: io.BufferedReader, format_csv: FormatCsv) -> list[str]:
    debut = flux.peek(1 << 16).decode(format_csv.encodage, errors="replace")
    return next(
        csv.reader([debut.lstrip("\ufeff").splitlines()[0]], delimiter=format_csv.separateur)
    )


def _distinctes(colonnes: dict[str, str]) -> Sequence[str]:
    return list(dict.fromkeys(colonnes.values()))


def _en_textes(bloc: pa.Table, colonnes: dict[str, str]) -> pa.Table:
    return pa.table(
        {nom: pc.fill_null(bloc[c].cast(pa.string()), "") for nom, c in colonnes.items()}
    )

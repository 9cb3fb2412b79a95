"""Provenance des sources : millésime, producteur et licence, dits ou lus dans le fichier."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

from donnees_geo.configuration import Manifeste
from donnees_geo.configuration.manifeste import lister_fichiers
from donnees_geo.erreurs import ErreurProjet
from donnees_geo.lecture.tables import detecter_format
from donnees_geo.telechargement.trace import FichierTrace, lire_trace
from donnees_geo.territoire.modele import SourceLue

_JOURNAL = logging.getLogger(__name__)
#: Colonnes des formats publiés qui datent leurs lignes : PPR et TRI (COVADIS), friches (CNIG), BPE.
_COLONNES: Final = ("srce_annee", "datappro", "datentree", "site_actu_date", "an")
#: Colonne dont le nom porte le millésime : bassins de vie de l'INSEE.
_COLONNE_MILLESIMEE: Final = re.compile(r"bv(20\d\d)", re.IGNORECASE)
_NOM_MILLESIME: Final = re.compile(r"^bpe(\d\d)\b", re.IGNORECASE)
_ANNEE_OU_DATE: Final = re.compile(r"(?:19|20)\d\d(?:-\d\d-\d\d)?")
#: Début lu : un millésime ne varie guère d'une ligne à l'autre, et la BPE nationale pèse 1 Go.
_LIGNES_LUES: Final = 5_000
_OCTETS_LUS: Final = 1 << 20
_VECTEURS: Final = frozenset((".shp", ".gpkg", ".geojson"))


def dater_sources(manifeste: Manifeste) -> dict[str, str]:
    """Millésime ou date des sources d'un manifeste, par clé ; une source muette est absente.

    Le manifeste l'emporte (``[millesimes]``), puis la trace du téléchargement, puis ce que le
    fichier dit de lui-même. Une date inconnue n'empêche rien : rien n'est levé.
    """
    telecharges = _lire_telechargement(manifeste.chemin.parent)
    dates = {}
    for cle, chemin in lister_fichiers(manifeste):
        trouve = (
            manifeste.millesimes.get(cle)
            or _dater_telechargement(telecharges.get(chemin.name))
            or _dater_fichier(chemin)
        )
        if trouve:
            dates[cle] = trouve
    return dates


def completer_sources(
    manifeste: Manifeste, sources: Sequence[SourceLue], dates: Mapping[str, str]
) -> tuple[SourceLue, ...]:
    """Sources, avec leur date, et le producteur et la licence dits par le téléchargement.

    Un fichier remplacé à la main depuis n'a plus ceux de la source d'origine.
    """
    telecharges = _lire_telechargement(manifeste.chemin.parent)
    completes = []
    for source in sources:
        connu = telecharges.get(source.fichier)
        if connu is not None and connu.sha256 != source.empreinte:
            connu = None
        completes.append(
            replace(
                source,
                date_donnees=dates.get(source.cle, ""),
                producteur="" if connu is None else connu.producteur,
                licence="" if connu is None else connu.licence,
            )
        )
    return tuple(completes)


def _lire_telechargement(dossier: Path) -> dict[str, FichierTrace]:
    try:
        return lire_trace(dossier).fichiers
    except ErreurProjet as erreur:
        _JOURNAL.warning("Millésimes non lus : %s", erreur)
        return {}


def _dater_telechargement(fichier: FichierTrace | None) -> str:
    """Millésime de la source ; une source continue est datée du jour où elle a été reçue."""
    if fichier is None:
        return ""
    if fichier.millesime and _ANNEE_OU_DATE.match(fichier.millesime):
        return fichier.millesime
    recus = [str(origine.get("recu_le", ""))[:10] for origine in fichier.origines]
    return max((r for r in recus if _ANNEE_OU_DATE.fullmatch(r)), default="")


def _dater_fichier(chemin: Path) -> str:
    nomme = _NOM_MILLESIME.match(chemin.name)
    if nomme:
        return f"20{nomme[1]}"
    table = _lire_debut(chemin)
    if table is None:
        return ""
    for nom, colonne in _colonnes(table):
        if nom in _COLONNES:
            dates = colonne.astype(str).str.extract(f"({_ANNEE_OU_DATE.pattern})")[0].dropna()
            if len(dates):
                return str(dates.max())
        elif millesimee := _COLONNE_MILLESIMEE.fullmatch(nom):
            return millesimee[1]
    return ""


def _colonnes(table: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    for nom in table.columns:
        yield str(nom).lower(), table[nom]


def _lire_debut(chemin: Path) -> pd.DataFrame | None:
    """Premières lignes d'un fichier, sans géométrie ; ``None`` s'il n'est pas d'un de ces types."""
    try:
        if chemin.suffix.lower() in _VECTEURS:
            return pd.DataFrame(
                pyogrio.read_dataframe(chemin, read_geometry=False, max_features=_LIGNES_LUES)
            )
        if chemin.suffix.lower() == ".csv":
            with chemin.open("rb") as flux:
                debut = flux.read(_OCTETS_LUS)
            forme = detecter_format(debut, chemin)
            entier, _, _ = debut.rpartition(b"\n")
            return pd.read_csv(
                io.BytesIO(entier), sep=forme.separateur, encoding=forme.encodage, dtype=str
            )
    except (OSError, ValueError, DataSourceError, DataLayerError, ErreurProjet) as erreur:
        _JOURNAL.debug("Millésime de %s non lu : %s", chemin.name, erreur)
    return None

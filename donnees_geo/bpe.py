"""Base permanente des équipements (INSEE), tous millésimes, lue en flux.

Le fichier national de 2025 pèse 1,5 Go : il est filtré bloc par bloc sur l'emprise, sans jamais
être chargé. Sources : INSEE, BPE géolocalisée 2020 à 2025 (colonnes et codes par millésime dans
``parametres/services.toml``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from donnees_geo.configuration import Service
from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.lecture.flux import lire_blocs_arrow

Progression = Callable[[str, float], None]

_ALIAS: Final = {
    "DEPCOM": ("DEPCOM", "DEPCOM_INSEE"),
    "TYPEQU": ("TYPEQU",),
    "LAMBERT_X": ("LAMBERT_X",),
    "LAMBERT_Y": ("LAMBERT_Y",),
}
_FACULTATIVES: Final = {
    nom: (nom,)
    for nom in ("AN", "DEP", "EPSG", "QUALITE_XY", "QUALITE_GEOLOC", "NOMRS", "STATUT_DIFFUSION")
}
#: Le zip de 2021 contient aussi le dictionnaire des variables.
_PREFERES: Final = (r"(^|/)(?!varmod)[^/]*$", r"bpe")
_MOTIF_TYPEQU: Final = re.compile(r"[A-Z]\d{3}")
#: UTM ou Lambert des départements d'outre-mer, quand la colonne EPSG manque (2021 et avant).
_EPSG_DEPARTEMENTS: Final = {"971": 5490, "972": 5490, "973": 2972, "974": 2975, "976": 4471}
_EPSG_METROPOLE: Final = 2154
#: Types d'organismes, dont la raison sociale n'est pas le nom d'une personne. Partout ailleurs
#: (professions libérales, artisans, commerçants), NOMRS peut être un nom et n'est pas repris.
_TYPES_NOMMES: Final = ("A1", "A20", "B10", "C", "D1", "D4", "D5", "E10", "F")
_SANS_OBJET: Final = frozenset({"", "_Z", "_U", "CSZ", "HZ", "IND"})
_GEOLOC_ALEATOIRE: Final = "33"


@dataclass
class _Compteurs:
    """Ce qui a été vu et écarté, dans le territoire."""

    lignes: int = 0
    sans_coordonnees: Counter[str] = field(default_factory=Counter)
    types_hors_catalogue: Counter[str] = field(default_factory=Counter)
    epsg_inconnus: Counter[str] = field(default_factory=Counter)
    millesimes: Counter[str] = field(default_factory=Counter)
    aleatoires: int = 0


def lire_bpe(
    chemin: Path,
    crs: str,
    emprise: BaseGeometry,
    services: Sequence[Service],
    codes_communes: Sequence[str] = (),
    *,
    progression: Progression | None = None,
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire les équipements de la BPE situés dans une emprise.

    Parameters
    ----------
    chemin
        ``BPE24.csv``, ``bpe21_ensemble_xy.csv``, ``.parquet``, nus ou dans leur zip.
    crs
        CRS métrique du territoire.
    emprise
        Géométrie dans ``crs`` : territoire élargi de la marge.
    services
        Catalogue ; un code BPE peut compter pour plusieurs services (école primaire).
    codes_communes
        Communes du territoire : les lignes sans coordonnées n'y sont comptées que là ; à défaut,
        dans tout le fichier.
    progression
        Appelée avec un message et la part des octets lus.

    Returns
    -------
    GeoDataFrame
        ``service``, ``nom`` (vide si personnel), ``source`` (« bpe »), ``id_source`` (type et
        position : la BPE n'a pas d'identifiant), ``code_commune``, ``qualite``, ``effectif`` (1),
        ``geometry`` (Point dans ``crs``). Une ligne par ligne de BPE et par service.
    list of Constat
        Lignes sans coordonnées, types hors du catalogue, positions aléatoires, millésime.

    Raises
    ------
    ErreurDonnees
        Fichier illisible, colonne absente (alias dits), aucune ligne, aucune coordonnée.
    """
    cadre = _Cadre(crs, emprise, services, frozenset(codes_communes), chemin)
    compteurs = _Compteurs()
    morceaux = [cadre.retenir(bloc, compteurs) for bloc in _lire_blocs(chemin, progression)]
    if compteurs.lignes == 0:
        raise ErreurDonnees("La BPE ne contient aucune ligne.", objet=chemin)
    table = pd.concat(morceaux, ignore_index=True)
    if table.empty and compteurs.sans_coordonnees:
        raise ErreurDonnees(
            "Aucun équipement de la BPE n'a de coordonnées dans le territoire.",
            objet=chemin,
            attendu="LAMBERT_X et LAMBERT_Y remplis",
            trouve=f"{compteurs.sans_coordonnees.total()} ligne(s) sans coordonnées",
            conseil="prenez l'édition géolocalisée (« ensemble_xy », BPE23 et suivantes)",
        )
    par_code = pd.DataFrame(
        [(code, s.id) for s in services for code in s.codes_bpe], columns=["TYPEQU", "service"]
    )
    lies = table.merge(par_code, on="TYPEQU", how="inner")
    equipements = gpd.GeoDataFrame(
        {
            "service": lies["service"].astype("str"),
            "nom": lies["nom"],
            "source": pd.Series("bpe", index=lies.index, dtype="str"),
            "id_source": lies["id_source"],
            "code_commune": lies["DEPCOM"],
            "qualite": lies["qualite"],
            "effectif": np.ones(len(lies), dtype="int32"),
        },
        geometry=np.asarray(shapely.points(lies["x"].to_numpy(), lies["y"].to_numpy())),
        crs=crs,
    )
    return equipements, _constater(compteurs, len(table), chemin)


class _Cadre:
    """Filtre d'un bloc de BPE : types du catalogue, position dans l'emprise."""

    def __init__(
        self,
        crs: str,
        emprise: BaseGeometry,
        services: Sequence[Service],
        codes_communes: frozenset[str],
        chemin: Path,
    ) -> None:
        self._crs = crs
        self._emprise = emprise
        self._chemin = chemin
        self._types = sorted({c for s in services for c in s.codes_bpe})
        self._communes = sorted(codes_communes)
        self._projections: dict[int, tuple[tuple[float, ...], Transformer] | None] = {}
        shapely.prepare(emprise)

    def retenir(self, bloc: pa.Table, compteurs: _Compteurs) -> pd.DataFrame:
        """Lignes du catalogue situées dans l'emprise ; le reste est compté."""
        compteurs.lignes += bloc.num_rows
        x = _nombres(bloc["LAMBERT_X"], self._chemin)
        y = _nombres(bloc["LAMBERT_Y"], self._chemin)
        epsg = _epsg(bloc)
        place = ~(np.isnan(x) | np.isnan(y))
        proche = np.zeros(bloc.num_rows, dtype=bool)
        for code in np.unique(epsg[place]):
            projection = self._projeter(int(code))
            if projection is None:
                compteurs.epsg_inconnus[str(code)] += int((epsg[place] == code).sum())
                continue
            xmin, ymin, xmax, ymax = projection[0]
            proche |= (epsg == code) & (x >= xmin) & (x <= xmax) & (y >= ymin) & (y <= ymax)
        catalogue = _vers_masque(pc.is_in(bloc["TYPEQU"], pa.array(self._types, pa.string())))
        self._compter(bloc, place, proche, catalogue, compteurs)
        garde = proche & catalogue
        table = bloc.filter(pa.array(garde)).to_pandas()
        table["x"], table["y"] = self._reprojeter(x[garde], y[garde], epsg[garde])
        dedans = shapely.intersects_xy(self._emprise, table["x"], table["y"])
        table = table.loc[dedans].reset_index(drop=True)
        compteurs.millesimes.update(table.get("AN", ()))
        return self._qualifier(table, compteurs)

    def _compter(
        self,
        bloc: pa.Table,
        place: NDArray[np.bool_],
        proche: NDArray[np.bool_],
        catalogue: NDArray[np.bool_],
        compteurs: _Compteurs,
    ) -> None:
        perdus = ~place & catalogue
        if self._communes:
            communes = pa.array(self._communes, pa.string())
            perdus &= _vers_masque(pc.is_in(bloc["DEPCOM"], communes))
        for compteur, masque in (
            (compteurs.sans_coordonnees, perdus),
            (compteurs.types_hors_catalogue, proche & ~catalogue),
        ):
            types = bloc["TYPEQU"].filter(pa.array(masque)).combine_chunks()
            for entree in pc.value_counts(types).to_pylist():
                compteur[str(entree["values"])] += int(entree["counts"])

    def _projeter(self, code: int) -> tuple[tuple[float, ...], Transformer] | None:
        """Enveloppe de l'emprise dans un CRS source, et passage de ce CRS à celui du territoire."""
        if code not in self._projections:
            try:
                vers_source = Transformer.from_crs(self._crs, code, always_xy=True)
                bornes = vers_source.transform_bounds(*self._emprise.bounds, densify_pts=21)
                vers_travail = Transformer.from_crs(code, self._crs, always_xy=True)
                self._projections[code] = (bornes, vers_travail)
            except CRSError:
                self._projections[code] = None
        return self._projections[code]

    def _reprojeter(
        self, x: NDArray[np.float64], y: NDArray[np.float64], epsg: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        sortie_x, sortie_y = np.empty_like(x), np.empty_like(y)
        for code in np.unique(epsg):
            projection = self._projeter(int(code))
            if projection is not None:
                lot = epsg == code
                sortie_x[lot], sortie_y[lot] = projection[1].transform(x[lot], y[lot])
        return sortie_x, sortie_y

    def _qualifier(self, table: pd.DataFrame, compteurs: _Compteurs) -> pd.DataFrame:
        """Qualité, nom publiable et identifiant de chaque ligne."""
        qualite = _qualite(table["QUALITE_XY"]) if "QUALITE_XY" in table else "inconnue"
        table["qualite"] = pd.Series(qualite, index=table.index, dtype="str")
        if "QUALITE_GEOLOC" in table:
            aleatoires = table["QUALITE_GEOLOC"] == _GEOLOC_ALEATOIRE
            compteurs.aleatoires += int(aleatoires.sum())
            table.loc[aleatoires, "qualite"] = "mauvaise"
        publiable = table["TYPEQU"].str.startswith(_TYPES_NOMMES)
        if "STATUT_DIFFUSION" in table:
            publiable &= table["STATUT_DIFFUSION"] != "P"
        noms = table["NOMRS"] if "NOMRS" in table else pd.Series("", table.index, dtype="str")
        table["nom"] = noms.where(publiable & ~noms.isin(_SANS_OBJET), "").astype("str")
        position = [table[c].round().astype("int64").astype("str") for c in ("x", "y")]
        table["id_source"] = table["TYPEQU"] + "@" + position[0] + "_" + position[1]
        return table[["TYPEQU", "DEPCOM", "nom", "qualite", "id_source", "x", "y"]]


def _lire_blocs(chemin: Path, progression: Progression | None) -> Iterator[pa.Table]:
    """Blocs de la table, colonnes renommées, toutes en texte, cases vides en ``""``."""
    return lire_blocs_arrow(
        chemin,
        _ALIAS,
        facultatives=_FACULTATIVES,
        preferes=_PREFERES,
        nom="BPE",
        avancer=None
        if progression is None
        else lambda fait: progression("Lecture de la BPE", fait),
    )


def _vers_masque(valeurs: Any) -> NDArray[np.bool_]:
    return np.asarray(valeurs.to_numpy(), dtype=bool)


def _nombres(valeurs: Any, chemin: Path) -> NDArray[np.float64]:
    """Coordonnées en mètres, NaN si la case est vide ; la virgule décimale est admise."""
    propres = pc.replace_substring(pc.utf8_trim_whitespace(valeurs), ",", ".")
    vides = pc.is_in(propres, pa.array(sorted(_SANS_OBJET), pa.string()))
    propres = pc.if_else(vides, pa.scalar(None, pa.string()), propres)
    try:
        nombres = pc.cast(propres, pa.float64())
    except pa.ArrowInvalid as erreur:
        raise ErreurDonnees(
            "Coordonnée illisible dans la BPE.",
            objet=chemin,
            attendu="un nombre en mètres (LAMBERT_X, LAMBERT_Y)",
            trouve=str(erreur)[:200],
        ) from erreur
    return np.asarray(nombres.to_numpy(), dtype=np.float64)


def _epsg(bloc: pa.Table) -> NDArray[np.int64]:
    """Code EPSG de chaque ligne : sa colonne, sinon celui de son département."""
    communes = bloc["DEPCOM"].to_pandas().astype("str")
    defaut = communes.str[:3].map(_EPSG_DEPARTEMENTS).fillna(_EPSG_METROPOLE)
    if "EPSG" not in bloc.column_names:
        return np.asarray(defaut, dtype=np.int64)
    dits = pd.to_numeric(bloc["EPSG"].to_pandas(), errors="coerce")
    return np.asarray(dits.fillna(defaut), dtype=np.int64)


def _qualite(valeurs: pd.Series[str]) -> pd.Series[str]:
    """Harmoniser QUALITE_XY, lettres (2023 et après) ou libellés (2021 et avant)."""
    initiales = valeurs.str.strip().str.lower().str[:1]
    return initiales.map({"b": "bonne", "a": "acceptable", "m": "mauvaise"}).fillna("inconnue")


def _constater(compteurs: _Compteurs, retenues: int, chemin: Path) -> list[Constat]:
    constats = []
    objet = "services.bpe"
    if retenues == 0:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                f"aucun équipement du catalogue dans le territoire, sur {compteurs.lignes} lignes.",
            )
        )
    if len(compteurs.millesimes) > 1:
        annees = ", ".join(sorted(compteurs.millesimes))
        constats.append(Constat(Gravite.MAJEUR, objet, f"plusieurs millésimes mêlés : {annees}."))
    perdus = compteurs.sans_coordonnees
    if perdus:
        constats.append(
            Constat(
                Gravite.MAJEUR if perdus.total() > 0.05 * max(retenues, 1) else Gravite.MINEUR,
                objet,
                f"{perdus.total()} équipement(s) sans coordonnées, écarté(s) : "
                f"{_detailler(perdus)}.",
            )
        )
    autres = compteurs.types_hors_catalogue
    if autres:
        constats.append(
            Constat(
                Gravite.MINEUR,
                objet,
                f"{len(autres)} type(s) d'équipement hors du catalogue, ignoré(s) "
                f"({autres.total()} lignes) : {_detailler(autres)}.",
            )
        )
    malformes = sorted(t for t in autres if not _MOTIF_TYPEQU.fullmatch(t))
    if malformes:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                "TYPEQU qui n'ont pas la forme « A101 » : " + ", ".join(malformes[:10]) + ".",
            )
        )
    if compteurs.epsg_inconnus:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                f"lignes écartées, CRS inconnu : {_detailler(compteurs.epsg_inconnus)}.",
            )
        )
    if compteurs.aleatoires:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                f"{compteurs.aleatoires} équipement(s) placés au hasard dans leur commune par "
                "l'INSEE (QUALITE_GEOLOC 33), gardés et marqués « mauvaise ».",
            )
        )
    return constats


def _detailler(compteur: Counter[str], maximum: int = 8) -> str:
    detail = ", ".join(f"{code} ({n})" for code, n in compteur.most_common(maximum))
    return detail + (" …" if len(compteur) > maximum else "")

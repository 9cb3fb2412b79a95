"""L'offre de transport en mémoire et sur disque.

Une offre réunit un ou plusieurs flux GTFS dont les identifiants sont préfixés par le nom du flux ;
les relations (course → ligne, passage → arrêt…) sont des indices de lignes, jamais des textes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from donnees_geo.erreurs import ErreurDonnees

_TABLES: Final = (
    "arrets",
    "lignes",
    "courses",
    "services",
    "frequences",
    "correspondances",
    "enchainements",
    "a_la_demande",
    "periodes",
)
_VERSION: Final = 1
#: Types des tables qui peuvent être vides : leurs colonnes restent les mêmes.
_COLONNES: Final[dict[str, dict[str, type]]] = {
    "frequences": {
        "course": np.int32,
        "debut_s": np.int32,
        "fin_s": np.int32,
        "intervalle_s": np.int32,
        "exacte": np.bool_,
        "phase": np.float64,
    },
    "correspondances": {
        "depuis": np.int32,
        "vers": np.int32,
        "type": np.int8,
        "temps_min_s": np.int32,
    },
    "enchainements": {"depuis": np.int32, "vers": np.int32, "type": np.int8},
}


@dataclass(frozen=True)
class OffreTransport:
    """Offre de transport collectif lue de flux GTFS.

    Attributes
    ----------
    crs
        CRS métrique de ``arrets.x`` et ``arrets.y``.
    flux
        Noms des flux réunis, dans l'ordre du manifeste.
    arrets
        Un arrêt par ligne : ``arret`` (identifiant unique), ``id_source``, ``nom``, ``flux``,
        ``type`` (``location_type`` : 0 quai, 1 gare, 2 entrée…), ``parent`` (ligne de la gare,
        -1 sans), ``station`` (ligne de la racine, soi-même sans gare), ``lon``, ``lat``, ``x``,
        ``y`` (NaN si la position est inconnue), ``localise``, ``dans_emprise``.
    lignes
        ``ligne``, ``id_source``, ``flux``, ``nom_court``, ``nom_long``, ``type``
        (``route_type``), ``mode`` (tram, metro, train, bus…), ``couleur``, ``exploitant``.
    courses
        ``course``, ``id_source``, ``flux``, ``ligne``, ``service`` (indices), ``sens``
        (0, 1 ou -1), ``destination``, ``bloc`` (``block_id`` : courses d'un même véhicule, vide
        sans), ``doublon`` (course déjà donnée par un autre flux).
    passage_debut
        int64[courses + 1] : passages de la course ``c`` de ``passage_debut[c]`` à
        ``passage_debut[c+1]`` exclu, dans l'ordre de parcours.
    passage_arret
        int32[k], ligne de ``arrets``.
    passage_arrivee_s, passage_depart_s
        int32[k], secondes après minuit du jour de service (peuvent dépasser 86 400).
    passage_montee, passage_descente
        bool[k], montée et descente permises sans réservation.
    services
        ``service``, ``id_source``, ``flux``.
    premier_jour
        Jour de la première colonne de ``calendrier``.
    calendrier
        bool[services, jours], vrai si le service circule.
    frequences
        ``course``, ``debut_s``, ``fin_s``, ``intervalle_s``, ``exacte``, ``phase`` (0 à 1).
    correspondances
        ``depuis``, ``vers`` (lignes de ``arrets``), ``type`` (``transfer_type``),
        ``temps_min_s`` (-1 si non donné).
    enchainements
        ``depuis``, ``vers`` (lignes de ``courses``), ``type`` (4 : on reste à bord ; 5 : on
        doit descendre).
    a_la_demande
        Courses mises à part, résumées par ligne : ``flux``, ``ligne``, ``nom``, ``courses``,
        ``motif``.
    periodes
        Par flux : ``flux``, ``debut``, ``fin`` (texte ISO), ``courses``, ``arrets``.
    """

    crs: str
    flux: tuple[str, ...]
    arrets: pd.DataFrame
    lignes: pd.DataFrame
    courses: pd.DataFrame
    passage_debut: NDArray[np.int64]
    passage_arret: NDArray[np.int32]
    passage_arrivee_s: NDArray[np.int32]
    passage_depart_s: NDArray[np.int32]
    passage_montee: NDArray[np.bool_]
    passage_descente: NDArray[np.bool_]
    services: pd.DataFrame
    premier_jour: date
    calendrier: NDArray[np.bool_]
    frequences: pd.DataFrame
    correspondances: pd.DataFrame
    enchainements: pd.DataFrame
    a_la_demande: pd.DataFrame
    periodes: pd.DataFrame

    @property
    def nombre_arrets(self) -> int:
        """Nombre d'arrêts, gares comprises."""
        return len(self.arrets)

    @property
    def nombre_courses(self) -> int:
        """Nombre de courses du calendrier entier."""
        return len(self.courses)

    @property
    def validite(self) -> tuple[date, date]:
        """Premier et dernier jours où circule au moins une course."""
        rangs = np.flatnonzero(self.calendrier.any(axis=0))
        if rangs.size == 0:
            return self.premier_jour, self.premier_jour
        origine = self.premier_jour.toordinal()
        return (
            date.fromordinal(origine + int(rangs[0])),
            date.fromordinal(origine + int(rangs[-1])),
        )


def table_vide(nom: str) -> pd.DataFrame:
    """Table sans ligne de l'offre : ``frequences``, ``correspondances`` ou ``enchainements``."""
    return pd.DataFrame({c: np.zeros(0, genre) for c, genre in _COLONNES[nom].items()})


def ecrire_offre(offre: OffreTransport, dossier: Path) -> None:
    """Écrire l'offre dans un dossier : tables Parquet, passages compacts, ``offre.json``.

    Le dossier est créé ; les fichiers de même nom sont remplacés.
    """
    dossier.mkdir(parents=True, exist_ok=True)
    for nom in _TABLES:
        table: pd.DataFrame = getattr(offre, nom)
        table.to_parquet(dossier / f"{nom}.parquet", index=False)
    np.savez(
        dossier / "passages.npz",
        debut=offre.passage_debut,
        arret=offre.passage_arret,
        arrivee_s=offre.passage_arrivee_s,
        depart_s=offre.passage_depart_s,
        montee=offre.passage_montee,
        descente=offre.passage_descente,
        calendrier=np.packbits(offre.calendrier, axis=1),
    )
    entete = {
        "version": _VERSION,
        "crs": offre.crs,
        "flux": list(offre.flux),
        "premier_jour": offre.premier_jour.isoformat(),
        "jours": int(offre.calendrier.shape[1]),
    }
    (dossier / "offre.json").write_text(
        json.dumps(entete, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )


def lire_offre_preparee(dossier: Path) -> OffreTransport:
    """Relire une offre écrite par :func:`ecrire_offre`, à l'identique.

    Raises
    ------
    ErreurDonnees
        Dossier incomplet ou écrit par une autre version.
    """
    chemin = dossier / "offre.json"
    if not chemin.is_file():
        raise ErreurDonnees(
            "L'offre de transport préparée est introuvable.",
            objet=chemin,
            conseil="Préparer de nouveau le territoire (demi-heure preparer).",
        )
    entete = json.loads(chemin.read_text(encoding="utf-8"))
    if entete.get("version") != _VERSION:
        raise ErreurDonnees(
            "L'offre de transport préparée vient d'une autre version du programme.",
            objet=chemin,
            attendu=_VERSION,
            trouve=entete.get("version"),
            conseil="Préparer de nouveau le territoire (demi-heure preparer).",
        )
    tables = {nom: _lire_table(dossier, nom) for nom in _TABLES}
    with np.load(dossier / "passages.npz") as passages:
        calendrier = np.unpackbits(passages["calendrier"], axis=1, count=entete["jours"])
        return OffreTransport(
            crs=entete["crs"],
            flux=tuple(entete["flux"]),
            premier_jour=date.fromisoformat(entete["premier_jour"]),
            calendrier=calendrier.astype(bool),
            passage_debut=passages["debut"],
            passage_arret=passages["arret"],
            passage_arrivee_s=passages["arrivee_s"],
            passage_depart_s=passages["depart_s"],
            passage_montee=passages["montee"],
            passage_descente=passages["descente"],
            **tables,
        )


def _lire_table(dossier: Path, nom: str) -> pd.DataFrame:
    """Relire une table ; une offre préparée avant les enchaînements n'en a pas."""
    chemin = dossier / f"{nom}.parquet"
    if nom == "enchainements" and not chemin.is_file():
        return table_vide(nom)
    table = pd.read_parquet(chemin)
    if nom == "courses" and "bloc" not in table:
        table["bloc"] = pd.Series("", index=table.index, dtype="str")
    return table

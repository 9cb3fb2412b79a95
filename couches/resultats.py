"""Dossier de résultats d'une étude : écriture et relecture.

Contenu : ``acces_carreaux.parquet`` (une ligne par carreau), ``indicateurs.csv``, ``carences.csv``
(échange entre programmes : UTF-8, virgule, point décimal), une table CSV par analyse calculée
(:data:`accessibilite.analyses.ensemble.TABLES`) et ``resultat.json`` (hypothèses, empreinte du
territoire, sources, constats), écrit en dernier : sans lui, le dossier n'est pas un résultat.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from accessibilite.analyses.ensemble import TABLES, Analyses
from accessibilite.etude import ResultatEtude
from donnees_geo.configuration import Parametres, SeuilPalier
from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.territoire import Territoire

FORMAT_RESULTAT: Final = 1
_ACCES: Final = "acces_carreaux.parquet"
_INDICATEURS: Final = "indicateurs.csv"
_CARENCES: Final = "carences.csv"
_DESCRIPTION: Final = "resultat.json"
#: Sous-dossier d'un territoire préparé où est gardée l'étude que montre le visualiseur.
DOSSIER_ETUDE: Final = "etude"
#: Colonnes lues comme du texte : un code commune commence souvent par un zéro.
_TEXTES: Final[tuple[str, ...]] = (
    "zone_type",
    "zone_code",
    "zone_nom",
    "palier",
    "fonction",
    "service",
    "mode",
    "modes",
    "equipement_proche",
    "equipement_proche_nom",
    "equipement_proche_commune",
    "hors_territoire",
    "volet",
    "code",
    "service_manquant",
    "service_decisif",
    "decroissance",
    "reference",
    "groupe",
    "libelle",
    "ecart",
    "mesure",
    "quantite",
    "lieu",
)
#: Dix chiffres utiles : au-delà, ce ne sont que les restes d'une addition.
_FORMAT_NOMBRE: Final = "%.10g"


@dataclass(frozen=True)
class ResultatLu:
    """Résultat relu d'un dossier.

    Attributes
    ----------
    acces, indicateurs, carences
        Tables de :class:`accessibilite.etude.ResultatEtude`.
    constats
        Limites de l'étude.
    description
        Contenu de ``resultat.json`` : nom du territoire, empreinte, services, modes, hypothèses…
    analyses
        Tables des analyses écrites avec le résultat, par nom ; vide s'il n'y en a pas.
    """

    acces: pd.DataFrame
    indicateurs: pd.DataFrame
    carences: pd.DataFrame
    constats: tuple[Constat, ...]
    description: Mapping[str, Any]
    analyses: Mapping[str, pd.DataFrame] = field(default_factory=dict)


def ecrire_resultats(
    resultat: ResultatEtude,
    dossier: Path,
    *,
    nom: str,
    fictif: bool,
    analyses: Analyses | None = None,
) -> Path:
    """Écrire les résultats d'une étude dans un dossier, créé s'il n'existe pas.

    Parameters
    ----------
    resultat
        Résultat à écrire.
    dossier
        Dossier de sortie ; les fichiers d'un résultat précédent y sont remplacés un à un.
    nom, fictif
        Nom du territoire, et s'il est simulé.
    analyses
        Analyses du diagnostic : leurs colonnes par carreau rejoignent ``acces_carreaux.parquet``.

    Raises
    ------
    ErreurDonnees
        Dossier ou fichier impossible à écrire.
    """
    if dossier.exists() and not dossier.is_dir():
        raise ErreurDonnees(
            "La sortie est un fichier, un dossier est attendu.",
            objet=dossier,
            conseil="choisir un autre nom de dossier",
        )
    try:
        dossier.mkdir(parents=True, exist_ok=True)
        # Un résultat à moitié remplacé ne doit pas passer pour complet.
        (dossier / _DESCRIPTION).unlink(missing_ok=True)
    except OSError as erreur:
        raise ErreurDonnees(
            "Le dossier de résultats ne peut pas être écrit.",
            objet=dossier,
            trouve=erreur.strerror,
            conseil="vérifier les droits et l'espace disque",
        ) from erreur
    for ancienne in TABLES:
        (dossier / f"{ancienne}.csv").unlink(missing_ok=True)
    acces = resultat.acces
    if analyses is not None:
        doublons = acces.columns.intersection(analyses.carreaux.columns)
        acces = acces.drop(columns=doublons).join(analyses.carreaux)
    with ecrire_atomique(dossier / _ACCES) as provisoire:
        acces.to_parquet(provisoire, index=False, compression="zstd")
    tables = {_INDICATEURS: resultat.indicateurs, _CARENCES: resultat.carences}
    if analyses is not None:
        tables |= {f"{nom_table}.csv": table for nom_table, table in analyses.tables.items()}
    for nom_fichier, table in tables.items():
        ecrire_table(table, dossier / nom_fichier)
    ecrire_description(resultat, dossier, nom=nom, fictif=fictif, analyses=analyses)
    return dossier


def ecrire_table(table: pd.DataFrame, chemin: Path) -> None:
    """Écrire une table d'échange entre programmes : CSV UTF-8, virgule, point décimal.

    Raises
    ------
    ErreurDonnees
        Fichier impossible à écrire.
    """
    with ecrire_atomique(chemin) as provisoire:
        table.to_csv(
            provisoire,
            index=False,
            encoding="utf-8",
            lineterminator="\n",
            float_format=_FORMAT_NOMBRE,
        )


def ecrire_description(
    resultat: ResultatEtude,
    dossier: Path,
    *,
    nom: str,
    fictif: bool,
    analyses: Analyses | None = None,
) -> Path:
    """Écrire ``resultat.json`` : hypothèses, empreinte et constats, à côté des tables.

    Raises
    ------
    ErreurDonnees
        Fichier impossible à écrire.
    """
    with ecrire_atomique(dossier / _DESCRIPTION) as provisoire:
        provisoire.write_text(
            json.dumps(
                decrire_resultat(resultat, nom=nom, fictif=fictif, analyses=analyses),
                ensure_ascii=False,
                indent=1,
            ),
            encoding="utf-8",
        )
    return dossier / _DESCRIPTION


def decrire_resultat(
    resultat: ResultatEtude, *, nom: str, fictif: bool, analyses: Analyses | None = None
) -> dict[str, Any]:
    """Description d'un résultat, sérialisable en JSON."""
    constats = resultat.constats
    durees = dict(resultat.durees_s)
    if analyses is not None:
        constats = (*constats, *(c for c in analyses.constats if c not in constats))
        durees |= {f"analyses, {etape}": duree for etape, duree in analyses.durees_s.items()}
    return {
        "format": FORMAT_RESULTAT,
        "territoire": nom,
        "fictif": fictif,
        "empreinte_territoire": resultat.empreinte_territoire,
        "ponderation": "population" if resultat.par_population else "surface",
        "modes": list(resultat.modes),
        "jour": resultat.jour.isoformat() if resultat.jour else None,
        "aller_retour": resultat.aller_retour,
        "services": [s.id for s in resultat.services],
        "parametres": asdict(resultat.parametres),
        "sources": [asdict(source) for source in resultat.sources],
        "analyses": [] if analyses is None else list(analyses.tables),
        "reglages_analyses": None if analyses is None else asdict(analyses.reglages),
        "constats": [[c.gravite.value, c.objet, c.message] for c in constats],
        "durees_s": {etape: round(duree, 3) for etape, duree in durees.items()},
    }


def lire_resultats(dossier: Path) -> ResultatLu:
    """Relire un dossier de résultats.

    Raises
    ------
    ErreurDonnees
        Le dossier ne contient pas de résultat complet, ou d'un autre format.
    """
    chemin = dossier / _DESCRIPTION
    if not chemin.is_file():
        raise ErreurDonnees(
            "Ce dossier ne contient pas de résultat complet.",
            objet=dossier,
            attendu=f"{_ACCES}, {_INDICATEURS}, {_CARENCES} et {_DESCRIPTION}",
            conseil="lancer « demi-heure diagnostiquer »",
        )
    description = json.loads(chemin.read_text(encoding="utf-8"))
    if description.get("format") != FORMAT_RESULTAT:
        raise ErreurDonnees(
            "Le résultat vient d'une autre version du programme.",
            objet=dossier,
            attendu=f"format {FORMAT_RESULTAT}",
            trouve=f"format {description.get('format')}",
            conseil="relancer « demi-heure diagnostiquer »",
        )
    return ResultatLu(
        acces=pd.read_parquet(dossier / _ACCES),
        indicateurs=_lire_csv(dossier / _INDICATEURS),
        carences=_lire_csv(dossier / _CARENCES),
        constats=tuple(Constat(Gravite(g), o, m) for g, o, m in description["constats"]),
        description=description,
        analyses={
            nom: _lire_csv(dossier / f"{nom}.csv") for nom in description.get("analyses", [])
        },
    )


def relire_etude(dossier: Path, territoire: Territoire) -> ResultatEtude:
    """Relire un dossier de résultats comme une étude du territoire.

    Parameters
    ----------
    dossier
        Dossier écrit par « demi-heure diagnostiquer ».
    territoire
        Territoire préparé de l'étude.

    Raises
    ------
    ErreurDonnees
        Résultat incomplet, d'une autre version, ou d'un autre territoire.
    """
    lu = lire_resultats(dossier)
    d = lu.description
    if d["empreinte_territoire"] != territoire.empreinte or len(lu.acces) != len(
        territoire.carreaux
    ):
        raise ErreurDonnees(
            "Les résultats ne sont pas ceux de ce territoire.",
            objet=dossier,
            attendu=f"{territoire.nom}, empreinte {territoire.empreinte[:12]}",
            trouve=f"{d['territoire']}, empreinte {str(d['empreinte_territoire'])[:12]}",
            conseil="relancer « demi-heure diagnostiquer » sur ce territoire",
        )
    connus = {s.id: s for s in territoire.services}
    return ResultatEtude(
        acces=lu.acces,
        indicateurs=lu.indicateurs,
        carences=lu.carences,
        constats=lu.constats,
        services=tuple(connus[i] for i in d["services"]),
        modes=tuple(d["modes"]),
        parametres=_relire_parametres(d["parametres"]),
        empreinte_territoire=territoire.empreinte,
        jour=date.fromisoformat(d["jour"]) if d.get("jour") else None,
        par_population=d["ponderation"] == "population",
        durees_s=dict(d["durees_s"]),
        sources=territoire.sources,
        aller_retour=bool(d.get("aller_retour", False)),
    )


def _relire_parametres(contenu: Mapping[str, Any]) -> Parametres:
    """Hypothèses écrites en JSON : les listes redeviennent des n-uplets."""
    valeurs: dict[str, Any] = {
        c: tuple(v) if isinstance(v, list) else v for c, v in contenu.items()
    }
    valeurs["seuils"] = tuple(
        SeuilPalier(s["palier"], float(s["seuil_s"]), tuple(s["modes"])) for s in contenu["seuils"]
    )
    return Parametres(**valeurs)


def _lire_csv(chemin: Path) -> pd.DataFrame:
    table = pd.read_csv(chemin, dtype=dict.fromkeys(_TEXTES, str), keep_default_na=False)
    for colonne in table.columns.difference(list(_TEXTES)):
        table[colonne] = pd.to_numeric(table[colonne].replace("", float("nan")))
    return table

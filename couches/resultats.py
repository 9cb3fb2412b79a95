"""Dossier de résultats d'une étude : écriture et relecture.

Contenu : ``acces_carreaux.parquet`` (une ligne par carreau), ``indicateurs.csv``, ``carences.csv``
(échange entre programmes : UTF-8, virgule, point décimal) et ``resultat.json`` (hypothèses,
empreinte du territoire, constats), écrit en dernier : sans lui, le dossier n'est pas un résultat.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

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
)


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
    """

    acces: pd.DataFrame
    indicateurs: pd.DataFrame
    carences: pd.DataFrame
    constats: tuple[Constat, ...]
    description: Mapping[str, Any]


def ecrire_resultats(resultat: ResultatEtude, dossier: Path, *, nom: str, fictif: bool) -> Path:
    """Écrire les résultats d'une étude dans un dossier, créé s'il n'existe pas.

    Parameters
    ----------
    resultat
        Résultat à écrire.
    dossier
        Dossier de sortie ; les fichiers d'un résultat précédent y sont remplacés un à un.
    nom, fictif
        Nom du territoire, et s'il est simulé.

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
    with ecrire_atomique(dossier / _ACCES) as provisoire:
        resultat.acces.to_parquet(provisoire, index=False, compression="zstd")
    for nom_fichier, table in (
        (_INDICATEURS, resultat.indicateurs),
        (_CARENCES, resultat.carences),
    ):
        with ecrire_atomique(dossier / nom_fichier) as provisoire:
            arrondir_table(table).to_csv(
                provisoire, index=False, encoding="utf-8", lineterminator="\n"
            )
    ecrire_description(resultat, dossier, nom=nom, fictif=fictif)
    return dossier


def ecrire_description(resultat: ResultatEtude, dossier: Path, *, nom: str, fictif: bool) -> Path:
    """Écrire ``resultat.json`` : hypothèses, empreinte et constats, à côté des tables.

    Raises
    ------
    ErreurDonnees
        Fichier impossible à écrire.
    """
    with ecrire_atomique(dossier / _DESCRIPTION) as provisoire:
        provisoire.write_text(
            json.dumps(
                decrire_resultat(resultat, nom=nom, fictif=fictif), ensure_ascii=False, indent=1
            ),
            encoding="utf-8",
        )
    return dossier / _DESCRIPTION


def arrondir_table(table: pd.DataFrame) -> pd.DataFrame:
    """Arrondir au dixième (secondes, habitants) et au dix-millième (parts)."""
    decimales = {
        c: 4 if c.startswith("part_") else 1
        for c in table.columns
        if pd.api.types.is_float_dtype(table[c])
    }
    return table.round(decimales)


def decrire_resultat(resultat: ResultatEtude, *, nom: str, fictif: bool) -> dict[str, Any]:
    """Description d'un résultat, sérialisable en JSON."""
    return {
        "format": FORMAT_RESULTAT,
        "territoire": nom,
        "fictif": fictif,
        "empreinte_territoire": resultat.empreinte_territoire,
        "ponderation": "population" if resultat.par_population else "surface",
        "modes": list(resultat.modes),
        "jour": resultat.jour.isoformat() if resultat.jour else None,
        "services": [s.id for s in resultat.services],
        "parametres": asdict(resultat.parametres),
        "constats": [[c.gravite.value, c.objet, c.message] for c in resultat.constats],
        "durees_s": {etape: round(duree, 3) for etape, duree in resultat.durees_s.items()},
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

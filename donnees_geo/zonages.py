"""Zonages supracommunaux : bassins de vie et secteurs, donnés commune par commune."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import openpyxl
import pandas as pd
from openpyxl.utils.exceptions import InvalidFileException

from donnees_geo.communes import normaliser_codes
from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.lecture.archives import extraire_fichier
from donnees_geo.lecture.tables import lire_csv, normaliser_nom, resoudre_colonnes

Niveau = Literal["bassin_de_vie", "secteur"]

_ALIAS_COMMUNE: Final = ("codgeo", "code_commune", "code_insee", "insee", "depcom", "com", "code")
_ALIAS_ZONE: Final[dict[Niveau, tuple[str, ...]]] = {
    "bassin_de_vie": ("code_bassin_de_vie", "BV2022", "BV2012", "bv", "code_bv", "code_zone"),
    "secteur": ("code_secteur", "secteur_code", "secteur", "code_zone", "zone"),
}
_ALIAS_NOM_ZONE: Final[dict[Niveau, tuple[str, ...]]] = {
    "bassin_de_vie": (
        "bassin_de_vie",
        "LIBBV2022",
        "LIBBV2012",
        "libbv",
        "nom_bassin_de_vie",
        "libelle_bv",
        "nom_zone",
    ),
    "secteur": ("secteur", "nom_secteur", "libelle_secteur", "nom_zone", "zone"),
}
_HORS_ZONE: Final = frozenset({"", "ZZZZZ", "ZZZZZZZZZ"})
_TITRES: Final[dict[Niveau, str]] = {"bassin_de_vie": "bassin de vie", "secteur": "secteur"}
#: L'en-tête des classeurs de l'INSEE est en ligne 6 ; on le cherche plus loin par prudence.
_LIGNES_ENTETE: Final = 20


def lire_zonage(
    chemin: Path, niveau: Niveau, codes_communes: Sequence[str]
) -> tuple[pd.DataFrame, list[Constat]]:
    """Lire la zone de chaque commune.

    Parameters
    ----------
    chemin
        CSV, ou classeur de l'INSEE (en-tête en ligne 6, feuille ``Composition_communale``), nu ou
        dans un zip.
    niveau
        ``bassin_de_vie`` ou ``secteur``.
    codes_communes
        Communes du territoire.

    Returns
    -------
    DataFrame
        ``code_commune``, ``code_zone``, ``nom_zone`` (textes), une ligne par commune du
        territoire, dans l'ordre de ``codes_communes``.
    list of Constat

    Raises
    ------
    ErreurDonnees
        Colonne absente, commune donnée dans deux zones, ou communes du territoire absentes du
        fichier : les identifiants des deux côtés sont énumérés.
    """
    with extraire_fichier(chemin, (".xlsx", ".csv", ".txt"), ("communal", "bv20")) as fichier:
        if fichier.suffix.lower() in (".xlsx", ".xlsm"):
            table = _lire_classeur(fichier, niveau, chemin)
        else:
            table = _lire_texte(fichier, niveau, chemin)
    table = table.drop_duplicates(ignore_index=True)
    repetees = table.loc[table["code_commune"].duplicated(), "code_commune"].unique()
    if len(repetees):
        raise ErreurDonnees(
            f"Commune donnée dans plusieurs zones ({_TITRES[niveau]}).",
            objet=chemin,
            trouve=", ".join(sorted(repetees)[:20]),
        )
    _verifier_correspondance(table, codes_communes, niveau, chemin)
    constats = _constater(table, codes_communes, niveau)
    rangee = table.set_index("code_commune").reindex(list(codes_communes)).reset_index()
    hors = rangee["code_zone"].isin(_HORS_ZONE)
    rangee.loc[hors, ["code_zone", "nom_zone"]] = ""
    if hors.any():
        liste = ", ".join(rangee.loc[hors, "code_commune"].head(10))
        constats.append(
            Constat(
                Gravite.MAJEUR,
                f"decoupage.{niveau}",
                f"{int(hors.sum())} commune(s) hors de tout {_TITRES[niveau]} : {liste}.",
            )
        )
    return rangee, constats


def _lire_texte(fichier: Path, niveau: Niveau, publie: Path) -> pd.DataFrame:
    table = lire_csv(fichier, {}, garder_autres=True)
    return _extraire_colonnes(table, niveau, publie)


def _lire_classeur(fichier: Path, niveau: Niveau, publie: Path) -> pd.DataFrame:
    try:
        classeur = openpyxl.load_workbook(fichier, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as erreur:
        raise ErreurDonnees(
            "Classeur illisible.",
            objet=publie,
            attendu=".xlsx",
            trouve=str(erreur),
            conseil="enregistrez la feuille en CSV",
        ) from erreur
    connues = {normaliser_nom(a) for a in _ALIAS_COMMUNE[:-1]}
    try:
        # La feuille de composition communale d'abord, s'il y en a plusieurs.
        for feuille in sorted(classeur.worksheets, key=lambda f: "commun" not in f.title.lower()):
            lignes = list(feuille.iter_rows(values_only=True))
            for rang, ligne in enumerate(lignes[:_LIGNES_ENTETE]):
                if connues & {normaliser_nom(v) for v in ligne if v is not None}:
                    return _extraire_colonnes(_tabuler(ligne, lignes[rang + 1 :]), niveau, publie)
    finally:
        classeur.close()
    raise ErreurDonnees(
        "Aucune ligne d'en-tête reconnue dans le classeur.",
        objet=publie,
        attendu=f"une colonne parmi {', '.join(_ALIAS_COMMUNE)} dans les {_LIGNES_ENTETE} "
        "premières lignes",
        trouve="feuilles " + ", ".join(classeur.sheetnames),
    )


def _tabuler(entete: Sequence[Any], lignes: Sequence[Sequence[Any]]) -> pd.DataFrame:
    gardees = [i for i, v in enumerate(entete) if v is not None]
    donnees = [
        ["" if i >= len(ligne) or ligne[i] is None else str(ligne[i]).strip() for i in gardees]
        for ligne in lignes
        if any(v is not None for v in ligne)
    ]
    return pd.DataFrame(donnees, columns=[str(entete[i]) for i in gardees], dtype="str")


def _extraire_colonnes(table: pd.DataFrame, niveau: Niveau, publie: Path) -> pd.DataFrame:
    trouvees = resoudre_colonnes(
        table.columns,
        {"code_commune": _ALIAS_COMMUNE, "code_zone": _ALIAS_ZONE[niveau]},
        publie,
        facultatives={"nom_zone": _ALIAS_NOM_ZONE[niveau]},
    )
    zone = table[trouvees["code_zone"]].str.strip()
    return pd.DataFrame(
        {
            "code_commune": normaliser_codes(table[trouvees["code_commune"]]),
            "code_zone": zone,
            "nom_zone": table[trouvees.get("nom_zone", trouvees["code_zone"])].str.strip(),
        }
    )


def _verifier_correspondance(
    table: pd.DataFrame, codes_communes: Sequence[str], niveau: Niveau, chemin: Path
) -> None:
    sans_zone = sorted(set(codes_communes) - set(table["code_commune"]))
    if not sans_zone:
        return
    inconnus = sorted(set(table["code_commune"]) - set(codes_communes))
    raise ErreurDonnees(
        f"{len(sans_zone)} commune(s) du territoire absente(s) du fichier ({_TITRES[niveau]}).",
        objet=chemin,
        attendu=", ".join(sans_zone[:20]),
        trouve=(
            f"{len(inconnus)} code(s) inconnus du découpage : " + ", ".join(inconnus[:20])
            if inconnus
            else "aucun autre code"
        ),
        conseil="corrigez les codes, ou prenez deux fichiers de la même année",
    )


def _constater(table: pd.DataFrame, codes_communes: Sequence[str], niveau: Niveau) -> list[Constat]:
    """Dire les codes étrangers au territoire, normaux dans un fichier national."""
    inconnus = sorted(set(table["code_commune"]) - set(codes_communes))
    if not inconnus:
        return []
    liste = ", ".join(inconnus[:5]) + (" …" if len(inconnus) > 5 else "")
    return [
        Constat(
            Gravite.MINEUR,
            f"decoupage.{niveau}",
            f"{len(inconnus)} commune(s) du fichier hors du territoire, sans effet : {liste}.",
        )
    ]

"""Classeur Excel et CSV pour tableur français ; aucune cellule n'y est exécutée comme formule."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from accessibilite.analyses.ensemble import TABLES
from accessibilite.etude import ResultatEtude
from couches.archive import archiver
from couches.licences import decrire_sources
from couches.noms_fichiers import nommer_fichier
from couches.tables_export import (
    TableExport,
    decrire_hypotheses_etude,
    table_carences,
    table_indicateurs,
    table_zones,
)
from couches.themes import Themes, lire_themes
from donnees_geo.conventions import PALIERS
from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.territoire import Territoire

Progression = Callable[[str, float], None]
#: Début de texte qu'un tableur peut prendre pour une formule.
_DEBUTS_FORMULE: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
#: Caractères que XML refuse.
_INTERDITS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_FORMATS: Final = {
    "entier": "#,##0",
    "decimal": "#,##0.0",
    "part": "0.0%",
    "minutes": "0.0",
    "secondes": "0",
}
_ENTETE: Final = PatternFill("solid", fgColor="FFE9E3D8")
_LARGEUR_MAX: Final = 44
_LIGNES_MAX: Final = 1_048_575
#: Une analyse plus longue reste dans son CSV.
LIGNES_ANALYSE_MAX: Final = 5_000
#: Date fixe du fichier : deux exports des mêmes résultats sont identiques.
_DATE_FIXE: Final = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_INFINI: Final = "inaccessible"


def neutraliser(texte: str) -> str:
    """Texte qu'aucun tableur n'exécutera : une apostrophe précède ce qui ressemble à une formule.

    Examples
    --------
    >>> neutraliser("=1+1")
    "'=1+1"
    >>> neutraliser("Béthune")
    'Béthune'
    """
    propre = _INTERDITS.sub("", texte)
    return f"'{propre}" if propre.lstrip(" \u00a0").startswith(_DEBUTS_FORMULE) else propre


def composer_tables(
    territoire: Territoire,
    resultat: ResultatEtude,
    analyses: Mapping[str, pd.DataFrame] | None = None,
) -> list[TableExport]:
    """Tables du classeur, une par thème, dans l'ordre des feuilles.

    Parameters
    ----------
    territoire, resultat
        Territoire et son étude.
    analyses
        Tables des analyses écrites avec l'étude (``resultats.lire_resultats``), par nom.
    """
    noms = dict(zip(territoire.communes["code_commune"], territoire.communes["nom"], strict=True))
    presents = set(resultat.indicateurs["zone_type"])
    tables = [table_zones(resultat, "commune")]
    tables += [
        table_zones(resultat, "commune", palier)
        for palier in PALIERS
        if any(s.palier == palier for s in resultat.services)
    ]
    tables += [table_zones(resultat, z) for z in ("bassin_de_vie", "secteur") if z in presents]
    tables += [table_carences(resultat, noms), table_indicateurs(resultat)]
    tables += _tables_thematiques(lire_themes(territoire))
    for nom, table in (analyses or {}).items():
        if len(table) > LIGNES_ANALYSE_MAX:
            continue  # ces tables se lisent dans leur CSV : un classeur de 100 000 lignes est lourd
        titre = nom.replace("_", " ")
        tables.append(_table_brute(nom, titre[:1].upper() + titre[1:], TABLES.get(nom, ""), table))
    return tables


def _table_brute(nom: str, titre: str, description: str, donnees: pd.DataFrame) -> TableExport:
    """Table dont les colonnes gardent leur nom."""
    colonnes = {str(c): (str(c), _format_de(donnees[c])) for c in donnees.columns}
    phrase = f"{description[:1].upper()}{description[1:]}."
    return TableExport(nom, titre, phrase, donnees, colonnes)


def _tables_thematiques(themes: Themes) -> Iterable[TableExport]:
    for nom, titre, table in (
        ("friches", "Friches", themes.friches),
        ("commerces", "Commerces", themes.commerces),
        ("marches", "Marchés", themes.marches),
    ):
        if table is not None:
            donnees = pd.DataFrame(table.drop(columns=table.geometry.name))
            yield _table_brute(nom, titre, f"{titre} du territoire", donnees)


def _format_de(colonne: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(colonne):
        return "texte"
    if pd.api.types.is_integer_dtype(colonne):
        return "entier"
    if str(colonne.name).startswith("part_"):
        return "part"
    return "decimal" if pd.api.types.is_float_dtype(colonne) else "texte"


def exporter_classeur(
    territoire: Territoire,
    resultat: ResultatEtude,
    chemin: Path,
    progression: Progression | None = None,
    analyses: Mapping[str, pd.DataFrame] | None = None,
) -> Path:
    """Écrire le classeur : « Lisez-moi », puis une feuille par thème, vrais nombres, titres figés.

    Parameters
    ----------
    territoire, resultat
        Territoire et son étude.
    chemin
        Fichier ``.xlsx``.
    progression
        Rappel ``(étape, part faite)``.
    analyses
        Tables des analyses, par nom.

    Raises
    ------
    ErreurDonnees
        Fichier impossible à écrire (ouvert dans Excel, disque plein…) ou table trop longue.
    """
    tables = composer_tables(territoire, resultat, analyses)
    with ecrire_atomique(chemin) as provisoire:
        # En mémoire : une archive que le disque plein interrompt se refermerait une seconde fois.
        brut = io.BytesIO()
        classeur = Workbook(write_only=True)
        try:
            _remplir(classeur, territoire, resultat, tables, progression)
        finally:
            # Interrompue, chaque feuille commencée garderait un fichier ouvert.
            for feuille in classeur.worksheets:
                feuille.close()
        classeur.save(brut)
        provisoire.write_bytes(_figer_dates(brut))
    return chemin


def _remplir(
    classeur: Workbook,
    territoire: Territoire,
    resultat: ResultatEtude,
    tables: Sequence[TableExport],
    progression: Progression | None,
) -> None:
    classeur.properties.title = f"Accès aux services — {territoire.nom}"
    classeur.properties.creator = "Demi-heure"
    classeur.properties.created = classeur.properties.modified = _DATE_FIXE
    _ecrire_lisez_moi(classeur, territoire, resultat, tables)
    for rang, table in enumerate(tables):
        if progression is not None:
            progression(table.titre, rang / len(tables))
        _ecrire_feuille(classeur, table)


def _titre_feuille(titre: str) -> str:
    """Titre admis par Excel : 31 signes, sans crochets, deux-points ni barres."""
    return re.sub(r"\s*:\s*", " - ", re.sub(r"[\[\]*?/\\]", " ", titre))[:31]


def _ecrire_feuille(classeur: Workbook, table: TableExport) -> None:
    if len(table.donnees) > _LIGNES_MAX:
        raise ErreurDonnees(
            "La table est trop longue pour un classeur.",
            objet=table.titre,
            attendu=f"{_LIGNES_MAX} lignes au plus",
            trouve=len(table.donnees),
            conseil="exporter en gpkg ou en csv",
        )
    feuille = classeur.create_sheet(_titre_feuille(table.titre))
    feuille.freeze_panes = "A2"
    formats = [table.colonnes[c][1] for c in table.donnees.columns]
    titres = [table.colonnes[c][0] for c in table.donnees.columns]
    for rang, (titre, colonne) in enumerate(zip(titres, table.donnees.columns, strict=True), 1):
        feuille.column_dimensions[get_column_letter(rang)].width = _largeur(
            titre, table.donnees[colonne]
        )
    feuille.auto_filter.ref = f"A1:{get_column_letter(len(titres))}{max(2, len(table.donnees) + 1)}"
    feuille.append([_cellule_titre(feuille, t) for t in titres])
    colonnes = [table.donnees[c].to_numpy(dtype=object) for c in table.donnees.columns]
    for valeurs in zip(*colonnes, strict=True):
        feuille.append([_cellule(feuille, v, f) for v, f in zip(valeurs, formats, strict=True)])


def _largeur(titre: str, colonne: pd.Series) -> float:
    """Largeur d'une colonne d'après son titre et ses premières valeurs, en caractères."""
    longueur = 10
    if not pd.api.types.is_numeric_dtype(colonne):
        longueur = max((len(str(v)) for v in colonne.head(400) if v == v), default=0)
    return float(min(_LARGEUR_MAX, max(9, min(len(titre), 24), longueur) + 2))


def _cellule_titre(feuille: WriteOnlyWorksheet, titre: str) -> Any:
    cellule = WriteOnlyCell(feuille, neutraliser(titre))
    cellule.font = Font(bold=True)
    cellule.fill = _ENTETE
    cellule.alignment = Alignment(wrap_text=True, vertical="top")
    return cellule


def _cellule(feuille: WriteOnlyWorksheet, valeur: Any, format_colonne: str) -> Any:
    """Cellule typée : nombre, vide, ou texte déclaré comme texte."""
    if isinstance(valeur, bool | np.bool_):
        return "oui" if valeur else "non"
    if isinstance(valeur, int | float | np.integer | np.floating):
        nombre = float(valeur)
        if np.isnan(nombre):
            return None
        if np.isinf(nombre):
            return _INFINI
        cellule = WriteOnlyCell(feuille, int(valeur) if nombre.is_integer() else nombre)
        cellule.number_format = _FORMATS.get(format_colonne, "General")
        return cellule
    if valeur is None or valeur is pd.NA or valeur is pd.NaT:
        return None
    texte = _INTERDITS.sub("", str(valeur))
    if not texte.lstrip(" \u00a0").startswith(_DEBUTS_FORMULE):
        return texte
    cellule = WriteOnlyCell(feuille, texte)
    # Le type « texte » suffit à Excel ; l'apostrophe invisible le garde si l'on retouche.
    cellule.data_type = "s"
    cellule.quotePrefix = True
    return cellule


def _ecrire_lisez_moi(
    classeur: Workbook,
    territoire: Territoire,
    resultat: ResultatEtude,
    tables: Sequence[TableExport],
) -> None:
    feuille = classeur.create_sheet("Lisez-moi")
    feuille.column_dimensions["A"].width = 34
    feuille.column_dimensions["B"].width = 110
    lignes: list[tuple[str, str]] = [("Territoire", territoire.nom)]
    if territoire.fictif:
        lignes.append(("Données fictives", "Ce territoire n'existe pas : données simulées."))
    lignes += [
        ("Empreinte", territoire.empreinte),
        ("Unités", "Habitants, minutes ; une part est un pourcentage de 0 à 100 %."),
        ("Cellule vide", "Sans donnée, ou plus de la moitié des habitants hors d'atteinte."),
        ("", ""),
        ("Feuille", "Contenu"),
        *((_titre_feuille(t.titre), t.description) for t in tables),
        (
            "Autres analyses",
            f"Celles de plus de {LIGNES_ANALYSE_MAX} lignes sont les fichiers CSV du diagnostic.",
        ),
        ("", ""),
        *(("Hypothèse", h) for h in decrire_hypotheses_etude(resultat)),
        ("", ""),
        *(
            (f"Limite ({c.gravite.value})", f"{c.objet} : {c.message}")
            for c in (*resultat.constats, *territoire.constats)
        ),
        ("", ""),
        *(
            (
                f"Source : {s.contenu}",
                f"{s.producteur or s.fichier} — {s.fichier}, {s.millesime} ({s.licence})",
            )
            for s in decrire_sources(territoire)
        ),
    ]
    for titre, texte in lignes:
        gras = WriteOnlyCell(feuille, neutraliser(titre))
        gras.font = Font(bold=True)
        gras.alignment = Alignment(vertical="top")
        corps = WriteOnlyCell(feuille, neutraliser(texte))
        corps.alignment = Alignment(wrap_text=True, vertical="top")
        feuille.append([gras, corps])


def _figer_dates(brut: io.BytesIO) -> bytes:
    """Recopier l'archive du classeur avec des dates fixes."""
    with zipfile.ZipFile(brut) as entree:
        contenus = {nom: entree.read(nom) for nom in entree.namelist()}
    # openpyxl y met l'heure de l'enregistrement.
    coeur = "docProps/core.xml"
    contenus[coeur] = re.sub(
        rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2000-01-01T00:00:00Z", contenus[coeur]
    )
    return archiver(contenus)


def exporter_csv(
    territoire: Territoire,
    resultat: ResultatEtude,
    dossier: Path,
    analyses: Mapping[str, pd.DataFrame] | None = None,
) -> list[Path]:
    """Écrire chaque table en CSV pour Excel français : UTF-8 marqué, ``;``, virgule décimale.

    Raises
    ------
    ErreurDonnees
        Fichier impossible à écrire.
    """
    sorties = []
    for table in composer_tables(territoire, resultat, analyses):
        chemin = dossier / nommer_fichier(table.nom, extension=".csv")
        with ecrire_atomique(chemin) as provisoire:
            _table_texte(table).to_csv(
                provisoire,
                sep=";",
                decimal=",",
                index=False,
                encoding="utf-8-sig",
                lineterminator="\r\n",
                float_format="%.6g",
            )
        sorties.append(chemin)
    return sorties


def _table_texte(table: TableExport) -> pd.DataFrame:
    """Table aux titres affichés, textes neutralisés, infini dit en toutes lettres."""
    colonnes: dict[str, Any] = {}
    for nom, valeurs in table.donnees.items():
        titre = neutraliser(table.colonnes[str(nom)][0])
        if pd.api.types.is_bool_dtype(valeurs):
            colonnes[titre] = np.where(valeurs.to_numpy(dtype=bool), "oui", "non")
        elif pd.api.types.is_numeric_dtype(valeurs):
            colonnes[titre] = valeurs.replace([np.inf, -np.inf], np.nan).to_numpy()
        else:
            colonnes[titre] = [
                "" if v is None or v is pd.NA or v != v else neutraliser(str(v)) for v in valeurs
            ]
    return pd.DataFrame(colonnes)

"""Catalogue des couches thématiques (``parametres/couches.toml``) : titre, aspect, provenance.

Un seul aspect sert à l'écran, au papier et à QGIS.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast, get_args

import geopandas as gpd
import numpy as np
import shapely

from couches.couche import Trame
from couches.styles import FICHIER, lire_couleur
from donnees_geo.erreurs import ErreurConfiguration
from donnees_geo.lecture.fichiers_toml import TableToml, lever_fautes, lire_toml
from donnees_geo.schemas import SCHEMAS_CONTEXTE, SCHEMAS_COUCHES
from donnees_geo.thematiques.contexte import FAMILLES_CONTEXTE, reconnaitre_contexte

GenreChamp = Literal["texte", "code", "nombre", "jour", "heure"]
_SCHEMAS: Final = SCHEMAS_COUCHES | SCHEMAS_CONTEXTE
#: Détail qui ne se voit plus à l'écran, mètres, pour une carte de l'agglomération entière.
TOLERANCE_ECRAN_M: Final = 20.0


@dataclass(frozen=True)
class Classe:
    """Une classe d'une couche : valeur de la colonne, libellé, couleur et trame."""

    valeur: str
    libelle: str
    couleur: str
    trame: Trame


@dataclass(frozen=True)
class ChampBulle:
    """Une colonne dite dans la bulle d'un objet.

    Attributes
    ----------
    colonne, libelle, unite
        Colonne de la table, son nom affiché et son unité.
    genre
        ``code`` : tirets bas remplacés par des espaces ; ``jour`` : 0 = lundi ; ``heure`` :
        secondes après minuit.
    """

    colonne: str
    libelle: str
    genre: GenreChamp = "texte"
    unite: str = ""


@dataclass(frozen=True)
class FicheCouche:
    """Une couche du catalogue.

    Attributes
    ----------
    id, titre, groupe
        Identifiant, titre et groupe affichés.
    schema
        Nom du schéma de la table (``donnees_geo.schemas``).
    champ, filtre
        Colonne de la classe (vide : une seule), et égalités qui choisissent les lignes.
    classes
        Classes, dans l'ordre de la légende.
    unite, source, licence, avertissement
        Unité des surfaces ou comptes, provenance, licence, et ce qu'il faut dire avec la couche.
    famille
        Famille de contexte (``thematiques.contexte``) que la fiche habille, vide sinon.
    nom, champs
        Colonne du nom d'un objet (vide : sans nom), et colonnes dites dans sa bulle.
    reperer
        Vrai : un objet trop petit pour se voir est montré par un signe.
    """

    id: str
    titre: str
    groupe: str
    schema: str
    champ: str
    filtre: dict[str, str]
    classes: tuple[Classe, ...]
    unite: str
    source: str
    licence: str
    avertissement: str
    famille: str = ""
    nom: str = ""
    champs: tuple[ChampBulle, ...] = ()
    reperer: bool = False


@dataclass(frozen=True)
class AspectLibre:
    """Aspect des couches sans fiche : couleur unique, catégories, rampe, objets sans valeur."""

    couleur: str
    categories: tuple[str, ...]
    rampe: tuple[str, ...]
    sans_valeur: str


@cache
def lire_aspect_libre(chemin: Path = FICHIER) -> AspectLibre:
    """Lire l'aspect des couches libres.

    Raises
    ------
    ErreurConfiguration
        Section absente, clé inconnue ou absente, liste vide, couleur mal formée.
    """
    fautes: list[str] = []
    table = TableToml(lire_toml(chemin).get("couches_libres"), "[couches_libres]", fautes)
    simples = {cle: table.texte(cle, obligatoire=True) or "" for cle in ("couleur", "sans_valeur")}
    listes = {cle: table.textes(cle) for cle in ("categories", "rampe")}
    table.terminer()
    for cle, couleurs in [*((c, (v,)) for c, v in simples.items()), *listes.items()]:
        if not couleurs:
            table.faute("au moins une couleur est attendue", cle)
        for couleur in couleurs:
            _verifier_couleur(table, couleur, cle)
    lever_fautes(fautes, chemin, "Aspect des couches libres")
    return AspectLibre(
        simples["couleur"], listes["categories"], listes["rampe"], simples["sans_valeur"]
    )


def fiche_de(cle: str) -> FicheCouche | None:
    """Fiche de la famille de contexte d'une clé de ``[couches]`` ; ``None`` : couche libre."""
    famille = reconnaitre_contexte(cle)
    if not famille:
        return None
    return next((f for f in lire_catalogue().values() if f.famille == famille), None)


@cache
def lire_catalogue(chemin: Path = FICHIER) -> dict[str, FicheCouche]:
    """Lire le catalogue, dans l'ordre du fichier.

    Raises
    ------
    ErreurConfiguration
        Clé inconnue ou absente, schéma, colonne, couleur ou trame inconnus.
    """
    fautes: list[str] = []
    contenu = lire_toml(chemin).get("catalogue", {})
    fiches = {
        identifiant: _lire_fiche(identifiant, TableToml(t, f"[catalogue.{identifiant}]", fautes))
        for identifiant, t in contenu.items()
    }
    lever_fautes(fautes, chemin, "Catalogue des couches")
    return fiches


def _lire_fiche(identifiant: str, table: TableToml) -> FicheCouche:
    schema = table.choix("schema", sorted(_SCHEMAS), obligatoire=True) or ""
    filtre = table.table("filtre")
    conditions = {cle: filtre.texte(cle) or "" for cle in list(filtre.valeurs)}
    champ, nom = table.texte("champ") or "", table.texte("nom") or ""
    champs = tuple(_lire_champ(t) for t in table.tables("champs"))
    if schema:
        citees = {champ, nom, *conditions, *(c.colonne for c in champs)}
        inconnues = citees - {""} - _SCHEMAS[schema].colonnes.keys()
        for colonne in sorted(inconnues):
            table.faute(f"colonne « {colonne} » absente du schéma {schema}")
    fiche = FicheCouche(
        id=identifiant,
        titre=table.texte("titre", obligatoire=True) or "",
        groupe=table.texte("groupe", obligatoire=True) or "",
        schema=schema,
        champ=champ,
        filtre=conditions,
        classes=tuple(_lire_classe(t) for t in table.tables("classes")),
        unite=table.texte("unite") or "",
        source=table.texte("source", obligatoire=True) or "",
        licence=table.texte("licence", obligatoire=True) or "",
        avertissement=table.texte("avertissement") or "",
        famille=table.choix("famille", sorted(FAMILLES_CONTEXTE)) or "",
        nom=nom,
        champs=champs,
        reperer=table.booleen("reperer", False),
    )
    table.terminer()
    if not fiche.classes:
        table.faute("au moins une classe est attendue", "classes")
    return fiche


def _lire_champ(table: TableToml) -> ChampBulle:
    champ = ChampBulle(
        colonne=table.texte("colonne", obligatoire=True) or "",
        libelle=table.texte("libelle", obligatoire=True) or "",
        genre=cast(GenreChamp, table.choix("genre", get_args(GenreChamp)) or "texte"),
        unite=table.texte("unite") or "",
    )
    table.terminer()
    return champ


def _verifier_couleur(table: TableToml, couleur: str, cle: str) -> None:
    try:
        lire_couleur(couleur)
    except ErreurConfiguration:
        table.faute(f"une couleur #rrggbb est attendue, trouvé « {couleur} »", cle)


def _lire_classe(table: TableToml) -> Classe:
    couleur = table.texte("couleur", obligatoire=True) or "#000000"
    _verifier_couleur(table, couleur, "couleur")
    classe = Classe(
        # Une valeur vide est celle des objets dont la source ne dit rien.
        valeur=str(table.brut("valeur") or ""),
        libelle=table.texte("libelle", obligatoire=True) or "",
        couleur=couleur,
        trame=cast(Trame, table.choix("trame", get_args(Trame), obligatoire=True)),
    )
    table.terminer()
    return classe


def choisir_lignes(fiche: FicheCouche, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Lignes d'une table qui relèvent d'une couche du catalogue."""
    masque = np.ones(len(table), dtype=bool)
    for colonne, valeur in fiche.filtre.items():
        masque &= (table[colonne].astype(str) == valeur).to_numpy()
    return table.loc[masque]


def classe_de(fiche: FicheCouche, table: gpd.GeoDataFrame) -> np.ndarray:
    """Rang de la classe de chaque ligne, -1 pour une valeur hors du catalogue."""
    if not fiche.champ:
        return np.zeros(len(table), dtype=np.int64)
    rangs = {classe.valeur: rang for rang, classe in enumerate(fiche.classes)}
    textes = table[fiche.champ].astype(str).str.casefold()
    return np.array([rangs.get(t, -1) for t in textes], dtype=np.int64)


def simplifier_pour_ecran(
    geometries: np.ndarray, tolerance_m: float = TOLERANCE_ECRAN_M
) -> np.ndarray:
    """Formes allégées pour l'affichage seul ; aucune mesure n'en est jamais tirée.

    Une forme que la simplification viderait de moitié reste entière : un petit site garde son
    aspect, et il a peu de sommets.

    Returns
    -------
    numpy.ndarray
        Mêmes rangs ; les géométries données ne sont pas modifiées.
    """
    legeres = np.asarray(shapely.simplify(geometries, tolerance_m, preserve_topology=True))
    abimees = shapely.is_empty(legeres) | (
        (shapely.get_dimensions(geometries) == 2)
        & (shapely.area(legeres) <= 0.5 * shapely.area(geometries))
    )
    return np.where(abimees, geometries, legeres)

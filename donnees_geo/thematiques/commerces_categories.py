"""Catalogue des catégories de commerces (``parametres/commerces.toml``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pandas as pd

from donnees_geo.configuration import Service
from donnees_geo.lecture.codes import classer_textes
from donnees_geo.lecture.fichiers_toml import TableToml, lever_fautes, lire_toml

FICHIER: Final = Path(__file__).resolve().parents[2] / "parametres" / "commerces.toml"
#: Préfixe des services de lecture, qui ne sont pas des services du catalogue.
PREFIXE: Final = "commerce."
VACANT: Final = PREFIXE + "vacant"
DESAFFECTE: Final = PREFIXE + "desaffecte"
#: Catégorie d'un commerce qu'aucune autre ne reconnaît, et d'un local vacant sans ancien usage.
AUTRE: Final = "autre"


@dataclass(frozen=True)
class Categorie:
    """Catégorie de commerces.

    Attributes
    ----------
    id, libelle, famille
        Identifiant, nom affiché, famille (alimentaire, services, restauration…).
    codes_bpe, tags_osm, codes_naf, mots
        Ce qui la fait reconnaître dans chaque source.
    """

    id: str
    libelle: str
    famille: str
    codes_bpe: tuple[str, ...]
    tags_osm: tuple[dict[str, tuple[str, ...]], ...]
    codes_naf: tuple[str, ...]
    mots: tuple[str, ...]


@cache
def lire_categories(chemin: Path = FICHIER) -> tuple[Categorie, ...]:
    """Lire le catalogue des catégories, dans l'ordre du fichier.

    Raises
    ------
    ErreurConfiguration
        Clé inconnue ou absente, code attribué à deux catégories.
    """
    fautes: list[str] = []
    categories = []
    for identifiant, contenu in lire_toml(chemin).items():
        table = TableToml(contenu, f"[{identifiant}]", fautes)
        regles = tuple(
            {tag: regle.textes(tag) for tag in regle.valeurs} for regle in table.tables("tags_osm")
        )
        categories.append(
            Categorie(
                id=identifiant,
                libelle=table.texte("libelle", obligatoire=True) or "",
                famille=table.texte("famille", obligatoire=True) or "",
                codes_bpe=table.textes("codes_bpe"),
                tags_osm=regles,
                codes_naf=table.textes("codes_naf"),
                mots=table.textes("mots"),
            )
        )
        table.terminer()
    for attribut in ("codes_bpe", "codes_naf"):
        codes = [c for categorie in categories for c in getattr(categorie, attribut)]
        doubles = sorted({c for c in codes if codes.count(c) > 1})
        if doubles:
            fautes.append(f"{attribut} : {', '.join(doubles)} dans deux catégories")
    lever_fautes(fautes, chemin, "Catalogue des commerces")
    return tuple(categories)


def construire_services_lecture(categories: Sequence[Categorie]) -> tuple[Service, ...]:
    """Services fictifs qui font lire les commerces dans les mêmes passes que les équipements.

    Leur identifiant est préfixé ; ils n'entrent jamais dans l'étude d'accès. S'y ajoutent les
    locaux vacants (``shop=vacant``) et désaffectés (``disused:shop``) d'OpenStreetMap.
    """

    def service(
        identifiant: str,
        codes_bpe: tuple[str, ...],
        tags_osm: tuple[dict[str, tuple[str, ...]], ...],
        exclus: tuple[dict[str, tuple[str, ...]], ...] = ({"shop": ("vacant", "no")},),
    ) -> Service:
        return Service(
            id=identifiant,
            libelle=identifiant,
            palier="proximite",
            fonction="s_approvisionner",
            codes_bpe=codes_bpe,
            tags_osm=tags_osm,
            tags_osm_exclus=exclus,
            source="union",
            surfacique=False,
            distance_doublon_m=20.0,
            couleur="#000000",
        )

    lus = [service(PREFIXE + c.id, c.codes_bpe, c.tags_osm) for c in categories]
    lus.append(service(VACANT, (), ({"shop": ("vacant",)},), ()))
    # Un local rouvert garde souvent son ancien tag : « shop » renseigné, il n'est plus vacant.
    lus.append(service(DESAFFECTE, (), ({"disused:shop": ("*",)},), ({"shop": ("*",)},)))
    return tuple(lus)


def classer_par_mots(libelles: pd.Series[str], categories: Sequence[Categorie]) -> pd.Series[str]:
    """Catégorie de libellés libres : identifiant exact, mot-clé, sinon ``autre``."""
    motifs = [(mot, c.id) for c in categories for mot in c.mots]
    codes, _ = classer_textes(libelles, motifs, vide=AUTRE, defaut=AUTRE)
    exacts = {c.id: c.id for c in categories} | {c.libelle: c.id for c in categories}
    precis = libelles.map(exacts)
    return precis.where(precis.notna(), codes).astype("str")

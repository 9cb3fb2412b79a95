"""Calques d'un territoire : friches, inondation, commerces, planification, transport, libres."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np

from couches.calques.libres import composer_libre
from couches.calques.modele import Calque, dire_nature
from couches.calques.transport import construire_transport
from couches.catalogue import (
    Classe,
    FicheCouche,
    choisir_lignes,
    classe_de,
    fiche_de,
    lire_aspect_libre,
    lire_catalogue,
)
from couches.couche import SIMULEE
from couches.themes import Themes
from donnees_geo.territoire import SourceLue, Territoire
from donnees_geo.thematiques.commerces_categories import lire_categories
from donnees_geo.thematiques.ensemble import est_inondation


def lister_calques(territoire: Territoire, themes: Themes) -> dict[str, Calque]:
    """Calques d'un territoire, dans l'ordre du catalogue puis des couches libres.

    Parameters
    ----------
    territoire
        Territoire préparé : sources, constats, offre de transport.
    themes
        Ses couches thématiques.

    Returns
    -------
    dict
        Identifiant → calque ; une couche sans objet n'y est pas.
    """
    tables: dict[str, gpd.GeoDataFrame | None] = {
        "zones_inondables": themes.zones_inondables,
        "friches": themes.friches,
        "commerces": _nommer_categories(themes.commerces),
        "marches": themes.marches,
        **construire_transport(territoire),
    }
    calques = []
    for fiche in lire_catalogue().values():
        table = tables.get(fiche.schema)
        if table is not None and len(lignes := choisir_lignes(fiche, table)):
            cles = _cles_du_schema(territoire, fiche.schema)
            calque = _habiller(fiche, fiche.id, fiche.titre, lignes, territoire, cles)
            # Les fichiers d'inondation sont réunis en une table : nul ne dit lequel donne quoi.
            reunis = fiche.schema == "zones_inondables"
            calques.append(replace(calque, source=fiche.source) if reunis else calque)
    ordre = {fiche.id: rang for rang, fiche in enumerate(lire_catalogue().values())}
    rangees = sorted(
        themes.autres.items(),
        key=lambda c: ordre.get(f.id, 0) if (f := fiche_de(c[0])) else len(ordre),
    )
    for cle, table in rangees:
        if table.empty:
            continue
        trouvee = fiche_de(cle)
        if trouvee is None or not {trouvee.champ, trouvee.nom} - {""} <= set(table.columns):
            titre = cle.replace("_", " ")
            calque = composer_libre(cle, titre[:1].upper() + titre[1:], table)
            calques.append(_sourcer(calque, territoire, [f"couches.{cle}"], "", ""))
        else:
            titre = _titrer(trouvee, cle, themes.autres)
            calques.append(_habiller(trouvee, cle, titre, table, territoire, [f"couches.{cle}"]))
    return {c.id: c for c in calques}


def _titrer(fiche: FicheCouche, cle: str, cles: Iterable[str]) -> str:
    """Titre de la fiche ; la clé le précise si plusieurs couches sont de sa famille."""
    soeurs = [c for c in cles if (f := fiche_de(c)) is not None and f.id == fiche.id]
    return fiche.titre if len(soeurs) == 1 else f"{fiche.titre} ({cle.replace('_', ' ')})"


def _habiller(
    fiche: FicheCouche,
    identifiant: str,
    titre: str,
    lignes: gpd.GeoDataFrame,
    territoire: Territoire,
    cles: Sequence[str],
) -> Calque:
    """Calque d'une fiche du catalogue ; une valeur hors du catalogue a sa propre classe."""
    table = lignes.reset_index(drop=True)
    rangs = classe_de(fiche, table)
    classes = fiche.classes
    if (rangs < 0).any():
        classes = (*classes, Classe("", "autre valeur", lire_aspect_libre().sans_valeur, "points"))
        rangs = np.where(rangs < 0, len(fiche.classes), rangs)
    calque = Calque(
        id=identifiant,
        titre=titre,
        groupe=fiche.groupe,
        table=table,
        classes=classes,
        rangs=rangs,
        nature=dire_nature(table),
        nom=fiche.nom,
        champs=tuple(c for c in fiche.champs if c.colonne in table),
        avertissement=fiche.avertissement,
        reperer=fiche.reperer,
    )
    return _sourcer(calque, territoire, cles, fiche.source, fiche.licence)


def _sourcer(
    calque: Calque, territoire: Territoire, cles: Sequence[str], source: str, licence: str
) -> Calque:
    """Calque avec les fichiers dont il vient, leur millésime et les constats de leur lecture."""
    lues = [s for s in territoire.sources if s.cle in cles]
    fichiers = ", ".join(dict.fromkeys(s.fichier for s in lues))
    return replace(
        calque,
        source=" – ".join(t for t in (source, fichiers) if t),
        millesime=_millesime(lues),
        licence=SIMULEE if territoire.fictif else licence or "celle du producteur, à vérifier",
        notes=tuple(c.message for c in territoire.constats if c.objet in cles),
    )


def _millesime(sources: Sequence[SourceLue]) -> str:
    return ", ".join(sorted({s.date_donnees for s in sources if s.date_donnees}))


def _cles_du_schema(territoire: Territoire, schema: str) -> list[str]:
    """Clés de source dont vient la table d'un schéma."""
    if schema == "zones_inondables":
        cles = (s.cle for s in territoire.sources if s.cle.startswith("couches."))
        return [c for c in cles if est_inondation(c.removeprefix("couches."))]
    if schema in ("lignes_tc", "arrets_tc"):
        return ["transport.gtfs"]
    return [f"couches.{schema}"]


def _nommer_categories(commerces: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
    """Commerces dont la catégorie est dite par son libellé."""
    if commerces is None:
        return None
    libelles = {c.id: c.libelle for c in lire_categories()}
    return commerces.assign(
        categorie=commerces["categorie"].astype(str).map(lambda c: libelles.get(c, c))
    )

"""Couches d'un paquet SIG : tables, styles, licences et titres des champs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import geopandas as gpd
import pandas as pd

from accessibilite.bilans.indicateurs import PLUS_RAPIDE
from accessibilite.bilans.synthese import lire_temps
from accessibilite.etude import ResultatEtude, colonne_temps
from couches.catalogue import fiche_de
from couches.couche import LICENCE_OUVERTE, ODBL, SIMULEE
from couches.licences import contient_osm
from couches.noms_fichiers import nommer_fichier
from couches.sig.styles_couches import (
    style_communes,
    style_contexte,
    style_equipements,
    style_libre,
    style_limites,
    style_simple,
    styles_carreaux,
    styles_catalogue,
)
from couches.sig.styles_qgis import StyleCouche, Symbole
from couches.styles import Styles
from couches.tables_export import (
    entiers,
    libelle_mode,
    libelles_services,
    table_bassins,
    table_carences,
    table_carreaux,
    table_communes,
    table_equipements,
    table_indicateurs,
)
from couches.themes import Themes, lire_themes
from donnees_geo.conventions import LIBELLES_PALIERS, PALIERS
from donnees_geo.territoire import Territoire


@dataclass(frozen=True)
class CoucheExport:
    """Une couche (ou une table sans géométrie) du GeoPackage.

    Attributes
    ----------
    nom, titre, description
        Nom technique, titre affiché, phrase de métadonnées.
    donnees
        Table.
    licence
        Licence de rediffusion.
    styles
        Styles ; le premier est celui d'ouverture.
    alias
        Champ → titre affiché.
    """

    nom: str
    titre: str
    description: str
    donnees: pd.DataFrame
    licence: str
    styles: tuple[StyleCouche, ...] = ()
    alias: dict[str, str] = field(default_factory=dict)


def composer_couches_export(
    territoire: Territoire, resultat: ResultatEtude, styles: Styles
) -> list[CoucheExport]:
    """Couches d'un paquet SIG, de la plus haute à la plus basse dans la légende.

    Parameters
    ----------
    territoire, resultat
        Territoire et son étude.
    styles
        Palette et classes.
    """
    ouverte = SIMULEE if territoire.fictif else LICENCE_OUVERTE
    # Un temps tiré du réseau de rues relève de la base dérivée.
    derivee = SIMULEE if territoire.fictif else (ODBL if contient_osm(territoire) else ouverte)
    noms = dict(zip(territoire.communes["code_commune"], territoire.communes["nom"], strict=True))
    couches = [
        CoucheExport(
            "equipements",
            "Lieux de service",
            "Lieux de service retenus, un point par lieu.",
            table_equipements(territoire, resultat),
            derivee,
            (style_equipements(resultat.services),),
        ),
        *_couches_thematiques(lire_themes(territoire), territoire.fictif),
        _couche_communes(territoire, resultat, styles, derivee),
        *_couche_bassins(territoire, styles, ouverte),
        _couche_carreaux(territoire, resultat, styles, derivee),
    ]
    couches = [c for c in couches if len(c.donnees)]
    for table in (table_indicateurs(resultat), table_carences(resultat, noms)):
        alias = {c: titre for c, (titre, _) in table.colonnes.items()}
        # SQLite garde l'infini, que peu d'outils savent lire : un temps inaccessible est vide.
        donnees = table.donnees.replace([float("inf")], float("nan"))
        couches.append(
            CoucheExport(table.nom, table.titre, table.description, donnees, derivee, alias=alias)
        )
    return couches


def _couche_communes(
    territoire: Territoire, resultat: ResultatEtude, styles: Styles, licence: str
) -> CoucheExport:
    alias = {f"part_palier_{p}": f"Part, palier {LIBELLES_PALIERS[p]}" for p in PALIERS}
    alias |= {f"part_{s.id}": f"Part, {s.libelle}" for s in resultat.services}
    return CoucheExport(
        "communes",
        "Communes",
        "Communes, part des habitants à portée de chaque service (0 à 1) sous le seuil du palier.",
        table_communes(territoire, resultat),
        licence,
        (style_limites(styles), style_communes("part_palier_proximite", styles)),
        alias,
    )


def _couche_bassins(territoire: Territoire, styles: Styles, licence: str) -> list[CoucheExport]:
    bassins = table_bassins(territoire)
    if bassins is None:
        return []
    symbole = Symbole("surface", styles.fond["sol"], styles.fond["contour"], 0.6, trame="vide")
    return [
        CoucheExport(
            "bassins_de_vie",
            "Bassins de vie",
            "Bassins de vie, limités aux communes du territoire.",
            bassins,
            licence,
            (style_simple("Bassins de vie", symbole),),
        )
    ]


def _couche_carreaux(
    territoire: Territoire, resultat: ResultatEtude, styles: Styles, licence: str
) -> CoucheExport:
    table = table_carreaux(territoire, resultat)
    paniers, alias = {}, {}
    for palier in PALIERS:
        ids = [s.id for s in resultat.services if s.palier == palier]
        if ids:
            champ = f"temps_panier_{palier}_s"
            paniers[champ] = entiers(lire_temps(resultat, ids, PLUS_RAPIDE))
            alias[champ] = f"Temps (s), panier {LIBELLES_PALIERS[palier]}"
    libelles = libelles_services(resultat)
    alias |= {
        colonne_temps(s.id, mode): f"Temps (s), {libelles[s.id]}, {libelle_mode(mode)}"
        for s in resultat.services
        for mode in (PLUS_RAPIDE, *resultat.modes)
    }
    geometrie = table.geometry
    table = gpd.GeoDataFrame(
        pd.concat([table.drop(columns="geometry"), pd.DataFrame(paniers)], axis=1),
        geometry=geometrie.to_numpy(),
        crs=territoire.crs,
    )
    presents = [p for p in PALIERS if f"temps_panier_{p}_s" in table]
    return CoucheExport(
        "carreaux",
        "Carreaux : temps d'accès",
        "Carreaux habités et temps porte à porte (secondes entières, arrondies vers le haut) au "
        "plus proche lieu de chaque service, par mode. -1 : inaccessible ; vide : sans donnée.",
        table,
        licence,
        tuple(styles_carreaux(presents, resultat.services, styles)),
        alias,
    )


def _couches_thematiques(themes: Themes, fictif: bool) -> Iterator[CoucheExport]:
    licence = SIMULEE if fictif else "voir LICENCES.txt"
    tables = {
        "commerces": ("Commerces", "Commerces et locaux vacants.", themes.commerces),
        "marches": ("Marchés", "Marchés, une ligne par jour de tenue.", themes.marches),
        "friches": ("Friches", "Friches inventoriées.", themes.friches),
        "zones_inondables": (
            "Zones inondables",
            "Zonages d'inondation. Hors zone ne veut pas dire sans risque.",
            themes.zones_inondables,
        ),
    }
    for nom, (titre, description, table) in tables.items():
        if table is None:
            continue
        for suffixe, precision, partie in _separer_genres(table):
            style = styles_catalogue({nom: str(partie.geom_type.iloc[0])})[nom]
            yield CoucheExport(
                nom + suffixe, titre + precision, description, partie, licence, (style,)
            )
    for nom, table in themes.autres.items():
        fiche = fiche_de(nom)
        genre = str(table.geom_type.iloc[0]) if len(table) else "Polygon"
        titre = nom.replace("_", " ")
        yield CoucheExport(
            nommer_fichier(nom).replace("-", "_"),
            titre[:1].upper() + titre[1:] if fiche is None else fiche.titre,
            f"Couche « {titre} » du manifeste.",
            table,
            licence if fiche is None or fictif else fiche.licence,
            (style_libre(nom, genre) if fiche is None else style_contexte(fiche, table),),
        )


def _separer_genres(table: gpd.GeoDataFrame) -> Iterator[tuple[str, str, gpd.GeoDataFrame]]:
    """Surfaces, puis points : un SIG n'applique à une couche qu'un genre de symbole."""
    points = table.geom_type.isin(("Point", "MultiPoint"))
    if points.all():
        yield "", "", table
        return
    if (~points).any():
        yield "", "", table[~points]
    if points.any():
        yield "_points", " (sans contour)", table[points]

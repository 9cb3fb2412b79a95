"""Couches du manifeste : chaque clé va à son lecteur, une couche fautive est laissée de côté.

Les clés reconnues donnent une table au schéma (``friches``, ``zones_inondables``, ``commerces``,
``marches``) ou une couche de contexte ; toute autre clé est une couche libre, gardée telle quelle.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import geopandas as gpd
from shapely.geometry.base import BaseGeometry

from donnees_geo.erreurs import Constat, ErreurDonnees, ErreurProjet, Gravite
from donnees_geo.schemas import SCHEMAS_COUCHES
from donnees_geo.thematiques.commerces import (
    extraire_commerces,
    lire_commerces_locaux,
    reunir_commerces,
)
from donnees_geo.thematiques.commerces_categories import lire_categories
from donnees_geo.thematiques.contexte import (
    est_liste_de_communes,
    lire_communes_programme,
    lire_couche_contexte,
    lire_zonage_urbanisme,
    reconnaitre_contexte,
)
from donnees_geo.thematiques.couches_libres import lire_couche_libre, verifier_taille
from donnees_geo.thematiques.friches import lire_friches
from donnees_geo.thematiques.marches import (
    constater_marches,
    construire_marches,
    lire_marches,
    lire_seances,
)
from donnees_geo.thematiques.sirene import est_sirene, lire_sirene
from donnees_geo.thematiques.zones_inondables import lire_zones_inondables, reunir_zones

if TYPE_CHECKING:  # la lecture des sources importe ce module
    from donnees_geo.territoire.modele import Territoire

#: Géolocalisation INSEE qui accompagne un stock SIRENE sans coordonnées.
CLE_POSITIONS: Final = "commerces_positions"
#: Tags OSM que les couches lisent sur les équipements.
TAGS_OSM: Final = ("opening_hours",)
_MOTIF_INONDATION: Final = re.compile(
    r"^(zones?_inondables?|inondations?|ppri?n?|tri|azi|remontees?_de_nappe|nappes?)(_|$)"
)


@dataclass(frozen=True)
class CadreCouches:
    """Ce dont la lecture des couches dépend.

    Attributes
    ----------
    crs
        CRS métrique.
    emprise
        Territoire élargi de la marge.
    communes
        Table COMMUNES.
    equipements_osm, equipements_bpe
        Objets lus dans la passe des équipements, commerces compris ; ``None`` sans cette source.
    """

    crs: str
    emprise: BaseGeometry
    communes: gpd.GeoDataFrame
    equipements_osm: gpd.GeoDataFrame | None = None
    equipements_bpe: gpd.GeoDataFrame | None = None


@dataclass
class _Lues:
    couches: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    constats: list[Constat] = field(default_factory=list)
    inondation: list[gpd.GeoDataFrame] = field(default_factory=list)


def lire_couches_thematiques(
    fichiers: Mapping[str, Path],
    cadre: CadreCouches,
    progression: Callable[[str], None] | None = None,
) -> tuple[dict[str, gpd.GeoDataFrame], list[Constat]]:
    """Lire les couches d'un manifeste ; ce qui manque aux commerces et marchés vient d'OSM et BPE.

    Parameters
    ----------
    fichiers
        Clé de ``[couches]`` → fichier.
    cadre
        Territoire et équipements déjà lus.
    progression
        Appelée avec le nom de chaque couche.

    Returns
    -------
    dict
        Nom de couche → table. Toutes les clés d'inondation sont réunies dans
        ``zones_inondables``.
    list of Constat
        Une couche fautive est un constat majeur : le reste du territoire s'ouvre.
    """
    lues = _Lues()
    for cle, chemin in fichiers.items():
        if cle == CLE_POSITIONS:
            continue
        if progression is not None:
            progression(cle)
        try:
            _lire_une(cle, chemin, cadre, fichiers.get(CLE_POSITIONS), lues)
        except ErreurProjet as erreur:
            detail = " ; ".join(ligne.strip() for ligne in str(erreur).splitlines())
            lues.constats.append(
                Constat(Gravite.MAJEUR, f"couches.{cle}", f"couche laissée de côté : {detail}")
            )
        except MemoryError:
            lues.constats.append(
                Constat(
                    Gravite.MAJEUR,
                    f"couches.{cle}",
                    f"couche laissée de côté : {chemin.name} ne tient pas en mémoire. "
                    "Enregistrez-la en GeoPackage, découpée au territoire.",
                )
            )
    if lues.inondation:
        lues.couches["zones_inondables"] = reunir_zones(lues.inondation)
    _completer_par_equipements(fichiers, cadre, lues)
    return lues.couches, lues.constats


def charger_couche(territoire: Territoire, nom: str) -> gpd.GeoDataFrame | None:
    """Table d'une couche du territoire préparé ; ``None`` s'il ne l'a pas.

    Raises
    ------
    ErreurDonnees
        Couche à schéma préparée par une autre version du programme.
    """
    chemin = territoire.couches.get(nom)
    if chemin is None:
        return None
    table = gpd.read_parquet(chemin)
    schema = SCHEMAS_COUCHES.get(nom)
    manquantes = [c for c in schema.colonnes if c not in table] if schema is not None else []
    if manquantes:
        raise ErreurDonnees(
            "La couche a été préparée par une autre version du programme.",
            objet=f"{territoire.nom}, couche {nom}",
            attendu=", ".join(manquantes),
            conseil="relancez « demi-heure preparer » avec le manifeste",
        )
    return table


def est_inondation(cle: str) -> bool:
    """Vrai pour une clé de ``[couches]`` réunie aux zones inondables."""
    return _MOTIF_INONDATION.match(cle) is not None


def _lire_une(
    cle: str, chemin: Path, cadre: CadreCouches, positions: Path | None, lues: _Lues
) -> None:
    """Lire la couche d'une clé et la ranger."""
    objet = f"couches.{cle}"
    if cle == "commerces":
        table, constats = _lire_commerces(chemin, cadre, positions)
    else:
        verifier_taille(chemin)
        if cle == "friches":
            table, constats = lire_friches(chemin, cadre.crs, cadre.communes, cadre.emprise)
        elif est_inondation(cle):
            table, constats = lire_zones_inondables(chemin, cadre.crs, cadre.emprise, objet)
            lues.inondation.append(table)
            lues.constats += constats
            return
        elif cle == "marches":
            table, constats = lire_marches(chemin, cadre.crs, cadre.emprise, cadre.communes)
        elif (famille := reconnaitre_contexte(cle)) == "zonage_urbanisme":
            table, constats = lire_zonage_urbanisme(chemin, cadre.crs, cadre.emprise, objet)
        elif famille:
            table, constats = _lire_contexte(chemin, cadre, objet)
        else:
            table, constats = lire_couche_libre(chemin, cadre.crs, cadre.emprise, objet)
    lues.couches[cle] = table
    lues.constats += constats


def _lire_contexte(
    chemin: Path, cadre: CadreCouches, objet: str
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    if est_liste_de_communes(chemin):
        return lire_communes_programme(chemin, cadre.communes, objet)
    return lire_couche_contexte(chemin, cadre.crs, cadre.emprise, objet)


def _lire_commerces(
    chemin: Path, cadre: CadreCouches, positions: Path | None
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    categories = lire_categories()
    if est_sirene(chemin):
        table, constats = lire_sirene(chemin, positions, cadre.crs, cadre.emprise, categories)
        tables = [table]
        # SIRENE ne connaît pas les locaux vides ; OpenStreetMap, parfois.
        if cadre.equipements_osm is not None:
            osm = extraire_commerces(cadre.equipements_osm, "osm")
            tables.append(osm.loc[osm["vacant"]])
    else:
        verifier_taille(chemin)
        table, constats = lire_commerces_locaux(chemin, cadre.crs, cadre.emprise, categories)
        tables = [table]
    return reunir_commerces(tables, cadre.communes), constats


def _completer_par_equipements(
    fichiers: Mapping[str, Path], cadre: CadreCouches, lues: _Lues
) -> None:
    """Commerces de la BPE et d'OpenStreetMap, marchés d'OpenStreetMap, à défaut de fichier."""
    sources: Sequence[tuple[str, gpd.GeoDataFrame | None]] = (
        ("bpe", cadre.equipements_bpe),
        ("osm", cadre.equipements_osm),
    )
    if "commerces" not in fichiers:
        tables = [extraire_commerces(t, nom) for nom, t in sources if t is not None]
        tables = [t for t in tables if len(t)]
        if tables:
            lues.couches["commerces"] = reunir_commerces(tables, cadre.communes)
    osm = cadre.equipements_osm
    if "marches" not in fichiers and osm is not None and "opening_hours" in osm:
        places = osm.loc[osm["service"] == "marche"]
        if len(places):
            marches = construire_marches(
                places["nom"].tolist(),
                [""] * len(places),
                [lire_seances(t) for t in places["opening_hours"]],
                places.geometry.to_numpy(),
                cadre.communes,
            )
            lues.couches["marches"] = marches
            lues.constats += constater_marches(marches, "marchés d'OpenStreetMap")

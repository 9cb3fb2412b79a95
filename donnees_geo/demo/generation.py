"""Génération du territoire fictif complet, écrit d'un bloc ou pas du tout."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from donnees_geo.demo import ecriture_osm as osm
from donnees_geo.demo import ecriture_tables as tables
from donnees_geo.demo.allees import ajouter_allees
from donnees_geo.demo.autoroute import construire_autoroute_complete
from donnees_geo.demo.axes import Axes, construire_axes
from donnees_geo.demo.cadre import CRS_DEMO, GRAINE, Cadre, construire_cadre, reechantillonner
from donnees_geo.demo.campagne import Campagne, construire_campagne, limiter_fosses
from donnees_geo.demo.carrefours import poser_giratoires, qualifier_voies
from donnees_geo.demo.commerces import construire_commerces, construire_marches, en_degres
from donnees_geo.demo.decoupage import SECTEURS, Decoupage, construire_decoupage
from donnees_geo.demo.emprise_batie import EmpriseBatie, construire_emprise_batie
from donnees_geo.demo.friches import construire_friches
from donnees_geo.demo.gares import construire_gares
from donnees_geo.demo.habitat import Habitat, construire_habitat
from donnees_geo.demo.horaires_demo import construire_gtfs_bus
from donnees_geo.demo.horaires_train import construire_gtfs_train
from donnees_geo.demo.hydrographie import CoursEau, construire_rivieres
from donnees_geo.demo.inondation import construire_ppr, construire_tri
from donnees_geo.demo.lignes import ReseauBus, construire_reseau_bus
from donnees_geo.demo.maillage import construire_maillage
from donnees_geo.demo.objets_osm import ObjetsOsm
from donnees_geo.demo.planarisation import segments_de_ligne
from donnees_geo.demo.planification import (
    construire_programmes,
    construire_quartiers_prioritaires,
    construire_zonage,
)
from donnees_geo.demo.population import Adresses, construire_adresses, construire_carreaux
from donnees_geo.demo.quartiers import construire_rues_locales, ecarter_des_axes
from donnees_geo.demo.relief import (
    Vallees,
    altitudes_rivieres,
    construire_altitudes,
    construire_drainage,
    creuser_vallees,
)
from donnees_geo.demo.services import construire_equipements, mettre_au_format_bpe
from donnees_geo.demo.services_osm import points_osm_commerces, points_osm_equipements
from donnees_geo.demo.voies import construire_voies
from donnees_geo.demo.voirie import Reseau, construire_voirie
from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees

Progression = Callable[[str, float], None]
MANIFESTE = "territoire.toml"


@dataclass(frozen=True)
class Territoire:
    """Territoire fictif en mémoire, avant écriture (voir chaque module pour le détail)."""

    cadre: Cadre
    vallees: Vallees
    rivieres: CoursEau
    habitat: Habitat
    axes: Axes
    emprise: EmpriseBatie
    campagne: Campagne
    decoupage: Decoupage
    reseau: Reseau
    adresses: Adresses


def construire_territoire_fictif(
    cadre: Cadre, progression: Progression | None = None
) -> Territoire:
    """Construire terrain, communes, rues et habitants."""
    dire = progression or (lambda etape, part: None)
    dire("Relief et rivières", 0.0)
    altitudes = construire_altitudes(cadre)
    drainage = construire_drainage(cadre, altitudes)
    rivieres = construire_rivieres(cadre, drainage, altitudes_rivieres(cadre, altitudes, drainage))
    vallees = creuser_vallees(cadre, altitudes, rivieres.points_serres())
    dire("Communes et routes", 0.05)
    habitat = construire_habitat(cadre, vallees)
    maillage = construire_maillage(cadre, np.column_stack([habitat.x, habitat.y]))
    axes = construire_axes(cadre, vallees, rivieres, habitat, maillage)
    decoupage = construire_decoupage(cadre, maillage, rivieres, axes, habitat)
    dire("Rues et chemins", 0.35)
    emprise = construire_emprise_batie(cadre, vallees, habitat, maillage, axes)
    campagne = construire_campagne(cadre, vallees, habitat, axes, emprise)
    campagne = limiter_fosses(cadre, campagne, rivieres, axes.canal, decoupage.limites)
    locales, _ = construire_rues_locales(cadre, habitat, axes, emprise, rivieres.lignes)
    chemins = ecarter_des_axes(axes, rivieres.lignes, campagne.chemins, 8.0)
    reseau = construire_voirie(cadre, axes, rivieres, campagne, locales, chemins)
    eviter = [*rivieres.lignes, axes.canal, axes.autoroute, *axes.ferrees]
    eviter_xy = np.vstack([reechantillonner(ligne, 20.0) for ligne in eviter])
    reseau = poser_giratoires(reseau, cadre, eviter_xy)
    reseau = ajouter_allees(cadre, axes, rivieres, campagne, reseau)
    reseau = qualifier_voies(reseau, cadre, habitat, vallees)
    dire("Habitants", 0.5)
    adresses = construire_adresses(cadre, reseau, decoupage, emprise, habitat)
    return Territoire(
        cadre, vallees, rivieres, habitat, axes, emprise, campagne, decoupage, reseau, adresses
    )


def _ecrire_decoupage(t: Territoire, dossier: Path) -> None:
    """Communes, bassins de vie (colonnes de l'INSEE) et secteurs."""
    interieures = np.flatnonzero(t.habitat.interieure)
    codes = [t.habitat.codes[i] for i in interieures]
    noms = [t.habitat.noms[i] for i in interieures]
    communes = gpd.GeoDataFrame(
        {
            "code": codes,
            "nom": noms,
            "population": [int(t.habitat.population[i]) for i in interieures],
        },
        geometry=list(t.decoupage.limites),
        crs=CRS_DEMO,
    )
    tables.ecrire_geojson(communes, dossier / "communes.geojson")
    bassins = pd.DataFrame(
        {
            "CODGEO": codes,
            "LIBGEO": noms,
            "BV2022": [t.habitat.codes[i] for i in t.decoupage.bassin],
            "LIBBV2022": [t.habitat.noms[i] for i in t.decoupage.bassin],
        }
    )
    tables.ecrire_csv(bassins, dossier / "bassins_de_vie.csv")
    secteurs = pd.DataFrame(
        {"code_commune": codes, "secteur": [SECTEURS[i] for i in t.decoupage.secteur]}
    )
    tables.ecrire_csv(secteurs, dossier / "secteurs.csv")


def _ecrire_risques(t: Territoire, dossier: Path) -> None:
    """Zonage PPR et emprises TRI, un shapefile par couche."""
    (dossier / "ppr").mkdir()
    (dossier / "tri").mkdir()
    ppr = construire_ppr(t.cadre, t.vallees, t.emprise, t.decoupage)
    tables.ecrire_shp(ppr, dossier / "ppr" / "n_zone_reg_pprn_20190001_s_000.shp")
    for scenario, emprise in construire_tri(t.cadre, t.vallees, t.decoupage).items():
        nom = f"n_tri_orve_inondable_01_{scenario.lower()}_s_000.shp"
        tables.ecrire_shp(emprise, dossier / "tri" / nom)


def _ecrire_planification(t: Territoire, carreaux: gpd.GeoDataFrame, dossier: Path) -> None:
    """Zonage des PLU, quartiers prioritaires, communes des programmes de l'État."""
    (dossier / "plu").mkdir()
    zonage = construire_zonage(t.cadre, t.vallees, t.emprise, t.campagne, t.decoupage, t.habitat)
    tables.ecrire_shp(zonage, dossier / "plu" / "ZONE_URBA.shp")
    quartiers = construire_quartiers_prioritaires(t.cadre, carreaux, t.adresses, t.habitat)
    tables.ecrire_geojson(quartiers, dossier / "qpv.geojson")
    for programme, communes in construire_programmes(t.habitat).items():
        tables.ecrire_csv(communes, dossier / f"liste-{programme}.csv", separateur=",")


def _ecrire_services(t: Territoire, gares: pd.DataFrame, dossier: Path, objets: ObjetsOsm) -> None:
    """BPE, commerces, marchés, et leurs reflets dans OSM."""
    commerces = construire_commerces(t.cadre, t.adresses, t.habitat)
    marches = construire_marches(t.cadre, t.adresses, t.habitat)
    equipements = construire_equipements(t.cadre, t.adresses, t.habitat, commerces, gares)
    bpe = mettre_au_format_bpe(t.cadre, equipements)
    bpe.to_csv(dossier / "BPE24.csv", sep=";", index=False, quoting=1, lineterminator="\n")
    objets.ajouter_points(*points_osm_commerces(t.cadre, commerces))
    objets.ajouter_points(*points_osm_equipements(t.cadre, equipements, marches))
    for nom, table in (
        ("commerces.csv", commerces[commerces["interieur"]].drop(columns="interieur")),
        ("marches.csv", marches.drop(columns="jour_osm")),
    ):
        lon, lat = en_degres(table["x"].to_numpy(), table["y"].to_numpy())
        table = table.drop(columns=["x", "y"]).assign(lon=lon, lat=lat)
        tables.ecrire_csv(table, dossier / nom, bom=True)


def _ajouter_transport_osm(objets: ObjetsOsm, bus: ReseauBus, gares: pd.DataFrame) -> None:
    """Arrêts de bus et gares dans OSM."""
    objets.ajouter_points(
        bus.arrets[["x", "y"]].to_numpy() + np.array([6.0, 0.0]),
        [
            {"highway": "bus_stop", "public_transport": "platform", "bus": "yes", "name": nom}
            for nom in bus.arrets["nom"]
        ],
    )
    objets.ajouter_points(
        gares[["x", "y"]].to_numpy(),
        [
            {
                "railway": "station" if principale else "halt",
                "train": "yes",
                "public_transport": "station",
                "name": nom,
            }
            for nom, principale in zip(gares["nom"], gares["principale"], strict=True)
        ],
    )


def ecrire_fichiers(t: Territoire, dossier: Path, progression: Progression | None = None) -> None:
    """Écrire tous les fichiers sources dans un dossier existant."""
    dire = progression or (lambda etape, part: None)
    dire("Communes, carreaux et risques", 0.55)
    _ecrire_decoupage(t, dossier)
    carreaux = construire_carreaux(t.cadre, t.adresses, t.habitat)
    tables.ecrire_gpkg(carreaux, dossier / "carreaux_200m_met.gpkg", "carreaux_200m_met")
    _ecrire_risques(t, dossier)
    _ecrire_planification(t, carreaux, dossier)
    friches = construire_friches(t.cadre, t.adresses, t.habitat)
    tables.ecrire_csv(friches, dossier / "friches-standard.csv")
    tables.ecrire_mnt(t.cadre, t.vallees.altitude_m, dossier / "mnt.tif")
    dire("Transport collectif", 0.65)
    gares = construire_gares(t.cadre, t.axes, t.habitat)
    bus = construire_reseau_bus(t.cadre, t.reseau, t.habitat, t.decoupage, t.emprise)
    tables.ecrire_gtfs(construire_gtfs_bus(bus), dossier / "bus.zip")
    tables.ecrire_gtfs(construire_gtfs_train(t.axes, gares), dossier / "train.zip")
    dire("Services et commerces", 0.8)
    objets = ObjetsOsm()
    osm.ajouter_rues(objets, t.reseau, construire_voies(t.reseau, t.cadre, t.emprise))
    lits = [segments_de_ligne(ligne) for ligne in (*t.rivieres.lignes, t.axes.canal)]
    eaux = np.vstack([*lits, t.campagne.fosses])
    autoroute = construire_autoroute_complete(t.cadre, t.axes, t.reseau)
    osm.ajouter_autoroute(objets, autoroute, eaux)
    osm.ajouter_rails(objets, t.axes, t.reseau, eaux)
    osm.ajouter_eaux(objets, t.axes, t.rivieres, t.campagne, t.reseau)
    osm.ajouter_occupation(objets, t.cadre, t.campagne)
    _ajouter_transport_osm(objets, bus, gares)
    _ecrire_services(t, gares, dossier, objets)
    dire("Extrait OpenStreetMap", 0.88)
    osm.ecrire_pbf(objets, dossier / "orvenne.osm.pbf", tables.DATE_FICHIERS)
    tables.ecrire_manifeste(dossier / MANIFESTE)
    dire("Terminé", 1.0)


def _verifier_sortie(sortie: Path, remplacer: bool) -> None:
    """Refuser une sortie qui n'est pas un dossier, ou qui contient déjà quelque chose."""
    if sortie.exists() and not sortie.is_dir():
        raise ErreurConfiguration(
            "La sortie du territoire fictif doit être un dossier.",
            objet=sortie,
            trouve="un fichier",
            conseil="Donnez le chemin d'un dossier, existant ou non.",
        )
    if not remplacer and sortie.is_dir() and any(sortie.iterdir()):
        raise ErreurConfiguration(
            "Le dossier de sortie n'est pas vide.",
            objet=sortie,
            attendu="un dossier absent ou vide",
            conseil="Choisissez un autre dossier, ou demandez le remplacement (--remplacer).",
        )


def _installer(provisoire: Path, sortie: Path) -> None:
    """Mettre le dossier complet à sa place par renommage."""
    ancien: Path | None = None
    if sortie.exists():
        ancien = Path(tempfile.mkdtemp(prefix=f".{sortie.name}-ancien-", dir=sortie.parent))
        sortie.rename(ancien / sortie.name)
    try:
        provisoire.rename(sortie)
    except OSError:
        if ancien is not None:
            (ancien / sortie.name).rename(sortie)
        raise
    finally:
        if ancien is not None and sortie.exists():
            shutil.rmtree(ancien, ignore_errors=True)


def ecrire_demo(
    sortie: Path,
    *,
    taille: Literal["normale", "petite"] = "normale",
    graine: int = GRAINE,
    remplacer: bool = False,
    progression: Progression | None = None,
) -> Path:
    """Écrire les fichiers sources et le manifeste du territoire fictif.

    Parameters
    ----------
    sortie
        Dossier à créer. Tout est d'abord écrit dans un dossier voisin, renommé à la fin : une
        interruption ou un disque plein ne laisse jamais un territoire à moitié écrit.
    taille
        ``normale`` (100 communes, 280 000 habitants) ou ``petite`` (le quart, pour les essais).
    graine
        Même graine, mêmes octets.
    remplacer
        Remplacer le contenu d'un dossier non vide.
    progression
        Appelée avec le nom de l'étape et la part faite (0 à 1).

    Returns
    -------
    Path
        Manifeste ``territoire.toml`` écrit dans ``sortie``.

    Raises
    ------
    ErreurConfiguration
        Sortie non vide sans ``remplacer``, sortie qui est un fichier, ou taille inconnue.
    ErreurDonnees
        Écriture impossible (disque plein, dossier protégé).
    """
    sortie = Path(sortie).absolute()
    cadre = construire_cadre(taille, graine)
    _verifier_sortie(sortie, remplacer)
    territoire = construire_territoire_fictif(cadre, progression)
    provisoire: Path | None = None
    try:
        sortie.parent.mkdir(parents=True, exist_ok=True)
        provisoire = Path(tempfile.mkdtemp(prefix=f".{sortie.name}-", dir=sortie.parent))
        ecrire_fichiers(territoire, provisoire, progression)
        # mkdtemp réserve le dossier à son auteur ; la sortie se lit comme tout dossier neuf.
        provisoire.chmod(0o755)
        _installer(provisoire, sortie)
    except OSError as erreur:
        plein = erreur.errno == errno.ENOSPC
        raise ErreurDonnees(
            "Le territoire fictif n'a pas pu être écrit.",
            objet=sortie,
            trouve="disque plein" if plein else str(erreur),
            conseil=(
                "Libérez environ 100 Mo, ou choisissez un autre disque."
                if plein
                else "Vérifiez que le dossier parent existe et que vous pouvez y écrire."
            ),
        ) from erreur
    finally:
        if provisoire is not None and provisoire.exists():
            shutil.rmtree(provisoire, ignore_errors=True)
    return sortie / MANIFESTE


def longueur_cours_eau_km(t: Territoire) -> float:
    """Longueur des cours d'eau (naturels, canal, fossés) dans le territoire, en km."""
    union = shapely.union_all(list(t.decoupage.limites))
    lignes = [shapely.LineString(ligne) for ligne in (*t.rivieres.lignes, t.axes.canal)]
    fosses = np.asarray(shapely.linestrings(t.campagne.fosses.reshape(-1, 2, 2)))
    toutes = np.concatenate([np.array(lignes), fosses])
    return float(np.sum(shapely.length(shapely.intersection(toutes, union)))) / 1000

"""Manifeste d'un territoire, paramètres de l'étude et services : données seulement.

Les lecteurs sont dans ``configuration`` (porte d'entrée), qui réexporte ces classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

from donnees_geo.conventions import Mode, Palier

MethodePopulation = Literal["carreaux", "couche", "batiments"]
SourceService = Literal["bpe", "osm", "gtfs", "union"]


@dataclass(frozen=True)
class Service:
    """Un service du catalogue ``parametres/services.toml``.

    Attributes
    ----------
    id
        Identifiant (``boulangerie``).
    libelle
        Nom affiché (« boulangerie »), au singulier et sans majuscule.
    palier, fonction
        Palier et fonction du projet de territoire.
    codes_bpe
        Codes TYPEQU de tous les millésimes.
    tags_osm
        Règles OSM : une règle est satisfaite quand toutes ses conditions ``clé → valeurs`` le sont
        (``*`` : toute valeur ; préfixe ``~`` : sous-chaîne, sans casse ni accents) ; un objet est
        retenu si une règle au moins est satisfaite.
    tags_osm_exclus
        Règles qui écartent un objet.
    source
        Source qui l'emporte quand plusieurs sont données : ``bpe``, ``osm``, ``gtfs`` ou ``union``.
    surfacique
        L'accès se fait par le pourtour (parcs, bois).
    distance_doublon_m
        Distance en deçà de laquelle deux objets de ce service sont le même lieu.
    couleur
        Couleur ``#rrggbb``.
    article
        Ce qui précède le libellé dans une phrase (« une », « un poste de », « un lieu d' »).
    satisfait_aussi_par
        Autres services dont un lieu satisfait aussi celui-ci (une gare régionale, le besoin d'une
        gare secondaire) ; sans enchaînement d'un service à l'autre.
    """

    id: str
    libelle: str
    palier: Palier
    fonction: str
    codes_bpe: tuple[str, ...]
    tags_osm: tuple[dict[str, tuple[str, ...]], ...]
    tags_osm_exclus: tuple[dict[str, tuple[str, ...]], ...]
    source: SourceService
    surfacique: bool
    distance_doublon_m: float
    couleur: str
    article: str = "un"
    satisfait_aussi_par: tuple[str, ...] = ()


@dataclass(frozen=True)
class FichierService:
    """Points d'un service donnés par un fichier libre du manifeste."""

    service: str
    fichier: Path


@dataclass(frozen=True)
class Emprise:
    """Découpe facultative du territoire : liste de codes, fichier de polygones ou rectangle.

    Attributes
    ----------
    communes
        Codes des communes étudiées ; vide : toutes celles du découpage.
    fichier
        Polygones (réunis) qui limitent le territoire.
    rectangle
        ``(ouest, sud, est, nord)`` en degrés WGS 84.
    """

    communes: tuple[str, ...] = ()
    fichier: Path | None = None
    rectangle: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Manifeste:
    """Manifeste d'un territoire, chemins résolus.

    Attributes
    ----------
    chemin
        Fichier TOML lu.
    nom, crs
        Nom affiché et CRS métrique de travail.
    fictif
        Vrai si les données sont simulées : chaque page et chaque export le disent.
    osm
        Extrait OSM (``.osm.pbf``, ``.osm``, ``.osm.gz``, ``.osm.bz2``) ou GraphML d'osmnx.
    communes, bassins_de_vie, secteurs
        Fichiers du découpage ; une correspondance code commune → zone pour les deux derniers.
    population, population_colonne, population_methode
        Fichier de population ; colonne pour une couche libre ; ``carreaux`` (Filosofi reconnu),
        ``couche`` (colonne donnée) ou ``batiments`` ; ``None`` sans population.
    bpe, services_osm, services_fichiers
        Sources des services.
    catalogue
        Catalogue de services propre au territoire ; ``None`` : ``parametres/services.toml``.
    gtfs, date_service
        Offres de transport et jour étudié.
    couches
        Couches thématiques et libres : nom → fichier.
    mnt
        Modèle numérique de terrain.
    emprises
        Découpes facultatives.
    millesimes
        Clé d'un fichier (``population.fichier``) → millésime ou date AAAA-MM-JJ, pour les sources
        qui ne le disent pas.
    """

    chemin: Path
    nom: str
    crs: str
    fictif: bool = False
    osm: Path | None = None
    communes: Path | None = None
    bassins_de_vie: Path | None = None
    secteurs: Path | None = None
    population: Path | None = None
    population_colonne: str | None = None
    population_methode: MethodePopulation | None = None
    bpe: Path | None = None
    services_osm: bool = False
    services_fichiers: tuple[FichierService, ...] = ()
    catalogue: Path | None = None
    gtfs: tuple[Path, ...] = ()
    date_service: date | None = None
    couches: dict[str, Path] = field(default_factory=dict)
    mnt: Path | None = None
    emprises: tuple[Emprise, ...] = ()
    millesimes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SeuilPalier:
    """Règle d'un palier : seuil en secondes et modes admis (le plus rapide compte)."""

    palier: Palier
    seuil_s: float
    modes: tuple[Mode, ...]


@dataclass(frozen=True)
class Parametres:
    """Hypothèses de calcul, lues dans ``parametres/etude.toml`` (unité et source de chacune).

    Attributes
    ----------
    vitesse_marche_kmh, vitesse_marche_senior_kmh, vitesse_velo_kmh, vitesse_vae_kmh
        Vitesses à plat, km/h.
    vitesses_voiture_kmh
        Vitesse par classe de voie quand ``maxspeed`` manque, km/h.
    facteur_congestion_voiture
        Multiplie les temps en voiture (1 = vitesse limite).
    escaliers_velo
        ``pousse`` (au pas) ou ``refuse``.
    pente
        Appliquer la pente (Tobler) à la marche quand le relief est donné.
    rattachement_max_m
        Distance au-delà de laquelle un point n'est pas rattaché au réseau, m.
    composante_min_noeuds
        Les morceaux de réseau plus petits ne reçoivent aucun rattachement.
    seuils
        Règle de chaque palier.
    seuils_isochrone_min
        Bandes proposées, minutes.
    tampon_isochrone_m, pas_isochrone_m, pas_isochrone_long_m
        Demi-largeur dessinée autour des rues atteintes, pas de la grille et pas des grandes
        emprises, m.
    marge_m
        Élargissement du réseau et des services au-delà du territoire ; ``None`` : plus grand seuil
        × vitesse du mode.
    fenetre_tc_debut_s, fenetre_tc_duree_s
        Fenêtre de départ (secondes après minuit) et durée.
    fenetre_tc_retour_debut_s
        Début de la fenêtre du retour, de même durée (diagnostic aller-retour).
    centiles_tc
        Centiles calculés.
    centile_tc
        Centile retenu (50 = médiane).
    marche_max_tc_m
        Marche maximale par trajet à pied, m.
    duree_max_tc_s
        Durée porte à porte maximale, s.
    trajets_max_tc
        Nombre maximal de véhicules empruntés.
    embarquement_min_s
        Marge minimale avant de monter, s.
    rabattement_velo
        Rejoindre aussi les gares à vélo, depuis le domicile (le vélo y est laissé).
    rabattement_velo_max_m
        Distance maximale à vélo jusqu'à la gare, m.
    """

    vitesse_marche_kmh: float
    vitesse_marche_senior_kmh: float
    vitesse_velo_kmh: float
    vitesse_vae_kmh: float
    vitesses_voiture_kmh: dict[str, float]
    facteur_congestion_voiture: float
    escaliers_velo: Literal["pousse", "refuse"]
    pente: bool
    rattachement_max_m: float
    composante_min_noeuds: int
    seuils: tuple[SeuilPalier, ...]
    seuils_isochrone_min: tuple[float, ...]
    tampon_isochrone_m: float
    pas_isochrone_m: float
    pas_isochrone_long_m: float
    marge_m: float | None
    fenetre_tc_debut_s: int
    fenetre_tc_duree_s: int
    fenetre_tc_retour_debut_s: int
    centiles_tc: tuple[float, ...]
    centile_tc: float
    marche_max_tc_m: float
    duree_max_tc_s: float
    trajets_max_tc: int
    embarquement_min_s: int
    rabattement_velo: bool = False
    rabattement_velo_max_m: float = 3_000.0


@dataclass(frozen=True)
class FicheParametre:
    """Un paramètre tel que la page Méthode et les exports l'impriment."""

    cle: str
    valeur: str
    unite: str
    source: str

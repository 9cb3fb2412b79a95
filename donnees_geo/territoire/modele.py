"""Le territoire préparé, tel que le calcul et l'affichage le reçoivent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import geopandas as gpd
import pandas as pd
from shapely.geometry.base import BaseGeometry

from donnees_geo.configuration import Service
from donnees_geo.erreurs import Constat, Gravite
from donnees_geo.gtfs import OffreTransport
from donnees_geo.reseau import ReseauRues


@dataclass(frozen=True)
class SourceLue:
    """Un fichier source, tel qu'il était à la préparation.

    Attributes
    ----------
    cle
        Clé du manifeste (``services.bpe``).
    fichier
        Nom du fichier, sans son dossier.
    empreinte
        SHA-256 du contenu.
    taille_octets
        Taille.
    date_donnees
        Millésime ou date des données dits par la source, vide sinon.
    producteur, licence
        Ceux que dit le téléchargement, vides sinon.
    """

    cle: str
    fichier: str
    empreinte: str
    taille_octets: int
    date_donnees: str = ""
    producteur: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Territoire:
    """Territoire préparé. Les tables suivent ``donnees_geo.schemas``, dans le CRS métrique.

    Attributes
    ----------
    nom, crs, fictif
        Nom affiché, CRS métrique, données simulées ou non.
    dossier
        Dossier préparé, ``None`` pour un territoire construit en mémoire.
    communes, carreaux, equipements, points_acces
        Tables COMMUNES, CARREAUX, EQUIPEMENTS et POINTS_ACCES.
    reseau
        Réseau de rues, élargi de la marge au-delà du contour.
    contour
        Limite du territoire, Polygon ou MultiPolygon.
    services
        Catalogue employé à la préparation.
    offre
        Offre de transport collectif, ``None`` sans GTFS.
    date_service
        Jour étudié par défaut, ``None`` si le manifeste ne le donne pas.
    fond
        Couches du fond de carte (eau, bois, voies ferrées…), par nom.
    couches
        Couches thématiques converties en GeoParquet : nom → fichier.
    constats
        Constats de la préparation, aucun n'est bloquant.
    sources
        Fichiers lus.
    empreinte
        Empreinte des sources et des paramètres de préparation.
    durees_s
        Durée de chaque étape de la préparation, secondes.
    """

    nom: str
    crs: str
    fictif: bool
    dossier: Path | None
    communes: gpd.GeoDataFrame
    carreaux: gpd.GeoDataFrame
    equipements: gpd.GeoDataFrame
    points_acces: pd.DataFrame
    reseau: ReseauRues
    contour: BaseGeometry
    services: tuple[Service, ...]
    offre: OffreTransport | None = None
    date_service: date | None = None
    fond: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    couches: dict[str, Path] = field(default_factory=dict)
    constats: tuple[Constat, ...] = ()
    sources: tuple[SourceLue, ...] = ()
    empreinte: str = ""
    durees_s: dict[str, float] = field(default_factory=dict)

    @property
    def a_population(self) -> bool:
        """Vrai si la population est connue ; sinon les indicateurs sont des parts de surface."""
        return bool(self.carreaux["population_hab"].notna().any())


#: Ce que l'utilisateur lit pour chaque table, au singulier et au pluriel.
_NOMS_TABLES: Final = {
    "communes": ("commune", "communes"),
    "carreaux": ("carreau", "carreaux"),
    "equipements": ("équipement", "équipements"),
    "points_acces": ("point d'accès", "points d'accès"),
    "noeuds": ("nœud", "nœuds"),
    "troncons": ("tronçon", "tronçons"),
}


@dataclass(frozen=True)
class BilanPreparation:
    """Ce qu'une préparation a fait.

    Attributes
    ----------
    dossier
        Dossier préparé.
    refait
        Faux si les sources et les paramètres n'avaient pas changé.
    empreinte
        Empreinte du territoire.
    comptes
        Nombre d'objets par table.
    constats
        Constats de la préparation.
    durees_s
        Durée de chaque étape, secondes.
    """

    dossier: Path
    refait: bool
    empreinte: str
    comptes: dict[str, int]
    constats: tuple[Constat, ...]
    durees_s: dict[str, float]

    def __str__(self) -> str:
        if not self.refait:
            return f"{self.dossier} est à jour : sources et paramètres inchangés, rien à refaire."
        comptes = ", ".join(
            f"{n:,} {_NOMS_TABLES.get(nom, (nom, nom))[n > 1]}".replace(",", " ")
            for nom, n in self.comptes.items()
        )
        majeurs = sum(c.gravite is Gravite.MAJEUR for c in self.constats)
        total = f"{sum(self.durees_s.values()):.1f}".replace(".", ",")
        return (
            f"Territoire préparé dans {self.dossier} en {total} s : {comptes}. "
            f"{len(self.constats)} constat(s), dont {majeurs} majeur(s) : « demi-heure verifier » "
            "les montre."
        )

"""Lecture de toutes les sources d'un manifeste, constats rassemblés.

Une source fautive devient un constat bloquant et la lecture continue avec les autres : une seule
vérification dit tout ce qu'il faut corriger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from donnees_geo.bpe import lire_bpe
from donnees_geo.carreaux import lire_carreaux_filosofi
from donnees_geo.communes import lire_communes
from donnees_geo.configuration import Manifeste, Parametres, Service, lire_services
from donnees_geo.equipements import (
    arrets_desservis,
    construire_equipements,
    construire_points_acces,
    lire_fichier_service,
    trouver_service,
)
from donnees_geo.erreurs import (
    Constat,
    ErreurConfiguration,
    ErreurDonnees,
    ErreurProjet,
    Gravite,
)
from donnees_geo.gtfs import OffreTransport, lire_gtfs
from donnees_geo.lecture.vecteur import bornes_en_wgs84, verifier_emprise_crs
from donnees_geo.osm import ExtraitOsm, lire_osm
from donnees_geo.population import (
    affecter_communes,
    construire_carreaux_sans_population,
    lire_population_couche,
    repartir_sur_batiments,
)
from donnees_geo.relief import ajouter_altitudes
from donnees_geo.reseau import ReseauRues
from donnees_geo.territoire.demande import (
    CODE_TERRITOIRE,
    calculer_marge_m,
    comparer_population,
    construire_zone_unique,
    decouper_communes,
    elargir_en_wgs84,
    lire_emprise,
    ranger_carreaux,
    verifier_couverture,
)
from donnees_geo.territoire.provenance import dater_sources
from donnees_geo.thematiques.commerces import sans_commerces
from donnees_geo.thematiques.commerces_categories import (
    construire_services_lecture,
    lire_categories,
)
from donnees_geo.thematiques.ensemble import TAGS_OSM, CadreCouches, lire_couches_thematiques
from donnees_geo.zonages import Niveau, lire_zonage

Progression = Callable[[str, float], None]

#: Débord de lecture des carreaux autour des communes : la moitié d'un carreau de 200 m et plus.
_DEBORD_CARREAUX_M: Final = 500.0


@dataclass
class SourcesLues:
    """Ce qui a été lu d'un manifeste ; une table vaut ``None`` si sa source est fautive."""

    services: tuple[Service, ...] = ()
    communes: gpd.GeoDataFrame | None = None
    contour: BaseGeometry | None = None
    carreaux: gpd.GeoDataFrame | None = None
    equipements: gpd.GeoDataFrame | None = None
    points_acces: pd.DataFrame | None = None
    reseau: ReseauRues | None = None
    offre: OffreTransport | None = None
    fond: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    couches: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    constats: list[Constat] = field(default_factory=list)
    dates: dict[str, str] = field(default_factory=dict)
    durees_s: dict[str, float] = field(default_factory=dict)


def lire_sources(
    manifeste: Manifeste, parametres: Parametres, progression: Progression | None = None
) -> SourcesLues:
    """Lire et harmoniser toutes les sources d'un manifeste.

    Parameters
    ----------
    manifeste, parametres
        Demande et hypothèses (seule la marge sert ici).
    progression
        Appelée avec un message et la part accomplie.

    Returns
    -------
    SourcesLues
        Chaque faute de source y est un constat bloquant.
    """
    lecteur = _Lecteur(manifeste, parametres, progression or (lambda _message, _part: None))
    lecteur.lire()
    return lecteur.lues


class _Lecteur:
    """Lecture d'un manifeste, étape par étape ; chacune se passe de ce qui manque."""

    def __init__(
        self, manifeste: Manifeste, parametres: Parametres, progression: Progression
    ) -> None:
        self._manifeste = manifeste
        self._marge_m = calculer_marge_m(parametres)
        self._progression = progression
        self._crs = manifeste.crs
        self._extrait: ExtraitOsm | None = None
        #: Équipements de la BPE, commerces compris.
        self._bpe: gpd.GeoDataFrame | None = None
        self._decoupe: BaseGeometry | None = None
        #: Communes avant la découpe par l'emprise : la population s'y répartit.
        self._communes_entieres: gpd.GeoDataFrame | None = None
        self._en_cours: list[str] = []
        self.lues = SourcesLues()

    def lire(self) -> None:
        """Enchaîner les étapes."""
        self.lues.dates |= dater_sources(self._manifeste)
        with self._etape("catalogue", "services", 0.0):
            self.lues.services = lire_services(self._manifeste.catalogue)
        with self._etape("decoupage", "emprise", 0.02):
            self._decoupe = lire_emprise(self._manifeste, self._crs)
        with self._etape("decoupage", "decoupage.communes", 0.02):
            self._lire_communes()
        brute: gpd.GeoDataFrame | None = None
        with self._etape("population", "population", 0.05):
            brute = self._lire_population()
        with self._etape("decoupage", "decoupage", 0.1):
            self._delimiter(brute)
        with self._etape("reseau", "reseau.osm", 0.12):
            self._lire_reseau()
        with self._etape("population", "population", 0.6):
            self._construire_carreaux(brute)
        with self._etape("transport", "transport.gtfs", 0.65):
            self._lire_offre()
        with self._etape("services", "services", 0.72):
            self._construire_equipements()
        with self._etape("relief", "relief.mnt", 0.9):
            self._ajouter_relief()
        self._lire_couches()

    @contextmanager
    def _etape(self, etape: str, objet: str, part: float) -> Iterator[None]:
        """Mesurer une étape ; sa faute devient un constat bloquant."""
        self._progression(f"Lecture : {etape}", part)
        debut = time.perf_counter()
        imbriquee = etape in self._en_cours
        self._en_cours.append(etape)
        try:
            yield
        except ErreurProjet as erreur:
            message = " ; ".join(ligne.strip() for ligne in str(erreur).splitlines())
            self._constater(Gravite.BLOQUANT, objet, message)
        finally:
            self._en_cours.pop()
            if not imbriquee:  # sa durée est déjà dans celle de l'étape qui la contient
                durees = self.lues.durees_s
                durees[etape] = durees.get(etape, 0.0) + time.perf_counter() - debut

    def _constater(self, gravite: Gravite, objet: str, message: str) -> None:
        self.lues.constats.append(Constat(gravite, objet, message))

    def _lire_communes(self) -> None:
        if self._manifeste.communes is None:
            return
        codes = sorted({c for e in self._manifeste.emprises for c in e.communes})
        communes, constats = lire_communes(self._manifeste.communes, self._crs, codes)
        self.lues.constats += constats
        self._verifier_place(communes, "decoupage.communes")
        niveaux: tuple[tuple[Niveau, Path | None], ...] = (
            ("bassin_de_vie", self._manifeste.bassins_de_vie),
            ("secteur", self._manifeste.secteurs),
        )
        for niveau, fichier in niveaux:
            communes[f"code_{niveau}"] = ""
            communes[niveau] = ""
            if fichier is not None:
                with self._etape("decoupage", f"decoupage.{niveau}", 0.03):
                    zones, constats = lire_zonage(
                        fichier, niveau, communes["code_commune"].tolist()
                    )
                    self.lues.constats += constats
                    communes[f"code_{niveau}"] = zones["code_zone"].to_numpy()
                    communes[niveau] = zones["nom_zone"].to_numpy()
        self._communes_entieres = communes

    def _lire_population(self) -> gpd.GeoDataFrame | None:
        """Population dont la source est un fichier, avant rattachement aux communes."""
        manifeste = self._manifeste
        if manifeste.population is None:
            return None
        emprise = self._decoupe
        if self._communes_entieres is not None:
            union = self._communes_entieres.union_all()
            emprise = union if emprise is None else union.intersection(emprise)
        if emprise is not None and emprise.is_empty:
            return None  # la délimitation dira que l'emprise ne recouvre rien
        if emprise is not None:
            emprise = emprise.buffer(_DEBORD_CARREAUX_M)
        if manifeste.population_methode == "couche" and manifeste.population_colonne is not None:
            brute, constats = lire_population_couche(
                manifeste.population, manifeste.population_colonne, self._crs, emprise
            )
        elif emprise is None and manifeste.communes is not None:
            return None  # la faute des communes est déjà dite
        elif emprise is None:
            raise ErreurConfiguration(
                "Rien ne délimite le territoire parmi les carreaux.",
                objet=manifeste.population,
                conseil="donnez [decoupage] communes, ou une [[emprise]]",
            )
        else:
            brute, constats = lire_carreaux_filosofi(manifeste.population, self._crs, emprise)
            centres = brute.geometry.centroid
            brute = brute.assign(x=centres.x, y=centres.y)
        self.lues.constats += constats
        self._verifier_place(brute, "population")
        return brute

    def _delimiter(self, brute: gpd.GeoDataFrame | None) -> None:
        """Contour du territoire : communes, à défaut population, à défaut emprise."""
        communes = self._communes_entieres
        if communes is not None:
            if self._decoupe is not None:
                communes, constats = decouper_communes(communes, self._decoupe)
                self.lues.constats += constats
            self.lues.communes = communes
            self.lues.contour = communes.union_all()
        elif brute is not None:
            contour = brute.union_all()
            decoupe = self._decoupe
            self.lues.contour = contour if decoupe is None else contour.intersection(decoupe)
        elif self._decoupe is not None and self._manifeste.communes is None:
            self.lues.contour = self._decoupe

    def _lire_reseau(self) -> None:
        manifeste = self._manifeste
        if manifeste.osm is None:
            raise ErreurConfiguration(
                "Le manifeste ne donne pas d'extrait OpenStreetMap : pas de réseau de rues.",
                objet="[reseau] osm",
                conseil="ajoutez [reseau] osm = « fichier.osm.pbf »",
            )
        if self.lues.contour is None and self._population_ou_decoupage_demande():
            return  # la faute du découpage est déjà dite ; sans contour, rien à lire
        emprise = None
        if self.lues.contour is not None:
            emprise = elargir_en_wgs84(self._contour_entier(), self._marge_m, self._crs)
        extrait = lire_osm(
            manifeste.osm,
            self._crs,
            emprise,
            self._services_lus() if manifeste.services_osm else (),
            avec_batiments=manifeste.population_methode == "batiments",
            avec_fond=True,
            tags_gardes=TAGS_OSM,
            progression=lambda message, part: self._progression(message, 0.12 + 0.48 * part),
        )
        self._extrait = extrait
        self.lues.constats += extrait.constats
        self.lues.reseau = extrait.reseau
        self.lues.fond = extrait.fond
        if extrait.date_donnees is not None:
            self.lues.dates["reseau.osm"] = extrait.date_donnees.date().isoformat()
        rues = np.column_stack([extrait.reseau.geometrie_x, extrait.reseau.geometrie_y])
        enveloppe = shapely.MultiPoint(rues).convex_hull
        if self.lues.contour is None:
            self.lues.contour = enveloppe
            self._verifier_place(gpd.GeoSeries([enveloppe], crs=self._crs), "reseau.osm")
        couvert = self._contour_entier()
        self.lues.constats += verifier_couverture(enveloppe, couvert, self._marge_m)

    def _services_lus(self) -> tuple[Service, ...]:
        """Services du catalogue, et commerces lus dans la même passe."""
        return (*self.lues.services, *construire_services_lecture(lire_categories()))

    def _population_ou_decoupage_demande(self) -> bool:
        manifeste = self._manifeste
        return bool(manifeste.communes or manifeste.population or manifeste.emprises)

    def _contour_entier(self) -> BaseGeometry:
        """Contour à couvrir de rues : communes entières quand la population s'y répartit."""
        contour = self.lues.contour
        repartie = self._manifeste.population_methode == "batiments"
        if repartie and self._communes_entieres is not None:
            contour = self._communes_entieres.union_all()
        if contour is None:
            raise ErreurDonnees("Le territoire n'a pas de contour.", objet=self._manifeste.chemin)
        return contour

    def _construire_carreaux(self, brute: gpd.GeoDataFrame | None) -> None:
        methode = self._manifeste.population_methode
        if self.lues.contour is None or (methode in ("carreaux", "couche") and brute is None):
            return
        constats: list[Constat] = []
        if methode == "batiments":
            communes = self._communes_entieres
            if self._extrait is None or self._extrait.batiments is None or communes is None:
                return
            brute, constats = repartir_sur_batiments(self._extrait.batiments, communes)
        elif brute is None:
            brute = construire_carreaux_sans_population(self.lues.contour, self._crs)
            self._constater(
                Gravite.MAJEUR,
                "population",
                "sans population : les indicateurs seront des parts de surface.",
            )
        self.lues.constats += constats
        if self._decoupe is not None:
            dedans = shapely.intersects_xy(self._decoupe, brute["x"], brute["y"])
            brute = brute.loc[dedans].reset_index(drop=True)
        if self.lues.communes is None:
            self._constater(
                Gravite.MINEUR, "decoupage", "sans communes : une seule zone, le territoire entier."
            )
            self.lues.communes = construire_zone_unique(
                self._manifeste.nom, self.lues.contour, brute
            )
            carreaux = brute.assign(code_commune=CODE_TERRITOIRE)
        else:
            carreaux, constats = affecter_communes(brute, self.lues.communes)
            self.lues.constats += constats
        if carreaux.empty:
            raise ErreurDonnees(
                "Aucun carreau dans le territoire.",
                objet=self._manifeste.population or "population",
                conseil="vérifiez que population, communes et emprise se recouvrent",
            )
        self.lues.carreaux = ranger_carreaux(carreaux)
        if methode is not None and self._communes_entieres is not None:
            self.lues.constats += comparer_population(
                self.lues.carreaux, self.lues.communes, estimee=methode == "batiments"
            )

    def _lire_offre(self) -> None:
        if not self._manifeste.gtfs:
            return
        emprise = None
        if self.lues.contour is not None:
            emprise = elargir_en_wgs84(self.lues.contour, self._marge_m, self._crs)
        offre, constats = lire_gtfs(
            self._manifeste.gtfs, self._crs, emprise, self._manifeste.date_service
        )
        self.lues.offre = offre
        self.lues.constats += constats
        debut, fin = offre.validite
        self.lues.dates["transport.gtfs"] = f"{debut:%Y-%m-%d} / {fin:%Y-%m-%d}"
        if self._manifeste.date_service is None:
            self._constater(
                Gravite.MAJEUR,
                "transport.date_service",
                "Le manifeste ne dit pas quel jour étudier : sans --jour, le diagnostic laisse de "
                "côté le transport collectif. Ajoutez date_service à [transport], entre le "
                f"{debut:%d/%m/%Y} et le {fin:%d/%m/%Y} ; « demi-heure jours » propose des dates.",
            )

    def _construire_equipements(self) -> None:
        contour, communes = self.lues.contour, self.lues.communes
        if contour is None or communes is None:
            return
        zone = contour.buffer(self._marge_m)
        sources: dict[str, gpd.GeoDataFrame] = {}
        if self._manifeste.bpe is not None:
            with self._etape("services", "services.bpe", 0.73):
                table, constats = lire_bpe(
                    self._manifeste.bpe,
                    self._crs,
                    zone,
                    self._services_lus(),
                    communes["code_commune"].tolist(),
                    progression=lambda message, part: self._progression(message, 0.73 + part / 8),
                )
                self._bpe = table
                sources["bpe"] = sans_commerces(table)
                self.lues.constats += constats
        if self._manifeste.services_osm and self._extrait is not None:
            sources["osm"] = sans_commerces(self._extrait.points_interet)
        if self.lues.offre is not None:
            sources["gtfs"] = arrets_desservis(self.lues.offre, self.lues.services, self._crs)
        for demande in self._manifeste.services_fichiers:
            with self._etape("services", f"services.fichiers ({demande.service})", 0.86):
                service = trouver_service(demande.service, self.lues.services)
                table, constats = lire_fichier_service(demande.fichier, service, self._crs, zone)
                self.lues.constats += constats
                nom = demande.fichier.name
                deja = [sources[nom]] if nom in sources else []
                sources[nom] = gpd.GeoDataFrame(pd.concat([*deja, table], ignore_index=True))
        if not sources:
            self._constater(
                Gravite.MAJEUR, "services", "aucune source de services : pas d'accès à mesurer."
            )
        equipements, constats = construire_equipements(
            sources, self.lues.services, communes, self._crs
        )
        self.lues.constats += constats
        self.lues.equipements = equipements
        self.lues.points_acces = construire_points_acces(equipements, self.lues.services)

    def _ajouter_relief(self) -> None:
        if self._manifeste.mnt is not None and self.lues.reseau is not None:
            self.lues.reseau = ajouter_altitudes(self.lues.reseau, self._manifeste.mnt)

    def _lire_couches(self) -> None:
        """Lire les couches du manifeste ; une couche fautive est laissée de côté."""
        if self.lues.contour is None or self.lues.communes is None:
            return
        osm = self._extrait if self._manifeste.services_osm else None
        cadre = CadreCouches(
            self._crs,
            self.lues.contour.buffer(self._marge_m),
            self.lues.communes,
            equipements_osm=None if osm is None else osm.points_interet,
            equipements_bpe=self._bpe,
        )
        with self._etape("couches", "couches", 0.95):
            couches, constats = lire_couches_thematiques(
                self._manifeste.couches,
                cadre,
                lambda nom: self._progression(f"Couche {nom}", 0.95),
            )
            self.lues.couches = couches
            self.lues.constats += constats

    def _verifier_place(self, table: Any, objet: str) -> None:
        """Vérifier que des données tombent dans le domaine du CRS.

        Raises
        ------
        ErreurDonnees
            Si elles en sont entièrement dehors.
        """
        bornes = bornes_en_wgs84(table.total_bounds, self._crs)
        constat = verifier_emprise_crs(bornes, self._crs, objet)
        if constat is None:
            return
        if constat.gravite is Gravite.BLOQUANT:
            raise ErreurDonnees(constat.message)
        self.lues.constats.append(constat)

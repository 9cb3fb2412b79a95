"""Territoire et résultats partagés, en lecture seule, par toutes les sessions du serveur.

Une session ne garde que ses réglages : dix personnes consultent le même territoire sans le charger
dix fois.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from threading import Lock
from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from accessibilite.atteinte import Cibles, construire_cibles
from accessibilite.bilans.agregation import Zonage, calculer_ponderation, construire_zonages
from accessibilite.bilans.synthese import lire_temps
from accessibilite.etude import ResultatEtude, calculer_etude, construire_graphes
from accessibilite.rues.graphe import Graphe
from accessibilite.transport.fenetre import options_tc
from accessibilite.transport.liaisons import MarcheTc, construire_correspondances, rattacher_arrets
from accessibilite.transport.porte_a_porte import (
    ReseauTc,
    construire_reseau_tc,
)
from couches.ecran.carreaux_image import GrilleImage, construire_grille
from couches.ecran.carte import Adresses
from couches.ecran.etiquettes import Police
from couches.ecran.fond import FondCarte, cerner, construire_fond_carte
from couches.ecran.mercator import Emprise, vers_degres
from couches.styles import FICHIER as FICHIER_STYLES
from couches.styles import Styles, classer_temps
from donnees_geo.configuration import Parametres
from donnees_geo.conventions import ModeRue
from donnees_geo.erreurs import ErreurConfiguration
from donnees_geo.gtfs import courses_du_jour, proposer_jours_types
from donnees_geo.territoire import Territoire
from pages._commun.memoire import CacheImages, CacheObjets

SESSIONS_MAX: Final = 500
Progression = Callable[[str, float], None]


@dataclass
class Partage:
    """Ce que toutes les sessions lisent.

    Attributes
    ----------
    territoire, resultat
        Territoire préparé et étude de référence ; jamais modifiés.
    parametres
        Hypothèses.
    styles, police
        Aspect.
    etude_relue
        Vrai si l'étude vient du disque.
    """

    territoire: Territoire
    resultat: ResultatEtude
    parametres: Parametres
    styles: Styles
    police: Police
    etude_relue: bool
    images: CacheImages = field(default_factory=CacheImages)
    objets: CacheObjets = field(default_factory=lambda: CacheObjets(256))
    etudes: dict[str, ResultatEtude] = field(default_factory=dict)
    vues: OrderedDict[str, tuple[float, float, float]] = field(default_factory=OrderedDict)
    _verrou: Lock = field(default_factory=Lock)
    _graphes: dict[ModeRue, Graphe] = field(default_factory=dict)
    _verrou_graphes: Lock = field(default_factory=Lock)

    @cached_property
    def cle(self) -> str:
        """Clé des adresses : change avec le territoire, les styles et les hypothèses."""
        somme = hashlib.sha256(self.territoire.empreinte.encode())
        somme.update(FICHIER_STYLES.read_bytes())
        somme.update(repr(self.parametres).encode())
        return somme.hexdigest()[:16]

    @property
    def adresses(self) -> Adresses:
        """Adresses des dessins."""
        return Adresses(f"/rendu/{self.cle}")

    @cached_property
    def fond(self) -> FondCarte:
        """Fond de carte projeté."""
        return construire_fond_carte(self.territoire)

    @cached_property
    def grille(self) -> GrilleImage:
        """Carreaux projetés."""
        return construire_grille(self.territoire.carreaux.geometry.to_numpy(), self.territoire.crs)

    @cached_property
    def zonages(self) -> dict[str, Zonage]:
        """Zonages par type."""
        t = self.territoire
        return {z.type: z for z in construire_zonages(t.carreaux, t.communes, t.nom)}

    @cached_property
    def noms_communes(self) -> dict[str, str]:
        """Nom de chaque commune, par code."""
        communes = self.territoire.communes
        return dict(
            zip(communes["code_commune"].astype(str), communes["nom"].astype(str), strict=True)
        )

    @cached_property
    def ponderation(self) -> tuple[NDArray[np.float64], bool]:
        """Poids des carreaux, et vrai si c'est une population."""
        return calculer_ponderation(self.territoire.carreaux)

    @cached_property
    def emprise_degres(self) -> Emprise:
        """``(ouest, sud, est, nord)`` du territoire, degrés."""
        return self.emprise_de(self.territoire.contour.bounds)

    def communes_de(self, zone: str) -> set[str]:
        """Codes des communes d'une zone (« territoire » ou « type:code »)."""
        communes = self.territoire.communes
        codes = communes["code_commune"].astype(str)
        type_zone, _, code = zone.partition(":")
        if type_zone == "territoire":
            return set(codes)
        colonne = "code_commune" if type_zone == "commune" else f"code_{type_zone}"
        return set(codes[communes[colonne].astype(str) == code])

    def existe(self, zone: str) -> bool:
        """Vrai si la zone est l'une de celles du territoire."""
        type_zone, _, code = zone.partition(":")
        if type_zone == "territoire":
            return not code
        return type_zone in self.zonages and code in self.zonages[type_zone].codes

    def fond_cerne(self, zone: str) -> FondCarte:
        """Fond où la zone est cernée.

        Raises
        ------
        ErreurConfiguration
            Zone inconnue.
        """
        if not self.existe(zone):
            raise ErreurConfiguration("Cette zone n'existe pas.", objet=zone[:40])
        if zone == "territoire":
            return self.fond

        def construire() -> FondCarte:
            communes = self.territoire.communes
            dedans = communes["code_commune"].astype(str).isin(self.communes_de(zone))
            contour = shapely.union_all(communes.geometry[dedans].to_numpy())
            return cerner(self.fond, contour, self.territoire.crs)

        return self.objets.obtenir(("zone", zone), construire)

    def emprise_de(self, bornes: Emprise) -> Emprise:
        """Emprise en degrés de bornes données dans le CRS du territoire."""
        o, s, e, n = bornes
        lon, lat = vers_degres(np.array([o, e, e, o]), np.array([s, s, n, n]), self.territoire.crs)
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())

    def graphe(self, mode: ModeRue) -> Graphe:
        """Graphe d'un mode, construit à la première demande."""
        with self._verrou_graphes:
            if mode not in self._graphes:
                self._graphes |= construire_graphes(self.territoire, self.parametres, [mode])
            return self._graphes[mode]

    def cibles(self, mode: ModeRue) -> Cibles:
        """Carreaux et services rattachés au graphe d'un mode."""
        t = self.territoire
        return self.objets.obtenir(
            ("cibles", mode),
            lambda: construire_cibles(
                self.graphe(mode),
                t.carreaux,
                self.ponderation[0],
                t.equipements,
                t.points_acces,
                [s.id for s in t.services],
                self.parametres.rattachement_max_m,
            ),
        )

    def etude(self, jour: str = "") -> ResultatEtude:
        """Étude d'un jour de transport collectif ; vide : celle du territoire.

        Raises
        ------
        ErreurConfiguration
            Jour dont l'étude n'a pas été calculée (voir :meth:`calculer_jour`).
        """
        if not jour or (self.resultat.jour and self.resultat.jour.isoformat() == jour):
            return self.resultat
        if jour not in self.etudes:
            raise ErreurConfiguration(
                "L'étude de ce jour n'est pas calculée.", objet=jour, conseil="rechargez la page"
            )
        return self.etudes[jour]

    def calculer_jour(self, jour: str, progression: Progression | None = None) -> None:
        """Calculer l'étude d'un autre jour, si ce n'est déjà fait, pour toutes les sessions.

        Raises
        ------
        ErreurDonnees
            Jour hors du calendrier de l'offre.
        """
        if jour in self.etudes or self.resultat.jour is None:
            return
        if self.resultat.jour.isoformat() != jour:
            self.etudes[jour] = calculer_etude(
                self.territoire,
                None,
                self.parametres,
                jour=date.fromisoformat(jour),
                progression=progression,
            )

    @cached_property
    def jours_types(self) -> dict[str, str]:
        """Jours proposés (AAAA-MM-JJ → nom), celui de l'étude d'abord ; vide sans offre."""
        offre = self.territoire.offre
        if offre is None or self.resultat.jour is None:
            return {}
        jours = {self.resultat.jour.isoformat(): "jour de l’étude"}
        proposes = proposer_jours_types(offre).dropna(subset=["date"])
        for instant, genre in zip(
            pd.to_datetime(proposes["date"]).dt.strftime("%Y-%m-%d"),
            proposes["jour_type"].astype(str),
            strict=True,
        ):
            nom = genre.replace("_", " ")
            jours[instant] = nom if instant not in jours else f"{nom}, jour de l’étude"
        return jours

    def transport(self, jour: str = "") -> tuple[ReseauTc, MarcheTc]:
        """Réseau de transport d'un jour et arrêts rattachés.

        Raises
        ------
        ErreurConfiguration
            Territoire sans horaires.
        ErreurDonnees
            Jour hors du calendrier.
        """
        offre, p = self.territoire.offre, self.parametres
        etudie = date.fromisoformat(jour) if jour else self.resultat.jour
        if offre is None or etudie is None:
            raise ErreurConfiguration(
                "Ce territoire n'a pas d'horaires de transport collectif.", objet="mode"
            )

        def construire() -> tuple[ReseauTc, MarcheTc]:
            marche = rattacher_arrets(
                self.graphe("marche"),
                offre,
                marche_max_m=p.marche_max_tc_m,
                rattachement_max_m=p.rattachement_max_m,
            )
            correspondances = construire_correspondances(marche, offre, p.embarquement_min_s)
            courses = courses_du_jour(offre, etudie)
            return construire_reseau_tc(courses, correspondances, options_tc(p)), marche

        return self.objets.obtenir(("transport", etudie), construire)

    def temps(self, services: tuple[str, ...], mode: str, jour: str = "") -> NDArray[np.float64]:
        """Temps des carreaux (voir ``synthese.lire_temps``)."""
        etude = self.etude(jour)
        return self.objets.obtenir(
            ("temps", services, mode, jour), lambda: lire_temps(etude, services, mode)
        )

    def classes(self, services: tuple[str, ...], mode: str, jour: str = "") -> NDArray[np.uint8]:
        """Classes de temps des carreaux."""
        return self.objets.obtenir(
            ("classes", services, mode, jour),
            lambda: classer_temps(self.temps(services, mode, jour), self.styles),
        )

    def noter_vue(self, session: str, vue: tuple[float, float, float]) -> None:
        """Retenir ce que montre la carte d'une session (lat, lon, zoom)."""
        with self._verrou:
            self.vues[session] = vue
            self.vues.move_to_end(session)
            while len(self.vues) > SESSIONS_MAX:
                self.vues.popitem(last=False)


#: Territoires ouverts par le serveur, par dossier et instant de préparation (voir ``ouverture``).
PARTAGES_OUVERTS: Final[dict[str, Partage]] = {}


def partage_de_cle(cle: str) -> Partage | None:
    """Territoire déjà ouvert de cette clé, ou ``None``."""
    return next((p for p in tuple(PARTAGES_OUVERTS.values()) if p.cle == cle), None)

"""Chiffres d'une carte : synthèse de la zone, communes les plus démunies, phrase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from accessibilite.bilans.synthese import resumer_zones
from couches.composition import Theme, dire_modes, nommer_service
from couches.ecran.mercator import Emprise
from couches.textes import INSECABLE, duree, nombre, part, pluriel
from pages._commun.etat import NOMS_PALIERS
from pages._commun.partage import Partage

PIRES_MONTREES: Final = 5


@dataclass(frozen=True)
class Chiffres:
    """Chiffres d'une zone.

    Attributes
    ----------
    zone
        Ligne de ``synthese.resumer_zones`` de la zone.
    communes
        Table des communes de la zone, les plus démunies d'abord.
    classes
        Poids de chaque classe de temps, puis inaccessible, puis sans donnée.
    par_population
        Faux : les poids sont des surfaces, en hectares.
    """

    zone: pd.Series[Any]
    communes: pd.DataFrame
    classes: tuple[float, ...]
    par_population: bool

    @property
    def unite(self) -> str:
        """Ce que comptent les poids."""
        return "habitants" if self.par_population else "hectares"


def calculer_chiffres(partage: Partage, theme: Theme, zone: str) -> Chiffres:
    """Chiffres d'une zone (« territoire » ou « type:code ») ; gardés d'un appel à l'autre."""
    return partage.objets.obtenir(
        ("chiffres", theme.ids, theme.mode, theme.jour, theme.seuil_s, zone),
        lambda: _calculer(partage, theme, zone),
    )


def _calculer(partage: Partage, theme: Theme, zone: str) -> Chiffres:
    temps = partage.temps(theme.ids, theme.mode, theme.jour)
    poids, par_population = partage.ponderation
    if not par_population:
        poids = poids / 1e4
    type_zone, _, code = zone.partition(":")
    bornes = partage.styles.bornes_s
    zonage = partage.zonages[type_zone]
    table = resumer_zones(zonage, temps, poids, theme.seuil_s, bornes)
    ligne = table.iloc[0 if not code else zonage.codes.index(code)]
    classes = [float(ligne[f"classe_{r}"]) for r in range(len(bornes) + 1)]
    communes = table.iloc[0:0]
    if "commune" in partage.zonages:
        communes = resumer_zones(partage.zonages["commune"], temps, poids, theme.seuil_s)
        communes = communes[communes["code"].isin(partage.communes_de(zone))]
        communes = communes.sort_values(
            ["non_desservi", "nom"], ascending=[False, True], ignore_index=True
        )
    return Chiffres(
        ligne,
        communes,
        (*classes, float(ligne["inaccessible"]), float(ligne["sans_donnee"])),
        par_population,
    )


def nom_de_la_zone(partage: Partage, zone: str) -> str:
    """Nom affiché d'une zone."""
    type_zone, _, code = zone.partition(":")
    zonage = partage.zonages[type_zone]
    if type_zone == "territoire":
        return partage.territoire.nom
    nom = zonage.noms[zonage.codes.index(code)]
    articles = {"secteur": "Secteur ", "bassin_de_vie": "Bassin de vie de ", "commune": ""}
    return f"{articles[type_zone]}{nom}"


def emprise_de_la_zone(partage: Partage, zone: str) -> Emprise:
    """Emprise d'une zone, degrés."""
    if zone == "territoire":
        return partage.emprise_degres
    communes = partage.territoire.communes
    codes = partage.communes_de(zone)
    o, s, e, n = communes[communes["code_commune"].astype(str).isin(codes)].total_bounds
    return partage.emprise_de((float(o), float(s), float(e), float(n)))


def dire_zone(partage: Partage, theme: Theme, chiffres: Chiffres, *, mediane: bool = True) -> str:
    """Phrase de la carte : « 12 430 habitants (34 %) sont à plus de 15 minutes d'un médecin… »."""
    zone, minutes = chiffres.zone, f"{theme.seuil_s / 60:g}{INSECABLE}minutes"
    modes = dire_modes(partage.resultat, theme)
    if np.isnan(zone["part"]):
        return "Aucune donnée d’accès pour cette zone, ce service et ce mode."
    manquants = float(zone["non_desservi"])
    if theme.panier:
        quoi = f"n’ont pas tous les services {_palier(theme)} à {minutes} ou moins, {modes}"
    else:
        quoi = f"sont à plus de {minutes} {_de_service(theme)}, {modes}"
    if manquants < 0.5:
        tous = "Tous les habitants" if chiffres.par_population else "Tous les lieux"
        but = (
            f"les services {_palier(theme)}" if theme.panier else nommer_service(theme.services[0])
        )
        return f"{tous} atteignent {but} en {minutes} ou moins, {modes}."
    total = float(zone["poids"])
    texte = f"{_compter(manquants, chiffres)} ({part(manquants / total)}) {quoi}"
    if round(manquants) == 1:
        texte = texte.replace(" sont ", " est ").replace(" n’ont ", " n’a ")
    milieu = float(zone["temps_median_s"])
    if not (mediane and chiffres.par_population and np.isfinite(milieu)):
        return f"{texte}."
    return f"{texte}. La moitié des habitants y est en {duree(milieu)} au plus."


def dire_desservis(theme: Theme, chiffres: Chiffres, *, court: bool = False) -> str:
    """Légende du grand chiffre : « des habitants, soit 204 512, à 15 minutes ou moins »."""
    compte = nombre(float(chiffres.zone["desservi"]))
    if court:
        return f"soit {compte} {chiffres.unite}"
    quoi = "des habitants, soit" if chiffres.par_population else "de la surface, soit"
    unite = "" if chiffres.par_population else f"{INSECABLE}ha"
    return f"{quoi} {compte}{unite}, à {theme.seuil_s / 60:g}{INSECABLE}minutes ou moins"


def _compter(valeur: float, chiffres: Chiffres) -> str:
    return pluriel(round(valeur), "habitant" if chiffres.par_population else "hectare")


def _palier(theme: Theme) -> str:
    nom = NOMS_PALIERS[theme.palier]
    return nom if nom.startswith("de ") else f"du palier {nom}"


def _de_service(theme: Theme) -> str:
    nom = nommer_service(theme.services[0])
    for article, contracte in (("un", "d’un"), ("une", "d’une"), ("des", "des")):
        if nom.startswith(article + " "):
            return contracte + nom[len(article) :]
    return f"de {nom}"

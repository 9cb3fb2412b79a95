"""Délimitation du territoire et de sa demande : contour, marge, carreaux, contrôles croisés."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from donnees_geo.configuration import Manifeste, Parametres
from donnees_geo.conventions import COLONNES_AGES, COLONNES_MENAGES, CRS_GEO
from donnees_geo.erreurs import Constat, ErreurDonnees, Gravite
from donnees_geo.lecture.vecteur import garder_polygones, lire_couche, reprojeter

#: Code de la zone unique d'un territoire sans découpage.
CODE_TERRITOIRE: Final = "territoire"
_MODES_MARGE: Final = ("marche", "velo")
#: Écart entre population carroyée (fiscale) et municipale qui mérite d'être vu.
_ECART_POPULATION: Final = 0.05
#: Part de commune sous laquelle une emprise ne fait que l'effleurer.
_PART_EFFLEUREE: Final = 0.01
#: Débord admis de l'enveloppe des rues : la dernière maison n'est pas au bout de la dernière rue.
_DEBORD_RUES_M: Final = 500.0


def calculer_marge_m(parametres: Parametres) -> float:
    """Distance dont le réseau et les services dépassent le territoire.

    À défaut de ``marge_m``, le plus grand seuil × vitesse des modes actifs des paliers.
    """
    if parametres.marge_m is not None:
        return parametres.marge_m
    vitesses = {
        "marche": parametres.vitesse_marche_kmh,
        "velo": parametres.vitesse_velo_kmh,
    }
    return max(
        (
            regle.seuil_s * vitesses[mode] / 3.6
            for regle in parametres.seuils
            for mode in regle.modes
            if mode in _MODES_MARGE
        ),
        default=0.0,
    )


def lire_emprise(manifeste: Manifeste, crs: str) -> BaseGeometry | None:
    """Réunir les polygones et les rectangles des emprises, dans ``crs`` ; ``None`` sans eux."""
    formes: list[BaseGeometry] = []
    vers_travail = Transformer.from_crs(CRS_GEO, crs, always_xy=True)
    for emprise in manifeste.emprises:
        if emprise.fichier is not None:
            couche, _ = lire_couche(emprise.fichier, crs, objet="emprise")
            formes.append(couche.union_all())
        if emprise.rectangle is not None:
            boite = shapely.segmentize(shapely.box(*emprise.rectangle), 0.05)
            formes.append(reprojeter(boite, vers_travail))
    return shapely.union_all(formes) if formes else None


def elargir_en_wgs84(contour: BaseGeometry, marge_m: float, crs: str) -> BaseGeometry:
    """Contour élargi d'une marge, simplifié à 50 m près, en EPSG:4326."""
    vers_geo = Transformer.from_crs(crs, CRS_GEO, always_xy=True)
    large = contour.simplify(50).buffer(marge_m + 50, quad_segs=4)
    return reprojeter(large, vers_geo)


def decouper_communes(
    communes: gpd.GeoDataFrame, decoupe: BaseGeometry
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Limiter les communes à une emprise ; celles qu'elle n'effleure que sont laissées.

    Raises
    ------
    ErreurDonnees
        L'emprise ne recouvre aucune commune.
    """
    contours = communes.geometry.to_numpy()
    morceaux = garder_polygones(np.asarray(shapely.intersection(contours, decoupe)))
    parts = shapely.area(morceaux) / shapely.area(contours)
    garde = parts > _PART_EFFLEUREE
    if not garde.any():
        raise ErreurDonnees(
            "L'emprise ne recouvre aucune commune.",
            objet="emprise",
            conseil="vérifiez le rectangle (degrés) ou le fichier de l'emprise",
        )
    coupees = int((garde & (parts < 0.999)).sum())
    constats = []
    if coupees:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                "emprise",
                f"{coupees} commune(s) coupées par l'emprise : leur population municipale reste "
                "celle de la commune entière.",
            )
        )
    decoupees = communes.assign(geometry=morceaux).loc[garde]
    return gpd.GeoDataFrame(decoupees, crs=communes.crs).reset_index(drop=True), constats


def construire_zone_unique(
    nom: str, contour: BaseGeometry, carreaux: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Table COMMUNES d'un territoire sans découpage : une zone, le territoire entier."""
    textes = ("code_bassin_de_vie", "bassin_de_vie", "code_secteur", "secteur")
    return gpd.GeoDataFrame(
        {
            "code_commune": [CODE_TERRITOIRE],
            "nom": [nom],
            "population_hab": [carreaux["population_hab"].sum(min_count=1)],
            **{texte: [""] for texte in textes},
        },
        geometry=garder_polygones(np.array([contour], dtype=object)),
        crs=carreaux.crs,
    )


def comparer_population(
    carreaux: gpd.GeoDataFrame, communes: gpd.GeoDataFrame, *, estimee: bool
) -> list[Constat]:
    """Comparer la population des carreaux à celle des communes.

    Parameters
    ----------
    carreaux, communes
        Tables CARREAUX et COMMUNES.
    estimee
        Vrai si les carreaux tiennent leur population des communes : les totaux sont alors égaux.
    """
    constats = []
    sommes = carreaux.groupby("code_commune")["population_hab"].sum()
    vides = communes.loc[~communes["code_commune"].isin(sommes.index), "nom"]
    if len(vides):
        constats.append(
            Constat(
                Gravite.MAJEUR,
                "population",
                f"{len(vides)} commune(s) sans aucun carreau habité : "
                + ", ".join(vides.head(10))
                + (" …" if len(vides) > 10 else "."),
            )
        )
    attendue, trouvee = communes["population_hab"].sum(min_count=1), sommes.sum()
    if not estimee and np.isfinite(attendue) and attendue > 0:
        ecart = trouvee / attendue - 1
        pourcent = f"{100 * ecart:+.1f}".replace(".", ",")
        constats.append(
            Constat(
                Gravite.MAJEUR if abs(ecart) > _ECART_POPULATION else Gravite.MINEUR,
                "population",
                f"{trouvee:.0f} habitants dans les carreaux, {attendue:.0f} dans les communes "
                f"({pourcent} %).",
            )
        )
    return constats


def verifier_couverture(rues: BaseGeometry, contour: BaseGeometry, marge_m: float) -> list[Constat]:
    """Dire ce que l'enveloppe des rues ne couvre pas du territoire et de sa marge."""
    couvert = rues.buffer(_DEBORD_RUES_M)
    constats = []
    manque = contour.difference(couvert).area / contour.area
    if manque > 0.01:
        constats.append(
            Constat(
                Gravite.MAJEUR,
                "reseau.osm",
                f"l'extrait ne couvre pas {100 * manque:.0f} % du territoire : ses habitants y "
                "seront sans réseau. Prenez un extrait plus étendu.",
            )
        )
    voulu = contour.buffer(marge_m)
    if voulu.difference(couvert).area > 0.2 * voulu.area:
        kilometres = f"{marge_m / 1000:.1f}".replace(".", ",")
        constats.append(
            Constat(
                Gravite.MINEUR,
                "reseau.osm",
                f"l'extrait s'arrête avant la marge de {kilometres} km autour du territoire : près "
                "des limites, les services du dehors peuvent manquer.",
            )
        )
    return constats


def ranger_carreaux(carreaux: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Colonnes du schéma CARREAUX, dans l'ordre, puis les facultatives présentes."""
    facultatives = [c for c in (*COLONNES_AGES, *COLONNES_MENAGES) if c in carreaux]
    geometries = garder_polygones(carreaux.geometry.to_numpy())
    table = carreaux.assign(surface_m2=shapely.area(geometries))
    colonnes: Sequence[str] = (
        "carreau",
        "population_hab",
        "surface_m2",
        "impute",
        "code_commune",
        "x",
        "y",
        *facultatives,
    )
    rangee = gpd.GeoDataFrame(table[list(colonnes)], geometry=geometries, crs=carreaux.crs)
    rangee = rangee.astype({"carreau": "str", "code_commune": "str", "impute": "bool"})
    return rangee.sort_values("carreau", kind="stable", ignore_index=True)

"""Commerces actifs, locaux vacants et marchés hebdomadaires fictifs."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import pyproj

from donnees_geo.conventions import CRS_GEO
from donnees_geo.demo.cadre import CRS_DEMO, Cadre, Entiers
from donnees_geo.demo.habitat import Habitat
from donnees_geo.demo.placement import TirageAdresses, repartir
from donnees_geo.demo.population import Adresses

NOMBRE_ACTIFS: Final = 2_913
NOMBRE_VACANTS: Final = 535
NOMBRE_MARCHES: Final = 35
#: Catégorie → (nombre, population minimale de la commune, étalement, code BPE 2024, tag OSM).
CATEGORIES: Final[dict[str, tuple[int, int, float, str, str]]] = {
    "boulangerie": (176, 550, 0.45, "B207", "shop=bakery"),
    "boucherie": (52, 1500, 0.3, "B204", "shop=butcher"),
    "épicerie": (64, 450, 0.4, "B202", "shop=convenience"),
    "supérette": (24, 1800, 0.5, "B201", "shop=convenience"),
    "supermarché": (39, 2600, 0.9, "B105", "shop=supermarket"),
    "hypermarché": (6, 8500, 1.2, "B104", "shop=supermarket"),
    "primeur": (26, 3500, 0.25, "B208", "shop=greengrocer"),
    "coiffure": (318, 450, 0.5, "A501", "shop=hairdresser"),
    "beauté": (152, 1500, 0.45, "", "shop=beauty"),
    "restaurant": (468, 500, 0.4, "A504", "amenity=restaurant"),
    "bar-tabac": (182, 400, 0.45, "", "amenity=bar"),
    "banque": (78, 3200, 0.22, "A203", "amenity=bank"),
    "assurance": (104, 2500, 0.25, "", "office=insurance"),
    "pharmacie": (94, 1700, 0.4, "D307", "amenity=pharmacy"),
    "optique": (58, 3500, 0.2, "", "shop=optician"),
    "habillement": (186, 4000, 0.16, "", "shop=clothes"),
    "fleuriste": (71, 1800, 0.35, "", "shop=florist"),
    "garage": (204, 700, 1.1, "", "shop=car_repair"),
    "presse": (49, 1800, 0.3, "", "shop=newsagent"),
    "bricolage": (23, 4000, 1.1, "B103", "shop=doityourself"),
    "meubles": (54, 4500, 0.8, "", "shop=furniture"),
    "immobilier": (77, 3000, 0.22, "", "office=estate_agent"),
    "laverie": (31, 3500, 0.4, "", "shop=laundry"),
    "autre": (0, 1200, 0.35, "", "shop=yes"),
}
JOURS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
JOURS_OSM: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def en_degres(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes et latitudes arrondies à 7 décimales (1 cm)."""
    vers_geo = pyproj.Transformer.from_crs(CRS_DEMO, CRS_GEO, always_xy=True)
    lon, lat = vers_geo.transform(x, y)
    return np.round(lon, 7), np.round(lat, 7)


def _effectifs(habitat: Habitat, total: int, population_min: int, dedans_seul: bool) -> Entiers:
    """Effectif par commune : total fixé dans le territoire, même densité au-dehors."""
    admise = habitat.population >= population_min
    poids = np.where(admise, habitat.population.astype(float) ** 1.08, 0.0)
    dedans = repartir(total, np.where(habitat.interieure, poids, 0.0))
    if dedans_seul:
        return dedans
    densite = total / max(float(poids[habitat.interieure].sum()), 1.0)
    dehors = repartir(
        round(densite * float(poids[~habitat.interieure].sum())),
        np.where(habitat.interieure, 0.0, poids),
    )
    return dedans + dehors


def construire_commerces(cadre: Cadre, adresses: Adresses, habitat: Habitat) -> pd.DataFrame:
    """Commerces et locaux vacants, y compris hors du territoire (colonne ``interieur``).

    Returns
    -------
    DataFrame
        identifiant, nom, categorie, etat (« actif » ou « vacant »), commune, code_commune, x, y
        (mètres), interieur.
    """
    hasard = cadre.hasard(60)
    tirage = TirageAdresses(adresses)
    parts = []
    restant = cadre.part(NOMBRE_ACTIFS)
    for categorie, (nombre, population_min, etalement, _, _) in CATEGORIES.items():
        voulu = restant if categorie == "autre" else round(nombre * cadre.facteur)
        restant -= voulu
        effectifs = _effectifs(habitat, voulu, population_min, dedans_seul=False)
        rang = tirage.tirer(effectifs, etalement, hasard)
        parts.append(pd.DataFrame({"adresse": rang, "categorie": categorie, "etat": "actif"}))
    vacants = _effectifs(habitat, cadre.part(NOMBRE_VACANTS), 1500, dedans_seul=True)
    rang = tirage.tirer(vacants, 0.25, hasard)
    anciennes = np.array(["habillement", "autre", "presse", "banque", "boucherie", "restaurant"])
    parts.append(
        pd.DataFrame(
            {
                "adresse": rang,
                "categorie": hasard.choice(anciennes, rang.size),
                "etat": "vacant",
            }
        )
    )
    table = pd.concat(parts, ignore_index=True)
    a = table.pop("adresse").to_numpy()
    commune = adresses.commune[a]
    table.insert(0, "identifiant", [f"L{i + 1:05d}" for i in range(len(table))])
    numero = table.groupby("categorie").cumcount() + 1
    table.insert(1, "nom", table["categorie"].str.capitalize() + " fictif n° " + numero.astype(str))
    table.loc[table["etat"] == "vacant", "nom"] = "Local vacant"
    table["commune"] = np.array(habitat.noms)[commune]
    table["code_commune"] = np.array(habitat.codes)[commune]
    decalage = hasard.normal(0, 1.5, (2, len(table)))
    table["x"] = adresses.x[a] + decalage[0]
    table["y"] = adresses.y[a] + decalage[1]
    table["interieur"] = habitat.interieure[commune]
    return table


def construire_marches(cadre: Cadre, adresses: Adresses, habitat: Habitat) -> pd.DataFrame:
    """Marchés hebdomadaires : jour, horaires et place, un ou plusieurs par bourg."""
    hasard = cadre.hasard(61)
    tirage = TirageAdresses(adresses)
    effectifs = _effectifs(habitat, cadre.part(NOMBRE_MARCHES), 1900, dedans_seul=True)
    # Chaque bourg d'abord : une ville n'a pas dix marchés quand ses voisins n'en ont aucun.
    effectifs = repartir(
        cadre.part(NOMBRE_MARCHES),
        np.where(effectifs > 0, np.sqrt(habitat.population), 0.0)
        + np.where((habitat.population > 2500) & habitat.interieure, 40.0, 0.0),
    )
    rang = tirage.tirer(effectifs, 0.12, hasard)
    commune = adresses.commune[rang]
    jour = hasard.choice(7, rang.size, p=[0.07, 0.15, 0.17, 0.17, 0.17, 0.15, 0.12])
    soir = hasard.random(rang.size) < 0.12
    return pd.DataFrame(
        {
            "nom": [f"Marché de {habitat.noms[k]}" for k in commune],
            "commune": np.array(habitat.noms)[commune],
            "code_commune": np.array(habitat.codes)[commune],
            "jour": np.array(JOURS)[jour],
            "heure_debut": np.where(soir, "15:00", "08:00"),
            "heure_fin": np.where(soir, "19:00", "12:30"),
            "lieu": hasard.choice(
                ["Grand-Place", "Place du Marché", "Place de l'Église", "Esplanade"], rang.size
            ),
            "x": adresses.x[rang],
            "y": adresses.y[rang],
            "jour_osm": np.array(JOURS_OSM)[jour],
        }
    )

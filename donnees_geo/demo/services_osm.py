"""Reflet des services fictifs dans OSM : complétude inégale, positions voisines de la BPE."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from donnees_geo.demo.cadre import Cadre
from donnees_geo.demo.commerces import CATEGORIES
from donnees_geo.demo.objets_osm import Tags


def points_osm_commerces(cadre: Cadre, commerces: pd.DataFrame) -> tuple[np.ndarray, list[Tags]]:
    """Part des commerces saisis dans OSM (complétude inégale), vacants compris."""
    hasard = cadre.hasard(64)
    choix = commerces[hasard.random(len(commerces)) < 0.46]
    tags: list[Tags] = []
    for nom, categorie, etat in zip(choix["nom"], choix["categorie"], choix["etat"], strict=True):
        cle, valeur = CATEGORIES[categorie][4].split("=")
        if etat == "vacant":
            tags.append({"shop": "vacant"} if cle != "shop" else {f"disused:{cle}": valeur})
        else:
            tags.append({cle: valeur, "name": nom})
    return choix[["x", "y"]].to_numpy(), tags


#: TYPEQU saisis aussi dans OSM, et leurs tags.
TAGS_EQUIPEMENTS: Final[dict[str, Tags]] = {
    "A129": {"amenity": "townhall"},
    "A206": {"amenity": "post_office"},
    "A101": {"amenity": "police"},
    "A104": {"amenity": "police"},
    "C107": {"amenity": "school", "school:FR": "maternelle"},
    "C108": {"amenity": "school", "school:FR": "primaire"},
    "C109": {"amenity": "school", "school:FR": "élémentaire"},
    "C201": {"amenity": "school", "school:FR": "collège"},
    "C301": {"amenity": "school", "school:FR": "lycée"},
    "D106": {"amenity": "hospital", "emergency": "yes"},
    "F303": {"amenity": "cinema"},
    "F307": {"amenity": "library"},
    "F315": {"amenity": "theatre"},
    "F101": {"leisure": "swimming_pool"},
}


def points_osm_equipements(
    cadre: Cadre, equipements: pd.DataFrame, marches: pd.DataFrame
) -> tuple[np.ndarray, list[Tags]]:
    """Équipements et places de marché saisis dans OSM, à quelques mètres de la position BPE."""
    hasard = cadre.hasard(65)
    connus = equipements[equipements["TYPEQU"].isin(list(TAGS_EQUIPEMENTS))]
    connus = connus[hasard.random(len(connus)) < 0.8]
    xy = connus[["x", "y"]].to_numpy() + hasard.normal(0, 8.0, (len(connus), 2))
    tags = [
        TAGS_EQUIPEMENTS[code] | {"name": nom}
        for code, nom in zip(connus["TYPEQU"], connus["nom"], strict=True)
    ]
    places = [
        {
            "amenity": "marketplace",
            "name": nom,
            "opening_hours": f"{jour} {debut}-{fin}",
        }
        for nom, jour, debut, fin in zip(
            marches["nom"],
            marches["jour_osm"],
            marches["heure_debut"],
            marches["heure_fin"],
            strict=True,
        )
    ]
    return np.vstack([xy, marches[["x", "y"]].to_numpy()]), tags + places

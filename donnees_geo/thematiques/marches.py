"""Marchés hebdomadaires : lieu, jours et horaires, d'un fichier local ou d'OpenStreetMap."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from donnees_geo.conventions import JOUR_INCONNU, JOURS
from donnees_geo.erreurs import Constat, Gravite
from donnees_geo.lecture.codes import vider_manquantes
from donnees_geo.lecture.tables import resoudre_colonnes
from donnees_geo.lecture.vecteur import lire_couche
from donnees_geo.osm.points_interet import texte_simple
from donnees_geo.population import situer_dans_communes

_ALIAS: Final = {
    "nom": ("nom", "name", "libelle", "marche", "nom_marche"),
    "jour": ("jour", "jours", "jour_semaine", "opening_hours", "horaires"),
    "debut": ("heure_debut", "debut", "ouverture", "heure_ouverture", "h_debut"),
    "fin": ("heure_fin", "fin", "fermeture", "heure_fermeture", "h_fin"),
    "horaires": ("horaires", "horaire", "heures", "heure"),
    "lieu": ("lieu", "place", "adresse", "emplacement"),
}
_RANG_JOUR: Final = {
    **{jour: rang for rang, jour in enumerate(JOURS)},
    **{jour[:3]: rang for rang, jour in enumerate(JOURS)},
    **{jour: rang for rang, jour in enumerate(("mo", "tu", "we", "th", "fr", "sa", "su"))},
}
_MOTIF_JOUR: Final = re.compile(
    r"\b(" + "|".join(sorted(_RANG_JOUR, key=len, reverse=True)) + r")s?\b"
)
_MOTIF_HEURE: Final = re.compile(r"\b(\d{1,2})\s*(?::|h|H)\s*(\d{2})?\b")
_QUOTIDIEN: Final = ("tous les jours", "quotidien", "24/7", "7j/7")


@dataclass(frozen=True)
class Seance:
    """Un jour de tenue : rang du jour (0 = lundi), ouverture et fermeture (s, NaN inconnues)."""

    jour: int
    debut_s: float
    fin_s: float


def lire_jours(texte: str) -> tuple[int, ...]:
    """Jours nommés dans un texte français ou OSM, intervalles compris.

    Examples
    --------
    >>> lire_jours("Mardi et vendredi"), lire_jours("du lundi au mercredi"), lire_jours("Sa-Mo")
    ((1, 4), (0, 1, 2), (5, 6, 0))
    >>> lire_jours("1er samedi du mois"), lire_jours("à préciser")
    ((5,), ())
    """
    simple = texte_simple(texte)
    if any(mot in simple for mot in _QUOTIDIEN):
        return tuple(range(7))
    trouves = list(_MOTIF_JOUR.finditer(simple))
    jours: list[int] = []
    for precedent, trouve in itertools.pairwise([None, *trouves]):
        rang = _RANG_JOUR[trouve[1]] if trouve is not None else 0
        if precedent is not None and trouve is not None:
            entre = simple[precedent.end() : trouve.start()].strip()
            if entre in ("-", "au", "a", "jusqu'au"):
                premier = _RANG_JOUR[precedent[1]]
                jours += [(premier + k) % 7 for k in range(1, (rang - premier) % 7)]
        jours.append(rang)
    return tuple(dict.fromkeys(jours))


def lire_heures(texte: str) -> tuple[float, float]:
    """Première et dernière heure d'un texte, secondes après minuit ; NaN si absentes.

    Examples
    --------
    >>> lire_heures("8h-12h30"), lire_heures("08:00-12:00,14:00-18:00")
    ((28800.0, 45000.0), (28800.0, 64800.0))
    >>> lire_heures("le matin")
    (nan, nan)
    """
    heures = [
        3_600.0 * int(h) + 60.0 * int(m or 0)
        for h, m in _MOTIF_HEURE.findall(texte)
        if int(h) <= 24 and int(m or 0) < 60
    ]
    if not heures:
        return float("nan"), float("nan")
    return heures[0], heures[-1] if len(heures) > 1 else float("nan")


def lire_seances(texte: str) -> list[Seance]:
    """Séances d'un texte d'horaires (``opening_hours`` d'OSM, ou « mardi 8h-12h ; samedi… »).

    Examples
    --------
    >>> [(s.jour, s.debut_s / 3600, s.fin_s / 3600) for s in lire_seances("Tu,Fr 08:00-12:30")]
    [(1, 8.0, 12.5), (4, 8.0, 12.5)]
    >>> [s.jour for s in lire_seances("Sa 08:00-12:00; PH off; Su[1] 09:00-12:00")]
    [5, 6]
    """
    seances: dict[int, Seance] = {}
    for regle in re.split(r"[;\n]|\|\|", texte):
        if re.search(r"\b(off|closed|ferme)\b", texte_simple(regle)):
            continue
        debut, fin = lire_heures(regle)
        for jour in lire_jours(regle):
            seances.setdefault(jour, Seance(jour, debut, fin))
    return list(seances.values())


def lire_marches(
    chemin: Path,
    crs: str,
    emprise: BaseGeometry,
    communes: gpd.GeoDataFrame,
    objet: str = "couches.marches",
) -> tuple[gpd.GeoDataFrame, list[Constat]]:
    """Lire les marchés d'un fichier local : une ligne par marché, ou par marché et par jour.

    Parameters
    ----------
    chemin
        Couche de points, ou CSV avec longitude et latitude ; colonnes ``jour``, ``heure_debut`` et
        ``heure_fin`` ou ``horaires``, ``nom``, ``lieu``.
    crs, emprise, communes
        CRS métrique, territoire élargi, et ses communes.

    Returns
    -------
    GeoDataFrame
        Schéma MARCHES.
    list of Constat
        Marchés sans jour reconnu.
    """
    lue, constats = lire_couche(chemin, crs, emprise=emprise, objet=objet)
    trouvees = resoudre_colonnes(lue.columns, {}, chemin, facultatives=_ALIAS)
    vide = pd.Series("", index=lue.index, dtype="str")
    textes = {
        nom: vider_manquantes(lue[trouvees[nom]]) if nom in trouvees else vide for nom in _ALIAS
    }
    seances = []
    for jour, debut, fin, horaires in zip(
        textes["jour"], textes["debut"], textes["fin"], textes["horaires"], strict=True
    ):
        lues = lire_seances(jour)
        propres = lire_heures(f"{debut} {fin}") if debut or fin else lire_heures(horaires)
        if not np.isnan(propres[0]):
            lues = [Seance(s.jour, *propres) for s in lues]
        seances.append(lues)
    points = shapely.point_on_surface(lue.geometry.to_numpy())
    table = construire_marches(
        textes["nom"].tolist(), textes["lieu"].tolist(), seances, points, communes
    )
    return table, constats + constater_marches(table, objet)


def construire_marches(
    noms: list[str],
    lieux: list[str],
    seances: list[list[Seance]],
    points: NDArray[np.object_],
    communes: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    """Table MARCHES : une ligne par marché et par jour ; ``jour`` = -1 si aucun n'est connu."""
    inconnue = Seance(JOUR_INCONNU, float("nan"), float("nan"))
    lignes = [(rang, s) for rang, lues in enumerate(seances) for s in (lues or [inconnue])]
    qui = np.array([rang for rang, _ in lignes], dtype=np.int64)
    rang_commune = situer_dans_communes(points, communes)
    codes = np.append(communes["code_commune"].to_numpy(dtype=object), "")[rang_commune]
    formes = points[qui] if len(qui) else np.empty(0, dtype=object)
    xy = shapely.get_coordinates(formes).round().astype(np.int64)
    jours = [s.jour for _, s in lignes]
    table = gpd.GeoDataFrame(
        {
            "marche": pd.Series(
                [f"{x}_{y}:{j}" for (x, y), j in zip(xy.tolist(), jours, strict=True)], dtype="str"
            ),
            "nom": pd.Series([noms[r] for r in qui], dtype="str"),
            "jour": pd.Series(jours, dtype="int8"),
            "debut_s": pd.Series([s.debut_s for _, s in lignes], dtype="float64"),
            "fin_s": pd.Series([s.fin_s for _, s in lignes], dtype="float64"),
            "lieu": pd.Series([lieux[r] for r in qui], dtype="str"),
            "code_commune": pd.Series(codes[qui], dtype="str"),
        },
        geometry=formes,
        crs=communes.crs,
    )
    uniques = table.drop_duplicates("marche")
    return uniques.sort_values("marche", kind="stable", ignore_index=True)


def constater_marches(marches: gpd.GeoDataFrame, objet: str) -> list[Constat]:
    """Dire les marchés sans jour ou sans horaires connus."""
    constats = []
    sans_jour = marches.loc[marches["jour"] == JOUR_INCONNU]
    if len(sans_jour):
        exemples = ", ".join(n or "sans nom" for n in sans_jour["nom"].head(5))
        constats.append(
            Constat(
                Gravite.MAJEUR,
                objet,
                f"{len(sans_jour)} marché(s) sans jour reconnu ({exemples}) : ils comptent comme "
                "services, mais dans aucun jour de la semaine. Écrivez « mardi » ou "
                "« mardi et vendredi » dans la colonne jour.",
            )
        )
    sans_heure = int(marches["debut_s"].isna().sum()) - len(sans_jour)
    if sans_heure > 0:
        constats.append(Constat(Gravite.MINEUR, objet, f"{sans_heure} marché(s) sans horaires."))
    return constats

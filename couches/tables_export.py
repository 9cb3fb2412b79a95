"""Tables que partagent les exports (tableur, GeoPackage, page autonome), avec le sens des colonnes.

Une ligne par zone ou par carreau, une colonne par grandeur : la forme large qu'un tableur ou un SIG
ouvre directement. Les valeurs viennent toutes de l'étude ; rien n'est recalculé ici.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from accessibilite.bilans.indicateurs import PANIER_COMPLET, PLUS_RAPIDE
from accessibilite.etude import ResultatEtude, colonne_temps
from couches.composition import decrire_mode, regle_du_palier
from donnees_geo.configuration import Service
from donnees_geo.conventions import (
    LIBELLES_FONCTIONS,
    LIBELLES_MODES,
    LIBELLES_PALIERS,
    PALIERS,
)
from donnees_geo.territoire import Territoire

#: Temps d'un carreau qui n'atteint pas le service (NULL : sans donnée).
INACCESSIBLE_S: Final = -1
LIBELLE_PLUS_RAPIDE: Final = "par le plus rapide des modes du palier"
ZONES: Final = {
    "territoire": "Territoire",
    "secteur": "Secteurs",
    "bassin_de_vie": "Bassins de vie",
    "commune": "Communes",
}

_PLURIELS: Final = {
    "territoire": "territoire",
    "secteur": "secteurs",
    "bassin_de_vie": "bassins_de_vie",
    "commune": "communes",
}


@dataclass(frozen=True)
class TableExport:
    """Une table et le sens de ses colonnes.

    Attributes
    ----------
    nom
        Nom technique (couche d'un GeoPackage, fichier CSV).
    titre, description
        Titre affiché, et phrase qui dit ce que la table contient.
    donnees
        Table ; la géométrie éventuelle est dans le CRS métrique.
    colonnes
        Colonne → (titre affiché, format : ``texte``, ``entier``, ``decimal``, ``part``, ``minutes``
        ou ``secondes``).
    licence
        Licence sous laquelle la table peut être rediffusée.
    """

    nom: str
    titre: str
    description: str
    donnees: pd.DataFrame
    colonnes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    licence: str = ""


def libelle_mode(mode: str) -> str:
    """Mode en clair, y compris le plus rapide."""
    return LIBELLE_PLUS_RAPIDE if mode == PLUS_RAPIDE else LIBELLES_MODES[mode]


def majuscule(texte: str) -> str:
    """Texte à l'initiale majuscule, le reste intact."""
    return texte[:1].upper() + texte[1:]


def libelles_services(resultat: ResultatEtude) -> dict[str, str]:
    """Identifiant → libellé, panier complet compris."""
    return {s.id: s.libelle for s in resultat.services} | {PANIER_COMPLET: "tous les services"}


def table_zones(resultat: ResultatEtude, zone_type: str, palier: str | None = None) -> TableExport:
    """Une ligne par zone : population, puis part desservie de chaque service sous son seuil.

    Parameters
    ----------
    resultat
        Étude.
    zone_type
        ``commune``, ``bassin_de_vie``, ``secteur`` ou ``territoire``.
    palier
        Un palier pour tous ses services ; sans palier, les seuls paniers complets.
    """
    i = resultat.indicateurs
    garde = (i["zone_type"] == zone_type) & (i["mode"] == PLUS_RAPIDE)
    garde &= (i["service"] == PANIER_COMPLET) if palier is None else (i["palier"] == palier)
    retenus = i[garde]
    cle = "palier" if palier is None else "service"
    large = retenus.pivot_table(
        index="zone_code", columns=cle, values="part_desservie", aggfunc="first", dropna=False
    )
    identite = retenus.drop_duplicates("zone_code").set_index("zone_code")
    ordre = (
        list(PALIERS)
        if palier is None
        else [*(s.id for s in resultat.services if s.palier == palier), PANIER_COMPLET]
    )
    ordre = [c for c in ordre if c in large.columns]
    donnees = identite[["zone_nom", "population_hab"]].join(large[ordre]).reset_index()
    titres = libelles_services(resultat)
    colonnes: dict[str, tuple[str, str]] = {
        "zone_code": ("Code", "texte"),
        "zone_nom": ("Nom", "texte"),
        "population_hab": ("Habitants", "entier"),
    }
    for c in ordre:
        titre = f"palier {LIBELLES_PALIERS[c]}, {titres[PANIER_COMPLET]}" if palier is None else ""
        colonnes[c] = (majuscule(titre or titres[c]), "part")
    quoi = "de tous les services de chaque palier" if palier is None else "de chaque service"
    seuils = "" if palier is None else f" ({_dire_regle(resultat, palier)})"
    unite = "des habitants" if resultat.par_population else "de la surface"
    return TableExport(
        f"{_PLURIELS[zone_type]}_{palier or 'synthese'}",
        f"{ZONES[zone_type]} : {'synthèse' if palier is None else LIBELLES_PALIERS[palier]}",
        f"Part {unite} à portée {quoi}{seuils}.",
        donnees,
        colonnes,
    )


def _dire_regle(resultat: ResultatEtude, palier: str) -> str:
    regle = regle_du_palier(resultat.parametres, palier)
    modes = " ou ".join(LIBELLES_MODES[m] for m in regle.modes)
    return f"{regle.seuil_s / 60:g} min {modes}"


def table_indicateurs(resultat: ResultatEtude) -> TableExport:
    """Tous les indicateurs, une ligne par zone, service et mode."""
    i = resultat.indicateurs
    titres = libelles_services(resultat)
    donnees = pd.DataFrame(
        {
            "zone_type": i["zone_type"].map(ZONES).fillna(i["zone_type"]),
            "zone_code": i["zone_code"],
            "zone_nom": i["zone_nom"],
            "palier": i["palier"].map(LIBELLES_PALIERS).fillna(i["palier"]),
            "fonction": i["fonction"].map(LIBELLES_FONCTIONS).fillna(""),
            "service": i["service"].map(titres).fillna(i["service"]),
            "mode": i["mode"].map(libelle_mode),
            "seuil_min": i["seuil_s"] / 60,
            "population_hab": i["population_hab"],
            "population_desservie_hab": i["population_desservie_hab"],
            "part_desservie": i["part_desservie"],
            "temps_median_min": i["temps_median_s"] / 60,
        }
    )
    return TableExport(
        "indicateurs",
        "Indicateurs",
        "Part et nombre d'habitants à portée de chaque service, par zone et par mode. Temps médian "
        "vide : plus de la moitié des habitants ne l'atteignent pas, ou sans donnée.",
        donnees,
        {
            "zone_type": ("Type de zone", "texte"),
            "zone_code": ("Code", "texte"),
            "zone_nom": ("Nom", "texte"),
            "palier": ("Palier", "texte"),
            "fonction": ("Fonction", "texte"),
            "service": ("Service", "texte"),
            "mode": ("Mode", "texte"),
            "seuil_min": ("Seuil (min)", "entier"),
            "population_hab": ("Habitants", "entier"),
            "population_desservie_hab": ("Habitants à portée", "entier"),
            "part_desservie": ("Part à portée", "part"),
            "temps_median_min": ("Temps médian (min)", "minutes"),
        },
    )


def table_carences(resultat: ResultatEtude, noms_communes: Mapping[str, str]) -> TableExport:
    """Liste des carences, la plus lourde de chaque zone d'abord."""
    c = resultat.carences
    titres = libelles_services(resultat)
    donnees = pd.DataFrame(
        {
            "zone_type": c["zone_type"].map(ZONES).fillna(c["zone_type"]),
            "zone_code": c["zone_code"],
            "zone_nom": c["zone_nom"],
            "rang": c["rang"],
            "palier": c["palier"].map(LIBELLES_PALIERS).fillna(c["palier"]),
            "fonction": c["fonction"].map(LIBELLES_FONCTIONS).fillna(""),
            "service": c["service"].map(titres).fillna(c["service"]),
            "seuil_min": c["seuil_s"] / 60,
            "population_carence_hab": c["population_carence_hab"],
            "part_carence": c["part_carence"],
            "temps_median_min": c["temps_median_carence_s"] / 60,
            "equipement_proche_nom": c["equipement_proche_nom"].fillna(""),
            "commune_proche": c["equipement_proche_commune"]
            .fillna("")
            .map(lambda code: noms_communes.get(code, code)),
        }
    )
    return TableExport(
        "carences",
        "Carences",
        "Services que des habitants n'atteignent pas sous le seuil du palier, et le plus proche.",
        donnees,
        {
            "zone_type": ("Type de zone", "texte"),
            "zone_code": ("Code", "texte"),
            "zone_nom": ("Nom", "texte"),
            "rang": ("Rang", "entier"),
            "palier": ("Palier", "texte"),
            "fonction": ("Fonction", "texte"),
            "service": ("Service", "texte"),
            "seuil_min": ("Seuil (min)", "entier"),
            "population_carence_hab": ("Habitants concernés", "entier"),
            "part_carence": ("Part concernée", "part"),
            "temps_median_min": ("Temps médian (min)", "minutes"),
            "equipement_proche_nom": ("Équipement le plus proche", "texte"),
            "commune_proche": ("Commune de l'équipement", "texte"),
        },
    )


def table_carreaux(
    territoire: Territoire, resultat: ResultatEtude, services: Sequence[Service] | None = None
) -> gpd.GeoDataFrame:
    """Carreaux avec le temps (s, entier) à chaque service par chaque mode.

    ``-1`` inaccessible, NULL sans donnée : l'infini n'existe pas dans tous les formats.
    """
    services = resultat.services if services is None else services
    colonnes: dict[str, object] = {
        "carreau": territoire.carreaux["carreau"].to_numpy(),
        "code_commune": territoire.carreaux["code_commune"].to_numpy(),
        "population_hab": territoire.carreaux["population_hab"].to_numpy(dtype=np.float64),
        "impute": territoire.carreaux["impute"].to_numpy(dtype=bool),
    }
    for service in services:
        for mode in (PLUS_RAPIDE, *resultat.modes):
            nom = colonne_temps(service.id, mode)
            colonnes[nom] = entiers(resultat.acces[nom].to_numpy(dtype=np.float64))
    return gpd.GeoDataFrame(
        colonnes, geometry=territoire.carreaux.geometry.to_numpy(), crs=territoire.crs
    )


def entiers(temps_s: np.ndarray[tuple[int], np.dtype[np.float64]]) -> pd.arrays.IntegerArray:
    """Secondes entières arrondies vers le haut (un seuil tenu le reste), -1 inaccessible, NULL."""
    finis = np.isfinite(temps_s)
    valeurs = np.full(temps_s.size, INACCESSIBLE_S, dtype=np.int32)
    valeurs[finis] = np.ceil(temps_s[finis]).astype(np.int32)
    return pd.arrays.IntegerArray(valeurs, np.isnan(temps_s))


def table_communes(territoire: Territoire, resultat: ResultatEtude) -> gpd.GeoDataFrame:
    """Communes avec la part desservie de chaque panier et de chaque service."""
    i = resultat.indicateurs
    retenus = i[(i["zone_type"] == "commune") & (i["mode"] == PLUS_RAPIDE)].copy()
    panier = retenus["service"] == PANIER_COMPLET
    retenus["colonne"] = np.where(
        panier, "part_palier_" + retenus["palier"], "part_" + retenus["service"]
    )
    large = retenus.pivot_table(
        index="zone_code", columns="colonne", values="part_desservie", aggfunc="first"
    )
    ordre = [f"part_palier_{p}" for p in PALIERS] + [f"part_{s.id}" for s in resultat.services]
    large = large.reindex(columns=ordre)
    carences = resultat.carences[resultat.carences["zone_type"] == "commune"]
    nombre = carences.groupby("zone_code").size()
    table = territoire.communes[
        ["code_commune", "nom", "population_hab", "bassin_de_vie", "secteur"]
    ].copy()
    code = table["code_commune"].astype(str)
    table["services_en_carence"] = nombre.reindex(code).fillna(0).astype(np.int32).to_numpy()
    for colonne in ordre:
        table[colonne] = large[colonne].reindex(code).to_numpy()
    return gpd.GeoDataFrame(
        table, geometry=territoire.communes.geometry.to_numpy(), crs=territoire.crs
    )


def table_bassins(territoire: Territoire) -> gpd.GeoDataFrame | None:
    """Contours des bassins de vie, ``None`` sans ce découpage."""
    communes = territoire.communes[territoire.communes["code_bassin_de_vie"] != ""]
    if communes.empty:
        return None
    bassins = communes.dissolve(
        "code_bassin_de_vie", aggfunc={"bassin_de_vie": "first", "population_hab": "sum"}
    )
    return bassins.reset_index().rename(columns={"bassin_de_vie": "nom"})


def table_equipements(territoire: Territoire, resultat: ResultatEtude) -> gpd.GeoDataFrame:
    """Lieux de service, un point chacun (un parc est à un point intérieur), et leur libellé."""
    titres = libelles_services(resultat)
    e = territoire.equipements
    table = pd.DataFrame(
        {
            "equipement": e["equipement"].to_numpy(),
            "service": e["service"].astype(str).to_numpy(),
            "libelle": e["service"].astype(str).map(titres).fillna("").to_numpy(),
            "nom": e["nom"].to_numpy(),
            "source": e["source"].to_numpy(),
            "code_commune": e["code_commune"].to_numpy(),
            "qualite": e["qualite"].to_numpy(),
            "effectif": e["effectif"].to_numpy(),
        }
    )
    points = shapely.point_on_surface(e.geometry.to_numpy())
    return gpd.GeoDataFrame(table, geometry=points, crs=territoire.crs)


def decrire_hypotheses_etude(resultat: ResultatEtude) -> list[str]:
    """Hypothèses de l'étude : règles des paliers, puis vitesse ou fenêtre de chaque mode."""
    p = resultat.parametres
    regles = [
        f"palier {LIBELLES_PALIERS[r.palier]} : {r.seuil_s / 60:g} minutes "
        + " ou ".join(LIBELLES_MODES[m] for m in r.modes)
        for r in p.seuils
    ]
    return regles + [decrire_mode(p, m) for m in resultat.modes]

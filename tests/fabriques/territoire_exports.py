"""Petit territoire complet pour les exports : deux communes, thèmes, noms difficiles."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from accessibilite.etude import ResultatEtude, calculer_etude
from donnees_geo.territoire.modele import SourceLue, Territoire
from tests.fabriques.ville_quadrillee import (
    COIN,
    CRS,
    parametres_essai,
    service_essai,
    table_carreaux,
    table_communes,
    table_equipements,
    territoire_essai,
)

#: Noms réels des plus longs, et signes que les fichiers et les balises n'aiment pas.
NOM_LONG = "Saint-Germain-de-Tallevende-la-Lande-Vaumont"
NOM_BALISE = "L'Haÿ <b>&</script> Cœur"
SOURCES = (
    SourceLue("reseau.osm", "essai.osm.pbf", "a" * 64, 10, "2026-01-05"),
    SourceLue("services.bpe", "BPE24.csv", "b" * 64, 10, ""),
    SourceLue("population.fichier", "carreaux_200m_met.gpkg", "c" * 64, 10, "2021"),
)


def _boite(x1: float, y1: float, x2: float, y2: float) -> shapely.Geometry:
    return shapely.box(COIN[0] + x1, COIN[1] + y1, COIN[0] + x2, COIN[1] + y2)


@cache
def etude_exports(fictif: bool = False) -> tuple[Territoire, ResultatEtude]:
    """Territoire et étude ; à ne pas modifier.

    Dix carreaux de 200 m tous les 100 m sur la première rue, 10 à 100 habitants ; la boulangerie au
    premier, l'hôpital au dernier, un cinéma sans lieu. À 1 m/s à pied et 5 m/s à vélo, le carreau
    ``c`` est à 20 c secondes de la boulangerie ; le neuvième, hors de tout, n'a pas de rue.
    """
    communes = table_communes(["A0001", "A0002"], ["B1", "B1"], ["S1", "S2"])
    communes["nom"] = [NOM_LONG, NOM_BALISE]
    communes["population_hab"] = [150.0, 400.0]
    communes.geometry = [_boite(-100, -100, 450, 1100), _boite(450, -100, 1100, 1100)]
    carreaux = table_carreaux(
        [(100.0 * c, 0.0) for c in range(10)],
        [10.0 * (c + 1) for c in range(10)],
        ["A0001"] * 5 + ["A0002"] * 5,
    )
    equipements, acces = table_equipements([("boulangerie", 0.0, 0.0), ("hopital", 1000.0, 0.0)])
    equipements["nom"] = ["=HYPERLINK(1)", "HÔPITAL DE LA VILLE"]
    territoire = replace(
        territoire_essai(),
        nom="Agglomération d'Essai",
        fictif=fictif,
        communes=communes,
        carreaux=carreaux,
        equipements=equipements,
        points_acces=acces,
        contour=_boite(-100, -100, 1100, 1100),
        sources=SOURCES,
        services=(
            service_essai("boulangerie"),
            service_essai("cinema"),
            service_essai("hopital", "structurant"),
        ),
    )
    return territoire, calculer_etude(territoire, None, parametres_essai())


def ecrire_themes(dossier: Path) -> dict[str, Path]:
    """Friches, zones inondables et commerces au schéma du territoire préparé."""
    friches = gpd.GeoDataFrame(
        {
            "friche": ["f1", "f2"],
            "nom": ["Usine", "Gare"],
            "type": ["", ""],
            "statut": ["sans_projet", "reconvertie"],
            "dans_stock": [True, False],
            "occupation": ["", ""],
            "pollution": ["inconnue", "inconnue"],
            "zone_urbanisme": ["U", "U"],
            "code_commune": ["A0001", "A0001"],
            "surface_ha": [2.5, 4.0],
            "surface_origine": ["declaree", "declaree"],
        },
        geometry=[shapely.Point(COIN[0] + 100, COIN[1] + 500)] * 2,
        crs=CRS,
    )
    zones = gpd.GeoDataFrame(
        {
            "document": ["d", "d"],
            "zone": ["", ""],
            "famille": ["reglement", "reglement"],
            "niveau": ["interdiction", "prescription"],
            "severite": np.array([3, 2], dtype=np.int8),
            "alea": ["", ""],
            "scenario": ["", ""],
            "probabilite": ["", ""],
            "hauteur_min_m": [np.nan, np.nan],
            "hauteur_max_m": [np.nan, np.nan],
            "libelle": ["", ""],
        },
        # La moitié, puis le quart, de la surface de la commune A0001 (550 m de large).
        geometry=[_boite(-100, -100, 450, 500), _boite(-100, 800, 450, 1100)],
        crs=CRS,
    )
    commerces = gpd.GeoDataFrame(
        {
            "commerce": ["c1", "c2", "c3"],
            "nom": ["", "", ""],
            "categorie": ["boulangerie"] * 3,
            "vacant": [False, False, True],
            "source": ["osm"] * 3,
            "code_commune": ["A0001"] * 3,
        },
        geometry=[shapely.Point(COIN[0] + x, COIN[1] + 10) for x in (10, 20, 30)],
        crs=CRS,
    )
    perso = gpd.GeoDataFrame(
        {"titre": ["p"], "proprio_nom": ["Mme Durand"]},
        geometry=[shapely.Point(COIN[0] + 5, COIN[1] + 5)],
        crs=CRS,
    )
    chemins = {}
    for nom, table in (
        ("friches", friches),
        ("zones_inondables", zones),
        ("commerces", commerces),
        ("inventaire", perso),
    ):
        chemins[nom] = dossier / f"{nom}.parquet"
        table.to_parquet(chemins[nom])
    return chemins

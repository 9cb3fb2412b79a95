"""Carreaux Filosofi : tous millésimes et contenants, carrés reconstruits, fautes dites."""

import csv
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import py7zr
import pytest
import shapely

from donnees_geo.carreaux import (
    construire_carres,
    construire_grille,
    decouper_codes_communes,
    lire_carreaux_filosofi,
)
from donnees_geo.erreurs import ErreurDonnees

L93 = "EPSG:2154"
#: Trois carreaux voisins du Pas-de-Calais et un autre à 100 km, en LAEA.
IDS = [
    "CRS3035RES200mN3061000E3829000",
    "CRS3035RES200mN3061000E3829200",
    "CRS3035RES200mN3061200E3829000",
    "CRS3035RES200mN3161000E3829000",
]


def emprise() -> shapely.Geometry:
    centre = gpd.GeoSeries([shapely.Point(3_829_150, 3_061_150)], crs=3035).to_crs(L93)[0]
    return shapely.box(centre.x - 400, centre.y - 400, centre.x + 400, centre.y + 400)


def table_2021() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "idcar_200m": IDS,
            "i_est_200": [0, 1, 0, 0],
            "lcog_geo": ["62119", "62119,62178", "62178", "59350"],
            "ind": [10.5, 2.25, 30.0, 99.0],
            "men": [4.0, 1.0, 12.0, 40.0],
            "ind_0_3": [1.0, 0.0, 2.0, 9.0],
        }
    )


def ecrire_csv(table: pd.DataFrame, chemin: Path) -> Path:
    table.to_csv(chemin, index=False, quoting=csv.QUOTE_MINIMAL)
    return chemin


def resume(chemin: Path) -> dict[str, Any]:
    carreaux, _ = lire_carreaux_filosofi(chemin, L93, emprise())
    return {
        "ids": carreaux["carreau"].tolist(),
        "population": carreaux["population_hab"].tolist(),
        "impute": carreaux["impute"].tolist(),
        "surfaces": shapely.area(carreaux.geometry).round(-1).tolist(),
    }


def test_csv_2021(tmp_path: Path) -> None:
    chemin = ecrire_csv(table_2021(), tmp_path / "carreaux_200m_met.csv")
    carreaux, constats = lire_carreaux_filosofi(chemin, L93, emprise())
    assert carreaux["carreau"].tolist() == IDS[:3]
    assert carreaux["population_hab"].tolist() == [10.5, 2.25, 30.0]
    assert carreaux["impute"].tolist() == [False, True, False]
    assert carreaux["ind_0_3"].tolist() == [1.0, 0.0, 2.0]
    assert carreaux["codes_communes"].tolist() == [("62119",), ("62119", "62178"), ("62178",)]
    assert "1 carreau(x) sur 3 sont imputés" in constats[0].message


def test_tous_les_contenants_donnent_les_memes_carreaux(tmp_path: Path) -> None:
    table = table_2021()
    reference = resume(ecrire_csv(table, tmp_path / "c_met.csv"))
    table.to_parquet(tmp_path / "c.parquet")
    couche = gpd.GeoDataFrame(
        table, geometry=construire_carres(table["idcar_200m"], L93, "t"), crs=L93
    )
    couche.to_file(tmp_path / "c.gpkg", layer="carreaux_200m_met")
    couche.iloc[:0].to_file(tmp_path / "c.gpkg", layer="carreaux_200m_reun")
    couche.rename(columns=str.upper).set_geometry("GEOMETRY").to_file(tmp_path / "c.shp")
    with py7zr.SevenZipFile(tmp_path / "c.7z", "w") as archive:
        archive.write(tmp_path / "c_met.csv", "Filosofi2021_carreaux_200m_met.csv")
        archive.write(tmp_path / "c_met.csv", "Filosofi2021_carreaux_200m_mart.csv")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.write(tmp_path / "c.7z", "Filosofi2021.7z")
    for nom in ("c.parquet", "c.gpkg", "c.shp", "c.zip"):
        assert resume(tmp_path / nom) == reference, nom


def test_millesimes_2015_et_2017(tmp_path: Path) -> None:
    table = table_2021()
    ancien = pd.DataFrame(
        {
            "IdINSPIRE": table["idcar_200m"],
            "I_est_cr": ['"0"', '"1"', '"0"', '"0"'],
            "Depcom": ["62119", "62119", "62178", "59350"],
            "Ind": table["ind"],
        }
    )
    lignes = [",".join(ancien.columns)]
    lignes += [",".join(map(str, ligne)) for ligne in ancien.to_numpy()]
    (tmp_path / "2015.csv").write_text("\n".join(lignes) + "\n")
    moyen = table.rename(columns={"idcar_200m": "Idcar_200m", "i_est_200": "I_est_200"})
    moyen = moyen.rename(columns={"ind": "Ind"}).assign(
        lcog_geo=["62119", "6211962178", "62178", "59350"]
    )
    ecrire_csv(moyen, tmp_path / "2017.csv")
    reference = resume(ecrire_csv(table, tmp_path / "2021.csv"))
    assert resume(tmp_path / "2015.csv") == reference
    assert resume(tmp_path / "2017.csv") == reference
    carreaux, _ = lire_carreaux_filosofi(tmp_path / "2017.csv", L93, emprise())
    assert carreaux["codes_communes"][1] == ("62119", "62178")


def test_carre_exact_dans_son_crs() -> None:
    (carre,) = construire_carres(pd.Series([IDS[0]]), "EPSG:3035", "t")
    assert carre.equals(shapely.box(3_829_000, 3_061_000, 3_829_200, 3_061_200))


def test_carre_en_lambert_tourne_mais_garde_sa_surface() -> None:
    carres = construire_carres(pd.Series(IDS[:2]), L93, "t")
    xmin, _, xmax, _ = shapely.bounds(carres[0])
    assert xmax - xmin > 205  # tourné : son enveloppe dépasse 200 m
    assert shapely.area(carres) == pytest.approx([40_000, 40_000], rel=0.01)
    # Deux voisins partagent exactement une arête.
    assert shapely.intersection(*carres).length == pytest.approx(200, rel=0.01)


@pytest.mark.parametrize(
    ("colonne", "valeur", "attendu"),
    [
        ("ind", -1.0, "Population négative dans 1"),
        ("ind", np.nan, "Population vide dans 1"),
        ("ind", "douze", "« douze »"),
        ("idcar_200m", "200m-3061000-3829000", "identifiant.s. de carreau illisible"),
        ("idcar_200m", IDS[1], "Identifiant répété"),
    ],
)
def test_valeurs_fautives(tmp_path: Path, colonne: str, valeur: object, attendu: str) -> None:
    table = table_2021().astype({"ind": object})
    table.loc[0, colonne] = valeur
    with pytest.raises(ErreurDonnees, match=attendu):
        lire_carreaux_filosofi(ecrire_csv(table, tmp_path / "c.csv"), L93, emprise())


def test_colonne_absente_et_fichier_d_ailleurs(tmp_path: Path) -> None:
    chemin = ecrire_csv(table_2021().drop(columns="ind"), tmp_path / "c.csv")
    with pytest.raises(ErreurDonnees, match=r"population_hab \(noms cherchés : ind, ind_c"):
        lire_carreaux_filosofi(chemin, L93, emprise())
    ailleurs = ecrire_csv(table_2021().iloc[3:], tmp_path / "d.csv")
    with pytest.raises(ErreurDonnees, match=r"1 carreau\(x\), tous ailleurs"):
        lire_carreaux_filosofi(ailleurs, L93, emprise())


def test_gpkg_tronque(tmp_path: Path) -> None:
    table = table_2021()
    couche = gpd.GeoDataFrame(
        table, geometry=construire_carres(table["idcar_200m"], L93, "t"), crs=L93
    )
    couche.to_file(tmp_path / "c.gpkg")
    coupe = tmp_path / "coupe.gpkg"
    coupe.write_bytes((tmp_path / "c.gpkg").read_bytes()[:5_000])
    with pytest.raises(ErreurDonnees, match="illisible ou tronqué"):
        lire_carreaux_filosofi(coupe, L93, emprise())


def test_decoupe_des_codes_accoles() -> None:
    assert decouper_codes_communes("7737393051") == ("77373", "93051")
    assert decouper_codes_communes('"2A041,2A247"') == ("2A041", "2A247")


def test_grille_calee_et_partagee() -> None:
    gauche = construire_grille(shapely.box(50, 50, 950, 450))
    droite = construire_grille(shapely.box(950, 50, 1850, 450))
    # Centres de 100 à 900 par 200, sur deux rangs : 5 × 2 puis 1100 à 1700 : 4 × 2 (1900 dehors).
    assert len(gauche) == 10
    assert len(droite) == 8
    assert not set(gauche["carreau"]) & set(droite["carreau"])
    assert gauche["carreau"][0] == "G200N0E0"

"""Population : couches libres, répartition sur les bâtiments, rattachement aux communes."""

import itertools
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

from donnees_geo.erreurs import ErreurDonnees, Gravite
from donnees_geo.population import (
    affecter_communes,
    construire_carreaux_sans_population,
    construire_cellules,
    lire_population_couche,
    repartir_sur_batiments,
)

L93 = "EPSG:2154"
PORTO_ALEGRE = Path(__file__).parents[2].parent / "shared" / "donnees" / "porto_alegre"


def communes(*largeurs: float, population: tuple[float, ...] = ()) -> gpd.GeoDataFrame:
    """Communes accolées d'ouest en est, hautes de 1 000 m, à partir de (0, 0)."""
    bords = np.concatenate([[0], np.cumsum(largeurs)])
    return gpd.GeoDataFrame(
        {
            "code_commune": [f"c{i}" for i in range(len(largeurs))],
            "population_hab": list(population) or [np.nan] * len(largeurs),
        },
        geometry=[box(a, 0, b, 1000) for a, b in itertools.pairwise(bords)],
        crs=L93,
    )


def batiments(*objets: tuple[float, float, float], habites: bool = True) -> gpd.GeoDataFrame:
    """Bâtiments ``(x, y, surface de plancher)``."""
    return gpd.GeoDataFrame(
        {"residentiel": habites, "surface_plancher_m2": [o[2] for o in objets]},
        geometry=[Point(x, y).buffer(5) for x, y, _ in objets],
        crs=L93,
    )


def test_repartition_au_prorata_des_planchers() -> None:
    # Deux bâtiments dans le même carré (100 + 300 m²) et un autre ailleurs (400 m²).
    bati = batiments((10, 10, 100), (110, 10, 300), (510, 510, 400))
    carreaux, _ = repartir_sur_batiments(bati, communes(1000, population=(80,)))
    assert carreaux["population_hab"].tolist() == pytest.approx([40, 40])
    # Barycentre des habitants : (10·100 + 110·300) / 400 = 85.
    assert carreaux["x"].tolist() == pytest.approx([85, 510])
    assert carreaux["y"].tolist() == pytest.approx([10, 510])
    assert carreaux.geometry[0].equals(box(0, 0, 200, 200))


def test_carreau_a_cheval_partage_entre_deux_communes() -> None:
    bati = batiments((250, 100, 100), (350, 100, 50))
    carreaux, _ = repartir_sur_batiments(bati, communes(300, 700, population=(30, 7)))
    assert dict(zip(carreaux["code_commune"], carreaux["population_hab"], strict=True)) == {
        "c0": 30.0,
        "c1": 7.0,
    }
    assert carreaux["carreau"].is_unique
    assert carreaux.area.tolist() == pytest.approx([100 * 200, 100 * 200])


def test_commune_sans_batiment_etalee_et_dite() -> None:
    bati = batiments((100, 100, 50))
    carreaux, constats = repartir_sur_batiments(bati, communes(1000, 400, population=(10, 20)))
    sommes = carreaux.groupby("code_commune")["population_hab"].sum()
    assert sommes.to_dict() == pytest.approx({"c0": 10.0, "c1": 20.0})
    assert (carreaux["code_commune"] == "c1").sum() == 10  # 400 × 1 000 m en carrés de 200 m
    assert any(c.gravite is Gravite.MAJEUR and "c1" in c.message for c in constats)


def test_batiments_inhabites_et_hors_communes_ignores() -> None:
    bati = pd.concat(
        [batiments((100, 100, 10)), batiments((500, 500, 900), habites=False)], ignore_index=True
    )
    bati = pd.concat([bati, batiments((5000, 500, 900))], ignore_index=True)
    avant = bati.copy()
    carreaux, _ = repartir_sur_batiments(bati, communes(1000, population=(10,)))
    assert carreaux["population_hab"].tolist() == [10.0]
    pd.testing.assert_frame_equal(pd.DataFrame(bati), pd.DataFrame(avant))


def test_commune_sans_population_refusee() -> None:
    with pytest.raises(ErreurDonnees, match=r"1 commune\(s\) sans population[\s\S]*c1"):
        repartir_sur_batiments(batiments((1, 1, 1)), communes(500, 500, population=(3, np.nan)))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(1, 2999), st.floats(1, 999), st.floats(1, 5000)),
        min_size=1,
        max_size=40,
    ),
    st.tuples(st.floats(0, 1e5), st.floats(0, 1e5), st.floats(0, 1e5)),
)
def test_totaux_communaux_exacts(
    objets: list[tuple[float, float, float]], habitants: tuple[float, float, float]
) -> None:
    trois = communes(1000, 1000, 1000, population=habitants)
    carreaux, _ = repartir_sur_batiments(batiments(*objets), trois)
    sommes = carreaux.groupby("code_commune")["population_hab"].sum()
    sommes = sommes.reindex(trois["code_commune"], fill_value=0.0)
    assert sommes.tolist() == pytest.approx(list(habitants), rel=1e-9)
    assert carreaux["carreau"].is_unique


def test_points_en_maille_carree_rendent_des_carres() -> None:
    x, y = (g.ravel() for g in np.meshgrid(np.arange(5) * 100.0, np.arange(5) * 100.0))
    cellules = construire_cellules(np.asarray(shapely.points(x, y)))
    assert shapely.contains_xy(cellules, x, y).all()
    # Au milieu de la maille, la cellule est le carré de 100 m.
    assert cellules[12].symmetric_difference(box(150, 150, 250, 250)).area < 1e-6
    assert shapely.area(cellules).max() < 25_000  # au bord, bornée


def test_cellules_de_points_confondus() -> None:
    points = np.asarray(shapely.points([0, 0, 100, 0.0], [0, 0, 0, 100.0]))
    cellules = construire_cellules(points)
    assert cellules[0].equals(cellules[1])


def test_couche_de_polygones(tmp_path: Path) -> None:
    gpd.GeoDataFrame(
        {"Habitants": [3, 4], "ID": ["a", "b"], "ind_80p": [1, 0]},
        geometry=[box(660_000, 7_040_000, 660_100, 7_040_100), box(0, 6_500_000, 9, 6_500_009)],
        crs=L93,
    ).to_file(tmp_path / "p.gpkg")
    carreaux, _ = lire_population_couche(tmp_path / "p.gpkg", "habitants", L93)
    assert carreaux["carreau"].tolist() == ["a", "b"]
    assert carreaux["population_hab"].tolist() == [3.0, 4.0]
    assert carreaux["ind_80p"].tolist() == [1.0, 0.0]
    assert carreaux["x"][0] == pytest.approx(660_050)


@pytest.mark.parametrize(
    ("lignes", "attendu"),
    [
        ("a,2.6,50.5,-1\n", r"Population négative dans 1[\s\S]*a"),
        ("a,2.6,50.5,\n", "Population vide dans 1"),
        ("a,2.6,50.5,x\n", "« x » ligne 2"),
        ("a,2.6,50.5,1\na,2.7,50.5,1\n", "Identifiant répété"),
    ],
)
def test_population_fautive(tmp_path: Path, lignes: str, attendu: str) -> None:
    chemin = tmp_path / "p.csv"
    chemin.write_text("id,lon,lat,hab\n" + lignes)
    with pytest.raises(ErreurDonnees, match=attendu):
        lire_population_couche(chemin, "hab", L93)


def test_colonne_de_population_absente(tmp_path: Path) -> None:
    chemin = tmp_path / "p.csv"
    chemin.write_text("id,lon,lat,hab\na,2.6,50.5,1\n")
    with pytest.raises(ErreurDonnees, match=r"noms cherchés : habitants[\s\S]*id, lon, lat, hab"):
        lire_population_couche(chemin, "habitants", L93)


def carreaux_en(*positions: tuple[float, float], **colonnes: list[object]) -> gpd.GeoDataFrame:
    x, y = zip(*positions, strict=True)
    return gpd.GeoDataFrame(
        {"x": x, "y": y, "population_hab": [1.0] * len(x), **colonnes},
        geometry=[Point(p).buffer(10) for p in positions],
        crs=L93,
    )


def test_rattachement_par_le_point_puis_la_proximite() -> None:
    # Dedans c0, dedans c1, à 60 m du bord de c1, à 500 m (écarté).
    carreaux = carreaux_en((100, 500), (700, 500), (1060, 500), (1500, 500))
    affectes, constats = affecter_communes(carreaux, communes(500, 500))
    assert affectes["code_commune"].tolist() == ["c0", "c1", "c1"]
    assert affectes.index.tolist() == [0, 1, 2]
    assert "1 carreau(x) au bord" in constats[0].message
    assert "code_commune" not in carreaux


def test_la_source_qui_nomme_la_commune_l_emporte_sur_la_distance() -> None:
    # À 60 m du bord mais d'une commune étrangère : dehors ; à 400 m mais dit de c1 : dedans.
    carreaux = carreaux_en(
        (1060, 500), (1400, 500), codes_communes=[("x9",), ("c1",)], carreau=["a", "b"]
    )
    affectes, _ = affecter_communes(carreaux, communes(500, 500))
    assert affectes["carreau"].tolist() == ["b"]
    assert "codes_communes" not in affectes


def test_point_sur_la_limite_compte_une_fois() -> None:
    affectes, _ = affecter_communes(carreaux_en((500, 500)), communes(500, 500))
    assert affectes["code_commune"].tolist() == ["c0"]


def test_sans_population_la_grille_couvre_le_contour() -> None:
    grille = construire_carreaux_sans_population(box(0, 0, 1000, 600), L93)
    assert len(grille) == 15
    assert grille["population_hab"].isna().all()
    assert grille.area.sum() == pytest.approx(600_000)


@pytest.mark.skipif(not PORTO_ALEGRE.is_dir(), reason="données réelles de Porto Alegre absentes")
def test_hexagones_reels() -> None:
    carreaux, constats = lire_population_couche(
        PORTO_ALEGRE / "poa_hexgrid.csv", "population", "EPSG:32722"
    )
    assert len(carreaux) == 1227
    brute = pd.read_csv(PORTO_ALEGRE / "poa_hexgrid.csv")
    assert carreaux["population_hab"].sum() == brute["population"].sum()
    # Les cellules intérieures sont des hexagones H3 de rang 9 : 9,0 à 9,2 ha ici.
    sommets = shapely.get_num_coordinates(carreaux.geometry.to_numpy())
    assert (sommets == 7).mean() > 0.6
    assert np.median(carreaux.area) == pytest.approx(90_500, rel=0.02)
    assert "9,0 ha" in constats[0].message

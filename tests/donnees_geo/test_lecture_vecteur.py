"""Couches vectorielles quelconques : formats, CRS, géométries fautives."""

import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
from shapely import LineString, Point, Polygon, box

from donnees_geo.erreurs import ErreurDonnees, Gravite
from donnees_geo.lecture.vecteur import bornes_en_wgs84, lire_couche, verifier_emprise_crs

L93 = "EPSG:2154"
PAPILLON = Polygon(
    [(670_000, 7_050_000), (670_100, 7_050_100), (670_100, 7_050_000), (670_000, 7_050_100)]
)


def couche() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"nom": ["é", "b"]},
        geometry=[box(670_000, 7_050_000, 670_100, 7_050_100), Point(680_000, 7_050_000)],
        crs=L93,
    )


def test_formats_et_archives_donnent_la_meme_couche(tmp_path: Path) -> None:
    source = couche().iloc[:1]
    source.to_file(tmp_path / "c.gpkg")
    source.to_file(tmp_path / "c.shp", encoding="utf-8")
    source.to_parquet(tmp_path / "c.parquet")
    source.to_crs(4326).to_file(tmp_path / "c.geojson")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        for suffixe in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
            archive.write(tmp_path / f"c{suffixe}", f"sous/c{suffixe}")
    for nom in ("c.gpkg", "c.shp", "c.parquet", "c.geojson", "c.zip"):
        lue, constats = lire_couche(tmp_path / nom, L93)
        assert lue["nom"].tolist() == ["é"], nom
        assert lue.area.tolist() == pytest.approx([10_000], abs=1), nom
        assert constats == [], nom


def test_csv_wkt_lonlat_et_xy(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("nom;geompoint\na;Point (2.6 50.5)\nb;\n")
    lue, constats = lire_couche(tmp_path / "w.csv", L93)
    assert lue["nom"].tolist() == ["a"]
    assert {c.gravite for c in constats} == {Gravite.MINEUR, Gravite.MAJEUR}
    (tmp_path / "l.csv").write_text("nom,longitude,latitude\na,2.6,50.5\n")
    (tmp_path / "x.csv").write_text(f"nom,x,y\na,{lue.geometry.x[0]},{lue.geometry.y[0]}\n")
    for nom in ("l.csv", "x.csv"):
        autre, _ = lire_couche(tmp_path / nom, L93)
        assert autre.geometry[0].distance(lue.geometry[0]) < 0.01


def test_crs_absent_reconnu_ou_refuse(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("nom,x,y\na,5,12000\n")
    with pytest.raises(ErreurDonnees, match="ne dit pas son CRS"):
        lire_couche(tmp_path / "x.csv", L93)
    (tmp_path / "x.csv").write_text("nom,x,y\na,670000,7050000\n")
    _, constats = lire_couche(tmp_path / "x.csv", L93)
    assert "EPSG:2154 est reconnu" in constats[0].message


def test_geometries_vides_et_invalides(tmp_path: Path) -> None:
    source = gpd.GeoDataFrame(
        {"nom": ["papillon", "vide", "bon"]},
        geometry=[PAPILLON, None, box(670_000, 7_050_000, 670_010, 7_050_010)],
        crs=L93,
    )
    source.to_file(tmp_path / "c.gpkg")
    lue, constats = lire_couche(tmp_path / "c.gpkg", L93)
    assert lue["nom"].tolist() == ["papillon", "bon"]
    assert lue.is_valid.all()
    assert lue.area[0] == pytest.approx(5_000)  # deux triangles
    textes = " ".join(c.message for c in constats)
    assert "1 objet(s) sans géométrie" in textes
    assert "1 géométrie(s) invalide(s), réparée(s) (Self-intersection" in textes


def test_lecture_limitee_a_l_emprise(tmp_path: Path) -> None:
    couche().to_file(tmp_path / "c.gpkg")
    couche().to_parquet(tmp_path / "c.parquet")
    for nom in ("c.gpkg", "c.parquet"):
        lue, _ = lire_couche(
            tmp_path / nom, L93, emprise=box(679_000, 7_049_000, 681_000, 7_051_000)
        )
        assert lue["nom"].tolist() == ["b"]
        assert lue.index.tolist() == [0]


@pytest.mark.parametrize("nom", ["c.gpkg", "c.geojson", "c.parquet"])
def test_fichier_tronque(tmp_path: Path, nom: str) -> None:
    source = couche()
    if nom.endswith("parquet"):
        source.to_parquet(tmp_path / nom)
    else:
        source.to_file(tmp_path / nom)
    (tmp_path / nom).write_bytes((tmp_path / nom).read_bytes()[:300])
    with pytest.raises(ErreurDonnees, match="illisible ou tronquée"):
        lire_couche(tmp_path / nom, L93)


def test_couche_vide_et_sans_geometrie(tmp_path: Path) -> None:
    couche().iloc[:0].to_file(tmp_path / "v.gpkg")
    with pytest.raises(ErreurDonnees, match="aucun objet"):
        lire_couche(tmp_path / "v.gpkg", L93)
    (tmp_path / "s.csv").write_text("nom,commune\na,b\n")
    with pytest.raises(ErreurDonnees, match=r"ne porte pas de géométrie[\s\S]*lon et lat"):
        lire_couche(tmp_path / "s.csv", L93)


def test_plusieurs_couches(tmp_path: Path) -> None:
    couche().to_file(tmp_path / "c.gpkg", layer="un")
    couche().to_file(tmp_path / "c.gpkg", layer="deux")
    with pytest.raises(ErreurDonnees, match=r"Plusieurs couches[\s\S]*un, deux"):
        lire_couche(tmp_path / "c.gpkg", L93)


def test_crs_qui_ne_convient_pas() -> None:
    assert verifier_emprise_crs((2.2, 50.3, 2.9, 50.7), L93, "communes") is None
    constat = verifier_emprise_crs((-51.3, -30.1, -51.1, -30.0), L93, "communes")
    assert constat is not None
    assert constat.gravite is Gravite.BLOQUANT
    assert "EPSG:2154 ne convient pas" in constat.message
    deborde = verifier_emprise_crs((2.2, 50.3, 25.0, 50.7), L93, "communes")
    assert deborde is not None
    assert deborde.gravite is Gravite.MAJEUR


def test_bornes_aller_retour() -> None:
    ligne = gpd.GeoSeries([LineString([(2.2, 50.3), (2.9, 50.7)])], crs=4326)
    bornes = bornes_en_wgs84(ligne.to_crs(L93).total_bounds, L93)
    assert bornes == pytest.approx((2.2, 50.3, 2.9, 50.7), abs=0.02)

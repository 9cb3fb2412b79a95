"""Isochrones exportés puis relus : GeoJSON, GeoPackage et GeoTIFF."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from pyogrio.errors import DataSourceError

from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.isochrones import calculer_isochrones, calculer_raster
from accessibilite.rues.portions import atteindre
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import rattacher_points
from accessibilite.rues.trame import Trame
from couches.sig.export_raster import exporter_temps_raster
from couches.sig.export_vecteur import construire_table_isochrones, exporter_vecteur
from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees
from tests.fabriques.ville_quadrillee import COIN, CRS, parametres_essai, ville_quadrillee


@pytest.fixture(scope="module")
def ville():
    graphe = construire_graphe(
        ville_quadrillee(11, 11), construire_profil(parametres_essai(), "marche")
    )
    # Au coin sud-ouest : la carte n'est symétrique ni du nord au sud ni d'est en ouest.
    point = rattacher_points(graphe, np.array([COIN[0] + 200.0]), np.array([COIN[1] + 100.0]))
    return graphe, point


@pytest.fixture(scope="module")
def table(ville):
    isochrones = calculer_isochrones(*ville, [100.0, 300.0, 600.0])
    return construire_table_isochrones(isochrones, CRS, {"mode": "marche", "vitesse_kmh": 3.6})


def test_table_du_plus_grand_au_plus_petit(table):
    assert table["minutes"].tolist() == pytest.approx([10, 5, 100 / 60])
    assert table["seuil_s"].tolist() == [600, 300, 100]
    assert table["longueur_m"].tolist()[-1] == 400.0
    assert table["surface_m2"].tolist() == pytest.approx(table.area.tolist(), abs=0.06)
    assert (table["mode"] == "marche").all()


def test_geojson_en_wgs84(table, tmp_path):
    sortie = tmp_path / "iso.geojson"
    assert exporter_vecteur(table, sortie, couche="isochrones") == sortie
    contenu = json.loads(sortie.read_text(encoding="utf-8"))
    assert "crs" not in contenu  # RFC 7946
    relu = gpd.read_file(sortie)
    assert relu.crs.to_epsg() == 4326
    ouest, sud, est, nord = relu.total_bounds
    lon, lat = pyproj.Transformer.from_crs(CRS, 4326, always_xy=True).transform(
        COIN[0] + 200, COIN[1] + 100
    )
    assert ouest < lon < est
    assert sud < lat < nord
    retour = relu.to_crs(CRS)
    for avant, apres in zip(table.geometry, retour.geometry, strict=True):
        # Sept décimales : un centimètre.
        assert shapely.symmetric_difference(avant, apres.buffer(0)).area < 0.005 * avant.area
    assert relu["minutes"].tolist() == pytest.approx(table["minutes"].tolist())
    assert relu["vitesse_kmh"].tolist() == [3.6] * 3


def test_geojson_ne_garde_que_des_surfaces(tmp_path):
    # Un carré de 100 m et une langue large de 2 mm, plus fine que la précision écrite.
    x, y = COIN
    carre = shapely.box(x, y, x + 100, y + 100)
    langue = shapely.box(x + 100, y + 50, x + 120, y + 50.002)
    arret = shapely.Point(x, y)
    donnees = gpd.GeoDataFrame(
        {"nom": ["zone", "vide", "arrêt"]}, geometry=[carre | langue, None, arret], crs=CRS
    )
    avant = donnees.copy()
    relu = gpd.read_file(exporter_vecteur(donnees, tmp_path / "z.geojson", couche="zones"))
    assert relu.geom_type.iloc[[0, 2]].tolist() == ["Polygon", "Point"]
    assert relu.geometry.iloc[1] is None
    assert relu.geometry.iloc[0].is_valid
    assert relu.to_crs(CRS).area.iloc[0] == pytest.approx(10_000, rel=1e-3)
    assert donnees.geometry.equals(avant.geometry)


def test_geojson_isochrones_emboitees(table, tmp_path):
    relu = gpd.read_file(exporter_vecteur(table, tmp_path / "iso.geojson", couche="isochrones"))
    assert set(relu.geom_type) <= {"Polygon", "MultiPolygon"}
    grand, moyen, petit = relu.geometry
    assert grand.contains(moyen)
    assert moyen.contains(petit)


def test_geopackage_en_crs_metrique(table, tmp_path):
    sortie = tmp_path / "iso.gpkg"
    exporter_vecteur(table, sortie, couche="isochrones")
    relu = gpd.read_file(sortie, layer="isochrones")
    assert relu.crs.to_epsg() == 2154
    assert relu.geometry.area.tolist() == pytest.approx(table.area.tolist())
    # Réécrire remplace : les couches ne s'accumulent pas.
    exporter_vecteur(table.iloc[:1], sortie, couche="autre")
    assert gpd.list_layers(sortie)["name"].tolist() == ["autre"]
    assert [f.name for f in tmp_path.iterdir()] == ["iso.gpkg"]


def test_isochrone_vide(ville, tmp_path):
    graphe, _ = ville
    loin = rattacher_points(graphe, np.array([COIN[0]]), np.array([COIN[1] - 200.0]))
    table = construire_table_isochrones(calculer_isochrones(graphe, loin, [60.0]), CRS, {})
    for nom in ("vide.geojson", "vide.gpkg"):
        relu = gpd.read_file(exporter_vecteur(table, tmp_path / nom, couche="isochrones"))
        assert len(relu) == 1
        assert relu["surface_m2"].tolist() == [0.0]


@pytest.mark.parametrize("nom", ["iso.shp", "iso"])
def test_extension_inconnue(table, tmp_path, nom):
    with pytest.raises(ErreurConfiguration, match="Extension de sortie inconnue") as refus:
        exporter_vecteur(table, tmp_path / nom, couche="isochrones")
    assert ".geojson, .json, .gpkg" in str(refus.value)
    assert list(tmp_path.iterdir()) == []


def test_un_echec_de_gdal_laisse_l_ancien_fichier(table, tmp_path, monkeypatch):
    sortie = tmp_path / "iso.gpkg"
    exporter_vecteur(table, sortie, couche="isochrones")
    avant = sortie.read_bytes()

    def disque_plein(self, chemin, **options):
        chemin.write_bytes(b"moiti")
        raise DataSourceError("disk full")

    monkeypatch.setattr(gpd.GeoDataFrame, "to_file", disque_plein)
    with pytest.raises(ErreurDonnees, match="n'a pas pu être écrit") as refus:
        exporter_vecteur(table, sortie, couche="isochrones")
    assert "disk full" in str(refus.value)
    assert sortie.read_bytes() == avant
    assert [f.name for f in tmp_path.iterdir()] == ["iso.gpkg"]


def test_geotiff_relu_au_bon_endroit(ville, tmp_path):
    graphe, point = ville
    portions, _ = atteindre(graphe, point, 600.0)
    trame = calculer_raster(graphe, portions, 600.0)
    avant = trame.valeurs.copy()
    sortie = exporter_temps_raster(trame, CRS, tmp_path / "t.tif", {"mode": "marche"})
    with rasterio.open(sortie) as image:
        assert image.crs.to_epsg() == 2154
        assert image.res == (10.0, 10.0)
        assert image.nodata == -1.0
        assert image.transform.e < 0  # première ligne au nord
        assert image.tags()["mode"] == "marche"
        assert image.units == ("s",)
        assert image.overviews(1)
        donnees = image.read(1)
        lieux = {(200, 100): 0, (260, 100): 60, (200, 40): 60, (200, 190): 90, (500, 300): 500}
        lus = image.sample([(COIN[0] + x, COIN[1] + y) for x, y in lieux])
        assert [float(v[0]) for v in lus] == pytest.approx(list(lieux.values()), abs=1e-2)
        assert next(image.sample([(COIN[0] + 250, COIN[1] + 150)]))[0] == -1
        # Le carrefour (200, 100) est au centre de sa maille.
        ligne, colonne = image.index(COIN[0] + 200, COIN[1] + 100)
        assert image.xy(ligne, colonne) == pytest.approx((COIN[0] + 200, COIN[1] + 100))
    assert (donnees >= -1).all()
    assert (donnees[donnees >= 0] <= 600).all()
    assert np.array_equal(trame.valeurs, avant, equal_nan=True)


def test_geotiff_minuscule_et_infini(tmp_path):
    trame = Trame(0.0, 0.0, 10.0, np.array([[1.0, np.nan], [np.inf, 4.0]], dtype=np.float32))
    with rasterio.open(exporter_temps_raster(trame, CRS, tmp_path / "t.tif")) as image:
        assert image.read(1).tolist() == [[-1.0, 4.0], [1.0, -1.0]]
        assert tuple(image.bounds) == (-5.0, -5.0, 15.0, 15.0)


def test_geotiff_sans_dossier(tmp_path):
    trame = Trame(0.0, 0.0, 10.0, np.ones((2, 2), dtype=np.float32))
    with pytest.raises(ErreurDonnees, match="Le dossier de sortie n'existe pas"):
        exporter_temps_raster(trame, CRS, tmp_path / "absent" / "t.tif")
    ancien = tmp_path / "t.tif"
    ancien.write_text("ancien")
    with pytest.raises(rasterio.errors.CRSError):
        exporter_temps_raster(trame, "EPSG:0", ancien)
    assert ancien.read_text() == "ancien"
    assert list(tmp_path.iterdir()) == [ancien]

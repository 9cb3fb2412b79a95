"""GeoTIFF d'accès : minutes entamées, codes, palette, aperçus, étiquettes."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import shapely

from couches.papier.dossier import choisir_theme
from couches.sig.export_raster import PAS_ACCES_M, en_minutes, exporter_acces_raster
from couches.sig.rasters_acces import exporter_rasters
from couches.styles import lire_couleur, lire_styles
from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees
from tests.fabriques.territoire_exports import etude_exports

CRS = "EPSG:2154"


@pytest.mark.parametrize(
    ("temps_s", "minutes"),
    [
        (0.0, 0),
        (60.0, 1),
        (60.5, 2),
        (900.0, 15),
        (900.0000001, 15),
        (901.0, 16),
        (20_000.0, 250),
        (np.inf, 254),
        (np.nan, 255),
    ],
)
def test_minutes_entamees(temps_s, minutes):
    assert en_minutes(np.array([temps_s])).tolist() == [minutes]


@pytest.fixture
def raster(tmp_path):
    carreaux = np.array([shapely.box(1000 + 200 * i, 2000, 1200 + 200 * i, 2200) for i in range(4)])
    temps = np.array([300.0, 301.0, np.inf, np.nan])
    return exporter_acces_raster(
        carreaux, temps, CRS, tmp_path / "t.tif", lire_styles(), {"MODES": "à pied"}
    )


def test_valeurs_a_leur_place(raster):
    with rasterio.open(raster) as source:
        assert (source.count, source.dtypes[0], source.nodata) == (1, "uint8", 255)
        assert source.crs.to_epsg() == 2154
        assert source.res == (PAS_ACCES_M, PAS_ACCES_M)
        assert source.units == ("min",)
        assert source.tags()["MODES"] == "à pied"
        assert source.tags()["VALEUR_254"] == "inaccessible"
        points = [(1100, 2100), (1300, 2010), (1599, 2199), (1700, 2100)]
        assert [int(v[0]) for v in source.sample(points)] == [5, 6, 254, 255]
        assert source.shape == (4, 16)


def test_palette_de_l_ecran(raster):
    styles = lire_styles()
    with rasterio.open(raster) as source:
        palette = source.colormap(1)
    # Une borne appartient à la classe qu'elle ferme.
    for minute, classe in ((0, 0), (5, 0), (6, 1), (15, 2), (30, 3), (31, 4), (250, 4)):
        assert palette[minute] == (*lire_couleur(styles.couleurs_temps[classe]), 255)
    assert palette[254][:3] == lire_couleur(styles.inaccessible_trait)
    assert palette[255][3] == 0


def test_apercus_sans_valeur_inventee(tmp_path):
    carreaux = np.array(
        [
            shapely.box(200 * i, 200 * j, 200 * i + 200, 200 * j + 200)
            for i in range(8)
            for j in range(8)
        ]
    )
    temps = np.where(np.arange(64) % 2 == 0, 60.0, np.inf)
    chemin = exporter_acces_raster(carreaux, temps, CRS, tmp_path / "t.tif", lire_styles())
    with rasterio.open(chemin) as source:
        assert source.overviews(1) == [2, 4, 8, 16]
        for niveau in range(4):
            with rasterio.open(chemin, overview_level=niveau) as apercu:
                assert set(np.unique(apercu.read(1))) <= {1, 254, 255}


def test_aucun_carreau(tmp_path):
    with pytest.raises(ErreurDonnees, match="aucun carreau"):
        exporter_acces_raster(
            np.empty(0, dtype=object), np.empty(0), CRS, tmp_path / "t.tif", lire_styles()
        )


def test_un_fichier_par_service(tmp_path):
    fichiers = exporter_rasters(*etude_exports(), lire_styles(), tmp_path)
    assert [f.name for f in fichiers] == [
        "temps_panier-proximite_plus-rapide.tif",
        "temps_boulangerie_plus-rapide.tif",
        "temps_cinema_plus-rapide.tif",
        "temps_hopital_plus-rapide.tif",
    ]
    with rasterio.open(fichiers[1]) as source:
        assert source.tags()["LICENCE"] == "ODbL 1.0"
        assert "vélo 18" in source.tags()["HYPOTHESES"]
    with rasterio.open(fichiers[2]) as source:
        assert set(np.unique(source.read(1))) == {255}


def test_un_seul_theme(tmp_path):
    territoire, resultat = etude_exports()
    theme = choisir_theme(resultat, "boulangerie", mode="marche")
    (seul,) = exporter_rasters(territoire, resultat, lire_styles(), tmp_path, theme=theme)
    assert seul.name == "temps_boulangerie_marche.tif"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"service": "piscine"}, "Service inconnu"),
        ({"mode": "bateau"}, "Mode absent de l'étude"),
        ({"palier": "lointain"}, "Palier absent de l'étude"),
    ],
)
def test_theme_impossible(options, message):
    with pytest.raises(ErreurConfiguration, match=message):
        choisir_theme(etude_exports()[1], **options)

"""Altitudes lues dans un raster."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import pytest
import rasterio
from rasterio.transform import from_origin

import donnees_geo.relief as relief
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.osm import lire_osm
from donnees_geo.relief import ajouter_altitudes, echantillonner_altitudes
from tests.fabriques.carte_osm import CRS_CARTE, ORIGINE, CarteOsm

X0, Y0, PAS = 680_000.0, 7_050_000.0, 10.0


def ecrire_mnt(
    fichier: Path, valeurs: np.ndarray, crs: str | None = "EPSG:2154", nodata: float | None = None
) -> Path:
    """Raster dont le coin sud-ouest est (X0, Y0) ; la ligne 0 est au nord."""
    hauteur, largeur = valeurs.shape
    with rasterio.open(
        fichier, "w", driver="GTiff", height=hauteur, width=largeur, count=1, dtype=valeurs.dtype,
        crs=crs, nodata=nodata, transform=from_origin(X0, Y0 + hauteur * PAS, PAS, PAS),
    ) as raster:  # fmt: skip
        raster.write(valeurs, 1)
    return fichier


def plan(hauteur: int, largeur: int) -> np.ndarray:
    """Altitude 0,5 × (x - X0) + 2 × (y - Y0), au centre des pixels : l'interpolation est exacte."""
    x = (np.arange(largeur) + 0.5) * PAS
    y = (hauteur - np.arange(hauteur) - 0.5) * PAS
    return (0.5 * x[None, :] + 2 * y[:, None]).astype(np.float32)


def test_plan_incline_exact(tmp_path: Path) -> None:
    mnt = ecrire_mnt(tmp_path / "mnt.tif", plan(20, 30))
    hasard = np.random.default_rng(3)
    dx, dy = hasard.uniform(5, 295, 200), hasard.uniform(5, 195, 200)
    altitudes = echantillonner_altitudes(mnt, X0 + dx, Y0 + dy, "EPSG:2154")
    assert altitudes.dtype == np.float32
    assert altitudes == pytest.approx(0.5 * dx + 2 * dy, abs=1e-3)


def test_tuiles_sans_couture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relief, "COTE_TUILE_PX", 4)
    mnt = ecrire_mnt(tmp_path / "mnt.tif", plan(20, 30))
    dx = np.linspace(5, 295, 500)
    dy = np.linspace(195, 5, 500)
    altitudes = echantillonner_altitudes(mnt, X0 + dx, Y0 + dy, "EPSG:2154")
    assert altitudes == pytest.approx(0.5 * dx + 2 * dy, abs=1e-3)


def test_reprojection_et_hors_du_raster(tmp_path: Path) -> None:
    mnt = ecrire_mnt(tmp_path / "mnt.tif", plan(20, 30))
    lon, lat = pyproj.Transformer.from_crs("EPSG:2154", "EPSG:4326", always_xy=True).transform(
        np.array([X0 + 100, X0 + 1000]), np.array([Y0 + 50, Y0 + 50])
    )
    altitudes = echantillonner_altitudes(mnt, lon, lat, "EPSG:4326")
    assert altitudes[0] == pytest.approx(150, abs=0.01)
    assert np.isnan(altitudes[1])


def test_nodata_et_bord(tmp_path: Path) -> None:
    valeurs = plan(4, 4)
    valeurs[:, 3] = -9999
    mnt = ecrire_mnt(tmp_path / "mnt.tif", valeurs, nodata=-9999)
    dx = np.array([25.0, 26.0, 35.0, 1.0])
    altitudes = echantillonner_altitudes(mnt, X0 + dx, np.full(4, Y0 + 15), "EPSG:2154")
    # Au centre du dernier pixel connu, le voisin sans donnée n'a pas de poids.
    assert altitudes[0] == pytest.approx(0.5 * 25 + 30)
    assert np.isnan(altitudes[1:3]).all()
    # Dans le demi-pixel du bord, la valeur du bord.
    assert altitudes[3] == pytest.approx(0.5 * 5 + 30)


def test_raster_d_un_pixel(tmp_path: Path) -> None:
    mnt = ecrire_mnt(tmp_path / "mnt.tif", np.array([[42]], dtype=np.int16))
    assert echantillonner_altitudes(
        mnt, np.array([X0 + 3]), np.array([Y0 + 8]), "EPSG:2154"
    ).tolist() == [42]


def test_relief_fautif(tmp_path: Path) -> None:
    un = np.array([X0 + 1]), np.array([Y0 + 1])
    with pytest.raises(ErreurDonnees, match="n'existe pas"):
        echantillonner_altitudes(tmp_path / "absent.tif", *un, "EPSG:2154")
    (tmp_path / "faux.tif").write_bytes(b"pas un raster")
    with pytest.raises(ErreurDonnees, match="illisible"):
        echantillonner_altitudes(tmp_path / "faux.tif", *un, "EPSG:2154")
    sans_crs = ecrire_mnt(tmp_path / "sans_crs.tif", plan(3, 3), crs=None)
    with pytest.raises(ErreurDonnees, match=r"pas de système de coordonnées(.|\n)*gdal_edit"):
        echantillonner_altitudes(sans_crs, *un, "EPSG:2154")
    mnt = ecrire_mnt(tmp_path / "mnt.tif", plan(3, 3))
    with pytest.raises(ErreurDonnees, match=r"ne couvre aucun point(.|\n)*EPSG:2154"):
        echantillonner_altitudes(mnt, un[0] + 1e5, un[1], "EPSG:2154")
    assert echantillonner_altitudes(mnt, np.empty(0), np.empty(0), "EPSG:2154").size == 0


def test_pont_au_dessus_du_vallon(tmp_path: Path) -> None:
    """Le sol descend de 50 m au milieu ; le pont relie ses deux bouts, la rue suit le sol."""
    valeurs = np.full((40, 60), 100, dtype=np.float32)
    valeurs[:, 25:35] = 50
    mnt = ecrire_mnt(tmp_path / "mnt.tif", valeurs)
    assert (X0, Y0) == ORIGINE
    carte = CarteOsm()
    for rang, y in enumerate((100, 300)):
        for i in range(5):
            carte.noeud(10 * rang + i + 1, 100 + 100 * i, y)
    carte.voie(100, [1, 2, 3, 4, 5], {"highway": "residential", "bridge": "yes"})
    carte.voie(101, [11, 12, 13, 14, 15])
    reseau = lire_osm(carte.ecrire(tmp_path / "c.osm.pbf"), CRS_CARTE, avec_fond=False).reseau
    avec = ajouter_altitudes(reseau, mnt)
    assert reseau.geometrie_altitude_m is None
    assert avec.geometrie_altitude_m is not None
    profils = {
        int(way): avec.geometrie_altitude_m[avec.geometrie_debut[t] : avec.geometrie_debut[t + 1]]
        for t, way in enumerate(avec.troncon_way)
    }
    assert profils[100].tolist() == [100, 100, 100, 100, 100]
    assert profils[101].tolist() == [100, 100, 50, 100, 100]

"""Couche des quartiers prioritaires."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.thematiques.quartiers import lire_quartiers
from tests.fabriques.ville_quadrillee import CRS, territoire_essai


def test_avec_et_sans_couche(tmp_path):
    assert lire_quartiers(territoire_essai()) is None
    quartiers = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=CRS)
    quartiers.to_parquet(tmp_path / "qpv.parquet")
    lus = lire_quartiers(territoire_essai(couches={"qpv": tmp_path / "qpv.parquet"}))
    assert lus is not None
    assert lus.geometry.iloc[0].equals(quartiers.geometry.iloc[0])


def test_des_points_sont_refuses(tmp_path):
    gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)], crs=CRS).to_parquet(tmp_path / "q.parquet")
    with pytest.raises(ErreurDonnees, match="polygones") as refus:
        lire_quartiers(territoire_essai(couches={"qpv": tmp_path / "q.parquet"}))
    assert "Point" in str(refus.value)
    assert "[couches] qpv" in str(refus.value)

"""Territoires préparés d'après de vraies données : Nantes et Porto Alegre."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from donnees_geo.configuration import lire_manifeste
from donnees_geo.erreurs import Gravite
from donnees_geo.territoire import (
    charger_territoire,
    preparer_territoire,
    verifier_territoire,
)

RACINE = Path(__file__).parents[2]
DONNEES = RACINE.parent / "shared" / "donnees"


@pytest.mark.skipif(not DONNEES.is_dir(), reason="données réelles absentes (../shared/donnees)")
def test_nantes_population_sur_batiments(tmp_path: Path) -> None:
    ouest, sud, est, nord = -1.575, 47.199, -1.536, 47.222
    gpd.GeoDataFrame(
        {"code": ["zone"], "nom": ["Centre"], "population": [20_000]},
        geometry=[shapely.box(ouest, sud, est, nord)],
        crs=4326,
    ).to_file(tmp_path / "zone.geojson")
    chemin = tmp_path / "nantes.toml"
    chemin.write_text(
        f"""nom = "Centre"
crs = "EPSG:2154"
[reseau]
osm = "{(DONNEES / "nantes/nantes_subset.osm.pbf").as_posix()}"
[decoupage]
communes = "zone.geojson"
[population]
methode = "batiments"
[services]
osm = true
[transport]
gtfs = "{(DONNEES / "nantes/semitan_nantes_2014.zip").as_posix()}"
date_service = 2014-05-13
""",
        encoding="utf-8",
    )
    bilan = preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    assert [c for c in bilan.constats if c.gravite is Gravite.BLOQUANT] == []
    charge = charger_territoire(tmp_path / "t")
    assert charge.carreaux["population_hab"].sum() == pytest.approx(20_000)
    assert 150 < len(charge.carreaux) < 260  # 7,4 km² en carrés de 200 m, la Loire en moins
    comptes = charge.equipements["service"].value_counts()
    assert comptes["boulangerie"] > 20
    assert comptes["restaurant"] > 200
    assert charge.offre is not None
    assert {s.date_donnees for s in charge.sources if s.cle == "transport.gtfs"} != {""}


@pytest.mark.skipif(not DONNEES.is_dir(), reason="données réelles absentes (../shared/donnees)")
def test_porto_alegre_sans_decoupage(tmp_path: Path) -> None:
    source = DONNEES / "porto_alegre"
    chemin = tmp_path / "poa.toml"
    chemin.write_text(
        f"""nom = "Porto Alegre"
crs = "EPSG:32722"
[reseau]
osm = "{(source / "poa_osm.pbf").as_posix()}"
[population]
fichier = "{(source / "poa_hexgrid.csv").as_posix()}"
colonne = "population"
[services]
osm = true
[relief]
mnt = "{(source / "poa_elevation.tif").as_posix()}"
""",
        encoding="utf-8",
    )
    preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    charge = charger_territoire(tmp_path / "t")
    assert len(charge.carreaux) == 1227
    assert charge.communes["population_hab"].tolist() == [charge.carreaux["population_hab"].sum()]
    assert charge.reseau.geometrie_altitude_m is not None
    assert np.isfinite(charge.reseau.geometrie_altitude_m).mean() > 0.9


@pytest.mark.skipif(not DONNEES.is_dir(), reason="données réelles absentes (../shared/donnees)")
def test_crs_d_un_autre_pays_sur_donnees_reelles(tmp_path: Path) -> None:
    chemin = tmp_path / "c.toml"
    chemin.write_text(
        f"""nom = "X"
crs = "EPSG:32722"
[decoupage]
communes = "{(DONNEES / "cabbalr/communes_cabbalr.geojson").as_posix()}"
""",
        encoding="utf-8",
    )
    constats = verifier_territoire(lire_manifeste(chemin))
    assert any(c.gravite is Gravite.BLOQUANT and "EPSG:32722" in c.message for c in constats), (
        constats
    )

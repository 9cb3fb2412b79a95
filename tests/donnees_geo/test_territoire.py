"""Contenu d'un territoire préparé, complet ou à qui il manque des sources."""

import dataclasses
import json
import re
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from donnees_geo.configuration import lire_manifeste, lire_parametres
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.schemas import SCHEMAS
from donnees_geo.territoire import (
    Territoire,
    charger_territoire,
    preparer_territoire,
)
from donnees_geo.territoire.demande import calculer_marge_m
from tests.fabriques.sources_territoire import changer_manifeste, ecrire_sources


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifeste d'un territoire sain, à ne pas modifier."""
    return ecrire_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def territoire(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Territoire:
    dossier = tmp_path_factory.mktemp("prepare") / "t"
    preparer_territoire(lire_manifeste(sources), dossier)
    return charger_territoire(dossier)


def test_contenu_du_territoire(territoire: Territoire) -> None:
    assert (territoire.nom, territoire.crs, territoire.fictif) == (
        "Val d'Essai",
        "EPSG:2154",
        True,
    )
    assert territoire.communes["code_commune"].tolist() == ["62001", "62002"]
    assert territoire.communes["secteur"].tolist() == ["Nord", "Sud"]
    assert territoire.communes["code_bassin_de_vie"].tolist() == ["", ""]
    par_commune = territoire.carreaux.groupby("code_commune")["population_hab"].sum()
    assert par_commune.to_dict() == {"62001": 300.0, "62002": 100.0}
    assert territoire.carreaux["ind_80p"].sum() == 4
    assert territoire.carreaux["surface_m2"].tolist() == pytest.approx([40_000] * 4, rel=0.01)
    equipements = territoire.equipements.set_index("service")
    assert equipements["source"].to_dict() == {
        "mairie": "bpe",
        "medecin": "bpe",
        "restaurant": "osm",
        "espace_naturel": "osm",
        "marche": "marches.geojson",
    }
    assert equipements["effectif"]["medecin"] == 2
    assert territoire.contour.area == pytest.approx(4e6, rel=1e-4)
    assert territoire.reseau.nombre_noeuds == 117  # 11 × 11 moins les 4 coins, simplifiés
    assert territoire.offre is None
    assert set(territoire.couches) == {"commerces", "marches"}
    assert len(gpd.read_parquet(territoire.couches["marches"])) == 1
    assert {s.cle for s in territoire.sources} >= {"reseau.osm", "services.bpe"}
    assert all(re.fullmatch("[0-9a-f]{64}", s.empreinte) for s in territoire.sources)
    assert territoire.a_population


def test_tables_selon_les_schemas(territoire: Territoire) -> None:
    for nom, schema in SCHEMAS.items():
        table = getattr(territoire, nom)
        for colonne, (genre, _) in schema.colonnes.items():
            assert str(table[colonne].dtype) == genre, f"{nom}.{colonne}"
        assert table.index.tolist() == list(range(len(table)))
        if schema.geometrie:
            assert set(table.geom_type) <= set(schema.geometrie), nom
            assert table.crs.to_epsg() == 2154


def test_point_de_demande_au_centre_du_carreau(territoire: Territoire) -> None:
    centres = territoire.carreaux.geometry.centroid
    assert territoire.carreaux["x"].to_numpy() == pytest.approx(centres.x.to_numpy())
    assert territoire.carreaux["y"].to_numpy() == pytest.approx(centres.y.to_numpy())


def test_charger_autre_chose(tmp_path: Path, territoire: Territoire) -> None:
    with pytest.raises(ErreurDonnees, match=r"n'est pas un territoire[\s\S]*dossier absent"):
        charger_territoire(tmp_path / "rien")
    with pytest.raises(ErreurDonnees, match="n'est pas un territoire préparé"):
        charger_territoire(tmp_path)
    (tmp_path / "territoire.json").write_text('{"version": 0}')
    with pytest.raises(ErreurDonnees, match=r"autre version[\s\S]*version 0"):
        charger_territoire(tmp_path)
    (tmp_path / "territoire.json").write_text("{")
    with pytest.raises(ErreurDonnees, match="Index de territoire illisible"):
        charger_territoire(tmp_path)


# ---- Territoires incomplets ----------------------------------------------------------


def test_sans_population(tmp_path: Path) -> None:
    chemin = ecrire_sources(tmp_path / "s")
    changer_manifeste('[population]\nfichier = "carreaux_200m_met.csv"\n', "")(tmp_path / "s")
    bilan = preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    charge = charger_territoire(tmp_path / "t")
    assert len(charge.carreaux) == 100  # 2 km de côté, carrés de 200 m calés sur la grille
    assert charge.carreaux["population_hab"].isna().all()
    assert not charge.a_population
    assert any("parts de surface" in c.message for c in bilan.constats)


def test_population_repartie_sur_les_batiments(tmp_path: Path) -> None:
    chemin = ecrire_sources(tmp_path / "s")
    changer_manifeste('fichier = "carreaux_200m_met.csv"', 'methode = "batiments"')(tmp_path / "s")
    preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    carreaux = charger_territoire(tmp_path / "t").carreaux
    assert carreaux["population_hab"].tolist() == pytest.approx([310, 95])
    assert carreaux["code_commune"].tolist() == ["62001", "62002"]


def test_sans_decoupage_une_seule_zone(tmp_path: Path) -> None:
    chemin = ecrire_sources(tmp_path / "s")
    carreaux = gpd.GeoDataFrame(
        {"hab": [7, 5]},
        geometry=[
            shapely.box(680_400, 7_050_400, 680_600, 7_050_600),
            shapely.box(680_600, 7_050_400, 680_800, 7_050_600),
        ],
        crs=2154,
    )
    carreaux.to_file(tmp_path / "s" / "p.gpkg")
    changer_manifeste('communes = "communes.geojson"\nsecteurs = "secteurs.csv"', "")(
        tmp_path / "s"
    )
    changer_manifeste('"carreaux_200m_met.csv"', '"p.gpkg"\ncolonne = "hab"')(tmp_path / "s")
    preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    charge = charger_territoire(tmp_path / "t")
    assert charge.communes["nom"].tolist() == ["Val d'Essai"]
    assert charge.communes["population_hab"].tolist() == [12.0]
    assert set(charge.carreaux["code_commune"]) == set(charge.communes["code_commune"])
    assert charge.contour.area == pytest.approx(80_000)
    # Les rues et le café, au-delà du contour, sont gardés.
    assert charge.reseau.nombre_noeuds == 117
    assert "restaurant" in set(charge.equipements["service"])


def test_osm_seul(tmp_path: Path) -> None:
    ecrire_sources(tmp_path / "s")
    chemin = tmp_path / "s" / "seul.toml"
    chemin.write_text('nom = "Seul"\ncrs = "EPSG:2154"\n[reseau]\nosm = "rues.osm.pbf"\n')
    preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    charge = charger_territoire(tmp_path / "t")
    assert len(charge.carreaux) == 100
    assert len(charge.equipements) == 0


def test_emprise_par_communes_et_par_rectangle(tmp_path: Path) -> None:
    chemin = ecrire_sources(tmp_path / "s")
    texte = chemin.read_text(encoding="utf-8")
    chemin.write_text(texte + '[[emprise]]\ncommunes = ["62002"]\n', encoding="utf-8")
    preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    charge = charger_territoire(tmp_path / "t")
    assert charge.carreaux["population_hab"].sum() == 100
    # Les services de l'autre commune comptent toujours.
    assert "mairie" in set(charge.equipements["service"])
    ouest, sud, est, nord = (
        gpd.GeoSeries([shapely.box(680_000, 7_050_000, 682_000, 7_051_000)], crs=2154)
        .to_crs(4326)
        .total_bounds
    )
    chemin.write_text(
        texte + f"[[emprise]]\nrectangle = [{ouest}, {sud}, {est}, {nord}]\n", encoding="utf-8"
    )
    preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    charge = charger_territoire(tmp_path / "t")
    assert charge.carreaux["population_hab"].sum() == 160  # les deux quarts du sud
    assert any("2 commune(s) coupées" in c.message for c in charge.constats)


def test_marge_calculee_ou_dite() -> None:
    parametres = lire_parametres()
    assert calculer_marge_m(dataclasses.replace(parametres, marge_m=None)) == 3_750
    assert calculer_marge_m(dataclasses.replace(parametres, marge_m=0.0)) == 0


def test_index_lisible_et_sans_chemin_de_l_auteur(territoire: Territoire) -> None:
    assert territoire.dossier is not None
    texte = (territoire.dossier / "territoire.json").read_text(encoding="utf-8")
    assert json.loads(texte)["version"] >= 1
    assert str(territoire.dossier.parent) not in texte

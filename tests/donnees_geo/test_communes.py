"""Communes et zonages : formats publiés, codes, correspondances."""

from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
from shapely import box

from donnees_geo.communes import lire_communes
from donnees_geo.erreurs import ErreurDonnees, Gravite
from donnees_geo.zonages import lire_zonage

L93 = "EPSG:2154"
CABBALR = Path(__file__).parents[2].parent / "shared" / "donnees" / "cabbalr"
reel = pytest.mark.skipif(not CABBALR.is_dir(), reason="données réelles CABBALR absentes")


def couche(**colonnes: list[object]) -> gpd.GeoDataFrame:
    n = len(next(iter(colonnes.values())))
    formes = [box(660_000 + 1000 * i, 7_040_000, 661_000 + 1000 * i, 7_041_000) for i in range(n)]
    return gpd.GeoDataFrame(colonnes, geometry=formes, crs=L93)


def test_geojson_de_geo_api(tmp_path: Path) -> None:
    source = couche(nom=["B", "A"], code=["62002", "62001"], population=[20, 10])
    source.to_crs(4326).to_file(tmp_path / "c.geojson")
    communes, constats = lire_communes(tmp_path / "c.geojson", L93)
    assert communes["code_commune"].tolist() == ["62001", "62002"]
    assert communes["nom"].tolist() == ["A", "B"]
    assert communes["population_hab"].tolist() == [10.0, 20.0]
    assert communes.crs.to_epsg() == 2154
    # L'aller-retour en degrés garde la surface au mètre carré près.
    assert communes.area.to_numpy() == pytest.approx(1e6, abs=5)
    assert constats == []


def test_admin_express_3_2_et_4_0(tmp_path: Path) -> None:
    ancien = couche(
        ID=["COM1", "COM2"],
        NOM=["Béthune", "Ames"],
        INSEE_COM=["62119", "01004"],
        POPULATION=[5, 6],
    )
    ancien.to_file(tmp_path / "COMMUNE.shp", encoding="utf-8")
    neuf = couche(
        code_insee=["62119", "01004"],
        nom_officiel=["Béthune", "Ames"],
        population=[5, 6],
        codes_siren_des_epci=["200072460", "NR"],
    ).rename_geometry("geometrie")
    neuf.to_file(tmp_path / "ade.gpkg", layer="commune")
    couche(code_siren=["1"]).to_file(tmp_path / "ade.gpkg", layer="epci")
    lues = [lire_communes(tmp_path / f, L93)[0] for f in ("COMMUNE.shp", "ade.gpkg")]
    for communes in lues:
        assert communes["code_commune"].tolist() == ["01004", "62119"]
        assert communes["nom"].tolist() == ["Ames", "Béthune"]
        assert communes["population_hab"].tolist() == [6.0, 5.0]


def test_codes_lus_comme_nombres(tmp_path: Path) -> None:
    couche(code=[1004, 62119]).to_file(tmp_path / "c.gpkg")
    communes, _ = lire_communes(tmp_path / "c.gpkg", L93)
    assert communes["code_commune"].tolist() == ["01004", "62119"]


def test_selection_et_code_inconnu(tmp_path: Path) -> None:
    couche(code=["62001", "62002"]).to_file(tmp_path / "c.gpkg")
    communes, _ = lire_communes(tmp_path / "c.gpkg", L93, ["62002"])
    assert communes["code_commune"].tolist() == ["62002"]
    with pytest.raises(ErreurDonnees, match=r"1 code\(s\)[\s\S]*62999"):
        lire_communes(tmp_path / "c.gpkg", L93, ["62002", "62999"])


def test_centres_au_lieu_de_contours(tmp_path: Path) -> None:
    points = couche(code=["62001"])
    points.set_geometry(points.centroid).to_file(tmp_path / "c.geojson")
    with pytest.raises(ErreurDonnees, match=r"geometry=contour"):
        lire_communes(tmp_path / "c.geojson", L93)


@pytest.mark.parametrize(
    ("colonnes", "attendu"),
    [
        ({"code": ["62001", "62001"]}, r"répété\(s\)[\s\S]*62001"),
        ({"code": ["62001", ""]}, "sans code"),
        ({"zone": ["62001", "62002"]}, r"code_commune \(noms cherchés : code_commune, code_insee"),
        ({"code": ["1", "2"], "population": [1, -5]}, r"négative[\s\S]*2"),
    ],
)
def test_communes_fautives(tmp_path: Path, colonnes: dict[str, list[object]], attendu: str) -> None:
    couche(**colonnes).to_file(tmp_path / "c.gpkg")
    with pytest.raises(ErreurDonnees, match=attendu):
        lire_communes(tmp_path / "c.gpkg", L93)


def test_chevauchement_et_population_absente_constates(tmp_path: Path) -> None:
    source = couche(code=["1", "2"])
    source.loc[1, "geometry"] = box(660_500, 7_040_000, 661_500, 7_041_000)
    source.to_file(tmp_path / "c.gpkg")
    _, constats = lire_communes(tmp_path / "c.gpkg", L93)
    messages = {c.gravite: c.message for c in constats}
    assert "sur 33 % de la surface" in messages[Gravite.MAJEUR]  # 0,5 km² sur 1,5
    assert "aucune commune n'a de population" in messages[Gravite.MINEUR]


def test_zonage_csv_du_plus_recent(tmp_path: Path) -> None:
    chemin = tmp_path / "bv.csv"
    chemin.write_text(
        "CODGEO;BV2012;BV2022;LIBBV2022\n62002;X;62119;Béthune\n62001;X;62048;Auchel\n",
        encoding="utf-8",
    )
    zones, constats = lire_zonage(chemin, "bassin_de_vie", ["62001", "62002"])
    assert zones["code_zone"].tolist() == ["62048", "62119"]
    assert zones["nom_zone"].tolist() == ["Auchel", "Béthune"]
    assert constats == []


def test_classeur_de_l_insee_entete_en_ligne_6(tmp_path: Path) -> None:
    classeur = openpyxl.Workbook()
    garde = classeur.active
    assert garde is not None
    garde.title = "BV2022"
    garde.append(["BV2022", "LIBBV2022"])
    feuille = classeur.create_sheet("Composition_communale")
    for _ in range(5):
        feuille.append(["Bassins de vie 2022"])
    feuille.append(["CODGEO", "LIBGEO", "BV2022", "LIBBV2022", "DEP"])
    feuille.append(["01004", "Ambérieu", "01004", "Ambérieu", "01"])
    feuille.append(["62001", "Ablain", "ZZZZZ", "Hors", "62"])
    classeur.save(tmp_path / "bv.xlsx")
    zones, constats = lire_zonage(tmp_path / "bv.xlsx", "bassin_de_vie", ["62001", "01004"])
    assert zones["code_zone"].tolist() == ["", "01004"]
    assert zones["nom_zone"].tolist() == ["", "Ambérieu"]
    assert "hors de tout bassin de vie : 62001" in constats[0].message


def test_secteurs_d_une_seule_colonne(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("code_commune,secteur\n62001,Nord\n62002,Sud\n")
    zones, _ = lire_zonage(tmp_path / "s.csv", "secteur", ["62001", "62002"])
    assert zones["code_zone"].tolist() == zones["nom_zone"].tolist() == ["Nord", "Sud"]


def test_identifiants_qui_ne_correspondent_pas(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("code_commune,secteur\n62001,Nord\n62919,Sud\n")
    with pytest.raises(ErreurDonnees) as info:
        lire_zonage(tmp_path / "s.csv", "secteur", ["62001", "62119"])
    message = str(info.value)
    assert "Attendu : 62119" in message
    assert "1 code(s) inconnus du découpage : 62919" in message


def test_commune_dans_deux_zones(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("code_commune,secteur\n62001,Nord\n62001,Sud\n")
    with pytest.raises(ErreurDonnees, match=r"plusieurs zones[\s\S]*62001"):
        lire_zonage(tmp_path / "s.csv", "secteur", ["62001"])


@reel
def test_agglomeration_reelle() -> None:
    communes, constats = lire_communes(CABBALR / "communes_cabbalr.geojson", L93)
    assert len(communes) == 100
    assert communes["population_hab"].sum() == 275_736
    assert communes.area.sum() / 1e6 == pytest.approx(649.2, abs=1)
    assert "La Comté" in set(communes["nom"])  # nom du COG, avec son article
    assert [c for c in constats if c.gravite is Gravite.BLOQUANT] == []
    codes = communes["code_commune"].tolist()
    zones, _ = lire_zonage(CABBALR / "bassins_de_vie_cabbalr.csv", "bassin_de_vie", codes)
    assert zones["code_zone"].nunique() == 10
    regional = CABBALR / "appartenance_geo_2024_59_62.csv"
    memes, constats = lire_zonage(regional, "bassin_de_vie", codes)
    assert memes.equals(zones)
    assert "hors du territoire" in constats[0].message

"""Zones inondables : PPR COVADIS et CNIG, TRI, AZI, remontées de nappe, entrées fautives."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from donnees_geo.erreurs import ErreurDonnees, Gravite
from donnees_geo.schemas import ZONES_INONDABLES
from donnees_geo.thematiques.zones_inondables import lire_zones_inondables, reunir_zones
from donnees_geo.thematiques.zones_inondables_codes import NIVEAUX, severite_de

L93 = "EPSG:2154"
X, Y = 670_000.0, 7_050_000.0
EMPRISE = shapely.box(X - 1_000, Y - 1_000, X + 5_000, Y + 5_000)
REELLE = Path("../shared/donnees/inondation/zone_inondable_vienne_clain.geojson")


def carre(rang: int, cote: float = 100.0) -> shapely.Polygon:
    return shapely.box(X + 200 * rang, Y, X + 200 * rang + cote, Y + cote)


def couche(**colonnes) -> gpd.GeoDataFrame:
    n = len(next(iter(colonnes.values())))
    return gpd.GeoDataFrame(colonnes, geometry=[carre(i) for i in range(n)], crs=L93)


def lire(chemin: Path):
    return lire_zones_inondables(chemin, L93, EMPRISE)


def messages(constats) -> str:
    return "\n".join(c.message for c in constats)


def test_reglement_covadis_et_schema(tmp_path):
    chemin = tmp_path / "n_zone_reg_pprn_20190001_s_062.shp"
    couche(
        id_gaspar=["62DDTM20190001"] * 6,
        codezone=["a", "b", "c", "d", "e", "f"],
        nom=["Zone é", "", "", "", "", "Zone de prescription"],
        typereg=["01", "02", "03", "4", "06", ""],
    ).to_file(chemin, encoding="ISO-8859-1")
    table, _ = lire(chemin)
    assert table["niveau"].tolist() == [
        "prescription_hors_alea", "prescription", "interdiction", "interdiction_stricte",
        "mesures_foncieres", "prescription",
    ]  # fmt: skip
    assert table["severite"].tolist() == [1, 2, 3, 4, 5, 2]
    assert set(table["famille"]) == {"reglement"}
    assert set(table["document"]) == {"62DDTM20190001"}
    assert list(table.columns) == [*ZONES_INONDABLES.colonnes, "geometry"]
    assert table["libelle"][0] == "Zone é"


@pytest.mark.parametrize("encodage", ["ISO-8859-1", "UTF-8"])
@pytest.mark.parametrize("cpg", ["absent", "menteur"])
def test_shapefile_majuscule_toutes_casses_et_encodages(tmp_path, encodage, cpg):
    source = tmp_path / "s.shp"
    couche(TYPEREG=["03"], NOM=["Inconstructible sévère"]).to_file(source, encoding=encodage)
    for suffixe in ("shp", "shx", "dbf", "prj"):
        nom = f"N_ZONE_REG_PPRN_20190001_S_062.{suffixe.upper()}"
        shutil.copy(tmp_path / f"s.{suffixe}", tmp_path / nom)
    if cpg == "menteur":
        (tmp_path / "N_ZONE_REG_PPRN_20190001_S_062.CPG").write_text(
            "UTF-8" if encodage == "ISO-8859-1" else "ISO-8859-1"
        )
    table, _ = lire(tmp_path / "N_ZONE_REG_PPRN_20190001_S_062.SHP")
    assert table["libelle"].tolist() == ["Inconstructible sévère"]
    assert table["niveau"].tolist() == ["interdiction"]


def test_prj_absent_reconnu_a_lemprise(tmp_path):
    chemin = tmp_path / "n_zone_reg_pprn_s_062.shp"
    couche(typereg=["03"]).to_file(chemin)
    chemin.with_suffix(".prj").unlink()
    table, constats = lire(chemin)
    assert table.geometry.area.tolist() == [10_000]
    assert "EPSG:2154 est reconnu" in messages(constats)


def test_livraison_tri_en_zip(tmp_path):
    dossier = tmp_path / "FRA_TRI_BETH"
    dossier.mkdir()
    for scenario, nom in (("01For", "01for"), ("02Moy", "02moy"), ("04Fai", "04fai")):
        couche(scenario=[scenario], typ_inond=["01"], id_tri=["FRA_TRI_BETH"]).to_file(
            dossier / f"n_tri_beth_inondable_01_{nom}_s_062.shp"
        )
    couche(ht_min=[0.0, 0.5, 2.0], ht_max=[0.5, 1.0, None], scenario=["02Moy"] * 3).to_file(
        dossier / "n_tri_beth_iso_ht_01_02moy_s_062.shp"
    )
    # Surfaces soustraites derrière les digues et périmètres : ce ne sont pas des zones inondables.
    couche(scenario=["01For"]).to_file(dossier / "n_tri_beth_soust_inond_01_01for_s_062.shp")
    couche(nom=["x"]).to_file(dossier / "n_tri_beth_commune_s_062.shp")
    with zipfile.ZipFile(tmp_path / "tri_2020_sig_di_62.zip", "w") as archive:
        for fichier in dossier.iterdir():
            archive.write(fichier, f"FRA_TRI_BETH/{fichier.name}")
    for chemin in (tmp_path / "tri_2020_sig_di_62.zip", dossier):
        table, constats = lire(chemin)
        tri = table.loc[table["famille"] == "tri"].set_index("niveau")
        assert set(tri.index) == {"frequent", "moyen", "extreme"}
        # « 01for » est la crue la plus probable, donc la plus exposante.
        assert tri.loc["frequent", "probabilite"] == "forte"
        assert tri.loc["extreme", "probabilite"] == "faible"
        assert tri["severite"].idxmax() == "frequent"
        assert set(tri["alea"]) == {"debordement"}
        hauteurs = table.loc[table["famille"] == "hauteur"].sort_values("severite")
        assert hauteurs["niveau"].tolist() == ["moins_de_0_5_m", "0_5_a_1_m", "plus_de_2_m"]
        assert set(hauteurs["scenario"]) == {"moyen"}
        assert "2 couche(s) qui ne sont pas des zones inondables" in messages(constats)


def test_ppr_cnig_2025_en_geopackage(tmp_path):
    chemin = tmp_path / "pprn_76ddtm20120001.gpkg"
    racine = "pprn_76ddtm20120001"
    couche(typereglement=["04"], codezone=["R"]).to_file(
        chemin, layer=f"{racine}_zonereglementaireurba_s"
    )
    couche(niveaualea=["Fort", "très fort"], codeprocedure=["76DDTM20120001"] * 2).to_file(
        chemin, layer=f"{racine}_zonealeareference_010_s", mode="a"
    )
    couche(libelle=["p"]).to_file(chemin, layer=f"{racine}_perimetre_s", mode="a")
    table, _ = lire(chemin)
    assert sorted(zip(table["famille"], table["niveau"], strict=True)) == [
        ("alea", "fort"), ("alea", "tres_fort"), ("reglement", "interdiction_stricte"),
    ]  # fmt: skip
    assert set(table["document"]) == {"76DDTM20120001"}


def test_remontees_de_nappe_et_azi(tmp_path):
    couche(CLASSE=["a", "b", "c"], gridcode=[0, 1, 2]).to_file(tmp_path / "Re_Nappe_fr.shp")
    nappe, _ = lire(tmp_path / "Re_Nappe_fr.shp")
    assert nappe["niveau"].tolist() == ["debordement", "cave"]
    assert set(nappe["alea"]) == {"nappe"}
    couche(nom=["lit majeur"]).to_file(tmp_path / "n_zone_inond_azi_062.shp")
    azi, _ = lire(tmp_path / "n_zone_inond_azi_062.shp")
    assert azi[["famille", "niveau"]].values.tolist() == [["azi", "zone_inondable"]]
    reunie = reunir_zones([nappe, azi])
    assert reunie["famille"].tolist() == ["azi", "nappe", "nappe"]


def test_geometries_melees_invalides_et_vides(tmp_path):
    papillon = shapely.Polygon([(X, Y), (X + 10, Y + 10), (X + 10, Y), (X, Y + 10)])
    source = gpd.GeoDataFrame(
        {"typereg": ["03"] * 3},
        geometry=[papillon, shapely.Point(X, Y), carre(3)],
        crs=L93,
    )
    source.to_file(tmp_path / "zones.gpkg")
    table, constats = lire(tmp_path / "zones.gpkg")
    assert table.geometry.is_valid.all()
    assert table.geometry.area.tolist() == pytest.approx([50, 10_000])
    texte = messages(constats)
    assert "1 géométrie(s) invalide(s), réparée(s)" in texte
    assert "1 objet(s) qui ne sont pas des surfaces" in texte


def test_hors_du_territoire_ne_veut_pas_dire_sans_risque(tmp_path):
    loin = couche(typereg=["03"]).translate(100_000, 0)
    gpd.GeoDataFrame({"typereg": ["03"]}, geometry=loin, crs=L93).to_file(tmp_path / "z.gpkg")
    table, constats = lire(tmp_path / "z.gpkg")
    assert table.empty
    assert [c.gravite for c in constats] == [Gravite.MAJEUR]
    assert "ne veut pas dire sans risque" in constats[0].message


def test_couche_etrangere_refusee(tmp_path):
    couche(nom=["x"]).to_file(tmp_path / "parcelles.gpkg")
    with pytest.raises(ErreurDonnees, match="Aucune couche de zone inondable reconnue") as erreur:
        lire(tmp_path / "parcelles.gpkg")
    assert "parcelles" in str(erreur.value)
    with zipfile.ZipFile(tmp_path / "vide.zip", "w"):
        pass
    with pytest.raises(ErreurDonnees, match="aucun fichier cartographique"):
        lire(tmp_path / "vide.zip")


def test_axes_echanges_dits(tmp_path):
    zones = couche(typereg=["03", "02"]).to_crs("EPSG:4326")
    zones["geometry"] = shapely.transform(zones.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    zones.to_file(tmp_path / "zone_reg.gpkg")
    with pytest.raises(ErreurDonnees, match="axes de la couche sont échangés") as erreur:
        lire(tmp_path / "zone_reg.gpkg")
    assert "2 objet(s) sur 2" in str(erreur.value)


def test_livraison_dont_un_fichier_est_abime(tmp_path):
    """Une carte abîmée est dite et n'empêche pas de lire les autres ; un index ne compte pas."""
    couche(typereg=["03"]).to_file(tmp_path / "n_zone_reg_pprn_20190001_s_062.gpkg")
    (tmp_path / "n_tri_lys_inondable_01_02moy_s_062.gpkg").write_bytes(b"SQLite format 3\0abime")
    (tmp_path / "index.json").write_text('{"fiches": 3}')
    table, constats = lire(tmp_path)
    assert table["niveau"].tolist() == ["interdiction"]
    graves = [c.message for c in constats if c.gravite is Gravite.MAJEUR]
    assert len(graves) == 1
    assert "n_tri_lys_inondable_01_02moy_s_062.gpkg n'est pas lu" in graves[0]
    assert "index.json" in messages(constats)


def test_niveaux_ordonnes_du_plus_au_moins_severe():
    for famille, niveaux in NIVEAUX.items():
        rangs = [n.severite for n in niveaux]
        assert rangs == sorted(rangs, reverse=True), famille
        assert len(set(rangs)) == len(rangs), famille
    assert severite_de("tri", "inexistant") == 0


def test_tri_reel_de_la_vienne():
    if not REELLE.is_file():
        pytest.skip("la couche du TRI Vienne-Clain n'est pas sur cette machine")
    brute = gpd.read_file(REELLE)
    table, constats = lire_zones_inondables(REELLE, L93, shapely.box(0, 6e6, 1.2e6, 7.2e6))
    # Un des objets publiés est un multipolygone vide.
    assert len(table) == (~brute.geometry.is_empty).sum() == 61
    assert set(table["niveau"]) == {"moyen"}
    assert set(table["probabilite"]) == {"moyenne"}
    assert table.geometry.is_valid.all()
    fautives = int((~brute.to_crs(L93).is_valid).sum())
    assert fautives > 0
    assert f"{fautives} géométrie(s) invalide(s)" in messages(constats)

"""GeoPackage et projet QGIS : couches, codes de temps, règles de ``layer_styles``, chemins."""

from __future__ import annotations

import json
import re
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import replace
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from pyogrio.errors import DataSourceError

from couches.sig.export_geopackage import exporter_geojson, exporter_geopackage
from couches.sig.projet_qgis import exporter_projet
from couches.sig.styles_qgis import (
    Condition,
    RegleStyle,
    StyleCouche,
    Symbole,
    ecrire_qml,
    ecrire_sld,
)
from couches.styles import lire_styles
from couches.tables_export import entiers
from donnees_geo.erreurs import ErreurDonnees
from tests.fabriques.territoire_exports import NOM_BALISE, NOM_LONG, ecrire_themes, etude_exports

COLONNES_STYLES = [
    *("id", "f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column"),
    *("styleName", "styleQML", "styleSLD", "useAsDefault", "description", "owner", "ui"),
    "update_time",
]


@pytest.fixture(scope="module")
def paquet(tmp_path_factory):
    dossier = tmp_path_factory.mktemp("gpkg")
    territoire, etude = etude_exports()
    territoire = replace(territoire, couches=ecrire_themes(dossier))
    return exporter_geopackage(territoire, etude, lire_styles(), dossier / "acces.gpkg")


def requete(paquet, texte):
    with closing(sqlite3.connect(paquet)) as base:
        return base.execute(texte).fetchall()


def test_couches_et_crs(paquet):
    couches = dict(pyogrio.list_layers(paquet))
    assert {"equipements", "communes", "bassins_de_vie", "carreaux", "friches"} <= set(couches)
    assert couches["indicateurs"] is None
    assert couches["layer_styles"] is None
    for nom, genre in couches.items():
        if genre is not None:
            assert gpd.read_file(paquet, layer=nom).crs.to_epsg() == 2154


def test_temps_entiers_et_codes(paquet):
    carreaux = gpd.read_file(paquet, layer="carreaux")
    # À 5 m/s, le carreau c est à 20 c secondes de la boulangerie.
    assert carreaux["temps_boulangerie_velo_s"].tolist() == [20 * c for c in range(10)]
    assert carreaux["temps_boulangerie_plus_rapide_s"].tolist()[9] == 180
    # Le cinéma n'a aucun lieu : sans donnée, non inaccessible.
    assert carreaux["temps_cinema_marche_s"].isna().all()
    communes = gpd.read_file(paquet, layer="communes")
    assert communes["nom"].tolist() == [NOM_LONG, NOM_BALISE]
    assert communes["part_boulangerie"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("temps", "attendu"),
    [(0.0, 0), (900.0, 900), (900.2, 901), (np.inf, -1), (np.nan, pd.NA)],
)
def test_secondes_entieres(temps, attendu):
    (valeur,) = entiers(np.array([temps]))
    assert (valeur is pd.NA) if attendu is pd.NA else (valeur == attendu)


def test_colonnes_personnelles_jamais_exportees(paquet):
    inventaire = gpd.read_file(paquet, layer="inventaire")
    assert inventaire.columns.tolist() == ["titre", "geometry"]
    assert b"Durand" not in paquet.read_bytes()


def test_layer_styles_selon_qgis(paquet):
    with closing(sqlite3.connect(paquet)) as base:
        noms = [c[1] for c in base.execute("PRAGMA table_info(layer_styles)")]
    assert noms == COLONNES_STYLES
    contenu = requete(paquet, "SELECT data_type FROM gpkg_contents WHERE table_name='layer_styles'")
    assert contenu == [("attributes",)]
    lignes = requete(
        paquet,
        "SELECT f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
        "useAsDefault FROM layer_styles",
    )
    geometries = dict(requete(paquet, "SELECT table_name, column_name FROM gpkg_geometry_columns"))
    defauts: dict[str, int] = {}
    for catalogue, schema, table, colonne, nom, defaut in lignes:
        assert (catalogue, schema) == ("", "")
        assert geometries[table] == colonne
        assert 0 < len(nom) <= 30
        defauts[table] = defauts.get(table, 0) + defaut
    # Toute couche s'ouvre avec un style, et un seul.
    assert defauts == dict.fromkeys(geometries, 1)


def test_qml_et_sld_lisibles_et_champs_existants(paquet):
    lignes = requete(paquet, "SELECT f_table_name, styleQML, styleSLD FROM layer_styles")
    for table, qml, sld in lignes:
        racine = ElementTree.fromstring(qml)
        assert racine.tag == "qgis"
        rendu = racine.find("renderer-v2")
        assert rendu is not None and rendu.get("type") == "RuleRenderer"
        symboles = {s.get("name") for s in rendu.iter("symbol")}
        assert {r.get("symbol") for r in rendu.iter("rule")} == symboles
        colonnes = {c[1] for c in requete(paquet, f"PRAGMA table_info('{table}')")}
        cites = {
            champ
            for regle in rendu.iter("rule")
            for champ in re.findall(r'"([^"]+)"', regle.get("filter") or "")
        }
        assert cites <= colonnes
        assert len(
            list(ElementTree.fromstring(sld).iter("{http://www.opengis.net/se}Rule"))
        ) == len(symboles)


def test_classes_du_style_couvrent_tous_les_temps(paquet):
    (qml,) = requete(
        paquet,
        "SELECT styleQML FROM layer_styles WHERE f_table_name='carreaux' AND useAsDefault",
    )[0]
    regles = ElementTree.fromstring(qml).iter("rule")
    filtres = [(r.get("label"), r.get("filter").replace('"', "")) for r in regles]
    assert filtres[0] == (
        "0 à 5 min",
        "temps_panier_proximite_s > -1 AND temps_panier_proximite_s <= 300",
    )
    assert filtres[-3][1] == "temps_panier_proximite_s > 1800"
    assert filtres[-2:] == [
        ("inaccessible", "temps_panier_proximite_s = -1"),
        ("sans donnée", "temps_panier_proximite_s IS NULL"),
    ]


def test_style_echappe_ce_qui_vient_des_donnees():
    regle = RegleStyle('a<b>"&', Symbole("point", "#112233"), (Condition('x"y', "=", "l'art <&>"),))
    style = StyleCouche("s", "d", (regle,))
    rule = next(ElementTree.fromstring(ecrire_qml(style)).iter("rule"))
    assert rule.get("label") == 'a<b>"&'
    assert rule.get("filter") == "\"x\"\"y\" = 'l''art <&>'"
    litteral = next(
        ElementTree.fromstring(ecrire_sld(style, "c")).iter("{http://www.opengis.net/ogc}Literal")
    )
    assert litteral.text == "l'art <&>"


def test_couches_thematiques_ont_l_aspect_de_l_ecran(paquet):
    lignes = requete(paquet, "SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault")
    filtres = {
        table: {r.get("label"): r.get("filter") for r in ElementTree.fromstring(qml).iter("rule")}
        for table, qml in lignes
    }
    assert filtres["commerces"] == {
        "commerce": '"vacant" = FALSE',
        "local vacant": '"vacant" = TRUE',
    }
    assert filtres["friches"]["sans projet"] == "\"statut\" = 'sans_projet'"
    inondation = filtres["zones_inondables"]
    assert inondation["interdiction"] == "\"famille\" = 'reglement' AND \"niveau\" = 'interdiction'"


def test_metadonnees_par_couche(paquet):
    infos = pyogrio.read_info(paquet, layer="carreaux")
    assert infos["layer_metadata"]["LICENCE"] == "ODbL 1.0"
    assert "BPE24.csv, 2024" in infos["layer_metadata"]["SOURCES"]
    assert "marche 3,6" in infos["layer_metadata"]["HYPOTHESES"]
    fiches = requete(
        paquet,
        "SELECT r.table_name, m.metadata FROM gpkg_metadata m JOIN gpkg_metadata_reference r "
        "ON r.md_file_id = m.id WHERE m.md_standard_uri = 'http://www.isotc211.org/2005/gmd'",
    )
    assert {"communes", "carreaux", "indicateurs"} <= {table for table, _ in fiches}
    for _, fiche in fiches:
        ElementTree.fromstring(fiche)


def test_echec_laisse_l_ancien_paquet(tmp_path, monkeypatch):
    ancien = tmp_path / "acces.gpkg"
    ancien.write_bytes(b"ancien")

    def plein(*_arguments, **_options):
        raise DataSourceError("No space left on device")

    monkeypatch.setattr(pyogrio, "write_dataframe", plein)
    with pytest.raises(ErreurDonnees, match="n'a pas pu être écrit") as faute:
        exporter_geopackage(*etude_exports(), lire_styles(), ancien)
    assert "espace disque" in str(faute.value)
    assert ancien.read_bytes() == b"ancien"
    assert [f.name for f in tmp_path.iterdir()] == ["acces.gpkg"]


def test_deux_exports_de_meme_contenu(tmp_path):
    contenus = []
    for nom in ("a.gpkg", "b.gpkg"):
        exporter_geopackage(*etude_exports(), lire_styles(), tmp_path / nom)
        contenus.append(
            [
                requete(tmp_path / nom, f"SELECT * FROM {table}")
                for table in ("carreaux", "communes", "indicateurs", "carences")
            ]
            + [requete(tmp_path / nom, "SELECT styleName, styleQML, styleSLD FROM layer_styles")]
        )
    assert contenus[0] == contenus[1]


def test_geojson_en_degres_sans_les_temps_par_mode(tmp_path):
    fichiers = {f.name: f for f in exporter_geojson(*etude_exports(), lire_styles(), tmp_path)}
    assert {"communes.geojson", "carreaux.geojson", "equipements.geojson"} <= set(fichiers)
    contenu = json.loads(fichiers["carreaux.geojson"].read_text(encoding="utf-8"))
    proprietes = contenu["features"][0]["properties"]
    assert "temps_boulangerie_plus_rapide_s" in proprietes
    assert "temps_boulangerie_marche_s" not in proprietes
    lon, lat = contenu["features"][0]["geometry"]["coordinates"][0][0][:2]
    assert -5 < lon < 10 and 41 < lat < 52


@pytest.fixture(scope="module")
def projet(tmp_path_factory):
    dossier = tmp_path_factory.mktemp("qgis")
    donnees, projet = exporter_projet(*etude_exports(fictif=True), lire_styles(), dossier)
    with zipfile.ZipFile(projet) as archive:
        (nom,) = archive.namelist()
        assert nom.endswith(".qgs")
        return donnees, ElementTree.fromstring(archive.read(nom))


def test_projet_ouvre_les_couches_du_paquet_voisin(projet):
    donnees, racine = projet
    couches = {c.findtext("id"): c for c in racine.iter("maplayer")}
    arbre = [n.get("id") for n in racine.iter("layer-tree-layer")]
    assert set(arbre) == set(couches) == {n.get("id") for n in racine.iter("layer") if n.get("id")}
    presentes = {nom for nom, _ in pyogrio.list_layers(donnees)}
    for couche in couches.values():
        chemin, _, nom = (couche.findtext("datasource") or "").partition("|layername=")
        assert chemin == f"./{donnees.name}"
        assert nom in presentes
        assert couche.find("renderer-v2") is not None
        assert couche.findtext("srs/spatialrefsys/authid") == "EPSG:2154"


def test_projet_a_une_mise_en_page_d_atlas_communal(projet):
    _, racine = projet
    (page,) = racine.iter("Layout")
    atlas = page.find("Atlas")
    assert atlas is not None and atlas.get("enabled") == "1"
    couverture = next(
        c for c in racine.iter("maplayer") if c.findtext("id") == atlas.get("coverageLayer")
    )
    assert couverture.findtext("layername") == "Communes"
    elements = {e.get("id"): e for e in page.iter("LayoutItem")}
    assert {"titre", "carte", "legende", "echelle", "sources"} <= set(elements)
    assert elements["carte"].find("AtlasMap").get("atlasDriven") == "1"
    assert elements["legende"].get("map_uuid") == elements["carte"].get("uuid")
    assert "Données fictives" in elements["sources"].get("labelText")

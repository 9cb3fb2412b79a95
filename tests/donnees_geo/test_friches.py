"""Friches : standard CNIG, Cartofriches, noms anciens, axes échangés, données personnelles."""

from __future__ import annotations

import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from donnees_geo.erreurs import ErreurDonnees, Gravite
from donnees_geo.lecture.axes import redresser_axes
from donnees_geo.lecture.codes import classer_textes, nombres_tolerants
from donnees_geo.thematiques.friches import lire_friches

L93 = "EPSG:2154"
X, Y = 670_000.0, 7_050_000.0
VERS_GEO = Transformer.from_crs(L93, 4326, always_xy=True)
REELLES = Path("../shared/donnees/friches")


@pytest.fixture
def communes() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"code_commune": ["62001", "62002"], "nom": ["Ouest", "Est"]},
        geometry=[shapely.box(X, Y, X + 5_000, Y + 5_000),
                  shapely.box(X + 5_000, Y, X + 10_000, Y + 5_000)],
        crs=L93,
    )  # fmt: skip


def degres(dx: float, dy: float) -> tuple[float, float]:
    lon, lat = VERS_GEO.transform(X + dx, Y + dy)
    return round(lon, 8), round(lat, 8)


def point(dx: float, dy: float) -> str:
    return "Point ({} {})".format(*degres(dx, dy))


def carre(dx: float, dy: float, cote: float) -> str:
    coins = [(0, 0), (cote, 0), (cote, cote), (0, cote), (0, 0)]
    sommets = [degres(dx + a, dy + b) for a, b in coins]
    return "POLYGON ((" + ", ".join(f"{lon} {lat}" for lon, lat in sommets) + "))"


def lire(dossier: Path, texte: str, communes: gpd.GeoDataFrame, encodage: str = "utf-8"):
    chemin = dossier / "friches.csv"
    chemin.write_bytes(texte.encode(encodage))
    return lire_friches(chemin, L93, communes, communes.union_all().buffer(3_000))


def messages(constats) -> str:
    return "\n".join(c.message for c in constats)


ENTETE = (
    "site_id;site_nom;site_type;site_statut;comm_insee;unite_fonciere_surface;geompoint;geomsurf\n"
)


def test_contour_statut_et_surface(tmp_path, communes):
    table, constats = lire(
        tmp_path,
        ENTETE
        + f"62001_1;Usine;Friche Industrielle;friche sans projet;62001;9000;{point(50, 50)};"
        + carre(0, 0, 100)
        + "\n"
        + "62001_2;École;friche d'equipement public;FRICHE RECONVERTIE;62001;NA;"
        + f"{point(900, 900)};\n"
        + f"62002_3;Gare;friche ferroviaire;friche avec projet;62002;25000;{point(6000, 50)};NA\n",
        communes,
    )
    assert table["friche"].tolist() == ["62001_1", "62001_2", "62002_3"]
    assert table["type"].tolist() == [
        "friche industrielle", "friche d'équipement public", "friche ferroviaire",
    ]  # fmt: skip
    assert table["statut"].tolist() == ["sans_projet", "reconvertie", "avec_projet"]
    assert table["dans_stock"].tolist() == [True, False, True]
    assert table["surface_origine"].tolist() == ["contour", "inconnue", "declaree"]
    # 100 m × 100 m : un hectare, à un mètre carré près.
    assert table["surface_ha"][0] * 10_000 == pytest.approx(10_000, abs=1)
    assert np.isnan(table["surface_ha"][1])
    assert table["surface_ha"][2] == 2.5
    assert table["code_commune"].tolist() == ["62001", "62001", "62002"]
    assert table.geometry.geom_type.tolist() == ["Polygon", "Point", "Point"]
    assert "2 friches dans le territoire (3,5 ha), dont 1 sans contour ; 1 site(s) reconverti" in (
        messages(constats)
    )


def test_guillemets_echappes_et_latin_1(tmp_path, communes):
    texte = (
        "site_id;site_nom;site_statut;geompoint\n"
        f'"a";"dit \\"le Moulin\\" ; ancien";"friche sans projet";"{point(10, 10)}"\n'
        f'"b";"Délaissé";"friche sans projet";"{point(20, 20)}"\n'
    )
    for encodage in ("utf-8", "utf-8-sig", "cp1252"):
        table, _ = lire(tmp_path, texte, communes, encodage)
        assert table["nom"].tolist() == ['dit "le Moulin" ; ancien', "Délaissé"], encodage


def test_noms_du_pre_standard_et_donnees_personnelles(tmp_path, communes):
    table, _ = lire(
        tmp_path,
        "site_numero,comm_code,tup_surface,proprio_nom,idprocpte,source_contact,longitude,latitude\n"
        "9,62001,12000,DUPONT Jean,X12,jean@exemple.fr,{},{}\n".format(*degres(100, 100)),
        communes,
    )
    assert table["friche"].tolist() == ["9"]
    assert table["surface_ha"].tolist() == [1.2]
    assert not table.astype(str).apply(lambda c: c.str.contains("DUPONT|X12|exemple")).any().any()


def test_axes_echanges_reconnus_a_la_commune(tmp_path, communes):
    lon, lat = degres(2_500, 2_500)
    table, constats = lire(
        tmp_path,
        "site_id;comm_insee;geompoint\n"
        f"droit;62001;POINT ({lon} {lat})\ninverse;62001;POINT ({lat} {lon})\n",
        communes,
    )
    assert table["friche"].tolist() == ["droit", "inverse"]
    assert table.geometry[0].distance(table.geometry[1]) < 0.01
    assert "1 site(s) aux axes échangés" in messages(constats)


def test_redresser_ne_touche_pas_ce_qui_est_en_place(communes):
    points = gpd.GeoDataFrame(
        geometry=[shapely.Point(X + 100, Y + 100), shapely.Point(Y + 200, X + 200)], crs=L93
    )
    avant = points.geometry.to_wkb().tolist()
    cibles = communes.geometry.to_numpy()[[0, 0]]
    table, redresses = redresser_axes(points, cibles)
    assert redresses.tolist() == [False, True]
    assert table.geometry[0].equals(points.geometry[0])
    assert (table.geometry[1].x, table.geometry[1].y) == (X + 200, Y + 200)
    assert points.geometry.to_wkb().tolist() == avant


def test_commune_declaree_fausse_est_dite(tmp_path, communes):
    _, constats = lire(
        tmp_path,
        f"site_id;comm_insee;geompoint\nloin;62001;{point(9_500, 2_000)}\n",
        communes,
    )
    dits = [c for c in constats if "commune déclarée" in c.message]
    assert [c.gravite for c in dits] == [Gravite.MAJEUR]
    assert "loin" in dits[0].message


def test_identifiants_repetes_et_absents(tmp_path, communes):
    table, constats = lire(
        tmp_path,
        f"site_id;geompoint\na;{point(1, 1)}\na;{point(900, 900)}\n;{point(5, 5)}\n",
        communes,
    )
    assert table["friche"].tolist() == ["a", "a#2", "sans-id-3"]
    assert "1 site_id répété(s) (a)" in messages(constats)
    assert "1 site(s) sans site_id" in messages(constats)


def test_geometries_fautives_comptees(tmp_path, communes):
    a, b = degres(0, 0), degres(200, 200)
    papillon = (
        f"POLYGON (({a[0]} {a[1]}, {b[0]} {b[1]}, {b[0]} {a[1]}, {a[0]} {b[1]}, {a[0]} {a[1]}))"
    )
    table, constats = lire(
        tmp_path,
        f"site_id;geomsurf\nnoeud;{papillon}\nillisible;POLYGON ((2 \nrien;\n",
        communes,
    )
    assert table["friche"].tolist() == ["noeud"]
    assert table.geometry.is_valid.all()
    assert "1 géométrie(s) WKT illisible(s) : illisible." in messages(constats)
    assert "2 site(s) sans géométrie, écarté(s) : illisible, rien." in messages(constats)
    assert "1 géométrie(s) invalide(s), réparée(s)" in messages(constats)


@pytest.mark.parametrize(
    ("texte", "message"),
    [
        ("site_id;site_nom\n1;x\n", "ne porte pas de géométrie"),
        ("site_id;geompoint\n1;\n2;NA\n", "Aucun site de l'inventaire n'est localisé"),
        ("site_id;geompoint\n1;POINT (5000 90000)\n", "système de coordonnées"),
        ("site_id;geompoint\n", "ne contient aucun site"),
    ],
)
def test_refus_dits(tmp_path, communes, texte, message):
    with pytest.raises(ErreurDonnees, match=message):
        lire(tmp_path, texte, communes)


def test_ce_qui_est_laisse_est_compte(tmp_path, communes):
    table, constats = lire(
        tmp_path,
        "site_id;unite_fonciere_surface;geompoint;geomsurf\n"
        f"dedans;-5;{point(10, 10)};\n"
        f"dehors;100;{point(900_000, 10)};\n"
        ";100;;POLYGON EMPTY\n",
        communes,
    )
    assert table["friche"].tolist() == ["dedans"]
    assert table["surface_origine"].tolist() == ["inconnue"]
    dits = messages(constats)
    assert "1 site(s) hors du territoire élargi, laissé(s)" in dits
    assert "1 surface(s) déclarée(s) illisible(s), nulle(s) ou négative(s)" in dits
    # Un site sans identifiant est désigné par sa ligne ; un contour vide n'est pas illisible.
    assert "1 site(s) sans géométrie, écarté(s) : ligne 3." in dits
    assert "WKT illisible" not in dits


def test_valeur_hors_liste_rangee_et_dite(tmp_path, communes):
    table, constats = lire(
        tmp_path, f"site_id;site_type;geompoint\n1;chateau d'eau;{point(1, 1)}\n", communes
    )
    assert table["type"].tolist() == ["autre"]
    assert "« chateau d'eau »" in messages(constats)


def test_geopackage_ne_lit_que_les_colonnes_du_standard(tmp_path, communes):
    source = gpd.GeoDataFrame(
        {"SITE_ID": ["z"], "proprio_nom": ["DUPONT"], "unite_fonciere_surface": [4_000.0],
         "site_reconv_annee": [2021]},
        geometry=[shapely.box(X, Y, X + 50, Y + 80)],
        crs=L93,
    )  # fmt: skip
    source.to_file(tmp_path / "f.gpkg")
    table, _ = lire_friches(tmp_path / "f.gpkg", L93, communes, communes.union_all())
    assert table["surface_ha"].tolist() == [0.4]
    assert table["statut"].tolist() == ["reconvertie"]
    assert "DUPONT" not in table.to_csv()


def test_statut_vide_nest_pas_reconverti(tmp_path, communes):
    table, _ = lire(tmp_path, f"site_id;geompoint\n1;{point(1, 1)}\n", communes)
    assert table["statut"].tolist() == ["inconnu"]
    assert table["dans_stock"].tolist() == [True]


def test_nombres_et_codes_tolerants():
    nombres, fautes = nombres_tolerants(pd.Series(["1 200,5", "NA", "grand", None]))
    assert nombres.tolist()[0] == 1200.5
    assert nombres.isna().tolist() == [False, True, True, True]
    assert fautes == 1
    codes, inconnus = classer_textes(pd.Series(["B", ""]), (("b", "x"),), vide="v", defaut="d")
    assert (codes.tolist(), inconnus) == (["x", "v"], [])


def test_observatoire_reel_des_ardennes():
    if not REELLES.is_dir():
        pytest.skip("l'observatoire des friches des Ardennes n'est pas sur cette machine")
    ardennes = gpd.GeoDataFrame(
        {"code_commune": ["08000"], "nom": ["Ardennes"]},
        geometry=[shapely.box(760_000, 6_880_000, 890_000, 7_010_000)],
        crs=L93,
    )
    emprise = ardennes.union_all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        textes, _ = lire_friches(REELLES / "friches08_obs.csv", L93, ardennes, emprise)
        contours, constats = lire_friches(REELLES / "friches08_obs.geojson", L93, ardennes, emprise)
    brute = pd.read_csv(REELLES / "friches08_obs.csv")
    assert len(textes) == len(brute) == 164
    assert (~textes["dans_stock"]).sum() == (brute["site_statut"] == "friche reconvertie").sum()
    assert (contours["surface_origine"] == "contour").all()
    oracle = gpd.read_file(REELLES / "friches08_obs.geojson").to_crs(L93).set_index("site_id")
    valides = oracle.loc[oracle.is_valid]
    communs = contours.set_index("friche").loc[valides.index[~valides.index.duplicated()]]
    attendues = valides[~valides.index.duplicated()].area
    assert (communs["surface_ha"] * 10_000 - attendues).abs().max() < 1
    assert "invalide(s), réparée(s)" in messages(constats)

"""Fichiers déposés : formats reçus, fautes dites, rien de caché lu."""

from __future__ import annotations

import io
import json
import zipfile

import geopandas as gpd
import pytest
import shapely

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.lecture.vecteur import lire_couche
from donnees_geo.thematiques import couches_deposees
from donnees_geo.thematiques.couches_deposees import lire_couche_deposee

L93 = "EPSG:2154"
X, Y = 670_000.0, 7_050_000.0
EMPRISE = shapely.box(X, Y, X + 10_000, Y + 10_000)
POINTS = gpd.GeoDataFrame(
    {"nom": ["a", "b"], "note": [1.5, 4.0]},
    geometry=[shapely.Point(X + 500, Y + 500), shapely.Point(X + 900, Y + 700)],
    crs=L93,
)


def deposer(nom, contenu):
    return lire_couche_deposee(nom, contenu, L93, EMPRISE)


def geojson(table):
    return table.to_crs(4326).to_json().encode()


def entites(*geometries):
    return json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "properties": {"n": i}, "geometry": g}
                for i, g in enumerate(geometries)
            ],
        }
    ).encode()


def archive(**membres):
    tampon = io.BytesIO()
    with zipfile.ZipFile(tampon, "w", zipfile.ZIP_DEFLATED) as ouverte:
        for nom, contenu in membres.items():
            ouverte.writestr(nom.replace("__", "."), contenu)
    return tampon.getvalue()


def shapefile(dossier, suffixes):
    POINTS.to_file(dossier / "s.shp")
    return archive(**{f"s__{s}": (dossier / f"s.{s}").read_bytes() for s in suffixes})


def test_les_formats_d_un_planificateur_sont_recus(tmp_path):
    POINTS.to_file(tmp_path / "c.gpkg")
    POINTS.to_crs(4326).to_file(tmp_path / "c.kml", driver="KML")
    degres = POINTS.to_crs(4326).geometry
    csv = "nom;lon;lat\n" + "\n".join(f"é;{p.x};{p.y}" for p in degres)
    contenus = {
        "Ma couche.GPKG": (tmp_path / "c.gpkg").read_bytes(),
        "c.kml": (tmp_path / "c.kml").read_bytes(),
        "c.geojson": geojson(POINTS),
        "c.zip": shapefile(tmp_path, ("shp", "shx", "dbf", "prj")),
        "c.csv": csv.encode("latin-1"),
    }
    for nom, contenu in contenus.items():
        table, constats = deposer(nom, contenu)
        assert table.crs == L93, nom
        assert table.geometry.x.tolist() == pytest.approx([X + 500, X + 900], abs=0.5), nom
        assert constats == [], nom


def test_un_shapefile_sans_prj_est_reconnu_et_dit(tmp_path):
    table, constats = deposer("parcs.zip", shapefile(tmp_path, ("shp", "shx", "dbf")))
    assert len(table) == 2
    assert "parcs.zip ne dit pas son CRS ; EPSG:2154" in constats[0].message


def test_un_objet_sans_geometrie_ou_dehors_est_compte():
    point = json.loads(geojson(POINTS))["features"][0]["geometry"]
    loin = {"type": "Point", "coordinates": [-1.0, 47.0]}
    table, constats = deposer("m.geojson", entites(point, None, loin))
    assert len(table) == 2
    textes = " ".join(c.message for c in constats)
    assert "1 objet(s) sans géométrie, écarté(s)." in textes
    assert "1 objet(s) sur 2 hors du territoire." in textes


@pytest.mark.parametrize("suffixe", ["gpkg", "geojson", "shp"])
def test_un_filtre_d_emprise_ne_fait_pas_taire_les_objets_sans_geometrie(tmp_path, suffixe):
    trouee = POINTS.set_geometry(gpd.GeoSeries([POINTS.geometry[0], None], crs=L93))
    trouee.to_file(tmp_path / f"t.{suffixe}")
    table, constats = lire_couche(tmp_path / f"t.{suffixe}", L93, emprise=EMPRISE)
    assert len(table) == 1
    assert [c.message for c in constats] == ["1 objet(s) sans géométrie, écarté(s)."]


def inverse():
    retournee = shapely.transform(POINTS.to_crs(4326).geometry.to_numpy(), lambda xy: xy[:, ::-1])
    return POINTS.drop(columns="geometry").assign(geometry=retournee)


FAUTES = {
    "axes échangés": (
        "i.geojson",
        lambda: gpd.GeoDataFrame(inverse(), crs=4326).to_json().encode(),
        "axes de la couche sont échangés",
    ),
    "loin": (
        "l.geojson",
        lambda: entites({"type": "Point", "coordinates": [-1.5, 47.2]}),
        "Aucun objet de la couche n'est dans le territoire",
    ),
    "sans objet": ("v.geojson", entites, "ne contient aucun objet"),
    "sans géométrie": ("s.geojson", lambda: entites(None), "Aucun objet de la couche n'a de géom"),
    "vide": ("v.gpkg", lambda: b"", "Fichier vide"),
    "texte": ("t.geojson", lambda: b"bonjour", "Le contenu du fichier n'est pas du GeoJSON"),
    "suffixe": ("v.exe", lambda: b"MZ", "Ce format de fichier n'est pas reçu"),
    "shp seul": ("c.shp", lambda: b"\x00\x00\x27\x0a", "déposez un zip"),
    "sans coordonnées": ("c.csv", lambda: b"nom;valeur\na;1\n", "ne porte pas de géométrie"),
    "faux zip": ("c.zip", lambda: b"PK\x03\x04non", "Archive illisible"),
    "évasion": ("c.zip", lambda: archive(**{"../../x__shp": b"x"}), "sortirait du dossier"),
    "bombe": ("c.zip", lambda: archive(b__geojson=bytes(101 * 2**20)), "se déploie démesurément"),
    "CRS inconnu": (
        "c.csv",
        lambda: b"nom;x;y\na;12;900000000\nb;13;900000001\n",
        "ne dit pas son CRS",
    ),
}


@pytest.mark.parametrize("cas", FAUTES)
def test_une_faute_est_dite_avec_le_nom_du_fichier_et_un_conseil(cas):
    nom, contenu, attendu = FAUTES[cas]
    with pytest.raises(ErreurDonnees) as levee:
        deposer(nom, contenu())
    texte = str(levee.value)
    assert attendu in texte
    assert levee.value.objet == nom
    assert levee.value.conseil
    assert "demi-heure-" not in texte
    assert "manifeste" not in texte


def test_un_shapefile_incomplet_le_dit(tmp_path):
    with pytest.raises(ErreurDonnees, match="shapefile est incomplet") as levee:
        deposer("c.zip", shapefile(tmp_path, ("shp", "prj")))
    assert levee.value.trouve == "sans .shx ni .dbf"


def test_une_source_virtuelle_deguisee_n_ouvre_rien(tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("nom,lon,lat\nsecret,2.6,50.5\n", encoding="utf-8")
    virtuelle = (
        '<OGRVRTDataSource><OGRVRTLayer name="secret">'
        f"<SrcDataSource>{secret}</SrcDataSource><LayerSRS>WGS84</LayerSRS>"
        '<GeometryField encoding="PointFromColumns" x="lon" y="lat"/>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    ).encode()
    for nom in ("v.geojson", "v.json", "v.kml", "v.gpkg"):
        with pytest.raises(ErreurDonnees, match="Le contenu du fichier n'est pas du"):
            deposer(nom, virtuelle)
    with pytest.raises(ErreurDonnees, match="Le contenu du fichier n'est pas du shapefile"):
        deposer("v.zip", archive(v__shp=virtuelle, v__shx=b"", v__dbf=b""))


def test_les_bornes_d_un_depot(monkeypatch):
    monkeypatch.setattr(couches_deposees, "DEPOT_MAX_OBJETS", 1)
    with pytest.raises(ErreurDonnees, match="trop d'objets") as levee:
        deposer("c.geojson", geojson(POINTS))
    assert levee.value.trouve == "2 objets, 2 sommets"
    monkeypatch.setattr(couches_deposees, "DEPOT_MAX_OCTETS", 100)
    with pytest.raises(ErreurDonnees, match="trop lourd"):
        deposer("c.geojson", geojson(POINTS))


def test_un_chemin_dans_le_nom_ne_mene_nulle_part(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table, _ = deposer("..\\..\\etc/passwd.geojson", geojson(POINTS))
    assert len(table) == 2
    assert list(tmp_path.iterdir()) == []

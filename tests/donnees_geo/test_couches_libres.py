"""Couches libres, contexte de planification, aiguillage du manifeste, entrées fautives."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from donnees_geo.configuration.croisements import lire_parametres_croisements, verifier_poids
from donnees_geo.configuration.parametres import lire_services
from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees, Gravite
from donnees_geo.lecture.flux import lire_blocs_arrow, lire_entete
from donnees_geo.lecture.tables import FluxGuillemets
from donnees_geo.thematiques.contexte import lire_communes_programme, lire_zonage_urbanisme
from donnees_geo.thematiques.couches_libres import decrire_colonnes, lire_couche_libre
from donnees_geo.thematiques.ensemble import CadreCouches, lire_couches_thematiques

L93 = "EPSG:2154"
X, Y = 670_000.0, 7_050_000.0
COMMUNES = gpd.GeoDataFrame(
    {"code_commune": ["62001", "62002"], "nom": ["Ouest", "Est"]},
    geometry=[shapely.box(X, Y, X + 1e3, Y + 1e3), shapely.box(X + 1e3, Y, X + 2e3, Y + 1e3)],
    crs=L93,
)
EMPRISE = COMMUNES.union_all().buffer(500)


def couche(geometries, **colonnes) -> gpd.GeoDataFrame:
    colonnes = colonnes or {"nom": [f"o{i}" for i in range(len(geometries))]}
    return gpd.GeoDataFrame(colonnes, geometry=geometries, crs=L93)


def carre(dx: float = 0.0, cote: float = 100.0) -> shapely.Polygon:
    return shapely.box(X + dx, Y, X + dx + cote, Y + cote)


def messages(constats) -> str:
    return "\n".join(f"{c.objet} : {c.message}" for c in constats)


def test_formats_dun_planificateur(tmp_path):
    source = couche([carre()], nom=["Pôle d'échanges"])
    source.to_file(tmp_path / "a.gpkg")
    source.to_crs(4326).to_file(tmp_path / "a.geojson")
    source.to_crs(4326).to_file(tmp_path / "a.kml", driver="KML")
    source.to_file(tmp_path / "b.shp", encoding="ISO-8859-1")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for suffixe in ("shp", "shx", "dbf", "prj"):
            archive.write(tmp_path / f"b.{suffixe}", f"b.{suffixe}")
    for suffixe in ("gpkg", "geojson", "kml", "zip"):
        lue, _ = lire_couche_libre(tmp_path / f"a.{suffixe}", L93, EMPRISE)
        assert lue.geometry.area.tolist() == pytest.approx([10_000], abs=1), suffixe
        assert "Pôle d'échanges" in lue.to_csv(), suffixe


def test_types_meles_et_colonnes_personnelles(tmp_path):
    melee = couche(
        [carre(), shapely.Point(X, Y, 12.0)], nom=["a", "b"], Proprio_Nom=["DUPONT", "DURAND"]
    )
    melee.to_file(tmp_path / "m.gpkg")
    lue, constats = lire_couche_libre(tmp_path / "m.gpkg", L93, EMPRISE)
    assert "Proprio_Nom" not in lue
    assert not lue.geometry.has_z.any()
    assert "types de géométrie mêlés (points et surfaces)" in messages(constats)
    assert "désignent des personnes" in messages(constats)


def test_axes_echanges_expliques(tmp_path):
    geo = couche([shapely.Point(X + 10, Y + 10)]).to_crs(4326)
    inverse = geo.set_geometry(shapely.transform(geo.geometry.to_numpy(), lambda xy: xy[:, ::-1]))
    inverse.set_crs(4326, allow_override=True).to_file(tmp_path / "i.geojson")
    with pytest.raises(ErreurDonnees, match="axes de la couche sont échangés"):
        lire_couche_libre(tmp_path / "i.geojson", L93, EMPRISE)


def test_fichier_trop_lourd(tmp_path, monkeypatch):
    monkeypatch.setattr("donnees_geo.thematiques.couches_libres.TAILLE_MAX_OCTETS", 50)
    couche([carre()]).to_file(tmp_path / "l.geojson")
    with pytest.raises(ErreurDonnees, match="trop lourd") as erreur:
        lire_couche_libre(tmp_path / "l.geojson", L93, EMPRISE)
    assert "GeoPackage" in str(erreur.value)
    couche([carre()]).to_file(tmp_path / "l.gpkg")  # lu par son index : aucune limite
    assert len(lire_couche_libre(tmp_path / "l.gpkg", L93, EMPRISE)[0]) == 1


def test_colonnes_de_style():
    table = couche(
        [carre()] * 4,
        pente=[1.0, 2.0, None, 4.0],
        classe=["b", "a", "NA", "a"],
        constante=["x"] * 4,
        ouvert=[True, False, True, True],
    )
    decrites = {c.nom: c for c in decrire_colonnes(table)}
    assert set(decrites) == {"pente", "classe", "ouvert"}
    assert (decrites["pente"].nature, decrites["pente"].valeurs) == ("numerique", (1.0, 4.0))
    assert decrites["pente"].manquantes == decrites["classe"].manquantes == 1
    assert decrites["classe"].valeurs == ("a", "b")


def test_zonage_et_programme(tmp_path):
    couche(
        [carre(), carre(200), carre(400)], LIBELLE=["UA", "1AUh", "Z?"], TYPEZONE=["U", "AUc", "?"]
    ).to_file(tmp_path / "ZONE_URBA.shp")
    zones, constats = lire_zonage_urbanisme(tmp_path / "ZONE_URBA.shp", L93, EMPRISE, "plu")
    assert zones["classe"].tolist() == ["U", "AU", ""]
    assert zones["libelle"].tolist() == ["UA", "1AUh", "Z?"]
    assert "1 zone(s) d'un type inconnu" in messages(constats)
    (tmp_path / "pvd.csv").write_text("insee_com;lib_com;id_pvd\n62002;Est;1\n59000;Lille;2\n")
    communes, constats = lire_communes_programme(tmp_path / "pvd.csv", COMMUNES, "pvd")
    assert communes["libelle"].tolist() == ["Est"]
    assert constats == []


def test_une_couche_fautive_narrete_pas_les_autres(tmp_path):
    couche([carre()], typereg=["03"]).to_file(tmp_path / "ppr.gpkg")
    couche([carre()], scenario=["01For"]).to_file(tmp_path / "n_tri_x_inondable_01_01for_s_062.shp")
    couche([carre()]).to_file(tmp_path / "libre.gpkg")
    (tmp_path / "pvd.csv").write_text("insee_com;id_pvd\n62001;1\n")
    (tmp_path / "casse.gpkg").write_bytes(b"rien de bon")
    (tmp_path / "vide.geojson").write_text('{"type":"FeatureCollection","features":[]}')
    fichiers = {
        "friches": tmp_path / "absent.csv",
        "zones_inondables": tmp_path / "ppr.gpkg",
        "tri_frequent": tmp_path / "n_tri_x_inondable_01_01for_s_062.shp",
        "projets": tmp_path / "libre.gpkg",
        "pvd": tmp_path / "pvd.csv",
        "casse": tmp_path / "casse.gpkg",
        "vide": tmp_path / "vide.geojson",
    }
    couches, constats = lire_couches_thematiques(fichiers, CadreCouches(L93, EMPRISE, COMMUNES))
    assert set(couches) == {"zones_inondables", "projets", "pvd"}
    assert couches["zones_inondables"]["famille"].tolist() == ["reglement", "tri"]
    laissees = {c.objet for c in constats if "laissée de côté" in c.message}
    assert laissees == {"couches.friches", "couches.casse", "couches.vide"}
    assert {c.gravite for c in constats if "laissée" in c.message} == {Gravite.MAJEUR}


def test_marches_et_commerces_d_osm_a_defaut_de_fichier():
    osm = gpd.GeoDataFrame(
        {
            "service": ["marche", "commerce.boulangerie", "commerce.vacant", "mairie"],
            "nom": ["Halle", "Pain", "", "Mairie"],
            "id_source": ["n1", "n2", "n3", "n4"],
            "opening_hours": ["Sa 08:00-12:00", "", "", ""],
        },
        geometry=[shapely.Point(X + 10 * i, Y) for i in range(4)],
        crs=L93,
    )
    couches, _ = lire_couches_thematiques(
        {}, CadreCouches(L93, EMPRISE, COMMUNES, equipements_osm=osm)
    )
    assert couches["marches"][["nom", "jour"]].values.tolist() == [["Halle", 5]]
    assert couches["commerces"][["categorie", "vacant", "code_commune"]].values.tolist() == [
        ["boulangerie", False, "62001"],
        ["autre", True, "62001"],
    ]


def test_hypotheses_des_croisements(tmp_path):
    hypotheses = lire_parametres_croisements()
    assert set(hypotheses.services_en_local) <= {s.id for s in lire_services()}
    assert hypotheses.notes_urbanisme["U"] == 1.0
    fichier = tmp_path / "c.toml"
    texte = Path("parametres/croisements.toml").read_text(encoding="utf-8")
    fichier.write_text(
        texte.replace("population = 3", "popluation = -3").replace("U = 1.0", "U = 7"),
        encoding="utf-8",
    )
    with pytest.raises(ErreurConfiguration) as erreur:
        lire_parametres_croisements(fichier)
    for mot in ("popluation", "entre 0 et 1", "population : poids absent"):
        assert mot in str(erreur.value)
    with pytest.raises(ErreurConfiguration, match="poids du classement"):
        verifier_poids({"population": 0.0})


@pytest.mark.parametrize(
    ("brut", "attendu"),
    [
        (rb'"a \"b\" c";1', b'"a ""b"" c";1'),
        (rb'"fin \"x\"";1', b'"fin ""x""";1'),
        (rb'"barre\";1' + b"\n", rb'"barre\";1' + b"\n"),
        (rb'"virgule \"x\", z";1', b'"virgule ""x"", z";1'),
        (b"", b""),
    ],
)
def test_guillemets_echappes_meme_coupes_entre_deux_blocs(brut, attendu):
    class Goutte(io.BytesIO):
        def read(self, taille: int | None = -1) -> bytes:
            return super().read(1)  # le pire découpage

    assert FluxGuillemets(Goutte(brut), ";").read() == attendu


def test_flux_arrow_csv_et_parquet(tmp_path):
    table = pd.DataFrame({"SIRET": ["01", "02"], "Autre": ["a", "b"], "vide": ["", "x"]})
    table.to_csv(tmp_path / "t.csv", index=False)
    table.to_parquet(tmp_path / "t.parquet")
    alias = {"siret": ("siret",), "vide": ("vide",)}
    for nom in ("t.csv", "t.parquet"):
        assert lire_entete(tmp_path / nom) == ["SIRET", "Autre", "vide"]
        blocs = [b.to_pydict() for b in lire_blocs_arrow(tmp_path / nom, alias)]
        assert blocs == [{"siret": ["01", "02"], "vide": ["", "x"]}]
    with pytest.raises(ErreurDonnees, match="Colonne absente"):
        list(lire_blocs_arrow(tmp_path / "t.csv", {"naf": ("naf",)}))

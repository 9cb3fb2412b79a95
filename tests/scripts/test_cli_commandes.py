"""Les commandes de bout en bout, sur un petit territoire écrit dans les formats publiés."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyproj
import pytest
import rasterio

from scripts import cli
from tests.fabriques.carte_osm import CRS_CARTE, ORIGINE
from tests.fabriques.sources_territoire import ecrire_sources


def lancer(*arguments: object) -> int:
    """Code de retour d'une commande."""
    try:
        return cli.principal([str(argument) for argument in arguments])
    except SystemExit as sortie:
        return int(sortie.code or 0)


def degres(x: float, y: float) -> tuple[float, float]:
    """Longitude et latitude d'un point, en mètres depuis le coin du territoire."""
    vers = pyproj.Transformer.from_crs(CRS_CARTE, "EPSG:4326", always_xy=True)
    lon, lat = vers.transform(ORIGINE[0] + x, ORIGINE[1] + y)
    return lon, lat


CENTRE = degres(1_000, 1_000)


@pytest.fixture(scope="module")
def manifeste(tmp_path_factory) -> Path:
    return ecrire_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def prepare(manifeste, tmp_path_factory) -> Path:
    dossier = tmp_path_factory.mktemp("prepare") / "territoire"
    assert lancer("preparer", manifeste, "--sortie", dossier) == 0
    return dossier


def isochrone(prepare: Path, sortie: Path, *options: object, mode: str = "marche") -> int:
    return lancer(
        *("isochrone", prepare, "--lon", CENTRE[0], "--lat", CENTRE[1], "--mode", mode),
        *("--minutes", "5,10", "--sortie", sortie, *options),
    )


def empreintes(dossier: Path) -> dict[str, str]:
    return {
        str(f.relative_to(dossier)): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in sorted(dossier.rglob("*"))
        if f.is_file()
    }


def test_verifier_enumere_les_constats(manifeste, capsys):
    assert lancer("verifier", manifeste) == 0
    sortie = capsys.readouterr().out
    assert "Val d'Essai" in sortie
    assert sortie.splitlines()[-1].startswith("0 bloquant, ")


def test_verifier_nomme_le_manifeste_comme_on_l_a_demande(manifeste, capsys, monkeypatch):
    monkeypatch.chdir(manifeste.parent)
    assert lancer("verifier", manifeste.name) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith(f"— {manifeste.name}")


def test_verifier_rend_1_et_nomme_la_source_absente(manifeste, tmp_path, capsys):
    texte = manifeste.read_text(encoding="utf-8").replace("rues.osm.pbf", "routes.osm.pbf")
    for source in manifeste.parent.iterdir():
        if source.is_file() and source != manifeste:
            (tmp_path / source.name).write_bytes(source.read_bytes())
    (tmp_path / "territoire.toml").write_text(texte, encoding="utf-8")
    assert lancer("verifier", tmp_path / "territoire.toml") == 1
    sortie = capsys.readouterr().out
    assert "bloquant" in sortie
    assert "routes.osm.pbf" in sortie.replace("\n", "")


def test_manifeste_avec_une_faute_de_frappe(manifeste, tmp_path, capsys):
    fautif = tmp_path / "t.toml"
    fautif.write_text(
        manifeste.read_text(encoding="utf-8").replace("[population]", "[populations]"),
        encoding="utf-8",
    )
    assert lancer("preparer", fautif, "--sortie", tmp_path / "p") == 1
    erreur = capsys.readouterr().err
    assert erreur.startswith("Erreur : ")
    assert "populations" in erreur and "population" in erreur
    assert not (tmp_path / "p").exists()


def test_preparer_deux_fois_ne_refait_rien(manifeste, prepare, capsys):
    avant = empreintes(prepare)
    assert lancer("preparer", manifeste, "--sortie", prepare) == 0
    assert "à jour" in capsys.readouterr().out
    assert empreintes(prepare) == avant


def test_isochrone_emboitee_avec_ses_hypotheses(prepare, tmp_path, capsys):
    sortie = tmp_path / "iso.geojson"
    assert isochrone(prepare, sortie, "--vitesse", "4,5") == 0
    texte = capsys.readouterr().out
    assert "4,5 km/h" in texte and "Données fictives" in texte
    table = gpd.read_file(sortie).set_index("minutes")
    assert table.crs.to_epsg() == 4326
    assert table.loc[10, "geometry"].buffer(1e-9).covers(table.loc[5, "geometry"])
    assert set(table["mode"]) == {"marche"} and set(table["sens"]) == {"depuis"}
    assert table["donnees_fictives"].all()
    assert table["hypotheses"].str.contains("4,5 km/h").all()
    assert list(tmp_path.iterdir()) == [sortie]


def test_habitants_comptes_sur_le_reseau(prepare, tmp_path):
    """Le territoire entier tient à moins d'une heure de marche : tous ses habitants comptent."""
    sortie = tmp_path / "iso.gpkg"
    lon, lat = CENTRE
    assert (
        lancer(
            *("isochrone", prepare, "--lon", lon, "--lat", lat, "--mode", "marche"),
            *("--minutes", "1,60", "--sortie", sortie),
        )
        == 0
    )
    table = gpd.read_file(sortie).set_index("minutes")
    carreaux = gpd.read_parquet(next(prepare.rglob("carreaux.parquet")))
    assert table.loc[60, "population_hab"] == pytest.approx(carreaux["population_hab"].sum())
    assert table.loc[1, "population_hab"] < table.loc[60, "population_hab"]
    assert table.crs.to_epsg() == 2154


@pytest.mark.parametrize("mode", ["velo", "voiture"])
def test_isochrone_des_autres_modes(mode, prepare, tmp_path):
    sortie = tmp_path / "iso.gpkg"
    assert isochrone(prepare, sortie, "--sens", "vers", mode=mode) == 0
    assert (gpd.read_file(sortie).area > 10_000).all()


def test_isochrone_en_raster_de_secondes(prepare, tmp_path):
    sortie = tmp_path / "iso.tif"
    assert isochrone(prepare, sortie) == 0
    with rasterio.open(sortie) as raster:
        valeurs = raster.read(1, masked=True)
        assert raster.crs.to_epsg() == 2154
    assert 0 <= valeurs.min() < 120
    assert valeurs.max() <= 600


def test_longitude_et_latitude_inversees(prepare, tmp_path, capsys):
    lon, lat = CENTRE
    code = lancer(
        *("isochrone", prepare, "--lon", lat, "--lat", lon, "--mode", "marche"),
        *("--minutes", "5", "--sortie", tmp_path / "a.gpkg"),
    )
    assert code == 1
    erreur = capsys.readouterr().err
    assert "semblent inversées" in erreur
    assert list(tmp_path.iterdir()) == []


def test_point_hors_du_territoire(prepare, tmp_path, capsys):
    code = lancer(
        *("isochrone", prepare, "--lon", "-70", "--lat", "10", "--mode", "marche"),
        *("--minutes", "5", "--sortie", tmp_path / "a.gpkg"),
    )
    assert code == 1
    erreur = capsys.readouterr().err
    assert "hors du réseau de rues" in erreur
    assert "longitude de" in erreur and "inversées" not in erreur


@pytest.mark.parametrize(
    ("options", "attendu"),
    [
        (["--depart", "2026-03-17T07:00"], "ne règlent que le transport collectif"),
        (["--parametres", "absent.toml"], "absent.toml"),
    ],
)
def test_demande_impossible(options, attendu, prepare, tmp_path, capsys):
    assert isochrone(prepare, tmp_path / "a.gpkg", *options) == 1
    assert attendu in capsys.readouterr().err


def test_dossier_qui_n_est_pas_prepare(tmp_path, capsys):
    assert isochrone(tmp_path, tmp_path / "a.gpkg") == 1
    assert "pas un territoire préparé" in capsys.readouterr().err


def test_vitesse_imposee_a_la_voiture(prepare, tmp_path, capsys):
    assert isochrone(prepare, tmp_path / "a.gpkg", "--vitesse", "30", mode="voiture") == 1
    assert "vitesse" in capsys.readouterr().err


@pytest.fixture
def points(tmp_path) -> Path:
    """Trois points : deux sur des rues à 1 km l'un de l'autre, un à l'autre bout."""
    fichier = tmp_path / "points.csv"
    with fichier.open("w", encoding="utf-8", newline="") as flux:
        redacteur = csv.writer(flux)
        redacteur.writerow(("id", "lon", "lat"))
        for nom, x, y in (("a", 400, 400), ("b", 1_400, 400), ("c", 1_400, 1_400)):
            redacteur.writerow((nom, *degres(x, y)))
    return fichier


def test_temps_entre_points(prepare, points, tmp_path, capsys):
    """Damier de rues : 1 000 m à 3,6 km/h font 1 000 s, et 2 000 s pour un côté de plus."""
    sortie = tmp_path / "t.csv"
    code = lancer(
        *("temps", prepare, "--origines", points, "--destinations", points),
        *("--mode", "marche", "--vitesse", "3.6", "--sortie", sortie),
    )
    assert code == 0
    assert "9 temps à pied, dont 0 inaccessible(s)" in capsys.readouterr().out
    table = pd.read_csv(sortie).set_index(["id_origine", "id_destination"])["secondes"]
    assert table.index.tolist() == [(o, d) for o in "abc" for d in "abc"]
    assert table["a", "a"] == pytest.approx(0, abs=1)
    assert table["a", "b"] == pytest.approx(1_000, abs=3)
    assert table["a", "c"] == pytest.approx(2_000, abs=5)
    assert table["c", "a"] == pytest.approx(table["a", "c"], abs=0.2)


def test_temps_par_lots_identiques(prepare, points, tmp_path, monkeypatch):
    resultats = []
    for couples in (1, 4_000_000):
        monkeypatch.setattr("scripts.commandes.temps.COUPLES_PAR_LOT", couples)
        sortie = tmp_path / f"t{couples}.csv"
        code = lancer(
            *("temps", prepare, "--origines", points, "--destinations", points),
            *("--mode", "velo", "--sortie", sortie),
        )
        assert code == 0
        resultats.append(sortie.read_bytes())
    assert resultats[0] == resultats[1]


def test_temps_ne_detruit_pas_l_ancien_fichier(prepare, points, tmp_path, monkeypatch, capsys):
    sortie = tmp_path / "t.csv"
    sortie.write_text("ancien", encoding="utf-8")

    def disque_plein(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scripts.commandes.temps._ecrire_lot", disque_plein)
    code = lancer(
        *("temps", prepare, "--origines", points, "--destinations", points),
        *("--mode", "marche", "--sortie", sortie),
    )
    assert code == 1
    assert capsys.readouterr().err.startswith("Erreur : ")
    assert sortie.read_text(encoding="utf-8") == "ancien"
    assert sorted(f.name for f in tmp_path.iterdir()) == ["points.csv", "t.csv"]


def test_colonnes_de_points_absentes(prepare, tmp_path, capsys):
    fichier = tmp_path / "p.csv"
    fichier.write_text("nom;longitude\nx;2,6\n", encoding="utf-8")
    code = lancer(
        *("temps", prepare, "--origines", fichier, "--destinations", fichier),
        *("--mode", "marche", "--sortie", tmp_path / "t.csv"),
    )
    assert code == 1
    erreur = capsys.readouterr().err
    assert "lat" in erreur and "p.csv" in erreur


def test_diagnostiquer_ecrit_les_trois_tables(prepare, tmp_path, capsys):
    resultats = tmp_path / "resultats"
    assert lancer("diagnostiquer", prepare, "--sortie", resultats) == 0
    texte = capsys.readouterr().out
    assert "Données fictives" in texte and "part desservie" in texte
    ecrits = {f.name for f in resultats.iterdir()}
    assert {"acces_carreaux.parquet", "carences.csv", "indicateurs.csv", "resultat.json"} <= ecrits
    analyses = json.loads((resultats / "resultat.json").read_text(encoding="utf-8"))["analyses"]
    assert {"niveaux", "paniers", "indice", "choix"} <= set(analyses)
    assert {f"{nom}.csv" for nom in analyses} <= ecrits
    assert all(f in texte for f in ecrits - {"resultat.json"})
    octets = (resultats / "indicateurs.csv").read_bytes()
    assert not octets.startswith(b"\xef\xbb\xbf") and b"\r" not in octets
    entete = octets.split(b"\n", 1)[0].decode()
    assert entete == (
        "zone_type,zone_code,zone_nom,palier,fonction,service,mode,seuil_s,"
        "population_hab,population_desservie_hab,part_desservie,temps_median_s"
    )
    indicateurs = pd.read_csv(resultats / "indicateurs.csv", dtype={"zone_code": str})
    acces = pd.read_parquet(resultats / "acces_carreaux.parquet")
    territoire = indicateurs[indicateurs["zone_type"] == "territoire"]
    assert territoire["population_hab"].to_numpy() == pytest.approx(acces["population_hab"].sum())
    parts = indicateurs["part_desservie"].dropna()
    assert parts.between(0, 1).all()


def test_diagnostiquer_deux_fois_donne_les_memes_octets(prepare, tmp_path):
    for nom in ("un", "deux"):
        assert lancer("diagnostiquer", prepare, "--sortie", tmp_path / nom) == 0
    descriptions = [
        json.loads((tmp_path / n / "resultat.json").read_text()) for n in ("un", "deux")
    ]
    for nom, description in zip(("un", "deux"), descriptions, strict=True):
        assert description.pop("durees_s")
        (tmp_path / nom / "resultat.json").unlink()
    assert descriptions[0] == descriptions[1]
    assert empreintes(tmp_path / "un") == empreintes(tmp_path / "deux")
    # Le visualiseur ouvrira cette étude ; un diagnostic partiel ne la remplace pas.
    (prepare / "etude" / "resultat.json").unlink()
    assert empreintes(prepare / "etude") == empreintes(tmp_path / "deux")
    partiel = tmp_path / "partiel"
    assert lancer("diagnostiquer", prepare, "--modes", "marche", "--sortie", partiel) == 0
    assert empreintes(prepare / "etude") == empreintes(tmp_path / "deux")
    assert empreintes(partiel) != empreintes(tmp_path / "deux")


def test_diagnostiquer_refuse_un_fichier_pour_sortie(prepare, tmp_path, capsys):
    fichier = tmp_path / "resultats"
    fichier.write_text("x", encoding="utf-8")
    assert lancer("diagnostiquer", prepare, "--sortie", fichier) == 1
    assert "doit être un dossier" in capsys.readouterr().err


def test_le_banc_dit_ce_qu_il_lui_faut(capsys):
    assert lancer("banc") == 1
    erreur = capsys.readouterr().err
    assert "rien à mesurer" in erreur and "demi-heure banc donnees/demo" in erreur

"""Transport collectif en ligne de commande : temps prédits à la main sur une ligne de car."""

from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from scripts.commandes.transport import heure_fr
from tests.fabriques.flux_gtfs import passages_csv
from tests.fabriques.sources_territoire import ecrire_sources
from tests.scripts.test_cli_commandes import degres, lancer

JOUR = "2026-03-17"
ARRETS = {"OUEST": (200, 1_000), "EST": (1_800, 1_000)}
TRAJET_S = 240


def ecrire_ligne(dossier: Path) -> None:
    """Un car toutes les dix minutes (6 h 00 min 30 s…), quatre minutes de trajet, le mardi."""
    positions = {nom: degres(*place) for nom, place in ARRETS.items()}
    arrets = "".join(
        f"{nom},{nom.title()},{lat:.9f},{lon:.9f}\n" for nom, (lon, lat) in positions.items()
    )
    departs = range(6 * 3600 + 30, 10 * 3600, 600)
    courses = {f"c{d}": [("OUEST", d), ("EST", d + TRAJET_S)] for d in departs}
    with zipfile.ZipFile(dossier / "car.zip", "w") as archive:
        archive.writestr("stops.txt", "stop_id,stop_name,stop_lat,stop_lon\n" + arrets)
        archive.writestr("stop_times.txt", passages_csv(courses))
        archive.writestr(
            "trips.txt",
            "route_id,service_id,trip_id\n" + "".join(f"L,mardi,{c}\n" for c in courses),
        )
        archive.writestr("routes.txt", "route_id,route_short_name,route_type\nL,1,3\n")
        archive.writestr(
            "agency.txt",
            "agency_name,agency_url,agency_timezone\nCars,https://exemple.invalid,Europe/Paris\n",
        )
        archive.writestr(
            "calendar.txt",
            "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,"
            "end_date\nmardi,0,1,0,0,0,0,0,20260101,20260630\n",
        )


@pytest.fixture(scope="module")
def prepare(tmp_path_factory) -> Path:
    sources = tmp_path_factory.mktemp("sources_tc")
    manifeste = ecrire_sources(sources)
    ecrire_ligne(sources)
    texte = manifeste.read_text(encoding="utf-8")
    transport = f'[transport]\ngtfs = ["car.zip"]\ndate_service = {JOUR}\n'
    manifeste.write_text(texte + transport, encoding="utf-8")
    dossier = tmp_path_factory.mktemp("prepare_tc") / "territoire"
    assert lancer("preparer", manifeste, "--sortie", dossier) == 0
    return dossier


@pytest.fixture
def points(tmp_path) -> Path:
    lignes = [f"{nom},{','.join(map(str, degres(*place)))}" for nom, place in ARRETS.items()]
    fichier = tmp_path / "points.csv"
    fichier.write_text("\n".join(["id,lon,lat", *lignes]) + "\n", encoding="utf-8")
    return fichier


def temps(prepare: Path, points: Path, *options: object) -> pd.DataFrame:
    sortie = points.with_name("t.csv")
    code = lancer(
        *("temps", prepare, "--origines", points, "--destinations", points, "--mode", "tc"),
        *("--vitesse", "3.6", "--sortie", sortie, *options),
    )
    assert code == 0
    return pd.read_csv(sortie).set_index(["id_origine", "id_destination"])


def test_centiles_d_une_ligne_aux_dix_minutes(prepare, points):
    """61 départs : attente de 90 s (la marge de 60 s comprise) à 630 s, puis 240 s de car.

    Les temps valent 330, 390… 810 s six fois chacun et 870 s sept fois : le 31ᵉ est 630 s.
    """
    table = temps(prepare, points, "--fenetre", "60", "--centile", "5,50,95")
    assert list(table.columns) == ["secondes_p5", "secondes_p50", "secondes_p95"]
    aller = table.loc[("OUEST", "EST")]
    assert aller.to_list() == pytest.approx([330, 630, 870], abs=3)


def test_sans_car_dans_l_autre_sens_on_marche(prepare, points):
    """1 600 m à 3,6 km/h : 1 600 s ; en car, l'aller garde sa médiane de 630 s."""
    table = temps(prepare, points, "--fenetre", "60")
    assert list(table.columns) == ["secondes"]
    assert table.loc[("EST", "OUEST"), "secondes"] == pytest.approx(1_600, abs=3)
    assert table.loc[("OUEST", "EST"), "secondes"] == pytest.approx(630, abs=3)


def test_au_dela_de_la_duree_maximale_rien_n_est_atteint(prepare, points):
    table = temps(prepare, points, "--fenetre", "60", "--duree-max", "20")
    assert pd.isna(table.loc[("EST", "OUEST"), "secondes"])
    assert table.loc[("OUEST", "EST"), "secondes"] == pytest.approx(630, abs=3)


def test_un_arret_trop_loin_a_pied_ne_sert_pas(prepare, points, tmp_path):
    """À 200 m de l'arrêt, 100 m de marche au plus interdisent le car : on marche 1 800 m."""
    depart = tmp_path / "depart.csv"
    lon, lat = degres(200, 800)
    depart.write_text(f"id,lon,lat\nSUD,{lon},{lat}\n", encoding="utf-8")
    for marche_max, attendu in (("1000", 830), ("100", 1_800)):
        sortie = tmp_path / "loin.csv"
        code = lancer(
            *("temps", prepare, "--origines", depart, "--destinations", points, "--mode", "tc"),
            *("--vitesse", "3.6", "--fenetre", "60", "--marche-max", marche_max),
            *("--sortie", sortie),
        )
        assert code == 0
        table = pd.read_csv(sortie).set_index("id_destination")["secondes"]
        assert table["EST"] == pytest.approx(attendu, abs=31)


def test_isochrone_en_transport_collectif(prepare, tmp_path, capsys):
    lon, lat = degres(*ARRETS["OUEST"])
    sortie = tmp_path / "tc.gpkg"
    code = lancer(
        *("isochrone", prepare, "--lon", lon, "--lat", lat, "--mode", "tc"),
        *("--minutes", "5,15", "--fenetre", "60", "--sortie", sortie),
    )
    assert code == 0
    texte = capsys.readouterr().out
    assert "17/03/2026, départs de 7 h 00 à 8 h 00, médiane" in texte
    table = gpd.read_file(sortie).set_index("minutes")
    est = gpd.GeoSeries.from_xy(*[[c] for c in degres(*ARRETS["EST"])], crs=4326).to_crs(2154)[0]
    assert table.loc[15, "geometry"].contains(est)
    assert not table.loc[5, "geometry"].contains(est)


@pytest.mark.parametrize(
    ("options", "attendu"),
    [
        (["--depart", "2027-03-17T07:00"], "hors du calendrier"),
        (["--duree-max", "10"], "plus courte que le plus grand seuil"),
    ],
)
def test_demande_impossible_en_transport_collectif(options, attendu, prepare, tmp_path, capsys):
    lon, lat = degres(*ARRETS["OUEST"])
    code = lancer(
        *("isochrone", prepare, "--lon", lon, "--lat", lat, "--mode", "tc"),
        *("--minutes", "5,15", "--sortie", tmp_path / "tc.gpkg", *options),
    )
    assert code == 1
    assert attendu in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_territoire_sans_offre(tmp_path, capsys):
    manifeste = ecrire_sources(tmp_path / "sources")
    assert lancer("preparer", manifeste, "--sortie", tmp_path / "p") == 0
    lon, lat = degres(*ARRETS["OUEST"])
    code = lancer(
        *("isochrone", tmp_path / "p", "--lon", lon, "--lat", lat, "--mode", "tc"),
        *("--minutes", "5", "--sortie", tmp_path / "tc.gpkg"),
    )
    assert code == 1
    erreur = capsys.readouterr().err
    assert "n'a pas d'offre de transport" in erreur and "[transport] gtfs" in erreur


def test_les_heures_s_ecrivent_a_la_francaise():
    assert heure_fr(7 * 3600 + 300) == "7 h 05"
    assert heure_fr(25.5 * 3600) == "1 h 30 le lendemain"

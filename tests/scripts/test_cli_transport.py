"""Transport collectif en ligne de commande : temps prédits à la main sur une ligne de car."""

from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from scripts.commandes.transport import heure_fr
from tests.fabriques.flux_gtfs import passages_csv
from tests.fabriques.sources_territoire import ecrire_sources
from tests.scripts.test_cli_commandes import degres, lancer

JOUR = "2026-03-17"
ARRETS = {"OUEST": (200, 1_000), "EST": (1_800, 1_000)}
TRAJET_S = 240


def ecrire_ligne(dossier: Path, type_ligne: int = 3) -> None:
    """Un car (ou un train) toutes les dix minutes de 6 h 00 min 30 s à 10 h, le mardi."""
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
        archive.writestr("routes.txt", f"route_id,route_short_name,route_type\nL,1,{type_ligne}\n")
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
    return preparer(tmp_path_factory, 3)


@pytest.fixture(scope="module")
def prepare_train(tmp_path_factory) -> Path:
    return preparer(tmp_path_factory, 2)


def preparer(tmp_path_factory, type_ligne: int) -> Path:
    sources = tmp_path_factory.mktemp("sources_tc")
    manifeste = ecrire_sources(sources)
    ecrire_ligne(sources, type_ligne)
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
        (["--depart", "2027-03-17T07:00"], "une date du 06/01/2026 au 30/06/2026"),
        (["--jour", "2027-03-17"], "une date du 06/01/2026 au 30/06/2026"),
        (["--jour", "dimanche"], "ne permet pas de proposer ce jour type"),
        (["--jour", JOUR, "--depart", "2026-03-24T07:00"], "des jours différents"),
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


def test_part_des_departs_sous_un_seuil(prepare, points):
    """Trente des 61 départs valent 330 à 570 s : la moitié, à un près, tient en dix minutes."""
    table = temps(prepare, points, "--fenetre", "60", "--seuil", "10")
    assert list(table.columns) == ["secondes", "part_seuil"]
    assert table.loc[("OUEST", "EST")].to_list() == pytest.approx([630, 30 / 61], abs=3)
    assert table.loc[("OUEST", "EST"), "part_seuil"] == pytest.approx(30 / 61, abs=1e-4)
    # À pied, 1 600 s : aucun départ ; sur place : tous.
    assert table.loc[("EST", "OUEST"), "part_seuil"] == 0
    assert table.loc[("EST", "EST"), "part_seuil"] == 1


@pytest.mark.parametrize("options", [["--seuil", "10"], ["--jour", JOUR], ["--rabattement-velo"]])
def test_options_du_transport_refusees_a_pied(options, prepare, points, capsys):
    code = lancer(
        *("temps", prepare, "--origines", points, "--destinations", points, "--mode", "marche"),
        *("--sortie", points.with_name("t.csv"), *options),
    )
    assert code == 1
    erreur = capsys.readouterr().err
    assert "ne règlent que le transport collectif" in erreur and options[0] in erreur


def test_un_jour_sans_course_le_dit_et_l_on_marche(prepare, points, capsys):
    table = temps(prepare, points, "--fenetre", "60", "--jour", "2026-03-18")
    assert "Attention : Aucune course ne circule le 18/03/2026" in capsys.readouterr().out
    assert table["secondes"].max() == pytest.approx(1_600, abs=3)
    assert table.loc[("OUEST", "EST"), "secondes"] == pytest.approx(1_600, abs=3)


def test_le_diagnostic_d_un_jour_sans_course_le_dit(prepare, tmp_path, capsys):
    code = lancer(
        *("diagnostiquer", prepare, "--sortie", tmp_path / "r", "--sans-analyses"),
        *("--modes", "marche,tc", "--jour", "2026-03-18"),
    )
    assert code == 0
    assert "Aucune course ne circule le 18/03/2026" in " ".join(capsys.readouterr().out.split())
    table = pd.read_parquet(tmp_path / "r" / "acces_carreaux.parquet")
    marche = table["temps_mairie_marche_s"]
    assert (marche > 0).all()
    np.testing.assert_allclose(table["temps_mairie_tc_s"], np.ceil(marche), atol=1)


def test_jour_type_et_heure_seule(prepare, tmp_path, capsys):
    lon, lat = degres(*ARRETS["OUEST"])
    code = lancer(
        *("isochrone", prepare, "--lon", lon, "--lat", lat, "--mode", "tc", "--minutes", "5"),
        *("--jour", "mardi_scolaire", "--depart", "8:30", "--fenetre", "30"),
        *("--trajets-max", "1", "--sortie", tmp_path / "tc.gpkg"),
    )
    assert code == 0
    texte = capsys.readouterr().out
    assert "06/01/2026, départs de 8 h 30 à 9 h 00" in texte
    assert "60 min et 1 véhicule au plus" in texte


@pytest.mark.parametrize(
    ("options", "attendu"),
    [
        (["--jour", "lundi"], "mardi_scolaire"),
        (["--depart", "25:00"], "2026-03-17T07:00"),
        (["--trajets-max", "0"], "un entier entre 1 et 20 véhicules"),
        (["--trajets-max", "1,5"], "un entier entre 1 et 20 véhicules"),
    ],
)
def test_option_mal_ecrite(options, attendu, prepare, tmp_path, capsys):
    code = lancer(
        *("isochrone", prepare, "--lon", 0, "--lat", 0, "--mode", "tc", "--minutes", "5"),
        *("--sortie", tmp_path / "tc.gpkg", *options),
    )
    assert code == 2
    assert attendu in capsys.readouterr().err


def test_arrets_atteints_comme_la_table_des_temps(prepare, points, tmp_path, capsys):
    lon, lat = degres(*ARRETS["OUEST"])
    sortie = tmp_path / "arrets.csv"
    code = lancer(
        *("isochrone", prepare, "--lon", lon, "--lat", lat, "--mode", "tc", "--vitesse", "3.6"),
        *("--minutes", "5,10,15", "--fenetre", "60", "--arrets", sortie),
        *("--sortie", tmp_path / "tc.gpkg"),
    )
    assert code == 0
    assert "2 arrêt(s) atteint(s)" in capsys.readouterr().out
    table = pd.read_csv(sortie).set_index("nom")
    attendus = temps(prepare, points, "--fenetre", "60", "--centile", "5,25,50,75,95")
    assert table.index.tolist() == ["Ouest", "Est"]
    colonnes = ["secondes_p5", "secondes_p25", "secondes_p50", "secondes_p75", "secondes_p95"]
    assert table.loc["Est", colonnes].to_list() == pytest.approx(
        attendus.loc[("OUEST", "EST"), colonnes].to_list(), abs=2
    )
    assert table.loc["Est", ["part_5min", "part_10min", "part_15min"]].to_list() == pytest.approx(
        [0, 30 / 61, 1], abs=1e-4
    )


def test_rejoindre_le_train_a_velo(prepare_train, points, tmp_path):
    """À 600 m de la gare et 500 m de marche au plus : 2 200 m à pied, ou 144 s de vélo.

    Avec 60 s de marge et 240 s de train, les temps valent 450, 510… 990 s ; le 31ᵉ est 750 s.
    """
    depart = tmp_path / "depart.csv"
    lon, lat = degres(200, 400)
    depart.write_text(f"id,lon,lat\nSUD,{lon},{lat}\n", encoding="utf-8")
    trouves = []
    for velo in ([], ["--rabattement-velo"]):
        code = lancer(
            *("temps", prepare_train, "--origines", depart, "--destinations", points),
            *("--mode", "tc", "--vitesse", "3.6", "--fenetre", "60", "--marche-max", "500"),
            *("--sortie", tmp_path / "t.csv", *velo),
        )
        assert code == 0
        table = pd.read_csv(tmp_path / "t.csv").set_index("id_destination")["secondes"]
        trouves.append(table["EST"])
    assert trouves == pytest.approx([2_200, 750], abs=6)


def test_isochrone_a_velo_dit_son_hypothese_et_n_est_pas_plus_petite(
    prepare_train, tmp_path, capsys
):
    lon, lat = degres(*ARRETS["EST"])
    surfaces = []
    for velo in ([], ["--rabattement-velo"]):
        code = lancer(
            *("isochrone", prepare_train, "--lon", lon, "--lat", lat, "--mode", "tc"),
            *("--minutes", "15", "--sens", "vers", "--fenetre", "60", "--marche-max", "300"),
            *("--sortie", tmp_path / "v.gpkg", *velo),
        )
        assert code == 0
        table = gpd.read_file(tmp_path / "v.gpkg")
        surfaces.append((table.geometry[0].area, table["population_hab"][0]))
    assert surfaces[1][0] > surfaces[0][0]
    assert surfaces[1][1] >= surfaces[0][1]
    sans, avec = [t for t in capsys.readouterr().out.splitlines() if t.startswith("Hypothèses")]
    assert "gares à vélo jusqu'à 3\u202f000 m à 15,0 km/h" in avec and "vélo" not in sans


def test_jours_types_listes(prepare, capsys):
    assert lancer("jours", prepare) == 0
    texte = capsys.readouterr().out
    assert "offre du 06/01/2026 au 30/06/2026" in texte
    assert "Jour étudié par défaut : 17/03/2026" in texte
    lignes = {ligne.split()[0]: ligne for ligne in texte.splitlines() if ligne}
    assert "06/01/2026" in lignes["mardi_scolaire"] and " 24 " in lignes["mardi_scolaire"]
    assert "–" in lignes["dimanche"]


def test_desserte_ecrite(prepare, tmp_path, capsys):
    """24 départs d'« Ouest », six par heure de 6 h à 9 h ; « Est » n'est qu'un terminus."""
    assert lancer("desserte", prepare, "--sortie", tmp_path / "d") == 0
    texte = capsys.readouterr().out
    assert "24 départ(s) à 1 arrêt(s) sur 2, de 6 h 00 à 9 h 50" in texte
    assert "Communes sans aucun départ : 1 sur 2 (Est)" in texte
    communes = pd.read_csv(tmp_path / "d" / "desserte_communes.csv", dtype={"code_commune": str})
    communes = communes.set_index("code_commune")
    assert communes["departs"].to_dict() == {"62001": 24, "62002": 0}
    assert communes["sans_service"].to_dict() == {"62001": False, "62002": True}
    heures = communes.filter(like="departs_h").loc["62001"]
    assert heures[heures > 0].to_dict() == {f"departs_h0{h}": 6 for h in range(6, 10)}
    assert communes["population_hab"].to_dict() == {"62001": 300, "62002": 100}
    arrets = pd.read_csv(tmp_path / "d" / "desserte_arrets.csv", dtype={"code_commune": str})
    arrets = arrets.set_index("nom")
    assert arrets["code_commune"].to_dict() == {"Ouest": "62001", "Est": "62002"}
    assert arrets.loc["Ouest", ["departs", "amplitude_s", "attente_mediane_s"]].to_list() == [
        24, 13_800, 600,
    ]  # fmt: skip
    carreaux = pd.read_csv(tmp_path / "d" / "desserte_carreaux.csv")
    loin = carreaux["distance_arret_m"] > 500
    assert (carreaux["loin_arret"] == loin).all() and loin.any()
    assert carreaux["loin_gare"].all()
    assert communes["population_loin_arret_hab"].sum() == carreaux.loc[loin, "population_hab"].sum()


def test_desserte_d_un_jour_vide(prepare, tmp_path, capsys):
    assert lancer("desserte", prepare, "--sortie", tmp_path, "--jour", "2026-03-18") == 0
    texte = capsys.readouterr().out
    assert "Aucune course ne circule le 18/03/2026" in texte
    assert "0 départ(s) à 0 arrêt(s) sur 2" in texte and "sans aucun départ : 2 sur 2" in texte


@pytest.mark.parametrize("commande", [["jours"], ["desserte", "--sortie", "d"]])
def test_desserte_sans_offre(commande, tmp_path, capsys):
    manifeste = ecrire_sources(tmp_path / "sources")
    assert lancer("preparer", manifeste, "--sortie", tmp_path / "p") == 0
    assert lancer(commande[0], tmp_path / "p", *commande[1:]) == 1
    assert "n'a pas d'offre de transport" in capsys.readouterr().err


def test_verifier_dit_le_jour_qui_manque(tmp_path, capsys):
    manifeste = ecrire_sources(tmp_path)
    ecrire_ligne(tmp_path)
    texte = manifeste.read_text(encoding="utf-8") + '[transport]\ngtfs = ["car.zip"]\n'
    manifeste.write_text(texte, encoding="utf-8")
    assert lancer("verifier", manifeste) == 0
    sans_jour = " ".join(capsys.readouterr().out.split())
    assert "transport.date_service" in sans_jour
    # Premier et dernier mardis du calendrier.
    assert "entre le 06/01/2026 et le 30/06/2026" in sans_jour
    manifeste.write_text(texte + f"date_service = {JOUR}\n", encoding="utf-8")
    assert lancer("verifier", manifeste) == 0
    assert "transport.date_service" not in capsys.readouterr().out

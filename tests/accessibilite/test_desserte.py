"""Desserte comptée à la main : départs, heures, communes sans service, distance aux arrêts."""

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import rattacher_points
from accessibilite.transport.desserte import (
    calculer_departs_horaires,
    calculer_desserte_arrets,
    calculer_desserte_communes,
    calculer_eloignement,
    lister_departs,
)
from accessibilite.transport.liaisons import rattacher_arrets
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.gtfs import courses_du_jour, lire_gtfs
from tests.fabriques.flux_gtfs import arrets_csv, ecrire_flux, flux_simple, passages_csv
from tests.fabriques.ville_quadrillee import COIN, CRS, parametres_essai, ville_quadrillee

MARDI, DIMANCHE = date(2026, 3, 17), date(2026, 3, 22)


@pytest.fixture
def offre(tmp_path):
    flux = flux_simple()
    flux["stops.txt"] = arrets_csv({"a": (0, 0), "b": (500, 0), "c": (1000, 0), "g": (0, 1000)})
    flux["routes.txt"] += "T,A,TER,Le train,2,\n"
    flux["trips.txt"] += "L1,S,nuit\nT,S,ter\n"
    flux["stop_times.txt"] += passages_csv(
        {"nuit": [("b", 90_000), ("c", 90_600)], "ter": [("g", 40_000), ("c", 41_000)]}
    ).split("\n", 1)[1]
    return lire_gtfs([ecrire_flux(tmp_path / "essai.zip", flux)], CRS)[0]


def test_departs_par_arret(offre):
    table = calculer_desserte_arrets(offre, courses_du_jour(offre, MARDI)).set_index("nom")
    # a : 8 h et 9 h ; b : 8 h 02, 9 h 02 et 25 h ; c n'est qu'un terminus ; g : un train.
    assert table["departs"].to_dict() == {"Arrêt a": 2, "Arrêt b": 3, "Arrêt c": 0, "Arrêt g": 1}
    assert table.loc["Arrêt b", ["premier_s", "dernier_s", "amplitude_s"]].tolist() == [
        28_920, 90_000, 61_080,
    ]  # fmt: skip
    assert table.loc["Arrêt a", "attente_mediane_s"] == 3600
    assert np.isnan(table.loc["Arrêt c", "premier_s"])
    assert table["modes"].to_dict() == {
        "Arrêt a": "bus", "Arrêt b": "bus", "Arrêt c": "", "Arrêt g": "train",
    }  # fmt: skip


def test_la_nuit_de_la_veille_n_est_pas_comptee_deux_fois(offre):
    mardi = lister_departs(offre, courses_du_jour(offre, MARDI))
    assert (mardi["heure_s"] >= 0).all()
    assert len(mardi) == 6


def test_departs_par_heure(offre):
    heures = calculer_departs_horaires(lister_departs(offre, courses_du_jour(offre, MARDI)))
    assert heures.columns.tolist() == list(range(26))
    assert heures.loc[1, [8, 9, 25]].tolist() == [1, 1, 1]
    assert int(heures.to_numpy().sum()) == 6


def test_communes_sans_service_comprises(offre):
    communes = ["K1", "K1", "K2", ""]
    table = calculer_desserte_communes(
        offre, courses_du_jour(offre, MARDI), communes, ["K3", "K2", "K1"]
    )
    assert table.index.tolist() == ["K3", "K2", "K1"]
    assert table["departs"].tolist() == [0, 0, 5]
    # K2 n'a que le terminus : on y descend de quatre courses, mais rien n'en part.
    assert table["courses"].tolist() == [0, 4, 3]
    assert table["sans_service"].tolist() == [True, True, False]
    assert table.loc["K1", ["lignes", "arrets_desservis", "premier_s"]].tolist() == [1, 2, 28_800]


def test_jour_sans_aucune_course(offre):
    courses = courses_du_jour(offre, DIMANCHE)
    assert calculer_desserte_arrets(offre, courses)["departs"].tolist() == [0, 0, 0, 0]
    table = calculer_desserte_communes(offre, courses, ["K"] * 4, ["K"])
    assert table["sans_service"].tolist() == [True]
    assert calculer_departs_horaires(lister_departs(offre, courses)).shape == (0, 24)


def test_commune_des_arrets_incomplete_refusee(offre):
    with pytest.raises(ErreurDonnees, match=r"(?s)commune_arret.*4 valeurs.*1"):
        calculer_desserte_communes(offre, courses_du_jour(offre, MARDI), ["K"], ["K"])


def test_un_doublon_entre_flux_ne_compte_qu_une_fois(tmp_path):
    un = ecrire_flux(tmp_path / "local.zip", flux_simple())
    deux = ecrire_flux(tmp_path / "region.zip", flux_simple())
    offre, _ = lire_gtfs([un, deux], CRS)
    assert len(lister_departs(offre, courses_du_jour(offre, MARDI))) == 4


def test_distance_aux_arrets_desservis(offre):
    graphe = construire_graphe(
        ville_quadrillee(16, 16, 100.0), construire_profil(parametres_essai(), "marche")
    )
    marche = rattacher_arrets(graphe, offre, marche_max_m=1000, rattachement_max_m=50)
    points = rattacher_points(
        graphe, np.array([0.0, 1000.0, 200.0]) + COIN[0], np.array([300.0, 0.0, 900.0]) + COIN[1]
    )
    table = calculer_eloignement(marche, offre, courses_du_jour(offre, MARDI), points)
    # Arrêts de bus d'où l'on part : a (0, 0) et b (500, 0) ; gare : g (0, 1000). Par les rues.
    np.testing.assert_allclose(table["distance_arret_m"], [300, 500, 1100], atol=0.1)
    np.testing.assert_allclose(table["distance_gare_m"], [700, 2000, 300], atol=0.1)
    assert table["loin_arret"].tolist()[::2] == [False, True]
    assert table["loin_gare"].tolist() == [False, True, False]
    assert not table["mal_desservi"][2]
    dimanche = calculer_eloignement(marche, offre, courses_du_jour(offre, DIMANCHE), points)
    assert dimanche["mal_desservi"].all()
    assert np.isinf(dimanche["distance_arret_m"]).all()


def test_ter_de_l_agglomeration():
    dossier = Path(__file__).parents[2].parent / "shared" / "donnees" / "cabbalr"
    if not dossier.exists():
        pytest.skip("données réelles absentes de cette machine")
    communes = gpd.read_file(dossier / "communes_cabbalr.geojson")
    offre, _ = lire_gtfs([dossier / "sncf_ter_2025.zip"], CRS, communes.union_all())
    lieux = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(offre.arrets["lon"], offre.arrets["lat"]), crs=communes.crs
    ).sjoin(communes[["code", "geometry"]], how="left", predicate="within")
    table = calculer_desserte_communes(
        offre,
        courses_du_jour(offre, date(2025, 1, 22)),
        lieux["code"].fillna("").to_numpy(dtype=object),
        communes["code"].tolist(),
    )
    # Douze gares dans douze communes ; Béthune voit passer les 111 courses du jour.
    assert int(table["sans_service"].sum()) == 100 - 12
    assert table.loc["62119", "courses"] == 111
    assert set(table.loc[~table["sans_service"], "modes"]) <= {"train", "bus", "bus, train"}

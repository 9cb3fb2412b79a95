"""Courses d'un jour et jours types : prédits à la main sur de petits calendriers."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees
from donnees_geo.gtfs import (
    choisir_jour,
    compter_par_jour,
    courses_du_jour,
    lire_gtfs,
    proposer_jours_types,
)
from tests.fabriques.flux_gtfs import (
    SEMAINE,
    courses_csv,
    ecrire_flux,
    flux_simple,
    passages_csv,
)
from tests.fabriques.ville_quadrillee import CRS

LUNDI, MARDI, SAMEDI = date(2026, 3, 16), date(2026, 3, 17), date(2026, 3, 21)


def lire(tmp_path, flux):
    return lire_gtfs([ecrire_flux(tmp_path / "essai.zip", flux)], CRS)[0]


def departs(jour):
    return sorted(jour.depart_s[jour.debut[:-1]].tolist())


def test_courses_du_jour_de_service(tmp_path):
    jour = courses_du_jour(lire(tmp_path, flux_simple()), MARDI)
    assert departs(jour) == [28_800, 32_400]
    assert jour.decalage_jour.tolist() == [0, 0]
    assert np.diff(jour.debut).tolist() == [3, 3]


def test_un_jour_sans_course_est_vide(tmp_path):
    jour = courses_du_jour(lire(tmp_path, flux_simple()), SAMEDI)
    assert (jour.nombre_courses, jour.arret.size, jour.debut.tolist()) == (0, 0, [0])


@pytest.mark.parametrize("jour", [date(2026, 3, 1), date(2027, 1, 5)])
def test_jour_hors_calendrier_donne_la_periode(tmp_path, jour):
    with pytest.raises(ErreurDonnees, match="du 02/03/2026 au 27/03/2026"):
        courses_du_jour(lire(tmp_path, flux_simple()), jour)


def test_courses_de_nuit_de_la_veille_et_du_lendemain(tmp_path):
    flux = flux_simple()
    flux["trips.txt"] = courses_csv(["nuit", "soir", "aube", "matin", "longue"])
    flux["stop_times.txt"] = passages_csv(
        {
            "nuit": [("a", 25 * 3600), ("b", 25 * 3600 + 600)],
            "soir": [("a", 86_000), ("b", 86_390)],
            "aube": [("a", 5 * 3600), ("b", 5 * 3600 + 60)],
            "matin": [("a", 7 * 3600), ("b", 7 * 3600 + 60)],
            "longue": [("a", 80_000), ("c", 50 * 3600)],
        }
    )
    offre = lire(tmp_path, flux)
    jour = courses_du_jour(offre, MARDI)
    noms = offre.courses["id_source"].to_numpy()[jour.course]
    trouve = sorted(zip(jour.decalage_jour.tolist(), noms.tolist(), strict=True))
    assert trouve == [
        (-1, "longue"), (-1, "nuit"), (0, "aube"), (0, "longue"), (0, "matin"), (0, "nuit"),
        (0, "soir"), (1, "aube"),
    ]  # fmt: skip
    # La course de 25 h de lundi part mardi à 1 h, celle de mardi mercredi à 1 h.
    nuit = jour.depart_s[jour.debut[:-1]][noms == "nuit"]
    assert sorted(nuit.tolist()) == [3600, 90_000]
    # Le samedi : la nuit et la longue du vendredi, et la longue du jeudi (50 h) jusqu'à 2 h.
    assert departs(courses_du_jour(offre, SAMEDI)) == [80_000 - 172_800, 80_000 - 86_400, 3600]


def frequences(tmp_path, exacte, duree=3600):
    flux = flux_simple()
    flux["frequencies.txt"] = (
        "trip_id,start_time,end_time,headway_secs,exact_times\n"
        f"t8,10:00:00,{10 + duree // 3600}:00:00,900,{exacte}\n"
    )
    return lire(tmp_path, flux)


def test_frequences_exactes(tmp_path):
    jour = courses_du_jour(frequences(tmp_path, 1), MARDI)
    assert departs(jour) == [32_400, 36_000, 36_900, 37_800, 38_700]
    c = int(np.argmin(jour.depart_s[jour.debut[:-1]] != 36_900))
    tranche = slice(jour.debut[c], jour.debut[c + 1])
    assert (jour.arrivee_s[tranche] - 36_900).tolist() == [0, 120, 400]


def test_frequences_sans_horaire_gardent_l_intervalle_et_un_decalage_stable(tmp_path):
    un = departs(courses_du_jour(frequences(tmp_path, 0), MARDI))[1:]
    assert np.diff(un).tolist() == [900, 900, 900]
    assert 36_000 <= un[0] < 36_900
    assert un == departs(courses_du_jour(frequences(tmp_path, ""), MARDI))[1:]


def test_frequence_fautive_ecartee(tmp_path):
    flux = flux_simple()
    flux["frequencies.txt"] = (
        "trip_id,start_time,end_time,headway_secs\nt8,10:00:00,9:00:00,600\nt8,9:00:00,10:00:00,0\n"
    )
    offre, constats = lire_gtfs([ecrire_flux(tmp_path / "essai.zip", flux)], CRS)
    assert len(offre.frequences) == 0
    assert any("2 ligne(s) ont un intervalle nul" in c.message for c in constats)


def annee(tmp_path):
    """De mars à avril : 6 courses en semaine scolaire, 4 en vacances (13 au 24 avril), 2 le samedi.

    Le dimanche en a 1 ; mardi 14 avril est traité comme un dimanche (férié d'essai) ; mardi 10 mars
    a 2 courses de plus (foire).
    """
    flux = flux_simple()
    services = {"E": 6, "V": 4, "M": 5, "S": 2, "D": 1, "X": 2}
    flux["trips.txt"] = "route_id,service_id,trip_id\n" + "".join(
        f"L1,{s},{s}{i}\n" for s, n in services.items() for i in range(n)
    )
    flux["stop_times.txt"] = passages_csv(
        {f"{s}{i}": [("a", 30_000 + 60 * i), ("b", 30_500 + 60 * i)]
         for s, n in services.items() for i in range(n)}
    )  # fmt: skip
    flux["calendar.txt"] = (
        SEMAINE
        + "E,1,1,0,1,1,0,0,20260302,20260410\nV,1,1,1,1,1,0,0,20260413,20260424\n"
        + "M,0,0,1,0,0,0,0,20260302,20260410\nS,0,0,0,0,0,1,0,20260302,20260424\n"
        + "D,0,0,0,0,0,0,1,20260302,20260424\n"
    )
    flux["calendar_dates.txt"] = (
        "service_id,date,exception_type\nV,20260414,2\nD,20260414,1\nX,20260310,1\n"
    )
    return lire(tmp_path, flux)


def test_courses_par_jour(tmp_path):
    comptes = compter_par_jour(annee(tmp_path))
    assert comptes[pd.Timestamp("2026-03-03")] == 6
    assert comptes[pd.Timestamp("2026-03-10")] == 8
    assert comptes[pd.Timestamp("2026-04-14")] == 1
    assert comptes[pd.Timestamp("2026-04-24")] == 4


def test_jours_types_proposes_par_le_calendrier(tmp_path):
    jours = proposer_jours_types(annee(tmp_path)).set_index("jour_type")
    assert {t: d.date().isoformat() for t, d in jours["date"].items()} == {
        "mardi_scolaire": "2026-03-03",
        "mercredi": "2026-03-04",
        "samedi": "2026-03-07",
        "dimanche": "2026-03-08",
        "vacances": "2026-04-21",
    }
    assert jours["courses"].tolist() == [6, 5, 2, 1, 4]
    assert jours["certain"].all()


def test_calendrier_sans_vacances_le_dit(tmp_path):
    jours = proposer_jours_types(lire(tmp_path, flux_simple())).set_index("jour_type")
    assert jours.loc["mardi_scolaire", "date"] == pd.Timestamp("2026-03-03")
    assert not jours.loc["mardi_scolaire", "certain"]
    assert "non distinguée" in jours.loc["mardi_scolaire", "explication"]
    assert pd.isna(jours.loc["vacances", "date"])
    assert pd.isna(jours.loc["dimanche", "date"])
    assert "aucun jour de ce type" in jours.loc["dimanche", "explication"]


def test_un_jour_se_choisit_par_sa_date_ou_son_type(tmp_path):
    offre = annee(tmp_path)
    assert choisir_jour(offre, "vacances") == date(2026, 4, 21)
    assert choisir_jour(offre, "samedi") == date(2026, 3, 7)
    # Une date est rendue telle quelle : c'est la recherche des courses qui juge le calendrier.
    assert choisir_jour(offre, "2031-01-01") == date(2031, 1, 1)


def test_jour_mal_nomme_ou_impossible_refuse(tmp_path):
    offre = lire(tmp_path, flux_simple())
    with pytest.raises(ErreurConfiguration, match=r"(?s)n'est pas valable.*mardi_scolaire.*lundi"):
        choisir_jour(offre, "lundi")
    with pytest.raises(ErreurDonnees, match=r"(?s)dimanche.*mardi_scolaire, mercredi.*02/03/2026"):
        choisir_jour(offre, "dimanche")

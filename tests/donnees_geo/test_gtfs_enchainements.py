"""Courses enchaînées par un même véhicule : blocs, enchaînements donnés ou interdits."""

from datetime import date

import numpy as np
import pytest

from accessibilite.transport.desserte import lister_departs
from donnees_geo.gtfs import courses_du_jour, ecrire_offre, lire_gtfs, lire_offre_preparee
from tests.fabriques.flux_gtfs import SEMAINE, arrets_csv, ecrire_flux, flux_simple, passages_csv
from tests.fabriques.ville_quadrillee import CRS

MARDI, MERCREDI = date(2026, 3, 17), date(2026, 3, 18)
#: Deux courses de a à b puis de b à c, dix minutes chacune, dans le même bloc.
COURSES = {
    "t1": [("a", 28_800), ("b", 29_400)],
    "t2": [("b", 29_700), ("c", 30_300)],
}


def flux_de(courses, blocs=None, services=None, arrets=None):
    """Flux d'une ligne ; ``blocs`` et ``services`` par course, ``arrets`` en mètres."""
    flux = flux_simple()
    flux["stops.txt"] = arrets_csv(arrets or {"a": (0, 0), "b": (3000, 0), "c": (6000, 0)})
    flux["trips.txt"] = "route_id,service_id,trip_id,block_id\n" + "".join(
        f"L1,{(services or {}).get(c, 'S')},{c},{(blocs or {}).get(c, '')}\n" for c in courses
    )
    flux["stop_times.txt"] = passages_csv(courses)
    return flux


def lire(tmp_path, flux):
    return lire_gtfs([ecrire_flux(tmp_path / "essai.zip", flux)], CRS)


def suites(tmp_path, flux, jour=MARDI):
    """Suites de courses parcourues sans descendre, comme ensembles de leurs identifiants."""
    offre = lire(tmp_path, flux)[0]
    du_jour = courses_du_jour(offre, jour)
    noms = offre.courses["id_source"].to_numpy()[du_jour.course]
    groupes = np.split(noms, np.flatnonzero(~du_jour.enchainee)[1:])
    # Un véhicule commence là où commence sa première course.
    assert du_jour.debut_vehicules.size == len(groupes) + 1
    return sorted(tuple(g.tolist()) for g in groupes)


def test_deux_courses_d_un_bloc_s_enchainent(tmp_path):
    flux = flux_de(COURSES, {"t1": "V", "t2": "V"})
    assert suites(tmp_path, flux) == [("t1", "t2")]
    assert suites(tmp_path, flux_de(COURSES)) == [("t1",), ("t2",)]
    assert suites(tmp_path, flux_de(COURSES, {"t1": "V", "t2": "W"})) == [("t1",), ("t2",)]


def test_l_ordre_du_fichier_ne_compte_pas(tmp_path):
    envers = dict(reversed(COURSES.items()))
    assert suites(tmp_path, flux_de(envers, {"t1": "V", "t2": "V"})) == [("t1", "t2")]


@pytest.mark.parametrize(
    ("depart_s", "ecart_m", "enchainees"),
    [
        (29_400, 0, True),  # repart à l'instant
        (29_399, 0, False),  # se chevauchent d'une seconde
        (29_700, 99, True),
        (29_700, 101, False),  # ailleurs
    ],
)
def test_ni_chevauchement_ni_saut(tmp_path, depart_s, ecart_m, enchainees):
    arrets = {"a": (0, 0), "b": (3000, 0), "d": (3000 + ecart_m, 0), "c": (6000, 0)}
    courses = {"t1": COURSES["t1"], "t2": [("d", depart_s), ("c", 30_300)]}
    obtenues = suites(tmp_path, flux_de(courses, {"t1": "V", "t2": "V"}, arrets=arrets))
    assert obtenues == ([("t1", "t2")] if enchainees else [("t1",), ("t2",)])


def test_quais_d_une_meme_gare(tmp_path):
    arrets = {"a": (0, 0), "b": (3000, 0), "d": (3180, 0), "c": (6000, 0), "g": (3090, 0)}
    courses = {"t1": COURSES["t1"], "t2": [("d", 29_700), ("c", 30_300)]}
    flux = flux_de(courses, {"t1": "V", "t2": "V"}, arrets=arrets)
    lignes = flux["stops.txt"].splitlines()
    suite = {"b": ",0,g", "d": ",0,g", "g": ",1,"}
    flux["stops.txt"] = "\n".join(
        [lignes[0] + ",location_type,parent_station"]
        + [ligne + suite.get(ligne[0], ",0,") for ligne in lignes[1:]]
    )
    assert suites(tmp_path, flux) == [("t1", "t2")]


def test_seules_les_courses_du_jour_s_enchainent(tmp_path):
    courses = {**COURSES, "t3": [("c", 30_600), ("a", 31_800)]}
    flux = flux_de(courses, dict.fromkeys(courses, "V"), {"t2": "M"})
    flux["calendar.txt"] = SEMAINE + (
        "S,1,1,1,1,1,0,0,20260302,20260327\nM,0,0,1,0,0,0,0,20260302,20260327\n"
    )
    # Mardi, sans t2, le véhicule finit en b et repart de c : on ne l'y suit pas.
    assert suites(tmp_path, flux, MARDI) == [("t1",), ("t3",)]
    assert suites(tmp_path, flux, MERCREDI) == [("t1", "t2", "t3")]


def test_la_nuit_chaque_jour_de_service_garde_ses_suites(tmp_path):
    courses = {"t1": [("a", 86_100), ("b", 87_000)], "t2": [("b", 87_300), ("c", 88_000)]}
    obtenues = suites(tmp_path, flux_de(courses, {"t1": "V", "t2": "V"}))
    # La veille et le jour même : jamais la veille avec le jour.
    assert obtenues == [("t1", "t2"), ("t1", "t2")]


def test_les_blocs_de_deux_flux_ne_se_melangent_pas(tmp_path):
    un = flux_de({"t1": COURSES["t1"]}, {"t1": "V"})
    deux = flux_de({"t2": COURSES["t2"]}, {"t2": "V"})
    chemins = [ecrire_flux(tmp_path / f"{n}.zip", f) for n, f in (("u", un), ("d", deux))]
    jour = courses_du_jour(lire_gtfs(chemins, CRS)[0], MARDI)
    assert not jour.enchainee.any()


def test_une_course_en_frequence_ne_s_enchaine_pas(tmp_path):
    flux = flux_de(COURSES, {"t1": "V", "t2": "V"})
    flux["frequencies.txt"] = (
        "trip_id,start_time,end_time,headway_secs,exact_times\nt2,8:15:00,9:00:00,900,1\n"
    )
    assert suites(tmp_path, flux) == [("t1",), ("t2",), ("t2",), ("t2",)]


def transferts(*lignes):
    return "from_stop_id,to_stop_id,transfer_type,from_trip_id,to_trip_id\n" + "".join(
        f",,{genre},{de},{vers}\n" for genre, de, vers in lignes
    )


def test_enchainement_donne_sans_bloc_et_meme_ailleurs(tmp_path):
    arrets = {"a": (0, 0), "b": (3000, 0), "d": (3500, 0), "c": (6000, 0)}
    courses = {"t1": COURSES["t1"], "t2": [("d", 29_700), ("c", 30_300)]}
    flux = flux_de(courses, arrets=arrets)
    flux["transfers.txt"] = transferts((4, "t1", "t2"))
    assert suites(tmp_path, flux) == [("t1", "t2")]


def test_enchainement_donne_qui_remonterait_le_temps_refuse(tmp_path):
    flux = flux_de(COURSES)
    flux["transfers.txt"] = transferts((4, "t2", "t1"))
    assert suites(tmp_path, flux) == [("t1",), ("t2",)]


def test_enchainement_interdit_l_emporte_sur_le_bloc(tmp_path):
    flux = flux_de(COURSES, {"t1": "V", "t2": "V"})
    flux["transfers.txt"] = transferts((5, "t1", "t2"))
    assert suites(tmp_path, flux) == [("t1",), ("t2",)]


def test_rame_coupee_en_deux_suit_la_premiere_repartie(tmp_path):
    courses = {**COURSES, "t3": [("b", 29_500), ("a", 30_100)]}
    flux = flux_de(courses)
    flux["transfers.txt"] = transferts((4, "t1", "t2"), (4, "t1", "t3"))
    assert suites(tmp_path, flux) == [("t1", "t3"), ("t2",)]
    # Donné course à course, l'enchaînement l'emporte sur celui que le bloc laisse deviner.
    flux = flux_de(courses, {"t1": "V", "t3": "V"})
    flux["transfers.txt"] = transferts((4, "t1", "t2"))
    assert suites(tmp_path, flux) == [("t1", "t2"), ("t3",)]


def test_courses_sans_duree_ne_bouclent_pas(tmp_path):
    courses = {"t1": [("a", 28_800), ("b", 28_800)], "t2": [("b", 28_800), ("a", 28_800)]}
    flux = flux_de(courses)
    flux["transfers.txt"] = transferts((4, "t1", "t2"), (4, "t2", "t1"))
    assert suites(tmp_path, flux) == [("t1",), ("t2",)]


def test_enchainement_inconnu_dit_et_laisse(tmp_path):
    flux = flux_de(COURSES)
    flux["transfers.txt"] = transferts((4, "t1", "perdue"), (4, "", ""), (4, "t1", "t2"))
    offre, constats = lire(tmp_path, flux)
    assert offre.enchainements.values.tolist() == [[0, 1, 4]]
    assert [c.message for c in constats] == [
        "2 enchaînement(s) de courses (types 4 et 5) ne donnent pas deux courses connues et ne "
        "sont pas appliqués."
    ]


def test_enchainements_suivent_la_fusion_et_le_disque(tmp_path):
    seule = ecrire_flux(tmp_path / "avant.zip", flux_simple())
    flux = flux_de(COURSES)
    flux["transfers.txt"] = transferts((4, "t1", "t2"))
    offre, _ = lire_gtfs([seule, ecrire_flux(tmp_path / "bus.zip", flux)], CRS)
    depuis, vers = offre.enchainements.loc[0, ["depuis", "vers"]]
    assert offre.courses["course"].iloc[[depuis, vers]].tolist() == ["bus:t1", "bus:t2"]
    ecrire_offre(offre, tmp_path / "offre")
    # Une offre préparée avant les enchaînements se relit, sans eux.
    assert lire_offre_preparee(tmp_path / "offre").enchainements.equals(offre.enchainements)
    (tmp_path / "offre" / "enchainements.parquet").unlink()
    assert len(lire_offre_preparee(tmp_path / "offre").enchainements) == 0


def test_la_desserte_compte_les_departs_de_chaque_course(tmp_path):
    seules, _ = lire(tmp_path, flux_de(COURSES))
    reunies, _ = lire(tmp_path, flux_de(COURSES, {"t1": "V", "t2": "V"}))
    tables = [lister_departs(o, courses_du_jour(o, MARDI)) for o in (seules, reunies)]
    assert tables[0].equals(tables[1])
    assert tables[0]["heure_s"].tolist() == [28_800, 29_700]

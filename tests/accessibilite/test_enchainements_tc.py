"""Rester à bord d'un véhicule qui enchaîne deux courses : temps prédits et recherche naïve."""

from datetime import date

import numpy as np
import pytest

from accessibilite.transport.fenetre import OptionsTc
from accessibilite.transport.horaires import INFINI_S, Correspondances
from accessibilite.transport.porte_a_porte import (
    LiensArrets,
    calculer_durees,
    chercher_profil,
    construire_reseau_tc,
)
from donnees_geo.gtfs import courses_du_jour, lire_gtfs
from tests.fabriques.flux_gtfs import arrets_csv, ecrire_flux, flux_simple, passages_csv
from tests.fabriques.oracle_tc import INFINI, Course, Ville, csr_de_paires, duree_porte_a_porte
from tests.fabriques.ville_quadrillee import CRS

MARDI = date(2026, 3, 17)
SEPT_HEURES = 25_200
#: Deux arrêts de chaque lieu sont à 60 m : le même terminus. Les lieux sont à 2 km.
ARRETS = {nom + r: (2000 * i + 60 * (r == "2"), 0) for i, nom in enumerate("abc") for r in "12"}
NOMS = list(ARRETS)


def durees(tmp_path, courses, blocs, depuis, vers, *, correspondances=None, **options):
    """Durées de l'arrêt ``depuis`` à l'arrêt ``vers`` à chaque minute, dans les deux sens."""
    flux = flux_simple()
    flux["stops.txt"] = arrets_csv(ARRETS)
    # Une course de nuit passe partout : aucun arrêt n'est laissé à la lecture.
    courses = {**courses, "nuit": [(nom, 300 * i) for i, nom in enumerate(ARRETS)]}
    flux["trips.txt"] = "route_id,service_id,trip_id,block_id\n" + "".join(
        f"L1,S,{c},{blocs.get(c, '')}\n" for c in courses
    )
    flux["stop_times.txt"] = passages_csv(courses)
    offre, _ = lire_gtfs([ecrire_flux(tmp_path / "essai.zip", flux)], CRS)
    reseau = construire_reseau_tc(
        courses_du_jour(offre, MARDI),
        Correspondances(*csr_de_paires(correspondances or {}, len(NOMS))),
        OptionsTc(**{"fenetre_debut_s": SEPT_HEURES, "embarquement_min_s": 0, **options}),
    )
    obtenues = []
    for sens, loin, pres in (("vers", vers, depuis), ("depuis", depuis, vers)):
        marche = np.full(len(NOMS), INFINI_S, dtype=np.int32)
        marche[NOMS.index(loin)] = 0
        profil = chercher_profil(reseau, marche, sens)
        liens = LiensArrets(*csr_de_paires({(0, NOMS.index(pres)): 0}, 1))
        directe = np.array([INFINI_S], dtype=np.int32)
        trouvees = calculer_durees(reseau, profil, liens, directe, sens)[0]
        obtenues.append([INFINI if d >= INFINI_S else int(d) for d in trouvees])
    assert obtenues[0] == obtenues[1]
    return obtenues[0]


#: De a à b, puis de b à c cinq minutes après, de l'autre quai de b.
SUITE = {
    "t1": [("a1", SEPT_HEURES), ("b1", SEPT_HEURES + 600)],
    "t2": [("b2", SEPT_HEURES + 900), ("c1", SEPT_HEURES + 1500)],
}
SEUL_DEPART = {"fenetre_duree_s": 0, "duree_max_s": 3600}


def test_rester_a_bord_ne_demande_ni_marche_ni_marge_ni_vehicule(tmp_path):
    bloc = {"t1": "V", "t2": "V"}
    options = {**SEUL_DEPART, "trajets_max": 1}
    assert durees(tmp_path, SUITE, bloc, "a1", "c1", **options) == [1500]
    # Sans bloc, aucune marche n'est donnée entre les quais : on n'y arrive pas.
    assert durees(tmp_path, SUITE, {}, "a1", "c1", **options) == [INFINI]


def test_sans_bloc_la_marge_fait_manquer_la_suite(tmp_path):
    quais = {(NOMS.index("b1"), NOMS.index("b2")): 301}
    assert durees(tmp_path, SUITE, {}, "a1", "c1", correspondances=quais, **SEUL_DEPART) == [INFINI]
    quais = {(NOMS.index("b1"), NOMS.index("b2")): 300}
    assert durees(tmp_path, SUITE, {}, "a1", "c1", correspondances=quais, **SEUL_DEPART) == [1500]


def test_au_terminus_on_ne_monte_pas_pour_la_course_suivante(tmp_path):
    bloc = {"t1": "V", "t2": "V"}
    # La course suivante se prend à son départ (b2), pas là où finit la première (b1).
    assert durees(tmp_path, SUITE, bloc, "b1", "c1", **SEUL_DEPART) == [INFINI]
    assert durees(tmp_path, SUITE, bloc, "b2", "c1", **SEUL_DEPART) == [1500]
    # De même, on descend de la première à son terminus.
    assert durees(tmp_path, SUITE, bloc, "a1", "b2", **SEUL_DEPART) == [INFINI]
    assert durees(tmp_path, SUITE, bloc, "a1", "b1", **SEUL_DEPART) == [600]


def suivre_naivement(courses, bloc):
    """Courses collées par bloc, lues une à une dans l'ordre de leurs départs."""
    vehicules, derniere_du_bloc = [], {}
    for nom in sorted(courses, key=lambda c: (courses[c][0][1], c)):
        precedente = derniere_du_bloc.get(bloc[nom])
        derniere_du_bloc[bloc[nom]] = nom
        if precedente is not None:
            (fin, fin_s), (debut, debut_s) = courses[precedente][-1], courses[nom][0]
            if fin[0] == debut[0] and fin_s <= debut_s:
                next(v for v in vehicules if v[-1] == precedente).append(nom)
                continue
        vehicules.append([nom])
    return vehicules


@pytest.mark.parametrize("graine", range(12))
def test_egal_a_la_recherche_naive(tmp_path, graine):
    hasard = np.random.default_rng(graine)
    courses, bloc = {}, {}
    for vehicule in range(3):
        heure = SEPT_HEURES + int(hasard.integers(0, 900))
        lieu = "abc"[int(hasard.integers(3))]
        for rang in range(3):
            autres = [p for p in "abc" if p != lieu]
            passages = []
            # Une fois sur cinq, le véhicule repart d'ailleurs : il faut alors descendre.
            parcours = [lieu if hasard.random() < 0.8 else autres[0], autres[-1]]
            for place in parcours:
                passages.append((place + "12"[int(hasard.integers(2))], heure))
                heure += 60 * int(hasard.integers(1, 6))
            lieu = parcours[-1]
            nom = f"v{vehicule}_{rang}"
            courses[nom] = passages
            bloc[nom] = f"B{vehicule}"
            heure += int(hasard.choice([0, 60, -45]))
    n = len(NOMS)
    correspondances = {(a, b): int(hasard.choice([0, 60, 240]))
                       for a in range(n) for b in range(n)
                       if a == b or NOMS[a][0] == NOMS[b][0]}  # fmt: skip
    vehicules = []
    for suite in suivre_naivement(courses, bloc):
        passages = []
        for nom in suite:
            dernier = len(courses[nom]) - 1
            passages += [
                (NOMS.index(arret), s, s, i < dernier, i > 0)
                for i, (arret, s) in enumerate(courses[nom])
            ]
        vehicules.append(Course(passages))
    ville = Ville(n, vehicules, correspondances)
    options = {"fenetre_duree_s": 1800, "pas_s": 60, "duree_max_s": 3000, "trajets_max": 2}
    for depuis, vers in (("a1", "c1"), ("b1", "a2"), ("c2", "b2")):
        attendues = [
            duree_porte_a_porte(
                ville, d, {NOMS.index(depuis): 0}, {NOMS.index(vers): 0},
                trajets_max=2, duree_max_s=3000,
            )
            for d in range(SEPT_HEURES, SEPT_HEURES + 1801, 60)
        ]  # fmt: skip
        obtenues = durees(
            tmp_path, courses, bloc, depuis, vers, correspondances=correspondances, **options
        )
        assert obtenues == attendues


def test_les_suites_tirees_au_hasard_servent():
    # Garde-fou de l'essai précédent : la lecture naïve colle bien des courses.
    courses = {"x": [("a1", 0), ("b1", 60)], "y": [("b2", 60), ("c1", 90)], "z": [("a1", 90)]}
    assert suivre_naivement(courses, dict.fromkeys(courses, "B")) == [["x", "y"], ["z"]]

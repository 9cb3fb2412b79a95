"""Transport collectif : égal, seconde pour seconde, à une recherche naïve dans le temps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accessibilite.transport.fenetre import OptionsTc, rangs_centiles, verifier_options
from accessibilite.transport.horaires import (
    INFINI_S,
    Correspondances,
    construire_horaire,
    renverser,
    transposer,
)
from accessibilite.transport.porte_a_porte import (
    DemandeService,
    LiensArrets,
    calculer_acces_services,
    calculer_durees,
    chercher_profil,
    construire_reseau_tc,
    evaluer_acces,
)
from donnees_geo.erreurs import ErreurConfiguration
from tests.fabriques.oracle_tc import (
    INFINI,
    Course,
    Ville,
    csr_de_paires,
    duree_porte_a_porte,
)


def reseau_de(ville, **options):
    choix = OptionsTc(**{"fenetre_debut_s": 0, "fenetre_duree_s": 600, **options})
    return construire_reseau_tc(ville.passages(), Correspondances(*ville.csr()), choix)


def marche_arrets(ville, temps):
    marche = np.full(ville.arrets, INFINI_S, dtype=np.int32)
    for arret, duree in temps.items():
        marche[arret] = duree
    return marche


def durees_calculees(ville, acces, sortie, sens, marche, options):
    """Durées d'un seul couple de lieux à chaque minute ; ``inf`` si non atteint."""
    reseau = reseau_de(ville, **options)
    loin, pres = (sortie, acces) if sens == "vers" else (acces, sortie)
    profil = chercher_profil(reseau, marche_arrets(ville, loin), sens)
    liens = LiensArrets(*csr_de_paires({(0, a): w for a, w in pres.items()}, 1))
    directe = np.array([min(marche, INFINI_S)], dtype=np.int32)
    durees = calculer_durees(reseau, profil, liens, directe, sens)[0]
    return [INFINI if d >= INFINI_S else int(d) for d in durees]


@st.composite
def villes(tirer):
    arrets = tirer(st.integers(2, 6))
    courses = []
    for _ in range(tirer(st.integers(1, 7))):
        heure = tirer(st.integers(-200, 900))
        passages = []
        for _ in range(tirer(st.integers(2, 5))):
            attente = tirer(st.sampled_from([0, 0, 0, 20, 60]))
            droits = tirer(st.sampled_from([(True, True)] * 4 + [(True, False), (False, True)]))
            arret = tirer(st.integers(0, arrets - 1))
            passages.append((arret, heure, heure + attente, *droits))
            heure += attente + tirer(st.sampled_from([0, 30, 60, 90, 240]))
        courses.append(Course(passages))
    correspondances = {}
    for a in range(arrets):
        for b in range(arrets):
            if tirer(st.booleans()):
                correspondances[a, b] = tirer(st.sampled_from([0, 0, 30, 60, 200]))
    return Ville(arrets, courses, correspondances)


marches = st.dictionaries(st.integers(0, 1), st.integers(0, 150), max_size=2)


@settings(max_examples=300, deadline=None)
@given(
    ville=villes(),
    acces=marches,
    sortie=marches,
    sens=st.sampled_from(["vers", "depuis"]),
    marge=st.sampled_from([0, 60]),
    trajets=st.integers(1, 4),
    duree_max=st.sampled_from([300, 700, 2000]),
    marche=st.sampled_from([INFINI_S, 500]),
)
def test_egal_a_la_recherche_naive(ville, acces, sortie, sens, marge, trajets, duree_max, marche):
    options = {
        "embarquement_min_s": marge,
        "trajets_max": trajets,
        "duree_max_s": duree_max,
        "pas_s": 37,
    }
    # Les arrêts de sortie sont pris à l'autre bout, pour que les trajets soient utiles.
    sortie = {ville.arrets - 1 - a: w for a, w in sortie.items()}
    attendues = [
        duree_porte_a_porte(
            ville, d, acces, sortie, marge_s=marge, trajets_max=trajets,
            duree_max_s=duree_max, marche=INFINI if marche == INFINI_S else marche,
        )
        for d in range(0, 601, 37)
    ]  # fmt: skip
    assert durees_calculees(ville, acces, sortie, sens, marche, options) == attendues


def ligne(arrets, depart, pas=60):
    """Course qui part à ``depart`` et met ``pas`` secondes entre arrêts."""
    return Course([(a, depart + i * pas, depart + i * pas, True, True)
                   for i, a in enumerate(arrets)])  # fmt: skip


def test_attente_trajet_et_marche_predits_a_la_main():
    # Un car à 300 s, un à 900 s ; 2 min de marche pour y aller, 1 min pour en sortir.
    ville = Ville(3, [ligne([0, 1, 2], 300), ligne([0, 1, 2], 900)])
    options = {"embarquement_min_s": 30, "duree_max_s": 3600, "pas_s": 150}
    for sens in ("vers", "depuis"):
        durees = durees_calculees(ville, {0: 120}, {2: 60}, sens, INFINI_S, options)
        # Départ à 150 s : à l'arrêt à 270, monté à 300 (270 + 30), arrivé à 420 + 60 = 480.
        assert durees == [480, 330, 780, 630, 480]


def test_la_marche_seule_ne_compte_que_si_elle_est_plus_rapide():
    ville = Ville(2, [ligne([0, 1], 600)])
    options = {"embarquement_min_s": 0, "duree_max_s": 3600, "pas_s": 300}
    durees = durees_calculees(ville, {0: 0}, {1: 0}, "vers", 400, options)
    assert durees == [400, 360, 60]  # marcher, puis attendre le car devient plus court


def test_une_marche_plus_longue_que_la_duree_maximale_ne_compte_pas():
    ville = Ville(2, [ligne([0, 1], 5000)])
    options = {"duree_max_s": 300, "pas_s": 300}
    assert durees_calculees(ville, {0: 0}, {1: 0}, "vers", 301, options) == [INFINI] * 3


@pytest.mark.parametrize("sens", ["vers", "depuis"])
def test_la_duree_maximale_est_comprise(sens):
    # Une correspondance, sans marche ni attente au départ : 0 → 100, puis 200 → 500.
    ville = Ville(3, [ligne([0, 1], 0, 100), ligne([1, 2], 200, 300)], {(1, 1): 0})
    options = {"embarquement_min_s": 0, "fenetre_duree_s": 0}
    juste, trop = (
        durees_calculees(ville, {0: 0}, {2: 0}, sens, INFINI_S, {**options, "duree_max_s": duree})
        for duree in (500, 499)
    )
    assert (juste, trop) == ([500], [INFINI])


@pytest.mark.parametrize("sens", ["vers", "depuis"])
def test_trajet_direct_de_la_duree_maximale(sens):
    ville = Ville(2, [ligne([0, 1], 0, 400)])
    options = {"embarquement_min_s": 0, "fenetre_duree_s": 0, "duree_max_s": 400}
    assert durees_calculees(ville, {0: 0}, {1: 0}, sens, INFINI_S, options) == [400]


def test_le_nombre_de_vehicules_est_respecte():
    ville = Ville(3, [ligne([0, 1], 100), ligne([1, 2], 300)], {(1, 1): 60})
    options = {"embarquement_min_s": 0, "fenetre_duree_s": 0}
    for sens in ("vers", "depuis"):
        deux = durees_calculees(
            ville, {0: 0}, {2: 0}, sens, INFINI_S, {**options, "trajets_max": 2}
        )
        un = durees_calculees(ville, {0: 0}, {2: 0}, sens, INFINI_S, {**options, "trajets_max": 1})
        assert (deux, un) == ([360], [INFINI])


def test_la_marge_fait_manquer_une_correspondance_trop_courte():
    courses = [ligne([0, 1], 0), ligne([1, 2], 100), ligne([1, 2], 700)]
    juste = Ville(3, courses, {(1, 1): 40})
    rate = Ville(3, courses, {(1, 1): 41})
    options = {"embarquement_min_s": 0, "fenetre_duree_s": 0}
    assert durees_calculees(juste, {0: 0}, {2: 0}, "vers", INFINI_S, options) == [160]
    assert durees_calculees(rate, {0: 0}, {2: 0}, "vers", INFINI_S, options) == [760]


def test_un_car_qui_en_double_un_autre_est_prefere():
    lent, rapide = ligne([0, 1], 60, 900), ligne([0, 1], 180, 120)
    ville = Ville(2, [lent, rapide])
    options = {"embarquement_min_s": 0, "fenetre_duree_s": 0}
    assert durees_calculees(ville, {0: 0}, {1: 0}, "vers", INFINI_S, options) == [300]


def test_on_ne_monte_ni_ne_descend_la_ou_c_est_interdit():
    monte, descend = (True, False), (False, True)
    course = Course([(0, 0, 100, *monte), (1, 160, 160, *descend), (2, 220, 220, *monte),
                     (3, 280, 280, *descend)])  # fmt: skip
    ville = Ville(4, [course])
    options = {"embarquement_min_s": 0, "fenetre_duree_s": 0}

    def de_a(depuis, vers):
        return durees_calculees(ville, {depuis: 0}, {vers: 0}, "vers", INFINI_S, options)[0]

    assert [de_a(0, 1), de_a(0, 2), de_a(1, 3), de_a(2, 3)] == [160, INFINI, INFINI, 280]


def test_horaires_vides():
    ville = Ville(2, [])
    options = {"pas_s": 300}
    assert durees_calculees(ville, {0: 0}, {1: 0}, "vers", INFINI_S, options) == [INFINI] * 3
    assert durees_calculees(ville, {0: 0}, {1: 0}, "depuis", 90, options) == [90] * 3


@settings(max_examples=60, deadline=None)
@given(ville=villes())
def test_retourner_deux_fois_redonne_l_horaire(ville):
    horaire = construire_horaire(ville.passages(), ville.arrets, 0, 2000)
    double = renverser(renverser(horaire))
    for nom in ("course_debut", "arret", "arrivee_s", "depart_s", "descente"):
        # Le rang des courses d'un motif peut changer à heure égale ; leurs passages non.
        assert sorted(getattr(horaire, nom).tolist()) == sorted(getattr(double, nom).tolist())
    correspondances = Correspondances(*ville.csr())
    for un, deux in zip(transposer(transposer(correspondances)), correspondances, strict=True):
        np.testing.assert_array_equal(un, deux)


@settings(max_examples=60, deadline=None)
@given(ville=villes(), acces=marches, ordre=st.randoms())
def test_l_ordre_des_courses_ne_compte_pas(ville, acces, ordre):
    melangees = list(ville.courses)
    ordre.shuffle(melangees)
    autre = Ville(ville.arrets, melangees, ville.correspondances)
    sortie = {ville.arrets - 1: 10}
    for sens in ("vers", "depuis"):
        assert durees_calculees(ville, acces, sortie, sens, INFINI_S, {}) == durees_calculees(
            autre, acces, sortie, sens, INFINI_S, {}
        )


@settings(max_examples=60, deadline=None)
@given(ville=villes(), acces=marches, ajout=villes())
def test_une_course_de_plus_ne_rallonge_jamais(ville, acces, ajout):
    n = max(ville.arrets, ajout.arrets)
    avant = Ville(n, ville.courses, ville.correspondances)
    apres = Ville(n, ville.courses + ajout.courses, ville.correspondances)
    sortie = {n - 1: 10}
    d_avant = durees_calculees(avant, acces, sortie, "vers", INFINI_S, {})
    d_apres = durees_calculees(apres, acces, sortie, "vers", INFINI_S, {})
    assert all(b <= a for a, b in zip(d_avant, d_apres, strict=True))


def test_le_plus_proche_service_est_le_minimum_des_recherches_avant():
    hasard = np.random.default_rng(7)
    arrets, points, services = 12, 15, 4
    courses = [
        ligne(hasard.permutation(arrets)[:5], int(hasard.integers(0, 4000)), 90) for _ in range(60)
    ]
    correspondances = {(a, b): int(hasard.integers(30, 300)) for a in range(arrets)
                       for b in range(arrets) if a == b or hasard.random() < 0.2}  # fmt: skip
    ville = Ville(arrets, courses, correspondances)
    reseau = reseau_de(ville, fenetre_duree_s=3600, trajets_max=3)
    acces = {(p, int(a)): int(hasard.integers(0, 400)) for p in range(points)
             for a in hasard.choice(arrets, 2, replace=False)}  # fmt: skip
    portes = [{int(a): int(hasard.integers(0, 200)) for a in hasard.choice(arrets, 2)}
              for _ in range(services)]  # fmt: skip
    liens = LiensArrets(*csr_de_paires(acces, points))
    directe = np.full(points, INFINI_S, dtype=np.int32)
    ensemble = np.min([marche_arrets(ville, p) for p in portes], axis=0)
    profil = chercher_profil(reseau, ensemble, "vers")
    arriere = calculer_durees(reseau, profil, liens, directe, "vers")
    for p in range(points):
        origine = marche_arrets(ville, {a: w for (q, a), w in acces.items() if q == p})
        avant = chercher_profil(reseau, origine, "depuis")
        sorties = LiensArrets(
            *csr_de_paires({(s, a): w for s, d in enumerate(portes) for a, w in d.items()},
                           services)
        )  # fmt: skip
        durees = calculer_durees(reseau, avant, sorties, directe[:services], "depuis")
        np.testing.assert_array_equal(durees.min(axis=0), arriere[p])
    assert (arriere < INFINI_S).any()
    assert (arriere == INFINI_S).any()


def test_centiles_et_part_sous_le_seuil():
    ville = Ville(2, [ligne([0, 1], 600, 60)])
    reseau = reseau_de(ville, embarquement_min_s=0, pas_s=60)
    liens = LiensArrets(*csr_de_paires({(0, 0): 0}, 3))
    directe = np.array([INFINI_S, INFINI_S, 240], dtype=np.int32)
    profil = chercher_profil(reseau, marche_arrets(ville, {1: 0}), "vers")
    acces = evaluer_acces(reseau, profil, liens, directe, "vers", seuil_s=240)
    # Onze départs, de 660 s à 60 s d'attente et de trajet.
    assert acces.temps_s[0].tolist() == [60, 180, 360, 540, 660]
    assert acces.part_seuil[0] == pytest.approx(4 / 11)
    assert np.isinf(acces.temps_s[1]).all()
    assert acces.part_seuil.tolist()[1:] == [0.0, 1.0]
    assert acces.temps_s[2].tolist() == [240] * 5
    np.testing.assert_array_equal(acces.centile(50), acces.temps_s[:, 2])
    # Même sans seuil, un lieu jamais atteint ne l'est pour aucun départ.
    sans = evaluer_acces(reseau, profil, liens, directe, "vers", seuil_s=np.inf)
    assert sans.part_seuil.tolist() == [1.0, 0.0, 1.0]
    with pytest.raises(ErreurConfiguration, match="n'a pas été calculé"):
        acces.centile(33)


def test_services_en_parallele_comme_un_par_un():
    ville = Ville(3, [ligne([0, 1, 2], h) for h in range(0, 3600, 300)])
    reseau = reseau_de(ville)
    liens = LiensArrets(*csr_de_paires({(0, 0): 30, (1, 1): 10}, 2))
    directe = np.array([INFINI_S, 500], dtype=np.int32)
    demandes = [DemandeService(marche_arrets(ville, {a: 20}), directe, 300.0) for a in (2, 1, 2, 0)]
    avances = []
    ensemble = calculer_acces_services(
        reseau, liens, demandes, "vers", progression=lambda _, part: avances.append(part)
    )
    assert avances == [0.25, 0.5, 0.75, 1.0]
    for demande, resultat in zip(demandes, ensemble, strict=True):
        seul = evaluer_acces(
            reseau, chercher_profil(reseau, demande.marche_arrets_s, "vers"), liens, directe,
            "vers", seuil_s=300,
        )  # fmt: skip
        np.testing.assert_array_equal(resultat.temps_s, seul.temps_s)
        np.testing.assert_array_equal(resultat.part_seuil, seul.part_seuil)
    assert ensemble[0].temps_s[0, 0] < ensemble[3].temps_s[0, 0]


def test_les_entrees_ne_sont_pas_modifiees():
    ville = Ville(3, [ligne([0, 1, 2], 300)], {(1, 1): 0})
    passages, correspondances = ville.passages(), Correspondances(*ville.csr())
    marche = marche_arrets(ville, {2: 10})
    copies = [passages.arret.copy(), correspondances.temps_s.copy(), marche.copy()]
    reseau = construire_reseau_tc(passages, correspondances, OptionsTc(0))
    chercher_profil(reseau, marche, "vers")
    chercher_profil(reseau, marche, "depuis")
    for avant, apres in zip(copies, [passages.arret, correspondances.temps_s, marche], strict=True):
        np.testing.assert_array_equal(avant, apres)


def test_la_fenetre_par_defaut_a_121_departs():
    assert OptionsTc(7 * 3600).minutes.size == 121


@pytest.mark.parametrize(
    ("options", "objet"),
    [
        ({"pas_s": 0}, "pas_s"),
        ({"trajets_max": 0}, "trajets_max"),
        ({"fenetre_duree_s": -1}, "fenetre_duree_s"),
        ({"duree_max_s": 0}, "duree_max_s"),
        ({"embarquement_min_s": -5}, "embarquement_min_s"),
    ],
)
def test_options_refusees(options, objet):
    with pytest.raises(ErreurConfiguration, match=objet):
        verifier_options(OptionsTc(fenetre_debut_s=0, **options))


def test_centile_hors_bornes_refuse():
    with pytest.raises(ErreurConfiguration, match="centile n'est pas valable"):
        rangs_centiles([0, 50], 121)

import numpy as np
import pytest

from accessibilite.atteinte import construire_cibles, lire_temps_points, mesurer_atteinte
from accessibilite.etude import construire_graphes
from accessibilite.rues.dijkstra import calculer_plus_proche, calculer_temps_depuis_points
from accessibilite.rues.rattachement import rattacher_points
from tests.fabriques.ville_quadrillee import (
    COIN,
    parametres_essai,
    territoire_essai,
    ville_quadrillee,
)

SENS = ("depuis", "vers")


def preparer(territoire, mode="marche"):
    parametres = parametres_essai()
    graphe = construire_graphes(territoire, parametres, [mode])[mode]
    cibles = construire_cibles(
        graphe,
        territoire.carreaux,
        territoire.carreaux["population_hab"].to_numpy(),
        territoire.equipements,
        territoire.points_acces,
        ["boulangerie", "cinema", "hopital"],
        parametres.rattachement_max_m,
    )
    return graphe, cibles


def origines(graphe, *points):
    xy = np.array(points, dtype=float) + COIN
    return rattacher_points(graphe, xy[:, 0], xy[:, 1], 400.0)


def test_habitants_et_services_comptes_a_la_main():
    graphe, cibles = preparer(territoire_essai())
    # Carreaux à 0, 100, … 900 m sur la première rue, de 10, 20, … 100 habitants ; 1 m/s.
    atteinte = mesurer_atteinte(graphe, cibles, origines(graphe, (300.0, 0.0)), [350.0, 100.0])
    assert atteinte.seuils_s == (100.0, 350.0)
    assert atteinte.poids == pytest.approx((30 + 40 + 50, sum(range(10, 80, 10))))
    assert atteinte.services.tolist() == [[0, 0, 0], [1, 0, 0]]
    assert np.isinf(atteinte.temps_carreaux_s[9])


def test_plusieurs_points_reunis_ne_comptent_chacun_qu_une_fois():
    graphe, cibles = preparer(territoire_essai())
    deux = mesurer_atteinte(graphe, cibles, origines(graphe, (0.0, 0.0), (100.0, 0.0)), [150.0])
    seuls = [
        mesurer_atteinte(graphe, cibles, origines(graphe, p), [150.0]).poids[0]
        for p in ((0.0, 0.0), (100.0, 0.0))
    ]
    assert deux.poids[0] == 10 + 20 + 30
    assert deux.poids[0] < sum(seuls)


def test_un_equipement_a_plusieurs_entrees_compte_une_fois():
    territoire = territoire_essai()
    entrees = territoire.points_acces.iloc[[0, 0]].reset_index(drop=True)
    entrees["x"] = COIN[0] + np.array([0.0, 200.0])
    graphe, cibles = preparer(territoire_essai(points_acces=entrees))
    atteinte = mesurer_atteinte(graphe, cibles, origines(graphe, (200.0, 0.0)), [50.0, 500.0])
    assert atteinte.services[:, 0].tolist() == [1, 1]


def test_un_service_hors_du_catalogue_n_est_pas_compte():
    territoire = territoire_essai()
    equipements = territoire.equipements.assign(service=["musee", "hopital"])
    graphe, cibles = preparer(territoire_essai(equipements=equipements))
    atteinte = mesurer_atteinte(graphe, cibles, origines(graphe, (0.0, 0.0)), [3000.0])
    assert atteinte.services.tolist() == [[0, 0, 1]]


def test_un_plus_grand_seuil_contient_le_plus_petit():
    graphe, cibles = preparer(territoire_essai())
    atteinte = mesurer_atteinte(graphe, cibles, origines(graphe, (520.0, 430.0)), [300, 600, 900])
    assert list(atteinte.poids) == sorted(atteinte.poids)
    assert (np.diff(atteinte.services, axis=0) >= 0).all()


@pytest.mark.parametrize("sens", SENS)
@pytest.mark.parametrize("mode", ["marche", "velo", "voiture"])
def test_lire_les_noeuds_donne_les_memes_temps_que_la_recherche(sens, mode):
    """Hors de la rue de l'origine, lire les deux bouts de la rue suffit."""
    reseau = ville_quadrillee(11, 11, est_ouest_sens_unique=True)
    graphe, _ = preparer(territoire_essai(reseau=reseau), mode)
    hasard = np.random.default_rng(7)
    points = origines(graphe, *hasard.uniform(0, 1000, (60, 2)))
    depart = origines(graphe, (512.0, 488.0))
    noeuds = calculer_temps_depuis_points(graphe, depart, sens=sens)
    lus = lire_temps_points(graphe, noeuds.temps_s, points, sens)
    attendus = calculer_plus_proche(graphe, points, depart, sens=sens).temps_s
    ailleurs = points.troncon != depart.troncon[0]
    assert ailleurs.sum() > 50
    assert np.allclose(lus[ailleurs], attendus[ailleurs], atol=1e-3)


def test_un_point_non_rattache_est_hors_d_atteinte():
    graphe, _ = preparer(territoire_essai())
    loin = origines(graphe, (50_000.0, 0.0), (100.0, 0.0))
    temps = lire_temps_points(graphe, np.zeros(graphe.nombre_noeuds), loin, "depuis")
    assert np.isinf(temps[0])
    assert temps[1] == 0.0

"""Rattachement à l'arête : prédit à la main, et comparé à shapely sur toutes les rues."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from accessibilite.rues import index_spatial
from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import calculer_amorces, rattacher_points
from donnees_geo.reseau import ReseauRues
from tests.fabriques.ville_quadrillee import (
    COIN,
    SENS_UNIQUE,
    Rue,
    construire_reseau,
    parametres_essai,
    reseau_aleatoire,
    ville_quadrillee,
)


def graphe_de(reseau: ReseauRues, mode: str = "marche", minimum: int = 1):
    return construire_graphe(reseau, construire_profil(parametres_essai(), mode), minimum)


def rattacher(graphe, points, distance_max_m=500.0):
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 2) + COIN
    return rattacher_points(graphe, xy[:, 0], xy[:, 1], distance_max_m)


def test_position_sur_l_arete_a_la_main():
    graphe = graphe_de(ville_quadrillee(3, 3))
    r = rattacher(graphe, [(30, 10), (200, 250), (0, 0), (150, -400.5)])
    assert r.troncon[:2].tolist() == [0, 5]  # au bout de deux rues, la première
    assert r.position == pytest.approx([0.3, 1.0, 0.0, 0.5])
    assert r.distance_m == pytest.approx([10, 50, 0, 400.5])
    assert r.approche_s == pytest.approx([10, 50, 0, 400.5])  # 1 m/s
    assert (r.x - COIN[0]) == pytest.approx([30, 200, 0, 150])
    assert (r.y - COIN[1]) == pytest.approx([0, 200, 0, 0])


def test_position_le_long_d_une_rue_coudee():
    reseau = construire_reseau([(0, 0), (100, 0)], [Rue(0, 1, sommets=((0.0, 300.0),))])
    longueur = 300 + np.hypot(100, 300)
    r = rattacher(graphe_de(reseau), [(-20, 150), (100, -5)])
    assert r.position == pytest.approx([150 / longueur, 1.0])
    assert r.distance_m[0] == pytest.approx(20.0)


def test_trop_loin_sans_coordonnees_et_liste_vide():
    graphe = graphe_de(ville_quadrillee(3, 3))
    r = rattacher(
        graphe,
        [(0, -500), (0, -500.01), (np.nan, 0), (0, np.inf), (1e7, 1e7), (50, 20)],
    )
    assert r.rattaches.tolist() == [True, False, False, False, False, True]
    assert r.troncon[1:5].tolist() == [-1] * 4
    assert np.isinf(r.distance_m[1:5]).all()
    assert np.isinf(r.approche_s[1:5]).all()
    assert r.x[1] == COIN[0]
    assert r.y[1] == COIN[1] - 500.01
    vide = rattacher(graphe, [])
    assert len(vide) == 0
    assert vide.position.size == 0
    choisi = r.extraire(np.array([5, 0]))
    assert choisi.troncon.tolist() == [r.troncon[5], r.troncon[0]]
    assert len(r.extraire(r.rattaches)) == 2


@pytest.mark.parametrize("graine", range(4))
@pytest.mark.parametrize("mode", ["marche", "velo", "voiture"])
def test_egale_la_recherche_exhaustive_de_shapely(graine, mode):
    reseau = reseau_aleatoire(graine)
    graphe = graphe_de(reseau, mode, minimum=5)
    hasard = np.random.default_rng(graine)
    proches = hasard.uniform(-200, 1800, (150, 2))
    lointains = hasard.uniform(-9000, 9000, (50, 2))
    sur_noeud = np.column_stack([reseau.noeud_x[:10], reseau.noeud_y[:10]]) - COIN
    points = np.vstack([proches, lointains, sur_noeud])
    r = rattacher(graphe, points, 3000.0)

    lignes = reseau.lignes()
    retenues = np.flatnonzero(graphe.raccordable)
    geometries = shapely.points(points + COIN)
    distances = shapely.distance(geometries[:, None], lignes[retenues][None, :])
    attendue = distances.min(axis=1)
    assert r.rattaches.tolist() == (attendue <= 3000.0).tolist()
    assert 0 < r.rattaches.sum() < len(points)
    lie = np.flatnonzero(r.rattaches)
    assert r.distance_m[lie] == pytest.approx(attendue[lie], abs=1e-6)
    assert graphe.raccordable[r.troncon[lie]].all()
    # Le tronçon choisi est bien à cette distance, et la position est celle de sa projection.
    choisies = lignes[r.troncon[lie]]
    assert shapely.distance(geometries[lie], choisies) == pytest.approx(attendue[lie], abs=1e-6)
    projetes = shapely.line_interpolate_point(choisies, r.position[lie], normalized=True)
    assert shapely.distance(projetes, geometries[lie]) == pytest.approx(attendue[lie], abs=1e-6)
    assert shapely.get_x(projetes) == pytest.approx(r.x[lie], abs=1e-6)
    assert shapely.get_y(projetes) == pytest.approx(r.y[lie], abs=1e-6)


def test_a_egale_distance_le_premier_troncon_quel_que_soit_l_ordre():
    reseau = construire_reseau(
        [(0, 0), (100, 0), (0, 50), (100, 50)], [Rue(2, 3), Rue(0, 1), Rue(0, 2)]
    )
    points = [(50, 25), (60, 25), (70, 10)]
    graphe = graphe_de(reseau)
    assert rattacher(graphe, points).troncon.tolist() == [0, 0, 1]
    assert rattacher(graphe, points[::-1]).troncon.tolist() == [1, 0, 0]


def test_index_au_bord_de_la_grille(monkeypatch):
    # 1 m en cases de 0,1 m : 1 / 0,1 s'arrondit à 10 quand 1 // 0,1 donne 9.
    monkeypatch.setattr(index_spatial, "CASE_M", 0.1)
    reseau = construire_reseau(
        [(0, 0), (1, 0), (1, 1), (0, 1)], [Rue(i, (i + 1) % 4) for i in range(4)]
    )
    index = index_spatial.construire_index(reseau, np.ones(4, dtype=bool))
    assert set(index.segments.tolist()) == {0, 2, 4, 6}
    assert index.debut_case[-1] == index.segments.size
    r = rattacher(graphe_de(reseau), [(0.99, 0.5), (0.5, 0.99), (0.01, 0.5)])
    assert r.troncon.tolist() == [1, 2, 3]
    assert r.position == pytest.approx([0.5, 0.5, 0.5], abs=1e-9)


def test_amorces_a_la_main():
    # Rue de 100 m à sens unique, voiture à 10 m/s, point au quart, à 20 m de la rue (1 m/s).
    reseau = construire_reseau(
        [(0, 0), (100, 0), (50, 90)], [Rue(0, 1, SENS_UNIQUE), Rue(1, 2), Rue(2, 0)]
    )
    graphe = graphe_de(reseau, "voiture")
    point = rattacher(graphe, [(25, -20)])
    noeuds, couts, points = calculer_amorces(graphe, point, "depuis")
    assert noeuds.tolist() == [1]
    assert couts == pytest.approx([20 + 7.5])
    noeuds, couts, points = calculer_amorces(graphe, point, "vers")
    assert noeuds.tolist() == [0]
    assert couts == pytest.approx([20 + 2.5])
    assert points.tolist() == [0]
    # Posé au bout, le point est au carrefour : il en part même à rebours du sens unique.
    bout = rattacher(graphe, [(0, -20)])
    noeuds, couts, _ = calculer_amorces(graphe, bout, "depuis")
    assert dict(zip(noeuds.tolist(), couts.tolist(), strict=True))[0] == pytest.approx(20)


def test_les_coordonnees_donnees_ne_sont_pas_modifiees():
    graphe = graphe_de(ville_quadrillee(3, 3))
    x, y = np.array([660_010.0, np.nan]), np.array([7_040_010.0, 0.0])
    copie = x.copy(), y.copy()
    r = rattacher_points(graphe, x, y)
    r.x[:] = 0
    assert np.array_equal(x, copie[0], equal_nan=True)
    assert np.array_equal(y, copie[1], equal_nan=True)

"""Contours des rues : anneaux valides, fidèles aux tampons, emboîtés ; coins opposés séparés."""

from __future__ import annotations

import itertools
import math

import contourpy
import numpy as np
import pytest
import shapely

from accessibilite.rues.contours import Champ, contourner, imprimer_rues, ouvrir_champ

EMPRISE = (0.0, 0.0, 1000.0, 800.0)


def lignes(*sommets):
    """Rues au format CSR ; ``sommets`` : une liste de points par rue."""
    debut = np.cumsum([0, *(len(s) for s in sommets)])
    x, y = np.concatenate([np.asarray(s, dtype=float) for s in sommets]).T.copy()
    return debut, x, y, np.zeros(x.size)


def rues_au_hasard(graine, nombre):
    hasard = np.random.default_rng(graine)
    depart = hasard.uniform(0, (1000, 800), (nombre, 2))
    pas = hasard.normal(0, 60, (nombre, 3, 2))
    rues = np.concatenate([depart[:, None], depart[:, None] + np.cumsum(pas, axis=1)], axis=1)
    return lignes(*np.clip(rues, 0, (1000, 800)))


def champ_de(valeurs, tampon_m=25.0):
    """Champ dont les distances sont données, de pas 10 m."""
    return Champ(0.0, 0.0, 10.0, tampon_m, (np.asarray(valeurs, dtype=np.float32) ** 2))


def tout(champ):
    h, w = champ.carres_m2.shape
    return (
        champ.ouest,
        champ.sud,
        champ.ouest + champ.pas_m * (w - 1),
        champ.sud + champ.pas_m * (h - 1),
    )


def test_une_rue_donne_sa_capsule():
    champ = ouvrir_champ(EMPRISE, 10.0, 25.0)
    assert (champ.ouest % 10, champ.sud % 10) == (0, 0)
    imprimer_rues(champ, lignes([(103.0, 207.0), (403.0, 207.0), (403.0, 407.0)]))
    (polygone,) = contourner(champ, (103.0, 207.0, 403.0, 407.0))
    attendu = shapely.LineString([(103, 207), (403, 207), (403, 407)]).buffer(25, quad_segs=32)
    assert polygone.area == pytest.approx(attendu.area, rel=0.01)
    assert shapely.symmetric_difference(polygone, attendu).area < 0.02 * attendu.area


@pytest.mark.parametrize("pas_m", [10.0, 20.0])
@pytest.mark.parametrize("graine", range(3))
def test_fideles_aux_tampons_et_emboites(graine, pas_m):
    premieres, secondes = rues_au_hasard(graine, 25), rues_au_hasard(graine + 100, 25)
    champ = ouvrir_champ(EMPRISE, pas_m, 25.0)
    imprimer_rues(champ, premieres)
    petits = contourner(champ, EMPRISE)
    imprimer_rues(champ, secondes)
    grands = contourner(champ, EMPRISE)
    assert shapely.is_valid(petits).all() and shapely.is_valid(grands).all()
    reunion = shapely.union_all(grands)
    assert reunion.area == pytest.approx(shapely.area(grands).sum())  # disjoints
    assert shapely.covers(reunion, shapely.union_all(petits))
    tampons = shapely.union_all(
        [
            shapely.LineString(np.column_stack([x[a:b], y[a:b]])).buffer(25, quad_segs=16)
            for debut, x, y, _ in (premieres, secondes)
            for a, b in itertools.pairwise(debut)
        ]
    )
    commun = shapely.intersection(tampons, reunion).area
    assert commun / shapely.union(tampons, reunion).area > (0.985 if pas_m == 10 else 0.95)
    seul = ouvrir_champ(EMPRISE, pas_m, 25.0)
    imprimer_rues(seul, secondes)
    imprimer_rues(seul, premieres)
    assert np.array_equal(seul.carres_m2, champ.carres_m2)  # l'ordre des rues est indifférent


@pytest.mark.parametrize("graine", range(3))
def test_memes_surfaces_que_contourpy(graine):
    hasard = np.random.default_rng(graine)
    distances = hasard.uniform(0, 50, (40, 50))
    distances[[0, -1], :] = distances[:, [0, -1]] = 50.0
    champ = champ_de(distances)
    polygones = contourner(champ, tout(champ))
    assert shapely.is_valid(polygones).all()
    assert (shapely.area(polygones) > 0).all()
    # Aux cols, contourpy joint parfois les coins : on compare les champs sans col.
    carre = distances <= 25.0
    a, b, c, d = carre[:-1, :-1], carre[:-1, 1:], carre[1:, 1:], carre[1:, :-1]
    cols = ((a == c) & (b == d) & (a != b)).sum()
    attendu = contourpy.contour_generator(
        np.arange(50) * 10.0, np.arange(40) * 10.0, distances, fill_type="OuterOffset"
    ).filled(-1.0, 25.0)
    surface = sum(
        shapely.Polygon(p[: o[1]], [p[u:v] for u, v in itertools.pairwise(o[1:])]).area
        for p, o in zip(*attendu, strict=True)
    )
    # Une maille de col change d'une surface de maille au plus.
    assert abs(shapely.area(polygones).sum() - surface) <= 100.0 * cols
    assert cols > 0


def test_un_trou_va_a_son_polygone_et_un_ilot_reste_a_part():
    distances = np.full((13, 13), 50.0)
    distances[1:12, 1:12] = 0.0
    distances[3:10, 3:10] = 50.0
    distances[6, 6] = 0.0
    champ = champ_de(distances)
    polygones = contourner(champ, tout(champ))
    par_surface = sorted(polygones, key=lambda p: p.area)
    assert [len(p.interiors) for p in par_surface] == [0, 1]
    ilot, couronne = par_surface
    # Le contour coupe chaque arête en son milieu : losange de demi-diagonale 5 m.
    assert ilot.area == pytest.approx(2 * 5**2)
    assert shapely.within(ilot, shapely.Polygon(couronne.interiors[0]))
    # Le bord va des milieux 0-1 à 11-12, le trou des milieux 2-3 à 9-10 ; coins rabotés.
    coins = 4 * 5**2 / 2
    assert couronne.area == pytest.approx((110.0**2 - coins) - (70.0**2 - coins))


def test_deux_mailles_opposees_par_le_coin_restent_separees():
    distances = np.full((4, 4), 50.0)
    distances[1, 1] = distances[2, 2] = 0.0
    champ = champ_de(distances)
    assert len(contourner(champ, tout(champ))) == 2


def test_un_niveau_atteint_juste_au_centre_reste_valide():
    distances = np.full((7, 7), 50.0)
    distances[1:6, 1:6] = 25.0
    distances[3, 3] = 50.0
    champ = champ_de(distances)
    (polygone,) = contourner(champ, tout(champ))
    assert shapely.is_valid(polygone)
    assert len(polygone.interiors) == 1
    assert polygone.area == pytest.approx(40.0**2 - 20.0**2 / 2, rel=0.01)


def test_un_champ_vide_n_a_pas_de_contour():
    champ = ouvrir_champ((0.0, 0.0, 100.0, 100.0), 10.0, 25.0)
    assert contourner(champ, (0.0, 0.0, 100.0, 100.0)).size == 0
    assert math.isinf(champ.carres_m2.min())

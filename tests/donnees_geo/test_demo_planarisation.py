"""Mise en réseau de segments : cas prévus à la main et invariants."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from donnees_geo.demo.planarisation import croisements, planariser, positions_uniques


def test_deux_segments_en_croix_donnent_cinq_noeuds_et_quatre_aretes() -> None:
    reseau = planariser(np.array([[0.0, 50, 100, 50], [50, 0, 50, 100]]))
    assert reseau.x.size == 5
    assert reseau.origine.size == 4
    degre = np.bincount(np.r_[reseau.origine, reseau.cible])
    centre = int(np.argmax(degre))
    assert degre[centre] == 4
    assert (reseau.x[centre], reseau.y[centre]) == (50.0, 50.0)
    assert sorted(reseau.source.tolist()) == [0, 0, 1, 1]


def test_extremite_proche_rejoint_le_segment_voisin() -> None:
    # La seconde rue s'arrête à 2 m de la première : elles doivent se toucher.
    reseau = planariser(np.array([[0.0, 0, 100, 0], [40, 2, 40, 80]]), accroche_m=3.0)
    degre = np.bincount(np.r_[reseau.origine, reseau.cible])
    assert degre.max() == 3
    k = int(np.argmax(degre))
    assert reseau.y[k] == pytest.approx(0.0)


def test_extremite_trop_loin_reste_libre() -> None:
    reseau = planariser(np.array([[0.0, 0, 100, 0], [40, 9, 40, 80]]), accroche_m=3.0)
    assert reseau.origine.size == 2


def test_segments_superposes_la_premiere_source_l_emporte() -> None:
    reseau = planariser(np.array([[0.0, 0, 100, 0], [100, 0, 0, 0]]))
    assert reseau.origine.size == 1
    assert reseau.source.tolist() == [0]


def test_croisements_positions_le_long_de_chacun() -> None:
    i, j, ta, tb = croisements(np.array([[0.0, 0, 10, 0]]), np.array([[2.0, -1, 2, 3]]))
    assert (i.tolist(), j.tolist()) == ([0], [0])
    assert ta[0] == pytest.approx(0.2)
    assert tb[0] == pytest.approx(0.25)


def test_croisements_sans_segment() -> None:
    vide = np.zeros((0, 4))
    assert all(len(t) == 0 for t in croisements(vide, np.array([[0.0, 0, 1, 1]])))


def test_positions_uniques_rend_le_rang_de_chaque_point() -> None:
    xy = np.array([[5.0, 5], [0, 0], [5.001, 5]])
    uniques, rangs = positions_uniques(xy, 0.05)
    assert len(uniques) == 2
    assert rangs[0] == rangs[2] != rangs[1]


@settings(max_examples=40, deadline=None)
@given(graine=st.integers(0, 10_000), nombre=st.integers(2, 25))
def test_les_aretes_ne_se_touchent_qu_aux_noeuds(graine: int, nombre: int) -> None:
    hasard = np.random.default_rng(graine)
    segments = hasard.uniform(0, 1000, (nombre, 4))
    avant = segments.copy()
    reseau = planariser(segments, accroche_m=1.0)
    assert np.array_equal(segments, avant)
    lignes = shapely.linestrings(reseau.segments().reshape(-1, 2, 2))
    i, j, ti, tj = croisements(reseau.segments(), reseau.segments())
    longueur = reseau.longueurs()
    # Un croisement ne peut être qu'à moins d'un mètre d'une extrémité (soudure des noeuds).
    bord_i = np.minimum(ti, 1 - ti) * longueur[i] < 1.0
    bord_j = np.minimum(tj, 1 - tj) * longueur[j] < 1.0
    assert np.all(bord_i & bord_j | (i == j))
    union = float(shapely.length(shapely.union_all(shapely.linestrings(avant.reshape(-1, 2, 2)))))
    assert float(np.sum(shapely.length(lignes))) == pytest.approx(union, abs=2.0 * nombre + 5)

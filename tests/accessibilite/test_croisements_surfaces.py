"""Croisements de surfaces face à shapely : parts par sévérité, points, grands contours."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely

from accessibilite.croisements.surfaces import (
    classer_points,
    croiser_surfaces,
    croiser_zones_inondables,
    mesurer_par_severite,
    subdiviser,
)
from donnees_geo.erreurs import ErreurDonnees
from tests.fabriques.ville_quadrillee import COIN
from tests.fabriques.zones_inondables import boite, zones


def patates(hasard, nombre: int, rayon_m: float, sommets: int) -> np.ndarray:
    """Polygones étoilés quelconques, valides, posés sur un carré de 4 km."""
    centres = hasard.uniform(0, 4_000, (nombre, 2))
    angles = np.linspace(0, 2 * np.pi, sommets, endpoint=False)
    lobes = hasard.integers(2, 6, (nombre, 1)) * angles + hasard.uniform(0, 6, (nombre, 1))
    rayons = rayon_m * (hasard.uniform(0.5, 1, (nombre, 1)) + 0.3 * np.sin(lobes))
    rayons *= 1 + hasard.uniform(-0.2, 0.2, (nombre, sommets)) / np.sqrt(sommets)
    anneaux = np.stack([rayons * np.cos(angles), rayons * np.sin(angles)], axis=-1)
    return np.asarray(shapely.polygons(centres[:, None] + anneaux))


@pytest.mark.parametrize("graine", [0, 1, 2])
def test_surfaces_par_severite_face_a_shapely(graine):
    hasard = np.random.default_rng(graine)
    objets, formes = patates(hasard, 40, 120, 9), patates(hasard, 90, 500, 600)
    severites = hasard.integers(1, 5, 90)
    copies = shapely.to_wkb(objets).tolist(), shapely.to_wkb(formes).tolist()
    niveaux, mesures = mesurer_par_severite(objets, formes, severites)
    assert niveaux.tolist() == [4, 3, 2, 1]
    unions = [shapely.union_all(formes[severites == niveau]) for niveau in niveaux]
    for objet, ligne in zip(objets, mesures, strict=True):
        reste = objet
        for union, surface in zip(unions, ligne, strict=True):
            assert surface == pytest.approx(reste.intersection(union).area, abs=1e-3)
            reste = reste.difference(union)
    assert (shapely.to_wkb(objets).tolist(), shapely.to_wkb(formes).tolist()) == copies


def test_la_plus_severe_lemporte_et_ne_compte_quune_fois():
    objets = np.array([boite(0, 0, 100)])
    formes = np.array([boite(0, 0, 50, 100), boite(0, 0, 100), boite(20, 0, 30, 100)])
    niveaux, mesures = mesurer_par_severite(objets, formes, np.array([2, 1, 2]))
    assert niveaux.tolist() == [2, 1]
    assert mesures.tolist() == [[5_000.0, 5_000.0]]


def test_ordre_des_zones_indifferent():
    hasard = np.random.default_rng(7)
    objets, formes = patates(hasard, 15, 150, 12), patates(hasard, 30, 600, 40)
    severites = hasard.integers(1, 4, 30)
    ordre = hasard.permutation(30)
    _, droit = mesurer_par_severite(objets, formes, severites)
    _, melange = mesurer_par_severite(objets, formes[ordre], severites[ordre])
    assert melange == pytest.approx(droit, abs=1e-6)


def test_subdiviser_conserve_la_surface_et_borne_les_sommets():
    grande = patates(np.random.default_rng(3), 1, 900, 5_000)
    petite = np.array([boite(0, 0, 10)])
    pieces, origine = subdiviser(np.concatenate([grande, petite]), 300)
    assert shapely.get_num_coordinates(pieces).max() <= 300
    assert np.bincount(origine, shapely.area(pieces)) == pytest.approx(
        [grande[0].area, 100.0], abs=1e-3
    )
    assert shapely.union_all(pieces[origine == 0]).symmetric_difference(grande[0]).area < 1e-3


def test_croiser_refuse_une_geometrie_invalide():
    x, y = COIN
    papillon = shapely.Polygon([(x, y), (x + 9, y + 9), (x + 9, y), (x, y + 9)])
    with pytest.raises(ErreurDonnees, match="invalides") as erreur:
        croiser_surfaces(np.array([boite(0, 0, 5)]), np.array([papillon]))
    assert "zones" in str(erreur.value)


def test_croiser_sans_objet_ni_zone():
    vide = np.empty(0, dtype=object)
    for objets, formes in ((vide, np.array([boite(0, 0, 5)])), (np.array([boite(0, 0, 5)]), vide)):
        rang, zone, communes = croiser_surfaces(objets, formes)
        assert rang.size == zone.size == communes.size == 0


def test_parts_par_famille_points_compris():
    objets = np.array([boite(0, 0, 100), shapely.Point(COIN[0] + 10, COIN[1] + 10)], dtype=object)
    table = croiser_zones_inondables(
        objets,
        pd.concat(
            [
                zones(("reglement", "interdiction", 3, boite(0, 0, 25, 100))),
                zones(("tri", "moyen", 3, boite(0, 0, 100, 50))),
                zones(("hauteur", "1_a_2_m", 3, boite(0, 0, 100)), scenario="extreme"),
            ]
        ),
    )
    lignes = table[["rang", "famille", "niveau", "part"]].values.tolist()
    # Les hauteurs d'un autre scénario que celui demandé ne comptent pas.
    assert lignes == [
        [0, "reglement", "interdiction", 0.25],
        [0, "tri", "moyen", 0.5],
        [1, "reglement", "interdiction", 1.0],
        [1, "tri", "moyen", 1.0],
    ]
    assert table["surface_m2"].tolist()[:2] == [2_500.0, 5_000.0]
    assert table["surface_m2"].isna().tolist() == [False, False, True, True]


def test_points_dans_la_zone_la_plus_severe():
    points = np.array([shapely.Point(COIN[0] + d, COIN[1] + 5) for d in (5, 15, 99)])
    formes = np.array([boite(0, 0, 20), boite(0, 0, 10)])
    assert classer_points(points, formes, np.array([1, 4])).tolist() == [4, 1, -1]

"""Isochrones : emboîtement, accord avec l'union des tampons, trous, raster de temps."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely

from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.isochrones import (
    OptionsTrace,
    calculer_isochrones,
    calculer_raster,
    couper_lignes,
    tracer_isochrones,
    tracer_lignes,
    verifier_seuils,
)
from accessibilite.rues.portions import atteindre
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import rattacher_points
from donnees_geo.erreurs import ErreurConfiguration, ErreurReseau
from tests.fabriques.ville_quadrillee import (
    COIN,
    parametres_essai,
    reseau_aleatoire,
    ville_quadrillee,
)

SEUILS = (300.0, 600.0, 900.0)


def graphe_de(reseau, mode="marche"):
    return construire_graphe(reseau, construire_profil(parametres_essai(), mode), 4)


def en_ville(x_m, y_m, cote=11):
    graphe = graphe_de(ville_quadrillee(cote, cote))
    return graphe, rattacher_points(graphe, np.array([COIN[0] + x_m]), np.array([COIN[1] + y_m]))


def longueur_par_echantillons(graphe, portions, seuil_s):
    """Part atteinte de chaque tronçon, en mille points : indifférente aux recouvrements."""
    parts = (np.arange(1000) + 0.5) / 1000
    atteint = np.zeros((graphe.reseau.nombre_troncons, parts.size), dtype=bool)
    for t, f0, f1, t0, t1 in zip(*portions, strict=True):
        duree = t0 + (parts - f0) / (f1 - f0) * (t1 - t0)
        atteint[t] |= (parts >= f0) & (parts <= f1) & (duree <= seuil_s)
    return float((atteint.mean(axis=1) * graphe.reseau.troncon_longueur_m).sum())


@pytest.mark.parametrize("sens", ["depuis", "vers"])
@pytest.mark.parametrize("graine", range(4))
def test_emboites_valides_et_proches_de_l_union_des_tampons(graine, sens):
    mode = ("marche", "velo")[graine % 2]
    graphe = graphe_de(reseau_aleatoire(graine, 200, 3000.0), mode)
    hasard = np.random.default_rng(graine)
    point = rattacher_points(
        graphe, COIN[0] + hasard.uniform(800, 2200, 1), COIN[1] + hasard.uniform(800, 2200, 1)
    )
    seuils = SEUILS if mode == "marche" else tuple(s / 4 for s in SEUILS)
    isochrones = calculer_isochrones(graphe, point, seuils[::-1], sens=sens)
    assert [i.seuil_s for i in isochrones] == list(seuils)
    portions, _ = atteindre(graphe, point, seuils[-1], sens=sens)
    for isochrone in isochrones:
        assert shapely.is_valid(isochrone.polygone)
        assert isochrone.surface_m2 == isochrone.polygone.area > 0
        rues = tracer_lignes(couper_lignes(graphe, portions, isochrone.seuil_s))
        tampons = shapely.union_all(shapely.buffer(rues, 25.0, quad_segs=16))
        commun = shapely.intersection(tampons, isochrone.polygone).area
        assert commun / shapely.union(tampons, isochrone.polygone).area >= 0.97
        assert isochrone.longueur_m == pytest.approx(
            longueur_par_echantillons(graphe, portions, isochrone.seuil_s), rel=0.01
        )
    for petit, grand in itertools.pairwise(isochrones):
        assert shapely.covers(grand.polygone, petit.polygone)
        assert petit.longueur_m < grand.longueur_m
    pleins = calculer_isochrones(
        graphe, point, seuils, sens=sens, options=OptionsTrace(trous="combles")
    )
    for isochrone, plein in zip(isochrones, pleins, strict=True):
        assert shapely.is_valid(plein.polygone)
        assert all(not p.interiors for p in plein.polygone.geoms)
        assert plein.longueur_m == isochrone.longueur_m
        attendu = shapely.union_all([shapely.Polygon(p.exterior) for p in isochrone.polygone.geoms])
        assert plein.surface_m2 == pytest.approx(attendu.area, rel=1e-9)
    for petit, grand in itertools.pairwise(pleins):
        assert shapely.covers(grand.polygone, petit.polygone)


def test_longueur_et_trous_en_ville_quadrillee():
    # Du carrefour central, 100 s à 1 m/s : quatre branches de 100 m, puis la croix s'étoffe.
    graphe, centre = en_ville(500.0, 500.0)
    croix, grille = calculer_isochrones(graphe, centre, [100.0, 5000.0])
    assert croix.longueur_m == pytest.approx(400.0)
    # Croix de bras de 100 m et de demi-largeur 25 m, bouts arrondis.
    attendue = 4 * 75 * 50 + 50 * 50 + 4 * np.pi * 25**2 / 2
    assert croix.surface_m2 == pytest.approx(attendue, rel=0.02)
    assert grille.longueur_m == pytest.approx(2 * 11 * 1000.0)
    assert sum(len(p.interiors) for p in grille.polygone.geoms) == 100
    (plein,) = calculer_isochrones(graphe, centre, [5000.0], options=OptionsTrace(trous="combles"))
    assert sum(len(p.interiors) for p in plein.polygone.geoms) == 0
    assert plein.surface_m2 == pytest.approx(1050.0**2, rel=0.01)


def test_la_rue_du_depart_ne_compte_qu_une_fois():
    graphe, milieu = en_ville(550.0, 500.0)
    (isochrone,) = calculer_isochrones(graphe, milieu, [80.0])
    # 50 m de chaque côté sur la rue, puis 30 m dans les trois rues de chaque bout.
    assert isochrone.longueur_m == pytest.approx(100 + 6 * 30)


def test_plusieurs_departs_et_pas_long():
    graphe, un = en_ville(100.0, 100.0)
    _, autre = en_ville(900.0, 900.0)
    deux = rattacher_points(
        graphe, COIN[0] + np.array([100.0, 900.0]), COIN[1] + np.array([100.0, 900.0])
    )
    ensemble = calculer_isochrones(graphe, deux, [150.0])[0]
    separes = [calculer_isochrones(graphe, p, [150.0])[0] for p in (un, autre)]
    assert len(ensemble.polygone.geoms) == 2
    assert ensemble.surface_m2 == pytest.approx(sum(i.surface_m2 for i in separes), rel=1e-9)
    assert ensemble.longueur_m == pytest.approx(sum(i.longueur_m for i in separes))
    gros = calculer_isochrones(graphe, un, [150.0], options=OptionsTrace(pas_m=20.0))[0]
    assert gros.surface_m2 == pytest.approx(separes[0].surface_m2, rel=0.03)
    assert gros.surface_m2 != separes[0].surface_m2


def test_rien_d_atteint_donne_un_polygone_vide():
    graphe, loin = en_ville(500.0, -100.0)
    petit, grand = calculer_isochrones(graphe, loin, [60.0, 300.0])
    assert petit.polygone.is_empty
    assert (petit.surface_m2, petit.longueur_m) == (0.0, 0.0)
    assert grand.surface_m2 > 0
    (rien,) = calculer_isochrones(graphe, loin, [60.0])
    assert rien.polygone.is_empty
    portions, _ = atteindre(graphe, loin, 60.0)
    with pytest.raises(ErreurReseau, match="Aucune rue n'est atteinte") as refus:
        calculer_raster(graphe, portions, 60.0)
    assert "1 min" in str(refus.value)


@pytest.mark.parametrize("seuils", [[], [0.0], [300.0, -1.0], [np.nan], [np.inf]])
def test_seuils_impossibles(seuils):
    with pytest.raises(ErreurConfiguration, match="seuils d'isochrone") as refus:
        verifier_seuils(seuils)
    assert "durées positives" in str(refus.value)


def test_seuils_tries_et_distincts():
    assert verifier_seuils([600, 300, 600.0]) == [300.0, 600.0]


def test_raster_des_temps_a_la_main():
    graphe, centre = en_ville(500.0, 500.0)
    portions, _ = atteindre(graphe, centre, 300.0)
    trame = calculer_raster(graphe, portions, 300.0)
    assert trame.pas_m == 10.0

    def lire(x_m, y_m):
        colonne = round((COIN[0] + x_m - trame.ouest) / 10)
        rangee = round((COIN[1] + y_m - trame.sud) / 10)
        assert (trame.x[colonne], trame.y[rangee]) == (COIN[0] + x_m, COIN[1] + y_m)
        return float(trame.valeurs[rangee, colonne])

    assert lire(500, 500) == pytest.approx(0, abs=1e-3)
    assert lire(560, 500) == pytest.approx(60, abs=1e-3)
    assert lire(500, 420) == pytest.approx(80, abs=1e-3)
    # À 20 m au nord de la rue : on la quitte 15 m avant, à 45 s, pour 25 m en biais.
    assert lire(560, 520) == pytest.approx(70, abs=1e-3)
    # Derrière le bout d'une rue, rien à gagner : 300 s au plus.
    assert lire(500, 790) == pytest.approx(290, abs=1e-3)
    assert np.isnan(lire(550, 550))  # au coeur du pâté, à 50 m de toute rue
    assert lire(700, 600) == pytest.approx(300, abs=1e-3)
    assert np.isnan(lire(710, 600))
    assert np.nanmax(trame.valeurs) <= 300.0
    # Calée sur les multiples du pas.
    assert trame.ouest % 10 == trame.sud % 10 == 0


def test_le_raster_est_le_minimum_des_temps_des_rues():
    graphe = graphe_de(reseau_aleatoire(5, 120, 1500.0))
    point = rattacher_points(graphe, np.array([COIN[0] + 700]), np.array([COIN[1] + 700.0]))
    portions, _ = atteindre(graphe, point, 500.0)
    trame = calculer_raster(graphe, portions, 500.0)
    debut, x, y, temps = couper_lignes(graphe, portions, 500.0)
    # Un point de rue tous les quarts de mètre, avec son temps.
    gauche = np.setdiff1d(np.arange(x.size), debut[1:] - 1)
    fractions = np.arange(0, 1.0001, 0.001)
    px, py, pt = (
        (c[gauche, None] + fractions * (c[gauche + 1] - c[gauche])[:, None]).ravel()
        for c in (x, y, temps)
    )
    hasard = np.random.default_rng(0)
    vus = 0
    for i, j in hasard.integers(0, trame.valeurs.shape, (300, 2)):
        centre = shapely.Point(trame.x[j], trame.y[i])
        distance = np.hypot(px - centre.x, py - centre.y)
        duree = np.where(distance <= 25.0, pt + distance, np.inf).min()
        if abs(duree - 500) > 0.5 and abs(distance.min() - 25) > 0.5:
            vus += duree <= 500
            attendu = duree if duree <= 500 else np.nan
            # L'oracle, échantillonné, ne peut que dépasser un peu le minimum exact.
            assert trame.valeurs[i, j] == pytest.approx(attendu, abs=0.3, nan_ok=True)
            assert not trame.valeurs[i, j] > duree + 1e-3
    assert vus > 50


def test_les_portions_ne_sont_pas_modifiees():
    graphe, centre = en_ville(437.0, 512.0)
    portions, _ = atteindre(graphe, centre, 400.0)
    copies = [c.copy() for c in portions]
    tracer_isochrones(graphe, portions, [100.0, 400.0])
    calculer_raster(graphe, portions, 300.0)
    assert all(np.array_equal(a, b) for a, b in zip(portions, copies, strict=True))

"""Calques dessinés : classes, trames, signes, simplification, pointage."""

from __future__ import annotations

import io
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from PIL import Image

from couches.calques.libres import composer_libre
from couches.catalogue import Classe
from couches.ecran.calques_image import (
    choisir_tolerance,
    construire_formes,
    dessiner_calque,
    objets_sous,
)

MERCATOR = "EPSG:3857"
EMPRISE = (0.0, 0.0, 100.0, 100.0)
ROUGE = Classe("r", "rouge", "#ff0000", "plein")
BLEU = Classe("b", "bleu", "#0000ff", "plein")


def calque(geometries, rangs=None, classes=(ROUGE,)):
    """Calque en Mercator : un mètre vaut un pixel d'une image de 100 sur 100."""
    table = gpd.GeoDataFrame({"n": range(len(geometries))}, geometry=geometries, crs=MERCATOR)
    libre = composer_libre("x", "X", table)
    return replace(libre, classes=classes, rangs=np.array(rangs or [0] * len(geometries)))


def dessiner(couche, **options):
    png = dessiner_calque(construire_formes(couche), couche.classes, EMPRISE, 100, 100, **options)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)


def test_une_surface_pleine_laisse_voir_dessous_et_rien_autour():
    image = dessiner(calque([shapely.box(20, 20, 60, 60)]))
    assert image[60, 40, :3].tolist() == [255, 0, 0]
    assert 100 < image[60, 40, 3] < 255
    assert image[10, 40, 3] == 0
    assert image[60, 80, 3] == 0


def test_un_trou_reste_vide():
    anneau = shapely.box(10, 10, 90, 90).difference(shapely.box(40, 40, 60, 60))
    image = dessiner(calque([anneau]))
    assert image[50, 50, 3] == 0
    assert image[50, 20, 3] > 0


@pytest.mark.parametrize("ordre", [(0, 1), (1, 0)])
def test_la_premiere_classe_est_dessus_quel_que_soit_l_ordre_des_lignes(ordre):
    formes = np.array([shapely.box(10, 10, 90, 90), shapely.box(30, 30, 70, 70)])
    rangs = np.array([1, 0])
    couche = calque(formes[list(ordre)], rangs[list(ordre)].tolist(), (ROUGE, BLEU))
    image = dessiner(couche)
    assert image[50, 50, :3].tolist() == [255, 0, 0]
    assert image[50, 20, :3].tolist() == [0, 0, 255]


def test_les_hachures_laissent_des_creux_presque_transparents():
    hachee = replace(ROUGE, trame="hachures")
    alpha = dessiner(calque([shapely.box(0, 0, 100, 100)], classes=(hachee,)))[30:70, 30:70, 3]
    traits = (alpha > 200).mean()
    assert 0.2 < traits < 0.4
    assert (alpha[alpha < 200] < 60).all()


def test_des_tirets_n_ont_ni_fond_ni_trait_continu():
    pointillee = replace(ROUGE, trame="tirets")
    image = dessiner(calque([shapely.box(20, 20, 80, 80)], classes=(pointillee,)))
    assert image[50, 50, 3] == 0
    bord = image[79:82, 22:78, 3].max(axis=0)
    assert (bord > 0).any()
    assert (bord == 0).any()


def test_un_point_est_un_disque_cerne_de_blanc_et_creux_si_vacant():
    plein = dessiner(calque([shapely.Point(50, 50)]))
    assert plein[50, 50].tolist() == [255, 0, 0, 255]
    assert [255, 255, 255] in plein[50, 40:60, :3].tolist()
    creux = dessiner(calque([shapely.Point(50, 50)], classes=(replace(ROUGE, trame="rond"),)))
    assert creux[50, 50, :3].tolist() == [255, 255, 255]
    assert [255, 0, 0] in creux[50, 40:60, :3].tolist()


def test_une_ligne_se_detache_sur_un_lisere_blanc():
    image = dessiner(calque([shapely.LineString([(0, 50), (100, 50)])]))
    colonne = image[40:60, 50]
    assert [255, 0, 0, 255] in colonne.tolist()
    assert any(c[:3].tolist() == [255, 255, 255] and c[3] > 100 for c in colonne)


def test_un_petit_objet_a_reperer_devient_un_signe():
    petit = [shapely.box(50, 50, 50.4, 50.4)]
    sans = dessiner(calque(petit))
    avec = dessiner(calque(petit), reperer=True)
    assert (avec[..., 3] > 0).sum() > 20 > (sans[..., 3] > 0).sum()


def test_dessiner_ne_change_pas_les_geometries_et_simplifie_pour_l_ecran_seul():
    rond = shapely.Point(50, 50).buffer(40, quad_segs=500)
    couche = calque([rond])
    avant = shapely.to_wkb(couche.table.geometry.to_numpy()).tolist()
    fines, grosses = construire_formes(couche), construire_formes(couche, 2.0)
    assert grosses.surfaces.x.size < fines.surfaces.x.size / 10
    assert shapely.to_wkb(couche.table.geometry.to_numpy()).tolist() == avant
    vide = dessiner(calque([shapely.box(500, 500, 600, 600)]))
    assert (vide[..., 3] == 0).all()


def test_la_tolerance_reste_sous_un_demi_pixel():
    assert choisir_tolerance((0, 0, 100, 100), 100) == 0.0
    assert choisir_tolerance((0, 0, 2_000, 100), 100) == 8.0
    assert choisir_tolerance((0, 0, 1e6, 100), 100) == 30.0


def test_pointer_un_objet():
    couche = calque(
        [shapely.box(0, 0, 50, 50), shapely.box(20, 20, 30, 30), shapely.Point(60, 25)],
        [1, 0, 0],
        (ROUGE, BLEU),
    )
    # Dans les deux surfaces : la classe la plus haute de la légende d'abord.
    assert objets_sous(couche, 25, 25, 2, 5).tolist() == [1, 0]
    assert objets_sous(couche, 25, 25, 2, 1).tolist() == [1]
    # À deux mètres hors d'une grande surface, on n'est pas dedans ; un point se pointe à côté.
    assert objets_sous(couche, 51, 40, 2, 5).tolist() == []
    assert objets_sous(couche, 61, 26, 2, 5).tolist() == [2]

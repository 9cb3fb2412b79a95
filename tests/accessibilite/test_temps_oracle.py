"""Temps de rue comparés à networkx sur des réseaux tirés au sort, toutes les paires."""

from __future__ import annotations

import copy

import networkx as nx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accessibilite.rues.dijkstra import calculer_plus_proche, calculer_temps_noeuds
from accessibilite.rues.graphe import Graphe, construire_graphe
from accessibilite.rues.matrices import calculer_liens, calculer_matrice
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import Rattachement
from tests.fabriques.oracle_networkx import Hypotheses, graphe_coupe, matrice_oracle
from tests.fabriques.ville_quadrillee import (
    Rue,
    construire_reseau,
    parametres_essai,
    reseau_aleatoire,
)

#: Le contrat est 0,1 s ; les temps des arcs sont des float32, l'erreur observée est bien moindre.
TOLERANCE_S = 1e-3
CLASSES = (("residential", 10.0), ("primary", 20.0), ("service", 5.0))
HYPOTHESES = {
    "marche": Hypotheses("marche", 1.0),
    "velo": Hypotheses("velo", 5.0),
    "voiture": Hypotheses("voiture", classes=CLASSES, congestion=1.25),
}
MODES = tuple(HYPOTHESES)


def graphe_aleatoire(graine: int, mode: str, noeuds: int = 60) -> Graphe:
    parametres = parametres_essai(facteur_congestion_voiture=1.25)
    return construire_graphe(reseau_aleatoire(graine, noeuds), construire_profil(parametres, mode))


def points_au_hasard(graphe: Graphe, graine: int, nombre: int = 14) -> Rattachement:
    """Points posés sur les rues du mode : bouts exacts, rues partagées et un point non rattaché."""
    hasard = np.random.default_rng(graine)
    permis = np.flatnonzero(np.isfinite(graphe.aller_s) | np.isfinite(graphe.retour_s))
    # Peu de rues pour beaucoup de points : plusieurs tombent sur la même.
    troncon = hasard.choice(hasard.choice(permis, nombre // 2), nombre).astype(np.int32)
    position = hasard.random(nombre)
    position[:3] = (0.0, 1.0, 0.5)
    position[3], troncon[3] = position[4], troncon[4]
    troncon[5] = -1
    approche = np.where(troncon >= 0, hasard.uniform(0, 60, nombre), np.inf)
    return Rattachement(troncon, position, approche, approche, np.zeros(nombre), np.zeros(nombre))


def verifier_egaux(obtenu, attendu):
    assert np.array_equal(np.isfinite(obtenu), np.isfinite(attendu))
    fini = np.isfinite(attendu)
    assert np.abs(obtenu[fini] - attendu[fini]).max(initial=0.0) < TOLERANCE_S


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("graine", range(6))
def test_matrice_liens_et_plus_proche_egalent_networkx(graine, mode):
    graphe = graphe_aleatoire(graine, mode)
    departs, arrivees = points_au_hasard(graphe, graine + 100), points_au_hasard(graphe, graine)
    attendu = matrice_oracle(graphe.reseau, HYPOTHESES[mode], departs, arrivees)
    assert np.isfinite(attendu).sum() > 40  # l'essai ne porte pas sur un graphe vide

    matrice = calculer_matrice(graphe, departs, arrivees)
    verifier_egaux(matrice, attendu)

    limite = float(np.median(attendu[np.isfinite(attendu)]))
    liens = calculer_liens(graphe, departs, arrivees, limite)
    creuse = np.full(attendu.shape, np.inf)
    ligne = np.repeat(np.arange(len(departs)), np.diff(liens.debut))
    creuse[ligne, liens.cible] = liens.temps_s
    assert np.array_equal(creuse, np.where(matrice <= limite, matrice, np.inf))
    assert np.array_equal(calculer_matrice(graphe, departs, arrivees, limite_s=limite), creuse)
    assert all(
        (np.diff(liens.cible[a:b]) > 0).all()
        for a, b in zip(liens.debut[:-1], liens.debut[1:], strict=True)
    )

    vers = calculer_plus_proche(graphe, departs, arrivees, sens="vers")
    verifier_egaux(vers.temps_s, attendu.min(axis=1))
    depuis = calculer_plus_proche(graphe, arrivees, departs, sens="depuis")
    verifier_egaux(depuis.temps_s, attendu.min(axis=0))
    for resultat, table in ((vers, attendu), (depuis, attendu.T)):
        trouve = np.flatnonzero(resultat.source >= 0)
        assert np.array_equal(trouve, np.flatnonzero(np.isfinite(table.min(axis=1))))
        verifier_egaux(table[trouve, resultat.source[trouve]], resultat.temps_s[trouve])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graine=st.integers(1000, 10**6), mode=st.sampled_from(MODES), noeuds=st.integers(8, 30))
def test_tout_petit_reseau_egale_networkx(graine, mode, noeuds):
    reseau = reseau_aleatoire(graine, noeuds)
    graphe = construire_graphe(
        reseau, construire_profil(parametres_essai(facteur_congestion_voiture=1.25), mode)
    )
    departs, arrivees = points_au_hasard(graphe, graine), points_au_hasard(graphe, graine + 1)
    attendu = matrice_oracle(reseau, HYPOTHESES[mode], departs, arrivees)
    verifier_egaux(calculer_matrice(graphe, departs, arrivees), attendu)
    resultat = calculer_plus_proche(graphe, departs, arrivees)
    verifier_egaux(resultat.temps_s, attendu.min(axis=1))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sens", ["depuis", "vers"])
def test_temps_aux_noeuds_egalent_networkx_dans_les_deux_sens(mode, sens):
    graphe = graphe_aleatoire(7, mode)
    oracle = graphe_coupe(graphe.reseau, HYPOTHESES[mode])
    if sens == "vers":
        oracle = oracle.reverse()
    sources, couts = np.array([5, 9, 20], dtype=np.int32), np.array([0.0, 12.5, 3.0])
    oracle.add_weighted_edges_from(
        ("départ", int(n), c) for n, c in zip(sources, couts, strict=True)
    )
    attendu = np.full(graphe.nombre_noeuds, np.inf)
    for noeud, temps in nx.single_source_dijkstra_path_length(oracle, "départ").items():
        if noeud != "départ":
            attendu[noeud] = temps
    resultat = calculer_temps_noeuds(graphe, sources, couts, sens=sens)
    verifier_egaux(resultat.temps_s, attendu)
    assert set(resultat.atteints) == set(np.flatnonzero(np.isfinite(attendu)))
    borne = calculer_temps_noeuds(graphe, sources, couts, sens=sens, limite_s=100.0)
    assert np.array_equal(
        borne.temps_s, np.where(resultat.temps_s <= 100, resultat.temps_s, np.inf)
    )


def test_aller_et_retour_different_en_voiture():
    graphe = graphe_aleatoire(3, "voiture")
    points = points_au_hasard(graphe, 1)
    matrice = calculer_matrice(graphe, points, points)
    finis = np.isfinite(matrice) & np.isfinite(matrice.T)
    assert (np.abs(matrice[finis] - matrice.T[finis]) > 1).any()


@pytest.mark.parametrize("sens", ["vers", "depuis"])
def test_ni_l_ordre_des_points_ni_celui_des_lieux_ne_changent_le_resultat(sens):
    graphe = graphe_aleatoire(11, "velo")
    points, lieux = points_au_hasard(graphe, 2, 30), points_au_hasard(graphe, 3, 20)
    reference = calculer_plus_proche(graphe, points, lieux, sens=sens)
    ordre_p = np.random.default_rng(0).permutation(30)
    melange = calculer_plus_proche(graphe, points.extraire(ordre_p), lieux, sens=sens)
    assert np.array_equal(melange.temps_s, reference.temps_s[ordre_p])
    assert np.array_equal(melange.source, reference.source[ordre_p])
    ordre_l = np.random.default_rng(1).permutation(20)
    autre = calculer_plus_proche(graphe, points, lieux.extraire(ordre_l), sens=sens)
    assert np.array_equal(autre.temps_s, reference.temps_s)
    trouve = reference.source >= 0
    # Les lieux 3 et 4 sont au même endroit, à des approches différentes : aucune égalité.
    assert np.array_equal(ordre_l[autre.source[trouve]], reference.source[trouve])


@pytest.mark.parametrize("mode", MODES)
def test_un_lieu_de_plus_n_allonge_aucun_trajet(mode):
    gagnants = 0
    for graine in range(4):
        graphe = graphe_aleatoire(graine, mode)
        points, lieux = points_au_hasard(graphe, 8, 30), points_au_hasard(graphe, 9, 12)
        moins = calculer_plus_proche(graphe, points, lieux.extraire(np.arange(3))).temps_s
        plus = calculer_plus_proche(graphe, points, lieux).temps_s
        assert (plus <= moins).all()
        gagnants += int((plus < moins).sum())
    assert gagnants > 0


def test_les_entrees_ne_sont_pas_modifiees():
    graphe = graphe_aleatoire(2, "marche")
    points, lieux = points_au_hasard(graphe, 2), points_au_hasard(graphe, 3)
    _ = graphe.index, graphe.incidence
    avant = copy.deepcopy((graphe, points, lieux))
    calculer_matrice(graphe, points, lieux)
    calculer_liens(graphe, points, lieux, 300.0)
    calculer_plus_proche(graphe, points, lieux, limite_s=200.0)
    for objet, ancien in zip((points, lieux), avant[1:], strict=True):
        for nom in ("troncon", "position", "approche_s"):
            assert np.array_equal(getattr(objet, nom), getattr(ancien, nom))
    for nom in ("aller_s", "retour_s"):
        assert np.array_equal(getattr(graphe, nom), getattr(avant[0], nom))
    for arcs, anciens in ((graphe.avant, avant[0].avant), (graphe.inverse, avant[0].inverse)):
        assert all(np.array_equal(a, b) for a, b in zip(arcs, anciens, strict=True))


def test_limite_et_listes_vides():
    graphe = graphe_aleatoire(4, "marche")
    points = points_au_hasard(graphe, 2)
    vide = points.extraire(np.empty(0, dtype=np.intp))
    assert calculer_matrice(graphe, vide, points).shape == (0, 14)
    assert calculer_matrice(graphe, points, vide).shape == (14, 0)
    liens = calculer_liens(graphe, vide, points, 100.0)
    assert liens.debut.tolist() == [0]
    assert liens.cible.size == liens.temps_s.size == 0
    assert calculer_liens(graphe, points, vide, 100.0).debut.tolist() == [0] * 15
    seul = calculer_plus_proche(graphe, points, vide)
    assert np.isinf(seul.temps_s).all()
    assert (seul.source == -1).all()
    assert calculer_plus_proche(graphe, vide, points).temps_s.size == 0
    libre = calculer_plus_proche(graphe, points, points_au_hasard(graphe, 9))
    borne = calculer_plus_proche(graphe, points, points_au_hasard(graphe, 9), limite_s=150.0)
    assert np.array_equal(borne.temps_s, np.where(libre.temps_s <= 150, libre.temps_s, np.inf))
    assert (borne.source[np.isinf(borne.temps_s)] == -1).all()


def test_progression_de_la_matrice():
    graphe = graphe_aleatoire(4, "marche")
    points = points_au_hasard(graphe, 2)
    etapes: list[tuple[str, float]] = []
    calculer_matrice(graphe, points, points, progression=lambda *e: etapes.append(e))
    parts = [p for _, p in etapes]
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


@pytest.mark.parametrize("marques", [[7, 3], [3, 7]])
def test_a_egale_distance_la_plus_petite_marque(marques):
    # Cinq carrefours en ligne ; les deux bouts sont sources, le milieu est à égale distance.
    rues = [Rue(i, i + 1) for i in range(4)]
    reseau = construire_reseau([(100.0 * i, 0.0) for i in range(5)], rues)
    graphe = construire_graphe(reseau, construire_profil(parametres_essai(), "marche"))
    marques = np.array(marques, dtype=np.int32)
    bouts = calculer_temps_noeuds(
        graphe, np.array([0, 4]), np.zeros(2), sens="depuis", marques=marques
    )
    assert bouts.marque.tolist() == [marques[0], marques[0], 3, marques[1], marques[1]]
    # Deux sources au même carrefour, au même coût.
    ensemble = calculer_temps_noeuds(
        graphe, np.array([2, 2]), np.full(2, 5.0), sens="vers", marques=marques
    )
    assert ensemble.marque.tolist() == [3] * 5
    assert ensemble.temps_s.tolist() == [205, 105, 5, 105, 205]


@pytest.mark.parametrize("premier", [0, 1])
def test_a_egale_distance_le_meme_troncon_ne_l_emporte_que_s_il_est_premier(premier):
    # À 80 s du point : un lieu du même tronçon (32 m et 48 s d'approche), un autre par le noeud 0.
    reseau = construire_reseau([(-128.0, 0.0), (0.0, 0.0), (128.0, 0.0)], [Rue(0, 1), Rue(1, 2)])
    graphe = construire_graphe(reseau, construire_profil(parametres_essai(), "marche"))

    def poser(troncon, position, approche):
        zeros = np.zeros(len(troncon))
        approche = np.array(approche)
        return Rattachement(
            np.array(troncon, dtype=np.int32), np.array(position), approche, approche, zeros, zeros
        )

    point = poser([1], [0.5], [0.0])
    lieux = poser([1, 0], [0.75, 0.875], [48.0, 0.0])
    ordre = [0, 1] if premier == 0 else [1, 0]
    resultat = calculer_plus_proche(graphe, point, lieux.extraire(np.array(ordre)))
    assert resultat.temps_s.tolist() == [80.0]
    assert resultat.source.tolist() == [0]

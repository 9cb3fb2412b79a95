"""Rues coupées au seuil, comparées à une coupe indépendante (networkx et shapely)."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
import shapely
from shapely.ops import substring

from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.isochrones import couper_lignes, tracer_lignes
from accessibilite.rues.portions import atteindre
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import rattacher_points
from donnees_geo.erreurs import ErreurReseau
from tests.fabriques.oracle_networkx import Hypotheses, graphe_coupe, temps_troncon
from tests.fabriques.ville_quadrillee import (
    COIN,
    SENS_UNIQUE,
    Rue,
    construire_reseau,
    parametres_essai,
    reseau_aleatoire,
    ville_quadrillee,
)

CLASSES = (("residential", 10.0), ("primary", 20.0), ("service", 5.0))
HYPOTHESES = {
    "marche": Hypotheses("marche", 1.0),
    "velo": Hypotheses("velo", 5.0),
    "voiture": Hypotheses("voiture", classes=CLASSES),
}


def rues_coupees_oracle(reseau, hypotheses, source, seuil_s, sens):
    """Rues atteintes : tronçons coupés par ``substring`` d'après les temps de networkx.

    Chaque rue est découpée aux points de départ ; chaque morceau est parcouru depuis ses bouts.
    """
    graphe = graphe_coupe(reseau, hypotheses, source)
    if sens == "vers":
        graphe = graphe.reverse()
    for rang in np.flatnonzero(source.troncon >= 0):
        graphe.add_edge("départ", (0, int(rang)), weight=float(source.approche_s[rang]))
    temps = nx.single_source_dijkstra_path_length(graphe, "départ")
    morceaux = []
    for t, ligne in enumerate(reseau.lignes()):
        points = [
            (float(source.position[r]), temps[(0, int(r))])
            for r in np.flatnonzero(source.troncon == t)
        ]
        bouts = [
            (0.0, temps.get(int(reseau.troncon_origine[t]), np.inf)),
            *sorted(points),
            (1.0, temps.get(int(reseau.troncon_destination[t]), np.inf)),
        ]
        avance, recul = (temps_troncon(reseau, t, retour, hypotheses) for retour in (False, True))
        if sens == "vers":
            avance, recul = recul, avance
        for (fa, ta), (fb, tb) in itertools.pairwise(bouts):
            if np.isfinite(avance) and ta < seuil_s and fb > fa:
                fin = min(fb, fa + (seuil_s - ta) / avance) if avance > 0 else fb
                morceaux.append(substring(ligne, fa, fin, normalized=True))
            if np.isfinite(recul) and tb < seuil_s and fb > fa:
                debut = max(fa, fb - (seuil_s - tb) / recul) if recul > 0 else fa
                morceaux.append(substring(ligne, debut, fb, normalized=True))
    return [m for m in morceaux if m.length > 0]


def point_au_hasard(graphe, graine):
    hasard = np.random.default_rng(graine)
    x, y = hasard.uniform(300, 1200, (2, 3)) + np.array(COIN)[:, None]
    # Deux points de départ, et un troisième hors du réseau.
    x[2] += 50_000
    return rattacher_points(graphe, x, y, 400.0)


@pytest.mark.parametrize("sens", ["depuis", "vers"])
@pytest.mark.parametrize("mode", ["marche", "velo", "voiture"])
@pytest.mark.parametrize("graine", range(4))
def test_les_rues_atteintes_sont_celles_de_l_oracle(graine, mode, sens):
    reseau = reseau_aleatoire(graine)
    graphe = construire_graphe(reseau, construire_profil(parametres_essai(), mode), 4)
    source = point_au_hasard(graphe, graine)
    limite = {"marche": 600.0, "velo": 250.0, "voiture": 180.0}[mode]
    portions, _ = atteindre(graphe, source, limite, sens=sens)
    for seuil in (limite, limite / 2):
        lignes = couper_lignes(graphe, portions, seuil)
        obtenu = shapely.union_all(tracer_lignes(lignes))
        attendu = shapely.union_all(
            rues_coupees_oracle(reseau, HYPOTHESES[mode], source, seuil, sens)
        )
        assert attendu.length > 200
        # Mêmes rues, à la tolérance près : chacune est dans un filet d'un centimètre de l'autre.
        assert obtenu.difference(attendu.buffer(0.01)).length < 0.01
        assert attendu.difference(obtenu.buffer(0.01)).length < 0.01


def test_coupe_a_la_main():
    # Départ au quart d'une rue de 100 m : 25 m derrière, 75 m devant, puis deux branches.
    reseau = construire_reseau(
        [(0, 0), (100, 0), (200, 0), (100, 100)], [Rue(0, 1), Rue(1, 2), Rue(3, 1)]
    )
    graphe = construire_graphe(reseau, construire_profil(parametres_essai(), "marche"))
    source = rattacher_points(graphe, np.array([COIN[0] + 25]), np.array([COIN[1] + 10.0]))
    portions, temps = atteindre(graphe, source, 125.0)
    assert temps.temps_s == pytest.approx([35, 85, np.inf, np.inf])
    lignes = shapely.union_all(tracer_lignes(couper_lignes(graphe, portions, 125.0)))
    attendu = shapely.MultiLineString([[(0, 0), (140, 0)], [(100, 0), (100, 40)]])
    assert shapely.hausdorff_distance(
        lignes, shapely.transform(attendu, lambda xy: xy + COIN)
    ) == pytest.approx(0, abs=1e-6)
    debut, x, _y, secondes = couper_lignes(graphe, portions, 125.0)
    assert secondes.max() == pytest.approx(125.0)
    assert secondes.min() == pytest.approx(10.0)
    assert debut[-1] == x.size
    # Rien n'est atteint si l'approche dépasse le seuil.
    assert couper_lignes(graphe, portions, 9.9)[0].tolist() == [0]


def test_les_tranches_de_temps_refont_le_tout():
    reseau = reseau_aleatoire(2)
    graphe = construire_graphe(reseau, construire_profil(parametres_essai(), "velo"), 4)
    portions, _ = atteindre(graphe, point_au_hasard(graphe, 2), 250.0, sens="depuis")
    tranches = [
        couper_lignes(graphe, portions, fin, debut)
        for debut, fin in ((-np.inf, 80.0), (80.0, 160.0), (160.0, 250.0))
    ]
    for (_, _, _, temps), (debut, fin) in zip(
        tranches, ((0, 80), (80, 160), (160, 250)), strict=True
    ):
        assert temps.size > 0
        assert temps.min() >= debut - 1e-9 and temps.max() <= fin + 1e-9
    longueurs = [shapely.length(tracer_lignes(t)).sum() for t in tranches]
    tout = shapely.length(tracer_lignes(couper_lignes(graphe, portions, 250.0))).sum()
    assert sum(longueurs) == pytest.approx(tout)


def test_les_fronts_se_rejoignent_au_milieu():
    # Boucle de 400 m : du milieu d'un côté, les deux fronts se rejoignent au point opposé.
    graphe = construire_graphe(
        ville_quadrillee(2, 2), construire_profil(parametres_essai(), "marche")
    )
    source = rattacher_points(graphe, np.array([COIN[0] + 50]), np.array([COIN[1] + 0.0]))
    portions, _ = atteindre(graphe, source, 1000.0)
    assert max(portions.temps_debut.max(), portions.temps_fin.max()) == pytest.approx(200.0)
    en_face = (portions.troncon == 1) & (portions.fin > portions.debut)
    assert sorted(zip(portions.debut[en_face], portions.fin[en_face], strict=True)) == [
        (0.0, pytest.approx(0.5)),
        (pytest.approx(0.5), 1.0),
    ]


def test_sens_unique_depuis_et_vers():
    reseau = construire_reseau(
        [(0, 0), (100, 0), (50, 80)], [Rue(0, 1, SENS_UNIQUE), Rue(1, 2), Rue(2, 0)]
    )
    graphe = construire_graphe(reseau, construire_profil(parametres_essai(), "voiture"))
    source = rattacher_points(graphe, np.array([COIN[0] + 50]), np.array([COIN[1] + 0.0]))
    for sens, bornes in (("depuis", (0.5, 0.8)), ("vers", (0.2, 0.5))):
        portions, _ = atteindre(graphe, source, 3.0, sens=sens)
        assert portions.troncon.tolist() == [0]
        assert (portions.debut[0], portions.fin[0]) == pytest.approx(bornes)


def test_point_hors_du_reseau():
    graphe = construire_graphe(
        ville_quadrillee(3, 3), construire_profil(parametres_essai(), "marche")
    )
    loin = rattacher_points(graphe, np.array([12.0]), np.array([34.0]))
    with pytest.raises(ErreurReseau, match="trop loin de toute rue") as refus:
        atteindre(graphe, loin, 600.0)
    assert "(12, 34)" in str(refus.value)
    assert "rattachement_max_m" in str(refus.value)

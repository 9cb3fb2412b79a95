"""Graphes par mode : arcs, matrice, morceaux isolés, refus."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from scipy.sparse.csgraph import dijkstra

from accessibilite.rues.dijkstra import calculer_temps_noeuds
from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import rattacher_points
from donnees_geo.erreurs import ErreurReseau
from tests.fabriques.ville_quadrillee import (
    A_PIED,
    COIN,
    SENS_UNIQUE,
    Rue,
    construire_reseau,
    parametres_essai,
    reseau_aleatoire,
    ville_quadrillee,
)


def profil(mode: str):
    return construire_profil(parametres_essai(), mode)


def test_temps_de_manhattan_dans_la_ville_quadrillee():
    graphe = construire_graphe(ville_quadrillee(6, 4), profil("marche"))
    temps = calculer_temps_noeuds(graphe, np.array([0]), np.zeros(1), sens="depuis").temps_s
    lignes, colonnes = np.divmod(np.arange(24), 6)
    assert temps == pytest.approx(100.0 * (lignes + colonnes), abs=1e-3)


def test_le_sens_unique_separe_depuis_et_vers():
    # Une seule rangée à sens unique vers l'est, et rien pour revenir.
    reseau = construire_reseau(
        [(0, 0), (100, 0), (200, 0)], [Rue(0, 1, SENS_UNIQUE), Rue(1, 2, SENS_UNIQUE), Rue(0, 0)]
    )
    graphe = construire_graphe(reseau, profil("voiture"))
    milieu = np.array([1]), np.zeros(1)
    assert calculer_temps_noeuds(graphe, *milieu, sens="depuis").temps_s.tolist() == [
        np.inf,
        0.0,
        10.0,
    ]
    assert calculer_temps_noeuds(graphe, *milieu, sens="vers").temps_s.tolist() == [
        10.0,
        0.0,
        np.inf,
    ]


def test_les_rues_paralleles_gardent_la_plus_rapide():
    reseau = construire_reseau(
        [(0, 0), (100, 0)],
        [Rue(0, 1, sommets=((50.0, 80.0),)), Rue(0, 1), Rue(1, 0, sommets=((50.0, -10.0),))],
    )
    graphe = construire_graphe(reseau, profil("marche"))
    matrice = graphe.vers_matrice()
    assert matrice.nnz == 2
    assert matrice[0, 1] == pytest.approx(100.0)
    temps = calculer_temps_noeuds(graphe, np.array([0]), np.zeros(1), sens="depuis").temps_s
    assert temps[1] == pytest.approx(100.0)


def test_des_milliers_de_rues_paralleles_de_plus_en_plus_courtes():
    # Chaque arc améliore le précédent : le tas grandit bien plus vite que le nombre de noeuds.
    rues = [Rue(0, 1, sommets=((50.0, 3000.0 - h),)) for h in range(3000)]
    graphe = construire_graphe(construire_reseau([(0, 0), (100, 0)], rues), profil("marche"))
    temps = calculer_temps_noeuds(graphe, np.array([0]), np.zeros(1), sens="depuis").temps_s
    assert temps[1] == pytest.approx(2 * np.hypot(50, 1), abs=1e-3)


@pytest.mark.parametrize("mode", ["marche", "velo", "voiture"])
@pytest.mark.parametrize("sens", ["depuis", "vers"])
def test_la_matrice_creuse_donne_les_memes_temps_par_scipy(mode, sens):
    graphe = construire_graphe(reseau_aleatoire(3), profil(mode))
    attendu = dijkstra(graphe.vers_matrice(sens), indices=[4, 17])
    for rang, noeud in enumerate((4, 17)):
        obtenu = calculer_temps_noeuds(graphe, np.array([noeud]), np.zeros(1), sens=sens).temps_s
        assert obtenu == pytest.approx(attendu[rang], abs=1e-6)


def test_les_petits_morceaux_ne_recoivent_aucun_point():
    ilot = [(700.0, 0.0), (750.0, 0.0), (750.0, 50.0)]
    reseau = ville_quadrillee(
        4, 4, noeuds_en_plus=ilot, en_plus=[Rue(16, 17), Rue(17, 18), Rue(18, 16)]
    )
    x, y = np.array([COIN[0] + 720.0]), np.array([COIN[1]])
    avec = construire_graphe(reseau, profil("marche"), composante_min_noeuds=3)
    assert (avec.morceaux_isoles, avec.noeuds_isoles) == (0, 0)
    assert rattacher_points(avec, x, y, 1000.0).distance_m[0] == 0.0
    sans = construire_graphe(reseau, profil("marche"), composante_min_noeuds=4)
    assert (sans.morceaux_isoles, sans.noeuds_isoles) == (1, 3)
    assert not sans.raccordable[-3:].any()
    assert sans.raccordable[:-3].all()
    assert rattacher_points(sans, x, y, 1000.0).distance_m[0] == pytest.approx(420.0)
    # Les rues de l'îlot restent praticables : on n'y rattache simplement rien.
    assert np.isfinite(sans.aller_s[-3:]).all()


def test_une_rue_qui_ne_mene_nulle_part_ne_recoit_aucun_point():
    # En voiture, l'impasse à sens unique sort de la grille et n'y revient pas.
    reseau = ville_quadrillee(
        3, 3, noeuds_en_plus=[(300.0, 0.0)], en_plus=[Rue(2, 9, SENS_UNIQUE), Rue(0, 1, A_PIED)]
    )
    graphe = construire_graphe(reseau, profil("voiture"))
    assert graphe.raccordable.tolist() == [True] * 12 + [False, False]
    assert construire_graphe(reseau, profil("marche")).raccordable.all()


def test_les_reseaux_impossibles_sont_refuses():
    pietonne = construire_reseau([(0, 0), (100, 0)], [Rue(0, 1, A_PIED)])
    with pytest.raises(ErreurReseau, match="Aucune rue de l'extrait n'est praticable") as refus:
        construire_graphe(pietonne, profil("voiture"))
    assert "voiture" in str(refus.value)
    with pytest.raises(ErreurReseau, match="trop petits morceaux") as refus:
        construire_graphe(pietonne, profil("marche"), composante_min_noeuds=30)
    assert "au moins 30 noeuds" in str(refus.value)
    assert "2 noeud(s)" in str(refus.value)
    with pytest.raises(ErreurReseau, match="Aucune rue"):
        construire_graphe(construire_reseau([], []), profil("marche"))


def test_le_reseau_n_est_pas_modifie():
    reseau = reseau_aleatoire(1)
    avant = copy.deepcopy(reseau)
    graphe = construire_graphe(reseau, profil("velo"), 4)
    _ = graphe.index, graphe.incidence, graphe.vers_matrice("vers")
    for nom, valeur in vars(avant).items():
        if isinstance(valeur, np.ndarray):
            assert np.array_equal(valeur, getattr(reseau, nom), equal_nan=valeur.dtype.kind == "f")


def test_l_incidence_cite_une_fois_chaque_boucle():
    reseau = construire_reseau(
        [(0, 0), (100, 0)], [Rue(0, 1), Rue(0, 0, sommets=((0.0, 30.0), (30.0, 0.0)))]
    )
    debut, troncon = construire_graphe(reseau, profil("marche")).incidence
    assert sorted(troncon[debut[0] : debut[1]].tolist()) == [0, 1]
    assert troncon[debut[1] : debut[2]].tolist() == [0]

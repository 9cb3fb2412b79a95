"""Les k plus proches équipements distincts, face à la matrice complète et à la main."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accessibilite.bilans.choix import calculer_choix, calculer_choix_mode, compter_choix
from accessibilite.rues.dijkstra import calculer_plus_proche
from accessibilite.rues.graphe import Graphe, construire_graphe
from accessibilite.rues.matrices import calculer_matrice
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import Rattachement
from accessibilite.rues.services import calculer_acces_mode
from tests.fabriques.ville_quadrillee import (
    parametres_essai,
    reseau_aleatoire,
    table_carreaux,
    table_equipements,
    ville_quadrillee,
)

MODES = ("marche", "velo", "voiture")


def graphe_aleatoire(graine: int, mode: str, noeuds: int = 60) -> Graphe:
    return construire_graphe(
        reseau_aleatoire(graine, noeuds), construire_profil(parametres_essai(), mode)
    )


def points_au_hasard(graphe: Graphe, graine: int, nombre: int) -> Rattachement:
    hasard = np.random.default_rng(graine)
    permis = np.flatnonzero(np.isfinite(graphe.aller_s) | np.isfinite(graphe.retour_s))
    troncon = hasard.choice(hasard.choice(permis, max(1, nombre // 2)), nombre).astype(np.int32)
    position = hasard.random(nombre)
    position[:2] = (0.0, 1.0)
    troncon[2] = -1
    approche = np.where(troncon >= 0, hasard.uniform(0, 60, nombre), np.inf)
    return Rattachement(troncon, position, approche, approche, np.zeros(nombre), np.zeros(nombre))


def k_plus_proches(matrice: np.ndarray, marques: np.ndarray, k: int) -> np.ndarray:
    """Trier, pour chaque point, le meilleur temps de chaque équipement."""
    distincts = np.unique(marques)
    par_equipement = np.column_stack([matrice[:, marques == m].min(axis=1) for m in distincts])
    tri = np.sort(par_equipement, axis=1)
    return np.pad(tri, ((0, 0), (0, max(0, k - tri.shape[1]))), constant_values=np.inf)[:, :k]


def verifier(graphe, points, sources, marques, k):
    choix = calculer_choix(graphe, points, sources, marques, k)
    matrice = calculer_matrice(graphe, points, sources)
    np.testing.assert_allclose(choix.temps_s, k_plus_proches(matrice, marques, k), atol=1e-3)
    trouve = np.isfinite(choix.temps_s)
    assert np.array_equal(choix.marque >= 0, trouve)
    for i in range(len(points)):
        noms = choix.marque[i, trouve[i]]
        assert len(set(noms.tolist())) == noms.size  # distincts
        for m, t in zip(noms, choix.temps_s[i], strict=False):
            assert matrice[i, marques == m].min() == pytest.approx(t, abs=1e-3)
    return choix


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("graine", range(5))
@pytest.mark.parametrize("k", [1, 3, 9])
def test_egal_a_la_matrice_complete(graine, mode, k):
    graphe = graphe_aleatoire(graine, mode)
    points, sources = (
        points_au_hasard(graphe, graine, 25),
        points_au_hasard(graphe, graine + 50, 16),
    )
    # Six équipements de deux ou trois points d'accès chacun.
    marques = (np.arange(16) % 6).astype(np.int32)
    choix = verifier(graphe, points, sources, marques, k)
    assert np.isfinite(choix.temps_s).sum() > 10


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graine=st.integers(2000, 10**6), mode=st.sampled_from(MODES), noeuds=st.integers(8, 25))
def test_tout_petit_reseau(graine, mode, noeuds):
    graphe = graphe_aleatoire(graine, mode, noeuds)
    points, sources = points_au_hasard(graphe, graine, 8), points_au_hasard(graphe, graine + 1, 7)
    marques = np.random.default_rng(graine).integers(0, 4, 7).astype(np.int32)
    choix = verifier(graphe, points, sources, marques, 2)
    # Le point laissé sans rue n'atteint rien, et le deuxième n'est jamais avant le premier.
    assert np.isinf(choix.temps_s[2]).all()
    assert (choix.temps_s[:, 0] <= choix.temps_s[:, 1]).all()


@pytest.mark.parametrize("sens", ["vers", "depuis"])
def test_le_premier_est_le_plus_proche(sens):
    graphe = graphe_aleatoire(3, "voiture")
    points, sources = points_au_hasard(graphe, 1, 40), points_au_hasard(graphe, 2, 12)
    seul = calculer_plus_proche(graphe, points, sources, sens=sens)
    marques = np.arange(12, dtype=np.int32)
    choix = calculer_choix(graphe, points, sources, marques, 3, sens=sens)
    assert np.array_equal(choix.temps_s[:, 0], seul.temps_s)
    assert np.array_equal(choix.marque[:, 0], seul.source)


def test_ni_l_ordre_des_points_ni_celui_des_sources_ne_comptent():
    graphe = graphe_aleatoire(9, "velo")
    points, sources = points_au_hasard(graphe, 4, 30), points_au_hasard(graphe, 5, 18)
    marques = (np.arange(18) % 7).astype(np.int32)
    reference = calculer_choix(graphe, points, sources, marques, 3)
    p = np.random.default_rng(0).permutation(30)
    s = np.random.default_rng(1).permutation(18)
    melange = calculer_choix(graphe, points.extraire(p), sources.extraire(s), marques[s], 3)
    assert np.array_equal(melange.temps_s, reference.temps_s[p])
    assert np.array_equal(melange.marque, reference.marque[p])


def test_limite_coupe_les_rangs_trop_lointains():
    graphe = graphe_aleatoire(2, "marche")
    points, sources = points_au_hasard(graphe, 1, 30), points_au_hasard(graphe, 2, 10)
    marques = np.arange(10, dtype=np.int32)
    libre = calculer_choix(graphe, points, sources, marques, 3)
    limite = float(np.median(libre.temps_s[np.isfinite(libre.temps_s)]))
    borne = calculer_choix(graphe, points, sources, marques, 3, limite_s=limite)
    attendu = np.where(libre.temps_s <= limite, libre.temps_s, np.inf)
    assert np.array_equal(borne.temps_s, attendu)
    assert np.array_equal(borne.marque >= 0, np.isfinite(attendu))


def graphe_ville(cote: int = 8) -> Graphe:
    """Grille de 100 m, à 1 m/s."""
    reseau = ville_quadrillee(cote, cote)
    return construire_graphe(reseau, construire_profil(parametres_essai(), "marche"))


def choix_ville(lieux, services, nombre=3):
    """Un carreau au carrefour (0, 0), un autre loin de toute rue."""
    graphe = construire_graphe(
        ville_quadrillee(8, 8), construire_profil(parametres_essai(), "marche")
    )
    equipements, acces = table_equipements(lieux)
    carreaux = table_carreaux([(0, 0), (5000, 5000)], [1, 1], ["A", "A"])
    return (
        graphe,
        carreaux,
        equipements,
        acces,
        calculer_choix_mode(
            graphe, carreaux, equipements, acces, services, nombre, rattachement_max_m=400
        ),
    )


def test_a_la_main():
    lieux = [
        ("poste", 300.0, 0.0),
        ("poste", 0.0, 200.0),
        ("mairie", 100.0, 100.0),
        ("poste", 300.0, 400.0),
        ("poste", 700.0, 700.0),
    ]
    services = ["poste", "mairie", "cinema"]
    graphe, carreaux, equipements, acces, choix = choix_ville(lieux, services)
    assert choix.temps_s[0, 0] == pytest.approx([200, 300, 700])
    assert choix.equipement[0, 0].tolist() == [1, 0, 3]
    assert choix.temps_s[0, 1].tolist() == pytest.approx([200, np.inf, np.inf])
    assert choix.equipement[0, 1].tolist() == [2, -1, -1]
    assert np.isnan(choix.temps_s[0, 2]).all()  # aucun cinéma connu
    assert np.isnan(choix.temps_s[1]).all()  # carreau loin de toute rue
    seuils = np.array([500.0, 100.0, 900.0])
    assert compter_choix(choix.temps_s, seuils).tolist() == [[2, 0, -1], [-1, -1, -1]]
    plus_proche = calculer_acces_mode(
        graphe, carreaux, equipements, acces, services, rattachement_max_m=400
    )
    assert np.array_equal(choix.temps_s[:, :, 0], plus_proche.temps_s, equal_nan=True)
    assert np.array_equal(choix.equipement[:, :, 0], plus_proche.equipement)


def test_a_egalite_la_premiere_ligne_passe_devant():
    _, _, _, _, choix = choix_ville(
        [("poste", 0.0, 200.0), ("poste", 200.0, 0.0), ("poste", 100.0, 100.0)], ["poste"], 2
    )
    assert choix.temps_s[0, 0] == pytest.approx([200, 200])
    assert choix.equipement[0, 0].tolist() == [0, 1]


def test_un_equipement_de_plusieurs_acces_ne_compte_qu_une_fois():
    graphe = construire_graphe(
        ville_quadrillee(8, 8), construire_profil(parametres_essai(), "marche")
    )
    equipements, acces = table_equipements([("parc", 100.0, 0.0), ("parc", 600.0, 0.0)])
    # Le parc 0 a deux entrées, toutes deux plus proches que le parc 1.
    acces = acces.iloc[[0, 0, 1]].reset_index(drop=True)
    acces.loc[1, "x"] += 100.0
    carreaux = table_carreaux([(0, 0)], [1], ["A"])
    choix = calculer_choix_mode(
        graphe, carreaux, equipements, acces, ["parc"], 2, rattachement_max_m=400
    )
    assert choix.temps_s[0, 0] == pytest.approx([100, 600])
    assert choix.equipement[0, 0].tolist() == [0, 1]


def test_progression_de_chaque_service():
    graphe = construire_graphe(
        ville_quadrillee(3, 3), construire_profil(parametres_essai(), "marche")
    )
    equipements, acces = table_equipements([("poste", 0.0, 0.0)])
    etapes: list[tuple[str, float]] = []
    calculer_choix_mode(
        graphe, table_carreaux([(0, 0)], [1], ["A"]), equipements, acces, ["poste", "mairie"], 2,
        rattachement_max_m=400, progression=lambda *e: etapes.append(e),
    )  # fmt: skip
    assert etapes == [("choix marche", 0.5), ("choix marche", 1.0)]

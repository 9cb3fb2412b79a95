"""Accès concurrentiel aux soins : à la main, face à PySAL et face à la matrice complète."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from access.fca import two_stage_fca
from access.weights import step_fn

from accessibilite.analyses.concurrence import (
    AccesSoins,
    LiensSoins,
    agreger_soins,
    calculer_acces_soins,
    calculer_e2sfca,
    calculer_liens_soins,
    mesurer_sensibilite,
)
from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.matrices import calculer_matrice
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import rattacher_points
from donnees_geo.configuration.analyses import Decroissance
from tests.fabriques.mesures_essai import NAN, ligne, mesures_essai, service
from tests.fabriques.ville_quadrillee import (
    COIN,
    parametres_essai,
    reseau_aleatoire,
    table_carreaux,
    table_equipements,
)

PAS = Decroissance("pas", (300.0, 600.0, 900.0), (1.0, 0.5, 0.25), "essai")


def liens(*triplets: tuple[int, int, float], equipements: int = 2) -> LiensSoins:
    c, e, t = zip(*triplets, strict=True) if triplets else ((), (), ())
    return LiensSoins(
        np.array(c, dtype=np.int32),
        np.array(e, dtype=np.int32),
        np.array(t, dtype=np.float64),
        np.arange(equipements),
    )


def test_a_la_main():
    # Médecin 0 : deux professionnels ; médecin 1 : un, à l'extérieur.
    trajets = liens((0, 0, 100), (1, 0, 400), (1, 1, 200), (2, 1, 901))
    population = np.array([100.0, 200.0, 50.0])
    offre = np.array([2.0, 1.0])
    # R0 = 2 / (100·1 + 200·0,5) = 0,01 ; R1 = 1 / (200·1) = 0,005 ; 901 s : poids nul.
    ici, ailleurs = calculer_e2sfca(trajets, population, offre, PAS, np.array([False, True]))
    assert ici == pytest.approx([0.01, 0.005, 0])
    assert ailleurs == pytest.approx([0, 0.005, 0])
    assert (population * (ici + ailleurs)).sum() == pytest.approx(3.0)


def test_un_cabinet_hors_d_atteinte_ne_sert_personne():
    ici, _ = calculer_e2sfca(liens((0, 0, 100)), np.array([10.0]), np.array([1.0, 5.0]), PAS)
    assert ici == pytest.approx([0.1])
    vide, _ = calculer_e2sfca(liens(), np.array([10.0]), np.array([1.0, 5.0]), PAS)
    assert vide.tolist() == [0]
    inhabite, _ = calculer_e2sfca(liens((0, 0, 1)), np.array([0.0]), np.array([1.0, 5.0]), PAS)
    assert inhabite.tolist() == [0]


@pytest.mark.parametrize("graine", range(5))
def test_egal_a_pysal(graine):
    hasard = np.random.default_rng(graine)
    carreaux, cabinets = 30, 7
    c, e = np.divmod(hasard.choice(carreaux * cabinets, 120, replace=False), cabinets)
    t = hasard.choice([0.0, 299.0, 300.0, 301.0, 600.0, 899.9, 900.0, 950.0], 120)
    population = hasard.integers(1, 400, carreaux).astype(float)
    offre = hasard.integers(1, 9, cabinets).astype(float)
    trajets = LiensSoins(c.astype(np.int32), e.astype(np.int32), t, np.arange(cabinets))
    ici, _ = calculer_e2sfca(trajets, population, offre, PAS)
    reference = two_stage_fca(
        pd.DataFrame({"demand": population}, index=pd.RangeIndex(carreaux)),
        pd.DataFrame({"supply": offre}, index=pd.RangeIndex(cabinets)),
        pd.DataFrame({"origin": c, "dest": e, "cost": t}),
        max_cost=900,
        demand_index=True,
        weight_fn=step_fn({300: 1.0, 600: 0.5, 900: 0.25}),
    )
    attendu = reference.reindex(range(carreaux)).fillna(0).to_numpy()
    assert ici == pytest.approx(attendu, rel=1e-12)
    assert attendu.max() > 0


@pytest.mark.parametrize("graine", range(3))
def test_les_liens_egalent_la_matrice_complete(graine):
    parametres = parametres_essai(rattachement_max_m=300.0)
    graphe = construire_graphe(reseau_aleatoire(graine), construire_profil(parametres, "voiture"))
    hasard = np.random.default_rng(graine)
    carreaux = table_carreaux(hasard.uniform(0, 1500, (20, 2)).tolist(), [1] * 20, ["A"] * 20)
    lieux = [("medecin", *xy) for xy in hasard.uniform(0, 1500, (5, 2))] + [("mairie", 0, 0)]
    equipements, acces = table_equipements(lieux)
    # Le médecin 0 a une seconde entrée.
    acces = pd.concat([acces, acces.iloc[[0]].assign(x=COIN[0] + 750)], ignore_index=True)
    trajets = calculer_liens_soins(
        graphe, carreaux, equipements, acces, "medecin", 400.0, rattachement_max_m=300.0
    )
    obtenu = np.full((20, 5), np.inf)
    obtenu[trajets.carreau, trajets.equipement] = trajets.temps_s
    assert trajets.lignes.tolist() == [0, 1, 2, 3, 4]
    assert len({*zip(trajets.carreau, trajets.equipement, strict=True)}) == trajets.temps_s.size

    def rattacher(table):
        return rattacher_points(graphe, table["x"].to_numpy(), table["y"].to_numpy(), 300.0)

    entrees = acces[acces["equipement"] < 5]
    matrice = calculer_matrice(graphe, rattacher(carreaux), rattacher(entrees), limite_s=400.0)
    matrice[:, 0] = np.minimum(matrice[:, 0], matrice[:, 5])
    assert np.isfinite(matrice[:, :5]).sum() > 20
    np.testing.assert_allclose(obtenu, matrice[:, :5], atol=1e-3)


def test_moyenne_par_zone_et_carreaux_sans_donnee():
    mesures = mesures_essai(
        {"voiture": [[1], [1], [1]]}, [service("medecin", "proximite")], [10, 30, 60],
        ["A", "A", "B"],
    )  # fmt: skip
    acces = AccesSoins("medecin", "pas", np.array([0.01, 0.0, NAN]), np.array([0.0, 0.002, NAN]))
    table = agreger_soins(mesures, [acces])
    tout = ligne(table, service="medecin")
    assert tout["professionnels_pour_100000_hab"] == pytest.approx(1e5 * 0.1 / 40)
    assert tout["avec_exterieur_pour_100000_hab"] == pytest.approx(1e5 * (0.1 + 0.06) / 40)
    assert (tout["sans_acces_hab"], tout["sans_donnee_hab"]) == (0, 60)
    assert np.isnan(ligne(table, "B")["professionnels_pour_100000_hab"])
    assert agreger_soins(mesures, []).empty


def test_sensibilite_a_la_decroissance():
    lignes = [
        ("commune", f"C{i}", "medecin", nom, valeur)
        for nom, valeurs in (("a", [1, 2, 3, 4]), ("b", [40, 30, 20, 10]), ("c", [2, 4, 6, 8]))
        for i, valeur in enumerate(valeurs)
    ]
    colonnes = ["zone_type", "zone_code", "service", "decroissance"]
    soins = pd.DataFrame(lignes, columns=[*colonnes, "professionnels_pour_100000_hab"])
    table = mesurer_sensibilite(soins).set_index("decroissance")
    assert table.loc["b", "correlation_rangs"] == pytest.approx(-1)
    assert table.loc["c", "correlation_rangs"] == pytest.approx(1)
    assert table["communes_changeant_de_quart"].to_dict() == {"b": 2, "c": 0}
    assert set(table["reference"]) == {"a"}
    assert mesurer_sensibilite(soins.iloc[:0]).empty


def test_de_bout_en_bout_sur_une_ville():
    from tests.fabriques.ville_quadrillee import territoire_essai, ville_quadrillee

    parametres = parametres_essai()
    graphe = construire_graphe(ville_quadrillee(11, 11), construire_profil(parametres, "voiture"))
    territoire = territoire_essai()
    equipements = territoire.equipements.assign(
        service=["medecin", "medecin"], effectif=[3, 1], code_commune=["A0001", "Z9"]
    )
    carreaux = territoire.carreaux
    mesures = mesures_essai(
        {"voiture": [[1]] * 10}, [service("medecin", "proximite")],
        carreaux["population_hab"].tolist(), carreaux["code_commune"].tolist(),
    )  # fmt: skip
    # Carreaux tous les 100 m à 10 m/s : médecin 0 à 0, 10… 90 s ; médecin 1 (dehors) à 100… 10 s.
    decroissance = Decroissance("d", (20.0,), (1.0,), "")
    avant = equipements.copy()
    (resultat,) = calculer_acces_soins(
        graphe, mesures, (carreaux, equipements, territoire.points_acces), {"A0001"},
        ["medecin", "kine"], [decroissance], rattachement_max_m=400,
    )  # fmt: skip
    # Médecin 0 : carreaux 0, 1, 2 (10 + 20 + 30 habitants) ; médecin 1 : 8 et 9 (90 + 100).
    assert resultat.interieur == pytest.approx([3 / 60] * 3 + [0] * 7)
    assert resultat.exterieur == pytest.approx([0] * 8 + [1 / 190] * 2)
    pd.testing.assert_frame_equal(equipements, avant)


def test_une_decroissance_plus_longue_ne_retire_l_acces_de_personne():
    trajets = liens((0, 0, 100), (1, 0, 800), (1, 1, 200))
    longue = replace(PAS, bornes_s=(300.0, 600.0, 1200.0))
    courte = replace(PAS, bornes_s=(300.0, 600.0, 700.0))
    population, offre = np.array([10.0, 20.0]), np.array([1.0, 1.0])
    acces = [calculer_e2sfca(trajets, population, offre, d)[0] > 0 for d in (courte, longue)]
    assert (acces[0] <= acces[1]).all()

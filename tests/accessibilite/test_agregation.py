"""Sommes et médianes par zone, à la main et face à un calcul exhaustif."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accessibilite.bilans.agregation import (
    Zonage,
    assembler_blocs,
    calculer_medianes,
    calculer_ponderation,
    compter_classes,
    construire_zonages,
    diviser,
    etiqueter_zones,
    ordonner_colonnes,
    sommer_par_zone,
    zones_des_carreaux,
)
from tests.fabriques.ville_quadrillee import table_carreaux, table_communes


def zonage(*zones: int, nombre: int = 3) -> Zonage:
    codes = tuple(f"Z{i}" for i in range(nombre))
    return Zonage("commune", codes, codes, np.array(zones, dtype=np.int64))


def colonne(*valeurs: float) -> np.ndarray:
    return np.array(valeurs, dtype=np.float64)[:, None]


def mediane_exhaustive(valeurs: np.ndarray, poids: np.ndarray) -> float:
    """Plus petite valeur sous laquelle se trouve au moins la moitié du poids."""
    utile = ~np.isnan(valeurs) & (poids > 0)
    v, p = valeurs[utile], poids[utile]
    if v.size == 0:
        return np.nan
    return min(x for x in v if p[v <= x].sum() >= p.sum() / 2 - 1e-9)


def test_sommes_a_la_main():
    z = zonage(0, 0, 2, -1, 2)
    assert sommer_par_zone(z, np.array([1.0, 2.0, 4.0, 8.0, 16.0])).tolist() == [3, 0, 20]
    deux = sommer_par_zone(z, np.column_stack([np.ones(5), np.arange(5.0)]))
    assert deux.tolist() == [[2, 1], [0, 0], [2, 6]]
    assert sommer_par_zone(z, np.empty((5, 0))).shape == (3, 0)


def test_medianes_a_la_main():
    z = zonage(0, 0, 0, 1, 1, -1)
    # Zone 0 : poids 1, 1, 3 → le troisième l'emporte. Zone 1 : à moitié exacte, la plus petite.
    valeurs = colonne(10, 20, 30, 5, 7, 1)
    poids = np.array([1.0, 1.0, 3.0, 2.0, 2.0, 99.0])
    assert calculer_medianes(z, valeurs, poids)[:2, 0].tolist() == [30, 5]
    assert np.isnan(calculer_medianes(z, valeurs, poids)[2, 0])


def test_mediane_sans_donnee_inaccessible_et_poids_nul():
    z = zonage(0, 0, 0, 1, 1, 2)
    valeurs = colonne(np.nan, 100, np.inf, np.inf, 50, np.nan)
    mediane = calculer_medianes(z, valeurs, np.array([50.0, 1, 2, 3, 0, 4]))
    assert mediane[0, 0] == np.inf  # deux habitants sur trois n'ont aucun accès
    assert mediane[1, 0] == np.inf  # le carreau à 50 s est inhabité
    assert np.isnan(mediane[2, 0])


def test_poids_propres_a_chaque_colonne():
    z = zonage(0, 0, nombre=1)
    valeurs = np.array([[1.0, 1.0], [2.0, 2.0]])
    poids = np.array([[3.0, 1.0], [1.0, 3.0]])
    assert calculer_medianes(z, valeurs, poids).tolist() == [[1.0, 2.0]]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_medianes_egales_au_calcul_exhaustif(graine, nombre):
    hasard = np.random.default_rng(graine)
    z = zonage(*hasard.integers(-1, 3, nombre))
    valeurs = hasard.choice([60.0, 61.5, 300.0, 901.0, np.inf, np.nan], (nombre, 4))
    poids = hasard.choice([0.0, 0.1, 0.3, 2.5, 17.0], nombre)
    obtenu = calculer_medianes(z, valeurs, poids)
    for zone in range(3):
        dedans = z.zone_carreau == zone
        for k in range(4):
            attendu = mediane_exhaustive(valeurs[dedans, k], poids[dedans])
            assert obtenu[zone, k] == attendu or np.isnan([obtenu[zone, k], attendu]).all()


def test_l_ordre_des_carreaux_ne_change_rien_et_l_ordre_peut_etre_donne():
    hasard = np.random.default_rng(4)
    z = zonage(*hasard.integers(0, 3, 200))
    valeurs, poids = hasard.exponential(600, (200, 5)), hasard.integers(0, 40, 200).astype(float)
    reference = calculer_medianes(z, valeurs, poids)
    assert np.array_equal(
        calculer_medianes(z, valeurs, poids, ordonner_colonnes(valeurs)), reference
    )
    melange = hasard.permutation(200)
    autre = Zonage(z.type, z.codes, z.noms, z.zone_carreau[melange])
    assert np.array_equal(calculer_medianes(autre, valeurs[melange], poids[melange]), reference)


def test_zonages_du_plus_vaste_au_plus_fin():
    carreaux = table_carreaux([(0, 0)] * 4, [1, 2, 3, 4], ["B", "A", "C", "hors"])
    communes = table_communes(["A", "B", "C"], ["9", "8", "9"], ["", "S2", ""])
    zonages = {z.type: z for z in construire_zonages(carreaux, communes, "Pays")}
    assert list(zonages) == ["territoire", "secteur", "bassin_de_vie", "commune"]
    assert (zonages["territoire"].codes, zonages["territoire"].noms) == (("territoire",), ("Pays",))
    assert zonages["territoire"].zone_carreau.tolist() == [0, 0, 0, 0]
    assert zonages["commune"].codes == ("A", "B", "C")
    assert zonages["commune"].noms == ("Commune A", "Commune B", "Commune C")
    assert zonages["commune"].zone_carreau.tolist() == [1, 0, 2, -1]
    assert zonages["bassin_de_vie"].codes == ("8", "9")
    assert zonages["bassin_de_vie"].noms == ("Bassin 8", "Bassin 9")
    assert zonages["bassin_de_vie"].zone_carreau.tolist() == [0, 1, 1, -1]
    # Deux communes sur trois n'ont pas de secteur : leurs carreaux sont hors de tout secteur.
    assert zonages["secteur"].codes == ("S2",)
    assert zonages["secteur"].zone_carreau.tolist() == [0, -1, -1, -1]


def test_zonages_sans_decoupage():
    carreaux = table_carreaux([(0, 0)] * 2, [1, 2], ["", ""])
    sans = table_communes([])
    assert [z.type for z in construire_zonages(carreaux, sans, "Pays")] == ["territoire"]
    sans_bassin = table_communes(["A"])
    types = [z.type for z in construire_zonages(carreaux, sans_bassin, "Pays")]
    assert types == ["territoire", "commune"]
    manquant = sans_bassin.assign(code_secteur=pd.array([None], dtype="str"))
    assert [z.type for z in construire_zonages(carreaux, manquant, "Pays")] == types
    vide = construire_zonages(carreaux.iloc[:0], sans_bassin, "Pays")
    assert [z.zone_carreau.size for z in vide] == [0, 0]


def test_ponderation():
    carreaux = table_carreaux([(0, 0)] * 3, [5, np.nan, 7], ["A"] * 3)
    poids, par_population = calculer_ponderation(carreaux)
    assert poids.tolist() == [5, 0, 7]
    assert par_population
    poids, par_population = calculer_ponderation(carreaux.assign(population_hab=np.nan))
    assert poids == pytest.approx([40_000.0] * 3)
    assert not par_population


def test_classes_par_zone_a_la_main():
    z = zonage(0, 0, 2, -1, 2)
    classes = np.array([[0, 1], [1, 1], [1, 5], [0, 0], [-1, 0]])
    comptes = compter_classes(z, classes, 2, np.array([1.0, 2.0, 4.0, 8.0, 16.0]))
    # Hors zone, ou hors des classes : le carreau ne compte pas.
    assert comptes[0].tolist() == [[1, 2], [0, 3]]
    assert comptes[1].tolist() == [[0, 0], [0, 0]]
    assert comptes[2].tolist() == [[0, 4], [16, 0]]
    assert compter_classes(z, np.empty((5, 0), dtype=int), 2, np.ones(5)).shape == (3, 0, 2)


def test_diviser_laisse_vide_la_zone_sans_poids():
    np.testing.assert_array_equal(
        diviser(np.array([1.0, 0.0, 3.0]), np.array([2.0, 0.0, 0.0])), [0.5, np.nan, np.nan]
    )


def test_blocs_et_etiquettes():
    bloc = etiqueter_zones(zonage(0, nombre=2), 2)
    assert bloc["zone_code"].tolist() == ["Z0", "Z1", "Z0", "Z1"]
    table = assembler_blocs([bloc, bloc])
    assert len(table) == 8 and list(table.columns) == ["zone_type", "zone_code", "zone_nom"]
    assert assembler_blocs([]).empty


def test_zone_de_chaque_carreau():
    carreaux = pd.DataFrame({"code_commune": ["A", "B", "", "Z"]})
    communes = table_communes(["A", "B"], ["B1", ""], ["S1", "S2"])
    assert zones_des_carreaux(carreaux, communes, "code_secteur").tolist() == ["S1", "S2", "", ""]
    bassins = zones_des_carreaux(carreaux, communes, "code_bassin_de_vie")
    assert bassins.tolist() == ["B1", "", "", ""]

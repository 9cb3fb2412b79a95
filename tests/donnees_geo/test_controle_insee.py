"""Temps en voiture de l'INSEE : noms de colonnes, partition par région, mauvaises entrées."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from donnees_geo.controle_insee import lire_temps_insee, position_carreau
from donnees_geo.erreurs import ErreurDonnees
from tests.fabriques.ville_quadrillee import service_essai

CARREAUX = pd.Series(
    ["CRS3035RES200mN2564000E3282400", "CRS3035RES200mN2564000E3282600", "z0001"], dtype="str"
)
SERVICES = (
    replace(service_essai("boulangerie"), codes_bpe=("B203", "B207")),
    replace(service_essai("mairie"), codes_bpe=("A129",)),
)


def publiee(**colonnes):
    table = {
        "idInspire": [
            "FR_CRS3035RES200mN2564000E3282400",
            "FR_CRS3035RES200mN2564000E3282400",
            "FR_CRS3035RES200mN2564000E3282600",
            "FR_CRS3035RES200mN9999000E9999000",
            "FR_CRS3035RES200mN2564000E3282400",
        ],
        "typeeq_id": ["B203", "B207", "B207", "B203", "F101"],
        "duree": [5.0, 4.0, 2.5, 1.0, 9.0],
        "distance": [3.0, 2.0, 1.0, 0.5, 8.0],
        "pop": [10, 10, 4, 7, 10],
    }
    return pd.DataFrame(table | colonnes)


def test_la_plus_courte_des_durees_de_ses_types(tmp_path):
    publiee().to_parquet(tmp_path / "r32.parquet")
    temps = lire_temps_insee(tmp_path / "r32.parquet", SERVICES, CARREAUX)
    assert list(temps.columns) == ["boulangerie"]  # la mairie n'est pas dans ce fichier
    np.testing.assert_array_equal(temps["boulangerie"], [240.0, 150.0, np.nan])
    assert temps.index.equals(CARREAUX.index)


def test_les_types_d_un_service_qui_satisfait_aussi_comptent(tmp_path):
    publiee().to_parquet(tmp_path / "r32.parquet")
    services = (
        replace(service_essai("petite"), codes_bpe=("B207",), satisfait_aussi_par=("grande",)),
        replace(service_essai("grande"), codes_bpe=("B203",)),
    )
    temps = lire_temps_insee(tmp_path / "r32.parquet", services, CARREAUX)
    assert temps.iloc[0].tolist() == [240.0, 300.0]
    inverse = replace(services[0], codes_bpe=("F101",))  # 9 min, et la grande à 5 min
    temps = lire_temps_insee(tmp_path / "r32.parquet", (inverse, services[1]), CARREAUX)
    assert temps.iloc[0].tolist() == [300.0, 300.0]


def test_dossier_partitionne_par_region(tmp_path):
    publiee().assign(reg="32").to_parquet(tmp_path / "jeu", partition_cols=["reg"])
    temps = lire_temps_insee(tmp_path / "jeu", SERVICES, CARREAUX)
    assert temps["boulangerie"].iloc[0] == 240.0


def test_position_sans_prefixe():
    identifiants = pd.Series(["CRS3035RES200mN1E2", "N30E40", "", "autre"])
    assert position_carreau(identifiants).tolist() == ["N1E2", "N30E40", "", ""]


def test_millesime_2024_identifiants_est_nord_et_carreau_a_cheval(tmp_path):
    # Un carreau à cheval sur deux communes a une ligne par commune, à la même durée.
    table = pd.DataFrame(
        {
            "idSrc": ["3282400_2564000", "3282400_2564000", "3282600_2564000", "1_2"],
            "X": [3282500, 3282500, 3282700, 0],
            "Y": [2564100, 2564100, 2564100, 0],
            "depcom": ["62119", "62120", "62119", "62119"],
            "typeeq_id": ["B207", "B207", "B207", "B207"],
            "distance": [2.0, 2.0, 1.0, 0.1],
            "duree": [4.0, 4.0, 2.5, 1.0],
            "pop": [10, 3, 4, 1],
        }
    )
    table.to_parquet(tmp_path / "donnees-2024-reg32.parquet")
    temps = lire_temps_insee(tmp_path / "donnees-2024-reg32.parquet", SERVICES, CARREAUX)
    np.testing.assert_array_equal(temps["boulangerie"], [240.0, 150.0, np.nan])


@pytest.mark.parametrize(
    ("table", "message", "precision"),
    [
        (publiee().rename(columns={"duree": "minutage"}), "Colonne absente", "duree_min"),
        (publiee(duree=[500.0] * 5), "ne sont pas des minutes", "médiane 500"),
        (publiee(duree=[-1.0, 4, 2, 1, 9]), "ne sont pas des minutes", "minimum -1"),
        (publiee(typeeq_id=["Z1"] * 5), "Aucun type d'équipement", "A129"),
        (publiee(idInspire=["FR_N1E1"] * 5), "Aucun carreau du territoire", "région"),
    ],
)
def test_fichier_qui_ne_convient_pas(tmp_path, table, message, precision):
    table.to_parquet(tmp_path / "r.parquet")
    with pytest.raises(ErreurDonnees, match=message) as refus:
        lire_temps_insee(tmp_path / "r.parquet", SERVICES, CARREAUX)
    assert precision in str(refus.value)
    assert "r.parquet" in str(refus.value)


def test_fichier_absent_ou_qui_n_est_pas_du_parquet(tmp_path):
    with pytest.raises(ErreurDonnees, match="introuvable"):
        lire_temps_insee(tmp_path / "rien.parquet", SERVICES, CARREAUX)
    (tmp_path / "faux.parquet").write_text("a;b\n1;2\n", encoding="utf-8")
    with pytest.raises(ErreurDonnees, match="illisible") as refus:
        lire_temps_insee(tmp_path / "faux.parquet", SERVICES, CARREAUX)
    assert "Parquet" in str(refus.value)

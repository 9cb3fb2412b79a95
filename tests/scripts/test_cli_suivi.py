"""Commandes ``diagnostiquer`` (options) et ``comparer``, de bout en bout."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from accessibilite.bilans.suivi import Ecarts, Suivi
from scripts import cli
from scripts.commandes.suivi import resumer_evolution
from tests.fabriques.sources_territoire import ecrire_sources


def lancer(*arguments: object) -> int:
    try:
        return cli.principal([str(argument) for argument in arguments])
    except SystemExit as sortie:
        return int(sortie.code or 0)


@pytest.fixture(scope="module")
def prepare(tmp_path_factory):
    dossier = tmp_path_factory.mktemp("suivi")
    assert lancer("preparer", ecrire_sources(dossier / "sources"), "--sortie", dossier / "t") == 0
    return dossier / "t"


@pytest.fixture(scope="module")
def reference(prepare, tmp_path_factory):
    sortie = tmp_path_factory.mktemp("reference") / "r"
    assert lancer("diagnostiquer", prepare, "--sortie", sortie) == 0
    return sortie


@pytest.mark.parametrize("option", ["--modes", "--mode"])
def test_modes_services_et_sans_analyses(prepare, tmp_path, capsys, option):
    code = lancer(
        *("diagnostiquer", prepare, "--sortie", tmp_path / "r", "--sans-analyses"),
        *(option, "velo,marche", "--services", "boulangerie"),
    )
    assert code == 0
    description = json.loads((tmp_path / "r" / "resultat.json").read_text(encoding="utf-8"))
    assert description["modes"] == ["marche", "velo"]
    assert description["services"] == ["boulangerie"]
    assert description["analyses"] == []
    assert "Indice de la demi-heure" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code", "attendu"),
    [
        (("--modes", "pied"), 2, "« pied » n'est pas un mode"),
        (("--jour", "mardi"), 2, "AAAA-MM-JJ"),
        (("--services", "licorne"), 1, "Service inconnu"),
        (("--modes", "tc"), 1, "se rejoint à pied"),
        (("--analyses", "absent.toml"), 1, "introuvable"),
        (("--temps-insee", "absent.parquet"), 1, "Fichier de temps de l'INSEE introuvable"),
    ],
)
def test_demandes_fautives(prepare, tmp_path, capsys, options, code, attendu):
    assert lancer("diagnostiquer", prepare, "--sortie", tmp_path / "r", *options) == code
    erreur = capsys.readouterr().err
    assert attendu in erreur
    assert "Traceback" not in erreur
    assert not (tmp_path / "r" / "resultat.json").exists()


def test_controle_par_les_temps_de_l_insee(prepare, reference, tmp_path, capsys):
    acces = pd.read_parquet(reference / "acces_carreaux.parquet")
    publie = pd.DataFrame(
        {
            "idInspire": acces["carreau"],
            "typeeq_id": "D265",
            "duree": acces["temps_medecin_voiture_s"].astype(float) / 60 + 1,
        }
    )
    publie[publie["duree"] < 1e9].to_parquet(tmp_path / "insee.parquet")
    code = lancer(
        *("diagnostiquer", prepare, "--sortie", tmp_path / "r"),
        *("--temps-insee", tmp_path / "insee.parquet"),
    )
    assert code == 0
    assert "Temps en voiture face à l'INSEE" in capsys.readouterr().out
    controle = pd.read_csv(tmp_path / "r" / "controle_insee.csv")
    assert controle["service"].tolist() == ["medecin"]
    assert controle["biais_s"].tolist() == pytest.approx([-60], abs=1e-3)


def test_comparer_un_diagnostic_a_lui_meme(reference, tmp_path, capsys):
    assert lancer("comparer", reference, reference, "--sortie", tmp_path / "c") == 0
    texte = capsys.readouterr().out
    assert "aucune évolution n'est attendue" in texte
    assert "Aucun habitant ne passe" in texte
    evolution = pd.read_csv(tmp_path / "c" / "evolution.csv")
    assert (evolution["gagnent_hab"].fillna(0) == 0).all()
    carreaux = pd.read_parquet(tmp_path / "c" / "evolution_carreaux.parquet")
    assert set(carreaux["presence"]) == {"les_deux"}


def test_comparer_refuse_puis_force(prepare, reference, tmp_path, capsys):
    lents = tmp_path / "lents.toml"
    lents.write_text(
        "[vitesses]\nvitesse_marche_kmh = 1.0\nvitesse_velo_kmh = 3.0\n", encoding="utf-8"
    )
    autre = tmp_path / "autre"
    options = ("--parametres", lents, "--sans-analyses")
    assert lancer("diagnostiquer", prepare, "--sortie", autre, *options) == 0
    capsys.readouterr()
    assert lancer("comparer", reference, autre, "--sortie", tmp_path / "c") == 1
    erreur = capsys.readouterr().err
    assert "vitesse_marche_kmh : 4.5 → 1.0" in erreur
    assert "--forcer" in erreur
    assert not (tmp_path / "c").exists()
    assert lancer("comparer", reference, autre, "--sortie", tmp_path / "c", "--forcer") == 0
    texte = capsys.readouterr().out
    assert "L'évolution vient des hypothèses" in texte
    assert "médecin généraliste" in texte  # le nom du service, non son identifiant
    assert "Communes où cela change le plus" in texte
    description = json.loads((tmp_path / "c" / "comparaison.json").read_text(encoding="utf-8"))
    assert description["forcee"] is True
    assert description["ecarts_donnees"] == []
    evolution = pd.read_csv(tmp_path / "c" / "evolution.csv")
    assert evolution["perdent_hab"].sum() > 0
    assert evolution["gagnent_hab"].fillna(0).sum() == 0


def test_le_compte_rendu_signe_l_effet_de_la_population():
    evolution = pd.DataFrame(
        {
            "zone_type": ["territoire", "commune", "commune"],
            "zone_nom": ["Essai", "Aix", "Brie"],
            "service": ["mairie"] * 3,
            "gagnent_hab": [1_250.0, 0.0, 1_250.0],
            "perdent_hab": [40.0, 40.0, 0.0],
            "effet_population_hab": [75.0, 75.0, 0.0],
            "part_avant": [0.5, 0.25, 0.75],
            "part_apres": [0.625, 0.2, 0.9],
        }
    )
    rapport = resumer_evolution(Suivi(evolution, pd.DataFrame(), Ecarts((), ())), {"mairie": "M"})
    lignes = [" ".join(x.split()) for x in rapport.replace("\u202f", " ").splitlines()]
    assert "M 1 250 40 +75 50,0 % 62,5 %" in lignes
    assert lignes.index("Brie M 1 250 0") < lignes.index("Aix M 0 40")


def test_comparer_un_dossier_qui_n_est_pas_un_resultat(reference, tmp_path, capsys):
    assert lancer("comparer", reference, tmp_path, "--sortie", tmp_path / "c") == 1
    assert "pas de résultat complet" in capsys.readouterr().err
    (tmp_path / "f").write_text("x")
    assert lancer("comparer", reference, reference, "--sortie", tmp_path / "f") == 1
    assert "doit être un dossier" in capsys.readouterr().err

"""Dossier de résultats : écrit, relu à l'identique, remplacé sans restes, refus motivés."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from accessibilite.analyses.ensemble import calculer_analyses
from accessibilite.etude import calculer_etude
from couches.resultats import ecrire_resultats, lire_resultats, relire_etude
from donnees_geo.configuration.analyses import lire_parametres_analyses
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.territoire.modele import SourceLue
from tests.fabriques.ville_quadrillee import parametres_essai, territoire_essai

SOURCES = (SourceLue("services.bpe", "BPE24.csv", "abc", 12, "2024"),)


@pytest.fixture(scope="module")
def territoire():
    base = territoire_essai()
    carreaux = base.carreaux.assign(ind_65_79=1.5, ind_snv=2e5)
    return territoire_essai(carreaux=carreaux, sources=SOURCES)


@pytest.fixture(scope="module")
def etude(territoire):
    return calculer_etude(territoire, None, parametres_essai())


@pytest.fixture(scope="module")
def analyses(territoire, etude):
    return calculer_analyses(territoire, etude, lire_parametres_analyses())


def ecrire(etude, dossier, analyses=None):
    return ecrire_resultats(etude, dossier, nom="Ville", fictif=True, analyses=analyses)


def test_ecrit_puis_relu(etude, analyses, tmp_path):
    lu = lire_resultats(ecrire(etude, tmp_path / "r", analyses))
    for nom in ("indicateurs", "carences"):
        attendu = getattr(etude, nom)
        pd.testing.assert_frame_equal(
            getattr(lu, nom), attendu, check_dtype=False, rtol=1e-9, check_column_type=False
        )
    pd.testing.assert_frame_equal(lu.acces[etude.acces.columns], etude.acces, check_dtype=False)
    assert set(lu.analyses) == set(analyses.tables)
    for nom, table in analyses.tables.items():
        pd.testing.assert_frame_equal(
            lu.analyses[nom], table, check_dtype=False, rtol=1e-9, obj=nom
        )
    assert lu.acces["choix_boulangerie_marche"].tolist() == [1] * 10
    d = lu.description
    assert (d["territoire"], d["fictif"], d["aller_retour"]) == ("Ville", True, False)
    assert d["sources"][0]["empreinte"] == "abc"
    messages = [c.message for c in lu.constats]
    assert len(messages) == len(set(messages))
    assert {c.message for c in (*etude.constats, *analyses.constats)} == set(messages)


def test_les_codes_restent_du_texte(etude, tmp_path):
    zero = etude.indicateurs.assign(zone_code="01234")
    dossier = ecrire(type(etude)(**{**vars(etude), "indicateurs": zero}), tmp_path / "r")
    assert lire_resultats(dossier).indicateurs["zone_code"].iloc[0] == "01234"
    octets = (dossier / "indicateurs.csv").read_bytes()
    assert b"\r" not in octets and not octets.startswith(b"\xef\xbb\xbf")


def test_reecrire_sans_analyses_n_en_laisse_aucune(etude, analyses, tmp_path):
    dossier = ecrire(etude, tmp_path / "r", analyses)
    assert (dossier / "indice.csv").is_file()
    ecrire(etude, dossier)
    assert sorted(f.name for f in dossier.iterdir()) == [
        "acces_carreaux.parquet",
        "carences.csv",
        "indicateurs.csv",
        "resultat.json",
    ]
    assert lire_resultats(dossier).analyses == {}


def test_une_etude_relue_se_reecrit_et_s_analyse_de_meme(territoire, etude, analyses, tmp_path):
    dossier = ecrire(etude, tmp_path / "r", analyses)
    relue = relire_etude(dossier, territoire)
    assert relue.sources == SOURCES
    assert relue.parametres == etude.parametres
    encore = calculer_analyses(territoire, relue, lire_parametres_analyses())
    for nom, table in analyses.tables.items():
        pd.testing.assert_frame_equal(encore.tables[nom], table, check_dtype=False, obj=nom)
    ecrire(relue, tmp_path / "r2", encore)
    a, b = (pd.read_parquet(tmp_path / r / "acces_carreaux.parquet") for r in ("r", "r2"))
    pd.testing.assert_frame_equal(a, b)


def test_dossier_incomplet_ou_d_une_autre_version(etude, tmp_path):
    with pytest.raises(ErreurDonnees, match="pas de résultat complet") as refus:
        lire_resultats(tmp_path)
    assert "diagnostiquer" in str(refus.value)
    dossier = ecrire(etude, tmp_path / "r")
    contenu = json.loads((dossier / "resultat.json").read_text(encoding="utf-8"))
    (dossier / "resultat.json").write_text(json.dumps({**contenu, "format": 99}))
    with pytest.raises(ErreurDonnees, match="autre version") as refus:
        lire_resultats(dossier)
    assert "format 99" in str(refus.value)


def test_la_sortie_est_un_fichier(etude, tmp_path):
    (tmp_path / "f").write_text("x")
    with pytest.raises(ErreurDonnees, match="La sortie est un fichier"):
        ecrire(etude, tmp_path / "f")


def test_les_temps_absents_et_inaccessibles_survivent(etude, tmp_path):
    lu = lire_resultats(ecrire(etude, tmp_path / "r"))
    assert lu.acces["temps_cinema_marche_s"].isna().all()
    sans = lu.indicateurs.query("service == 'cinema' and mode == 'marche'")
    assert np.isnan(sans["part_desservie"]).all()

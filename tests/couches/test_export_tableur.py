"""Classeur et CSV : vrais nombres, rien d'exécutable, deux exports identiques."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from couches.tableur import (
    LIGNES_ANALYSE_MAX,
    composer_tables,
    exporter_classeur,
    exporter_csv,
    neutraliser,
)
from donnees_geo.erreurs import ErreurDonnees
from tests.fabriques.territoire_exports import NOM_BALISE, NOM_LONG, ecrire_themes, etude_exports


@pytest.fixture(scope="module")
def classeur(tmp_path_factory):
    chemin = tmp_path_factory.mktemp("xlsx") / "acces.xlsx"
    exporter_classeur(*etude_exports(), chemin)
    return openpyxl.load_workbook(chemin)


def lignes(feuille):
    return [[c.value for c in rangee] for rangee in feuille.iter_rows()]


def test_lisez_moi_puis_une_feuille_par_theme(classeur):
    titres = classeur.sheetnames
    assert titres[0] == "Lisez-moi"
    assert titres[1:4] == ["Communes - synthèse", "Communes - proximité", "Communes - structurant"]
    assert {"Bassins de vie - synthèse", "Carences", "Indicateurs"} <= set(titres)
    textes = [t for ligne in lignes(classeur["Lisez-moi"]) for t in ligne if t]
    assert any("15 minutes à pied ou à vélo" in str(t) for t in textes)
    assert any("BPE24.csv, 2024" in str(t) for t in textes)


def test_vrais_nombres_titres_figes_et_formats(classeur):
    feuille = classeur["Communes - proximité"]
    assert feuille.freeze_panes == "A2"
    assert lignes(feuille)[0][:4] == ["Code", "Nom", "Habitants", "Boulangerie"]
    # Tout le monde est à moins de 15 min à vélo ; le cinéma n'a aucun lieu : vide, non zéro.
    premiere = lignes(feuille)[1]
    assert premiere[:4] == ["A0001", NOM_LONG, 150, 1]
    assert premiere[4] is None
    assert [c.number_format for c in feuille[2]][2:4] == ["#,##0", "0.0%"]


@pytest.mark.parametrize("debut", ["=", "+", "-", "@", "\t", "|", "%", " =", "\u00a0="])
def test_aucune_formule_dans_le_classeur(tmp_path, debut):
    territoire, etude = etude_exports()
    communes = territoire.communes.assign(nom=[f"{debut}cmd()", "Sage"])
    # Les noms de zones viennent de l'étude.
    noms = etude.indicateurs["zone_nom"].replace(NOM_LONG, f"{debut}cmd()")
    piege = replace(etude, indicateurs=etude.indicateurs.assign(zone_nom=noms))
    exporter_classeur(replace(territoire, communes=communes), piege, tmp_path / "t.xlsx")
    feuille = openpyxl.load_workbook(tmp_path / "t.xlsx")["Communes - synthèse"]
    cellule = feuille["B2"]
    assert cellule.data_type == "s"
    assert cellule.value == f"{debut}cmd()"
    assert cellule.quotePrefix


@given(st.text(max_size=30))
def test_neutraliser_ne_laisse_aucun_debut_de_formule(texte):
    propre = neutraliser(texte)
    assert not propre.lstrip(" \u00a0").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "|", "%"))
    assert len(propre) <= len(texte) + 1


def test_csv_pour_excel_francais(tmp_path):
    territoire, etude = etude_exports()
    fichiers = {f.name: f for f in exporter_csv(territoire, etude, tmp_path)}
    assert {"communes-synthese.csv", "bassins-de-vie-synthese.csv", "carences.csv"} <= set(fichiers)
    octets = fichiers["communes-proximite.csv"].read_bytes()
    assert octets.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in octets
    rangees = list(csv.reader(octets.decode("utf-8-sig").splitlines(), delimiter=";"))
    assert rangees[0][:3] == ["Code", "Nom", "Habitants"]
    assert rangees[2][1] == NOM_BALISE


def test_csv_virgule_decimale_et_formule_neutralisee(tmp_path):
    territoire, etude = etude_exports()
    table = pd.DataFrame({"nom": ["=1+1", None], "x": [1.5, np.inf], "oui": [True, False]})
    exporter_csv(territoire, etude, tmp_path, {"equite": table})
    rangees = (tmp_path / "equite.csv").read_text(encoding="utf-8-sig").splitlines()
    assert rangees == ["nom;x;oui", "'=1+1;1,5;oui", ";;non"]


def test_deux_exports_identiques_a_l_octet(tmp_path):
    for nom in ("a.xlsx", "b.xlsx"):
        exporter_classeur(*etude_exports(), tmp_path / nom)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_donnees_fictives_dites_dans_le_classeur(tmp_path):
    exporter_classeur(*etude_exports(fictif=True), tmp_path / "f.xlsx")
    feuille = openpyxl.load_workbook(tmp_path / "f.xlsx")["Lisez-moi"]
    assert ("Données fictives") in [c.value for c in feuille["A"]]


def test_themes_et_analyses_ont_leur_feuille_sans_les_plus_longues(tmp_path):
    territoire, etude = etude_exports()
    avec = replace(territoire, couches=ecrire_themes(tmp_path))
    longue = pd.DataFrame({"x": np.arange(LIGNES_ANALYSE_MAX + 1)})
    courte = pd.DataFrame({"part_hab": [0.5]})
    titres = {t.nom: t for t in composer_tables(avec, etude, {"niveaux": longue, "equite": courte})}
    assert {"friches", "commerces", "equite"} <= set(titres)
    assert "niveaux" not in titres
    assert titres["equite"].colonnes["part_hab"][1] == "part"


def test_inaccessible_en_toutes_lettres(tmp_path):
    territoire, etude = etude_exports()
    table = pd.DataFrame({"temps_s": [np.inf, np.nan, 12.0]})
    exporter_classeur(territoire, etude, tmp_path / "i.xlsx", analyses={"equite": table})
    feuille = openpyxl.load_workbook(tmp_path / "i.xlsx")["Equite"]
    assert [c.value for c in feuille["A"]] == ["temps_s", "inaccessible", None, 12]


def test_dossier_absent_dit_quoi_faire_et_ancien_intact(tmp_path):
    with pytest.raises(ErreurDonnees, match="n'existe pas"):
        exporter_classeur(*etude_exports(), tmp_path / "absent" / "t.xlsx")
    ancien = tmp_path / "t.xlsx"
    ancien.write_text("ancien", encoding="utf-8")

    def interrompre(_etape, _part):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exporter_classeur(*etude_exports(), ancien, interrompre)
    assert ancien.read_text(encoding="utf-8") == "ancien"
    assert [f.name for f in tmp_path.iterdir()] == ["t.xlsx"]

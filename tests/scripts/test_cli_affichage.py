"""Tableaux, nombres et barres de progression de la ligne de commande."""

from __future__ import annotations

import pytest

from donnees_geo.erreurs import Constat, Gravite
from scripts.commandes.affichage import composer_tableau, nombre_fr, progression
from scripts.commandes.banc import duree_fr
from scripts.commandes.territoire import montrer_constats


def test_tableau_aligne_et_titre():
    tableau = composer_tableau(("zone", "hab"), [("Été", "12"), ("b", "3 400")], a_droite=(1,))
    assert tableau.split("\n") == ["zone    hab", "────  ─────", "Été      12", "b     3 400"]


def test_la_derniere_colonne_revient_a_la_ligne(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    lignes = composer_tableau(("a", "b"), [("x", "mot " * 20)]).split("\n")
    assert max(map(len, lignes)) <= 40
    assert " ".join(lignes).count("mot") == 20
    assert all(ligne.startswith("   ") for ligne in lignes[3:])


def test_tableau_sans_ligne():
    assert composer_tableau(("a", "b"), []).split("\n") == ["a  b", "─  ─"]


@pytest.mark.parametrize(
    ("valeur", "decimales", "attendu"),
    [(275736, 0, "275\u202f736"), (0.5, 1, "0,5"), (1234.56, 1, "1\u202f234,6"), (-3, 0, "-3")],
)
def test_nombre_a_la_francaise(valeur, decimales, attendu):
    assert nombre_fr(valeur, decimales) == attendu


@pytest.mark.parametrize(
    ("secondes", "attendu"),
    [
        (0.00008, "0,08 ms"),
        (0.0522, "52,2 ms"),
        (0.522, "522 ms"),
        (8.7, "8,70 s"),
        (26.3, "26,3 s"),
    ],
)
def test_duree_a_trois_chiffres_utiles(secondes, attendu):
    assert duree_fr(secondes) == attendu


def test_constats_du_plus_grave_au_moins_grave(capsys):
    constats = [
        Constat(Gravite.MINEUR, "osm", "3 voies coupées."),
        Constat(Gravite.BLOQUANT, "communes", "Code répété : 62119."),
        Constat(Gravite.MINEUR, "bpe", "12 lignes sans coordonnées."),
    ]
    montrer_constats(constats)
    lignes = capsys.readouterr().out.splitlines()
    assert [ligne.split()[0] for ligne in lignes[2:5]] == ["bloquant", "mineur", "mineur"]
    assert lignes[-1] == "1 bloquant, 0 majeur, 2 mineurs."


def test_pas_de_barre_sans_terminal(capsys):
    with progression("Essai") as avancer:
        avancer("étape", 0.5)
    assert capsys.readouterr().err == ""


def test_barre_forcee_qui_avance_et_recule_entre_deux_etapes(monkeypatch, capsys):
    monkeypatch.setattr("scripts.commandes.affichage.DELAI_BARRE_S", 0.0)
    with progression("Préparation", montrer=True) as avancer:
        for etape, part in (("rues", 0.2), ("rues", 1.0), ("population", 0.1), ("fin", 7.0)):
            avancer(etape, part)
    assert "Préparation" in capsys.readouterr().err

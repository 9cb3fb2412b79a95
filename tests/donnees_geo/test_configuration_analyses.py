"""Réglages des analyses : valeurs livrées, fichier propre, toutes les fautes dites ensemble."""

from __future__ import annotations

import pytest

from donnees_geo.configuration import lire_services
from donnees_geo.configuration.analyses import (
    decrire_parametres_analyses,
    lire_parametres_analyses,
)
from donnees_geo.erreurs import ErreurConfiguration


def test_fichier_livre():
    p = lire_parametres_analyses()
    assert p.bornes_niveaux_s == (300, 600, 900, 1800)
    assert p.nombre_choix == 3
    assert [(g.colonne, g.vitesse_kmh) for g in p.marcheurs] == [
        ("ind_65_79", None),
        ("ind_80p", 3.4),
    ]
    assert p.mode_concurrence == "voiture"
    assert p.decroissances[0].bornes_s == (600, 900, 1200)  # celle de la DREES est retenue
    assert p.decroissances[0].poids == pytest.approx((1, 2 / 3, 1 / 3), abs=1e-4)
    assert all(d.source for d in p.decroissances)
    catalogue = {s.id for s in lire_services()}
    cites = {*p.services_concurrence, *(s for public in p.publics for s in public.services)}
    assert cites <= catalogue


def test_chaque_reglage_est_decrit_avec_sa_source():
    fiches = {f.cle: f for f in decrire_parametres_analyses()}
    assert fiches["niveaux"].valeur == "5, 10, 15, 30"
    assert fiches["marche 65 à 79 ans"].valeur == "vitesse_marche_senior_kmh"
    assert fiches["decroissance apl_2012"].valeur == "5 min : 1 ; 10 min : 0,3 ; 15 min : 0,1"
    assert all(f.source for f in fiches.values())


def test_un_fichier_propre_remplace_ses_sections(tmp_path):
    chemin = tmp_path / "a.toml"
    chemin.write_text(
        '[choix]\nnombre = 1\n[[marcheurs]]\ncolonne = "ind_80p"\nlibelle = "aînés"\n',
        encoding="utf-8",
    )
    p = lire_parametres_analyses(chemin)
    assert p.nombre_choix == 1
    assert [g.libelle for g in p.marcheurs] == ["aînés"]
    assert p.bornes_niveaux_s == (300, 600, 900, 1800)


def test_toutes_les_fautes_ensemble(tmp_path):
    chemin = tmp_path / "a.toml"
    chemin.write_text(
        "[niveaux]\nbornes_min = [5, 5]\n"
        "[choix]\nnombre = 99\nautre = 1\n"
        '[concurrence]\nservices = ["medecin"]\nmode = "tc"\n'
        "[voiture]\nratios_tc = []\n"
        '[[marcheurs]]\ncolonne = "ind_99"\nlibelle = "x"\nvitesse_kmh = 40\n'
        '[[publics]]\ncolonne = "ind_0_3"\nlibelle = "x"\n'
        '[[decroissances]]\nnom = "d"\nsource = "s"\nbornes_min = [5, 10]\npoids = [0.1, 1]\n'
        '[[decroissances]]\nnom = "d"\nsource = "s"\nbornes_min = [5]\npoids = [1]\n'
        "[inconnue]\n",
        encoding="utf-8",
    )
    with pytest.raises(ErreurConfiguration) as refus:
        lire_parametres_analyses(chemin)
    texte = str(refus.value)
    for attendu in (
        "bornes_min : une liste croissante",
        "nombre : un entier de 1 à 10",
        "clé « autre » inconnue",
        "mode : valeur « tc » inconnue",
        "ratios_tc : une liste croissante",
        "colonne : valeur « ind_99 » inconnue",
        "vitesse_kmh : une vitesse de marche",
        "services : au moins un service",
        "poids : un poids de 0 à 1 par borne, décroissants",
        "deux décroissances portent le même nom",
        "clé « inconnue » inconnue",
    ):
        assert attendu in texte, attendu


def test_decroissances_toutes_retirees(tmp_path):
    chemin = tmp_path / "a.toml"
    chemin.write_text("decroissances = []\n", encoding="utf-8")
    with pytest.raises(ErreurConfiguration, match="au moins une décroissance"):
        lire_parametres_analyses(chemin)

"""Banc d'essai : données communes, mesures, rapports, historique. Aucune durée n'est jugée."""

from __future__ import annotations

import csv
import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.reseau import MARCHE_ALLER, MARCHE_RETOUR, ReseauRues
from scripts import banc
from scripts.banc import Absence, Tache
from scripts.banc_donnees import TailleReseau, ecrire_donnees, juxtaposer
from scripts.banc_environnements import Interpretes, lire_extra, module_present
from scripts.commandes import banc as commande_banc

COTE = 12


@pytest.fixture(scope="module")
def quadrillage() -> ReseauRues:
    """Ville en damier de 12 × 12 carrefours, rues de 100 m à double sens."""
    ligne, colonne = np.divmod(np.arange(COTE * COTE), COTE)
    x = 700_000.0 + 100.0 * colonne
    y = 7_000_000.0 + 100.0 * ligne
    est = np.flatnonzero(colonne < COTE - 1)
    nord = np.flatnonzero(ligne < COTE - 1)
    origine = np.concatenate([est, nord]).astype(np.int32)
    destination = np.concatenate([est + 1, nord + COTE]).astype(np.int32)
    m = origine.size
    return ReseauRues(
        crs="EPSG:2154",
        noeud_x=x,
        noeud_y=y,
        noeud_osm=np.arange(COTE * COTE, dtype=np.int64),
        troncon_origine=origine,
        troncon_destination=destination,
        troncon_longueur_m=np.full(m, 100.0),
        troncon_way=np.arange(m, dtype=np.int64),
        troncon_classe=np.full(m, 12, dtype=np.uint8),
        troncon_acces=np.full(m, MARCHE_ALLER | MARCHE_RETOUR, dtype=np.uint16),
        troncon_vitesse_kmh=np.full(m, np.nan, dtype=np.float32),
        troncon_nom=np.full(m, -1, dtype=np.int32),
        noms=(),
        geometrie_debut=np.arange(0, 2 * m + 1, 2, dtype=np.int64),
        geometrie_x=np.column_stack([x[origine], x[destination]]).ravel(),
        geometrie_y=np.column_stack([y[origine], y[destination]]).ravel(),
    )


def test_juxtaposer_decale_les_copies_sans_les_relier(quadrillage):
    trois = juxtaposer(quadrillage, 3)
    n, m = quadrillage.nombre_noeuds, quadrillage.nombre_troncons
    assert (trois.nombre_noeuds, trois.nombre_troncons) == (3 * n, 3 * m)
    copie = np.arange(3 * m) // m
    np.testing.assert_array_equal(trois.troncon_origine // n, copie)
    np.testing.assert_array_equal(trois.troncon_destination // n, copie)
    np.testing.assert_array_equal(trois.noeud_x[:n], quadrillage.noeud_x)
    # Chaque tronçon retrouve ses extrémités dans sa géométrie.
    debuts = trois.geometrie_debut
    np.testing.assert_allclose(trois.geometrie_x[debuts[:-1]], trois.noeud_x[trois.troncon_origine])
    np.testing.assert_allclose(
        trois.geometrie_x[debuts[1:] - 1], trois.noeud_x[trois.troncon_destination]
    )
    assert np.ptp(quadrillage.noeud_x) < np.diff(trois.noeud_x[[0, n, 2 * n]]).min()


def test_juxtaposer_ne_modifie_pas_le_reseau(quadrillage):
    avant = {
        champ.name: np.copy(valeur)
        for champ in dataclasses.fields(quadrillage)
        if isinstance(valeur := getattr(quadrillage, champ.name), np.ndarray)
    }
    juxtaposer(quadrillage, 4)
    for nom, valeur in avant.items():
        np.testing.assert_array_equal(getattr(quadrillage, nom), valeur)


@pytest.fixture(scope="module")
def dossier(quadrillage, tmp_path_factory) -> Path:
    """Données communes écrites pour le quadrillage, sans l'agrandir."""
    chemin = tmp_path_factory.mktemp("banc")
    with pytest.MonkeyPatch.context() as remplacement:
        remplacement.setattr("scripts.banc_donnees.NOEUDS_VISES", COTE * COTE)
        taille = ecrire_donnees(quadrillage, chemin, origines=4)
    assert taille == TailleReseau(noeuds=144, arcs=4 * COTE * (COTE - 1), copies=1)
    return chemin


def test_les_moteurs_presents_donnent_le_meme_resultat(dossier):
    """Nous, scipy et networkx sur le même graphe : mêmes noeuds atteints, mêmes temps."""
    taches = [
        tache
        for tache in banc.composer_taches(dossier, banc.Sujet("EPSG:2154"), rapide=True)
        if tache.moteur in ("nous", "scipy", "networkx")
    ]
    annonces: list[str] = []
    mesures, absences = banc.mesurer(
        taches,
        Interpretes(Path(sys.executable), None, None),
        dossier,
        lambda tache: annonces.append(tache.moteur),
    )
    assert absences == []
    assert annonces == ["nous", "scipy", "networkx"]
    for travail in ("voisinage", "plus_proche_50", "plus_proche_500"):
        controles = {m["moteur"]: m["controle"] for m in mesures if m["travail"] == travail}
        assert set(controles) >= {"nous", "scipy", "networkx"}
        assert controles["scipy"] == pytest.approx(controles["nous"], abs=2)
        assert controles["networkx"] == pytest.approx(controles["nous"], abs=2)
    assert all(m["secondes"] > 0 for m in mesures)


def test_un_moteur_absent_ou_en_echec_est_dit(dossier):
    taches = [
        Tache("rues", "introuvable", "module_qui_n_existe_pas", {}),
        Tache("rues", "scipy", "scipy", {"moteur": "scipy"}),
    ]
    mesures, absences = banc.mesurer(
        taches, Interpretes(Path(sys.executable), None, None), dossier, lambda _: None
    )
    assert mesures == []
    assert absences[0] == Absence("introuvable", "non installé : voir --installer-pairs")
    assert absences[1].moteur == "scipy"
    assert "rues a échoué" in absences[1].raison and "seuil_s" in absences[1].raison


def test_sans_navigateur_les_clics_ne_sont_pas_mesures(dossier, tmp_path, monkeypatch):
    sujet = banc.Sujet("EPSG:2154", territoire=tmp_path)
    taches = banc.composer_taches(dossier, sujet, rapide=True)
    (tache,) = [t for t in taches if t.script == "visualiseur_nous"]
    assert tache.travail == {"territoire": str(tmp_path), "clics": 5}
    monkeypatch.setenv("PATH", str(tmp_path))
    absence = banc.executer(tache, Path(sys.executable), dossier)
    assert isinstance(absence, Absence)
    assert absence.moteur == "visualiseur"
    assert "Chromium" in absence.raison or "Playwright" in absence.raison


MESURES = [
    {"travail": "voisinage", "moteur": "nous", "secondes": 0.002, "version": "1"},
    {"travail": "voisinage", "moteur": "a", "secondes": 0.05, "controle": 12},
    {"travail": "isochrone", "moteur": "b", "secondes": 3.0},
]


def test_rapport_au_notre():
    rapports = [m["rapport"] for m in banc.ajouter_rapports(MESURES)]
    assert rapports == [1.0, pytest.approx(25.0), None]
    assert "rapport" not in MESURES[0]


def test_mediane_des_passages():
    passages = [[{"moteur": "a", "secondes": s, "memoire_mio": 10 * s}] for s in (3.0, 1.0, 8.0)]
    assert banc.resumer(passages) == [{"moteur": "a", "secondes": 3.0, "memoire_mio": 30.0}]


@pytest.mark.parametrize(("rapport", "tenue"), [(20.0, True), (19.9, False)])
def test_juger_une_exigence(rapport, tenue):
    mesures = [{"travail": "chargement", "moteur": "osmnx", "rapport": rapport}]
    ((exigence, mesure, verdict),) = banc.juger(mesures)
    assert (exigence.moteur, mesure, verdict) == ("osmnx", rapport, tenue)


def test_une_mesure_absente_n_est_pas_jugee():
    assert banc.juger([{"travail": "chargement", "moteur": "osmnx", "rapport": None}]) == []


def test_l_historique_s_allonge_sans_repeter_l_entete(tmp_path):
    fichier = tmp_path / "banc.csv"
    mesures = banc.ajouter_rapports(MESURES)
    for _ in range(2):
        banc.ajouter_au_csv(fichier, mesures, TailleReseau(10, 20, 1))
    with fichier.open(encoding="utf-8", newline="") as flux:
        lignes = list(csv.DictReader(flux))
    assert len(lignes) == 6
    assert [ligne["moteur"] for ligne in lignes[:3]] == ["nous", "a", "b"]
    assert (lignes[1]["rapport"], lignes[2]["rapport"]) == ("25.0", "")
    assert {ligne["noeuds"] for ligne in lignes} == {"10"}
    assert lignes[0]["coeurs"].isdigit()


def test_l_historique_refuse_un_autre_fichier(tmp_path):
    fichier = tmp_path / "communes.csv"
    fichier.write_text("code,nom\n62119,Béthune\n", encoding="utf-8")
    with pytest.raises(ErreurDonnees, match="pas un historique du banc"):
        banc.ajouter_au_csv(fichier, MESURES, TailleReseau(1, 1, 1))
    assert fichier.read_text(encoding="utf-8") == "code,nom\n62119,Béthune\n"


def test_le_tableau_montre_mesures_exigences_et_absents(capsys):
    mesures = banc.ajouter_rapports(
        [
            {"travail": "chargement", "moteur": "nous", "secondes": 0.4},
            {"travail": "chargement", "moteur": "osmnx", "secondes": 10.0, "memoire_mio": 265.3},
        ]
    )
    commande_banc.montrer(mesures, [Absence("ferrobus", "non installé")], TailleReseau(9, 8, 2))
    texte = capsys.readouterr().out
    assert "2 exemplaires juxtaposés" in texte
    assert "× 25,0" in texte and "265 Mio" in texte
    assert "tenue" in texte
    assert "Non mesuré : ferrobus – non installé" in texte


def test_interpretes_choisit_le_notre_a_defaut_des_pairs():
    interpretes = Interpretes(Path(sys.executable), None, None)
    assert interpretes.pour("networkx") == Path(sys.executable)
    assert interpretes.pour("networkx", recent=True) is None
    assert not module_present(Path(sys.executable), "module_qui_n_existe_pas")


def test_les_pairs_sont_bornes_dans_pyproject():
    exigences = lire_extra("pairs") + lire_extra("pairs-312")
    assert {e.split(">=")[0] for e in exigences} >= {"pandana", "igraph", "pyvalhalla", "ferrobus"}
    assert all(",<" in e for e in exigences)

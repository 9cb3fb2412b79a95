"""Téléchargement recommencé : cache, hors ligne, simulation, rafraîchissement, travail gardé."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib

import pytest

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.telechargement import Statut
from donnees_geo.telechargement.reception import Reception
from tests.fabriques import donnees_en_ligne as en_ligne
from tests.fabriques.banc_telechargement import (
    demander,
    etat,
    lire_texte,
    statuts,
)
from tests.fabriques.dossier_tenu import RACINE, dossier_tenu


def test_recommencer_ne_redemande_que_ce_qui_manque(copie):
    bilan = demander(copie, copie.sortie)
    assert all(re.search(r"di_99|Dept_", chemin) for chemin in copie.serveur.chemins())
    assert statuts(bilan)["bpe"] is Statut.A_JOUR
    assert bilan.changements == ()


def test_un_autre_territoire_partage_le_cache(copie, tmp_path):
    demander(copie, tmp_path / "autre")
    assert all(re.search(r"di_99|Dept_", chemin) for chemin in copie.serveur.chemins())
    assert (tmp_path / "autre" / "bpe.csv").read_bytes() == (copie.sortie / "bpe.csv").read_bytes()


def test_hors_ligne_rien_ne_part_sur_le_reseau(copie, tmp_path):
    bilan = demander(copie, tmp_path / "autre", hors_ligne=True)
    assert copie.serveur.requetes == []
    assert bilan.manques_obligatoires == ()
    assert "Hors ligne" in etat(bilan, "nappes").message


def test_un_cache_vide_hors_ligne_dit_ou_poser_les_communes(copie, tmp_path):
    with pytest.raises(ErreurDonnees, match="Hors ligne") as faute:
        demander(copie, tmp_path / "autre", cache=tmp_path / "rien", hors_ligne=True)
    assert str(tmp_path / "autre" / "communes.geojson") in str(faute.value)


def test_un_cache_allege_ne_fait_rien_redemander(copie, monkeypatch):
    monkeypatch.setattr("donnees_geo.telechargement.execution.GROS_FICHIER_OCTETS", 40_000)
    (copie.sortie / "bpe.csv").unlink()
    avant = sum(f.stat().st_size for f in copie.cache.rglob("contenu.*"))
    demander(copie, copie.sortie, alleger=True)
    assert sum(f.stat().st_size for f in copie.cache.rglob("contenu.*")) < avant
    copie.serveur.requetes.clear()
    assert statuts(demander(copie, copie.sortie))["bpe"] is Statut.A_JOUR
    assert not [c for c in copie.serveur.chemins() if "BPE" in c]


def test_simuler_dit_les_tailles_et_n_ecrit_rien(copie, tmp_path):
    bilan = demander(copie, tmp_path / "neuf", cache=tmp_path / "c", simuler=True)
    assert not (tmp_path / "neuf").exists()
    assert etat(bilan, "bpe").taille_octets == len(
        copie.serveur.contenus[en_ligne.CHEMIN_BPE]
    )  # fmt: skip
    assert etat(bilan, "bpe").statut is Statut.PREVU
    assert not etat(bilan, "bpe").verifie
    assert en_ligne.CHEMIN_BPE in copie.serveur.chemins("HEAD")
    assert en_ligne.CHEMIN_BPE not in copie.serveur.chemins("GET")
    assert "seulement si" in etat(bilan, "gtfs_sncf").message
    deja = demander(copie, tmp_path / "neuf", simuler=True)
    assert etat(deja, "bpe").statut is Statut.A_JOUR


def test_rafraichir_dit_ce_qui_a_change(copie):
    zipe = copie.serveur.contenus[en_ligne.CHEMIN_BPE]
    bpe = lire_texte(copie.demo / "BPE24.csv", sep=";").iloc[1:]
    copie.serveur.contenus[en_ligne.CHEMIN_BPE] = en_ligne.zipper(
        {"BPE25.csv": bpe.to_csv(sep=";", index=False, quoting=1).encode()}
    )
    assert zipe != copie.serveur.contenus[en_ligne.CHEMIN_BPE]
    bilan = demander(copie, copie.sortie, rafraichir=True)
    (phrase,) = bilan.changements
    assert phrase.startswith("Base permanente des équipements")
    assert "contenu du territoire changé" in phrase
    assert len(lire_texte(copie.sortie / "bpe.csv", sep=";")) == len(bpe)
    assert demander(copie, copie.sortie, rafraichir=True).changements == ()


def test_rafraichir_retire_un_flux_qui_n_est_plus_publie(copie):
    chemin = f"{en_ligne.TRANSPORT}/api/datasets"
    jeux = json.loads(copie.serveur.contenus[chemin])
    copie.serveur.contenus[chemin] = json.dumps(
        [j for j in jeux if j["title"] != "Trains" and "agreges" not in j["title"]]
    ).encode()
    bilan = demander(copie, copie.sortie, rafraichir=True)
    assert etat(bilan, "gtfs").fichiers == ("gtfs/bus-du-val-1.zip",)
    assert "gtfs/trains-1.zip n'est plus publié" in " ".join(bilan.changements)


def test_une_marge_differente_refait_la_decoupe(copie):
    bilan = demander(copie, copie.sortie, marge_m=2_000.0, seulement=("osm", "communes"))
    assert statuts(bilan) == {"communes": Statut.RECU, "osm": Statut.RECU}
    assert any("emprise différente" in c for c in bilan.changements)
    manifeste = tomllib.loads(bilan.manifeste.read_text(encoding="utf-8"))
    assert manifeste["services"]["bpe"] == "bpe.csv"  # les autres sources restent citées


def test_un_manifeste_modifie_n_est_jamais_remplace(copie):
    manifeste = copie.sortie / "territoire.toml"
    modifie = manifeste.read_text(encoding="utf-8").replace(en_ligne.NOM, "Mon territoire")
    manifeste.write_text(modifie, encoding="utf-8")
    (copie.sortie / "secteurs.csv").write_text("code_commune;secteur\n00001;Sud\n", "utf-8")
    bilan = demander(copie, copie.sortie)
    assert manifeste.read_text(encoding="utf-8") == modifie
    propose = (copie.sortie / "territoire.propose.toml").read_text(encoding="utf-8")
    assert 'secteurs = "secteurs.csv"' in propose
    assert statuts(bilan)["secteurs"] is Statut.A_LA_MAIN


def test_un_fichier_modifie_a_la_main_est_garde(copie):
    friches = copie.sortie / "friches.csv"
    friches.write_text(friches.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    modifie = friches.read_bytes()
    bilan = demander(copie, copie.sortie, rafraichir=True)
    assert statuts(bilan)["friches"] is Statut.A_LA_MAIN
    assert friches.read_bytes() == modifie


def test_une_interruption_ne_fait_pas_passer_un_fichier_pour_pose_a_la_main(
    copie, tmp_path, monkeypatch
):
    seulement = ("communes", "gtfs")
    vrai = Reception._juger_flux

    def interrompre(self, objet, morceau):
        if "trains" in morceau.fichier:
            raise KeyboardInterrupt
        return vrai(self, objet, morceau)

    monkeypatch.setattr(Reception, "_juger_flux", interrompre)
    with pytest.raises(KeyboardInterrupt):
        demander(copie, tmp_path / "neuf", seulement=seulement)
    assert (tmp_path / "neuf" / "gtfs" / "bus-du-val-1.zip").is_file()
    monkeypatch.undo()
    bilan = demander(copie, tmp_path / "neuf", seulement=seulement)
    assert statuts(bilan) == {"communes": Statut.A_JOUR, "gtfs": Statut.RECU}
    trace = json.loads((tmp_path / "neuf" / "telechargement.json").read_text(encoding="utf-8"))
    assert {f["fichier"] for f in trace["fichiers"]} == {
        "communes.geojson", "gtfs/bus-du-val-1.zip", "gtfs/trains-1.zip",
    }  # fmt: skip


# --- deux téléchargements à la fois ------------------------------------------------------


def test_un_dossier_qu_un_autre_telechargement_remplit_est_refuse(copie):
    avant = (copie.sortie / "telechargement.json").read_bytes()
    with dossier_tenu(copie.sortie), pytest.raises(ErreurDonnees, match="remplit déjà") as faute:
        demander(copie, copie.sortie)
    assert "attendez qu'elle finisse" in str(faute.value)
    assert copie.serveur.requetes == []
    assert (copie.sortie / "telechargement.json").read_bytes() == avant
    # L'autre est mort : son verrou aussi.
    assert demander(copie, copie.sortie).manques_obligatoires == ()


def test_un_cache_employe_par_un_autre_est_attendu(copie, tmp_path):
    messages = []
    with dossier_tenu(copie.cache) as autre:

        def suivre(message: str, _part: float) -> None:
            messages.append(message)
            if "attente" in message:
                assert copie.serveur.requetes == []
                autre.kill()

        bilan = demander(copie, tmp_path / "neuf", progression=suivre, seulement=("communes",))
    assert "Un autre téléchargement emploie le cache ; attente" in messages
    assert statuts(bilan) == {"communes": Statut.RECU}


def test_hors_ligne_le_cache_n_est_pas_attendu(copie, tmp_path):
    with dossier_tenu(copie.cache):
        bilan = demander(copie, tmp_path / "neuf", hors_ligne=True, seulement=("communes",))
    assert statuts(bilan) == {"communes": Statut.RECU}


def test_deux_telechargements_simultanes_ne_demandent_rien_deux_fois(copie, tmp_path):
    commande = [sys.executable, "-m", "scripts.cli", "telecharger", "--epci", en_ligne.EPCI]
    commande += ["--catalogue", str(copie.catalogue), "--cache", str(tmp_path / "c")]
    commande += ["--sources", "communes,bpe", "--sortie"]
    processus = [
        subprocess.Popen([*commande, str(tmp_path / nom)], cwd=RACINE, stdout=subprocess.DEVNULL)
        for nom in ("un", "deux")
    ]
    assert [p.wait(timeout=180) for p in processus] == [0, 0]
    assert copie.serveur.chemins().count(en_ligne.CHEMIN_BPE) == 1
    assert (tmp_path / "un" / "bpe.csv").read_bytes() == (tmp_path / "deux/bpe.csv").read_bytes()


def test_les_restes_d_un_telechargement_tue_sont_retires(copie):
    reste = copie.sortie / ".rues.osm-a1b2c3d4"
    reste.mkdir()
    (reste / "positions.bin").write_bytes(b"x")
    (copie.sortie / ".rues").mkdir()  # à l'utilisateur
    demander(copie, copie.sortie, seulement=("communes",))
    assert not reste.exists()
    assert (copie.sortie / ".rues").is_dir()

"""Lanceurs : version de Python, marque de l'environnement, enchaînement des étapes."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts import demarrage, demarrer, environnement, verification
from scripts.environnement import (
    RACINE,
    Environnement,
    ErreurInstallation,
    assurer_environnement,
    empreinte_verrou,
    est_installe,
    installer,
    lancer,
)


@pytest.fixture
def depot(tmp_path: Path) -> Path:
    """Dépôt réduit à ses verrous."""
    for nom in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        (tmp_path / nom).write_text(nom, encoding="utf-8")
    return tmp_path


def test_un_python_trop_ancien_recoit_une_phrase(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 8, 10))
    assert not demarrer.python_convient()
    message = capsys.readouterr().err
    assert "3.11 ou plus récent" in message
    assert "celui-ci est 3.8" in message


def test_un_python_trop_recent_recoit_une_phrase(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 15, 0))
    assert not demarrer.python_convient()
    assert "avant 3.15 ; celui-ci est 3.15" in capsys.readouterr().err


def test_ce_python_convient_et_les_bornes_sont_celles_du_projet():
    assert demarrer.python_convient()
    projet = tomllib.loads((RACINE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bornes = (*demarrer.VERSION_MINIMALE, *demarrer.VERSION_EXCLUE)
    assert projet["requires-python"] == ">={}.{},<{}.{}".format(*bornes)


@pytest.mark.parametrize("script", ["demarrer.py", "tester.py"])
def test_les_lanceurs_n_importent_que_la_bibliotheque_standard(script):
    """Sans site-packages (-S) et sans dossier courant (-I), les modules du lanceur s'importent."""
    module = {"demarrer.py": "scripts.demarrage", "tester.py": "scripts.verification"}[script]
    code = f"import sys; sys.path.insert(0, {str(RACINE)!r}); import {module}"
    resultat = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False
    )
    assert resultat.returncode == 0, resultat.stderr


def test_empreinte_suit_le_verrou_et_ignore_les_fins_de_ligne(depot):
    verrou, projet = depot / "requirements.lock", depot / "pyproject.toml"
    verrou.write_bytes(b"a==1\nb==2\n")
    une = empreinte_verrou(verrou, projet)
    verrou.write_bytes(b"a==1\r\nb==2\r\n")
    assert empreinte_verrou(verrou, projet) == une
    verrou.write_bytes(b"a==1\nb==3\n")
    assert empreinte_verrou(verrou, projet) != une


def test_verrou_absent(depot):
    (depot / "requirements.lock").unlink()
    with pytest.raises(ErreurInstallation, match=r"requirements\.lock manque"):
        empreinte_verrou(depot / "requirements.lock", depot / "pyproject.toml")


class Installations:
    """Remplace la création d'environnement et pip, et note les appels."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.appels: list[list[str]] = []
        self.echouer = False
        monkeypatch.setattr(environnement, "_creer", self.creer)
        monkeypatch.setattr(environnement, "installer", self.installer)

    def creer(self, cible: Environnement) -> None:
        cible.python.parent.mkdir(parents=True, exist_ok=True)
        cible.python.touch()

    def installer(self, _python: Path, arguments: list[str]) -> None:
        if self.echouer:
            raise ErreurInstallation("réseau coupé")
        self.appels.append(arguments)


def test_le_deuxieme_demarrage_n_installe_rien(depot, monkeypatch):
    installations = Installations(monkeypatch)
    assurer_environnement(developpement=False, racine=depot)
    assert ["--require-hashes", "-r", str(depot / "requirements.lock")] in installations.appels
    nombre = len(installations.appels)
    assurer_environnement(developpement=False, racine=depot)
    assert len(installations.appels) == nombre


def test_un_verrou_change_refait_l_environnement(depot, monkeypatch):
    installations = Installations(monkeypatch)
    assurer_environnement(developpement=False, racine=depot)
    nombre = len(installations.appels)
    (depot / "requirements.lock").write_text("autre", encoding="utf-8")
    assurer_environnement(developpement=False, racine=depot)
    assert len(installations.appels) == 2 * nombre


def test_l_environnement_d_essai_suffit_pour_demarrer_mais_pas_l_inverse(depot, monkeypatch):
    installations = Installations(monkeypatch)
    assurer_environnement(developpement=True, racine=depot)
    nombre = len(installations.appels)
    assurer_environnement(developpement=False, racine=depot)
    assert len(installations.appels) == nombre
    (depot / ".venv" / "verrous_installes.txt").unlink()
    assurer_environnement(developpement=False, racine=depot)
    assurer_environnement(developpement=True, racine=depot)
    assert len(installations.appels) == 3 * nombre


def test_une_installation_interrompue_recommence(depot, monkeypatch):
    installations = Installations(monkeypatch)
    installations.echouer = True
    with pytest.raises(ErreurInstallation, match="réseau coupé"):
        assurer_environnement(developpement=False, racine=depot)
    empreinte = empreinte_verrou(depot / "requirements.lock", depot / "pyproject.toml")
    assert not est_installe(Environnement(depot / ".venv"), empreinte)
    installations.echouer = False
    assurer_environnement(developpement=False, racine=depot)
    assert est_installe(Environnement(depot / ".venv"), empreinte)


def test_pip_en_echec_dit_ses_dernieres_lignes():
    with pytest.raises(ErreurInstallation, match="n-existe-pas") as faute:
        installer(Path(sys.executable), ["--no-index", "n-existe-pas-du-tout"])
    assert "Vérifiez la connexion" in str(faute.value)


def test_pip_sans_reseau_ne_recite_pas_ses_essais():
    essai = "WARNING: Retrying (Retry(total=4)) after connection broken by 'X'"
    sortie = "\n".join([essai] * 5 + ["ERROR: No matching distribution found for affine==3.0.1"])
    assert environnement.resumer_pip(sortie).splitlines() == [
        "ERROR: No matching distribution found for affine==3.0.1",
        "(le dépôt de paquets ne répond pas)",
    ]
    assert environnement.resumer_pip("ERROR: faute\n") == "ERROR: faute"


def test_sans_place_rien_n_est_installe(depot, monkeypatch):
    installations = Installations(monkeypatch)
    monkeypatch.setattr(
        environnement.shutil, "disk_usage", lambda _: SimpleNamespace(free=500 * 1024**2)
    )
    with pytest.raises(ErreurInstallation, match=r"0,5 Gio libres[\s\S]*en demande 2"):
        assurer_environnement(developpement=False, racine=depot)
    assert installations.appels == []
    assert not (depot / ".venv").exists()


@pytest.mark.parametrize("module", [demarrage, verification])
def test_ctrl_c_pendant_l_installation_est_dit(module, monkeypatch, capsys):
    def interrompre(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "assurer_environnement", interrompre)
    assert module.principal([]) == 130
    assert "relancez la même commande" in capsys.readouterr().err


def test_un_diagnostic_deja_fait_n_est_refait_que_si_ses_sources_changent(tmp_path):
    suite = demarrage.etapes(Path("python"), tmp_path, "petite")
    commande = suite[-1][1]
    prepare, resultats, parametres = (
        tmp_path / "donnees" / "demo-petite-prepare" / "territoire.json",
        tmp_path / "resultats" / "demo-petite" / "indicateurs.csv",
        tmp_path / "parametres" / "etude.toml",
    )
    assert not demarrage.est_diagnostique(commande, parametres.parent)
    for date, fichier in enumerate((prepare, parametres, resultats), start=1):
        fichier.parent.mkdir(parents=True)
        fichier.touch()
        os.utime(fichier, (date, date))
    assert demarrage.est_diagnostique(commande, parametres.parent)
    os.utime(parametres, (9, 9))
    assert not demarrage.est_diagnostique(commande, parametres.parent)


def test_lancer_rend_le_code_de_la_commande(tmp_path):
    assert lancer([sys.executable, "-c", "import sys; sys.exit(7)"], racine=tmp_path) == 7


def test_demarrage_ecrit_la_demonstration_seulement_si_elle_manque(tmp_path):
    python = Path("python")
    noms = [commande[3] for _, commande in demarrage.etapes(python, tmp_path, "normale")]
    assert noms == ["demo", "preparer", "diagnostiquer"]
    manifeste = tmp_path / "donnees" / "demo" / "territoire.toml"
    manifeste.parent.mkdir(parents=True)
    manifeste.touch()
    noms = [commande[3] for _, commande in demarrage.etapes(python, tmp_path, "normale")]
    assert noms == ["preparer", "diagnostiquer"]


@pytest.mark.parametrize(
    ("arguments", "codes", "attendu", "commandes"),
    [
        (["--preparer-seulement"], [0, 0, 0], 0, ["demo", "preparer", "diagnostiquer"]),
        ([], [0, 0, 0, 0], 0, ["demo", "preparer", "diagnostiquer", "app"]),
        ([], [0, 1], 1, ["demo", "preparer"]),
    ],
)
def test_demarrage_s_arrete_a_la_premiere_faute(
    arguments, codes, attendu, commandes, monkeypatch, tmp_path
):
    lancees, restants = [], list(codes)

    def faux_lancer(commande: list[str]) -> int:
        lancees.append(commande[3])
        return restants.pop(0)

    monkeypatch.setattr(demarrage, "RACINE", tmp_path)
    monkeypatch.setattr(demarrage, "lancer", faux_lancer)
    # Les composants du visualiseur s'installent par npm : hors de cet essai.
    monkeypatch.setattr(demarrage, "assurer_actifs", lambda _python: True, raising=False)
    monkeypatch.setattr(
        demarrage, "assurer_environnement", lambda *, developpement: Environnement(tmp_path)
    )
    assert demarrage.principal(arguments) == attendu
    assert lancees == commandes


def test_verification_va_au_bout_et_rend_la_premiere_faute(monkeypatch, tmp_path):
    lancees = []

    def faux_lancer(commande: list[str]) -> int:
        lancees.append(commande[2])
        return 1 if commande[2] == "mypy" else 0

    monkeypatch.setattr(verification, "lancer", faux_lancer)
    monkeypatch.setattr(verification, "navigateur_a_installer", lambda: False)
    monkeypatch.setattr(
        verification, "assurer_environnement", lambda *, developpement: Environnement(tmp_path)
    )
    assert verification.principal([]) == 1
    assert lancees == ["ruff", "ruff", "mypy", "pytest"]


def test_des_arguments_vont_a_pytest_seul():
    etapes = verification.etapes(Path("python"), ["tests/scripts", "-x"])
    assert [commande for _, commande in etapes] == [
        ["python", "-m", "pytest", "tests/scripts", "-x"]
    ]


@pytest.mark.parametrize(
    ("trouves", "ci", "uid", "attendu"),
    [
        ({"apt-get"}, "true", 0, True),
        ({"apt-get", "chromium"}, "true", 0, False),
        ({"apt-get"}, "", 0, False),
        ({"apt-get"}, "true", 1000, False),
        (set(), "true", 0, False),
    ],
)
def test_le_navigateur_ne_s_installe_que_sur_une_machine_de_verification(
    trouves, ci, uid, attendu, monkeypatch
):
    monkeypatch.setattr(
        verification.shutil, "which", lambda nom: f"/bin/{nom}" if nom in trouves else None
    )
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(os, "geteuid", lambda: uid, raising=False)
    assert verification.navigateur_a_installer() is attendu


@pytest.mark.parametrize("nom", ["requirements.lock", "requirements-dev.lock"])
def test_le_verrou_est_complet_et_ne_nomme_aucun_depot(nom):
    texte = (RACINE / nom).read_text(encoding="utf-8")
    exigences = [ligne for ligne in texte.splitlines() if ligne[:1].isalnum()]
    assert len(exigences) > 50
    assert [e for e in exigences if "==" not in e] == []
    assert texte.count("--hash=sha256:") >= len(exigences)
    assert "://" not in texte
    assert "--index" not in texte and "--find-links" not in texte
    assert str(Path.home()) not in texte


def test_le_verrou_d_essai_contient_celui_d_execution():
    lus = [
        {
            ligne.removesuffix(" \\")
            for ligne in (RACINE / nom).read_text(encoding="utf-8").splitlines()
            if ligne[:1].isalnum()
        }
        for nom in ("requirements.lock", "requirements-dev.lock")
    ]
    assert lus[0] - lus[1] == set()

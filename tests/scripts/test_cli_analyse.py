"""La ligne de commande se trompe en français : usage, valeurs, codes de retour."""

from __future__ import annotations

import argparse
import errno
from datetime import datetime
from pathlib import Path

import pytest

from donnees_geo.erreurs import ErreurProjet
from scripts import cli
from scripts.commandes import territoire
from scripts.commandes.analyse import (
    date_heure,
    fichier_sortie,
    liste_centiles,
    liste_minutes,
    nombre_entre,
    traduire,
)
from scripts.commandes.sorties import exiger_dossier_parent, traduire_erreur_systeme

COMMANDES = (
    "demo",
    "verifier",
    "preparer",
    "isochrone",
    "temps",
    "diagnostiquer",
    "comparer",
    "banc",
    "app",
)
ISOCHRONE = [
    "isochrone",
    "T",
    "--lon",
    "2.6",
    "--lat",
    "50.5",
    "--mode",
    "marche",
    "--minutes",
    "5",
    "--sortie",
    "a.geojson",
]


def _remplacer(option: str, valeur: str) -> list[str]:
    arguments = list(ISOCHRONE)
    arguments[arguments.index(option) + 1] = valeur
    return arguments


def _code(arguments: list[str]) -> int:
    """Code de retour de la commande, qu'elle rende ou qu'elle sorte."""
    try:
        return cli.principal(arguments)
    except SystemExit as sortie:
        return int(sortie.code or 0)


@pytest.mark.parametrize(
    ("arguments", "attendus"),
    [
        ([], ["il manque : COMMANDE"]),
        (["cuisiner"], ["cuisiner", "n'est pas admis", "isochrone"]),
        (["verifier"], ["il manque : MANIFESTE"]),
        (["verifier", "m.toml", "--vite"], ["argument inconnu : --vite"]),
        (["preparer", "m.toml", "--sortie"], ["--sortie : une valeur est attendue"]),
        (_remplacer("--mode", "avion"), ["« avion »", "velo (à vélo)", "tc (en transport"]),
        (_remplacer("--minutes", "5,dix"), ["séparées par des virgules", "« 5,dix »"]),
        (_remplacer("--minutes", "0,5"), ["entre 0 (exclu) et 240 minutes"]),
        (_remplacer("--minutes", "5,nan"), ["entre 0 (exclu) et 240 minutes"]),
        (_remplacer("--minutes", ",".join(map(str, range(1, 14)))), ["12 seuils au plus", "13"]),
        (_remplacer("--lon", "est"), ["un nombre est attendu", "« est »"]),
        (_remplacer("--lat", "91"), ["entre -90 et 90 degrés", "« 91 »"]),
        (_remplacer("--sortie", "a.pdf"), [".geojson, .gpkg, .tif", ".pdf"]),
        (_remplacer("--sortie", "a"), ["aucune"]),
        ([*ISOCHRONE, "--depart", "17/03/2026"], ["2026-03-17T07:00", "« 17/03/2026 »"]),
        ([*ISOCHRONE, "--depart", "2026-03-17T07:00+01:00"], ["sans fuseau"]),
        ([*ISOCHRONE, "--vitesse", "-3"], ["entre 0.5 et 200 km/h"]),
        ([*ISOCHRONE, "--centile", "101"], ["entre 0 et 100"]),
        ([*ISOCHRONE, "--sens", "travers"], ["travers", "depuis", "vers"]),
        (["app", "--port", "80"], ["entre 1024 et 65535", "« 80 »"]),
    ],
)
def test_une_commande_mal_ecrite_rend_2_et_dit_ce_qui_est_attendu(arguments, attendus, capsys):
    assert _code(arguments) == 2
    sortie = capsys.readouterr()
    assert sortie.out == ""
    for attendu in attendus:
        assert attendu in sortie.err
    assert "--aide" in sortie.err


@pytest.mark.parametrize("commande", COMMANDES)
def test_chaque_commande_a_son_aide_en_francais(commande, capsys):
    assert _code([commande, "--aide"]) == 0
    aide = capsys.readouterr().out
    assert aide.startswith(f"utilisation : demi-heure {commande}")
    for anglais in ("usage:", "options:\n  -h, --help", "positional", "show this help"):
        assert anglais not in aide


def test_l_aide_generale_enumere_les_commandes(capsys):
    assert _code(["--aide"]) == 0
    aide = capsys.readouterr().out
    assert [c for c in COMMANDES if f"\n    {c} " not in aide] == []


@pytest.mark.parametrize(
    ("anglais", "francais"),
    [
        ("the following arguments are required: --a, B", "il manque : --a, B"),
        ("argument --n: expected one argument", "--n : une valeur est attendue"),
        (
            "argument --c: invalid choice: 'x' (choose from 'a', 'b')",
            "--c : 'x' n'est pas admis (au choix : 'a', 'b')",
        ),
        (
            # Forme de Python 3.14, sans guillemets.
            "argument --c: invalid choice: 'x' (choose from a, b)",
            "--c : 'x' n'est pas admis (au choix : a, b)",
        ),
        ("une phrase déjà française", "une phrase déjà française"),
    ],
)
def test_traduire_les_messages_d_argparse(anglais, francais):
    assert traduire(anglais) == francais


def test_les_minutes_sont_triees_sans_doublon():
    assert liste_minutes("15,5, 10,5") == (5.0, 10.0, 15.0)


def test_les_centiles_gardent_leur_ordre():
    assert liste_centiles("50,5,95,50") == (50.0, 5.0, 95.0)


def test_un_nombre_accepte_la_virgule_francaise_et_ses_bornes():
    lire = nombre_entre(-90, 90, "degrés")
    assert lire("50,53") == 50.53
    assert lire("-90") == -90.0
    with pytest.raises(argparse.ArgumentTypeError, match="fini"):
        lire("inf")


def test_la_date_garde_le_jour_et_l_heure():
    assert date_heure("2026-03-17T07:30") == datetime(2026, 3, 17, 7, 30)


def test_l_extension_ne_tient_pas_compte_de_la_casse():
    assert fichier_sortie(".tif")("Carte.TIF") == Path("Carte.TIF")


def test_dossier_de_sortie_absent(tmp_path):
    with pytest.raises(ErreurProjet, match="n'existe pas") as faute:
        exiger_dossier_parent(tmp_path / "absent" / "a.csv")
    assert str(tmp_path / "absent") in str(faute.value)
    with pytest.raises(ErreurProjet, match="est un dossier"):
        exiger_dossier_parent(tmp_path)
    exiger_dossier_parent(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("code", "attendu"),
    [
        (errno.ENOSPC, "Le disque est plein."),
        (errno.EROFS, "Le disque est en lecture seule."),
        (errno.EACCES, "ouvert dans un autre programme"),
        (errno.EIO, "Le système a refusé l'opération"),
    ],
)
def test_erreur_du_systeme_dite_en_francais(code, attendu):
    texte = traduire_erreur_systeme(OSError(code, "anglais", "carte.gpkg"))
    assert attendu in texte
    assert "carte.gpkg" in texte
    assert "À faire" in texte


@pytest.mark.parametrize(
    ("exception", "code", "attendu"),
    [
        (ErreurProjet("Rien ne va.", objet="a.csv"), 1, "Erreur : Rien ne va.\n  Objet : a.csv"),
        (OSError(errno.ENOSPC, "No space left", "a.tif"), 1, "Erreur : Le disque est plein."),
        (MemoryError(), 1, "la mémoire de la machine ne suffit pas"),
        (KeyboardInterrupt(), 130, "Interrompu"),
    ],
)
def test_aucune_trace_python_pour_une_faute_prevue(exception, code, attendu, monkeypatch, capsys):
    def echouer(_options: argparse.Namespace) -> int:
        raise exception

    monkeypatch.setattr(territoire, "executer_verifier", echouer)
    assert _code(["verifier", "m.toml"]) == code
    erreur = capsys.readouterr().err
    assert attendu in erreur
    assert "Traceback" not in erreur


def test_une_faute_du_programme_garde_sa_trace(monkeypatch):
    def echouer(_options: argparse.Namespace) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(territoire, "executer_verifier", echouer)
    with pytest.raises(ZeroDivisionError):
        cli.principal(["verifier", "m.toml"])


def test_app_refuse_un_dossier_qui_n_est_pas_prepare(tmp_path, capsys):
    assert _code(["app", str(tmp_path)]) == 1
    assert "Erreur : " in capsys.readouterr().err

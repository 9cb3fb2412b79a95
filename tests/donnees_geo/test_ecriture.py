"""Écriture atomique : l'ancien fichier survit à tout échec, rien ne traîne."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from donnees_geo.ecriture import ecrire_atomique
from donnees_geo.erreurs import ErreurDonnees


def test_le_fichier_apparait_complet_et_garde_son_extension(tmp_path):
    sortie = tmp_path / "resultat.geojson"
    with ecrire_atomique(sortie) as provisoire:
        assert provisoire.suffix == ".geojson"
        assert provisoire != sortie
        provisoire.write_text("nouveau")
        assert not sortie.exists()
    assert sortie.read_text() == "nouveau"
    assert list(tmp_path.iterdir()) == [sortie]
    # Réécrire substitue un autre fichier : celui qu'un lecteur tient ouvert ne change pas.
    lien = tmp_path / "lu_ailleurs.geojson"
    lien.hardlink_to(sortie)
    with ecrire_atomique(sortie) as provisoire:
        provisoire.write_text("plus récent")
    assert (sortie.read_text(), lien.read_text()) == ("plus récent", "nouveau")


@pytest.mark.parametrize("erreur", [OSError(28, "No space left on device"), ValueError("bogue")])
def test_un_echec_laisse_l_ancien_fichier(tmp_path, erreur):
    sortie = tmp_path / "resultat.csv"
    sortie.write_text("ancien")
    attendue = ErreurDonnees if isinstance(erreur, OSError) else ValueError
    with pytest.raises(attendue), ecrire_atomique(sortie) as provisoire:
        provisoire.write_text("moitié")
        (provisoire.parent / "journal").write_text("à côté")
        raise erreur
    assert sortie.read_text() == "ancien"
    assert list(tmp_path.iterdir()) == [sortie]


def test_messages(tmp_path):
    with (
        pytest.raises(ErreurDonnees, match="Le dossier de sortie n'existe pas") as refus,
        ecrire_atomique(tmp_path / "absent" / "a.csv"),
    ):
        pass
    assert str(tmp_path / "absent") in str(refus.value)
    sortie = tmp_path / "a.csv"
    with (
        pytest.raises(ErreurDonnees, match="n'a pas pu être écrit") as refus,
        ecrire_atomique(sortie),
    ):
        raise OSError(28, "No space left on device")
    assert "espace disque" in str(refus.value)
    with pytest.raises(ErreurDonnees) as refus, ecrire_atomique(sortie):
        raise PermissionError(13, "Permission denied")
    assert "fermer le fichier" in str(refus.value)
    # Rien n'a été écrit : le provisoire manque au moment de la substitution.
    with pytest.raises(ErreurDonnees), ecrire_atomique(sortie):
        pass
    assert list(tmp_path.iterdir()) == []


def test_la_sortie_est_un_dossier(tmp_path):
    dossier = tmp_path / "sortie.csv"
    dossier.mkdir()
    with pytest.raises(ErreurDonnees), ecrire_atomique(dossier) as provisoire:
        provisoire.write_text("x")
    assert list(tmp_path.iterdir()) == [dossier]


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="sans effet pour l'administrateur ou sous Windows"
)
def test_dossier_protege(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with (
            pytest.raises(ErreurDonnees, match="n'a pas pu être écrit"),
            ecrire_atomique(tmp_path / "a.csv"),
        ):
            pass
    finally:
        tmp_path.chmod(0o700)


TUE_EN_ECRIVANT = """
import sys, time
from pathlib import Path
from donnees_geo.ecriture import ecrire_atomique
with ecrire_atomique(Path(sys.argv[1])) as provisoire:
    with provisoire.open("w") as f:
        f.write("moitié")
        f.flush()
        Path(sys.argv[2]).touch()
        time.sleep(60)
"""


def test_un_processus_tue_laisse_l_ancien_fichier(tmp_path):
    sortie, signal = tmp_path / "a.csv", tmp_path / "en_cours"
    sortie.write_text("ancien")
    racine = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", TUE_EN_ECRIVANT, str(sortie), str(signal)], cwd=racine
    ) as processus:
        limite = time.monotonic() + 30
        while not signal.exists() and time.monotonic() < limite:
            time.sleep(0.02)
        processus.kill()
    assert signal.exists()
    assert sortie.read_text() == "ancien"

"""Territoire préparé : reprise sans travail, écriture atomique, interruptions, deux à la fois."""

import dataclasses
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from donnees_geo.configuration import lire_manifeste, lire_parametres
from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.schemas import SCHEMAS
from donnees_geo.territoire import (
    BilanPreparation,
    charger_territoire,
    preparer_territoire,
)
from scripts import cli
from tests.fabriques.dossier_tenu import dossier_tenu
from tests.fabriques.sources_territoire import ecrire_sources

RACINE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifeste d'un territoire sain, à ne pas modifier."""
    return ecrire_sources(tmp_path_factory.mktemp("sources"))


def empreinte_du_contenu(dossier: Path) -> dict[str, bytes]:
    return {
        p.relative_to(dossier).as_posix(): p.read_bytes()
        for p in sorted(dossier.rglob("*"))
        if p.is_file() and not p.relative_to(dossier).parts[0].startswith(".")
    }


def test_rien_a_refaire_quand_rien_ne_change(sources: Path, tmp_path: Path) -> None:
    manifeste = lire_manifeste(sources)
    premier = preparer_territoire(manifeste, tmp_path / "t")
    avant = {p: p.stat().st_mtime_ns for p in (tmp_path / "t").rglob("*")}
    # Une vitesse ne change pas la préparation.
    vitesse = dataclasses.replace(lire_parametres(), vitesse_marche_kmh=5.0)
    second = preparer_territoire(manifeste, tmp_path / "t", parametres=vitesse)
    assert (premier.refait, second.refait) == (True, False)
    assert second.constats == premier.constats
    assert "rien à refaire" in str(second)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "t").rglob("*")} == avant


def test_refait_quand_une_source_ou_la_marge_change(tmp_path: Path) -> None:
    manifeste = lire_manifeste(ecrire_sources(tmp_path / "s"))
    preparer_territoire(manifeste, tmp_path / "t")
    marge = dataclasses.replace(lire_parametres(), marge_m=100.0)
    assert preparer_territoire(manifeste, tmp_path / "t", parametres=marge).refait
    (tmp_path / "s" / "secteurs.csv").write_text("code_commune;secteur\n62001;N\n62002;N\n")
    assert preparer_territoire(manifeste, tmp_path / "t", parametres=marge).refait
    assert charger_territoire(tmp_path / "t").communes["secteur"].tolist() == ["N", "N"]
    # Un seul dossier de données reste.
    assert len(list((tmp_path / "t").glob("donnees-*"))) == 1


def test_donnees_abimees_refaites(sources: Path, tmp_path: Path) -> None:
    manifeste = lire_manifeste(sources)
    preparer_territoire(manifeste, tmp_path / "t")
    (carreaux,) = (tmp_path / "t").glob("donnees-*/carreaux.parquet")
    carreaux.write_bytes(b"x")
    with pytest.raises(ErreurDonnees, match=r"incomplet ou abîmé[\s\S]*demi-heure preparer"):
        charger_territoire(tmp_path / "t")
    assert preparer_territoire(manifeste, tmp_path / "t").refait
    assert len(charger_territoire(tmp_path / "t").carreaux) == 4


def test_meme_contenu_a_chaque_preparation(sources: Path, tmp_path: Path) -> None:
    manifeste = lire_manifeste(sources)
    for nom in ("a", "b"):
        preparer_territoire(manifeste, tmp_path / nom)
    un, deux = charger_territoire(tmp_path / "a"), charger_territoire(tmp_path / "b")
    for nom in SCHEMAS:
        assert getattr(un, nom).equals(getattr(deux, nom))
    assert un.empreinte == deux.empreinte


SCRIPT_TUE = """
import sys, time
from pathlib import Path
import donnees_geo.territoire.stockage as stockage
from donnees_geo.configuration import lire_manifeste
from donnees_geo.territoire import preparer_territoire

def attendre(*arguments, **options):
    print("ARRET", flush=True)
    time.sleep(60)

setattr(stockage{cible}, attendre)
preparer_territoire(lire_manifeste(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.parametrize(
    "cible",
    [
        pytest.param(', "enregistrer_reseau"', id="pendant l'écriture des données"),
        pytest.param(', "_mettre_en_vigueur"', id="données complètes"),
        pytest.param('.os, "fsync"', id="données en place, index pas encore remplacé"),
        pytest.param(', "_balayer"', id="index remplacé, anciennes données pas encore ôtées"),
    ],
)
def test_preparation_tuee(tmp_path: Path, cible: str) -> None:
    manifeste = ecrire_sources(tmp_path / "s")
    sortie = tmp_path / "t"
    preparer_territoire(lire_manifeste(manifeste), sortie)
    ancien = empreinte_du_contenu(sortie)
    (tmp_path / "s" / "secteurs.csv").write_text("code_commune;secteur\n62001;N\n62002;N\n")
    script = SCRIPT_TUE.format(cible=cible)
    processus = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(manifeste), str(sortie)],
        cwd=RACINE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert processus.stdout is not None
    assert processus.stdout.readline().strip() == "ARRET"
    processus.kill()
    assert processus.wait(30) == -signal.SIGKILL
    processus.stdout.close()
    charge = charger_territoire(sortie)
    if "_balayer" in cible:
        assert charge.communes["secteur"].tolist() == ["N", "N"]
    else:
        assert charge.communes["secteur"].tolist() == ["Nord", "Sud"]
        contenu = empreinte_du_contenu(sortie)
        assert {nom: contenu[nom] for nom in ancien} == ancien
    # La préparation suivante aboutit, et ne laisse que ses données.
    preparer_territoire(lire_manifeste(manifeste), sortie)
    assert charger_territoire(sortie).communes["secteur"].tolist() == ["N", "N"]


def test_premiere_preparation_tuee_puis_reprise(tmp_path: Path, sources: Path) -> None:
    sortie = tmp_path / "t"
    (sortie / ".donnees-abandon").mkdir(parents=True)
    (sortie / "donnees-0123456789ab").mkdir()
    preparer_territoire(lire_manifeste(sources), sortie)
    assert len(list(sortie.glob("donnees-*"))) == 1


def test_disque_plein_laisse_l_ancien(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifeste = lire_manifeste(ecrire_sources(tmp_path / "s"))
    preparer_territoire(manifeste, tmp_path / "t")
    ancien = empreinte_du_contenu(tmp_path / "t")
    (tmp_path / "s" / "secteurs.csv").write_text("code_commune;secteur\n62001;N\n62002;N\n")

    def plein(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("donnees_geo.territoire.stockage.enregistrer_reseau", plein)
    with pytest.raises(ErreurDonnees, match=r"n'a pas pu être écrit[\s\S]*ancien territoire"):
        preparer_territoire(manifeste, tmp_path / "t")
    assert empreinte_du_contenu(tmp_path / "t") == ancien
    assert list((tmp_path / "t").glob(".donnees-*")) == []


def test_sortie_occupee_refusee(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(ErreurDonnees, match=r"autre chose qu'un territoire[\s\S]*photo.jpg"):
        preparer_territoire(lire_manifeste(sources), tmp_path)
    with pytest.raises(ErreurDonnees, match="est un fichier"):
        preparer_territoire(lire_manifeste(sources), tmp_path / "photo.jpg")
    assert [p.name for p in tmp_path.iterdir()] == ["photo.jpg"]


# ---- Deux préparations à la fois ------------------------------------------------------


def test_une_preparation_en_cours_refuse_la_seconde_puis_tuee_ne_gene_plus(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifeste = ecrire_sources(tmp_path / "s")
    sortie = tmp_path / "t"
    preparer_territoire(lire_manifeste(manifeste), sortie)
    ancien = empreinte_du_contenu(sortie)
    (tmp_path / "s" / "secteurs.csv").write_text("code_commune;secteur\n62001;N\n62002;N\n")
    arguments = ["preparer", str(manifeste), "--sortie", str(sortie)]
    with dossier_tenu(sortie):
        assert cli.principal(arguments) == 1
        message = capsys.readouterr().err
        assert "Une autre préparation écrit déjà dans ce dossier" in message
        assert "attendez qu'elle finisse" in message
        assert empreinte_du_contenu(sortie) == ancien
        # Lire le territoire reste possible pendant ce temps.
        assert charger_territoire(sortie).communes["secteur"].tolist() == ["Nord", "Sud"]
    # L'autre a été tuée : son fichier de verrou est resté, et ne verrouille plus rien.
    assert (sortie / ".verrou").exists()
    assert cli.principal(arguments) == 0
    assert charger_territoire(sortie).communes["secteur"].tolist() == ["N", "N"]


def test_un_territoire_a_jour_ne_demande_pas_le_verrou(sources: Path, tmp_path: Path) -> None:
    preparer_territoire(lire_manifeste(sources), tmp_path / "t")
    with dossier_tenu(tmp_path / "t"):
        assert not preparer_territoire(lire_manifeste(sources), tmp_path / "t").refait


def test_deux_preparations_simultanees_laissent_un_territoire_entier(tmp_path: Path) -> None:
    manifeste = ecrire_sources(tmp_path / "s")
    sortie = tmp_path / "t"
    commande = [sys.executable, "-m", "scripts.cli", "preparer", str(manifeste)]
    commande += ["--sortie", str(sortie)]
    processus = [
        subprocess.Popen(commande, cwd=RACINE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    erreurs = [p.communicate(timeout=120)[1] for p in processus]
    # La seconde est refusée, ou arrive après la première et n'a plus rien à faire.
    for code, erreur in zip([p.returncode for p in processus], erreurs, strict=True):
        assert code == 0 or (code == 1 and "Une autre préparation" in erreur)
    assert 0 in [p.returncode for p in processus]
    assert charger_territoire(sortie).communes["secteur"].tolist() == ["Nord", "Sud"]
    assert len(list(sortie.glob("donnees-*"))) == 1
    assert list(sortie.glob(".donnees-*")) == []


def test_les_restes_d_une_preparation_tuee_sont_retires(tmp_path: Path) -> None:
    manifeste = ecrire_sources(tmp_path / "s")
    preparer_territoire(lire_manifeste(manifeste), tmp_path / "t")
    (tmp_path / "t" / ".donnees-abandon").mkdir()
    (tmp_path / "s" / "secteurs.csv").write_text("code_commune;secteur\n62001;N\n62002;N\n")
    preparer_territoire(lire_manifeste(manifeste), tmp_path / "t")
    assert list((tmp_path / "t").glob(".donnees-*")) == []


def test_un_dossier_impossible_a_creer_est_dit(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "fichier").touch()
    with pytest.raises(ErreurDonnees, match=r"n'est pas utilisable en écriture[\s\S]*fichier"):
        preparer_territoire(lire_manifeste(sources), tmp_path / "fichier" / "t")


def test_le_bilan_se_lit_en_francais_et_garde_le_chemin(sources: Path, tmp_path: Path) -> None:
    bilan = str(preparer_territoire(lire_manifeste(sources), tmp_path / "v1.2"))
    assert bilan.startswith(f"Territoire préparé dans {tmp_path / 'v1.2'} en ")
    assert "117 nœuds" in bilan
    assert "points d'accès" in bilan
    assert "dont 2 majeur(s)" in bilan


def test_le_bilan_accorde_ses_nombres(tmp_path):
    comptes = {"communes": 1, "carreaux": 1_227, "points_acces": 0, "noeuds": 2}
    texte = str(BilanPreparation(tmp_path, True, "e", comptes, (), {"lecture": 1.25}))
    assert "en 1,2 s : 1 commune, 1 227 carreaux, 0 point d'accès, 2 nœuds." in texte

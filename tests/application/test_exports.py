"""Page Exports : demande, atelier, archive, interruption, fautes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from couches.formats_export import FORMATS
from couches.resultats import DOSSIER_ETUDE
from donnees_geo.erreurs import ErreurConfiguration
from pages._commun.ouverture import obtenir_partage
from pages._exports import atelier as module_atelier
from pages._exports import routes
from pages._exports.atelier import FINIS, Atelier, EtatTravail
from pages._exports.choix import ANNONCES, USAGES, emprise_de_vue
from pages._exports.demande import Commande, DemandeExport
from pages._exports.routes import adresse_de, routes_exports
from tests.application.test_pages import SCRIPT, html

RACINE = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def partage(dossier_prepare):
    return obtenir_partage(dossier_prepare)


@pytest.fixture
def atelier(tmp_path):
    return Atelier(tmp_path / "atelier")


def deposer(atelier, partage, demande, suivi="moi"):
    dossier = partage.territoire.dossier
    return atelier.deposer(suivi, "Essai", "essai.zip", dossier, dossier / DOSSIER_ETUDE, demande)


def attendre(atelier, suivi="moi", delai_s=120.0):
    """Attendre que tout soit fini ; rend les travaux."""
    limite = time.monotonic() + delai_s
    while any(t.etat not in FINIS for t in atelier.travaux(suivi)):
        assert time.monotonic() < limite, "l'export ne finit pas"
        time.sleep(0.05)
    return atelier.travaux(suivi)


def test_chaque_format_est_annonce_et_range_une_fois():
    ranges = [f for formats in USAGES.values() for f in formats]
    assert sorted(ranges) == sorted(FORMATS) == sorted(ANNONCES)


def test_une_demande_oublie_ce_que_le_format_ignore():
    pleine = DemandeExport(
        "xlsx", "bassin_de_vie", ("B1",), "A3", "mairie", None, "velo", (0.0, 0.0, 1.0, 1.0)
    )
    assert pleine.nettoyer() == DemandeExport("xlsx")
    image = DemandeExport("png", emprise=(0.0, 0.0, 1.0, 1.0), palier="proximite", format_page="A3")
    assert image.nettoyer() == DemandeExport(
        "png", emprise=(0.0, 0.0, 1.0, 1.0), palier="proximite"
    )
    with pytest.raises(ErreurConfiguration, match="inconnu"):
        DemandeExport("docx").nettoyer()


def test_une_commande_se_relit_telle_quelle(tmp_path):
    demande = DemandeExport("png", codes=("62119",), emprise=(2.5, 50.4, 2.7, 50.6))
    commande = Commande(tmp_path / "é", tmp_path / "r", tmp_path / "a.zip", demande)
    commande.ecrire(tmp_path / "commande.json")
    assert Commande.lire(tmp_path / "commande.json") == commande


def test_l_emprise_d_une_vue_est_centree():
    ouest, sud, est, nord = emprise_de_vue((50.5, 2.6, 12.0))
    assert (ouest + est) / 2 == pytest.approx(2.6)
    assert sud < 50.5 < nord
    # Un zoom de plus montre moitié moins large.
    serree = emprise_de_vue((50.5, 2.6, 13.0))
    assert (serree[2] - serree[0]) == pytest.approx((est - ouest) / 2)


def test_un_export_donne_son_archive_et_ses_licences(atelier, partage):
    depose = deposer(atelier, partage, DemandeExport("csv"))
    (fait,) = attendre(atelier)
    assert (fait.etat, fait.part) == (EtatTravail.FAIT, 1.0), (fait.message, fait.detail)
    archive = atelier.archive(depose.jeton, "essai.zip")
    assert archive is not None and archive.stat().st_size == fait.octets > 0
    with zipfile.ZipFile(archive) as lue:
        noms = lue.namelist()
        assert lue.testzip() is None
    assert noms == [nom for nom, _ in fait.contenu]
    assert "LICENCES.txt" in noms and any(n.endswith(".csv") for n in noms)
    assert [p.name for p in archive.parent.iterdir()] == ["essai.zip"]  # rien d'autre ne reste
    assert atelier.archive(depose.jeton, "autre.zip") is None
    assert atelier.travaux("quelqu'un d'autre") == []
    atelier.oublier(depose.jeton)
    assert not archive.exists()
    assert atelier.travaux("moi") == []


def test_une_demande_fautive_se_dit_en_francais(atelier, partage):
    depose = deposer(atelier, partage, DemandeExport("atlas", codes=("99999",)))
    (rate,) = attendre(atelier)
    assert rate.etat == EtatTravail.ECHEC
    assert "99999" in rate.message + rate.detail
    assert "Traceback" not in rate.message + rate.detail
    assert atelier.archive(depose.jeton, "essai.zip") is None


def test_un_export_interrompu_ne_laisse_rien(atelier, partage, tmp_path):
    depose = deposer(atelier, partage, DemandeExport("atlas"))
    suivant = deposer(atelier, partage, DemandeExport("csv"))
    assert atelier.rang(suivant.jeton) >= 1
    atelier.interrompre(suivant.jeton)  # n'a pas encore commencé
    limite = time.monotonic() + 60
    while atelier.travaux("moi")[1].part == 0.0 and time.monotonic() < limite:
        time.sleep(0.02)
    atelier.interrompre(depose.jeton)
    etats = {t.jeton: t.etat for t in attendre(atelier)}
    assert etats == {
        depose.jeton: EtatTravail.INTERROMPU,
        suivant.jeton: EtatTravail.INTERROMPU,
    }
    assert list((tmp_path / "atelier").rglob("*")) == []
    atelier.interrompre(depose.jeton)  # déjà fini : sans effet
    assert atelier.travaux("moi")[1].etat == EtatTravail.INTERROMPU


@pytest.fixture
def sans_travailler(monkeypatch):
    """Atelier dont la file n'avance pas."""
    monkeypatch.setattr(Atelier, "_travailler", lambda self: None)


def test_la_file_est_bornee(atelier, partage, sans_travailler, monkeypatch):
    monkeypatch.setattr(module_atelier, "FILE_MAX", 2)
    un, deux = (deposer(atelier, partage, DemandeExport("csv")) for _ in range(2))
    assert [atelier.rang(t.jeton) for t in (un, deux)] == [0, 1]
    with pytest.raises(ErreurConfiguration, match="Trop d'exports") as refus:
        deposer(atelier, partage, DemandeExport("csv"))
    assert "interrompre" in str(refus.value)
    atelier.oublier(un.jeton)  # pas fini : gardé
    assert len(atelier.travaux("moi")) == 2


def test_les_archives_les_plus_anciennes_font_place(atelier, partage, monkeypatch):
    monkeypatch.setattr(module_atelier, "ARCHIVES_MAX", 1)

    def executer(self, jeton, commande):
        commande.archive.parent.mkdir(parents=True)
        commande.archive.write_bytes(b"archive")
        return {"etat": EtatTravail.FAIT, "octets": 7}

    monkeypatch.setattr(Atelier, "_executer", executer)
    premier = deposer(atelier, partage, DemandeExport("csv"))
    attendre(atelier)
    second = deposer(atelier, partage, DemandeExport("csv"))
    limite = time.monotonic() + 10
    while len(atelier.travaux("moi")) > 1 and time.monotonic() < limite:
        time.sleep(0.02)
    assert [t.jeton for t in atelier.travaux("moi")] == [second.jeton]
    assert atelier.archive(premier.jeton, "essai.zip") is None
    assert atelier.archive(second.jeton, "essai.zip").read_bytes() == b"archive"


def test_un_disque_qui_refuse_se_dit(atelier, partage, monkeypatch):
    def executer(self, jeton, commande):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Atelier, "_executer", executer)
    deposer(atelier, partage, DemandeExport("csv"))
    (rate,) = attendre(atelier)
    assert rate.etat == EtatTravail.ECHEC
    assert "imprévue" in rate.message and "journal du serveur" in rate.detail


def test_le_processus_dit_sa_faute_en_json(tmp_path):
    demande = DemandeExport("csv")
    Commande(tmp_path, tmp_path, tmp_path / "a.zip", demande).ecrire(tmp_path / "c.json")
    rendu = subprocess.run(
        [sys.executable, "-m", "pages._exports.processus", str(tmp_path / "c.json")],
        cwd=RACINE,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert rendu.returncode == 1
    dernier = json.loads(rendu.stdout.splitlines()[-1])
    assert "territoire préparé" in dernier["message"]
    assert dernier["conseil"]


def test_l_archive_se_telecharge_et_son_absence_se_dit(atelier, partage, monkeypatch):
    monkeypatch.setattr(routes, "atelier_du_serveur", lambda: atelier)
    depose = deposer(atelier, partage, DemandeExport("csv"))
    (fait,) = attendre(atelier)
    (route,) = routes_exports()

    def demander(adresse):
        segment = adresse.removeprefix("/telechargement/").partition("/")
        chemin = {"jeton": segment[0], "nom": segment[2]}
        return route.endpoint(Request({"type": "http", "path_params": chemin}))

    reponse = demander(adresse_de(fait))
    assert reponse.status_code == 200
    assert reponse.media_type == "application/zip"
    assert "essai.zip" in reponse.headers["content-disposition"]
    assert Path(reponse.path).stat().st_size == fait.octets
    for faux in (f"{depose.jeton}/autre.zip", "inconnu/essai.zip", f"{depose.jeton}/../../x"):
        absente = demander(f"/telechargement/{faux}")
        assert absente.status_code == 404
        assert "n’est plus disponible" in absente.body.decode()


def ouvrir(monkeypatch, dossier, **adresse):
    monkeypatch.setenv("DEMI_HEURE_DOSSIER", str(dossier))
    page = AppTest.from_file(SCRIPT, default_timeout=180).run()
    for nom, valeur in adresse.items():
        page.query_params[nom] = valeur
    return page.switch_page("exports.py").run()


def test_la_page_propose_depose_et_suit(dossier_prepare, monkeypatch, atelier, sans_travailler):
    monkeypatch.setattr("pages._exports.atelier.atelier_du_serveur", lambda: atelier)
    page = ouvrir(monkeypatch, dossier_prepare)
    assert not page.exception
    assert "Que faut-il emporter" in html(page)
    assert page.radio(key="export_format_Les communes").value == "atlas"
    code = str(obtenir_partage(dossier_prepare).zonages["commune"].codes[0])
    page.multiselect(key="export_codes_commune").set_value([code]).run()
    page.button(key="export_preparer").click().run()
    assert not page.exception
    suivi = page.query_params["suivi"]
    (travail,) = atelier.travaux(suivi[0] if isinstance(suivi, list) else suivi)
    assert travail.nom.startswith("fiche-") and travail.nom.endswith(".zip")
    assert "Atlas (un seul PDF) — " in html(page)
    page.button(key=f"interrompre_{travail.jeton}").click().run()
    assert "Interrompu : rien n’a été écrit." in html(page)
    page.button(key=f"retirer_{travail.jeton}").click().run()
    assert "Aucun pour l’instant" in html(page)

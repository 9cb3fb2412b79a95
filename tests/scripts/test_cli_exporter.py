"""Commande ``exporter`` de bout en bout : chaque format, ses licences, et les refus motivés."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pyogrio
import pytest
from pypdf import PdfReader

from couches.ecran.hors_ligne import ACTIFS
from couches.formats_export import FORMATS
from scripts import cli
from tests.fabriques.sources_territoire import ecrire_sources


def lancer(*arguments: object) -> int:
    try:
        return cli.principal([str(argument) for argument in arguments])
    except SystemExit as sortie:
        return int(sortie.code or 0)


@pytest.fixture(scope="module")
def etudie(tmp_path_factory) -> tuple[Path, Path]:
    """Territoire préparé et dossier de résultats."""
    dossier = tmp_path_factory.mktemp("exporter")
    manifeste = ecrire_sources(dossier / "sources")
    prepare, resultats = dossier / "territoire", dossier / "resultats"
    assert lancer("preparer", manifeste, "--sortie", prepare) == 0
    assert lancer("diagnostiquer", prepare, "--sortie", resultats) == 0
    return prepare, resultats


def exporter(etudie, format_export, sortie, *options):
    return lancer("exporter", *etudie, "--format", format_export, "--sortie", sortie, *options)


@pytest.mark.parametrize("nom", sorted(FORMATS))
def test_chaque_format_dans_un_dossier_avec_ses_licences(etudie, tmp_path, capsys, nom):
    if nom == "html" and not (ACTIFS / "leaflet" / "leaflet.js").is_file():
        pytest.skip("Leaflet n'est pas installé (python scripts/demarrer.py)")
    dossier = tmp_path / "nouveau" / nom
    assert exporter(etudie, nom, dossier) == 0
    fichiers = sorted(f.name for f in dossier.iterdir())
    assert "LICENCES.txt" in fichiers and len(fichiers) >= 2
    assert not [f for f in fichiers if f.startswith(".")]
    sortie = capsys.readouterr().out
    assert "Données fictives" in sortie
    assert "LICENCES.txt" in sortie
    extension = FORMATS[nom].extension
    if extension is not None:
        assert any(f.endswith(extension) for f in fichiers)


def test_fichier_nomme_et_une_seule_zone(etudie, tmp_path):
    sortie = tmp_path / "ouest.pdf"
    assert exporter(etudie, "atlas", sortie, "--zone", "62001", "--service", "mairie") == 0
    (page,) = PdfReader(sortie).pages
    texte = page.extract_text()
    assert "Ouest" in texte and "mairie" in texte
    assert (tmp_path / "LICENCES.txt").exists()


def test_gpkg_au_crs_du_territoire(etudie, tmp_path):
    assert exporter(etudie, "gpkg", tmp_path / "a.gpkg") == 0
    assert "carreaux" in {nom for nom, _ in pyogrio.list_layers(tmp_path / "a.gpkg")}


@pytest.mark.parametrize(
    ("format_export", "sortie", "options", "attendu"),
    [
        ("atlas", "a.xlsx", (), "un dossier, ou un fichier .pdf"),
        ("csv", "a.pdf", (), "un dossier"),
        ("xlsx", "absent/a.xlsx", (), "Le dossier où écrire n'existe pas"),
        ("atlas", "a.pdf", ("--zone", "99999"), "Zone inconnue"),
        ("atlas", "a.pdf", ("--type-zone", "bassin"), "n'a pas ce découpage"),
        ("tif", "a.tif", ("--service", "piscine-olympique"), "Service inconnu"),
        ("png", "a.png", ("--zone", "62001", "--zone", "62002"), "une seule zone"),
        ("png", "a.png", ("--emprise", "3", "50", "2", "51"), "ouest < est"),
    ],
)
def test_refus_motive_sans_rien_ecrire(
    etudie, tmp_path, capsys, format_export, sortie, options, attendu
):
    assert exporter(etudie, format_export, tmp_path / sortie, *options) == 1
    erreur = capsys.readouterr().err
    assert attendu in erreur
    assert "Traceback" not in erreur
    assert list(tmp_path.iterdir()) == []


def test_mal_ecrite(etudie, tmp_path):
    assert exporter(etudie, "docx", tmp_path) == 2


def test_resultats_d_un_autre_territoire(etudie, tmp_path, capsys):
    prepare, resultats = etudie
    faux = tmp_path / "faux"
    faux.mkdir()
    for fichier in resultats.iterdir():
        contenu = fichier.read_bytes()
        if fichier.name == "resultat.json":
            ancienne = contenu.split(b'"empreinte_territoire": "')[1].split(b'"')[0]
            contenu = contenu.replace(ancienne, b"0" * len(ancienne))
        (faux / fichier.name).write_bytes(contenu)
    assert exporter((prepare, faux), "xlsx", tmp_path / "a.xlsx") == 1
    assert "ne sont pas ceux de ce territoire" in capsys.readouterr().err
    assert exporter((prepare, tmp_path), "xlsx", tmp_path / "a.xlsx") == 1
    assert "demi-heure diagnostiquer" in capsys.readouterr().err


@pytest.mark.parametrize("nom", ["xlsx", "html", "csv", "tif", "svg"])
def test_exporter_deux_fois_donne_le_meme_contenu(etudie, tmp_path, nom):
    if nom == "html" and not (ACTIFS / "leaflet" / "leaflet.js").is_file():
        pytest.skip("Leaflet n'est pas installé (python scripts/demarrer.py)")
    empreintes = []
    for dossier in (tmp_path / "a", tmp_path / "b"):
        assert exporter(etudie, nom, dossier) == 0
        empreintes.append(
            {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in dossier.iterdir()}
        )
    assert empreintes[0] == empreintes[1]


def test_disque_plein_laisse_l_ancien_fichier(etudie, tmp_path, capsys, monkeypatch):
    ancien = tmp_path / "acces.xlsx"
    ancien.write_bytes(b"ancien")

    def plein(_soi, _cible):
        raise OSError(28, os.strerror(28), str(ancien))

    monkeypatch.setattr(Path, "replace", plein)
    assert exporter(etudie, "xlsx", ancien) == 1
    monkeypatch.undo()
    erreur = capsys.readouterr().err
    assert "À faire" in erreur and "Traceback" not in erreur
    assert ancien.read_bytes() == b"ancien"
    assert sorted(f.name for f in tmp_path.iterdir()) == ["acces.xlsx"]


def test_les_sources_ne_sont_pas_modifiees(etudie, tmp_path):
    def empreintes():
        return {
            f: hashlib.sha256(f.read_bytes()).hexdigest()
            for dossier in etudie
            for f in sorted(dossier.rglob("*"))
            if f.is_file()
        }

    avant = empreintes()
    assert exporter(etudie, "qgis", tmp_path / "q") == 0
    assert empreintes() == avant

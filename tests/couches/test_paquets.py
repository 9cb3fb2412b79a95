"""Porte unique des exports : licences toujours jointes, archive stable, interruption sans trace."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import date

import pytest

from couches.formats_export import FORMATS, choisir_sortie
from couches.papier.dossier import choisir_theme
from couches.paquets import _EXPORTS, OptionsExport, exporter, exporter_archive, nommer_export
from donnees_geo.erreurs import ErreurConfiguration
from tests.fabriques.territoire_exports import etude_exports


class InterruptionVoulue(Exception):
    """Levée par un essai pour interrompre un export."""


def test_chaque_format_propose_a_son_moteur():
    assert set(FORMATS) == set(_EXPORTS)


def test_export_et_licences(tmp_path):
    fichiers = exporter("tif", *etude_exports(), tmp_path / "a.tif")
    assert [f.name for f in fichiers] == ["a.tif", "LICENCES.txt"]
    assert all(f.is_file() for f in fichiers)


def test_archive_identique_et_complete(tmp_path):
    for nom in ("a.zip", "b.zip"):
        exporter_archive("csv", *etude_exports(), tmp_path / nom)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        noms = archive.namelist()
        assert archive.testzip() is None
    assert "communes-synthese.csv" in noms and noms[-1] == "LICENCES.txt"
    assert not any("/" in nom or "\\" in nom for nom in noms)


def test_interrompu_l_ancien_reste(tmp_path):
    ancien = tmp_path / "a.gpkg"
    ancien.write_bytes(b"ancien")

    def interrompre(_etape, part):
        if part > 0:
            raise InterruptionVoulue

    with pytest.raises(InterruptionVoulue):
        exporter("gpkg", *etude_exports(), ancien, progression=interrompre)
    assert ancien.read_bytes() == b"ancien"
    assert [f.name for f in tmp_path.iterdir()] == ["a.gpkg"]


def test_image_a_la_vue_du_projecteur(tmp_path):
    territoire, etude = etude_exports()
    theme = choisir_theme(etude, "boulangerie", mode="marche")
    ouest, sud, est, nord = 2.5, 50.4, 2.6, 50.5
    options = OptionsExport(
        theme=theme, emprise=(ouest, sud, est, nord), date_edition=date(2026, 3, 1)
    )
    image, _ = exporter("png", territoire, etude, tmp_path, options)
    from PIL import Image

    with Image.open(image) as lue:
        assert lue.size == (1920, 1080)
    svg, _ = exporter("svg", territoire, etude, tmp_path, options)
    assert "boulangerie" in svg.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("format_export", "codes", "attendu"),
    [
        ("atlas", (), "atlas_val-d-orvenne.pdf"),
        ("atlas", ("62001",), "fiche-62001_val-d-orvenne.pdf"),
        ("svg", ("62001",), "carte-62001_val-d-orvenne.svg"),
        ("xlsx", (), "acces_val-d-orvenne.xlsx"),
    ],
)
def test_noms_stables(format_export, codes, attendu):
    territoire = replace(etude_exports()[0], nom="Val d'Orvenne")
    assert nommer_export(format_export, territoire, OptionsExport(codes=codes)) == attendu


@pytest.mark.parametrize(
    ("format_export", "sortie", "message"),
    [
        ("docx", "a", "Format d'export inconnu"),
        ("atlas", "a.xlsx", "un fichier .pdf"),
        ("csv", "a.pdf", "un dossier"),
        ("atlas", "absent/a.pdf", "n'existe pas"),
        ("csv", "fichier", "doit être un dossier"),
    ],
)
def test_sorties_refusees(tmp_path, format_export, sortie, message):
    (tmp_path / "fichier").write_bytes(b"")
    with pytest.raises(ErreurConfiguration) as faute:
        choisir_sortie(format_export, tmp_path / sortie)
    assert message in str(faute.value)

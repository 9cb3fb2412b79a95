"""Ouverture des fichiers publiés : archives emboîtées, refus des archives dangereuses."""

import gzip
import zipfile
from pathlib import Path

import py7zr
import pytest

from donnees_geo.erreurs import ErreurDonnees
from donnees_geo.lecture import archives
from donnees_geo.lecture.archives import extraire_fichier, ouvrir_flux

TEXTE = b"a;b\n1;2\n"


def lire(chemin: Path, **options: object) -> bytes:
    with ouvrir_flux(chemin, **options) as flux:  # type: ignore[arg-type]
        return flux.read()


def zipper(chemin: Path, **membres: bytes) -> Path:
    with zipfile.ZipFile(chemin, "w", zipfile.ZIP_DEFLATED) as archive:
        for nom, contenu in membres.items():
            archive.writestr(nom, contenu)
    return chemin


def test_fichier_nu_gz_zip_et_dossier(tmp_path: Path) -> None:
    nu = tmp_path / "d" / "t.csv"
    nu.parent.mkdir()
    nu.write_bytes(TEXTE)
    gz = tmp_path / "t.csv.gz"
    gz.write_bytes(gzip.compress(TEXTE))
    zippe = zipper(tmp_path / "t.zip", **{"sous/t.CSV": TEXTE, "lisezmoi.pdf": b"x"})
    for source in (nu, gz, zippe, tmp_path / "d"):
        assert lire(source) == TEXTE


def test_7z_dans_un_zip(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(TEXTE)
    with py7zr.SevenZipFile(tmp_path / "t.7z", "w") as archive:
        archive.write(tmp_path / "t.csv", "sous/t.csv")
    zippe = zipper(tmp_path / "t.zip", **{"t.7z": (tmp_path / "t.7z").read_bytes()})
    assert lire(zippe) == TEXTE
    assert lire(tmp_path / "t.7z") == TEXTE


def test_gz_dans_un_zip(tmp_path: Path) -> None:
    zippe = zipper(tmp_path / "t.zip", **{"t.csv.gz": gzip.compress(TEXTE)})
    assert lire(zippe) == TEXTE


def test_membre_prefere_puis_ambiguite_dite(tmp_path: Path) -> None:
    zippe = zipper(tmp_path / "t.zip", **{"c_met.csv": TEXTE, "c_mart.csv": b"z"})
    assert lire(zippe, preferes=["_met"]) == TEXTE
    with pytest.raises(ErreurDonnees, match=r"Plusieurs fichiers[\s\S]*c_met.csv, c_mart.csv"):
        lire(zippe)


def test_shapefile_extrait_avec_ses_compagnons(tmp_path: Path) -> None:
    membres = {f"z/a{s}": s.encode() for s in (".shp", ".shx", ".dbf", ".prj")}
    zippe = zipper(tmp_path / "t.zip", **membres, **{"z/b.dbf": b"autre"})
    with extraire_fichier(zippe, (".shp",)) as fichier:
        assert {p.name for p in fichier.parent.iterdir()} == {"a.shp", "a.shx", "a.dbf", "a.prj"}
        dossier = fichier.parent
    assert not dossier.exists()


@pytest.mark.parametrize(
    "nom", ["../../mal.csv", "/etc/mal.csv", "C:\\mal.csv", "a\\..\\..\\m.csv"]
)
def test_evasion_refusee(tmp_path: Path, nom: str) -> None:
    zippe = zipper(tmp_path / "t.zip", **{nom: TEXTE})
    with pytest.raises(ErreurDonnees, match=r"sortirait du dossier"):
        lire(zippe)


def test_bombe_refusee(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_SEUIL_RAPPORT_OCTETS", 10_000)
    zippe = zipper(tmp_path / "t.zip", **{"t.csv": b"0" * 5_000_000})
    gz = tmp_path / "t.csv.gz"
    gz.write_bytes(gzip.compress(b"0" * 5_000_000))
    for source in (zippe, gz):
        with pytest.raises(ErreurDonnees, match="démesurément"):
            lire(source)


@pytest.mark.parametrize("suffixe", [".zip", ".7z", ".csv.gz"])
def test_archive_tronquee(tmp_path: Path, suffixe: str) -> None:
    entiere = tmp_path / f"t{suffixe}"
    contenu = bytes(range(256)) * 400
    if suffixe == ".zip":
        zipper(entiere, **{"t.csv": contenu})
    elif suffixe == ".7z":
        (tmp_path / "t.csv").write_bytes(contenu)
        with py7zr.SevenZipFile(entiere, "w") as archive:
            archive.write(tmp_path / "t.csv", "t.csv")
    else:
        entiere.write_bytes(gzip.compress(contenu))
    coupee = tmp_path / f"coupee{suffixe}"
    coupee.write_bytes(entiere.read_bytes()[:-30])
    with pytest.raises(ErreurDonnees, match=r"illisible ou tronquée[\s\S]*téléchargez"):
        lire(coupee)


def test_absent_vide_et_sans_membre(tmp_path: Path) -> None:
    with pytest.raises(ErreurDonnees, match="introuvable"):
        lire(tmp_path / "rien.csv")
    (tmp_path / "vide.csv").touch()
    with pytest.raises(ErreurDonnees, match="Fichier vide"):
        lire(tmp_path / "vide.csv")
    zippe = zipper(tmp_path / "t.zip", **{"image.png": b"x"})
    with pytest.raises(ErreurDonnees, match=r"Aucun fichier utilisable[\s\S]*image.png"):
        lire(zippe)

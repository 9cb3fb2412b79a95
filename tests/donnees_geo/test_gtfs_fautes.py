"""Flux GTFS fautifs : ce qui est refusé, écarté ou signalé, avec le fichier et la ligne."""

from datetime import date

import pytest

from donnees_geo.erreurs import ErreurDonnees, Gravite
from donnees_geo.gtfs import courses_du_jour, lire_gtfs
from donnees_geo.gtfs.archive import ouvrir_archive
from tests.fabriques.flux_gtfs import (
    arrets_csv,
    ecrire_flux,
    flux_simple,
    lire_flux_essai,
    messages,
)
from tests.fabriques.ville_quadrillee import CRS

MARDI = date(2026, 3, 17)


def test_zip_tronque_ou_qui_n_en_est_pas_un(tmp_path):
    entier = ecrire_flux(tmp_path / "essai.zip", flux_simple()).read_bytes()
    moitie = entier[: len(entier) // 2]
    for octets, contenu in (
        (moitie, f"un zip dont la fin manque, de {len(moitie)} octets"),
        (b"<html>404</html>", "une page web"),
        (b"", "un fichier vide"),
        (b"\x89PNG", "un autre format"),
    ):
        chemin = tmp_path / "tronque.zip"
        chemin.write_bytes(octets)
        attendu = f"(?s)tronquée, altérée ou n'est pas un zip.*{contenu}"
        with pytest.raises(ErreurDonnees, match=attendu):
            lire_gtfs([chemin], CRS)


def test_zip_altere(tmp_path):
    octets = bytearray(ecrire_flux(tmp_path / "essai.zip", flux_simple()).read_bytes())
    debut = octets.find(b"stop_times.txt") + 20
    octets[debut : debut + 20] = b"\0" * 20
    chemin = tmp_path / "altere.zip"
    chemin.write_bytes(octets)
    with pytest.raises(ErreurDonnees, match=r"stop_times\.txt"):
        lire_gtfs([chemin], CRS)


@pytest.mark.parametrize("nom", ["../stops.txt", "/etc/stops.txt", "a/../../b.txt", "C:\\x.txt"])
def test_chemin_qui_sort_de_l_archive_refuse(tmp_path, nom):
    chemin = ecrire_flux(tmp_path / "essai.zip", {**flux_simple(), nom: "x"})
    with pytest.raises(ErreurDonnees, match="sort de l'archive"):
        ouvrir_archive(chemin)


def test_bombe_de_decompression_refusee(tmp_path):
    chemin = ecrire_flux(tmp_path / "essai.zip", {**flux_simple(), "shapes.txt": "0" * 20_000_000})
    with pytest.raises(ErreurDonnees, match="bombe de décompression"):
        ouvrir_archive(chemin)


def test_archive_de_plusieurs_flux_refusee(tmp_path):
    fichiers = {f"{d}/{n}": t for d in ("nord", "sud") for n, t in flux_simple().items()}
    chemin = ecrire_flux(tmp_path / "essai.zip", fichiers)
    with pytest.raises(ErreurDonnees, match="nord, sud"):
        ouvrir_archive(chemin)


def test_flux_introuvable_nomme_le_chemin(tmp_path):
    with pytest.raises(ErreurDonnees, match=r"absent\.zip"):
        lire_gtfs([tmp_path / "absent.zip"], CRS)


@pytest.mark.parametrize("nom", ["stops.txt", "routes.txt", "trips.txt", "stop_times.txt"])
def test_fichier_obligatoire_absent(tmp_path, nom):
    flux = flux_simple()
    del flux[nom]
    with pytest.raises(ErreurDonnees, match=nom):
        lire_flux_essai(tmp_path, flux)


def test_calendrier_absent_ou_vide(tmp_path):
    flux = flux_simple()
    calendrier = flux.pop("calendar.txt")
    with pytest.raises(ErreurDonnees, match=r"n'a pas de calendrier"):
        lire_flux_essai(tmp_path, flux)
    flux["calendar.txt"] = calendrier.splitlines()[0]
    with pytest.raises(ErreurDonnees, match="aucun jour de circulation"):
        lire_flux_essai(tmp_path, flux)


@pytest.mark.parametrize(
    ("nom", "colonne"),
    [("stops.txt", "stop_lat"), ("trips.txt", "service_id"), ("stop_times.txt", "stop_sequence"),
     ("calendar.txt", "end_date"), ("routes.txt", "route_type")],
)  # fmt: skip
def test_colonne_obligatoire_absente(tmp_path, nom, colonne):
    flux = flux_simple()
    flux[nom] = flux[nom].replace(colonne, "autre", 1)
    with pytest.raises(ErreurDonnees, match=rf"(?s)colonne obligatoire.*{nom}.*{colonne}"):
        lire_flux_essai(tmp_path, flux)


@pytest.mark.parametrize(
    ("ancien", "nouveau", "colonne"),
    [
        ("8:02:00,8:02:00", "8:02:00,8h02", "departure_time"),
        ("8:02:00,8:02:00", "-1:00:00,8:02:00", "arrival_time"),
        ("8:02:00,8:02:00", "8:75:00,8:02:00", "arrival_time"),
        ("8:02:00,8:02:00", "99:02:00,99:02:00", "arrival_time"),
        ("b,1\n", "b,un\n", "stop_sequence"),
    ],
)
def test_valeur_illisible_dit_le_fichier_et_la_ligne(tmp_path, ancien, nouveau, colonne):
    flux = flux_simple()
    # Une ligne vide et un texte sur deux lignes ne décalent pas le numéro annoncé.
    flux["stop_times.txt"] = "\n" + flux["stop_times.txt"].replace(ancien, nouveau, 1)
    with pytest.raises(ErreurDonnees, match=rf"(?s)stop_times\.txt.*{colonne}.*ligne 4"):
        lire_flux_essai(tmp_path, flux)


def test_date_illisible_dit_la_ligne(tmp_path):
    flux = flux_simple()
    flux["calendar_dates.txt"] = "service_id,date,exception_type\nS,20260301,1\nS,20260231,1\n"
    with pytest.raises(ErreurDonnees, match=r"(?s)calendar_dates\.txt.*ligne 3.*20260231"):
        lire_flux_essai(tmp_path, flux)


def test_courses_inutilisables_ecartees_et_citees(tmp_path):
    flux = flux_simple()
    noms = ["vide", "seul", "recul", "attente", "ouverte"]
    flux["trips.txt"] += "".join(f"L1,S,{n}\n" for n in noms) + "L9,S,x\nL1,S9,y\nL1,S,t8\n"
    flux["stop_times.txt"] += (
        "seul,8:00:00,8:00:00,a,1\n"
        "recul,8:10:00,8:10:00,a,1\nrecul,8:05:00,8:05:00,b,2\n"
        "attente,8:10:00,8:09:00,a,1\nattente,8:15:00,8:15:00,b,2\n"
        "ouverte,8:00:00,8:00:00,a,1\nouverte,,,b,2\n"
        "t8,8:30:00,8:30:00,perdu,9\n"
    )
    offre, constats = lire_flux_essai(tmp_path, flux)
    assert sorted(offre.courses["id_source"]) == ["t8", "t9"]
    dit = messages(constats, Gravite.MAJEUR)
    assert "n'ont aucun arrêt dans ce fichier et sont écartées : vide." in dit
    assert "n'ont qu'un seul arrêt connu et sont écartées : seul." in dit
    assert "temps de parcours négatif) et sont écartées : recul, attente." in dit
    assert "n'ont pas d'heure à leur premier ou dernier arrêt et sont écartées : ouverte." in dit
    assert "1 course(s) citent une ligne absente" in dit
    assert "1 course(s) citent un service absent" in dit
    assert "1 identifiant(s) de course sont répétés" in dit
    assert "1 passage(s) citent 1 arrêt(s) inconnu(s) et sont écartés : perdu." in dit


def test_arret_mal_place_signale(tmp_path):
    flux = flux_simple()
    flux["stops.txt"] = arrets_csv({"a": (0, 0), "b": (300_000, 0), "c": (1000, 0)})
    _, constats = lire_flux_essai(tmp_path, flux)
    assert "2 liaison(s) entre arrêts successifs dépassent 400 km/h" in messages(
        constats, Gravite.MAJEUR
    )


@pytest.mark.parametrize(
    ("jour", "gravite", "texte"),
    [
        (date(2026, 3, 17), None, ""),
        (date(2026, 4, 17), Gravite.BLOQUANT, "du 02/03/2026 au 27/03/2026"),
        (date(2026, 3, 22), Gravite.MAJEUR, "Aucune course ne circule le 22/03/2026"),
    ],
)
def test_jour_etudie_compare_au_calendrier(tmp_path, jour, gravite, texte):
    _, constats = lire_flux_essai(tmp_path, flux_simple(), date_service=jour)
    assert [c.gravite for c in constats] == ([gravite] if gravite else [])
    assert texte in messages(constats)


def test_un_flux_perime_parmi_deux(tmp_path):
    un = ecrire_flux(tmp_path / "valable.zip", flux_simple())
    vieux = flux_simple()
    vieux["stops.txt"] = arrets_csv({"a": (0, 900), "b": (300, 900), "c": (1000, 900)})
    vieux["calendar.txt"] = vieux["calendar.txt"].replace("2026", "2024")
    deux = ecrire_flux(tmp_path / "perime.zip", vieux)
    offre, constats = lire_gtfs([un, deux], CRS, date_service=MARDI)
    assert [c.gravite for c in constats] == [Gravite.MAJEUR]
    assert "perime (du 04/03/2024 au 27/03/2024)" in messages(constats)
    assert set(offre.courses["flux"].to_numpy()[courses_du_jour(offre, MARDI).course]) == {
        "valable"
    }

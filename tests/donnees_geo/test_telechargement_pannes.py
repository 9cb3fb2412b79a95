"""Téléchargement sur un serveur en panne, ou d'après une demande fautive."""

from __future__ import annotations

import shutil

import geopandas as gpd
import pytest

from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees
from donnees_geo.telechargement import Statut
from donnees_geo.telechargement.cache import Cache
from scripts import cli
from tests.fabriques import donnees_en_ligne as en_ligne
from tests.fabriques.banc_telechargement import (
    demander,
    etat,
    statuts,
)
from tests.fabriques.serveur_http import couper, refuser, rendre


def test_une_source_refusee_ne_perd_pas_les_autres_et_se_pose_a_la_main(copie, tmp_path, capsys):
    copie.serveur.fautes[en_ligne.CHEMIN_BPE] = [refuser(403)] * 9
    copie.serveur.contenus.pop(f"{en_ligne.INSEE}8217525/BPE24.zip", None)
    sortie, cache = tmp_path / "neuf", tmp_path / "c"
    arguments = ["telecharger", "--epci", en_ligne.EPCI, "--sortie", str(sortie)]
    arguments += ["--catalogue", str(copie.catalogue), "--cache", str(cache)]
    arguments += ["--sources", "communes,osm,bpe,carreaux,friches"]
    assert cli.principal(arguments) == 1
    affiche = capsys.readouterr().out
    assert "HTTP 403" in " ".join(affiche.split())  # la colonne se plie à la largeur du terminal
    assert f"Base permanente des équipements (obligatoire) : {sortie / 'bpe.csv'}" in affiche
    assert (sortie / "friches.csv").is_file()
    assert "bpe" not in (sortie / "territoire.toml").read_text(encoding="utf-8")
    shutil.copy(copie.demo / "BPE24.csv", sortie / "bpe.csv")
    assert cli.principal(arguments) == 0
    assert "à la main" in capsys.readouterr().out
    assert (sortie / "bpe.csv").read_bytes() == (copie.demo / "BPE24.csv").read_bytes()
    assert 'bpe = "bpe.csv"' in (sortie / "territoire.toml").read_text(encoding="utf-8")


def test_une_adresse_disparue_laisse_la_place_a_la_suivante(copie, tmp_path):
    ancien = copie.serveur.contenus.pop(en_ligne.CHEMIN_BPE)
    copie.serveur.contenus[f"{en_ligne.INSEE}8217525/BPE24.zip"] = ancien
    bilan = demander(copie, tmp_path / "neuf", cache=tmp_path / "c", seulement=("bpe",))
    assert statuts(bilan) == {"bpe": Statut.RECU}


def test_une_region_osm_manquante_ne_donne_pas_un_reseau_tronque(copie, tmp_path):
    del copie.serveur.contenus[f"{en_ligne.GEOFABRIK}/val-est-latest.osm.pbf"]
    bilan = demander(copie, tmp_path / "neuf", cache=tmp_path / "c", seulement=("osm",))
    assert statuts(bilan) == {"osm": Statut.MANQUANT}
    assert not (tmp_path / "neuf" / "rues.osm.pbf").exists()


def test_une_somme_de_geofabrik_fausse_est_refusee(copie, tmp_path):
    copie.serveur.contenus[f"{en_ligne.GEOFABRIK}/val-est-latest.osm.pbf.md5"] = b"0" * 32
    bilan = demander(copie, tmp_path / "neuf", cache=tmp_path / "c", seulement=("osm",))
    assert "somme de contrôle" in etat(bilan, "osm").message


def test_un_transfert_coupe_reprend_dans_un_vrai_telechargement(copie, tmp_path):
    chemin = f"{en_ligne.GEOFABRIK}/val-ouest-latest.osm.pbf"
    copie.serveur.fautes[chemin] = [couper(280_000)]
    bilan = demander(copie, tmp_path / "neuf", cache=tmp_path / "c", seulement=("osm",))
    assert statuts(bilan) == {"osm": Statut.RECU}
    plages = [
        r.entetes.get("Range")
        for r in copie.serveur.requetes
        if (r.methode, r.chemin) == ("GET", chemin)
    ]
    assert len(plages) == 2
    assert plages[0] is None
    assert plages[1] is not None


@pytest.mark.parametrize(
    ("membres", "message"),
    [
        ({"../BPE25.csv": b"x"}, "sortirait"),
        ({"BPE25.csv": b"A;B\n1;2\n"}, "Colonne absente"),
        ({"notice.pdf": b"x"}, "Aucun fichier utilisable"),
    ],
)
def test_une_archive_dangereuse_ou_etrangere_est_refusee_et_oubliee(
    membres, message, copie, tmp_path
):
    bon = copie.serveur.contenus[en_ligne.CHEMIN_BPE]
    copie.serveur.contenus[en_ligne.CHEMIN_BPE] = en_ligne.zipper(membres)
    options = {"cache": tmp_path / "c", "seulement": ("bpe",)}
    bilan = demander(copie, tmp_path / "neuf", **options)
    assert message in etat(bilan, "bpe").message
    assert not (tmp_path / "neuf" / "bpe.csv").exists()
    copie.serveur.contenus[en_ligne.CHEMIN_BPE] = bon
    assert statuts(demander(copie, tmp_path / "neuf", **options)) == {"bpe": Statut.RECU}


def test_une_page_d_erreur_garde_l_ancien_fichier(copie):
    ancien = (copie.sortie / "friches.csv").read_bytes()
    copie.serveur.contenus[en_ligne.CHEMIN_FRICHES] += b"\n"
    jeu = f"{en_ligne.DATAGOUV}/sites-references-dans-cartofriches/"
    copie.serveur.fautes[jeu] = [rendre(b"<html><title>Maintenance</title>")]
    bilan = demander(copie, copie.sortie, rafraichir=True, seulement=("friches",))
    assert statuts(bilan) == {"friches": Statut.PARTIEL}
    assert "ancien fichier gardé" in etat(bilan, "friches").message
    assert (copie.sortie / "friches.csv").read_bytes() == ancien


def test_sans_catalogue_de_transport_les_flux_de_secours_servent(copie, tmp_path):
    chemin = f"{en_ligne.TRANSPORT}/api/datasets"
    liste = copie.serveur.contenus.pop(chemin)
    train = (copie.demo / "train.zip").read_bytes()
    secours = "/eu.ftp.opendatasoft.com/sncf/plandata/Export_OpenData_SNCF_GTFS_NewTripId.zip"
    copie.serveur.contenus[secours] = train
    sortie, seulement = tmp_path / "neuf", ("gtfs", "gtfs_sncf")
    options = {"cache": tmp_path / "c", "seulement": seulement}
    bilan = demander(copie, sortie, **options)
    assert statuts(bilan) == {"gtfs": Statut.MANQUANT, "gtfs_sncf": Statut.RECU}
    assert "gtfs/secours-sncf.zip" in bilan.manifeste.read_text(encoding="utf-8")
    # Le service revenu, le flux de secours ne fait pas double.
    copie.serveur.contenus[chemin] = liste
    bilan = demander(copie, sortie, **options)
    assert statuts(bilan) == {"gtfs": Statut.RECU, "gtfs_sncf": Statut.SANS_OBJET}
    assert "secours" not in bilan.manifeste.read_text(encoding="utf-8")
    assert not (sortie / "gtfs" / "secours-sncf.zip").exists()


def test_sans_contours_de_departements_on_le_dit(copie, tmp_path):
    for chemin in [c for c in copie.serveur.contenus if "departements-100m" in c]:
        del copie.serveur.contenus[chemin]
    bilan = demander(copie, tmp_path / "neuf", cache=tmp_path / "c", seulement=("communes",))
    assert bilan.departements == ("00",)
    assert "départements voisins" in etat(bilan, "communes").message


# --- demandes fautives ------------------------------------------------------------------


def test_un_epci_inconnu_est_dit(copie, tmp_path):
    with pytest.raises(ErreurDonnees, match="Aucune intercommunalité de code 999999999"):
        demander(copie, tmp_path / "neuf", epci="999999999")
    assert not (tmp_path / "neuf").exists()


def test_un_code_mal_ecrit_est_une_faute_d_usage(capsys):
    with pytest.raises(SystemExit) as sortie:
        cli.principal(["telecharger", "--epci", "62119", "--sortie", "x"])
    assert sortie.value.code == 2
    assert "9 chiffres" in capsys.readouterr().err


def test_hors_ligne_et_rafraichir_se_contredisent(copie):
    with pytest.raises(ErreurConfiguration, match="se contredisent"):
        demander(copie, copie.sortie, hors_ligne=True, rafraichir=True)


def test_une_source_inconnue_est_dite_avec_les_connues(copie):
    with pytest.raises(ErreurConfiguration, match="Source inconnue") as faute:
        demander(copie, copie.sortie, seulement=("bpe", "bepe"))
    assert "bepe" in str(faute.value)
    assert "carreaux" in str(faute.value)


def test_le_dossier_d_un_autre_epci_est_refuse(copie):
    with pytest.raises(ErreurConfiguration, match="autre territoire"):
        demander(copie, copie.sortie, epci="200072460")


def test_des_centres_au_lieu_de_contours_sont_refuses(copie, tmp_path):
    communes = gpd.read_file(copie.demo / "communes.geojson")
    centres = communes.set_geometry(communes.geometry.representative_point())
    copie.serveur.contenus[en_ligne.CHEMIN_COMMUNES] = en_ligne.geojson(centres)
    with pytest.raises(ErreurDonnees, match="geometry=contour"):
        demander(copie, tmp_path / "neuf", cache=tmp_path / "c")


def test_une_trace_abimee_est_dite(copie):
    (copie.sortie / "telechargement.json").write_text("{", encoding="utf-8")
    with pytest.raises(ErreurDonnees, match="trace du téléchargement est illisible"):
        demander(copie, copie.sortie)


# --- disque plein -----------------------------------------------------------------------


def sans_place(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_un_dossier_plein_ne_perd_ni_les_autres_sources_ni_le_cache(copie, tmp_path, monkeypatch):
    monkeypatch.setattr("donnees_geo.telechargement.decoupe_tables._ecrire_blocs", sans_place)
    options = {"seulement": ("communes", "bpe", "friches")}
    bilan = demander(copie, tmp_path / "neuf", **options)
    assert statuts(bilan) == {
        "communes": Statut.RECU,
        "bpe": Statut.MANQUANT,
        "friches": Statut.RECU,
    }
    assert "disque plein" in etat(bilan, "bpe").message
    # Le fichier national reçu est bon : la place faite, il n'est pas redemandé.
    monkeypatch.undo()
    copie.serveur.requetes.clear()
    assert statuts(demander(copie, tmp_path / "neuf", **options))["bpe"] is Statut.RECU
    assert copie.serveur.requetes == []


def test_un_cache_plein_ne_perd_que_la_source_en_cours(copie, tmp_path, monkeypatch):
    vrai = Cache._ranger

    def ranger(cache: Cache, adresse: str, *suite):
        if "BPE" in adresse:
            sans_place()
        return vrai(cache, adresse, *suite)

    monkeypatch.setattr(Cache, "_ranger", ranger)
    bilan = demander(
        copie, tmp_path / "neuf", cache=tmp_path / "c", seulement=("communes", "bpe", "friches")
    )
    assert statuts(bilan)["friches"] is Statut.RECU
    assert statuts(bilan)["bpe"] is Statut.MANQUANT
    assert "gardé dans le cache (disque plein)" in etat(bilan, "bpe").message

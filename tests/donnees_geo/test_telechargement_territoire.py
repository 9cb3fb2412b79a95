"""Le téléchargement d'un territoire entier, sur un serveur local aux formats publiés."""

from __future__ import annotations

import json
import tomllib
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import pytest
import rasterio

from donnees_geo.telechargement import Statut
from scripts import cli
from tests.fabriques import donnees_en_ligne as en_ligne
from tests.fabriques.banc_telechargement import (
    demander,
    etat,
    lire_texte,
    statuts,
)

# --- ce qui est reçu ----------------------------------------------------------------------------


def test_tout_est_la_sauf_ce_qui_n_est_pas_publie(banc):
    attendus = dict.fromkeys(
        ("communes", "communes_voisines", "bassins_de_vie", "osm", "carreaux", "bpe", "gtfs",
         "relief", "friches", "gaspar", "sirene", "qpv", "plu"), Statut.RECU)  # fmt: skip
    attendus |= dict.fromkeys(("secteurs", "ppri", "marches"), Statut.FACULTATIF)
    # Le TRI du voisin et les deux départements des nappes ne sont pas en ligne.
    attendus |= {"tri": Statut.PARTIEL, "nappes": Statut.MANQUANT, "gtfs_sncf": Statut.SANS_OBJET}
    assert statuts(banc.bilan) == attendus
    assert "département 99" in etat(banc.bilan, "tri").message
    assert "non vérifiée" in etat(banc.bilan, "nappes").message
    assert banc.bilan.manques_obligatoires == ()


def test_le_territoire_est_delimite_par_ses_communes(banc):
    assert banc.bilan.nom == en_ligne.NOM
    assert (banc.bilan.communes, banc.bilan.population_hab) == (25, 70_000)
    # Le 99 n'est touché que par la marge ; le 98 est plus loin.
    assert banc.bilan.departements == ("00", "99")
    assert banc.bilan.marge_m > 10_000


def test_sans_marge_le_departement_voisin_n_est_pas_demande(copie, tmp_path):
    bilan = demander(copie, tmp_path / "neuf", marge_m=0.0, seulement=("communes", "sirene"))
    assert bilan.departements == ("00",)
    assert set(statuts(bilan)) == {"communes", "sirene"}
    assert not [c for c in copie.serveur.chemins() if "siret_99" in c]


def test_la_bpe_ne_garde_que_le_territoire_elargi(banc):
    bpe = lire_texte(banc.sortie / "bpe.csv", sep=";")
    origine = lire_texte(banc.demo / "BPE24.csv", sep=";")
    pd.testing.assert_frame_equal(bpe, origine)  # ni Paris, ni les lignes trop loin


def test_les_carreaux_sont_ceux_du_territoire(banc):
    carreaux = pd.read_csv(banc.sortie / "carreaux_200m.csv")
    origine = gpd.read_file(banc.demo / "carreaux_200m_met.gpkg")
    assert set(carreaux["idcar_200m"]) == set(origine["idcar_200m"])
    assert carreaux["ind"].sum() == pytest.approx(origine["ind"].sum())
    assert carreaux["i_est_200"].sum() == origine["i_est_200"].sum()


def test_les_extraits_osm_voisins_sont_reunis_sans_double(banc):
    def objets(chemin: Path) -> dict[tuple[str, int], int]:
        return {
            (o.type_str(), o.id): len(o.tags)
            for o in osmium.FileProcessor(str(chemin))
        }  # fmt: skip

    assert objets(banc.sortie / "rues.osm.pbf") == objets(banc.demo / "orvenne.osm.pbf")
    with osmium.io.Reader(str(banc.sortie / "rues.osm.pbf")) as lecteur:
        date_osm = lecteur.header().get("osmosis_replication_timestamp")
    assert date_osm == "2026-01-05T00:00:00Z"


def test_les_flux_gtfs_sont_juges_sur_leurs_arrets(banc):
    assert etat(banc.bilan, "gtfs").fichiers == ("gtfs/bus-du-val-1.zip", "gtfs/trains-1.zip")
    for nom in ("bus", "train"):
        ecrit = next((banc.sortie / "gtfs").glob(f"{nom}*.zip"))
        assert ecrit.read_bytes() == (banc.demo / f"{nom}.zip").read_bytes()
    message = etat(banc.bilan, "gtfs").message
    for raison in ("périmé depuis le 2024-08-31", "exclu par le catalogue", "aucun arrêt ici",
                   "même fichier que gtfs/trains-1.zip"):  # fmt: skip
        assert raison in message
    assert "/reseaux.example/ailleurs.zip" in banc.demandes
    assert not [c for c in banc.demandes if "marseille" in c or "flixbus" in c or "vieux" in c]


def test_le_relief_assemble_redonne_les_altitudes(banc):
    with (
        rasterio.open(banc.sortie / "relief.tif") as relief,
        rasterio.open(banc.demo / "mnt.tif") as mnt,
    ):
        points = [(190_012.5, 6_500_012.5), (200_012.5, 6_510_012.5)]
        lues = [v[0] for v in relief.sample(points)]
        vraies = [v[0] for v in mnt.sample(points)]
        assert lues == pytest.approx(vraies, abs=2.0)
        assert relief.crs.to_epsg() == 2154
        # Le service remplit le dehors par -99999 sans le dire.
        assert relief.nodata == -99999.0
        assert np.isclose(next(relief.sample([(176_000, 6_490_000)]))[0], -99999.0)


def test_les_friches_d_ailleurs_sont_laissees_et_les_guillemets_compris(banc):
    friches = lire_texte(banc.sortie / "friches.csv", sep=";")
    origine = lire_texte(banc.demo / "friches-standard.csv", sep=";")
    assert friches["site_id"].tolist() == origine["site_id"].tolist()
    assert 'Ancienne usine "n° 1"' in set(friches["site_nom"])


def test_sirene_ne_garde_ni_nom_de_personne_ni_ferme(banc):
    texte = (banc.sortie / "commerces_sirene.csv").read_text(encoding="utf-8")
    assert "DUPONT" not in texte
    table = lire_texte(banc.sortie / "commerces_sirene.csv")
    assert len(table) == 24  # 25 communes, dont un établissement fermé
    assert set(table["etatAdministratifEtablissement"]) == {"A"}


def test_les_couches_de_risque_sont_decoupees(banc):
    with zipfile.ZipFile(banc.sortie / "tri.zip") as archive:
        noms = archive.namelist()
    assert len(noms) == 3
    assert all("inondable" in nom for nom in noms)  # l'enjeu est laissé
    gaspar = lire_texte(banc.sortie / "pprn_gaspar.csv", sep=";")
    assert gaspar["CODE INSEE COMMUNE"].tolist() == ["00003"]


def test_les_couches_de_contexte_sont_limitees_a_l_emprise(banc):
    quartiers = gpd.read_file(banc.sortie / "qpv.geojson")
    assert quartiers["code_qp"].tolist() == ["QN00001M"]
    voisines = gpd.read_file(banc.sortie / "communes_voisines.geojson")
    assert voisines["code"].tolist() == ["99001"]
    # 1 200 zones, en deux pages.
    zones = gpd.read_file(banc.sortie / "plu.geojson")
    assert sorted(zones["gid"]) == list(range(1200))
    assert banc.demandes.count(en_ligne.WFS) == 2


def test_le_manifeste_ne_cite_que_ce_qui_est_la(banc):
    manifeste = tomllib.loads(banc.bilan.manifeste.read_text(encoding="utf-8"))
    assert manifeste["nom"] == en_ligne.NOM
    assert manifeste["crs"] == "EPSG:2154"
    assert manifeste["services"] == {"bpe": "bpe.csv", "osm": True}
    assert manifeste["transport"]["gtfs"] == ["gtfs/bus-du-val-1.zip", "gtfs/trains-1.zip"]
    # Un mardi du niveau d'offre le plus fourni, dans la période commune aux flux.
    assert manifeste["transport"]["date_service"].weekday() == 1
    assert "nappes" not in manifeste["couches"]
    assert "secteurs" not in manifeste["decoupage"]


def test_la_trace_dit_origine_empreinte_et_licence(banc):
    trace = json.loads((banc.sortie / "telechargement.json").read_text(encoding="utf-8"))
    par_nom = {f["fichier"]: f for f in trace["fichiers"]}
    osm = par_nom["rues.osm.pbf"]
    assert "ODbL" in osm["licence"]
    assert len(osm["origines"]) == 2
    assert all(o["etag"] and len(o["sha256"]) == 64 for o in osm["origines"])
    assert set(par_nom) == {f for s in banc.bilan.sources for f in s.fichiers}


# --- la chaîne entière ---------------------------------------------------------------------------


@pytest.mark.lent
def test_la_chaine_telecharger_verifier_preparer_diagnostiquer(copie, tmp_path, capsys):
    sortie = tmp_path / "neuf"
    arguments = ["telecharger", "--epci", en_ligne.EPCI, "--sortie", str(sortie)]
    arguments += ["--catalogue", str(copie.catalogue), "--cache", str(copie.cache)]
    assert cli.principal(arguments) == 0
    affiche = capsys.readouterr().out
    assert "25 communes, 70\u202f000 habitants" in affiche
    assert f"demi-heure verifier {sortie / 'territoire.toml'}" in affiche
    assert str(sortie / "ppri.zip") in affiche  # où le poser à la main
    manifeste, prepare = str(sortie / "territoire.toml"), str(tmp_path / "prepare")
    assert cli.principal(["verifier", manifeste]) == 0
    assert cli.principal(["preparer", manifeste, "--sortie", prepare]) == 0
    resultats = tmp_path / "resultats"
    options = ["--sortie", str(resultats), "--sans-analyses"]
    assert cli.principal(["diagnostiquer", prepare, *options]) == 0
    indicateurs = pd.read_csv(resultats / "indicateurs.csv")
    assert {"marche", "velo", "tc"} <= set(indicateurs["mode"])
    couches = {f.stem for f in (tmp_path / "prepare").rglob("*.parquet")}
    assert {"friches", "zones_inondables", "commerces", "qpv", "plu"} <= couches

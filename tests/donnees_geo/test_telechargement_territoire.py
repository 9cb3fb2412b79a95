"""Le téléchargement d'un territoire entier, sur un serveur local aux formats publiés."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import pytest
import rasterio

from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees
from donnees_geo.telechargement import Bilan, Demande, Statut, telecharger_territoire
from donnees_geo.telechargement.client import Reglages
from donnees_geo.telechargement.reception import Reception
from scripts import cli
from tests.fabriques import donnees_en_ligne as en_ligne
from tests.fabriques.serveur_http import Serveur, couper, refuser, rendre, servir

PRESSE = Reglages(tentatives=2, attente_s=0.001, lecture_s=5.0)
#: Avant la fin des calendriers du territoire fictif, après celle du flux périmé.
AUJOURDHUI = date(2026, 3, 2)


@dataclass(frozen=True)
class Banc:
    """Serveur, catalogue qui y mène, et territoire déjà téléchargé une fois."""

    serveur: Serveur
    catalogue: Path
    cache: Path
    sortie: Path
    bilan: Bilan
    demo: Path
    #: Chemins demandés par ce premier téléchargement.
    demandes: tuple[str, ...] = ()


def demander(banc: Banc, sortie: Path, cache: Path | None = None, **options: object) -> Bilan:
    demande = Demande(
        epci=en_ligne.EPCI,
        sortie=sortie,
        catalogue=banc.catalogue,
        cache=cache or banc.cache,
        aujourdhui=AUJOURDHUI,
        reglages=PRESSE,
    )
    return telecharger_territoire(replace(demande, **options))


@pytest.fixture(scope="module")
def banc(territoire_petit, tmp_path_factory) -> Iterator[Banc]:
    dossier = tmp_path_factory.mktemp("en_ligne")
    with servir() as serveur:
        en_ligne.publier(serveur, territoire_petit, dossier)
        catalogue = en_ligne.ecrire_catalogue_local(serveur, dossier / "sources.toml")
        vide = Bilan("", "", dossier, 0, 0.0, (), 0.0, None, ())
        pret = Banc(
            serveur, catalogue, dossier / "cache", dossier / "territoire", vide, territoire_petit
        )
        bilan = demander(pret, pret.sortie)
        yield replace(pret, bilan=bilan, demandes=tuple(serveur.chemins()))


@pytest.fixture
def copie(banc, tmp_path) -> Banc:
    """Territoire et cache à soi, et un serveur remis d'aplomb à la fin."""
    shutil.copytree(banc.sortie, tmp_path / "territoire")
    shutil.copytree(banc.cache, tmp_path / "cache")
    contenus, redirections = dict(banc.serveur.contenus), dict(banc.serveur.redirections)
    banc.serveur.requetes.clear()
    yield replace(banc, sortie=tmp_path / "territoire", cache=tmp_path / "cache")
    banc.serveur.contenus, banc.serveur.redirections = contenus, redirections
    banc.serveur.fautes.clear()


def statuts(bilan: Bilan) -> dict[str, Statut]:
    return {s.id: s.statut for s in bilan.sources}


def etat(bilan: Bilan, identifiant: str):
    return next(s for s in bilan.sources if s.id == identifiant)


def lire_texte(chemin: Path, **options: object) -> pd.DataFrame:
    return pd.read_csv(chemin, dtype="str", keep_default_na=False, **options)


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


# --- recommencer ------------------------------------------------------------------------


def test_recommencer_ne_redemande_que_ce_qui_manque(copie):
    bilan = demander(copie, copie.sortie)
    assert all(re.search(r"di_99|Dept_", chemin) for chemin in copie.serveur.chemins())
    assert statuts(bilan)["bpe"] is Statut.A_JOUR
    assert bilan.changements == ()


def test_un_autre_territoire_partage_le_cache(copie, tmp_path):
    demander(copie, tmp_path / "autre")
    assert all(re.search(r"di_99|Dept_", chemin) for chemin in copie.serveur.chemins())
    assert (tmp_path / "autre" / "bpe.csv").read_bytes() == (copie.sortie / "bpe.csv").read_bytes()


def test_hors_ligne_rien_ne_part_sur_le_reseau(copie, tmp_path):
    bilan = demander(copie, tmp_path / "autre", hors_ligne=True)
    assert copie.serveur.requetes == []
    assert bilan.manques_obligatoires == ()
    assert "Hors ligne" in etat(bilan, "nappes").message


def test_un_cache_vide_hors_ligne_dit_ou_poser_les_communes(copie, tmp_path):
    with pytest.raises(ErreurDonnees, match="Hors ligne") as faute:
        demander(copie, tmp_path / "autre", cache=tmp_path / "rien", hors_ligne=True)
    assert str(tmp_path / "autre" / "communes.geojson") in str(faute.value)


def test_un_cache_allege_ne_fait_rien_redemander(copie, monkeypatch):
    monkeypatch.setattr("donnees_geo.telechargement.execution.GROS_FICHIER_OCTETS", 40_000)
    (copie.sortie / "bpe.csv").unlink()
    avant = sum(f.stat().st_size for f in copie.cache.rglob("contenu.*"))
    demander(copie, copie.sortie, alleger=True)
    assert sum(f.stat().st_size for f in copie.cache.rglob("contenu.*")) < avant
    copie.serveur.requetes.clear()
    assert statuts(demander(copie, copie.sortie))["bpe"] is Statut.A_JOUR
    assert not [c for c in copie.serveur.chemins() if "BPE" in c]


def test_simuler_dit_les_tailles_et_n_ecrit_rien(copie, tmp_path):
    bilan = demander(copie, tmp_path / "neuf", cache=tmp_path / "c", simuler=True)
    assert not (tmp_path / "neuf").exists()
    assert etat(bilan, "bpe").taille_octets == len(
        copie.serveur.contenus[en_ligne.CHEMIN_BPE]
    )  # fmt: skip
    assert etat(bilan, "bpe").statut is Statut.PREVU
    assert not etat(bilan, "bpe").verifie
    assert en_ligne.CHEMIN_BPE in copie.serveur.chemins("HEAD")
    assert en_ligne.CHEMIN_BPE not in copie.serveur.chemins("GET")
    assert "seulement si" in etat(bilan, "gtfs_sncf").message
    deja = demander(copie, tmp_path / "neuf", simuler=True)
    assert etat(deja, "bpe").statut is Statut.A_JOUR


def test_rafraichir_dit_ce_qui_a_change(copie):
    zipe = copie.serveur.contenus[en_ligne.CHEMIN_BPE]
    bpe = lire_texte(copie.demo / "BPE24.csv", sep=";").iloc[1:]
    copie.serveur.contenus[en_ligne.CHEMIN_BPE] = en_ligne.zipper(
        {"BPE25.csv": bpe.to_csv(sep=";", index=False, quoting=1).encode()}
    )
    assert zipe != copie.serveur.contenus[en_ligne.CHEMIN_BPE]
    bilan = demander(copie, copie.sortie, rafraichir=True)
    (phrase,) = bilan.changements
    assert phrase.startswith("Base permanente des équipements")
    assert "contenu du territoire changé" in phrase
    assert len(lire_texte(copie.sortie / "bpe.csv", sep=";")) == len(bpe)
    assert demander(copie, copie.sortie, rafraichir=True).changements == ()


def test_rafraichir_retire_un_flux_qui_n_est_plus_publie(copie):
    chemin = f"{en_ligne.TRANSPORT}/api/datasets"
    jeux = json.loads(copie.serveur.contenus[chemin])
    copie.serveur.contenus[chemin] = json.dumps(
        [j for j in jeux if j["title"] != "Trains" and "agreges" not in j["title"]]
    ).encode()
    bilan = demander(copie, copie.sortie, rafraichir=True)
    assert etat(bilan, "gtfs").fichiers == ("gtfs/bus-du-val-1.zip",)
    assert "gtfs/trains-1.zip n'est plus publié" in " ".join(bilan.changements)


def test_une_marge_differente_refait_la_decoupe(copie):
    bilan = demander(copie, copie.sortie, marge_m=2_000.0, seulement=("osm", "communes"))
    assert statuts(bilan) == {"communes": Statut.RECU, "osm": Statut.RECU}
    assert any("emprise différente" in c for c in bilan.changements)
    manifeste = tomllib.loads(bilan.manifeste.read_text(encoding="utf-8"))
    assert manifeste["services"]["bpe"] == "bpe.csv"  # les autres sources restent citées


# --- pannes et refus --------------------------------------------------------------------


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


def test_un_manifeste_modifie_n_est_jamais_remplace(copie):
    manifeste = copie.sortie / "territoire.toml"
    modifie = manifeste.read_text(encoding="utf-8").replace(en_ligne.NOM, "Mon territoire")
    manifeste.write_text(modifie, encoding="utf-8")
    (copie.sortie / "secteurs.csv").write_text("code_commune;secteur\n00001;Sud\n", "utf-8")
    bilan = demander(copie, copie.sortie)
    assert manifeste.read_text(encoding="utf-8") == modifie
    propose = (copie.sortie / "territoire.propose.toml").read_text(encoding="utf-8")
    assert 'secteurs = "secteurs.csv"' in propose
    assert statuts(bilan)["secteurs"] is Statut.A_LA_MAIN


def test_un_fichier_modifie_a_la_main_est_garde(copie):
    friches = copie.sortie / "friches.csv"
    friches.write_text(friches.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    modifie = friches.read_bytes()
    bilan = demander(copie, copie.sortie, rafraichir=True)
    assert statuts(bilan)["friches"] is Statut.A_LA_MAIN
    assert friches.read_bytes() == modifie


def test_une_interruption_ne_fait_pas_passer_un_fichier_pour_pose_a_la_main(
    copie, tmp_path, monkeypatch
):
    seulement = ("communes", "gtfs")
    vrai = Reception._juger_flux

    def interrompre(self, objet, morceau):
        if "trains" in morceau.fichier:
            raise KeyboardInterrupt
        return vrai(self, objet, morceau)

    monkeypatch.setattr(Reception, "_juger_flux", interrompre)
    with pytest.raises(KeyboardInterrupt):
        demander(copie, tmp_path / "neuf", seulement=seulement)
    assert (tmp_path / "neuf" / "gtfs" / "bus-du-val-1.zip").is_file()
    monkeypatch.undo()
    bilan = demander(copie, tmp_path / "neuf", seulement=seulement)
    assert statuts(bilan) == {"communes": Statut.A_JOUR, "gtfs": Statut.RECU}
    trace = json.loads((tmp_path / "neuf" / "telechargement.json").read_text(encoding="utf-8"))
    assert {f["fichier"] for f in trace["fichiers"]} == {
        "communes.geojson", "gtfs/bus-du-val-1.zip", "gtfs/trains-1.zip",
    }  # fmt: skip


def test_une_trace_abimee_est_dite(copie):
    (copie.sortie / "telechargement.json").write_text("{", encoding="utf-8")
    with pytest.raises(ErreurDonnees, match="trace du téléchargement est illisible"):
        demander(copie, copie.sortie)

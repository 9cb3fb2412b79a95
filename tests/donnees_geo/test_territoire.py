"""Vérifier, préparer, charger : contenu, reprise sans travail, fautes, interruptions."""

import dataclasses
import json
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from donnees_geo.configuration import lire_manifeste, lire_parametres
from donnees_geo.erreurs import ErreurDonnees, Gravite
from donnees_geo.schemas import SCHEMAS
from donnees_geo.territoire import (
    Territoire,
    charger_territoire,
    preparer_territoire,
    verifier_territoire,
)
from donnees_geo.territoire.demande import calculer_marge_m
from tests.fabriques.sources_territoire import ecrire_sources

RACINE = Path(__file__).parents[2]
DONNEES = RACINE.parent / "shared" / "donnees"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Manifeste d'un territoire sain, à ne pas modifier."""
    return ecrire_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module")
def territoire(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Territoire:
    dossier = tmp_path_factory.mktemp("prepare") / "t"
    preparer_territoire(lire_manifeste(sources), dossier)
    return charger_territoire(dossier)


def empreinte_du_contenu(dossier: Path) -> dict[str, bytes]:
    return {
        p.relative_to(dossier).as_posix(): p.read_bytes()
        for p in sorted(dossier.rglob("*"))
        if p.is_file() and not p.relative_to(dossier).parts[0].startswith(".")
    }


def test_contenu_du_territoire(territoire: Territoire) -> None:
    assert (territoire.nom, territoire.crs, territoire.fictif) == (
        "Val d'Essai",
        "EPSG:2154",
        True,
    )
    assert territoire.communes["code_commune"].tolist() == ["62001", "62002"]
    assert territoire.communes["secteur"].tolist() == ["Nord", "Sud"]
    assert territoire.communes["code_bassin_de_vie"].tolist() == ["", ""]
    par_commune = territoire.carreaux.groupby("code_commune")["population_hab"].sum()
    assert par_commune.to_dict() == {"62001": 300.0, "62002": 100.0}
    assert territoire.carreaux["ind_80p"].sum() == 4
    assert territoire.carreaux["surface_m2"].tolist() == pytest.approx([40_000] * 4, rel=0.01)
    equipements = territoire.equipements.set_index("service")
    assert equipements["source"].to_dict() == {
        "mairie": "bpe",
        "medecin": "bpe",
        "restaurant": "osm",
        "espace_naturel": "osm",
        "marche": "marches.geojson",
    }
    assert equipements["effectif"]["medecin"] == 2
    assert territoire.contour.area == pytest.approx(4e6, rel=1e-4)
    assert territoire.reseau.nombre_noeuds == 117  # 11 × 11 moins les 4 coins, simplifiés
    assert territoire.offre is None
    assert set(territoire.couches) == {"commerces", "marches"}
    assert len(gpd.read_parquet(territoire.couches["marches"])) == 1
    assert {s.cle for s in territoire.sources} >= {"reseau.osm", "services.bpe"}
    assert all(re.fullmatch("[0-9a-f]{64}", s.empreinte) for s in territoire.sources)
    assert territoire.a_population


def test_tables_selon_les_schemas(territoire: Territoire) -> None:
    for nom, schema in SCHEMAS.items():
        table = getattr(territoire, nom)
        for colonne, (genre, _) in schema.colonnes.items():
            assert str(table[colonne].dtype) == genre, f"{nom}.{colonne}"
        assert table.index.tolist() == list(range(len(table)))
        if schema.geometrie:
            assert set(table.geom_type) <= set(schema.geometrie), nom
            assert table.crs.to_epsg() == 2154


def test_point_de_demande_au_centre_du_carreau(territoire: Territoire) -> None:
    centres = territoire.carreaux.geometry.centroid
    assert territoire.carreaux["x"].to_numpy() == pytest.approx(centres.x.to_numpy())
    assert territoire.carreaux["y"].to_numpy() == pytest.approx(centres.y.to_numpy())


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


def test_charger_autre_chose(tmp_path: Path, territoire: Territoire) -> None:
    with pytest.raises(ErreurDonnees, match=r"n'est pas un territoire[\s\S]*dossier absent"):
        charger_territoire(tmp_path / "rien")
    with pytest.raises(ErreurDonnees, match="n'est pas un territoire préparé"):
        charger_territoire(tmp_path)
    (tmp_path / "territoire.json").write_text('{"version": 0}')
    with pytest.raises(ErreurDonnees, match=r"autre version[\s\S]*version 0"):
        charger_territoire(tmp_path)
    (tmp_path / "territoire.json").write_text("{")
    with pytest.raises(ErreurDonnees, match="Index de territoire illisible"):
        charger_territoire(tmp_path)


# ---- Sources fautives : un constat bloquant chacune, rien d'écrit -------------------


def changer_manifeste(avant: str, apres: str) -> Callable[[Path], None]:
    def changer(dossier: Path) -> None:
        chemin = dossier / "territoire.toml"
        texte = chemin.read_text(encoding="utf-8")
        assert avant in texte
        chemin.write_text(texte.replace(avant, apres), encoding="utf-8")

    return changer


def changer_fichier(nom: str, avant: str, apres: str) -> Callable[[Path], None]:
    def changer(dossier: Path) -> None:
        texte = (dossier / nom).read_text(encoding="utf-8")
        assert avant in texte
        (dossier / nom).write_text(texte.replace(avant, apres), encoding="utf-8")

    return changer


def tronquer(nom: str, part: float) -> Callable[[Path], None]:
    def couper(dossier: Path) -> None:
        octets = (dossier / nom).read_bytes()
        (dossier / nom).write_bytes(octets[: int(part * len(octets))])

    return couper


def doubler_commune(dossier: Path) -> None:
    communes = gpd.read_file(dossier / "communes.geojson")
    communes["code"] = "62001"
    communes.to_file(dossier / "communes.geojson")


def vider_geometries(dossier: Path) -> None:
    communes = gpd.read_file(dossier / "communes.geojson")
    communes.geometry = [None, None]
    communes.to_file(dossier / "communes.geojson")


def population_vide(dossier: Path) -> None:
    changer_fichier("carreaux_200m_met.csv", "200.0", "")(dossier)


FAUTES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "extrait OSM tronqué": (tronquer("rues.osm.pbf", 0.6), "reseau.osm", "tronqué|illisible"),
    "extrait OSM vide": (tronquer("rues.osm.pbf", 0), "reseau.osm", "vide"),
    "CRS d'un autre continent": (
        changer_manifeste("EPSG:2154", "EPSG:32722"),
        "decoupage.communes",
        r"EPSG:32722 ne convient pas|ne se projettent pas",
    ),
    "communes répétées": (doubler_commune, "decoupage.communes", r"répété[\s\S]*62001"),
    "géométries vides": (vider_geometries, "decoupage.communes", "n'a de géométrie"),
    "secteur d'une commune inconnue": (
        changer_fichier("secteurs.csv", "62002", "62999"),
        "decoupage.secteur",
        r"62002[\s\S]*62999",
    ),
    "mauvais séparateur": (
        changer_fichier("secteurs.csv", ";", " "),
        "decoupage.secteur",
        r"code_commune \(noms cherchés : codgeo, code_commune",
    ),
    "population négative": (
        changer_fichier("carreaux_200m_met.csv", "200.0", "-200.0"),
        "population",
        "Population négative dans 1",
    ),
    "population vide": (population_vide, "population", "Population vide dans 1"),
    "colonne de population absente": (
        changer_fichier("carreaux_200m_met.csv", ",ind,", ",habitants,"),
        "population",
        "noms cherchés : ind, ind_c",
    ),
    "BPE sans coordonnées": (
        changer_fichier("BPE24.csv", "LAMBERT_X;", "X_L93;"),
        "services.bpe",
        "noms cherchés : LAMBERT_X",
    ),
    "service inconnu": (
        changer_manifeste('service = "marche"', 'service = "marches"'),
        "services.fichiers (marches)",
        "vouliez-vous « marche »",
    ),
    "fichier libre illisible": (tronquer("marches.geojson", 0.4), "services.fichiers", "tronquée"),
}


@pytest.mark.parametrize("nom", FAUTES)
def test_source_fautive(tmp_path: Path, nom: str) -> None:
    abimer, objet, attendu = FAUTES[nom]
    chemin = ecrire_sources(tmp_path / "s")
    abimer(tmp_path / "s")
    manifeste = lire_manifeste(chemin)
    bloquants = [c for c in verifier_territoire(manifeste) if c.gravite is Gravite.BLOQUANT]
    concernes = [c for c in bloquants if c.objet.startswith(objet)]
    assert concernes, bloquants
    assert re.search(attendu, concernes[0].message), concernes[0].message
    assert "Traceback" not in concernes[0].message
    with pytest.raises(ErreurDonnees, match="bloquant"):
        preparer_territoire(manifeste, tmp_path / "t")
    assert not (tmp_path / "t").exists()


def test_toutes_les_fautes_en_une_verification(tmp_path: Path) -> None:
    chemin = ecrire_sources(tmp_path / "s")
    for nom in ("population négative", "service inconnu", "secteur d'une commune inconnue"):
        FAUTES[nom][0](tmp_path / "s")
    (tmp_path / "s" / "BPE24.csv").unlink()
    constats = verifier_territoire(lire_manifeste(chemin, exiger_fichiers=False))
    bloquants = [c for c in constats if c.gravite is Gravite.BLOQUANT]
    assert {c.objet for c in bloquants} == {
        "population",
        "services.fichiers (marches)",
        "decoupage.secteur",
        "services.bpe",
    }
    graves = [list(Gravite).index(c.gravite) for c in constats]
    assert graves == sorted(graves)


def test_couche_thematique_fautive_laissee_de_cote(tmp_path: Path) -> None:
    chemin = ecrire_sources(tmp_path / "s")
    (tmp_path / "s" / "autre.geojson").write_text("{")
    changer_manifeste("[couches]", '[couches]\npistes = "autre.geojson"')(tmp_path / "s")
    bilan = preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    assert any(
        c.objet == "couches.pistes" and "laissée de côté" in c.message for c in bilan.constats
    )
    assert set(charger_territoire(tmp_path / "t").couches) == {"commerces", "marches"}


# ---- Territoires incomplets ----------------------------------------------------------


def test_sans_population(tmp_path: Path) -> None:
    chemin = ecrire_sources(tmp_path / "s")
    changer_manifeste('[population]\nfichier = "carreaux_200m_met.csv"\n', "")(tmp_path / "s")
    bilan = preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    charge = charger_territoire(tmp_path / "t")
    assert len(charge.carreaux) == 100  # 2 km de côté, carrés de 200 m calés sur la grille
    assert charge.carreaux["population_hab"].isna().all()
    assert not charge.a_population
    assert any("parts de surface" in c.message for c in bilan.constats)


def test_population_repartie_sur_les_batiments(tmp_path: Path) -> None:
    chemin = ecrire_sources(tmp_path / "s")
    changer_manifeste('fichier = "carreaux_200m_met.csv"', 'methode = "batiments"')(tmp_path / "s")
    preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    carreaux = charger_territoire(tmp_path / "t").carreaux
    assert carreaux["population_hab"].tolist() == pytest.approx([310, 95])
    assert carreaux["code_commune"].tolist() == ["62001", "62002"]


def test_sans_decoupage_une_seule_zone(tmp_path: Path) -> None:
    chemin = ecrire_sources(tmp_path / "s")
    carreaux = gpd.GeoDataFrame(
        {"hab": [7, 5]},
        geometry=[
            shapely.box(680_400, 7_050_400, 680_600, 7_050_600),
            shapely.box(680_600, 7_050_400, 680_800, 7_050_600),
        ],
        crs=2154,
    )
    carreaux.to_file(tmp_path / "s" / "p.gpkg")
    changer_manifeste('communes = "communes.geojson"\nsecteurs = "secteurs.csv"', "")(
        tmp_path / "s"
    )
    changer_manifeste('"carreaux_200m_met.csv"', '"p.gpkg"\ncolonne = "hab"')(tmp_path / "s")
    preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    charge = charger_territoire(tmp_path / "t")
    assert charge.communes["nom"].tolist() == ["Val d'Essai"]
    assert charge.communes["population_hab"].tolist() == [12.0]
    assert set(charge.carreaux["code_commune"]) == set(charge.communes["code_commune"])
    assert charge.contour.area == pytest.approx(80_000)
    # Les rues et le café, au-delà du contour, sont gardés.
    assert charge.reseau.nombre_noeuds == 117
    assert "restaurant" in set(charge.equipements["service"])


def test_osm_seul(tmp_path: Path) -> None:
    ecrire_sources(tmp_path / "s")
    chemin = tmp_path / "s" / "seul.toml"
    chemin.write_text('nom = "Seul"\ncrs = "EPSG:2154"\n[reseau]\nosm = "rues.osm.pbf"\n')
    preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    charge = charger_territoire(tmp_path / "t")
    assert len(charge.carreaux) == 100
    assert len(charge.equipements) == 0


def test_emprise_par_communes_et_par_rectangle(tmp_path: Path) -> None:
    chemin = ecrire_sources(tmp_path / "s")
    texte = chemin.read_text(encoding="utf-8")
    chemin.write_text(texte + '[[emprise]]\ncommunes = ["62002"]\n', encoding="utf-8")
    preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    charge = charger_territoire(tmp_path / "t")
    assert charge.carreaux["population_hab"].sum() == 100
    # Les services de l'autre commune comptent toujours.
    assert "mairie" in set(charge.equipements["service"])
    ouest, sud, est, nord = (
        gpd.GeoSeries([shapely.box(680_000, 7_050_000, 682_000, 7_051_000)], crs=2154)
        .to_crs(4326)
        .total_bounds
    )
    chemin.write_text(
        texte + f"[[emprise]]\nrectangle = [{ouest}, {sud}, {est}, {nord}]\n", encoding="utf-8"
    )
    preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    charge = charger_territoire(tmp_path / "t")
    assert charge.carreaux["population_hab"].sum() == 160  # les deux quarts du sud
    assert any("2 commune(s) coupées" in c.message for c in charge.constats)


def test_marge_calculee_ou_dite() -> None:
    parametres = lire_parametres()
    assert calculer_marge_m(dataclasses.replace(parametres, marge_m=None)) == 3_750
    assert calculer_marge_m(dataclasses.replace(parametres, marge_m=0.0)) == 0


def test_index_lisible_et_sans_chemin_de_l_auteur(territoire: Territoire) -> None:
    assert territoire.dossier is not None
    texte = (territoire.dossier / "territoire.json").read_text(encoding="utf-8")
    assert json.loads(texte)["version"] >= 1
    assert str(territoire.dossier.parent) not in texte


# ---- Données réelles -----------------------------------------------------------------


@pytest.mark.skipif(not DONNEES.is_dir(), reason="données réelles absentes (../shared/donnees)")
def test_nantes_population_sur_batiments(tmp_path: Path) -> None:
    ouest, sud, est, nord = -1.575, 47.199, -1.536, 47.222
    gpd.GeoDataFrame(
        {"code": ["zone"], "nom": ["Centre"], "population": [20_000]},
        geometry=[shapely.box(ouest, sud, est, nord)],
        crs=4326,
    ).to_file(tmp_path / "zone.geojson")
    chemin = tmp_path / "nantes.toml"
    chemin.write_text(
        f"""nom = "Centre"
crs = "EPSG:2154"
[reseau]
osm = "{(DONNEES / "nantes/nantes_subset.osm.pbf").as_posix()}"
[decoupage]
communes = "zone.geojson"
[population]
methode = "batiments"
[services]
osm = true
[transport]
gtfs = "{(DONNEES / "nantes/semitan_nantes_2014.zip").as_posix()}"
date_service = 2014-05-13
""",
        encoding="utf-8",
    )
    bilan = preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    assert [c for c in bilan.constats if c.gravite is Gravite.BLOQUANT] == []
    charge = charger_territoire(tmp_path / "t")
    assert charge.carreaux["population_hab"].sum() == pytest.approx(20_000)
    assert 150 < len(charge.carreaux) < 260  # 7,4 km² en carrés de 200 m, la Loire en moins
    comptes = charge.equipements["service"].value_counts()
    assert comptes["boulangerie"] > 20
    assert comptes["restaurant"] > 200
    assert charge.offre is not None
    assert {s.date_donnees for s in charge.sources if s.cle == "transport.gtfs"} != {""}


@pytest.mark.skipif(not DONNEES.is_dir(), reason="données réelles absentes (../shared/donnees)")
def test_porto_alegre_sans_decoupage(tmp_path: Path) -> None:
    source = DONNEES / "porto_alegre"
    chemin = tmp_path / "poa.toml"
    chemin.write_text(
        f"""nom = "Porto Alegre"
crs = "EPSG:32722"
[reseau]
osm = "{(source / "poa_osm.pbf").as_posix()}"
[population]
fichier = "{(source / "poa_hexgrid.csv").as_posix()}"
colonne = "population"
[services]
osm = true
[relief]
mnt = "{(source / "poa_elevation.tif").as_posix()}"
""",
        encoding="utf-8",
    )
    preparer_territoire(lire_manifeste(chemin), tmp_path / "t")
    charge = charger_territoire(tmp_path / "t")
    assert len(charge.carreaux) == 1227
    assert charge.communes["population_hab"].tolist() == [charge.carreaux["population_hab"].sum()]
    assert charge.reseau.geometrie_altitude_m is not None
    assert np.isfinite(charge.reseau.geometrie_altitude_m).mean() > 0.9


@pytest.mark.skipif(not DONNEES.is_dir(), reason="données réelles absentes (../shared/donnees)")
def test_crs_d_un_autre_pays_sur_donnees_reelles(tmp_path: Path) -> None:
    chemin = tmp_path / "c.toml"
    chemin.write_text(
        f"""nom = "X"
crs = "EPSG:32722"
[decoupage]
communes = "{(DONNEES / "cabbalr/communes_cabbalr.geojson").as_posix()}"
""",
        encoding="utf-8",
    )
    constats = verifier_territoire(lire_manifeste(chemin))
    assert any(c.gravite is Gravite.BLOQUANT and "EPSG:32722" in c.message for c in constats), (
        constats
    )

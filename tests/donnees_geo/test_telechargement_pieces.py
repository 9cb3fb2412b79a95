"""Catalogue, adresses, délimitation et découpes, pièce par pièce ; le vrai EPCI de Béthune."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import osmium
import pandas as pd
import pytest
import rasterio
import shapely

from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees
from donnees_geo.osm.decoupe import decouper_extraits
from donnees_geo.relief import assembler_dalles
from donnees_geo.telechargement import Demande, Statut, lire_catalogue, telecharger_territoire
from donnees_geo.telechargement.adresses import (
    decouper_dalles,
    developper,
    flux_transport,
    ressources_datagouv,
)
from donnees_geo.telechargement.catalogue import CHEMIN_DEFAUT, Catalogue, SourceOuverte
from donnees_geo.telechargement.cible import Cible
from donnees_geo.telechargement.client import Reglages
from donnees_geo.zonages import lire_zonage
from tests.fabriques.donnees_en_ligne import ecrire_catalogue_local, jeu_transport, zipper
from tests.fabriques.serveur_http import servir

BETHUNE = Path(__file__).resolve().parents[3] / "shared" / "donnees" / "cabbalr"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return lire_catalogue()


@pytest.fixture
def cible() -> Cible:
    communes = gpd.GeoDataFrame(
        {"code_commune": ["62119"], "nom": ["Béthune"], "population_hab": [25_000.0]},
        geometry=[shapely.box(670_000, 7_045_000, 680_000, 7_050_000)],
        crs="EPSG:2154",
    )
    return Cible(
        "200072460", "Essai", "EPSG:2154", communes, communes.union_all().buffer(1_000), 1_000.0,
        ("59", "62"), frozenset({"200072460", "62119", "59", "62", "32", "FR"}),
    )  # fmt: skip


# --- catalogue --------------------------------------------------------------------------


def test_le_catalogue_du_programme_couvre_tous_les_departements(catalogue):
    codes = [c for groupe in catalogue.regions.values() for c in groupe]
    metropole = [f"{n:02d}" for n in range(1, 96) if n != 20] + ["2A", "2B"]
    assert sorted(codes) == sorted([*metropole, "971", "972", "973", "974", "976"])


def test_chaque_source_dit_son_credit_et_n_a_rien_d_invente(catalogue):
    for source in catalogue.sources:
        assert source.licence
        assert source.mention
        assert not source.verifie  # rien n'a pu être essayé : tout est dit « non vérifié »
        assert all(a.startswith("https://") for a in source.adresses)
    assert {s.id for s in catalogue.sources if s.obligatoire} == {
        "communes", "osm", "carreaux", "bpe",
    }  # fmt: skip


def test_aucune_adresse_n_est_dans_le_code():
    fautes = []
    for fichier in CHEMIN_DEFAUT.parent.parent.joinpath("donnees_geo/telechargement").glob("*.py"):
        for ligne in fichier.read_text(encoding="utf-8").splitlines():
            if re.search(r"https?://\w", ligne):
                fautes.append(f"{fichier.name} : {ligne.strip()}")
    assert fautes == []


MINIMUM = """
[crs]
defaut = "EPSG:2154"
[regions_geofabrik]
[[source]]
id = "communes"
titre = "t"
producteur = "p"
millesime = "m"
licence = "l"
mention = "c"
page = "x"
fichier = "communes.geojson"
"""
CORPS = 'etendue = "epci"\nformat = "geojson"\ntraitement = "telle_quelle"\n'
ADRESSE = 'adresses = ["https://exemple.fr/{epci}"]\n'


def lire(tmp_path: Path, texte: str) -> Catalogue:
    chemin = tmp_path / "sources.toml"
    chemin.write_text(texte, encoding="utf-8")
    return lire_catalogue(chemin)


def test_un_catalogue_minimal_se_lit(tmp_path):
    (source,) = lire(tmp_path, MINIMUM + CORPS + ADRESSE).sources
    assert source.adresses == ("https://exemple.fr/{epci}",)
    assert source.taille_max_octets == 512 * 1024**2


@pytest.mark.parametrize(
    ("texte", "message"),
    [
        (MINIMUM + CORPS, "au moins une adresse"),
        (MINIMUM + CORPS + 'adresses = ["https://x.fr/{departement}"]', "champ {departement}"),
        (MINIMUM + CORPS + 'adresses = ["https://x.fr/{epci"]', "accolades mal écrites"),
        (MINIMUM + CORPS + 'adresses = ["file:///etc/passwd"]', "http:// ou https://"),
        (MINIMUM + CORPS + ADRESSE + "tail_max = 1", "clé « tail_max » inconnue"),
        (MINIMUM + CORPS + ADRESSE + 'motif = "("', "expression régulière fautive"),
        (MINIMUM + CORPS + ADRESSE + 'cle = "decoupages.communes"', "section.clé"),
        (MINIMUM + CORPS + ADRESSE + 'secours_de = "rien"', "secours_de « rien » inconnu"),
        (MINIMUM + CORPS + ADRESSE + 'requete = "{nord}"', "champ {nord} inconnu"),
        (MINIMUM + CORPS + ADRESSE + 'variante_de = "communes"', "vont ensemble"),
        (
            MINIMUM + CORPS + ADRESSE + 'variante_de = "rien"\nsurface_max_km2 = 1',
            "variante_de « rien » inconnu",
        ),
        (MINIMUM.replace("communes.geojson", "../x") + CORPS + ADRESSE, "rester dans le dossier"),
        ((MINIMUM + CORPS + ADRESSE).replace('id = "communes"', 'id = "x"'), "rien ne délimite"),
        (MINIMUM + CORPS.replace("geojson", "docx") + ADRESSE, "valeur « docx » inconnue"),
    ],
)
def test_un_catalogue_fautif_est_dit(texte, message, tmp_path):
    with pytest.raises(ErreurConfiguration, match=re.escape(message)):
        lire(tmp_path, texte)


# --- adresses ---------------------------------------------------------------------------


def source_de(catalogue: Catalogue, identifiant: str) -> SourceOuverte:
    source = catalogue.source(identifiant)
    assert source is not None
    return source


def test_une_adresse_par_departement_touche(catalogue, cible):
    (morceau,) = developper(source_de(catalogue, "sirene"), cible, catalogue)
    noms = [p.adresses[0].rpartition("/")[2] for p in morceau.parts]
    assert noms == ["geo_siret_59.csv.gz", "geo_siret_62.csv.gz"]
    assert morceau.separables


def test_deux_departements_d_une_region_ne_font_qu_un_extrait(catalogue, cible):
    source = source_de(catalogue, "osm")
    (morceau,) = developper(source, cible, catalogue)
    assert [p.adresses[0].rpartition("/")[2] for p in morceau.parts] == [
        "nord-pas-de-calais-latest.osm.pbf"
    ]
    assert not morceau.separables
    (trois,) = developper(source, replace(cible, departements=("59", "62", "80")), catalogue)
    assert len(trois.parts) == 2


def test_un_departement_sans_region_est_dit(catalogue, cible):
    with pytest.raises(ErreurDonnees, match="sans région") as faute:
        developper(source_de(catalogue, "osm"), replace(cible, departements=("99",)), catalogue)
    assert "regions_geofabrik" in str(faute.value)


def test_les_dalles_couvrent_l_emprise_sans_se_recouvrir(catalogue, cible):
    bornes = (0.0, 0.0, 100_000.0, 50_000.0)
    dalles = decouper_dalles(bornes)
    boites = [shapely.box(x, y, x + 25 * c, y + 25 * r) for x, y, c, r in dalles]
    assert sum(b.area for b in boites) == shapely.union_all(boites).area
    assert shapely.union_all(boites).covers(shapely.box(*bornes))
    (morceau,) = developper(source_de(catalogue, "relief"), cible, catalogue)
    assert "CRS=EPSG:2154&BBOX=669000,7044000," in morceau.parts[0].adresses[0]


def test_la_pagination_garde_son_champ(catalogue, cible):
    (morceau,) = developper(source_de(catalogue, "plu"), cible, catalogue)
    assert morceau.parts[0].adresses[0].endswith("&COUNT=1000&STARTINDEX={debut}")


def test_la_ressource_la_plus_recente_est_choisie(catalogue):
    source = source_de(catalogue, "friches")
    reponse = {
        "resources": [
            {"title": "friches-standard-2024.csv", "url": "https://a", "last_modified": "2024"},
            {"title": "friches-surfaces.gpkg", "url": "https://c", "last_modified": "2027"},
            {
                "title": "édition 2026",
                "url": "https://b/friches-standard-2026.csv",
                "last_modified": "2026",
                "checksum": {"type": "sha1", "value": "ab"},
            },
        ]
    }
    (morceau,) = ressources_datagouv(source, reponse)
    assert morceau.parts[0].adresses == ("https://b/friches-standard-2026.csv",)
    assert morceau.parts[0].somme == ("sha1", "ab")


@pytest.mark.parametrize("reponse", [[], {}, {"resources": "x"}, {"resources": []}])
def test_une_reponse_de_data_gouv_d_une_autre_forme_est_dite(reponse, catalogue):
    with pytest.raises(ErreurDonnees, match=r"forme attendue|Aucune ressource"):
        ressources_datagouv(source_de(catalogue, "friches"), reponse)


def test_les_flux_se_choisissent_par_leur_ressort(catalogue, cible):
    source = source_de(catalogue, "gtfs")
    jeux = [
        jeu_transport("Tadao", "200072460", "https://t/1"),
        jeu_transport("Lille", "200093201", "https://t/2"),
        jeu_transport("Region", "32", "https://t/3"),
        jeu_transport("Perime", "62", "https://t/4", metadata={"end_date": "2026-03-01"}),
        jeu_transport("Dernier jour", "62", "https://t/5", metadata={"end_date": "2026-03-02"}),
        jeu_transport("Sans dates", "62", "https://t/6", metadata=None),
        jeu_transport("Eteint", "62", "https://t/7", is_available=False),
        jeu_transport("Double", "62", "https://t/1"),
        {"title": "Sans ressort", "covered_area": None, "resources": None},
    ]
    morceaux, laisses = flux_transport(source, jeux, cible, date(2026, 3, 2))
    adresses = [m.parts[0].adresses[0] for m in morceaux]
    assert sorted(adresses) == ["https://t/1", "https://t/3", "https://t/5", "https://t/6"]
    assert [re.sub(r".*\((.*)\)", r"\1", raison) for raison in laisses] == [
        "périmé depuis le 2026-03-01", "indisponible chez son producteur",
    ]  # fmt: skip
    assert all(re.fullmatch(r"gtfs/[a-z0-9-]+\.zip", m.fichier) for m in morceaux)
    with pytest.raises(ErreurDonnees, match="forme attendue"):
        flux_transport(source, {"erreur": 1}, cible, date(2026, 3, 2))


# --- découpe d'OpenStreetMap ------------------------------------------------------------


@pytest.fixture
def carte_osm(tmp_path) -> Path:
    """Dix noeuds en ligne, un par degré ; rue 0-9, rue 7-9, bois en deux voies, limite."""
    chemin = tmp_path / "carte.osm.pbf"
    mutable = osmium.osm.mutable
    with osmium.SimpleWriter(str(chemin)) as ecrit:
        for rang in range(10):
            ecrit.add_node(mutable.Node(id=rang + 1, version=1, location=(float(rang), 45.0)))
        voies = {1: [1, 2, 3, 4], 2: [8, 9, 10], 3: [4, 5], 4: [5, 6, 7], 5: [9, 10]}
        for identifiant, noeuds in voies.items():
            ecrit.add_way(mutable.Way(id=identifiant, version=1, nodes=noeuds))
        bois = {"type": "multipolygon", "natural": "wood"}
        limite = {"type": "boundary", "admin_level": "8"}
        for identifiant, tags, membres in ((1, bois, (3, 4)), (2, limite, (3, 5))):
            ecrit.add_relation(
                mutable.Relation(
                    id=identifiant,
                    version=1,
                    tags=tags,
                    members=[("w", m, "outer") for m in membres],
                )
            )
    return chemin


def contenu(chemin: Path) -> dict[str, list[int]]:
    trouves: dict[str, list[int]] = {"n": [], "w": [], "r": []}
    for objet in osmium.FileProcessor(str(chemin)):
        trouves[objet.type_str()].append(objet.id)
    return trouves


def test_les_voies_et_les_bois_touches_restent_entiers(carte_osm, tmp_path):
    sortie = tmp_path / "coupe.osm.pbf"
    decouper_extraits([carte_osm], (2.5, 44.0, 3.5, 46.0), sortie)
    # Seul le noeud 4 est dedans : la voie 1 et la voie 3 sont entières ; le bois est complété de sa
    # voie 4, la limite administrative ne l'est pas de la voie 5.
    assert contenu(sortie) == {"n": [1, 2, 3, 4, 5, 6, 7], "w": [1, 3, 4], "r": [1, 2]}


def test_une_region_vide_ne_gene_pas_sa_voisine(carte_osm, tmp_path):
    ailleurs = tmp_path / "ailleurs.osm.pbf"
    with osmium.SimpleWriter(str(ailleurs)) as ecrit:
        ecrit.add_node(osmium.osm.mutable.Node(id=99, version=1, location=(60.0, 10.0)))
    sortie = tmp_path / "coupe.osm.pbf"
    decouper_extraits([ailleurs, carte_osm], (2.5, 44.0, 3.5, 46.0), sortie)
    assert contenu(sortie)["w"] == [1, 3, 4]
    for fichiers in ([ailleurs], [ailleurs, ailleurs]):
        with pytest.raises(ErreurDonnees, match="aucun noeud dans le territoire"):
            decouper_extraits(fichiers, (2.5, 44.0, 3.5, 46.0), tmp_path / "rien.osm.pbf")


def test_un_extrait_tronque_est_dit(carte_osm, tmp_path):
    carte_osm.write_bytes(carte_osm.read_bytes()[:-20])
    with pytest.raises(ErreurDonnees, match="illisible"):
        decouper_extraits([carte_osm], (0.0, 44.0, 9.0, 46.0), tmp_path / "x.osm.pbf")


# --- relief -----------------------------------------------------------------------------


def ecrire_dalle(chemin: Path, altitudes: np.ndarray) -> Path:
    profil = {"driver": "GTiff", "count": 1, "dtype": "float32"}
    lignes, colonnes = altitudes.shape
    with rasterio.open(chemin, "w", width=colonnes, height=lignes, **profil) as sortie:
        sortie.write(altitudes.astype("float32"), 1)
    return chemin


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_les_dalles_se_posent_a_leur_place(tmp_path):
    ouest = ecrire_dalle(tmp_path / "o.tif", np.array([[1.0, 2.0]]))
    est = ecrire_dalle(tmp_path / "e.tif", np.array([[3.0]]))
    nord = ecrire_dalle(tmp_path / "n.tif", np.array([[4.0, -99999.0]]))
    dalles = [(est, (50, 0, 75, 25)), (ouest, (0, 0, 50, 25)), (nord, (0, 25, 50, 50))]
    assembler_dalles(dalles, "EPSG:2154", 25.0, tmp_path / "relief.tif")
    with rasterio.open(tmp_path / "relief.tif") as relief:
        assert relief.read(1).tolist() == [[4.0, -99999.0, -99999.0], [1.0, 2.0, 3.0]]
        assert relief.bounds == (0, 0, 75, 50)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_une_dalle_vide_ou_d_une_autre_taille_est_refusee(tmp_path):
    vide = ecrire_dalle(tmp_path / "v.tif", np.full((1, 1), -99999.0))
    with pytest.raises(ErreurDonnees, match="aucune altitude"):
        assembler_dalles([(vide, (0, 0, 25, 25))], "EPSG:2154", 25.0, tmp_path / "r.tif")
    with pytest.raises(ErreurDonnees, match="autre taille") as faute:
        assembler_dalles([(vide, (0, 0, 50, 25))], "EPSG:2154", 25.0, tmp_path / "r.tif")
    assert "2 × 1 pixels" in str(faute.value)


# --- le vrai EPCI -----------------------------------------------------------------------


def classeur_bassins(table: pd.DataFrame) -> bytes:
    """Classeur de l'INSEE : cinq lignes, l'en-tête, la composition communale."""
    classeur = openpyxl.Workbook()
    feuille = classeur.active
    feuille.title = "Composition_communale"
    for _ in range(5):
        feuille.append(["Base des bassins de vie 2022"])
    colonnes = ["CODGEO", "LIBGEO", "BV2022", "LIBBV2022", "DEP", "REG"]
    feuille.append(colonnes)
    for ligne in table[colonnes].itertuples(index=False):
        feuille.append(list(ligne))
    tampon = io.BytesIO()
    classeur.save(tampon)
    return tampon.getvalue()


def test_le_vrai_epci_de_bethune(tmp_path):
    if not BETHUNE.is_dir():
        pytest.skip("données réelles absentes (../shared/donnees/cabbalr)")
    base = "/geo.api.gouv.fr"
    communes = gpd.read_file(BETHUNE / "communes_cabbalr.geojson")
    departement = gpd.read_file(BETHUNE / "communes-62-pas-de-calais.geojson")
    # Les communes de 2018 sont simplifiées : le contour du 62 est leur réunion, celui du 59 le
    # reste d'un rectangle.
    pas_de_calais = departement.union_all().buffer(0.0005)
    rectangle = shapely.box(1.0, 49.5, 4.5, 51.5)
    contours = gpd.GeoDataFrame(
        {"code": ["62", "59"]},
        geometry=[pas_de_calais, rectangle.difference(pas_de_calais)],
        crs=4326,
    )
    bassins = pd.read_csv(BETHUNE / "appartenance_geo_2024_59_62.csv", dtype="str")
    with servir() as serveur:
        etalab = "/etalab-datasets.geo.data.gouv.fr/contours-administratifs/2025/geojson"
        insee = "/www.insee.fr/fr/statistiques/fichier/6676988/BV2022_au_01-01-2025.zip"
        serveur.contenus = {
            f"{base}/epcis/200072460": json.dumps({"nom": "Béthune-Bruay"}).encode(),
            f"{base}/epcis/200072460/communes": (BETHUNE / "communes_cabbalr.geojson").read_bytes(),
            f"{base}/departements/62/communes": (
                BETHUNE / "communes-62-pas-de-calais.geojson"
            ).read_bytes(),
            f"{etalab}/departements-100m.geojson": contours.to_json().encode(),
            insee: zipper({"BV2022_au_01-01-2025.xlsx": classeur_bassins(bassins)}),
        }
        bilan = telecharger_territoire(
            Demande(
                epci="200072460",
                sortie=tmp_path / "bethune",
                catalogue=ecrire_catalogue_local(serveur, tmp_path / "sources.toml"),
                cache=tmp_path / "cache",
                seulement=("communes", "communes_voisines", "bassins_de_vie"),
                reglages=Reglages(tentatives=1),
            )
        )
    assert (bilan.communes, bilan.population_hab) == (100, 275_736)
    assert bilan.departements == ("59", "62")  # la marge franchit la limite du Nord
    assert {s.id: s.statut for s in bilan.sources} == {
        "communes": Statut.RECU,
        "communes_voisines": Statut.PARTIEL,  # les communes du Nord ne sont pas servies
        "bassins_de_vie": Statut.RECU,
    }
    zones, _ = lire_zonage(
        tmp_path / "bethune" / "bassins_de_vie.csv", "bassin_de_vie", communes["code"].tolist()
    )
    assert zones["code_zone"].nunique() == 10
    attendus = pd.read_csv(BETHUNE / "bassins_de_vie_cabbalr.csv", dtype="str")
    attendus = attendus.set_index("CODGEO").loc[zones["code_commune"], "BV2022"]
    assert zones["code_zone"].tolist() == attendus.tolist()
    voisines = gpd.read_file(tmp_path / "bethune" / "communes_voisines.geojson")
    assert not set(voisines["code"]) & set(communes["code"])
    assert {"62498", "62014"} <= set(voisines["code"])  # Lens, Aire-sur-la-Lys

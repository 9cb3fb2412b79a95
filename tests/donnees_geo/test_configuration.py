"""Manifeste, paramètres et catalogue : lecture, fautes nommées, cohérence des fichiers livrés."""

import datetime
from pathlib import Path

import pytest

from donnees_geo.configuration import (
    decrire_parametres,
    lire_manifeste,
    lire_parametres,
    lire_services,
)
from donnees_geo.conventions import FONCTIONS, PALIERS
from donnees_geo.erreurs import ErreurConfiguration
from donnees_geo.reseau import CLASSES_VOIE

COMPLET = """
nom = "Val d'Essai"
crs = "EPSG:2154"
fictif = true
[reseau]
osm = "rues.osm.pbf"
[decoupage]
communes = "communes.geojson"
bassins_de_vie = "bv.csv"
[population]
fichier = "carreaux.gpkg"
[services]
bpe = "BPE24.csv"
osm = true
fichiers = [{service = "marche", fichier = "marches.geojson"}]
[transport]
gtfs = ["bus.zip", "train.zip"]
date_service = 2026-03-17
[couches]
friches = "friches.csv"
pistes_projet = "pistes.gpkg"
[relief]
mnt = "mnt.tif"
[[emprise]]
communes = ["62119"]
[[emprise]]
rectangle = [2.2, 50.3, 2.9, 50.7]
"""


def ecrire(dossier: Path, texte: str, *fichiers: str) -> Path:
    for nom in fichiers:
        (dossier / nom).write_text("", encoding="utf-8")
    chemin = dossier / "territoire.toml"
    chemin.write_text(texte, encoding="utf-8")
    return chemin


def test_manifeste_complet(tmp_path: Path) -> None:
    noms = "rues.osm.pbf communes.geojson bv.csv carreaux.gpkg BPE24.csv marches.geojson bus.zip"
    noms += " train.zip friches.csv pistes.gpkg mnt.tif"
    lu = lire_manifeste(ecrire(tmp_path, COMPLET, *noms.split()))
    assert (lu.nom, lu.crs, lu.fictif) == ("Val d'Essai", "EPSG:2154", True)
    assert lu.osm == tmp_path / "rues.osm.pbf"
    assert lu.population_methode == "carreaux"
    assert lu.services_fichiers[0].service == "marche"
    assert lu.gtfs == (tmp_path / "bus.zip", tmp_path / "train.zip")
    assert lu.date_service == datetime.date(2026, 3, 17)
    assert set(lu.couches) == {"friches", "pistes_projet"}
    assert lu.emprises[0].communes == ("62119",)
    assert lu.emprises[1].rectangle == (2.2, 50.3, 2.9, 50.7)


def test_toutes_les_fautes_en_une_fois(tmp_path: Path) -> None:
    texte = """
nom = "X"
crs = "EPSG:2154"
[reseau]
oms = "rues.osm.pbf"
[decoupage]
comunes = "c.geojson"
communes = "absent.geojson"
[population]
methode = "batiment"
"""
    with pytest.raises(ErreurConfiguration) as info:
        lire_manifeste(ecrire(tmp_path, texte))
    message = str(info.value)
    assert "[reseau] : clé « oms » inconnue ; vouliez-vous « osm » ?" in message
    assert "clé « comunes » inconnue ; vouliez-vous « communes » ?" in message
    assert "[population] methode : valeur « batiment » inconnue" in message
    assert f"fichier introuvable : {tmp_path / 'absent.geojson'} (decoupage.communes)" in message
    assert "4 faute(s)" in message


def test_section_inconnue(tmp_path: Path) -> None:
    texte = 'nom = "X"\ncrs = "EPSG:2154"\n[reseaux]\nosm = "a"\n[decoupage]\ncommunes = "c"\n'
    with pytest.raises(ErreurConfiguration, match=r"« reseaux » inconnue.*« reseau »"):
        lire_manifeste(ecrire(tmp_path, texte, "c"))


@pytest.mark.parametrize(
    ("crs", "attendu"),
    [
        ("EPSG:999999", "CRS inconnu"),
        ("EPSG:4326", "n'est pas métrique"),
        ("EPSG:2264", "pas en mètres"),  # Caroline du Nord, pieds
        ("bidon", "CRS inconnu"),
    ],
)
def test_crs_refuse(tmp_path: Path, crs: str, attendu: str) -> None:
    texte = f'nom = "X"\ncrs = "{crs}"\n[decoupage]\ncommunes = "c"\n'
    with pytest.raises(ErreurConfiguration, match=attendu):
        lire_manifeste(ecrire(tmp_path, texte, "c"))


def test_crs_obligatoire(tmp_path: Path) -> None:
    with pytest.raises(ErreurConfiguration, match="crs : clé obligatoire absente"):
        lire_manifeste(ecrire(tmp_path, 'nom = "X"\n[decoupage]\ncommunes = "c"\n', "c"))


@pytest.mark.parametrize(
    ("section", "attendu"),
    [
        ('[population]\nmethode = "batiments"', r"demande \[reseau\] osm"),
        ('[population]\nmethode = "couche"\nfichier = "c"', "nom de la colonne"),
        ("[services]\nosm = true", r"osm = true demande \[reseau\] osm"),
        ("[transport]\ndate_service = 2026-03-17", "demande .transport. gtfs"),
        ("[[emprise]]\nrectangle = [2.9, 50.3, 2.2, 50.7]", "ouest, sud, est, nord"),
        ('[services]\nfichiers = [{service = "marche"}]', "fichiers.1. fichier : clé obligatoire"),
        ('[transport]\ngtfs = "c"\ndate_service = "17/03/2026"', "AAAA-MM-JJ"),
    ],
)
def test_demandes_incoherentes(tmp_path: Path, section: str, attendu: str) -> None:
    texte = f'nom = "X"\ncrs = "EPSG:2154"\n[decoupage]\ncommunes = "c"\n{section}\n'
    with pytest.raises(ErreurConfiguration, match=attendu):
        lire_manifeste(ecrire(tmp_path, texte, "c"))


def test_manifeste_absent_et_syntaxe(tmp_path: Path) -> None:
    with pytest.raises(ErreurConfiguration, match="introuvable"):
        lire_manifeste(tmp_path / "rien.toml")
    with pytest.raises(ErreurConfiguration, match=r"syntaxe fautive[\s\S]*line 1"):
        lire_manifeste(ecrire(tmp_path, "nom = Béthune\n"))
    (tmp_path / "latin.toml").write_bytes('nom = "Béthune"\n'.encode("latin-1"))
    with pytest.raises(ErreurConfiguration, match="mal encodé"):
        lire_manifeste(tmp_path / "latin.toml")


def test_fichiers_absents_toleres_pour_la_verification(tmp_path: Path) -> None:
    texte = 'nom = "X"\ncrs = "EPSG:2154"\n[decoupage]\ncommunes = "absent.geojson"\n'
    lu = lire_manifeste(ecrire(tmp_path, texte), exiger_fichiers=False)
    assert lu.communes == tmp_path / "absent.geojson"


def test_parametres_du_programme() -> None:
    parametres = lire_parametres()
    assert parametres.vitesse_marche_kmh == 4.5
    assert parametres.vitesse_marche_senior_kmh == 3.6
    assert parametres.vitesse_velo_kmh == 15.0
    assert parametres.vitesse_vae_kmh == 20.0
    assert [(s.palier, s.seuil_s) for s in parametres.seuils] == [
        ("proximite", 900.0),
        ("intermediaire", 900.0),
        ("structurant", 1800.0),
    ]
    assert parametres.fenetre_tc_debut_s == 7 * 3600
    assert isinstance(parametres.trajets_max_tc, int)
    assert set(parametres.vitesses_voiture_kmh) == set(CLASSES_VOIE)


def test_chaque_parametre_porte_unite_et_source() -> None:
    fiches = decrire_parametres()
    assert len(fiches) >= 18
    assert [f.cle for f in fiches if not f.unite or not f.source] == []


def test_parametres_remplaces_un_a_un(tmp_path: Path) -> None:
    chemin = tmp_path / "p.toml"
    chemin.write_text(
        "[vitesses]\nvitesse_marche_kmh = 5\n[vitesses_voiture_kmh]\nmotorway = 100\n",
        encoding="utf-8",
    )
    defaut, propre = lire_parametres(), lire_parametres(chemin)
    assert propre.vitesse_marche_kmh == 5.0
    assert propre.vitesses_voiture_kmh["motorway"] == 100.0
    assert propre.vitesses_voiture_kmh["primary"] == defaut.vitesses_voiture_kmh["primary"]
    assert propre.vitesse_velo_kmh == defaut.vitesse_velo_kmh
    assert propre.seuils == defaut.seuils
    fiche = next(f for f in decrire_parametres(chemin) if f.cle == "vitesse_marche_kmh")
    assert (fiche.valeur, fiche.unite, fiche.source) == ("5", "km/h", "fichier p.toml")


@pytest.mark.parametrize(
    ("texte", "attendu"),
    [
        ("[vitesses]\nvitesse_marche = 5\n", "vouliez-vous « vitesse_marche_kmh »"),
        ("[vitesses]\nvitesse_marche_kmh = 1.25e3\n", "entre 0.5 et 12"),
        ("[vitesses]\npente = 1\n", "true ou false"),
        ("[vitesses_voiture_kmh]\nautoroute = 110\n", "« autoroute » inconnue"),
        ("[transport_collectif]\ntrajets_max_tc = 2.5\n", "un entier entre 1 et 20"),
        ("[transport_collectif]\ncentiles_tc = [50, 5]\n", "liste croissante"),
        ('[[seuils]]\npalier = "proximite"\nseuil_s = 900\nmodes = ["pied"]\n', "« pied » inconnu"),
    ],
)
def test_parametres_fautifs(tmp_path: Path, texte: str, attendu: str) -> None:
    chemin = tmp_path / "p.toml"
    chemin.write_text(texte, encoding="utf-8")
    with pytest.raises(ErreurConfiguration, match=attendu):
        lire_parametres(chemin)


def test_catalogue_livre() -> None:
    services = lire_services()
    par_id = {s.id: s for s in services}
    assert 30 <= len(services) == len(par_id) <= 36
    assert {s.palier for s in services} == set(PALIERS)
    assert {s.fonction for s in services} == set(FONCTIONS)
    assert len({s.couleur for s in services}) == len(services)
    assert {"B203", "B207"} <= set(par_id["boulangerie"].codes_bpe)
    assert {"A101", "A140", "A104"} == set(par_id["police"].codes_bpe)
    assert "~primaire" in par_id["ecole_elementaire"].tags_osm[0]["school:FR"]
    assert [s.id for s in services if s.surfacique] == ["espace_naturel"]
    # E108 n'est compté que dans une des deux gares.
    assert [s.id for s in services if "E108" in s.codes_bpe] == ["gare_regionale"]
    assert par_id["gare_secondaire"].satisfait_aussi_par == ("gare_regionale",)
    for service in services:
        assert service.codes_bpe or service.tags_osm


@pytest.mark.parametrize(
    ("autre", "attendu"),
    [("mairy", "« mairy » inconnu ; vouliez-vous « mairie »"), ("poste", "« poste » inconnu")],
)
def test_catalogue_satisfait_par_un_inconnu_ou_par_lui_meme(
    tmp_path: Path, autre: str, attendu: str
) -> None:
    base = (
        'libelle = "x"\npalier = "proximite"\nfonction = "habiter"\ncodes_bpe = ["A1"]\n'
        'source = "bpe"\ndistance_doublon_m = 1\ncouleur = "#000000"\n'
    )
    chemin = tmp_path / "s.toml"
    chemin.write_text(
        f'[mairie]\n{base}[poste]\n{base}satisfait_aussi_par = ["{autre}"]\n', encoding="utf-8"
    )
    with pytest.raises(ErreurConfiguration, match=rf"\[poste\] satisfait_aussi_par.*{attendu}"):
        lire_services(chemin)


def test_catalogue_fautif(tmp_path: Path) -> None:
    chemin = tmp_path / "s.toml"
    chemin.write_text(
        '[Boulangerie]\nlibelle = "b"\npalier = "proximité"\nfonction = "habiter"\n'
        'codes_bpe = []\nsource = "bpe"\ndistance_doublon_m = -1\ncouleur = "rouge"\nprix = 3\n',
        encoding="utf-8",
    )
    with pytest.raises(ErreurConfiguration) as info:
        lire_services(chemin)
    message = str(info.value)
    for attendu in (
        "identifiant attendu en minuscules",
        "« proximité » inconnue ; vouliez-vous « proximite »",
        "source « bpe » sans codes_bpe",
        "au moins égal à 0",
        "« rouge »",
        "clé « prix » inconnue",
    ):
        assert attendu in message

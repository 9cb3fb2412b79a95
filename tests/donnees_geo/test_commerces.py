"""Commerces : catalogue, inventaire local, SIRENE en flux, BPE et OSM réunis."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from pyproj import Transformer

from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees
from donnees_geo.osm.points_interet import services_de
from donnees_geo.schemas import COMMERCES
from donnees_geo.thematiques.commerces import (
    extraire_commerces,
    lire_commerces_locaux,
    reunir_commerces,
    sans_commerces,
)
from donnees_geo.thematiques.commerces_categories import (
    DESAFFECTE,
    PREFIXE,
    VACANT,
    classer_par_mots,
    construire_services_lecture,
    lire_categories,
)
from donnees_geo.thematiques.sirene import est_sirene, lire_sirene

L93 = "EPSG:2154"
X, Y = 670_000.0, 7_050_000.0
EMPRISE = shapely.box(X - 500, Y - 500, X + 1_500, Y + 1_500)
COMMUNES = gpd.GeoDataFrame(
    {"code_commune": ["62001"], "nom": ["C"]},
    geometry=[shapely.box(X, Y, X + 1e3, Y + 1e3)],
    crs=L93,
)
VERS_GEO = Transformer.from_crs(L93, 4326, always_xy=True)
CATEGORIES = lire_categories()


def degres(dx: float, dy: float) -> str:
    return "{},{}".format(*VERS_GEO.transform(X + dx, Y + dy))


def messages(constats) -> str:
    return "\n".join(c.message for c in constats)


def points(service: list[str], places: list[tuple[float, float]], ids=None) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "service": pd.array(service, dtype="str"),
            "nom": pd.array([f"Enseigne {i}" for i in range(len(service))], dtype="str"),
            "id_source": ids or [f"n{i}" for i in range(len(service))],
        },
        geometry=[shapely.Point(X + dx, Y + dy) for dx, dy in places],
        crs=L93,
    )


def test_catalogue_sans_code_partage(tmp_path):
    assert len({c.id for c in CATEGORIES}) == len(CATEGORIES) >= 20
    assert CATEGORIES[-1].id == "autre"
    fichier = tmp_path / "c.toml"
    fichier.write_text(
        '[a]\nlibelle = "a"\nfamille = "f"\ncodes_naf = ["47.11B"]\n'
        '[b]\nlibelle = "b"\nfamille = "f"\ncodes_naf = ["47.11B"]\ncouleur = "rouge"\n'
    )
    with pytest.raises(ErreurConfiguration) as erreur:
        lire_categories(fichier)
    assert "47.11B dans deux catégories" in str(erreur.value)
    assert "couleur" in str(erreur.value)


@pytest.mark.parametrize(
    ("tags", "attendu"),
    [
        ({"shop": "bakery"}, "boulangerie"),
        ({"shop": "vacant"}, "vacant"),
        ({"shop": "vacant", "disused:shop": "bakery"}, "vacant"),
        ({"disused:shop": "clothes"}, "desaffecte"),
        # Le local a rouvert : l'ancien tag ne compte plus.
        ({"disused:shop": "clothes", "shop": "florist"}, "fleuriste"),
        ({"amenity": "pharmacy"}, "pharmacie"),
        ({"shop": "lance_pierres"}, "autre"),
        ({"highway": "residential"}, None),
    ],
)
def test_tags_osm_vers_categorie(tags, attendu):
    services = construire_services_lecture(CATEGORIES)
    rendus = [services[i].id.removeprefix(PREFIXE) for i in services_de(tags, services)]
    assert (rendus[0] if rendus else None) == attendu


def test_objets_osm_sans_double_compte():
    table = points(
        [PREFIXE + "boulangerie", PREFIXE + "autre", VACANT, DESAFFECTE, "mairie"],
        [(0, 0), (0, 0), (10, 0), (20, 0), (30, 0)],
        ["n1", "n1", "n2", "n3", "n4"],
    )
    avant = table.copy()
    lus = extraire_commerces(table, "osm")
    assert lus["categorie"].tolist() == ["boulangerie", "autre", "autre"]
    assert lus["vacant"].tolist() == [False, True, True]
    # Le nom d'un local vide est celui de l'ancien commerce : il n'est pas repris.
    assert lus["nom"].tolist() == ["Enseigne 0", "", ""]
    assert sans_commerces(table)["service"].tolist() == ["mairie"]
    pd.testing.assert_frame_equal(pd.DataFrame(table), pd.DataFrame(avant))


def test_reunion_prefere_la_premiere_source():
    bpe = extraire_commerces(points([PREFIXE + "boulangerie"] * 2, [(100, 100), (105, 100)]), "bpe")
    osm = extraire_commerces(
        points(
            [PREFIXE + "boulangerie", PREFIXE + "coiffeur", PREFIXE + "boulangerie"],
            [(110, 100), (110, 100), (900, 900)],
        ),
        "osm",
    )
    reunie = reunir_commerces([bpe, osm], COMMUNES)
    # Deux voisins de la BPE restent deux ; la boulangerie OSM toute proche est la même.
    assert sorted(zip(reunie["source"], reunie["categorie"], strict=True)) == [
        ("bpe", "boulangerie"), ("bpe", "boulangerie"), ("osm", "boulangerie"), ("osm", "coiffeur"),
    ]  # fmt: skip
    assert set(reunie.columns) == {*COMMERCES.colonnes, "geometry"}
    assert reunie["commerce"].is_unique
    inverse = reunir_commerces([bpe.iloc[::-1], osm.iloc[::-1]], COMMUNES)
    assert set(inverse["commerce"]) == set(reunie["commerce"])


def test_inventaire_local(tmp_path):
    chemin = tmp_path / "commerces.csv"
    chemin.write_text(
        "\ufeffidentifiant;nom;categorie;etat;lon;lat\n"
        f"1;Au Pain;Boulangerie;actif;{degres(10, 10).replace(',', ';')}\n"
        f"2;;;Local vacant;{degres(20, 10).replace(',', ';')}\n"
        f"3;X;toilettage de dragons;actif;{degres(30, 10).replace(',', ';')}\n"
        f"4;Loin;Boulangerie;actif;{degres(99_000, 10).replace(',', ';')}\n",
        encoding="utf-8",
    )
    table, constats = lire_commerces_locaux(chemin, L93, EMPRISE, CATEGORIES)
    assert table["commerce"].tolist() == ["fichier:1", "fichier:2", "fichier:3"]
    assert table["categorie"].tolist() == ["boulangerie", "autre", "autre"]
    assert table["vacant"].tolist() == [False, True, False]
    assert "toilettage de dragons" in messages(constats)


def test_inventaire_sans_etat_le_dit(tmp_path):
    chemin = tmp_path / "c.csv"
    chemin.write_text(f"nom,lon,lat\na,{degres(1, 1)}\n")
    table, constats = lire_commerces_locaux(chemin, L93, EMPRISE, CATEGORIES)
    assert not table["vacant"].any()
    assert "la vacance n'est pas mesurée" in messages(constats)


def test_mots_du_libelle():
    libelles = pd.Series(["Boucherie-Charcuterie", "coiffure", "pressing", "", "epicerie"])
    assert classer_par_mots(libelles, CATEGORIES).tolist() == [
        "boucherie", "coiffeur", "pressing", "autre", "epicerie",
    ]  # fmt: skip


ENTETE_SIRENE = (
    "siret,statutDiffusionEtablissement,enseigne1Etablissement,denominationUsuelleEtablissement,"
    "activitePrincipaleEtablissement,etatAdministratifEtablissement"
)
LIGNES_SIRENE = [
    ("001", "O", "Au Pain", "DUPONT JEAN", "10.71C", "A", (10, 10)),
    ("002", "O", "", "DUPONT JEAN", "47.11B", "A", (20, 10)),
    ("003", "P", "Secret", "", "96.02A", "A", (30, 10)),
    ("004", "O", "Fermé", "", "10.71C", "F", (40, 10)),
    ("005", "O", "Usine", "", "24.10Z", "A", (50, 10)),
    ("006", "O", "Loin", "", "10.71C", "A", (90_000, 10)),
]


def test_sirene_geocode_en_flux(tmp_path: Path):
    lignes = [ENTETE_SIRENE + ",longitude,latitude,geo_score"]
    lignes += [",".join(ligne[:6]) + f",{degres(*ligne[6])},0.9" for ligne in LIGNES_SIRENE]
    lignes.append(f"007,O,Flou,,10.71C,A,{degres(60, 10)},0.1")
    chemin = tmp_path / "geo_siret_62.csv.gz"
    with gzip.open(chemin, "wt", encoding="utf-8") as flux:
        flux.write("\n".join(lignes) + "\n")
    assert est_sirene(chemin)
    table, constats = lire_sirene(chemin, None, L93, EMPRISE, CATEGORIES)
    assert table["commerce"].tolist() == ["sirene:001", "sirene:002", "sirene:003"]
    assert table["categorie"].tolist() == ["boulangerie", "epicerie", "coiffeur"]
    # Ni nom de personne, ni rien d'un établissement à diffusion partielle.
    assert table["nom"].tolist() == ["Au Pain", "", ""]
    assert not table["vacant"].any()
    assert table.geometry[0].distance(shapely.Point(X + 10, Y + 10)) < 0.01
    assert "1 établissement(s) sans position sûre" in messages(constats)


def test_sirene_joint_a_sa_geolocalisation(tmp_path: Path):
    stock = tmp_path / "StockEtablissement_utf8.zip"
    corps = "\n".join([ENTETE_SIRENE, *(",".join(ligne[:6]) for ligne in LIGNES_SIRENE)])
    with zipfile.ZipFile(stock, "w") as archive:
        archive.writestr("StockEtablissement_utf8.csv", corps + "\n")
    positions = tmp_path / "geoloc.csv"
    positions.write_text(
        "siret;x;y;qualite_xy;epsg;x_longitude;y_latitude\n"
        + "".join(
            f"{ligne[0]};0;0;11;2154;{degres(*ligne[6]).replace(',', ';')}\n"
            for ligne in LIGNES_SIRENE
        )
    )
    table, _ = lire_sirene(stock, positions, L93, EMPRISE, CATEGORIES)
    assert table["commerce"].tolist() == ["sirene:001", "sirene:002", "sirene:003"]
    # Un établissement absent de la géolocalisation est compté, non oublié.
    lignes = positions.read_text().splitlines(keepends=True)
    positions.write_text("".join(ligne for ligne in lignes if not ligne.startswith("002;")))
    table, constats = lire_sirene(stock, positions, L93, EMPRISE, CATEGORIES)
    assert table["commerce"].tolist() == ["sirene:001", "sirene:003"]
    assert "1 établissement(s) sans position sûre" in messages(constats)
    with pytest.raises(ErreurDonnees, match="n'a pas de coordonnées") as erreur:
        lire_sirene(stock, None, L93, EMPRISE, CATEGORIES)
    assert "commerces_positions" in str(erreur.value)

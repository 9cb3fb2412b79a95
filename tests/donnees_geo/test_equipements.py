"""Équipements : source par service, doublons, effectifs, pourtour des parcs."""

import dataclasses
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

from donnees_geo.configuration import Service, lire_services
from donnees_geo.equipements import (
    construire_equipements,
    construire_points_acces,
    lire_fichier_service,
    regrouper_lieux,
    trouver_service,
)
from donnees_geo.erreurs import ErreurDonnees

L93 = "EPSG:2154"
CATALOGUE = {s.id: s for s in lire_services()}
MEDECIN = CATALOGUE["medecin"]  # bpe, 20 m
PARC = CATALOGUE["espace_naturel"]
COMMUNES = gpd.GeoDataFrame(
    {"code_commune": ["c0"]}, geometry=[box(-1000, -1000, 1000, 1000)], crs=L93
)


def table(
    *objets: tuple[str, object, str], service: str = "medecin", **colonnes: object
) -> gpd.GeoDataFrame:
    """Objets ``(id_source, position ou géométrie, nom)``."""
    formes = [Point(g) if isinstance(g, tuple) else g for _, g, _ in objets]
    return gpd.GeoDataFrame(
        {
            "service": service,
            "nom": [n for _, _, n in objets],
            "id_source": [i for i, _, _ in objets],
            **colonnes,
        },
        geometry=formes,
        crs=L93,
    )


def reunir(sources: dict[str, gpd.GeoDataFrame], service: Service = MEDECIN) -> gpd.GeoDataFrame:
    return construire_equipements(sources, [service], COMMUNES, L93)[0]


def test_praticiens_au_meme_point_comptes_ensemble() -> None:
    bpe = table(("D265@0_0", (0, 0), ""), ("D265@0_0", (0, 0), ""), ("D265@9_0", (300, 0), ""))
    lieux = reunir({"bpe": bpe})
    assert lieux["effectif"].tolist() == [2, 1]
    assert lieux["equipement"].tolist() == ["medecin:bpe:D265@0_0", "medecin:bpe:D265@9_0"]
    assert lieux["code_commune"].tolist() == ["c0", "c0"]


def test_noeud_et_surface_osm_ne_font_qu_un() -> None:
    osm = table(("n1", (0, 0), "Cabinet"), ("w2", (8, 0), "Cabinet"), ("n3", (15, 0), ""))
    lieux = reunir({"osm": osm})
    assert lieux["id_source"].tolist() == ["n1"]
    assert lieux["effectif"].tolist() == [1]


def test_deux_noms_osm_au_meme_lieu_font_deux() -> None:
    osm = table(("n1", (0, 0), "Dr A"), ("n2", (5, 0), "Dr B"))
    assert reunir({"osm": osm})["effectif"].tolist() == [2]


def test_la_source_du_catalogue_l_emporte() -> None:
    bpe, osm = table(("b", (0, 0), "")), table(("n1", (500, 0), "X"))
    assert reunir({"osm": osm, "bpe": bpe})["source"].tolist() == ["bpe"]
    prefere_osm = dataclasses.replace(MEDECIN, source="osm")
    assert reunir({"osm": osm, "bpe": bpe}, prefere_osm)["source"].tolist() == ["osm"]


def test_relais_quand_la_source_manque() -> None:
    lieux, constats = construire_equipements(
        {"osm": table(("n1", (0, 0), "X"))}, [MEDECIN], COMMUNES, L93
    )
    assert lieux["source"].tolist() == ["osm"]
    assert "(bpe) ne donne rien, osm la remplace pour : médecin généraliste" in constats[0].message


def test_union_fond_les_deux_sources() -> None:
    union = dataclasses.replace(MEDECIN, source="union")
    bpe = table(("b", (0, 0), ""), ("b2", (400, 0), ""))
    osm = table(("n1", (10, 0), "Cabinet du parc"), ("n2", (800, 0), "Autre"))
    lieux = reunir({"bpe": bpe, "osm": osm}, union)
    assert lieux[["source", "id_source"]].to_numpy().tolist() == [
        ["bpe", "b"],
        ["bpe", "b2"],
        ["osm", "n2"],
    ]
    # Le lieu garde la position de la BPE et prend le nom que seul OSM connaît.
    assert lieux["nom"].tolist() == ["Cabinet du parc", "", "Autre"]
    assert lieux["effectif"].tolist() == [1, 1, 1]


def test_fichier_libre_l_emporte() -> None:
    libre = table(("1", (900, 0), "Relevé"))
    lieux = reunir({"bpe": table(("b", (0, 0), "")), "medecins.geojson": libre})
    assert lieux["source"].tolist() == ["medecins.geojson"]


def test_un_lieu_d_un_autre_service_satisfait_aussi() -> None:
    petite, grande = CATALOGUE["gare_secondaire"], CATALOGUE["gare_regionale"]
    bpe = gpd.GeoDataFrame(
        pd.concat(
            [
                table(("E109", (0, 0), "Halte"), service="gare_secondaire"),
                # La seconde est au même lieu que la halte : elle n'y est pas comptée deux fois.
                table(("E107", (900, 0), "Ville"), ("E108", (150, 0), "Bourg"),
                      service="gare_regionale"),
            ],
            ignore_index=True,
        ),
        crs=L93,
    )  # fmt: skip
    attendus = {"gare_regionale": ["Ville", "Bourg"], "gare_secondaire": ["Ville", "Halte"]}
    for services in ([petite, grande], [grande, petite]):
        lieux, constats = construire_equipements({"bpe": bpe}, services, COMMUNES, L93)
        assert lieux.groupby("service")["nom"].agg(list).to_dict() == attendus
        assert constats == []
    assert lieux["equipement"].is_unique
    assert "gare_secondaire:bpe:E107" in set(lieux["equipement"])


def test_service_sans_lieu_propre_mais_satisfait_n_est_pas_dit_absent() -> None:
    services = [CATALOGUE["gare_secondaire"], CATALOGUE["gare_regionale"]]
    bpe = table(("E107", (900, 0), "Ville"), service="gare_regionale")
    lieux, constats = construire_equipements({"bpe": bpe}, services, COMMUNES, L93)
    assert lieux["service"].tolist() == ["gare_secondaire", "gare_regionale"]
    assert constats == []
    sans = [dataclasses.replace(services[0], satisfait_aussi_par=()), services[1]]
    _, constats = construire_equipements({"bpe": bpe}, sans, COMMUNES, L93)
    assert "1 service(s) sans aucun équipement : gare secondaire" in constats[0].message


def test_meilleure_qualite_gardee() -> None:
    bpe = table(("a", (0, 0), ""), ("b", (12, 0), ""), qualite=["mauvaise", "bonne"])
    lieux = reunir({"bpe": bpe})
    assert lieux["id_source"].tolist() == ["b"]
    assert lieux["effectif"].tolist() == [2]


def test_rue_de_cafes_ne_s_effondre_pas() -> None:
    # Un point tous les 8 m, rayon de 10 m : un lieu sur deux, pas un seul pour toute la rue.
    points = np.column_stack([np.arange(20) * 8.0, np.zeros(20)])
    chefs = regrouper_lieux(points, 10.0)
    assert len(set(chefs.tolist())) == 10
    assert np.abs(points[chefs, 0] - points[:, 0]).max() <= 10


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=40))
def test_regroupement_egal_au_parcours_naif(positions: list[tuple[int, int]]) -> None:
    points = np.array(positions, dtype=float)
    chefs: list[int] = []
    for rang, point in enumerate(points):
        if all(np.hypot(*(points[c] - point)) > 10 for c in chefs):
            chefs.append(rang)
    trouves = regrouper_lieux(points, 10.0)
    assert sorted(set(trouves.tolist())) == chefs
    distances = np.hypot(*(points[trouves] - points).T)
    naives = [min(np.hypot(*(points[c] - p)) for c in chefs) for p in points]
    assert distances == pytest.approx(naives)


def test_ordre_des_lignes_sans_effet() -> None:
    alea = np.random.default_rng(3)
    objets = [(f"b{i}", tuple(alea.integers(0, 200, 2).tolist()), "") for i in range(60)]
    bpe = table(*objets)
    reference = reunir({"bpe": bpe})
    melange = bpe.sample(frac=1, random_state=1).reset_index(drop=True)
    assert reunir({"bpe": melange}).equals(reference)
    assert reference["effectif"].sum() == 60


def test_identifiants_uniques_sans_fusion() -> None:
    service = dataclasses.replace(MEDECIN, distance_doublon_m=0.0)
    bpe = table(("D@0_0", (0, 0), ""), ("D@0_0", (0.4, 0), ""))
    lieux = reunir({"bpe": bpe}, service)
    assert lieux["equipement"].tolist() == ["medecin:bpe:D@0_0", "medecin:bpe:D@0_0#2"]


def test_parc_point_interieur_et_surface_repetee() -> None:
    parc = box(0, 0, 400, 400)
    osm = table(
        ("w1", parc, "Parc"),
        ("r2", shapely.Polygon([(400, 0), (400, 400), (0, 400), (0, 0)]), "Parc"),
        ("n3", (200, 200), "Parc"),
        ("n4", (900, 900), "Square"),
        service="espace_naturel",
    )
    lieux = reunir({"osm": osm}, PARC)
    assert sorted(lieux["id_source"]) == ["n4", "r2"]


def test_points_d_acces_tous_les_50_m_du_pourtour() -> None:
    osm = table(
        ("w1", box(0, 0, 500, 250), "Parc"),  # 1 500 m de tour : 30 points
        ("w2", box(600, 600, 640, 640), "Square"),  # 1 600 m² : un point intérieur
        ("n3", (900, 0), "Jardin"),
        service="espace_naturel",
    )
    lieux = reunir({"osm": osm}, PARC)
    acces = construire_points_acces(lieux, [PARC])
    par_lieu = acces.groupby("equipement").size()
    noms = lieux["nom"]
    assert {noms[i]: int(n) for i, n in par_lieu.items()} == {"Parc": 30, "Square": 1, "Jardin": 1}
    parc = acces.loc[acces["equipement"] == noms[noms == "Parc"].index[0]]
    tour = box(0, 0, 500, 250).exterior
    assert shapely.distance(tour, shapely.points(parc["x"], parc["y"])).max() < 1e-9
    assert acces["equipement"].is_monotonic_increasing


def test_equipement_hors_du_decoupage() -> None:
    assert reunir({"bpe": table(("b", (5000, 0), ""))})["code_commune"].tolist() == [""]


def test_sans_source_table_vide_du_bon_schema() -> None:
    lieux, _ = construire_equipements({}, [MEDECIN], COMMUNES, L93)
    assert len(lieux) == 0
    assert "effectif" in lieux
    assert len(construire_points_acces(lieux, [MEDECIN])) == 0


def test_sources_non_modifiees() -> None:
    bpe = table(("b", (0, 0), ""), ("c", (1, 0), ""))
    avant = bpe.copy()
    reunir({"bpe": bpe})
    assert bpe.equals(avant)


def test_fichier_libre_et_positions_suspectes(tmp_path: Path) -> None:
    gpd.GeoDataFrame(
        {"Nom": ["Hinges", "Houchin", "Ames"], "ID": [1, 2, 3]},
        geometry=[Point(670_000, 7_050_000), Point(670_000, 7_050_000), box(0, 0, 9, 9)],
        crs=L93,
    ).to_file(tmp_path / "mairies.gpkg")
    zone = box(-10, -10, 700_000, 7_100_000)
    lus, constats = lire_fichier_service(tmp_path / "mairies.gpkg", CATALOGUE["mairie"], L93, zone)
    assert lus["nom"].tolist() == ["Hinges", "Houchin", "Ames"]
    assert lus["id_source"].tolist() == ["1", "2", "3"]
    assert set(lus.geom_type) == {"Point"}  # la surface est réduite à un point intérieur
    assert "1 point(s) portent plusieurs objets" in constats[0].message
    assert "Hinges, Houchin" in constats[0].message


def test_service_inconnu_propose_le_proche() -> None:
    with pytest.raises(ErreurDonnees, match="vouliez-vous « boulangerie »"):
        trouver_service("boulangeri", list(CATALOGUE.values()))

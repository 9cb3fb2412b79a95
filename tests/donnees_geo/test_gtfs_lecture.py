"""Flux GTFS : formes admises, fautes dites, rien d'altéré en silence."""

import zipfile
from dataclasses import fields
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from donnees_geo.erreurs import ErreurDonnees, Gravite
from donnees_geo.gtfs import courses_du_jour, ecrire_offre, lire_gtfs, lire_offre_preparee
from tests.fabriques.flux_gtfs import (
    arrets_csv,
    courses_csv,
    ecrire_flux,
    flux_simple,
    lire_flux_essai,
    lonlat,
    messages,
    passages_csv,
)
from tests.fabriques.ville_quadrillee import COIN, CRS

MARDI = date(2026, 3, 17)
DONNEES = Path(__file__).parents[2].parent / "shared" / "donnees"


def heures(offre, course="t8"):
    c = int(np.flatnonzero(offre.courses["id_source"] == course)[0])
    tranche = slice(offre.passage_debut[c], offre.passage_debut[c + 1])
    return offre.passage_arrivee_s[tranche].tolist()


def test_flux_simple(tmp_path):
    offre, constats = lire_flux_essai(tmp_path, flux_simple(), date_service=MARDI)
    assert constats == []
    assert offre.flux == ("essai",)
    assert offre.arrets["arret"].tolist() == ["essai:a", "essai:b", "essai:c"]
    np.testing.assert_allclose(offre.arrets["x"] - COIN[0], [0, 300, 1000], atol=0.01)
    np.testing.assert_allclose(offre.arrets["y"] - COIN[1], 0, atol=0.01)
    assert heures(offre) == [28_800, 28_920, 29_200]
    ligne = offre.lignes.iloc[0]
    assert (ligne["mode"], ligne["couleur"], ligne["exploitant"]) == (
        "bus", "#ff8800", "Réseau d'essai",
    )  # fmt: skip
    assert offre.validite == (date(2026, 3, 2), date(2026, 3, 27))


def test_bom_guillemets_blancs_lignes_vides_et_dossier_imbrique(tmp_path):
    flux = flux_simple()
    temoin, _ = lire_flux_essai(tmp_path, flux)
    flux["stops.txt"] = "\ufeff" + flux["stops.txt"].replace("\n", "\r\n") + "\r\n\r\n"
    flux["routes.txt"] = (
        '"route_id", "agency_id", "route_short_name","route_type"\n"L1"," A","1 "," 3"\n\n'
    )
    flux["agency.txt"] = "agency_id, agency_name\nA,Réseau d'essai"
    chemin = ecrire_flux(tmp_path / "autre.zip", flux, dossier="export/gtfs/")
    with zipfile.ZipFile(chemin, "a") as archive:
        archive.writestr("__MACOSX/export/gtfs/._stops.txt", "rien")
    offre, constats = lire_gtfs([chemin], CRS)
    assert constats == []
    assert offre.arrets["id_source"].tolist() == temoin.arrets["id_source"].tolist()
    assert offre.lignes["nom_court"].tolist() == ["1"]
    np.testing.assert_array_equal(offre.passage_arrivee_s, temoin.passage_arrivee_s)


def test_dossier_decompresse(tmp_path):
    for nom, texte in flux_simple().items():
        (tmp_path / nom).write_text(texte, encoding="utf-8")
    assert lire_gtfs([tmp_path], CRS)[0].nombre_courses == 2


def test_texte_windows_1252_lu_et_signale(tmp_path):
    flux = dict(flux_simple())
    flux["stops.txt"] = flux["stops.txt"].encode("cp1252")
    offre, constats = lire_flux_essai(tmp_path, flux)
    assert offre.arrets["nom"].tolist()[0] == "Arrêt a"
    assert "Windows-1252" in messages(constats, Gravite.MINEUR)


def test_texte_entre_guillemets_sur_deux_lignes(tmp_path):
    flux = flux_simple()
    flux["stops.txt"] = flux["stops.txt"].replace("Arrêt b", '"Place, de\nla ""Gare"""')
    offre, _ = lire_flux_essai(tmp_path, flux)
    assert offre.arrets["nom"][1] == 'Place, de\nla "Gare"'


def test_lignes_trop_courtes_completees_trop_longues_refusees(tmp_path):
    flux = flux_simple()
    flux["trips.txt"] = "route_id,service_id,trip_id,direction_id\nL1,S,t8\nL1,S,t9,1\n"
    offre, constats = lire_flux_essai(tmp_path, flux)
    assert offre.courses["sens"].tolist() == [-1, 1]
    assert "1 ligne(s) n'ont pas le nombre de colonnes" in messages(constats)
    flux["trips.txt"] = "route_id,service_id,trip_id\nL1,S,t8\nL1,S,t9,de,trop\n"
    with pytest.raises(ErreurDonnees, match=r"trips\.txt, ligne 3"):
        lire_flux_essai(tmp_path, flux)


def test_heures_vides_interpolees_par_la_distance(tmp_path):
    flux = flux_simple()
    flux["stop_times.txt"] = (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "t8,8:00:00,8:00:00,a,1\nt8,,,b,2\nt8,08:16:40,08:16:40,c,3\n"
        # Les lignes ne sont pas rangées : stop_sequence fait foi ; départ après arrivée au milieu.
        "t9,10:00:00,10:00:00,c,30\nt9,9:00:00,9:10:00,a,10\nt9, , ,b,20\n"
    )
    offre, constats = lire_flux_essai(tmp_path, flux)
    # b est à 300 m sur 1 000 : 30 % des 1 000 s, puis 30 % des 3 000 s qui suivent le départ.
    assert heures(offre, "t8") == [28_800, 29_100, 29_800]
    assert heures(offre, "t9") == [32_400, 33_900, 36_000]
    assert "2 heures de passage vides sur 6" in messages(constats, Gravite.MINEUR)


def test_interpolation_entre_arrets_confondus_ou_sans_position(tmp_path):
    flux = flux_simple()
    flux["stops.txt"] = arrets_csv({"a": (0, 0), "c": (0, 0)}) + "b,Sans lieu,0,0\n"
    flux["stop_times.txt"] = flux["stop_times.txt"].replace("8:02:00,8:02:00", ",")
    offre, constats = lire_flux_essai(tmp_path, flux)
    assert heures(offre) == [28_800, 29_000, 29_200]
    assert "1 arrêt(s) sans position ou en (0, 0)" in messages(constats, Gravite.MAJEUR)
    assert not offre.arrets.set_index("id_source").loc["b", "localise"]


def test_calendar_dates_seul_et_exceptions(tmp_path):
    flux = flux_simple()
    flux["calendar_dates.txt"] = (
        "service_id,date,exception_type\nS,20260317,2\nS,20260321,1\nS,20260405,1\n"
    )
    offre, _ = lire_flux_essai(tmp_path, flux)
    assert offre.validite == (date(2026, 3, 2), date(2026, 4, 5))
    assert [courses_du_jour(offre, date(2026, 3, j)).nombre_courses for j in (16, 17, 21, 22)] == [
        2, 0, 2, 0,
    ]  # fmt: skip
    del flux["calendar.txt"]
    offre, _ = lire_flux_essai(tmp_path, flux)
    assert offre.validite == (date(2026, 3, 21), date(2026, 4, 5))
    assert courses_du_jour(offre, date(2026, 4, 5)).nombre_courses == 2


def test_calendrier_sans_fin_est_borne(tmp_path):
    flux = flux_simple()
    flux["calendar.txt"] = flux["calendar.txt"].replace("20260327", "20991231")
    offre, constats = lire_flux_essai(tmp_path, flux)
    assert offre.calendrier.shape[1] < 2000
    assert "31/12/2099" in messages(constats)


def test_deux_flux_aux_memes_identifiants(tmp_path):
    un = ecrire_flux(tmp_path / "ville.zip", flux_simple())
    autre = flux_simple()
    autre["stops.txt"] = arrets_csv({"a": (0, 5000), "b": (300, 5000), "c": (1000, 5000)})
    autre["calendar.txt"] = autre["calendar.txt"].replace("20260302", "20260301")
    (tmp_path / "sous").mkdir()
    deux = ecrire_flux(tmp_path / "sous" / "ville.zip", autre)
    offre, constats = lire_gtfs([un, deux], CRS)
    assert constats == []
    assert offre.flux == ("ville", "ville_2")
    assert offre.arrets["arret"].is_unique
    assert offre.courses["course"].is_unique
    jour = courses_du_jour(offre, MARDI)
    assert jour.nombre_courses == 4
    flux_passage = offre.arrets["flux"].to_numpy()[jour.arret]
    flux_course = np.repeat(offre.courses["flux"].to_numpy()[jour.course], np.diff(jour.debut))
    assert (flux_passage == flux_course).all()


def test_courses_et_arrets_en_double_entre_flux(tmp_path):
    un = ecrire_flux(tmp_path / "local.zip", flux_simple())
    autre = flux_simple()
    autre["stops.txt"] = arrets_csv({"a": (5, 0), "b": (305, 0), "c": (1005, 0)})
    autre["trips.txt"] = courses_csv(["t8", "x"])
    autre["stop_times.txt"] = autre["stop_times.txt"].replace("t9,9:", "x,10:")
    deux = ecrire_flux(tmp_path / "region.zip", autre)
    offre, constats = lire_gtfs([un, deux], CRS)
    assert offre.courses.loc[offre.courses["doublon"], "course"].tolist() == ["region:t8"]
    assert "1 course(s) figurent dans deux flux" in messages(constats, Gravite.MAJEUR)
    assert "3 arrêt(s) figurent dans deux flux" in messages(constats, Gravite.MINEUR)


def test_gares_parentes(tmp_path):
    flux = flux_simple()
    lignes = flux["stops.txt"].splitlines()
    lon, lat = lonlat(150, 0)
    flux["stops.txt"] = "\n".join(
        [lignes[0] + ",location_type,parent_station", lignes[1] + ",0,G", lignes[2] + ",,G",
         lignes[3] + ",0,inconnue", f"G,La gare,{lat},{lon},1,"]
    )  # fmt: skip
    offre, constats = lire_flux_essai(tmp_path, flux)
    assert offre.arrets["parent"].tolist() == [3, 3, -1, -1]
    assert offre.arrets["station"].tolist() == [3, 3, 2, 3]
    assert "1 arrêt(s) citent une gare parente inconnue" in messages(constats, Gravite.MINEUR)


def test_gares_parentes_en_boucle(tmp_path):
    flux = flux_simple()
    lignes = flux["stops.txt"].splitlines()
    flux["stops.txt"] = "\n".join(
        [lignes[0] + ",parent_station", lignes[1] + ",b", lignes[2] + ",a", lignes[3] + ","]
    )
    offre, constats = lire_flux_essai(tmp_path, flux)
    assert offre.arrets["parent"].tolist() == [-1, -1, -1]
    assert offre.arrets["station"].tolist() == [0, 1, 2]
    assert "se citent en boucle" in messages(constats, Gravite.MAJEUR)


def test_montee_et_descente_interdites(tmp_path):
    flux = flux_simple()
    lignes = flux["stop_times.txt"].splitlines()
    droits = [",0,1", ",1,0", ",3,2", ",,", ",2,0", ",1,3"]
    flux["stop_times.txt"] = "\n".join(
        [lignes[0] + ",pickup_type,drop_off_type",
         *(a + b for a, b in zip(lignes[1:], droits, strict=True))]
    )  # fmt: skip
    offre, constats = lire_flux_essai(tmp_path, flux)
    assert offre.passage_montee.tolist() == [True, False, True, True, False, False]
    assert offre.passage_descente.tolist() == [False, True, False, True, True, True]
    assert "2 passage(s) sur réservation" in messages(constats, Gravite.MINEUR)


def test_courses_a_la_demande_mises_a_part(tmp_path):
    flux = flux_simple()
    flux["routes.txt"] += "TAD,A,TAD,Navette des villages,3,\nL715,A,9,Taxi,715,\n"
    flux["trips.txt"] += "TAD,S,d1\nTAD,S,d2\nL715,S,d3\n"
    flux["stop_times.txt"] = (
        flux["stop_times.txt"]
        .replace("stop_sequence\n", "stop_sequence,pickup_type,start_pickup_drop_off_window\n")
        .replace("\nt", "\n§t")
    )
    flux["stop_times.txt"] = "\n".join(
        ligne[1:] + ",," if ligne.startswith("§") else ligne
        for ligne in flux["stop_times.txt"].splitlines()
    ) + (
        "\nd1,10:00:00,10:00:00,a,1,2,\nd1,10:10:00,10:10:00,b,2,1,"
        "\nd2,,,,1,2,08:00:00\nd2,,,,2,2,08:00:00"
        "\nd3,11:00:00,11:00:00,a,1,0,\nd3,11:10:00,11:10:00,b,2,0,\n"
    )
    offre, constats = lire_flux_essai(tmp_path, flux)
    assert sorted(offre.courses["id_source"]) == ["t8", "t9"]
    assert offre.a_la_demande[["ligne", "nom", "courses"]].values.tolist() == [
        ["TAD", "Navette des villages", 2], ["9", "Taxi", 1],
    ]  # fmt: skip
    assert "3 course(s) à la demande sur 2 ligne(s) sont mises à part" in messages(constats)


def test_correspondances(tmp_path):
    flux = flux_simple()
    flux["transfers.txt"] = (
        "from_stop_id,to_stop_id,transfer_type,min_transfer_time,from_route_id\n"
        "a,b,2,90,\nb,a,3,,\na,perdu,2,60,\na,c,2,60,L1\n"
    )
    offre, constats = lire_flux_essai(tmp_path, flux)
    assert offre.correspondances.values.tolist() == [[0, 1, 2, 90], [1, 0, 3, -1]]
    assert "1 correspondance(s) citent un arrêt inconnu" in messages(constats, Gravite.MINEUR)
    assert "1 correspondance(s) propres à une ligne" in messages(constats, Gravite.MINEUR)


def test_decoupe_a_l_emprise(tmp_path):
    flux = flux_simple()
    flux["stops.txt"] += arrets_csv({"z": (90_000, 0), "y": (80_000, 0)}).split("\n", 1)[1]
    flux["trips.txt"] += "L1,S,loin\nL1,S,part\n"
    flux["stop_times.txt"] += passages_csv(
        {"loin": [("y", 30_000), ("z", 31_000)], "part": [("c", 30_000), ("z", 35_000)]}
    ).split("\n", 1)[1]
    (x0, y0), (x1, y1) = lonlat(-500, -500), lonlat(2000, 500)
    emprise = shapely.box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    offre, constats = lire_flux_essai(tmp_path, flux, emprise=emprise)
    assert constats == []
    assert sorted(offre.courses["id_source"]) == ["part", "t8", "t9"]
    # La course qui sort garde son terminus, hors de l'emprise ; l'arrêt « y » n'est plus utile.
    assert offre.arrets.set_index("id_source")["dans_emprise"].to_dict() == {
        "a": True, "b": True, "c": True, "z": False,
    }  # fmt: skip
    assert offre.periodes.iloc[0][["courses_flux", "arrets_flux"]].tolist() == [4, 5]
    ailleurs, constats = lire_flux_essai(tmp_path, flux, emprise=shapely.box(0, 0, 1, 1))
    assert ailleurs.nombre_courses == 0
    assert "Aucune course ne dessert le territoire" in messages(constats, Gravite.MAJEUR)
    assert courses_du_jour_ou_vide(ailleurs) == 0


def courses_du_jour_ou_vide(offre):
    try:
        return courses_du_jour(offre, MARDI).nombre_courses
    except ErreurDonnees:
        return 0


def test_ecrite_puis_relue_a_l_identique(tmp_path):
    flux = flux_simple()
    flux["frequencies.txt"] = "trip_id,start_time,end_time,headway_secs\nt9,9:00:00,10:00:00,600\n"
    flux["transfers.txt"] = "from_stop_id,to_stop_id,transfer_type\na,b,0\n"
    offre, _ = lire_flux_essai(tmp_path, flux)
    ecrire_offre(offre, tmp_path / "prepare" / "transport")
    relue = lire_offre_preparee(tmp_path / "prepare" / "transport")
    for champ in fields(offre):
        avant, apres = getattr(offre, champ.name), getattr(relue, champ.name)
        if isinstance(avant, pd.DataFrame):
            pd.testing.assert_frame_equal(avant, apres)
        elif isinstance(avant, np.ndarray):
            np.testing.assert_array_equal(avant, apres)
            assert avant.dtype == apres.dtype
        else:
            assert avant == apres


def test_offre_preparee_absente_ou_d_une_autre_version(tmp_path):
    with pytest.raises(ErreurDonnees, match="Préparer de nouveau"):
        lire_offre_preparee(tmp_path)
    (tmp_path / "offre.json").write_text('{"version": 0}', encoding="utf-8")
    with pytest.raises(ErreurDonnees, match="autre version"):
        lire_offre_preparee(tmp_path)


# ---------------------------------------------------------------- flux réels


def flux_reel(nom):
    chemin = DONNEES / nom
    if not chemin.exists():
        pytest.skip("données réelles absentes de cette machine")
    return chemin


@pytest.mark.parametrize(
    ("nom", "crs", "courses", "passages"),
    [
        ("nantes/semitan_nantes_2014.zip", "EPSG:2154", 8090, 154_640),
        ("gtfs/solea_mulhouse_2026.zip", "EPSG:2154", 9115, None),
        ("porto_alegre/poa_eptc.zip", "EPSG:32722", None, 130_019),
        ("cabbalr/sncf_ter_2025.zip", "EPSG:2154", 33_280, None),
    ],
)
def test_flux_reels_lus_entiers(nom, crs, courses, passages):
    offre, constats = lire_gtfs([flux_reel(nom)], crs)
    assert courses in (None, offre.nombre_courses)
    assert passages in (None, offre.passage_arret.size)
    assert (np.diff(offre.passage_debut) >= 2).all()
    assert not [c for c in constats if c.gravite is Gravite.BLOQUANT]


def test_ter_decoupe_a_l_agglomeration():
    import geopandas as gpd

    communes = gpd.read_file(flux_reel("cabbalr/communes_cabbalr.geojson"))
    offre, _ = lire_gtfs(
        [flux_reel("cabbalr/sncf_ter_2025.zip")], "EPSG:2154", communes.union_all()
    )
    dedans = offre.arrets[offre.arrets["dans_emprise"]]
    # Comptes faits à part lors de la réception du flux : 12 gares, 179 courses, 111 le 22 janvier.
    assert dedans["station"].nunique() == 12
    assert offre.nombre_courses == 179
    jour = courses_du_jour(offre, date(2025, 1, 22))
    assert int((jour.decalage_jour == 0).sum()) == 111

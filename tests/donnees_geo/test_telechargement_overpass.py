"""OpenStreetMap d'un petit territoire : par Overpass, ou par l'extrait régional à défaut."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from donnees_geo.configuration import lire_services
from donnees_geo.erreurs import ErreurConfiguration, ErreurDonnees
from donnees_geo.osm import lire_osm
from donnees_geo.osm.fond import CLES_FOND
from donnees_geo.telechargement import Bilan, Statut, lire_catalogue
from donnees_geo.thematiques.commerces_categories import (
    construire_services_lecture,
    lire_categories,
)
from tests.fabriques import overpass
from tests.fabriques.banc_telechargement import Banc, demander, etat
from tests.fabriques.serveur_http import refuser, rendre

#: Sans marge, l'enveloppe du territoire fictif tient dans la limite du catalogue.
PETIT = {"marge_m": 0.0, "seulement": ("osm",)}
EXPIRE = 'runtime error: Query timed out in "query" at line 4 after 181 seconds.'


def prendre(banc: Banc, dossier: Path, **options: object) -> Bilan:
    """Télécharger OpenStreetMap seul, dans un dossier et un cache neufs."""
    return demander(banc, dossier / "t", cache=dossier / "c", **{**PETIT, **options})


def demandes(banc: Banc, texte: str) -> list[str]:
    return [chemin for chemin in banc.serveur.chemins() if texte in chemin]


def test_la_requete_demande_tout_ce_que_la_lecture_emploie():
    modele = lire_catalogue().source("osm_overpass").requete
    filtre = overpass.lire_requete(modele.format(sud=0, ouest=0, nord=1, est=1))
    assert {"highway", *CLES_FOND} <= filtre.cles
    # Un arrêt de bus ou un local vacant n'est jamais une relation.
    for cle in filtre.cles - {"highway", "disused:shop"}:
        assert re.search(filtre.cles_relation, cle), cle
    services = (*lire_services(None), *construire_services_lecture(lire_categories()))
    for regle in (r for s in services for r in s.tags_osm):
        # Une règle sur le seul nom demande ce nom, et non tout ce qui en porte un.
        noms = [v.removeprefix("~") for v in regle.get("name", ())]
        par_nom = bool(noms) and all(re.search(filtre.nom, n) for n in noms)
        assert filtre.cles & set(regle) or par_nom, regle


def test_un_petit_territoire_est_pris_par_overpass(copie, tmp_path):
    bilan = prendre(copie, tmp_path)
    assert etat(bilan, "osm").statut is Statut.RECU
    assert "Overpass" in etat(bilan, "osm").titre
    assert demandes(copie, "overpass-api") == [overpass.CHEMIN]
    assert demandes(copie, "geofabrik") == []
    manifeste = tomllib.loads(bilan.manifeste.read_text(encoding="utf-8"))
    assert manifeste["reseau"] == {"osm": "rues.osm.pbf"}
    # Relancée, elle ne redemande rien.
    assert etat(prendre(copie, tmp_path), "osm").statut is Statut.A_JOUR
    assert demandes(copie, "overpass-api") == [overpass.CHEMIN]


def test_overpass_donne_les_memes_rues_et_lieux_que_l_extrait_entier(copie, tmp_path):
    contour = gpd.read_file(copie.demo / "communes.geojson").union_all()
    prendre(copie, tmp_path)
    un, autre = (
        lire_osm(fichier, "EPSG:2154", contour, lire_services(None))
        for fichier in (tmp_path / "t" / "rues.osm.pbf", copie.demo / "orvenne.osm.pbf")
    )
    assert un.reseau.nombre_noeuds == autre.reseau.nombre_noeuds > 1000
    np.testing.assert_array_equal(un.reseau.geometrie_x, autre.reseau.geometrie_x)
    assert len(un.points_interet) == len(autre.points_interet) > 100
    assert un.points_interet["service"].tolist() == autre.points_interet["service"].tolist()
    assert {nom: len(c) for nom, c in un.fond.items()} == {
        nom: len(c) for nom, c in autre.fond.items()
    }
    assert un.date_donnees.isoformat() == "2026-02-28T06:00:00+00:00"  # dite par Overpass


def test_un_grand_territoire_est_pris_par_l_extrait_regional(banc):
    assert not [c for c in banc.demandes if "overpass-api" in c]
    assert etat(banc.bilan, "osm").titre == "OpenStreetMap (rues, lieux, fond)"


def test_l_extrait_regional_peut_etre_exige(copie, tmp_path):
    assert etat(prendre(copie, tmp_path, osm="geofabrik"), "osm").statut is Statut.RECU
    assert demandes(copie, "overpass-api") == []


def test_overpass_exige_refuse_un_grand_territoire(copie, tmp_path):
    with pytest.raises(ErreurDonnees, match=r"trop grand[\s\S]*1000 km²[\s\S]*geofabrik"):
        prendre(copie, tmp_path, osm="overpass", marge_m=None)
    assert demandes(copie, "overpass-api") == []


def test_un_service_arrete_en_chemin_laisse_la_place_a_l_extrait_regional(copie, tmp_path):
    def interrompre(requete):
        extrait = copie.demo / "orvenne.osm.pbf"
        return overpass.calculer_reponse(extrait, requete.parametres["DATA"], EXPIRE)

    copie.serveur.contenus[overpass.CHEMIN] = interrompre
    bilan = prendre(copie, tmp_path)
    assert etat(bilan, "osm").statut is Statut.RECU
    assert "n'a pas rendu l'extrait en entier" in etat(bilan, "osm").message
    assert "Query timed out" in etat(bilan, "osm").message
    # L'extrait régional convient : la fois suivante ne revient pas à Overpass.
    copie.serveur.requetes.clear()
    assert etat(prendre(copie, tmp_path), "osm").statut is Statut.A_JOUR
    assert demandes(copie, "overpass-api") == []


@pytest.mark.parametrize(
    ("faute", "message"),
    [
        (refuser(429), "HTTP 429"),
        (refuser(504), "HTTP 504"),
        (refuser(400), "HTTP 400"),
        (rendre(b"<html><head><title>Overpass overloaded</title>"), "Overpass overloaded"),
        (rendre(b'<?xml version="1.0"?><osm version="0.6"></osm>'), "aucun noeud"),
    ],
    ids=["429", "504", "400", "page", "vide"],
)
def test_overpass_exige_dit_pourquoi_il_ne_rend_rien(faute, message, copie, tmp_path):
    copie.serveur.fautes[overpass.CHEMIN] = [faute] * 9
    bilan = prendre(copie, tmp_path, osm="overpass")
    assert etat(bilan, "osm").statut is Statut.MANQUANT
    assert message in etat(bilan, "osm").message
    assert [e.id for e in bilan.manques_obligatoires] == ["osm"]
    assert demandes(copie, "geofabrik") == []
    assert not (tmp_path / "t" / "rues.osm.pbf").exists()


def test_un_service_trop_demande_est_redemande_plus_tard(copie, tmp_path):
    copie.serveur.fautes[overpass.CHEMIN] = [refuser(429)]
    assert etat(prendre(copie, tmp_path, osm="overpass"), "osm").statut is Statut.RECU
    assert len(demandes(copie, "overpass-api")) == 2


def test_simuler_ne_fait_pas_calculer_overpass(copie, tmp_path):
    bilan = prendre(copie, tmp_path, simuler=True)
    assert etat(bilan, "osm").statut is Statut.PREVU
    assert "taille inconnue" in etat(bilan, "osm").message
    assert [r for r in copie.serveur.requetes if "overpass-api" in r.chemin] == []


def test_un_fichier_pose_a_la_main_l_emporte_sur_overpass(copie, tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "rues.osm.pbf").write_bytes((copie.demo / "orvenne.osm.pbf").read_bytes())
    assert etat(prendre(copie, tmp_path), "osm").statut is Statut.A_LA_MAIN
    assert demandes(copie, "overpass-api") == []


def test_un_catalogue_sans_overpass_le_dit(copie, tmp_path):
    texte = copie.catalogue.read_text(encoding="utf-8")
    debut, fin = (
        texte.index('[[source]]\nid = "osm_overpass"'),
        texte.index('[[source]]\nid = "carr'),
    )
    catalogue = tmp_path / "sources.toml"
    catalogue.write_text(texte[:debut] + texte[fin:], encoding="utf-8")
    with pytest.raises(ErreurConfiguration, match="pas d'adresse d'Overpass"):
        prendre(copie, tmp_path, osm="overpass", catalogue=catalogue)
    assert etat(prendre(copie, tmp_path, catalogue=catalogue), "osm").statut is Statut.RECU

"""Les pages, sans navigateur : contenu, adresse, fautes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from couches.ecran.hors_ligne import lister_actifs
from couches.ecran.mercator import vers_degres
from couches.vues import lire_vues, retirer_vue
from pages._commun.ouverture import obtenir_partage

RACINE = Path(__file__).resolve().parent.parent.parent
SCRIPT = str(RACINE / "pages" / "visualiseur.py")


def ouvrir(monkeypatch, dossier, **adresse):
    monkeypatch.setenv("DEMI_HEURE_DOSSIER", str(dossier))
    page = AppTest.from_file(SCRIPT, default_timeout=180)
    for nom, valeur in adresse.items():
        page.query_params[nom] = valeur
    return page.run()


def html(page):
    return "\n".join(e.proto.body for e in page.get("html"))


def test_la_page_repond_a_la_question(dossier_prepare, monkeypatch):
    page = ouvrir(monkeypatch, dossier_prepare)
    assert not page.exception
    texte = html(page)
    assert "Qui peut rejoindre une boulangerie en 15 minutes à pied ou à vélo ?" in texte
    assert "Données fictives" in texte
    assert "Communes les plus concernées" in texte


@pytest.mark.skipif(not lister_actifs().locaux, reason="composants de carte non installés")
def test_la_carte_ne_charge_que_des_adresses_locales(dossier_prepare, monkeypatch):
    page = ouvrir(monkeypatch, dossier_prepare)
    (carte,) = page.get("component_instance")
    arguments = json.loads(carte.proto.json_args)
    for adresse in (*arguments["js_links"], *arguments["css_links"]):
        assert adresse.startswith(("/actifs/", "/ressources/"))
    assert not re.search(r"https?://", arguments["script"] + arguments["feature_group"])
    assert "DemiHeure.appliquer" in carte.proto.json_args


def test_l_adresse_donne_les_reglages(dossier_prepare, monkeypatch):
    page = ouvrir(monkeypatch, dossier_prepare, mesure="medecin", par="velo", minutes="10")
    texte = html(page)
    assert "Qui peut rejoindre un médecin généraliste en 10 minutes à vélo ?" in texte
    assert page.selectbox(key="r_mesure").value == "medecin"


def test_un_reglage_change_l_adresse(dossier_prepare, monkeypatch):
    page = ouvrir(monkeypatch, dossier_prepare)
    page.selectbox(key="r_mesure").set_value("pharmacie").run()
    assert not page.exception
    assert page.query_params["mesure"] == "pharmacie"
    assert "une pharmacie" in html(page)


def test_une_zone_recompte_les_chiffres(dossier_prepare, monkeypatch):
    page = ouvrir(monkeypatch, dossier_prepare)
    entier = html(page)
    zone = next(o for o in page.selectbox(key="r_zone").options if o.startswith("Commune"))
    page.selectbox(key="r_zone").select(zone).run()
    assert not page.exception
    assert html(page) != entier
    assert zone.removeprefix("Commune – ") in html(page)


def test_des_reglages_inconnus_sont_dits_et_ignores(dossier_prepare, monkeypatch):
    page = ouvrir(
        monkeypatch, dossier_prepare, mesure="<script>piege()", minutes="7", zone="commune:zzz",
        points="1,2,3", opacite="200", couches="carreaux,ovni",
    )  # fmt: skip
    assert not page.exception
    texte = html(page)
    assert "Réglages de l’adresse ignorés" in texte
    for nom in ("mesure", "minutes", "zone", "points", "opacite", "couches"):
        assert nom in texte
    assert "piege" not in texte
    assert "une boulangerie en 15 minutes" in texte


def test_des_points_d_adresse_sont_comptes(dossier_prepare, monkeypatch):
    territoire = obtenir_partage(dossier_prepare).territoire
    lieu = territoire.equipements.geometry.iloc[0].centroid
    lon, lat = vers_degres(np.array([lieu.x]), np.array([lieu.y]), territoire.crs)
    page = ouvrir(monkeypatch, dossier_prepare, points=f"{lon[0]:.5f},{lat[0]:.5f}")
    assert not page.exception
    assert "Depuis le point, à pied" in html(page)


def test_un_point_loin_de_toute_rue_se_dit(dossier_prepare, monkeypatch):
    page = ouvrir(monkeypatch, dossier_prepare, points="0.00000,0.00000")
    assert not page.exception
    assert "Aucune rue praticable à pied" in html(page)


def test_les_vues_enregistrees_s_ouvrent_en_mode_projecteur(dossier_prepare, monkeypatch):
    page = ouvrir(monkeypatch, dossier_prepare, mode="projecteur")
    suivante = next(b for b in page.button if b.label == "Suivante")
    suivante.click().run()
    next(b for b in page.button if b.label == "Suivante").click().run()
    assert not page.exception
    texte = html(page)
    assert "un médecin généraliste en 15 minutes à pied" in texte
    assert "Médecins &lt;b&gt;à pied&lt;/b&gt;" in texte
    assert page.query_params["mode"] == "projecteur"


def test_une_vue_s_enregistre_et_se_retire(dossier_prepare, monkeypatch):
    page = ouvrir(monkeypatch, dossier_prepare, mesure="pharmacie")
    page.text_input(key="nom_vue").set_value("Pharmacies").run()
    next(b for b in page.button if b.label == "Enregistrer la vue").click().run()
    try:
        assert not page.exception
        assert lire_vues(dossier_prepare)[-1].reglages["mesure"] == "pharmacie"
    finally:
        retirer_vue(dossier_prepare, "Pharmacies")


def test_la_page_methode_dit_sources_constats_et_hypotheses(dossier_prepare, monkeypatch):
    page = ouvrir(monkeypatch, dossier_prepare)
    page.switch_page(str(RACINE / "pages" / "methode.py")).run()
    assert not page.exception
    texte = html(page)
    for attendu in (
        "D’où viennent ces chiffres ?",
        ".osm.pbf",
        "données simulées",
        "vitesse_marche_kmh",
        "Carreaux imputés",
        "Validité des horaires",
        "Effets de bord",
    ):
        assert attendu in texte


@pytest.mark.parametrize("contenu", [None, "{", '{"version": 999}'])
def test_un_dossier_inutilisable_se_dit_sans_trace(tmp_path, monkeypatch, contenu):
    if contenu is not None:
        (tmp_path / "territoire.json").write_text(contenu, encoding="utf-8")
    page = ouvrir(monkeypatch, tmp_path)
    assert not page.exception
    texte = html(page)
    assert 'role="alert"' in texte
    assert "demi-heure preparer" in texte
    assert "Traceback" not in texte

import json
import re
from dataclasses import replace
from pathlib import Path

import folium
import numpy as np
import pytest
import shapely
from streamlit_folium import _get_feature_group_string, _get_map_string, generate_js_hash

from accessibilite.rues.isochrones import Isochrone
from couches.ecran.carte import (
    FONDS_EN_LIGNE,
    Adresses,
    Cadrage,
    Consigne,
    IsochroneVoulue,
    Pointage,
    construire_carte,
    construire_consigne,
    ecrire_points,
    en_json,
)
from couches.ecran.hors_ligne import Actifs, lister_actifs, lister_adresses_externes, lister_police
from couches.ecran.isochrones_web import alleger, choisir_tolerance, decrire_bandes
from couches.styles import lire_styles

ADRESSES = Adresses("/rendu/abc")
LOCAUX = Actifs((("leaflet", "/actifs/leaflet/leaflet.js"),), (), True)
CONSIGNE = Consigne(
    fond="hors_ligne",
    fond_mention="© essai",
    carreaux=ADRESSES.carreaux(["boulangerie"], "marche"),
    carreaux_valeur=ADRESSES.valeur(["boulangerie"], "marche"),
    carreaux_visible=True,
    opacite=0.8,
    lieux=ADRESSES.lieux(["boulangerie"]),
    lieux_visibles=True,
    reperes=ADRESSES.reperes(noms=True, limites=False, echelle=1.5),
)


def carte(**changements):
    reglages = {"session": "jeton", "actifs": LOCAUX} | changements
    return construire_carte("Essai", (45.4, -3.4), lire_styles(), ADRESSES, **reglages)


def script_base(**changements):
    base = carte(**changements)
    base.get_root().render()
    return _get_map_string(base)


def lire_consigne(consigne):
    base = carte()
    base.get_root().render()
    script = _get_feature_group_string(construire_consigne(consigne, ADRESSES), base)
    (contenu,) = re.findall(r"DemiHeure\.appliquer\((.*)\);", script)
    return json.loads(contenu)


def test_la_carte_ne_demande_rien_hors_du_serveur():
    assert lister_adresses_externes(carte()) == []


def test_la_garde_voit_une_adresse_exterieure():
    douteuse = carte()
    folium.TileLayer("OpenStreetMap").add_to(douteuse)
    assert any("openstreetmap.org" in a for a in lister_adresses_externes(douteuse))
    assert lister_adresses_externes(carte(actifs=lister_actifs(Path("dossier-absent"))))


def test_sans_composants_installes_leaflet_vient_d_internet(tmp_path):
    actifs = lister_actifs(tmp_path)
    assert not actifs.locaux
    assert actifs.scripts[0][1].startswith("https://")
    assert lister_police(tmp_path).fichiers == ()


def test_composants_installes(tmp_path):
    for nom in ("leaflet/leaflet.js", "public-sans/public-sans-600.woff"):
        (tmp_path / nom).parent.mkdir(exist_ok=True)
        (tmp_path / nom).write_text("")
    actifs = lister_actifs(tmp_path)
    assert actifs.locaux
    assert all(a.startswith(("/actifs/", "/ressources/")) for _, a in actifs.scripts)
    assert [g for g, _ in lister_police(tmp_path).fichiers] == [600]


def test_la_base_est_la_meme_a_chaque_construction():
    # Une base différente ferait recharger la carte à chaque clic.
    assert generate_js_hash(script_base(), "carte") == generate_js_hash(script_base(), "carte")
    assert script_base() != script_base(projecteur=True)


def test_la_consigne_arrive_telle_quelle():
    contenu = lire_consigne(CONSIGNE)
    assert contenu["fond"]["gabarit"] == "/rendu/abc/fond/{z}/{x}/{y}.png"
    assert contenu["carreaux"]["opacite"] == 0.8
    assert contenu["reperes"]["gabarit"].endswith("noms=1&limites=0&echelle=1.5&zone=territoire")
    assert contenu["clic"] is None
    assert contenu["cadrage"] is None


def test_la_consigne_porte_isochrones_pointage_et_cadrage():
    consigne = replace(
        CONSIGNE,
        isochrones=(IsochroneVoulue("/u", ((-3.4, 45.4),), 1, 2),),
        pointage=Pointage("/g?points=POINTS", ((-3.4, 45.4),), True, False, 6),
        cadrage=Cadrage("zone-3", bornes=(-3.5, 45.3, -3.3, 45.5)),
    )
    contenu = lire_consigne(consigne)
    assert contenu["isochrones"] == [
        {"numero": 2, "points": [[-3.4, 45.4]], "rang": 1, "url": "/u"}
    ]
    assert contenu["clic"]["points_max"] == 6
    # Leaflet veut (latitude, longitude), sud-ouest puis nord-est.
    assert contenu["cadrage"]["bornes"] == [[45.3, -3.5], [45.5, -3.3]]
    vue = lire_consigne(replace(CONSIGNE, cadrage=Cadrage("v", centre=(45.0, -3.0), zoom=12.5)))
    assert vue["cadrage"] == {"centre": [45.0, -3.0], "numero": "v", "zoom": 12.5}


def test_un_fond_en_ligne_garde_le_fond_hors_ligne_en_secours():
    fond = lire_consigne(replace(CONSIGNE, fond="ign"))["fond"]
    assert fond["gabarit"] == FONDS_EN_LIGNE["ign"][0]
    assert fond["secours"]["gabarit"].startswith("/rendu/")


@pytest.mark.parametrize("texte", ["</script><b>", "l'eau", "{{ 7*7 }}", "a\u2028b", '"]});//'])
def test_un_texte_de_donnees_ne_devient_jamais_du_code(texte):
    produit = en_json({"texte": texte})
    assert json.loads(produit) == {"texte": texte}
    assert "<" not in produit
    assert "'" not in produit
    assert lire_consigne(replace(CONSIGNE, fond_mention=texte))["fond"]["mention"] == texte


def test_les_adresses_sont_protegees():
    assert "%2F" not in ADRESSES.carreaux(["boulangerie"], "marche")
    assert ADRESSES.lieux(["a&b=c"]).endswith("services=a%26b%3Dc")
    assert ecrire_points([(-3.44, 45.4571234), (2, 50)]) == "-3.44000,45.45712;2.00000,50.00000"


def isochrone(seuil, polygone):
    return Isochrone(seuil, shapely.MultiPolygon([polygone]), polygone.area, 0.0)


def test_les_bandes_vont_de_la_plus_lointaine_a_la_plus_proche():
    x, y = 652_000.0, 7_045_000.0
    petit, grand = (shapely.box(x - d, y - d, x + d, y + d) for d in (300, 900))
    contenu = json.loads(
        decrire_bandes([isochrone(300, petit), isochrone(900, grand)], "EPSG:2154")
    )
    minutes = [b["properties"]["minutes"] for b in contenu["features"]]
    assert minutes == [15, 5]
    loin, pres = (shapely.from_geojson(json.dumps(b["geometry"])) for b in contenu["features"])
    assert loin.contains(pres)
    lon, lat = pres.centroid.coords[0]
    assert (lon, lat) == pytest.approx((2.34, 50.50), abs=0.02)
    assert contenu["features"][1]["properties"]["surface_m2"] == 360_000


def test_un_isochrone_vide_reste_une_bande_vide():
    contenu = json.loads(
        decrire_bandes([Isochrone(300, shapely.MultiPolygon(), 0.0, 0.0)], "EPSG:2154")
    )
    assert contenu["features"][0]["geometry"]["coordinates"] == []


def test_alleger_garde_la_forme_et_retire_l_invisible():
    anneau = shapely.Point(0, 0).buffer(500, quad_segs=200)
    trou = shapely.Point(100, 0).buffer(120, quad_segs=100)
    poussiere = shapely.Point(-200, 0).buffer(3)
    ilot = shapely.Point(2000, 0).buffer(5)
    depart = shapely.MultiPolygon([anneau.difference(trou).difference(poussiere), ilot])
    (resultat,) = alleger([depart], 4.0)
    assert resultat.is_valid
    assert len(resultat.geoms) == 1
    assert len(resultat.geoms[0].interiors) == 1
    assert shapely.get_num_coordinates(resultat) < shapely.get_num_coordinates(depart) / 4
    assert resultat.symmetric_difference(depart).area < 0.02 * depart.area


def test_un_ilot_dans_un_trou_est_garde():
    couronne = shapely.box(0, 0, 1000, 1000).difference(shapely.box(200, 200, 800, 800))
    ilot = shapely.box(400, 400, 600, 600)
    (resultat,) = alleger([shapely.MultiPolygon([couronne, ilot])], 4.0)
    assert resultat.area == pytest.approx(couronne.area + ilot.area)


def test_alleger_rend_autant_de_polygones_qu_il_en_recoit():
    vide, carre = shapely.MultiPolygon(), shapely.MultiPolygon([shapely.box(0, 0, 900, 900)])
    resultat = alleger([vide, carre, vide], 4.0)
    assert [p.is_empty for p in resultat] == [True, False, True]
    assert np.isfinite(choisir_tolerance([vide, carre]))


def test_la_tolerance_suit_l_etendue():
    petit = shapely.MultiPolygon([shapely.box(0, 0, 2000, 1000)])
    grand = shapely.MultiPolygon([shapely.box(0, 0, 20_000, 40_000)])
    assert choisir_tolerance([petit]) == 4.0
    assert choisir_tolerance([petit, grand]) == pytest.approx(40_000 / 1200)
    assert choisir_tolerance([shapely.MultiPolygon()]) == 4.0

"""Les couches de la carte dans un vrai navigateur, sans réseau."""

from __future__ import annotations

import json

import pytest

from couches.ecran.hors_ligne import lister_actifs
from scripts.banc_visualiseur import CADRE, chercher_navigateur, naviguer, ouvrir_carte, servir
from tests.application.test_navigateur import Releve

pytestmark = [
    pytest.mark.skipif(chercher_navigateur() is None, reason="aucun navigateur Chromium installé"),
    pytest.mark.skipif(
        not lister_actifs().locaux,
        reason="composants de carte absents : python scripts/demarrer.py les installe",
    ),
]
PANNEAU = ".leaflet-calque-{}-pane"
TROIS = "?calques=commerces:90,friches:90,zones_inondables_reglement:80"
#: Boîtes qui ne doivent ni se recouvrir ni sortir du cadre.
BOITES = """
() => [".legende", ".recherche", ".leaflet-control-zoom", ".leaflet-control-scale",
       ".leaflet-control-attribution"]
  .map((s) => document.querySelector(s)).filter((e) => e && !e.hidden)
  .map((e) => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })
"""


@pytest.fixture(scope="module")
def adresse(dossier_prepare):
    with servir(dossier_prepare) as base:
        yield base


@pytest.fixture(scope="module")
def navigateur():
    with naviguer() as ouvert:
        yield ouvert


@pytest.fixture
def ouvrir(navigateur, adresse):
    pages = []

    def _ouvrir(suite="", largeur=1920, hauteur=1080):
        page = navigateur.new_page(viewport={"width": largeur, "height": hauteur})
        pages.append(page)
        releve = Releve(page, adresse)
        cadre = ouvrir_carte(page, f"{adresse}/{suite}")
        page.wait_for_timeout(1_500)
        return page, cadre, releve

    yield _ouvrir
    for page in pages:
        page.close()


def image(cadre, calque):
    return cadre.wait_for_selector(f"{PANNEAU.format(calque)} img", state="attached")


def rang(cadre, calque):
    return cadre.evaluate(
        f"Number(document.querySelector('{PANNEAU.format(calque)}').style.zIndex)"
    )


def test_une_couche_se_montre_s_attenue_et_se_range_sans_recharger_la_carte(ouvrir):
    page, cadre, releve = ouvrir()
    cadre.evaluate("window.temoin = 1")
    zoom = cadre.evaluate("window.map.getZoom()")
    page.get_by_text("Couches", exact=True).click()
    for titre in ("Friches (", "Plan de prévention des risques : règlement ("):
        page.locator(".stCheckbox", has_text=titre).click()
        page.wait_for_timeout(400)
    image(cadre, "friches")
    source = image(cadre, "zones_inondables_reglement").get_attribute("src")
    assert sorted(cadre.locator(".legende h3").all_inner_texts()) == [
        "Friches",
        "Plan de prévention des risques : règlement",
    ]
    page.wait_for_function("location.search.includes('calques=')")

    avant = rang(cadre, "friches") - rang(cadre, "zones_inondables_reglement")
    page.locator(".st-key-calque_friches .stButton button:not([disabled])").first.click()
    cadre.wait_for_function(
        "avant => { const r = (c) => Number(document.querySelector(`.leaflet-calque-${c}-pane`)"
        ".style.zIndex); return (r('friches') - r('zones_inondables_reglement')) * avant < 0; }",
        arg=avant,
    )
    curseur = page.locator(".st-key-calque_zones_inondables_reglement").get_by_role("slider")
    curseur.focus()
    for _ in range(4):
        curseur.press("ArrowLeft")
    cadre.wait_for_function(
        "Number(document.querySelector('.leaflet-calque-zones_inondables_reglement-pane img')"
        ".style.opacity) === 0.7"
    )
    # Ni l'opacité ni le rang ne redemandent l'image ; la base et le zoom sont restés.
    assert image(cadre, "zones_inondables_reglement").get_attribute("src") == source
    assert cadre.evaluate("window.temoin") == 1
    assert cadre.evaluate("window.map.getZoom()") == zoom
    releve.verifier()


def test_les_couches_survivent_au_rechargement(ouvrir):
    page, cadre, releve = ouvrir(TROIS)
    image(cadre, "commerces")
    page.reload()
    page.locator(CADRE).wait_for()
    page.wait_for_timeout(3_000)
    cadre = page.query_selector(CADRE).content_frame()
    image(cadre, "commerces")
    assert cadre.locator(".legende h3").count() == 3
    assert releve.exterieures == releve.fautes == []


@pytest.mark.parametrize(("largeur", "hauteur"), [(1920, 1080), (1280, 800)])
@pytest.mark.parametrize("mode", ["", "&mode=projecteur"])
def test_rien_ne_se_recouvre_avec_trois_couches(ouvrir, largeur, hauteur, mode):
    _, cadre, releve = ouvrir(TROIS + mode, largeur, hauteur)
    image(cadre, "friches")
    boites = cadre.evaluate(BOITES)
    assert len(boites) >= 4
    droite, bas = cadre.evaluate("[innerWidth, innerHeight]")
    for i, (g, t, d, b) in enumerate(boites):
        assert 0 <= g < d <= droite + 1
        assert 0 <= t < b <= bas + 1
        for g2, t2, d2, b2 in boites[i + 1 :]:
            assert d <= g2 + 1 or d2 <= g + 1 or b <= t2 + 1 or b2 <= t + 1
    legende = cadre.locator(".legende")
    assert legende.evaluate("e => e.scrollHeight - e.clientHeight") <= 1
    assert legende.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
    releve.verifier()


def fichier(centre, nom):
    """Trois points autour d'un centre, dont le nom se voudrait du HTML."""
    lat, lng = centre
    return {
        "name": nom,
        "mimeType": "application/json",
        "buffer": json.dumps(
            {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "properties": {"nom": "<img src=x onerror='window.top.piege=1'>", "k": k},
                        "geometry": {"type": "Point", "coordinates": [lng + decalage, lat]},
                    }
                    for k, decalage in (("un", 0.0), ("deux", 0.004), ("un", -0.004))
                ],
            }
        ).encode(),
    }


def choisir(page, cle, texte):
    """Choisir dans une liste ; le volet qui s'ouvre et défile peut la refermer aussitôt."""
    liste = page.locator(cle).get_by_role("combobox")
    option = page.get_by_role("option", name=texte)
    for _ in range(10):
        liste.click()
        page.wait_for_timeout(1_000)
        if option.count():
            option.click()
            return
        page.keyboard.press("Escape")
    pytest.fail(f"la liste {cle} ne s'ouvre pas")


def survoler(page, cadre, lieu, attendu):
    """Survoler un lieu jusqu'à voir sa bulle.

    La légende qui paraît fait glisser la carte : la place du lieu se relit à chaque essai.
    """
    boite = page.locator(CADRE).bounding_box()
    for _ in range(20):
        x, y = cadre.evaluate(
            "c => { const p = window.map.latLngToContainerPoint(c); return [p.x, p.y]; }", lieu
        )
        page.mouse.move(boite["x"] + x + 40, boite["y"] + y + 40)
        page.mouse.move(boite["x"] + x + 1, boite["y"] + y + 1)
        page.wait_for_timeout(500)
        if attendu.count():
            return
    pytest.fail(f"aucune bulle ; à l'écran : {cadre.locator('.bulle').all_inner_texts()}")


def test_un_fichier_depose_se_montre_et_son_texte_reste_du_texte(ouvrir):
    page, cadre, releve = ouvrir()
    page.get_by_text("Couches", exact=True).click()
    depot = page.get_by_test_id("stFileUploader")
    depot.wait_for()
    page.wait_for_timeout(500)
    visible = depot.inner_text()
    assert "Choisir un fichier" in visible
    assert "50 Mo au plus" in visible
    assert not any(mot in visible for mot in ("Upload", "Drag", "per file", "MB"))
    entree = page.get_by_test_id("stFileUploaderDropzoneInput")
    centre = cadre.evaluate("(() => { const c = map.getCenter(); return [c.lat, c.lng]; })()")
    entree.set_input_files(fichier(centre, "<b>jardins ![x](data:,) **gras**.geojson"))
    image(cadre, "depot-1")
    page.get_by_text("« <b>jardins ![x](data:,) **gras** » :").wait_for()

    survoler(page, cadre, centre, cadre.locator(".bulle", has_text="<img src=x onerror="))
    assert cadre.locator(".bulle img").count() == 0
    assert page.evaluate("window.piege === undefined")
    assert "depot" not in page.url

    # Ni image ni gras dans les libellés des réglages non plus.
    retrait = page.get_by_role("button", name="Retirer <b>jardins ![x](data:,) **gras**")
    assert retrait.locator("img, strong, b").count() == 0
    retrait.click()
    cadre.wait_for_function(
        "document.querySelectorAll('.leaflet-calque-depot-1-pane img').length === 0"
    )
    releve.verifier()


def test_un_mauvais_fichier_est_refuse_en_francais_et_la_page_reste(ouvrir):
    page, cadre, releve = ouvrir()
    page.get_by_text("Couches", exact=True).click()
    entree = page.get_by_test_id("stFileUploaderDropzoneInput")
    entree.set_input_files({"name": "a.geojson", "mimeType": "text/plain", "buffer": b"bonjour"})
    page.get_by_text("Fichier refusé. Le contenu du fichier n'est pas du GeoJSON.").wait_for()
    assert "Qui peut rejoindre" in page.locator("h1").inner_text()
    assert cadre.evaluate("document.querySelectorAll('.leaflet-carreaux-pane img').length") == 1
    releve.verifier()


def test_un_fond_d_internet_n_est_demande_que_choisi(ouvrir):
    page, cadre, releve = ouvrir()
    assert releve.exterieures == []
    page.route("https://data.geopf.fr/**", lambda r: r.abort())
    page.get_by_text("Couches", exact=True).click()
    choisir(page, ".st-key-r_fond", "Plan IGN (internet)")
    cadre.wait_for_function(
        "document.querySelector('.leaflet-control-attribution').textContent.includes('IGN')"
    )
    page.get_by_text("Ce fond est demandé à internet").wait_for()
    assert releve.exterieures
    assert all(u.startswith("https://data.geopf.fr/") for u in releve.exterieures)
    assert releve.fautes == []

"""Le visualiseur dans un vrai navigateur, sans réseau."""

from __future__ import annotations

import pytest

from couches.ecran.hors_ligne import lister_actifs
from pages._commun.ouverture import obtenir_partage
from scripts.banc_visualiseur import CADRE, chercher_navigateur, naviguer, ouvrir_carte, servir

pytestmark = [
    pytest.mark.skipif(chercher_navigateur() is None, reason="aucun navigateur Chromium installé"),
    pytest.mark.skipif(
        not lister_actifs().locaux,
        reason="composants de carte absents : python scripts/demarrer.py les installe",
    ),
]


@pytest.fixture(scope="module")
def adresse(dossier_prepare):
    with servir(dossier_prepare) as base:
        yield base


@pytest.fixture(scope="module")
def navigateur():
    with naviguer() as ouvert:
        yield ouvert


class Releve:
    """Ce que le navigateur a demandé, et ce qui a échoué."""

    def __init__(self, page, base):
        self.exterieures, self.echecs, self.fautes, self.envois = [], [], [], []
        page.on("request", lambda r: self._noter(r.url, base))
        page.on("requestfailed", lambda r: self.echecs.append((r.url, r.failure)))
        page.on("response", lambda r: r.status >= 400 and self.echecs.append((r.url, r.status)))
        page.on("pageerror", lambda e: self.fautes.append(str(e)))
        page.on("websocket", lambda w: w.on("framesent", lambda _: self.envois.append(1)))

    def _noter(self, url, base):
        if not url.startswith((base, "data:", "blob:")):
            self.exterieures.append(url)

    def verifier(self):
        assert self.exterieures == []
        assert self.echecs == []
        assert self.fautes == []


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


LIEUX_PRES_DU_CENTRE = """
async () => {
  const racine = document.querySelector(".leaflet-carreaux-pane img").src.split("/carreaux.png")[0];
  const { lieux } = await (await fetch(`${racine}/lieux.json?services=boulangerie`)).json();
  const centre = window.map.getSize().divideBy(2);
  return lieux
    .map(([lon, lat]) => window.map.latLngToContainerPoint([lat, lon]))
    .sort((a, b) => a.distanceTo(centre) - b.distanceTo(centre))
    .map((p) => [p.x, p.y]);
}
"""


def cliquer_lieu(page, cadre, rang=0):
    """Cliquer sur la ``rang``-ième boulangerie depuis le centre : une rue y mène toujours."""
    boite = page.locator(CADRE).bounding_box()
    x, y = cadre.evaluate(LIEUX_PRES_DU_CENTRE)[rang]
    page.mouse.click(boite["x"] + x, boite["y"] + y)


def nombre_bandes(cadre):
    return cadre.evaluate("document.querySelectorAll('path.isochrone').length")


def test_tout_marche_sans_reseau(ouvrir):
    page, cadre, releve = ouvrir()
    assert cadre.evaluate("document.querySelectorAll('.leaflet-tile-loaded').length") > 0
    assert page.evaluate("document.documentElement.lang") == "fr"
    police = "document.fonts.check('16px \"Public Sans\"')"
    assert page.evaluate(police)
    assert "Qui peut rejoindre" in page.locator("h1").inner_text()

    cliquer_lieu(page, cadre)
    cadre.wait_for_selector("path.isochrone")
    trace = cadre.evaluate("document.querySelector('path.isochrone').getBoundingClientRect().width")
    assert trace > 5
    page.get_by_text("Depuis le point, à pied").wait_for()
    page.wait_for_function("location.search.includes('points=')")
    releve.verifier()


def test_le_polygone_du_clic_reste_une_fois_la_page_recalculee(ouvrir):
    page, cadre, releve = ouvrir()
    zoom = cadre.evaluate("window.map.getZoom()")
    cliquer_lieu(page, cadre)
    cadre.wait_for_selector("path.isochrone")
    page.get_by_text("Depuis le point, à pied").wait_for()
    page.wait_for_timeout(1_500)
    assert nombre_bandes(cadre) == 3
    assert cadre.evaluate("window.map.getZoom()") == zoom
    cliquer_lieu(page, cadre, 5)
    page.wait_for_timeout(2_000)
    # Sans « garder plusieurs points », le nouveau remplace l'ancien.
    assert nombre_bandes(cadre) == 3
    releve.verifier()


def test_plusieurs_points_se_comparent(ouvrir):
    page, cadre, releve = ouvrir("?garder=1")
    cliquer_lieu(page, cadre, 0)
    page.get_by_text("Depuis le point, à pied").wait_for()
    cliquer_lieu(page, cadre, 5)
    page.get_by_text("Depuis les points, à pied").wait_for()
    page.wait_for_timeout(1_000)
    assert nombre_bandes(cadre) == 6
    assert page.locator(".dh-points .pastille").count() == 2
    page.get_by_role("button", name="Effacer les points").click()
    cadre.wait_for_function("document.querySelectorAll('path.isochrone').length === 0")
    releve.verifier()


def test_une_couche_se_masque(ouvrir):
    page, cadre, releve = ouvrir()
    page.get_by_text("Couches", exact=True).click()
    page.get_by_role("button", name="Temps d’accès par carreau").click()
    cadre.wait_for_function("document.querySelectorAll('.leaflet-carreaux-pane img').length === 0")
    assert cadre.evaluate("document.querySelectorAll('.leaflet-reperes-pane img').length") == 1
    page.wait_for_function("location.search.includes('couches=')")
    releve.verifier()


def test_changer_de_service_change_l_image_sans_recharger_la_carte(ouvrir):
    page, cadre, releve = ouvrir()
    cadre.evaluate("window.temoin = 1")
    avant = cadre.evaluate("document.querySelector('.leaflet-carreaux-pane img').src")
    page.get_by_role("radio", name="Voiture").first.click()
    cadre.wait_for_function(
        "avant => document.querySelector('.leaflet-carreaux-pane img')?.src !== avant", arg=avant
    )
    assert "mode=voiture" in cadre.evaluate(
        "document.querySelector('.leaflet-carreaux-pane img').src"
    )
    assert cadre.evaluate("window.temoin") == 1
    releve.verifier()


def test_glisser_et_zoomer_ne_relancent_pas_la_page(ouvrir):
    page, cadre, releve = ouvrir()
    envois = len(releve.envois)
    boite = page.locator(CADRE).bounding_box()
    x, y = boite["x"] + boite["width"] / 2, boite["y"] + boite["height"] / 2
    zoom = cadre.evaluate("window.map.getZoom()")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y + 60, steps=5)
    page.mouse.up()
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(2_500)
    assert cadre.evaluate("window.map.getZoom()") > zoom
    assert len(releve.envois) == envois
    assert releve.fautes == releve.exterieures == []
    # La vue se retrouve dans l'adresse : la page rechargée la redonne.
    assert "vue=" in page.url
    vue = cadre.evaluate("window.map.getZoom()")
    page.reload()
    page.locator(CADRE).wait_for()
    page.wait_for_timeout(4_000)
    cadre = page.query_selector(CADRE).content_frame()
    cadre.wait_for_function("window.map !== undefined")
    page.wait_for_timeout(1_500)
    assert cadre.evaluate("window.map.getZoom()") == vue


@pytest.mark.parametrize(("largeur", "hauteur"), [(1920, 1080), (1280, 800)])
def test_le_mode_projecteur_tient_dans_la_fenetre(ouvrir, largeur, hauteur):
    page, _, releve = ouvrir("?mode=projecteur", largeur, hauteur)
    for selecteur in ("document.documentElement", "document.querySelector('.stMain')"):
        assert page.evaluate(f"{selecteur}.scrollHeight <= {selecteur}.clientHeight")
    panneau = page.locator(".st-key-panneau")
    assert panneau.evaluate("e => e.scrollHeight - e.clientHeight") <= 1
    boite = page.locator(CADRE).bounding_box()
    assert boite["y"] + boite["height"] <= hauteur
    assert boite["height"] > 0.6 * hauteur
    assert not page.locator('[data-testid="stSidebar"]').is_visible()
    petits = page.evaluate(
        """() => [...document.querySelectorAll('.stMain *')].filter(e =>
             [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
             && e.getBoundingClientRect().width > 0 && !['STYLE', 'SCRIPT'].includes(e.tagName)
             && parseFloat(getComputedStyle(e).fontSize) < 18)
           .map(e => e.textContent.slice(0, 40))"""
    )
    assert petits == []
    releve.verifier()


def test_la_telecommande_passe_d_une_vue_a_l_autre(ouvrir):
    page, cadre, releve = ouvrir("?mode=projecteur", 1280, 800)
    page.keyboard.press("PageDown")
    page.get_by_text("1 / 2").wait_for()
    page.keyboard.press("PageDown")
    page.get_by_text("2 / 2").wait_for()
    page.get_by_text("Qui peut rejoindre un médecin généraliste").wait_for()
    # La carte a le focus : la touche est transmise à la page.
    cadre.locator(".leaflet-container").focus()
    page.keyboard.press("PageUp")
    page.get_by_text("1 / 2").wait_for()
    page.get_by_role("button", name="Quitter").click()
    page.locator('[data-testid="stSidebar"]').wait_for()
    assert releve.fautes == releve.exterieures == []


def test_une_demande_fautive_au_serveur_rend_une_explication(ouvrir, adresse):
    page, cadre, _ = ouvrir()
    image = cadre.evaluate("document.querySelector('.leaflet-carreaux-pane img').src")
    racine = image.split("/carreaux.png")[0]
    for suite, attendu in (
        ("isochrone.json?points=0,0&mode=fusee&minutes=5", "pas reconnu"),
        ("isochrone.json?points=0,0&mode=marche&minutes=5", "Aucune rue praticable"),
        ("carreaux.png?services=boulangerie&mode=marche&emprise=0,0,1,1&largeur=9e9", "entier"),
        ("carreaux.png?services=rien&mode=marche&emprise=0,0,1,1&largeur=9&hauteur=9", "inconnu"),
        ("fond/3/99/0.png", "n'existe pas"),
    ):
        reponse = page.request.get(f"{racine}/{suite}")
        assert reponse.status == 400, suite
        assert attendu in reponse.json()["message"]
    perdue = page.request.get(f"{adresse}/rendu/ailleurs/lieux.json?services=boulangerie")
    assert perdue.status == 404
    assert "rechargez" in perdue.json()["message"]
    assert "[project]" not in page.request.get(f"{adresse}/actifs/%2e%2e/pyproject.toml").text()


def test_deux_personnes_ont_chacune_leurs_reglages(ouvrir):
    premiere, cadre, _ = ouvrir("?mesure=medecin")
    seconde, _, _ = ouvrir("?mesure=pharmacie")
    assert "médecin" in premiere.locator("h1").inner_text()
    assert "pharmacie" in seconde.locator("h1").inner_text()
    cliquer_lieu(premiere, cadre)
    premiere.get_by_text("Depuis le point, à pied").wait_for()
    assert "points=" not in seconde.url


def test_un_lieu_cherche_par_son_nom_vaut_un_clic(ouvrir, dossier_prepare):
    page, cadre, releve = ouvrir()
    commune = str(obtenir_partage(dossier_prepare).territoire.communes["nom"].iloc[0])
    page.locator(CADRE).focus()
    cadre.locator(".leaflet-container").focus()
    page.keyboard.press("/")
    page.keyboard.type(commune[:5].upper())
    cadre.locator("#recherche_liste [aria-selected=true]").wait_for()
    assert cadre.locator("#recherche_liste li").count() >= 1
    page.keyboard.press("Escape")
    assert cadre.locator("#recherche_liste").is_hidden()
    # Entrée sans attendre les propositions : la première est prise dès qu'elle arrive.
    cadre.locator("#recherche").fill(commune)
    page.keyboard.press("Enter")
    cadre.wait_for_selector("path.isochrone")
    page.get_by_text("Depuis le point, à pied").wait_for()
    page.wait_for_function("location.search.includes('points=')")
    assert cadre.locator("#recherche").input_value() == commune
    cadre.locator("#recherche").fill("zzzz")
    cadre.get_by_text("Aucun lieu de ce nom").wait_for()
    releve.verifier()


TEXTES_DE_STREAMLIT = """
() => [...document.querySelectorAll("body *")]
  .filter((e) => !e.closest(".stHtml, style, script, svg"))
  .flatMap((e) => [...["aria-label", "title", "placeholder"].map((n) => e.getAttribute(n)),
    ...[...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim())])
  .filter(Boolean)
"""


def test_les_composants_parlent_francais(ouvrir):
    page, _, releve = ouvrir()
    assert page.evaluate("document.documentElement.lang") == "fr"
    page.get_by_role("combobox", name="Service ou palier").fill("zzzz")
    page.get_by_text("Aucun résultat").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("Vues enregistrées").click()
    page.get_by_label("Nom de la vue").fill("essai")
    page.get_by_text("Entrée pour valider").wait_for()
    textes = page.evaluate(TEXTES_DE_STREAMLIT)
    assert "Replier les réglages" in textes and "Aller au contenu" in textes
    anglais = ("Press", "sidebar", "Skip", "Help for", "No results", "Clear", "Choose", "Upload")
    assert [t for t in textes if any(mot in t for mot in anglais) and "JavaScript" not in t] == []
    releve.verifier()

"""Page Carences dans un vrai navigateur : carte et classement liés, adresse, projection."""

from __future__ import annotations

import pytest

from couches.ecran.hors_ligne import lister_actifs
from pages._carences.donnees import obtenir_analyses
from pages._commun.ouverture import obtenir_partage
from scripts.banc_visualiseur import chercher_navigateur, naviguer, servir

pytestmark = [
    pytest.mark.skipif(chercher_navigateur() is None, reason="aucun navigateur Chromium installé"),
    pytest.mark.skipif(
        not lister_actifs().locaux,
        reason="composants de carte absents : python scripts/demarrer.py les installe",
    ),
]
ATTENTE_MS = 120_000


@pytest.fixture(scope="module")
def adresse(dossier_prepare):
    obtenir_analyses(obtenir_partage(dossier_prepare))  # gardées : le serveur les relit
    with servir(dossier_prepare) as base:
        yield base


@pytest.fixture(scope="module")
def page(adresse):
    with naviguer() as navigateur:
        ouverte = navigateur.new_page(viewport={"width": 1280, "height": 800})
        ouverte.set_default_timeout(ATTENTE_MS)
        yield ouverte


def aller(page, adresse, suite=""):
    page.goto(f"{adresse}/carences{suite}")
    page.locator(".dh-zones tr.choisie").wait_for()


def choisie(page):
    return page.locator("tr.choisie th").inner_text()


def test_une_ligne_cliquee_ouvre_sa_fiche_et_la_cerne(page, adresse):
    fautes, dehors = [], []
    page.on("pageerror", lambda faute: fautes.append(str(faute)))
    page.on("request", lambda r: r.url.startswith("http") and dehors.append(r.url))
    aller(page, adresse, "?regroupement=commune")
    ligne = page.locator(".dh-zones tbody tr").nth(2)
    nom, code = ligne.locator("th").inner_text(), ligne.get_attribute("data-code")
    ligne.click()
    page.wait_for_function(f"location.search.includes('fiche={code}')")
    page.locator("#fiche", has_text=nom).wait_for()
    assert choisie(page) == nom
    assert page.locator(".cernes path.choisie").count() == 1
    # L'adresse rechargée redonne la même fiche.
    page.reload()
    page.locator(".dh-zones tr.choisie").wait_for()
    assert choisie(page) == nom
    assert fautes == []
    assert [u for u in dehors if not u.startswith(adresse)] == []


def test_une_zone_cliquee_sur_la_carte_se_lit_dans_le_classement(page, adresse):
    aller(page, adresse, "?regroupement=commune")
    zone = page.locator("path.zone").nth(4)
    code = zone.get_attribute("data-code")
    zone.dispatch_event("click")
    page.wait_for_function(f"location.search.includes('fiche={code}')")
    assert page.locator(f'tr.choisie[data-code="{code}"]').count() == 1


def test_survol_et_clavier(page, adresse):
    aller(page, adresse)
    page.locator(".dh-zones tbody tr").nth(1).hover()
    page.locator(".cernes path.survolee").wait_for(state="attached")
    seconde = page.locator(".dh-zones tbody tr").nth(1)
    nom = seconde.locator("th").inner_text()
    seconde.focus()
    page.keyboard.press("Enter")
    page.locator("#fiche", has_text=nom).wait_for()


def test_projection_sans_volet_ni_defilement_de_cote(page, adresse):
    aller(page, adresse, "?mode=projecteur")
    page.get_by_role("button", name="Quitter").wait_for()
    assert (
        page.locator("[data-testid=stSidebar]").count() == 0
        or not page.locator("[data-testid=stSidebar]").is_visible()
    )
    assert page.evaluate("document.body.scrollWidth <= innerWidth")
    taille = page.evaluate(
        "parseFloat(getComputedStyle(document.querySelector('.dh-titre')).fontSize)"
    )
    assert taille >= 24
    debord = page.locator(".dh-zones .table").evaluate("e => e.scrollWidth - e.clientWidth")
    assert debord <= 0
    page.get_by_role("button", name="Quitter").click()
    page.locator("#fiche").wait_for()

"""Pages thématiques dans un vrai navigateur, sans réseau : clic sur la carte, adresse gardée."""

from __future__ import annotations

import re

import pytest

from couches.ecran.hors_ligne import lister_actifs
from scripts.banc_visualiseur import chercher_navigateur, naviguer, servir

pytestmark = [
    pytest.mark.skipif(chercher_navigateur() is None, reason="aucun navigateur Chromium installé"),
    pytest.mark.skipif(
        not lister_actifs().locaux,
        reason="composants de carte absents : python scripts/demarrer.py les installe",
    ),
]
ATTENTE_MS = 90_000
#: Signes cliquables de la carte : (abscisse, ordonnée) de leur centre.
SIGNES = """
() => [...document.querySelectorAll(".st-key-cadre_theme .mark-symbol path")]
  .map(e => e.getBoundingClientRect())
  .map(r => [r.x + r.width / 2, r.y + r.height / 2])
"""


@pytest.fixture(scope="module")
def navigateur():
    with naviguer() as ouvert:
        yield ouvert


def test_un_clic_sur_la_carte_change_la_fiche_et_l_adresse(navigateur, dossier_prepare):
    dehors, fautes = [], []
    with servir(dossier_prepare) as base:
        page = navigateur.new_page(viewport={"width": 1280, "height": 800})
        page.on(
            "request",
            lambda r: (
                dehors.append(r.url) if not r.url.startswith((base, "data:", "blob:")) else None
            ),
        )
        page.on("pageerror", lambda e: fautes.append(str(e)))
        page.goto(f"{base}/friches", timeout=ATTENTE_MS)
        page.wait_for_selector(".st-key-cadre_theme .mark-symbol path", timeout=ATTENTE_MS)
        avant = page.inner_text(".dh-nom")
        # La dernière friche dessinée est la choisie ; la première est la moins bien classée.
        x, y = page.evaluate(SIGNES)[0]
        page.mouse.click(x, y)
        page.wait_for_url(re.compile("friche="), timeout=ATTENTE_MS)
        page.wait_for_function(
            "nom => document.querySelector('.dh-nom')?.innerText !== nom",
            arg=avant,
            timeout=ATTENTE_MS,
        )
        choisie = page.inner_text(".dh-nom")
        page.reload()
        page.wait_for_selector(".dh-nom", timeout=ATTENTE_MS)
        assert page.inner_text(".dh-nom") == choisie
        # La carte ne déborde pas de sa colonne, et les textes du panneau restent à droite.
        carte = page.locator(".st-key-cadre_theme").bounding_box()
        panneau = page.locator(".st-key-panneau").bounding_box()
        assert carte["x"] + carte["width"] <= panneau["x"]
        page.close()
    assert dehors == []
    assert fautes == []

"""Page autonome : un seul fichier, rien d'exécutable dans les données, ouverte sans réseau."""

from __future__ import annotations

import base64
import json
import re
import shutil
from datetime import date

import numpy as np
import pytest

from couches.ecran.hors_ligne import ACTIFS
from couches.page_autonome import composer_donnees, exporter_page, lire_actifs_page
from couches.styles import lire_styles
from donnees_geo.erreurs import ErreurDonnees
from tests.fabriques.territoire_exports import NOM_BALISE, NOM_LONG, etude_exports

JOUR = date(2026, 3, 17)


@pytest.fixture(scope="module")
def actifs():
    try:
        return lire_actifs_page(ACTIFS)
    except ErreurDonnees:
        pytest.skip("Leaflet n'est pas installé (python scripts/demarrer.py)")


@pytest.fixture(scope="module")
def page(actifs, tmp_path_factory):
    chemin = tmp_path_factory.mktemp("page") / "acces.html"
    territoire, etude = etude_exports(fictif=True)
    return exporter_page(territoire, etude, lire_styles(), actifs, chemin, JOUR)


def donnees_de(page):
    texte = page.read_text(encoding="utf-8")
    contenu = re.search(r'<script type="application/json" id="donnees">(.*?)</script>', texte, re.S)
    assert contenu is not None
    return json.loads(contenu[1])


def test_leaflet_absent_dit_quoi_faire(tmp_path):
    with pytest.raises(ErreurDonnees, match="Leaflet") as faute:
        lire_actifs_page(tmp_path)
    assert "scripts/demarrer.py" in str(faute.value)


def test_un_seul_fichier_sans_adresse(page):
    texte = page.read_text(encoding="utf-8")
    assert [f.name for f in page.parent.iterdir()] == ["acces.html"]
    # Leaflet écrit des liens que personne ne charge : seul le balisage compte ici, le navigateur
    # prouve le reste.
    balisage = re.sub(r"<script.*?</script>", "", texte, flags=re.S)
    assert not re.search(r'(?:src|href)\s*=\s*"(?!data:)', balisage)
    assert not re.findall(r"url\((?!data:)[^)]*\)", balisage)
    assert "default-src 'none'" in texte
    assert not re.search(r"@[A-Z_]{4,}@", texte)


def test_un_nom_ne_ferme_aucune_balise(page):
    texte = page.read_text(encoding="utf-8")
    assert "<b>&</script>" not in texte
    # Trois scripts : données, Leaflet, page.
    assert texte.count("</script>") == 3
    assert donnees_de(page)["zones"][0]["nom"] == NOM_BALISE


def test_donnees_prevues_a_la_main():
    territoire, etude = etude_exports()
    d = composer_donnees(territoire, etude, lire_styles(), JOUR)
    # De la plus à la moins peuplée.
    assert [z["nom"] for z in d["zones"]] == [NOM_BALISE, NOM_LONG]
    themes = {t["libelle"]: t for t in d["themes"]}
    assert set(themes) == {
        *("Panier proximité", "Panier structurant", "Boulangerie", "Cinema", "Hopital"),
    }
    minutes = np.frombuffer(base64.b64decode(themes["Boulangerie"]["minutes"]), dtype=np.uint8)
    # 20 c secondes à vélo : 0, 20, 40, 60 s puis plus d'une minute, plus de deux, trois.
    assert minutes.tolist() == [0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert themes["Boulangerie"]["part"] == 1.0
    assert themes["Boulangerie"]["hors"] == [0.0, 0.0]
    # Sans aucun lieu : ni part, ni lieu, ni zéro.
    assert themes["Cinema"]["part"] is None
    assert themes["Cinema"]["parts"] == [None, None]
    assert "cinema" not in d["lieux"]
    debut = np.frombuffer(base64.b64decode(d["carreaux"]["debut"]), dtype="<i4")
    assert debut.tolist() == list(range(0, 41, 4))


def test_deux_exports_identiques(page, actifs, tmp_path):
    territoire, etude = etude_exports(fictif=True)
    autre = exporter_page(territoire, etude, lire_styles(), actifs, tmp_path / "b.html", JOUR)
    assert autre.read_bytes() == page.read_bytes()


def test_dans_un_navigateur_sans_reseau(page):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("aucun navigateur Chromium sur cette machine")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as outil:
        navigateur = outil.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        contexte = navigateur.new_context(
            viewport={"width": 1280, "height": 800}, offline=True, locale="fr-FR"
        )
        vue = contexte.new_page()
        demandes: list[str] = []
        fautes: list[str] = []
        vue.on("request", lambda r: demandes.append(r.url))
        vue.on("pageerror", lambda e: fautes.append(str(e)))
        vue.on("console", lambda m: fautes.append(m.text) if m.type == "error" else None)
        vue.goto(page.as_uri())
        vue.wait_for_selector("body[data-pret=oui]")
        assert [d for d in demandes if not d.startswith("data:")] == [page.as_uri()]
        assert fautes == []
        assert vue.locator(".fictif").is_visible()
        assert vue.locator(".grand").inner_text().split() == ["100,0", "%"]
        # La carte est peinte : le canevas des carreaux a des pixels opaques.
        opaques = vue.evaluate(
            "() => { const c = document.querySelector('canvas.leaflet-zoom-hide');"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }"
        )
        assert opaques > 1000
        vue.select_option("#theme", label="Cinema")
        assert vue.locator(".grand").inner_text() == "–"
        vue.select_option("#theme", label="Boulangerie")
        assert vue.locator("tbody tr").count() == 2
        assert NOM_LONG in vue.locator("tbody").inner_text()
        assert "boulangerie" in vue.locator("h1").inner_text()
        navigateur.close()

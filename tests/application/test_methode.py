"""Page Méthode : formule de l'indice, réglages, contrôle par l'INSEE, habitants sans rue."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from donnees_geo.territoire import SourceLue
from pages._commun.ouverture import obtenir_partage
from pages._methode import indice as carences_methode
from pages._methode.contenu import dire_non_rattaches, qualite, sources
from tests.application.test_pages import SCRIPT, html


@pytest.fixture(scope="module")
def partage(dossier_prepare):
    return obtenir_partage(dossier_prepare)


def test_la_page_methode_dit_la_formule_et_le_controle(dossier_prepare, monkeypatch, partage):
    monkeypatch.setenv("DEMI_HEURE_DOSSIER", str(dossier_prepare))
    page = AppTest.from_file(SCRIPT, default_timeout=300).run().switch_page("methode.py").run()
    assert not page.exception
    texte = html(page)
    assert "aucun autre poids" in texte
    assert "Bohannon" in texte and "Vergier et Chaput" in texte
    assert "Non contrôlés" in texte
    controle = pd.DataFrame(
        {
            "service": ["mairie"], "carreaux": [12], "biais_s": [-31.4],
            "ecart_absolu_median_s": [60.0], "ecart_absolu_p90_s": [180.0],
            "correlation": [0.91], "part_a_2_min": [0.875],
        }
    )  # fmt: skip
    monkeypatch.setattr(
        carences_methode,
        "lire_resultats",
        lambda _dossier: SimpleNamespace(analyses={"controle_insee": controle}),
    )
    dit = carences_methode.indice_et_analyses(partage)
    for attendu in ("mairie", "−31 s", "1 min", "3 min", "0,91", "87,5"):
        assert attendu in dit.replace("\u202f", " ").replace("\xa0", " "), attendu


@pytest.mark.parametrize(
    ("seuls", "par_population", "attendu"),
    [
        ([False, False], True, "aucun carreau, aucun habitant"),
        ([True, False], True, "1 carreau, 30 habitants (30,0 %)"),
        ([True, True], False, "2 carreaux"),
        ([False, False], False, "aucun carreau"),
    ],
)
def test_habitants_sans_rue_dits_meme_quand_il_n_y_en_a_pas(seuls, par_population, attendu):
    dit = dire_non_rattaches(np.array(seuls), np.array([30.0, 70.0]), par_population=par_population)
    assert dit.replace("\u202f", " ").replace("\xa0", " ") == attendu


def test_la_page_methode_dit_les_habitants_sans_rue(partage):
    texte = qualite(partage)
    assert "Sans rue praticable à pied à moins de" in texte
    assert "habitant" in texte.split("Sans rue praticable en voiture")[1].split("</tr>")[0]


def test_la_page_methode_ne_prete_pas_de_licence_a_un_fichier_inconnu():
    lues = tuple(
        SourceLue(cle, fichier, "a" * 64, 10, "2024")
        for cle, fichier in (("decoupage.communes", "zone.geojson"), ("services.bpe", "BPE24.csv"))
    )
    territoire = SimpleNamespace(sources=lues, fictif=False)
    zone, bpe = (
        sources(SimpleNamespace(territoire=territoire)).split("zone.geojson")[1].split("BPE24.csv")
    )
    assert "licence du producteur, à vérifier" in zone
    assert "Licence Ouverte 2.0" in bpe
    territoire.fictif = True
    assert "Licence Ouverte" not in sources(SimpleNamespace(territoire=territoire))

import numpy as np
import pandas as pd
import pytest

from accessibilite.atteinte import Atteinte
from couches.couche import Couche, EntreeLegende
from couches.styles import lire_styles
from pages._commun import gabarit

PIEGE = "<img src=x onerror=alert(1)>\"'&"


def table(nom):
    return pd.DataFrame(
        {
            "nom": [nom],
            "poids": [1200.0],
            "desservi": [800.0],
            "non_desservi": [400.0],
            "part": [2 / 3],
            "temps_median_s": [np.inf],
        }
    )


ATTEINTE = Atteinte((300.0, 900.0), (12.0, 3456.0), np.array([[0, 0], [2, 0]]), None, None)


@pytest.mark.parametrize(
    "produire",
    [
        lambda: gabarit.titre(PIEGE, PIEGE),
        lambda: gabarit.message(PIEGE, PIEGE),
        lambda: gabarit.grand_chiffre(PIEGE, PIEGE),
        lambda: gabarit.phrase(PIEGE) + gabarit.hypothese(PIEGE),
        lambda: gabarit.liste_pires(table(PIEGE), PIEGE, PIEGE),
        lambda: gabarit.tableau_zones(table(PIEGE), PIEGE, PIEGE, PIEGE),
        lambda: gabarit.tableau_simple([PIEGE], [[PIEGE]], PIEGE),
        lambda: gabarit.tableau_points([PIEGE], ["#08519c"], [ATTEINTE], PIEGE, [(0, PIEGE)], [0]),
        lambda: gabarit.legende_chiffree(
            [EntreeLegende("#ffffff", PIEGE)], [1.0], 2.0, rang_seuil=0, unite=PIEGE
        ),
        lambda: gabarit.legende_couches(
            [Couche("x", "acces", PIEGE, (EntreeLegende("#fff", PIEGE),), PIEGE, PIEGE, PIEGE)],
            lire_styles(),
        ),
    ],
)
def test_aucun_texte_de_donnees_ne_devient_du_html(produire):
    html = produire()
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_le_tableau_ecrit_les_nombres_a_la_francaise():
    html = gabarit.tableau_zones(table("Aix"), "commune", "15 min", "habitants")
    assert "1\u202f200" in html
    assert "66,7\u00a0%" in html
    assert "inaccessible" in html


def test_la_legende_tait_les_trames_absentes_et_montre_le_seuil():
    entrees = [
        EntreeLegende("#fff", "0 à 5 min"),
        EntreeLegende("#000", "plus"),
        EntreeLegende("#111", "inaccessible", "hachures"),
        EntreeLegende("#222", "sans donnée", "points"),
    ]
    html = gabarit.legende_chiffree(
        entrees, [60.0, 30.0, 0.0, 10.0], 100.0, rang_seuil=1, unite="habitants"
    )
    assert "inaccessible" not in html
    assert "sans donnée" in html
    assert html.count('class="seuil"') == 1
    assert html.index('class="seuil"') > html.index("0 à 5 min")
    assert "width:60.0%" in html


def test_les_points_se_comparent_colonne_par_colonne():
    html = gabarit.tableau_points(
        ["point 1", "point 2"],
        ["#08519c"],
        [ATTEINTE, ATTEINTE],
        "habitants",
        [(0, "école")],
        [0, 1],
    )
    assert html.count("3\u202f456") == 2
    assert "services présents, sur 2" in html
    # Deux écoles atteintes, un seul des deux services présent.
    assert html.count("<td class='n'>2</td>") == 2
    assert html.count("<td class='n'>1</td>") == 2

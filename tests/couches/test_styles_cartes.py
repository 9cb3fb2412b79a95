import itertools

import numpy as np
import pytest

from couches.styles import (
    FICHIER,
    INACCESSIBLE,
    SANS_DONNEE,
    classer_temps,
    libelles_classes,
    lire_couleur,
    lire_styles,
)
from donnees_geo.erreurs import ErreurConfiguration


def luminance(couleur: str) -> float:
    """Luminance relative (WCAG 2)."""
    lineaire = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
        for c in (v / 255 for v in lire_couleur(couleur))
    ]
    return float(np.dot(lineaire, [0.2126, 0.7152, 0.0722]))


def test_une_borne_appartient_a_la_classe_qu_elle_ferme():
    temps = np.array([0, 300, 300.1, 600, 900, 900.1, 1800, 1801, np.inf, np.nan])
    attendu = [0, 0, 1, 1, 2, 3, 3, 4, INACCESSIBLE, SANS_DONNEE]
    assert classer_temps(temps, lire_styles()).tolist() == attendu


def test_les_classes_sont_celles_de_tous_les_ecrans():
    assert libelles_classes(lire_styles()) == (
        "0 à 5 min",
        "5 à 10 min",
        "10 à 15 min",
        "15 à 30 min",
        "plus de 30 min",
    )


def test_la_rampe_se_lit_en_gris():
    valeurs = [luminance(c) for c in lire_styles().couleurs_temps]
    rapports = [(a + 0.05) / (b + 0.05) for a, b in itertools.pairwise(valeurs)]
    assert min(rapports) > 1.35


def test_les_noms_et_le_texte_contrastent_assez():
    fond = lire_styles().fond
    for couleur in (fond["sol"], fond["bois"], fond["eau"], fond["bati"]):
        assert (luminance(couleur) + 0.05) / (luminance(fond["nom"]) + 0.05) >= 4.5


def test_les_largeurs_croissent_avec_la_classe_et_le_zoom():
    styles = lire_styles()
    for zoom in range(9, 19):
        assert styles.largeur("principale", zoom) >= styles.largeur("secondaire", zoom)
        assert styles.largeur("secondaire", zoom) >= styles.largeur("locale", zoom)
    assert styles.largeur("locale", 11) == 0 < styles.largeur("locale", 13)
    assert styles.largeur("principale", 25) == styles.largeur("principale", 18)


@pytest.mark.parametrize("texte", ["rouge", "#12345", "#12345g", "123456"])
def test_une_couleur_fautive_est_refusee(texte):
    with pytest.raises(ErreurConfiguration, match="#rrggbb"):
        lire_couleur(texte)


@pytest.mark.parametrize(
    ("avant", "apres", "message"),
    [
        ("bornes_min = [5, 10, 15, 30]", "bornes_min = [5, 15, 10, 30]", "bornes croissantes"),
        ("bornes_min = [5, 10, 15, 30]", "bornes_min = [5, 10]", "2 bornes, 5 couleurs"),
        ('sol = "#f4f1ea"', 'sol = "beige"', "beige"),
        ("[temps]", "[autre]", "absent ou fautif"),
        ("[temps]", "[temps", "absent ou fautif"),
    ],
)
def test_un_fichier_de_styles_fautif_se_dit(tmp_path, avant, apres, message):
    fichier = tmp_path / "couches.toml"
    fichier.write_text(FICHIER.read_text(encoding="utf-8").replace(avant, apres), encoding="utf-8")
    with pytest.raises(ErreurConfiguration, match=message):
        lire_styles(fichier)


def test_un_fichier_de_styles_absent_se_dit(tmp_path):
    with pytest.raises(ErreurConfiguration, match="absent ou fautif"):
        lire_styles(tmp_path / "rien.toml")

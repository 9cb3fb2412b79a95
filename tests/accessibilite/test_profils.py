"""Temps de tronçon : vitesses, droits de passage et pente, prédits à la main."""

from __future__ import annotations

import math

import numpy as np
import pytest

from accessibilite.rues.profils import (
    calculer_facteurs_pente,
    calculer_temps_troncons,
    construire_profil,
)
from donnees_geo.erreurs import ErreurConfiguration
from tests.fabriques.ville_quadrillee import (
    A_PIED,
    MARCHES_ESCALIER,
    SENS_UNIQUE,
    Rue,
    construire_reseau,
    parametres_essai,
)

CENT_METRES = [(0.0, 0.0), (100.0, 0.0)]


def temps(rue: Rue, mode: str, **parametres: object) -> tuple[float, float]:
    reseau = construire_reseau(CENT_METRES, [rue])
    profil = construire_profil(parametres_essai(**parametres), mode)
    aller, retour = calculer_temps_troncons(reseau, profil)
    return float(aller[0]), float(retour[0])


@pytest.mark.parametrize(
    ("rue", "mode", "aller_s", "retour_s"),
    [
        (Rue(0, 1), "marche", 100, 100),
        (Rue(0, 1), "velo", 20, 20),
        (Rue(0, 1), "voiture", 10, 10),
        (Rue(0, 1, SENS_UNIQUE), "marche", 100, 100),
        (Rue(0, 1, SENS_UNIQUE), "velo", 20, math.inf),
        (Rue(0, 1, SENS_UNIQUE), "voiture", 10, math.inf),
        (Rue(0, 1, A_PIED), "velo", math.inf, math.inf),
        # Escalier : le vélo se pousse, à la vitesse de la marche, dans les deux sens.
        (Rue(0, 1, MARCHES_ESCALIER), "velo", 100, 100),
        (Rue(0, 1, MARCHES_ESCALIER), "voiture", math.inf, math.inf),
        # À contresens, on pousse ; dans le bon sens, on roule.
        (Rue(0, 1, SENS_UNIQUE | 1024), "velo", 20, 100),
        (Rue(0, 1, SENS_UNIQUE | 512), "velo", 20, math.inf),
        (Rue(0, 1, classe="primary"), "voiture", 5, 5),
        (Rue(0, 1, classe="primary", vitesse_kmh=18.0), "voiture", 20, 20),
        # Classe absente des paramètres : 30 km/h.
        (Rue(0, 1, classe="ferry"), "voiture", 12, 12),
    ],
)
def test_temps_d_une_rue_de_cent_metres(rue, mode, aller_s, retour_s):
    assert temps(rue, mode) == pytest.approx((aller_s, retour_s))


def test_hypotheses_reglables():
    assert temps(Rue(0, 1, MARCHES_ESCALIER), "velo", escaliers_velo="refuse") == (
        math.inf,
        math.inf,
    )
    assert temps(Rue(0, 1), "voiture", facteur_congestion_voiture=1.5) == pytest.approx((15, 15))
    profil = construire_profil(parametres_essai(), "velo", 7.2)
    assert (profil.vitesse_kmh, profil.vitesse_pas_kmh) == (7.2, 3.6)
    marche = construire_profil(parametres_essai(), "marche", 1.8)
    assert marche.approche_m_s == pytest.approx(0.5)
    # En voiture comme à vélo, on rejoint la rue à pied.
    assert construire_profil(parametres_essai(), "voiture").approche_m_s == pytest.approx(1.0)


@pytest.mark.parametrize("vitesse", [0.0, -3.0, math.nan, math.inf, 61.0])
def test_vitesse_impossible_refusee(vitesse):
    with pytest.raises(ErreurConfiguration, match="La vitesse n'est pas plausible") as refus:
        construire_profil(parametres_essai(), "marche", vitesse)
    assert "vitesse marche" in str(refus.value)
    assert "60 km/h" in str(refus.value)


def test_vitesse_unique_refusee_en_voiture():
    with pytest.raises(ErreurConfiguration, match="dépend de chaque rue") as refus:
        construire_profil(parametres_essai(), "voiture", 50.0)
    assert "vitesses_voiture_kmh" in str(refus.value)


def facteurs(hauteurs: list[float], pas_m: float = 100.0) -> tuple[float, float]:
    """Facteurs d'une rue droite dont les sommets, tous les ``pas_m``, ont ces altitudes."""
    n = len(hauteurs)
    rue = Rue(0, 1, sommets=tuple((pas_m * i, 0.0) for i in range(1, n - 1)))
    reseau = construire_reseau(
        [(0.0, 0.0), (pas_m * (n - 1), 0.0)],
        [Rue(0, 1, sommets=((0.0, 50.0),)), rue],
        lambda x, _y: np.concatenate([np.full(3, 7.0), hauteurs]),
    )
    aller, retour = calculer_facteurs_pente(reseau)
    assert aller[0] == retour[0] == 1.0
    return float(aller[1]), float(retour[1])


def test_pente_de_tobler_a_la_main():
    # Tobler : vitesse ∝ exp(-3,5·|p + 0,05|), rapportée à la vitesse à plat exp(-0,175).
    assert facteurs([0.0, 10.0]) == pytest.approx((math.exp(0.35), math.exp(0.0)))
    assert facteurs([0.0, 5.0]) == pytest.approx((math.exp(0.175), math.exp(-0.175)))
    assert facteurs([3.0, 3.0]) == (1.0, 1.0)
    monte, descend = facteurs([0.0, 4.0])
    assert monte > 1 > descend  # une pente douce accélère en descente
    raide_monte, raide_descend = facteurs([0.0, 30.0])
    assert raide_monte > raide_descend > 1  # une forte descente ralentit
    # Au-delà de 50 %, la formule n'est plus étalonnée : la pente est bornée.
    assert facteurs([0.0, 500.0]) == pytest.approx(facteurs([0.0, 50.0]))


def test_pente_moyenne_par_segment_et_altitude_manquante():
    plat, monte = 1.0, math.exp(0.35)
    assert facteurs([0.0, 0.0, 10.0])[0] == pytest.approx((plat + monte) / 2)
    # Le segment d'altitude inconnue compte comme plat, l'autre garde sa pente.
    assert facteurs([0.0, 10.0, math.nan])[0] == pytest.approx((monte + plat) / 2)
    assert facteurs([math.nan, math.nan]) == (1.0, 1.0)


def test_la_pente_ne_touche_que_la_marche_et_peut_etre_coupee():
    reseau = construire_reseau(CENT_METRES, [Rue(0, 1)], lambda x, _y: x / 10)
    temps_par_mode = {
        mode: calculer_temps_troncons(reseau, construire_profil(parametres_essai(), mode))
        for mode in ("marche", "velo", "voiture")
    }
    assert temps_par_mode["marche"][0][0] == pytest.approx(100 * math.exp(0.35))
    assert temps_par_mode["marche"][1][0] == pytest.approx(100)
    assert temps_par_mode["velo"][0][0] == temps_par_mode["velo"][1][0] == pytest.approx(20)
    assert temps_par_mode["voiture"][0][0] == pytest.approx(10)
    sans = construire_profil(parametres_essai(pente=False), "marche")
    assert calculer_temps_troncons(reseau, sans)[0][0] == pytest.approx(100)

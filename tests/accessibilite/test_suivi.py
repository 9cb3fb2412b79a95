"""Deux diagnostics comparés : décomposition exacte, refus motivés, carreaux apparus et disparus."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest

from accessibilite.bilans.suivi import Diagnostic, comparer_diagnostics, relever_ecarts
from donnees_geo.erreurs import ErreurConfiguration
from tests.fabriques.mesures_essai import INF, NAN, ligne

DESCRIPTION = {
    "territoire": "Essai",
    "empreinte_territoire": "aaa",
    "ponderation": "population",
    "modes": ["marche", "velo"],
    "services": ["boulangerie", "mairie"],
    "jour": "2026-03-17",
    "aller_retour": False,
    "parametres": {"vitesse_marche_kmh": 4.5, "seuils": [{"palier": "proximite"}]},
    "sources": [
        {"cle": "services.bpe", "fichier": "BPE24.csv", "empreinte": "1", "date_donnees": "2024"},
        {"cle": "reseau.osm", "fichier": "a.pbf", "empreinte": "2", "date_donnees": ""},
    ],
}


def acces(carreaux, population, boulangerie, mairie, communes=None):
    n = len(carreaux)
    return pd.DataFrame(
        {
            "carreau": carreaux,
            "code_commune": communes or ["A"] * n,
            "code_bassin_de_vie": [""] * n,
            "code_secteur": ["S"] * n,
            "population_hab": np.array(population, dtype=float),
            "surface_m2": np.full(n, 40_000.0),
            "temps_boulangerie_plus_rapide_s": np.array(boulangerie, dtype=np.float32),
            "temps_mairie_plus_rapide_s": np.array(mairie, dtype=np.float32),
        }
    )


INDICATEURS = pd.DataFrame(
    {
        "zone_type": ["territoire", "commune", "commune", "secteur"],
        "zone_code": ["territoire", "A", "B", "S"],
        "zone_nom": ["Essai", "Commune A", "Commune B", "Secteur S"],
        "service": ["boulangerie", "mairie", "mairie", "mairie"],
        "palier": "proximite",
        "fonction": ["s_approvisionner", "habiter", "habiter", "habiter"],
        "seuil_s": 900.0,
    }
)


def diagnostic(table, **changements):
    return Diagnostic(table, INDICATEURS, {**copy.deepcopy(DESCRIPTION), **changements})


AVANT = acces(["c1", "c2", "c3"], [10, 20, 30], [100, 1000, 800], [NAN, NAN, NAN], ["A", "A", "B"])
APRES = acces(["c4", "c3", "c2"], [5, 30, 25], [100, 950, 850], [NAN, NAN, NAN], ["A", "B", "A"])


def test_decomposition_a_la_main():
    copies = AVANT.copy(), APRES.copy()
    suivi = comparer_diagnostics(diagnostic(AVANT), diagnostic(APRES, empreinte_territoire="bbb"))
    tout = ligne(suivi.evolution, service="boulangerie")
    assert tout["zone_nom"] == "Essai"
    # Avant : c1 (10) et c3 (30) desservis ; après : c4 (5) et c2 (25).
    assert (tout["population_avant_hab"], tout["population_apres_hab"]) == (60, 60)
    assert (tout["desservie_avant_hab"], tout["desservie_apres_hab"]) == (40, 30)
    assert (tout["gagnent_hab"], tout["perdent_hab"]) == (20, 30)
    assert tout["effet_acces_hab"] == -10
    # c1 vidé de 10 desservis, 5 de plus dans c2 et dans c4.
    assert tout["effet_population_hab"] == 0
    assert tout["part_apres"] == pytest.approx(0.5)
    commune = ligne(suivi.evolution, "A", service="boulangerie")
    assert (commune["effet_acces_hab"], commune["effet_population_hab"]) == (20, 0)
    # Rien n'est mesuré d'une mairie sans équipement.
    assert np.isnan(ligne(suivi.evolution, service="mairie")["gagnent_hab"])
    carreaux = suivi.carreaux.set_index("carreau")
    assert carreaux["presence"].to_dict() == {
        "c1": "avant", "c2": "les_deux", "c3": "les_deux", "c4": "apres"
    }  # fmt: skip
    assert carreaux.loc["c2", "ecart_boulangerie_s"] == -150
    assert np.isnan(carreaux.loc["c1", "ecart_boulangerie_s"])
    pd.testing.assert_frame_equal(AVANT, copies[0])
    pd.testing.assert_frame_equal(APRES, copies[1])


def test_les_effets_expliquent_toute_l_evolution_et_les_zones_s_additionnent():
    hasard = np.random.default_rng(3)

    def tirer(rangs):
        temps = hasard.choice([0, 899, 901, INF, NAN], (len(rangs), 2))
        return acces(
            [f"c{r}" for r in rangs], hasard.integers(0, 50, len(rangs)), *temps.T,
            ["A" if r % 2 else "B" for r in rangs],
        )  # fmt: skip

    avant, apres = tirer(range(30)), tirer(range(10, 40))
    e = comparer_diagnostics(diagnostic(avant), diagnostic(apres)).evolution
    difference = e["desservie_apres_hab"] - e["desservie_avant_hab"]
    assert np.allclose(e["effet_acces_hab"] + e["effet_population_hab"], difference)
    assert np.allclose(e["gagnent_hab"] - e["perdent_hab"], e["effet_acces_hab"])
    assert (e["gagnent_hab"] > 0).any() and (e["perdent_hab"] > 0).any()
    communes = e[e["zone_type"] == "commune"].groupby("service")["gagnent_hab"].sum()
    for service, somme in communes.items():
        assert ligne(e, service=service)["gagnent_hab"] == pytest.approx(somme)
    melange = avant.sample(frac=1, random_state=1).reset_index(drop=True)
    autre = comparer_diagnostics(diagnostic(melange), diagnostic(apres)).evolution
    pd.testing.assert_frame_equal(autre, e)


def test_un_diagnostic_face_a_lui_meme():
    suivi = comparer_diagnostics(diagnostic(AVANT), diagnostic(AVANT))
    assert suivi.ecarts.hypotheses == suivi.ecarts.donnees == ()
    assert "aucune évolution" in suivi.cause
    mesures = suivi.evolution[["gagnent_hab", "perdent_hab", "effet_population_hab"]]
    assert (mesures.fillna(0) == 0).all(axis=None)


def test_ecarts_de_donnees_nommes():
    autre = copy.deepcopy(DESCRIPTION)
    autre["sources"] = [
        {"cle": "services.bpe", "fichier": "BPE26.csv", "empreinte": "9", "date_donnees": "2026"},
        {"cle": "transport.gtfs", "fichier": "t.zip", "empreinte": "7", "date_donnees": ""},
    ]
    autre["jour"] = "2026-03-21"
    ecarts = relever_ecarts(DESCRIPTION, autre)
    assert ecarts.hypotheses == ()
    assert ecarts.donnees == (
        "jour étudié : 17/03/2026 → 21/03/2026",
        "reseau.osm : retiré",
        "services.bpe : BPE24.csv (2024) → BPE26.csv (2026)",
        "transport.gtfs : ajouté",
    )
    sans = relever_ecarts(DESCRIPTION, {**DESCRIPTION, "empreinte_territoire": "z"})
    assert "empreintes différentes" in sans.donnees[0]
    # Un ancien diagnostic qui n'a pas gardé ses sources n'a rien « ajouté » ni « retiré ».
    inconnues = relever_ecarts({**DESCRIPTION, "sources": []}, DESCRIPTION)
    assert inconnues.donnees == ("fichiers sources : inconnus de l'un des deux diagnostics",)


def test_refus_qui_enumere_tout():
    autre = diagnostic(
        APRES,
        services=["boulangerie", "cinema"],
        modes=["velo", "marche"],
        aller_retour=True,
        parametres={**DESCRIPTION["parametres"], "vitesse_marche_kmh": 4.0},
    )
    with pytest.raises(ErreurConfiguration, match="ne posent pas la même question") as refus:
        comparer_diagnostics(diagnostic(AVANT), autre)
    texte = str(refus.value)
    for attendu in (
        "services : + cinema ; − mairie",
        "modes : ordre différent",
        "aller-retour : False → True",
        "vitesse_marche_kmh : 4.5 → 4.0",
        "--forcer",
    ):
        assert attendu in texte
    force = comparer_diagnostics(diagnostic(AVANT), autre, forcer=True)
    assert set(force.evolution["service"]) == {"boulangerie"}
    assert "hypothèses" in force.cause and "données sont les mêmes" in force.cause


def test_cause_quand_tout_a_change():
    autre = diagnostic(APRES, empreinte_territoire="b", ponderation="surface")
    suivi = comparer_diagnostics(diagnostic(AVANT), autre, forcer=True)
    assert "ne se séparent pas" in suivi.cause
    # Pondération par surface : des parts, pas d'habitants.
    tout = ligne(suivi.evolution, service="boulangerie")
    assert np.isnan(tout["gagnent_hab"])
    assert tout["part_avant"] == pytest.approx(2 / 3)
    assert "population_avant_hab" not in suivi.carreaux


def test_rien_en_commun():
    ailleurs = APRES.assign(carreau=["x1", "x2", "x3"])
    with pytest.raises(ErreurConfiguration, match="rien en commun") as refus:
        comparer_diagnostics(diagnostic(AVANT), diagnostic(ailleurs))
    assert "0 carreau(x) et 2 service(s)" in str(refus.value)

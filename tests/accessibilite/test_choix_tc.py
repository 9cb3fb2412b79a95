"""Les k plus proches lieux distincts en transport collectif : lieu par lieu, et à la main."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from accessibilite.analyses.ensemble import calculer_analyses
from accessibilite.etude import calculer_etude
from accessibilite.transport.choix import LieuxService, calculer_choix_lieux
from accessibilite.transport.fenetre import OptionsTc, rangs_centiles
from accessibilite.transport.horaires import INFINI_S, Correspondances
from accessibilite.transport.porte_a_porte import (
    LiensArrets,
    calculer_durees,
    chercher_profil,
    construire_reseau_tc,
)
from donnees_geo.configuration.analyses import lire_parametres_analyses
from donnees_geo.gtfs import lire_gtfs
from tests.fabriques.flux_gtfs import arrets_csv, ecrire_flux, flux_simple, passages_csv
from tests.fabriques.oracle_tc import Course, Ville, csr_de_paires
from tests.fabriques.ville_quadrillee import (
    CRS,
    parametres_essai,
    service_essai,
    table_carreaux,
    table_equipements,
    territoire_essai,
    ville_quadrillee,
)

MARDI = date(2026, 3, 17)


@pytest.mark.parametrize("graine", range(6))
@pytest.mark.parametrize(("k", "centile"), [(1, 50.0), (3, 50.0), (2, 95.0), (5, 5.0)])
def test_egal_au_tri_des_durees_de_chaque_lieu(graine, k, centile):
    hasard = np.random.default_rng(graine)
    arrets, points, lieux = 10, 12, 4
    courses = []
    for _ in range(60):
        heure, suite = int(hasard.integers(0, 4000)), hasard.permutation(arrets)[:4]
        courses.append(
            Course([(int(a), heure + 90 * i, heure + 90 * i, True, True)
                    for i, a in enumerate(suite)])
        )  # fmt: skip
    correspondances = {(a, b): int(hasard.integers(30, 300)) for a in range(arrets)
                       for b in range(arrets) if a == b or hasard.random() < 0.2}  # fmt: skip
    ville = Ville(arrets, courses, correspondances)
    reseau = construire_reseau_tc(
        ville.passages(),
        Correspondances(*ville.csr()),
        OptionsTc(0, 1800, pas_s=60, duree_max_s=1500, trajets_max=3),
    )
    liens = LiensArrets(
        *csr_de_paires(
            {(p, int(a)): int(hasard.integers(0, 400)) for p in range(points)
             for a in hasard.choice(arrets, 2, replace=False)},
            points,
        )
    )  # fmt: skip
    sorties = np.full((lieux, arrets), INFINI_S, dtype=np.int32)
    for lieu in range(lieux):
        sorties[lieu, hasard.choice(arrets, 2)] = hasard.integers(0, 300, 2)
    marche = hasard.choice([200, 600, 1400, 1600, INFINI_S], (points, lieux)).astype(np.int32)
    marche[:, 3] = INFINI_S  # un lieu qu'on ne rejoint jamais à pied
    par_lieu = np.stack(
        [
            calculer_durees(
                reseau, chercher_profil(reseau, sorties[lieu], "vers"), liens, marche[:, lieu],
                "vers",
            )
            for lieu in range(lieux)
        ],
        axis=2,
    )  # fmt: skip
    tri = np.sort(par_lieu, axis=2)
    tri = np.pad(tri, ((0, 0), (0, 0), (0, max(0, k - lieux))), constant_values=INFINI_S)[:, :, :k]
    minutes = reseau.options.minutes.size
    attendu = np.sort(tri, axis=1)[:, rangs_centiles([centile], minutes)[0]].astype(float)
    attendu[attendu >= INFINI_S] = np.inf
    # Les k plus courtes marches seulement, comme les donne le choix à pied.
    rang = np.argsort(marche, axis=1, kind="stable")
    rang = np.pad(rang, ((0, 0), (0, max(0, k - lieux))), constant_values=-1)[:, :k]
    connues = np.where(rang >= 0, np.take_along_axis(marche, np.maximum(rang, 0), 1), INFINI_S)
    service = LieuxService(
        sorties, connues.astype(np.int32), np.where(connues < INFINI_S, rang, -1).astype(np.int32)
    )
    copies = [a.copy() for a in (service.marche_arrets_s, service.marche_s, service.marche_lieu)]
    (trouve,) = calculer_choix_lieux(reseau, liens, [service], centile=centile)
    np.testing.assert_array_equal(trouve, attendu)
    assert np.isfinite(trouve[:, 0]).any()
    for avant, apres in zip(copies, service.__dict__.values(), strict=True):
        np.testing.assert_array_equal(avant, apres)


@pytest.fixture(scope="module")
def territoire(tmp_path_factory):
    """Un bus toutes les 5 minutes de a (0) à b (3 000 m) et c (4 000 m) ; marche à 1 m/s."""
    flux = flux_simple()
    flux["stops.txt"] = arrets_csv({"a": (0, 0), "b": (3000, 0), "c": (4000, 0)})
    departs = range(6 * 3600, 10 * 3600, 300)
    flux["trips.txt"] = "route_id,service_id,trip_id\n" + "".join(f"L1,S,t{h}\n" for h in departs)
    flux["stop_times.txt"] = passages_csv(
        {f"t{h}": [("a", h), ("b", h + 300), ("c", h + 400)] for h in departs}
    )
    offre, _ = lire_gtfs([ecrire_flux(tmp_path_factory.mktemp("c") / "e.zip", flux)], CRS)
    lieux = [("college", 200.0, 0.0), ("college", 3100.0, 0.0), ("college", 4000.0, 0.0)]
    equipements, acces = table_equipements([*lieux, ("boulangerie", 0.0, 0.0)])
    return territoire_essai(
        reseau=ville_quadrillee(44, 3, 100.0),
        offre=offre,
        date_service=MARDI,
        # Au pied de l'arrêt ; à son terminus ; trop loin de toute rue.
        carreaux=table_carreaux(
            [(0.0, 0.0), (4000.0, 0.0), (0.0, 9000.0)], [10.0] * 3, ["A0001"] * 3
        ),
        equipements=equipements,
        points_acces=acces,
        services=(
            service_essai("boulangerie"),
            service_essai("college", "intermediaire"),
            service_essai("lycee", "intermediaire"),
        ),
    )


def test_choix_predit_a_la_main_et_premier_egal_au_diagnostic(territoire):
    resultat = calculer_etude(territoire, None, parametres_essai(embarquement_min_s=60))
    analyses = calculer_analyses(territoire, resultat, lire_parametres_analyses())
    c = analyses.carreaux
    # Du premier carreau : 200 m à pied. Puis l'attente (médiane des 121 minutes : 2 min, en plus
    # d'une minute de marge) et le bus, 300 s et 100 m pour l'un, 400 s pour l'autre.
    assert resultat.acces["temps_college_tc_s"].to_list()[0] == 200
    assert c["temps_college_tc_2_s"].to_list()[0] == 60 + 120 + 300 + 100
    assert c["temps_college_tc_3_s"].to_list()[0] == 60 + 120 + 400
    assert c["choix_college_tc"].to_list() == [3, 2, -1]
    # Au terminus, rien ne repart : sur place, puis 900 m et 3 800 m à pied.
    assert resultat.acces["temps_college_tc_s"].to_list()[1] == 0
    assert c["temps_college_tc_2_s"].to_list()[1] == 900
    assert np.isinf(c["temps_college_tc_3_s"].to_list()[1])
    # Ni la proximité, ni un service sans lieu n'ont de choix en transport collectif.
    assert [x for x in c if x.startswith("choix_") and x.endswith("_tc")] == ["choix_college_tc"]


def test_choix_des_zones_compte_les_habitants(territoire):
    resultat = calculer_etude(territoire, None, parametres_essai(embarquement_min_s=60))
    analyses = calculer_analyses(territoire, resultat, lire_parametres_analyses())
    table = analyses.tables["choix"]
    tc = table[(table["mode"] == "tc") & (table["zone_type"] == "territoire")]
    assert tc["service"].tolist() == ["college", "lycee"]
    college = tc.iloc[0]
    nombres = [college[f"choix_{n}_hab"] for n in range(4)] + [college["choix_sans_donnee_hab"]]
    assert nombres == [0, 0, 10, 10, 10]
    assert set(table[table["mode"] == "marche"]["service"]) == {"boulangerie", "college", "lycee"}


def test_ni_l_ordre_des_lieux_ni_les_portes_ne_comptent(territoire):
    parametres = parametres_essai(embarquement_min_s=60)
    reglages = lire_parametres_analyses()
    colonnes = ["choix_college_tc", "temps_college_tc_2_s", "temps_college_tc_3_s"]
    ordre = [3, 2, 1, 0]
    rang = {ancien: neuf for neuf, ancien in enumerate(ordre)}
    acces = territoire.points_acces
    # Une seconde porte, plus loin, au premier collège : ce n'est pas un choix de plus.
    porte = acces.iloc[[0]].assign(x=acces["x"].iloc[0] + 50)
    portes = pd.concat([acces, porte], ignore_index=True)
    portes = portes.assign(equipement=portes["equipement"].map(rang).astype("int32"))
    autre = territoire.__class__(
        **{
            **territoire.__dict__,
            "equipements": territoire.equipements.iloc[ordre].reset_index(drop=True),
            "points_acces": portes.sort_values("equipement", ignore_index=True),
        }
    )
    tables = [
        calculer_analyses(t, calculer_etude(t, None, parametres), reglages).carreaux[colonnes]
        for t in (territoire, autre)
    ]
    pd.testing.assert_frame_equal(*tables)

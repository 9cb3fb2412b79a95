"""Rejoindre les gares à vélo : temps prédits à la main, jamais plus lent que sans vélo.

Marche 1 m/s, vélo 5 m/s. Un train part de « a » (0 m) à 8 h 10 et arrive en « b » (3 000 m) à
8 h 15 ; le soir, il part de « b » à 17 h 30. Un bus relie « n » à « m ».
"""

from datetime import date

import numpy as np
import pytest

from accessibilite.etude import calculer_etude, colonne_temps
from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import rattacher_points
from accessibilite.transport.fenetre import OptionsTc
from accessibilite.transport.horaires import INFINI_S
from accessibilite.transport.liaisons import construire_correspondances, rattacher_arrets
from accessibilite.transport.porte_a_porte import (
    construire_reseau_tc,
)
from accessibilite.transport.rabattement_velo import (
    OriginesVelo,
    construire_rabattement,
    lier_points_a_velo,
    rouler_entre_gares_et_lieu,
)
from accessibilite.transport.recherche import calculer_matrice_seuil_tc, calculer_temps_noeuds_tc
from donnees_geo.gtfs import courses_du_jour, lire_gtfs
from tests.fabriques.flux_gtfs import arrets_csv, ecrire_flux, flux_simple, passages_csv
from tests.fabriques.ville_quadrillee import (
    COIN,
    CRS,
    parametres_essai,
    service_essai,
    table_carreaux,
    table_equipements,
    territoire_essai,
    ville_quadrillee,
)

MARDI = date(2026, 3, 17)
HUIT, SOIR = 28_800, 17 * 3600


@pytest.fixture(scope="module")
def ville():
    return ville_quadrillee(40, 32, 100.0)


@pytest.fixture(scope="module")
def offre(tmp_path_factory):
    flux = flux_simple()
    flux["stops.txt"] = arrets_csv(
        {"a": (0, 0), "b": (3000, 0), "n": (3000, 300), "m": (3000, 2800)}
    )
    flux["routes.txt"] = "route_id,route_short_name,route_type\nL1,TER,2\nB,1,3\n"
    flux["trips.txt"] = "route_id,service_id,trip_id\nL1,S,est\nL1,S,ouest\nB,S,nord\n"
    flux["stop_times.txt"] = passages_csv(
        {
            "est": [("a", HUIT + 600), ("b", HUIT + 900)],
            "ouest": [("b", SOIR + 1800), ("a", SOIR + 2100)],
            "nord": [("n", HUIT + 1300), ("m", HUIT + 1500)],
        }
    )
    return lire_gtfs([ecrire_flux(tmp_path_factory.mktemp("velo") / "e.zip", flux)], CRS)[0]


@pytest.fixture(scope="module")
def rabattement(ville, offre):
    return construire_rabattement(
        ville, offre, parametres_essai(rabattement_velo_max_m=2000.0, rattachement_max_m=50.0)
    )


@pytest.fixture(scope="module")
def pret(ville, offre):
    graphe = construire_graphe(ville, construire_profil(parametres_essai(), "marche"))
    marche = rattacher_arrets(graphe, offre, marche_max_m=1000.0, rattachement_max_m=50.0)
    reseau = construire_reseau_tc(
        courses_du_jour(offre, MARDI),
        construire_correspondances(marche, offre, 60),
        OptionsTc(fenetre_debut_s=HUIT, fenetre_duree_s=600, pas_s=300, embarquement_min_s=60),
    )
    return reseau, marche


def points(graphe, *xy):
    tableau = np.array(xy, dtype=np.float64) + COIN
    return rattacher_points(graphe, tableau[:, 0], tableau[:, 1])


def test_seules_les_gares_a_portee_se_rejoignent_a_velo(rabattement):
    origines = OriginesVelo(rabattement, points(rabattement.graphe, (1900, 0), (500, 2000)))
    liens = lier_points_a_velo(origines)
    # 5 m/s vers a (1 900 m) et b (1 100 m) ; le second point est à 2 500 m de a ; n est un bus.
    assert liens.debut.tolist() == [0, 2, 2]
    assert liens.cible.tolist() == [0, 1]
    assert liens.temps_s.tolist() == [380, 220]
    retour = lier_points_a_velo(origines, "depuis")
    for attendu, trouve in zip(liens, retour, strict=True):
        np.testing.assert_array_equal(attendu, trouve)
    lieu = rouler_entre_gares_et_lieu(origines.extraire(slice(0, 1)), "depuis")
    assert lieu.tolist() == [380, 220, INFINI_S, INFINI_S]


def test_trajet_a_velo_puis_en_train_predit_a_la_main(pret, rabattement):
    """À 1 500 m des deux gares, trop loin pour s'y rendre à pied : sans vélo, on marche 1 500 s.

    À 8 h 00, le vélo (300 s) et la marge (60 s) attrapent le train : 900 s ; à 8 h 05 il est parti.
    """
    reseau, marche = pret
    depart, arrivee = points(marche.graphe, (1500, 0)), points(marche.graphe, (3000, 0))
    velo = OriginesVelo(rabattement, points(rabattement.graphe, (1500, 0)))
    a_velo = calculer_matrice_seuil_tc(
        reseau, marche, depart, arrivee, seuil_s=900, centiles=[30, 50], velo=velo
    )
    assert a_velo.temps_s[0, 0].tolist() == [900, 1500]
    assert a_velo.part_seuil[0, 0] == pytest.approx(1 / 3)
    a_pied = calculer_matrice_seuil_tc(
        reseau, marche, depart, arrivee, seuil_s=900, centiles=[30, 50]
    )
    assert a_pied.temps_s[0, 0].tolist() == [1500, 1500]
    assert a_pied.part_seuil[0, 0] == 0


def test_la_part_d_un_point_sans_rue_est_sans_donnee(pret):
    reseau, marche = pret
    depart = points(marche.graphe, (1500, 0), (-5000, -5000))
    matrice = calculer_matrice_seuil_tc(reseau, marche, depart, depart, seuil_s=900)
    assert matrice.part_seuil[0, 0] == 1
    assert np.isnan(matrice.part_seuil[[0, 1, 1], [1, 0, 1]]).all()


@pytest.mark.parametrize("sens", ["depuis", "vers"])
def test_jamais_plus_lent_qu_a_pied_et_noeuds_comme_la_matrice(pret, rabattement, sens):
    reseau, marche = pret
    lieu = (1500, 0) if sens == "depuis" else (3000, 0)
    point = points(marche.graphe, lieu)
    velo = OriginesVelo(rabattement, points(rabattement.graphe, lieu))
    centiles = [30.0, 95.0]
    a_pied = calculer_temps_noeuds_tc(reseau, marche, point, sens, centiles=centiles)
    a_velo = calculer_temps_noeuds_tc(reseau, marche, point, sens, centiles=centiles, velo=velo)
    for pied, roule in zip(a_pied, a_velo, strict=True):
        assert (roule.temps_s <= pied.temps_s).all()
    assert (a_velo[0].temps_s < a_pied[0].temps_s).sum() > 10
    noeuds_xy = np.column_stack([marche.graphe.reseau.noeud_x, marche.graphe.reseau.noeud_y]) - COIN
    choix = np.arange(0, len(noeuds_xy), 7)
    noeuds = points(marche.graphe, *noeuds_xy[choix])
    noeuds_velo = points(rabattement.graphe, *noeuds_xy[choix])
    depart, arrivee = (point, noeuds) if sens == "depuis" else (noeuds, point)
    origines = velo if sens == "depuis" else OriginesVelo(rabattement, noeuds_velo)
    matrice = calculer_matrice_seuil_tc(
        reseau, marche, depart, arrivee, seuil_s=0, centiles=centiles, velo=origines
    ).temps_s.reshape(-1, 2)
    for i in range(2):
        np.testing.assert_allclose(a_velo[i].temps_s[choix], matrice[:, i], atol=0.01)


@pytest.mark.parametrize("aller_retour", [False, True])
def test_etude_avec_et_sans_velo(ville, offre, aller_retour):
    """Le service est à la gare « b » ; matin et soir, le vélo rapproche du train de « a »."""
    equipements, acces = table_equipements([("hopital", 3000.0, 0.0)])
    xy = [(1500.0, 0.0), (1400.0, 300.0), (500.0, 0.0), (3000.0, 2500.0)]
    territoire = territoire_essai(
        reseau=ville,
        offre=offre,
        date_service=MARDI,
        carreaux=table_carreaux(xy, [10.0] * 4, ["A0001"] * 4),
        equipements=equipements,
        points_acces=acces,
        services=(service_essai("hopital", "intermediaire"),),
    )
    choix = {"centile_tc": 5.0, "centiles_tc": (5.0, 50.0), "embarquement_min_s": 60}
    colonne = colonne_temps("hopital", "tc")
    sans, avec = (
        calculer_etude(
            territoire, None, parametres_essai(rabattement_velo=v, **choix),
            aller_retour=aller_retour,
        ).acces
        for v in (False, True)
    )  # fmt: skip
    assert (avec[colonne] <= sans[colonne]).all()
    # À 1 500 m : à pied de bout en bout sans vélo ; avec, le 7ᵉ des départs les mieux placés.
    assert sans[colonne].to_list()[0] == 1500
    assert avec[colonne].to_list()[0] == (900 - 240 + 6 * 60)
    # À 500 m de « a », la gare se rejoint déjà à pied, et le vélo fait encore mieux.
    assert avec[colonne].to_list()[2] < sans[colonne].to_list()[2]
    # À 2 500 m au nord de « b », loin de toute gare à vélo : la marche, inchangée.
    assert avec[colonne].to_list()[3] == sans[colonne].to_list()[3] == 2500
    if aller_retour:
        retour = "temps_hopital_tc_retour_s"
        assert (avec[retour] <= sans[retour]).all()
        assert avec[retour].to_list()[0] < sans[retour].to_list()[0] == 1500

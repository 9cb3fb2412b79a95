"""Marche autour des arrêts, correspondances et isochrones, sur une ville quadrillée."""

from datetime import date

import numpy as np
import pytest

from accessibilite.rues.dijkstra import calculer_plus_proche, calculer_temps_depuis_points
from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.matrices import calculer_liens
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.rattachement import rattacher_points
from accessibilite.transport.fenetre import OptionsTc
from accessibilite.transport.horaires import INFINI_S
from accessibilite.transport.liaisons import (
    construire_correspondances,
    en_secondes,
    fusionner_liens,
    lier_points,
    marcher_entre_arrets_et_lieu,
    rattacher_arrets,
    transposer_liens,
)
from accessibilite.transport.porte_a_porte import (
    DemandeService,
    LiensArrets,
    calculer_acces_services,
    construire_reseau_tc,
)
from accessibilite.transport.recherche import (
    calculer_isochrones_tc,
    calculer_matrice_tc,
    calculer_temps_noeuds_tc,
)
from donnees_geo.erreurs import ErreurReseau
from donnees_geo.gtfs import courses_du_jour, lire_gtfs
from tests.fabriques.flux_gtfs import (
    arrets_csv,
    courses_csv,
    ecrire_flux,
    flux_simple,
    passages_csv,
)
from tests.fabriques.ville_quadrillee import COIN, CRS, parametres_essai, ville_quadrillee

MARDI = date(2026, 3, 17)
HUIT = 28_800
#: Lieux en mètres : deux arrêts d'une ligne est-ouest, un troisième à 300 m au nord du second.
ARRETS = {"a": (0, 0), "b": (3000, 0), "n": (3000, 300), "m": (3000, 2800)}


@pytest.fixture(scope="module")
def graphe():
    reseau = ville_quadrillee(40, 32, 100.0)
    return construire_graphe(reseau, construire_profil(parametres_essai(), "marche"))


def lire(tmp_path, **fichiers):
    flux = flux_simple()
    flux["stops.txt"] = arrets_csv(ARRETS)
    flux["trips.txt"] = courses_csv(["est", "nord"])
    flux["stop_times.txt"] = passages_csv(
        {"est": [("a", HUIT + 600), ("b", HUIT + 900)],
         "nord": [("n", HUIT + 1300), ("m", HUIT + 1500)]}
    )  # fmt: skip
    flux.update({f"{nom}.txt": texte for nom, texte in fichiers.items()})
    return lire_gtfs([ecrire_flux(tmp_path / "essai.zip", flux)], CRS)[0]


@pytest.fixture
def offre(tmp_path):
    return lire(tmp_path)


def marche_de(graphe, offre, marche_max_m=1000.0):
    return rattacher_arrets(graphe, offre, marche_max_m=marche_max_m, rattachement_max_m=50.0)


def points(graphe, *xy):
    tableau = np.array(xy, dtype=np.float64) + COIN
    return rattacher_points(graphe, tableau[:, 0], tableau[:, 1])


def reseau_tc(graphe, offre, **options):
    choix = OptionsTc(**{"fenetre_debut_s": HUIT, "fenetre_duree_s": 600, "pas_s": 300,
                         "embarquement_min_s": 60, **options})  # fmt: skip
    marche = marche_de(graphe, offre)
    correspondances = construire_correspondances(marche, offre, choix.embarquement_min_s)
    return construire_reseau_tc(courses_du_jour(offre, MARDI), correspondances, choix), marche


def paires(correspondances):
    depuis = np.repeat(np.arange(correspondances.debut.size - 1), np.diff(correspondances.debut))
    return {
        (int(a), int(b)): int(t)
        for a, b, t in zip(depuis, correspondances.cible, correspondances.temps_s, strict=True)
    }


def test_correspondances_par_les_rues_avec_la_marge(graphe, offre):
    trouvees = paires(construire_correspondances(marche_de(graphe, offre), offre, 60))
    # 1 m/s : b et n sont à 300 m ; les autres à plus de 1 000 m. Sur place, la marge seule.
    assert trouvees == {(i, i): 60 for i in range(4)} | {(1, 2): 360, (2, 1): 360}


def test_regles_du_flux(graphe, tmp_path):
    offre = lire(
        tmp_path,
        transfers="from_stop_id,to_stop_id,transfer_type,min_transfer_time\n"
        "b,n,2,500\nn,b,3,\na,a,2,30\nn,n,1,\na,m,2,2000\na,n,0,\n",
    )
    trouvees = paires(construire_correspondances(marche_de(graphe, offre), offre, 60))
    # Temps minimal donné, interdite, sur place, assurée (sans marge), lointaine mais minutée.
    assert trouvees == {
        (0, 0): 30, (1, 1): 60, (2, 2): 0, (3, 3): 60, (1, 2): 500, (0, 3): 2000,
    }  # fmt: skip


def test_regle_entre_gares_etendue_aux_quais_sauf_regle_de_quai(graphe, tmp_path):
    gares = arrets_csv({**ARRETS, "G": (3000, 100)}).splitlines()
    parents = {"b": "G", "n": "G"}
    stops = "\n".join(
        [gares[0] + ",location_type,parent_station"]
        + [f"{g},{int(g[0] == 'G')},{parents.get(g[0], '')}" for g in gares[1:]]
    )
    regles = "from_stop_id,to_stop_id,transfer_type,min_transfer_time\nG,G,2,90\nb,n,2,40\n"
    offre = lire(tmp_path, stops=stops, transfers=regles)
    trouvees = paires(construire_correspondances(marche_de(graphe, offre), offre, 60))
    quais = {k: v for k, v in trouvees.items() if set(k) <= {1, 2}}
    assert quais == {(1, 1): 90, (2, 2): 90, (2, 1): 90, (1, 2): 40}


def test_quais_d_une_gare_sans_rue_entre_eux(tmp_path):
    # Deux quais à 40 m, aucune rue à moins de 50 m : ils communiquent quand même, en ligne droite.
    loin = construire_graphe(
        ville_quadrillee(3, 3, 100.0), construire_profil(parametres_essai(), "marche")
    )
    lieux = {"a": (5000, 0), "b": (5040, 0), "n": (9000, 0), "m": (9500, 0), "G": (5020, 0)}
    gares = arrets_csv(lieux).splitlines()
    stops = "\n".join(
        [gares[0] + ",location_type,parent_station"]
        + [f"{g},{int(g[0] == 'G')},{'G' if g[0] in 'ab' else ''}" for g in gares[1:]]
    )
    offre = lire(tmp_path, stops=stops)
    marche = marche_de(loin, offre)
    assert not marche.arrets.rattaches.any()
    trouvees = paires(construire_correspondances(marche, offre, 0))
    assert trouvees[0, 1] == trouvees[1, 0] == 40
    assert (2, 3) not in trouvees


def demander_service(marche, lieux, portes, sens, seuil_s):
    directe = calculer_plus_proche(marche.graphe, lieux, portes, sens=sens, limite_s=3600)
    return DemandeService(
        marcher_entre_arrets_et_lieu(marche, portes, sens), en_secondes(directe.temps_s), seuil_s
    )


def test_trajet_predit_a_la_main(graphe, offre):
    reseau, marche = reseau_tc(graphe, offre)
    origine, arrivee = points(graphe, (200, 0)), points(graphe, (3200, 2800), (3000, 200), (0, 100))
    temps = calculer_matrice_tc(reseau, marche, origine, arrivee, centiles=[1, 50, 100])[0]
    # Départs à 8 h 00, 8 h 05 et 8 h 10 ; 200 s de marche et 60 s de marge : le car de 8 h 10 est
    # pris par le départ de 8 h 05 au plus tard. Correspondance : 15 min + 300 s + 60 s, à l'heure
    # pour 8 h 21 min 40 s ; arrivée à 8 h 25 puis 200 s de marche.
    assert temps[0].tolist() == [1500 + 200 - 300, 1500 + 200, np.inf]
    # Deuxième point : descendre à 8 h 15 et marcher 200 m, ou à pied 3 000 m ; troisième : à pied.
    assert temps[1].tolist() == [900 + 200 - 300, 900 + 200, 3000]
    limite = calculer_matrice_tc(
        reseau, marche, origine, arrivee, centiles=[100], marche_directe_max_m=1000
    )
    assert limite[0, :, 0].tolist() == [np.inf, np.inf, 300]
    assert temps[2].tolist() == [300, 300, 300]


def test_aller_vers_un_service_et_retour(graphe, offre):
    reseau, marche = reseau_tc(graphe, offre)
    lieux = points(graphe, (200, 0), (3000, 200))
    portes = points(graphe, (3000, 2800), (3500, 0))
    aller = calculer_acces_services(
        reseau,
        lier_points(marche, lieux, "vers"),
        [demander_service(marche, lieux, portes, "vers", 1200)],
        "vers",
        centiles=[1],
    )[0]
    # Depuis (200, 0), la porte de (3500, 0) se rejoint à pied après la descente de 8 h 15 : 500 s.
    assert aller.temps_s[:, 0].tolist() == [900 + 500 - 300, 700]
    assert aller.part_seuil[0] == pytest.approx(1 / 3)
    # Au retour, la ligne n'a pas de car vers l'ouest : 3 300 m à pied.
    retour = calculer_acces_services(
        reseau,
        lier_points(marche, lieux, "depuis"),
        [demander_service(marche, lieux, portes, "depuis", 1200)],
        "depuis",
        centiles=[1],
    )[0]
    assert retour.temps_s[:, 0].tolist() == [3300, 700]


def test_la_marche_vers_les_arrets_est_limitee_pas_la_marche_directe(graphe, offre):
    reseau, marche = reseau_tc(graphe, offre, duree_max_s=1400)
    assert marcher_entre_arrets_et_lieu(marche, points(graphe, (0, 999)), "vers").tolist() == [
        999, INFINI_S, INFINI_S, INFINI_S,
    ]  # fmt: skip
    assert (
        marcher_entre_arrets_et_lieu(marche, points(graphe, (0, 1001)), "vers") == INFINI_S
    ).all()
    arrivees = points(graphe, (0, 1300), (0, 1500))
    temps = calculer_matrice_tc(reseau, marche, points(graphe, (0, 0)), arrivees, centiles=[50])
    assert temps[0, :, 0].tolist() == [1300, np.inf]


def test_liens_transposes_et_reunis(graphe, offre):
    marche = marche_de(graphe, offre)
    lieux = points(graphe, (0, 200), (3000, 100), (1500, 1500))
    vers, depuis = lier_points(marche, lieux, "vers"), lier_points(marche, lieux, "depuis")
    # Aucun sens interdit à pied : mêmes liens dans les deux sens.
    for un, deux in zip(vers, depuis, strict=True):
        np.testing.assert_array_equal(un, deux)
    assert vers.debut.tolist() == [0, 1, 3, 3]
    bruts = calculer_liens(graphe, marche.arrets, lieux, limite_s=1000)
    assert transposer_liens(bruts, 3).temps_s.tolist() == [200, 100, 200]
    plus = LiensArrets(
        np.array([0, 2, 2, 3]), np.array([0, 3, 1], np.int32), np.array([50, 7, 9], np.int32)
    )
    reunis = fusionner_liens(vers, plus)
    assert reunis.debut.tolist() == [0, 2, 4, 5]
    assert reunis.cible.tolist() == [0, 3, 1, 2, 1]
    assert reunis.temps_s.tolist() == [50, 7, 100, 200, 9]


def test_temps_aux_noeuds_comme_la_matrice(graphe, offre):
    reseau, marche = reseau_tc(graphe, offre, pas_s=60)
    origine = points(graphe, (200, 0))
    centiles = [5.0, 50.0, 95.0]
    par_noeud = calculer_temps_noeuds_tc(reseau, marche, origine, "depuis", centiles=centiles)
    noeuds = points(graphe, *np.column_stack([graphe.reseau.noeud_x, graphe.reseau.noeud_y]) - COIN)
    matrice = calculer_matrice_tc(reseau, marche, origine, noeuds, centiles=centiles)[0]
    for i in range(3):
        np.testing.assert_allclose(par_noeud[i].temps_s, matrice[:, i], atol=0.01)
        np.testing.assert_array_equal(
            par_noeud[i].atteints, np.flatnonzero(np.isfinite(matrice[:, i]))
        )
    assert np.isfinite(matrice[:, 0]).sum() > np.isfinite(matrice[:, 2]).sum() > 80


def test_isochrone_garde_l_ilot_de_l_arret(graphe, offre):
    reseau, marche = reseau_tc(graphe, offre)
    origine = points(graphe, (200, 0))
    quinze, vingt = calculer_isochrones_tc(
        reseau, marche, origine, [900, 1200], "depuis", centile=50
    )
    # En 20 min : la marche autour du départ, et 100 m autour de l'arrêt « b » (8 h 15 : 900 s).
    assert len(vingt.polygone.geoms) == 2
    (lache,) = calculer_isochrones_tc(
        reseau_tc(graphe, offre, duree_max_s=1200)[0], marche, origine, [1200], "depuis"
    )
    assert lache.polygone.equals(vingt.polygone)
    assert vingt.surface_m2 > quinze.surface_m2
    assert quinze.polygone.difference(vingt.polygone).area < 1e-6
    _, _, est, _ = vingt.polygone.bounds
    assert est - COIN[0] == pytest.approx(3000 + 300 + 25, abs=6)


def test_marche_seule_contenue_dans_la_marche_et_le_car(graphe, offre):
    reseau, marche = reseau_tc(graphe, offre, duree_max_s=1800)
    origine = points(graphe, (500, 300))
    a_pied = calculer_temps_depuis_points(graphe, origine, sens="depuis", limite_s=1800)
    for temps in calculer_temps_noeuds_tc(reseau, marche, origine, "depuis"):
        assert (temps.temps_s <= a_pied.temps_s).all()


def test_point_hors_du_reseau_refuse(graphe, offre):
    reseau, marche = reseau_tc(graphe, offre)
    with pytest.raises(ErreurReseau, match="trop loin de toute rue"):
        calculer_temps_noeuds_tc(reseau, marche, points(graphe, (90_000, 0)), "depuis")


def test_arret_hors_emprise_ou_sans_position_non_rattache(graphe, tmp_path):
    stops = arrets_csv({k: v for k, v in ARRETS.items() if k != "b"}) + "b,Sans lieu,0,0\n"
    marche = marche_de(graphe, lire(tmp_path, stops=stops))
    assert marche.arrets.rattaches.tolist() == [True, True, True, False]

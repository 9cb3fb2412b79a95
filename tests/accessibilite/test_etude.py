"""Étude d'un territoire en ville quadrillée, des rues aux carences."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest

from accessibilite.etude import calculer_etude, colonne_proche, colonne_temps, construire_graphes
from accessibilite.rues.graphe import construire_graphe
from accessibilite.rues.profils import construire_profil
from accessibilite.rues.services import calculer_acces_mode
from donnees_geo.erreurs import ErreurConfiguration, Gravite
from tests.fabriques.ville_quadrillee import (
    SENS_UNIQUE,
    Rue,
    construire_reseau,
    parametres_essai,
    table_carreaux,
    table_equipements,
    territoire_essai,
)

COLONNES_CONTRAT = [
    *("zone_type", "zone_code", "zone_nom", "palier", "fonction", "service", "mode", "seuil_s"),
    *("population_hab", "population_desservie_hab", "part_desservie", "temps_median_s"),
]


def etudier(territoire=None, **options):
    parametres = options.pop("parametres", parametres_essai())
    return calculer_etude(territoire or territoire_essai(), None, parametres, **options)


def test_temps_des_dix_carreaux():
    territoire = territoire_essai()
    resultat = etudier(territoire)
    acces = resultat.acces
    assert acces["carreau"].tolist() == territoire.carreaux["carreau"].tolist()
    rang = np.arange(10)
    for mode, vitesse in (("marche", 1), ("velo", 5), ("voiture", 10)):
        assert acces[colonne_temps("boulangerie", mode)].to_numpy() == pytest.approx(
            100.0 * rang / vitesse, abs=1e-3
        )
        assert acces[colonne_temps("hopital", mode)].to_numpy() == pytest.approx(
            100.0 * (10 - rang) / vitesse, abs=1e-3
        )
        assert acces[colonne_temps("cinema", mode)].isna().all()
        assert (acces[colonne_proche("boulangerie", mode)] == 0).all()
        assert (acces[colonne_proche("hopital", mode)] == 1).all()
        assert (acces[colonne_proche("cinema", mode)] == -1).all()
    # Le vélo l'emporte partout, sauf sur place où les deux modes valent zéro.
    plus_rapide = acces[colonne_temps("boulangerie", "plus_rapide")].to_numpy()
    assert plus_rapide == pytest.approx(20.0 * rang, abs=1e-3)
    assert resultat.modes == ("marche", "velo", "voiture")
    assert resultat.par_population
    assert set(resultat.durees_s) >= {"graphes", "accès marche", "indicateurs"}


def test_indicateurs_et_carences_du_territoire():
    resultat = etudier(parametres=parametres_essai(vitesse_velo_kmh=1.8, vitesse_marche_kmh=1.8))
    table = resultat.indicateurs
    assert table.columns.tolist() == COLONNES_CONTRAT
    cles = table.set_index(["zone_type", "zone_code", "service", "mode"])
    # À 0,5 m/s, 900 s font 450 m : carreaux 0 à 4, 150 habitants sur 550.
    ligne = cles.loc[("territoire", "territoire", "boulangerie", "marche")]
    assert (ligne["population_hab"], ligne["population_desservie_hab"]) == (550, 150)
    assert cles.loc[("commune", "A0001", "boulangerie", "marche"), "part_desservie"] == 1
    assert cles.loc[("secteur", "S2", "boulangerie", "marche"), "part_desservie"] == 0
    assert np.isnan(cles.loc[("bassin_de_vie", "B1", "cinema", "marche"), "part_desservie"])
    assert set(table["zone_type"]) == {"territoire", "secteur", "bassin_de_vie", "commune"}
    carence = resultat.carences.set_index(["zone_type", "zone_code", "service"])
    ligne = carence.loc[("commune", "A0002", "boulangerie")]
    assert ligne["population_carence_hab"] == 400
    assert ligne["equipement_proche_nom"] == "Lieu 0"
    assert ("commune", "A0001", "boulangerie") not in carence.index


def test_constats():
    messages = {(c.objet, c.gravite): c.message for c in etudier().constats}
    assert "cinema" in messages["services", Gravite.MAJEUR]
    assert "1 service(s) sans aucun équipement" in messages["services", Gravite.MAJEUR]
    assert "en transport collectif" in messages["modes", Gravite.MAJEUR]
    assert len(messages) == 2
    base = territoire_essai()
    points = [(100.0 * c, 0.0) for c in range(9)] + [(500.0, -2000.0)]
    loin = table_carreaux(points, [10.0] * 10, ["A0001"] * 10)
    loin["impute"] = [True, True] + [False] * 8
    equipements, acces = table_equipements(
        [("boulangerie", 0.0, 0.0), ("hopital", 0.0, 5000.0), ("hopital", 0.0, 1000.0)]
    )
    resultat = etudier(
        territoire_essai(
            carreaux=loin, equipements=equipements, points_acces=acces, reseau=base.reseau
        ),
        modes=("marche",),
    )
    textes = [c.message for c in resultat.constats]
    assert any("1 carreau(x) à plus de 400 m" in t and "10 habitants" in t for t in textes)
    assert any("1 point(s) d'accès à un service trop loin" in t for t in textes)
    assert any("2 carreau(x) sur 10 imputé(s)" in t and "20 habitants" in t for t in textes)
    assert any("à vélo" in t and "en voiture" in t for t in textes)
    # Non rattaché n'est pas inaccessible.
    assert np.isnan(resultat.acces[colonne_temps("boulangerie", "marche")].iloc[9])
    assert resultat.acces[colonne_proche("boulangerie", "marche")].iloc[9] == -1


def test_sans_population_les_parts_sont_des_surfaces():
    carreaux = territoire_essai().carreaux.assign(population_hab=np.nan)
    resultat = etudier(territoire_essai(carreaux=carreaux))
    assert not resultat.par_population
    assert any("parts de surface" in c.message for c in resultat.constats)
    assert resultat.indicateurs["population_hab"].isna().all()
    ligne = resultat.indicateurs.set_index(["zone_type", "service", "mode"]).loc[
        ("territoire", "boulangerie", "marche")
    ]
    assert ligne["part_desservie"] == 1.0


def test_demandes_impossibles():
    with pytest.raises(ErreurConfiguration, match="Service inconnu") as refus:
        etudier(services=["boulangerie", "boulangrie"])
    assert "Objet : boulangrie" in str(refus.value)
    assert "boulangerie, cinema, hopital" in str(refus.value)
    with pytest.raises(ErreurConfiguration, match="Mode de déplacement inconnu") as refus:
        etudier(modes=("marche", "trottinette"))
    assert "trottinette" in str(refus.value)
    with pytest.raises(ErreurConfiguration, match="Aucun mode"):
        etudier(modes=())


def test_choix_de_services_et_de_modes():
    resultat = etudier(services=["hopital"], modes=("voiture",))
    assert [s.id for s in resultat.services] == ["hopital"]
    assert set(resultat.indicateurs["mode"]) == {"voiture", "plus_rapide"}
    complet = etudier()
    colonne = colonne_temps("hopital", "voiture")
    assert resultat.acces[colonne].equals(complet.acces[colonne])


def test_territoire_sans_carreau_ni_service():
    base = territoire_essai()
    equipements, acces = table_equipements([])
    rien = etudier(territoire_essai(equipements=equipements, points_acces=acces))
    assert rien.acces[colonne_temps("boulangerie", "marche")].isna().all()
    assert rien.carences.empty
    vide = etudier(territoire_essai(carreaux=base.carreaux.iloc[:0]))
    assert vide.acces.empty
    assert vide.indicateurs["part_desservie"].isna().all()
    sans_service = etudier(services=[])
    assert sans_service.indicateurs.empty
    assert sans_service.indicateurs.columns.tolist() == COLONNES_CONTRAT


def test_le_territoire_n_est_pas_modifie_et_le_resultat_se_repete():
    territoire = territoire_essai()
    avant = copy.deepcopy(territoire)
    un, deux = etudier(territoire), etudier(territoire)
    for nom in ("carreaux", "equipements", "points_acces", "communes"):
        pd.testing.assert_frame_equal(getattr(territoire, nom), getattr(avant, nom))
    for nom in ("acces", "indicateurs", "carences"):
        pd.testing.assert_frame_equal(getattr(un, nom), getattr(deux, nom))


def test_les_graphes_suivent_les_parametres():
    graphes = construire_graphes(territoire_essai(), parametres_essai(), ("velo",))
    assert list(graphes) == ["velo"]
    assert graphes["velo"].profil.vitesse_kmh == 18.0


def acces(graphe, lieux, services, ordre=None, **options):
    equipements, points = table_equipements(lieux)
    if ordre is not None:
        points = points.iloc[ordre].reset_index(drop=True)
    carreaux = options.pop("carreaux", territoire_essai().carreaux)
    return calculer_acces_mode(
        graphe, carreaux, equipements, points, services, rattachement_max_m=400.0, **options
    )


def graphe_marche():
    return construire_graphe(
        territoire_essai().reseau, construire_profil(parametres_essai(), "marche")
    )


def test_a_egalite_le_premier_equipement_quel_que_soit_l_ordre():
    # Deux boulangeries à la même adresse, une troisième plus loin.
    lieux = [("autre", 0.0, 0.0), *[("boulangerie", 300.0, 0.0)] * 2, ("boulangerie", 900.0, 0.0)]
    droit = acces(graphe_marche(), lieux, ["boulangerie", "autre"])
    # Le carreau 6, à 600 m, est à 300 m des trois.
    assert droit.equipement[:, 0].tolist() == [1] * 7 + [3] * 3
    envers = acces(graphe_marche(), lieux, ["autre", "boulangerie"], ordre=[3, 2, 1, 0])
    assert np.array_equal(envers.temps_s[:, ::-1], droit.temps_s)
    assert np.array_equal(envers.equipement[:, ::-1], droit.equipement)


def test_parc_a_plusieurs_points_d_acces():
    # Les deux points du pourtour désignent le même équipement ; le plus proche compte.
    equipements, points = table_equipements([("parc", 0.0, 0.0), ("parc", 900.0, 0.0)])
    points["equipement"] = np.int32(0)
    resultat = calculer_acces_mode(
        graphe_marche(),
        territoire_essai().carreaux,
        equipements,
        points,
        ["parc"],
        rattachement_max_m=400.0,
    )
    assert resultat.temps_s[:, 0] == pytest.approx(
        [0, 100, 200, 300, 400, 400, 300, 200, 100, 0], abs=1e-3
    )
    assert (resultat.equipement == 0).all()


def test_inaccessible_n_est_ni_absent_ni_non_rattache():
    # Deux morceaux assez grands, que rien ne relie ; un troisième carreau dans les champs.
    carre = [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)]
    noeuds = [*carre, *((x + 2000.0, y) for x, y in carre)]
    rues = [Rue(b + i, b + (i + 1) % 4) for b in (0, 4) for i in range(4)]
    graphe = construire_graphe(
        construire_reseau(noeuds, rues), construire_profil(parametres_essai(), "marche"), 4
    )
    carreaux = table_carreaux([(0, 0), (2000, 0), (1000, 900)], [1, 1, 1], ["A"] * 3)
    resultat = acces(graphe, [("poste", 50.0, 0.0)], ["poste", "mairie"], carreaux=carreaux)
    assert resultat.temps_s[:2, 0].tolist() == [pytest.approx(50.0), np.inf]
    assert np.isnan(resultat.temps_s[2, 0])
    assert np.isnan(resultat.temps_s[:, 1]).all()
    assert resultat.equipement[:, 0].tolist() == [0, -1, -1]
    assert resultat.carreaux_non_rattaches.tolist() == [False, False, True]
    # Un équipement connu mais trop loin de toute rue : inaccessible, et compté.
    perdu = acces(graphe, [("poste", 50.0, 3000.0)], ["poste"], carreaux=carreaux)
    assert perdu.temps_s[:2, 0].tolist() == [np.inf, np.inf]
    assert perdu.points_non_rattaches == 1


def test_se_rendre_au_service_n_est_pas_en_revenir():
    # Boucle à sens unique de 400 m parcourue en voiture à 10 m/s.
    carre = [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)]
    rues = [Rue(i, (i + 1) % 4, SENS_UNIQUE) for i in range(4)]
    graphe = construire_graphe(
        construire_reseau(carre, rues), construire_profil(parametres_essai(), "voiture"), 4
    )
    carreaux = table_carreaux([(0, 0), (100, 0)], [1, 1], ["A"] * 2)
    lieux = [("poste", 100.0, 50.0)]
    aller = acces(graphe, lieux, ["poste"], carreaux=carreaux)
    retour = acces(graphe, lieux, ["poste"], carreaux=carreaux, sens="depuis")
    assert aller.temps_s[:, 0] == pytest.approx([15, 5], abs=1e-3)
    assert retour.temps_s[:, 0] == pytest.approx([25, 35], abs=1e-3)


def test_un_equipement_de_plus_n_allonge_aucun_trajet():
    lieux = [("poste", 0.0, 0.0), ("poste", 820.0, 130.0)]
    moins = acces(graphe_marche(), lieux[:1], ["poste"]).temps_s
    plus = acces(graphe_marche(), lieux, ["poste"]).temps_s
    assert (plus <= moins).all()
    assert (plus < moins).any()


def test_progression_par_service():
    etapes: list[tuple[str, float]] = []
    acces(
        graphe_marche(),
        [("poste", 0.0, 0.0)],
        ["poste", "mairie"],
        progression=lambda *e: etapes.append(e),
    )
    assert etapes == [("accès marche", 0.5), ("accès marche", 1.0)]

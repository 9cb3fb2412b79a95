from dataclasses import replace
from datetime import date

import pytest

from accessibilite.etude import calculer_etude
from couches.composition import (
    SIMULEE,
    Theme,
    composer_couches,
    decrire_mode,
    dire_hypotheses,
    nommer_service,
    poser_question,
    regle_du_palier,
)
from couches.licences import A_VERIFIER, mention_sources
from couches.styles import lire_styles
from donnees_geo.configuration import lire_services
from donnees_geo.erreurs import ErreurConfiguration
from donnees_geo.territoire import SourceLue
from tests.fabriques.ville_quadrillee import parametres_essai, service_essai, territoire_essai

TERRITOIRE = territoire_essai()


@pytest.fixture(scope="module")
def resultat():
    return calculer_etude(TERRITOIRE, None, parametres_essai())


def theme(mode="plus_rapide", *, panier=False, seuil_s=900.0):
    boulangerie = replace(service_essai("boulangerie"), article="une")
    return Theme((boulangerie,), "proximite", panier, mode, seuil_s)


def test_le_titre_est_la_question(resultat):
    assert poser_question(resultat, theme()) == (
        "Qui peut rejoindre une boulangerie en 15 minutes à pied ou à vélo ?"
    )
    assert poser_question(resultat, theme("voiture", panier=True, seuil_s=600.0)) == (
        "Qui peut rejoindre tous les services de proximité en 10 minutes en voiture ?"
    )


def test_les_hypotheses_disent_les_vitesses(resultat):
    texte = dire_hypotheses(resultat, theme()).replace("\u00a0", " ")
    assert texte == "marche 3,6 km/h ; vélo 18 km/h"
    tc = decrire_mode(parametres_essai(), "tc", date(2026, 3, 17)).replace("\u00a0", " ")
    assert tc == "transport collectif le mardi 17 mars 2026, départs de 7 h à 9 h, médiane"
    retard = decrire_mode(parametres_essai(centile_tc=95.0), "tc")
    assert "centile 95" in retard


def test_chaque_service_du_catalogue_se_lit_dans_une_phrase():
    phrases = {s.id: nommer_service(s) for s in lire_services()}
    assert phrases["boulangerie"] == "une boulangerie"
    assert phrases["enseignement_superieur"] == "un lieu d’enseignement supérieur"
    assert phrases["police"] == "un poste de police ou gendarmerie"
    assert all(p == p.strip() and "  " not in p for p in phrases.values())


def test_les_couches_disent_leur_provenance(resultat):
    sources = (SourceLue("population.fichier", "c.gpkg", "0" * 64, 1, "2021"),)
    reel = replace(TERRITOIRE, fictif=False, sources=sources)
    couches = {c.id: c for c in composer_couches(reel, resultat, theme(), lire_styles())}
    assert list(couches) == ["fond", "carreaux", "lieux", "limites", "noms"]
    assert couches["carreaux"].millesime == "2021"
    assert couches["fond"].licence == "ODbL 1.0"
    assert couches["carreaux"].licence == A_VERIFIER
    # L'Insee n'est cité que si un fichier en vient.
    assert mention_sources(reel) == "© les contributeurs d’OpenStreetMap"
    filosofi = (SourceLue("population.fichier", "carreaux_200m_met.gpkg", "0" * 64, 1, "2021"),)
    de_l_insee = replace(reel, sources=filosofi)
    assert mention_sources(de_l_insee).endswith("OpenStreetMap, Insee")
    carreaux = composer_couches(de_l_insee, resultat, theme(), lire_styles())[1]
    assert carreaux.licence == "Licence Ouverte 2.0"
    fictives = composer_couches(TERRITOIRE, resultat, theme(), lire_styles())
    assert {c.licence for c in fictives if c.licence} == {SIMULEE}
    assert "fictif" in mention_sources(TERRITOIRE)


def test_la_legende_ne_compte_pas_sur_la_seule_couleur(resultat):
    carreaux = composer_couches(TERRITOIRE, resultat, theme(), lire_styles())[1]
    assert [e.trame for e in carreaux.legende[-2:]] == ["hachures", "points"]
    assert all(e.texte for e in carreaux.legende)


def test_un_panier_ne_montre_pas_ses_lieux_par_defaut(resultat):
    lieux = composer_couches(TERRITOIRE, resultat, theme(panier=True), lire_styles())[2]
    assert not lieux.visible


def test_un_palier_sans_regle_se_dit():
    with pytest.raises(ErreurConfiguration, match="pas de règle"):
        regle_du_palier(parametres_essai(), "autre")

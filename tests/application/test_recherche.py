"""Recherche de lieux servie à la carte."""

from __future__ import annotations

import pytest
import shapely

from couches.ecran.mercator import depuis_degres
from donnees_geo.erreurs import ErreurConfiguration
from pages._carte.recherche import LIEUX_MONTRES, decrire_lieux_trouves, repertoire_de
from pages._commun.ouverture import obtenir_partage


@pytest.fixture(scope="module")
def partage(dossier_prepare):
    return obtenir_partage(dossier_prepare)


def test_une_commune_se_trouve_en_degres(partage):
    communes = partage.territoire.communes
    nom, contour = str(communes["nom"].iloc[3]), communes.geometry.iloc[3]
    premier = decrire_lieux_trouves(partage, {"q": nom.upper()})[0]
    assert premier["titre"] == nom
    point = shapely.Point(depuis_degres(premier["lon"], premier["lat"], partage.territoire.crs))
    assert contour.distance(point) < 2.0


def test_le_repertoire_n_est_construit_qu_une_fois(partage):
    assert repertoire_de(partage) is repertoire_de(partage)


def test_le_nombre_et_la_longueur_sont_bornes(partage):
    assert len(decrire_lieux_trouves(partage, {"q": "rue"})) == LIEUX_MONTRES
    assert decrire_lieux_trouves(partage, {"q": "rue " * 20 + "zzzz"}) != []  # coupé à 80 signes
    assert decrire_lieux_trouves(partage, {}) == []


@pytest.mark.parametrize(
    "centre", [{"lon": "ici", "lat": "45"}, {"lon": "200", "lat": "45"}, {"lon": "1"}]
)
def test_un_centre_fautif_se_dit(partage, centre):
    with pytest.raises(ErreurConfiguration):
        decrire_lieux_trouves(partage, {"q": "rue"} | centre)

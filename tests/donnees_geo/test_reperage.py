"""Recherche de lieux par leur nom : débuts de mots, accents, ordre, rues par commune."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from donnees_geo.configuration import lire_manifeste
from donnees_geo.reperage import (
    GENRES,
    chercher_lieux,
    construire_repertoire,
    indexer,
    normaliser,
)
from donnees_geo.territoire import charger_territoire, preparer_territoire
from tests.fabriques.ville_quadrillee import territoire_essai

LIEUX = (
    # titre, détail, genre, x, y
    ("Saint-Omer", "commune", "commune", 0.0, 0.0),
    ("Omerville", "commune", "commune", 9.0, 0.0),
    ("École Saint-Exupéry", "école élémentaire, Omerville", "lieu", 9.0, 1.0),
    ("Boulangerie", "Saint-Omer", "lieu", 5.0, 0.0),
    ("Boulangerie", "Saint-Omer", "lieu", 1.0, 0.0),
    ("Rue de l'Œuvre", "rue, Saint-Omer", "rue", 0.0, 2.0),
    ("Rue du Moulin", "rue, Omerville", "rue", 9.0, 2.0),
    ("Rue du Moulin", "rue, Saint-Omer", "rue", 0.0, 3.0),
)


@pytest.fixture(scope="module")
def repertoire():
    titres, details, genres, x, y = zip(*LIEUX, strict=True)
    rangs = np.array([GENRES.index(g) for g in genres], dtype=np.uint8)
    return indexer(titres, details, rangs, np.array(x), np.array(y))


@pytest.fixture(scope="module")
def territoire(territoire_petit, tmp_path_factory):
    dossier = tmp_path_factory.mktemp("reperage") / "prepare"
    preparer_territoire(lire_manifeste(territoire_petit / "territoire.toml"), dossier)
    return charger_territoire(dossier)


@pytest.mark.parametrize(
    ("texte", "mots"),
    [
        ("Rue de l'Œuvre", ["rue", "de", "l", "oeuvre"]),
        ("AV. du Gal. Leclerc", ["avenue", "du", "general", "leclerc"]),
        ("Hénin–Beaumont", ["henin", "beaumont"]),
        ("12 bis", ["12", "bis"]),
        (" \t¿? ", []),
        ("東京", []),
    ],
)
def test_normaliser(texte, mots):
    assert normaliser(texte) == mots


@pytest.mark.parametrize(
    ("texte", "attendus"),
    [
        ("saint", [0, 3, 4, 2, 7, 5]),  # le nom d'abord, puis commune, lieu, rue, et court d'abord
        ("SAINT-OMER", [0, 3, 4, 2, 7, 5]),
        ("st omer", [0, 3, 4, 2, 7, 5]),
        ("omer", [1, 0, 3, 4, 2, 6, 7, 5]),
        ("moul", [6, 7]),
        ("rue moul saint", [7]),
        ("moulin rue", [6, 7]),  # l'ordre des mots est libre
        ("oeuvre", [5]),
        ("œuv", [5]),
        ("exupery", [2]),
        ("oulin", []),  # seul un début de mot compte
        ("zzz", []),
        ("", []),
        ("  -- ", []),
    ],
)
def test_chercher(repertoire, texte, attendus):
    trouves = chercher_lieux(repertoire, texte, 8).tolist()
    assert trouves == attendus


def test_le_plus_proche_de_la_vue_passe_devant_a_nom_egal(repertoire):
    assert chercher_lieux(repertoire, "boulangerie").tolist() == [3, 4]
    assert chercher_lieux(repertoire, "boulangerie", pres_de=(0.0, 0.0)).tolist() == [4, 3]
    assert chercher_lieux(repertoire, "boulangerie", pres_de=(9.0, 0.0)).tolist() == [3, 4]
    # Une commune reste devant un lieu plus proche.
    assert chercher_lieux(repertoire, "omer", 1, pres_de=(0.0, 3.0)).tolist() == [1]


def test_le_nombre_de_lieux_est_borne(repertoire):
    assert chercher_lieux(repertoire, "rue", 2).size == 2


def test_un_repertoire_vide_ne_trouve_rien():
    vide = indexer([], [], np.empty(0, dtype=np.uint8), np.empty(0), np.empty(0))
    assert chercher_lieux(vide, "rue").size == 0


def test_repertoire_d_un_territoire(territoire):
    repertoire = construire_repertoire(territoire)
    genre = repertoire.genre
    communes = territoire.communes
    assert (genre == GENRES.index("commune")).sum() == len(communes)
    assert (genre == GENRES.index("lieu")).sum() == len(territoire.equipements)
    # Chaque commune se trouve par son nom, et son point est chez elle.
    for nom, contour in zip(communes["nom"], communes.geometry, strict=True):
        rang = int(chercher_lieux(repertoire, nom, 1)[0])
        assert repertoire.titres[rang] == nom
        point = shapely.Point(repertoire.x[rang], repertoire.y[rang])
        assert contour.buffer(1.0).contains(point)


def test_chaque_rue_est_sur_sa_rue_et_dans_sa_commune(territoire):
    repertoire = construire_repertoire(territoire)
    rues = np.flatnonzero(repertoire.genre == GENRES.index("rue"))
    reseau = territoire.reseau
    couples = {(repertoire.titres[r], repertoire.details[r]) for r in rues}
    assert {nom for nom, _ in couples} == set(reseau.noms)
    contours = dict(zip(territoire.communes["nom"], territoire.communes.geometry, strict=True))
    for rang in rues[:: max(1, rues.size // 25)]:
        point = shapely.Point(repertoire.x[rang], repertoire.y[rang])
        indice = reseau.noms.index(repertoire.titres[rang])
        lignes = reseau.lignes(np.flatnonzero(reseau.troncon_nom == indice))
        assert shapely.distance(lignes, point).min() < 1e-6
        commune = repertoire.details[rang].removeprefix("rue, ")
        if commune in contours:
            assert contours[commune].distance(point) < 1e-6
        else:
            assert commune == "hors du territoire"
            assert all(not c.contains(point) for c in contours.values())
    # Dans le découpage, une rue n'est proposée qu'une fois par commune.
    dedans = [r for r in rues if not repertoire.details[r].endswith("hors du territoire")]
    assert len(dedans) == len({(repertoire.titres[r], repertoire.details[r]) for r in dedans})


def test_un_territoire_sans_nom_de_rue():
    territoire = territoire_essai()
    assert territoire.reseau.noms == ()
    repertoire = construire_repertoire(territoire)
    assert (repertoire.genre != GENRES.index("rue")).all()
    assert len(repertoire) == len(territoire.communes) + len(territoire.equipements)

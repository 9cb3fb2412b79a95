"""Ressources des essais du téléchargement."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest

from donnees_geo.telechargement import Bilan
from tests.fabriques import donnees_en_ligne as en_ligne
from tests.fabriques.banc_telechargement import Banc, demander
from tests.fabriques.serveur_http import servir


@pytest.fixture(scope="session")
def banc(territoire_petit, tmp_path_factory) -> Iterator[Banc]:
    dossier = tmp_path_factory.mktemp("en_ligne")
    with servir() as serveur:
        en_ligne.publier(serveur, territoire_petit, dossier)
        catalogue = en_ligne.ecrire_catalogue_local(serveur, dossier / "sources.toml")
        vide = Bilan("", "", dossier, 0, 0.0, (), 0.0, None, ())
        pret = Banc(
            serveur, catalogue, dossier / "cache", dossier / "territoire", vide, territoire_petit
        )
        bilan = demander(pret, pret.sortie)
        yield replace(pret, bilan=bilan, demandes=tuple(serveur.chemins()))


@pytest.fixture
def copie(banc, tmp_path) -> Banc:
    """Territoire et cache à soi, et un serveur remis d'aplomb à la fin."""
    shutil.copytree(banc.sortie, tmp_path / "territoire")
    shutil.copytree(banc.cache, tmp_path / "cache")
    contenus, redirections = dict(banc.serveur.contenus), dict(banc.serveur.redirections)
    banc.serveur.requetes.clear()
    yield replace(banc, sortie=tmp_path / "territoire", cache=tmp_path / "cache")
    banc.serveur.contenus, banc.serveur.redirections = contenus, redirections
    banc.serveur.fautes.clear()

"""Ressources partagées par les essais."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from donnees_geo.demo import ecrire_demo

# Les tableaux de la ligne de commande se plient à la largeur du terminal : la même partout.
os.environ["COLUMNS"] = "110"


@pytest.fixture(scope="session")
def territoire_petit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dossier du territoire fictif en petite taille ; à ne pas modifier."""
    return ecrire_demo(tmp_path_factory.mktemp("demo") / "petit", taille="petite").parent

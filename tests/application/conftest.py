"""Territoire préparé partagé par les essais du visualiseur."""

from __future__ import annotations

from pathlib import Path

import pytest

from couches.vues import ajouter_vue
from donnees_geo.configuration import lire_manifeste
from donnees_geo.territoire import preparer_territoire


@pytest.fixture(scope="session")
def dossier_prepare(territoire_petit: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Petit territoire fictif préparé, avec deux vues enregistrées."""
    dossier = tmp_path_factory.mktemp("visualiseur") / "prepare"
    preparer_territoire(lire_manifeste(territoire_petit / "territoire.toml"), dossier)
    ajouter_vue(dossier, "Boulangeries", {})
    ajouter_vue(dossier, "Médecins <b>à pied</b>", {"mesure": "medecin", "par": "marche"})
    return dossier

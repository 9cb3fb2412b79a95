"""Charger un territoire préparé ne charge pas les bibliothèques qui ne servent qu'à le préparer."""

import subprocess
import sys
from pathlib import Path

RACINE = Path(__file__).parents[2]
LOURDES = ("openpyxl", "rasterio", "osmium", "osmnx", "folium", "streamlit", "matplotlib")


def modules_charges(instruction: str) -> set[str]:
    """Bibliothèques lourdes chargées par une instruction, dans un interprète neuf."""
    texte = f"import sys; {instruction}; print(*(m for m in {LOURDES} if m in sys.modules))"
    sortie = subprocess.run(
        [sys.executable, "-c", texte], cwd=RACINE, capture_output=True, text=True, check=True
    )
    return set(sortie.stdout.split())


def test_charger_et_calculer_sans_les_lecteurs_de_sources() -> None:
    calcul = (
        "from donnees_geo.territoire import charger_territoire; "
        "import accessibilite.etude, accessibilite.transport.recherche, scripts.cli"
    )
    assert modules_charges(calcul) == set()


def test_la_mesure_voit_les_lecteurs_quand_ils_sont_la() -> None:
    lus = modules_charges("import donnees_geo.territoire.sources")
    assert {"openpyxl", "rasterio", "osmium"} <= lus

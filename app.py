"""Visualiseur : le serveur et ses adresses. Lancé par ``demi-heure app``.

Les pages sont dans ``pages/`` ; ``pages/visualiseur.py`` est exécuté pour chaque session.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from streamlit.starlette import App

from pages._carte.rendu import routes
from pages._commun.ouverture import ouvrir_en_fond
from pages._commun.presentation import dire_imprevu
from pages._exports.routes import routes_exports


@asynccontextmanager
async def servir(_app: App) -> AsyncIterator[dict[str, Any]]:
    """Préparer le territoire pendant que le serveur attend sa première visite."""
    ouvrir_en_fond()
    yield {}


app = App(
    Path(__file__).resolve().parent / "pages" / "visualiseur.py",
    routes=[*routes(), *routes_exports()],
    lifespan=servir,
    on_script_error=dire_imprevu,
)

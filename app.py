"""Visualiseur : le serveur et ses adresses. Lancé par ``demi-heure app``.

Les pages sont dans ``pages/`` ; ``pages/visualiseur.py`` est exécuté pour chaque session.
"""

from pathlib import Path

from streamlit.starlette import App

from pages._carte.rendu import routes
from pages._commun.presentation import dire_imprevu

app = App(
    Path(__file__).resolve().parent / "pages" / "visualiseur.py",
    routes=routes(),
    on_script_error=dire_imprevu,
)

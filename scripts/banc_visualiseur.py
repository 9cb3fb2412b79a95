"""Mesurer le visualiseur dans un vrai navigateur : du clic au polygone visible.

Playwright et Chromium ne servent qu'ici et aux essais ; sans eux, le banc le dit.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from donnees_geo.erreurs import ErreurProjet
from scripts.verification import NAVIGATEURS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Frame, Page

RACINE: Final = Path(__file__).resolve().parent.parent
VARIABLE_DOSSIER: Final = "DEMI_HEURE_DOSSIER"
CADRE: Final = 'iframe[title*="folium"]'
#: Posé dans le cadre de la carte : note la durée de chaque clic, et la part du calcul.
ESPION: Final = """
() => {
  window.mesures = [];
  let depart = 0;
  window.map.on("click", () => { depart = performance.now(); });
  window.map.on("demiheure:isochrone", (evenement) => {
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const duree = performance.now() - depart;
      const entrees = performance.getEntriesByName(new URL(evenement.url, location).href);
      const calcul = entrees.length ? entrees[entrees.length - 1].serverTiming[0] : null;
      window.mesures.push([duree, calcul ? calcul.duration : NaN]);
    }));
  });
}
"""


@dataclass(frozen=True)
class MesureClics:
    """Durées mesurées dans le navigateur.

    Attributes
    ----------
    durees_ms
        Du clic au polygone affiché (deux rafraîchissements d'écran compris), par clic.
    calculs_ms
        Part du calcul en Python de chaque clic (en-tête ``Server-Timing``).
    """

    durees_ms: tuple[float, ...]
    calculs_ms: tuple[float, ...]

    @property
    def mediane_ms(self) -> float:
        """Médiane du clic au polygone."""
        return statistics.median(self.durees_ms)

    @property
    def calcul_median_ms(self) -> float:
        """Médiane de la part de Python."""
        return statistics.median(self.calculs_ms)


def chercher_navigateur() -> str | None:
    """Chemin d'un navigateur de la famille Chromium, ou ``None``."""
    return next((chemin for nom in NAVIGATEURS if (chemin := shutil.which(nom))), None)


@contextmanager
def servir(dossier: Path, environnement: dict[str, str] | None = None) -> Iterator[str]:
    """Visualiseur ouvert sur un territoire préparé ; rend son adresse, et s'arrête à la fin.

    Raises
    ------
    ErreurProjet
        Le serveur s'arrête tout de suite ; son journal est joint.
    """
    with tempfile.TemporaryFile() as journal:
        port = random.randrange(20_000, 32_000)  # sous la plage des ports éphémères
        processus = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=RACINE,
            env=os.environ | {VARIABLE_DOSSIER: str(dossier)} | (environnement or {}),
            stdout=journal,
            stderr=subprocess.STDOUT,
        )
        try:
            _attendre_annonce(processus, journal)
            yield f"http://127.0.0.1:{port}"
        finally:
            processus.send_signal(signal.SIGTERM)
            try:
                processus.wait(10)
            except subprocess.TimeoutExpired:
                processus.kill()
                processus.wait()


def _attendre_annonce(processus: subprocess.Popen[bytes], journal: Any) -> None:
    for _ in range(600):
        journal.seek(0)
        texte = journal.read().decode(errors="replace")
        if "URL:" in texte:
            return
        if processus.poll() is not None:
            raise ErreurProjet("Le visualiseur ne démarre pas.", trouve=texte[-2000:])
        time.sleep(0.1)
    raise ErreurProjet("Le visualiseur ne répond pas après une minute.")


@contextmanager
def naviguer() -> Iterator[Browser]:
    """Navigateur sans fenêtre.

    Raises
    ------
    ErreurProjet
        Playwright ou Chromium absent.
    """
    chemin = chercher_navigateur()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as absent:
        raise ErreurProjet(
            "Playwright n'est pas installé.", conseil="lancer python scripts/tester.py"
        ) from absent
    if chemin is None:
        raise ErreurProjet(
            "Aucun navigateur Chromium n'est installé.",
            conseil="installer le paquet chromium du système",
        )
    with sync_playwright() as playwright:
        navigateur = playwright.chromium.launch(
            executable_path=chemin,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        try:
            yield navigateur
        finally:
            navigateur.close()


def ouvrir_carte(page: Page, adresse: str) -> Frame:
    """Ouvrir une adresse et attendre que carreaux et repères soient affichés ; rend le cadre."""
    page.goto(adresse, timeout=120_000)
    cadre = page.frame_locator(CADRE)
    for panneau in ("carreaux", "reperes"):
        image = cadre.locator(f".leaflet-{panneau}-pane img.leaflet-image-layer")
        image.first.wait_for(timeout=120_000)
    trouve = page.query_selector(CADRE)
    contenu = trouve.content_frame() if trouve is not None else None
    if contenu is None:
        raise ErreurProjet("La carte n'est pas affichée.")
    return contenu


def mesurer_clics(dossier: Path, nombre: int = 20, mode: str = "marche") -> MesureClics:
    """Cliquer ``nombre`` fois à des endroits différents du territoire et mesurer chaque attente.

    Un premier clic, non compté, laisse au serveur le temps de construire ses graphes.

    Parameters
    ----------
    dossier
        Territoire préparé.
    nombre
        Clics mesurés.
    mode
        Mode de l'isochrone du clic.

    Raises
    ------
    ErreurProjet
        Navigateur absent, ou clic sans réponse.
    """
    # Le navigateur d'abord : sans lui, inutile de lancer le serveur.
    with naviguer() as navigateur, servir(dossier) as adresse:
        page = navigateur.new_page(viewport={"width": 1920, "height": 1080})
        carte = ouvrir_carte(page, f"{adresse}/?iso_mode={mode}")
        page.wait_for_timeout(8_000)
        carte.evaluate(ESPION)
        boite = page.locator(CADRE).bounding_box()
        if boite is None:
            raise ErreurProjet("La carte n'est pas affichée.")
        hasard = random.Random(1)
        mesures: list[list[float]] = []
        for _ in range(4 * nombre):
            x = boite["x"] + boite["width"] * hasard.uniform(0.36, 0.62)
            y = boite["y"] + boite["height"] * hasard.uniform(0.42, 0.6)
            page.mouse.click(x, y)
            # Le clic suivant n'arrive qu'une fois la page entière au repos.
            page.wait_for_timeout(2_000)
            mesures = carte.evaluate("window.mesures")
            if len(mesures) > nombre:
                break
    if len(mesures) <= nombre:
        raise ErreurProjet("Trop de clics sont restés sans réponse.", trouve=len(mesures))
    comptees = mesures[1:]
    return MesureClics(tuple(m[0] for m in comptees), tuple(m[1] for m in comptees))

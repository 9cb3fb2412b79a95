"""Composants de carte servis par le programme lui-même : aucune adresse extérieure.

``st_folium`` ne fournit pas Leaflet : sans réseau, la carte resterait blanche sans rien dire. Les
adresses de folium sont donc remplacées par celles du serveur ; Leaflet et la police sont installés
par ``scripts/actifs.py``.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import folium

from couches.ecran.etiquettes import Police

RESSOURCES: Final = Path(__file__).resolve().parents[1] / "ressources"
ACTIFS: Final = Path(__file__).resolve().parents[2] / "static"
#: Chemins sous lesquels l'application sert ces dossiers.
CHEMIN_ACTIFS: Final = "/actifs"
CHEMIN_RESSOURCES: Final = "/ressources"
_REPLI_JS: Final = "https://cdn.jsdelivr.net/npm/leaflet@1.9.4/dist/leaflet.js"
_REPLI_CSS: Final = "https://cdn.jsdelivr.net/npm/leaflet@1.9.4/dist/leaflet.css"
_GRAISSES: Final = (400, 600, 700)
_ADRESSE: Final = re.compile(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s\"'<>)]*", re.IGNORECASE)
#: Espaces de noms XML : des identifiants, jamais demandés au réseau.
_IDENTIFIANTS: Final = ("http://www.w3.org/",)


@dataclass(frozen=True)
class Actifs:
    """Scripts et feuilles de style de la carte.

    Attributes
    ----------
    scripts, styles
        Couples (nom, adresse), au format de folium.
    locaux
        Faux si Leaflet n'est pas installé : la carte dépend alors d'internet.
    """

    scripts: tuple[tuple[str, str], ...]
    styles: tuple[tuple[str, str], ...]
    locaux: bool


def lister_actifs(dossier: Path = ACTIFS) -> Actifs:
    """Adresses à charger, locales si Leaflet est installé dans ``dossier``."""
    locaux = (dossier / "leaflet" / "leaflet.js").is_file()
    js = f"{CHEMIN_ACTIFS}/leaflet/leaflet.js" if locaux else _REPLI_JS
    css = f"{CHEMIN_ACTIFS}/leaflet/leaflet.css" if locaux else _REPLI_CSS
    return Actifs(
        (
            ("leaflet", js),
            ("demi_heure_calques", adresse_ressource("calques.js")),
            ("demi_heure_recherche", adresse_ressource("recherche.js")),
            ("demi_heure", adresse_ressource("carte.js")),
        ),
        (
            ("leaflet_css", css),
            ("demi_heure_css", adresse_ressource("carte.css")),
            ("demi_heure_recherche_css", adresse_ressource("recherche.css")),
        ),
        locaux,
    )


@cache
def adresse_ressource(nom: str) -> str:
    """Adresse d'un fichier du programme ; elle change avec lui, pour que le cache suive."""
    empreinte = hashlib.sha256((RESSOURCES / nom).read_bytes()).hexdigest()[:10]
    return f"{CHEMIN_RESSOURCES}/{nom}?v={empreinte}"


def lister_police(dossier: Path = ACTIFS) -> Police:
    """Police des noms dessinés ; celle de Pillow si elle n'est pas installée."""
    fichiers = ((g, dossier / "public-sans" / f"public-sans-{g}.woff") for g in _GRAISSES)
    return Police(tuple((g, f) for g, f in fichiers if f.is_file()))


def lister_adresses_externes(carte: folium.Map) -> list[str]:
    """Adresses hors du serveur que la carte demanderait au navigateur (vide : hors ligne).

    Parcourt les scripts et styles de chaque élément, et le texte produit.
    """
    adresses: list[str] = []

    def visiter(element: folium.Element) -> None:
        for attribut in ("default_js", "default_css"):
            adresses.extend(adresse for _, adresse in getattr(element, attribut, []))
        for enfant in element._children.values():
            visiter(enfant)

    visiter(carte)
    trouvees = [a for a in adresses if _ADRESSE.match(a)]
    trouvees += _ADRESSE.findall(carte.get_root().render())
    return sorted({a for a in trouvees if not a.startswith(_IDENTIFIANTS)})

"""Carte folium du visualiseur : une base qui ne change jamais, et une consigne qui la met à jour.

Changer la base ferait recharger la carte ; tout ce qui varie (thème, lieux, isochrones, cadrage)
passe donc par la consigne, que ``ressources/carte.js`` applique à la carte déjà affichée.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import folium
from branca.element import MacroElement
from folium.template import Template

from couches.ecran.couches_web import CalqueMontre, decrire_calques
from couches.ecran.hors_ligne import Actifs, lister_actifs
from couches.ecran.mercator import Emprise
from couches.styles import Styles

ZOOM_MIN: Final = 8
ZOOM_MAX: Final = 18
#: Fonds en ligne, proposés seulement à qui les demande : (gabarit, mention, zoom maximal).
FONDS_EN_LIGNE: Final[dict[str, tuple[str, str, int]]] = {
    "ign": (
        "https://data.geopf.fr/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0"
        "&LAYER=GEOGRAPHICALGRIDSYSTEMS.PLANIGNV2&STYLE=normal&FORMAT=image/png"
        "&TILEMATRIXSET=PM&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}",
        "© IGN, Plan IGN",
        18,
    ),
    "osm": (
        "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
        "© les contributeurs d’OpenStreetMap",
        18,
    ),
}


@dataclass(frozen=True)
class Adresses:
    """Adresses des dessins d'un territoire, servis par l'application.

    Attributes
    ----------
    racine
        ``/rendu/<clé>`` ; la clé change avec le territoire et les styles.
    """

    racine: str

    def fond(self) -> str:
        """Gabarit des tuiles du fond."""
        return f"{self.racine}/fond/{{z}}/{{x}}/{{y}}.png"

    def reperes(
        self, *, noms: bool, limites: bool, echelle: float, zone: str = "territoire"
    ) -> str:
        """Image des repères, sans son emprise ; la ``zone`` est cernée et son dehors voilé."""
        return (
            f"{self.racine}/reperes.png?noms={noms:d}&limites={limites:d}&echelle={echelle:g}"
            f"&zone={quote(zone)}"
        )

    def carreaux(self, services: Sequence[str], mode: str, jour: str = "") -> str:
        """Image des carreaux, sans son emprise."""
        return (
            f"{self.racine}/carreaux.png?services={_liste(services)}&mode={quote(mode)}"
            f"&jour={quote(jour)}"
        )

    def valeur(self, services: Sequence[str], mode: str, jour: str = "") -> str:
        """Valeur du carreau survolé, sans son point."""
        return (
            f"{self.racine}/valeur.json?services={_liste(services)}&mode={quote(mode)}"
            f"&jour={quote(jour)}"
        )

    def lieux(self, services: Sequence[str]) -> str:
        """Lieux de service."""
        return f"{self.racine}/lieux.json?services={_liste(services)}"

    def isochrone(
        self, points: str, *, mode: str, minutes: Sequence[float], sens: str, jour: str = ""
    ) -> str:
        """Bandes isochrones ; ``points`` : « lon,lat;lon,lat », ou POINTS pour un gabarit."""
        texte = ",".join(f"{m:g}" for m in minutes)
        suite = f"&jour={quote(jour)}" if jour else ""
        return (
            f"{self.racine}/isochrone.json?points={points}&mode={mode}"
            f"&minutes={texte}&sens={sens}{suite}"
        )

    def recherche(self) -> str:
        """Recherche d'un lieu par son nom."""
        return f"{self.racine}/recherche.json"

    def vue(self, session: str) -> str:
        """Où la carte dit ce qu'elle montre."""
        return f"{self.racine}/vue/{quote(session)}"


def _liste(services: Sequence[str]) -> str:
    return ",".join(quote(s) for s in services)


def ecrire_points(points: Sequence[tuple[float, float]]) -> str:
    """Texte canonique de points en degrés, au mètre près : « 2.63512,50.52900;… »."""
    return ";".join(f"{lon:.5f},{lat:.5f}" for lon, lat in points)


class _Demarrage(MacroElement):
    """Prépare la carte (panneaux, échelle, écoute des clics)."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "DemiHeure.demarrer({{ this._parent.get_name() }}, {{ this.reglages }});"
        "{% endmacro %}"
    )

    def __init__(self, reglages: dict[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Demarrage"
        self.reglages = en_json(reglages)


class _Recherche(MacroElement):
    """Champ de recherche d'un lieu, posé sur la carte."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "DemiHeureRecherche.poser({{ this._parent.get_name() }}, {{ this.adresse }});"
        "{% endmacro %}"
    )

    def __init__(self, adresse: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Recherche"
        self.adresse = json.dumps(adresse)


class _Consigne(MacroElement):
    """État voulu de la carte."""

    _template = Template(
        "{% macro script(this, kwargs) %}DemiHeure.appliquer({{ this.consigne }});{% endmacro %}"
    )

    def __init__(self, consigne: dict[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Consigne"
        self.consigne = en_json(consigne)


def en_json(contenu: dict[str, Any]) -> str:
    """JSON sans aucun caractère que le HTML ou un gabarit pourrait interpréter."""
    texte = json.dumps(contenu, ensure_ascii=True, sort_keys=True)
    for signe in "<>&'":
        texte = texte.replace(signe, f"\\u{ord(signe):04x}")
    return texte


def construire_carte(
    titre: str,
    centre: tuple[float, float],
    styles: Styles,
    adresses: Adresses,
    *,
    session: str,
    projecteur: bool = False,
    actifs: Actifs | None = None,
) -> folium.Map:
    """Base de la carte : la même d'un bout à l'autre d'une session.

    Parameters
    ----------
    titre
        Nom de la carte pour les lecteurs d'écran.
    centre
        ``(lat, lon)`` du territoire, degrés.
    styles
        Couleurs des isochrones.
    adresses
        Adresses des dessins.
    session
        Jeton de la session, sous lequel la carte dit ce qu'elle montre.
    projecteur
        Textes et symboles agrandis.
    actifs
        Scripts et styles ; par défaut ceux qui sont installés.
    """
    actifs = actifs or lister_actifs()
    carte = folium.Map(
        location=centre,
        zoom_start=11,
        tiles=None,
        min_zoom=ZOOM_MIN,
        max_zoom=ZOOM_MAX,
        prefer_canvas=True,
        zoom_snap=0.25,
        zoom_delta=0.5,
        wheel_px_per_zoom_level=90,
    )
    carte.default_js = list(actifs.scripts)
    carte.default_css = list(actifs.styles)
    carte.add_child(
        _Demarrage(
            {
                "titre": titre,
                "projecteur": projecteur,
                "vue": adresses.vue(session),
                "zoom_min": ZOOM_MIN,
                "zoom_max": ZOOM_MAX,
                "couleurs_isochrones": list(styles.isochrones),
                "opacite_isochrone": styles.isochrones_opacite,
            }
        )
    )
    carte.add_child(_Recherche(adresses.recherche()))
    return carte


@dataclass(frozen=True)
class Cadrage:
    """Ce que la carte doit montrer, une fois.

    Attributes
    ----------
    numero
        Identifie la demande : la même n'est pas rejouée, et la main reste à l'utilisateur.
    bornes
        ``(ouest, sud, est, nord)`` en degrés, ou ``None``.
    centre, zoom
        ``(lat, lon)`` et niveau, si ``bornes`` est ``None``.
    """

    numero: str
    bornes: Emprise | None = None
    centre: tuple[float, float] | None = None
    zoom: float | None = None


@dataclass(frozen=True)
class IsochroneVoulue:
    """Un isochrone à montrer : son adresse, ses origines (lon, lat), sa teinte et son numéro."""

    url: str
    points: tuple[tuple[float, float], ...]
    rang: int
    numero: int


@dataclass(frozen=True)
class Pointage:
    """Ce que fait un clic sur la carte.

    Attributes
    ----------
    gabarit
        Adresse d'isochrone où POINTS est à remplacer.
    points
        Points déjà gardés (lon, lat).
    garder, fusion
        Ajouter aux points gardés au lieu de les remplacer ; un seul isochrone pour tous.
    points_max
        Nombre de points au-delà duquel un clic n'ajoute rien.
    """

    gabarit: str
    points: tuple[tuple[float, float], ...]
    garder: bool
    fusion: bool
    points_max: int


@dataclass(frozen=True)
class Consigne:
    """État voulu de la carte (voir ``ressources/carte.js``).

    Attributes
    ----------
    fond
        ``hors_ligne``, ou une clé de :data:`FONDS_EN_LIGNE`.
    fond_mention
        Mention de source du fond hors ligne.
    carreaux, carreaux_valeur, carreaux_visible, opacite
        Image des carreaux, valeurs au survol, visibilité et opacité.
    lieux, lieux_visibles
        Lieux de service.
    reperes
        Image des repères.
    isochrones
        Isochrones voulus.
    pointage
        Effet d'un clic, ``None`` pour n'en avoir aucun.
    cadrage
        Vue demandée.
    calques
        Couches thématiques montrées, du dessus vers le dessous.
    session, echelle
        Jeton de la session, et agrandissement des traits et des signes des calques.
    """

    fond: str
    fond_mention: str
    carreaux: str
    carreaux_valeur: str
    carreaux_visible: bool
    opacite: float
    lieux: str
    lieux_visibles: bool
    reperes: str
    isochrones: tuple[IsochroneVoulue, ...] = ()
    pointage: Pointage | None = None
    cadrage: Cadrage | None = None
    calques: tuple[CalqueMontre, ...] = ()
    session: str = ""
    echelle: float = 1.0


def construire_consigne(consigne: Consigne, adresses: Adresses) -> folium.FeatureGroup:
    """Groupe folium qui porte la consigne (à passer à ``feature_group_to_add``)."""
    contenu: dict[str, Any] = {
        "fond": _fond(consigne, adresses),
        "carreaux": {
            "gabarit": consigne.carreaux,
            "valeur": consigne.carreaux_valeur,
            "visible": consigne.carreaux_visible,
            "opacite": consigne.opacite,
        },
        "lieux": {"url": consigne.lieux, "visible": consigne.lieux_visibles},
        "reperes": {"gabarit": consigne.reperes, "visible": True},
        "isochrones": [
            {"url": i.url, "points": i.points, "rang": i.rang, "numero": i.numero}
            for i in consigne.isochrones
        ],
        "clic": None,
        "cadrage": None,
        "calques": decrire_calques(
            adresses.racine, consigne.calques, session=consigne.session, echelle=consigne.echelle
        ),
    }
    if consigne.pointage is not None:
        p = consigne.pointage
        contenu["clic"] = {
            "gabarit": p.gabarit,
            "points": p.points,
            "garder": p.garder,
            "fusion": p.fusion,
            "points_max": p.points_max,
        }
    if consigne.cadrage is not None:
        contenu["cadrage"] = _cadrage(consigne.cadrage)
    groupe = folium.FeatureGroup(name="consigne")
    groupe.add_child(_Consigne(contenu))
    return groupe


def _fond(consigne: Consigne, adresses: Adresses) -> dict[str, Any]:
    dessine = {
        "gabarit": adresses.fond(),
        "mention": consigne.fond_mention,
        "taille": 512,
        "zoom_max": ZOOM_MAX,
    }
    if consigne.fond not in FONDS_EN_LIGNE:
        return dessine
    gabarit, mention, zoom_max = FONDS_EN_LIGNE[consigne.fond]
    return {
        "gabarit": gabarit,
        "mention": mention,
        "taille": 256,
        "zoom_max": zoom_max,
        "secours": dessine,
    }


def _cadrage(cadrage: Cadrage) -> dict[str, Any]:
    if cadrage.bornes is None:
        return {"numero": cadrage.numero, "centre": cadrage.centre, "zoom": cadrage.zoom}
    ouest, sud, est, nord = cadrage.bornes
    return {"numero": cadrage.numero, "bornes": [[sud, ouest], [nord, est]]}

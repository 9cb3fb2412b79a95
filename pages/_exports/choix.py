"""Choix d'un export : pour qui, quel format, quelles zones, quelle carte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import streamlit as st

from couches.composition import Theme, nommer_service, poser_question
from couches.ecran.mercator import CRS_MERCATOR, resolution_m, vers_degres
from couches.formats_export import lire_format
from couches.papier.page import FormatPage
from pages._commun import gabarit
from pages._commun.etat import NOMS_PALIERS, etat_courant, theme_de
from pages._commun.partage import Partage
from pages._exports.demande import DemandeExport

#: Usages, et les formats qui y répondent.
USAGES: Final[dict[str, tuple[str, ...]]] = {
    "Les communes": ("atlas", "fiches"),
    "Une réunion": ("html", "png", "svg"),
    "Le SIG": ("qgis", "gpkg", "geojson", "tif"),
    "Le tableur": ("xlsx", "csv"),
}


@dataclass(frozen=True)
class Annonce:
    """Un format, en mots : titre, et ce qu'on y trouve."""

    titre: str
    contenu: str


ANNONCES: Final[dict[str, Annonce]] = {
    "atlas": Annonce(
        "Atlas (un seul PDF)",
        "Couverture, index paginé, une fiche par zone, méthode et sources. Une seule zone choisie "
        "donne sa fiche. Environ une minute pour cent communes.",
    ),
    "fiches": Annonce(
        "Fiches séparées (PDF)",
        "Un fichier par zone, à joindre à un courriel : cartes d’accès, carences, desserte, "
        "friches, inondation, commerces.",
    ),
    "html": Annonce(
        "Page autonome (HTML)",
        "Carte, couches, légende et tableaux dans un seul fichier, qui s’ouvre depuis une clé USB, "
        "sans réseau ni logiciel.",
    ),
    "png": Annonce(
        "Image de la carte (PNG)", "1 920 × 1 080 pixels, titre, légende, échelle et sources."
    ),
    "svg": Annonce(
        "Carte vectorielle (SVG)", "La même, agrandissable et modifiable (Inkscape, Illustrator)."
    ),
    "qgis": Annonce(
        "Projet QGIS",
        "GeoPackage et projet qui s’ouvre stylé, avec sa mise en page d’atlas.",
    ),
    "gpkg": Annonce(
        "GeoPackage",
        "Carreaux, communes, équipements, réseau, couches ; styles et métadonnées compris.",
    ),
    "geojson": Annonce("GeoJSON", "Un fichier par couche, en degrés WGS 84."),
    "tif": Annonce(
        "GeoTIFF des temps d’accès",
        "Temps en secondes par maille de 200 m, couleurs et aperçus compris.",
    ),
    "xlsx": Annonce(
        "Classeur (Excel, LibreOffice)",
        "Une feuille par thème, vrais nombres, titres figés, feuille « Lisez-moi ».",
    ),
    "csv": Annonce("CSV pour tableur français", "Une table par fichier : point-virgule, virgule."),
}
_ZONES: Final = {"commune": "Communes", "bassin_de_vie": "Bassins de vie"}
_PAPIERS: Final[tuple[FormatPage, ...]] = ("A4", "A3")
#: Taille de la carte en mode projecteur sur un écran de 1 920 × 1 080, pixels.
_CARTE_PROJETEE: Final = (1260, 780)


def choisir(partage: Partage) -> DemandeExport:
    """Montrer les choix ; rend la demande qu'ils composent."""
    usage = st.segmented_control(
        "Pour", list(USAGES), default="Les communes", required=True, key="export_usage"
    )
    formats = USAGES[usage or "Les communes"]
    format_export = st.radio(
        "Format",
        formats,
        format_func=lambda f: ANNONCES[f].titre,
        captions=[ANNONCES[f].contenu for f in formats],
        key=f"export_format_{usage}",
    )
    fiche = lire_format(format_export)
    zone_type, codes = _zones(partage, format_export) if fiche.par_zone else ("commune", ())
    theme = _theme(partage, format_export) if fiche.par_theme else None
    emprise = _emprise(partage) if format_export in ("png", "svg") and not codes else None
    papier: FormatPage = "A4"
    if format_export in ("atlas", "fiches"):
        papier = st.segmented_control(
            "Papier", _PAPIERS, default="A4", required=True, key="export_papier"
        )
    demande = DemandeExport(
        format_export,
        zone_type=zone_type,
        codes=codes,
        format_page=papier,
        service=theme.services[0].id if theme is not None and not theme.panier else None,
        palier=theme.palier if theme is not None and theme.panier else None,
        mode=theme.mode if theme is not None else DemandeExport(format_export).mode,
        emprise=emprise,
    )
    return demande.nettoyer()


def _zones(partage: Partage, format_export: str) -> tuple[str, tuple[str, ...]]:
    types = [t for t in _ZONES if t in partage.zonages]
    if not types:
        st.html(gabarit.message("Ce territoire n’a pas de découpage en communes.", genre="note"))
        return "commune", ()
    image = format_export in ("png", "svg")
    genre = st.segmented_control(
        "Zones",
        types,
        format_func=lambda t: _ZONES[t],
        default=types[0],
        required=True,
        key="export_zones",
    )
    zonage = partage.zonages[genre or types[0]]
    noms = dict(zip(zonage.codes, zonage.noms, strict=True))
    rangees = sorted(noms, key=lambda c: noms[c])
    if image:
        choix = ["", *rangees]
        code = st.selectbox(
            "Zone mise en avant",
            choix,
            format_func=lambda c: noms.get(c, "Aucune : tout le territoire"),
            key=f"export_code_{genre}",
        )
        return genre, (code,) if code else ()
    codes = st.multiselect(
        "Lesquelles",
        rangees,
        format_func=lambda c: noms[c],
        placeholder=f"Toutes ({len(noms)})",
        key=f"export_codes_{genre}",
    )
    return genre, tuple(codes)


def _theme(partage: Partage, format_export: str) -> Theme | None:
    """Thème de la carte principale : celui de la page Carte, ou celui du format (``None``)."""
    theme = theme_de(partage, etat_courant())
    quoi = (
        f"palier {NOMS_PALIERS[theme.palier]}"
        if theme.panier
        else nommer_service(theme.services[0])
    )
    defaut = "Tous les services" if format_export == "tif" else "Panier de proximité"
    libelles = {"carte": f"Celle de la page Carte : {quoi}", "defaut": defaut}
    choix = st.radio(
        "Carte principale" if format_export != "tif" else "Contenu",
        list(libelles),
        format_func=lambda c: libelles[c],
        index=1 if format_export in ("atlas", "fiches", "tif") else 0,
        key=f"export_theme_{format_export}",
    )
    if choix != "carte":
        return None
    st.caption(poser_question(partage.resultat, theme))
    return theme


def _emprise(partage: Partage) -> tuple[float, float, float, float] | None:
    vue = partage.vues.get(st.session_state["jeton"]) or st.session_state.get("vue_voulue")
    if vue is None:
        return None
    libelles = {"vue": "Ce que montre la page Carte", "territoire": "Tout le territoire"}
    choix = st.radio(
        "Cadrage", list(libelles), format_func=lambda c: libelles[c], key="export_cadrage"
    )
    return emprise_de_vue(vue) if choix == "vue" else None


def emprise_de_vue(vue: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """Emprise, en degrés, d'une vue (lat, lon, zoom) en mode projecteur."""
    lat, lon, zoom = vue
    pas = resolution_m(zoom)
    rayon = 6_378_137.0
    x = rayon * np.radians(lon)
    y = rayon * np.log(np.tan(np.pi / 4 + np.radians(lat) / 2))
    demi_l, demi_h = (pas * cote / 2 for cote in _CARTE_PROJETEE)
    lons, lats = vers_degres(
        np.array([x - demi_l, x + demi_l]), np.array([y - demi_h, y + demi_h]), CRS_MERCATOR
    )
    return float(lons[0]), float(lats[0]), float(lons[1]), float(lats[1])

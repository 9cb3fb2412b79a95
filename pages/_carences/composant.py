"""Carte des zones et classement liés, montrés d'un seul tenant (``zones.js``)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
import streamlit as st

from couches.ecran.carreaux_image import dessiner_carreaux
from couches.ecran.mercator import Emprise, projeter
from couches.textes import INSECABLE, nombre
from pages._carences.classement import Classement
from pages._commun.partage import Partage

#: Largeur du dessin, unités du SVG.
LARGEUR: Final = 1000.0
#: Un détail du contour plus petit ne se voit pas à cette échelle.
SIMPLIFICATION_M: Final = 60.0
_MARGE_PART: Final = 0.02
_LONGUEURS_ECHELLE_M: Final = (20_000.0, 10_000.0, 5_000.0, 2_000.0, 1_000.0, 500.0)
_DOSSIER: Final = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Dessin:
    """Zones d'un type, en unités du SVG (ordonnée vers le bas).

    Attributes
    ----------
    hauteur
        Hauteur du dessin, pour :data:`LARGEUR` de large.
    emprise
        Mètres Mercator couverts.
    contour
        Tracé du territoire.
    zones
        Code → tracé, abscisse et ordonnée du nom.
    echelle
        Longueur de la barre d'échelle, unités et mètres sur le terrain.
    """

    hauteur: float
    emprise: Emprise
    contour: str
    zones: dict[str, tuple[str, float, float]]
    echelle: tuple[float, float]


def dessiner_zones(partage: Partage, type_zone: str) -> Dessin:
    """Tracés des zones d'un type, gardés en mémoire."""
    return partage.objets.obtenir(("dessin", type_zone), lambda: _dessiner(partage, type_zone))


def _dessiner(partage: Partage, type_zone: str) -> Dessin:
    territoire = partage.territoire
    communes = territoire.communes
    colonne = "code_commune" if type_zone == "commune" else f"code_{type_zone}"
    zones = communes[communes[colonne].astype(str) != ""].dissolve(by=colonne)
    # Les limites restent jointives : la couverture est simplifiée d'un bloc.
    formes = shapely.coverage_simplify(zones.geometry.to_numpy(), SIMPLIFICATION_M)
    entourage = shapely.union_all(formes)
    toutes = gpd.GeoSeries([*formes, entourage], crs=zones.crs)
    projetees = shapely.transform(
        toutes.to_numpy(),
        lambda xy: np.column_stack(projeter(xy[:, 0], xy[:, 1], territoire.crs)),
    )
    ouest, sud, est, nord = projetees[-1].bounds
    marge = _MARGE_PART * max(est - ouest, nord - sud)
    emprise = (ouest - marge, sud - marge, est + marge, nord + marge)
    unite = LARGEUR / (emprise[2] - emprise[0])
    traces = {}
    for code, forme in zip(zones.index.astype(str), projetees[:-1], strict=True):
        x, y = _situer(shapely.get_coordinates(shapely.point_on_surface(forme)), emprise, unite)[0]
        traces[code] = (_tracer(forme, emprise, unite), float(x), float(y))
    largeur_m = float(np.ptp(shapely.get_coordinates(toutes.to_numpy()[-1])[:, 0]))
    unite_terrain = unite * (est - ouest) / largeur_m
    longueur = next(
        (m for m in _LONGUEURS_ECHELLE_M if m * unite_terrain < LARGEUR / 5),
        _LONGUEURS_ECHELLE_M[-1],
    )
    return Dessin(
        hauteur=round((emprise[3] - emprise[1]) * unite, 1),
        emprise=emprise,
        contour=_tracer(projetees[-1], emprise, unite),
        zones=traces,
        echelle=(round(longueur * unite_terrain, 1), longueur),
    )


def _situer(xy: np.ndarray, emprise: Emprise, unite: float) -> np.ndarray:
    return np.column_stack(((xy[:, 0] - emprise[0]) * unite, (emprise[3] - xy[:, 1]) * unite))


def _tracer(forme: shapely.Geometry, emprise: Emprise, unite: float) -> str:
    """Tracé SVG d'un polygone, simple ou multiple, au dixième d'unité."""
    anneaux = shapely.get_rings(shapely.get_parts(forme))
    morceaux = []
    for anneau in anneaux:
        sommets = _situer(shapely.get_coordinates(anneau)[:-1], emprise, unite).round(1)
        morceaux.append("M" + "L".join(f"{x:g} {y:g}" for x, y in sommets.tolist()) + "Z")
    return "".join(morceaux)


def montrer_zones(
    partage: Partage,
    classement: Classement,
    type_zone: str,
    choisie: str,
    *,
    cle: str,
    projecteur: bool,
    choisir: Callable[[str], None],
) -> None:
    """Afficher la carte et le classement ; un clic, ou Entrée sur une ligne, appelle ``choisir``.

    Parameters
    ----------
    cle
        Clé du composant dans la session.
    choisir
        Reçoit le code de la zone.
    """
    monter = st.components.v2.component(
        "demi_heure_zones",
        html='<div class="dh-zones"></div>',
        css=_lire("zones.css"),
        js=_lire("zones.js"),
    )

    def au_choix() -> None:
        code = st.session_state[cle].choix
        if code:
            choisir(str(code))

    monter(
        key=cle,
        data=decrire_zones(partage, classement, type_zone, choisie, projecteur=projecteur),
        on_choix_change=au_choix,
        width="stretch",
    )


def decrire_zones(
    partage: Partage, classement: Classement, type_zone: str, choisie: str, *, projecteur: bool
) -> dict[str, Any]:
    """Ce que le navigateur dessine : tracés, classes, noms et lignes du classement."""
    dessin = dessiner_zones(partage, type_zone)
    largeur_echelle, metres = dessin.echelle
    zones = []
    for rang, ligne in enumerate(classement.lignes):
        if ligne.code not in dessin.zones:
            continue
        trace, x, y = dessin.zones[ligne.code]
        zones.append(
            {
                "code": ligne.code,
                "nom": ligne.cellules[0],
                "d": trace,
                "x": x,
                "y": y,
                "classe": ligne.classe,
                "importance": -rang,
                "bulle": ligne.bulle,
            }
        )
    return {
        "vue": f"{type_zone}|{classement.titre}",
        "titre": classement.titre,
        "largeur": LARGEUR,
        "hauteur": dessin.hauteur,
        "contour": dessin.contour,
        "image": _image(partage, classement, dessin),
        "zones": zones,
        "choisie": choisie,
        "colonnes": [
            {
                "titre": c.titre,
                "nombre": c.nombre,
                "barre": c.barre,
                "facultative": c.facultative,
            }
            for c in classement.colonnes
        ],
        "lignes": [
            {"code": ligne.code, "cellules": list(ligne.cellules), "barre": ligne.barre}
            for ligne in classement.lignes
        ],
        "legende": [
            {"couleur": e.couleur, "texte": e.texte, "trame": e.trame} for e in classement.legende
        ],
        "legende_titre": classement.legende_titre,
        "couleur_barre": classement.couleur_barre,
        "echelle": {"largeur": largeur_echelle, "texte": _dire_longueur(metres)},
        "projecteur": projecteur,
    }


def _image(partage: Partage, classement: Classement, dessin: Dessin) -> str | None:
    """Carreaux du classement en image (adresse ``data:``), ou ``None``."""
    if classement.carreaux is None:
        return None
    carreaux = classement.carreaux
    octets = dessiner_carreaux(
        partage.grille,
        carreaux.classes,
        carreaux.appliquer(partage.styles),
        dessin.emprise,
        round(LARGEUR),
        round(dessin.hauteur),
    )
    return "data:image/png;base64," + base64.b64encode(octets).decode("ascii")


def _dire_longueur(metres: float) -> str:
    if metres >= 1000:
        return f"{nombre(metres / 1000)}{INSECABLE}km"
    return f"{nombre(metres)}{INSECABLE}m"


@cache
def _lire(nom: str) -> str:
    return (_DOSSIER / nom).read_text(encoding="utf-8")

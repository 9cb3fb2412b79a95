"""Adresses du serveur qui ne passent pas par Streamlit : images, lieux, isochrones, survol.

Elles ne relancent aucune page : la carte glisse et zoome sans recalcul.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

import numpy as np
import shapely
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from accessibilite.bilans.synthese import lire_proche
from couches.ecran.carreaux_image import dessiner_carreaux
from couches.ecran.fond import OptionsReperes, dessiner_fond, dessiner_reperes
from couches.ecran.hors_ligne import ACTIFS, CHEMIN_ACTIFS, CHEMIN_RESSOURCES, RESSOURCES
from couches.ecran.mercator import depuis_degres, emprise_tuile, vers_degres
from couches.textes import duree, pluriel
from donnees_geo.erreurs import ErreurConfiguration, ErreurProjet
from pages._carte.calques import decrire_sous, image_calque, lire_voulus
from pages._carte.calques_voulus import lire_calque
from pages._carte.demandes import (
    lire_emprise,
    lire_isochrone,
    lire_jour,
    lire_metres,
    lire_points,
    lire_services,
    lire_vue,
)
from pages._carte.mesures import mesurer
from pages._carte.recherche import decrire_lieux_trouves
from pages._commun.partage import Partage, partage_de_cle

TAILLE_TUILE: Final = 512
_DURABLE: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_PASSAGER: Final = {"Cache-Control": "private, max-age=600"}
Reponse = Callable[[Partage, Request], Response]


def _adresse(chemin: str, repondre: Reponse, methodes: tuple[str, ...] = ("GET",)) -> Route:
    """Route d'un territoire ouvert ; une demande fautive rend 400 et son explication."""

    def traiter(requete: Request) -> Response:
        partage = partage_de_cle(requete.path_params["cle"])
        if partage is None:
            return JSONResponse(
                {"message": "Ce territoire n'est plus ouvert : rechargez la page."}, 404
            )
        try:
            return repondre(partage, requete)
        except ErreurProjet as erreur:
            conseil = f" À faire : {erreur.conseil}." if erreur.conseil else ""
            return JSONResponse({"message": f"{erreur.message}{conseil}"}, 400)

    return Route(f"/rendu/{{cle}}{chemin}", traiter, methods=list(methodes))


def routes() -> list[BaseRoute]:
    """Toutes les adresses du visualiseur."""
    return [
        Mount(CHEMIN_RESSOURCES, StaticFiles(directory=RESSOURCES)),
        Mount(CHEMIN_ACTIFS, StaticFiles(directory=ACTIFS, check_dir=False)),
        _adresse("/fond/{z:int}/{x:int}/{y:int}.png", _fond),
        _adresse("/reperes.png", _reperes),
        _adresse("/carreaux.png", _carreaux),
        _adresse("/valeur.json", _valeur),
        _adresse("/lieux.json", _lieux),
        _adresse("/calque.png", _calque),
        _adresse("/objets.json", _objets),
        _adresse("/isochrone.json", _isochrone),
        _adresse("/recherche.json", _recherche),
        _adresse("/vue/{session}", _vue, ("POST",)),
    ]


def _png(image: bytes) -> Response:
    return Response(image, media_type="image/png", headers=_DURABLE)


def _fond(partage: Partage, requete: Request) -> Response:
    z, x, y = (int(requete.path_params[n]) for n in "zxy")
    if not (0 <= z <= 20 and 0 <= x < 2**z and 0 <= y < 2**z):
        raise ErreurConfiguration("Cette tuile n'existe pas.", objet=f"{z}/{x}/{y}")
    emprise = emprise_tuile(z, x, y)
    return _png(
        partage.images.obtenir(
            f"{partage.cle}/fond/{z}/{x}/{y}",
            lambda: dessiner_fond(partage.fond, partage.styles, emprise, TAILLE_TUILE),
        )
    )


def _reperes(partage: Partage, requete: Request) -> Response:
    valeurs = requete.query_params
    emprise, largeur, hauteur = lire_emprise(valeurs)
    fond = partage.fond_cerne(valeurs.get("zone", "territoire"))
    options = OptionsReperes(
        noms=valeurs.get("noms") == "1",
        limites=valeurs.get("limites") == "1",
        echelle=1.5 if valeurs.get("echelle") == "1.5" else 1.0,
    )
    return _png(
        partage.images.obtenir(
            f"{partage.cle}/{requete.url.query}",
            lambda: dessiner_reperes(
                fond, partage.styles, emprise, largeur, hauteur, partage.police, options
            ),
        )
    )


def _services(partage: Partage, texte: str) -> tuple[str, ...]:
    return lire_services(texte, [s.id for s in partage.territoire.services])


def _carreaux(partage: Partage, requete: Request) -> Response:
    valeurs = requete.query_params
    emprise, largeur, hauteur = lire_emprise(valeurs)
    classes = partage.classes(
        _services(partage, valeurs.get("services", "")),
        valeurs.get("mode", ""),
        lire_jour(valeurs.get("jour", "")),
    )
    return _png(
        partage.images.obtenir(
            f"{partage.cle}/{requete.url.query}",
            lambda: dessiner_carreaux(
                partage.grille, classes, partage.styles, emprise, largeur, hauteur
            ),
        )
    )


def _valeur(partage: Partage, requete: Request) -> Response:
    """Ce que dit le carreau sous le curseur, en lignes de texte."""
    valeurs = requete.query_params
    services = _services(partage, valeurs.get("services", ""))
    ((lon, lat),) = lire_points(f"{valeurs.get('lon')},{valeurs.get('lat')}")
    point = shapely.Point(depuis_degres(lon, lat, partage.territoire.crs))
    trouves = partage.territoire.carreaux.sindex.query(point, predicate="intersects")
    if trouves.size == 0:
        return JSONResponse({"lignes": []}, headers=_PASSAGER)
    rang = int(trouves[0])
    jour = lire_jour(valeurs.get("jour", ""))
    lignes = _decrire_carreau(partage, services, valeurs.get("mode", ""), jour, rang)
    return JSONResponse({"lignes": lignes}, headers=_PASSAGER)


def _decrire_carreau(
    partage: Partage, services: tuple[str, ...], mode: str, jour: str, rang: int
) -> list[str]:
    temps = float(partage.temps(services, mode, jour)[rang])
    carreau = partage.territoire.carreaux.iloc[rang]
    lignes = ["sans donnée" if np.isnan(temps) else duree(temps)]
    if len(services) == 1:
        proche = int(lire_proche(partage.etude(jour), services[0], mode)[rang])
        if proche >= 0:
            nom = str(partage.territoire.equipements["nom"].iloc[proche])
            lignes += [nom] if nom else []
    if partage.ponderation[1]:
        lignes.append(pluriel(round(float(carreau["population_hab"])), "habitant"))
    commune = partage.noms_communes.get(str(carreau["code_commune"]), "")
    return lignes + ([commune] if commune else [])


def _lieux(partage: Partage, requete: Request) -> Response:
    services = _services(partage, requete.query_params.get("services", ""))
    texte = partage.objets.obtenir(("lieux", services), lambda: _decrire_lieux(partage, services))
    return Response(texte, media_type="application/json", headers=_DURABLE)


def _decrire_lieux(partage: Partage, services: tuple[str, ...]) -> str:
    t = partage.territoire
    couleurs = {s.id: s.couleur for s in t.services}
    libelles = {s.id: s.libelle for s in t.services}
    table = t.equipements[t.equipements["service"].isin(services)]
    xy = shapely.get_coordinates(shapely.point_on_surface(table.geometry.to_numpy()))
    lon, lat = vers_degres(xy[:, 0], xy[:, 1], t.crs)
    lieux = [
        [round(a, 5), round(b, 5), couleurs[s], f"{nom} – {libelles[s]}" if nom else libelles[s]]
        for a, b, s, nom in zip(
            lon.tolist(),
            lat.tolist(),
            table["service"].astype(str),
            table["nom"].astype(str),
            strict=True,
        )
    ]
    return json.dumps({"lieux": lieux}, ensure_ascii=False)


def _calque(partage: Partage, requete: Request) -> Response:
    valeurs = requete.query_params
    voulu = lire_calque(valeurs.get("calque", ""))
    image = image_calque(
        partage,
        voulu,
        valeurs.get("session", ""),
        lire_emprise(valeurs),
        1.5 if valeurs.get("echelle") == "1.5" else 1.0,
    )
    # Un fichier déposé ne quitte pas sa session : aucun cache partagé ne doit le garder.
    entetes = _PASSAGER if voulu.depose else _DURABLE
    return Response(image, media_type="image/png", headers=entetes)


def _objets(partage: Partage, requete: Request) -> Response:
    """Objets des calques sous le curseur, en lignes de texte."""
    valeurs = requete.query_params
    (point,) = lire_points(f"{valeurs.get('lon')},{valeurs.get('lat')}")
    blocs = decrire_sous(
        partage,
        lire_voulus(valeurs.get("calques", "")),
        valeurs.get("session", ""),
        point,
        lire_metres(valeurs.get("rayon", "")),
    )
    return JSONResponse({"blocs": blocs}, headers=_PASSAGER)


def _isochrone(partage: Partage, requete: Request) -> Response:
    mesure = mesurer(partage, lire_isochrone(requete.query_params))
    # La part de Python se lit dans les outils du navigateur, et le banc d'essai la relève.
    entetes = _PASSAGER | {"Server-Timing": f"calcul;dur={1000 * mesure.duree_s:.1f}"}
    return Response(mesure.geojson, media_type="application/json", headers=entetes)


def _recherche(partage: Partage, requete: Request) -> Response:
    lieux = decrire_lieux_trouves(partage, requete.query_params)
    return JSONResponse({"lieux": lieux}, headers=_PASSAGER)


def _vue(partage: Partage, requete: Request) -> Response:
    vue = lire_vue(requete.query_params.get("vue", ""))
    if vue is not None:
        partage.noter_vue(requete.path_params["session"][:32], vue)
    return Response(status_code=204)

"""Téléchargement des archives : lues du disque par morceaux, jamais chargées en mémoire."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from pages._exports.atelier import Travail, atelier_du_serveur

_CHEMIN: Final = "/telechargement"


def adresse_de(travail: Travail) -> str:
    """Adresse de l'archive d'un export fait."""
    return f"{_CHEMIN}/{travail.jeton}/{quote(travail.nom)}"


def _telecharger(requete: Request) -> Response:
    archive = atelier_du_serveur().archive(requete.path_params["jeton"], requete.path_params["nom"])
    if archive is None:
        return PlainTextResponse(
            "Cet export n’est plus disponible : préparez-le de nouveau sur la page Exports.", 404
        )
    return FileResponse(archive, media_type="application/zip", filename=archive.name)


def routes_exports() -> list[BaseRoute]:
    """Adresses des archives."""
    return [Route(f"{_CHEMIN}/{{jeton}}/{{nom}}", _telecharger, methods=["GET"])]

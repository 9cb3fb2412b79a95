"""Recherche d'un lieu par son nom, pour la carte : rien ne sort de la machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from couches.ecran.mercator import depuis_degres, vers_degres
from donnees_geo.reperage import Repertoire, chercher_lieux, construire_repertoire
from pages._carte.demandes import lire_points
from pages._commun.partage import Partage

LONGUEUR_MAX: Final = 80
LIEUX_MONTRES: Final = 8


def repertoire_de(partage: Partage) -> Repertoire:
    """Répertoire du territoire, construit à la première recherche."""
    return partage.objets.obtenir(
        ("repertoire",), lambda: construire_repertoire(partage.territoire)
    )


def decrire_lieux_trouves(partage: Partage, valeurs: Mapping[str, str]) -> list[dict[str, Any]]:
    """Lieux trouvés, prêts pour le navigateur : ``titre``, ``detail``, ``lon``, ``lat``.

    Parameters
    ----------
    partage
        Territoire ouvert.
    valeurs
        ``q`` : texte cherché ; ``lon`` et ``lat``, facultatifs : centre de la carte, dont les lieux
        du même nom les plus proches passent d'abord.

    Raises
    ------
    ErreurConfiguration
        Centre qui n'est pas un point.
    """
    crs = partage.territoire.crs
    pres_de = None
    if "lon" in valeurs:
        ((lon, lat),) = lire_points(f"{valeurs['lon']},{valeurs.get('lat', '')}")
        pres_de = depuis_degres(lon, lat, crs)
    repertoire = repertoire_de(partage)
    texte = valeurs.get("q", "")[:LONGUEUR_MAX]
    rangs = chercher_lieux(repertoire, texte, LIEUX_MONTRES, pres_de)
    lons, lats = vers_degres(repertoire.x[rangs], repertoire.y[rangs], crs)
    return [
        {
            "titre": repertoire.titres[rang],
            "detail": repertoire.details[rang],
            "lon": round(lon, 5),
            "lat": round(lat, 5),
        }
        for rang, lon, lat in zip(rangs.tolist(), lons.tolist(), lats.tolist(), strict=True)
    ]

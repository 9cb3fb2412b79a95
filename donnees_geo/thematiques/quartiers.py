"""Quartiers prioritaires de la politique de la ville (QPV) donnés en couche par le manifeste."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import geopandas as gpd

from donnees_geo.erreurs import ErreurDonnees

if TYPE_CHECKING:
    from donnees_geo.territoire.modele import Territoire

#: Nom de la couche dans le manifeste : ``[couches] qpv = "…"``.
COUCHE_QUARTIERS: Final = "qpv"


def lire_quartiers(territoire: Territoire) -> gpd.GeoDataFrame | None:
    """Polygones des quartiers prioritaires, ``None`` si le manifeste n'en donne pas.

    Raises
    ------
    ErreurDonnees
        La couche n'est pas faite de polygones.
    """
    chemin = territoire.couches.get(COUCHE_QUARTIERS)
    if chemin is None:
        return None
    quartiers = gpd.read_parquet(chemin)
    types = set(quartiers.geometry.geom_type)
    if not types <= {"Polygon", "MultiPolygon"}:
        raise ErreurDonnees(
            "Les quartiers prioritaires doivent être des polygones.",
            objet=f"[couches] {COUCHE_QUARTIERS}",
            trouve=", ".join(sorted(types)),
            conseil="donner les contours des QPV publiés par l'ANCT, non leurs centres",
        )
    return quartiers

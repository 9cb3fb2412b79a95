"""OpenStreetMap : rues, équipements, bâtiments et fond de carte d'un extrait.

Les fonctions sont cherchées à la demande : lire les seules rues (:mod:`donnees_geo.osm.rues`)
n'importe ni geopandas ni pandas, qui pèsent plus que le réseau lui-même.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from donnees_geo.osm.extrait import ExtraitOsm, lire_osm
    from donnees_geo.osm.rues import lire_rues

__all__ = ["ExtraitOsm", "lire_osm", "lire_rues"]


def __getattr__(nom: str) -> Any:
    if nom == "lire_rues":
        from donnees_geo.osm.rues import lire_rues

        return lire_rues
    if nom in __all__:
        from donnees_geo.osm import extrait

        return getattr(extrait, nom)
    raise AttributeError(f"module {__name__!r} has no attribute {nom!r}")

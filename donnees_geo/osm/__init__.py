"""OpenStreetMap : rues, équipements, bâtiments et fond de carte d'un extrait."""

from donnees_geo.osm.extrait import ExtraitOsm, lire_osm

__all__ = ["ExtraitOsm", "lire_osm"]

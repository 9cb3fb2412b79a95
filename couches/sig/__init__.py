"""Échanges avec un SIG : GeoPackage, projet QGIS, GeoTIFF, GeoJSON."""

"""Lecture d'OpenStreetMap (rues, points d'intérêt, bâtiments)."""

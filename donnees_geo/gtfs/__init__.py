"""Lecture des offres de transport au format GTFS."""

"""Marche, vélo, voiture : graphes, rattachement, recherches, isochrones."""

"""Temps de parcours, isochrones, indicateurs et carences : tableaux, graphes et horaires."""

"""Vues des pages Friches et risques, et Commerces : une par question, sur la même disposition."""

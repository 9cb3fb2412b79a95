"""Papier : fiches, atlas, cartes et images pour l'impression."""

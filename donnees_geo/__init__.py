"""Lecture, vérification et harmonisation des données ouvertes (fichiers et sources)."""

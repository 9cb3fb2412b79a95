"""Fabriques de données d'essai, communes à plusieurs fichiers de tests."""

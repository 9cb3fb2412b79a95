"""Ouvrir et lire des fichiers tels que publiés : archives, tables, flux, couches vectorielles."""

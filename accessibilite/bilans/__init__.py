"""Bilans par zone : indicateurs, niveaux, choix, carences, indice, suivi."""

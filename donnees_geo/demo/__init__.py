"""Territoire de démonstration fictif, écrit dans les formats réels."""

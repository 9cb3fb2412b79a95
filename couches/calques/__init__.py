"""Calques : couches thématiques posées sur la carte, classées et légendées."""

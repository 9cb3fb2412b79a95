"""Croisements de l'accès avec les friches, les zones inondables et les commerces."""

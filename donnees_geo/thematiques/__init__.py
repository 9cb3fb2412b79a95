"""Couches thématiques : friches, inondation, commerces, marchés, planification, couches libres."""

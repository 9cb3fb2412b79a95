"""Analyses tirées d'un diagnostic : âges, soins, équité, comparaison et contrôle des modes."""

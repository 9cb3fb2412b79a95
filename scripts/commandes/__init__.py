"""Commandes de ``demi-heure`` : une par sujet, chacune ne fait que lire, appeler et écrire."""

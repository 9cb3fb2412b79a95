"""Lanceurs, ligne de commande et banc de mesure."""

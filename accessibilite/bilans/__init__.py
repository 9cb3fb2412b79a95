"""Bilans : qui atteint quoi, qui n'y arrive pas, où est le plus proche, et ce qui a changé.

Tout se déduit des temps d'accès d'un diagnostic, par le plus rapide des modes admis, pour toute la
population : agrégation par zone, indicateurs, niveaux gradués, choix offert, manques et carences,
indice de la demi-heure, suivi entre deux dates. Ne dépend pas d':mod:`accessibilite.analyses`.
"""

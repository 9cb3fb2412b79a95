"""Analyses : les mêmes accès, vus pour un public, un revenu, une offre partagée ou un autre mode.

Âges et vitesses de marche, enfants et école, niveau de vie et quartiers, concurrence pour les
soins, transport collectif face à la voiture, contrôle par les temps de l'INSEE.
:func:`accessibilite.analyses.ensemble.calculer_analyses` les réunit avec les bilans par zone.
"""

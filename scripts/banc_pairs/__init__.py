"""Mesures du banc d'essai qui tournent dans leur propre processus, ou chez les pairs."""

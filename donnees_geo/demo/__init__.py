"""Territoire fictif à l'échelle réelle, écrit dans les formats des données publiques."""

from __future__ import annotations

from donnees_geo.demo.generation import ecrire_demo

__all__ = ["ecrire_demo"]

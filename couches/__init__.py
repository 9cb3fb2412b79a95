"""Composition des couches cartographiques et exports."""

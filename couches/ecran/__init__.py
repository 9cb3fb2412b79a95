"""Écran : carte folium, fond, images de carreaux, composants servis hors ligne."""

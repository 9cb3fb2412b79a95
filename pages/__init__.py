"""Pages du visualiseur."""

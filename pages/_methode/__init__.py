"""Page Méthode : contenus."""

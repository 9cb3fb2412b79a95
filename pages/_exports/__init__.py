"""Page Exports : ce qui se prépare, la file des exports, leur processus."""

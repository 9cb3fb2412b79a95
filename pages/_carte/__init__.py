"""Page Carte : réglages, vue, chiffres et demandes du navigateur."""

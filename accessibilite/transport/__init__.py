"""Transport collectif : horaires, balayages, liaisons à pied, desserte."""

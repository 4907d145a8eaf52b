"""How each language writes days and times."""

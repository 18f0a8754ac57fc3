"""From stored predictions to the numbers of a board."""

"""Written mathematics: formulas as they stand on a board, with indices, orientation and time."""

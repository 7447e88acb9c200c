"""How a turn is answered."""

"""Homeroom as a contestant: a queue of the bench's own, on the engine as it is."""

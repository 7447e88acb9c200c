"""`homeroom chat`: a client of the public API like any other; it imports nothing of the server's."""

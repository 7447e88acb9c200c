"""From the bytes of a request to files in storage and a checked form; a file is never in memory as a whole."""

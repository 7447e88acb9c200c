"""Documents to lines of text in reading order. Runs in the parser's child process only."""

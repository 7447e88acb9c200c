"""Tables out of spreadsheets, text files, pdfs and pictures. Runs in the parser's child process only."""

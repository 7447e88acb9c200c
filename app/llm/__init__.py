"""Language models behind one port: an OpenAI-compatible server, or quotations from the class's own material."""

"""Where files are kept: a folder of this machine, or S3. One port, two implementations; no HTTP, no database."""

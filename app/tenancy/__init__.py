"""Who may ask, and on whose behalf."""

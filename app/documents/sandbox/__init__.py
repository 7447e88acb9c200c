"""A fresh process for each parse: limits, no secrets, killed with all that it started."""

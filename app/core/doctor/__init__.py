"""`homeroom doctor`: looks at everything that a deployment stands on, and says the cure of what is not well."""

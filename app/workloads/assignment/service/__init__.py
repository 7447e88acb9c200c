"""From a document to a draft, and from a draft to an assignment."""

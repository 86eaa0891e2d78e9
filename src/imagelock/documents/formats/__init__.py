"""The formats of documents: which files they have, and where their references are."""

"""Finds image references in files of a project, and edits them; all other bytes stay."""

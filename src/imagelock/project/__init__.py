"""The folder on disk: its two files, its tree, its git."""

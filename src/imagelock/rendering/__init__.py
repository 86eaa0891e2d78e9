"""Puts locked digests into the files that images.toml names."""

"""images.toml: read strictly, edited gently, begun from the files that are there. Pure: texts and values."""

"""Writing images.toml for people, so that they would have written it like that themselves. Pure: texts and values."""

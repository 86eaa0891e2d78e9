"""The nouns: digest, platform, reference, selector, OCI document, tag range. Pure values and how they are read."""

"""Which tag of a repository is meant: exact tags, and version ranges over tags. Pure; import from the modules."""

"""Which tag of a repository somebody means: exact tags, and version ranges over tags. Pure; import from the modules."""

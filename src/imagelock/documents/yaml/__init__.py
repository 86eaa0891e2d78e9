"""YAML files, read as nodes that know their bytes; nothing is ever constructed, merged or written back."""

"""Find image references in the files that people have, and edit them without touching another byte."""

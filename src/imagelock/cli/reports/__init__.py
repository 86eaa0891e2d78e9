"""How results are told: to people, to scripts, to CI systems."""

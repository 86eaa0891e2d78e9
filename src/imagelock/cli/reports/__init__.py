"""How results are reported: to people, to scripts, to CI systems."""

"""Random histories of a project: a registry that changes, edits, commands, branches and merges, and what must hold.

Everything is real but the registry's content: the commands, HTTP on loopback, an OCI layout on disk, git.
`tests/property/test_histories.py` runs a few histories; `python -m tests.property.test_histories 2000` runs many.
"""

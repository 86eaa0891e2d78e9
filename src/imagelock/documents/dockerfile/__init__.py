"""Dockerfiles, read as BuildKit reads them; ``scan`` puts the parts together.

https://docs.docker.com/reference/dockerfile/ is the language's manual. What it leaves open was measured on BuildKit.
"""

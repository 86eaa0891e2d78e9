"""The one way in which reading a Dockerfile fails."""

from __future__ import annotations


class DockerfileError(Exception):
    """BuildKit refuses the whole file; caught in ``scan``, which reports it as the file's problem."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset
        self.reason = reason

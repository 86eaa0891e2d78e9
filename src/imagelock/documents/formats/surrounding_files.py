"""What a format may ask about the files around a document; it has a module of its own since every such format asks."""

from __future__ import annotations

from typing import Protocol


class Files(Protocol):
    """The files of a project, by paths relative to its folder, with slashes."""

    def read(self, path: str) -> bytes | None:
        """Read a file; ``None`` if there is none, or it is outside of the folder."""
        ...

    def names(self, folder: str) -> tuple[str, ...]:
        """List the names of the files in a folder."""
        ...

    def paths(self) -> tuple[str, ...]:
        """List the paths of all files that belong to the project, sorted."""
        ...


class NoFiles:
    """No files, around a document that is read on its own."""

    def read(self, path: str) -> None:
        """There is none."""

    def names(self, folder: str) -> tuple[str, ...]:  # noqa: ARG002  the protocol names it
        """Give the names of none."""
        return ()

    def paths(self) -> tuple[str, ...]:
        """Give the paths of none."""
        return ()

"""What a format is: one row of the table that says which files it has, and where their references are."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from imagelock.documents.formats.place_rules import Rule
from imagelock.documents.references import Found
from imagelock.documents.syntax.nodes import Node
from imagelock.documents.syntax.reader import Syntax
from imagelock.model.frozen import frozen

Finder = Callable[[Node], Iterable[Found]]


@frozen(kw_only=True)
class Format:
    """One row."""

    name: str
    """Its name in ``[kinds]``."""
    title: str
    """Its name in messages: ``the compose file names no image``."""
    syntax: Syntax
    files: tuple[str, ...] = ()
    """Patterns for paths below the folder of images.toml; those without a slash are for names, in any folder."""
    content: str = ""
    """How a file of another name is recognized, in words; ``kinds`` has the functions."""
    images: tuple[Rule, ...] = ()
    """The places of references; where two of them meet, the first counts."""
    find: Finder | None = None
    """Finds the references of a document whose places depend on each other."""
    places: tuple[str, ...] = ()
    """A description of the references that ``find`` finds."""
    never: tuple[str, ...] = ()
    """Places of outputs, aliases and schemas; nothing is found there or below."""
    excluded: tuple[str, ...] = ()
    """Places that the rules of a project exclude from all that is found."""
    replaced: frozenset[str] = frozenset()
    """Image names that another file replaces by an image of its own."""
    gives_every_key_meaning: bool = False
    """Whether no key is there only to hold a value for aliases, as keys of Helm values may be."""
    reads: Callable[[Node], bool] | None = None
    """Whether a document of the file counts; without it, each does."""

    @property
    def is_tree(self) -> bool:
        """Whether paths lead anywhere in it."""
        return self.syntax is not Syntax.DOCKERFILE

"""What ``check`` has found: each thing that is not as locked, what was looked at, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from imagelock.cli.text import count
from imagelock.model.frozen import frozen

if TYPE_CHECKING:
    # The readers of documents take 30 ms, which only [pin] needs.
    from imagelock.cli.reports.search_notes import Unread
    from imagelock.documents.pin_plan import Finding


# Commands that fix things, and the rules that are not those of a mismatch or of a finding in a document.
RENDER = "imagelock render"
RETAG = "imagelock render --retag"
SCAN = "imagelock scan --write"
LOCK = "imagelock lock"

NOT_COMPARED = "not-compared"
NOT_RENDERED = "not-rendered"
FREEZE_EXPIRED = "freeze-expired"
PIN_PATTERN = "pin-pattern"
UNUSED_PATH = "unused-path"
NESTED_PROJECT = "nested-project"
UNREAD_FILE = "unread-file"
UNREAD_PLACE = "unread-place"


@frozen(kw_only=True)
class Wrong:
    """One thing that is not as locked."""

    name: str
    """An image, or a file."""
    reason: str
    path: Path
    """The file that it is in."""
    rule: str = ""
    """The identifier of the rule that it breaks, where no finding says so."""
    command: str | None = None
    """The command that fixes it, if one does."""
    more: tuple[str, ...] = ()
    """The commands that have to follow that one."""
    way_out: str | None = None
    """What the user can do, if no command fixes it."""
    finding: Finding | None = None
    """Where in that file, if something was found there."""
    key: tuple[str, ...] = ()
    """The key in images.toml or images.lock that it is about, if it has no finding."""
    entry: str = ""
    """The string in the array at that key."""
    line: int | None = None
    """From 1, if it has no finding."""
    column: int | None = None
    """From 1, in characters, if it has no finding."""

    @property
    def kind(self) -> str:
        """The identifier of the rule that it breaks: a key of ``RULES``."""
        return str(self.finding.kind) if self.finding else self.rule

    @property
    def is_about_image(self) -> bool:
        """Whether it is about an image in images.toml or images.lock, not about a place in a file."""
        return self.key[:1] == ("images",)

    @property
    def position(self) -> tuple[int | None, int | None]:
        """Line and column, as far as they are known."""
        if self.finding is None:
            return self.line, self.column
        return self.finding.position.line, self.finding.position.column

    @property
    def reference(self) -> str:
        """The reference that it is about, or nothing."""
        return self.finding.text if self.finding else ""


@frozen
class Report:
    """What a check has found so far, and how much it has looked at."""

    wrong: list[Wrong] = field(default_factory=list)
    listed: list[Wrong] = field(default_factory=list)
    """What ``--all`` lists, and only ``--strict`` fails for."""
    notes: list[str] = field(default_factory=list)
    external: list[tuple[str, str]] = field(default_factory=list)
    """The references that ``external.names`` covers, as written and as expanded."""
    unread: list[Unread] = field(default_factory=list)
    """What ``--all`` could not read and may have images."""
    counts: list[str] = field(default_factory=list)
    carried: set[str] = field(default_factory=set)
    """The images, by name, that some file of ``[render]``, ``[pin]`` or ``[export]`` has."""
    uncarried: list[str] = field(default_factory=list)
    """The locked images that none has, where everything else is right."""

    def count(self, things: str, state: str) -> None:
        """Add a count of what was checked, such as ``2 files`` and ``rendered``."""
        self.counts.append(f"{things} {state}")

    def add(self, wrong: Iterable[Wrong]) -> None:
        """Add what was found."""
        self.wrong.extend(wrong)


def state(report: Report) -> str:
    """Return the state of what is not wrong: all of it is up to date only if all could be pinned and read."""
    unpinned = sum(1 for each in report.listed if each.reference)
    unread = len(report.listed) - unpinned + sum(len(each.places) for each in report.unread)
    files = sum(len(each.files) for each in report.unread)
    parts = ((unpinned, "reference", "not pinned"), (unread, "place", "not read"), (files, "file", "not read"))
    exceptions = [f"{count(number, noun)} {what}" for number, noun, what in parts if number]
    return ", ".join(["up to date", *exceptions]) if exceptions else "all up to date"

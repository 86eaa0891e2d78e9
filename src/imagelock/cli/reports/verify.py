"""How verification is reported: a table of what is not as locked, or all of it for scripts, pull requests and CI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from imagelock.cli.console import Console
from imagelock.cli.layout import columns
from imagelock.cli.text import NO_IMAGE, count, markdown_table, table_width
from imagelock.locking.lockfile import LockedImage
from imagelock.locking.verify import FAILURES, Finding, LostIndexError, State, Verification

_HEADER = ("image", "part", "locked", "state")


def print_verifications(console: Console, verifications: Sequence[Verification]) -> None:
    """Print the parts that are not served as locked, and count the images; with ``-v``, print all parts."""
    rows = list(_rows(verifications, all_parts=bool(console.verbosity)))
    if rows:
        header, *lines = columns([_HEADER, *rows], width=table_width())
        console.styled_data(click.style(header, bold=True))
        for line in lines:
            console.styled_data(line)
    console.say(summary(verifications))


def summary(verifications: Sequence[Verification]) -> str:
    """Count the images and what was found out about them."""
    if not verifications:
        return NO_IMAGE
    findings = [finding for verification in verifications for finding in verification.findings]
    served = sum(all(finding.state not in _NOT_SERVED for finding in it.findings) for it in verifications)
    moved = sum(finding.state in (State.TAG_MOVED, State.TAG_DELETED) for finding in findings)
    text = f"{served} of {count(len(verifications))} served as locked"
    return f"{text}, {count(moved, 'tag')} moved or deleted" if moved else text


def verification_table(verifications: Sequence[Verification]) -> list[str]:
    """Write what is not served as locked as a Markdown table, under one line that counts the images."""
    rows = list(_rows(verifications, all_parts=False))
    return [f"{summary(verifications)}.", *(["", *markdown_table([_HEADER, *rows])] if rows else [])]


def verification_document(verification: Verification) -> dict[str, Any]:
    """Describe one image for scripts, with whole digests."""
    locked = verification.locked
    return {
        "name": locked.alias,
        "repository": str(locked.repository),
        "tag": locked.tag,
        "digest": str(locked.digest),
        "ok": all(finding.state not in _NOT_SERVED for finding in verification.findings),
        "parts": [_finding_document(finding) for finding in verification.findings],
    }


def _describe(finding: Finding) -> str:
    """Return the state of one part in words."""
    match finding.state:
        case State.TAG_MOVED if finding.now is not None:
            return f"moved to {finding.now.short}"
        case State.NOT_IN_INDEX:
            return "not in the locked index for this platform"
        case State.GONE if isinstance(finding.error, LostIndexError):
            return "gone: an index in it can't be read"
        case State.WRONG_CONTENT if finding.error is not None:
            return f"wrong content: {finding.error.message}"
        case State.NOT_LOCKED:
            return "in the locked index, and not locked"
        case State.OTHER_LABELS:
            return "not those of the locked index (`imagelock update --index` reads them)"
        case State.NOT_ASKED:
            return "not asked: it may not be distributed freely"
        case _:
            return finding.state.replace("-", " ")


def failure_sentence(locked: LockedImage, finding: Finding) -> str:
    """Return the sentence for a locked image that cannot be pulled, with the whole digest."""
    if finding.state is State.DAMAGED:
        return "the entry is damaged: its checksum is not that of its digests"
    what = f"{_name_part(finding, locked.tag)} {finding.digest}"
    match finding.state:
        case State.NOT_IN_INDEX:
            return f"{what} is not what the index {locked.digest.short} lists for it"
        case State.NOT_LOCKED:
            return f"{what} is in the index {locked.digest.short}, every platform is wanted, and it is not locked"
        case State.WRONG_CONTENT:
            return f"{what}: {finding.error.message if finding.error else 'wrong content'}"
        case State.GONE if isinstance(finding.error, LostIndexError):
            return f"{what} cannot be pulled: {finding.error.message}"
        case _:
            return f"{what} is gone: {locked.repository} no longer serves it"


def _name_part(finding: Finding, tag: str | None) -> str:
    """Return the name of one part of an image, such as ``index`` or ``linux/amd64``."""
    match finding.part:
        case "platform":
            return str(finding.platform)
        case "tag":
            return f"tag {tag}"
        case "index" | "entry" | "labels":
            return finding.part
        case _:
            return f"{finding.part} of {finding.platform}"


_NOT_SERVED = FAILURES | {State.UNKNOWN}


def _rows(verifications: Iterable[Verification], *, all_parts: bool) -> Iterator[tuple[str, ...]]:
    for verification in verifications:
        for finding in verification.findings:
            if all_parts or finding.state is not State.SERVED:
                locked = verification.locked
                yield locked.alias, _name_part(finding, locked.tag), finding.digest.short, _describe(finding)


def _finding_document(finding: Finding) -> dict[str, Any]:
    return {
        "part": finding.part,
        "platform": finding.platform and str(finding.platform),
        "digest": str(finding.digest),
        "state": finding.state,
        "now": finding.now and str(finding.now),
        "error": finding.error and finding.error.message,
    }

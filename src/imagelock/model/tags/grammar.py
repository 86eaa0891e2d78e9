"""What a version looks like inside a tag: the one grammar that patterns and specifiers share.

Narrower than PEP 440 on purpose. ``-1``, ``-r1``, epochs and local versions are builds, variants or dates in tags: of
the 835 official tags that `packaging` reads whole, it takes 22 for versions that they are not.
"""

from __future__ import annotations

import re

# These are text, and compiled by `re` when they are first used, because runs without ranges use none of them.
NUMBERS = r"[0-9]+(?:\.[0-9]+)*"
SUFFIX = r"[-_.]?(?i:alpha|beta|preview|pre|dev|post|rc|a|b|c)(?:[-_.]?[0-9]+)?"

_HOUR = "(?:[01][0-9]|2[0-3])"
_SIXTY = "[0-5][0-9]"
_TIME = rf"[-.T]?(?P<hour>{_HOUR})[-.]?(?P<minute>{_SIXTY})(?:[-.]?(?P<second>{_SIXTY}))?Z?"
_DAY = "(?P<day>0[1-9]|[12][0-9]|3[01])"
DATE = rf"(?P<year>[12][0-9]{{3}})[-.]?(?P<month>0[1-9]|1[0-2])(?:[-.]?{_DAY}(?:{_TIME})?)?"
"""From ``2024-06`` to ``2024-06-13T22-53-53Z``, and the same without the signs."""

_DATE_PARTS = ("year", "month", "day", "hour", "minute", "second")
_SERIAL_DIGITS = 6
_COMMIT = r"(?=[0-9]*[a-f])[0-9a-f]{7,40}"


def is_serial(numbers: str) -> bool:
    """Whether the first number counts days or builds: six digits or more, as in ``20240606`` and ``1234567``."""
    return len(numbers.partition(".")[0]) >= _SERIAL_DIGITS


def is_prerelease_suffix(suffix: str) -> bool:
    """Whether the word after the numbers makes a version older than them; ``post`` makes it newer."""
    return bool(suffix) and not suffix.lstrip("-_.").lower().startswith("post")


def is_commit(text: str) -> bool:
    """Whether a version is really a git commit: ``1a23456`` reads as 1, alpha 23456."""
    return re.fullmatch(_COMMIT, text, re.ASCII) is not None


def next_breaking_release(numbers: str) -> str:
    """Name the first release that may break what works with this one: ``3.12.4`` gives 4, ``0.4.2`` gives 0.5."""
    first, *others = numbers.split(".")
    if int(first) > 0 or not others:
        return str(int(first) + 1)
    return f"0.{int(others[0]) + 1}"


def leading_numbers(version: str) -> str:
    """Drop the ``v`` and all that follows the numbers: ``3.13.0`` of ``v3.13.0b2``."""
    match = re.match(rf"v?({NUMBERS})", version, re.ASCII)
    return match[1] if match else ""


def date_version(date: re.Match[str]) -> str:
    """Write a match of ``DATE`` as a version: 2024.6.13 for ``20240613``, and on to the second if it goes that far."""
    return ".".join(str(int(date[part])) for part in _DATE_PARTS if date[part])

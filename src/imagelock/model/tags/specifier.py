"""Version specifiers: PEP 440's clauses, as far as tags can answer them.

No epoch, no ``===`` and no letters in a local version: a tag has none of them. What is accepted here, every release of
`packaging` that we admit accepts and reads alike; it is read without `packaging`, because that import takes 16 ms.
https://packaging.python.org/specifications/version-specifiers/
"""

from __future__ import annotations

import re

from imagelock.errors import InvalidSelectorError
from imagelock.model.frozen import frozen
from imagelock.model.tags.grammar import NUMBERS, SUFFIX, is_prerelease_suffix, is_serial

ANY_VERSION = "*"

_MAX_LENGTH = 256
_VERSION = rf"v?(?P<numbers>{NUMBERS})(?:(?P<suffix>{SUFFIX})?(?:\+(?P<build>{NUMBERS}))?|(?P<wildcard>\.\*))"
_CLAUSE = rf"(?P<operator>~=|==|!=|<=|>=|<|>)\s*(?P<version>{_VERSION})"
_UPPER_BOUNDS = frozenset({"<", "<=", "==", "~="})
_EQUALITIES = frozenset({"==", "!="})


@frozen
class Clause:
    """One condition of a specifier: an operator, and a version as it was written."""

    operator: str
    version: str

    @classmethod
    def parse(cls, text: str) -> Clause:
        """Read a condition such as ``>=3.12``; ``InvalidSelectorError`` says what to write instead."""
        match = re.fullmatch(_CLAUSE, text, re.ASCII)
        if match is None or not _is_in_pep_440(match):
            from imagelock.model.tags.specifier_advice import invalid_clause  # noqa: PLC0415  only a mistake needs it

            raise invalid_clause(text)
        return cls(match["operator"], match["version"])

    @property
    def bounds_above(self) -> bool:
        """Whether versions above some point can't meet it."""
        return self.operator in _UPPER_BOUNDS

    @property
    def is_serial(self) -> bool:
        """Whether it is about serial numbers, such as ``>=20240101``."""
        return is_serial(self._parts["numbers"])

    @property
    def build(self) -> str | None:
        """The build that it names: ``8`` of ``==17.0.2+8``."""
        return self._parts["build"]

    @property
    def asks_for_prereleases(self) -> bool:
        """Whether it names a pre-release, other than to exclude it."""
        return self.operator != "!=" and is_prerelease_suffix(self._parts["suffix"] or "")

    @property
    def _parts(self) -> re.Match[str]:
        parts = re.fullmatch(_VERSION, self.version, re.ASCII)
        if parts is None:
            raise ValueError(f"`{self.version}` was never parsed")
        return parts

    def __str__(self) -> str:
        return f"{self.operator}{self.version}"


def parse_specifier(text: str) -> tuple[Clause, ...]:
    """Read ``>=20.11,<21`` into sorted clauses; ``*`` has none, and any version meets them."""
    if len(text) > _MAX_LENGTH:
        raise InvalidSelectorError(f"is longer than {_MAX_LENGTH} characters", field="version")
    if text.strip() == ANY_VERSION:
        return ()
    clauses = {Clause.parse(part.strip()) for part in text.split(",")}
    return tuple(sorted(clauses, key=str))


def dump_specifier(clauses: tuple[Clause, ...]) -> str:
    """Write clauses as images.lock has them, and as `packaging` prints them: ``<21,>=20.11``."""
    return ",".join(str(clause) for clause in clauses) or ANY_VERSION


def _is_in_pep_440(clause: re.Match[str]) -> bool:
    if clause["operator"] == "~=":
        return "." in clause["numbers"] and not clause["wildcard"] and not clause["build"]
    return clause["operator"] in _EQUALITIES or not (clause["wildcard"] or clause["build"])

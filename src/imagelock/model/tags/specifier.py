"""Parse version specifiers: PEP 440 without what tags cannot have.

Tags have no epoch and no letters in a local version, and ``===`` is not supported. Every supported release of
`packaging` reads these specifiers alike; they are parsed without it, because its import takes 16 ms.
https://packaging.python.org/specifications/version-specifiers/
"""

from __future__ import annotations

import re

from imagelock.errors import InvalidSelectorError
from imagelock.model.frozen import frozen
from imagelock.model.tags.pattern import NUMBERS, SUFFIX, is_prerelease_suffix, is_serial, next_breaking_release

ANY_VERSION = "*"

_MAX_LENGTH = 256
_VERSION = rf"v?(?P<numbers>{NUMBERS})(?:(?P<suffix>{SUFFIX})?(?:\+(?P<build>{NUMBERS}))?|(?P<wildcard>\.\*))"
_CLAUSE = rf"(?P<operator>~=|==|!=|<=|>=|<|>)\s*(?P<version>{_VERSION})"
_UPPER_BOUNDS = frozenset({"<", "<=", "==", "~="})
_EQUALITIES = frozenset({"==", "!="})


@frozen
class Clause:
    """One clause of a specifier: an operator, and a version as written."""

    operator: str
    version: str

    @classmethod
    def parse(cls, text: str) -> Clause:
        """Parse a clause such as ``>=3.12``; ``InvalidSelectorError`` has a hint on what to write."""
        match = re.fullmatch(_CLAUSE, text, re.ASCII)
        if match is None or not _is_in_pep_440(match):
            raise _invalid_clause(text)
        return cls(match["operator"], match["version"])

    @property
    def bounds_above(self) -> bool:
        """Whether it has an upper bound."""
        return self.operator in _UPPER_BOUNDS

    @property
    def is_serial(self) -> bool:
        """Whether its version is a serial number, as in ``>=20240101``."""
        return is_serial(self._parts["numbers"])

    @property
    def build(self) -> str | None:
        """The build in its version: ``8`` of ``==17.0.2+8``."""
        return self._parts["build"]

    @property
    def asks_for_prereleases(self) -> bool:
        """Whether its version is a pre-release that it does not exclude."""
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
    """Parse ``>=20.11,<21`` into sorted clauses; ``*`` has none, and allows any version."""
    if len(text) > _MAX_LENGTH:
        raise InvalidSelectorError(f"is longer than {_MAX_LENGTH} characters", field="version")
    if text.strip() == ANY_VERSION:
        return ()
    clauses = {Clause.parse(part.strip()) for part in text.split(",")}
    return tuple(sorted(clauses, key=str))


def dump_specifier(clauses: tuple[Clause, ...]) -> str:
    """Return clauses as in images.lock, and as `packaging` prints them: ``<21,>=20.11``."""
    return ",".join(str(clause) for clause in clauses) or ANY_VERSION


def _is_in_pep_440(clause: re.Match[str]) -> bool:
    if clause["operator"] == "~=":
        return "." in clause["numbers"] and not clause["wildcard"] and not clause["build"]
    return clause["operator"] in _EQUALITIES or not (clause["wildcard"] or clause["build"])


_BARE = rf"v?(?P<numbers>{NUMBERS})(?P<suffix>{SUFFIX})?"
_FOREIGN_VERSION = rf"\s*v?(?P<version>(?P<numbers>{NUMBERS})(?:{SUFFIX})?)"
_TRANSLATIONS = {
    r"": "`*` takes any version; commas go only between clauses",
    r"\*.*": "`*` takes no other clause beside it",
    r"===.*": "`==` compares versions; for one text, give it as an exact `tag`",
    rf"(?:=|==)?{_FOREIGN_VERSION}\.[*xX]": "write `=={numbers}.*`",
    rf"={_FOREIGN_VERSION}": "write `=={version}`",
    rf"\^{_FOREIGN_VERSION}": "write `>={version},<{next_release}`",
    rf"~\s*v?(?P<version>{NUMBERS}\.[0-9]+\.[0-9]+)": "write `~={version}`",
    rf"~={_FOREIGN_VERSION}": "`~=` needs two numbers: write `=={version}.*`",
    rf"~{_FOREIGN_VERSION}": "write `=={version}.*`",
    rf"(?P<operator>[<>]=?){_FOREIGN_VERSION}\.[*xX]": "write `{operator}{version}`",
    rf"(?P<operator>~=|[<>]=?){_FOREIGN_VERSION}\+.*": "only `==` and `!=` can name a build",
    r"(?P<first>[~=!<>]+\s*[^\s&~=!<>]+)(?:\s+and\s+|\s*&&\s*|\s+)(?P<second>[~=!<>].*)": "write `{first},{second}`",
}
"""Hints by the invalid clauses that they are for; the first match applies."""
_HOW_TO = "a clause is one of `==`, `!=`, `>=`, `>`, `<=`, `<`, `~=` and a version; commas join clauses"


def _invalid_clause(text: str) -> InvalidSelectorError:
    """Return the error for an invalid clause, with the clauses that may have been meant."""
    bare = re.fullmatch(_BARE, text, re.ASCII)
    if bare is not None:
        details = _alternatives(bare["numbers"], bare["suffix"] or "")
        return InvalidSelectorError(f"`{text}` has no operator", field="version", details=details)
    message = f"`{text}` is not a PEP 440 clause" if text else "a clause is empty"
    return InvalidSelectorError(message, field="version", hint=_translate(text))


def _alternatives(numbers: str, suffix: str) -> list[str]:
    version = numbers + suffix
    meanings = {f"=={version}.*": f"any {version} release"} if not suffix else {}
    if "." in numbers:
        meanings[f"~={version}"] = f"{version} or later, below {_compatible_bound(numbers)}"
    else:
        meanings[f">={version}"] = f"{version} or later"
    meanings[f"=={version}"] = f"exactly {version}"
    width = max(map(len, meanings)) + len("``")
    return [f"{f'`{specifier}`':<{width}} {meaning}" for specifier, meaning in meanings.items()]


def _compatible_bound(numbers: str) -> str:
    *kept, last, _ = numbers.split(".")
    return ".".join([*kept, str(int(last) + 1)])


def _translate(text: str) -> str:
    for expression, template in _TRANSLATIONS.items():
        match = re.fullmatch(expression, text, re.ASCII)
        if match is not None:
            groups = match.groupdict()
            next_release = next_breaking_release(groups["numbers"]) if "numbers" in groups else ""
            return template.format(**groups, next_release=next_release)
    return _HOW_TO

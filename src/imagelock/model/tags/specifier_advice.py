"""What to write instead of a clause that PEP 440 doesn't have: bare numbers and other tools' habits, translated."""

from __future__ import annotations

import re

from imagelock.errors import InvalidSelectorError
from imagelock.model.tags.grammar import NUMBERS, SUFFIX, next_breaking_release

_BARE = rf"v?(?P<numbers>{NUMBERS})(?P<suffix>{SUFFIX})?"
_VERSION = rf"\s*v?(?P<version>(?P<numbers>{NUMBERS})(?:{SUFFIX})?)"
_TRANSLATIONS = {
    r"": "`*` takes any version; commas stand only between clauses",
    r"\*.*": "`*` stands alone: no other clause goes with it",
    r"===.*": "`==` compares versions; for one text, give it as an exact `tag`",
    rf"(?:=|==)?{_VERSION}\.[*xX]": "write `=={numbers}.*`",
    rf"={_VERSION}": "write `=={version}`",
    rf"\^{_VERSION}": "write `>={version},<{next_release}`",
    rf"~\s*v?(?P<version>{NUMBERS}\.[0-9]+\.[0-9]+)": "write `~={version}`",
    rf"~={_VERSION}": "`~=` needs two numbers: write `=={version}.*`",
    rf"~{_VERSION}": "write `=={version}.*`",
    rf"(?P<operator>[<>]=?){_VERSION}\.[*xX]": "write `{operator}{version}`",
    rf"(?P<operator>~=|[<>]=?){_VERSION}\+.*": "only `==` and `!=` can name a build",
    r"(?P<first>[~=!<>]+\s*[^\s&~=!<>]+)(?:\s+and\s+|\s*&&\s*|\s+)(?P<second>[~=!<>].*)": "write `{first},{second}`",
}
"""Hints by the clauses that they are for; the first that matches is right."""
_HOW_TO = "a clause is one of `==`, `!=`, `>=`, `>`, `<=`, `<`, `~=` and a version; commas join clauses"


def invalid_clause(text: str) -> InvalidSelectorError:
    """Say what is wrong with a clause, and which clauses its writer may have meant."""
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

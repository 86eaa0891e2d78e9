"""The paths at which formats keep their references: ``services.*.image``, ``**.containers[].image``.

A path is a row of steps from the root of a document. ``name`` and ``"a.name"`` follow a key, ``{a,b}`` one of these
keys, ``/expression/`` (``/…/i`` for any case) the keys that match it, ``*`` any key, ``[]`` each item of a list, and
``**`` any number of keys and items, none included.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import cache

from imagelock.model.frozen import frozen

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]+)"'
    r"|/(?P<pattern>(?:[^/\\]|\\.)+)/(?P<flags>i?)"
    r"|\{(?P<names>[^{}]*)\}"
    r"|(?P<any>\*{1,2})"
    r"|(?P<name>[^.\[\]*{}()\"/\s][^.\[\]*{}()\"\s]*)"
)


_KIND = re.compile(r"(?P<kinds>\{[A-Za-z, ]+\}|[A-Z][A-Za-z]*)(?:\.(?P<group>[a-z0-9.-]+))?:(?P<path>.+)", re.DOTALL)


class PathError(Exception):
    """A path that can't be read; the message is why."""


class Wild(Enum):
    """The steps that name no key."""

    KEY = auto()
    """``*``: any one key."""
    ITEM = auto()
    """``[]``: any one item of a list."""
    DEEP = auto()
    """``**``: any number of keys and items."""


@frozen
class Keys:
    """One of some keys."""

    names: frozenset[str]


@frozen
class KeyPattern:
    """The keys in which an expression is found."""

    expression: str
    ignores_case: bool = False

    def matches(self, key: str) -> bool:
        """Whether a key is one of them."""
        return _compile(self.expression, self.ignores_case).search(key) is not None


Step = Wild | Keys | KeyPattern
Steps = tuple[Step, ...]


@frozen
class Place:
    """A path, and in which Kubernetes resources it counts."""

    steps: Steps
    kinds: frozenset[str] = frozenset()
    """Without any: in all documents."""
    group: str = ""
    """The API group without its version; without one: in all groups."""

    def is_in(self, kind: str, group: str) -> bool:
        """Whether it counts in a document of this kind."""
        return (not self.kinds or kind in self.kinds) and (not self.group or self.group == group)


@cache
def parse_place(text: str) -> Place:
    """Read ``Kind:path``, ``Kind.group:path``, ``{Kind,Kind}:path`` or a path alone; an empty one is the root."""
    found = _KIND.fullmatch(text)
    if not text:
        return Place(())
    if found is None:
        return Place(parse_path(text))
    kinds = frozenset(kind.strip() for kind in found["kinds"].strip("{}").split(","))
    return Place(parse_path(found["path"]), kinds, found["group"] or "")


@cache
def _compile(expression: str, ignores_case: bool) -> re.Pattern[str]:  # noqa: FBT001  a cache's key
    return re.compile(expression, re.IGNORECASE if ignores_case else 0)


@cache
def parse_path(text: str) -> Steps:
    """Read a path; ``PathError`` says where reading ended."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        if text.startswith("[]", at):
            steps.append(Wild.ITEM)
            at += 2
        else:
            token = _TOKEN.match(text, at)
            if token is None:
                raise PathError(f"no key, `*`, `**`, `[]`, `{{…}}` or `/…/` at `{text[at:]}`")
            steps.append(_step(token))
            at = token.end()
        if text.startswith(".", at) and at + 1 < len(text):
            at += 1
        elif at < len(text) and not text.startswith("[", at):
            raise PathError(f"a `.` is missing before `{text[at:]}`")
    if not steps:
        raise PathError("it is empty")
    return tuple(steps)


def _step(token: re.Match[str]) -> Step:
    if token["any"]:
        return Wild.DEEP if token["any"] == "**" else Wild.KEY
    if token["pattern"]:
        return _key_pattern(token["pattern"], ignores_case=bool(token["flags"]))
    if token["names"] is not None:
        names = frozenset(name.strip() for name in token["names"].split(","))
        if "" in names:
            raise PathError(f"a key is missing in `{token[0]}`")
        return Keys(names)
    return Keys(frozenset({token["quoted"] or token["name"]}))


def _key_pattern(expression: str, *, ignores_case: bool) -> KeyPattern:
    try:
        re.compile(expression)
    except re.error as error:
        raise PathError(f"`/{expression}/` is not a regular expression: {error}") from error
    return KeyPattern(expression, ignores_case)

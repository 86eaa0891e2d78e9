"""Two builders' source policies as functions: BuildKit's language and buildah's, which has the same name.

https://github.com/moby/buildkit/blob/master/sourcepolicy/engine.go
https://github.com/containers/buildah/blob/main/pkg/sourcepolicy
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NoReturn

_MAX_ROUNDS = 20
_ACTIONS = frozenset({"ALLOW", "DENY", "CONVERT"})
_MATCH_TYPES = frozenset({"WILDCARD", "EXACT", "REGEX"})


class PolicyError(Exception):
    """The builder stops; the message is the end of its own."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a build asks for, such as ``docker-image://docker.io/library/golang:1.22``."""

    identifier: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BuildkitPolicy:
    """A policy as BuildKit reads it: unknown keys are ignored, unknown words are not."""

    rules: Sequence[Mapping[str, Any]]

    @classmethod
    def parse(cls, text: str) -> BuildkitPolicy:
        try:
            document = json.loads(text)
        except ValueError as error:
            raise PolicyError(f"invalid character: {error}") from error
        rules = document.get("rules", [])
        for rule in rules:
            _check_word(rule.get("action", "ALLOW"), _ACTIONS, "ALLOW")
            _check_word(rule["selector"].get("match_type", "WILDCARD"), _MATCH_TYPES, "WILDCARD")
        return cls(rules)

    def evaluate(self, source: Source) -> Source:
        """Return what a source becomes; ``PolicyError`` where it is denied."""
        for _ in range(_MAX_ROUNDS + 1):
            converted = self._walk(source)
            if converted == source:
                return source
            source = converted
        raise PolicyError("too many mutations on a single source: too many operations")

    def _walk(self, source: Source) -> Source:
        """Walk the rules once; a rule that changes something ends the walk."""
        is_denied = False
        for rule in self.rules:
            groups = _match(rule["selector"], source.identifier)
            if groups is None:
                continue
            action = rule.get("action", "ALLOW")
            if action == "CONVERT":
                converted = _convert(rule, source, groups)
                if converted != source:
                    return converted
            else:
                is_denied = action == "DENY"
        if is_denied:
            _deny(source)
        return source


def _check_word(word: str, known: frozenset[str], default: str) -> None:
    if word not in known:
        raise PolicyError(f'unrecognized enum {default} value "{word}"')


def _match(selector: Mapping[str, str], identifier: str) -> tuple[str, ...] | None:
    """Return the groups of a match, the whole one first."""
    pattern = selector["identifier"]
    kind = selector.get("match_type", "WILDCARD")
    if kind == "WILDCARD" and "**" in pattern:
        raise PolicyError(f'failed to translate wildcard "{pattern}" to regexp: invalid wildcard: "**"')
    if pattern == identifier:
        return (identifier,)
    if kind == "EXACT":
        return None
    if kind == "WILDCARD":
        pattern = f"^{re.escape(pattern).replace(re.escape('*'), '(.*)')}$"
    found = re.search(pattern, identifier)
    return None if found is None else (found[0], *found.groups())


def _convert(rule: Mapping[str, Any], source: Source, groups: tuple[str, ...]) -> Source:
    updates = rule["updates"]
    target = updates.get("identifier") or rule["selector"]["identifier"]
    expanded = re.sub(r"\$\{?(\d+)\}?", lambda group: groups[int(group[1])], target)
    return Source(expanded, {**source.attributes, **updates.get("attrs", {})})


def _deny(source: Source) -> NoReturn:
    raise PolicyError(f'source "{source.identifier}" denied by policy: source denied by policy')


@dataclass(frozen=True, slots=True)
class BuildahPolicy:
    """A policy as buildah 1.44 reads it: the first rule that matches decides, and no match allows."""

    rules: Sequence[Mapping[str, Any]]

    @classmethod
    def parse(cls, text: str) -> BuildahPolicy:
        rules = json.loads(text)["rules"]
        for rule in rules:
            if rule["selector"].get("matchType", "WILDCARD") == "REGEX":
                raise PolicyError("REGEX is not supported")
        return cls(rules)

    def evaluate(self, identifier: str) -> str:
        """Return what ``docker-image://REFERENCE`` becomes; what is converted is not judged again."""
        for number, rule in enumerate(self.rules):
            selector = rule["selector"]
            pattern = selector["identifier"]
            is_wild = selector.get("matchType", "WILDCARD") == "WILDCARD"
            if not (fnmatchcase(identifier, pattern) if is_wild else identifier == pattern):
                continue
            if rule["action"] == "DENY":
                raise PolicyError(f'denied by source policy: matched rule {number} (selector: "{pattern}")')
            if rule["action"] == "CONVERT":
                converted: str = rule["updates"]["identifier"]
                return converted
            break
        return identifier

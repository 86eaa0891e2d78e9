"""The rules of a row about the places of its references, and how such places are found in a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY
from enum import Enum, auto
from operator import itemgetter

from imagelock.documents.formats.paths import KeyPattern, Keys, Step, Steps, Wild, parse_place
from imagelock.documents.references import AnyTagUse, Found, ReferenceKind, TagUse
from imagelock.documents.syntax.nodes import Mapping, Node, Scalar
from imagelock.documents.syntax.nodes import Sequence as List
from imagelock.model.frozen import frozen

_GITLAB_REFERENCE = "!reference"
_Position = tuple[int, int]
"""The number of a rule, and how many of its steps are behind us."""


@frozen
class Text:
    """Scalars that are one reference each."""

    path: str
    _: KW_ONLY
    prefix: str = ""
    """The prefix of a reference, such as ``docker://``; a scalar without it is something else."""
    strips: tuple[str, ...] = ()
    """A prefix that may precede the reference and is not a part of it."""
    kind: ReferenceKind = ReferenceKind.IMAGE
    is_sure: bool = True
    """Whether anything there is an image; elsewhere a scalar counts only if it is a valid reference."""
    accepts: Callable[[str], bool] | None = None
    """Which texts are no references although they look like them, such as aliases; ``None``: all may be."""
    tag_beside: tuple[str, ...] = ()
    """Keys of the same mapping that hold the tag, if they are there."""
    registry_beside: tuple[str, ...] = ()
    """Keys of the same mapping that may hold the registry or the first part of the name, if they are there."""
    output_beside: tuple[str, ...] = ()
    """Keys of the same mapping that make it the name of what is built."""
    tag_use: AnyTagUse = TagUse.OPTIONAL


class Alone(Enum):
    """When a name is an image although no tag and no digest is beside it."""

    NEVER = auto()
    WITH_VERSION = auto()
    """If the name's own text has a tag or digest."""
    ALWAYS = auto()


@frozen
class Parts:
    """Mappings that have the name, the tag and the digest of an image in keys of their own.

    Of several keys for one part, the first that has a value counts; all are paths of plain keys below ``path``.
    """

    path: str
    _: KW_ONLY
    name: tuple[str, ...]
    tag: tuple[str, ...] = ()
    digest: tuple[str, ...] = ()
    hex_digest: tuple[str, ...] = ()
    registry: tuple[str, ...] = ()
    affix: tuple[str, ...] = ()
    """Keys of text that is added to a tag, where the tag itself is not here."""
    tag_takes_digest: bool = False
    """Whether ``1.2@sha256:…`` is sure to be understood as a tag."""
    alone: Alone = Alone.NEVER
    """When a name is an image without the other parts."""
    tag_use: AnyTagUse = TagUse.OPTIONAL


@frozen
class Inside:
    """Parts of a document, or documents inside of scalars, that follow rules of their own."""

    path: str
    find: Callable[[Node], Iterable[Found]]


Rule = Text | Parts | Inside


@frozen(compiled=True)
class Match:
    """A node at one of the places."""

    rule: Rule
    node: Node
    parent: Node
    """The mapping or list that it is in; itself, for a root."""
    is_shared: bool
    """Whether an alias puts the same scalar at a place that holds no input."""


class _State:
    """The positions in all rules that one place of a document has reached; followed lazily, and once each."""

    def __init__(self, automaton: _Automaton, positions: frozenset[_Position]) -> None:
        self._automaton = automaton
        self._positions = positions
        finished = sorted(rule for rule, step in positions if step == len(automaton.steps[rule]))
        self.is_excluded = any(automaton.rules[rule] is None for rule in finished)
        self.accepted = tuple((rule, found) for rule in finished if (found := automaton.rules[rule]) is not None)
        self.is_inside = any(isinstance(rule, Inside) for _, rule in self.accepted)
        self.is_alive = bool(positions)
        self._by_key: dict[str, _State] = {}
        self._of_item: _State | None = None

    def follow_key(self, key: str) -> _State:
        """Continue at a value of a mapping."""
        state = self._by_key.get(key)
        if state is None:
            state = self._by_key[key] = self._automaton.follow(self._positions, key)
        return state

    def follow_item(self) -> _State:
        """Continue at an item of a list."""
        if self._of_item is None:
            self._of_item = self._automaton.follow(self._positions, None)
        return self._of_item


class _Automaton:
    def __init__(self, rules: Sequence[Rule | None], steps: Sequence[Steps]) -> None:
        self.rules = rules
        self.steps = steps
        self._states: dict[frozenset[_Position], _State] = {}
        self.start = self._state((rule, 0) for rule in range(len(rules)))

    def follow(self, positions: frozenset[_Position], key: str | None) -> _State:
        """Take one step in each rule: to the value of a key, or to an item of a list."""
        return self._state(self._steps_from(positions, key))

    def _steps_from(self, positions: frozenset[_Position], key: str | None) -> Iterator[_Position]:
        for rule, at in positions:
            if at == len(self.steps[rule]):
                continue
            step = self.steps[rule][at]
            if step is Wild.DEEP:
                yield rule, at
            elif _takes(step, key):
                yield rule, at + 1

    def _state(self, positions: Iterable[_Position]) -> _State:
        closed: set[_Position] = set()
        for rule, first in positions:
            at = first
            closed.add((rule, at))
            while at < len(self.steps[rule]) and self.steps[rule][at] is Wild.DEEP:
                at += 1
                closed.add((rule, at))
        key = frozenset(closed)
        if key not in self._states:
            self._states[key] = _State(self, key)
        return self._states[key]


def _takes(step: Step, key: str | None) -> bool:
    match step:
        case Wild():
            return step is (Wild.ITEM if key is None else Wild.KEY)
        case Keys(names):
            return key in names
        case KeyPattern():
            return key is not None and step.matches(key)


class RuleSet:
    """Rules that are searched for together, and places where nothing is found, as one automaton."""

    def __init__(self, rules: tuple[Rule, ...], never: tuple[Steps, ...] = ()) -> None:
        """Take the rules in their order; what is at a place of ``never``, or below it, is left out."""
        self._rules = rules
        steps = [*(parse_place(rule.path).steps for rule in rules), *never]
        self._start = _Automaton((*rules, *(None for _ in never)), steps).start

    def find(self, root: Node) -> tuple[Match, ...]:
        """Find the nodes at the places of the rules, in the order of the rules, each once for each rule.

        Below the place of an ``Inside``, only its own rules apply.
        """
        excluded: set[int] = set()
        found = sorted(_walk(root, self._start, excluded), key=itemgetter(0))
        return tuple(Match(self._rules[rule], node, parent, id(node) in excluded) for rule, node, parent in found)


def _walk(root: Node, start: _State, excluded: set[int]) -> Iterator[tuple[int, Node, Node]]:
    waiting = [(root, start, root)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        node, state, parent = waiting.pop()
        if (id(node), id(state)) in seen:
            continue
        seen.add((id(node), id(state)))
        if state.is_excluded:
            if isinstance(node, Scalar):
                excluded.add(id(node))
            continue
        for rule, _ in state.accepted:
            yield rule, node, parent
        if not state.is_inside:
            waiting += ((below, after, node) for below, after in _below(node, state) if after.is_alive)


def _below(node: Node, state: _State) -> Iterable[tuple[Node, _State]]:
    match node:
        case Mapping(tag=tag) | List(tag=tag) if tag == _GITLAB_REFERENCE:
            return ()
        case Mapping():
            return [(value, state.follow_key(key)) for key, value in node.items()]
        case List(items=items):
            item_state = state.follow_item()
            return [(item, item_state) for item in items]
        case Scalar():
            return ()

"""Tokens of one host by scope: each is fetched once, however many threads wait for it, and one may cover many scopes.

https://distribution.github.io/distribution/spec/auth/scope/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import field
from threading import Lock

from imagelock.errors import InvalidContentError
from imagelock.model.frozen import frozen
from imagelock.registry.http.backoff import TOO_MANY_REQUESTS, Clock
from imagelock.registry.http.messages import Response

_MAX_TOKEN_BYTES = 5_000
"""Proxies in front of registries refuse header lines above 8 KiB, and a token lists what it is for."""
_TOKEN_BYTES_OF_ENTRY = 75
"""Of ``{"type":"repository","name":"","actions":["pull"]}`` in base64, and a little."""

_REFUSALS = range(400, 500)


@frozen(eq=False)
class HeldToken:
    """A token and the moment (of the monotonic clock) until which it is used."""

    token: Token
    usable_until: float

    def is_aged(self, now: float) -> bool:
        """Whether more than half of its life is over: a refusal may then mean that it died early."""
        return now > self.usable_until - self.token.usable_seconds / 2


@frozen(kw_only=True)
class Token:
    """A token, and how long it may be used after it came."""

    text: str = field(repr=False)
    usable_seconds: float
    granted: frozenset[str] | None
    """The scopes that it says it is for; ``None`` where it can't be read, which is its right."""


class AccessRefusedError(Exception):
    """A registry or its token server takes no credentials of ours; the answer says why."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def pull_scope(path: str) -> str:
    """Return the scope that reading a repository needs."""
    return f"repository:{path}:pull"


def batch_scopes(first: str, others: Iterable[str]) -> tuple[str, ...]:
    """Return the first scope and as many others as a token's size allows, each once."""
    batch, size = [first], _token_bytes(first)
    for scope in dict.fromkeys(others):
        size += _token_bytes(scope)
        if size > _MAX_TOKEN_BYTES:
            break
        if scope != first:
            batch.append(scope)
    return tuple(batch)


def _token_bytes(scope: str) -> int:
    return _TOKEN_BYTES_OF_ENTRY + len(scope) * 4 // 3


Fetch = Callable[[tuple[str, ...]], HeldToken]


@frozen(eq=False)
class _Flight:
    """One question on its way, and the scopes that it asks for."""

    scopes: tuple[str, ...]
    answer: Future[HeldToken | None] = field(default_factory=Future)

    @property
    def is_shared(self) -> bool:
        return len(self.scopes) > 1


class TokenStore:
    """Holds tokens by scope, and asks for one that covers several where that is allowed. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._held: dict[str, HeldToken] = {}
        self._flights: dict[str, _Flight] = {}
        self._alone: set[str] = set()
        self._takes_batches = True

    def get(self, scope: str, *, others: Iterable[str], fetch: Fetch) -> tuple[HeldToken, bool]:
        """Return a token for the scope, and whether it was fetched for that scope alone just now.

        ``others`` are scopes that will be wanted, too, and may be asked for with the same question; they are looked at
        only if there is a question to ask.
        """
        with self._lock:
            held = self._fresh(scope)
        if held is not None:
            return held, False
        others = tuple(others)
        while True:
            found, is_mine = self._find_or_start(scope, others)
            if isinstance(found, HeldToken):
                return found, False
            held = self._fly(found, fetch) if is_mine else found.answer.result()
            if is_mine and held is not None and not found.is_shared:
                return held, True

    def drop(self, scope: str, held: HeldToken) -> None:
        """Forget a token that was refused, and ask for that scope alone from now on."""
        with self._lock:
            self._alone.add(scope)
            if self._held.get(scope) is held:
                del self._held[scope]

    def _fresh(self, scope: str) -> HeldToken | None:
        held = self._held.get(scope)
        return held if held is not None and self._clock.monotonic() < held.usable_until else None

    def _find_or_start(self, scope: str, others: tuple[str, ...]) -> tuple[HeldToken | _Flight, bool]:
        with self._lock:
            held = self._fresh(scope)
            if held is not None:
                return held, False
            flight = self._flights.get(scope)
            if flight is not None:
                return flight, False
            flight = _Flight(self._scopes_beside(scope, others))
            self._flights.update(dict.fromkeys(flight.scopes, flight))
            return flight, True

    def _scopes_beside(self, scope: str, others: tuple[str, ...]) -> tuple[str, ...]:
        if scope in self._alone or not self._takes_batches:
            return (scope,)
        taken = self._held.keys() | self._flights.keys() | self._alone
        return batch_scopes(scope, (other for other in others if other not in taken))

    def _fly(self, flight: _Flight, fetch: Fetch) -> HeldToken | None:
        """Fetch and tell whoever waits; ``None`` if a batch was refused, which is nobody's error."""
        try:
            held = fetch(flight.scopes)
        except BaseException as error:
            self._land(flight, None)
            if flight.is_shared and _is_about_the_question(error):
                flight.answer.set_result(None)
                return None
            flight.answer.set_exception(error)
            raise
        self._land(flight, held)
        flight.answer.set_result(held)
        return held

    def _land(self, flight: _Flight, held: HeldToken | None) -> None:
        with self._lock:
            for scope in flight.scopes:
                del self._flights[scope]
                granted = None if held is None else held.token.granted
                if held is not None and (not flight.is_shared or granted is None or scope in granted):
                    self._held[scope] = held
                else:
                    self._alone.add(scope)
            if held is None and flight.is_shared:
                self._takes_batches = False


def _is_about_the_question(error: BaseException) -> bool:
    """Whether asking for fewer scopes may help: the server answered, and it isn't busy."""
    if isinstance(error, AccessRefusedError):
        return error.response.status in _REFUSALS and error.response.status != TOO_MANY_REQUESTS
    return isinstance(error, InvalidContentError)

"""The tokens of one host and login: each is fetched once for all threads, and may cover many scopes.

https://distribution.github.io/distribution/spec/auth/scope/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import field
from enum import Enum, auto
from http import HTTPStatus
from threading import Lock, Thread

import httpx

from imagelock.errors import InvalidContentError
from imagelock.model.frozen import frozen
from imagelock.registry.auth.credentials import FoundCredentials
from imagelock.registry.http.backoff import Clock

_MAX_TOKEN_BYTES = 5_000
"""Proxies in front of registries refuse header lines above 8 KiB, and a token lists its scopes."""
_TOKEN_BYTES_OF_ENTRY = 75
"""The length of ``{"type":"repository","name":"","actions":["pull"]}`` in base64, with a margin."""


@frozen(kw_only=True, eq=False)
class Token:
    """A token and its lifetime."""

    text: str = field(repr=False)
    usable_seconds: float
    """From its arrival."""
    usable_until: float
    """In monotonic seconds."""
    granted: frozenset[str] | None
    """The scopes that it lists; ``None`` if it lists none."""

    def is_aged(self, now: float) -> bool:
        """Return whether more than half of its lifetime is over: a refusal may then mean that it has expired."""
        return now > self.usable_until - self.usable_seconds / 2


class AccessRefusedError(Exception):
    """A registry or its token server refused the credentials, or their lack; the response has the reason."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


class AuthorizationKind(Enum):
    """Where an ``Authorization`` header came from."""

    NONE = auto()
    PUBLIC_TOKEN = auto()
    """The fixed token for all public repositories of a registry."""
    SHARED_TOKEN = auto()
    """A token of a batch or from the cache: it may lack this repository, or have expired."""
    OWN_TOKEN = auto()
    """A token fetched for this request alone."""
    LOGIN = auto()
    """A user name and password, or a registry token of the user."""


@frozen
class Authorization:
    """An ``Authorization`` header and where it came from."""

    kind: AuthorizationKind
    header: str = field(default="", repr=False)
    found: FoundCredentials | None = None
    """The credentials behind it, if any."""
    token: Token | None = None
    scope: str = ""
    """The scope for which the token was fetched."""


NO_AUTHORIZATION = Authorization(AuthorizationKind.NONE)


Fetch = Callable[[tuple[str, ...]], Token]
"""Fetches one token for all of these scopes."""


@frozen(eq=False)
class _Fetching:
    """A token request in progress (single flight), and its scopes."""

    scopes: tuple[str, ...]
    result: Future[Token | None] = field(default_factory=Future)
    """``None`` if a batch of scopes was refused: each scope is then fetched alone."""

    @property
    def is_shared(self) -> bool:
        return len(self.scopes) > 1


class TokenCache:
    """Tokens by scope; planned scopes are fetched in batches. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._tokens: dict[str, Token] = {}
        self._fetching: dict[str, _Fetching] = {}
        self._batches: dict[str, tuple[str, ...]] = {}
        self._unfetched: list[tuple[str, ...]] = []
        """Batches whose fetch has not started."""
        self._single_scopes: set[str] = set()
        self._takes_batches = True

    def plan(self, scopes: Iterable[str]) -> None:
        """Divide scopes that will be needed into batches, each for one token."""
        for batch in divide(scopes):
            with self._lock:
                self._batches.update(dict.fromkeys(batch, batch))
                self._unfetched.append(batch)

    def prefetch(self, fetch: Fetch, *, besides: str) -> None:
        """Start to fetch all batches of several scopes, except that of one scope, in daemon threads."""
        with self._lock:
            batches, self._unfetched = self._unfetched, []
        for batch in batches:
            if len(batch) > 1 and besides not in batch:
                fetching = self._start(batch[0])
                if fetching is not None:
                    Thread(target=self._run, args=(fetching, fetch), daemon=True).start()

    def get(self, scope: str, fetch: Fetch) -> tuple[Token, bool]:
        """Return a token for a scope, and whether it was fetched by this call for that scope alone.

        An exception of ``fetch`` is raised in every thread that waits for the same token.
        """
        while True:
            with self._lock:
                token, running = self._usable_token(scope), self._fetching.get(scope)
            if token is not None:
                return token, False
            if running is not None:
                running.result.result()
                continue
            own = self._start(scope)
            if own is not None:
                self._run(own, fetch)
                token = own.result.result()
                if token is not None and not own.is_shared:
                    return token, True

    def drop(self, scope: str, token: Token) -> None:
        """Drop a refused token; from now on its scope is fetched alone."""
        with self._lock:
            self._single_scopes.add(scope)
            if self._tokens.get(scope) is token:
                del self._tokens[scope]

    def _usable_token(self, scope: str) -> Token | None:
        token = self._tokens.get(scope)
        return token if token is not None and self._clock.monotonic() < token.usable_until else None

    def _start(self, scope: str) -> _Fetching | None:
        """Claim a scope and the free scopes of its batch; ``None`` if another thread has claimed it."""
        with self._lock:
            if scope in self._fetching or self._usable_token(scope) is not None:
                return None
            is_single = scope in self._single_scopes or not self._takes_batches
            batch = () if is_single else self._batches.get(scope, ())
            others = (other for other in batch if other != scope and self._is_free(other))
            fetching = _Fetching((scope, *others))
            self._fetching.update(dict.fromkeys(fetching.scopes, fetching))
            return fetching

    def _is_free(self, scope: str) -> bool:
        return scope not in self._fetching and scope not in self._single_scopes and self._usable_token(scope) is None

    def _run(self, fetching: _Fetching, fetch: Fetch) -> None:
        """Fetch a token, and set the result or the exception for the waiting threads."""
        try:
            token = fetch(fetching.scopes)
        except BaseException as error:  # noqa: BLE001  every thread that waits raises it
            is_refused = _may_be_too_many_scopes(error)
            with self._lock:
                self._remove(fetching)
                self._takes_batches = self._takes_batches and not (fetching.is_shared and is_refused)
            if fetching.is_shared and is_refused:
                fetching.result.set_result(None)
            else:
                fetching.result.set_exception(error)
        else:
            with self._lock:
                self._remove(fetching)
                self._store(token, fetching)
            fetching.result.set_result(token)

    def _remove(self, fetching: _Fetching) -> None:
        for scope in fetching.scopes:
            del self._fetching[scope]

    def _store(self, token: Token, fetching: _Fetching) -> None:
        """Store a token for the scopes that it lists; the others will be fetched alone."""
        for scope in fetching.scopes:
            if not fetching.is_shared or token.granted is None or scope in token.granted:
                self._tokens[scope] = token
            else:
                self._single_scopes.add(scope)


def pull_scope(path: str) -> str:
    """Return the scope for reading a repository."""
    return f"repository:{path}:pull"


def divide(scopes: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield the distinct scopes, in order, in batches whose token fits into a header line."""
    batch: list[str] = []
    size = 0
    for scope in dict.fromkeys(scopes):
        size += _token_bytes(scope)
        if batch and size > _MAX_TOKEN_BYTES:
            yield tuple(batch)
            batch, size = [], _token_bytes(scope)
        batch.append(scope)
    if batch:
        yield tuple(batch)


def _token_bytes(scope: str) -> int:
    return _TOKEN_BYTES_OF_ENTRY + len(scope) * 4 // 3


def _may_be_too_many_scopes(error: BaseException) -> bool:
    """Return whether fewer scopes may succeed: the server refused the request, and not for its rate."""
    if isinstance(error, AccessRefusedError):
        return error.response.is_client_error and error.response.status_code != HTTPStatus.TOO_MANY_REQUESTS
    return isinstance(error, InvalidContentError)

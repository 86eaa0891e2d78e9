"""Send a request until there is a final answer: back-off, retries, redirects, warnings and the trace.

Redirects are followed one hop at a time: what a library follows by itself, it follows with credentials. A host that we
were redirected to gets no credentials of the host that sent us (CVE-2020-15157, GHSA-vh4v-2xq2-g5cg). ``Warning``
headers: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#warnings
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Protocol

from imagelock.errors import InvalidContentError, RegistryError, TemporaryError
from imagelock.model.reference import RegistryName
from imagelock.registry.http.addresses import InvalidUrlError, Origin
from imagelock.registry.http.backoff import (
    ATTEMPTS,
    MAX_PAUSE_SECONDS,
    Clock,
    Patience,
    concerns_everybody,
    guessed_pause_seconds,
    is_worth_repeating,
    read_retry_after,
)
from imagelock.registry.http.connections import FailureKind, TransportFailure
from imagelock.registry.http.messages import REDIRECTS, Headers, Request, Response
from imagelock.registry.http.urls import Url, find_objection
from imagelock.registry.http.wording import printable

_TRY_LATER = "run the same command again when it answers"

_WARNING = re.compile(r'299 - "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_MAX_LENGTH = 4096
"""Of all warnings of an answer together, as the specification has it."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def error_of(failure: TransportFailure, request: Request) -> RegistryError:
    """Say what is printed when a failure was the last word."""
    host = request.origin.host_and_port
    match failure.kind:
        case FailureKind.CERTIFICATE:
            return RegistryError(
                f"the certificate of {host} is not trusted",
                details=[str(failure)],
                hint=f'name its authority in images.toml: [registries."{host}"] ca-file = "FILE.pem"',
            )
        case FailureKind.NO_TLS:
            return RegistryError(
                f"{host} speaks no TLS",
                details=[str(failure)],
                hint=f'if it is meant to: [registries."{host}"] plain-http = true in images.toml',
            )
        case FailureKind.TOO_LARGE:
            return InvalidContentError(f"{host} sent more than anybody needs", details=[str(failure), str(request)])
        case FailureKind.NO_SUCH_HOST:
            return TemporaryError(
                f"{host} can't be found", details=[str(failure)], hint="check the spelling and the network"
            )
        case _:
            return TemporaryError(f"no answer from {host}", details=[str(failure)], hint=_TRY_LATER)


class Announcements:
    """Passes each warning on once, however many answers carry it. Thread-safe."""

    def __init__(self, tell: Callable[[str], None] | None) -> None:
        self._tell = tell
        self._lock = Lock()
        self._told: set[tuple[Origin, str]] = set()

    def pass_on(self, response: Response) -> None:
        """Tell what the answer's headers announce, and nobody has told yet."""
        for warning in read_warnings(response.headers):
            with self._lock:
                is_new = (response.url.origin, warning) not in self._told
                self._told.add((response.url.origin, warning))
            if is_new and self._tell is not None:
                self._tell(f"{response.url.origin.host_and_port} says: {warning}")


def read_warnings(headers: Headers) -> Iterator[str]:
    """List the texts of ``Warning: 299 - "…"``; every other code is about caches."""
    remaining = _MAX_LENGTH
    for line in headers.all("warning"):
        remaining -= len(line)
        if remaining < 0:
            return
        warning = _WARNING.fullmatch(line)
        if warning is not None and warning[1]:
            yield printable(_ESCAPED.sub(r"\1", warning[1]), max_length=_MAX_LENGTH)


def next_hop(request: Request, response: Response, *, hops: int) -> Request | None:
    """Return the request that a redirect asks for, ``None`` if the response is none; ``hops`` were followed already."""
    if response.status not in _REDIRECTS:
        return None
    location = response.headers.get("location")
    url = _destination(request, location)
    if not request.follows_redirects:
        raise InvalidContentError(
            f"{request.url.shown} sends us elsewhere, and a token server must not",
            details=[f"to {url.origin}"],
            hint="tell the people who run this registry",
        )
    if hops >= REDIRECTS:
        raise InvalidContentError(f"{request.url.origin} redirects more than {REDIRECTS} times")
    return request.at(url)


def _destination(request: Request, location: str) -> Url:
    try:
        url = request.url.join(location)
    except InvalidUrlError as error:
        raise _refusal(request, str(error)) from error
    objection = find_objection(url, asked=request.url)
    if objection is not None:
        raise _refusal(request, objection)
    return url


def _refusal(request: Request, reason: str) -> InvalidContentError:
    """Refuse without showing the address itself: signed addresses are secrets."""
    return InvalidContentError(
        f"{request.url.origin} redirects to an address that must not be followed: {reason}",
        details=[f"asked for {request.url.shown}"],
    )


class Transport(Protocol):
    """What sends bytes. One exchange a call, from any thread."""

    def send(self, request: Request) -> Response:
        """Ask and read the whole answer; ``TransportFailure`` if there is none."""
        ...

    def open_early(self, origin: Origin, *, registry: RegistryName, connections: int) -> None:
        """Begin to connect to a host that will be asked; returns at once, and failures show when it is asked."""
        ...

    def speaks_tls(self, origin: Origin, *, registry: RegistryName) -> bool:
        """Whether the server there begins a TLS handshake; nothing else is sent."""
        ...

    def close(self) -> None:
        """End every exchange, also those that other threads wait for."""
        ...


class Delivery:
    """Sends through a transport, with patience. Thread-safe."""

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock,
        trace: Callable[[str], None] | None = None,
        warn: Callable[[str], None] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._trace = trace
        self._jitter = jitter
        self._patience = Patience()
        self._announcements = Announcements(warn)

    def open_early(self, origin: Origin, *, registry: RegistryName, connections: int) -> None:
        """Begin to connect to a host that will be asked."""
        self._transport.open_early(origin, registry=registry, connections=connections)

    def deliver(self, request: Request) -> Response:
        """Get the answer from wherever redirects lead; its ``url`` says where that was."""
        hops = 0
        response = self._ask_patiently(request)
        while (following := next_hop(request, response, hops=hops)) is not None:
            request, hops = following, hops + 1
            response = self._ask_patiently(request)
        return response

    def _ask_patiently(self, request: Request) -> Response:
        answers_before = self._patience.answers(request.origin)
        for attempt in range(1, ATTEMPTS + 1):
            self._wait_for_turn(request.origin)
            try:
                response = self._ask(request)
            except TransportFailure as failure:
                if attempt == ATTEMPTS or not failure.is_worth_repeating:
                    raise self._last_word(failure, request, answers_before) from failure
                self._clock.sleep(guessed_pause_seconds(attempt, jitter=self._jitter()))
            else:
                pause = self._pause_after(request, response, attempt)
                if pause is None:
                    return response
                self._pause(request.origin, pause, everybody=concerns_everybody(response))
        raise AssertionError("the last attempt returns or raises")

    def _ask(self, request: Request) -> Response:
        started = self._clock.monotonic()
        try:
            response = self._transport.send(request)
        except TransportFailure as failure:
            self.say(f"{request}: {failure}")
            raise
        self._patience.note_answer(request.origin)
        self._announcements.pass_on(response)
        milliseconds = (self._clock.monotonic() - started) * 1000
        self.say(f"{request}: {response.status}, {len(response.body)} bytes, {milliseconds:.0f} ms")
        return response

    def _wait_for_turn(self, origin: Origin) -> None:
        silence = self._patience.find_reason_for_silence(origin)
        if silence is not None:
            raise TemporaryError(silence.message, details=silence.details, hint=silence.hint)
        pause = self._patience.not_before(origin) - self._clock.monotonic()
        if pause > 0:
            self._clock.sleep(pause)

    def _pause_after(self, request: Request, response: Response, attempt: int) -> float | None:
        """Seconds to wait before asking again, ``None`` if this answer is the last."""
        if attempt == ATTEMPTS or not is_worth_repeating(request, response):
            return None
        asked_for = read_retry_after(response, now=self._clock.now())
        if asked_for is None:
            return guessed_pause_seconds(attempt, jitter=self._jitter())
        return asked_for if asked_for <= MAX_PAUSE_SECONDS else None

    def _pause(self, origin: Origin, seconds: float, *, everybody: bool) -> None:
        if everybody:
            self._patience.hold(origin, until=self._clock.monotonic() + seconds)
        else:
            self._clock.sleep(seconds)

    def _last_word(self, failure: TransportFailure, request: Request, answers_before: int) -> RegistryError:
        error = error_of(failure, request)
        if failure.kind is not FailureKind.TOO_LARGE and isinstance(error, TemporaryError):
            self._patience.give_up(request.origin, error, answers_before=answers_before)
        return error

    def say(self, line: str) -> None:
        """Trace what happens; the line must hold no secret."""
        if self._trace is not None:
            self._trace(line)

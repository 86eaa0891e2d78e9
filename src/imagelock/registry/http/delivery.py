"""Bring a request to its answer: wait for one's turn, repeat what is worth it, follow redirects."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Protocol

from imagelock.errors import RegistryError, TemporaryError
from imagelock.model.reference import RegistryName
from imagelock.registry.http.announcements import Announcements
from imagelock.registry.http.clock import Clock
from imagelock.registry.http.failures import FailureKind, TransportFailure, error_of
from imagelock.registry.http.messages import Request, Response
from imagelock.registry.http.patience import Patience
from imagelock.registry.http.redirects import next_hop
from imagelock.registry.http.retrying import (
    ATTEMPTS,
    MAX_PAUSE_SECONDS,
    concerns_everybody,
    guessed_pause_seconds,
    is_worth_repeating,
    read_retry_after,
)
from imagelock.registry.http.urls import Origin


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

"""Credentials of this run: found once, and never shown again where they were refused.

Docker Hub locks an account after a few failed logins, and twenty images must not be twenty attempts.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Protocol

from imagelock.registry.auth.credentials import Credentials, FoundCredentials
from imagelock.registry.http.messages import Response
from imagelock.registry.http.urls import Origin


class CredentialSource(Protocol):
    """Where credentials are looked for."""

    def find(self, host: str, path: str) -> FoundCredentials | None:
        """Return the credentials of a repository, ``None`` if nobody left any; a broken file or helper is an error."""
        ...


class NoCredentials:
    """For ``--anonymous``, and for hosts that we were only sent to."""

    def find(self, host: str, path: str) -> None:
        """There are none."""


class Keyring:
    """Remembers who refused what. Thread-safe; the source is opened when the first registry wants a login."""

    def __init__(self, open_source: Callable[[], CredentialSource]) -> None:
        self._open_source = open_source
        self._source: CredentialSource | None = None
        self._lock = Lock()
        self._refusals: dict[tuple[Origin, Credentials], Response] = {}

    def find(self, host: str, path: str) -> FoundCredentials | None:
        """Return the credentials of a repository."""
        with self._lock:
            if self._source is None:
                self._source = self._open_source()
        return self._source.find(host, path)

    def note_refusal(self, origin: Origin, found: FoundCredentials, response: Response) -> None:
        """Remember that this server didn't take these credentials."""
        with self._lock:
            self._refusals[origin, found.credentials] = response

    def find_refusal(self, origin: Origin, found: FoundCredentials | None) -> Response | None:
        """Say what the server said to these credentials when it refused them."""
        with self._lock:
            return self._refusals.get((origin, found.credentials)) if found else None

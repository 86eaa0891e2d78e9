"""Credentials as values that hide their secrets in a traceback, a log line or a ``repr``, and those of one run.

Docker Hub locks an account after a few failed logins, so credentials that a server refused are not sent to it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from threading import Lock
from typing import Protocol

import httpx

from imagelock.model.frozen import frozen
from imagelock.registry.http.addresses import Login, Origin

IDENTITY_TOKEN_USER = "<token>"  # noqa: S105  a marker that helpers use, not a password
"""The user name under which credential helpers hand out an identity token."""


@frozen
class IdentityToken:
    """A long-lived token that a token server exchanges for short ones."""

    token: str = field(repr=False)
    login: Login | None = None
    """Stored with it; for token servers that exchange no identity token."""


@frozen
class RegistryToken:
    """A token that the registry itself takes; nothing is exchanged."""

    token: str = field(repr=False)


Credentials = Login | IdentityToken | RegistryToken


def login_of(credentials: Credentials) -> Login | None:
    """Return the user name and password among credentials, if there are any."""
    match credentials:
        case Login():
            return credentials
        case IdentityToken(login=login):
            return login
        case RegistryToken():
            return None


@frozen
class FoundCredentials:
    """Credentials, and the file or helper that they were found in, for errors."""

    credentials: Credentials
    source: str


class CredentialSource(Protocol):
    """Finds credentials."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What was passed over, and why: it may hold credentials."""
        ...

    def find(self, host: str, path: str) -> FoundCredentials | None:
        """Return the credentials of a repository, ``None`` if there are none; a broken file or helper is an error."""
        ...

    def close(self) -> None:
        """End what ``find`` waits for in other threads."""
        ...


class NoCredentials:
    """The source of ``--anonymous``."""

    problems: tuple[str, ...] = ()

    def find(self, host: str, path: str) -> None:
        """Return ``None``."""

    def close(self) -> None:
        """Do nothing."""


class Keyring:
    """Credentials of a run, and which server refused which. Thread-safe; the source is opened at the first use."""

    def __init__(self, open_source: Callable[[], CredentialSource]) -> None:
        self._open_source = open_source
        self._source: CredentialSource | None = None
        self._is_closed = False
        self._lock = Lock()
        self._refusals: dict[tuple[Origin, Credentials], httpx.Response] = {}

    def find(self, host: str, path: str) -> FoundCredentials | None:
        """Return the credentials of a repository."""
        with self._lock:
            if self._source is None:
                self._source = self._open_source()
                if self._is_closed:
                    self._source.close()
        return self._source.find(host, path)

    @property
    def problems(self) -> tuple[str, ...]:
        """What was passed over in the search for credentials, until now."""
        return () if self._source is None else self._source.problems

    def close(self) -> None:
        """End what ``find`` waits for in other threads."""
        with self._lock:
            self._is_closed = True
            if self._source is not None:
                self._source.close()

    def note_refusal(self, origin: Origin, found: FoundCredentials, response: httpx.Response) -> None:
        """Remember the response in which a server refused credentials."""
        with self._lock:
            self._refusals[origin, found.credentials] = response

    def find_refusal(self, origin: Origin, found: FoundCredentials | None) -> httpx.Response | None:
        """Return the response in which the server refused these credentials, ``None`` if it did not."""
        with self._lock:
            return self._refusals.get((origin, found.credentials)) if found else None

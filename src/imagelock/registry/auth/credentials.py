"""Credentials, whose secrets a ``repr`` never shows, and the keyring of one run.

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
"""The user name with which credential helpers mark an identity token."""


@frozen
class IdentityToken:
    """A long-lived token that a token server exchanges for short-lived ones."""

    token: str = field(repr=False)
    login: Login | None = None
    """A login that was stored with it, for token servers that do not support the exchange."""


@frozen
class RegistryToken:
    """A token for the registry itself, sent without an exchange."""

    token: str = field(repr=False)


Credentials = Login | IdentityToken | RegistryToken


def login_of(credentials: Credentials) -> Login | None:
    """Return the user name and password in credentials, if they have any."""
    match credentials:
        case Login():
            return credentials
        case IdentityToken(login=login):
            return login
        case RegistryToken():
            return None


@frozen
class FoundCredentials:
    """Credentials, and the file or helper that they came from, for error messages."""

    credentials: Credentials
    source: str


class CredentialSource(Protocol):
    """Finds credentials."""

    @property
    def problems(self) -> tuple[str, ...]:
        """The files and helpers that were skipped, each with the reason."""
        ...

    def find(self, host: str, path: str) -> FoundCredentials | None:
        """Return the credentials for a repository, ``None`` if there are none; ``FileError`` for an invalid file."""
        ...

    def close(self) -> None:
        """End the helper for which ``find`` waits in another thread."""
        ...


class NoCredentials:
    """The credential source of ``--anonymous``."""

    problems: tuple[str, ...] = ()

    def find(self, host: str, path: str) -> None:
        """Return ``None``."""

    def close(self) -> None:
        """Do nothing."""


class Keyring:
    """The credentials of a run, and the servers that refused them. Thread-safe; the source opens at the first use."""

    def __init__(self, open_source: Callable[[], CredentialSource]) -> None:
        self._open_source = open_source
        self._source: CredentialSource | None = None
        self._is_closed = False
        self._lock = Lock()
        self._refusals: dict[tuple[Origin, Credentials], httpx.Response] = {}

    def find(self, host: str, path: str) -> FoundCredentials | None:
        """Return the credentials for a repository, ``None`` if there are none."""
        with self._lock:
            if self._source is None:
                self._source = self._open_source()
                if self._is_closed:
                    self._source.close()
        return self._source.find(host, path)

    @property
    def problems(self) -> tuple[str, ...]:
        """The files and helpers that were skipped until now, each with the reason."""
        return () if self._source is None else self._source.problems

    def close(self) -> None:
        """End the helper for which ``find`` waits in another thread."""
        with self._lock:
            self._is_closed = True
            if self._source is not None:
                self._source.close()

    def note_refusal(self, origin: Origin, found: FoundCredentials, response: httpx.Response) -> None:
        """Store the response in which a server refused credentials."""
        with self._lock:
            self._refusals[origin, found.credentials] = response

    def find_refusal(self, origin: Origin, found: FoundCredentials | None) -> httpx.Response | None:
        """Return the response in which a server refused these credentials, if it did."""
        with self._lock:
            return self._refusals.get((origin, found.credentials)) if found else None

"""Credentials, as values that don't show their secrets in a traceback, a log line or a ``repr``."""

from __future__ import annotations

from dataclasses import field

from imagelock.model.frozen import frozen

IDENTITY_TOKEN_USER = "<token>"  # noqa: S105  a marker that helpers use, not a password
"""The user name under which credential helpers hand out an identity token."""


@frozen
class Login:
    """A user name and a password, or what a registry takes for one."""

    username: str
    password: str = field(repr=False)


@frozen
class IdentityToken:
    """A long-lived token that a token server exchanges for short ones."""

    token: str = field(repr=False)
    login: Login | None = None
    """What stood beside it, for token servers that exchange nothing."""


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
    """Credentials, and in which file or helper they were found, so that an error can say so."""

    credentials: Credentials
    source: str

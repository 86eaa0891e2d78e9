"""Parse ``WWW-Authenticate`` challenges, and check the token servers that they name.

https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1, parsed as leniently as registries write it: several challenges
on one line, missing commas, semicolons, unquoted URLs. Linear in the length of the header.

A registry that may name any URL as its token server can send requests into the user's network, or have the user's
password sent to a host of its choice (CVE-2026-48978, CVE-2026-33540, CVE-2019-10214).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import httpx

from imagelock.errors import UnusableAnswerError, printable
from imagelock.model.frozen import frozen
from imagelock.model.secrets import mask_secrets
from imagelock.registry.http.addresses import InvalidUrlError, is_loopback
from imagelock.registry.http.urls import find_objection, join_url, origin_of

_MAX_LENGTH = 8192
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAMETER = re.compile(rf'({_WORD})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^",; \t]+))', re.ASCII)
_SCHEME = re.compile(rf"({_WORD})(?=[ \t,]|$)", re.ASCII)
_SEPARATORS = " \t,;"


@frozen
class Challenge:
    """A scheme and its parameters, with lower-case names; the first of two equal names applies."""

    scheme: str
    parameters: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """Return a parameter; an empty string if it is missing."""
        return dict(self.parameters).get(name, "")


@frozen
class BearerChallenge:
    """The host requires a token of the realm's token server."""

    realm: str
    """As written: it may be relative to the request's URL, and is not checked yet."""
    service: str = ""
    scopes: tuple[str, ...] = ()
    error: str = ""


@frozen
class BasicChallenge:
    """The host requires a user name and a password."""


def parse_challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """Return every challenge of every ``WWW-Authenticate`` line; unreadable ones are left out."""
    return tuple(challenge for value in values for challenge in _challenges_of_line(value[:_MAX_LENGTH]))


def choose_challenge(challenges: Iterable[Challenge]) -> BearerChallenge | BasicChallenge | None:
    """Return the preferred challenge, Bearer before Basic in any order; ``None`` if neither is there."""
    challenges = tuple(challenges)
    for challenge in challenges:
        if challenge.scheme == "bearer" and challenge.get("realm"):
            return BearerChallenge(
                realm=challenge.get("realm"),
                service=challenge.get("service"),
                scopes=tuple(challenge.get("scope").split()),
                error=challenge.get("error"),
            )
    return BasicChallenge() if any(challenge.scheme == "basic" for challenge in challenges) else None


def _challenges_of_line(line: str) -> Iterator[Challenge]:
    position, scheme = 0, ""
    parameters: dict[str, str] = {}
    while position < len(line):
        if line[position] in _SEPARATORS:
            position += 1
            continue
        parameter = _PARAMETER.match(line, position) if scheme else None
        match = parameter or _SCHEME.match(line, position)
        if match is None:
            break
        if parameter:
            parameters.setdefault(parameter[1].lower(), _value(parameter))
        else:
            yield from _finished(scheme, parameters)
            scheme, parameters = match[1].lower(), {}
        position = match.end()
    yield from _finished(scheme, parameters)


def _finished(scheme: str, parameters: Mapping[str, str]) -> Iterator[Challenge]:
    if scheme:
        yield Challenge(scheme, tuple(parameters.items()))


def _value(match: re.Match[str]) -> str:
    quoted, bare = match[2], match[3]
    return bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)


def check_realm(realm: str, *, asked: httpx.URL) -> httpx.URL:
    """Return the URL of a realm in the response to ``asked``; ``UnusableAnswerError`` if it must not be requested."""
    try:
        url = join_url(asked, realm)
    except InvalidUrlError as error:
        raise _refusal(realm, asked, str(error)) from error
    reason = find_objection(url, asked=asked)
    origin, asked_origin = origin_of(url), origin_of(asked)
    if reason is None and not origin.is_encrypted and origin != asked_origin and is_loopback(asked_origin.host):
        # http was only allowed for the registry on this machine, and this token server is on another one.
        reason = "it is not encrypted"
    if reason is not None:
        raise _refusal(realm, asked, reason)
    return url


def _refusal(realm: str, asked: httpx.URL, reason: str) -> UnusableAnswerError:
    return UnusableAnswerError(
        f"{origin_of(asked).host_and_port} names a token server that must not be asked: {reason}",
        details=[f"realm: {printable(mask_secrets(realm))}"],
        hint="report it to the operator of this registry: no client should follow that address",
    )

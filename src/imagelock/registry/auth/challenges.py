"""``WWW-Authenticate``: what a registry asks for before it answers, and which token servers it may name.

https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1, read as leniently as the registries write it: several challenges
on one line, missing commas, semicolons, unquoted addresses. Linear in the length of the header.

A registry that could name any address as its token server would make us its messenger inside the user's network, or
have the user's password sent to a host of its choice (CVE-2026-48978, CVE-2026-33540, CVE-2019-10214).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import httpx

from imagelock.errors import InvalidContentError, printable
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
    """A scheme in lower case with its parameters, names in lower case; of two with one name the first counts."""

    scheme: str
    parameters: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """Return the parameter, or nothing."""
        return dict(self.parameters).get(name, "")


@frozen
class BearerChallenge:
    """The host wants a token of the realm's token server."""

    realm: str
    """As written: perhaps relative to the request's URL, and not checked yet."""
    service: str = ""
    scopes: tuple[str, ...] = ()
    error: str = ""


@frozen
class BasicChallenge:
    """The host wants a user name and a password."""


def parse_challenges(values: Iterable[str]) -> tuple[Challenge, ...]:
    """Return every challenge of every ``WWW-Authenticate`` line; what can't be read is left out."""
    return tuple(challenge for value in values for challenge in _challenges_of_line(value[:_MAX_LENGTH]))


def choose_challenge(challenges: Iterable[Challenge]) -> BearerChallenge | BasicChallenge | None:
    """Return the best challenge that can be met: a token before a password, whatever their order."""
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
    """Return the URL of a realm in the response of ``asked``; ``InvalidContentError`` if it must not be followed."""
    try:
        url = join_url(asked, realm)
    except InvalidUrlError as error:
        raise _refusal(realm, asked, str(error)) from error
    reason = find_objection(url, asked=asked)
    origin, asked_origin = origin_of(url), origin_of(asked)
    if reason is None and not origin.is_encrypted and origin != asked_origin and is_loopback(asked_origin.host):
        # That a registry on this machine speaks http was not declared, and its token server is elsewhere.
        reason = "it is not encrypted"
    if reason is not None:
        raise _refusal(realm, asked, reason)
    return url


def _refusal(realm: str, asked: httpx.URL, reason: str) -> InvalidContentError:
    return InvalidContentError(
        f"{origin_of(asked).host_and_port} names a token server that must not be asked: {reason}",
        details=[f"realm: {printable(mask_secrets(realm))}"],
        hint="tell the people who run this registry: no client should follow that address",
    )

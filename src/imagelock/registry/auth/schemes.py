"""Authentication schemes of hosts: built in, remembered for a day, or discovered by one request.

A remembered scheme saves the request that would only be refused; a wrong one costs one request. The file has URLs and
no secrets: tokens are never written to disk.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from threading import Condition, Lock, get_ident
from typing import Any

import httpx

from imagelock.errors import InvalidContentError
from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName
from imagelock.registry.auth.challenges import check_realm
from imagelock.registry.content_cache import ACCESS_FILE_NAME, write_cache_file
from imagelock.registry.http.addresses import Origin
from imagelock.registry.http.backoff import Clock

_LIFETIME_SECONDS = 24 * 60 * 60
_MAX_BYTES = 1024 * 1024


@frozen
class Open:
    """The host needs no credentials."""


@frozen
class Basic:
    """The host requires a user name and a password with each request."""


@frozen(kw_only=True)
class Bearer:
    """The host requires a token of the realm's token server."""

    registry: RegistryName
    realm: httpx.URL
    service: str = ""
    takes_batches: bool = False
    """Whether one token may cover many repositories."""
    knows_batches: bool = True
    """``False`` if only a ``HEAD`` was refused, whose response has no body to tell it by."""
    is_remembered: bool = False
    """Whether it is not from a response of this run, so that a failure leads to a new discovery."""

    @property
    def public_token(self) -> str:
        """The fixed token for public repositories, which needs no token server; empty if none is known."""
        return _PUBLIC_TOKENS.get(self.registry, "")


Scheme = Open | Basic | Bearer

_BATCHING_SERVICES = frozenset({"registry.docker.io", "harbor-registry"})
_WELL_KNOWN = {
    "registry-1.docker.io": ("https://auth.docker.io/token", "registry.docker.io"),
    "ghcr.io": ("https://ghcr.io/token", "ghcr.io"),
    "quay.io": ("https://quay.io/v2/auth", "quay.io"),
    "registry.gitlab.com": ("https://gitlab.com/jwt/auth", "container_registry"),
    "public.ecr.aws": ("https://public.ecr.aws/token/", "public.ecr.aws"),
    "cgr.dev": ("https://cgr.dev/token", "cgr.dev"),
    "gcr.io": ("https://gcr.io/v2/token", "gcr.io"),
}
# GitHub's registry accepts any token for public packages; Homebrew relies on it.
_PUBLIC_TOKENS: Mapping[str, str] = {"ghcr.io": "QQ=="}


def find_well_known(registry: RegistryName, origin: Origin) -> Bearer | None:
    """Return the built-in scheme of a large public registry, which saves its first refusal."""
    host = origin.host_and_port
    if host not in _WELL_KNOWN or not origin.is_encrypted:
        return None
    realm, service = _WELL_KNOWN[host]
    return Bearer(
        registry=registry,
        realm=httpx.URL(realm),
        service=service,
        takes_batches=is_known_to_take_batches(service),
        is_remembered=True,
    )


def is_known_to_take_batches(service: str) -> bool:
    """Return whether a token service is known to issue tokens for many repositories."""
    return service in _BATCHING_SERVICES


class SchemeMemory:
    """The file of remembered schemes of all hosts. Thread-safe; an unreadable file counts as empty."""

    def __init__(self, directory: Path | None, *, clock: Clock) -> None:
        self._path = None if directory is None else directory / ACCESS_FILE_NAME
        self._now = clock.now().timestamp()
        self._lock = Lock()
        self._entries: dict[str, Any] = {} if self._path is None else _read(self._path)
        self._is_changed = False

    def find(self, registry: RegistryName, origin: Origin) -> Scheme | None:
        """Return the scheme of a host, if it was stored less than a day ago."""
        with self._lock:
            return _parse_entry(self._entries.get(str(origin)), registry, origin, now=self._now)

    def note(self, origin: Origin, scheme: Scheme) -> None:
        """Store the scheme that a host has in this run."""
        with self._lock:
            self._entries[str(origin)] = {**_dump_scheme(scheme), "at": self._now}
            self._is_changed = True

    def save(self) -> None:
        """Write the file if anything changed."""
        with self._lock:
            if self._path is not None and self._is_changed:
                write_cache_file(self._path, json.dumps(self._entries, indent=1, sort_keys=True).encode())
                self._is_changed = False


class Discovery:
    """The authentication scheme of one host, discovered once. Thread-safe.

    The first thread sends its request alone; the others block until it has seen the challenge.
    """

    def __init__(self, known: Scheme | None) -> None:
        self._changed = Condition()
        self._scheme = known
        self._leader: int | None = None

    @property
    def scheme(self) -> Scheme | None:
        """The scheme, if it is known."""
        with self._changed:
            return self._scheme

    def wait_or_lead(self) -> Scheme | None:
        """Wait for the scheme and return it; ``None`` if the caller's request is the first.

        The caller must then ``resolve`` or ``abandon``.
        """
        with self._changed:
            while self._scheme is None and self._leader is not None:
                self._changed.wait()
            if self._scheme is None:
                self._leader = get_ident()
            return self._scheme

    def resolve(self, scheme: Scheme) -> bool:
        """Set the scheme, in place of an earlier one, and return whether it changed."""
        with self._changed:
            is_changed = self._scheme != scheme
            self._scheme = scheme
            self._leader = None
            self._changed.notify_all()
            return is_changed

    def resolve_if_unknown(self, scheme: Scheme) -> bool:
        """Set the scheme unless it is known, and return whether it changed."""
        with self._changed:
            return self._scheme is None and self.resolve(scheme)

    def abandon(self) -> None:
        """Let another thread discover the scheme, if the calling one was to and did not."""
        with self._changed:
            if self._leader == get_ident():
                self._leader = None
                self._changed.notify_all()

    def invalidate(self, scheme: Scheme) -> None:
        """Drop a scheme that proved wrong, unless another one has replaced it meanwhile."""
        with self._changed:
            if self._scheme == scheme:
                self._scheme = None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _dump_scheme(scheme: Scheme) -> dict[str, object]:
    match scheme:
        case Open():
            return {"kind": "open"}
        case Basic():
            return {"kind": "basic"}
        case Bearer():
            return {
                "kind": "bearer",
                "realm": str(scheme.realm),
                "service": scheme.service,
                "batches": scheme.takes_batches if scheme.knows_batches else None,
            }


def _parse_entry(entry: object, registry: RegistryName, origin: Origin, *, now: float) -> Scheme | None:
    match entry:
        case {"at": float() as learned_at} if not 0 <= now - learned_at < _LIFETIME_SECONDS:
            return None
        case {"at": float(), "kind": "open"}:
            return Open()
        case {"at": float(), "kind": "basic"}:
            return Basic()
        case {
            "at": float(),
            "kind": "bearer",
            "realm": str(realm),
            "service": str(service),
            "batches": bool() | None as batches,
        }:
            return _remembered_bearer(registry, origin, realm, service, takes_batches=batches)
        case _:
            return None


def _remembered_bearer(
    registry: RegistryName, origin: Origin, realm: str, service: str, *, takes_batches: bool | None
) -> Bearer | None:
    """Return the scheme if its realm passes today's checks: another program or version may have written the file."""
    try:
        url = check_realm(realm, asked=httpx.URL(f"{origin}/v2/"))
    except InvalidContentError:
        return None
    return Bearer(
        registry=registry,
        realm=url,
        service=service,
        takes_batches=bool(takes_batches),
        knows_batches=takes_batches is not None,
        is_remembered=True,
    )

"""Authentication schemes of hosts: well known, remembered from the last run for a day, or discovered by one request.

What is remembered saves the request that would only be refused; if it is wrong, it costs one request. It holds
addresses, no secrets; tokens never reach the disk.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from threading import Condition, Lock, get_ident
from typing import Any

from imagelock.errors import InvalidContentError
from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName
from imagelock.registry.auth.challenges import check_realm
from imagelock.registry.content_cache import ACCESS_FILE_NAME, write_cache_file
from imagelock.registry.http.addresses import Origin
from imagelock.registry.http.backoff import Clock
from imagelock.registry.http.urls import Url

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
# GitHub's registry wants to see some token, and any will do for public packages; Homebrew relies on it.
_PUBLIC_TOKENS: Mapping[str, str] = {"ghcr.io": "QQ=="}

_LIFETIME_SECONDS = 24 * 60 * 60
_MAX_BYTES = 1024 * 1024


@frozen
class OpenAccess:
    """It answers everybody."""


@frozen
class BasicAccess:
    """It wants a user name and a password with each request."""


@frozen(kw_only=True)
class BearerAccess:
    """It wants a token of that realm."""

    registry: RegistryName
    realm: Url
    service: str = ""
    takes_batches: bool = False
    """Whether one token may be for many repositories."""
    is_remembered: bool = False
    """Nobody has said so in this run: a mistake must not cost more than a request."""

    @property
    def public_token(self) -> str:
        """What opens public repositories without asking for a token first; empty where nothing is known to."""
        return _PUBLIC_TOKENS.get(self.registry, "")


Access = OpenAccess | BasicAccess | BearerAccess


def find_well_known(registry: RegistryName, origin: Origin) -> BearerAccess | None:
    """Say what is known of the large public registries, so that the first request needn't be refused."""
    host = origin.host_and_port
    if host not in _WELL_KNOWN or not origin.is_encrypted:
        return None
    realm, service = _WELL_KNOWN[host]
    return BearerAccess(
        registry=registry,
        realm=Url.parse(realm),
        service=service,
        takes_batches=takes_batches(service),
        is_remembered=True,
    )


def takes_batches(service: str) -> bool:
    """Whether a token service is known to serve many repositories with one token."""
    return service in _BATCHING_SERVICES


class AccessMemory:
    """One file for all registries. Thread-safe; what can't be read is forgotten."""

    def __init__(self, directory: Path | None, *, clock: Clock) -> None:
        self._path = None if directory is None else directory / ACCESS_FILE_NAME
        self._now = clock.now().timestamp()
        self._lock = Lock()
        self._entries: dict[str, Any] = {} if self._path is None else _read(self._path)
        self._is_changed = False

    def find(self, registry: RegistryName, origin: Origin) -> Access | None:
        """How the registry wanted to be asked less than a day ago."""
        with self._lock:
            return _parse_entry(self._entries.get(str(origin)), registry, origin, now=self._now)

    def note(self, origin: Origin, access: Access) -> None:
        """Remember what was learned in this run."""
        with self._lock:
            self._entries[str(origin)] = {**_dump_access(access), "at": self._now}
            self._is_changed = True

    def save(self) -> None:
        """Write the file if there is something new to remember."""
        with self._lock:
            if self._path is not None and self._is_changed:
                write_cache_file(self._path, json.dumps(self._entries, indent=1, sort_keys=True).encode())
                self._is_changed = False


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _dump_access(access: Access) -> dict[str, object]:
    match access:
        case OpenAccess():
            return {"kind": "open"}
        case BasicAccess():
            return {"kind": "basic"}
        case BearerAccess():
            return {
                "kind": "bearer",
                "realm": str(access.realm),
                "service": access.service,
                "batches": access.takes_batches,
            }


def _parse_entry(entry: object, registry: RegistryName, origin: Origin, *, now: float) -> Access | None:
    match entry:
        case {"at": float() as learned_at} if not 0 <= now - learned_at < _LIFETIME_SECONDS:
            return None
        case {"at": float(), "kind": "open"}:
            return OpenAccess()
        case {"at": float(), "kind": "basic"}:
            return BasicAccess()
        case {"at": float(), "kind": "bearer", "realm": str(realm), "service": str(service), "batches": bool(batches)}:
            return _remembered_bearer(registry, origin, realm, service, takes_batches=batches)
        case _:
            return None


def _remembered_bearer(
    registry: RegistryName, origin: Origin, realm: str, service: str, *, takes_batches: bool
) -> BearerAccess | None:
    """Check the realm anew: the file could have been written by anybody, or under other rules."""
    try:
        url = check_realm(realm, asked=Url(origin, "/v2/"))
    except InvalidContentError:
        return None
    return BearerAccess(registry=registry, realm=url, service=service, takes_batches=takes_batches, is_remembered=True)


class FirstContact:
    """How a host wants to be asked, once somebody knows. Thread-safe."""

    def __init__(self, known: Access | None) -> None:
        self._changed = Condition()
        self._access = known
        self._first: int | None = None

    @property
    def access(self) -> Access | None:
        """What is known, without waiting."""
        with self._changed:
            return self._access

    def enter(self) -> Access | None:
        """Wait until it is known; ``None`` says that the caller is the first, and must ``settle`` or ``give_way``."""
        with self._changed:
            while self._access is None and self._first is not None:
                self._changed.wait()
            if self._access is None:
                self._first = get_ident()
            return self._access

    def settle(self, access: Access) -> bool:
        """Tell everybody, and return whether it is news; a later answer replaces an earlier one."""
        with self._changed:
            is_news = self._access != access
            self._access = access
            self._first = None
            self._changed.notify_all()
            return is_news

    def settle_if_unknown(self, access: Access) -> bool:
        """Tell everybody, unless somebody did, and return whether it is news."""
        with self._changed:
            return self._access is None and self.settle(access)

    def give_way(self) -> None:
        """Let the next one find out, if the calling thread was the first and didn't."""
        with self._changed:
            if self._first == get_ident():
                self._first = None
                self._changed.notify_all()

    def doubt(self, access: Access) -> None:
        """Forget what proved wrong, unless somebody learned better in the meantime."""
        with self._changed:
            if self._access == access:
                self._access = None

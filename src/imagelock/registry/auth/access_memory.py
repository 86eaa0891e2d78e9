"""What registries wanted to see the last time, for a day: it saves the request that would only be refused.

A wrong memory costs a request and no more. It holds addresses, no secrets; tokens never reach the disk.
"""

from __future__ import annotations

import json
from pathlib import Path
from threading import Lock
from typing import Any

from imagelock.errors import InvalidContentError
from imagelock.model.reference import RegistryName
from imagelock.registry.auth.access import Access, BasicAccess, BearerAccess, OpenAccess
from imagelock.registry.auth.realms import check_realm
from imagelock.registry.content_cache import ACCESS_FILE_NAME, write_cache_file
from imagelock.registry.http.clock import Clock
from imagelock.registry.http.urls import Origin, Url

_LIFETIME_SECONDS = 24 * 60 * 60
_MAX_BYTES = 1024 * 1024


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

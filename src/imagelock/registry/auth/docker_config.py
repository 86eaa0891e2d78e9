"""Find and parse the files that ``docker login`` and ``podman login`` write.

https://docs.docker.com/reference/cli/docker/login/ and containers-auth.json(5). Unknown keys are ignored; an unreadable
value is an error that names its place.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import sys
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from pathlib import Path
from typing import Any

from imagelock.errors import FileError
from imagelock.model.frozen import frozen
from imagelock.registry.auth.credentials import Credentials, IdentityToken, RegistryToken
from imagelock.registry.http.addresses import Login

_HINT = "run `docker login` again, repair the file, or use --anonymous for public images"
_ESCAPED_BYTES = frozenset(map(chr, range(0xDC80, 0xDD00)))
"""How Python represents bytes that are not UTF-8 (``surrogateescape``): a password may have any bytes."""
_RUN_FOLDER = Path("/run/containers")
"""`podman login` writes here, in a folder named by the user's number, if there is no session, as for root and in CI."""


@frozen
class AuthFile:
    """A parsed file of credentials, with the helpers that it names."""

    source: str
    """The path, or the name of the environment variable."""
    entries: tuple[tuple[str, Credentials], ...] = ()
    helpers: tuple[tuple[str, str], ...] = ()
    """Registry and helper, from ``credHelpers``."""
    default_helper: str = ""
    """From ``credsStore``: used for every registry without a helper of its own."""


def parse_auth_file(text: str, *, source: str) -> AuthFile:
    """Parse a file of either tool; ``FileError`` names the source and the key, never a secret."""
    document = _object(text, source)
    auths = document.get("auths")
    return AuthFile(
        source=source,
        entries=_entries(_mapping(auths, "auths", source), source),
        helpers=tuple(_strings(document.get("credHelpers"), "credHelpers", source).items()),
        default_helper=_string(document.get("credsStore"), "credsStore", source),
    )


def parse_legacy_auth_file(text: str, *, source: str) -> AuthFile:
    """Parse a .dockercfg: the ``auths`` of a config.json at the top level."""
    return AuthFile(source=source, entries=_entries(_object(text, source), source))


def _object(text: str, source: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text.removeprefix("\ufeff") or "{}")
    except (ValueError, RecursionError) as error:
        if not text.isascii() and any(character in _ESCAPED_BYTES for character in text):
            raise FileError(f"{source} can't be read", details=["it is neither UTF-8 nor JSON"], hint=_HINT) from error
        raise FileError(f"{source} is not JSON", hint=_HINT) from error
    return _mapping(document, "", source)


def _entries(auths: Mapping[str, Any], source: str) -> tuple[tuple[str, Credentials], ...]:
    found = ((key, _credentials(_mapping(entry, f"auths.{key}", source), key, source)) for key, entry in auths.items())
    return tuple((key, credentials) for key, credentials in found if credentials is not None)


def _credentials(entry: Mapping[str, Any], key: str, source: str) -> Credentials | None:
    """Return the credentials of an entry; ``None`` for an empty one, whose secret a helper has."""
    where = f"auths.{key}"
    registry_token = _string(entry.get("registrytoken"), f"{where}.registrytoken", source)
    if registry_token:
        return RegistryToken(registry_token)
    login = _login(entry, where, source)
    identity_token = _string(entry.get("identitytoken"), f"{where}.identitytoken", source)
    if identity_token:
        # `az acr login` also writes a user name with an empty password, which is not a login.
        return IdentityToken(identity_token, login if login and login.password else None)
    return login


def _login(entry: Mapping[str, Any], where: str, source: str) -> Login | None:
    encoded = _string(entry.get("auth"), f"{where}.auth", source)
    if encoded:
        return _decode_login(encoded, f"{where}.auth", source)
    username = _string(entry.get("username"), f"{where}.username", source, may_be_bytes=True)
    password = _string(entry.get("password"), f"{where}.password", source, may_be_bytes=True)
    return Login(username, password) if username and password else None


def _decode_login(encoded: str, where: str, source: str) -> Login | None:
    # `base64` breaks lines, and Docker's parser skips line breaks.
    line = "".join(encoded.splitlines())
    try:
        decoded = base64.b64decode(line + "=" * (-len(line) % 4), validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError) as error:
        raise _unreadable(source, where, "is not base64 of `user:password`") from error
    username, colon, password = decoded.partition(":")
    if not colon:
        raise _unreadable(source, where, "is not base64 of `user:password`")
    password = password.rstrip("\0")
    return Login(username, password) if username else None


def _mapping(value: object, where: str, source: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _unreadable(source, where, "must be an object")
    return value


def _strings(value: object, where: str, source: str) -> Mapping[str, str]:
    return {key: _string(text, f"{where}.{key}", source) for key, text in _mapping(value, where, source).items()}


def _string(value: object, where: str, source: str, *, may_be_bytes: bool = False) -> str:
    """Return a string, empty if missing; ``may_be_bytes`` allows surrogates for bytes that are not UTF-8."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _unreadable(source, where, "must be a string")
    surrogates = () if value.isascii() else [each for each in value if "\ud800" <= each <= "\udfff"]
    if not all(may_be_bytes and each in _ESCAPED_BYTES for each in surrogates):
        raise _unreadable(source, where, "has characters that are not Unicode")
    return value


def _unreadable(source: str, where: str, problem: str) -> FileError:
    return FileError(f"{source}: {where}{' ' if where else 'the document '}{problem}", hint=_HINT)


class AuthFileKind(Enum):
    """Which of the two formats a file has."""

    CURRENT = auto()
    LEGACY = auto()


@frozen
class AuthFileLocation:
    """A file that may hold credentials."""

    path: Path
    kind: AuthFileKind = AuthFileKind.CURRENT
    is_required: bool = False
    """Whether the file was named explicitly, so that a missing one is an error."""


def find_auth_files(
    environment: Mapping[str, str], *, home: Path, run_folder: Path = _RUN_FOLDER
) -> tuple[AuthFileLocation, ...]:
    """Return the files to read, in order; only that of ``REGISTRY_AUTH_FILE`` if it is set, as podman does."""
    chosen = environment.get("REGISTRY_AUTH_FILE")
    if chosen:
        return (AuthFileLocation(Path(chosen), is_required=True),)
    docker = Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    podman = (AuthFileLocation(folder / "auth.json") for folder in _podman_folders(environment, home, run_folder))
    return (AuthFileLocation(docker), *podman, AuthFileLocation(home / ".dockercfg", AuthFileKind.LEGACY))


def _podman_folders(environment: Mapping[str, str], home: Path, run_folder: Path) -> Iterator[Path]:
    if sys.platform == "linux" and environment.get("XDG_RUNTIME_DIR"):
        yield Path(environment["XDG_RUNTIME_DIR"]) / "containers"
    elif sys.platform == "linux":
        own = run_folder / str(os.getuid())
        # Other users may not enter the folder of root's podman, and have no files there.
        if os.access(own, os.X_OK):
            yield own
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "containers"

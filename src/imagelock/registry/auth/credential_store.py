"""Find credentials on this machine: environment, files and helpers, each read when the first registry wants a login."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock

from imagelock.errors import FileError
from imagelock.registry.auth.config_locations import AuthFileKind, AuthFileLocation, find_auth_files
from imagelock.registry.auth.credential_helpers import CredentialHelpers
from imagelock.registry.auth.credential_lookup import HelperQuestion, find_candidates
from imagelock.registry.auth.credentials import FoundCredentials
from imagelock.registry.auth.docker_config import AuthFile, parse_auth_file, parse_legacy_auth_file

_VARIABLE = "DOCKER_AUTH_CONFIG"
_PARSERS = {AuthFileKind.CURRENT: parse_auth_file, AuthFileKind.LEGACY: parse_legacy_auth_file}


class CredentialStore:
    """Everything that ``docker login`` and ``podman login`` left. Thread-safe."""

    def __init__(self, environment: Mapping[str, str], *, home: Path) -> None:
        self._environment = environment
        self._home = home
        self._helpers = CredentialHelpers(environment)
        self._lock = Lock()
        self._files: tuple[AuthFile, ...] | None = None
        self._found: dict[tuple[str, str], FoundCredentials | None] = {}

    def find(self, host: str, path: str) -> FoundCredentials | None:
        """Return the credentials of a repository, from the first place that has any."""
        with self._lock:
            if (host, path) not in self._found:
                self._found[host, path] = self._find(host, path)
            return self._found[host, path]

    def _find(self, host: str, path: str) -> FoundCredentials | None:
        if self._files is None:
            self._files = tuple(self._read_files())
        for auth_file in self._files:
            for candidate in find_candidates(auth_file, host, path):
                if not isinstance(candidate, HelperQuestion):
                    return FoundCredentials(candidate, auth_file.source)
                credentials = self._helpers.ask(candidate.helper, candidate.key)
                if credentials is not None:
                    return FoundCredentials(credentials, f"docker-credential-{candidate.helper}")
        return None

    def _read_files(self) -> Iterator[AuthFile]:
        locations = find_auth_files(self._environment, home=self._home)
        text = self._environment.get(_VARIABLE)
        if text and not any(location.is_required for location in locations):
            yield parse_auth_file(text, source=_VARIABLE)
        for location in locations:
            content = _read(location)
            if content is not None:
                yield _PARSERS[location.kind](content, source=str(location.path))


def _read(location: AuthFileLocation) -> str | None:
    try:
        return location.path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        if location.is_required:
            raise FileError(f"{location.path} does not exist", hint="look at REGISTRY_AUTH_FILE") from error
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{location.path} can't be read", details=[str(error)]) from error

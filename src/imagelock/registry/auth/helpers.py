"""Run ``docker-credential-NAME`` programs, one at a time, with limits; their output is never shown.

https://github.com/docker/docker-credential-helpers#development
"""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import time
from collections.abc import Mapping
from threading import Lock
from typing import IO

from imagelock.errors import AuthenticationError, RegistryError
from imagelock.project.programs import find_program
from imagelock.registry.auth.credentials import IDENTITY_TOKEN_USER, Credentials, IdentityToken
from imagelock.registry.http.addresses import Login

_NAME = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_NOT_FOUND_MESSAGE = "credentials not found in native keychain"

_TIME_LIMIT_SECONDS = 30.0
_POLL_SECONDS = 0.1
_MAX_OUTPUT_BYTES = 64 * 1024


def helper_program(helper: str) -> str:
    """Return the program's name; an error for a name with a slash or a dot, which could run any program."""
    if not _NAME.fullmatch(helper):
        raise AuthenticationError(
            f"{helper!r} is not a valid name of a credential helper",
            hint="use letters, digits, `_` and `-` only: check credHelpers and credsStore in config.json, and"
            " at credential-helpers in registries.conf",
        )
    return f"docker-credential-{helper}"


def read_helper_output(output: bytes, *, program: str, has_failed: bool) -> Credentials | None:
    """Return the credentials in a helper's output, ``None`` if it has none; the output is never shown."""
    if has_failed:
        if output.decode("utf-8", "replace").strip() == _NOT_FOUND_MESSAGE:
            return None
        raise AuthenticationError(f"the credential helper {program} failed", hint=_hint(program))
    try:
        document = json.loads(output.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError) as error:
        raise AuthenticationError(
            f"the credential helper {program} printed something other than JSON", hint=_hint(program)
        ) from error
    fields = document if isinstance(document, dict) else {}
    username, secret = fields.get("Username"), fields.get("Secret")
    if not isinstance(username, str) or not isinstance(secret, str):
        raise AuthenticationError(
            f"the credential helper {program} printed JSON without a user name and a secret", hint=_hint(program)
        )
    if not secret:
        return None
    return IdentityToken(secret) if username == IDENTITY_TOKEN_USER else Login(username, secret)


def _hint(program: str) -> str:
    return f"run `echo REGISTRY | {program} get`, or use --anonymous for public images"


class HelperTimeoutError(AuthenticationError):
    """A helper exceeded the time limit."""


class CredentialHelpers:
    """Runs each helper once a registry. Thread-safe: one at a time, since some helpers hang when two run."""

    def __init__(self, environment: Mapping[str, str], *, time_limit_seconds: float = _TIME_LIMIT_SECONDS) -> None:
        self._environment = dict(environment)
        self._time_limit_seconds = time_limit_seconds
        self._lock = Lock()
        self._timed_out: dict[str, AuthenticationError] = {}
        """Helpers that exceeded the time limit once: they are not run for another registry."""
        self._results: dict[tuple[str, str], Credentials | AuthenticationError | None] = {}
        self._running: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def get(self, helper: str, key: str) -> Credentials | None:
        """Return the credentials that a helper has for exactly this key; ``AuthenticationError`` if it fails."""
        helper_program(helper)
        with self._lock:
            if (helper, key) not in self._results:
                self._results[helper, key] = self._timed_out.get(helper) or self._run_or_error(helper, key)
            result = self._results[helper, key]
        if isinstance(result, AuthenticationError):
            raise result
        return result

    def close(self) -> None:
        """Kill the running helper: it may wait for the user, which must not delay the end of a run."""
        self._is_closed = True
        process = self._running
        if process is not None:
            process.kill()

    def _run_or_error(self, helper: str, key: str) -> Credentials | AuthenticationError | None:
        """Return the result or the error, which is cached: a time-out must not repeat for every image."""
        try:
            return self._run(helper_program(helper), key)
        except HelperTimeoutError as error:
            self._timed_out[helper] = error
            return error
        except AuthenticationError as error:
            return error

    def _run(self, program: str, key: str) -> Credentials | None:
        process = self._running = self._start(program, key)
        if self._is_closed:
            process.kill()
        try:
            output = self._exchange(process, key)
            has_failed = process.wait(self._time_limit_seconds) != 0
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            raise HelperTimeoutError(
                f"the credential helper {program} did not answer in {self._time_limit_seconds:g} seconds",
                hint=f"run `echo {key} | {program} get`: it may wait for you to unlock a key store",
            ) from error
        finally:
            self._running = None
            process.kill()
            process.wait()
        if self._is_closed:
            raise RegistryError("the run is over")
        return read_helper_output(output, program=program, has_failed=has_failed)

    def _start(self, program: str, key: str) -> subprocess.Popen[bytes]:
        path = find_program(program, self._environment)
        if path is None:
            raise AuthenticationError(
                f"the credential helper {program} is not installed",
                details=[f"the configuration has it for {key}"],
                hint="install it, remove it from the configuration, or use --anonymous",
            )
        try:
            return subprocess.Popen(  # noqa: S603  the name was checked, and no shell reads it
                [path, "get"],
                # Not in the working directory: a helper may be a shim that reads which version to run from a checkout.
                cwd="/",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=self._environment,
            )
        except OSError as error:
            raise AuthenticationError(
                f"the credential helper {program} cannot be started", details=[str(error)]
            ) from error

    def _exchange(self, process: subprocess.Popen[bytes], key: str) -> bytes:
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both are pipes")
        deadline = time.monotonic() + self._time_limit_seconds
        with process.stdin as entry, process.stdout as output:
            try:
                entry.write(key.encode())
                entry.close()
            except BrokenPipeError:
                pass  # It did not read its input; its output is used nevertheless.
            return _read_until(output, deadline, process)


def _read_until(pipe: IO[bytes], deadline: float, process: subprocess.Popen[bytes]) -> bytes:
    """Return the output up to its end or the size limit; ``TimeoutError`` at the deadline.

    It also ends with the process: a program that a helper left behind may keep the pipe open.
    """
    output = bytearray()
    while len(output) <= _MAX_OUTPUT_BYTES:
        has_ended, remaining = process.poll() is not None, deadline - time.monotonic()
        ready, _, _ = select.select([pipe], [], [], 0 if has_ended else max(0.0, min(_POLL_SECONDS, remaining)))
        if not ready and has_ended:
            break
        if not ready and remaining <= 0:
            raise TimeoutError
        if not ready:
            continue
        piece = os.read(pipe.fileno(), _MAX_OUTPUT_BYTES)
        if not piece:
            break
        output += piece
    return bytes(output)

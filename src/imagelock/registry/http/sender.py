"""Send a request until there is a final response or an error: back-off, retries, redirects, warnings and the trace.

Redirects are followed one hop at a time: a library that follows them by itself does so with credentials. A host that we
were redirected to gets no credentials of the host that sent us (CVE-2020-15157, GHSA-vh4v-2xq2-g5cg). ``Warning``
headers: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#warnings

The hint of an error must be able to help: a file of authorities neither renews a certificate nor makes it one for
another host.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from threading import Lock

import httpx

from imagelock.errors import InvalidContentError, RegistryError, TemporaryError, printable
from imagelock.model.secrets import mask_secrets
from imagelock.registry.http import FailureKind, TransportFailure
from imagelock.registry.http.addresses import Origin
from imagelock.registry.http.backoff import (
    ATTEMPTS,
    MAX_PAUSE_SECONDS,
    Backoff,
    Clock,
    backoff_seconds,
    concerns_all_requests,
    is_worth_repeating,
    read_retry_after,
)
from imagelock.registry.http.messages import describe, next_hop, read_body, redirect_refused, rules_of
from imagelock.registry.http.urls import origin_of, shown

_WARNING = re.compile(r'299 - "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_MAX_WARNINGS_LENGTH = 4096
"""Of all warnings of a response together, as in the specification."""
_THIS_MACHINE = "localhost"
_RETRY_HINT = "run the same command again later"


def hide_queries(record: logging.LogRecord) -> bool:
    """Hide the queries of URLs in httpx's log records: signed URLs are secrets, and it logs each request at INFO."""
    if isinstance(record.args, tuple):
        record.args = tuple(shown(value) if isinstance(value, httpx.URL) else value for value in record.args)
    return True


logging.getLogger("httpx").addFilter(hide_queries)


class Sender:
    """Sends requests by ``httpx.Client`` over a transport of our own. Thread-safe.

    The client neither follows redirects nor keeps cookies, and does not read the environment.
    """

    def __init__(
        self,
        transport: httpx.BaseTransport,
        *,
        clock: Clock,
        trace: Callable[[str], None] | None = None,
        warn: Callable[[str], None] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._client = httpx.Client(transport=transport, trust_env=False, cookies=no_cookies)
        self._clock = clock
        self._trace = trace
        self._jitter = jitter
        self._backoff = Backoff()
        self._warnings = Warnings(warn)

    def send(self, request: httpx.Request) -> httpx.Response:
        """Return the response after redirects, of any status; its ``url`` is the final one.

        The body is decoded, and limited by the request's rules; with ``is_streamed`` that of a 2xx is not read yet.
        ``RegistryError`` if there is no response, or a redirect that must not be followed.
        """
        hops = 0
        response = self._send_with_retries(request)
        while (following := next_hop(request, response, hops=hops)) is not None:
            request, hops = following, hops + 1
            response = self._send_with_retries(request)
        return response

    def trace(self, line: str) -> None:
        """Pass a line to the trace; it must not hold secrets."""
        if self._trace is not None:
            self._trace(line)

    def _send_with_retries(self, request: httpx.Request) -> httpx.Response:
        origin = origin_of(request.url)
        responses_before = self._backoff.count_responses(origin)
        for attempt in range(1, ATTEMPTS + 1):
            self._wait_for_backoff(origin)
            try:
                response = self._send_once(request, origin)
            except TransportFailure as failure:
                if attempt == ATTEMPTS or not failure.is_worth_repeating:
                    raise self._final_error(failure, request, responses_before) from failure
                self._clock.sleep(backoff_seconds(attempt, jitter=self._jitter()))
            else:
                pause = self._pause_after(request, response, attempt)
                if pause is None:
                    return response
                if concerns_all_requests(response):
                    self._backoff.pause_until(origin, self._clock.monotonic() + pause)
                else:
                    self._clock.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _send_once(self, request: httpx.Request, origin: Origin) -> httpx.Response:
        started = self._clock.monotonic()
        try:
            response = self._exchange(request)
        except TransportFailure as failure:
            self.trace(f"{describe(request)}: {failure}")
            raise
        self._backoff.note_response(origin)
        self._warnings.report(response)
        if self._trace is not None:
            length = "a stream" if not response.is_closed else f"{len(response.content)} bytes"
            milliseconds = (self._clock.monotonic() - started) * 1000
            self.trace(f"{describe(request)}: {response.status_code}, {length}, {milliseconds:.0f} ms")
        return response

    def _exchange(self, request: httpx.Request) -> httpx.Response:
        rules = rules_of(request)
        try:
            response = self._client.send(request, stream=True)
        except (httpx.RemoteProtocolError, httpx.InvalidURL, ValueError) as error:
            # The client parses the ``Location`` of every redirect, although it does not follow it.
            raise redirect_refused(request, "it cannot be parsed") from error
        if rules.is_streamed and response.is_success:
            return response
        try:
            body = _read_whole(response, is_head=request.method == "HEAD", max_bytes=rules.max_body_bytes)
        finally:
            response.close()
        # httpx would decode the content again if the header were still there.
        headers = [line for line in response.headers.raw if line[0].lower() != b"content-encoding"]
        return httpx.Response(response.status_code, headers=headers, content=body, request=request)

    def _wait_for_backoff(self, origin: Origin) -> None:
        unreachable = self._backoff.unreachable_error(origin)
        if unreachable is not None:
            raise TemporaryError(unreachable.message, details=unreachable.details, hint=unreachable.hint)
        pause = self._backoff.not_before(origin) - self._clock.monotonic()
        if pause > 0:
            self._clock.sleep(pause)

    def _pause_after(self, request: httpx.Request, response: httpx.Response, attempt: int) -> float | None:
        """Return the seconds to wait before a retry; ``None`` if this response is final."""
        if attempt == ATTEMPTS or response.is_success or not is_worth_repeating(response, method=request.method):
            return None
        asked_for = read_retry_after(response, now=self._clock.now())
        if not asked_for:  # at once, as `Retry-After: 0` asks for, it would be as busy as before
            return backoff_seconds(attempt, jitter=self._jitter())
        return asked_for if asked_for <= MAX_PAUSE_SECONDS else None

    def _final_error(self, failure: TransportFailure, request: httpx.Request, responses_before: int) -> RegistryError:
        error = error_of(failure, request)
        if failure.kind is not FailureKind.TOO_LARGE and isinstance(error, TemporaryError):
            self._backoff.mark_unreachable(origin_of(request.url), error, responses_before=responses_before)
        return error


def _read_whole(response: httpx.Response, *, is_head: bool, max_bytes: int) -> bytes:
    chunks = response.iter_raw()
    if is_head:
        # There is no body, whatever length the headers claim; the connection can be reused only after its end.
        return b"".join(chunks)
    return read_body(chunks, status=response.status_code, headers=response.headers, max_bytes=max_bytes)


class Warnings:
    """Reports each text of ``Warning`` headers once a host. Thread-safe."""

    def __init__(self, warn: Callable[[str], None] | None) -> None:
        self._warn = warn
        self._lock = Lock()
        self._reported: set[tuple[Origin, str]] = set()

    def report(self, response: httpx.Response) -> None:
        """Report the new warnings of a response."""
        if self._warn is None or "warning" not in response.headers:
            return
        origin = origin_of(response.url)
        for warning in read_warnings(response.headers):
            with self._lock:
                is_new = (origin, warning) not in self._reported
                self._reported.add((origin, warning))
            if is_new:
                self._warn(f"{origin.host_and_port} says: {warning}")


def read_warnings(headers: httpx.Headers) -> Iterator[str]:
    """Yield the texts of ``Warning: 299 - "…"`` headers; the other codes concern caches."""
    remaining = _MAX_WARNINGS_LENGTH
    for line in headers.get_list("warning"):
        remaining -= len(line)
        if remaining < 0:
            return
        warning = _WARNING.fullmatch(line)
        if warning is not None and warning[1]:
            yield printable(mask_secrets(_ESCAPED.sub(r"\1", warning[1])), max_length=_MAX_WARNINGS_LENGTH)


def error_of(failure: TransportFailure, request: httpx.Request) -> RegistryError:
    """Return the error for a request without a response."""
    host, registry = origin_of(request.url).host_and_port, rules_of(request).registry
    about_tls = _tls_error(failure, host=host, registry=registry)
    if about_tls is not None:
        return about_tls
    origin = origin_of(request.url)
    if origin.host_and_port == _THIS_MACHINE and failure.kind is not FailureKind.TOO_LARGE:
        # podman names images that it has built so: a retry would not help.
        return RegistryError(
            f"no registry at {origin.host}:{origin.port}",
            details=[str(failure)],
            hint="push it to a registry, or list it under `[external] names` if it is a local image of podman;"
            " a registry on this machine needs its port, as in localhost:5000",
        )
    match failure.kind:
        case FailureKind.TOO_LARGE:
            return InvalidContentError(
                f"the response of {host} is too large", details=[str(failure), describe(request)]
            )
        case FailureKind.NO_SUCH_HOST:
            hint = "check the spelling and the network"
            if not {".", ":"} & set(registry):
                hint = "check the spelling: names on Docker Hub are lower-case, and an address has a `.` or a port"
            return TemporaryError(f"{host} cannot be found", details=[str(failure)], hint=hint)
        case FailureKind.UNREADABLE:
            return TemporaryError(
                f"the response of {host} is not valid HTTP",
                details=[str(failure), describe(request)],
                hint=f"{_RETRY_HINT}; if it fails again, a proxy may change the response, or this is no registry",
            )
        case FailureKind.HANDSHAKE_CLOSED:
            return TemporaryError(f"no answer from {host}", details=[str(failure)], hint=_plain_http_hint(registry))
        case _:
            return TemporaryError(f"no answer from {host}", details=[str(failure)], hint=_RETRY_HINT)


def _tls_error(failure: TransportFailure, *, host: str, registry: str) -> RegistryError | None:
    """Return the error for a failure of TLS that a retry cannot fix; ``None`` for other failures."""
    table = f'[registries."{registry}"]'
    match failure.kind:
        case FailureKind.UNKNOWN_AUTHORITY:
            message = f"the certificate of {host} is not trusted"
            hint = f'name its authority in images.toml: {table} ca-file = "FILE.pem"'
        case FailureKind.OTHER_AUTHORITY:
            message = f"the certificate of {host} is not signed by an authority declared for {registry}"
            hint = "add the certificate of the authority that signed it to the file of `ca-file`, intermediate ones too"
        case FailureKind.CERTIFICATE_DATE:
            message = f"the certificate of {host}, or of its authority, has expired or is not valid yet"
            hint = "check this machine's clock; if it is right, ask the operator of that host to renew the certificate"
        case FailureKind.CERTIFICATE_NAME:
            message = f"the certificate of {host} is for another host"
            hint = "use a host name that the certificate has (as subjectAltName), or have it issued for this name"
        case FailureKind.CERTIFICATE:
            message = f"the certificate of {host} is not accepted"
            hint = f"inspect it with `openssl s_client -showcerts -connect {_with_port(host)}`"
        case FailureKind.CLIENT_CERTIFICATE:
            message = f"{host} requires a client certificate"
            hint = f"store it with its key in ~/.config/containers/certs.d/{host}/, as client.cert and client.key"
        case FailureKind.NO_COMMON_TLS:
            message = f"{host} and imagelock have no TLS version or cipher in common: it must be TLS 1.2 or 1.3"
            hint = (
                f"inspect it with `openssl s_client -connect {_with_port(host)}`: it may require a client certificate"
            )
        case FailureKind.NO_TLS:
            message, hint = f"{host} does not speak TLS", _plain_http_hint(registry)
        case _:
            return None
    return RegistryError(message, details=[str(failure)], hint=hint)


def _plain_http_hint(registry: str) -> str:
    return f'if it serves plain HTTP, set `plain-http = true` under `[registries."{registry}"]` in images.toml'


def _with_port(host: str) -> str:
    return host if host.rpartition(":")[2].isdigit() and not host.endswith("]") else f"{host}:443"

"""The error for a request that failed for good: what is wrong with the way to a server, and what can help.

What a hint says must be able to help: an authority in a file makes no certificate younger, nor is it one for another
host.
"""

from __future__ import annotations

import httpx

from imagelock.errors import InvalidContentError, RegistryError, TemporaryError
from imagelock.registry.http import FailureKind, TransportFailure
from imagelock.registry.http.messages import describe, rules_of
from imagelock.registry.http.urls import origin_of

_THIS_MACHINE = "localhost"
_TRY_LATER = "run the same command again when it answers"


def error_of(failure: TransportFailure, request: httpx.Request) -> RegistryError:
    """Return the error for a request that ended in a failure."""
    host, registry = origin_of(request.url).host_and_port, rules_of(request).registry
    about_tls = _about_tls(failure, host=host, registry=registry)
    if about_tls is not None:
        return about_tls
    origin = origin_of(request.url)
    if origin.host_and_port == _THIS_MACHINE and failure.kind is not FailureKind.TOO_LARGE:
        # Such names are podman's for what it has built: trying again later would not help.
        return RegistryError(
            f"no registry answers at {origin.host}:{origin.port}",
            details=[str(failure)],
            hint="a local image of podman is in no registry: push it to one, or name it under `[external] names`;"
            " a registry on this machine is named with its port, such as localhost:5000",
        )
    match failure.kind:
        case FailureKind.TOO_LARGE:
            return InvalidContentError(
                f"the response of {host} is too large", details=[str(failure), describe(request)]
            )
        case FailureKind.NO_SUCH_HOST:
            return TemporaryError(
                f"{host} can't be found", details=[str(failure)], hint="check the spelling and the network"
            )
        case FailureKind.GREETING_CLOSED:
            return TemporaryError(f"no answer from {host}", details=[str(failure)], hint=_plain_http(registry))
        case _:
            return TemporaryError(f"no answer from {host}", details=[str(failure)], hint=_TRY_LATER)


def _about_tls(failure: TransportFailure, *, host: str, registry: str) -> RegistryError | None:
    """Return the error for what trying again does not mend; ``None`` for other failures."""
    table = f'[registries."{registry}"]'
    match failure.kind:
        case FailureKind.UNKNOWN_AUTHORITY:
            message = f"the certificate of {host} is not trusted"
            hint = f'name its authority in images.toml: {table} ca-file = "FILE.pem"'
        case FailureKind.OTHER_AUTHORITY:
            message = f"the certificate of {host} is signed by none of the authorities that are declared for {registry}"
            hint = "add the certificate of the authority that signed it to the file of `ca-file`, intermediate ones too"
        case FailureKind.CERTIFICATE_DATE:
            message = f"the certificate of {host}, or of its authority, is out of date"
            hint = (
                "compare this machine's clock; if it is right, the people who run that host must renew the certificate"
            )
        case FailureKind.CERTIFICATE_NAME:
            message = f"the certificate of {host} is for another host"
            hint = "ask for it under a name that the certificate has (as subjectAltName), or have it made for this name"
        case FailureKind.CERTIFICATE:
            message = f"the certificate of {host} is not accepted"
            hint = f"look at it with `openssl s_client -showcerts -connect {_with_port(host)}`"
        case FailureKind.CLIENT_CERTIFICATE:
            message = f"{host} wants a certificate of ours"
            hint = f"put it and its key into ~/.config/containers/certs.d/{host}/, as client.cert and client.key"
        case FailureKind.NO_COMMON_TLS:
            message = f"{host} and we speak no common TLS: it must be version 1.2 or 1.3"
            hint = f"it may want a certificate of ours; look at it with `openssl s_client -connect {_with_port(host)}`"
        case FailureKind.NO_TLS:
            message, hint = f"{host} speaks no TLS", _plain_http(registry)
        case _:
            return None
    return RegistryError(message, details=[str(failure)], hint=hint)


def _plain_http(registry: str) -> str:
    return f'if it is meant to speak no TLS: [registries."{registry}"] plain-http = true in images.toml'


def _with_port(host: str) -> str:
    return host if host.rpartition(":")[2].isdigit() and not host.endswith("]") else f"{host}:443"

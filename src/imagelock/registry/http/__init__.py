"""HTTP/1.1 with limits: exchanges over connections of our own, retries and redirects.

This module has ``TransportFailure``, which the stages raise when there is no response. It imports no HTTP library.
"""

from __future__ import annotations

import socket
import ssl
from enum import Enum, auto


class FailureKind(Enum):
    """Why there is no response, divided by what can be done about it."""

    NO_SUCH_HOST = auto()
    NOT_REACHED = auto()
    """The connection was refused, or there is no route."""
    TIMED_OUT = auto()
    BROKEN = auto()
    """The connection broke, or the response is incomplete."""
    UNREADABLE = auto()
    """The response is not HTTP, or cannot be decoded."""
    UNKNOWN_AUTHORITY = auto()
    """The certificate is not signed by a trusted authority."""
    OTHER_AUTHORITY = auto()
    """The same, although authorities are declared for the registry."""
    CERTIFICATE_DATE = auto()
    """A certificate has expired or is not valid yet."""
    CERTIFICATE_NAME = auto()
    """The certificate is for another host."""
    CERTIFICATE = auto()
    """The certificate is invalid for another reason."""
    CLIENT_CERTIFICATE = auto()
    """The server requires a client certificate, or another one."""
    NO_TLS = auto()
    """The server doesn't speak TLS."""
    NO_COMMON_TLS = auto()
    """No version of TLS, or no cipher, is supported on both sides."""
    HANDSHAKE_CLOSED = auto()
    """The server closed the connection during the TLS handshake: it may not speak TLS, or be busy."""
    TOO_LARGE = auto()
    CLOSED = auto()
    """The run has ended: by Ctrl-C, or by another failure."""


_REPEATED = frozenset(
    {
        FailureKind.NOT_REACHED,
        FailureKind.TIMED_OUT,
        FailureKind.BROKEN,
        FailureKind.UNREADABLE,
        FailureKind.HANDSHAKE_CLOSED,
    }
)
# The reasons are OpenSSL's names.
_NO_TLS_REASONS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE", "RECORD_LAYER_FAILURE"})
_NO_COMMON_TLS_REASONS = frozenset(
    {"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "SSLV3_ALERT_HANDSHAKE_FAILURE", "DH_KEY_TOO_SMALL"}
)
_CLIENT_CERTIFICATE_REASONS = frozenset(
    {"TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_BAD_CERTIFICATE", "TLSV1_ALERT_UNKNOWN_CA"}
)
# https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_DATE_CODES = frozenset({9, 10})
_NAME_CODES = frozenset({62, 63, 64})
_AUTHORITY_CODES = frozenset({2, 18, 19, 20, 21, 27})


class TransportFailure(Exception):  # noqa: N818  the sender turns it into an ImagelockError
    """There is no response; ``str`` is the reason, without secrets."""

    def __init__(self, kind: FailureKind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind

    @property
    def is_worth_repeating(self) -> bool:
        """Whether another attempt may succeed."""
        return self.kind in _REPEATED


def failure_of(
    error: OSError | UnicodeError, *, while_connecting: bool = False, in_handshake: bool = False
) -> TransportFailure:
    """Return the failure for an error of a socket; the system's texts hold no secrets."""
    match error:
        case ssl.SSLCertVerificationError():
            return TransportFailure(_certificate_kind(error.verify_code), error.verify_message)
        case ssl.SSLError() if (failure := _failure_of_tls(error.reason)) is not None:
            return failure
        case TimeoutError():
            return TransportFailure(FailureKind.TIMED_OUT, "the time limit is over")
        case socket.gaierror() | UnicodeError():
            return TransportFailure(FailureKind.NO_SUCH_HOST, "the name has no address")
        case ConnectionRefusedError():
            return TransportFailure(FailureKind.NOT_REACHED, "the connection was refused")
        case _ if while_connecting:
            return TransportFailure(FailureKind.NOT_REACHED, error.strerror or "there is no way there")
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ConnectionError() if in_handshake:
            return TransportFailure(
                FailureKind.HANDSHAKE_CLOSED, "the server closed the connection in the TLS handshake"
            )
        case _:
            return TransportFailure(FailureKind.BROKEN, error.strerror or "the connection broke")


def _certificate_kind(verify_code: int) -> FailureKind:
    if verify_code in _DATE_CODES:
        return FailureKind.CERTIFICATE_DATE
    if verify_code in _NAME_CODES:
        return FailureKind.CERTIFICATE_NAME
    return FailureKind.UNKNOWN_AUTHORITY if verify_code in _AUTHORITY_CODES else FailureKind.CERTIFICATE


def _failure_of_tls(reason: str | None) -> TransportFailure | None:
    if reason in _NO_TLS_REASONS:
        return TransportFailure(FailureKind.NO_TLS, "the answer to the greeting was something else")
    if reason in _NO_COMMON_TLS_REASONS:
        return TransportFailure(FailureKind.NO_COMMON_TLS, f"OpenSSL says: {reason.lower().replace('_', ' ')}")
    if reason in _CLIENT_CERTIFICATE_REASONS:
        return TransportFailure(FailureKind.CLIENT_CERTIFICATE, f"OpenSSL says: {reason.lower().replace('_', ' ')}")
    return None

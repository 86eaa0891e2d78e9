"""Careful HTTP: one exchange over connections of our own, then retries, redirects and limits around it.

Here is the one failure that the stages raise before there is a response; it imports no HTTP library.
"""

from __future__ import annotations

import socket
import ssl
from enum import Enum, auto


class FailureKind(Enum):
    """Named for what may be done about it."""

    NO_SUCH_HOST = auto()
    NOT_REACHED = auto()
    """The connection was refused, or there is no route."""
    TIMED_OUT = auto()
    BROKEN = auto()
    """The connection broke, or what came was no HTTP, or not all of it."""
    CERTIFICATE = auto()
    NO_TLS = auto()
    """The server doesn't speak TLS, or none that we speak."""
    TOO_LARGE = auto()
    CLOSED = auto()
    """The run is over: the user pressed Ctrl-C, or another failure ended it."""


_REPEATED = frozenset({FailureKind.NOT_REACHED, FailureKind.TIMED_OUT, FailureKind.BROKEN})
_NO_TLS_REASONS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE", "RECORD_LAYER_FAILURE"})


class TransportFailure(Exception):  # noqa: N818  it becomes an error of ours only where it ends a run
    """No response; ``str`` says why, in words without secrets."""

    def __init__(self, kind: FailureKind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind

    @property
    def is_worth_repeating(self) -> bool:
        """Whether the next attempt may end otherwise."""
        return self.kind in _REPEATED


def failure_of(error: OSError | UnicodeError, *, while_connecting: bool = False) -> TransportFailure:
    """Return the failure that an error of a socket means; the texts of the system hold no secrets."""
    match error:
        case ssl.SSLCertVerificationError():
            return TransportFailure(FailureKind.CERTIFICATE, error.verify_message)
        case ssl.SSLError() if error.reason in _NO_TLS_REASONS:
            return TransportFailure(FailureKind.NO_TLS, "the answer to the greeting was something else")
        case TimeoutError():
            return TransportFailure(FailureKind.TIMED_OUT, "the time limit is over")
        case socket.gaierror() | UnicodeError():
            return TransportFailure(FailureKind.NO_SUCH_HOST, "the name has no address")
        case ConnectionRefusedError():
            return TransportFailure(FailureKind.NOT_REACHED, "the connection was refused")
        case _ if while_connecting:
            return TransportFailure(FailureKind.NOT_REACHED, error.strerror or "there is no way there")
        case _:
            return TransportFailure(FailureKind.BROKEN, error.strerror or "the connection broke")

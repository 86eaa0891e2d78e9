"""What goes wrong between us and a server before there is an answer."""

from __future__ import annotations

from enum import Enum, auto

from imagelock.errors import InvalidContentError, RegistryError, TemporaryError
from imagelock.registry.http.messages import Request


class FailureKind(Enum):
    """Named for what may be done about it."""

    NO_SUCH_HOST = auto()
    NOT_REACHED = auto()
    """The connection was refused, or there is no way there."""
    TIMED_OUT = auto()
    BROKEN = auto()
    """The connection broke, or what came was no HTTP, or not all of it."""
    CERTIFICATE = auto()
    NO_TLS = auto()
    """It doesn't speak TLS, or none that we speak."""
    TOO_LARGE = auto()
    CLOSED = auto()
    """We are leaving: the user pressed Ctrl-C, or another failure ended the run."""


_REPEATED = frozenset({FailureKind.NOT_REACHED, FailureKind.TIMED_OUT, FailureKind.BROKEN})
_TRY_LATER = "run the same command again when it answers"


class TransportFailure(Exception):  # noqa: N818  it becomes an error of ours only where it ends a run
    """No answer; ``str`` says why, in words without secrets."""

    def __init__(self, kind: FailureKind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind

    @property
    def is_worth_repeating(self) -> bool:
        """Whether the next attempt may end otherwise."""
        return self.kind in _REPEATED


def error_of(failure: TransportFailure, request: Request) -> RegistryError:
    """Say what is printed when a failure was the last word."""
    host = request.origin.host_and_port
    match failure.kind:
        case FailureKind.CERTIFICATE:
            return RegistryError(
                f"the certificate of {host} is not trusted",
                details=[str(failure)],
                hint=f'name its authority in images.toml: [registries."{host}"] ca-file = "FILE.pem"',
            )
        case FailureKind.NO_TLS:
            return RegistryError(
                f"{host} speaks no TLS",
                details=[str(failure)],
                hint=f'if it is meant to: [registries."{host}"] plain-http = true in images.toml',
            )
        case FailureKind.TOO_LARGE:
            return InvalidContentError(f"{host} sent more than anybody needs", details=[str(failure), str(request)])
        case FailureKind.NO_SUCH_HOST:
            return TemporaryError(
                f"{host} can't be found", details=[str(failure)], hint="check the spelling and the network"
            )
        case _:
            return TemporaryError(f"no answer from {host}", details=[str(failure)], hint=_TRY_LATER)

"""What a request carries to be let in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from imagelock.model.frozen import frozen
from imagelock.registry.auth.credentials import FoundCredentials
from imagelock.registry.auth.tokens import Token


class PermitKind(Enum):
    """What was shown at the door."""

    NOTHING = auto()
    PUBLIC_TOKEN = auto()
    """The word that opens every public repository of a registry."""
    SHARED_TOKEN = auto()
    """A token of a batch, or one from before: it may lack this repository, or be too old."""
    OWN_TOKEN = auto()
    """A token fetched for this very request, after the registry said what it wants."""
    LOGIN = auto()
    """A user name and password, or a token that the user gave us."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldToken:
    """A token and the moment (of the monotonic clock) until which it is used."""

    token: Token
    usable_until: float

    def is_aged(self, now: float) -> bool:
        """Whether more than half of its life is over: a refusal may then mean that it died early."""
        return now > self.usable_until - self.token.usable_seconds / 2


@frozen
class Permit:
    """One ``Authorization`` header and how we came by it."""

    kind: PermitKind
    authorization: str = field(default="", repr=False)
    found: FoundCredentials | None = None
    """The credentials behind it, if any."""
    held: HeldToken | None = None
    scope: str = ""
    """What the held token was fetched for."""


NO_PERMIT = Permit(PermitKind.NOTHING)

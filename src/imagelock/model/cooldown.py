"""The minimum age of an image before a range selects its tag, so that others can find defects first.

Registries do not report when a tag was pushed. The only date is ``created`` in the image's configuration, which the
builder writes: it does not protect against a malicious author, and reproducible builds write 1970.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from imagelock.model.frozen import frozen


class UnknownAge(StrEnum):
    """How an image without a creation date is treated."""

    ACCEPT = "accept"
    REFUSE = "refuse"


@frozen
class Cooldown:
    """The minimum age of a range."""

    minimum_age: timedelta = timedelta(0)
    unknown_age: UnknownAge = UnknownAge.REFUSE

    def accepts(self, created: datetime | None, *, now: datetime) -> bool:
        """Return whether an image created on that date is old enough at the time ``now``."""
        if created is None:
            return self.unknown_age is UnknownAge.ACCEPT
        return now - created >= self.minimum_age

    def __bool__(self) -> bool:
        return self.minimum_age > timedelta(0)

    def __str__(self) -> str:
        hours, days = self.minimum_age // timedelta(hours=1), self.minimum_age.days
        number, unit = (hours, "hour") if hours % 24 else (days, "day")
        return f"{number} {unit}{'' if number == 1 else 's'}"


@frozen
class TooYoung:
    """A tag that a range would select if its image were older."""

    tag: str
    created: datetime | None
    cooldown: Cooldown

    def __str__(self) -> str:
        if self.created is None:
            return f"{self.tag} has no date, and must be {self.cooldown} old"
        return f"{self.tag} was created on {self.created:%Y-%m-%d}, less than {self.cooldown} ago"

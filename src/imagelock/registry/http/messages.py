"""Requests and responses as values: what the pure modules speak, so that only ``transport`` knows an HTTP library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field, replace
from typing import Self

from imagelock.model.frozen import frozen
from imagelock.model.reference import RegistryName
from imagelock.registry.http import limits
from imagelock.registry.http.urls import Origin, Url

SUCCESS = range(200, 300)


@frozen
class Headers:
    """Header lines in their order, names in lower case; one name may stand on several lines."""

    lines: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, lines: Iterable[tuple[str, str]]) -> Self:
        """Lower the names, strip the values."""
        return cls(tuple((name.lower(), value.strip()) for name, value in lines))

    def all(self, name: str) -> tuple[str, ...]:
        """Every line of that name: challenges and links come on several."""
        return tuple(value for key, value in self.lines if key == name)

    def get(self, name: str) -> str:
        """Return the first line of that name, or nothing."""
        return next(iter(self.all(name)), "")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.lines)


@frozen(kw_only=True)
class Request:
    """One question to one server."""

    url: Url
    registry: RegistryName
    """On whose behalf: certificates that are declared for a registry count for its token server, too."""
    method: str = "GET"
    headers: Headers = Headers()
    authorization: str = field(default="", repr=False)
    """The one secret of a request, apart from the rest so that it can't slip into a trace or across an origin."""
    form: bytes = field(default=b"", repr=False)
    max_body_bytes: int
    """Of a success, decoded; a longer body is an error, not a long wait."""
    max_silence_seconds: float = limits.SILENCE_SECONDS
    follows_redirects: bool = True
    """A token server has no business sending us elsewhere."""

    @property
    def origin(self) -> Origin:
        """Where it goes."""
        return self.url.origin

    def authorized(self, authorization: str) -> Request:
        """Return the same question with credentials."""
        return replace(self, authorization=authorization)

    def at(self, url: Url) -> Request:
        """Ask the same elsewhere; across an origin without credentials."""
        return replace(self, url=url, authorization=self.authorization if url.origin == self.origin else "")

    def __str__(self) -> str:
        return f"{self.method} {self.url.shown}"


@frozen(kw_only=True)
class Response:
    """What a server said: to a success the whole body, to anything else the beginning of it."""

    status: int
    headers: Headers = Headers()
    body: bytes = field(default=b"", repr=False)
    url: Url
    """Where it came from, which after a redirect isn't where one asked."""

    @property
    def is_success(self) -> bool:
        """Any 2xx."""
        return self.status in SUCCESS

    @property
    def content_type(self) -> str:
        """Lower case, without parameters."""
        return self.headers.get("content-type").partition(";")[0].strip().lower()

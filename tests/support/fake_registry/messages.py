"""What a fake server was asked, as the small record that tests look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import parse_qsl

import httpx

from imagelock.registry.http.addresses import Origin
from imagelock.registry.http.messages import rules_of
from imagelock.registry.http.urls import origin_of, shown


@dataclass(frozen=True, slots=True)
class Headers:
    """Header lines in their order, names in lower case."""

    lines: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, lines: Iterable[tuple[str, str]]) -> Self:
        return cls(tuple((name.lower(), value.strip()) for name, value in lines))

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.lines if key == name)

    def get(self, name: str) -> str:
        return next((value for key, value in self.lines if key == name), "")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.lines)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart."""

    origin: Origin
    path: str
    query: str = ""

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        return tuple(parse_qsl(self.query, keep_blank_values=True))

    def adding(self, name: str, value: str) -> Target:
        return replace(self, query="&".join(part for part in (self.query, f"{name}={value}") if part))

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as a server saw it; its representation holds no secret."""

    url: Target
    method: str = "GET"
    headers: Headers = Headers()
    authorization: str = field(default="", repr=False)
    form: bytes = field(default=b"", repr=False)
    shown: str = ""
    max_silence_seconds: float = 0.0

    @property
    def origin(self) -> Origin:
        return self.url.origin

    def at(self, url: Target) -> Request:
        return replace(self, url=url)

    def __str__(self) -> str:
        return f"{self.method} {self.shown or self.url}"


def target_of(url: httpx.URL) -> Target:
    path, _, query = url.raw_path.decode().partition("?")
    return Target(origin_of(url), path, query)


def record(request: httpx.Request) -> Request:
    lines = [(name.decode(), value.decode()) for name, value in request.headers.raw]
    return Request(
        url=target_of(request.url),
        method=request.method,
        headers=Headers.of(line for line in lines if line[0].lower() != "authorization"),
        authorization=request.headers.get("authorization", ""),
        form=request.content,
        shown=shown(request.url),
        max_silence_seconds=rules_of(request).max_silence_seconds,
    )

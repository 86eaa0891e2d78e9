"""What a fake server says, and in which way it fails to say it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from tests.support.fake_registry.messages import Request


class Fault(Enum):
    """Ways to leave a client without an answer."""

    RESET = auto()
    STALL = auto()
    TRUNCATED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response before it is sent."""

    status: int = 200
    headers: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    chunks: Iterable[bytes] = ()
    fault: Fault | None = None

    def header_lines(self) -> list[tuple[str, str]]:
        lines = []
        for name, value in self.headers.items():
            lines += [(name, value)] if isinstance(value, str) else [(name, each) for each in value]
        return lines

    def adding(self, headers: Mapping[str, str | tuple[str, ...]]) -> Answer:
        return replace(self, headers={**self.headers, **headers})


Handler = Callable[[Request], Answer]


def json_answer(document: object, *, status: int = 200) -> Answer:
    body = json.dumps(document).encode()
    return Answer(status=status, headers={"Content-Type": "application/json"}, chunks=[body])


def refusal(status: int, code: str, message: str, *, detail: object = None) -> Answer:
    return json_answer({"errors": [{"code": code, "message": message, "detail": detail}]}, status=status)


def in_turn(*handlers: Handler | Answer) -> Handler:
    """Answer with the first, then the second and so on; the last one stays."""
    remaining = list(handlers)

    def answer(request: Request) -> Answer:
        handler = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        return handler if isinstance(handler, Answer) else handler(request)

    return answer

"""What registries write when they say no: the specification's JSON, and all that is sent instead of it.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from imagelock.model.frozen import frozen
from imagelock.registry.http.messages import Response
from imagelock.registry.http.wording import printable

_MAX_COMPLAINTS = 5
_MESSAGE_KEYS = ("message", "details", "error_description", "error")


@frozen
class Complaint:
    """One reason that a registry gave, fit to be printed."""

    code: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.code, self.message) if part)


def read_complaints(response: Response) -> tuple[Complaint, ...]:
    """Find the reasons in an error's body, in whatever shape; a web page has none."""
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        return _plain_text(response)
    if isinstance(document, dict) and isinstance(document.get("errors"), list):
        return tuple(_complaints(document["errors"]))[:_MAX_COMPLAINTS]
    return tuple(_complaints([document]))


def is_written_by_distribution(response: Response) -> bool:
    """Whether the refusal has the shape that only CNCF distribution and its descendants give it.

    They serve every repository that a token names, so one token may serve many.
    """
    try:
        errors = json.loads(response.body)["errors"]
        return {"Type", "Class", "Name", "Action"} <= set(errors[0]["detail"][0])
    except (ValueError, RecursionError, LookupError, TypeError):
        return False


def _complaints(errors: list[object]) -> Iterator[Complaint]:
    for error in errors:
        if isinstance(error, dict):
            message = next((error[key] for key in _MESSAGE_KEYS if isinstance(error.get(key), str)), "")
            code = error.get("code")
            complaint = Complaint(printable(code) if isinstance(code, str) else "", printable(message))
            if complaint.code or complaint.message:
                yield complaint


def _plain_text(response: Response) -> tuple[Complaint, ...]:
    text = response.body.decode("utf-8", "replace").strip()
    if not text or text.startswith("<") or response.content_type == "text/html":
        return ()
    return (Complaint("", printable(text)),)

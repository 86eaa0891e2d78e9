"""Parse JSON strictly, so that every parser reads the same from the bytes of a digest.

Go's parser ignores the case of keys and takes the last of duplicates; Python's does neither. Content that the two read
differently could be one image in a lock and another one in a builder, so it is refused (CVE-2021-41190 and the like).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from imagelock.errors import InvalidContentError


def parse_json_object(body: bytes, *, what: str) -> dict[str, Any]:
    """Return a JSON object without duplicate keys; any other is an ``InvalidContentError`` about ``what``."""
    import json  # noqa: PLC0415  3 ms that commands without registry content need not wait for

    try:
        # Given bytes, Python would also accept UTF-16 and a byte order mark.
        text = body.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_object_without_duplicates, parse_constant=_refuse_constant)
        if "\\ud" in text.lower():
            # Half a surrogate pair cannot be encoded: Go replaces it, Python fails much later.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except InvalidContentError as error:
        raise InvalidContentError(f"{what} is ambiguous: {error.message}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidContentError(f"{what} is not JSON") from error
    if not isinstance(value, dict):
        raise InvalidContentError(f"{what} is not a JSON object")
    return value


def refuse_case_variants(value: Iterable[str], known: Iterable[str], *, what: str) -> None:
    """Raise ``InvalidContentError`` for a key that differs from a known one in case only: Go would read it."""
    exact = {key.casefold(): key for key in known}
    for key in value:
        twin = exact.get(key.casefold(), key)
        if twin != key:
            raise InvalidContentError(f"{what} is ambiguous: the key `{key}` differs from `{twin}` in case only")


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        [(duplicate, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise InvalidContentError(f"the key `{duplicate}` occurs twice")
    return result


def _refuse_constant(constant: str) -> None:
    raise InvalidContentError(f"`{constant}` is not a JSON value")

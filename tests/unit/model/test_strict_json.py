from __future__ import annotations

import pytest

from imagelock.errors import InvalidContentError
from imagelock.model.strict_json import parse_json_object, refuse_case_variants


def test_an_object_is_read() -> None:
    assert parse_json_object(b'{"a": [{"b": "\xc3\xbc"}, 1.5, null]}', what="it") == {"a": [{"b": "ü"}, 1.5, None]}
    assert parse_json_object(rb'{"a": "\ud83d\uDE00"}', what="it") == {"a": "\N{GRINNING FACE}"}


@pytest.mark.advisory("GHSA-5j5w-g665-5m35")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"{'a': 1}", "it is not JSON"),
        (b'{"a": "\xff"}', "it is not JSON"),
        (b"\xef\xbb\xbf{}", "it is not JSON"),
        ('{"a": 1}'.encode("utf-16"), "it is not JSON"),
        (rb'{"a": ["\uD800"]}', "it is not JSON"),
        (rb'{"\udfff\ud800": 1}', "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b'{"size": ' + b"9" * 5000 + b"}", "it is not JSON"),
        (b"[]", "it is not a JSON object"),
        (b'"text"', "it is not a JSON object"),
        (b'{"a": NaN}', "it is ambiguous: `NaN` is not a JSON value"),
        (b'{"a": -Infinity}', "it is ambiguous: `-Infinity` is not a JSON value"),
        (b'{"a": 1, "b": 2, "a": 1}', "it is ambiguous: the key `a` occurs twice"),
        (b'{"a": [{"b": 2, "b": 2}]}', "it is ambiguous: the key `b` occurs twice"),
        (b'{"a": 1, "\\u0061": 2}', "it is ambiguous: the key `a` occurs twice"),
    ],
)
def test_what_two_readers_could_take_for_two_things_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(InvalidContentError) as caught:
        parse_json_object(body, what="it")
    assert caught.value.message == message


def test_a_duplicate_among_many_keys_is_found_at_once() -> None:
    keys = ",".join(f'"{number}":1' for number in range(300_000))
    with pytest.raises(InvalidContentError, match=r"^it is ambiguous: the key `299999` occurs twice$"):
        parse_json_object(f'{{{keys},"299999":1}}'.encode(), what="it")


@pytest.mark.parametrize("key", ["Config", "CONFIG", "con\N{LATIN SMALL LIGATURE FI}g"])
def test_a_key_that_go_would_take_for_a_known_one_is_refused(key: str) -> None:
    with pytest.raises(InvalidContentError) as caught:
        refuse_case_variants(["layers", key], ["config", "layers"], what="it")
    assert caught.value.message == f"it is ambiguous: the key `{key}` differs from `config` in case only"


def test_unknown_keys_may_have_any_case() -> None:
    refuse_case_variants(["layers", "Labels", "LABELS"], ["config", "layers"], what="it")

"""``Warning`` headers: told once, and never more than a person would read."""

from __future__ import annotations

import httpx
import pytest

from imagelock.model.reference import parse_reference
from imagelock.registry.http.sender import read_warnings
from tests.support.fake_registry.answers import Answer
from tests.support.fake_registry.clients import client_of
from tests.support.fake_registry.quirk_hosts import holding
from tests.unit.registry.conftest import InternetOf

REFERENCE = parse_reference("reg.example/team/a:1")
SUNSET = '299 - "this registry closes on 2027-01-01"'


def test_a_warning_is_told_once_however_many_answers_carry_it(internet_of: InternetOf) -> None:
    registry, told = holding("team/a"), list[str]()
    internet = internet_of({"reg.example": lambda request: registry(request).adding({"Warning": SUNSET})})
    client = client_of(internet, warn=told.append)
    client.fetch_manifest(REFERENCE)
    client.fetch_digest(REFERENCE)
    assert told == ["reg.example says: this registry closes on 2027-01-01"]


def test_a_refusal_may_carry_one_too(internet_of: InternetOf) -> None:
    told: list[str] = []
    refused = Answer(status=404, headers={"Warning": (SUNSET, '299 - "and another thing"')})
    client = client_of(internet_of({"reg.example": lambda _: refused}), warn=told.append)
    with pytest.raises(Exception, match="does not exist"):
        client.fetch_manifest(REFERENCE)
    assert told == ["reg.example says: this registry closes on 2027-01-01", "reg.example says: and another thing"]


@pytest.mark.parametrize(
    ("line", "warnings"),
    [
        ('299 - "he said \\"soon\\" \\\\o/"', ['he said "soon" \\o/']),
        ('299 - "\x1b[31mred\x07"', ["\\x1b[31mred\\x07"]),
        ('110 - "Response is Stale"', []),
        ('299 anderson/1.3.37 "of a cache"', []),
        ('299 - "with a date" "Wed, 21 Oct 2015 07:28:00 GMT"', []),
        ('299 - ""', []),
        ("299 - unquoted", []),
        ('299 - "never ends', []),
        (f'299 - "{"x" * 5000}"', []),
    ],
)
def test_only_texts_for_people_are_read(line: str, warnings: list[str]) -> None:
    assert list(read_warnings(httpx.Headers([("warning", line)]))) == warnings

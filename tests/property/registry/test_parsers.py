"""Whatever a server or a file holds: our own errors or a value, in linear time, and never anything else."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelock.errors import ImagelockError, InvalidContentError, printable
from imagelock.model.reference import RegistryName
from imagelock.registry.auth.challenges import check_realm, choose_challenge, parse_challenges
from imagelock.registry.auth.credential_store import find_candidates
from imagelock.registry.auth.docker_config import parse_auth_file, parse_legacy_auth_file
from imagelock.registry.auth.helpers import read_helper_output
from imagelock.registry.auth.token_server import read_token
from imagelock.registry.auth.tokens import AccessRefusedError
from imagelock.registry.http import TransportFailure
from imagelock.registry.http.addresses import InvalidUrlError, find_forbidden_kind
from imagelock.registry.http.backoff import describe_retry_after, read_quota, read_retry_after
from imagelock.registry.http.messages import Rules, authorized, make_request, next_hop, read_body
from imagelock.registry.http.sender import read_warnings
from imagelock.registry.http.urls import join_url, origin_of, parse_url
from imagelock.registry.refusals import is_written_by_distribution, read_complaints
from imagelock.registry.registries_conf import parse_registries_conf
from imagelock.registry.tag_lists import find_next_link, read_tags_page
from tests.support.effort import bounded_effort
from tests.support.fake_registry.clock import FakeClock

ASKED = httpx.URL("https://reg.example/v2/a/b/tags/list?n=1000")
HEADER = st.binary(max_size=200).map(lambda raw: raw.decode("latin-1"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(["errors", "code", "message", "detail", "tags", "token", "access_token", "expires_in", "auths"])
DOCUMENTS = (st.dictionaries(KEYS, JSON) | JSON).map(lambda value: json.dumps(value).encode())
BODY = st.binary(max_size=300) | DOCUMENTS


def response(*, status: int = 200, body: bytes = b"", **headers: str) -> httpx.Response:
    lines = [(name.replace("_", "-").encode(), value.strip().encode()) for name, value in headers.items()]
    return httpx.Response(status, headers=lines, content=body, request=httpx.Request("GET", ASKED))


def header(name: str, value: str) -> httpx.Headers:
    return httpx.Headers([(name.encode(), value.encode())])


@given(st.lists(HEADER, max_size=3))
def test_challenges(values: list[str]) -> None:
    choose_challenge(parse_challenges(values))


@given(HEADER)
def test_links(value: str) -> None:
    with suppress(InvalidContentError):
        find_next_link(header("link", value), what="a/b")


@given(HEADER | HEADER.map(lambda text: f'299 - "{text}"'))
def test_announcements(value: str) -> None:
    assert all(warning.isprintable() for warning in read_warnings(header("warning", value)))


@given(
    st.dates(),
    st.times(),
    st.integers(-2400, 2400).map(lambda offset: f"{offset:+05}") | st.sampled_from(["GMT", "EST", "", "-0000"]),
)
def test_dates_to_wait_for(date: dt.date, moment: dt.time, zone: str) -> None:
    value = f"{date:%a, %d %b} {date.year} {moment:%H:%M:%S} {zone}"
    wish = read_retry_after(response(status=503, retry_after=value), now=FakeClock().now())
    assert wish is None or wish >= 0


@given(BODY, HEADER)
def test_pages_of_tags(body: bytes, link: str) -> None:
    try:
        page = read_tags_page(response(body=body, link=link), asked=ASKED, what="a/b")
    except ImagelockError:
        return
    assert all(tag.isascii() and tag.isprintable() for tag in page.tags)
    assert page.next_url is None or origin_of(page.next_url) == origin_of(ASKED)


@given(HEADER | st.text(max_size=100))
def test_addresses(text: str) -> None:
    try:
        url = parse_url(text)
    except InvalidUrlError:
        return
    assert parse_url(str(url)) == url
    find_forbidden_kind(origin_of(url).host)


@given(HEADER | st.text(max_size=100))
def test_realms(text: str) -> None:
    try:
        url = check_realm(text, asked=ASKED)
    except ImagelockError:
        return
    assert origin_of(url).is_encrypted


@given(HEADER)
def test_redirects(location: str) -> None:
    rules = Rules(registry=RegistryName("reg.example"), max_body_bytes=1)
    request = authorized(make_request(ASKED, rules), "Basic x")
    try:
        next_url = next_hop(request, response(status=302, location=location), hops=0)
    except ImagelockError:
        return
    assert next_url is not None
    assert origin_of(next_url.url) == origin_of(ASKED) or "authorization" not in next_url.headers


@given(BODY, HEADER)
def test_error_bodies(body: bytes, content_type: str) -> None:
    answer = response(status=404, body=body, content_type=content_type)
    assert all(str(complaint).isprintable() for complaint in read_complaints(answer))
    is_written_by_distribution(answer)


@given(BODY)
def test_tokens(body: bytes) -> None:
    try:
        token = read_token(response(body=body), now=0.0)
    except (ImagelockError, AccessRefusedError):
        return
    assert token.text.isascii()
    assert token.text.isprintable()
    assert token.usable_seconds >= 54


@given(HEADER, HEADER, HEADER)
def test_limits(retry_after: str, limit: str, remaining: str) -> None:
    answer = response(status=429, retry_after=retry_after, ratelimit_limit=limit, ratelimit_remaining=remaining)
    wish = read_retry_after(answer, now=FakeClock().now())
    assert wish is None or wish >= 0
    describe_retry_after(answer)
    read_quota(answer)


@given(st.lists(st.binary(max_size=100), max_size=5), st.sampled_from(["", "gzip", "deflate", "br"]), HEADER)
def test_bodies(chunks: list[bytes], encoding: str, length: str) -> None:
    headers = httpx.Headers([(b"content-encoding", encoding.encode()), (b"content-length", length.strip().encode())])
    try:
        body = read_body(chunks, status=200, headers=headers, max_bytes=50)
    except TransportFailure:
        return
    assert len(body) <= 50


@given(st.text(max_size=200) | DOCUMENTS.map(bytes.decode), st.text(max_size=20), st.text(max_size=20))
def test_files_of_credentials(text: str, host: str, path: str) -> None:
    for parse in (parse_auth_file, parse_legacy_auth_file):
        try:
            auth_file = parse(text, source="config.json")
        except ImagelockError:
            continue
        list(find_candidates(auth_file, host, path))


@given(BODY, st.booleans())
def test_answers_of_helpers(output: bytes, has_failed: bool) -> None:  # noqa: FBT001  hypothesis passes it so
    try:
        read_helper_output(output, program="docker-credential-x", has_failed=has_failed)
    except ImagelockError:
        return


@given(st.text(max_size=200))
def test_registries_conf(text: str) -> None:
    try:
        parse_registries_conf(text, source="registries.conf")
    except ImagelockError:
        return


@given(st.text(max_size=1000))
def test_what_is_printed_is_printable(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) <= 300


PARSERS: dict[str, Callable[[str], object]] = {
    "challenges": lambda text: parse_challenges([text]),
    "announcements": lambda text: list(read_warnings(header("warning", f'299 - "{text}'))),
    "links": lambda text: _or_none(lambda text: find_next_link(header("link", text), what="x"), text),
    "addresses": lambda text: _or_none(parse_url, text),
    "relative addresses": lambda text: _or_none(lambda text: join_url(ASKED, text), text),
    "complaints": lambda text: read_complaints(response(status=404, body=text.encode())),
    "credentials": lambda text: _or_none(lambda text: parse_auth_file(text, source="x"), text),
    "terminal": printable,
}


def _or_none(parse: Callable[[str], object], text: str) -> object:
    try:
        return parse(text)
    except (ImagelockError, InvalidUrlError):
        return None


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize(
    "piece", ['a="', "a ", "\\", '"', "<a>; rel=", "<", "[", '{"a":', "https://", "a.", "..", "\x1b"]
)
def test_time_is_in_proportion_to_length(name: str, piece: str) -> None:
    text = piece * (64 * 1024 // len(piece))
    with bounded_effort():
        PARSERS[name](text)

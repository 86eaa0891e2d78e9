"""What httpx does otherwise than a careful client must: each was met once, and is kept out here."""

from __future__ import annotations

import logging

import httpx
import pytest

from imagelock.errors import InvalidContentError
from imagelock.model.reference import RegistryName, parse_reference
from imagelock.registry.http.addresses import InvalidUrlError
from imagelock.registry.http.backoff import SystemClock
from imagelock.registry.http.messages import Rules, at, authorized, make_request, rules_of
from imagelock.registry.http.sender import Sender
from imagelock.registry.http.urls import origin_of, parse_url, with_query
from tests.support.fake_registry.answers import Answer
from tests.support.fake_registry.clients import client_of
from tests.support.fake_registry.internet import FakeInternet

URL = httpx.URL("https://reg.example/v2/a/manifests/1")
RULES = Rules(registry=RegistryName("reg.example"), max_body_bytes=1000)
REFERENCE = parse_reference("reg.example/team/a:1")


def test_a_request_that_is_sent_elsewhere_names_the_other_host_and_keeps_the_rest() -> None:
    request = authorized(make_request(URL, RULES, headers=[("Accept", "a/b")]), "Bearer x")
    moved = at(request, httpx.URL("https://cdn.example:8443/blob?X-Amz-Signature=a%2Fb"))
    assert moved.headers["host"] == "cdn.example:8443"
    assert (moved.headers["accept"], moved.headers.get("authorization")) == ("a/b", None)
    assert moved.url.raw_path == b"/blob?X-Amz-Signature=a%2Fb"
    assert rules_of(moved) == RULES
    assert at(request, httpx.URL("https://reg.example/other")).headers["authorization"] == "Bearer x"


def test_a_form_keeps_its_body_where_it_is_sent_on() -> None:
    request = make_request(URL, RULES, method="POST", form=[("refresh_token", "a b"), ("scope", "x")])
    moved = at(request, httpx.URL("https://reg.example/token/"))
    assert moved.content == b"refresh_token=a+b&scope=x"
    assert moved.headers["content-length"] == "25"


@pytest.mark.parametrize(
    "text",
    ["https://h\\@evil/", " https://h/a", "https://[::1", "https://h:1:2/", "https://a@b@c/", "https://h\t/"],
)
def test_an_address_that_two_readers_take_for_two_hosts_is_refused(text: str) -> None:
    with pytest.raises(InvalidUrlError):
        parse_url(text)


def test_a_name_in_punycode_is_a_host_whether_or_not_it_can_be_decoded() -> None:
    assert origin_of(parse_url("https://xn--n3h.com/x")).host == "xn--n3h.com"


def test_what_an_address_has_in_its_query_stays() -> None:
    assert str(with_query(httpx.URL("https://a.example/t?x=1&y=%2F"), [("scope", "repository:a/b:pull")])) == (
        "https://a.example/t?x=1&y=%2F&scope=repository:a/b:pull"
    )


@pytest.mark.parametrize(
    "location", ["https://xn--n3h.com/x", "http://[::1", "https://h:99999/", "https://h:port/", "https://\x80/"]
)
def test_a_redirect_that_httpx_cannot_read_is_refused_and_no_crash(location: str) -> None:
    """The client reads each ``Location``, also of redirects that it is not to follow."""
    internet = FakeInternet({"reg.example": lambda _: Answer(status=307, headers={"Location": location})})
    with pytest.raises(InvalidContentError, match="redirects to an address that must not be followed"):
        client_of(internet).fetch_manifest(REFERENCE)


def sender_of(*, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> tuple[Sender, list[httpx.Request]]:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(body))

    return Sender(httpx.MockTransport(answer), clock=SystemClock()), requests


def test_headers_in_other_alphabets_are_read() -> None:
    sender, _ = sender_of(headers=[(b"Server", b"caf\xe9"), (b"X-A", "ü".encode())])
    assert sender.send(make_request(URL, RULES)).headers["server"]


def test_a_body_is_decoded_once() -> None:
    import gzip  # noqa: PLC0415  the one test that needs it

    sender, _ = sender_of(headers=[(b"Content-Encoding", b"gzip")], body=gzip.compress(b"content"))
    assert sender.send(make_request(URL, RULES)).content == b"content"


def test_no_cookie_is_kept_and_no_header_is_added() -> None:
    sender, requests = sender_of(headers=[(b"Set-Cookie", b"a=b; Domain=reg.example; Path=/")])
    for _ in range(2):
        sender.send(make_request(URL, RULES))
    assert {name for request in requests for name in request.headers} == {"host", "user-agent", "accept-encoding"}


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies are found by our own rules, and ``.netrc`` is not read."""
    for name in ("HTTPS_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "NETRC"):
        monkeypatch.setenv(name, "http://nowhere.example:1")
    sender, requests = sender_of(headers=[])
    sender.send(make_request(URL, RULES))
    assert "authorization" not in requests[0].headers


def test_signed_addresses_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    sender, _ = sender_of(headers=[])
    with caplog.at_level(logging.DEBUG):
        sender.send(make_request(httpx.URL("https://cdn.example/b?X-Amz-Signature=secret"), RULES))
    assert "secret" not in caplog.text
    assert "https://cdn.example/b" in caplog.text

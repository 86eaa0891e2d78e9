"""Lists of tags from registries that link their pages each in its own way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import httpx
import pytest

from imagelock.errors import (
    AuthenticationError,
    ImageNotFoundError,
    InvalidContentError,
    RegistryError,
    TemporaryError,
)
from imagelock.model.reference import parse_reference, parse_repository
from imagelock.registry.tag_lists import find_next_link
from tests.support.effort import bounded_effort
from tests.support.fake_registry.answers import Answer, Handler, in_turn, json_answer, refusal
from tests.support.fake_registry.clients import client_of
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.registry import FakeRegistry

REPOSITORY = parse_repository("reg.example/team/a")
PATH = "/v2/team/a/tags/list"


def tags_of(*handlers: Handler | Answer) -> tuple[tuple[str, ...], FakeInternet]:
    internet = FakeInternet({"reg.example": in_turn(*handlers)})
    return client_of(internet).list_tags(REPOSITORY), internet


def page(*tags: object, link: str = "") -> Answer:
    answer = json_answer({"name": "team/a", "tags": list(tags)})
    return answer.adding({"Link": link}) if link else answer


def test_one_page_is_one_request() -> None:
    tags, internet = tags_of(page("1", "2"))
    assert tags == ("1", "2")
    assert internet.log() == [f"GET reg.example{PATH}?n=1000"]


def test_the_pages_of_a_registry_as_specified() -> None:
    registry = FakeRegistry(tags={"team/a": [f"1.{minor:04}" for minor in range(2500)]})
    tags, internet = tags_of(registry)
    assert tags == tuple(f"1.{minor:04}" for minor in range(2500))
    assert internet.log() == [
        f"GET reg.example{PATH}?n=1000",
        f"GET reg.example{PATH}?n=1000&last=1.0999",
        f"GET reg.example{PATH}?n=1000&last=1.1999",
    ]


@pytest.mark.advisory("go-containerregistry#2295")
@pytest.mark.parametrize(
    ("link", "next_url"),
    [
        (f'<{PATH}?n=5&last=b>; rel="next"', "?n=1000&last=b"),
        (f"<{PATH}?last=b&n=5>; rel=next", "?n=1000&last=b"),
        (f'<https://reg.example{PATH}?last=b>;rel="next"', "?n=1000&last=b"),
        ('</first>; rel="prev", </v2/x?next_page=gAAA>; rel="next"', "?n=1000&next_page=gAAA"),
        ("<?last=b>; title=x; REL=NEXT", "?n=1000&last=b"),
        ('</artifactory/api/docker/hub/v2/other/tags/list?last=b>; rel="next"', "?n=1000&last=b"),
        ('<http://internal:8081/repository/hub/v2/team/a/tags/list?last=b>; rel="next"', "?n=1000&last=b"),
        ('<https://evil.example/v2/team/a/tags/list?last=b>; rel="next"', "?n=1000&last=b"),
    ],
)
def test_of_a_link_only_the_query_counts(link: str, next_url: str) -> None:
    """Advisories about lists that go on at another host can't happen: only the registry itself is asked."""
    tags, internet = tags_of(page("a", "b", link=link), page("c"))
    assert tags == ("a", "b", "c")
    assert internet.log()[1:] == [f"GET reg.example{PATH}{next_url}"]


@pytest.mark.parametrize(
    "document",
    [
        {"tags": None},
        {"name": "team/a"},
        {"tags": []},
        {"tags": [None, "sha256:abc", "a b", "", ".x", 7, "é"]},
        {"tags": None, "child": [], "manifest": {"sha256:0": {"tag": ["1"]}}},
    ],
)
def test_what_is_no_tag_is_left_out(document: object) -> None:
    assert tags_of(json_answer(document))[0] == ()


def test_a_tag_that_stands_on_two_pages_is_one() -> None:
    assert tags_of(page("a", "b", link='<?last=b>; rel="next"'), page("b", "c"))[0] == ("a", "b", "c")


def full_page(start: int) -> Answer:
    return page(*(f"{number:05}" for number in range(start, start + 1000)))


def test_a_full_page_without_a_link_is_continued_by_us() -> None:
    tags, internet = tags_of(full_page(0), page("x"))
    assert len(tags) == 1001
    assert internet.log()[1] == f"GET reg.example{PATH}?n=1000&last=00999"


def test_a_registry_that_ignores_where_to_go_on_has_said_everything() -> None:
    tags, internet = tags_of(full_page(0), full_page(0))
    assert (len(tags), len(internet.requests)) == (1000, 2)


def test_an_unpaged_list_is_one_request() -> None:
    tags, internet = tags_of(page(*(str(number) for number in range(1500))))
    assert (len(tags), len(internet.requests)) == (1500, 1)


def test_an_empty_page_ends_a_list_whatever_it_links_to() -> None:
    assert tags_of(page("a", link='<?last=a>; rel="next"'), page(link='<?last=b>; rel="next"'))[0] == ("a",)


def test_a_page_of_what_is_no_tag_is_not_the_end() -> None:
    tags, _ = tags_of(
        page("a", link="<?last=a>; rel=next"), page(None, "sha256:b", link="<?last=b>; rel=next"), page("c")
    )
    assert tags == ("a", "c")


@pytest.mark.parametrize("status", [400, 405])
def test_a_page_size_that_is_refused_is_not_insisted_on(status: int) -> None:
    """ECR answers 405, distribution 3 answers 400."""
    tags, internet = tags_of(refusal(status, "UNSUPPORTED", "n"), page("a"))
    assert tags == ("a",)
    assert internet.log()[1] == f"GET reg.example{PATH}"


@pytest.mark.parametrize("link", ['<?last=b>; rel="next"', "<?n=7>; rel=next"])
def test_a_circle_is_an_error_and_not_half_a_list(link: str) -> None:
    circle = page("a", "b", link=link)
    with pytest.raises(InvalidContentError, match="its pages repeat"):
        tags_of(circle)


def test_all_pages_together_have_an_end() -> None:
    answers = (page(str(number), "x" * 8_000_000, link=f"<?last={number}>; rel=next") for number in range(100))
    with pytest.raises(
        InvalidContentError, match=r"^the list of tags of reg\.example/team/a has more than 268435456 bytes$"
    ):
        tags_of(lambda _: next(answers))


def test_a_missing_repository_is_named() -> None:
    with pytest.raises(ImageNotFoundError) as raised:
        tags_of(FakeRegistry())
    assert raised.value.message == "reg.example/team/a does not exist"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"tags": "a"}', b'{"tags": {"a": 1}}', b"<html>", b"[" * 100_000])
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidContentError):
        tags_of(Answer(chunks=[body]))


def test_no_manifest_types_are_asked_for() -> None:
    """Artifactory answers 406 to them."""

    def answer(request: Request) -> Answer:
        return Answer(status=406) if "manifest" in request.headers.get("accept") else page("a")

    assert tags_of(answer)[0] == ("a",)


@pytest.mark.parametrize(
    "link",
    [
        f'{PATH}?n=2&last=b; rel="next"',
        f"{PATH}?last=b;rel=next",
        f'"<{PATH}?last=b>"; rel="next"',
        f"<{PATH}?last=b>; rel='next'",
        f'<{PATH}?last=b>; rel="last next"',
        f'<{PATH}?last=b>; rel="last"; rel="next"',
        f'<{PATH}?last=b>; rel="next last"',
        f'<{PATH}?last=b>; title="a, b; c"; rel="next"',
        f'<{PATH}?last=b>; rel = "Next"',
        f"<{PATH}?last=b>; rel=\u2018next\u2019",
        f"<{PATH}?last=b>",
        f"{PATH}?last=b",
        f'<{PATH}>; rel="first", {PATH}?last=b; rel="next"',
        f"<{PATH}>;rel=first,<{PATH}?last=b>;rel=next",
        f'https://internal:8081{PATH}?last=b; rel="next"',
    ],
)
def test_links_are_followed_in_every_form_that_registries_write(link: str) -> None:
    tags, internet = tags_of(page("a", "b").adding({"Link": link.encode().decode("latin-1")}), page("c"))
    assert tags == ("a", "b", "c")
    assert dict(internet.requests[1].url.parameters)["last"] == "b"


def test_a_link_may_have_a_line_of_its_own() -> None:
    links = (f'<{PATH}>; rel="first"', f'<{PATH}?last=b>; rel="next"')
    assert tags_of(page("a", "b").adding({"Link": links}), page("c"))[0] == ("a", "b", "c")


@pytest.mark.parametrize(
    "link",
    [
        'rel="next"; </v2/team/a/tags/list?last=b>',
        "&lt;/v2/team/a/tags/list?last=b&gt;; rel=next",
        '{"url": "/v2/team/a/tags/list?last=b", "rel": "next"}',
        '</v2/team/a/tags/list?last=b; rel="next"',
        '/v2/team/a/tags/list?last=b>; rel="next"',
        '<https://reg.example:bad/v2/team/a/tags/list?last=b>; rel="next"',
        f'<{PATH}?last={"b" * 10_000}>; rel="next"',
    ],
)
def test_a_link_that_cannot_be_read_is_an_error_and_not_the_end(link: str) -> None:
    with pytest.raises(InvalidContentError, match=r"the list of tags of reg\.example/team/a has an unreadable"):
        tags_of(page("a", "b", link=link), page("c"))


@pytest.mark.parametrize(
    "link",
    [
        f'<{PATH}?n=2>; rel="first"',
        f"<{PATH}?last=a>; rel=prev",
        "</style.css>; rel=preload",
        "<https://x.example/docs>",
        " , ",
    ],
)
def test_other_links_end_nothing_and_lead_nowhere(link: str) -> None:
    tags, internet = tags_of(page("a", "b", link=link), page("c"))
    assert (tags, len(internet.requests)) == (("a", "b"), 1)


NO_PAGES = [
    (b'{"errors":[{"code":"UNKNOWN","message":"upstream timed out"}]}', "upstream timed out"),
    (b'{"errors":[{"code":"X","message":"no"}],"tags":["1.0"]}', "X: no"),
    (b'{"errors":[{"code":"X","message":"no"}],"name":"team/a","tags":null}', "X: no"),
    (b'{"name":"team/a","message":"the repository is offline"}', "the repository is offline"),
    (b'{"errors":{"code":"X","message":"lonely complaint"}}', "lonely complaint"),
    (b'{"errors":"broken"}', "broken"),
    (b'{"error":{"code":503,"message":"backend","status":"UNAVAILABLE"}}', "backend"),
    (b'{"details":"incorrect"}', "incorrect"),
    (b"upstream request timeout", "upstream request timeout"),
    (b"<html><body>Sign in</body></html>", ""),
    (b"<html><head><title>504 Gateway\nTime-out</title></head></html>", "it said: 504 Gateway Time-out"),
    (b"{}", "it was: {}"),
    (b"[]", "it was: []"),
    (b'["1.0"]', 'it was: ["1.0"]'),
    (b'"1.0"', "it said: 1.0"),
    (b'{"tags":[1, 2]}', 'it was: {"tags":[1, 2]}'),
    (b'{"status":"denied"}', 'it was: {"status":"denied"}'),
    (b"", ""),
    (b'{"tags":false}', ""),
    (b'{"tags":""}', ""),
    (b'{"tags":{}}', ""),
    (b'{"tags":[{"name":"1.0"}]}', ""),
    (b'{"repositories":["team/a"]}', ""),
    (b'{"name":"team/a","tags":["1.0"', ""),
]


@pytest.mark.parametrize("pages", [0, 1, 9])
@pytest.mark.parametrize(("body", "words"), NO_PAGES)
def test_a_page_that_is_none_is_an_error_with_the_registrys_words(body: bytes, words: str, pages: int) -> None:
    before = [page(f"1.{number}", link=f"<?last={number}>; rel=next") for number in range(pages)]
    with pytest.raises(InvalidContentError) as raised:
        tags_of(*before, Answer(chunks=[body]))
    assert "the list of tags of reg.example/team/a" in raised.value.message
    assert words in "\n".join(raised.value.details)


def test_a_sign_in_page_is_named() -> None:
    with pytest.raises(InvalidContentError, match="a web page was sent instead of"):
        tags_of(Answer(headers={"Content-Type": "text/html; charset=utf-8"}, chunks=[b"<html>"]))


def test_a_list_that_is_called_a_web_page_is_a_list() -> None:
    assert tags_of(page("1").adding({"Content-Type": "text/html"}))[0] == ("1",)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("UNAUTHORIZED", AuthenticationError),
        ("DENIED", AuthenticationError),
        ("NAME_UNKNOWN", ImageNotFoundError),
        ("TOOMANYREQUESTS", TemporaryError),
    ],
)
def test_a_refusal_with_status_200_is_the_refusal_that_it_is(code: str, error: type[RegistryError]) -> None:
    body = {"errors": [{"code": code, "message": "said so"}]}
    with pytest.raises(error) as raised:
        tags_of(page("1", link="<?last=1>; rel=next"), json_answer(body))
    assert f"it said: {code}: said so" in raised.value.details
    assert "reg.example answered 200" in raised.value.details


def test_a_part_of_a_page_is_no_page() -> None:
    with pytest.raises(InvalidContentError, match="only a part of the list of tags"):
        tags_of(replace(page("1"), status=206))


def test_an_empty_page_that_leads_elsewhere_is_not_the_end() -> None:
    """Some registries filter a page after they have cut it."""
    pages = page("a", link="<?last=a>; rel=next"), page(link="<?last=k>; rel=next"), page("z")
    assert tags_of(*pages)[0] == ("a", "z")


def test_a_full_page_of_what_is_no_tag_is_not_the_end() -> None:
    tags, _ = tags_of(page(*(f"sha256:{number:04}" for number in range(1000))), page("1"))
    assert tags == ("1",)


def test_an_error_in_place_of_a_manifest_is_told() -> None:
    body = {"errors": [{"code": "UNKNOWN", "message": "upstream timed out"}]}
    internet = FakeInternet({"reg.example": lambda _: json_answer(body)})
    with pytest.raises(InvalidContentError) as raised:
        client_of(internet).fetch_manifest(parse_reference("reg.example/team/a:1"))
    assert raised.value.message == "an error was sent instead of reg.example/team/a:1"
    assert raised.value.details == ("reg.example answered 200", "it said: UNKNOWN: upstream timed out")


@pytest.mark.parametrize(
    "make", [lambda n: "<" * n, lambda n: "<a>;" * n, lambda n: "<a>" + ";rel" * n, lambda n: "/" * n + "<"]
)
def test_links_are_read_in_time_in_proportion_to_their_length(make: Callable[[int], str]) -> None:
    with bounded_effort():
        for length in (8000, 100_000):
            with suppress(InvalidContentError):
                find_next_link(httpx.Headers([("link", make(length))]), what="x")

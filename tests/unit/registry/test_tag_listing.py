"""Lists of tags from registries that link their pages each in its own way."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from imagelock.errors import ImageNotFoundError, InvalidContentError
from imagelock.model.reference import parse_repository
from imagelock.registry.protocol import find_next_link
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
    ("link", "following"),
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
def test_of_a_link_only_the_query_counts(link: str, following: str) -> None:
    """Advisories about lists that go on at another host can't happen: only the registry itself is asked."""
    tags, internet = tags_of(page("a", "b", link=link), page("c"))
    assert tags == ("a", "b", "c")
    assert internet.log()[1:] == [f"GET reg.example{PATH}{following}"]


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
    with pytest.raises(InvalidContentError, match="its pages go in a circle"):
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


@pytest.mark.parametrize("make", [lambda n: "<" * n, lambda n: "<a>;" * n, lambda n: "<a>" + ";rel" * n])
def test_links_are_read_in_time_in_proportion_to_their_length(make: Callable[[int], str]) -> None:
    assert find_next_link(httpx.Headers([("link", make(100_000))])) is None

"""The 25 challenges that registries send, or that have broken other clients."""

from __future__ import annotations

import pytest

from imagelock.registry.auth.challenges import (
    BasicChallenge,
    BearerChallenge,
    Challenge,
    choose_challenge,
    parse_challenges,
)
from tests.support.effort import bounded_effort

X = "https://x/t"
CASES: list[tuple[list[str], object]] = [
    (
        ['Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"'],
        BearerChallenge("https://auth.docker.io/token", "registry.docker.io", ("repository:a/b:pull",)),
    ),
    (
        ['Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull"'],
        BearerChallenge("https://ghcr.io/token", "ghcr.io", ("repository:user/image:pull",)),
    ),
    (
        ['bearer realm="https://x/t", service="s" , scope="repository:a/b:pull,push"'],
        BearerChallenge(X, "s", ("repository:a/b:pull,push",)),
    ),
    (["BEARER realm=https://x/t,service=s"], BearerChallenge(X, "s")),
    (
        ['Bearer realm="A",service="c",scope="*",Basic realm="B",service="c",scope="*"'],
        BearerChallenge("A", "c", ("*",)),
    ),
    (["Negotiate", 'Basic realm="x"'], BasicChallenge()),
    (["Negotiate", 'Bearer realm="https://x/t"'], BearerChallenge(X)),
    (['Basic realm="x"', 'Bearer realm="https://x/t"'], BearerChallenge(X)),
    (
        ['Bearer realm="https://x/t",scope="repository:a/b:pull repository:c/d:pull"'],
        BearerChallenge(X, "", ("repository:a/b:pull", "repository:c/d:pull")),
    ),
    (
        ['Bearer realm="https://x/t",error="insufficient_scope",scope="repository:a/b:pull"'],
        BearerChallenge(X, "", ("repository:a/b:pull",), "insufficient_scope"),
    ),
    (['Bearer realm="https://nvcr.io/proxy_auth"'], BearerChallenge("https://nvcr.io/proxy_auth")),
    (['Bearer realm="https://x/t",service=""'], BearerChallenge(X)),
    (['Bearer realm="he said \\"hi\\" https://x"'], BearerChallenge('he said "hi" https://x')),
    (['Bearer realm="https://x/t"service="s"'], BearerChallenge(X, "s")),
    (['Bearer realm="https://x/t";service="s"'], BearerChallenge(X, "s")),
    (['Bearer realm = "https://x/t"'], BearerChallenge(X)),
    (['Bearer realm="https://x/t",'], BearerChallenge(X)),
    (["Bearer"], None),
    (['Bearer realm="unterminated'], None),
    (['Digest realm="x",nonce="1"', 'Bearer realm="https://x/t"'], BearerChallenge(X)),
    (['Bearer realm="/relative/token"'], BearerChallenge("/relative/token")),
    (['Bearer Realm="https://x/t",SERVICE="s"'], BearerChallenge(X, "s")),
    (['Bearer realm="https://a/t",realm="https://b/t"'], BearerChallenge("https://a/t")),
    (['Bearer,Basic realm="x"'], BasicChallenge()),
    (['Token realm="https://x/t"'], None),
]


@pytest.mark.parametrize(("lines", "expected"), CASES)
def test_every_known_challenge_is_read(lines: list[str], expected: object) -> None:
    assert choose_challenge(parse_challenges(lines)) == expected


def test_two_challenges_on_one_line_are_two() -> None:
    assert parse_challenges(['Bearer realm="A",service="c",Basic realm="B"']) == (
        Challenge("bearer", (("realm", "A"), ("service", "c"))),
        Challenge("basic", (("realm", "B"),)),
    )


@pytest.mark.parametrize("piece", ['a="', "a ", "a=", "a,", '"', "\\", 'a="\\', "a  =  ", "=", 'a="b"'])
def test_reading_takes_time_in_proportion_to_the_length(piece: str) -> None:
    line = ("Bearer " + piece * 8192)[:8192]
    with bounded_effort():
        parse_challenges([line] * 4)

"""GitHub's registry, and lscr.io in front of it: any token opens what is public, and refusals say little."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagelock.errors import AuthenticationError, RegistryError
from imagelock.model.reference import parse_reference, parse_repository
from tests.support.fake_registry.answers import Answer, in_turn, json_answer, refusal
from tests.support.fake_registry.clients import Setup, client_of
from tests.support.fake_registry.quirk_hosts import IMAGE, challenge, holding, with_tokens_at
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.unit.registry.conftest import InternetOf

REFERENCE = parse_reference("ghcr.io/owner/image:1")
CHALLENGE = challenge("https://ghcr.io/token", "ghcr.io")


def test_public_packages_open_for_any_token(internet_of: InternetOf) -> None:
    internet = internet_of({"ghcr.io": holding("owner/image")})
    client_of(internet).fetch_manifest(REFERENCE)
    assert [request.authorization for request in internet.requests] == ["Bearer QQ=="]


def test_a_real_token_is_asked_for_when_any_will_not_do(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    registry = holding("owner/image", tokens=tokens, challenge=CHALLENGE)
    internet = internet_of({"ghcr.io": with_tokens_at("/token", tokens, registry)})
    client_of(internet).fetch_manifest(REFERENCE)
    assert len(internet.requests) == 3


def test_any_token_still_opens_what_is_public_after_a_real_one_was_wanted(
    internet_of: InternetOf, tmp_path: Path
) -> None:
    tokens = FakeTokenServer()
    registry = holding("owner/image", tokens=tokens, challenge=CHALLENGE)
    internet = internet_of({"ghcr.io": with_tokens_at("/token", tokens, registry)})
    setup = Setup(internet=internet, cache_directory=tmp_path)
    setup.client().fetch_manifest(REFERENCE)
    internet.hosts["ghcr.io"] = holding("owner/other")
    internet.requests.clear()
    setup.next_run().fetch_manifest(parse_reference("ghcr.io/owner/other:1"))
    assert [request.authorization for request in internet.requests] == ["Bearer QQ=="]


@pytest.mark.parametrize("status", [401, 403])
def test_the_token_server_itself_refuses_what_is_private_or_missing(internet_of: InternetOf, status: int) -> None:
    registry = holding(tokens=FakeTokenServer(), challenge=CHALLENGE)
    denied = refusal(status, "DENIED", "requested access to the resource is denied")
    internet = internet_of({"ghcr.io": with_tokens_at("/token", lambda _: denied, registry)})  # type: ignore[arg-type]  # any handler
    with pytest.raises(AuthenticationError) as raised:
        client_of(internet).fetch_manifest(REFERENCE)
    assert raised.value.message == "ghcr.io/owner/image:1 does not exist or needs a login"
    assert raised.value.details == (
        "no credentials for ghcr.io were found",
        f"ghcr.io answered {status}",
        "it said: DENIED: requested access to the resource is denied",
    )


def test_wrong_credentials_close_what_is_public_and_the_hint_says_so(internet_of: InternetOf) -> None:
    registry = holding("owner/image", tokens=FakeTokenServer(), challenge=CHALLENGE)
    denied = refusal(403, "DENIED", "denied")
    internet = internet_of({"ghcr.io": with_tokens_at("/token", lambda _: denied, registry)})  # type: ignore[arg-type]  # any handler
    with pytest.raises(AuthenticationError) as raised:
        client_of(internet, logins={"ghcr.io": "me:expired"}).fetch_manifest(REFERENCE)
    assert raised.value.hint == (
        "check the spelling, or run `docker login ghcr.io` again, or use --anonymous for public images"
    )


def test_its_tags_come_oldest_first_on_pages_with_relative_links(internet_of: InternetOf) -> None:
    first = json_answer({"tags": ["0.9", "1.0"]}).adding(
        {"Link": '</v2/owner/image/tags/list?last=1.0&n=1000>; rel="next"'}
    )
    internet = internet_of({"ghcr.io": in_turn(first, json_answer({"tags": ["0.10"]}))})
    assert client_of(internet).list_tags(REFERENCE.repository) == ("0.9", "1.0", "0.10")
    assert internet.log() == [
        "GET ghcr.io/v2/owner/image/tags/list?n=1000",
        "GET ghcr.io/v2/owner/image/tags/list?n=1000&last=1.0",
    ]


def test_lscr_names_githubs_token_server_and_keeps_its_own_login(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer(login="me:secret")
    registry = holding("linuxserver/a", tokens=tokens, challenge=CHALLENGE)
    internet = internet_of({"lscr.io": registry, "ghcr.io": tokens})
    logins = {"lscr.io": "me:secret", "ghcr.io": "me:other"}
    client_of(internet, logins=logins).fetch_manifest(parse_reference("lscr.io/linuxserver/a:1"))
    assert len(tokens.issued) == 1


def test_lscr_may_send_us_to_whoever_holds_the_content(internet_of: InternetOf) -> None:
    moved = Answer(status=307, headers={"Location": "https://backend.example/v2/linuxserver/a/manifests/1"})
    internet = internet_of({"lscr.io": lambda _: moved, "backend.example": holding("linuxserver/a")})
    fetched = client_of(internet).fetch_manifest(parse_reference("lscr.io/linuxserver/a:1"))
    assert str(fetched.digest) == IMAGE.digest


def test_the_registry_before_it_is_gone(internet_of: InternetOf) -> None:
    gone = Answer(status=410, chunks=[b"docker.pkg.github.com is closed"], headers={"Content-Type": "text/plain"})
    internet = internet_of({"docker.pkg.github.com": lambda _: gone})
    with pytest.raises(RegistryError, match="refused the request") as raised:
        client_of(internet).list_tags(parse_repository("docker.pkg.github.com/owner/repo/image"))
    assert "it said: docker.pkg.github.com is closed" in raised.value.details

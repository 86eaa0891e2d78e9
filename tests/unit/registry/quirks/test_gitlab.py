"""GitLab: a token server of another name, perhaps in a private network, and refusals that hide what exists."""

from __future__ import annotations

import pytest

from imagelock.errors import AuthenticationError, ImageNotFoundError
from imagelock.model.reference import parse_reference
from tests.support.fake_registry.answers import json_answer, refusal
from tests.support.fake_registry.clients import Setup, client_of
from tests.support.fake_registry.quirk_hosts import IMAGE, challenge, holding
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.unit.registry.conftest import InternetOf

REGISTRY = "registry.gitlab.example:5050"
A, B = parse_reference(f"{REGISTRY}/group/sub/project/a:1"), parse_reference(f"{REGISTRY}/group/sub/project/b:1")
PATHS = ("group/sub/project/a", "group/sub/project/b")


@pytest.mark.parametrize("host", ["gitlab.example", "10.20.30.40", "192.168.1.7:8443"])
def test_its_token_server_may_stand_in_a_private_network(internet_of: InternetOf, host: str) -> None:
    tokens = FakeTokenServer(login="gitlab+deploy-token-1:secret")
    registry = holding(*PATHS, tokens=tokens, challenge=challenge(f"https://{host}/jwt/auth", "container_registry"))
    internet = internet_of({REGISTRY: registry, host: tokens})
    client = client_of(internet, logins={REGISTRY: "gitlab+deploy-token-1:secret"})
    assert client.fetch_manifest(A).body == IMAGE.body


def test_its_tokens_are_for_one_project_each_and_live_as_long_as_nobody_says(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer(lifetime_seconds=None)
    registry = holding(
        *PATHS, tokens=tokens, challenge=challenge("https://gitlab.example/jwt/auth", "container_registry")
    )
    setup = Setup(internet=internet_of({REGISTRY: registry, "gitlab.example": tokens}))
    client = setup.client()
    client.prepare([A.repository, B.repository])
    for reference in (A, B, A):
        client.fetch_manifest(reference)
    assert tokens.questions == [(f"repository:{path}:pull",) for path in PATHS]
    setup.clock.seconds += 60
    client.fetch_manifest(A)
    assert len(tokens.questions) == 3


def test_the_public_one_is_known_without_asking(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    internet = internet_of({"registry.gitlab.com": holding("group/a", tokens=tokens), "gitlab.com": tokens})
    client_of(internet).fetch_manifest(parse_reference("registry.gitlab.com/group/a:1"))
    assert internet.log()[0] == (
        "GET gitlab.com/jwt/auth?service=container_registry&scope=repository:group/a:pull&client_id=imagelock"
    )


def test_tags_may_want_a_token_where_manifests_do_not(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    closed = holding(
        *PATHS, tokens=tokens, challenge=challenge("https://gitlab.example/jwt/auth", "container_registry")
    )
    open_to_all = holding(*PATHS)
    internet = internet_of(
        {
            REGISTRY: lambda request: (closed if "/tags/" in request.url.path else open_to_all)(request),
            "gitlab.example": tokens,
        }
    )
    client = client_of(internet)
    client.fetch_manifest(A)
    assert client.list_tags(A.repository) == ("1",)


@pytest.mark.parametrize("status", [401, 403])
def test_it_hides_whether_a_project_exists(internet_of: InternetOf, status: int) -> None:
    internet = internet_of({REGISTRY: lambda _: refusal(status, "DENIED", "project access disabled")})
    with pytest.raises(AuthenticationError) as raised:
        client_of(internet).fetch_manifest(A)
    assert raised.value.message == f"{A} does not exist or needs a login"
    assert raised.value.details[-1] == "it said: DENIED: project access disabled"


def test_who_may_see_it_hears_that_it_is_missing(internet_of: InternetOf) -> None:
    missing = json_answer(
        {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown", "detail": {"Tag": "1"}}]}, status=404
    )
    with pytest.raises(ImageNotFoundError):
        client_of(internet_of({REGISTRY: lambda _: missing})).fetch_manifest(A)

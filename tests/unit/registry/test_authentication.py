"""The conversation about who we are, request by request."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest

from imagelock.errors import AuthenticationError
from imagelock.reference import parse_reference
from imagelock.registry.http.messages import Request
from tests.support.fake_registry.answers import Answer, in_turn, refusal
from tests.support.fake_registry.clients import Setup, client_of
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.support.oci_images import multi_platform_image

IMAGE = multi_platform_image("linux/amd64", "linux/arm64")
A, B = parse_reference("reg.example/team/a:1"), parse_reference("reg.example/team/b:1")
CHALLENGE = 'Bearer realm="https://auth.example/token",service="reg"'


def bearer_internet(tokens: FakeTokenServer, *, names_access: bool = False, paths: int = 2) -> FakeInternet:
    registry = FakeRegistry(tokens=tokens, challenge=CHALLENGE, names_access=names_access)
    for letter in "abcdefghijklmnopqrstuvwxyz"[:paths]:
        registry.push(f"team/{letter}", IMAGE)
    return FakeInternet({"reg.example": registry, "auth.example": tokens})


def test_an_open_registry_is_asked_once() -> None:
    registry = FakeRegistry()
    registry.push("team/a", IMAGE)
    internet = FakeInternet({"reg.example": registry})
    fetched = client_of(internet).fetch_manifest(A)
    assert (str(fetched.digest), fetched.body) == (IMAGE.digest, IMAGE.body)
    assert internet.log() == ["GET reg.example/v2/team/a/manifests/1"]


def test_an_unknown_token_registry_costs_three_requests() -> None:
    internet = bearer_internet(FakeTokenServer())
    client_of(internet).fetch_manifest(A)
    assert internet.log() == [
        "GET reg.example/v2/team/a/manifests/1",
        "GET auth.example/token?service=reg&scope=repository:team/a:pull&client_id=imagelock",
        "GET reg.example/v2/team/a/manifests/1",
    ]


def test_a_token_is_fetched_for_each_repository_where_batches_are_unknown() -> None:
    tokens = FakeTokenServer()
    client = client_of(bearer_internet(tokens))
    client.expect([A.repository, B.repository])
    client.fetch_manifest(A)
    client.fetch_manifest(B)
    assert tokens.questions == [("repository:team/a:pull",), ("repository:team/b:pull",)]


def test_one_token_serves_all_repositories_of_a_distribution_registry() -> None:
    tokens = FakeTokenServer()
    internet = bearer_internet(tokens, names_access=True)
    client = client_of(internet)
    client.expect([A.repository, B.repository])
    client.fetch_manifest(A)
    client.fetch_manifest(B)
    assert tokens.questions == [("repository:team/a:pull", "repository:team/b:pull")]
    assert len(internet.requests) == 4


def test_a_token_that_is_for_less_than_it_was_asked_for_is_completed_alone() -> None:
    tokens = FakeTokenServer(grants=lambda scopes: scopes[-1:])
    internet = bearer_internet(tokens, names_access=True)
    client = client_of(internet)
    client.expect([A.repository, B.repository])
    client.fetch_manifest(A)
    client.fetch_manifest(B)
    assert tokens.questions == [
        ("repository:team/a:pull", "repository:team/b:pull"),
        ("repository:team/a:pull",),
    ]


def test_an_opaque_token_that_is_for_less_is_found_out_by_the_refusal() -> None:
    tokens = FakeTokenServer(grants=lambda scopes: scopes[:1], writes_claims=False)
    internet = bearer_internet(tokens, names_access=True)
    client = client_of(internet)
    client.expect([A.repository, B.repository])
    client.fetch_manifest(A)
    client.fetch_manifest(B)
    assert tokens.questions[1:] == [("repository:team/b:pull",)]


def test_a_refused_batch_falls_back_quietly() -> None:
    tokens = FakeTokenServer()
    internet = bearer_internet(tokens, names_access=True, paths=3)
    internet.hosts["auth.example"] = in_turn(refusal(400, "INVALID", "one scope only"), tokens)
    client = client_of(internet)
    references = [A, B, parse_reference("reg.example/team/c:1")]
    client.expect(reference.repository for reference in references)
    for reference in references:
        client.fetch_manifest(reference)
    assert [len(question) for question in tokens.questions] == [1, 1, 1]


def test_many_workers_share_the_first_contact_and_the_token() -> None:
    tokens = FakeTokenServer()
    internet = bearer_internet(tokens, names_access=True, paths=20)
    references = [parse_reference(f"reg.example/team/{letter}:1") for letter in "abcdefghijklmnopqrst"]
    client = client_of(internet)
    client.expect(reference.repository for reference in references)
    with ThreadPoolExecutor(8) as pool:
        digests = {str(fetched.digest) for fetched in pool.map(client.fetch_manifest, references)}
    assert digests == {IMAGE.digest}
    assert len(tokens.questions) == 1
    assert len(internet.requests) == 1 + 1 + 20


def test_connections_are_begun_before_the_first_question() -> None:
    internet = FakeInternet({})
    client_of(internet).expect([parse_reference("alpine:3.20").repository, parse_reference("python:3").repository])
    assert internet.early == [("https://registry-1.docker.io", 2), ("https://auth.docker.io", 1)]


def test_what_was_known_wrongly_costs_requests_and_no_failure() -> None:
    tokens = FakeTokenServer()
    registry = FakeRegistry(tokens=tokens, challenge='Bearer realm="https://new.example/token",service="new"')
    registry.push("team/a", IMAGE)
    gone = refusal(404, "NOT_FOUND", "no such page")
    internet = FakeInternet({"quay.io": in_turn(gone, registry), "new.example": tokens})
    client_of(internet).fetch_manifest(parse_reference("quay.io/team/a:1"))
    assert [request.origin.host for request in internet.requests] == ["quay.io", "quay.io", "new.example", "quay.io"]


def test_a_login_gets_the_token() -> None:
    tokens = FakeTokenServer(login="me:secret")
    internet = bearer_internet(tokens)
    client_of(internet, logins={"reg.example": "me:secret"}).fetch_manifest(A)
    assert [bool(request.authorization) for request in internet.requests] == [False, True, True]


def test_a_refused_login_is_tried_once_in_a_run() -> None:
    tokens = FakeTokenServer(login="me:secret")
    internet = bearer_internet(tokens)
    client = client_of(internet, logins={"reg.example": "me:wrong"})
    for reference in (A, B):
        with pytest.raises(AuthenticationError) as raised:
            client.fetch_manifest(reference)
    assert len(tokens.questions) == 1
    assert raised.value.message == "reg.example/team/b:1 does not exist or needs a login"
    assert raised.value.details == (
        "asked with the credentials from DOCKER_AUTH_CONFIG",
        "auth.example answered 401",
        "it said: UNAUTHORIZED: incorrect username or password",
    )
    assert raised.value.hint == (
        "check the spelling, or run `docker login reg.example` again; public images need no login: try --anonymous"
    )


def test_a_refused_password_is_sent_once_in_a_run() -> None:
    registry = FakeRegistry(login="me:secret")
    internet = FakeInternet({"reg.example": registry})
    client = client_of(internet, logins={"reg.example": "me:wrong"})
    for reference in (A, B):
        with pytest.raises(AuthenticationError):
            client.fetch_manifest(reference)
    assert len([request for request in internet.requests if request.authorization]) == 1


def test_a_password_is_sent_at_once_to_a_host_that_is_known_to_want_it() -> None:
    registry = FakeRegistry(login="me:secret")
    registry.push("team/a", IMAGE)
    registry.push("team/b", IMAGE)
    internet = FakeInternet({"reg.example": registry})
    client = client_of(internet, logins={"reg.example": "me:secret"})
    client.fetch_manifest(A)
    client.fetch_manifest(B)
    assert [bool(request.authorization) for request in internet.requests] == [False, True, True]


def test_an_identity_token_is_exchanged_by_post() -> None:
    tokens = FakeTokenServer(login="nobody:knows", identity_token="long-lived")  # noqa: S106  a fake
    internet = bearer_internet(tokens)
    client_of(internet, auths={"reg.example": {"identitytoken": "long-lived"}}).fetch_manifest(A)
    exchange = internet.requests[1]
    assert (exchange.method, exchange.form) == (
        "POST",
        (
            b"grant_type=refresh_token&refresh_token=long-lived&client_id=imagelock&service=reg"
            b"&scope=repository%3Ateam%2Fa%3Apull"
        ),
    )


@pytest.mark.parametrize("status", [400, 401, 404, 405])
def test_a_login_beside_an_identity_token_serves_where_none_is_exchanged(status: int) -> None:
    """Artifactory answers 401 to every exchange."""
    tokens = FakeTokenServer(login="me:secret")
    internet = bearer_internet(tokens)
    internet.hosts["auth.example"] = lambda request: (
        refusal(status, "UNSUPPORTED", "no") if request.method == "POST" else tokens(request)
    )
    auths = {"reg.example": {"identitytoken": "long-lived", "auth": base64.b64encode(b"me:secret").decode()}}
    client_of(internet, auths=auths).fetch_manifest(A)
    assert [request.method for request in internet.asked("auth.example")] == ["POST", "GET"]


def test_a_login_beside_an_identity_token_is_what_a_registry_without_tokens_wants() -> None:
    registry = FakeRegistry(login="me:secret")
    registry.push("team/a", IMAGE)
    auths = {"reg.example": {"identitytoken": "long-lived", "auth": base64.b64encode(b"me:secret").decode()}}
    fetched = client_of(FakeInternet({"reg.example": registry}), auths=auths).fetch_manifest(A)
    assert str(fetched.digest) == IMAGE.digest


def test_a_registry_token_is_used_as_it_is() -> None:
    tokens = FakeTokenServer(issued={"given": frozenset({"repository:team/a:pull"})})
    internet = bearer_internet(tokens)
    client_of(internet, auths={"reg.example": {"registrytoken": "given"}}).fetch_manifest(A)
    assert tokens.questions == []


def test_logins_of_two_namespaces_share_no_token() -> None:
    """Even where the registry's challenge says that a token is for everything."""
    tokens = FakeTokenServer(grants=lambda _: ("repository:team/a:pull", "repository:other/b:pull"))
    registry = FakeRegistry(tokens=tokens, challenge=f'{CHALLENGE},scope="*"', names_scope=False)
    registry.push("team/a", IMAGE)
    registry.push("other/b", IMAGE)
    internet = FakeInternet({"reg.example": registry, "auth.example": tokens})
    client = client_of(internet, logins={"reg.example/team": "me:one", "reg.example/other": "you:two"})
    references = [A, parse_reference("reg.example/other/b:1")]
    for reference in (*references, *references):
        client.fetch_manifest(reference)
    used = {request.url.path: request.authorization for request in internet.asked("reg.example")}
    assert len(set(used.values())) == 2


def test_an_old_token_is_replaced_before_it_dies() -> None:
    tokens = FakeTokenServer(lifetime_seconds=100)
    setup = Setup(internet=bearer_internet(tokens))
    client = setup.client()
    client.fetch_manifest(A)
    setup.clock.seconds += 89
    client.fetch_manifest(A)
    assert len(tokens.questions) == 1
    setup.clock.seconds += 2
    client.fetch_manifest(A)
    assert len(tokens.questions) == 2


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_token_that_died_early_is_replaced_once(status: int) -> None:
    """ECR Public answers 400 without a challenge, Google's registries 403, NVIDIA's another realm."""
    tokens = FakeTokenServer(lifetime_seconds=100)
    setup = Setup(internet=bearer_internet(tokens))
    client = setup.client()
    client.fetch_manifest(A)
    setup.clock.seconds += 60
    registry = setup.internet.hosts["reg.example"]
    died = Answer(status=status, headers={"WWW-Authenticate": 'Bearer realm="https://other.example/t"'})
    setup.internet.hosts["reg.example"] = in_turn(died if status == 401 else Answer(status=status), registry)
    client.fetch_manifest(A)
    assert len(tokens.questions) == 2
    assert "other.example" not in {request.origin.host for request in setup.internet.requests}


def test_a_young_token_that_is_refused_ends_the_matter() -> None:
    tokens = FakeTokenServer(grants=lambda _: ())
    internet = bearer_internet(tokens)
    with pytest.raises(AuthenticationError):
        client_of(internet).fetch_manifest(A)
    assert len(internet.requests) == 3


def test_anonymous_looks_for_no_credentials() -> None:
    tokens = FakeTokenServer()
    internet = bearer_internet(tokens)
    client_of(internet, logins={"reg.example": "me:secret"}, anonymous=True).fetch_manifest(A)
    assert "Basic" not in "".join(request.authorization for request in internet.requests)


def test_a_registry_without_challenge_is_not_asked_again() -> None:
    internet = FakeInternet({"reg.example": lambda _: refusal(401, "UNAUTHORIZED", "go away")})
    with pytest.raises(AuthenticationError):
        client_of(internet, logins={"reg.example": "me:secret"}).fetch_manifest(A)
    assert len(internet.requests) == 1


def test_a_scope_is_made_up_where_the_challenge_has_none() -> None:
    tokens = FakeTokenServer()
    registry = FakeRegistry(tokens=tokens)
    registry.push("team/a", IMAGE)

    def answer(request: Request) -> Answer:
        answered = registry(request)
        return answered.adding({"WWW-Authenticate": CHALLENGE}) if answered.status == 401 else answered

    client_of(FakeInternet({"reg.example": answer, "auth.example": tokens})).fetch_manifest(A)
    assert tokens.questions == [("repository:team/a:pull",)]


def test_a_realm_keeps_its_own_query() -> None:
    tokens = FakeTokenServer()
    registry = FakeRegistry(tokens=tokens, challenge='Bearer realm="https://auth.example/t?account=x",service="s"')
    registry.push("team/a", IMAGE)
    internet = FakeInternet({"reg.example": registry, "auth.example": tokens})
    client_of(internet).fetch_manifest(A)
    assert internet.log()[1] == (
        "GET auth.example/t?account=x&service=s&scope=repository:team/a:pull&client_id=imagelock"
    )

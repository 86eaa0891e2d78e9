"""Google's registries: challenges without scopes, passwords that are JSON, tags with much beside them."""

from __future__ import annotations

import base64
import json

import pytest

from imagelock.model.reference import parse_reference, parse_repository
from tests.support.fake_registry.answers import Answer, Handler, in_turn, json_answer
from tests.support.fake_registry.clients import Setup, client_of
from tests.support.fake_registry.quirk_hosts import IMAGE, challenge, holding, redirect, with_tokens_at
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.unit.registry.conftest import InternetOf

GAR = "europe-docker.pkg.dev"


def google(host: str, tokens: FakeTokenServer, *paths: str) -> Handler:
    """Its challenge names no scope."""
    registry = holding(*paths, tokens=tokens, challenge=challenge(f"https://{host}/v2/token", host), names_scope=False)
    return with_tokens_at("/v2/token", tokens, registry)


@pytest.mark.parametrize("host", ["gcr.io", "eu.gcr.io", GAR])
def test_it_gets_a_scope_that_it_did_not_name_and_never_an_empty_one(internet_of: InternetOf, host: str) -> None:
    tokens = FakeTokenServer()
    internet = internet_of({host: google(host, tokens, "project/repo/a")})
    client_of(internet).fetch_manifest(parse_reference(f"{host}/project/repo/a:1"))
    assert tokens.questions == [("repository:project/repo/a:pull",)]


def test_its_tokens_are_for_one_repository_each(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    client = client_of(internet_of({GAR: google(GAR, tokens, "p/r/a", "p/r/b")}))
    references = [parse_reference(f"{GAR}/p/r/{name}:1") for name in "ab"]
    client.prepare(reference.repository for reference in references)
    for reference in references:
        client.fetch_manifest(reference)
    assert tokens.questions == [("repository:p/r/a:pull",), ("repository:p/r/b:pull",)]


@pytest.mark.parametrize("user", ["oauth2accesstoken", "_json_key", "_json_key_base64", "_dcgcr_2_0_0_token"])
def test_a_password_may_be_a_document(internet_of: InternetOf, user: str) -> None:
    """Its colons and line breaks are the password's: a login is cut at the first colon."""
    password = json.dumps({"type": "service_account", "private_key": "-----BEGIN\nPRIVATE: KEY-----\n"}, indent=1)
    tokens = FakeTokenServer(login=f"{user}:{password}")
    internet = internet_of({GAR: google(GAR, tokens, "p/r/a")})
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    client_of(internet, auths={GAR: {"auth": auth}}).fetch_manifest(parse_reference(f"{GAR}/p/r/a:1"))
    assert len(tokens.issued) == 1


def test_an_old_token_that_is_refused_without_a_challenge_is_renewed(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer(lifetime_seconds=3600)
    internet = internet_of({GAR: google(GAR, tokens, "p/r/a")})
    setup = Setup(internet=internet)
    client, reference = setup.client(), parse_reference(f"{GAR}/p/r/a:1")
    client.fetch_manifest(reference)
    setup.clock.seconds += 2000
    internet.hosts[GAR] = in_turn(Answer(status=403), internet.hosts[GAR])
    assert client.fetch_manifest(reference).body == IMAGE.body
    assert len(tokens.questions) == 2


def test_what_stands_beside_its_tags_is_left_alone(internet_of: InternetOf) -> None:
    beside = {f"sha256:{number:064}": {"tag": [], "timeUploadedMs": "1"} for number in range(3000)}
    listed = {"name": "p/a", "tags": ["1", "2"], "child": ["x"], "manifest": beside}
    internet = internet_of({"gcr.io": in_turn(json_answer({"token": "x"}), json_answer(listed))})
    assert client_of(internet).list_tags(parse_repository("gcr.io/p/a")) == ("1", "2")


def test_a_project_of_a_domain_has_one_more_part(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    internet = internet_of({"gcr.io": google("gcr.io", tokens, "google.com/project/a")})
    client_of(internet).fetch_manifest(parse_reference("gcr.io/google.com/project/a:1"))
    assert tokens.questions == [("repository:google.com/project/a:pull",)]


def test_the_old_registry_leads_to_the_new_one(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    moved = redirect(f"https://{GAR}/v2/p/gcr.io/a/manifests/1", status=302)
    registry = with_tokens_at("/v2/token", FakeTokenServer(), moved)
    internet = internet_of({"gcr.io": registry, GAR: google(GAR, tokens, "p/gcr.io/a")})
    assert client_of(internet).fetch_manifest(parse_reference("gcr.io/p/a:1")).body == IMAGE.body


@pytest.mark.advisory("go-containerregistry#2360")
def test_kubernetes_registry_leads_to_hosts_that_hand_a_token_to_everybody(internet_of: InternetOf) -> None:
    tokens = FakeTokenServer()
    registry = holding("images/a", tokens=tokens, challenge=challenge(f"https://{GAR}/v2/token", GAR))
    internet = internet_of(
        {
            "registry.k8s.io": redirect(f"https://{GAR}/v2/images/a/manifests/1"),
            GAR: with_tokens_at("/v2/token", tokens, registry),
        }
    )
    fetched = client_of(internet, logins={GAR: "me:secret"}).fetch_manifest(parse_reference("registry.k8s.io/a:1"))
    assert str(fetched.digest) == IMAGE.digest
    assert tokens.questions == [("repository:images/a:pull",)]
    assert not [request for request in internet.requests if request.authorization.startswith("Basic")]


@pytest.mark.parametrize("status", [307, 308])
def test_kubernetes_registry_leads_to_buckets_with_signed_addresses(internet_of: InternetOf, status: int) -> None:
    bucket = "prod-registry-k8s-io-eu-central-1.s3.dualstack.eu-central-1.amazonaws.com"
    moved = redirect(f"https://{bucket}/blob?X-Amz-Signature=abc", status=status)
    content = Answer(headers={"Content-Type": "binary/octet-stream"}, chunks=[IMAGE.body])
    internet = internet_of({"registry.k8s.io": moved, bucket: lambda _: content})
    pinned = parse_reference(f"registry.k8s.io/pause@{IMAGE.digest}")
    assert client_of(internet).fetch_manifest(pinned).body == IMAGE.body


def test_kubernetes_registry_wants_no_token_where_it_answers_itself(internet_of: InternetOf) -> None:
    internet = internet_of({"registry.k8s.io": FakeRegistry(tags={"pause": ["3.9", "3.10"]})})
    assert client_of(internet).list_tags(parse_repository("registry.k8s.io/pause")) == ("3.10", "3.9")
    assert len(internet.requests) == 1

"""The test registries are what they claim to be, seen through programs that aren't ours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support.credentials import TEST_LOGIN, Login, write_docker_config
from tests.support.oci_images import (
    DOCKER,
    OCI,
    IndexEntry,
    attestation_of,
    image_index,
    multi_platform_image,
    platform_digests,
    platform_image,
)
from tests.support.plain_client import Answer, get
from tests.support.real_software import new_repository
from tests.support.registry_server import RegistryServer, bearer_registry
from tests.support.registry_tokens import SERVICE
from tests.support.remote_repository import RemoteRepository
from tests.support.token_server import TokenRequest


def test_skopeo_reads_back_what_it_pushed(registry: RegistryServer) -> None:
    amd64, arm = platform_image("linux/amd64"), platform_image("linux/arm/v7")
    index = image_index(amd64, arm, attestation_of(amd64))
    repository = new_repository(registry)
    repository.push(index)
    assert repository.skopeo_digest() == index.digest


def test_docker_lists_what_skopeo_pushed(registry: RegistryServer) -> None:
    index = multi_platform_image("linux/amd64", "linux/arm/v7", family=DOCKER)
    repository = new_repository(registry)
    repository.push(index)
    assert repository.skopeo_digest() == index.digest
    assert repository.docker_platform_digests() == platform_digests(index.body)


def test_windows_entries_keep_their_os_version(repository: RemoteRepository) -> None:
    versions = ("10.0.17763.1", "10.0.20348.2")
    index = image_index(*(platform_image("windows/amd64", os_version=version) for version in versions))
    repository.push(index)
    assert repository.skopeo_digest() == index.digest


def test_an_image_without_an_index_keeps_its_digest(repository: RemoteRepository) -> None:
    image = platform_image("linux/amd64").content
    repository.push(image)
    assert repository.skopeo_digest() == image.digest


def test_a_nested_index_is_uploaded_as_it_is(repository: RemoteRepository) -> None:
    inner = IndexEntry(content=multi_platform_image("linux/amd64"))
    nested = image_index(inner, platform_image("linux/s390x"))
    repository.upload(nested)
    assert repository.skopeo_digest() == nested.digest


def test_a_tag_moves_when_it_is_pushed_again(repository: RemoteRepository) -> None:
    first, second = (multi_platform_image("linux/amd64", note=note) for note in ("first", "second"))
    repository.push(first)
    repository.push(second)
    assert first.digest != repository.skopeo_digest() == second.digest


def test_a_deleted_image_is_gone(registry: RegistryServer) -> None:
    repository = new_repository(registry)
    index = multi_platform_image("linux/amd64")
    repository.push(index)
    repository.delete(index.digest)
    with pytest.raises(AssertionError, match="manifest unknown"):
        repository.skopeo_digest()


def test_the_access_log_lists_the_requests_since_a_mark(repository: RemoteRepository) -> None:
    repository.push(platform_image("linux/amd64").content)
    mark = repository.registry.access_log.mark()
    repository.skopeo_digest()
    asked = repository.registry.access_log.since(mark)
    assert [(each.method, each.path, each.status) for each in asked] == [
        ("GET", "/v2/", 200),
        ("GET", f"/v2/{repository.path}/manifests/1", 200),
    ]
    assert {each.user_agent.partition("/")[0] for each in asked} == {"skopeo"}


def test_without_its_login_a_registry_challenges(htpasswd: RegistryServer, bearer: RegistryServer) -> None:
    assert _challenge(htpasswd) == 'Basic realm="tests"'
    scope = "repository:tests/any:pull"
    assert _challenge(bearer) == (f'Bearer realm="{_realm(bearer)}",service="registry.tests",scope="{scope}"')


def test_one_token_opens_many_repositories(bearer: RegistryServer) -> None:
    image = platform_image("linux/amd64").content
    repositories = [new_repository(bearer) for _ in range(3)]
    for repository in repositories:
        repository.push(image)
    scopes = [f"repository:{repository.path}:pull" for repository in repositories]
    asked_before = len(bearer.tokens.requests)
    answer = _ask_for_token(bearer, scopes, authorization=TEST_LOGIN.basic)
    authorization = f"Bearer {json.loads(answer.body)['token']}"
    bodies = [_read(repository, authorization=authorization).body for repository in repositories]
    assert bodies == [image.body] * 3
    assert bearer.tokens.requests[asked_before:] == (
        TokenRequest(scopes=tuple(scopes), authorization="basic", status=200),
    )


@pytest.mark.usefixtures("registry_programs")
def test_a_token_without_login_pulls_but_does_not_push(tmp_path: Path) -> None:
    with bearer_registry(tmp_path, anonymous_pull=True) as registry:
        repository = new_repository(registry)
        image = platform_image("linux/amd64").content
        repository.push(image)
        answer = _ask_for_token(registry, [f"repository:{repository.path}:pull,push"])
        authorization = f"Bearer {json.loads(answer.body)['token']}"
        assert _read(repository, authorization=authorization).body == image.body
        nobody = write_docker_config(tmp_path / "nobody", {})
        no_logins = {"REGISTRY_AUTH_FILE": str(nobody), "DOCKER_CONFIG": str(nobody.parent)}
        anonymous = replace(registry, environment={**registry.environment, **no_logins})
        with pytest.raises(AssertionError, match="authentication required"):
            replace(repository, registry=anonymous).push(image, tag="2")


def test_a_wrong_login_gets_no_token(bearer: RegistryServer) -> None:
    for authorization in ("", Login("tester", "wrong").basic):
        assert _ask_for_token(bearer, [], authorization=authorization).status == 401


def _challenge(registry: RegistryServer) -> str:
    url = f"https://{registry.address}/v2/tests/any/manifests/1"
    answer = get(url, trust=registry.access_log.trust)
    assert answer.status == 401
    return answer.headers["WWW-Authenticate"]


def _realm(registry: RegistryServer) -> str:
    return f"https://localhost:{registry.tokens.port}/token"


def _ask_for_token(registry: RegistryServer, scopes: list[str], *, authorization: str = "") -> Answer:
    query = urlencode({"service": SERVICE, "scope": scopes}, doseq=True)
    headers = {"Authorization": authorization} if authorization else {}
    return get(f"{_realm(registry)}?{query}", trust=registry.access_log.trust, headers=headers)


def _read(repository: RemoteRepository, *, authorization: str) -> Answer:
    url = f"https://{repository.registry.address}/v2/{repository.path}/manifests/1"
    headers = {"Authorization": authorization, "Accept": OCI.manifest}
    return get(url, trust=repository.registry.access_log.trust, headers=headers)

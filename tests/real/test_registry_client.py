"""Our client against a real registry, in all the ways in which it lets one in."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from imagelock.errors import AuthenticationError, ImageNotFoundError
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.locking.resolve import resolve_image
from imagelock.model.reference import RegistryName, parse_reference
from imagelock.registry.client import RegistryClient
from imagelock.registry.locations import RegistrySettings
from imagelock.registry.sources import open_registries
from tests.support.oci_images import multi_platform_image, platform_digests, platform_image
from tests.support.real_software import new_repository
from tests.support.registry_server import RegistryServer, bearer_registry


@contextmanager
def client_of(
    registry: RegistryServer, *, home: Path, anonymous: bool = False, cache: Path | None = None
) -> Iterator[RegistryClient]:
    authority = registry.environment.get("SSL_CERT_FILE")
    declared = RegistryDeclaration(
        registry=RegistryName(registry.address), ca_file=Path(authority) if authority else None
    )
    settings = RegistrySettings(
        registries=(declared,),
        environment=registry.environment,
        home=home,
        anonymous=anonymous,
        cache_directory=cache,
    )
    with open_registries(settings, ()) as client:
        yield client


def test_an_image_is_resolved_as_other_clients_see_it(registry: RegistryServer, tmp_path: Path) -> None:
    index = multi_platform_image("linux/amd64", "linux/arm/v7")
    repository = new_repository(registry)
    reference = parse_reference(repository.push(index))
    with client_of(registry, home=tmp_path) as client:
        client.prepare([reference.repository])
        resolved = resolve_image(reference, client)
    assert str(resolved.digest) == repository.skopeo_digest() == index.digest
    assert {str(entry.platform): str(entry.digest) for entry in resolved.platform_digests} == platform_digests(
        index.body
    )


def test_the_platform_of_a_single_image_comes_from_its_configuration(registry: RegistryServer, tmp_path: Path) -> None:
    image = platform_image("linux/s390x").content
    reference = parse_reference(new_repository(registry).push(image))
    with client_of(registry, home=tmp_path) as client:
        resolved = resolve_image(reference, client)
    assert [(str(entry.platform), str(entry.digest)) for entry in resolved.platform_digests] == [
        ("linux/s390x", image.digest)
    ]


def test_a_missing_tag_is_named_with_what_the_registry_said(registry: RegistryServer, tmp_path: Path) -> None:
    repository = new_repository(registry)
    repository.push(multi_platform_image("linux/amd64"))
    with client_of(registry, home=tmp_path) as client, pytest.raises(ImageNotFoundError) as raised:
        client.fetch_manifest(parse_reference(f"{repository}:none"))
    assert raised.value.message == f"{repository}:none does not exist"
    assert raised.value.details == (
        f"{registry.address} answered 404",
        "it said: MANIFEST_UNKNOWN: manifest unknown",
    )


def test_without_a_login_a_registry_that_wants_one_refuses(htpasswd: RegistryServer, tmp_path: Path) -> None:
    reference = parse_reference(f"{htpasswd.address}/private/image:1")
    with client_of(htpasswd, home=tmp_path, anonymous=True) as client, pytest.raises(AuthenticationError) as raised:
        client.fetch_manifest(reference)
    assert raised.value.message == f"{reference} does not exist or needs a login"
    assert raised.value.hint == f"leave out --anonymous, or run `docker login {htpasswd.address}`"


def test_many_repositories_cost_one_token_and_one_request_each(bearer: RegistryServer, tmp_path: Path) -> None:
    index = multi_platform_image("linux/amd64")
    references = [parse_reference(new_repository(bearer).push(index)) for _ in range(6)]
    mark, tokens_before = bearer.access_log.mark(), len(bearer.tokens.requests)
    with client_of(bearer, home=tmp_path) as client, ThreadPoolExecutor(6) as pool:
        client.prepare(reference.repository for reference in references)
        assert {str(fetched.digest) for fetched in pool.map(client.fetch_manifest, references)} == {index.digest}
    assert len(bearer.tokens.requests) - tokens_before == 1
    # One more, because nobody knew before what the registry wants to see.
    assert len(bearer.access_log.since(mark)) == len(references) + 1


@pytest.mark.usefixtures("registry_programs")
def test_where_a_token_is_for_one_repository_each_costs_one_more_request(tmp_path: Path) -> None:
    index = multi_platform_image("linux/amd64")
    with bearer_registry(tmp_path, takes_batches=False) as registry:
        references = [parse_reference(new_repository(registry).push(index)) for _ in range(6)]
        mark, tokens_before = registry.access_log.mark(), len(registry.tokens.requests)
        with client_of(registry, home=tmp_path) as client, ThreadPoolExecutor(6) as pool:
            client.prepare(reference.repository for reference in references)
            assert {str(fetched.digest) for fetched in pool.map(client.fetch_manifest, references)} == {index.digest}
        tokens = len(registry.tokens.requests) - tokens_before
        assert (tokens, len(registry.access_log.since(mark))) == (6, 1 + 6)


def test_a_later_run_asks_for_a_token_at_once_and_pulls_nothing(bearer: RegistryServer, tmp_path: Path) -> None:
    index = multi_platform_image("linux/amd64")
    references = [parse_reference(new_repository(bearer).push(index)) for _ in range(4)]
    for methods in ({"GET"}, {"HEAD"}):
        mark, tokens_before = bearer.access_log.mark(), len(bearer.tokens.requests)
        with client_of(bearer, home=tmp_path, cache=tmp_path / "cache") as client:
            client.prepare(reference.repository for reference in references)
            for reference in references:
                assert str(client.fetch_manifest(reference).digest) == index.digest
        assert len(bearer.tokens.requests) - tokens_before == 1
        assert {request.method for request in bearer.access_log.since(mark)} == methods
    assert len(bearer.access_log.since(mark)) == len(references)

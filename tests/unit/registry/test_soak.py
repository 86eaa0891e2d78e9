"""Two thousand images from a registry that fails at every twentieth request, in five different ways."""

from __future__ import annotations

import random
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

from imagelock.errors import ImagelockError
from imagelock.model.reference import ImageReference, parse_reference
from imagelock.registry.client import RegistryClient
from tests.support.fake_registry.answers import Answer, Fault
from tests.support.fake_registry.clients import Setup
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.support.oci_images import multi_platform_image

IMAGE = multi_platform_image("linux/amd64", "linux/arm64")
IMAGES = 2000
TROUBLE = [
    Answer(status=429, headers={"Retry-After": "1"}),
    Answer(status=503),
    Answer(fault=Fault.RESET),
    Answer(fault=Fault.STALL),
    Answer(fault=Fault.TRUNCATED),
]


def troubled_setup(*, rate: float) -> Setup:
    chance = random.Random(7)  # noqa: S311  a test that is the same each time
    tokens = FakeTokenServer()
    registry = FakeRegistry(
        tokens=tokens, challenge='Bearer realm="https://auth.example/token",service="s"', names_access=True
    )
    for number in range(IMAGES):
        registry.push(f"team/image{number}", IMAGE)

    def answer(request: Request) -> Answer:
        return chance.choice(TROUBLE) if chance.random() < rate else registry(request)

    return Setup(internet=FakeInternet({"reg.example": answer, "auth.example": tokens}))


def fetch_all(client: RegistryClient) -> tuple[int, dict[str, ImagelockError]]:
    references = [parse_reference(f"reg.example/team/image{number}:1") for number in range(IMAGES)]
    client.prepare(reference.repository for reference in references)
    failures: dict[str, ImagelockError] = {}

    def fetch(reference: ImageReference) -> bool:
        try:
            return str(client.fetch_manifest(reference).digest) == IMAGE.digest
        except ImagelockError as error:
            failures[str(reference)] = error
            return False

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(fetch, references)), failures


def test_every_image_is_fetched_or_named() -> None:
    setup = troubled_setup(rate=0.05)
    client = setup.client()
    tracemalloc.start()
    fetched, failures = fetch_all(client)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fetched + len(failures) == IMAGES
    assert fetched >= IMAGES - 2
    assert all(error.message for error in failures.values())
    assert peak_bytes < 64 * 1024 * 1024


def test_a_registry_that_answers_every_second_time_loses_nothing_silently() -> None:
    fetched, failures = fetch_all(troubled_setup(rate=0.5).client())
    assert fetched + len(failures) == IMAGES
    assert {type(error).__name__ for error in failures.values()} == {"TemporaryError"}

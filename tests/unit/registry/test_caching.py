"""What one run leaves on disk for the next: requests that needn't be sent, and never a belief."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagelock.errors import InvalidContentError, TemporaryError
from imagelock.model.digest import Digest
from imagelock.model.oci import Descriptor
from imagelock.model.reference import parse_reference
from imagelock.registry.content_cache import (
    ACCESS_FILE_NAME,
    CacheSize,
    clean_cache,
    default_cache_directory,
    measure_cache,
)
from tests.support.fake_registry.answers import Answer
from tests.support.fake_registry.clients import Setup
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.support.oci_images import multi_platform_image, sha256

IMAGE, MOVED = multi_platform_image("linux/amd64"), multi_platform_image("linux/arm64")
TAGGED = parse_reference("reg.example/team/a:1")
PINNED = parse_reference(f"reg.example/team/a@{IMAGE.digest}")
DAY = 24 * 60 * 60


def open_registry() -> FakeRegistry:
    registry = FakeRegistry()
    registry.push("team/a", IMAGE)
    return registry


def setup_of(registry: FakeRegistry, directory: Path) -> Setup:
    return Setup(internet=FakeInternet({"reg.example": registry}), cache_directory=directory)


def cached_file(directory: Path) -> Path:
    return directory / "content" / "sha256" / IMAGE.digest.removeprefix("sha256:")


def test_content_by_digest_is_fetched_once(tmp_path: Path) -> None:
    setup = setup_of(open_registry(), tmp_path)
    for _ in range(2):
        assert setup.next_run().fetch_manifest(PINNED).body == IMAGE.body
    assert len(setup.internet.requests) == 1


@pytest.mark.parametrize("damage", [b"", b"{}", MOVED.body])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: bytes) -> None:
    setup = setup_of(open_registry(), tmp_path)
    setup.client().fetch_manifest(PINNED)
    cached_file(tmp_path).write_bytes(damage)
    for _ in range(2):
        assert setup.next_run().fetch_manifest(PINNED).body == IMAGE.body
    # The second run has mended it for all later ones.
    assert len(setup.internet.requests) == 2


def test_a_tag_that_stayed_costs_a_question_and_no_pull(tmp_path: Path) -> None:
    setup = setup_of(open_registry(), tmp_path)
    for _ in range(2):
        assert str(setup.next_run().fetch_manifest(TAGGED).digest) == IMAGE.digest
    assert [request.method for request in setup.internet.requests] == ["GET", "HEAD"]


def test_a_tag_that_moved_is_fetched(tmp_path: Path) -> None:
    registry = open_registry()
    setup = setup_of(registry, tmp_path)
    setup.client().fetch_manifest(TAGGED)
    registry.push("team/a", MOVED)
    assert str(setup.next_run().fetch_manifest(TAGGED).digest) == MOVED.digest
    assert [request.method for request in setup.internet.requests] == ["GET", "HEAD", "GET"]


def test_whether_content_is_still_served_is_asked_all_the_same(tmp_path: Path) -> None:
    setup = setup_of(open_registry(), tmp_path)
    setup.client().fetch_manifest(PINNED)
    assert setup.next_run().fetch_digest(PINNED) == Digest.parse(IMAGE.digest)
    assert [request.method for request in setup.internet.requests] == ["GET", "HEAD"]


def test_configurations_are_kept_too(tmp_path: Path) -> None:
    body = b'{"os": "linux"}'
    setup = setup_of(FakeRegistry(blobs={sha256(body): body}), tmp_path)
    descriptor = Descriptor(media_type="x", digest=Digest.parse(sha256(body)), size_bytes=len(body))
    for _ in range(2):
        assert setup.next_run().fetch_blob(TAGGED.repository, descriptor) == body
    assert len(setup.internet.requests) == 1


def test_a_cache_is_measured_and_cleaned(tmp_path: Path) -> None:
    assert measure_cache(tmp_path / "missing") == CacheSize(0, 0)
    setup_of(open_registry(), tmp_path).client().fetch_manifest(TAGGED)
    (tmp_path / "somebody else's").write_text("stays")
    size = CacheSize(2, len(IMAGE.body) + len(IMAGE.digest))
    assert measure_cache(tmp_path) == clean_cache(tmp_path) == size
    assert measure_cache(tmp_path) == CacheSize(0, 0)
    assert (tmp_path / "somebody else's").exists()


def test_cleaning_forgets_how_registries_want_to_be_asked(tmp_path: Path) -> None:
    setup = bearer_setup(tmp_path)
    setup.client().fetch_digest(TAGGED)
    setup.memories[0].save()
    size = (tmp_path / ACCESS_FILE_NAME).stat().st_size
    assert clean_cache(tmp_path) == CacheSize(1, size)
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    setup = setup_of(open_registry(), tmp_path / "file")
    assert setup.client().fetch_manifest(TAGGED).body == IMAGE.body
    assert setup.next_run().fetch_manifest(TAGGED).body == IMAGE.body


def test_the_cache_lies_where_the_user_keeps_caches() -> None:
    home = Path("/home/me")
    assert default_cache_directory({}, home=home) == Path("/home/me/.cache/imagelock")
    assert default_cache_directory({"XDG_CACHE_HOME": "/var/cache"}, home=home) == Path("/var/cache/imagelock")


def bearer_setup(directory: Path) -> Setup:
    tokens = FakeTokenServer()
    challenge = 'Bearer realm="https://auth.example/token",service="reg"'
    registry = FakeRegistry(tokens=tokens, challenge=challenge)
    registry.push("team/a", IMAGE)
    return Setup(internet=FakeInternet({"reg.example": registry, "auth.example": tokens}), cache_directory=directory)


def hosts(setup: Setup) -> list[str]:
    return [request.origin.host for request in setup.internet.requests]


def test_a_challenge_is_remembered_for_a_day(tmp_path: Path) -> None:
    setup = bearer_setup(tmp_path)
    setup.client().fetch_digest(TAGGED)
    assert hosts(setup) == ["reg.example", "auth.example", "reg.example"]
    setup.internet.requests.clear()
    setup.next_run().fetch_digest(TAGGED)
    assert hosts(setup) == ["auth.example", "reg.example"]
    setup.internet.requests.clear()
    setup.clock.seconds += DAY + 1
    setup.next_run().fetch_digest(TAGGED)
    assert hosts(setup) == ["reg.example", "auth.example", "reg.example"]


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "bearer", "realm": "https://gone.example/t", "service": "s", "batches": False},
        {"kind": "bearer", "realm": "https://169.254.169.254/t", "service": "s", "batches": False},
        {"kind": "bearer", "realm": "file:///etc/passwd", "service": "s", "batches": True},
        {"kind": "basic"},
        {"kind": "open"},
        {"kind": "magic"},
        "nonsense",
        None,
    ],
)
def test_a_wrong_memory_costs_one_request_and_no_failure(tmp_path: Path, entry: object) -> None:
    setup = bearer_setup(tmp_path)
    setup.logins = {"reg.example": "me:secret"}
    learned = {**entry, "at": setup.clock.now().timestamp()} if isinstance(entry, dict) else entry
    (tmp_path / ACCESS_FILE_NAME).write_text(json.dumps({"https://reg.example": learned}))
    assert str(setup.client().fetch_manifest(TAGGED).digest) == IMAGE.digest
    assert len(setup.internet.requests) <= 4
    assert "169.254.169.254" not in hosts(setup)


def test_a_busy_server_is_not_remembered_as_open(tmp_path: Path) -> None:
    setup = Setup(internet=FakeInternet({"reg.example": lambda _: Answer(status=503)}), cache_directory=tmp_path)
    with pytest.raises(TemporaryError):
        setup.client().fetch_manifest(TAGGED)
    setup.memories[0].save()
    assert not (tmp_path / ACCESS_FILE_NAME).exists()


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b'{"https://reg.example": {"at": 1e999}}'])
def test_an_unreadable_memory_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ACCESS_FILE_NAME).write_bytes(content)
    setup = bearer_setup(tmp_path)
    setup.client().fetch_manifest(TAGGED)
    assert len(setup.internet.requests) == 3


def test_no_secret_is_remembered(tmp_path: Path) -> None:
    setup = bearer_setup(tmp_path)
    setup.logins = {"reg.example": "me:secret"}
    setup.client().fetch_manifest(TAGGED)
    setup.next_run()
    assert json.loads((tmp_path / ACCESS_FILE_NAME).read_text()) == {
        "https://reg.example": {
            "at": setup.clock.now().timestamp(),
            "batches": False,
            "kind": "bearer",
            "realm": "https://auth.example/token",
            "service": "reg",
        }
    }


def test_a_refused_realm_leaves_nobody_waiting(tmp_path: Path) -> None:
    setup = Setup(
        internet=FakeInternet({"reg.example": FakeRegistry(tokens=FakeTokenServer(), challenge='Bearer realm="x:y"')}),
        cache_directory=tmp_path,
    )
    client = setup.client()
    for _ in range(2):
        with pytest.raises(InvalidContentError, match="a token server that must not be asked"):
            client.fetch_manifest(TAGGED)

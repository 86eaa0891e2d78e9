"""Verify over the registry client: what each answer of a registry means, and how many requests it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imagelock.errors import AuthenticationError, TemporaryError
from imagelock.images_file.parser import parse_images_file
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.locking.lockfile import Lockfile
from imagelock.locking.plan import plan_lock, run_steps
from imagelock.locking.verify import Finding, State, Verification, verify_images
from imagelock.model.reference import RegistryName
from tests.support.fake_registry.answers import Answer, Fault, Handler, refusal
from tests.support.fake_registry.clients import Setup
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.lock_runs import NOW
from tests.support.oci_images import multi_platform_image

_IMAGE = multi_platform_image("linux/amd64", "linux/arm64")
_AMD64, _ARM64 = _IMAGE.children
_PAGE = Answer(headers={"Content-Type": "text/html"}, chunks=[b"<html>sign in</html>"])
_OTHER_BYTES = Answer(headers={"Content-Type": _IMAGE.media_type}, chunks=[b"{}"])


class _Registry:
    """A registry that answers as it should, except for one reference."""

    def __init__(self) -> None:
        self.inner = FakeRegistry()
        self.inner.push("team/a", _IMAGE)
        self.faults: dict[str, Handler | Answer] = {}

    def __call__(self, request: Request) -> Answer:
        fault = self.faults.get(request.url.path.rpartition("/")[2])
        if fault is None:
            return self.inner(request)
        return fault if isinstance(fault, Answer) else fault(request)


class _Scene:
    """A lock of one image, and a client of a later run with or without the cache of the lock."""

    def __init__(self, cache: Path | None) -> None:
        self.registry = _Registry()
        self.setup = Setup(internet=FakeInternet({"reg.example": self.registry}), cache_directory=cache)
        images = parse_images_file('platforms = ["linux/amd64", "linux/arm64"]\n[images]\na = "reg.example/team/a:1"\n')
        self.lockfile: Lockfile = run_steps(plan_lock(images, Lockfile(), now=NOW), self.setup.client()).lockfile
        self.setup.internet.requests.clear()

    def verify(self, *, with_blobs: bool = False) -> Verification:
        [found] = verify_images(self.lockfile.images, self.setup.client(), with_blobs=with_blobs)
        return found

    def log(self) -> list[str]:
        return sorted(line.replace("reg.example/v2/team/a/", "") for line in self.setup.internet.log())


@pytest.fixture(params=["cold", "warm"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> _Scene:
    return _Scene(tmp_path if request.param == "warm" else None)


def _index(found: Verification) -> Finding:
    return found.findings[0]


def _arm64(found: Verification) -> Finding:
    return found.findings[2]


def test_a_cold_run_gets_the_index_and_a_warm_one_asks_for_it(tmp_path: Path) -> None:
    others = [
        f"HEAD manifests/{_AMD64.digest}",
        f"HEAD manifests/{_ARM64.digest}",
        "HEAD manifests/1",
    ]
    cold, warm = _Scene(None), _Scene(tmp_path)
    assert cold.verify().failures == warm.verify().failures == ()
    assert cold.log() == sorted([f"GET manifests/{_IMAGE.digest}", *others])
    assert warm.log() == sorted([f"HEAD manifests/{_IMAGE.digest}", *others])


def test_what_was_fetched_is_cached_for_the_next_run(tmp_path: Path) -> None:
    scene = _Scene(None)
    scene.setup = replace(scene.setup, cache_directory=tmp_path)
    scene.verify()
    scene.setup.internet.requests.clear()
    scene.verify()
    assert [line.split()[0] for line in scene.log()] == ["HEAD"] * 4


def test_every_question_accepts_all_four_media_types(scene: _Scene) -> None:
    scene.verify()
    accepted = {request.headers.get("accept") for request in scene.setup.internet.requests}
    assert len(accepted) == 1
    assert accepted.pop().count("application/vnd.") == 4


def test_mirrors_do_not_answer_for_the_registry(tmp_path: Path) -> None:
    scene = _Scene(tmp_path / "cache")
    mirror = FakeRegistry()
    mirror.push("hub/team/a", _IMAGE)
    declared = RegistryDeclaration(registry=RegistryName("reg.example"), mirrors=("mirror.example/hub",))
    internet = FakeInternet({"reg.example": scene.registry, "mirror.example": mirror})
    scene.setup = Setup(internet=internet, registries=(declared,))
    scene.registry.faults[_IMAGE.digest] = refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
    assert _index(scene.verify()).state is State.GONE
    assert {request.origin.host for request in internet.requests} == {"reg.example"}


@pytest.mark.parametrize("part", ["index", "child"])
def test_a_plain_404_is_a_dead_digest(scene: _Scene, part: str) -> None:
    digest = _IMAGE.digest if part == "index" else _ARM64.digest
    scene.registry.faults[digest] = refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
    found = scene.verify()
    assert (_index if part == "index" else _arm64)(found).state is State.GONE
    assert len(found.failures) == 1


@pytest.mark.parametrize(
    "fault",
    [
        refusal(429, "TOOMANYREQUESTS", "slow down"),
        refusal(500, "UNKNOWN", "oops"),
        refusal(503, "UNAVAILABLE", "later"),
        Answer(fault=Fault.STALL),
        Answer(fault=Fault.RESET),
    ],
)
@pytest.mark.parametrize("name", [_IMAGE.digest, _ARM64.digest, "1"])
def test_a_registry_that_does_not_answer_is_never_a_dead_digest(scene: _Scene, fault: Answer, name: str) -> None:
    scene.registry.faults[name] = fault
    found = scene.verify()
    assert found.failures == ()
    errors = [finding.error for finding in found.findings if finding.state is State.UNKNOWN]
    assert {type(error) for error in errors} == {TemporaryError}


@pytest.mark.parametrize("fault", [refusal(401, "UNAUTHORIZED", "log in"), refusal(403, "DENIED", "not you")])
def test_a_refusal_is_no_dead_digest(scene: _Scene, fault: Answer) -> None:
    scene.registry.faults[_ARM64.digest] = fault
    finding = _arm64(scene.verify())
    assert finding.state is State.UNKNOWN
    assert isinstance(finding.error, AuthenticationError)


@pytest.mark.parametrize(
    "fault",
    [
        Answer(status=307, headers={"Location": "https://localhost/x"}),
        Answer(status=302),
        Answer(status=301, headers={"Location": "http://reg.example/x"}),
        Answer(status=401, headers={"WWW-Authenticate": 'Bearer realm="http://reg.example/token"'}),
        Answer(status=401, headers={"WWW-Authenticate": 'Bearer realm="https://reg.example/token"'}),
    ],
)
@pytest.mark.parametrize("name", [_IMAGE.digest, _ARM64.digest])
def test_an_answer_about_nothing_is_no_wrong_content(scene: _Scene, fault: Answer, name: str) -> None:
    scene.registry.faults[name] = fault
    scene.registry.faults["token"] = _PAGE
    found = scene.verify()
    assert found.failures == ()
    assert State.UNKNOWN in [finding.state for finding in found.findings]


@pytest.mark.parametrize("lie", [_PAGE, _OTHER_BYTES, Answer(headers={"Docker-Content-Digest": _AMD64.digest})])
def test_a_200_with_anything_else_is_no_served_digest(scene: _Scene, lie: Answer) -> None:
    scene.registry.faults[_ARM64.digest] = lie
    assert _arm64(scene.verify()).state is State.WRONG_CONTENT
    scene.registry.faults = {_IMAGE.digest: lie}
    assert _index(scene.verify()).state is State.WRONG_CONTENT


def test_a_head_that_tells_no_digest_is_followed_by_the_content(scene: _Scene) -> None:
    def silent(request: Request) -> Answer:
        answer = scene.registry.inner(request)
        return replace(answer, headers={"Content-Type": _ARM64.media_type})

    scene.registry.faults[_ARM64.digest] = silent
    assert scene.verify().failures == ()
    assert f"GET manifests/{_ARM64.digest}" in scene.log()


def test_blobs_are_asked_for_by_head(scene: _Scene) -> None:
    assert scene.verify(with_blobs=True).failures == ()
    blobs = [blob.digest for image in (_AMD64, _ARM64) for blob in image.children]
    assert [line for line in scene.log() if "blobs" in line] == sorted(f"HEAD blobs/{digest}" for digest in blobs)


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (refusal(404, "BLOB_UNKNOWN", "blob unknown"), State.GONE),
        (refusal(503, "UNAVAILABLE", "later"), State.UNKNOWN),
        (Answer(headers={"Content-Length": "1"}), State.WRONG_CONTENT),
        (Answer(), State.SERVED),
    ],
)
def test_each_answer_about_a_blob_has_its_meaning(scene: _Scene, fault: Answer, state: State) -> None:
    layer = _AMD64.children[1]
    scene.registry.faults[layer.digest] = fault
    found = scene.verify(with_blobs=True)
    assert [finding.state for finding in found.findings if str(finding.digest) == layer.digest] == [state]

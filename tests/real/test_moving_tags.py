"""A tag that moves changes nothing until somebody asks for it, and asking twice costs nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.oci_images import image_index, multi_platform_image, platform_digests, platform_image
from tests.support.project import Outcome, Project
from tests.support.real_software import new_project, new_repository
from tests.support.registry_server import RegistryServer
from tests.support.remote_repository import RemoteRepository

_FIRST = multi_platform_image("linux/amd64", "linux/arm/v7", "linux/arm64", note="first")
_SECOND = multi_platform_image("linux/amd64", "linux/arm/v7", "linux/arm64", note="second")
_TWO = ("linux/amd64", "linux/arm64")


def _short(digest: object) -> str:
    return str(digest).removeprefix("sha256:")[:12]


def test_locking_again_changes_no_byte_and_sends_no_request(registry: RegistryServer, tmp_path: Path) -> None:
    references = [new_repository(registry).push(_FIRST) for _ in range(2)]
    project = new_project(tmp_path, registry)
    project.declare({"one": references[0], "two": references[1]}, platforms=_TWO)
    project.run("lock")
    before, written_at = project.lock_bytes, project.lock_path.stat().st_mtime_ns
    mark = registry.access_log.mark()
    tokens = registry.token_server.requests if registry.token_server else ()
    assert project.run("lock") == Outcome(0, "", "2 images already locked\n")
    assert registry.access_log.since(mark) == ()
    assert tokens == (registry.token_server.requests if registry.token_server else ())
    assert (project.lock_bytes, project.lock_path.stat().st_mtime_ns) == (before, written_at)


def test_the_same_declarations_and_content_give_the_same_bytes(project: Project, repository: RemoteRepository) -> None:
    project.declare({"one": repository.push(_FIRST)}, platforms=_TWO)
    project.run("lock")
    before = project.lock_bytes
    project.lock_path.unlink()
    project.run("lock")
    assert project.lock_bytes == before


def test_a_moved_tag_stays_locked_until_update(project: Project, repository: RemoteRepository) -> None:
    project.declare({"app": repository.push(_FIRST)}, platforms=_TWO)
    project.run("lock")
    repository.push(_SECOND)
    mark = repository.registry.access_log.mark()
    assert project.run("lock") == Outcome(0, "", "1 image already locked\n")
    assert project.run("lock", "--check") == Outcome(0, "", "images.lock matches images.toml\n")
    assert repository.registry.access_log.since(mark) == ()
    assert project.locked["app"]["digest"] == _FIRST.digest
    arrow = f"{_short(_FIRST.digest)} -> {_short(_SECOND.digest)}"
    assert project.run("update") == Outcome(
        0, "", f"Updated 1 of 1 image in TIME\nUpdated  app  1 (rebuilt)  {arrow}\n"
    )
    assert project.locked["app"]["digest"] == _SECOND.digest


@pytest.mark.parametrize("command", [("update", "one"), ("lock", "--upgrade-image", "one"), ("lock", "-P", "one")])
def test_only_the_named_image_moves(project: Project, anonymous: RegistryServer, command: tuple[str, ...]) -> None:
    one, two = new_repository(anonymous), new_repository(anonymous)
    project.declare({"one": one.push(_FIRST), "two": two.push(_FIRST)})
    project.run("lock")
    one.push(_SECOND)
    two.push(_SECOND)
    assert project.run(*command).exit_code == 0
    assert {name: image["digest"] for name, image in project.locked.items()} == {
        "one": _SECOND.digest,
        "two": _FIRST.digest,
    }


def test_an_unknown_name_is_an_error_with_a_guess(project: Project, repository: RemoteRepository) -> None:
    project.declare({"golang": repository.push(_FIRST)})
    project.run("lock")
    before = project.lock_bytes
    assert project.run("update", "golnag") == Outcome(
        2, "", "error: images.toml has no image `golnag`; did you mean `golang`?\n"
    )
    assert project.lock_bytes == before


def test_a_dry_run_says_what_would_move_and_writes_nothing(project: Project, repository: RemoteRepository) -> None:
    project.declare({"app": repository.push(_FIRST)})
    project.run("lock")
    before = project.lock_bytes
    repository.push(_SECOND)
    arrow = f"{_short(_FIRST.digest)} -> {_short(_SECOND.digest)}"
    assert project.run("update", "--dry-run") == Outcome(
        0, "", f"Would update 1 of 1 image; nothing was written\nUpdate  app  1 (rebuilt)  {arrow}\n"
    )
    assert project.lock_bytes == before


@pytest.mark.parametrize("kind", ["htpasswd", "bearer"])
def test_an_update_without_news_downloads_nothing_over_tls(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    registry: RegistryServer = request.getfixturevalue(kind)
    project = new_project(tmp_path, registry)
    project.declare({"app": new_repository(registry).push(_FIRST)})
    project.run("lock")
    mark = registry.access_log.mark()
    assert project.run("update") == Outcome(0, "", "1 image already up to date\n")
    assert {request.method for request in registry.access_log.since(mark)} == {"HEAD"}


def test_an_index_that_moved_for_other_platforms_only_is_left_alone(
    project: Project, repository: RemoteRepository
) -> None:
    ours = [platform_image(platform) for platform in _TWO]
    old, new = image_index(*ours), image_index(*ours, platform_image("linux/s390x"))
    project.declare({"app": repository.push(old)}, platforms=_TWO)
    project.run("lock")
    before = project.lock_bytes
    repository.push(new)
    note = "note: app: index re-pushed, your platforms are unchanged (use --index to take it)\n"
    assert project.run("update") == Outcome(0, "", f"1 image already up to date\n{note}")
    assert project.lock_bytes == before
    assert project.run("update", "--index").exit_code == 0
    assert project.locked["app"]["digest"] == new.digest


def test_such_an_index_is_taken_when_the_old_one_is_gone(project: Project, repository: RemoteRepository) -> None:
    ours = [platform_image(platform) for platform in _TWO]
    old, new = image_index(*ours), image_index(*ours, platform_image("linux/s390x"))
    project.declare({"app": repository.push(old)}, platforms=_TWO)
    project.run("lock")
    repository.push(new)
    repository.delete(old.digest)
    outcome = project.run("update")
    assert outcome.exit_code == 0
    assert outcome.stderr.splitlines()[-1] == (
        "note: app: index re-pushed, and the locked one is no longer served: taken"
    )
    assert project.locked["app"]["digest"] == new.digest


def test_a_platform_added_later_is_read_from_the_locked_index(project: Project, repository: RemoteRepository) -> None:
    reference = repository.push(_FIRST)
    project.declare({"app": reference}, platforms=_TWO)
    project.run("lock")
    repository.push(_SECOND)
    project.declare({"app": reference}, platforms=(*_TWO, "linux/arm/v7"))
    assert project.run("lock", "--check") == Outcome(
        1,
        "",
        "error: images.lock does not match images.toml\n"
        "  app: platform linux/arm/v7 declared, but not locked\n\n"
        "hint: run `imagelock lock`\n",
    )
    mark = repository.registry.access_log.mark()
    assert project.run("lock") == Outcome(
        0, "", f"Locked 1 image in TIME\nUpdated  app  1  {_short(_FIRST.digest)}  (+linux/arm/v7)\n"
    )
    assert [request.path for request in repository.registry.access_log.since(mark)] == [
        f"/v2/{repository.path}/manifests/{_FIRST.digest}"
    ]
    assert (project.locked["app"]["digest"], project.locked["app"]["platforms"]) == (
        _FIRST.digest,
        platform_digests(_FIRST.body),
    )


def test_a_platform_cannot_be_added_to_an_index_that_is_gone(project: Project, repository: RemoteRepository) -> None:
    reference = repository.push(_FIRST)
    project.declare({"app": reference}, platforms=_TWO)
    project.run("lock")
    before = project.lock_bytes
    repository.push(_SECOND)
    repository.delete(_FIRST.digest)
    project.declare({"app": reference}, platforms=(*_TWO, "linux/arm/v7"))
    outcome = project.run("lock")
    assert (outcome.exit_code, project.lock_bytes) == (2, before)
    assert outcome.stderr.endswith("\n\nhint: run `imagelock update app`\n")


def test_removing_platforms_and_images_asks_nobody(project: Project, anonymous: RegistryServer) -> None:
    one, two = (new_repository(anonymous).push(_FIRST) for _ in range(2))
    project.declare({"one": one, "two": two})
    project.run("lock")
    mark = anonymous.access_log.mark()
    project.declare({"one": one}, platforms=_TWO)
    assert project.run("lock").exit_code == 0
    assert anonymous.access_log.since(mark) == ()
    assert list(project.locked) == ["one"]
    assert project.locked["one"]["platforms"] == {
        name: digest for name, digest in platform_digests(_FIRST.body).items() if name in _TWO
    }

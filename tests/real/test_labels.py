"""Which version a floating tag stands for: recorded where the image says so, at the price that the docs name."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.oci_images import Content, IndexEntry, image_index, platform_image
from tests.support.project import Outcome, Project
from tests.support.remote_repository import RemoteRepository

_TWO = ("linux/amd64", "linux/arm64")
_NONE: Mapping[str, str] = {}


def _labels(version: str, revision: str) -> dict[str, str]:
    return {
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": revision,
        "org.opencontainers.image.title": "app",
    }


_OLD, _NEW = _labels("20.19.3", "1" * 40), _labels("20.19.4", "2" * 40)
_REBUILT = _labels("20.19.3", "2" * 40)


def _image(config: Mapping[str, str], *, index: Mapping[str, str] = _NONE, entry: Mapping[str, str] = _NONE) -> Content:
    images = [platform_image(platform, labels=config) for platform in _TWO]
    entries = [IndexEntry(content=it.content, platform=it.platform, annotations=entry) for it in images]
    return image_index(*entries, annotations=index)


def _requests(repository: RemoteRepository, mark: int) -> list[str]:
    asked = repository.registry.access_log.since(mark)
    return [f"{each.method} {each.path.split('/')[-2]}" for each in asked]


def _locked_labels(project: Project) -> object:
    return project.locked["app"].get("labels")


def test_locking_reads_no_configuration_and_an_update_reads_that_of_what_moved(
    project: Project, repository: RemoteRepository
) -> None:
    old, new = _image(_OLD), _image(_NEW)
    project.declare({"app": repository.push(old, tag="20-slim")})
    mark = repository.registry.access_log.mark()
    assert project.run("lock").exit_code == 0
    assert (_locked_labels(project), _requests(repository, mark)) == (None, ["GET manifests"])
    repository.push(new, tag="20-slim")
    mark = repository.registry.access_log.mark()
    assert project.run("update") == Outcome(
        0,
        "",
        "Updated 1 of 1 image in TIME\n"
        f"Updated  app  20-slim (20.19.3 -> 20.19.4)  {old.digest[7:19]} -> {new.digest[7:19]}\n",
    )
    # A first lock would not know them, so they are told and not recorded.
    assert _locked_labels(project) is None
    # The new index; then the configurations of both, since nobody had read the old one.
    reading_a_configuration = ["GET manifests", "GET blobs"]
    assert _requests(repository, mark)[-5:] == ["GET manifests", *reading_a_configuration, *reading_a_configuration]
    newest = _image(_labels("20.19.5", "3" * 40))
    repository.push(newest, tag="20-slim")
    assert project.run("update").stderr.splitlines()[-1] == (
        f"Updated  app  20-slim (20.19.4 -> 20.19.5)  {new.digest[7:19]} -> {newest.digest[7:19]}"
    )


def test_what_the_index_says_costs_no_request(project: Project, repository: RemoteRepository) -> None:
    mark = repository.registry.access_log.mark()
    for number, image in enumerate([_image(_NONE, index=_OLD), _image(_NEW, entry=_OLD)]):
        project.declare({"app": repository.push(image, tag=f"{number}-slim")})
        mark = repository.registry.access_log.mark()
        assert project.run("lock").exit_code == 0
        assert _locked_labels(project) == {"version": "20.19.3", "revision": "1" * 40}
        assert _requests(repository, mark) == ["GET manifests"]


def test_a_tag_that_tells_its_version_is_not_asked_about(project: Project, repository: RemoteRepository) -> None:
    project.declare({"app": repository.push(_image(_OLD), tag="20.19.3-slim")})
    project.run("lock")
    repository.push(_image(_NEW), tag="20.19.3-slim")
    mark = repository.registry.access_log.mark()
    assert project.run("update").exit_code == 0
    assert _locked_labels(project) is None
    assert _requests(repository, mark).count("GET manifests") == 1


def test_an_image_without_index_says_it_in_the_configuration_that_is_read_anyway(
    project: Project, repository: RemoteRepository
) -> None:
    project.declare({"app": repository.push(platform_image("linux/amd64", labels=_OLD).content, tag="20-slim")})
    mark = repository.registry.access_log.mark()
    assert project.run("lock").exit_code == 0
    assert _locked_labels(project) == {"version": "20.19.3", "revision": "1" * 40}
    assert _requests(repository, mark) == ["GET manifests", "GET blobs"]


def test_an_image_that_says_nothing_has_no_labels(project: Project, repository: RemoteRepository) -> None:
    project.declare({"app": repository.push(_image(_NONE), tag="20-slim")})
    assert project.run("lock").exit_code == 0
    assert _locked_labels(project) is None


def test_people_read_what_an_update_changes(project: Project, repository: RemoteRepository) -> None:
    old, new = _image(_OLD, index=_OLD), _image(_NEW, index=_NEW)
    project.declare({"app": repository.push(old, tag="20-slim")})
    project.run("lock")
    before = project.lock_path.rename(project.folder / "before.lock").name
    project.run("lock")
    repository.push(new, tag="20-slim")
    line = f"app  20-slim (20.19.3 -> 20.19.4)  {old.digest[7:19]} -> {new.digest[7:19]}\n"
    assert project.run("update") == Outcome(0, "", f"Updated 1 of 1 image in TIME\nUpdated  {line}")
    assert project.run("diff", before, "images.lock") == Outcome(0, f"Updated  {line}", "")


def test_a_rebuild_of_the_same_version_names_the_revisions(project: Project, repository: RemoteRepository) -> None:
    old, new = _image(_OLD, index=_OLD), _image(_REBUILT, index=_REBUILT)
    project.declare({"app": repository.push(old, tag="20-slim")})
    project.run("lock")
    repository.push(new, tag="20-slim")
    assert project.run("update").stderr.splitlines()[-1] == (
        f"Updated  app  20-slim (rebuilt, 1111111 -> 2222222)  {old.digest[7:19]} -> {new.digest[7:19]}"
    )


def test_labels_never_make_a_lock_stale(project: Project, repository: RemoteRepository) -> None:
    project.declare({"app": repository.push(_image(_OLD, index=_OLD), tag="20-slim")})
    project.run("lock")
    text = project.lock_path.read_text()
    start, end = text.index("[images.app.labels]"), text.index("[images.app.platforms]")
    project.lock_path.write_text(text[:start] + text[end:])
    assert project.run("lock", "--check").exit_code == 0
    assert project.run("lock") == Outcome(0, "", "1 image already locked\n")

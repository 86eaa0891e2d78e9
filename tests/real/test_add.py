"""Adding images from a real registry: the range that is written, and nothing at all where locking fails."""

from __future__ import annotations

import pytest

from tests.support.oci_images import multi_platform_image
from tests.support.project import Outcome, Project
from tests.support.registry_server import RegistryServer
from tests.support.remote_repository import RemoteRepository

_IMAGE = multi_platform_image("linux/amd64", "linux/arm64")
_DIGEST = _IMAGE.digest.removeprefix("sha256:")[:12]


@pytest.mark.parametrize(
    ("arguments", "written", "tag"),
    [
        (("--version",), 'version = ">=2.1.0,<3"', "2.1.0"),
        (("--version", ">=1"), 'version = ">=1,<3"', "2.1.0"),
        (("--version", ">=1,<2"), 'version = ">=1,<2"', "1.4.2"),
        (("--variant", "slim"), 'version = ">=1.4.2,<2"\nvariant = "slim"', "1.4.2-slim"),
    ],
)
def test_a_range_is_written_with_its_end_and_locked(
    project: Project, repository: RemoteRepository, arguments: tuple[str, ...], written: str, tag: str
) -> None:
    repository.upload_many(_IMAGE, tags=["1.0.0", "1.4.2", "1.4.2-slim", "2", "2.1.0", "3.0.0rc1", "latest"])
    outcome = project.run("add", "app", str(repository), *arguments)
    assert outcome == Outcome(
        0,
        "",
        f'Added to images.toml: [images.app] image = "{repository}", {written.replace(chr(10), ", ")}\n'
        "Locked 1 image in TIME\n"
        f"Added  app  {tag}  {_DIGEST}  linux/amd64 linux/arm64\n\n"
        f"Next: write `{repository}:{tag}` in a file, then run `imagelock scan --write` and `imagelock render`\n",
    )
    assert (project.folder / "images.toml").read_text() == f'[images.app]\nimage = "{repository}"\n{written}\n'
    assert (project.locked["app"]["tag"], project.locked["app"]["digest"]) == (tag, _IMAGE.digest)
    assert project.run("lock", "--check").exit_code == 0


def test_the_tag_begins_the_range(project: Project, repository: RemoteRepository) -> None:
    repository.upload_many(_IMAGE, tags=["1.4", "1.4.2-slim", "1.4.3-slim", "2.0.0-slim"])
    assert project.run("add", "app", f"{repository}:1.4-slim", "--version").exit_code == 0
    text = f'[images.app]\nimage = "{repository}"\nversion = ">=1.4,<2"\nvariant = "slim"\n'
    assert (project.folder / "images.toml").read_text() == text
    assert project.locked["app"]["tag"] == "1.4.3-slim"


def test_both_files_stay_as_they_are_where_the_tag_is_missing(project: Project, repository: RemoteRepository) -> None:
    (project.folder / "images.toml").write_bytes(f'[images]\r\none = "{repository.push(_IMAGE)}" # 1\r\n'.encode())
    assert project.run("lock").exit_code == 0
    before = _files(project)
    outcome = project.run("add", "two", f"{repository}:2")
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(f"error: cannot add `two`: {repository}:2 ")
    assert _files(project) == before


def test_both_files_stay_as_they_are_where_a_platform_is_missing(
    project: Project, repository: RemoteRepository
) -> None:
    reference = repository.push(_IMAGE)
    assert project.run("add", "app", reference, "--platform", "linux/s390x") == Outcome(
        2,
        "",
        f"error: cannot add `app`: {reference} has no linux/s390x (it has: linux/amd64, linux/arm64)\n"
        "  no file was changed\n"
        "\nhint: run it with `--platform linux/amd64 --platform linux/arm64`\n",
    )
    assert _files(project) == {}


def test_nothing_answers_now(project: Project) -> None:
    outcome = project.run("add", "app", "127.0.0.1:1/no/registry:1")
    assert (outcome.exit_code, _files(project)) == (3, {})


def test_removing_asks_nobody(anonymous: RegistryServer, repository: RemoteRepository, project: Project) -> None:
    project.run("add", "app", repository.push(_IMAGE))
    mark = anonymous.access_log.mark()
    assert project.run("remove", "app").exit_code == 0
    assert anonymous.access_log.since(mark) == ()
    assert (project.folder / "images.toml").read_text() == "[images]\n"
    assert "[images" not in project.lock_path.read_text()


def _files(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in project.folder.iterdir()}


def test_tags_are_listed_once(project: Project, repository: RemoteRepository) -> None:
    repository.upload_many(_IMAGE, tags=["1.0.0", "2.1.0"])
    outcome = project.run("-v", "-v", "add", "app", str(repository), "--version")
    assert outcome.exit_code == 0
    assert outcome.stderr.count("/tags/list") == 1

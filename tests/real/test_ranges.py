"""Ranges against a real registry: what is locked, what is asked, and when a tag is too young."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.oci_images import Content, image_index, multi_platform_image, platform_image
from tests.support.project import Outcome, Project
from tests.support.remote_repository import RemoteRepository

_NONE: Mapping[str, str] = {}
_OLD = "2020-01-01T00:00:00Z"


def _declare(project: Project, repository: RemoteRepository, *, version: str, more: Mapping[str, str] = _NONE) -> None:
    lines = ["[images.app]", f'image = "{repository}"', f'version = "{version}"']
    lines += [f'{key} = "{value}"' for key, value in more.items()]
    (project.folder / "images.toml").write_text("\n".join(lines) + "\n")


def _created(date: str, *, note: str = "") -> Content:
    files = {"etc/note": note.encode()}
    return image_index(platform_image("linux/amd64", created=date, files=files))


def _days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_three_thousand_tags_are_resolved_in_a_second_and_asked_for_once(
    project: Project, repository: RemoteRepository
) -> None:
    tags = [f"{major}.{minor}.{patch}" for major in range(10) for minor in range(10) for patch in range(30)]
    repository.upload_many(multi_platform_image("linux/amd64"), tags=tags)
    _declare(project, repository, version=">=4,<5")
    mark = repository.registry.access_log.mark()
    started = time.monotonic()
    assert project.run("lock").exit_code == 0
    seconds = time.monotonic() - started
    assert project.locked["app"]["tag"] == "4.9.29"
    asked = [(each.method, each.path.partition("?")[0]) for each in repository.registry.access_log.since(mark)]
    path = f"/v2/{repository.path}"
    # This registry has no pages: it lists all tags at once. Others have a thousand on each.
    assert asked == [("GET", f"{path}/tags/list"), ("GET", f"{path}/manifests/4.9.29")]
    assert seconds < 3, "it takes 0.4 seconds on a machine that does nothing else"
    mark = repository.registry.access_log.mark()
    assert project.run("lock") == Outcome(0, "", "1 image already locked\n")
    assert repository.registry.access_log.since(mark) == ()


def test_a_locked_tag_stays_until_update_although_there_is_a_newer_one(
    project: Project, repository: RemoteRepository
) -> None:
    old, new = (multi_platform_image("linux/amd64", note=note) for note in ("old", "new"))
    repository.push(old, tag="1.1.0")
    _declare(project, repository, version=">=1,<2")
    project.run("lock")
    repository.push(new, tag="1.2.0")
    assert project.run("lock") == Outcome(0, "", "1 image already locked\n")
    assert project.run("update") == Outcome(
        0,
        "",
        f"Updated 1 of 1 image in TIME\nUpdated  app  1.1.0 -> 1.2.0  {old.digest[7:19]} -> {new.digest[7:19]}\n",
    )
    assert project.locked["app"]["declared"] == {"version": "<2,>=1", "tag": "{version}", "platforms": "all"}


def test_a_range_without_end_is_warned_about_when_it_chooses(project: Project, repository: RemoteRepository) -> None:
    image = multi_platform_image("linux/amd64")
    repository.push(image, tag="1.1.0")
    _declare(project, repository, version=">=1")
    assert project.run("lock") == Outcome(
        0,
        "",
        "Locked 1 image in TIME\n"
        f"Added  app  1.1.0  {image.digest[7:19]}  linux/amd64\n"
        "warning: app: the range `>=1` has no upper bound: one day it takes the next major version\n"
        f"\nNext: write `{repository}:1.1.0` in a file, then run `imagelock scan --write` and `imagelock render`\n",
    )
    assert project.run("lock") == Outcome(0, "", "1 image already locked\n")
    assert project.run("update") == Outcome(0, "", "1 image already up to date\n")


@pytest.mark.parametrize(
    ("version", "tags", "lines"),
    [
        (
            ">=2,<3",
            "1.1.0 1.0.0 3.0.0 latest",
            (
                "no tag of {} is in `>=2,<3` (of 4 tags, 3 fit `{{version}}`)\n"
                "  3.0.0 is excluded by `<3`\n  1.1.0 is below `>=2`\n  1.0.0 is below `>=2`\n\n"
                "hint: run `imagelock tags {}`\n"
            ),
        ),
        (
            "==3.12",
            "3.12 3.12.4",
            (
                "only floating tags of {} are in `==3.12`\n  3.12 floats (3.12.4 is more exact)\n\n"
                "hint: write `==3.12.*` for the newest of them, or `precision = 2` to lock floating tags\n"
            ),
        ),
        (
            ">=2,<3",
            "2.1.0rc1 1.0.0",
            (
                "only pre-releases of {} are in `>=2,<3`\n  2.1.0rc1 is a pre-release\n\n"
                "hint: set `prereleases = true` to allow them\n"
            ),
        ),
        (
            ">=2,<3",
            "2.0.0-slim latest",
            (
                "no tag of {} fits `{{version}}` (it has 2 tags)\n  2.0.0-slim fits `{{version}}-slim`\n\n"
                'hint: did you mean `variant = "slim"`?\n'
            ),
        ),
    ],
)
def test_where_a_range_takes_nothing_the_nearest_tags_say_why(
    project: Project, repository: RemoteRepository, version: str, tags: str, lines: str
) -> None:
    repository.upload_many(multi_platform_image("linux/amd64"), tags=tags.split())
    _declare(project, repository, version=version)
    told, hint = lines.format(repository, repository).split("\n\n")
    assert project.run("lock") == Outcome(
        2, "", f"error: cannot lock `app`: {told}\n  images.lock is unchanged\n\n{hint}"
    )


def test_a_pattern_that_is_too_short_is_told_to_those_who_ask(project: Project, repository: RemoteRepository) -> None:
    repository.upload_many(multi_platform_image("linux/amd64"), tags="21-jre 21.0.4_7-jre 21.0.5_11-jre".split())
    _declare(project, repository, version="<22", more={"variant": "jre"})
    reason = (
        "app: 21-jre may float: most tags with that ending have more numbers, such as 21.0.5_11-jre: "
        "`{version}_{build}-jre` reads it"
    )
    assert reason in project.run("lock", "-v").stderr.splitlines()


def test_a_tag_that_is_too_young_is_passed_over(project: Project, repository: RemoteRepository) -> None:
    old = _created(_days_ago(30), note="old")
    repository.push(old, tag="1.1.0")
    repository.push(_created(_days_ago(2), note="young"), tag="1.2.0")
    _declare(project, repository, version=">=1,<2", more={"minimum-age": "7 days"})
    assert project.run("lock") == Outcome(
        0,
        "",
        "Locked 1 image in TIME\n"
        f"Added  app  1.1.0  {old.digest[7:19]}  linux/amd64\n"
        f"note: app: 1.2.0 was created on {_days_ago(2)[:10]}, less than 7 days ago: passed over\n"
        f"\nNext: write `{repository}:1.1.0` in a file, then run `imagelock scan --write` and `imagelock render`\n",
    )
    assert project.run("update") == Outcome(
        0,
        "",
        "1 image already up to date\n"
        f"note: app: 1.2.0 was created on {_days_ago(2)[:10]}, less than 7 days ago: passed over\n",
    )
    _declare(project, repository, version=">=1,<2")
    assert project.run("update").exit_code == 0
    assert project.locked["app"]["tag"] == "1.2.0"


def test_a_locked_tag_is_not_asked_how_old_it_is(project: Project, repository: RemoteRepository) -> None:
    repository.push(_created(_days_ago(2)), tag="1.1.0")
    _declare(project, repository, version=">=1,<2")
    project.run("lock")
    _declare(project, repository, version=">=1,<2", more={"minimum-age": "7 days"})
    mark = repository.registry.access_log.mark()
    assert project.run("update") == Outcome(0, "", "1 image already up to date\n")
    asked = [(each.method, each.path.split("/")[-2]) for each in repository.registry.access_log.since(mark)]
    assert asked == [("GET", "tags"), ("HEAD", "manifests")]


@pytest.mark.parametrize(("unknown_age", "tag"), [("accept", "1.2.0"), ("refuse", "1.1.0")])
def test_an_image_without_a_date_is_accepted_or_not_as_declared(
    project: Project, repository: RemoteRepository, unknown_age: str, tag: str
) -> None:
    repository.push(_created(_OLD), tag="1.1.0")
    repository.push(_created("1970-01-01T00:00:00Z"), tag="1.2.0")
    _declare(project, repository, version=">=1,<2", more={"minimum-age": "7 days", "unknown-age": unknown_age})
    assert project.run("lock").exit_code == 0
    assert project.locked["app"]["tag"] == tag


def test_where_every_tag_is_too_young_nothing_is_locked(project: Project, repository: RemoteRepository) -> None:
    repository.push(_created(_days_ago(2)), tag="1.2.0")
    _declare(project, repository, version=">=1,<2", more={"minimum-age": "7 days"})
    assert project.run("lock") == Outcome(
        2,
        "",
        f"error: cannot lock `app`: none of the tags of {repository} in the range is old enough\n"
        f"  1.2.0 was created on {_days_ago(2)[:10]}, less than 7 days ago\n"
        "  images.lock is unchanged\n\n"
        'hint: `minimum-age = "0 days"` takes it\n',
    )


def test_a_minimum_age_for_all_images_leaves_plain_tags_alone(project: Project, repository: RemoteRepository) -> None:
    reference = repository.push(_created(_days_ago(2)), tag="1.2.0")
    (project.folder / "images.toml").write_text(f'minimum-age = "7 days"\n[images]\napp = "{reference}"\n')
    assert project.run("lock").exit_code == 0
    (project.folder / "images.toml").write_text(f'[images.app]\nimage = "{reference}"\nminimum-age = "7 days"\n')
    assert project.run("lock") == Outcome(
        2,
        "",
        "error: cannot use images.toml\n"
        "  images.toml:3: images.app.minimum-age: goes with a version range: an exact tag or digest leaves no older one"
        " to take instead\n",
    )


@pytest.mark.parametrize(
    ("edit", "commands", "tag"),
    [
        (("images.toml", ">=1, <2", ">=2,<3"), ["lock", "render --retag"], "2.0.0"),
        (("images.toml", ">=1, <2", ">=1,<1.1"), ["lock", "render --retag"], "1.0.0"),
        (("images.toml", ">=1, <2", ">=1,<1.9"), ["lock", "render"], "1.1.0"),
        (("Dockerfile", ":1[.]1[.]0@", ":0.9.0@"), ["render --retag"], "1.1.0"),
        (("Dockerfile", ":1[.]1[.]0@.*", ":1.0.0"), ["render --retag"], "1.1.0"),
        (("Dockerfile", "@.*", f"@sha256:{'a' * 64}"), ["render"], "1.1.0"),
        (("Dockerfile", ":1[.]1[.]0@.*", ":1.2.0"), ["update app --to 1.2.0", "render"], "1.2.0"),
    ],
)
def test_the_commands_of_check_lead_the_files_of_a_range_to_green(
    project: Project, repository: RemoteRepository, edit: tuple[str, str, str], commands: list[str], tag: str
) -> None:
    for each in ("0.9.0", "1.0.0", "1.1.0", "2.0.0"):
        repository.push(_created(_OLD, note=each), tag=each)
    _declare(project, repository, version=">=1, <2")
    assert project.run("lock").exit_code == 0
    (project.folder / "Dockerfile").write_text(f"FROM {repository}:1.1.0\n")
    assert project.run("scan", "--write").exit_code == project.run("render").exit_code == 0
    repository.push(_created(_OLD, note="newer"), tag="1.2.0")
    file, old, new = edit
    path = project.folder / file
    edited, edits = re.subn(old, new, path.read_text())
    assert edits == 1
    path.write_text(edited)
    run: list[str] = []
    while (outcome := project.run("check")).exit_code:
        for command in re.findall("`imagelock ([^`]*)`", outcome.stderr.rpartition("hint: ")[2]):
            assert project.run(*command.split()).exit_code == 0, command
            run.append(command)
        assert len(run) <= len(commands), outcome.stderr
    assert run == commands
    assert f":{tag}@" in (project.folder / "Dockerfile").read_text()

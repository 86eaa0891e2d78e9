"""``imagelock outdated`` tells the truth while tags move in a real registry, and asks for no more than it needs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.oci_images import Content, image_index, multi_platform_image, platform_image
from tests.support.project import Outcome, Project
from tests.support.real_software import new_repository
from tests.support.registry_server import RegistryServer
from tests.support.remote_repository import RemoteRepository
from tests.support.terminal import on_terminal

_TWO = ("linux/amd64", "linux/arm64")
_NONE: Mapping[str, str] = {}
_FIRST, _SECOND = (multi_platform_image(*_TWO, note=note) for note in ("first", "second"))
_OUTDATED = "1 of 1 image outdated\n"
_FINE = "1 image, none outdated\n"


def _lock(project: Project, repository: RemoteRepository, image: Content = _FIRST, *, tag: str = "1") -> None:
    project.declare({"app": repository.push(image, tag=tag)}, platforms=_TWO)
    assert project.run("lock").exit_code == 0


def _lock_range(project: Project, repository: RemoteRepository, *, more: Mapping[str, str] = _NONE) -> None:
    lines = [f'[images.app]\nimage = "{repository}"\nversion = ">=1,<2"']
    lines += [f'{key} = "{value}"' for key, value in more.items()]
    (project.folder / "images.toml").write_text("\n".join(lines) + "\n")
    assert project.run("lock").exit_code == 0


def _lock_elsewhere(project: Project, old: str, new: str) -> None:
    """Let the lock say that an image comes from another repository, as if it always had."""
    text = project.lock_path.read_text().replace(old, new)
    project.lock_path.write_text(re.sub("^checksum = .*\n", "", text, flags=re.MULTILINE))


def _short(image: Content) -> str:
    return image.digest[7:19]


def _table(*rows: tuple[str, ...]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _requests(repository: RemoteRepository, mark: int) -> list[str]:
    asked = repository.registry.access_log.since(mark)
    return [f"{each.method} {each.path.split('/')[-2]}" for each in asked]


def test_where_nothing_moved_nothing_is_fetched(project: Project, repository: RemoteRepository) -> None:
    _lock(project, repository)
    mark = repository.registry.access_log.mark()
    assert project.run("outdated", "--exit-code") == Outcome(0, "", _FINE)
    assert _requests(repository, mark) == ["HEAD manifests"]
    assert project.run("outdated", "-v").stdout == _table(("image", "locked", "state"), ("app", "1", "up to date"))


def test_a_tag_moved_for_all_platforms(project: Project, repository: RemoteRepository) -> None:
    _lock(project, repository)
    repository.push(_SECOND)
    table = _table(("image", "locked", "same tag", "state"), ("app", "1", _short(_SECOND), "tag moved"))
    assert project.run("outdated") == Outcome(0, table, _OUTDATED)
    assert project.run("outdated", "--exit-code") == Outcome(1, table, _OUTDATED)


def test_a_tag_moved_for_one_platform(project: Project, repository: RemoteRepository) -> None:
    amd64, arm64, other = (
        platform_image("linux/amd64"),
        *(platform_image("linux/arm64", files={"note": note}) for note in (b"old", b"new")),
    )
    _lock(project, repository, image_index(amd64, arm64))
    moved = image_index(amd64, other)
    repository.push(moved)
    assert project.run("outdated").stdout == _table(
        ("image", "locked", "same tag", "state"), ("app", "1", _short(moved), "tag moved: linux/arm64")
    )


def test_an_index_moved_and_your_platforms_did_not(project: Project, repository: RemoteRepository) -> None:
    ours = [platform_image(platform) for platform in _TWO]
    _lock(project, repository, image_index(*ours))
    moved = image_index(*ours, platform_image("linux/s390x"))
    repository.push(moved)
    assert project.run("outdated", "--exit-code") == Outcome(
        0,
        _table(
            ("image", "locked", "same tag", "state"),
            ("app", "1", _short(moved), "index moved, your platforms did not"),
        ),
        _FINE,
    )


def test_a_platform_is_lost(project: Project, repository: RemoteRepository) -> None:
    ours = [platform_image(platform) for platform in _TWO]
    _lock(project, repository, image_index(*ours))
    moved = image_index(ours[0])
    repository.push(moved)
    assert project.run("outdated", "--exit-code") == Outcome(
        1,
        _table(
            ("image", "locked", "same tag", "state"),
            ("app", "1", _short(moved), "platform lost: linux/arm64; update fails"),
        ),
        _OUTDATED,
    )


def test_a_new_platform_counts_where_all_are_wanted(project: Project, repository: RemoteRepository) -> None:
    ours = [platform_image(platform) for platform in _TWO]
    project.declare({"app": repository.push(image_index(*ours))})
    project.run("lock")
    moved = image_index(*ours, platform_image("linux/s390x"))
    repository.push(moved)
    assert project.run("outdated").stdout == _table(
        ("image", "locked", "same tag", "state"), ("app", "1", _short(moved), "tag moved: +linux/s390x")
    )


def test_a_tag_is_deleted_while_its_digest_is_served(project: Project, repository: RemoteRepository) -> None:
    repository.push(_FIRST, tag="2")
    _lock(project, repository)
    repository.push(_SECOND)
    repository.delete(_SECOND.digest)
    assert project.run("outdated", "--exit-code") == Outcome(
        1, _table(("image", "locked", "state"), ("app", "1", "tag deleted; update fails")), _OUTDATED
    )


def test_a_locked_digest_is_gone(project: Project, repository: RemoteRepository) -> None:
    _lock(project, repository)
    repository.delete(_FIRST.digest)
    assert project.run("outdated").stdout == _table(
        ("image", "locked", "state"), ("app", "1", "digest gone; tag deleted; update fails")
    )
    repository.push(_SECOND)
    assert project.run("outdated").stdout == _table(
        ("image", "locked", "same tag", "state"), ("app", "1", _short(_SECOND), "digest gone; tag moved")
    )


def test_a_declared_digest_is_only_asked_for(project: Project, repository: RemoteRepository) -> None:
    repository.push(_FIRST)
    project.declare({"app": f"{repository}:1@{_FIRST.digest}"})
    project.run("lock")
    repository.push(_SECOND)
    apart = ", 1 declared by digest, not asked (--digests asks for their tags)\n"
    assert project.run("outdated", "--exit-code") == Outcome(0, "", _FINE.replace("\n", apart))
    repository.delete(_FIRST.digest)
    assert project.run("outdated", "--exit-code") == Outcome(
        1,
        _table(("image", "locked", "state"), ("app", "1", "digest gone; declared by digest")),
        _OUTDATED.replace("\n", apart),
    )


def test_a_range_has_a_newer_tag_and_one_beyond_it(project: Project, repository: RemoteRepository) -> None:
    repository.push(_FIRST, tag="1.1.0")
    _lock_range(project, repository)
    mark = repository.registry.access_log.mark()
    assert project.run("outdated", "--exit-code") == Outcome(0, "", _FINE)
    assert sorted(_requests(repository, mark)) == ["GET tags", "HEAD manifests"]
    repository.push(_SECOND, tag="2.0.0")
    assert project.run("outdated", "--exit-code") == Outcome(
        0, _table(("image", "locked", "beyond", "state"), ("app", "1.1.0", "2.0.0", "up to date")), _FINE
    )
    repository.push(_SECOND, tag="1.2.0")
    repository.push(_FIRST, tag="1.3.0")
    header = ("image", "locked", "in range", "beyond", "state")
    assert project.run("outdated", "--exit-code") == Outcome(
        1, _table(header, ("app", "1.1.0", "1.3.0", "2.0.0", "newer tag, same content")), _OUTDATED
    )
    repository.push(_SECOND, tag="1.3.0")
    assert project.run("outdated").stdout == _table(header, ("app", "1.1.0", "1.3.0", "2.0.0", "newer tag"))


def test_a_range_whose_tag_was_deleted_tells_what_is_left(project: Project, repository: RemoteRepository) -> None:
    repository.push(_FIRST, tag="1.1.0")
    repository.push(_SECOND, tag="1.2.0")
    _lock_range(project, repository)
    repository.delete(_SECOND.digest)
    assert project.run("outdated").stdout == _table(
        ("image", "locked", "in range", "state"),
        ("app", "1.2.0", "1.1.0", "digest gone; tag deleted; downgrade to 1.1.0"),
    )


def test_a_tag_in_the_range_is_too_young(project: Project, repository: RemoteRepository) -> None:
    repository.push(_FIRST, tag="1.1.0")
    _lock_range(project, repository, more={"minimum-age": "7 days"})
    today = datetime.now(UTC) - timedelta(days=2)
    young = image_index(platform_image("linux/amd64", created=today.strftime("%Y-%m-%dT%H:%M:%SZ")))
    repository.push(young, tag="1.2.0")
    assert project.run("outdated", "--exit-code") == Outcome(
        0,
        _table(("image", "locked", "state"), ("app", "1.1.0", f"too young: 1.2.0 ({today:%Y-%m-%d})")),
        _FINE,
    )


def test_a_frozen_image_says_why_and_is_not_outdated(project: Project, repository: RemoteRepository) -> None:
    reference = repository.push(_FIRST)
    (project.folder / "images.toml").write_text(f'[images.app]\nimage = "{reference}"\nfreeze = "until the move"\n')
    project.run("lock")
    repository.push(_SECOND)
    assert project.run("outdated", "--exit-code") == Outcome(
        0,
        _table(
            ("image", "locked", "same tag", "state"),
            ("app", "1", _short(_SECOND), "frozen (until the move); tag moved"),
        ),
        _FINE,
    )


def test_versions_are_told_where_images_say_them(project: Project, repository: RemoteRepository) -> None:
    old, new = (
        image_index(*(platform_image(it, labels={"org.opencontainers.image.version": version}) for it in _TWO))
        for version in ("20.19.3", "20.19.4")
    )
    _lock(project, repository, old, tag="20-slim")
    repository.push(new, tag="20-slim")
    assert project.run("outdated").stdout == _table(
        ("image", "locked", "same tag", "state"), ("app", "20-slim", "20.19.4", "tag moved")
    )


def test_scripts_and_issues_get_the_same(project: Project, repository: RemoteRepository) -> None:
    _lock(project, repository)
    repository.push(_SECOND)
    assert json.loads(project.run("outdated", "--format", "json").stdout) == {
        "schema": 1,
        "images": [
            {
                "name": "app",
                "state": "tag-moved",
                "states": ["tag-moved"],
                "outdated": True,
                "update": "moves",
                "update_error": None,
                "locked": {"tag": "1", "version": None, "digest": _FIRST.digest},
                "same_tag": {
                    "tag": "1",
                    "version": None,
                    "digest": _SECOND.digest,
                    "moved_platforms": list(_TWO),
                    "lost_platforms": [],
                    "gained_platforms": [],
                },
                "in_range": None,
                "beyond": None,
                "too_young": [],
                "remarks": [],
                "freeze": None,
            }
        ],
        "failures": [],
    }
    assert project.run("outdated", "--format", "markdown").stdout == (
        f"| image | locked | same tag | state |\n|---|---|---|---|\n| app | 1 | {_short(_SECOND)} | tag moved |\n"
    )


def test_failures_are_told_beside_the_answers(project: Project, anonymous: RegistryServer) -> None:
    good, bad = (new_repository(anonymous) for _ in range(2))
    project.declare({"good": good.push(_FIRST), "bad": bad.push(_FIRST)}, platforms=_TWO)
    project.run("lock")
    good.push(_SECOND)
    _lock_elsewhere(project, anonymous.address + f"/{bad.path}", "127.0.0.1:1/tests/gone")
    project.declare({"good": f"{good}:1", "bad": "127.0.0.1:1/tests/gone:1"}, platforms=_TWO)
    outcome = project.run("outdated")
    assert outcome.stdout == _table(
        ("image", "locked", "same tag", "state"), ("good", "1", _short(_SECOND), "tag moved")
    )
    assert outcome.exit_code == 3
    assert outcome.stderr.startswith(
        "1 of 1 image outdated\nerror: cannot tell the state of `bad`: no answer from 127.0.0.1:1\n"
    )


def test_where_nobody_answered_nothing_is_called_up_to_date(project: Project, repository: RemoteRepository) -> None:
    _lock(project, repository)
    gone = "127.0.0.1:1/tests/gone"
    _lock_elsewhere(project, str(repository), gone)
    project.declare({"app": f"{gone}:1"}, platforms=_TWO)
    outcome = project.run("outdated")
    assert (outcome.exit_code, outcome.stdout) == (3, "")
    assert outcome.stderr.startswith("error: cannot tell the state of `app`: ")
    outcome = project.run("outdated", "--format", "markdown")
    assert (outcome.exit_code, outcome.stdout) == (3, "The state of 1 of 1 image is not known.\n")


def test_a_stale_lock_is_refused(project: Project, repository: RemoteRepository) -> None:
    _lock(project, repository)
    project.declare({"app": f"{repository}:2"}, platforms=_TWO)
    outcome = project.run("outdated")
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr.endswith("\n\nhint: run `imagelock lock`\n")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_table_fits_its_terminal(project: Project, repository: RemoteRepository, columns: int) -> None:
    tag = "1.22.5-with-a-very-long-variant-name-that-nobody-would-type-bookworm-slim"
    reference = repository.push(_FIRST, tag=tag)
    reason = "until the migration of the payment service to the new cluster is done and everybody agreed"
    (project.folder / "images.toml").write_text(f'[images.app]\nimage = "{reference}"\nfreeze = "{reason}"\n')
    project.run("lock")
    repository.push(_SECOND, tag=tag)
    wide = Project(folder=project.folder, environment={**project.environment, "COLUMNS": str(columns)})
    lines = wide.run("outdated").stdout.splitlines()
    assert max(map(len, lines)) <= columns
    assert len(lines) > 2


def test_a_hundred_images_show_progress_on_a_terminal_and_nothing_in_a_pipe(
    project: Project, repository: RemoteRepository
) -> None:
    tags = [str(number) for number in range(100)]
    repository.upload_many(_FIRST, tags=tags)
    project.declare({f"app{tag}": f"{repository}:{tag}" for tag in tags}, platforms=_TWO)
    project.run("lock")
    assert project.run("outdated") == Outcome(0, "", "100 images, none outdated\n")
    shown = on_terminal([sys.executable, "-m", "imagelock", "outdated"], project)
    numbers = [int(number) for number in re.findall(r"Asking about (\d+)/100(?:: app|  .*/s)", shown)]
    assert numbers == sorted(numbers)
    assert set(numbers) >= {1, 100}
    assert shown.endswith("\r\x1b[2K100 images, none outdated\r\n")

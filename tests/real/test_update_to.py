"""``update --to``: one image moves to what a person names, as far as images.toml allows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.oci_images import Content, image_index, multi_platform_image, platform_image
from tests.support.project import Outcome, Project
from tests.support.remote_repository import RemoteRepository

_OLD, _NEW = (multi_platform_image("linux/amd64", "linux/arm64", note=note) for note in ("old", "new"))


def _short(image: Content) -> str:
    return image.digest[7:19]


def _declare_range(project: Project, repository: RemoteRepository, more: str = "") -> None:
    text = f'[images.app]\nimage = "{repository}"\nversion = ">=1,<2"\n{more}'
    (project.folder / "images.toml").write_text(text)


def test_a_bad_update_is_taken_back_by_its_digest(project: Project, repository: RemoteRepository) -> None:
    project.declare({"app": repository.push(_OLD)})
    project.run("lock")
    before = project.lock_bytes
    repository.push(_NEW)
    project.run("update")
    assert project.run("update", "app", "--to", _OLD.digest) == Outcome(
        0,
        "",
        f"Updated 1 of 1 image in TIME\nUpdated  app  1 (rebuilt)  {_short(_NEW)} -> {_short(_OLD)}\n",
    )
    assert project.lock_bytes == before
    assert project.run("lock", "--check").exit_code == 0


def test_a_range_goes_to_any_of_its_tags(project: Project, repository: RemoteRepository) -> None:
    repository.push(_OLD, tag="1.1.0")
    repository.push(_NEW, tag="1.2.0")
    _declare_range(project, repository)
    project.run("lock")
    assert project.run("update", "app", "--to", "1.1.0").stderr.splitlines()[-1] == (
        f"Updated  app  1.2.0 -> 1.1.0  {_short(_NEW)} -> {_short(_OLD)}"
    )
    assert project.run("lock") == Outcome(0, "", "1 image already locked\n")


def test_a_dry_run_writes_nothing(project: Project, repository: RemoteRepository) -> None:
    project.declare({"app": repository.push(_OLD)})
    project.run("lock")
    before = project.lock_bytes
    repository.push(_NEW)
    assert project.run("update", "app", "--to", "1", "--dry-run") == Outcome(
        0,
        "",
        f"Would update 1 of 1 image; nothing was written\nUpdate  app  1 (rebuilt)  {_short(_OLD)} -> {_short(_NEW)}\n",
    )
    assert project.lock_bytes == before


@pytest.mark.parametrize("wanted", ["2.0.0", "latest", f"2.0.0@{_OLD.digest}"])
def test_what_the_declaration_excludes_is_refused(project: Project, repository: RemoteRepository, wanted: str) -> None:
    repository.upload_many(_OLD, tags=["1.1.0", "2.0.0", "latest"])
    _declare_range(project, repository)
    project.run("lock")
    assert project.run("update", "app", "--to", wanted) == Outcome(
        2,
        "",
        f"error: images.toml does not allow `{wanted}` for `app`\n"
        "  images.toml has version `>=1,<2`\n\n"
        "hint: change images.toml, then run `imagelock lock`\n",
    )


def test_a_declared_digest_keeps_the_tag_beside_it(project: Project, repository: RemoteRepository) -> None:
    reference = repository.push(_OLD, tag="1.1.0")
    project.declare({"app": f"{reference}@{_OLD.digest}"})
    for wanted in (_OLD.digest, f"1.1.0@{_OLD.digest}"):
        assert project.run("update", "app", "--to", wanted).exit_code == 0
        assert project.run("lock", "--check").exit_code == 0
    assert project.run("update", "app", "--to", f"1.2.0@{_OLD.digest}") == Outcome(
        2,
        "",
        f"error: images.toml does not allow `1.2.0@{_OLD.digest}` for `app`\n"
        f"  images.toml has digest `{_short(_OLD)}` with tag `1.1.0`\n\n"
        "hint: change images.toml, then run `imagelock lock`\n",
    )


def test_a_digest_must_be_served_by_its_own_repository(project: Project, repository: RemoteRepository) -> None:
    project.declare({"app": repository.push(_OLD)})
    project.run("lock")
    assert project.run("update", "app", "--to", _NEW.digest) == Outcome(
        2,
        "",
        f"error: cannot lock `app`: {repository} does not serve {_NEW.digest}\n  images.lock is unchanged\n",
    )


def test_a_frozen_image_goes_nowhere(project: Project, repository: RemoteRepository) -> None:
    reference = repository.push(_OLD)
    (project.folder / "images.toml").write_text(f'[images.app]\nimage = "{reference}"\nfreeze = "until the move"\n')
    project.run("lock")
    assert project.run("update", "app", "--to", "1") == Outcome(
        2, "", "error: `app` is frozen: until the move\n\nhint: remove `freeze` from images.toml first\n"
    )
    assert project.run("update") == Outcome(0, "", "1 frozen\nnote: app: frozen: until the move\n")


def test_it_is_for_one_image(project: Project, repository: RemoteRepository) -> None:
    project.declare({"app": repository.push(_OLD)})
    assert project.run("update", "--to", "1") == Outcome(
        2, "", "error: `--to` goes with the name of one image\n\nhint: run `imagelock update NAME --to TAG`\n"
    )
    assert project.run("update", "ap", "--to", "1").stderr == (
        "error: images.toml has no image `ap`; did you mean `app`?\n"
    )


def test_who_names_a_tag_has_looked_how_old_it_is(project: Project, repository: RemoteRepository) -> None:
    today = datetime.now(UTC)
    old, young = (
        image_index(platform_image("linux/amd64", created=(today - timedelta(days=days)).isoformat()))
        for days in (30, 2)
    )
    repository.push(old, tag="1.1.0")
    repository.push(young, tag="1.2.0")
    _declare_range(project, repository, 'minimum-age = "7 days"\n')
    project.run("lock")
    assert project.run("update", "app", "--to", "1.2.0").exit_code == 0
    assert project.locked["app"]["tag"] == "1.2.0"


@pytest.mark.parametrize(("days", "exit_code"), [(0, 0), (-1, 1)])
def test_a_freeze_turns_check_red_when_its_last_day_is_over(
    project: Project, repository: RemoteRepository, days: int, exit_code: int
) -> None:
    reference = repository.push(_OLD)
    today = datetime.now(UTC).date()
    day = today + timedelta(days=days)
    (project.folder / "images.toml").write_text(
        f'[images.app]\nimage = "{reference}"\nfreeze = "until the move"\nfreeze-until = {day}\n'
    )
    project.run("lock")
    outcome = project.run("check")
    assert outcome.exit_code == exit_code
    if exit_code:
        assert outcome.stderr == (
            "error: 1 freeze has expired\n"
            f"  images.toml:1: app: frozen until {day}, and today is {today}: until the move\n\n"
            "hint: remove `freeze` and `freeze-until` from images.toml, or name another day\n"
        )
    assert project.run("lock", "--check").exit_code == 0


def test_a_freeze_needs_a_day_and_a_reason(project: Project) -> None:
    (project.folder / "images.toml").write_text(
        '[images.one]\nimage = "one"\nfreeze-until = 2027-01-31\n'
        '[images.two]\nimage = "two"\nfreeze = "why"\nfreeze-until = "2027-01-31"\n'
    )
    assert project.run("check") == Outcome(
        2,
        "",
        "error: cannot use images.toml\n"
        "  images.toml:3: images.one.freeze-until: goes with `freeze`, which says why\n"
        "  images.toml:7: images.two.freeze-until: must be a day such as 2027-01-31, without quotation marks\n",
    )


def test_files_with_a_digest_alone_follow_images_toml_and_are_taken_back(
    project: Project, repository: RemoteRepository
) -> None:
    first, second = repository.push(_OLD, tag="1"), repository.push(_NEW, tag="2")
    bare = [f"{reference.rpartition(':')[0]}@{digest}" for reference, digest in _digests(repository, first, second)]
    (project.folder / "Dockerfile").write_text(f"FROM {bare[0]}\n")
    (project.folder / "images.toml").write_text(f'[images]\napp = "{bare[0]}"\n[pin]\nfiles = ["Dockerfile"]\n')
    assert [project.run(*command).exit_code for command in (["lock"], ["render"], ["check"])] == [0, 0, 0]
    (project.folder / "images.toml").write_text(f'[images]\napp = "{bare[1]}"\n[pin]\nfiles = ["Dockerfile"]\n')
    hint = "hint: run `imagelock lock`, then `imagelock render --retag`"
    assert project.run("check").stderr.splitlines()[-1] == hint
    assert project.run("lock").stderr.splitlines()[-1] == "Next: run `imagelock render --retag`"
    assert [project.run(*command).exit_code for command in (["render", "--retag"], ["check"])] == [0, 0]
    assert (project.folder / "Dockerfile").read_text() == f"FROM {bare[1]}\n"
    (project.folder / "Dockerfile").write_text(f"FROM {bare[0]}\n")
    told = "hint: run `imagelock render --retag` to give it the locked digest, or write"
    assert told in project.run("check").stderr
    assert [project.run(*command).exit_code for command in (["render", "--retag"], ["check"])] == [0, 0]


def _digests(repository: RemoteRepository, *references: str) -> list[tuple[str, str]]:
    return [(reference, repository.skopeo_digest(reference.rpartition(":")[2])) for reference in references]

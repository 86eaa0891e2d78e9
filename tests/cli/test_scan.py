"""Every reference in a project's files, how far it has come, and what `--write` adds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imagelock.images_file.parser import parse_images_file
from tests.support.git import Repository
from tests.support.locked_images import digest
from tests.support.project import GO, NGINX, Outcome, Project

_OTHER = f"sha256:{'a1' * 32}"


def test_each_reference_is_shown_with_its_place_and_how_far_it_has_come(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n[external]\nnames = ["app"]\nfiles = ["out/**"]\n')
    pinned.write("Dockerfile", f"FROM {GO} AS build\nFROM nginx:1.25\nFROM nginx:1.26\nFROM app\nFROM $B\nFROM build\n")
    pinned.write("compose.yaml", f"services:\n  a:\n    image: nginx:1.25@{_OTHER}\n  b:\n    image: redis:7\n")
    pinned.write("out/Dockerfile", "FROM redis:6\n")
    pinned.write("part/Dockerfile", "FRM a\n")
    outcome = pinned.run("scan", "--color", "never")
    assert outcome.stdout == (
        "Dockerfile  Dockerfile, in [pin]\n"
        f"  1:6  golang:1.22@sha256:{digest('go').short}  pinned      go\n"
        "  2:6  nginx:1.25                       locked      nginx: it has no digest\n"
        "  3:6  nginx:1.26                       new         images.toml has `nginx` (tag\n"
        "                                                    `1.25`)\n"
        "  4:6  app                              external\n"
        "  5:6  $B                               unpinnable  the variable has no value\n"
        "                                                    here\n"
        "compose.yaml  compose file, not pinned\n"
        "  3:12  nginx:1.25@sha256:a1a1a1a1a1a1  locked  nginx: it has a1a1a1a1a1a1,\n"
        f"                                                images.lock has {digest('nginx').short}\n"
        "  5:12  redis:7                         new\n"
    )
    assert outcome.stderr == (
        "7 references in 2 files: 2 new, 2 locked, 1 pinned, 1 external, 1 unpinnable\n"
        "note: 1 file could not be read, and may have images (-v lists them)\n"
        "\nNext: run `imagelock scan --write`\n"
    )
    assert outcome.exit_code == 0


def test_a_stale_lock_counts_as_none(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("images.toml", pinned.read("images.toml").replace("golang:1.22", "golang:1.23"))
    pinned.write("Dockerfile", "FROM golang:1.23\n")
    outcome = pinned.run("scan")
    assert "declared  go\n" in outcome.stdout
    assert outcome.stderr.endswith("\nNext: run `imagelock lock`\n")


@pytest.mark.parametrize(
    ("content", "step"),
    [
        (f"FROM {GO}\n", ""),
        ("FROM golang:1.22\n", "\nNext: run `imagelock render`\n"),
        ("FROM golang:1.23\n", "\nNext: run `imagelock check`\n"),
        ("FROM golang:1.23\nFROM redis:7\n", "\nNext: run `imagelock scan --write`\n"),
        ("FROM scratch\n", ""),
    ],
)
def test_what_to_do_next_is_said_if_there_is_anything(pinned: Project, content: str, step: str) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", content)
    assert pinned.run("scan").stderr.partition("\n")[2] == step


def test_in_ci_and_for_the_quiet_there_is_no_next_step(pinned: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned.write("Dockerfile", "FROM golang:1.22\n")
    assert pinned.run("scan", "-q").stderr == ""
    monkeypatch.setenv("CI", "true")
    assert pinned.run("scan").stderr == "1 reference in 1 file: 1 new\n"


def test_only_the_paths_that_are_named_are_read(pinned: Project) -> None:
    pinned.write("a/Dockerfile", "FROM one:1\n")
    pinned.write("b/Dockerfile", "FROM two:1\n")
    pinned.write("b/compose.yaml", "services:\n  x:\n    image: three:1\n")
    found = json.loads(pinned.run("scan", "a", "b/compose.yaml", "--format", "json").stdout)
    assert [file["path"] for file in found["files"]] == ["a/Dockerfile", "b/compose.yaml"]
    assert pinned.run("scan", "c") == Outcome(2, "", "error: cannot scan `c`: there is no such file or directory\n")
    assert pinned.run("scan", "--exclude", "b/**").stdout.splitlines()[0] == "a/Dockerfile  Dockerfile, not pinned"


def test_scripts_get_whole_digests(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", f"FROM {GO}\n")
    pinned.write("part/Dockerfile", "FRM a\n")
    assert json.loads(pinned.run("scan", "--format", "json").stdout) == {
        "schema": 1,
        "files": [
            {
                "path": "Dockerfile",
                "kind": "dockerfile",
                "carrier": "pin",
                "references": [
                    {
                        "line": 1,
                        "column": 6,
                        "text": GO,
                        "image": GO,
                        "status": "pinned",
                        "name": "go",
                        "reason": None,
                        "hint": None,
                    }
                ],
            }
        ],
        "unreadable": [{"path": "part/Dockerfile", "line": 1, "column": 1, "reason": "there is no FROM in it"}],
    }


def test_what_is_new_is_declared_and_pinned_and_nothing_else_changes(pinned: Project) -> None:
    pinned.declare_locked('# why\n[pin]\nfiles = ["compose.yaml"]  # kept\n\n# the end\n')
    pinned.write("compose.yaml", f"services:\n  a:\n    image: {NGINX}\n")
    pinned.write("Dockerfile", f"FROM golang:1.22\nFROM nginx:1.26\nFROM redis:7@{_OTHER}\nFROM $B\n")
    pinned.write("vendor/Dockerfile", "FROM other:1\n")
    before = pinned.read("images.toml")
    lock = pinned.read("images.lock")
    assert pinned.run("scan", "--write") == Outcome(
        0,
        "",
        f'Added to images.toml:\n  nginx-1-26 = "nginx:1.26"\n  redis = "redis:7@{_OTHER}"\n'
        '  pin.files: "Dockerfile"\n  external.files: "vendor/**"\n'
        "warning: Dockerfile:4:6: `$B`: the variable has no value here\n"
        "\nNext: run `imagelock lock`, then `imagelock render`\n",
    )
    assert pinned.read("images.toml") == (
        before.replace(
            'nginx = "nginx:1.25"\n', f'nginx = "nginx:1.25"\nnginx-1-26 = "nginx:1.26"\nredis = "redis:7@{_OTHER}"\n'
        )
        .replace('["compose.yaml"]', '["compose.yaml", "Dockerfile"]')
        .replace("# the end\n", '# the end\n\n[external]\nfiles = ["vendor/**"]\n')
    )
    assert pinned.read("images.lock") == lock
    again = pinned.run("scan", "--write")
    assert again.stderr.splitlines()[0] == "images.toml has every image that can be pinned"


def test_digests_can_be_let_go_for_their_tags(pinned: Project) -> None:
    pinned.declare_locked(
        images=f'[images]\ngo = "golang:1.22@{_OTHER}"  # old\nnginx = {{ image = "nginx@{_OTHER}" }}\n'
    )
    pinned.write("Dockerfile", f"FROM golang:1.22@{_OTHER}\nFROM redis:7@{_OTHER}\n")
    assert pinned.run("scan", "--write", "--follow-tags").exit_code == 0
    assert pinned.read("images.toml") == (
        f'[images]\ngo = "golang:1.22"  # old\nnginx = {{ image = "nginx@{_OTHER}" }}\nredis = "redis:7"\n\n'
        '[pin]\nfiles = ["Dockerfile"]\n'
    )
    assert pinned.run("scan", "--follow-tags").exit_code == 2


def test_without_images_toml_the_first_one_is_written(pinned: Project) -> None:
    pinned.write("Dockerfile", "FROM golang:1.22\n")
    assert pinned.run("scan").stderr.endswith("\nNext: run `imagelock init`\n")
    assert pinned.run("scan", "--write").stderr.startswith("Found 1 image in 1 file\nWrote images.toml\n")
    assert [image.alias for image in parse_images_file(pinned.read("images.toml")).images] == ["golang"]


def test_only_the_named_paths_are_in_the_first_file(pinned: Project) -> None:
    pinned.write("a/Dockerfile", "FROM redis:7\n")
    pinned.write("b/Dockerfile", "FROM nginx:1\n")
    pinned.write("b/run.sh", "docker run a\n")
    assert pinned.run("scan", "--write", "a") == Outcome(
        0,
        "",
        "Found 1 image in 1 file\nWrote images.toml\n\nNext: run `imagelock lock`, then `imagelock render`\n",
    )


def test_nothing_is_said_of_files_that_were_not_searched(pinned: Project) -> None:
    pinned.declare_locked("[external]\nfiles = ['a/**']\n")
    pinned.write("a/Dockerfile", "FROM one:1\n")
    pinned.write("b/Dockerfile", f"FROM {GO}\n")
    pinned.write("c/Dockerfile", "FROM scratch\n")
    for command in (["scan"], ["scan", "--write"]):
        assert pinned.run(*command, "c").stderr == "no image in c\n"
        assert pinned.run(*command, "c", "--exclude", "a/**").stderr == "no image in c outside a/**\n"
    assert pinned.run("scan", "--exclude", "b/**").stderr == "no image outside b/**\n"
    assert pinned.run("scan", "--write", "b").exit_code == 0
    every = "images.toml has every image{} that can be pinned\n"
    assert pinned.run("scan", "--write", "b", "c").stderr == every.format(" in b, c")
    assert pinned.run("scan", "--write", "--exclude", "a/**").stderr == every.format(" outside a/**")


@pytest.mark.parametrize("path", ["sub", "sub/deep", "sub/deep/Dockerfile"])
def test_the_files_of_another_project_are_not_said_to_have_no_image(pinned: Project, path: str) -> None:
    pinned.declare_locked()
    pinned.write("sub/images.toml", "[images]\n")
    pinned.write("sub/deep/Dockerfile", "FROM one:1\n")
    for command in (["scan"], ["scan", "--write"]):
        assert pinned.run(*command, path) == Outcome(
            2,
            "",
            f"error: `{path}` belongs to another project, that of sub/images.toml\n\nhint: scan it from there\n",
        )
    assert "one:1" in pinned.run("-C", "sub", "scan").stdout


@pytest.mark.parametrize("command", [("scan", "--write", "c"), ("init", "--exclude", "a/**")])
def test_a_first_file_says_which_part_has_no_image(pinned: Project, command: tuple[str, ...]) -> None:
    pinned.write("a/Dockerfile", "FROM one:1\n")
    pinned.write("c/Dockerfile", "FROM scratch\n")
    part = "in c" if "c" in command else "outside a/**"
    assert pinned.run(*command).stderr.splitlines()[0] == f"Found no image {part}"


def test_the_kinds_of_files_are_told_in_80_columns(pinned: Project) -> None:
    lines = pinned.run("scan", "--kinds").stdout.splitlines()
    assert "compose  compose file" in lines
    assert max(map(len, lines)) <= 80
    kinds = json.loads(pinned.run("scan", "--kinds", "--format", "json").stdout)["kinds"]
    assert [kind["name"] for kind in kinds] == [line.split()[0] for line in lines if not line.startswith(" ")]


@pytest.mark.parametrize("others", [["--write"], ["a"], ["--exclude", "a"], ["--follow-tags"]])
def test_kinds_go_with_nothing_that_would_be_ignored(pinned: Project, others: list[str]) -> None:
    (pinned.folder / "a").mkdir()
    assert pinned.run("scan", "--kinds", *others) == Outcome(
        2, "", "error: --kinds reads no file: leave out the others\n\nhint: run `imagelock scan --help`\n"
    )


def test_what_was_written_for_scripts(pinned: Project) -> None:
    pinned.declare_locked()
    pinned.write("Dockerfile", "FROM redis:7\nFROM $B\n")
    assert json.loads(pinned.run("scan", "--write", "--format", "json").stdout) == {
        "schema": 1,
        "dry_run": False,
        "images": [{"name": "redis", "image": "redis:7", "files": ["Dockerfile"]}],
        "pinned": ["Dockerfile"],
        "written": ["images.toml"],
        "external_names": [],
        "external_files": [],
        "follow_tags": [],
        "obstacles": [
            {"path": "Dockerfile", "line": 2, "column": 6, "text": "$B", "reason": "the variable has no value here"}
        ],
        "unreadable": [],
    }


def test_a_file_that_was_moved_is_listed_under_its_new_name(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["old/Dockerfile", "*.yaml"]\n')
    pinned.write("new/Dockerfile", f"FROM {GO}\n")
    outcome = pinned.run("check")
    assert outcome.stderr.splitlines()[1] == '  images.toml:5: pin.files: "old/Dockerfile" matches no file'
    assert pinned.run("scan", "--write").stderr.startswith(
        "Added to images.toml:\n"
        '  pin.files: without "old/Dockerfile", which is not there\n  pin.files: "new/Dockerfile"\n'
    )
    assert 'files = ["*.yaml", "new/Dockerfile"]\n' in pinned.read("images.toml")


def test_a_tag_that_a_pinned_file_has_ahead_of_images_toml_is_not_declared_twice(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", "FROM golang:1.23\n")
    before = pinned.read("images.toml")
    assert pinned.run("scan", "--write").stderr == "images.toml has every image that can be pinned\n"
    assert pinned.read("images.toml") == before


_UNREAD = (
    "note: 2 files may have images and cannot be read: 1 Makefile, 1 shell script (-v lists them)\n",
    "  Makefile: Makefile\n  run.sh: shell script\n",
    "note: 1 value may be an image at a path that is not known: add it to [paths] (-v lists them)\n",
    "  .github/workflows/a.yml:1:36: binfmt:master\n",
    "note: 1 command may pull images: pin them with marker comments (-v lists them)\n",
    "  .gitlab-ci.yml:1:14: docker run alpine:3]}\n",
)


@pytest.mark.parametrize("command", [("scan",), ("scan", "--write"), ("init",), ("check", "--all")])
def test_what_was_not_read_is_counted(pinned: Project, command: tuple[str, ...]) -> None:
    pinned.declare_locked()
    if command == ("init",):
        (pinned.folder / "images.toml").unlink()
    pinned.write("run.sh", "docker run alpine:3\n")
    pinned.write("Makefile", "run:\n\tpodman pull alpine:3\n")
    pinned.write(".github/workflows/a.yml", "jobs: {a: {steps: [{with: {image: 'binfmt:master'}}]}}\n")
    pinned.write(
        ".gitlab-ci.yml",
        "a: {script: [docker run alpine:3]}\n# docker run a\nb: {script: [docker run a]} # imagelock: ignore\n"
        f"c: {{script: ['docker run {GO}']}}\n",
    )
    notes = pinned.run(*command).stderr
    assert "".join(_UNREAD[::2]) in notes
    assert not any(lines in notes for lines in _UNREAD[1::2])
    if command != ("init",):
        assert "".join(_UNREAD) in pinned.run("-v", *command).stderr
        document = json.loads(pinned.run(*command, "--format", "json").stdout)
        assert [each["path"] for each in document["unread"]] == ["Makefile", "run.sh"]
        assert [each["text"] for each in document["overlooked"]] == ["binfmt:master", "docker run alpine:3]}"]


def test_a_dockerfile_may_be_a_link_to_a_file_of_another_name(pinned: Project) -> None:
    pinned.declare_locked()
    pinned.write("docker/production", "FROM golang:1.22\nFROM redis:7\n")
    (pinned.folder / "Dockerfile").symlink_to("docker/production")
    outcome = pinned.run("check", "--all")
    assert outcome.exit_code == 1
    assert "  Dockerfile:1:6: golang:1.22: it has no digest" in outcome.stderr
    assert "  Dockerfile:2:6: redis:7: images.lock does not have it" in outcome.stderr
    assert '  pin.files: "Dockerfile"\n' in pinned.run("scan", "--write").stderr
    assert "  1 place:\n    Dockerfile:1:6" in pinned.run("explain", "go").stdout


@pytest.mark.parametrize("command", [("scan",), ("scan", "--write"), ("init",), ("check", "--all")])
def test_one_file_that_cannot_be_read_does_not_keep_others_from_it(pinned: Project, command: tuple[str, ...]) -> None:
    pinned.declare_locked()
    if command == ("init",):
        (pinned.folder / "images.toml").unlink()
    pinned.write("app/Dockerfile", f"FROM {GO}\n")
    with (pinned.folder / "data.json").open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)
    (pinned.folder.parent / "outside").write_text("FROM redis:7\n")
    (pinned.folder / "out.Dockerfile").symlink_to("../outside")
    outcome = pinned.run(*command)
    assert outcome.exit_code == 0
    counts = "1 outside link, 1 too large or protected file"
    assert f"note: 2 files may have images and cannot be read: {counts} (-v lists them)\n" in outcome.stderr
    if command != ("init",):
        listed = pinned.run("-v", *command).stderr
        assert "  out.Dockerfile: outside link\n  data.json: too large or protected file\n" in listed


def test_a_file_whose_name_says_that_it_has_images_must_be_readable(pinned: Project) -> None:
    pinned.declare_locked()
    with (pinned.folder / "compose.yaml").open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)
    assert pinned.run("check", "--all") == Outcome(
        2,
        "",
        "error: cannot read compose.yaml\n"
        "  it has more than 16,777,216 bytes\n"
        "\n"
        "hint: list it under `files` of [external] if it has no images\n",
    )
    pinned.declare_locked('[external]\nfiles = ["compose.yaml"]\n')
    assert pinned.run("check", "--all").exit_code == 0


def test_what_a_sparse_checkout_leaves_out_is_counted(pinned: Project) -> None:
    pinned.declare_locked()
    pinned.write("app/Dockerfile", f"FROM {GO}\n")
    pinned.write("other/Dockerfile", "FROM redis:7\n")
    pinned.write("other/notes.txt", "")
    repository = Repository(pinned.folder)
    repository.start()
    assert pinned.run("check", "--all").exit_code == 1
    repository.check_out_only("app")
    note = "note: 1 file may have images and cannot be read: 1 absent file (-v lists them)\n"
    outcome = pinned.run("check", "--all", "-v")
    assert (outcome.exit_code, f"{note}  other/Dockerfile: absent file\n" in outcome.stderr) == (0, True)
    (pinned.folder / "app" / "Dockerfile").unlink()  # deleted, and not left out
    assert note in pinned.run("scan").stderr


@pytest.mark.parametrize("command", [["check"], ["render"], ["render", "--check"]])
def test_files_of_pin_that_are_not_here_are_told(pinned: Project, command: list[str]) -> None:
    pinned.declare_locked('[pin]\nfiles = ["*/Dockerfile"]\n[external]\nfiles = ["third/*"]\n')
    for folder in ("app", "other", "third"):
        pinned.write(f"{folder}/Dockerfile", f"FROM {GO}\n")
    (pinned.folder / "link").mkdir()
    (pinned.folder / "link" / "Dockerfile").symlink_to(Path(__file__))
    repository = Repository(pinned.folder)
    repository.start()
    repository.check_out_only("app", "link")
    note = (
        "note: 2 files of [pin] cannot be read here: `link/Dockerfile`, `other/Dockerfile` "
        "(left out by a sparse checkout, or a link out of the project)\n"
    )
    outcome = pinned.run(*command)
    assert (outcome.exit_code, outcome.stderr.count(note)) == (0, 1)


def test_files_of_pin_that_are_not_here_are_told_once_and_never_called_fine(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["*/Dockerfile"]\n')
    for folder in ("app", "other"):
        pinned.write(f"{folder}/Dockerfile", f"FROM {GO}\n")
    repository = Repository(pinned.folder)
    repository.start()
    repository.check_out_only("app")
    for options in ([], ["--all"]):
        outcome = pinned.run("check", *options)
        assert outcome.exit_code == 0
        assert outcome.stderr.count("cannot be read") == 1
        assert outcome.stderr.endswith(": up to date, 1 file not read\n")
        document = json.loads(pinned.run("check", *options, "--format", "json").stdout)
        assert document["unread"] == [{"path": "other/Dockerfile", "kind": "absent file"}]
    assert "  other/Dockerfile: absent file: it may have images" in pinned.run("check", "--strict").stderr


def test_hints_for_scripts_have_the_options_of_the_run(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", "FROM golang:1.22\n")
    (file,) = json.loads(pinned.run("--lockfile", "images.lock", "scan", "--format", "json").stdout)["files"]
    assert [each["hint"] for each in file["references"]] == ["run `imagelock --lockfile images.lock render`"]

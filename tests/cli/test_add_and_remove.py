"""Images come and go, in both files at once; all output in whole, with an OCI layout for a registry."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from imagelock.cli.main import run
from tests.support.oci_images import multi_platform_image
from tests.support.oci_layout import write_layout
from tests.support.project import DURATION, Outcome, Project

_GO = multi_platform_image("linux/amd64", "linux/arm64", note="go")
_STATIC = multi_platform_image("linux/amd64", note="static")
_GO_ROW = f"go  golang:1.22  {_GO.digest.removeprefix('sha256:')[:12]}  linux/amd64 linux/arm64"

_IMAGES_TOML = """\
# Ours.

[images]
go = "oci:./layout:golang:1.22"   # the compiler

[render]   # what CI reads
"Dockerfile" = "Dockerfile.in"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_layout(tmp_path / "layout", {"golang:1.22": _GO, "static": _STATIC})
    (tmp_path / ".git").mkdir()  # nothing above is looked at
    (tmp_path / "Dockerfile.in").write_text("FROM {{images.go}}\nCOPY --from={{ images.go.pinned }} /a /b\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_image_begins_both_files(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["add", "go", "oci:./layout:golang:1.22"]) == 0
    assert (folder / "images.toml").read_text() == '[images]\ngo = "oci:./layout:golang:1.22"\n'
    assert tomllib.loads((folder / "images.lock").read_text())["images"]["go"]["digest"] == _GO.digest
    assert _output(capfd) == (
        "",
        (
            f'Added to images.toml: go = "oci:./layout:golang:1.22"\nLocked 1 image in TIME\nAdded  {_GO_ROW}\n'
            "\nNext: write `golang:1.22` in a file, then run `imagelock scan --write` and `imagelock render`\n"
        ),
    )


def test_a_name_is_proposed_and_everything_else_stays(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = _IMAGES_TOML.replace("\n", "\r\n")
    (folder / "images.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    run(["lock", "-q"])
    assert run(["add", "oci:./layout:static", "--platform", "amd64"]) == 0
    added = '\r\n[images.static]\r\nimage = "oci:./layout:static"\r\nplatforms = ["linux/amd64"]\r\n'
    line = "# the compiler\r\n"
    assert (folder / "images.toml").read_bytes() == b"\xef\xbb\xbf" + text.replace(line, line + added).encode()
    assert _output(capfd) == (
        "",
        (
            'Added to images.toml: [images.static] image = "oci:./layout:static", platforms = ["linux/amd64"]\n'
            "Locked 1 of 2 images in TIME\n"
            f"Added  static  static  {_STATIC.digest.removeprefix('sha256:')[:12]}  linux/amd64\n"
            "\nNext: write `{{images.static}}` in a template, then run `imagelock render`\n"
        ),
    )


def test_what_can_not_be_locked_is_not_added(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "images.toml").write_text(_IMAGES_TOML)
    run(["lock", "-q"])
    before = _files(folder)
    assert run(["add", "static", "oci:./layout:statc"]) == 2
    assert _files(folder) == before
    assert _output(capfd) == (
        "",
        (
            "error: cannot add `static`: oci:./layout has no image named `statc`; did you mean `static`?\n"
            "  it has: golang:1.22, static\n"
            "  no file was changed\n"
        ),
    )


def test_nothing_is_begun_for_an_image_that_is_not_there(folder: Path) -> None:
    before = _files(folder)
    assert run(["add", "oci:./layout:nothing"]) == 2
    assert _files(folder) == before


def test_a_name_is_taken_once(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "images.toml").write_text(_IMAGES_TOML)
    assert run(["add", "go", "oci:./layout:static"]) == 2
    assert (folder / "images.toml").read_text() == _IMAGES_TOML
    assert _output(capfd) == (
        "",
        (
            "error: there is an image `go` already: oci:./layout, tag `golang:1.22`\n\n"
            "hint: choose another name, or run `imagelock remove go` first\n"
        ),
    )


def test_more_than_a_name_and_a_reference_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["add", "a", "b", "c"]) == 2
    assert _output(capfd) == (
        "",
        "error: one image at a time, as NAME and REFERENCE: these are 3 words\n\nhint: run `imagelock add --help`\n",
    )


def test_adding_for_scripts(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["add", "go", "oci:./layout:golang:1.22", "--format", "json"]) == 0
    out, error = _output(capfd)
    document = json.loads(out)
    assert ([(each["change"], each["name"]) for each in document["changes"]], error) == ([("added", "go")], "")


def test_an_image_is_removed_from_both_files_and_its_uses_are_shown(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "images.toml").write_text(_IMAGES_TOML)
    run(["lock", "-q"])
    run(["add", "oci:./layout:static", "-q"])
    assert run(["remove", "go"]) == 0
    line = 'go = "oci:./layout:golang:1.22"   # the compiler\n'
    assert (folder / "images.toml").read_text() == _IMAGES_TOML.replace(line, 'static = "oci:./layout:static"\n')
    assert list(tomllib.loads((folder / "images.lock").read_text())["images"]) == ["static"]
    assert _output(capfd) == (
        "",
        (
            "Removed 1 image from images.toml\n"
            f"Removed  {_GO_ROW}\n"
            "warning: Dockerfile.in:1:6: `{{images.go}}` is still there\n"
            "warning: Dockerfile.in:2:13: `{{ images.go.pinned }}` is still there\n"
            "note: `check` fails for these until they are gone, declared again, or listed under [external]\n"
        ),
    )


def test_adding_and_removing_leaves_no_trace(folder: Path) -> None:
    (folder / "images.toml").write_text(_IMAGES_TOML)
    run(["lock", "-q"])
    before = _files(folder)
    assert run(["add", "static", "oci:./layout:static", "--platform", "amd64"]) == 0
    assert _files(folder) != before
    assert run(["remove", "static"]) == 0
    assert _files(folder) == before


def test_removing_needs_no_lock(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "images.toml").write_text('[images]\na = "a:1"\nb = "b:1"\n')
    assert run(["remove", "--format", "json", "a", "b", "a"]) == 0
    assert (folder / "images.toml").read_text() == "[images]\n"
    assert not (folder / "images.lock").exists()
    out, error = _output(capfd)
    assert (json.loads(out), error) == ({"schema": 1, "removed": ["a", "b"], "changes": [], "uses": []}, "")


def test_unknown_names_are_all_named(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "images.toml").write_text(_IMAGES_TOML)
    assert run(["remove", "go", "goo", "zig"]) == 2
    assert (folder / "images.toml").read_text() == _IMAGES_TOML
    assert _output(capfd) == (
        "",
        "error: images.toml has no image `goo`; did you mean `go`?\n  images.toml has no image `zig`\n",
    )


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _output(capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    out, error = capfd.readouterr()
    return out, DURATION.sub(" in TIME", error)


def test_another_tag_of_a_declared_repository_asks_what_is_meant(pinned: Project) -> None:
    pinned.declare_locked()
    before = pinned.files()
    assert pinned.run("add", "nginx:1.26") == Outcome(
        2,
        "",
        "error: images.toml has nginx:1.25, as `nginx`\n\n"
        "hint: run `imagelock update nginx --to 1.26` to move it\n"
        "hint: run `imagelock add nginx-1-26 nginx:1.26` to have both\n",
    )
    assert pinned.files() == before


@pytest.mark.parametrize(
    ("tables", "file", "following"),
    [
        ("", "", "write `redis:7` in a file, then run `imagelock scan --write` and `imagelock render`"),
        ("", "FROM redis:7\n", "run `imagelock scan --write`, then `imagelock render`"),
        (
            '[external]\nfiles = ["Dockerfile"]\n',
            "FROM redis:7\n",
            "write `redis:7` in a file, then run `imagelock scan --write` and `imagelock render`",
        ),
        ('[pin]\nfiles = ["Dockerfile"]\n', "FROM redis:7\n", "run `imagelock render`"),
        (
            '[pin]\nfiles = ["Dockerfile"]\n',
            "FROM golang:1.22\n",
            "write `redis:7` in a file, then run `imagelock scan --write` and `imagelock render`",
        ),
        ('[render]\n"out" = "Dockerfile"\n', "FROM {{images.redis}}\n", "run `imagelock render`"),
        (
            '[render]\n"out" = "Dockerfile"\n',
            "FROM {{images.go}}\n",
            "write `{{images.redis}}` in a template, then run `imagelock render`",
        ),
        ('[export]\n"all.json" = "json"\n', "", "run `imagelock render`"),
        (
            '[export]\n"go.json" = { format = "json", names = ["go"] }\n',
            "",
            "write `redis:7` in a file, then run `imagelock scan --write` and `imagelock render`",
        ),
    ],
)
def test_the_next_step_fits_where_the_new_image_is(pinned: Project, tables: str, file: str, following: str) -> None:
    pinned.declare_locked(tables)
    pinned.write("Dockerfile", file)
    pinned.push("redis:7", multi_platform_image("linux/amd64"))
    outcome = pinned.run("add", "redis", "oci:./vendor:redis:7")
    assert (outcome.exit_code, outcome.stderr.splitlines()[-2:]) == (0, ["", f"Next: {following}"])


def test_another_command_s_word_is_understood(pinned: Project) -> None:
    assert pinned.run("pin", "x").stderr.startswith("error: there is no command `pin`; did you mean `render --pin`?\n")

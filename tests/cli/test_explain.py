"""Everything about one image."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.locked_images import digest
from tests.support.project import GO, Outcome, Project

_TABLES = """
[render]
"out" = "out.in"

[pin]
files = ["Dockerfile"]
"""


def test_declaration_digests_and_every_place_are_shown(pinned: Project) -> None:
    pinned.declare_locked(_TABLES)
    pinned.write("Dockerfile", f"FROM {GO}\nFROM nginx:1.25\n")
    pinned.write("out.in", "a\n  {{images.go.digest}}\n")
    pinned.write("deploy/compose.yaml", "services:\n  a:\n    image: golang:1.22\n")
    outcome = pinned.run("explain", "go")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith(
        "go\n"
        "  declared     golang, tag `1.22` (images.toml:2)\n"
        "  platforms    every one that the index lists\n"
        "  repository   docker.io/library/golang\n"
        "  tag          1.22\n"
        f"  digest       {digest('go')}\n"
    )
    assert outcome.stdout.partition("  3 places:\n")[2] == (
        "    out.in:2:3                {{images.go.digest}}  template\n"
        "    Dockerfile:1:6            golang:1.22           pinned\n"
        "    deploy/compose.yaml:3:12  golang:1.22           locked\n"
    )


def test_scripts_get_all_of_it(pinned: Project) -> None:
    pinned.declare_locked(_TABLES)
    pinned.write("Dockerfile", f"FROM {GO}\n")
    document = json.loads(pinned.run("explain", "go", "--format", "json").stdout)
    assert document["declared"] == {
        "image": "golang",
        "tag": "1.22",
        "platforms": "all",
        "freeze": None,
        "path": "images.toml",
        "line": 2,
    }
    assert document["locked"]["digest"] == str(digest("go"))
    assert document["stale"] == []
    assert document["places"] == [{"path": "Dockerfile", "line": 1, "column": 6, "text": GO, "status": "pinned"}]


def test_what_is_not_locked_or_stale_is_told(pinned: Project) -> None:
    pinned.declare_locked()
    pinned.write("images.toml", '[images]\ngo = "golang:1.23"\nnew = { image = "redis:7", freeze = "why" }\n')
    assert "  stale " in pinned.run("explain", "go").stdout
    new = pinned.run("explain", "new").stdout
    assert "  locked     no: run `imagelock lock`\n" in new
    assert "  frozen     why\n" in new
    assert new.endswith("  0 places in the files of this project\n")
    assert pinned.run("explain", "ne") == Outcome(2, "", "error: images.toml has no image `ne`; did you mean `new`?\n")


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_places_in_files_that_were_not_read_are_not_denied(pinned: Project, output_format: str) -> None:
    pinned.declare_locked('[render]\n"out" = "run.sh"\n')
    pinned.write("run.sh", "docker run golang:1.22 # {{images.nginx}}\n")
    pinned.write("other.sh", "docker run golang:1.22\n")
    pinned.write("compose.yaml", "services: {a: {image: golang:1.22}\n")
    assert pinned.run("explain", "go", "--format", output_format).stderr == (
        "note: 1 file could not be read, and may have images (-v lists them)\n"
        "note: 1 file may have images and cannot be read: 1 shell script (-v lists them)\n"
    )
    notes = pinned.run("-v", "explain", "go").stderr
    assert "  compose.yaml:2:1: " in notes
    assert "  other.sh: shell script\n" in notes


def test_the_age_of_an_image_is_told_where_it_says_when_it_was_made(pinned: Project) -> None:
    pinned.declare_locked()
    lock = pinned.read("images.lock")
    entry = 'digest = "'
    pinned.write(
        "images.lock", re.sub(r"\[images\.go\]\n", '[images.go]\nlabels = { created = "2020-01-02T03:04:05Z" }\n', lock)
    )
    assert entry in lock
    assert re.search(
        r"  created      2020-01-02T03:04:05Z \([0-9]{4,} days ago\)\n", pinned.run("explain", "go").stdout
    )

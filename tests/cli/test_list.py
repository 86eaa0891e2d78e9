from __future__ import annotations

import json

from tests.support.project import Outcome, Project


def test_the_locked_images_are_listed(locked: Project) -> None:
    assert locked.run("list") == Outcome(
        0,
        f"go    oci:vendor  golang:1.22  {locked.short('golang:1.22')}  linux/amd64 linux/arm64\n"
        f"node  oci:vendor  node:20      {locked.short('node:20')}  linux/amd64 linux/arm64\n",
        "",
    )


def test_scripts_get_all_of_them(locked: Project) -> None:
    document = json.loads(locked.run("list", "--format", "json").stdout)
    assert [(image["name"], image["digest"]) for image in document["images"]] == [
        ("go", locked.images["golang:1.22"].digest),
        ("node", locked.images["node:20"].digest),
    ]


def test_without_a_lock_there_is_nothing_to_list(workshop: Project) -> None:
    assert workshop.run("list") == Outcome(0, "", "no image is locked\n")


def test_what_a_lockfile_holds_must_not_steer_a_terminal(locked: Project) -> None:
    locked.write("images.lock", locked.read("images.lock").replace('"node:20"', '"node\\u001b[31m"'))
    assert "node\\x1b[31m" in locked.run("list").stdout

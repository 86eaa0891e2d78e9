from __future__ import annotations

import json
from datetime import UTC, datetime

from tests.support.project import IMAGES, Outcome, Project

_OVERWRITES = (
    "note: Dockerfile has text that its template Dockerfile.in does not give: "
    "`render` overwrites it (`render --diff` shows what)\n"
)
_NOT_RENDERED = {
    "kind": "not-rendered",
    "name": None,
    "line": None,
    "column": None,
    "reference": None,
    "command": "imagelock render",
    "hint": None,
}


def test_a_project_that_is_up_to_date_passes(locked: Project) -> None:
    assert locked.run("check") == Outcome(0, "", "2 images locked, 1 file rendered: all up to date\n")
    outcome = locked.run("check", "--format", "json")
    assert (outcome.exit_code, json.loads(outcome.stdout), outcome.stderr) == (
        0,
        {"schema": 1, "ok": True, "problems": []},
        "",
    )


def test_a_stale_lock_makes_the_rendered_files_a_question(locked: Project) -> None:
    locked.write("images.toml", IMAGES.replace("node:20", "node:22"))
    assert locked.run("check") == Outcome(
        1,
        "",
        "error: images.lock does not match images.toml\n"
        "  node: images.toml now has tag `node:22`; tag `node:20` is locked\n"
        "  images.lock: files can't be compared with a stale lock\n"
        "\nhint: run `imagelock lock`, then `imagelock render`\n",
    )


def test_a_stale_lock_without_templates_needs_only_lock(locked: Project) -> None:
    locked.write("images.toml", "[images]\n")
    assert locked.run("check") == Outcome(
        1,
        "",
        "error: images.lock does not match images.toml\n"
        "  go: locked, but no longer declared\n"
        "  node: locked, but no longer declared\n"
        "\nhint: run `imagelock lock`\n",
    )


def test_files_that_are_missing_or_edited_are_named(locked: Project) -> None:
    locked.write("images.toml", f'{IMAGES}"other" = "Dockerfile.in"\n')
    locked.write("Dockerfile", "FROM scratch\n")
    expected = (
        f"{_OVERWRITES}"
        "error: files are not as locked\n"
        "  Dockerfile: not rendered from the current lock\n"
        "  other: not rendered yet\n"
        "\nhint: run `imagelock render`\n"
    )
    assert locked.run("check") == Outcome(1, "", expected)
    outcome = locked.run("check", "--format", "json")
    assert (outcome.exit_code, outcome.stderr) == (1, expected)
    assert json.loads(outcome.stdout) == {
        "schema": 1,
        "ok": False,
        "problems": [
            _NOT_RENDERED | {"path": "Dockerfile", "reason": "not rendered from the current lock"},
            _NOT_RENDERED | {"path": "other", "reason": "not rendered yet"},
        ],
    }


def test_a_file_that_was_edited_instead_of_its_template_is_told(locked: Project) -> None:
    good = locked.read("Dockerfile")
    template = locked.read("Dockerfile.in")
    for edited in (f"{good}RUN true\n", good.replace(good.splitlines()[-1], "# mine")):
        locked.write("Dockerfile", edited)
        outcome = locked.run("check")
        assert (outcome.exit_code, outcome.stderr.count(_OVERWRITES)) == (1, edited != good)
    locked.write("Dockerfile", good.replace("@sha256:", "@sha256:00", 1).replace("\r\n", "\n"))
    outcome = locked.run("check")
    assert (outcome.exit_code, "overwrites" in outcome.stderr) == (1, False)
    locked.write("Dockerfile", f"{good}RUN true\n")
    locked.write("Dockerfile.in", f"{template}RUN true\n")
    assert locked.run("check").exit_code == 0


def test_an_image_that_is_frozen_for_too_long_is_named(locked: Project) -> None:
    frozen = '{ image = "oci:vendor:node:20", freeze = "until then", freeze-until = 2024-01-31 }'
    locked.write("images.toml", IMAGES.replace('"oci:vendor:node:20"', frozen))
    outcome = locked.run("check")
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    first, second, _ = outcome.stderr.split("\n", 2)
    assert first == "error: 1 freeze has expired"
    today = datetime.now(UTC).astimezone().date()
    assert second == f"  images.toml:5: node: frozen until 2024-01-31, and today is {today}: until then"


def test_a_template_that_can_not_be_rendered_is_no_answer(locked: Project) -> None:
    locked.write("Dockerfile.in", "FROM {{images.x}}")
    assert locked.run("check") == Outcome(
        2,
        "",
        "error: cannot render; no file was written\n  Dockerfile.in:1:6: unknown image `x`\n"
        "\nhint: write `\\{{images.NAME}}` for a text that another tool reads\n",
    )

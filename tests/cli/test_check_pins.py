"""`check` on files that are pinned in place, and on the rest of the tree."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.git import Repository
from tests.support.locked_images import digest
from tests.support.project import GO, NGINX, Outcome, Project
from tests.support.terminal import on_terminal

_SERVICE = "apiVersion: v1\nkind: Service\n"
_WAY_OUT = "let one ARG hold the whole reference, or use a template with {{images.NAME}}"


def test_each_reference_that_is_not_as_locked_is_told_with_its_place_and_a_way_out(pinned: Project) -> None:
    pinned.declare_locked(
        '[pin]\nfiles = ["Dockerfile"]\ndigest-only = ["compose.yaml"]\n[external]\nnames = ["php-base"]\n'
    )
    pinned.write(
        "Dockerfile",
        f"ARG V=1.22\nFROM golang:1.22\nFROM nginx:1.25@{digest('old')}\nFROM golang:1.21@{digest('go')}\n"
        f"FROM redis:7\nFROM golang:${{V}}\nFROM $BASE\nFROM php-base\nFROM {GO}\n",
    )
    pinned.write("compose.yaml", f"services:\n  web:\n    image: {NGINX}\n")
    assert pinned.run("check") == Outcome(
        1,
        "",
        "error: 7 references not as locked\n"
        "  Dockerfile:2:6: golang:1.22: it has no digest\n"
        f"  Dockerfile:3:6: nginx:1.25@sha256:{digest('old').short}: "
        f"it has {digest('old').short}, images.lock has {digest('nginx').short}\n"
        f"  Dockerfile:4:6: golang:1.21@sha256:{digest('go').short}: "
        "the digest is locked for the tag `1.22`, and registries ignore the tag beside a digest\n"
        "  Dockerfile:5:6: redis:7: images.lock does not have it\n"
        "  Dockerfile:6:6: golang:${V}: a variable decides the tag\n"
        "  Dockerfile:7:6: $BASE: the variable has no value here\n"
        f"  compose.yaml:3:12: nginx:1.25@sha256:{digest('nginx').short}: a tag beside the digest\n"
        "\nhint: run `imagelock render --retag`\n"
        "hint: run `imagelock add redis:7`, or take the reference out (Dockerfile:5:6)\n"
        f"hint: {_WAY_OUT} (Dockerfile:6:6)\n"
        "hint: give the ARG a default before the first FROM (Dockerfile:7:6)\n"
        "hint: add a reference to `names` under [external] to accept it as it is\n",
    )


def test_scripts_get_places_kinds_and_hints(pinned: Project) -> None:
    pinned.declare_locked('[render]\n"out" = "out.in"\n[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", "FROM redis:7\n")
    pinned.write("out.in", "")
    outcome = pinned.run("check", "--format", "json")
    assert outcome.exit_code == 1
    assert json.loads(outcome.stdout) == {
        "schema": 1,
        "ok": False,
        "problems": [
            {
                "name": None,
                "reason": "not rendered yet",
                "path": "out",
                "line": None,
                "column": None,
                "reference": None,
                "kind": "not-rendered",
                "command": "imagelock render",
                "hint": None,
            },
            {
                "name": None,
                "command": None,
                "reason": "images.lock does not have it",
                "path": "Dockerfile",
                "line": 1,
                "column": 6,
                "reference": "redis:7",
                "kind": "not-locked",
                "hint": "run `imagelock add redis:7`, or take the reference out",
            },
        ],
    }


def test_github_shows_each_thing_beside_its_line(
    pinned: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pinned.declare_locked('[pin]\nfiles = ["100%,a:b/Dockerfile", "missing"]\n')
    pinned.write("100%,a:b/Dockerfile", "# x\nFROM golang:1.22\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    lines = pinned.run("check", "--format", "json").stderr.splitlines()
    assert lines[:3] == [
        '::error file=project/images.toml,line=5::images.toml: pin.files: "missing" matches no file',
        "::error file=project/100%25%2Ca%3Ab/Dockerfile,line=2,col=6::golang:1.22: it has no digest",
        "error: files are not as locked",
    ]
    assert not [line for line in pinned.run("check", "-qq").stderr.splitlines() if line.startswith("::")]
    (pinned.folder / "images.lock").unlink()
    assert pinned.run("check").stderr.splitlines()[:2] == [
        "::error file=project/images.toml,line=2::go: declared, but not locked",
        "::error file=project/images.toml,line=3::nginx: declared, but not locked",
    ]


_CORRECT = "correct it, or remove it from images.toml"


@pytest.mark.parametrize(
    ("name", "problem", "remedy"),
    [
        (
            "service.yaml",
            "service.yaml:1:1: the Kubernetes file names no image",
            "remove it from `[pin]`, or list it by a pattern",
        ),
        ("*.yaml", 'images.toml:5: pin.files: "*.yaml" leads to no image reference', _CORRECT),
        ("*.md", 'images.toml:5: pin.files: "*.md" leads to no image reference', _CORRECT),
        ("k8s/*", 'images.toml:5: pin.files: "k8s/*" matches no file', _CORRECT),
        (
            "broken/compose.yaml",
            "broken/compose.yaml:2:1: it is not YAML: did not find expected node content",
            "correct the file, or list it under `[external] files`",
        ),
    ],
)
def test_where_no_reference_is_found_the_answer_is_not_yes(
    pinned: Project, name: str, problem: str, remedy: str
) -> None:
    pinned.declare_locked(f'[pin]\nfiles = ["{name}"]\n')
    pinned.write("service.yaml", _SERVICE)
    pinned.write("README.md", "")
    pinned.write("broken/compose.yaml", "services: {\n")
    outcome = pinned.run("check")
    assert outcome == Outcome(1, "", f"error: files are not as locked\n  {problem}\n\nhint: {remedy}\n")


def test_a_pattern_may_lead_to_some_files_without_images(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["k8s/**"]\n')
    pinned.write("k8s/service.yaml", _SERVICE)
    pinned.write("k8s/README.md", "")
    pinned.write("k8s/pod.yaml", f"apiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: '{NGINX}'}}]}}\n")
    assert pinned.run("check").stderr.splitlines() == [
        "note: 1 image is in no file of [render], [pin] or [export]: go",
        "2 images locked, 3 files pinned: all up to date",
    ]


def test_a_pattern_may_lead_to_nothing_new(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["k8s/**", "k8s/p*"]\ndigest-only = ["k8s/pod.yaml"]\n')
    pinned.write("k8s/service.yaml", _SERVICE)
    reference = f"nginx@{digest('nginx')}"
    pinned.write("k8s/pod.yaml", f"apiVersion: v1\nkind: Pod\nspec: {{containers: [{{image: '{reference}'}}]}}\n")
    assert pinned.run("check").stderr.splitlines() == [
        "note: 1 image is in no file of [render], [pin] or [export]: go",
        "2 images locked, 2 files pinned: all up to date",
    ]


def test_pins_are_not_held_against_a_stale_lock(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", "FROM redis:7\n")
    (pinned.folder / "images.lock").unlink()
    assert pinned.run("check", "--all") == Outcome(
        1,
        "",
        "error: there is no images.lock\n"
        "  go: declared, but not locked\n  nginx: declared, but not locked\n"
        "  images.lock: files can't be compared with a stale lock\n"
        "\nhint: run `imagelock lock`, then `imagelock render`\n",
    )


def test_all_searches_the_tree_for_what_no_lock_covers(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n[external]\nfiles = ["tests/**"]\nnames = ["php-base"]\n')
    pinned.write("Dockerfile", f"FROM {GO}\n")
    pinned.write("app/Dockerfile", "FROM nginx:1.25\nFROM redis:7\nFROM php-base\n")
    pinned.write(".github/workflows/ci.yml", "jobs:\n  a:\n    container: node:20\n")
    pinned.write("tests/Dockerfile", "FROM redis:6\n")
    pinned.write("ignored/Dockerfile", "FROM redis:5\n")
    pinned.write(".gitignore", "ignored/\n")
    pinned.write("other/images.toml", "")
    pinned.write("other/deep/Dockerfile", "FROM redis:4\n")
    pinned.write("chart/templates/web.yaml", "apiVersion: v1\nspec: {{ .Values.x }}\n  - a\n")
    pinned.write("README.md", "FROM redis:3\n")
    pinned.write("data.yaml", "a: 1\n")
    Repository(pinned.folder).start()
    assert pinned.run("check").exit_code == 0
    assert pinned.run("-v", "check", "--all") == Outcome(
        1,
        "",
        "note: 1 place could not be read; there may be images\n"
        "  chart/templates/web.yaml:3:3: it is not YAML: did not find expected key\n"
        "error: 3 references not as locked\n"
        "  .github/workflows/ci.yml:3:16: node:20: images.lock does not have it\n"
        "  app/Dockerfile:1:6: nginx:1.25: it has no digest, and its file is neither rendered nor in [pin]\n"
        "  app/Dockerfile:2:6: redis:7: images.lock does not have it\n"
        "\nhint: run `imagelock scan --write`, then `imagelock lock`, then `imagelock render`\n",
    )
    pinned.write(".github/workflows/ci.yml", "")
    pinned.write("app/Dockerfile", f"FROM {NGINX}\n")
    assert pinned.run("-q", "check", "--all") == Outcome(0, "", "")
    assert pinned.run("check", "--all").stderr.splitlines()[-1] == (
        "2 images locked, 1 file pinned, 2 other files searched, 1 nested lock compared: up to date, 1 place not read"
    )


@pytest.mark.parametrize("digest", ["", f"@sha256:{'0' * 64}"])
def test_all_fails_for_another_tag_of_a_declared_image(pinned: Project, digest: str) -> None:
    pinned.declare_locked()
    pinned.write("worker/Dockerfile", f"FROM golang:1.21{digest}\n")
    outcome = pinned.run("check", "--all")
    assert outcome.exit_code == 1
    assert "worker/Dockerfile:1:6: golang:1.21" in outcome.stderr
    assert "images.toml has the tag `1.22` of it, as `go`" in outcome.stderr


def test_a_search_shows_its_progress_on_a_terminal_and_takes_it_away(pinned: Project) -> None:
    pinned.declare_locked('[export]\n"all.json" = "json"\n')
    assert pinned.run("render").exit_code == 0
    pinned.write("Dockerfile", f"FROM {GO}\n")
    command = [sys.executable, "-m", "imagelock", "check", "--all", "--format", "json"]
    shown = on_terminal(command, Project(folder=pinned.folder))
    first, *lines, rest = shown.split("\r\x1b[2K")
    # After a second, which a machine with much to do may take, a bar takes the place of the name.
    forms = [r"1/3(: Dockerfile|  .*)", r"2/3(: images\.lock|  .*)", r"3/3(: images\.toml|  .*)"]
    assert all(any(re.fullmatch(f"Searching {form}", line) for form in forms) for line in lines)
    assert (lines[0][:13], lines[-1][:13]) == ("Searching 1/3", "Searching 3/3")
    assert first == rest == ""


def _modules_loaded_by_check(folder: Path) -> set[str]:
    program = (
        "import sys; from imagelock.cli.main import run; assert run(['-q', 'check']) == 0;"
        "print(*(name for name in sys.modules if name in ('yaml', 'imagelock.documents', 'subprocess')))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, check=True, text=True)
    return set(done.stdout.split())


def test_only_what_is_listed_costs_anything(pinned: Project) -> None:
    pinned.declare_locked()
    assert _modules_loaded_by_check(pinned.folder) == set()
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", f"FROM {GO}\n")
    assert "yaml" not in _modules_loaded_by_check(pinned.folder)
    pinned.declare_locked('[pin]\nfiles = ["compose.yaml"]\n')
    pinned.write("compose.yaml", f"services:\n  web:\n    image: {NGINX}\n")
    assert "yaml" in _modules_loaded_by_check(pinned.folder)


def test_an_external_file_is_not_read_whatever_pin_says(pinned: Project) -> None:
    pinned.declare_locked(
        '[pin]\nfiles = ["Dockerfile", "vendor/Dockerfile", "v*/**"]\n[external]\nfiles = ["vendor/**"]\n'
    )
    pinned.write("Dockerfile", f"FROM {GO}\n")
    pinned.write("vendor/Dockerfile", "FROM nginx:1.25\n")
    pinned.write("v2/Dockerfile", f"FROM {NGINX}\n")
    (pinned.folder / "link").symlink_to("vendor/Dockerfile")
    before = pinned.files()
    note = "`vendor/Dockerfile` is not {}: `[external] files` excludes it\n"
    assert pinned.run("render") == Outcome(0, "", f"note: {note.format('pinned')}2 files already rendered\n")
    assert pinned.run("check") == Outcome(
        0,
        "",
        f"note: {note.format('checked')}2 images locked, 2 files pinned: all up to date\n",
    )
    for name in ("vendor/Dockerfile", "link"):
        assert pinned.run("render", "--pin", name) == Outcome(
            2,
            "",
            f"error: cannot pin `{name}`: images.toml excludes it under `[external] files`\n\n"
            "hint: remove it from `[external] files` to pin it\n",
        )
    assert pinned.files() == before


_ACCEPT = "hint: add a reference to `names` under [external] to accept it as it is\n"
_LISTED = "  Dockerfile:2:6: golang:${V}: a variable decides the tag\n"


def test_what_can_not_be_pinned_is_listed_by_all_and_fails_when_strict(pinned: Project) -> None:
    pinned.declare_locked('[export]\n"all.json" = "json"\n')
    assert pinned.run("render").exit_code == 0
    pinned.write("Dockerfile", "ARG V=1.22\nFROM golang:${V}\n")
    pinned.write("templates/web.yaml", "apiVersion: v1\nspec: {{ .Values.x }}\n  - a\n")
    assert pinned.run("check").exit_code == 0
    assert pinned.run("check", "--all") == Outcome(
        0,
        "",
        f"note: 1 reference cannot be pinned (`--strict` fails for this)\n{_LISTED}hint: {_WAY_OUT}\n"
        "note: 1 place could not be read; there may be images\n"
        "2 images locked, 1 file exported, 1 other file searched: "
        "up to date, 1 reference not pinned, 1 place not read\n",
    )
    unread = "  templates/web.yaml:3:3: it is not YAML: did not find expected key\n"
    for arguments in (["check", "--all", "--strict"], ["check", "--strict"]):
        assert pinned.run(*arguments) == Outcome(
            1,
            "",
            f"error: files are not as locked\n{_LISTED}{unread}\nhint: {_WAY_OUT} (Dockerfile:2:6)\n"
            "hint: correct the file, or list it under `[external] files` (templates/web.yaml:3:3)\n"
            f"{_ACCEPT}",
        )
    listed = json.loads(pinned.run("check", "--all", "--format", "json").stdout)
    assert [each["kind"] for each in listed["listed"]] == ["not-pinnable", "unreadable"]
    (pinned.folder / "templates/web.yaml").unlink()
    pinned.declare_locked("[external]\nnames = ['golang:${V}']\nfiles = ['all.json']\n")
    assert pinned.run("check", "--strict").exit_code == 0


def test_what_is_not_read_fails_when_strict(pinned: Project) -> None:
    pinned.declare_locked()
    pinned.write("pull.sh", "docker pull redis:7\n")
    workflow = "jobs:\n  a:\n    steps:\n      - run: docker pull redis:7"
    pinned.write(".github/workflows/ci.yml", f"{workflow}\n")
    told = pinned.run("check", "--all")
    counts = "2 images locked, 1 other file searched: up to date, 1 place not read, 1 file not read\n"
    assert (told.exit_code, told.stderr.endswith(counts)) == (0, True)
    assert pinned.run("check", "--strict") == Outcome(
        1,
        "",
        "error: 2 places may have images and cannot be read\n"
        "  pull.sh: shell script: it may have images, and cannot be read\n"
        "  .github/workflows/ci.yml:4:14: `docker pull redis:7`: it may pull an image\n\n"
        "hint: add marker comments or a template, name its kind under `[kinds]`, or list it under `[external] files` "
        "(pull.sh)\n"
        "hint: add its path to `[paths]`, its text to `[external] names`, or to the line of a command a marker comment "
        "(.github/workflows/ci.yml:4:14)\n",
    )
    document = json.loads(pinned.run("check", "--strict", "--format", "json").stdout)
    places = [(each["kind"], each["path"], each["line"], each["column"]) for each in document["problems"]]
    assert places == [("unread-file", "pull.sh", None, None), ("unread-place", ".github/workflows/ci.yml", 4, 14)]
    pinned.declare_locked('[external]\nfiles = ["pull.sh"]\n')
    pinned.write(".github/workflows/ci.yml", f"{workflow} # imagelock: ignore\n")
    assert pinned.run("check", "--strict").exit_code == 0


def test_commands_for_scripts_have_the_options_of_the_run(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", "FROM golang:1.22\nFROM redis:7\n")
    problems = json.loads(pinned.run("check", "--format", "json", "--lockfile", "images.lock").stdout)["problems"]
    assert [each["command"] for each in problems] == ["imagelock --lockfile images.lock render", None]
    assert problems[1]["hint"] == "run `imagelock --lockfile images.lock add redis:7`, or take the reference out"


def test_problems_of_images_toml_and_images_lock_have_their_lines(pinned: Project) -> None:
    pinned.declare_locked("[pin]\nfiles = [\n  \"a.yaml\",\n  'b.yaml',\n]\n")
    problems = json.loads(pinned.run("check", "--format", "json").stdout)["problems"]
    assert [(each["path"], each["line"], each["name"]) for each in problems] == [
        ("images.toml", 6, None),
        ("images.toml", 7, None),
    ]
    pinned.write("images.toml", '[images]\n\ngo = "golang:1.23"\n')
    problems = json.loads(pinned.run("check", "--format", "json").stdout)["problems"]
    locked = pinned.read("images.lock").splitlines().index("[images.nginx]") + 1
    assert [(each["path"], each["line"], each["name"]) for each in problems] == [
        ("images.toml", 3, "go"),
        ("images.lock", locked, "nginx"),
    ]
    rows = pinned.run("check", "--format", "markdown").stdout.splitlines()[-2:]
    assert [row.split(" | ")[1].strip("`") for row in rows] == ["images.toml:3", f"images.lock:{locked}"]


def test_what_is_locked_and_written_nowhere_is_noted(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n[render]\n"out" = "out.in"\n')
    pinned.write("Dockerfile", "FROM golang:1.22\n")
    pinned.write("out.in", "{{images.go.digest}}\n")
    pinned.run("render")
    note = "1 image is in no file of [render], [pin] or [export]: nginx"
    counts = "2 images locked, 1 file rendered, 1 file pinned: all up to date"
    assert pinned.run("check") == Outcome(0, "", f"note: {note}\n{counts}\n")
    assert json.loads(pinned.run("check", "--format", "json").stdout)["written_nowhere"] == ["nginx"]
    pinned.write("out.in", "{{images.nginx.digest}}\n")
    pinned.run("render")
    assert pinned.run("check") == Outcome(0, "", f"{counts}\n")


def test_another_images_toml_further_down_has_to_be_in_order(pinned: Project) -> None:
    pinned.declare_locked('[export]\n"all.json" = "json"\n')
    assert pinned.run("render").exit_code == 0
    pinned.write("sub/images.toml", '[images]\na = "a"\n')
    pinned.write("broken/images.toml", "[imges]\n")
    assert pinned.run("check").exit_code == 0
    assert pinned.run("check", "--all") == Outcome(
        1,
        "",
        "error: files are not as locked\n"
        "  broken/images.toml: cannot use broken/images.toml\n"
        "  sub/images.toml: images.lock does not match it (1 difference)\n\n"
        "hint: run `imagelock -C broken check` (broken/images.toml)\n"
        "hint: run `imagelock -C sub check` (sub/images.toml)\n",
    )


def test_another_images_toml_is_named_as_seen_from_where_the_run_began(pinned: Project) -> None:
    pinned.declare_locked()
    pinned.write("a b/images.toml", '[images]\na = "a"\n')
    outcome = pinned.run("-C", str(pinned.folder), "check", "--all")
    assert outcome.stderr.splitlines()[-1] == f"hint: run `imagelock -C {pinned.folder}/'a b' check`"
    outcome = pinned.run("check", "--all", "--file", str(pinned.folder / "images.toml"), "-C", "/")
    assert outcome.stderr.splitlines()[-1] == f"hint: run `imagelock -C '{pinned.folder}/a b' check`"


def test_what_a_template_has_no_placeholder_for_is_told(pinned: Project) -> None:
    pinned.declare_locked('[render]\n"Dockerfile" = "Dockerfile.in"\n')
    pinned.write("Dockerfile.in", "FROM {{images.go}}\nFROM nginx:1.25\n")
    assert pinned.run("render").exit_code == 0
    assert pinned.run("check", "--all").stderr == (
        "error: 1 reference not as locked\n"
        "  Dockerfile:2:6: nginx:1.25: it has no digest, and its template no placeholder for it\n\n"
        "hint: write `{{images.NAME}}` in the template\n"
    )


def test_equal_hints_are_written_once(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["*/Dockerfile"]\n')
    for number in range(36):
        pinned.write(f"{number:02}/Dockerfile", ["FROM golang:1.22\n", "FROM $B\n", "FROM golang:1.23\n"][number % 3])
    lines = pinned.run("check").stderr.splitlines()
    assert len(lines) == 1 + 36 + 1 + 4
    assert lines[-4:] == [
        "hint: run `imagelock render`",
        "hint: give the ARG a default before the first FROM (12 places)",
        "hint: run `imagelock update go --to 1.23` (12 places)",
        "hint: add a reference to `names` under [external] to accept it as it is",
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Dockerfile", "# imagelock: ignore\nFROM a\n"),
        ("compose.yaml", "services: {a: {image: a}}  # imagelock: ignore\n"),
    ],
)
def test_a_file_whose_references_are_all_ignored_names_images(pinned: Project, name: str, content: str) -> None:
    pinned.declare_locked(f'[pin]\nfiles = ["{name}"]\n')
    pinned.write(name, content)
    assert pinned.run("check").exit_code == pinned.run("render").exit_code == 0
    pinned.write(name, content.replace("FROM", "#").replace("image:", "name:"))
    assert pinned.run("check").exit_code == 1


def test_several_new_images_have_one_hint(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", "FROM redis:7\nFROM node:20\nFROM redis:7\n")
    assert pinned.run("check").stderr == (
        "error: 3 references not as locked\n"
        "  Dockerfile:1:6: redis:7: images.lock does not have it\n"
        "  Dockerfile:2:6: node:20: images.lock does not have it\n"
        "  Dockerfile:3:6: redis:7: images.lock does not have it\n\n"
        "hint: run `imagelock scan --write`, then `imagelock lock` to declare these images,"
        " or take their references out\n"
    )
    assert pinned.run("scan", "--write").exit_code == 0
    assert all(f'{name} = "{image}"' in pinned.read("images.toml") for name, image in _NEW)


_NEW = (("redis", "redis:7"), ("node", "node:20"))


@pytest.mark.parametrize("columns", [80, 120])
def test_many_findings_are_a_table_on_a_terminal(pinned: Project, columns: int) -> None:
    """Grouped by file where one line for each would be too wide."""
    pinned.declare_locked('[pin]\nfiles = ["*/Dockerfile"]\n')
    for name in ("api", "a-service-with-a-name"):
        pinned.write(f"{name}/Dockerfile", f"FROM golang:1.22\nFROM nginx:1.25@sha256:{'a' * 64}\n")
    differs = f"it has {'a' * 12}, images.lock has {digest('nginx').short}"
    grouped = (
        "  a-service-with-a-name/Dockerfile\n"
        "    1:6  golang:1.22  it has no digest\n"
        f"    2:6  nginx:1.25   {differs}\n"
        "  api/Dockerfile\n"
        "    1:6  golang:1.22  it has no digest\n"
        f"    2:6  nginx:1.25   {differs}\n"
    )
    flat = (
        "  a-service-with-a-name/Dockerfile:1:6  golang:1.22  it has no digest\n"
        f"  a-service-with-a-name/Dockerfile:2:6  nginx:1.25   {differs}\n"
        "  api/Dockerfile:1:6                    golang:1.22  it has no digest\n"
        f"  api/Dockerfile:2:6                    nginx:1.25   {differs}\n"
    )
    shown = on_terminal(
        [sys.executable, "-m", "imagelock", "check"], Project(folder=pinned.folder), columns=columns, exit_code=1
    )
    assert shown.replace("\r\n", "\n") == (
        f"error: 4 references not as locked\n{grouped if columns == 80 else flat}\nhint: run `imagelock render`\n"
    )


def test_what_can_not_be_pinned_fails_in_a_pinned_file_until_it_is_external(pinned: Project) -> None:
    tables = '[pin]\nfiles = ["Dockerfile", "compose.yaml"]\n'
    pinned.declare_locked(tables)
    pinned.write("Dockerfile", f"ARG V=1.22\nFROM golang:${{V}}\nFROM acme/base:1\nFROM @BASE@\nFROM {GO}\n")
    pinned.write("compose.yaml", f"services:\n  a: {{image: '$REGISTRY/app:1'}}\n  b: {{image: '{NGINX}'}}\n")
    assert pinned.run("check").exit_code == 1
    names = "names = ['golang:${V}', 'acme/*', '@BASE@', '$REGISTRY/*', 'gone']\n"
    pinned.declare_locked(f"{tables}[external]\n{names}")
    assert pinned.run("check").exit_code == 0
    assert pinned.run("check", "--all").stderr.splitlines()[0] == "note: `gone` in external.names covers no reference"


_MAKEFILE = "GO ?= golang:1.22 # imagelock: go\n# imagelock: nginx.tag\nTAG = 1.25\n"


def test_marked_lines_of_any_text_file_are_pinned_and_checked(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Makefile", "*.sh"]\n')
    pinned.write("Makefile", _MAKEFILE)
    pinned.write("run.sh", "# imagelock: nginx\ndocker run nginx:1.25\n")
    pinned.write("other.sh", "docker run redis:7\n")
    assert pinned.run("check") == Outcome(
        1,
        "",
        "error: 3 references not as locked\n"
        "  Makefile:1:1: GO ?= golang:1.22: it has no digest\n"
        "  Makefile:3:1: TAG = 1.25: it is not `1.25` with its digest\n"
        "  run.sh:2:1: docker run nginx:1.25: it has no digest\n"
        "\nhint: run `imagelock render`\n",
    )
    assert pinned.run("render").exit_code == 0
    assert pinned.read("Makefile") == (
        f"GO ?= {GO} # imagelock: go\n# imagelock: nginx.tag\nTAG = 1.25@{digest('nginx')}\n"
    )
    assert pinned.read("run.sh") == f"# imagelock: nginx\ndocker run {NGINX}\n"
    assert pinned.run("check").exit_code == 0
    assert pinned.run("remove", "nginx").stderr.count("is still there") == 2
    assert pinned.run("unpin", "Makefile").exit_code == 0
    assert pinned.read("Makefile") == _MAKEFILE


def test_all_checks_the_marked_lines_of_all_files(pinned: Project) -> None:
    pinned.declare_locked()
    pinned.write("Makefile", f"A = golang:1.22@{digest('old')} # imagelock: go\nB = redis:7 # imagelock: redis\n")
    pinned.write("README.md", "# imagelock: nonsense\n")
    pinned.write("main.go", "// imagelock: go\nimage := `" + GO + "`\n")
    pinned.write("Dockerfile", "# imagelock: ignore\nFROM redis:7\n")
    assert pinned.run("check", "--all") == Outcome(
        1,
        "",
        "error: 2 references not as locked\n"
        f"  Makefile:1:1: A = golang:1.22@sha256:{digest('old').short}: "
        f"it has {digest('old').short}, images.lock has {digest('go').short}\n"
        "  Makefile:2:1: B = redis:7: unknown image `redis`\n"
        "\nhint: run `imagelock render`\n"
        "hint: correct the marker or its line; `imagelock: ignore` takes a line out (Makefile:2:1)\n",
    )
    pinned.write("Makefile", "A = x # imagelock: ignore\n")
    assert pinned.run("check", "--all").stderr.splitlines()[-1] == (
        "2 images locked, 3 other files searched: all up to date"
    )

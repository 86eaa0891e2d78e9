from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.locked_images import digest
from tests.support.project import GO, NGINX, Outcome, Project

_ENV = f"IMAGE_GO={GO}\nIMAGE_NGINX={NGINX}\n"
_COMPOSE = "services:\n  web:\n    image: nginx:1.25\n"
_EXPORTS = """
[export]
"build/images.env" = "env"
"compose.imagelock.yaml" = { format = "compose", from = ["compose.yaml"] }
"""


@pytest.fixture
def project(pinned: Project) -> Project:
    pinned.declare_locked()
    return pinned


@pytest.fixture
def exporting(pinned: Project) -> Project:
    """Two outputs are exports."""
    pinned.declare_locked(_EXPORTS)
    pinned.write("compose.yaml", _COMPOSE)
    return pinned


def test_an_export_is_written_to_standard_output_or_to_a_file(project: Project) -> None:
    assert project.run("export", "env") == project.run("export", "env", "-o", "-") == Outcome(0, _ENV, "")
    assert project.run("export", "env", "-o", "build/images.env") == Outcome(0, "", "Wrote build/images.env\n")
    assert project.read("build/images.env") == _ENV
    assert project.run("export", "env", "-o", "build/images.env") == Outcome(0, "", "Unchanged: build/images.env\n")


def test_only_the_named_images_are_exported(project: Project) -> None:
    assert project.run("export", "env", "nginx") == Outcome(0, f"IMAGE_NGINX={NGINX}\n", "")
    assert project.run("export", "env", "ngin") == Outcome(
        2, "", "error: images.toml has no image `ngin`; did you mean `nginx`?\n"
    )


def test_options_reach_the_format(project: Project) -> None:
    strict = json.loads(project.run("export", "buildkit-policy", "--allow", "git, https").stdout)
    allowed = [rule["selector"]["identifier"] for rule in strict["rules"][:4]]
    assert allowed == ["*", "local://*", "git://*", "https://*"]
    other = json.loads(project.run("export", "buildkit-policy", "--pin-only").stdout)
    assert {rule["action"] for rule in other["rules"]} == {"CONVERT"}
    mirrored = project.run("export", "build-contexts", "--mirror", "vendor", "go").stdout
    assert mirrored.startswith(f"--build-context=golang:1.22=oci-layout://vendor@{digest('go')}\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("buildkit",), "invalid value for `FORMAT`: `buildkit` is not a format; did you mean `buildkit-policy`?"),
        (("bake", "--allow", "git"), "--allow is for `buildkit-policy` and `rego`, not for `bake`"),
        (("compose",), "--from must name the compose files that the override is for"),
        (("env", "--pin-only", "--mirror", "x"), "--pin-only is for `buildah-policy` and `buildkit-policy`, not for"),
        (("rego", "--allow", "ftp"), "--allow `ftp` is not one of git, http, https"),
    ],
)
def test_options_that_do_not_go_together_are_refused(project: Project, arguments: tuple[str, ...], error: str) -> None:
    outcome = project.run("export", *arguments)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(f"error: {error}")
    assert outcome.stderr.endswith("\n\nhint: run `imagelock export --help`\n")


def test_an_override_says_what_it_leaves_out(project: Project) -> None:
    project.write("a.yaml", "services:\n  web:\n    image: nginx:1.25\n")
    project.write("b.yaml", "services:\n  db:\n    image: postgres\n")
    outcome = project.run("export", "compose", "--from", "a.yaml", "--from", "b.yaml")
    assert outcome.stdout.endswith(f'services:\n  web:\n    image: "{NGINX}"\n')
    assert outcome.stderr == "note: b.yaml:3:12: `postgres`: is not locked\n"


def test_a_compose_file_that_is_not_there_is_an_error(project: Project) -> None:
    assert project.run("export", "compose", "--from", "x.yaml") == Outcome(
        2, "", "error: cannot read x.yaml\n  No such file or directory\n"
    )


@pytest.mark.parametrize("name", ["images.toml", "./images.lock"])
def test_no_export_is_written_over_the_files_of_imagelock(project: Project, name: str) -> None:
    before = project.files()
    outcome = project.run("export", "env", "-o", name)
    assert outcome == Outcome(
        2, "", f"error: cannot write an export to {name.removeprefix('./')}: imagelock needs it\n"
    )
    assert project.files() == before


def test_a_stale_lock_is_refused(project: Project) -> None:
    project.write("images.toml", '[images]\ngo = "golang:1.23"\nnginx = "nginx:1.25"\n')
    outcome = project.run("export", "env")
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr.endswith("hint: run `imagelock lock`\n")


def test_what_a_format_cannot_express_is_an_error_that_says_so(project: Project) -> None:
    project.write("images.toml", project.read("images.toml").replace("nginx =", "g-o ="))
    project.write("images.lock", project.read("images.lock").replace("images.nginx", "images.g-o"))
    project.write("images.toml", project.read("images.toml").replace("go =", "g_o ="))
    project.write("images.lock", project.read("images.lock").replace("images.go", "images.g_o"))
    assert project.run("export", "env") == Outcome(
        2,
        "",
        "error: cannot export images for a file of variables\n"
        "  g-o, g_o: both would be the variable IMAGE_G_O\n\n"
        "hint: name the images to export instead of all\n",
    )


def test_the_help_says_who_reads_each_format(project: Project) -> None:
    text = project.run("export", "--help").stdout
    formats = ("buildkit-policy", "buildah-policy", "rego", "bake", "build-contexts", "compose", "kustomize", "env")
    for name in (*formats, "json"):
        assert any(line.split()[:1] == [name] and len(line.split()) > 2 for line in text.splitlines()), name


def test_render_writes_exports_and_check_holds_them(exporting: Project) -> None:
    assert exporting.run("check").stderr == (
        "error: files are not as locked\n"
        "  build/images.env: not rendered yet\n"
        "  compose.imagelock.yaml: not rendered yet\n\n"
        "hint: run `imagelock render`\n"
    )
    assert exporting.run("render") == Outcome(
        0, "", "Rendered 2 of 2 files\nWrote build/images.env\nWrote compose.imagelock.yaml\n"
    )
    assert exporting.read("build/images.env") == _ENV
    assert exporting.run("render") == Outcome(0, "", "2 files already rendered\n")
    assert exporting.run("render", "--check").exit_code == 0
    assert exporting.run("check") == Outcome(0, "", "2 images locked, 2 files exported: all up to date\n")


def test_an_export_that_was_edited_is_found_and_shown(exporting: Project) -> None:
    exporting.run("render")
    exporting.write("build/images.env", _ENV.replace("nginx:", "other:"))
    assert exporting.run("check").exit_code == exporting.run("render", "--check").exit_code == 1
    assert exporting.run("render", "--diff").stdout == (
        "--- build/images.env\n"
        "+++ build/images.env (rendered)\n"
        "@@ -1,2 +1,2 @@\n"
        f" IMAGE_GO={GO}\n"
        f"-IMAGE_NGINX={NGINX.replace('nginx:', 'other:')}\n"
        f"+IMAGE_NGINX={NGINX}\n"
    )


def test_one_export_is_written_by_its_name(exporting: Project) -> None:
    assert exporting.run("render", "build/images.env").stderr == "Rendered 1 of 1 file\nWrote build/images.env\n"
    assert exporting.run("render", "build/image.env").stderr == (
        "error: images.toml renders no `build/image.env`; did you mean `build/images.env`?\n"
        "  it exports: build/images.env, compose.imagelock.yaml\n"
    )


def test_nothing_is_written_where_one_export_cannot_be_made(exporting: Project) -> None:
    exporting.write("compose.yaml", "services: [\n")
    exporting.write("Dockerfile.in", "FROM {{images.go}}\n")
    exporting.declare_locked(f'[render]\nDockerfile = "Dockerfile.in"\n{_EXPORTS}')
    before = exporting.files()
    assert exporting.run("render").stderr == (
        "error: cannot render; no file was written\n"
        "  compose.yaml:2:1: it is not YAML: did not find expected node content\n"
    )
    assert exporting.files() == before


def test_the_hint_of_an_export_that_cannot_be_made_is_kept(exporting: Project) -> None:
    exporting.write("compose.yaml", 'services:\n  a: {image: "golang:1.22", ports: !override []}\n')
    exporting.write("Dockerfile.in", "FROM {{images.go}}\n")
    exporting.declare_locked(f'[render]\nDockerfile = "Dockerfile.in"\n{_EXPORTS}')
    assert exporting.run("render").stderr == (
        "error: cannot render; no file was written\n"
        "  compose.yaml:2: `!override` decides what compose merges, and is not understood\n\n"
        "hint: write that service without it, or export other files\n"
    )


def test_an_export_reads_its_files_as_they_will_be(exporting: Project) -> None:
    exporting.write("compose.yaml.in", "services:\n  web:\n    image: nginx:1.25\n  go:\n    image: {{images.go}}\n")
    exporting.declare_locked(f'[render]\n"compose.yaml" = "compose.yaml.in"\n{_EXPORTS}')
    assert exporting.run("render").exit_code == 0
    assert f'  go:\n    image: "{GO}"\n' in exporting.read("compose.imagelock.yaml")
    assert exporting.run("check").exit_code == 0


def test_a_pattern_of_pin_does_not_take_exports_along(exporting: Project) -> None:
    exporting.declare_locked(f'[pin]\nfiles = ["*.yaml"]\n{_EXPORTS}"component.yaml" = "kustomize"\n')
    assert exporting.run("render").exit_code == 0
    assert exporting.run("render").stderr == "4 files already rendered\n"
    assert exporting.run("check", "--all").exit_code == 0
    assert f"image: {NGINX}" in exporting.read("compose.yaml")


def test_what_an_override_leaves_out_is_noted_when_it_is_written(exporting: Project) -> None:
    exporting.write("compose.yaml", f"{_COMPOSE}  db:\n    image: postgres\n")
    note = "note: compose.imagelock.yaml: compose.yaml:5:12: `postgres`: is not locked\n"
    assert exporting.run("render").stderr.endswith(note)


def test_a_project_of_exports_alone_has_something_to_render(pinned: Project) -> None:
    pinned.declare_locked('[export]\n"images.json" = "json"\n')
    assert pinned.run("render").stderr == "Rendered 1 of 1 file\nWrote images.json\n"


_PIN = '[pin]\nfiles = ["Dockerfile"]\n[export]\n'


@pytest.mark.parametrize(
    "policy",
    [
        '"p.json" = "buildkit-policy"',
        '"p.json" = "buildah-policy"',
        '"p.json" = {format="buildkit-policy", pin-only=true}',
    ],
)
def test_a_policy_covers_what_has_no_place_for_a_digest(pinned: Project, policy: str) -> None:
    pinned.declare_locked(f"{_PIN}{policy}\n")
    pinned.write("Dockerfile", "ARG V=1.22\nFROM golang:${V}\nFROM nginx:1.25\n")
    assert pinned.run("render").stderr.startswith("Rendered 2 of 2 files\nPinned Dockerfile\nWrote p.json\n")
    assert pinned.read("Dockerfile") == f"ARG V=1.22\nFROM golang:${{V}}\nFROM {NGINX}\n"
    counts = "2 images locked, 1 file exported, 1 file pinned, 1 reference covered by a policy"
    assert pinned.run("check") == Outcome(0, "", f"{counts}: all up to date\n")


def test_a_policy_covers_only_the_locked_images_that_it_knows(pinned: Project) -> None:
    pinned.declare_locked(f'{_PIN}"p.json" = {{ format = "buildkit-policy", names = ["nginx"] }}\n')
    pinned.write("Dockerfile", "ARG V=1.22\nARG N=1.25\nFROM golang:${V}\nFROM nginx:${N}\n")
    pinned.run("render")
    assert [line for line in pinned.run("check").stderr.splitlines() if line.startswith("  Dockerfile")] == [
        "  Dockerfile:3:6: golang:${V}: a variable decides the tag"
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ARG V=1.23\nFROM golang:${V}", "images.toml has the tag `1.22` of it, as `go`"),
        ("ARG V\nFROM golang:${V}", "`V` has no value here"),
        (f"ARG V=1.22\nFROM golang:${{V}}@sha256:{'0' * 64}", "golang:${V}@sha256:000000000000: it has 000000000000"),
        ("FROM golang:1.22", "it has no digest"),
    ],
)
def test_a_policy_does_not_cover_what_is_not_locked_or_can_be_pinned(pinned: Project, line: str, reason: str) -> None:
    pinned.declare_locked(f'{_PIN}"p.json" = "buildkit-policy"\n')
    pinned.write("Dockerfile", f"{line}\n")
    pinned.run("export", "buildkit-policy", "-o", "p.json")
    outcome = pinned.run("check")
    assert outcome.exit_code == 1
    assert reason in outcome.stderr


@pytest.mark.parametrize("format_", ["rego", "bake", "env"])
def test_other_formats_cover_nothing(pinned: Project, format_: str) -> None:
    pinned.declare_locked(f'{_PIN}"p" = "{format_}"\n')
    pinned.write("Dockerfile", "ARG V=1.22\nFROM golang:${V}\n")
    assert "a variable decides the tag" in pinned.run("render").stderr
    assert pinned.run("check").exit_code == 1


def test_only_dockerfiles_are_covered(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["compose.yaml"]\n[export]\n"p.json" = "buildkit-policy"\n')
    pinned.write("compose.yaml", "services:\n  a:\n    image: golang:${V:-1.22}\n")
    pinned.run("render")
    assert pinned.run("check").exit_code == 1


def test_a_policy_covers_the_other_dockerfiles_of_the_tree_as_well(pinned: Project) -> None:
    pinned.declare_locked('[export]\n"p.json" = "buildkit-policy"\n')
    pinned.write("Dockerfile", "ARG V=1.22\nFROM golang:${V}\n")
    pinned.run("render")
    assert pinned.run("check", "--all", "--strict").exit_code == 0


def test_a_scan_passes_exports_over(exporting: Project) -> None:
    exporting.declare_locked(f'{_EXPORTS}"lock/kustomization.yaml" = "kustomize"\n')
    exporting.run("render")
    assert exporting.run("scan").stderr.startswith("1 reference in 1 file: 1 locked\n")
    exporting.run("scan", "--write")
    assert 'files = ["compose.yaml"]' in exporting.read("images.toml")


def test_an_image_that_an_export_names_is_not_removed(pinned: Project) -> None:
    pinned.declare_locked('[export]\n"a.env" = { format = "env", names = ["go"] }\n')
    before = pinned.files()
    assert pinned.run("remove", "go", "nginx") == Outcome(
        2,
        "",
        'error: cannot remove 2 images\n  images.toml: export."a.env".names has `go`\n\n'
        "hint: take the name out of [export] first\n",
    )
    assert pinned.files() == before
    assert pinned.run("remove", "nginx").exit_code == 0
    assert pinned.run("check").stderr.startswith("error: files are not as locked\n  a.env: not rendered yet\n")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("../x.yaml", "its compose file `../x.yaml` lies outside the directory"),
        ("deploy", "its compose file `deploy` is a directory"),
        ("out.yaml", "is its own compose file, under another name"),
    ],
)
def test_an_export_reads_files_of_the_project_alone(pinned: Project, source: str, problem: str) -> None:
    pinned.declare_locked(f'[export]\n"out.yaml" = {{ format = "compose", from = ["{source}"] }}\n')
    pinned.write("../x.yaml", "services: {}\n")
    pinned.write("deploy/x.yaml", "services: {}\n")
    pinned.write("out.yaml", "services: {}\n")
    for command in ("render", "check"):
        outcome = pinned.run(command)
        assert outcome.exit_code == 2
        assert f'export."out.yaml": {problem}' in outcome.stderr


def test_a_project_without_exports_does_not_load_them(pinned: Project) -> None:
    pinned.declare_locked("")
    loaded = "print([name for name in sys.modules if 'exports' in name])"
    script = f"import sys; from imagelock.cli.main import run; run(['check']); {loaded}"
    done = subprocess.run([sys.executable, "-c", script], cwd=pinned.folder, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

"""`render` on files without templates, and `unpin`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.git import Repository
from tests.support.locked_images import digest
from tests.support.oci_images import image_index, platform_image
from tests.support.oci_layout import write_layout
from tests.support.project import GO, NGINX, Outcome, Project

_INDEX = image_index(platform_image("linux/amd64"))
_DOCKERFILE = "FROM golang:1.22 AS build\nFROM nginx:1.25\nCOPY --from=build /app /app\n"
_PINNED_DOCKERFILE = _DOCKERFILE.replace("golang:1.22", GO).replace("nginx:1.25", NGINX)
_COMPOSE = "services:\n  web:\n    image: nginx:1.25\n"
_DEPLOYMENT = (
    "apiVersion: apps/v1\nkind: Deployment\n"
    "spec:\n  template:\n    spec:\n      containers:\n      - image: nginx:1.25\n"
)
_SERVICE = "apiVersion: v1\nkind: Service\n"


def test_listed_files_are_pinned_in_place_and_a_second_time_nothing_changes(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile", "compose.yaml"]\ndigest-only = ["k8s/**/*.yaml"]\n')
    for name, content in (("Dockerfile", _DOCKERFILE), ("compose.yaml", _COMPOSE), ("k8s/a/web.yaml", _DEPLOYMENT)):
        pinned.write(name, content)
    pinned.write("k8s/service.yaml", _SERVICE)
    before = pinned.files()
    assert pinned.run("render") == Outcome(
        0, "", "Rendered 3 of 4 files\nPinned Dockerfile\nPinned compose.yaml\nPinned k8s/a/web.yaml\n"
    )
    assert pinned.read("Dockerfile") == _PINNED_DOCKERFILE
    assert pinned.read("compose.yaml") == _COMPOSE.replace("nginx:1.25", NGINX)
    assert pinned.read("k8s/a/web.yaml") == _DEPLOYMENT.replace(":1.25", f"@{digest('nginx')}")
    assert pinned.run("render") == Outcome(0, "", "4 files already rendered\n")
    assert pinned.run("render", "--check") == Outcome(0, "", "4 files rendered from the current lock\n")
    assert pinned.run("check").exit_code == 0
    assert pinned.run("unpin", "Dockerfile", "compose.yaml", "k8s/a/web.yaml") == Outcome(
        0,
        "",
        "Unpinned 3 of 3 files\nUnpinned Dockerfile\nUnpinned compose.yaml\nUnpinned k8s/a/web.yaml\n"
        "note: `imagelock render` pins Dockerfile, compose.yaml, k8s/a/web.yaml again, as [pin] in images.toml says\n",
    )
    assert pinned.files() == before
    again = "note: `imagelock render` pins Dockerfile again, as [pin] in images.toml says\n"
    assert pinned.run("unpin", "Dockerfile") == Outcome(0, "", f"1 file already without digests\n{again}")


def test_files_are_named_from_where_one_stands(pinned: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned.declare_locked('[pin]\nfiles = ["app/Dockerfile", "compose.yaml"]\n')
    pinned.write("app/Dockerfile", _DOCKERFILE)
    pinned.write("compose.yaml", _COMPOSE)
    monkeypatch.chdir(pinned.folder / "app")
    assert pinned.run("render", "Dockerfile") == Outcome(0, "", "Rendered 1 of 1 file\nPinned ../app/Dockerfile\n")
    assert pinned.read("compose.yaml") == _COMPOSE
    assert pinned.run("render", "../compose.yaml") == Outcome(0, "", "Rendered 1 of 1 file\nPinned ../compose.yaml\n")


def test_a_file_that_nothing_lists_is_pinned_if_somebody_says_so(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["compose.yaml"]\n')
    pinned.write("compose.yaml", _COMPOSE)
    pinned.write("Dockerfile", _DOCKERFILE)
    assert pinned.run("render", "Dockerfile") == Outcome(
        2,
        "",
        "error: images.toml renders no `Dockerfile`\n"
        "  it pins: compose.yaml\n\n"
        "hint: run `imagelock render --pin Dockerfile` to pin it in place\n",
    )
    assert pinned.run("render", "--pin", "Dockerfile") == Outcome(0, "", "Rendered 1 of 1 file\nPinned Dockerfile\n")
    assert pinned.read("Dockerfile") == _PINNED_DOCKERFILE
    assert pinned.run("render", "--pin") == Outcome(
        2, "", "error: --pin needs the files to pin\n\nhint: run `imagelock render --help`\n"
    )


def test_a_named_file_without_images_is_told(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["k8s/*.yaml"]\n')
    pinned.write("k8s/service.yaml", _SERVICE)
    pinned.write("k8s/web.yaml", _DEPLOYMENT)
    pinned.write("compose.yaml", "services: {a: {build: .}}\n")
    pinned.write("Dockerfile", "# imagelock: ignore\nFROM redis:7\n")
    rendered = "note: {} names no image\n1 file already rendered\n"
    assert pinned.run("render", "--pin", "compose.yaml").stderr == rendered.format("compose.yaml")
    assert pinned.run("render", "k8s/service.yaml").stderr == rendered.format("k8s/service.yaml")
    current = "note: compose.yaml names no image\n1 file rendered from the current lock\n"
    assert pinned.run("render", "--check", "--pin", "compose.yaml").stderr == current
    assert "names no image" not in pinned.run("render", "--pin", "Dockerfile").stderr
    assert pinned.run("render").stderr == "Rendered 1 of 2 files\nPinned k8s/web.yaml\n"


def test_a_diff_shows_what_pinning_would_change_and_a_check_asks(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["compose.yaml"]\n')
    pinned.write("compose.yaml", _COMPOSE)
    assert pinned.run("render", "--diff") == Outcome(
        0,
        "--- compose.yaml\n+++ compose.yaml (rendered)\n@@ -1,3 +1,3 @@\n services:\n   web:\n"
        f"-    image: nginx:1.25\n+    image: {NGINX}\n",
        "",
    )
    assert pinned.run("render", "--check") == Outcome(
        1,
        "",
        "error: 1 file of 1 not rendered from the current lock\n  compose.yaml\n\nhint: run `imagelock render`\n",
    )
    assert pinned.read("compose.yaml") == _COMPOSE


def test_a_rendered_file_may_be_pinned_as_well(pinned: Project) -> None:
    pinned.declare_locked('[render]\n"Dockerfile" = "Dockerfile.in"\n[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile.in", "FROM {{images.go}}\nFROM nginx:1.25\n").chmod(0o640)
    pinned.write("Dockerfile", "")
    (pinned.folder / "Dockerfile").chmod(0o600)
    assert pinned.run("render") == Outcome(0, "", "Rendered 1 of 1 file\nWrote Dockerfile\n")
    assert pinned.read("Dockerfile") == f"FROM {GO}\nFROM {NGINX}\n"
    assert (pinned.folder / "Dockerfile").stat().st_mode & 0o777 == 0o600
    assert pinned.run("check") == Outcome(0, "", "2 images locked, 1 file rendered, 1 file pinned: all up to date\n")


def test_a_rendered_file_that_is_pinned_as_well_need_not_be_there_yet(pinned: Project) -> None:
    pinned.declare_locked('[render]\n"Dockerfile" = "Dockerfile.in"\n[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile.in", "FROM {{images.go}}\nFROM nginx:1.25\n")
    assert pinned.run("render") == Outcome(0, "", "Rendered 1 of 1 file\nWrote Dockerfile\n")
    assert pinned.read("Dockerfile") == f"FROM {GO}\nFROM {NGINX}\n"


def test_what_can_not_be_pinned_is_told_with_its_place_and_the_rest_is_pinned(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile", "compose.yaml"]\n[external]\nnames = ["php-base"]\n')
    pinned.write(
        "Dockerfile",
        "ARG V=1.22\nFROM golang:${V}\nFROM php-base\nFROM nginx:1.25\nCOPY --from=redis:7 /a /b\nFROM $BASE\n",
    )
    pinned.write("compose.yaml", "services: {\n")
    stayed = (
        "warning: Dockerfile:2:6: golang:${V}: a variable decides the tag\n"
        "warning: Dockerfile:6:6: $BASE: the variable has no value here\n"
        "warning: compose.yaml:2:1: it is not YAML: did not find expected node content; the file was left alone\n"
        "hint: let one ARG hold the whole reference, or use a template with {{images.NAME}} (Dockerfile:2:6)\n"
        "hint: give the ARG a default before the first FROM (Dockerfile:6:6)\n"
        "note: 1 reference left alone: images.toml has no such image\n"
    )
    outcome = pinned.run("-v", "render")
    assert outcome == Outcome(0, "", f"Rendered 1 of 2 files\nPinned Dockerfile\n{stayed}  Dockerfile:5:13: redis:7\n")
    assert pinned.read("Dockerfile").count("@") == 1
    assert pinned.run("render", "--check") == Outcome(
        0, "", f"{stayed}1 file rendered from the current lock, 1 file could not be read\n"
    )


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ('[pin]\nfiles = ["compose.yml"]\n', 'pin.files: "compose.yml" matches no file'),
        ('[pin]\nfiles = ["k8s"]\n', 'pin.files: "k8s" names a directory: add `/**` for all files in it'),
        ('[pin]\ndigest-only = ["k8s/*.yml"]\n', 'pin.digest-only: "k8s/*.yml" matches no file'),
        (
            '[pin]\nfiles = ["k8s/*.yaml"]\n[external]\nfiles = ["k8s/w*"]\n',
            'pin.files: "k8s/*.yaml" matches no file',
        ),
    ],
)
def test_a_pattern_without_files_is_an_error(pinned: Project, tables: str, problem: str) -> None:
    pinned.declare_locked(tables)
    pinned.write("k8s/web.yaml", _DEPLOYMENT)
    is_name = "*" not in problem and problem.endswith("matches no file")
    hint = "\nhint: run `imagelock scan --write`\n" if is_name else ""
    assert pinned.run("render") == Outcome(
        2, "", f"error: images.toml names files that are not there\n  images.toml:5: {problem}\n{hint}"
    )


def test_a_file_that_has_moved_is_found_by_what_render_and_check_advise(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("build/Dockerfile", f"FROM {GO}\n")
    for command in ("render", "check"):
        hint = pinned.run(command).stderr.splitlines()[-1]
        assert hint == "hint: run `imagelock scan --write`"
    assert [pinned.run(*words).exit_code for words in (("scan", "--write"), ("render",), ("check", "--all"))] == [0] * 3


def test_patterns_pass_over_what_git_ignores_and_names_do_not(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["**/Dockerfile", "out/Dockerfile.local"]\n')
    for name in ("Dockerfile", "a/Dockerfile", "out/Dockerfile", "out/Dockerfile.local"):
        pinned.write(name, "FROM nginx:1.25\n")
    pinned.write(".gitignore", "out/\n")
    Repository(pinned.folder).start()
    pinned.run("render")
    assert [name for name, content in pinned.files().items() if b"nginx:1.25@" in content] == [
        "Dockerfile",
        "a/Dockerfile",
        "out/Dockerfile.local",
    ]


def test_files_of_unknown_kinds_are_refused_by_name_and_passed_over_by_pattern(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["a/*", "build.txt"]\n')
    for name in ("a/README.md", "a/Dockerfile", "build.txt"):
        pinned.write(name, "FROM nginx:1.25\n")
    before = pinned.files()
    refusal = (
        "cannot tell what kind of file build.txt is\n"
        "{}  references are found in Dockerfiles, compose, Kubernetes and CI files, and Helm values\n"
    )
    hint = 'hint: add it to `[kinds]`, as in `"deploy/*.yml" = "helm-values"`, or use a template with {{images.NAME}}\n'
    assert pinned.run("render") == Outcome(
        2, "", f"error: cannot render; no file was written\n  {refusal.format('  ')}\n{hint}"
    )
    assert pinned.run("unpin", "build.txt") == Outcome(2, "", f"error: {refusal.format('')}\n{hint}")
    assert pinned.files() == before


def test_when_one_file_can_not_be_written_all_stay_as_they_were(pinned: Project) -> None:
    pinned.declare_locked(
        '[render]\n"out/Dockerfile" = "Dockerfile.in"\n[pin]\nfiles = ["Dockerfile", "compose.yaml"]\n'
    )
    pinned.write("Dockerfile.in", "FROM {{images.go}}\n")
    pinned.write("Dockerfile", _DOCKERFILE)
    pinned.write("compose.yaml", _COMPOSE)
    pinned.write("out", "a file where a folder is wanted")
    before = pinned.files()
    outcome = pinned.run("render")
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("error: cannot write ")
    assert pinned.files() == before


def test_a_link_and_what_it_leads_to_are_one_file(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile", "real/Dockerfile"]\n')
    real = pinned.write("real/Dockerfile", _DOCKERFILE)
    (pinned.folder / "Dockerfile").symlink_to("real/Dockerfile")
    assert pinned.run("render") == Outcome(0, "", "Rendered 1 of 1 file\nPinned Dockerfile\n")
    assert (pinned.folder / "Dockerfile").is_symlink()
    assert real.read_text() == _PINNED_DOCKERFILE


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfFROM nginx:1.25\r\nRUN true \xff\r\n", b"FROM nginx:1.25"])
def test_every_other_byte_stays(pinned: Project, content: bytes) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile"]\n')
    path = pinned.write("Dockerfile", content)
    path.chmod(0o755)
    pinned.run("render")
    assert path.read_bytes() == content.replace(b"nginx:1.25", NGINX.encode())
    assert path.stat().st_mode & 0o777 == 0o755
    pinned.run("unpin", "Dockerfile")
    assert path.read_bytes() == content


def test_nothing_is_pinned_from_a_stale_lock(pinned: Project) -> None:
    pinned.declare_locked()
    (pinned.folder / "images.toml").write_text('[images]\ngo = "golang:1.23"\n[pin]\nfiles = ["Dockerfile"]\n')
    pinned.write("Dockerfile", "FROM golang:1.23\n")
    assert pinned.run("render").exit_code == 2
    assert pinned.read("Dockerfile") == "FROM golang:1.23\n"


def test_files_of_pin_outside_the_project_are_told_with_their_lines(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = [\n  "Dockerfile",\n  "../a/Dockerfile",\n]\ndigest-only = ["../b/*.yaml"]\n')
    pinned.write("Dockerfile", "FROM golang:1.22\n")
    lines = pinned.read("images.toml").splitlines()
    first, last = (lines.index(line) + 1 for line in ('  "../a/Dockerfile",', 'digest-only = ["../b/*.yaml"]'))
    for command in ("check", "render", "scan"):
        outcome = pinned.run(command)
        assert outcome.exit_code == 2
        assert outcome.stderr.splitlines() == [
            "error: cannot pin files outside of the project",
            f'  images.toml:{last}: pin.digest-only: "../b/*.yaml" lies outside the directory {pinned.folder}',
            f'  images.toml:{first}: pin.files: "../a/Dockerfile" lies outside the directory {pinned.folder}',
            "",
            "hint: take them out of [pin] in images.toml",
        ]


def test_unpinning_needs_no_project(tmp_path: Path, pinned: Project) -> None:
    (tmp_path / ".git").mkdir()
    pinned.write("Dockerfile", f"FROM {GO}\nFROM nginx@{digest('nginx')}\n")
    assert pinned.run("unpin", "Dockerfile").exit_code == 0
    assert pinned.read("Dockerfile") == "FROM golang:1.22\nFROM nginx\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("compose.yaml", _COMPOSE),
        ("k8s/web.yaml", _DEPLOYMENT),
        (".gitlab-ci.yml", "image: nginx:1.25\n"),
        ("chart/values.yaml", "image: nginx:1.25\n"),
        ("main.tf", 'resource "docker_image" "web" {\n  name = "nginx:1.25"\n}\n'),
    ],
)
def test_files_outside_the_project_are_unpinned_as_well(
    tmp_path: Path, pinned: Project, name: str, content: str
) -> None:
    pinned.declare_locked()
    file = tmp_path / "elsewhere" / name
    file.parent.mkdir(parents=True)
    for path in (str(file), f"../elsewhere/{name}"):
        file.write_text(content.replace("nginx:1.25", NGINX))
        outcome = pinned.run("unpin", path)
        assert outcome == Outcome(0, "", f"Unpinned {path}\n")
        assert file.read_text() == content


def test_what_can_not_be_unpinned_keeps_all_files_as_they_were(pinned: Project) -> None:
    pinned.declare_locked()
    pinned.write("Dockerfile", f"FROM {GO}\n")
    pinned.write("values.yaml", f"image:\n  repository: nginx\n  digest: {digest('nginx')}\n")
    before = pinned.files()
    outcome = pinned.run("unpin", "Dockerfile", "values.yaml")
    assert outcome == Outcome(
        2,
        "",
        "error: cannot take all digests off; no file was written\n"
        f"  values.yaml:3:11: sha256:{digest('nginx').short}: nothing valid would remain without the digest\n\n"
        "hint: write the tag beside it first, or take the digest out by hand\n",
    )
    assert pinned.files() == before


def test_an_image_of_a_layout_is_pinned_under_the_name_that_it_has_there(pinned: Project) -> None:
    write_layout(pinned.folder / "layout", {"golang:1.22": _INDEX, "plain": _INDEX, "odd: name": _INDEX})
    (pinned.folder / "images.toml").write_text(
        '[images]\ngo = "oci:layout:golang:1.22"\nplain = "oci:layout:plain"\nodd = "oci:layout:odd: name"\n'
        '[pin]\nfiles = ["Dockerfile"]\n'
    )
    pinned.write("Dockerfile", "FROM golang:1.22\n")
    assert pinned.run("lock").exit_code == 0
    assert pinned.run("render").exit_code == 0
    assert pinned.read("Dockerfile") == f"FROM golang:1.22@{_INDEX.digest}\n"


def test_a_template_may_be_an_output_or_pinned_and_all_are_rendered_in_that_order(pinned: Project) -> None:
    pinned.declare_locked(
        '[render]\n"a" = "Dockerfile.b"\n"Dockerfile.b" = "c"\n"c" = "d.in"\n"e" = "Containerfile"\n'
        '[pin]\nfiles = ["Dockerfile.b", "Containerfile"]\n'
    )
    pinned.write("d.in", "FROM {{images.go}}\nFROM nginx:1.25\n")
    pinned.write("Containerfile", "FROM nginx:1.25\n# {{images.go.tag}}\n")
    pinned.write("c", "stale")
    assert pinned.run("render").exit_code == 0
    assert pinned.read("c") == f"FROM {GO}\nFROM nginx:1.25\n"
    assert pinned.read("Dockerfile.b") == pinned.read("a") == f"FROM {GO}\nFROM {NGINX}\n"
    assert pinned.read("Containerfile") == f"FROM {NGINX}\n# {{{{images.go.tag}}}}\n"
    assert pinned.read("e") == f"FROM {NGINX}\n# 1.22\n"
    assert pinned.run("render").stderr == "5 files already rendered\n"
    assert pinned.run("check").exit_code == 0
    pinned.write("c", "stale")
    assert pinned.run("render", "a").stderr == "1 file already rendered\n"
    assert pinned.run("check").exit_code == 1


def test_a_missing_first_template_is_told_once(pinned: Project) -> None:
    pinned.declare_locked('[render]\n"a" = "b"\n"b" = "c"\n"c" = "d.in"\n')
    assert pinned.run("render") == Outcome(
        2,
        "",
        "error: cannot render; no file was written\n  images.toml:7: the template `d.in` does not exist\n"
        "\nhint: write d.in, or take its line out of [render]\n",
    )


def test_templates_in_a_circle_are_an_error_also_through_links(pinned: Project) -> None:
    pinned.declare_locked('[render]\n"a" = "b"\n"b" = "a"\n"c" = "c.in"\n"d" = "a"\n')
    assert pinned.run("render").stderr == (
        "error: cannot use images.toml\n"
        "  images.toml:5: render.a: is made from itself: `a` from `b` from `a`\n"
        "  images.toml:6: render.b: is made from itself: `b` from `a` from `b`\n"
    )
    pinned.declare_locked('[render]\n"a" = "b.in"\n"b" = "a"\n')
    pinned.write("b", "FROM {{images.go}}\n")
    (pinned.folder / "b.in").symlink_to("b")
    assert pinned.run("render") == Outcome(
        2,
        "",
        "error: cannot render; no file was written\n"
        "  a is made from itself: a from b.in from a\n"
        "  b.in is made from itself: b from a from b.in\n",
    )

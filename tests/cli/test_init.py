"""An images.toml from what is there, and all that is said on the way."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from imagelock.images_file.parser import parse_images_file
from tests.support.git import Repository
from tests.support.locked_images import digest
from tests.support.project import GO, NGINX, Outcome, Project

_HEAD = """\
#:schema https://imagelock.github.io/imagelock/images.schema.json
# The images of this project: `imagelock lock` locks them, and `imagelock render` writes their digests.
platforms = ["linux/amd64", "linux/arm64"]

[images]
"""
_DOCKERFILE = "FROM golang:1.22 AS build\nFROM scratch\nCOPY --from=build /a /a\n"
_COMPOSE = "services:\n  web:\n    image: nginx:1.25\n"


def test_images_are_found_named_and_written_with_their_files(pinned: Project) -> None:
    pinned.write("Dockerfile", _DOCKERFILE)
    pinned.write("deploy/compose.yaml", _COMPOSE)
    pinned.write(".github/workflows/ci.yml", "jobs:\n  test:\n    container: golang:1.22\n    runs-on: x\n")
    pinned.write("README.md", "FROM nothing\n")
    before = pinned.files()
    assert pinned.run("init") == Outcome(
        0,
        "",
        "Found 2 images in 3 files\nWrote images.toml\n\nNext: run `imagelock lock`, then `imagelock render`\n",
    )
    assert pinned.read("images.toml") == (
        f'{_HEAD}golang = "golang:1.22"  # .github/workflows/ci.yml, Dockerfile\n'
        'nginx = "nginx:1.25"  # deploy/compose.yaml\n\n'
        '[pin]\nfiles = [\n    ".github/workflows/ci.yml",\n    "Dockerfile",\n    "deploy/compose.yaml",\n]\n'
    )
    assert pinned.files() == {**before, "images.toml": pinned.read("images.toml").encode()}


@pytest.mark.parametrize("folder", ["a\nb", "a\tb", "a\\b", "[x]", "a\u00a0b", "a\udcffb", "a b"])
def test_files_in_folders_of_any_name_are_pinned(pinned: Project, folder: str) -> None:
    pinned.write(f"{folder}/Dockerfile", "FROM golang:1.22\n")
    pinned.write(f"{folder}/.github/workflows/ci.yml", "jobs:\n  test:\n    container: nginx:1.25\n")
    assert pinned.run("init").exit_code == 0
    pinned.declare_locked(pinned.read("images.toml").partition("\n\n")[2].partition("\n\n")[2])
    assert pinned.run("render").exit_code == 0
    assert pinned.read(f"{folder}/Dockerfile") == f"FROM {GO}\n"
    assert pinned.read(f"{folder}/.github/workflows/ci.yml") == f"jobs:\n  test:\n    container: {NGINX}\n"


def test_a_dry_run_prints_what_it_would_write(pinned: Project) -> None:
    pinned.write("Dockerfile", _DOCKERFILE)
    before = pinned.files()
    assert pinned.run("init", "--dry-run", "--platform", "arm64", "--template", "Dockerfile") == Outcome(
        0,
        f'{_HEAD.replace(chr(34) + "linux/amd64" + chr(34) + ", ", "")}golang = "golang:1.22"  # Dockerfile\n\n'
        '[render]\n"Dockerfile" = "Dockerfile.in"\n',
        "Found 1 image in 1 file\nWould write images.toml\nWould write Dockerfile.in\n",
    )
    assert pinned.files() == before


def test_what_can_not_be_resolved_or_read_is_told(pinned: Project) -> None:
    pinned.write("Dockerfile", "ARG V=1\nARG BASE\nFROM golang:$V\nFROM $BASE\n")
    pinned.write("chart/templates/a.yaml", "apiVersion: v1\n{{- if .x }}\n")
    assert pinned.run("init", "-v") == Outcome(
        0,
        "",
        "Found 1 image in 1 file\n"
        "Wrote images.toml\n"
        "warning: Dockerfile:4:6: `$BASE`: the variable has no value here\n"
        "warning: Dockerfile:3:6: `golang:$V`: a variable decides the tag\n"
        "note: 1 file could not be read, and may have images (-v lists them)\n"
        "  chart/templates/a.yaml:3:1: it is not YAML: could not find expected ':'\n"
        "\nNext: run `imagelock lock`\n",
    )
    assert "[pin]\n" not in pinned.read("images.toml")


def test_without_images_an_example_is_written(pinned: Project) -> None:
    following = "\nNext: run `imagelock add IMAGE`, as in `imagelock add golang:1.22`\n"
    assert pinned.run("init") == Outcome(0, "", f"Found no image in any file\nWrote images.toml\n{following}")
    assert pinned.run("lock").stderr == "no image is declared: `imagelock add IMAGE` adds one\n"
    assert pinned.read("images.toml") == f'{_HEAD}# golang = "golang:1.22"\n'


def test_templates_render_to_the_same_files_with_digests(pinned: Project) -> None:
    dockerfile = pinned.write("Dockerfile", _DOCKERFILE.replace("\n", "\r\n"))
    dockerfile.chmod(0o640)
    pinned.write("compose.yaml", _COMPOSE)
    assert pinned.run("init", "--template", "Dockerfile", "--template", "./compose.yaml") == Outcome(
        0,
        "",
        "Found 2 images in 2 files\nWrote images.toml\nWrote Dockerfile.in\nWrote compose.yaml.in\n"
        "\nNext: run `imagelock lock`, then `imagelock render`\n",
    )
    assert pinned.read("Dockerfile.in") == _DOCKERFILE.replace("golang:1.22", "{{images.golang}}").replace("\n", "\r\n")
    assert (pinned.folder / "Dockerfile.in").stat().st_mode & 0o777 == 0o640
    _lock_as_declared(pinned)
    assert pinned.run("render").exit_code == 0
    assert pinned.read("Dockerfile") == _DOCKERFILE.replace("golang:1.22", GO).replace("\n", "\r\n")
    assert pinned.read("compose.yaml") == _COMPOSE.replace("nginx:1.25", NGINX)
    assert pinned.run("check").exit_code == 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("Dockerfile.in", "", "there is a Dockerfile.in already\n\nhint: remove it, or leave out its `--template`\n"),
        (
            "images.toml",
            '[images]\na = "a"\n',
            "cannot create images.toml: it exists already\n\nhint: run `imagelock scan --write` to add what is new\n",
        ),
        ("Dockerfile", "FROM scratch\n", "the Dockerfile Dockerfile names no image\n"),
        (
            "Dockerfile",
            "FRM a\n",
            "cannot read Dockerfile\n  Dockerfile:1:1: there is no FROM in it\n",
        ),
    ],
)
def test_nothing_is_written_over_and_nothing_by_halves(pinned: Project, name: str, content: str, message: str) -> None:
    pinned.write("Dockerfile", _DOCKERFILE)
    pinned.write(name, content)
    before = pinned.files()
    arguments = [] if name == "images.toml" else ["--template", "Dockerfile"]
    assert pinned.run("init", *arguments) == Outcome(2, "", f"error: {message}")
    assert pinned.files() == before


def test_files_that_git_ignores_and_other_projects_are_left_out(pinned: Project) -> None:
    pinned.write("Dockerfile", _DOCKERFILE)
    pinned.write(".gitignore", "build/\n")
    pinned.write("build/Dockerfile", "FROM ignored\n")
    pinned.write("part/images.toml", "[images]\n")
    pinned.write("part/deep/Dockerfile", "FROM other\n")
    Repository(pinned.folder).start()
    pinned.write("new/Dockerfile", "FROM nginx:1.25\n")
    pinned.run("init")
    images = parse_images_file(pinned.read("images.toml")).images
    assert [image.alias for image in images] == ["golang", "nginx"]


def test_another_place_for_images_toml(pinned: Project) -> None:
    pinned.write("sub/Dockerfile", _DOCKERFILE)
    assert pinned.run("init", "--file", "sub/images.toml", "--template", "sub/Dockerfile").exit_code == 0
    assert '"Dockerfile" = "Dockerfile.in"' in pinned.read("sub/images.toml")
    assert pinned.read("sub/Dockerfile.in").startswith("FROM {{images.golang}}")


def test_what_was_found_for_scripts(pinned: Project) -> None:
    pinned.write("Dockerfile", "FROM golang:1.22\nFROM $B\n")
    outcome = pinned.run("init", "--format", "json")
    assert (json.loads(outcome.stdout), outcome.stderr) == (
        {
            "schema": 1,
            "dry_run": False,
            "images": [{"name": "golang", "image": "golang:1.22", "files": ["Dockerfile"]}],
            "pinned": ["Dockerfile"],
            "written": ["images.toml"],
            "external_names": [],
            "external_files": [],
            "follow_tags": [],
            "obstacles": [
                {
                    "path": "Dockerfile",
                    "line": 2,
                    "column": 6,
                    "text": "$B",
                    "reason": "the variable has no value here",
                }
            ],
            "unreadable": [],
        },
        "",
    )


def test_what_can_not_be_pinned_is_proposed_for_external_and_the_rest_of_the_file_is_pinned(
    pinned: Project,
) -> None:
    pinned.write("Dockerfile", "FROM golang:1.22\nFROM $B\nFROM $B\n")
    outcome = pinned.run("init")
    assert outcome.stderr == (
        "Found 1 image in 1 file\n"
        "Wrote images.toml\n"
        "warning: Dockerfile:2:6: `$B`: the variable has no value here\n"
        "warning: Dockerfile:3:6: `$B`: the variable has no value here\n"
        "note: `check` will fail for these until [external] lists them: take off their `#` in images.toml\n"
        "\nNext: run `imagelock lock`, then `imagelock render`\n"
    )
    assert pinned.read("images.toml") == (
        f'{_HEAD}golang = "golang:1.22"  # Dockerfile\n\n[pin]\nfiles = ["Dockerfile"]\n\n[external]\n'
        "# No digest can be written for the lines with a `#` below. To accept one as it is, take off its `#`.\n"
        'names = [\n    # "$B",  # Dockerfile:2:6: the variable has no value here\n]\n'
    )


def test_the_way_to_accept_comes_right_after_what_it_is_about(pinned: Project) -> None:
    pinned.write("Dockerfile", "FROM golang:1.22\nFROM $B\n")
    pinned.write(".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n    - run: docker run nginx:1.25\n")
    assert pinned.run("init").stderr.splitlines()[2:5] == [
        "warning: Dockerfile:2:6: `$B`: the variable has no value here",
        "note: `check` will fail for these until [external] lists them: take off their `#` in images.toml",
        "note: 1 command may pull images: pin them with marker comments (-v lists them)",
    ]


def test_the_comment_about_digests_holds_above_images_that_are_added_later(pinned: Project) -> None:
    pinned.write("Dockerfile", f"FROM {GO}\n")
    assert pinned.run("init").exit_code == 0
    pinned.write("tools.Dockerfile", "FROM nginx:1.25\n")
    assert pinned.run("scan", "--write").exit_code == 0
    assert (
        pinned.read("images.toml")
        .partition("[images]\n")[2]
        .startswith(
            "# A digest here is kept as your files have it. To let `imagelock update` move such an image, run\n"
            "# `imagelock lock`, then take its digest off here: what is locked stays locked until you update it.\n"
            f'golang = "{GO}"  # Dockerfile\nnginx = "nginx:1.25"\n'
        )
    )


def test_vendored_trees_and_inputs_of_tests_are_not_ours(pinned: Project) -> None:
    pinned.write("Dockerfile", "FROM golang:1.22\n")
    pinned.write("third_party/tool/Dockerfile", "FROM one:1\n")
    pinned.write("tests/data/deep/Dockerfile", "FROM two:1\n")
    pinned.write("docs/examples/Dockerfile", "FROM three:1\n")
    assert pinned.run("init", "--exclude", "docs/**").exit_code == 0
    assert pinned.read("images.toml") == (
        f'{_HEAD}golang = "golang:1.22"  # Dockerfile\n\n[pin]\nfiles = ["Dockerfile"]\n\n'
        "# Built here, or not ours.\n[external]\n"
        'files = [\n    "tests/data/**",\n    "third_party/**",\n    "docs/**",\n]\n'
    )


def test_an_images_toml_that_declares_nothing_is_no_obstacle(pinned: Project) -> None:
    pinned.write("images.toml", '# ours\n[external]\nnames = ["app"]\n')
    pinned.write("Dockerfile", "FROM golang:1.22\nFROM app\n")
    assert pinned.run("init") == Outcome(
        0,
        "",
        'Added to images.toml:\n  golang = "golang:1.22"\n  pin.files: "Dockerfile"\n'
        "\nNext: run `imagelock lock`, then `imagelock render`\n",
    )
    assert pinned.read("images.toml") == (
        '[images]\ngolang = "golang:1.22"\n\n# ours\n[external]\nnames = ["app"]\n\n[pin]\nfiles = ["Dockerfile"]\n'
    )


def test_a_template_can_be_begun_later(pinned: Project) -> None:
    pinned.declare_locked("# none yet\n")
    pinned.write("Dockerfile", "FROM docker.io/library/golang:1.22\nFROM nginx:1.25\nFROM redis:7\n")
    assert pinned.run("init", "--template", "Dockerfile") == Outcome(
        0,
        "",
        'Added to images.toml:\n  redis = "redis:7"\n  render: "Dockerfile" = "Dockerfile.in"\nWrote Dockerfile.in\n'
        "\nNext: run `imagelock lock`, then `imagelock render`\n",
    )
    assert pinned.read("Dockerfile.in") == (
        "FROM docker.io/library/golang:1.22@{{images.go.digest}}\nFROM {{images.nginx}}\nFROM {{images.redis}}\n"
    )
    again = pinned.run("init", "--template", "Dockerfile")
    assert again == Outcome(
        2, "", "error: images.toml renders `Dockerfile` already\n\nhint: edit its template, `Dockerfile.in`\n"
    )


@pytest.mark.parametrize("images_file", [None, "[images]\n", '[images]\ngo = "golang:1.22"\n'])
def test_no_template_is_made_of_a_file_outside_the_project(
    tmp_path: Path, pinned: Project, images_file: str | None
) -> None:
    outside = tmp_path / "elsewhere" / "Dockerfile"
    outside.parent.mkdir()
    outside.write_text("FROM golang:1.22\n")
    (pinned.folder / "linked").symlink_to(outside.parent)
    if images_file is not None:
        pinned.write("images.toml", images_file)
    before = pinned.files()
    where = f"outside the directory {pinned.folder}"
    for name, verb in ((str(outside), "lies"), ("../elsewhere/Dockerfile", "lies"), ("linked/Dockerfile", "leads")):
        outcome = pinned.run("init", "--template", name)
        assert outcome.exit_code == 2
        assert outcome.stderr.startswith(f"error: cannot make a template of `{name}`: it {verb} {where}")
    assert pinned.files() == before
    assert [path.name for path in outside.parent.iterdir()] == ["Dockerfile"]


def test_a_later_template_can_be_tried_first(pinned: Project) -> None:
    pinned.declare_locked()
    pinned.write("Dockerfile", "FROM golang:1.22\nFROM redis:7\n")
    before = pinned.files()
    assert pinned.run("init", "--template", "Dockerfile", "--dry-run") == Outcome(
        0,
        "",
        'Would add to images.toml:\n  redis = "redis:7"\n  render: "Dockerfile" = "Dockerfile.in"\n'
        "Would write Dockerfile.in\n",
    )
    assert pinned.files() == before
    document = json.loads(pinned.run("init", "--template", "Dockerfile", "--format", "json").stdout)
    assert document["written"] == ["Dockerfile.in", "images.toml"]
    assert document["images"] == [{"name": "redis", "image": "redis:7", "files": ["Dockerfile"]}]


def test_platforms_are_for_a_new_file(pinned: Project) -> None:
    pinned.declare_locked()
    outcome = pinned.run("init", "--platform", "arm64", "--template", "Dockerfile")
    assert outcome.exit_code == 2
    assert "--platform is for a new file: images.toml has `platforms` already" in outcome.stderr


def test_an_images_file_with_external_alone_is_no_obstacle(pinned: Project) -> None:
    pinned.write("images.toml", '#:schema x\n# kept\n[external]\nnames = ["acme/app"]\n')
    pinned.write("Dockerfile", f"FROM golang:1.22@{digest('go')}\nFROM acme/app\n")
    outcome = pinned.run("init", "--follow-tags")
    told = 'Added to images.toml:\n  golang = "golang:1.22"\n  pin.files: "Dockerfile"\n'
    assert outcome == Outcome(0, "", f"{told}\nNext: run `imagelock lock`, then `imagelock render`\n")
    assert pinned.read("images.toml") == (
        '#:schema x\n[images]\ngolang = "golang:1.22"\n\n'
        '# kept\n[external]\nnames = ["acme/app"]\n\n[pin]\nfiles = ["Dockerfile"]\n'
    )
    again = pinned.run("init")
    assert again == Outcome(
        2,
        "",
        "error: cannot create images.toml: it exists already\n\n"
        "hint: run `imagelock scan --write` to add what is new\n",
    )


def test_a_removed_image_is_still_shown_where_it_is_pinned(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["Dockerfile", "gone.yaml"]\n')
    pinned.write("Dockerfile", f"FROM {GO} AS a\nFROM nginx:1.25\nCOPY --from=golang:1.22 /a /b\n")
    outcome = pinned.run("remove", "go")
    assert outcome.stderr.splitlines()[2:] == [
        f"warning: Dockerfile:1:6: `golang:1.22@sha256:{digest('go').short}` is still there",
        "warning: Dockerfile:3:13: `golang:1.22` is still there",
        "note: `check` fails for these until they are gone, declared again, or listed under [external]",
    ]
    assert pinned.run("lock", "--check").exit_code == 0


def _lock_as_declared(pinned: Project) -> None:
    """Put the digests of the tests behind the names that were proposed."""
    tables = pinned.read("images.toml").partition("[render]")
    pinned.declare_locked(f"{tables[1]}{tables[2]}", images='[images]\ngo = "golang:1.22"\nnginx = "nginx:1.25"\n')
    lock = pinned.read("images.lock")
    pinned.write("images.lock", lock.replace("[images.go", "[images.golang"))
    pinned.write("images.toml", pinned.read("images.toml").replace("go = ", "golang = "))


def test_what_the_repository_builds_itself_is_not_looked_up(pinned: Project) -> None:
    pinned.write(
        "compose.yaml", "services:\n  app:\n    build: .\n    image: acme/app:dev\n  db:\n    image: redis:7\n"
    )
    pinned.write(
        "k8s/app.yaml", "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: acme/app:1.2}, {image: nginx:1}]}\n"
    )
    pinned.write(".gitlab-ci.yml", "test:\n  image: $CI_REGISTRY_IMAGE/test:latest\n")
    pinned.write("vendor/a/Dockerfile", "FROM golang:1.22\n")
    assert pinned.run("init").stderr.startswith(
        "Found 2 images in 2 files\nWrote images.toml\n"
        "note: 2 names built by this repository, in [external]: $CI_REGISTRY_IMAGE**, acme/app\n"
        "note: 1 directory of vendored files or samples for tests, in [external]: vendor/**\n\nNext"
    )
    assert pinned.read("images.toml") == (
        f'{_HEAD}nginx = "nginx:1"  # k8s/app.yaml\nredis = "redis:7"  # compose.yaml\n\n'
        '[pin]\nfiles = [\n    "compose.yaml",\n    "k8s/app.yaml",\n]\n\n'
        '# Built here, or not ours.\n[external]\nnames = ["$CI_REGISTRY_IMAGE**", "acme/app"]\n'
        'files = ["vendor/**"]\n'
    )
    assert pinned.run("scan").stderr.splitlines()[0].endswith("2 declared, 2 external")


def test_an_image_that_is_built_here_and_declared_stays_declared(pinned: Project) -> None:
    pinned.declare_locked(images='[images]\napp = "acme/app:1"\n')
    pinned.write("compose.yaml", "services:\n  app:\n    build: .\n    image: acme/app:1\n")
    pinned.write("Dockerfile", "FROM acme/app:1\n")
    assert pinned.run("scan", "--write").stderr.startswith('Added to images.toml:\n  pin.files: "Dockerfile"\n')


def test_tags_can_be_followed_from_the_beginning(pinned: Project) -> None:
    pinned.write("Dockerfile", f"FROM {GO}\nFROM nginx@{NGINX.partition('@')[2]}\n")
    assert pinned.run("init", "--follow-tags").exit_code == 0
    assert 'golang = "golang:1.22"  # Dockerfile\n' in pinned.read("images.toml")
    assert f'nginx = "nginx@{NGINX.partition("@")[2]}"' in pinned.read("images.toml")


def test_every_proposal_can_be_accepted(pinned: Project) -> None:
    pinned.write("Dockerfile", "FROM golang:$V\nFROM nginx:1.25\nFROM Upper/Case:1\nFROM bad:tag:tag\n")
    pinned.write("chart/values.yaml", "global: {imageRegistry: ghcr.io}\nweb:\n  image: nginx:1.25\n")
    pinned.write(
        "other/values.yaml",
        "registry: x\nweb:\n  repository: nginx\n  tag: '1.25'\n  sha: ''\ndb: {image: redis, imageTag: 7}\n",
    )
    assert pinned.run("init").exit_code == 0
    text = pinned.read("images.toml")
    accepted = re.sub(r"^    # (?=\")", "    ", text, flags=re.MULTILINE)
    assert accepted != text
    pinned.write("images.toml", accepted)
    assert pinned.run("scan").exit_code == 0
    assert not pinned.run("scan", "--write").stderr.startswith("error")


def test_a_tag_that_is_a_value_of_its_own_is_no_name_of_an_image(pinned: Project) -> None:
    pinned.write("values.yaml", "a: {repository: acme/app, tag: '1.22'}\nb: {repository: b, tag: $V}\n")
    assert pinned.run("init").exit_code == 0
    assert '# "1.22"' not in pinned.read("images.toml")
    (pinned.folder / "images.toml").unlink()
    obstacles = json.loads(pinned.run("init", "--format", "json").stdout)["obstacles"]
    assert [each["text"] for each in obstacles] == ["$V", "1.22"]  # what is at the position
    pinned.declare_locked('[pin]\nfiles = ["values.yaml"]\n[external]\nnames = ["1.22", "b:$V"]\n')
    outcome = pinned.run("check")
    assert (outcome.exit_code, "acme/app:1.22: images.lock does not have it" in outcome.stderr) == (1, True)
    assert "b:$V" not in outcome.stderr


def test_a_reference_that_means_a_declared_image_is_accepted_by_its_file(pinned: Project) -> None:
    pinned.write("Dockerfile", "FROM acme/app\n")
    pinned.write("values.yaml", "web:\n  registry: ghcr.io\n  image:\n    repository: acme/app\n    tag: latest\n")
    assert pinned.run("init").exit_code == 0
    assert pinned.read("images.toml").partition("[external]")[2] == (
        "\n# No digest can be written for the lines with a `#` below. To accept one as it is, take off its `#`.\n"
        'files = [\n    # "values.yaml",  # values.yaml:4:17: '
        "only the chart knows whether the registry above it belongs to it\n]\n"
    )

"""``[kinds]`` and ``[paths]`` of images.toml, from the error of a typo to the pinned file."""

from __future__ import annotations

import json

import pytest

from tests.support.locked_images import digest
from tests.support.project import GO, NGINX, Outcome, Project

_CONFIG = "app: {repo: nginx, tag: '1.25', digest: ''}\nold: {image: 'golang:1.22'}\n"


def test_a_file_that_no_row_knows_is_pinned_by_its_rules(pinned: Project) -> None:
    pinned.declare_locked(
        '[pin]\nfiles = ["config.yaml", "prod.yaml"]\n'
        '[kinds]\n"prod.yaml" = "helm-values"\n'
        '[paths]\n"config.yaml" = ["old.image", { repository = "app.repo", tag = "app.tag", digest = "app.digest" }]\n'
        '"prod.yaml" = ["-legacy.**"]\n'
    )
    pinned.write("config.yaml", _CONFIG)
    pinned.write("prod.yaml", "image: nginx:1.25\nlegacy: {image: 'nginx:1.25'}\n")
    assert pinned.run("render").exit_code == 0
    assert pinned.read("config.yaml") == _CONFIG.replace("''", f"'{digest('nginx')}'").replace("golang:1.22", GO)
    assert pinned.read("prod.yaml") == f"image: {NGINX}\nlegacy: {{image: 'nginx:1.25'}}\n"
    assert pinned.run("check", "--all").exit_code == 0
    assert pinned.run("unpin", "config.yaml", "prod.yaml").exit_code == 0
    assert pinned.read("config.yaml") == _CONFIG


def test_none_passes_a_file_over(pinned: Project) -> None:
    pinned.declare_locked('[kinds]\n"old/Dockerfile" = "none"\n')
    pinned.write("old/Dockerfile", "FROM redis:7\n")
    assert pinned.run("check", "--all").exit_code == 0


@pytest.mark.parametrize(
    ("tables", "problems"),
    [
        (
            '[kinds]\n"*.yml" = "composs"\n"a" = 1\n"/x" = "compose"\n',
            [
                '5: kinds."*.yml": `composs` is not a kind; did you mean `compose`?',
                '6: kinds.a: must name a kind, as in `"deploy/*.yml" = "compose"`',
                '7: kinds."/x": is an absolute path: write it relative to the directory of this file',
            ],
        ),
        (
            (
                '[paths]\n"a.yml" = ["a..b", "c d", 5, "/x/"]\n"b.yml" = "x"\n"c.yml" = [{ tag = "a" }]\n'
                '"d.yml" = [{ repositry = "a" }, { repository = "a.*.b", tag = "c" }, { repository = 1 }]\n'
            ),
            [
                '5: paths."a.yml": `a..b` is not a path: no key, `*`, `**`, `[]`, `{…}` or `/…/` at `.b`',
                '5: paths."a.yml": `c d` is not a path: a `.` is missing before ` d`',
                (
                    '5: paths."a.yml": must have paths only, and tables of paths such as '
                    '`{ repository = "app.image", tag = "app.tag" }`'
                ),
                '5: paths."a.yml": `/x/` is not a path: a key has no `/`; write it in quotes if it does',
                '6: paths."b.yml": must be an array of paths, as in `["spec.image", "-legacy.**"]`',
                (
                    '7: paths."c.yml": a table of parts needs `repository`, and `tag` or `digest`; '
                    "a whole reference is a path alone"
                ),
                '8: paths."d.yml": `repositry` is not a part of an image; did you mean `repository`?',
                '8: paths."d.yml": `a.*.b`: where the paths of the parts differ, only plain keys can be told apart',
                '8: paths."d.yml": `repository` must be a path',
            ],
        ),
    ],
)
def test_a_slip_in_a_rule_is_told_with_its_line(pinned: Project, tables: str, problems: list[str]) -> None:
    pinned.declare_locked(tables)
    details = "".join(f"  images.toml:{problem}\n" for problem in problems)
    assert pinned.run("check") == Outcome(2, "", f"error: cannot use images.toml\n{details}")


def test_a_rule_that_leads_to_nothing_is_told(pinned: Project) -> None:
    pinned.declare_locked(
        '[pin]\nfiles = ["a.yaml"]\n[external]\nfiles = ["tests/**"]\n'
        '[kinds]\n"*.yml" = "compose"\n"a.*" = "helm-values"\n"*.yaml" = "yaml"\n"tests/*" = "yaml"\n'
        '[paths]\n"a.yaml" = ["spec.imag", "image", "-nothing"]\n"b.yaml" = ["x"]\n'
        '"Dockerfile" = ["x"]\n"x.txt" = ["x"]\n'
    )
    pinned.write("a.yaml", f"image: {NGINX}\n")
    pinned.write("Dockerfile", f"FROM {GO}\n")
    pinned.write("x.txt", "")
    pinned.write("tests/a.yaml", "")
    problems = [
        'images.toml:9: kinds."*.yml": matches no file',
        'images.toml:11: kinds."*.yaml": makes `a.yaml` a `yaml`, and "a.*" makes it a `helm-values`',
        'images.toml:12: kinds."tests/*": matches no file',
        'images.toml:14: paths."a.yaml": `spec.imag` finds nothing in 1 file',
        'images.toml:15: paths."b.yaml": matches no file',
        'images.toml:16: paths."Dockerfile": leads to Dockerfiles, which have no paths',
        'images.toml:17: paths."x.txt": leads to no file of a known syntax: name one under `[kinds]`',
    ]
    details = "".join(f"  {problem}\n" for problem in problems)
    remedy = "correct it, or remove it from images.toml"
    assert pinned.run("check") == Outcome(1, "", f"error: files are not as locked\n{details}\nhint: {remedy}\n")
    assert pinned.run("render") == Outcome(2, "", f"error: cannot use images.toml\n{details}")


def test_compose_files_are_read_together_by_every_command(pinned: Project) -> None:
    pinned.declare_locked('[pin]\nfiles = ["compose.yaml", ".env"]\n')
    pinned.write("compose.yaml", "services:\n  app: {image: 'golang:1.22'}\n  web: {image: '${WEB:-golang:1.22}'}\n")
    pinned.write("compose.override.yaml", "services:\n  app: {build: .}\n")
    pinned.write(".env", "WEB=nginx:1.25 # of the day\n")
    outcome = pinned.run("render")
    assert outcome.exit_code == 0
    assert pinned.read(".env") == f"WEB={NGINX} # of the day\n"
    assert "golang:1.22@" not in pinned.read("compose.yaml")
    assert pinned.run("check").stderr.splitlines() == [
        "note: 1 image is in no file of [render], [pin] or [export]: go",
        "2 images locked, 2 files pinned: all up to date",
    ]
    pinned.write(".env", "WEB=redis:7\n")
    lines = pinned.run("check").stderr.splitlines()
    assert lines[1] == "  .env:1:5: redis:7: images.lock does not have it"
    assert lines[-1] == "hint: run `imagelock add redis:7`, or take the reference out"


def test_nothing_unread_is_called_clean(pinned: Project) -> None:
    pinned.declare_locked('[render]\n"out" = "out.yaml.in"\n[kinds]\n"none.yml" = "none"\n')
    pinned.write("out.yaml.in", "image: {{images.go}}\n")
    pinned.write("none.yml", "image: a:1\n")
    pinned.write("Jenkinsfile", "agent { docker { image 'maven:3' } }\n")
    pinned.write("a/run.sh", "docker run a:1\n")
    pinned.write("b/run.sh", "docker run a:1\n")
    pinned.write("crd.yaml", "apiVersion: x/v1\nkind: Backup\nspec: {toolImage: 'a/b:1'}\n")
    assert pinned.run("render").exit_code == 0
    outcome = pinned.run("-v", "check", "--all")
    assert outcome.exit_code == 0
    assert outcome.stderr.splitlines()[:6] == [
        "note: 3 files may have images and cannot be read: 1 Jenkinsfile, 2 shell scripts (-v lists them)",
        "  Jenkinsfile: Jenkinsfile",
        "  a/run.sh: shell script",
        "  b/run.sh: shell script",
        "note: 1 value may be an image at a path that is not known: add it to [paths] (-v lists them)",
        "  crd.yaml:3:20: a/b:1",
    ]
    counts = "2 images locked, 1 file rendered, 1 other file searched: up to date, 1 place not read, 3 files not read"
    assert outcome.stderr.splitlines()[-1] == counts
    assert pinned.run("check", "--all", "--format", "markdown").stdout == f"imagelock: {counts}\n"
    document = json.loads(pinned.run("check", "--all", "--format", "json").stdout)
    assert [each["path"] for each in document["unread"]] == ["Jenkinsfile", "a/run.sh", "b/run.sh"]


def test_external_names_cover_values_at_places_that_no_rule_knows(pinned: Project) -> None:
    pinned.declare_locked('[external]\nnames = ["a/b"]\n')
    pinned.write("crd.yaml", "apiVersion: x/v1\nkind: Backup\nspec: {toolImage: 'a/b:1'}\n")
    outcome = pinned.run("check", "--all")
    assert (outcome.exit_code, "not known" in outcome.stderr, "covers no reference" in outcome.stderr) == (
        0,
        False,
        False,
    )
    assert "not known" not in pinned.run("scan").stderr


def test_a_name_that_a_build_brings_its_own_content_for_is_no_image_to_declare(pinned: Project) -> None:
    pinned.write("compose.yaml", "services: {a: {build: {context: ., additional_contexts: {php-base: ./x}}}}\n")
    pinned.write("docker-bake.hcl", 'target "a" { contexts = { go-base = "docker-image://golang:1.22" } }\n')
    pinned.write("Dockerfile", "FROM php-base\nCOPY --from=go-base / /\nCOPY --from=redis:7 / /\n")
    found = json.loads(pinned.run("init", "--dry-run", "--format", "json").stdout)
    assert [each["image"] for each in found["images"]] == ["golang:1.22", "redis:7"]

from __future__ import annotations

import pytest

from imagelock.errors import ImagesFileError
from imagelock.images_file.exports import Export, ExportFormat, ExportTarget
from imagelock.images_file.parser import parse_images_file

_IMAGES = '[images]\ngo = "golang:1.22"\nredis = "redis:7"\n'


def _exports(text: str) -> tuple[ExportTarget, ...]:
    return parse_images_file(f"{_IMAGES}[export]\n{text}").exports


def _problems(text: str) -> list[str]:
    with pytest.raises(ImagesFileError) as caught:
        parse_images_file(f"{_IMAGES}{text}")
    return [line.partition(": ")[2] for line in caught.value.details]


def test_a_format_or_a_table_with_the_options_of_the_command() -> None:
    assert _exports(
        '"b.json" = "buildkit-policy"\n'
        '"a.yaml" = { format = "compose", from = ["compose.yaml"], names = ["redis"] }\n'
        '"c.json" = { format = "buildkit-policy", allow = ["git", "https"] }\n'
        '"d.json" = { format = "buildah-policy", pin-only = true }\n'
        '"e.txt" = { format = "build-contexts", mirror = "vendor/layout" }\n'
    ) == (
        ExportTarget("a.yaml", Export(format=ExportFormat.COMPOSE, sources=("compose.yaml",), names=("redis",))),
        ExportTarget("b.json", Export(format=ExportFormat.BUILDKIT_POLICY)),
        ExportTarget("c.json", Export(format=ExportFormat.BUILDKIT_POLICY, allow=("git", "https"))),
        ExportTarget("d.json", Export(format=ExportFormat.BUILDAH_POLICY, pin_only=True)),
        ExportTarget("e.txt", Export(format=ExportFormat.BUILD_CONTEXTS, mirror="vendor/layout")),
    )


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (
            '"a" = 1',
            'export.a: must be a format, as in `"build/policy.json" = "buildkit-policy"`, or a table with `format`',
        ),
        ('"" = "env"', 'export."": must name a file to write'),
        ('"a" = "envs"', "export.a.format: `envs` is not a format; did you mean `env`?"),
        ('"a" = {}', "export.a.format: must name a format"),
        ('"a" = { format = "env", nams = [] }', "export.a.nams: is not a known key; did you mean `names`?"),
        ('"a" = { format = "env", names = "go" }', "export.a.names: must be an array of strings"),
        ('"a" = { format = "env", names = ["g"] }', "export.a.names: there is no image `g`; did you mean `go`?"),
        ('"a" = "compose"', "export.a.from: must name the compose files that the override is for"),
        ('"a" = { format = "env", from = ["x"] }', "export.a.from: is for `compose`, not for `env`"),
        ('"a" = { format = "bake", mirror = "x" }', "export.a.mirror: is for `build-contexts`, not for `bake`"),
        (
            '"a" = { format = "buildkit-policy", allow = ["gti"] }',
            "export.a.allow: `gti` is not one of git, http, https; did you mean `git`?",
        ),
        (
            '"a" = { format = "buildah-policy", allow = ["git"] }',
            "export.a.allow: is for `buildkit-policy` and `rego`, not for `buildah-policy`",
        ),
        (
            '"a" = { format = "buildkit-policy", allow = ["git"], pin-only = true }',
            "export.a.allow: has no meaning beside `pin-only`, which denies nothing",
        ),
        (
            '"a" = { format = "rego", pin-only = true }',
            "export.a.pin-only: is for `buildah-policy` and `buildkit-policy`, not for `rego`",
        ),
        ('"a" = "env"\n"./a" = "json"', 'export."./a": is the same file as `a`'),
        (
            '"images.lock" = "env"',
            'export."images.lock": is written by people and by `imagelock lock`, not by `imagelock render`',
        ),
        ('"a" = "env"\n[render]\n"./a" = "b"', "export.a: is an output of [render] as well: keep one of the two"),
        (
            '"a" = "env"\n[pin]\nfiles = ["a"]',
            "export.a: is a file of [pin] as well: its digests are those of the lock",
        ),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused(entry: str, problem: str) -> None:
    assert _problems(f"[export]\n{entry}\n") == [problem]


def test_all_problems_are_reported_at_once() -> None:
    assert len(_problems('[export]\n"a" = "x"\n"b" = { format = "env", from = ["y"], pin-only = true }\n')) == 3

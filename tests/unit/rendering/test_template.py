from __future__ import annotations

import pytest

from imagelock.images_file.parser import parse_images_file
from imagelock.rendering.template import RenderedImage, Rendering, images_to_render, render
from tests.support.effort import bounded_effort
from tests.support.locked_images import digest, lock_text, lockfile

_IMAGES = f"""
[images]
go = "golang:1.22"
old = "GHCR.io/team/old@{digest("old")}"
tagged = "ghcr.io/team/old:7@{digest("old")}"
win = "mcr.microsoft.com/nano"
base = "oci:./vendor:golang:1.22"
plain = "oci:./vendor:plain"
"""
_OLD = f'digest = "{digest("old")}"'
_LOCK = (
    lock_text(repository="docker.io/library/golang", declared='tag = "1.22", platforms = "all"', tag="1.22"),
    lock_text(alias="old", repository="ghcr.io/team/old", declared=_OLD, tag=None, index="old"),
    lock_text(alias="tagged", repository="ghcr.io/team/old", declared=f'tag = "7", {_OLD}', tag="7", index="old"),
    lock_text(
        alias="win",
        repository="mcr.microsoft.com/nano",
        declared='tag = "latest"',
        tag="latest",
        platforms="windows(10.1)/amd64 windows(10.2)/amd64 windows(10.2)/arm64 windows/arm64",
    ),
    lock_text(alias="base", repository="oci:./vendor", declared='tag = "golang:1.22"', tag="golang:1.22"),
    lock_text(alias="plain", repository="oci:./vendor", declared='tag = "plain"', tag="plain"),
)
_GO_PLATFORMS = "(it is locked for: linux/amd64, linux/arm64)"
_WIN_PLATFORMS = "(it is locked for: windows(10.1)/amd64, windows(10.2)/amd64, windows(10.2)/arm64, windows/arm64)"
_INDEX = digest("index")
_AMD64 = digest("linux/amd64")


def _images() -> dict[str, RenderedImage]:
    return images_to_render(parse_images_file(_IMAGES), lockfile(*_LOCK))


def _render(template: bytes) -> Rendering:
    return render(template, _images(), file_name="Dockerfile.in")


@pytest.mark.parametrize(
    ("placeholder", "text"),
    [
        ("images.go", f"golang:1.22@{_INDEX}"),
        (" images.go ", f"golang:1.22@{_INDEX}"),
        ("\timages.go.digest  ", str(_INDEX)),
        ("images.go.tag", "1.22"),
        ("images.go.repository", "golang"),
        ("images.go.registry", "docker.io"),
        ("images.go.pinned", f"golang@{_INDEX}"),
        ("images.go.platforms.linux/amd64", f"golang:1.22@{_AMD64}"),
        ("images.go.platforms.x86_64", f"golang:1.22@{_AMD64}"),
        ("images.go.platforms.linux/arm64/v8.digest", str(digest("linux/arm64"))),
        ("images.old", f"GHCR.io/team/old@{digest('old')}"),
        ("images.old.registry", "GHCR.io"),
        ("images.old.repository", "GHCR.io/team/old"),
        ("images.tagged", f"ghcr.io/team/old:7@{digest('old')}"),
        ("images.tagged.tag", "7"),
        ("images.win", f"mcr.microsoft.com/nano:latest@{_INDEX}"),
        ("images.win.platforms.windows(10.1)/amd64.digest", str(digest("windows(10.1)/amd64"))),
        ("images.win.platforms.windows/arm64.digest", str(digest("windows/arm64"))),
        ("images.base", f"golang:1.22@{_INDEX}"),
        ("images.base.registry", "docker.io"),
        ("images.plain", f"oci:./vendor:plain@{_INDEX}"),
    ],
)
def test_a_placeholder_becomes_what_is_locked(placeholder: str, text: str) -> None:
    rendering = _render(f"FROM {{{{{placeholder}}}}} AS x\n".encode())
    assert (rendering.content, rendering.problems) == (f"FROM {text} AS x\n".encode(), ())


@pytest.mark.parametrize(
    ("placeholder", "problem"),
    [
        ("images.gol", "unknown image `gol`; did you mean `go`?"),
        ("images.zzz", "unknown image `zzz`"),
        ("images.go.digset", "unknown field `digset` of the image `go`; did you mean `digest`?"),
        ("images.go.xyz", "unknown field `xyz` of the image `go`"),
        (
            "images.go.platforms",
            "unknown field `platforms` of the image `go`; did you mean `platforms.linux/amd64`?",
        ),
        (
            "images.go.platforms.linux/amd46",
            f"`go` is not locked for linux/amd46 {_GO_PLATFORMS}; did you mean `linux/amd64`?",
        ),
        ("images.go.platforms.linux", "`linux` has no architecture"),
        (
            "images.win.platforms.windows/amd64",
            f"`win` has several windows/amd64 {_WIN_PLATFORMS}",
        ),
        ("images.old.tag", "`old` is declared by its digest and has no tag"),
        ("images.plain.registry", "`plain` comes from an OCI layout and has no registry"),
    ],
)
def test_what_is_unknown_is_told_with_its_position(placeholder: str, problem: str) -> None:
    rendering = _render(f"\n  {{{{{placeholder}}}}}".encode())
    assert rendering.problems == (f"Dockerfile.in:2:3: {problem}",)


@pytest.mark.parametrize(
    ("template", "position"),
    [
        (b"{{images.x}}", "1:1"),
        (b"a\r\nb {{images.x}}", "2:3"),
        ("ü€🙂 {{images.x}}".encode(), "1:5"),
        (b"\xff\xfe {{images.x}}", "1:4"),
        (b"\xef\xbb\xbf{{images.x}}", "1:1"),
        (b"\xef\xbb\xbf\n\t{{images.x}}", "2:2"),
    ],
)
def test_columns_are_characters_as_editors_count_them(template: bytes, position: str) -> None:
    assert _render(template).problems == (f"Dockerfile.in:{position}: unknown image `x`",)


def test_all_problems_are_told() -> None:
    template = b"{{images.x}} {{images.go}}\n{{images.y}}\n"
    assert _render(template).problems == (
        "Dockerfile.in:1:1: unknown image `x`",
        "Dockerfile.in:2:1: unknown image `y`",
    )


@pytest.mark.parametrize(
    "template",
    [
        b"",
        b"FROM golang",
        b"{{ .Id }} ${{ matrix.x }} ${{ images.go }} {{image.go}} {images.go} {{ images . go }}",
        b"{{images.}} {{images.-go}} {{images.go.}} {{images.go.tag extra}} {{images.go\n}} {{-images.go-}}",
        b"{{ Images.go }} {{images.g\xc3\xb6}} {% raw %} {{.Values.images.go}} {{ toYaml .images.go }}",
        b"\xef\xbb\xbfline\r\nline\rline\n\nno end",
        bytes(range(256)),
    ],
)
def test_what_is_no_placeholder_stays_byte_for_byte(template: bytes) -> None:
    rendering = _render(template)
    assert (rendering.content, rendering.problems, rendering.single_platforms) == (template, (), ())
    (note,) = rendering.notes
    assert note.startswith("Dockerfile.in has no placeholder such as `{{images.base}}`")


@pytest.mark.parametrize(
    ("template", "content"),
    [
        (rb"\{{images.go}}", b"{{images.go}}"),
        (rb"\{{ images.0.url }}\{{images.length}}", b"{{ images.0.url }}{{images.length}}"),
        (rb"\\{{images.go}}", rb"\{{images.go}}"),
        (rb"$\{{images.go}}", rb"${{images.go}}"),
        (rb"\${{images.go}} \{{images.go | quote}} \{{.Id}}", rb"\${{images.go}} \{{images.go | quote}} \{{.Id}}"),
        (b"\\\n{{images.go.tag}}", b"\\\n1.22"),
    ],
)
def test_a_backslash_makes_text_of_a_placeholder(template: bytes, content: bytes) -> None:
    rendering = _render(template)
    assert (rendering.content, rendering.problems) == (content, ())


def test_a_template_of_escaped_placeholders_is_meant_so() -> None:
    assert _render(rb"\{{images.go}}").notes == ()


@pytest.mark.parametrize(
    ("template", "near_miss"),
    [
        (b"FROM {{image.go}}", "; Dockerfile.in:1:6: `{{image.go}}` is not one"),
        (b"\n {{ Images.go }}", "; Dockerfile.in:2:2: `{{ Images.go }}` is not one"),
        (b"{{.Id}} {{images.go | x}}", "; Dockerfile.in:1:9: `{{images.go | x}}` is not one"),
        (b"${{ images.go }}", ""),
        (b"{{ .Id }}", ""),
    ],
)
def test_a_template_without_placeholder_is_told_with_what_was_probably_meant(template: bytes, near_miss: str) -> None:
    assert _render(template).notes == (f"Dockerfile.in has no placeholder such as `{{{{images.base}}}}`{near_miss}",)


def test_only_placeholders_change() -> None:
    template = b"\xef\xbb\xbfFROM {{images.go.tag}}\r\n\xff{{{images.go.tag}}}{{images.go.tag}}"
    assert _render(template).content == b"\xef\xbb\xbfFROM 1.22\r\n\xff{1.22}1.22"


def test_the_use_of_one_platforms_digest_is_reported() -> None:
    rendering = _render(
        b"{{images.go}} {{images.go.platforms.linux/amd64.digest}} {{images.old.platforms.linux/arm64}}"
    )
    assert rendering.single_platforms == ("go.platforms.linux/amd64.digest", "old.platforms.linux/arm64")


def test_time_grows_with_the_number_of_placeholders_and_of_problems() -> None:
    with bounded_effort():
        rendering = _render(b"{{images.go.tag}} " * 500_000)
        assert rendering.content == b"1.22 " * 500_000
        assert len(_render(b"{{images.gone}} " * 20_000).problems) == 20_000


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        (b"{{image.go}}", True),
        (b"{{ images.go | quote }}", True),
        (b"{{- images.Go }}", True),
        (b"{{images['go']}}", True),
        (b"{{ .Values.images.go }}", False),
        (b"{{ image.other }}", False),
        (b"${{ image.go }}", False),
        (rb"\{{ image.go }}", False),
    ],
)
def test_a_misspelled_placeholder_beside_others_is_told_if_it_names_an_image(text: bytes, *, is_told: bool) -> None:
    rendering = _render(b"FROM {{images.go.tag}}\n" + text + b"\n" + text)
    told = f"Dockerfile.in:2:1: `{text.decode()}` is no placeholder and stays as it is"
    assert rendering.notes == ((told,) if is_told else ())
    assert rendering.content.endswith(text)


def test_placeholders_in_utf_16_are_refused_and_other_files_in_it_are_not() -> None:
    assert _render("FROM {{images.go}}".encode("utf-16")).problems == (
        "Dockerfile.in:1:1: it is UTF-16, and placeholders are read in UTF-8: save it as UTF-8",
    )
    assert _render("FROM golang".encode("utf-16")).problems == ()

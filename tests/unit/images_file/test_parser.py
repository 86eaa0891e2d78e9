from __future__ import annotations

import pytest

from imagelock.errors import ImagesFileError
from imagelock.images_file.declaration import Alias, ImageDeclaration
from imagelock.images_file.parser import ImagesFile, RenderTarget, parse_images_file
from imagelock.model.digest import Digest
from imagelock.model.platforms import Platform
from imagelock.model.reference import LayoutRepository, RegistryName, Repository
from imagelock.model.selector import ExactDigest, ExactTag

_DIGEST = f"sha256:{'0a' * 32}"
_NOT_A_TAG = "is not a tag: up to 128 letters, digits, `_`, `.` and `-`, beginning with a letter, a digit or `_`"
_GO = Repository(RegistryName("docker.io"), "library/golang")


def _problems(text: str) -> list[str]:
    with pytest.raises(ImagesFileError) as caught:
        parse_images_file(text)
    assert caught.value.message == "cannot use images.toml"
    return [line.removeprefix("images.toml:") for line in caught.value.details]


def _problem(text: str) -> str:
    [problem] = _problems(text)
    return problem


def test_an_empty_file_declares_nothing() -> None:
    assert parse_images_file("") == ImagesFile(())


def test_all_that_can_be_declared_is_read_and_sorted() -> None:
    text = f"""
        platforms = ["linux/arm64", "linux/amd64"]
        [images]
        static = "cgr.dev/chainguard/static"
        go = "golang:1.22"
        [images.legacy]
        image = "golang@{_DIGEST}"
        platforms = "all"
        freeze = "until then"
        [images.base]
        image = "oci:./vendor:golang:1.22 slim"
        platforms = ["windows(10.0.1)/amd64"]
        [render]
        "b" = "b.in"
        "a" = "a.in"
    """
    default = (Platform.parse("linux/amd64"), Platform.parse("linux/arm64"))
    assert parse_images_file(text) == ImagesFile(
        images=(
            ImageDeclaration(
                alias=Alias("base"),
                name="oci:./vendor",
                repository=LayoutRepository("./vendor"),
                selector=ExactTag("golang:1.22 slim"),
                platforms=(Platform.parse("windows(10.0.1)/amd64"),),
            ),
            ImageDeclaration(
                alias=Alias("go"), name="golang", repository=_GO, selector=ExactTag("1.22"), platforms=default
            ),
            ImageDeclaration(
                alias=Alias("legacy"),
                name="golang",
                repository=_GO,
                selector=ExactDigest(Digest.parse(_DIGEST)),
                freeze="until then",
            ),
            ImageDeclaration(
                alias=Alias("static"),
                name="cgr.dev/chainguard/static",
                repository=Repository(RegistryName("cgr.dev"), "chainguard/static"),
                selector=ExactTag("latest"),
                platforms=default,
            ),
        ),
        targets=(RenderTarget("a", "a.in"), RenderTarget("b", "b.in")),
    )


@pytest.mark.parametrize("alias", ["go", "Go_1", "_", "0", "a-b"])
def test_a_name_is_letters_digits_underscores_and_hyphens(alias: str) -> None:
    assert [image.alias for image in parse_images_file(f'[images]\n{alias} = "go"').images] == [alias]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # What is no table, or no text.
        ("images = 5", "1: images: must be a table"),
        ('images = ["go"]', "1: images: must be a table"),
        ("[images]\n\ngo = 5", "3: images.go: must be a reference or a table"),
        ("[[images.go]]", "1: images.go: must be a reference or a table"),
        ("render = []", "1: render: must be a table"),
        ("[images.go]\nimage = 5", "2: images.go.image: must be a string"),
        ('[images.go]\nimage = "go"\nfreeze = true', "3: images.go.freeze: must be a string"),
        ('[images.go]\nimage = "go"\ntag = 1.22', "3: images.go.tag: must be a string"),
        # What is missing, or has another name.
        ("[images.go]", '1: images.go: has no `image`, such as `image = "golang:1.22"`'),
        ('plattforms = "all"', "1: plattforms: is not a known key; did you mean `platforms`?"),
        ("x = 1", "1: x: is not a known key"),
        (
            '[images.go]\nimage = "go"\nplatfroms = []',
            "3: images.go.platfroms: is not a known key; did you mean `platforms`?",
        ),
        ('[images]\n"a.b" = "go"', '2: images."a.b": is not a name: letters, digits, `_` and `-`, and no `-` in front'),
        ('[images]\n-a = "go"', '2: images."-a": is not a name: letters, digits, `_` and `-`, and no `-` in front'),
        ('[images]\n"ü" = "go"', '2: images."ü": is not a name: letters, digits, `_` and `-`, and no `-` in front'),
        # References and tags.
        ('[images]\ngo = ""', "2: images.go: an image reference cannot be empty"),
        ('[images]\ngo = "Go"', "2: images.go: `Go`: the repository must be lower-case"),
        ('[images.go]\nimage = "g o"', "2: images.go.image: `g o` has blanks or control characters"),
        (
            '[images.go]\nimage = "go:1"\ntag = "2"',
            "3: images.go.tag: cannot go with the tag `1` in `image`: keep one of the two",
        ),
        (
            '[images.go]\nimage = "go"\ntag = ""',
            f"3: images.go.tag: `` {_NOT_A_TAG}",
        ),
        (
            '[images.go]\nimage = "go"\ntag = "a\\nb"',
            f"3: images.go.tag: `a\nb` {_NOT_A_TAG}",
        ),
        (
            '[images.go]\nimage = "oci:x:"',
            "2: images.go.image: `oci:x:` must name an image in the OCI layout",
        ),
        # Platforms.
        ("platforms = 5", '1: platforms: must be an array of strings, or "all"'),
        ('platforms = "linux/amd64"', '1: platforms: must be an array of strings, or "all"'),
        ("platforms = [5]", '1: platforms: must be an array of strings, or "all"'),
        (
            "platforms = []",
            '1: platforms: must not be empty: leave it out, or write "all", for every platform of the index',
        ),
        ('platforms = ["linux"]', "1: platforms: `linux` has no architecture"),
        (
            'platforms = ["linux/arm64", "linux/arm64/v8"]',
            "1: platforms: `linux/arm64/v8` is there twice: it means linux/arm64",
        ),
        # Two for one.
        (
            '[images]\nb = "go"\na = "golang"\nc = "docker.io/library/go:latest"',
            "4: images.c: is the same image as `b`: keep one of the two",
        ),
        # Ranges.
        (
            '[images.go]\nimage = "go"\nversion = ">=x"',
            "3: images.go.version: `>=x` is not a PEP 440 clause",
        ),
        ('[images.go]\nimage = "go"\nversion = 5', "3: images.go.version: must be a string"),
        (
            '[images.go]\nimage = "go:1"\nversion = ">=1,<2"',
            "3: images.go.version: cannot go with the tag `1` in `image`: keep one of the two",
        ),
        (
            f'[images.go]\nimage = "go@{_DIGEST}"\ntag = "1"',
            f"3: images.go.tag: cannot go with the digest `{_DIGEST}` in `image`: keep one of the two",
        ),
        ('[images.go]\nimage = "go"\nprecision = "3"', "3: images.go.precision: must be a whole number"),
        # Freezing.
        (
            '[images.go]\nimage = "go"\nfreeze-until = 2024-01-01',
            "3: images.go.freeze-until: goes with `freeze`, which says why",
        ),
        # Registries.
        ("registries = 5", "1: registries: must be a table"),
        (
            '[registries]\n"ghcr.io" = 5',
            '2: registries."ghcr.io": must be a table, such as { plain-http = true }',
        ),
        (
            '[registries."ghcr.io"]\nplain_http = true',
            '2: registries."ghcr.io".plain_http: is not a known key; did you mean `plain-http`?',
        ),
        ('[registries."a/b"]', '1: registries."a/b": `a/b`: `a/b` is not a host name'),
        (
            '[registries."docker.io"]\nplain-http = true\n[registries."index.docker.io"]\nplain-http = false',
            '3: registries."index.docker.io": is the same registry as `docker.io`',
        ),
        (
            '[registries."Reg.example"]\nplain-http = true\n[registries."reg.example"]\nplain-http = true',
            '3: registries."reg.example": is the same registry as `Reg.example`',
        ),
        (
            '[registries."a.b"]\nplain-http = true\nca-file = "x"',
            '3: registries."a.b".ca-file: can\'t be of use beside `plain-http = true`',
        ),
        (
            '[registries."a.b"]\nmirrors = ["x.y/../z"]',
            '2: registries."a.b".mirrors: `x.y/../z`: `../z` is not a repository path',
        ),
        (
            '[registries."a.b"]\nmirrors = ["oci:"]',
            '2: registries."a.b".mirrors: `oci:` is not the directory of a layout',
        ),
        (
            '[registries."a.b"]\nmirrors = ["oci:./vendor:go"]',
            '2: registries."a.b".mirrors: `oci:./vendor:go` is not the directory of a layout',
        ),
        (
            '[registries."a.b"]\nmirrors = ["https://x"]',
            '2: registries."a.b".mirrors: `https:`: the port after the `:` is missing',
        ),
        # Rendered files.
        ("[render]\na = 5", '2: render.a: must name a template, as in `"Dockerfile" = "Dockerfile.in"`'),
        ('[render]\na = ""', '2: render.a: must name a template, as in `"Dockerfile" = "Dockerfile.in"`'),
        ('[render]\n"" = "a"', '2: render."": must name a template, as in `"Dockerfile" = "Dockerfile.in"`'),
        ('[render]\n"./a" = "a"', '2: render."./a": is its own template'),
        (
            '[render]\n"images.lock" = "a"',
            '2: render."images.lock": is written by people and by `imagelock lock`, not by `imagelock render`',
        ),
        ('[render]\n"a" = "x"\n"b/../a" = "y"', '3: render."b/../a": is the same file as `a`'),
        # What later versions read.
        ('[pin]\nfile = ["a"]', "2: pin.file: is not a known key; did you mean `files`?"),
        ('[pin]\nfiles = "a"', "2: pin.files: must be an array of strings"),
        ('[pin]\nfiles = [\n""\n]', '2: pin.files: "" names no file'),
        (
            '[pin]\nfiles = ["/a"]',
            '2: pin.files: "/a" is an absolute path: write it relative to the directory of this file',
        ),
        ("[pin]\nfiles = ['a\\b']", r'2: pin.files: "a\b" has a backslash: write `/` between directories'),
        ('[pin]\nfiles = ["k8s/"]', '2: pin.files: "k8s/" names a directory: write `k8s/**` for all files in it'),
        ('[pin]\nfiles = ["a", "./a"]', '2: pin.files: "./a" is there twice'),
        ('[pin]\ndigest-only = ["a", "a"]', '2: pin.digest-only: "a" is there twice'),
        ("pin = 1", "1: pin: must be a table"),
        (
            '[external]\nnames = ["Php"]',
            "2: external.names: `Php`: the repository must be lower-case",
        ),
        ('[external]\nname = ["php"]', "2: external.name: is not a known key; did you mean `names`?"),
    ],
)
def test_a_problem_is_told_with_its_line_and_key(text: str, problem: str) -> None:
    assert _problem(text) == problem


def test_all_problems_are_told_at_once_in_the_order_of_the_lines() -> None:
    text = (
        '[images]\r\nb = "B"\r\n# a comment\r\n'
        '[images.a]\r\nimage = "a"\r\nplatforms = [\r\n  "linux",\r\n  "amd46",\r\n]\r\n'
        "tga = 1\r\n[rendr]\r\n"
    )
    assert _problems(text) == [
        "2: images.b: `B`: the repository must be lower-case",
        "  hint: write `b`",
        "6: images.a.platforms: `linux` has no architecture",
        "  hint: write `linux/amd64` or `linux/arm64`",
        "6: images.a.platforms: `amd46` is not a platform: it must look like `linux/amd64`",
        "10: images.a.tga: is not a known key; did you mean `tag`?",
        "11: rendr: is not a known key; did you mean `render`?",
    ]


def test_a_hint_stands_with_its_problem() -> None:
    with pytest.raises(ImagesFileError) as caught:
        parse_images_file('[images]\nx = 5\na = "A"', file_name="f")
    assert caught.value.details[-2:] == ("f:3: images.a: `A`: the repository must be lower-case", "  hint: write `a`")
    assert caught.value.hint is None


def test_the_hint_of_the_only_problem_stands_at_the_end() -> None:
    with pytest.raises(ImagesFileError) as caught:
        parse_images_file('[images]\na = "A"', file_name="f")
    assert caught.value.details == ("f:2: images.a: `A`: the repository must be lower-case",)
    assert caught.value.hint == "write `a`"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[images]\ngo = \n", "2: Invalid value"),
        ("[images\n", "1: Expected ']' at the end of a table declaration"),
        ('[images]\ngo = "a"\ngo = "b"\n', "3: Cannot overwrite a value"),
        ("a = " + "[" * 5000 + "]" * 5000, "1: maximum recursion depth exceeded"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ImagesFileError) as caught:
        parse_images_file(text, file_name="sub/images.toml")
    assert caught.value.message == "cannot read sub/images.toml"
    [detail] = caught.value.details
    assert detail.startswith(f"sub/images.toml:{problem}")


def test_many_problems_are_placed_in_reasonable_time() -> None:
    text = "[images]\n" + "".join(f'a{number} = "A"\n' for number in range(2000))
    assert _problems(text)[-1] == "2001: images.a1999: `A`: the repository must be lower-case"


def test_mirrors_are_registries_or_layouts() -> None:
    text = '[images]\ngo = "go:1"\n[registries."docker.io"]\nmirrors = ["oci:./vendor", "m.example/hub", "oci:/x"]\n'
    [registry] = parse_images_file(text).registries
    assert (registry.layout_mirrors, registry.registry_mirrors) == (("./vendor", "/x"), ("m.example/hub",))

from __future__ import annotations

import pytest

from imagelock.errors import ImagelockError
from imagelock.images_file.declaration import Alias
from imagelock.images_file.edit import ImageEntry
from imagelock.images_file.new_image import ImageRequest, make_entry
from imagelock.images_file.parser import parse_images_file
from imagelock.model.reference import TAG_RULE, AnyRepository

_NODE_TAGS = ("18.20.1", "20.9.0", "20.11.1", "22.1.0", "22.1.0-slim", "22.3.0-slim", "latest", "slim")
_FILE = parse_images_file('[images]\ngo = "golang:1.22"\n')


def test_a_plain_reference_is_written_as_it_is() -> None:
    assert _make(reference="docker.io/library/redis:7") == ImageEntry(
        alias=Alias("redis"), image="docker.io/library/redis:7"
    )


def test_a_tag_may_be_given_apart() -> None:
    assert str(_make(reference="redis", tag="7-alpine")) == 'redis = "redis:7-alpine"'


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (ImageRequest(reference="golang", version=">=1.23", variant="alpine"), "golang-alpine"),
        (ImageRequest(reference="golang", tag="{version}-bookworm", version=">=1"), "golang-bookworm"),
        (ImageRequest(reference="golang", version=">=1.23,<2"), "golang-1"),
        (ImageRequest(reference="golang", version="latest"), "golang-latest"),
        (ImageRequest(reference="golang", tag="1.21-alpine"), "golang-1"),
        (ImageRequest(reference="golang"), "golang-latest"),
        (ImageRequest(reference="golang:1.23"), "golang-1"),
        (ImageRequest(reference="redis", version=">=7", variant="alpine"), "redis"),
    ],
)
def test_a_second_image_of_a_repository_is_named_after_what_was_asked_for(request_: ImageRequest, name: str) -> None:
    tags = ("1.23.1", "1.23.1-alpine", "1.23.1-bookworm", "7.0", "7.0-alpine")
    file = parse_images_file('[images]\ngolang = {image = "golang", version = ">=1.22,<1.23", tag = "{version}-x"}\n')
    assert make_entry(request_, file, lambda _: tags).alias == name


def test_platforms_are_normalised() -> None:
    entry = _make(reference="redis:7", name="cache", platforms=("linux/arm64/v8", "x86_64"))
    assert str(entry) == '[images.cache] image = "redis:7", platforms = ["linux/arm64", "linux/amd64"]'


@pytest.mark.parametrize(
    ("request_", "version", "others"),
    [
        (ImageRequest(reference="node", version=">=20,<23"), ">=20,<23", ""),
        (ImageRequest(reference="node", version=">=20"), ">=20,<23", ""),
        (ImageRequest(reference="node", version="!=22.1.0"), "!=22.1.0,<21", ""),
        (ImageRequest(reference="node", version="*"), ">=22.1.0,<23", ""),
        (ImageRequest(reference="node", version="latest"), ">=22.1.0,<23", ""),
        (ImageRequest(reference="node", version="latest", variant="slim"), ">=22.3.0,<23", ', variant = "slim"'),
        (ImageRequest(reference="node", variant="slim"), ">=22.3.0,<23", ', variant = "slim"'),
        (ImageRequest(reference="node", tag="{version}-slim"), ">=22.3.0,<23", ', variant = "slim"'),
        (ImageRequest(reference="node:20.9-slim", version="latest"), ">=20.9,<21", ', variant = "slim"'),
        (
            ImageRequest(reference="node:17.0.2_8-jre", version="latest"),
            ">=17.0.2,<18",
            ', tag = "{version}_{build}-jre"',
        ),
    ],
)
def test_a_range_always_has_an_upper_bound(request_: ImageRequest, version: str, others: str) -> None:
    entry = make_entry(request_, _FILE, lambda _: _NODE_TAGS)
    assert str(entry) == f'[images.node] image = "node", version = "{version}"{others}'


def test_a_range_of_dates_ends_with_the_year() -> None:
    request = ImageRequest(reference="minio/minio", tag="RELEASE.{date}")
    entry = make_entry(request, _FILE, lambda _: ["RELEASE.2024-06-13T22-53-53Z", "latest"])
    assert str(entry) == ('[images.minio] image = "minio/minio", version = ">=2024.6.13,<2025", tag = "RELEASE.{date}"')


def test_only_a_range_without_an_end_looks_at_the_tags() -> None:
    def refuse(repository: AnyRepository) -> tuple[str, ...]:
        raise AssertionError(repository)

    for request in (
        ImageRequest(reference="node:20"),
        ImageRequest(reference="node", version="~=20.1"),
        ImageRequest(reference="node:20.1", version="latest"),
    ):
        assert make_entry(request, _FILE, refuse).alias == "node"


@pytest.mark.parametrize(
    ("request_", "message", "hint"),
    [
        (
            ImageRequest(reference="redis", name="go"),
            "there is an image `go` already: golang, tag `1.22`",
            "choose another name, or run `imagelock remove go` first",
        ),
        (
            ImageRequest(reference="docker.io/library/golang:1.22", name="compiler"),
            "images.toml has this image already, under the name `go`",
            None,
        ),
        (
            ImageRequest(reference="redis", name="my.cache"),
            "`my.cache` is not a name: letters, digits, `_` and `-`, and no `-` in front",
            "leave the name out, and it will be `redis`",
        ),
        (
            ImageRequest(reference="redis:7", tag="8"),
            "--tag cannot go with the tag `7`: keep one of the two",
            "write `redis`",
        ),
        (
            ImageRequest(reference="redis:7", version=">=7"),
            "the range cannot go with the tag `7`: keep one of the two",
            "write `redis`",
        ),
        (
            ImageRequest(reference="redis", tag="a b"),
            f"--tag: `a b` is not a tag: {TAG_RULE}",
            None,
        ),
        (
            ImageRequest(reference="debian:bookworm", version="latest"),
            "--version: the tag `bookworm` has no version in it",
            "name the range, such as `--version '>=1.2,<2'`",
        ),
        (
            ImageRequest(reference="redis", variant="slim", tag="{version}-slim"),
            '--variant: is short for `tag = "{version}-slim"`, and `tag` is there too: keep one of the two',
            None,
        ),
    ],
)
def test_what_can_not_be_written_is_refused(request_: ImageRequest, message: str, hint: str | None) -> None:
    with pytest.raises(ImagelockError) as caught:
        make_entry(request_, _FILE, lambda _: _NODE_TAGS)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def _make(**fields: object) -> ImageEntry:
    return make_entry(ImageRequest(**fields), _FILE, lambda _: ())  # type: ignore[arg-type]  # as the tests name them

from __future__ import annotations

import pytest

from imagelock.errors import ImagelockError
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.locking.mirror import CopyTool, copy_commands, name_images
from tests.support.lock_runs import locked
from tests.support.memory_source import MemorySource
from tests.support.oci_images import Content, multi_platform_image

_ONE, _TWO = (multi_platform_image("linux/amd64", note=note) for note in ("one", "two"))


def _lock(images: str, **tags: Content) -> Lockfile:
    source = MemorySource()
    for tag, image in (("docker.io/library/go:1", _ONE), ("ghcr.io/library/go:1", _TWO)):
        source.push(tag, image)
    for name, image in tags.items():
        source.push(name, image)
    return locked(source, f"[images]\n{images}")


def _names(images: tuple[LockedImage, ...]) -> dict[str, str]:
    return {image.name: str(image.reference.digest) for image in name_images(images)}


def test_names_are_canonical_and_sorted() -> None:
    lockfile = _lock('b = "go:1"\na = "ghcr.io/library/go:1"\n')
    assert list(_names(lockfile.images).items()) == [
        ("docker.io/library/go:1", _ONE.digest),
        ("ghcr.io/library/go:1", _TWO.digest),
    ]


def test_an_image_without_tag_is_named_by_its_digest() -> None:
    lockfile = _lock(f'go = "go@{_ONE.digest}"')
    assert _names(lockfile.images) == {f"docker.io/library/go@{_ONE.digest}": _ONE.digest}


def test_a_name_belongs_to_the_image_that_follows_the_tag() -> None:
    lockfile = _lock(f'a-old = "go:1@{_TWO.digest}"\ngo = "go:1"')
    assert _names(lockfile.images) == {
        "docker.io/library/go:1": _ONE.digest,
        f"docker.io/library/go@{_TWO.digest}": _TWO.digest,
    }


def test_a_name_stays_when_other_images_are_left_out() -> None:
    images = _lock(f'a-old = "go:1@{_TWO.digest}"\ngo = "go:1"').images
    [old] = name_images(images, only=["a-old"])
    [go] = name_images(images, only=["go"])
    assert (old.name, go.name) == (f"docker.io/library/go@{_TWO.digest}", "docker.io/library/go:1")


def test_one_content_under_one_name_is_one_image() -> None:
    lockfile = _lock(f'same = "go:1@{_ONE.digest}"\ngo = "go:1"')
    assert _names(lockfile.images) == {"docker.io/library/go:1": _ONE.digest}


@pytest.mark.parametrize(
    ("tool", "command"),
    [
        (
            CopyTool.SKOPEO,
            "skopeo copy --all --preserve-digests docker://docker.io/library/go@{} docker://r.example/hub/library/go:1",
        ),
        (CopyTool.CRANE, "crane copy docker.io/library/go@{} r.example/hub/library/go:1"),
    ],
)
def test_commands_copy_by_digest_below_the_target(tool: CopyTool, command: str) -> None:
    commands = copy_commands(tool, "r.example/hub", name_images(_lock('go = "go:1"').images), is_plain=lambda _: False)
    assert commands == (command.format(_ONE.digest),)


def test_an_image_without_tag_is_copied_to_its_digest() -> None:
    images = _lock(f'go = "go@{_ONE.digest}"').images
    [command] = copy_commands(CopyTool.CRANE, "r.example", name_images(images), is_plain=lambda _: False)
    assert command == f"crane copy docker.io/library/go@{_ONE.digest} r.example/library/go@{_ONE.digest}"


@pytest.mark.parametrize(
    ("plain", "options"),
    [
        ("docker.io", "--src-tls-verify=false"),
        ("r.example:5000", "--dest-tls-verify=false"),
    ],
)
def test_a_registry_without_tls_is_told_to_the_tool(plain: str, options: str) -> None:
    images = _lock('go = "go:1"').images
    [skopeo] = copy_commands(
        CopyTool.SKOPEO, "r.example:5000/x", name_images(images), is_plain=lambda name: name == plain
    )
    assert skopeo.startswith(f"skopeo copy --all --preserve-digests {options} docker://")
    [crane] = copy_commands(
        CopyTool.CRANE, "r.example:5000/x", name_images(images), is_plain=lambda name: name == plain
    )
    assert crane.startswith("crane copy --insecure docker.io/")


def test_two_contents_under_one_destination_are_refused() -> None:
    images = _lock('a = "go:1"\nb = "ghcr.io/library/go:1"').images
    with pytest.raises(ImagelockError) as caught:
        copy_commands(CopyTool.SKOPEO, "r.example", name_images(images), is_plain=lambda _: False)
    assert caught.value.message == "two images would become r.example/library/go:1"
    assert caught.value.details == (
        f"docker.io/library/go@{_ONE.digest}",
        f"ghcr.io/library/go@{_TWO.digest}",
    )


def test_an_image_of_a_layout_is_refused() -> None:
    source = MemorySource()
    source.push("oci:vendor:go", _ONE)
    images = locked(source, '[images]\ngo = "oci:vendor:go"').images
    with pytest.raises(ImagelockError, match="it comes from the OCI layout oci:vendor"):
        copy_commands(CopyTool.SKOPEO, "r.example", name_images(images), is_plain=lambda _: False)
    assert _names(images) == {"go": _ONE.digest}

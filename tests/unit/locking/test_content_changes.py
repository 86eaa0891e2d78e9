from __future__ import annotations

from imagelock.cli.commands.diff import content_lines
from imagelock.locking.inspection import ContentChange, Difference, PlatformContent
from imagelock.model.digest import Digest
from imagelock.model.image_config import ImageConfig
from imagelock.model.oci import Descriptor
from imagelock.model.platforms import Platform

_AMD64 = Platform.parse("linux/amd64")


def _layer(text: str, size: int = 1000) -> Descriptor:
    return Descriptor(media_type="layer", digest=Digest.of(text.encode()), size_bytes=size)


_BASE, _OLD_TOP, _NEW_TOP, _EXTRA = _layer("base", 5000), _layer("old"), _layer("new", 2000), _layer("extra")
_OLD = PlatformContent(
    (_BASE, _OLD_TOP),
    ImageConfig(environment=(("PATH", "/bin"), ("VERSION", "1"), ("OLD", "x")), entry_point=("/app",), command=("a",)),
)
_NEW = PlatformContent(
    (_BASE, _NEW_TOP, _EXTRA),
    ImageConfig(environment=(("VERSION", "2"), ("PATH", "/bin"), ("NEW", "")), entry_point=("/app",)),
)


def test_layers_are_compared_by_digest() -> None:
    change = ContentChange(platform=_AMD64, old=_OLD, new=_NEW)
    assert (change.added_layers, change.removed_layers) == ((_NEW_TOP, _EXTRA), (_OLD_TOP,))


def test_settings_are_compared_by_name_and_not_by_order() -> None:
    assert ContentChange(platform=_AMD64, old=_OLD, new=_NEW).differences == (
        Difference("NEW", None, ""),
        Difference("OLD", "x", None),
        Difference("VERSION", "1", "2"),
        Difference("command", "a", None),
    )


def test_people_read_what_changed() -> None:
    assert list(content_lines(ContentChange(platform=_AMD64, old=_OLD, new=_NEW))) == [
        "linux/amd64: 1 of 3 layers as before, 2 -> 3; 6.0 kB -> 8.0 kB",
        "  NEW: unset -> empty",
        "  OLD: x -> unset",
        "  VERSION: 1 -> 2",
        "  command: a -> unset",
    ]


def test_an_image_that_is_gone_can_only_be_named() -> None:
    change = ContentChange(platform=_AMD64, old=None, new=_NEW)
    assert (change.differences, change.removed_layers) == ((), ())
    assert list(content_lines(change)) == [
        "linux/amd64: what was locked is no longer served; now 3 layers, 8.0 kB",
    ]

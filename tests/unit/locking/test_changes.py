from __future__ import annotations

from dataclasses import replace

from imagelock.images_file.declaration import Alias
from imagelock.locking.changes import Added, Change, Removed, Updated, find_changes
from imagelock.locking.lockfile import LockedImage, Lockfile
from imagelock.model.digest import Digest
from imagelock.model.labels import Labels
from imagelock.model.platforms import Platform, PlatformDigest
from imagelock.model.reference import RegistryName, Repository, parse_repository
from imagelock.model.selector import ExactTag

AMD64, ARM64, S390X = (Platform.parse(f"linux/{name}") for name in ("amd64", "arm64", "s390x"))


def _digest(content: str) -> Digest:
    return Digest.of(content.encode())


def _image(alias: str = "go", *, index: str = "index", **contents: str) -> LockedImage:
    platforms = contents or {"amd64": "one", "arm64": "two"}
    return LockedImage(
        alias=Alias(alias),
        repository=parse_repository("golang"),
        selector=ExactTag("1.22"),
        tag="1.22",
        digest=_digest(index),
        platform_digests=tuple(
            PlatformDigest(Platform.parse(f"linux/{name}"), _digest(content)) for name, content in platforms.items()
        ),
    )


def _updated(old: LockedImage, new: LockedImage) -> Updated:
    (change,) = find_changes(Lockfile((old,)), Lockfile((new,)))
    assert change == Updated(old, new)
    return change


def test_equal_lockfiles_have_no_changes() -> None:
    assert find_changes(Lockfile((_image(),)), Lockfile((_image(),))) == ()


def test_changes_are_sorted_by_alias_whatever_happened() -> None:
    a, b, d, e = (replace(_image(alias), repository=Repository(RegistryName("ghcr.io"), alias)) for alias in "abde")
    moved = replace(d, digest=_digest("moved"))

    changes = find_changes(Lockfile((b, d, e)), Lockfile((a, b, moved)))

    assert changes == (Added(a), Updated(d, moved), Removed(e))
    assert [change.alias for change in changes] == ["a", "d", "e"]


def test_a_platform_has_moved_if_it_was_locked_with_other_content() -> None:
    change = _updated(_image(amd64="one", arm64="two"), _image(amd64="one", arm64="new", s390x="three"))

    assert (change.moved_platforms, change.gained_platforms, change.lost_platforms) == ((ARM64,), (S390X,), ())


def test_a_platform_that_is_gone_is_lost_and_has_not_moved() -> None:
    change = _updated(_image(amd64="one", arm64="two"), _image(arm64="two"))

    assert (change.moved_platforms, change.gained_platforms, change.lost_platforms) == ((), (), (AMD64,))


def test_an_index_that_moved_alone_is_a_change_without_platforms() -> None:
    change = _updated(_image(), _image(index="pushed again"))

    assert (change.moved_platforms, change.gained_platforms, change.lost_platforms) == ((), (), ())


def test_another_copy_of_the_declaration_is_a_change() -> None:
    change = _updated(_image(), replace(_image(), selector=ExactTag("1.22.0")))

    assert (change.moved_platforms, change.gained_platforms, change.lost_platforms) == ((), (), ())


def test_what_moved_is_told_with_its_labels_against_the_entry_of_the_lockfile() -> None:
    old, new = _image(index="old"), _image(index="new")
    of_another_side = _image(index="another")
    more_of_old, more_of_new = (replace(image, labels=Labels(version="1.22.1")) for image in (old, new))

    def find(told: LockedImage) -> tuple[Change, ...]:
        return find_changes(Lockfile((old,)), Lockfile((new,)), told=[(told, more_of_new)])

    assert find(more_of_old) == (Updated(more_of_old, more_of_new),)
    assert find(of_another_side) == (Updated(old, more_of_new),)

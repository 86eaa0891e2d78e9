from __future__ import annotations

import pytest

from imagelock.errors import LockfileError
from imagelock.images_file.declaration import Alias
from imagelock.images_file.parser import parse_images_file
from imagelock.locking.clean_merge import mend_clean_merge, settle_mixture
from imagelock.locking.lockfile import Lockfile, parse_lockfile
from imagelock.locking.merge import Merged, merge_conflict
from imagelock.locking.plan import Unsettled, plan_lock, run_steps
from tests.support.lock_runs import NOW
from tests.support.locked_images import HEADER, lock_text, locked
from tests.support.memory_source import MemorySource

_IMAGES = 'platforms = ["linux/amd64"]\n[images]\n'
_RANGE = '{ image = "a", version = ">=1,<2" }'


def _entry(  # noqa: PLR0913  the keys of an entry
    alias: str,
    *,
    index: str = "index",
    tag: str = "1",
    declared: str | None = None,
    platforms: str = "linux/amd64",
    repository: str | None = None,
    has_checksum: bool = True,
) -> str:
    return lock_text(
        alias=alias,
        repository=f"docker.io/library/{repository or alias}",
        declared=declared or f'tag = "{tag}"',
        tag=tag,
        index=index,
        platforms=platforms,
        has_checksum=has_checksum,
    )


def _in_range(tag: str, *, index: str) -> str:
    return _entry("a", tag=tag, index=index, declared='version = "<2,>=1", tag = "{version}"')


def _merge(images: str, ours: str, theirs: str, *, around: str = "", ancestor: str = "") -> Merged:
    text = (
        f"{HEADER}version = 1\n{around}<<<<<<< HEAD\n{ours}"
        f"{ancestor and '||||||| 1234567' + chr(10) + ancestor}=======\n{theirs}>>>>>>> branch\n"
    )
    return merge_conflict(text, parse_images_file(_IMAGES + images))


def _lockfile(*entries: str) -> Lockfile:
    return Lockfile(tuple(locked(entry) for entry in entries))


def _settled(merged: Merged, *entries: str) -> bool:
    return (merged.lockfile, merged.unsettled) == (_lockfile(*entries), Unsettled())


def _chosen_again(merged: Merged, entry: str) -> bool:
    other = Unsettled(other_index=frozenset({Alias("a")}))
    return (merged.lockfile, merged.unsettled) == (_lockfile(entry), other)


def test_images_that_both_sides_added_are_kept() -> None:
    merged = _merge('a = "a:1"\nb = "b:1"\nz = "z:1"', _entry("a"), _entry("b"), around=_entry("z"))
    assert _settled(merged, _entry("a"), _entry("b"), _entry("z"))
    assert [image.alias for image in merged.before.images] == ["a", "z", "b"]


@pytest.mark.parametrize("has_checksum", [True, False])
def test_sides_that_agree_are_kept(*, has_checksum: bool) -> None:
    entry = _entry("a", has_checksum=has_checksum)
    assert _settled(_merge('a = "a:1"', entry, entry), entry)


def test_content_on_which_the_sides_disagree_is_chosen_again() -> None:
    ours, theirs = _entry("a", index="x"), _entry("a", index="y")
    merged = _merge('a = "a:1"', ours, theirs, ancestor=_entry("a"))
    assert _chosen_again(merged, ours)
    assert merged.before == _lockfile(ours)


@pytest.mark.parametrize(("ours", "theirs"), [("1.1", "1.2"), ("1.2", "1.1")])
def test_a_range_is_chosen_again_from_the_newer_tag_of_the_two(ours: str, theirs: str) -> None:
    merged = _merge(f"a = {_RANGE}", _in_range(ours, index="x"), _in_range(theirs, index="y"))
    newer = {"1.1": "y", "1.2": "x"}[ours]
    assert _chosen_again(merged, _in_range("1.2", index=newer))


def test_a_floating_tag_may_be_the_other_side_of_an_exact_one() -> None:
    merged = _merge(f"a = {_RANGE}", _in_range("1.2", index="x"), _in_range("1.2.3", index="y"))
    assert _chosen_again(merged, _in_range("1.2.3", index="y"))


def test_the_side_that_alone_satisfies_images_toml_is_kept() -> None:
    new = _entry("a", tag="2", index="new")
    assert _settled(_merge('a = "a:2"', _entry("a"), new), new)
    assert _settled(_merge('a = "a:2"', new, _entry("a")), new)


def test_a_side_without_checksum_is_no_proof_that_its_digests_are_its_own() -> None:
    new = _entry("a", tag="2", index="new", has_checksum=False)
    assert _chosen_again(_merge('a = "a:2"', _entry("a"), new), new)


def test_platforms_on_which_the_sides_disagree_are_read_from_the_index_that_both_lock() -> None:
    images = 'a = { image = "a:1", platforms = ["linux/amd64", "linux/arm64", "linux/s390x"] }'
    ours, theirs = _entry("a", platforms="linux/amd64 linux/arm64"), _entry("a", platforms="linux/amd64 linux/s390x")
    for frozen in ("", ', freeze = "why"'):
        merged = _merge(images.replace(" }", f"{frozen} }}"), ours, theirs)
        assert (merged.lockfile, merged.unsettled) == (
            _lockfile(ours),
            Unsettled(same_index=frozenset({Alias("a")})),
        )


def test_of_two_sides_with_one_index_that_which_matches_images_toml_needs_no_registry() -> None:
    images = 'a = { image = "a:1", platforms = ["linux/amd64", "linux/arm64"] }'
    both = _entry("a", platforms="linux/amd64 linux/arm64")
    assert _settled(_merge(images, _entry("a"), both), both)


def test_a_renamed_image_is_one_image() -> None:
    base = _entry("base", repository="a")
    merged = _merge('base = "a:1"', _entry("a"), base)
    assert _settled(merged, base)
    assert merged.before == _lockfile(_entry("a"))


def test_a_frozen_image_is_that_of_the_side_which_declares_it_so() -> None:
    other = _entry("b", repository="a", tag="1.0.0", index="x")
    frozen = _in_range("1.1.0", index="y")
    images = 'a = { image = "a", version = ">=1,<2", freeze = "why" }'
    for ours, theirs in ((other, frozen), (frozen, other)):
        assert _settled(_merge(images, ours, theirs), frozen)


def test_frozen_images_with_other_content_on_each_side_are_an_error_that_names_them_all() -> None:
    images = 'a = { image = "a:1", freeze = "why" }\nb = { image = "b:1", freeze = "so" }'
    sides = [_entry("a", index=side) + _entry("b", index=side) for side in ("x", "y")]
    with pytest.raises(LockfileError) as raised:
        _merge(images, *sides)
    x, y = (locked(_entry("a", index=side)).digest.short for side in ("x", "y"))
    assert (raised.value.message, raised.value.details) == (
        "cannot merge the two sides of images.lock; it is unchanged",
        (f"a: frozen (why), and the sides lock {x} and {y}", f"b: frozen (so), and the sides lock {x} and {y}"),
    )


def test_what_satisfies_images_toml_on_neither_side_is_left_to_the_plan() -> None:
    assert _settled(_merge('a = "a:3"', _entry("a"), _entry("a", tag="2", index="y")), _entry("a"))


def test_what_is_not_declared_is_dropped_and_told() -> None:
    merged = _merge('b = "b:1"', _entry("a"), "")
    assert _settled(merged)
    assert merged.before == _lockfile(_entry("a"))


def test_no_side_is_trusted_to_have_every_platform() -> None:
    """Git combines the word of one side with the platforms of the other, without a wrong checksum."""
    every = _entry("a", declared='tag = "1", platforms = "all"')
    merged = _merge('a = { image = "a:1", platforms = "all" }', every, _entry("a", platforms="linux/arm64"))
    assert merged.unsettled == Unsettled(same_index=frozenset({Alias("a")}))


_ORIGINALS = tuple(f"{HEADER}version = 1\n{_entry('a', index='a')}{_entry('b', index=index)}" for index in ("x", "y"))


def _merge_mixed(images: str, text: str, *, has_originals: bool = True) -> Merged:
    originals = (_ORIGINALS[0], _ORIGINALS[1]) if has_originals else None
    return merge_conflict(text, parse_images_file(_IMAGES + images), read_originals=lambda: originals)


def test_an_entry_that_git_has_mixed_is_taken_from_the_files_before_the_merge() -> None:
    """Lines of two images were paired: a side has a table without its head, and another one twice."""
    whole = f"{HEADER}version = 1\n{_entry('a', index='a')}"
    torn = '\n[images.b.platforms]\n"linux/amd64" = "sha256:00"\n'
    text = f"{whole}<<<<<<< HEAD\n{torn}=======\n{torn}{torn}>>>>>>> branch\n"
    merged = _merge_mixed('a = "a:1"\nb = "b:1"', text)
    assert (merged.lockfile, merged.unsettled) == (
        _lockfile(_entry("a", index="a"), _entry("b", index="x")),
        Unsettled(other_index=frozenset({Alias("b")})),
    )


def test_a_mixture_of_two_entries_is_taken_from_the_files_before_the_merge() -> None:
    ours, theirs = (_entry("b", index=index) for index in ("x", "y"))
    digests = [str(locked(entry).digest) for entry in (ours, theirs)]
    # Git took the index of theirs without a conflict, and left one about the checksum.
    mixed = [entry.replace(digests[0], digests[1]) for entry in (ours, theirs)]
    start, lines = mixed[0].partition("checksum")[0], [entry.partition("checksum")[2] for entry in mixed]
    text = f"{HEADER}version = 1\n{start}<<<<<<< HEAD\nchecksum{lines[0]}=======\nchecksum{lines[1]}>>>>>>> branch\n"
    assert _merge_mixed('b = "b:1"', text).unsettled == Unsettled(other_index=frozenset({Alias("b")}))
    merged = _merge_mixed('b = "b:1"', text, has_originals=False)
    assert (str(merged.lockfile.images[0].digest), merged.unsettled.other_index) == (digests[1], frozenset())


def test_an_image_whose_name_moved_on_one_side_is_found_in_the_files_before_the_merge() -> None:
    """Ours swapped two names: git keeps ours for one name, and leaves a conflict about the other."""
    exact, ranged = _entry("a", tag="1.1", index="exact"), _in_range("1.2", index="ranged")
    in_web = ranged.replace("[images.a", "[images.web")
    text = (
        f"{HEADER}version = 1\n{exact}<<<<<<< HEAD\n{in_web}=======\n"
        f"{exact.replace('[images.a', '[images.web')}>>>>>>> branch\n"
    )
    originals = (f"{HEADER}version = 1\n{exact}{in_web}", f"{HEADER}version = 1\n{ranged}{exact.replace('.a', '.web')}")
    images = parse_images_file(f'{_IMAGES}a = "a:1.1"\nweb = {{ image = "a", version = ">=1,<2" }}')
    merged = merge_conflict(text, images, read_originals=lambda: originals)
    assert merged.unsettled == Unsettled()
    assert [(image.alias, str(image.tag)) for image in merged.lockfile.images] == [("a", "1.1"), ("web", "1.2")]


def test_labels_are_those_of_the_content_whichever_lines_git_took() -> None:
    ours, theirs = (_entry("b", index=index) for index in ("x", "y"))
    right = f'\n[images.a.labels]\nversion = "right"\n{_entry("a")[1:]}'
    mixed = right.replace('"right"', '"of another image"')
    start = f"{HEADER}version = 1\n"
    text = f"{start}{mixed}<<<<<<< HEAD\n{ours}=======\n{theirs}>>>>>>> branch\n"
    originals = (f"{start}{right}{ours}", f"{start}{right}{theirs}")
    images = parse_images_file(f'{_IMAGES}a = "a:1"\nb = "b:1"')
    merged = merge_conflict(text, images, read_originals=lambda: originals)
    assert [image.labels.version for image in merged.lockfile.images] == ["right", None]


def test_without_those_files_what_git_has_mixed_is_not_locked_and_the_rest_is_kept() -> None:
    torn = '\n[images.b.platforms]\n"linux/amd64" = "sha256:00"\n'
    text = f"{HEADER}version = 1\n{_entry('a')}<<<<<<< HEAD\n{torn}=======\n{torn}{torn}>>>>>>> branch\n"
    assert _settled(_merge_mixed('a = "a:1"\nb = "b:1"', text, has_originals=False), _entry("a"))


def test_what_was_chosen_by_hand_beside_a_torn_entry_stays() -> None:
    chosen = f"{HEADER}version = 1\n{_entry('a', index='mine')}"
    torn = '\n[images.b.platforms]\n"linux/amd64" = "sha256:00"\n'
    text = f"{chosen}<<<<<<< HEAD\n{torn}=======\n{torn}{torn}>>>>>>> branch\n"
    assert _merge_mixed('a = "a:1"', text).lockfile == _lockfile(_entry("a", index="mine"))


def _mend(images: str, text: str, parents: tuple[str, str] | None = None) -> Merged | None:
    return mend_clean_merge(text, parse_images_file(_IMAGES + images), read_parents=lambda: parents)


def test_a_table_that_a_clean_merge_has_twice_is_two_entries_that_follow_their_images() -> None:
    """One branch renamed an image, the other one gave its new name to another."""
    start = f"{HEADER}version = 1\n"
    text = f"{start}{_entry('web', repository='a')}{_entry('web', repository='b')}"
    merged = _mend('web = "b:1"\nbase = "a:1"', text)
    assert merged is not None
    assert [str(image.repository) for image in merged.lockfile.images] == [
        "docker.io/library/a",
        "docker.io/library/b",
    ]
    result = run_steps(
        plan_lock(parse_images_file(f'{_IMAGES}web = "b:1"\nbase = "a:1"'), merged.lockfile, now=NOW), MemorySource()
    )
    assert [(image.alias, str(image.repository)[-1]) for image in result.lockfile.images] == [
        ("base", "a"),
        ("web", "b"),
    ]


def test_an_image_that_a_clean_merge_has_twice_is_not_chosen_by_its_place() -> None:
    text = f"{HEADER}version = 1\n{_entry('a', index='x')}{_entry('b')}{_entry('a', index='y')}"
    merged = _mend('a = "a:1"\nb = "b:1"', text)
    assert merged is not None
    assert merged.unsettled == Unsettled(other_index=frozenset({Alias("a")}))
    assert [image.alias for image in merged.lockfile.images] == ["a", "b"]
    with pytest.raises(LockfileError) as raised:
        _mend('a = { image = "a:1", freeze = "why" }\nb = "b:1"', text)
    assert raised.value.details[0].startswith("a: frozen (why), and the sides lock ")


def test_a_clean_merge_is_merged_again_from_its_parents_where_git_has_them() -> None:
    start = f"{HEADER}version = 1\n"
    parents = (f"{start}{_entry('a', index='x')}", f"{start}{_entry('a', index='y')}")
    merged = _mend('a = "a:1"', f"{start}{_entry('a')}{_entry('a')}", parents)
    assert merged is not None
    assert (merged.unsettled.other_index, merged.had_markers) == (frozenset({"a"}), False)


def test_a_damaged_entry_of_a_clean_merge_is_merged_again_from_both_sides() -> None:
    """Git took the index of another image, which the repository also has: nothing else says which one was locked."""
    start = f"{HEADER}version = 1\n"
    locked_by_both = _entry("a", index="x")
    mixed = locked_by_both.replace(str(locked(locked_by_both).digest), str(locked(_entry("b", index="y")).digest))
    lockfile = parse_lockfile(f"{start}{mixed}{_entry('b', index='y')}")
    images_file = parse_images_file(f'{_IMAGES}a = "a:1"\nb = "b:1"')
    side = f"{start}{locked_by_both}{_entry('b', index='old')}"
    merged = settle_mixture(lockfile, images_file, read_parents=lambda: (side, side))
    assert merged is not None
    assert _settled(merged, locked_by_both, _entry("b", index="y"))
    assert settle_mixture(lockfile, images_file) is None
    whole = _lockfile(locked_by_both, _entry("b", index="old"))
    assert settle_mixture(whole, images_file, read_parents=lambda: (side, side)) is None


@pytest.mark.parametrize(
    "text",
    [
        "[images.a",
        _entry("a") + '\n[images.b.platforms]\n"linux/amd64" = "sha256:00"\n',
        _entry("a") + _entry("a").replace("checksum = ", "checksum = 5 #"),
        _entry("a") + _entry("a", has_checksum=False),
        _entry("a") + _entry("a").replace('"sha256:', '"sha256:0', 1),
        "x\n" + _entry("a") + _entry("a"),
    ],
)
def test_nothing_is_mended_where_something_would_be_lost(text: str) -> None:
    assert _mend('a = "a:1"', f"{HEADER}version = 1\n{text}") is None


def test_a_side_that_is_damaged_by_itself_is_an_error() -> None:
    with pytest.raises(LockfileError, match=r"^images\.lock is damaged$"):
        _merge('a = "a:1"', "x\n", _entry("a"))


@pytest.mark.parametrize("takes_originals", [True, False])
def test_an_image_that_one_side_renamed_and_the_other_one_updated_does_not_go_back(*, takes_originals: bool) -> None:
    """Git takes the renamed entry without a conflict: then our side has two entries for one image."""
    updated, renamed = _in_range("1.2", index="new"), _in_range("1.1", index="old").replace("[images.a", "[images.web")
    other = _entry("a", tag="9", index="other", repository="b")
    text = f"{HEADER}version = 1\n<<<<<<< HEAD\n{updated}=======\n{other}>>>>>>> branch\n{renamed}"
    ours = f"{HEADER}version = 1\n{updated}{other.replace('[images.a', '[images.web')}"
    originals = (ours, f"{HEADER}version = 1\n{other}{renamed}") if takes_originals else None
    images = parse_images_file(f'{_IMAGES}a = "b:9"\nweb = {{ image = "a", version = ">=1,<2" }}')
    merged = merge_conflict(text, images, read_originals=lambda: originals)
    assert merged.unsettled == Unsettled(other_index=frozenset({Alias("web")}))
    assert {str(image.tag): image.digest for image in merged.lockfile.images} == {
        "9": locked(other).digest,
        "1.2": locked(updated).digest,
    }


def test_a_rename_of_what_is_the_same_on_both_sides_asks_nothing() -> None:
    every = _entry("a", declared='tag = "1", platforms = "all"')
    text = f"{every}\n<<<<<<< HEAD\n{_entry('c')}=======\n>>>>>>> branch\n{every.replace('[images.a', '[images.web')}"
    images = parse_images_file('[images]\nweb = "a:1"')
    merged = merge_conflict(f"{HEADER}version = 1\n{text}", images)
    assert (merged.unsettled, [image.alias for image in merged.lockfile.images]) == (Unsettled(), ["web"])

"""What is written is what is read: lockfiles, platforms and references of every kind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imagelock.images_file.declaration import Alias
from imagelock.locking.changes import Added, Change, Removed, find_changes
from imagelock.locking.lockfile import LockedImage, Lockfile, dump_lockfile, parse_lockfile
from imagelock.model.digest import Digest
from imagelock.model.labels import LABEL_NAMES, Labels
from imagelock.model.platforms import Platform, PlatformDigest, by_name
from imagelock.model.reference import (
    LayoutRepository,
    RegistryName,
    Repository,
    is_tag,
    parse_canonical_repository,
    parse_reference,
)
from imagelock.model.selector import ExactDigest, ExactTag, Selector
from imagelock.model.tags.version_range import VersionRange, parse_version_range

_ALIASES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,20}", fullmatch=True)
_TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True).map(str)
_DIGESTS = st.builds(Digest.of, st.binary(max_size=4), algorithm=st.sampled_from(["sha256", "sha512"]))
_PATHS = st.from_regex(r"[a-z0-9]{1,5}(?:(?:[._]|__|-{1,3}|/)[a-z0-9]{1,5}){0,3}", fullmatch=True)
_REGISTRIES = st.sampled_from(["ghcr.io", "localhost", "localhost:5000", "myhost", "[::1]:5000", "127.0.0.1"])
_REPOSITORIES = st.one_of(
    st.builds(Repository, _REGISTRIES.map(RegistryName), _PATHS),
    st.builds(Repository, st.just(RegistryName("docker.io")), _PATHS.map("library/{}".format)),
    st.builds(LayoutRepository, st.text(min_size=1).filter(str.isprintable)),
)
_WORDS = st.from_regex(r"[A-Za-z0-9_.-]{1,8}", fullmatch=True).filter(lambda word: word.lower() != "unknown")
_PLATFORMS = st.builds(
    Platform.of,
    st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True),
    st.one_of(st.sampled_from(["amd64", "arm", "arm64", "aarch64", "x86_64", "i386", "armhf"]), _WORDS),
    st.one_of(st.sampled_from(["", "v1", "v8", "7", "9.0"]), _WORDS),
    os_version=st.one_of(st.just(""), _WORDS),
    os_features=st.lists(_WORDS, max_size=2, unique=True).map(sorted).map(tuple),
)

_LABELS = st.dictionaries(
    st.sampled_from(LABEL_NAMES).map("org.opencontainers.image.{}".format), st.text(max_size=12)
).map(lambda annotations: Labels.of(annotations.items()))
"""What peers may say, whatever it is."""


def _range(version: str, tag: str | None, precision: int | None, *, prereleases: bool) -> VersionRange:
    wanted = parse_version_range(version=version, tag=tag, precision=precision, prereleases=prereleases)
    assert wanted is not None
    return wanted


_SELECTORS: st.SearchStrategy[Selector] = st.one_of(
    st.builds(ExactTag, _TAGS),
    st.builds(ExactDigest, _DIGESTS, st.none() | _TAGS),
    st.builds(
        _range,
        st.sampled_from([">=1,<2", "==3.*", "!=2,>1", "*"]),
        st.sampled_from([None, "{version}-slim", "v{version}_{build}", "{date}"]),
        st.none() | st.integers(1, 4),
        prereleases=st.booleans(),
    ),
)


@st.composite
def _locked_images(draw: st.DrawFn, alias: str) -> LockedImage:
    digest = draw(_DIGESTS)
    tag = draw(st.none() | _TAGS)
    selector = draw(_SELECTORS if tag else st.just(ExactDigest(digest)))
    platforms = draw(st.lists(_PLATFORMS, min_size=1, max_size=4, unique=True))
    return LockedImage(
        alias=Alias(alias),
        repository=draw(_REPOSITORIES),
        selector=selector,
        all_platforms=draw(st.booleans()),
        tag=tag,
        digest=digest,
        platform_digests=by_name(PlatformDigest(platform, draw(_DIGESTS)) for platform in platforms),
        labels=draw(_LABELS),
    )


@st.composite
def _lockfiles(draw: st.DrawFn) -> Lockfile:
    aliases = sorted(draw(st.sets(_ALIASES, max_size=4)))
    return Lockfile(tuple(draw(_locked_images(alias)) for alias in aliases))


@given(_lockfiles())
def test_what_was_written_is_read_and_written_again_as_it_was(lockfile: Lockfile) -> None:
    text = dump_lockfile(lockfile)
    assert parse_lockfile(text) == lockfile
    assert parse_lockfile(text.replace("\n", "\r\n")) == lockfile
    assert dump_lockfile(parse_lockfile(text)) == text


@given(_lockfiles(), _lockfiles())
def test_a_lockfile_differs_from_itself_nowhere_and_from_others_in_what_they_have(old: Lockfile, new: Lockfile) -> None:
    assert find_changes(old, old) == ()
    changes = find_changes(old, new)
    changed = {image.alias for change in changes for image in _images_after(change)}
    same = [image for image in new.images if image.alias not in changed]
    accounted = [image for change in changes for image in _images_before(change)] + same
    assert sorted(accounted, key=lambda image: image.alias) == list(old.images)
    assert {image.alias for image in new.images} == changed | {image.alias for image in same}


def _images_before(change: Change) -> list[LockedImage]:
    return [] if isinstance(change, Added) else [change.image if isinstance(change, Removed) else change.old]


def _images_after(change: Change) -> list[LockedImage]:
    return [] if isinstance(change, Removed) else [change.image if isinstance(change, Added) else change.new]


@given(_PLATFORMS)
def test_a_platform_is_read_from_its_name_and_matches_itself(platform: Platform) -> None:
    assert Platform.parse(str(platform)) == platform
    assert platform.matches(platform)


@given(_REPOSITORIES)
def test_a_repository_is_read_from_its_canonical_name(repository: Repository | LayoutRepository) -> None:
    assert parse_canonical_repository(str(repository)) == repository


@given(st.builds(Repository, st.just(RegistryName("ghcr.io")), _PATHS), _TAGS)
def test_a_reference_is_read_from_what_it_prints(repository: Repository, tag: str) -> None:
    assert is_tag(tag)
    reference = parse_reference(f"{repository}:{tag}")
    assert parse_reference(str(reference)) == reference

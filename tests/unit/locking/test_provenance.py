from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from imagelock.errors import AuthenticationError, ImageNotFoundError, TemporaryError
from imagelock.locking.attestations import find_provenance
from imagelock.locking.provenance import ImageProvenance, Origin, PlatformProvenance, Verdict, worst_verdict
from imagelock.model.reference import TagReference, parse_repository
from tests.support.attestations import V02, V1, Shape, attestation, dependency, statement
from tests.support.lock_runs import GO, locked
from tests.support.memory_source import MemorySource
from tests.support.oci_images import Content, IndexEntry, image_index, multi_platform_image, platform_image

_APP = TagReference(parse_repository("registry.example.com/app"), "1")
_IMAGE = platform_image("linux/amd64")
_OTHER = multi_platform_image("linux/amd64", "linux/arm64", note="other")


def _go(source: MemorySource) -> Content:
    return source.tags[f"{GO}:1"]


def _find(source: MemorySource, *entries: IndexEntry) -> ImageProvenance:
    lockfile = locked(source)
    source.push(str(_APP), image_index(*entries))
    source.requests.clear()
    return find_provenance(_APP, lockfile, source)


def _judge(source: MemorySource, dependencies: Sequence[Mapping[str, object]]) -> PlatformProvenance:
    [found] = _find(source, _IMAGE, attestation(_IMAGE, statement(dependencies, subjects=[_IMAGE.digest]))).platforms
    return found


@pytest.mark.parametrize("shape", ["artifact", "image"])
@pytest.mark.parametrize("predicate_type", [V1, V02])
def test_a_base_with_the_locked_index_is_from_the_lock(source: MemorySource, shape: Shape, predicate_type: str) -> None:
    go = dependency("pkg:docker/go@1?platform=linux%2Famd64", _go(source).digest)
    document = statement([go], subjects=[_IMAGE.digest], predicate_type=predicate_type)
    found = _find(source, _IMAGE, attestation(_IMAGE, document, shape=shape, predicate_type=predicate_type))
    assert found.verdict is Verdict.YES
    [[base]] = [platform.bases for platform in found.platforms]
    assert (base.origin, [image.alias for image in base.locked], base.is_frontend) == (
        Origin.LOCKED_INDEX,
        ["go"],
        False,
    )


def test_reading_costs_the_index_and_a_manifest_and_a_blob_for_each_platform(source: MemorySource) -> None:
    found = _judge(source, [dependency("pkg:docker/go@1?platform=linux%2Famd64", _go(source).digest)])
    assert found.verdict is Verdict.YES
    assert [request.split()[0] for request in source.requests] == ["GET", "GET", "BLOB"]


def test_a_base_with_a_locked_platform_is_from_the_lock(source: MemorySource) -> None:
    digest = _go(source).children[0].digest
    found = _judge(source, [dependency(f"pkg:docker/go@1?digest={digest}&platform=linux%2Famd64", digest)])
    assert (found.verdict, found.bases[0].origin) == (Verdict.YES, Origin.LOCKED_PLATFORM)


def test_a_platform_that_is_not_locked_is_another_digest(source: MemorySource) -> None:
    digest = _go(source).children[2].digest
    found = _judge(source, [dependency("pkg:docker/go@1?platform=linux%2Fs390x", digest)])
    assert (found.verdict, found.bases[0].origin) == (Verdict.NO, Origin.OTHER_DIGEST)


def test_digests_of_two_algorithms_may_be_of_one_content(source: MemorySource) -> None:
    digest = f"sha512:{'a' * 128}"
    found = _judge(source, [{"uri": "pkg:docker/go@1?platform=linux%2Famd64", "digest": {"sha512": "a" * 128}}])
    assert (found.verdict, found.bases) == (Verdict.CANNOT_SAY, ())
    assert found.problem is not None
    assert found.problem.endswith(f"`{digest}` cannot be compared with a locked digest of another algorithm")


def test_the_name_does_not_matter_where_the_digest_is_locked(source: MemorySource) -> None:
    mirrored = "pkg:docker/127.0.0.1%3A5000/hub/go@x?platform=linux%2Famd64"
    assert _judge(source, [dependency(mirrored, _go(source).digest)]).verdict is Verdict.YES


def test_a_layout_context_is_judged_by_its_digest(source: MemorySource) -> None:
    digest = _go(source).digest
    found = _judge(source, [dependency(f"pkg:oci/go@1?digest={digest}", digest)])
    assert (found.verdict, found.bases[0].is_frontend) == (Verdict.YES, False)


def test_another_digest_of_a_locked_image_is_named_with_the_locked_one(source: MemorySource) -> None:
    found = _judge(source, [dependency("pkg:docker/go@1?platform=linux%2Famd64", _OTHER.digest)])
    [base] = found.bases
    assert (found.verdict, base.origin, str(base.reference.digest)) == (Verdict.NO, Origin.OTHER_DIGEST, _OTHER.digest)
    assert [str(image.digest) for image in base.locked] == [_go(source).digest]


def test_the_version_of_another_digest_is_looked_up_where_it_is_served(source: MemorySource) -> None:
    version = {"org.opencontainers.image.version": "1.0.7"}
    other = source.push(f"{GO}:old", image_index(platform_image("linux/amd64", labels=version)))
    found = _judge(source, [dependency("pkg:docker/go@1?platform=linux%2Famd64", other.digest)])
    assert found.bases[0].version == "1.0.7"


def test_an_image_that_is_not_locked_is_a_no_beside_locked_ones(source: MemorySource) -> None:
    go = dependency("pkg:docker/go@1?platform=linux%2Famd64", _go(source).digest)
    evil = dependency("pkg:docker/evil@1?platform=linux%2Famd64", _OTHER.digest)
    found = _judge(source, [go, evil])
    assert found.verdict is Verdict.NO
    assert [base.origin for base in found.bases] == [Origin.LOCKED_INDEX, Origin.NOT_LOCKED]


def test_the_image_of_the_frontend_counts_once_and_is_told_apart(source: MemorySource) -> None:
    digest = _OTHER.digest
    syntax = [
        dependency(f"pkg:docker/docker/dockerfile@1?digest={digest}", digest),
        dependency(f"pkg:docker/docker/dockerfile@1?digest={digest}&platform=linux%2Famd64", digest),
    ]
    found = _judge(source, [dependency("pkg:docker/go@1?platform=linux%2Famd64", _go(source).digest), *syntax])
    assert found.verdict is Verdict.NO
    assert [(base.origin, base.is_frontend) for base in found.bases] == [
        (Origin.LOCKED_INDEX, False),
        (Origin.NOT_LOCKED, True),
    ]


@pytest.mark.parametrize(
    ("dependencies", "problem"),
    [
        ([], "its attestation lists no image"),
        ([dependency("https://github.com/acme/app.git#main")], "its attestation lists no image"),
        (
            [dependency("pkg:docker/go@1")],
            "dependency 1 of its attestation cannot be read: `docker.io/library/go` has no digest",
        ),
        (
            [dependency(f"pkg:docker/go@1?digest={_OTHER.digest}", _IMAGE.digest)],
            f"dependency 1 of its attestation cannot be read: it names the digests {_OTHER.digest} and {_IMAGE.digest}",
        ),
    ],
)
def test_where_no_image_is_listed_or_one_is_unreadable_nothing_is_said(
    source: MemorySource, dependencies: list[Mapping[str, object]], problem: str
) -> None:
    found = _judge(source, dependencies)
    assert (found.verdict, found.problem) == (Verdict.CANNOT_SAY, problem)


def test_one_unreadable_dependency_is_enough_to_say_nothing(source: MemorySource) -> None:
    go = dependency("pkg:docker/go@1?platform=linux%2Famd64", _go(source).digest)
    assert _judge(source, [go, dependency("pkg:docker/x@1")]).verdict is Verdict.CANNOT_SAY


def test_what_is_no_image_does_not_count(source: MemorySource) -> None:
    go = dependency("pkg:docker/go@1?platform=linux%2Famd64", _go(source).digest)
    assert _judge(source, [go, dependency("https://example.com/file", _OTHER.digest)]).verdict is Verdict.YES


def test_each_platform_is_judged_and_any_no_counts(source: MemorySource) -> None:
    arm = platform_image("linux/arm64")
    right = statement([dependency("pkg:docker/go@1?platform=linux%2Famd64", _go(source).digest)])
    wrong = statement([dependency("pkg:docker/go@1?platform=linux%2Farm64", _OTHER.digest)])
    found = _find(source, _IMAGE, arm, attestation(_IMAGE, right), attestation(arm, wrong))
    assert [(str(each.platform), each.verdict) for each in found.platforms] == [
        ("linux/amd64", Verdict.YES),
        ("linux/arm64", Verdict.NO),
    ]
    assert found.verdict is Verdict.NO


def test_a_platform_without_attestation_is_not_covered_by_another_ones(source: MemorySource) -> None:
    right = statement([dependency("pkg:docker/go@1?platform=linux%2Famd64", _go(source).digest)])
    found = _find(source, _IMAGE, platform_image("linux/arm64"), attestation(_IMAGE, right))
    assert [each.verdict for each in found.platforms] == [Verdict.YES, Verdict.CANNOT_SAY]
    assert (found.verdict, found.platforms[1].problem) == (Verdict.CANNOT_SAY, "it has no attestation")


def test_a_statement_about_another_image_says_nothing(source: MemorySource) -> None:
    go = dependency("pkg:docker/go@1?platform=linux%2Famd64", _go(source).digest)
    [found] = _find(source, _IMAGE, attestation(_IMAGE, statement([go], subjects=[_OTHER.digest]))).platforms
    assert (found.verdict, found.problem) == (Verdict.CANNOT_SAY, "its attestation is about another image")


def test_an_attestation_whose_subject_is_another_image_says_nothing(source: MemorySource) -> None:
    go = dependency("pkg:docker/go@1?platform=linux%2Famd64", _go(source).digest)
    entry = attestation(_IMAGE, statement([go]), about=_OTHER.digest)
    moved = IndexEntry(
        content=entry.content,
        platform=entry.platform,
        annotations=dict(entry.annotations) | {"vnd.docker.reference.digest": _IMAGE.digest},
    )
    [found] = _find(source, _IMAGE, moved).platforms
    assert (found.verdict, found.problem) == (
        Verdict.CANNOT_SAY,
        f"the attestation {entry.digest} is about another image",
    )


@pytest.mark.parametrize(
    ("document", "problem"),
    [(b"{", "the statement {} is not JSON"), (b"{}", "the statement {} is not an in-toto statement")],
)
def test_an_unreadable_statement_says_nothing(source: MemorySource, document: bytes, problem: str) -> None:
    entry = attestation(_IMAGE, document)
    [found] = _find(source, _IMAGE, entry).platforms
    assert (found.verdict, found.problem) == (
        Verdict.CANNOT_SAY,
        problem.format(entry.content.children[1].digest),
    )


def test_an_attestation_without_provenance_says_nothing(source: MemorySource) -> None:
    [found] = _find(source, _IMAGE, attestation(_IMAGE, {}, predicate_type="https://spdx.dev/Document")).platforms
    assert (found.verdict, found.problem) == (Verdict.CANNOT_SAY, "its attestation has no provenance")


def test_an_attestation_that_is_gone_says_nothing(source: MemorySource) -> None:
    lockfile = locked(source)
    entry = attestation(_IMAGE, statement([]))
    source.push(str(_APP), image_index(_IMAGE, entry))
    source.forget(entry.content)
    found = find_provenance(_APP, lockfile, source)
    assert found.verdict is Verdict.CANNOT_SAY
    assert str(entry.digest) in str(found.platforms[0].problem)


@pytest.mark.parametrize("error", [TemporaryError("no answer"), AuthenticationError("log in")])
def test_a_registry_that_does_not_answer_is_no_verdict(source: MemorySource, error: TemporaryError) -> None:
    lockfile = locked(source)
    entry = attestation(_IMAGE, statement([]))
    source.push(str(_APP), image_index(_IMAGE, entry))
    source.failures[f"{_APP.repository}@{entry.digest}"] = error
    with pytest.raises(type(error)):
        find_provenance(_APP, lockfile, source)


def test_an_image_that_is_missing_is_raised(source: MemorySource) -> None:
    with pytest.raises(ImageNotFoundError):
        find_provenance(_APP, locked(source), source)


def test_a_single_image_has_a_platform_and_no_attestation(source: MemorySource) -> None:
    lockfile = locked(source)
    source.push(str(_APP), _IMAGE.content)
    [found] = find_provenance(_APP, lockfile, source).platforms
    assert (str(found.platform), found.verdict, found.problem) == (
        "linux/amd64",
        Verdict.CANNOT_SAY,
        "it has no attestation",
    )


def test_an_index_without_images_says_nothing(source: MemorySource) -> None:
    assert _find(source).verdict is Verdict.CANNOT_SAY


def test_attestations_in_a_nested_index_are_found(source: MemorySource) -> None:
    go = dependency("pkg:docker/go@1?platform=linux%2Famd64", _go(source).digest)
    nested = IndexEntry(content=image_index(_IMAGE, attestation(_IMAGE, statement([go]))))
    assert _find(source, nested).verdict is Verdict.YES


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ([], Verdict.CANNOT_SAY),
        ([Verdict.YES], Verdict.YES),
        ([Verdict.YES, Verdict.CANNOT_SAY], Verdict.CANNOT_SAY),
        ([Verdict.CANNOT_SAY, Verdict.NO, Verdict.YES], Verdict.NO),
    ],
)
def test_the_worst_verdict_counts(verdicts: list[Verdict], worst: Verdict) -> None:
    assert worst_verdict(verdicts) is worst

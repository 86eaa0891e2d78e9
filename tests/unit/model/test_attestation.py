from __future__ import annotations

import json

import pytest

from imagelock.errors import InvalidContentError
from imagelock.model.attestation import Dependency, Provenance, parse_provenance
from imagelock.model.digest import Digest
from tests.support.attestations import V02, V1, dependency, statement

_ONE, _TWO = (f"sha256:{digit * 64}" for digit in "12")
_GO = "pkg:docker/golang@1.22?platform=linux%2Famd64"


def _parse(document: object) -> Provenance:
    return parse_provenance(json.dumps(document).encode(), what="it")


@pytest.mark.parametrize("predicate_type", [V1, V02])
def test_dependencies_are_read_from_both_versions(predicate_type: str) -> None:
    document = statement([dependency(_GO, _ONE)], subjects=[_TWO], predicate_type=predicate_type)
    assert _parse(document) == Provenance(
        subjects=(Digest.parse(_TWO),), dependencies=(Dependency(_GO, (Digest.parse(_ONE),)),)
    )


@pytest.mark.parametrize("version", ["v0.1", "v1"])
def test_both_statement_types_are_read(version: str) -> None:
    document = statement([]) | {"_type": f"https://in-toto.io/Statement/{version}"}
    assert _parse(document) == Provenance(subjects=(), dependencies=())


def test_a_statement_without_subject_is_read() -> None:
    assert _parse(statement([]) | {"subject": None}).subjects == ()


@pytest.mark.parametrize("digest", [{}, {"sha1": "0" * 40}, {"sha256": "0"}, {"sha256": 1}, None])
def test_a_dependency_without_a_usable_digest_keeps_none(digest: object) -> None:
    assert _parse(statement([{"uri": _GO, "digest": digest}])).dependencies == (Dependency(_GO, ()),)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({**statement([]), "_type": "https://in-toto.io/Statement/v2"}, "it is not an in-toto statement"),
        ({}, "it is not an in-toto statement"),
        (
            {**statement([]), "predicateType": "https://slsa.dev/provenance/v2"},
            "it is not SLSA provenance of version 0.2 or 1",
        ),
        ({**statement([]), "predicate": []}, "it has an unreadable entry"),
        (statement([{"digest": {}}]), "it has a dependency without a `uri`"),
        (
            {**statement([]), "predicate": {"buildDefinition": {"resolvedDependencies": {}}}},
            "it has an unreadable list",
        ),
        (
            {**statement([]), "Predicate": {}},
            "it is ambiguous: the key `Predicate` differs from `predicate` in case only",
        ),
    ],
)
def test_what_is_not_understood_is_refused(document: object, reason: str) -> None:
    with pytest.raises(InvalidContentError) as caught:
        _parse(document)
    assert caught.value.message == reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>", "it is not JSON"),
        (b'{"_type": 1, "_type": 2}', "it is ambiguous: the key `_type` occurs twice"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidContentError) as caught:
        parse_provenance(body, what="it")
    assert caught.value.message == reason

"""Which credentials go to which registry: equal names, and nothing less."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from imagelock.registry.auth.credential_store import HelperEntry, find_candidates
from imagelock.registry.auth.docker_config import AuthFile
from imagelock.registry.http.addresses import Login

MINE = Login("me", "secret")
OTHER = Login("other", "secret")


def found(host: str, entries: Mapping[str, Login], path: str = "team/a") -> list[object]:
    return list(find_candidates(AuthFile("f", entries=tuple(entries.items())), host, path))


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("reg.example", "reg.example"),
        ("reg.example:5000", "reg.example:5000"),
        ("https://reg.example", "reg.example"),
        ("https://reg.example/v1/", "reg.example"),
        ("http://reg.example/v2/", "reg.example"),
        ("reg.example/v2/", "reg.example"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("https://REG.example/", "reg.example"),
    ],
)
def test_a_key_names_its_registry(key: str, host: str) -> None:
    assert found(host, {key: MINE}) == [MINE]


@pytest.mark.advisory("CVE-2026-59891")
@pytest.mark.parametrize(
    "host",
    ["ghcr.io.evil.com", "evil-ghcr.io", "ghcr.io:8443", "evil.com", "x.ghcr.io", "io", "ghcr.i", "docker.io"],
)
def test_a_similar_name_is_another_name(host: str) -> None:
    """A password for ghcr.io went to ghcr.io.evil.com."""
    assert found(host, {"ghcr.io": MINE, "https://ghcr.io/v2/": MINE, "evil.com/ghcr.io": OTHER}) == []


def test_the_longest_namespace_counts() -> None:
    entries = {"reg.example": OTHER, "reg.example/team": MINE, "reg.example/team/b": OTHER}
    assert found("reg.example", entries, "team/a") == [MINE]
    assert found("reg.example", entries, "teamwork/a") == [OTHER]


def test_a_namespace_is_not_the_registry() -> None:
    assert found("reg.example", {"reg.example/team": MINE}, "other/a") == []


def test_helpers_come_before_what_the_file_holds() -> None:
    auth_file = AuthFile("f", (("gcr.io", MINE),), helpers=(("gcr.io", "gcloud"),), default_helper="desktop")
    assert list(find_candidates(auth_file, "gcr.io", "a/b")) == [
        HelperEntry("gcloud", "gcr.io"),
        HelperEntry("desktop", "gcr.io"),
        MINE,
    ]
    assert list(find_candidates(auth_file, "ghcr.io", "a/b")) == [HelperEntry("desktop", "ghcr.io")]


def test_a_helper_is_asked_for_docker_hub_under_its_old_name() -> None:
    auth_file = AuthFile("f", default_helper="desktop")
    assert list(find_candidates(auth_file, "docker.io", "library/alpine")) == [
        HelperEntry("desktop", "https://index.docker.io/v1/")
    ]

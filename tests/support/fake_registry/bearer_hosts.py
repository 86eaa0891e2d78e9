"""A registry that wants tokens, and the server that hands them out."""

from __future__ import annotations

from imagelock.model.reference import parse_reference
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.support.oci_images import multi_platform_image

IMAGE = multi_platform_image("linux/amd64", "linux/arm64")
A, B = parse_reference("reg.example/team/a:1"), parse_reference("reg.example/team/b:1")
CHALLENGE = 'Bearer realm="https://auth.example/token",service="reg"'


def bearer_internet(tokens: FakeTokenServer, *, names_access: bool = False, paths: int = 2) -> FakeInternet:
    registry = FakeRegistry(tokens=tokens, challenge=CHALLENGE, names_access=names_access)
    for letter in "abcdefghijklmnopqrstuvwxyz"[:paths]:
        registry.push(f"team/{letter}", IMAGE)
    return FakeInternet({"reg.example": registry, "auth.example": tokens})

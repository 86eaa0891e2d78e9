"""How many of our files does one reference pass between ``fetch_manifest`` and the socket?

    python benchmarks/network/files_entered.py

Counted by ``sys.setprofile`` at the second image of a host, over real sockets on loopback: on a registry that is open
to all, with a login, and where a new token has to be fetched. A reader who follows the request has to open as many.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import imagelock
from imagelock.images_file.registries import RegistryDeclaration
from imagelock.model.reference import RegistryName, parse_reference
from imagelock.registry.locations import RegistrySettings
from imagelock.registry.sources import open_registries
from tests.support.fake_registry.answers import Answer
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.sockets import serving
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.support.oci_images import multi_platform_image

_OURS = Path(imagelock.__file__).parent / "registry"
_IMAGE = multi_platform_image("linux/amd64")
_LOGIN = "me:secret"


class Walk(NamedTuple):
    """The files that were entered, in order, and how often the walk went from one file to another."""

    files: tuple[str, ...]
    moves: int


def walk_of(act: Callable[[], object]) -> Walk:
    """Count what one call enters in the calling thread; the bodies of modules and of ``@frozen`` values don't count."""
    files: dict[str, None] = {}
    moves = 0
    last = ""

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal moves, last
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(str(_OURS)) and frame.f_code.co_name != "<module>":
            files[str(Path(file).relative_to(_OURS))] = None
            moves += file != last
            last = file

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return Walk(tuple(files), moves)


def walks() -> dict[str, Walk]:
    """Walk through the registry's room in three ways."""
    tokens = FakeTokenServer()
    return {
        "open": _second_image(FakeRegistry()),
        "login": _second_image(FakeRegistry(login=_LOGIN)),
        "new token": _second_image(FakeRegistry(tokens=tokens), tokens),
    }


def _second_image(registry: FakeRegistry, tokens: FakeTokenServer | None = None) -> Walk:
    for letter in "ab":
        registry.push(f"team/{letter}", _IMAGE)

    def answer(request: Request) -> Answer:
        return tokens(request) if tokens is not None and request.url.path == "/token" else registry(request)

    with serving(answer) as name:
        registry.challenge = f'Bearer realm="http://{name}/token",service="s"'
        auths = {name: {"auth": base64.b64encode(_LOGIN.encode()).decode()}} if registry.login else {}
        settings = RegistrySettings(
            registries=(RegistryDeclaration(registry=RegistryName(name), plain_http=True),),
            environment={"DOCKER_AUTH_CONFIG": json.dumps({"auths": auths}), "CONTAINERS_REGISTRIES_CONF": os.devnull},
            home=Path("/nonexistent"),
        )
        first, second = (parse_reference(f"{name}/team/{letter}:1") for letter in "ab")
        with open_registries(settings, [first.repository]) as client:
            client.fetch_manifest(first)
            return walk_of(lambda: client.fetch_manifest(second))


def main() -> None:
    for way, walk in walks().items():
        print(f"{way}: {len(walk.files)} files, {walk.moves} moves: {', '.join(walk.files)}")


if __name__ == "__main__":
    main()

"""The table of docs/bots.md: what `check` says after a bot's edit, and the commands that take it or take it back."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.desk import TWO_PLATFORMS, Desk, new_desk
from tests.support.documented import CHECKOUT
from tests.support.oci_images import multi_platform_image
from tests.support.registry_server import RegistryServer

_IMAGES = 'platforms = ["linux/amd64", "linux/arm64"]\n\n[images]\ngo = "bot-go:1.22"\n'
_NEWER = multi_platform_image(*TWO_PLATFORMS, note="go 1.23")
_MOVED = multi_platform_image(*TWO_PLATFORMS, note="go 1.22, rebuilt")


@pytest.fixture
def desk(anonymous: RegistryServer, tmp_path: Path) -> Desk:
    """One image, locked, in a rendered and a pinned file; its tag has moved since, and there is a newer one."""
    desk = new_desk(anonymous, tmp_path)
    desk.push("bot-go", "1.22")
    desk.write(
        {
            "images.toml": f'{_IMAGES}[render]\n"Dockerfile" = "Dockerfile.in"\n[pin]\nfiles = ["compose.yaml"]\n',
            "Dockerfile.in": "FROM {{images.go}}\n",
            "compose.yaml": "services: {app: {image: 'bot-go:1.22'}}\n",
        }
    )
    desk.run("imagelock lock", "imagelock render", "imagelock check")
    desk.push("bot-go", "1.22", image=_MOVED)
    desk.push("bot-go", "1.23", image=_NEWER)
    return desk


def _edit(desk: Desk, name: str, old: str, new: str) -> None:
    text = (desk.folder / name).read_text()
    assert re.search(old, text), text
    desk.write({name: re.sub(old, new, text, count=1)})


_EDITS: dict[str, tuple[Callable[[Desk], None], str, tuple[str, ...], tuple[str, ...]]] = {
    "a tag in images.toml": (
        lambda desk: _edit(desk, "images.toml", "1\\.22", "1.23"),
        "images.lock does not match images.toml",
        ("imagelock lock", "imagelock render --retag"),
        (),
    ),
    "a tag, or tag and digest, in a pinned file": (
        lambda desk: _edit(desk, "compose.yaml", "1\\.22@sha256:[0-9a-f]{64}", f"1.23@{_NEWER.digest}"),
        "imagelock update go --to 1.23",
        ("imagelock update go --to 1.23",),
        ("imagelock render --retag",),
    ),
    "a digest in a pinned file": (
        lambda desk: _edit(desk, "compose.yaml", "sha256:[0-9a-f]{64}", _MOVED.digest),
        _MOVED.digest[7:19],
        ("imagelock update go", "imagelock render"),
        ("imagelock render",),
    ),
    "a rendered file": (
        lambda desk: _edit(desk, "Dockerfile", "1\\.22", "1.23"),
        "not rendered from the current lock",
        (),
        ("imagelock render",),
    ),
    "an index digest in images.lock": (
        lambda desk: _edit(desk, "images.lock", 'digest = "sha256:[0-9a-f]{64}', f'digest = "{_NEWER.digest}'),
        "checksum",
        ("imagelock lock", "imagelock render"),
        (),
    ),
}
"""The edit; what `check` says; the commands that take it; the commands that take it back."""


@pytest.mark.parametrize("kind", _EDITS)
@pytest.mark.parametrize("takes", [True, False])
def test_a_row_of_the_table_is_true(desk: Desk, kind: str, takes: bool) -> None:  # noqa: FBT001  a parameter of the test
    edit, sentence, take, take_back = _EDITS[kind]
    before = {name: (desk.folder / name).read_bytes() for name in ("images.toml", "Dockerfile", "compose.yaml")}
    edit(desk)
    failed = subprocess.run(
        ["imagelock", "check"], cwd=desk.folder, env=desk.environment, capture_output=True, check=False, text=True
    )
    assert failed.returncode == 1
    assert sentence in failed.stderr
    commands = take if takes else take_back
    if commands:
        desk.run(*commands, "imagelock check")
        unchanged = {name: (desk.folder / name).read_bytes() for name in before} == before
        assert unchanged is not takes


def test_every_row_is_tried() -> None:
    page = (CHECKOUT / "docs/bots.md").read_text()
    table = page[page.index("| it changed |") :]
    assert re.findall(r"^\| ([^|]+?) \|", table, re.MULTILINE)[1:] == list(_EDITS)
    for _, _, take, take_back in _EDITS.values():
        for command in (*take, *take_back):
            assert command.replace(" go", " NAME").replace("1.23", "TAG").removesuffix(" --retag") in page

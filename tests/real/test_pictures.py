"""The pictures of terminals in the README and on the site show what happens, and load nothing from elsewhere."""

from __future__ import annotations

import re

import pytest

from scripts.generate_pictures import draw_pictures
from tests.support.documented import CHECKOUT, PAGES
from tests.support.real_software import require_programs

_ASSETS = CHECKOUT / "docs/assets"


def test_each_picture_is_what_a_run_looks_like() -> None:
    require_programs("docker-registry", "git")
    for name, picture in draw_pictures():
        assert (_ASSETS / name).read_text() == picture, f"{name}: run python scripts/generate_pictures.py"


@pytest.mark.parametrize("name", sorted(path.name for path in _ASSETS.glob("*.svg")))
def test_a_picture_is_shown_somewhere_and_is_whole(name: str) -> None:
    text = (_ASSETS / name).read_text()
    loads = re.findall(r"(?:href|src)\s*=|url\((?!#)|@import|@font-face|<script|<image|<foreignObject", text)
    assert loads == []
    shown = [page for page in PAGES if re.search(rf"!\[[^]]+\]\(\S*assets/{re.escape(name)}\)", page.read_text())]
    assert shown

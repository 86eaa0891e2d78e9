"""Draw the terminals that the README and the site show, from runs against a registry on loopback.

    PYTHONPATH=. python scripts/generate_pictures.py [--check]

With --check nothing is written; the exit code is 1 if a picture does not show what happens. It needs docker-registry.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from pathlib import Path

from rich.console import CONSOLE_SVG_FORMAT, Console  # type: ignore[attr-defined]
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.support.desk import TWO_PLATFORMS, Desk, first_steps, new_desk
from tests.support.oci_images import multi_platform_image
from tests.support.registry_server import anonymous_registry

_ASSETS = Path(__file__).parents[1] / "docs/assets"
_WIDTH = 84
_STEPS: Mapping[str, tuple[str, ...]] = {
    "terminal-first-steps.svg": ("imagelock init", "imagelock lock", "imagelock render", "imagelock check"),
    "terminal-update.svg": ("imagelock outdated", "imagelock update", "imagelock render"),
    "terminal-check.svg": ("imagelock check --all",),
}
"""What is typed for each picture, one after the other at the same desk."""
_FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_DURATION = re.compile(r" in [0-9.]+m?s\b")
_THEME = TerminalTheme(
    (24, 26, 31),
    (222, 224, 228),
    [
        (40, 44, 52),
        (240, 113, 120),
        (152, 195, 121),
        (229, 192, 123),
        (97, 175, 239),
        (198, 120, 221),
        (86, 182, 194),
        (200, 204, 212),
    ],
)


def main(arguments: list[str]) -> int:
    """Write or check each picture, and return how many were not as they should be."""
    wrong = {name: picture for name, picture in draw_pictures() if not _is_current(name, picture)}
    if "--check" not in arguments:
        for name, picture in wrong.items():
            (_ASSETS / name).write_text(picture, "utf-8")
        return 0
    for name in wrong:
        print(f"docs/assets/{name} does not show what happens: run python scripts/generate_pictures.py")
    return len(wrong)


def _is_current(name: str, picture: str) -> bool:
    path = _ASSETS / name
    return path.exists() and path.read_text("utf-8") == picture


def draw_pictures() -> Iterator[tuple[str, str]]:
    """Yield the file name of each picture, and the picture."""
    with tempfile.TemporaryDirectory() as folder:
        registry_folder = Path(folder) / "registry"
        registry_folder.mkdir()
        with anonymous_registry(registry_folder) as registry:
            desk = new_desk(registry, Path(folder))
            desk.environment |= {"IMAGELOCK_COLOR": "always", "CI": "1", "COLUMNS": str(_WIDTH)}
            first_steps(desk)
            happens: Mapping[str, Callable[[Desk], None]] = {
                "terminal-update.svg": _move_tags,
                "terminal-check.svg": _break_something,
            }
            for name, commands in _STEPS.items():
                if name in happens:
                    happens[name](desk)
                yield name, _draw("".join(_run(desk, command) for command in commands), name)


def _move_tags(desk: Desk) -> None:
    """Golang is built again, under the same tag."""
    desk.push("golang", "1.22-bookworm", image=multi_platform_image(*TWO_PLATFORMS, note="golang, rebuilt"))


def _break_something(desk: Desk) -> None:
    """A person edits a pinned file and adds a Dockerfile."""
    compose = (desk.folder / "compose.yaml").read_text()
    desk.write({"compose.yaml": re.sub("@sha256:[0-9a-f]+", "", compose), "tools.Dockerfile": "FROM alpine:3.20\n"})


def _run(desk: Desk, command: str) -> str:
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=desk.folder,
        env=desk.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return f"\x1b[32m$\x1b[0m \x1b[1m{command}\x1b[0m\n{_DURATION.sub(' in 41ms', done.stdout)}"


def _draw(output: str, name: str) -> str:
    """Draw with the fonts of the reader's machine: a picture loads nothing from elsewhere."""
    console = Console(record=True, width=_WIDTH, file=StringIO(), force_terminal=True, color_system="standard")
    console.print(Text.from_ansi(output.rstrip("\n")))
    template = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    template = re.sub(r"font-family: [^;]+;", f"font-family: {_FONT};", template)
    picture = console.export_svg(title="", theme=_THEME, code_format=template, unique_id=Path(name).stem)
    return "\n".join(line.rstrip() for line in picture.splitlines()) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

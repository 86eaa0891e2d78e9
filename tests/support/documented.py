"""Pages of the documentation, with their commands run as a reader would type them, from top to bottom.

A comment on the line before a block says what a reader would do, or why the block is not run:

    <!-- not run: REASON -->
    <!-- file: PATH -->         the block is the content of that file from here on
    <!-- append: PATH -->       the block is added to that file

`…` in an output stands for any text on the line; alone on a line, for any lines. Where a block shows commands only,
they must succeed and their output does not matter.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PAGES = (*sorted(CHECKOUT.glob("docs/**/*.md")), *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md")))
_BLOCK = re.compile(
    r"(?:^<!-- (?P<directive>not run|file|append|schema): (?P<argument>.+?) -->\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_DURATION = re.compile(r" in [0-9.]+m?s\b")
_NONE: Mapping[str, Callable[[], object]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block, and what the comment before it says."""

    language: str
    text: str
    line: int
    """Of its first fence."""
    directive: str | None
    argument: str | None

    @property
    def reason_not_to_run(self) -> str | None:
        return self.argument if self.directive == "not run" else None

    def commands(self) -> Iterator[tuple[str, str]]:
        """Each command of a console block, and the output that is shown below it."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield command, output


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    text = page.read_text()
    for found in _BLOCK.finditer(text):
        yield Block(
            language=found["language"],
            text=found["text"],
            line=text.count("\n", 0, found.start()) + 1,
            directive=found["directive"],
            argument=found["argument"],
        )


def console_blocks(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "console"]


@dataclass(slots=True, kw_only=True)
class Reader:
    """Types the commands of pages. ``before`` has what happens elsewhere before a command that begins so."""

    folder: Path
    environment: Mapping[str, str]
    before: Mapping[str, Callable[[], object]] = field(default_factory=lambda: _NONE)

    def walk(self, page: Path) -> tuple[list[str], list[str]]:
        """Run a page, and return what it shows and what came out, block by block."""
        shown, happened = [], []
        for block in blocks(page):
            if block.directive in ("file", "append"):
                self._write(block)
            elif block.language == "console" and block.directive is None:
                shown.append(_DURATION.sub(" in TIME", block.text))
                happened.append(self._run_block(block))
        return shown, happened

    def _write(self, block: Block) -> None:
        assert block.argument is not None
        path = self.folder / block.argument
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if block.directive == "append" else "w") as file:
            file.write(block.text)

    def _run_block(self, block: Block) -> str:
        has_output = any(output.strip() for _, output in block.commands())
        text = ""
        for command, shown in block.commands():
            for prefix, act in self.before.items():
                if command.startswith(prefix):
                    act()
            exit_code, output = self._run(command)
            if not has_output:
                assert exit_code == 0, f"line {block.line}: {command}: {output}"
                output = shown
            text += f"$ {command}\n{_as_shown(_DURATION.sub(' in TIME', shown), _DURATION.sub(' in TIME', output))}"
        return text

    def _run(self, command: str) -> tuple[int, str]:
        """Run a line of a shell and return its exit code and what it printed."""
        if command.startswith("cd "):
            self.folder = (self.folder / command.removeprefix("cd ")).resolve()
            return 0, ""
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout


def _as_shown(shown: str, happened: str) -> str:
    """Return an output in the words of the page where they agree: blank lines between commands do not matter."""
    lines = shown.rstrip("\n").split("\n")
    pattern = "".join(r"(?:.*\n)*?" if line == "…" else f"{re.escape(line).replace('…', '.*?')}\n" for line in lines)
    return shown if re.fullmatch(pattern, happened.rstrip("\n") + "\n") else happened

"""Does the time for a file grow as its number of references does?

    PYTHONPATH=. python benchmarks/growth.py [--references 50000] [--placeholders 4800000]

Prints the processor time for an eighth, a quarter, a half and all of the references, in scanning, planning and pinning
documents of several formats, and in rendering templates; 2.0 is the last column of what grows linearly: how many times
as long the whole took as its half.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from imagelock.documents.kinds import find_references
from imagelock.documents.locked_references import LockedReferences
from imagelock.documents.pin_decisions import plan_pins
from imagelock.documents.pinning import pin
from imagelock.images_file.parser import parse_images_file
from imagelock.model.reference import PinnedReference, parse_reference
from imagelock.rendering.template import images_to_render, render
from tests.support.locked_images import lock_text, lockfile

_PARTS = (8, 4, 2, 1)
_DOCUMENTS: dict[str, tuple[Format, str, str]] = {
    "FROM": (table.DOCKERFILE, "", "FROM golang:1.22\n"),
    "FROM $V in its tag": (table.DOCKERFILE, "ARG V=1.22\n", "FROM golang:$V\n"),
    "COPY --from": (table.DOCKERFILE, "FROM golang:1.22\n", "COPY --from=golang:1.22 /a /b\n"),
    "compose": (table.COMPOSE, "services:\n", "  s{}: {{image: golang:1.22}}\n"),
    "GitLab, on one line": (table.GITLAB, "{ü: 1", ', s{}: {{image: "golang:1.22"}}'),
    "markers": (table.BY_NAME["text"], "", "X = golang:1.22 # imagelock: go\n"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--references", type=int, default=50_000)
    parser.add_argument("--placeholders", type=int, default=4_800_000)
    arguments = parser.parse_args()
    for name, (kind, head, line) in _DOCUMENTS.items():
        contents = {number: _document(head, line, number) for number in _numbers(arguments.references)}
        for action, run in _actions(kind):
            _measure(f"{action}, {name}", contents, run)
    templates = {number: b"FROM {{images.go}}\n" * number for number in _numbers(arguments.placeholders)}
    images = images_to_render(parse_images_file('[images]\ngo = "go:1"'), lockfile(lock_text()))
    _measure("render, placeholders", templates, lambda content: render(content, images, file_name="t"))
    wrong = {number: b"{{images.gone}} " * number for number in _numbers(arguments.placeholders // 10)}
    _measure("render, unknown names on one line", wrong, lambda content: render(content, images, file_name="t"))


def _document(head: str, line: str, number: int) -> bytes:
    lines = "".join(map(line.format, range(number)))
    return f"{head}{lines}{'}' if head.startswith('{') else ''}".encode()


def _numbers(largest: int) -> Iterator[int]:
    return (largest // part for part in _PARTS)


def _actions(kind: Format) -> Iterator[tuple[str, Callable[[bytes], object]]]:
    reference = parse_reference(f"golang:1.22@sha256:{'d' * 64}")
    assert isinstance(reference, PinnedReference)
    locked = LockedReferences([reference])
    yield "scan", lambda content: find_references(content, kind)
    yield "plan", lambda content: plan_pins(content, kind, locked)
    yield "pin", lambda content: pin(content, kind, locked)


def _measure(name: str, contents: dict[int, bytes], run: Callable[[bytes], object]) -> None:
    times = [_seconds(run, content) for content in contents.values()]
    numbers = "  ".join(f"{number:,}: {taken:.2f} s" for number, taken in zip(contents, times, strict=True))
    print(f"{name:35}  {numbers}  {times[-1] / times[-2]:.1f}")


def _seconds(run: Callable[[bytes], object], content: bytes) -> float:
    start = time.process_time()
    run(content)
    return time.process_time() - start


if __name__ == "__main__":
    main()

"""How CI systems show a problem beside its line: the commands that GitHub Actions and Azure Pipelines read in a log.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands#logissue-log-an-error-or-warning
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from imagelock.cli.console import Console
from imagelock.model.frozen import frozen

_SHOWN = 10
"""Both systems show so many errors of a step and drop the rest."""
_ROOTS = ("GITHUB_WORKSPACE", "BUILD_SOURCESDIRECTORY", "CI_PROJECT_DIR", "WORKSPACE")
"""Where GitHub Actions, Azure Pipelines, GitLab CI and Jenkins have the checkout."""


@frozen(kw_only=True)
class Annotation:
    """An error about a file."""

    path: Path
    text: str
    rule: str = ""
    """The identifier of the rule that is broken, if there is one."""
    line: int | None = None
    column: int | None = None


def annotate(console: Console, annotations: Sequence[Annotation]) -> None:
    """Write a command for each annotation, and how many there are, where a CI system reads them; nothing elsewhere."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        commands, overflow = map(_github, annotations), "::notice::{}"
    elif os.environ.get("TF_BUILD", "").lower() == "true":
        commands, overflow = map(_azure, annotations), "##vso[task.logissue type=warning;]{}"
    else:
        return
    for command in commands:
        console.annotate(command)
    if len(annotations) > _SHOWN:
        console.annotate(overflow.format(f"{len(annotations)} problems in all; the log of this step has every one"))


def path_in_checkout(path: Path) -> str:
    """Return a path relative to the checkout of the CI system if it is in there, else to the working directory."""
    absolute = os.path.abspath(path)  # noqa: PTH100  without following links, which the checkout may lie behind
    roots = (os.path.join(os.environ.get(name, ""), "") for name in _ROOTS)  # noqa: PTH118  with its last slash
    root = next((root for root in roots if root and absolute.startswith(root)), None)
    return Path(os.path.relpath(absolute, root)).as_posix()


def _github(annotation: Annotation) -> str:
    parts = {"file": path_in_checkout(annotation.path), "line": annotation.line, "col": annotation.column}
    where = ",".join(f"{name}={_escape(str(value), ':,')}" for name, value in _known(parts))
    return f"::error {where}::{_escape(annotation.text)}"


def _azure(annotation: Annotation) -> str:
    parts = {
        "type": "error",
        "sourcepath": path_in_checkout(annotation.path),
        "linenumber": annotation.line,
        "columnnumber": annotation.column,
        "code": annotation.rule or None,
    }
    where = "".join(f"{name}={_escape(str(value), '];')};" for name, value in _known(parts))
    return f"##vso[task.logissue {where}]{_escape(annotation.text)}"


def _known(parts: dict[str, str | int | None]) -> Iterator[tuple[str, str | int]]:
    return ((name, value) for name, value in parts.items() if value is not None)


def _escape(text: str, separators: str = "") -> str:
    """Write what would end a line, or a property of a command, as both systems do: as ``%`` and its number."""
    for sign in ("%", "\r", "\n", *separators):
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text

"""Folders of vendored files and of samples for tests, linters and parsers: their images are not the project's own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

_SAMPLES = "data|fixtures?|files?|resources|inputs?|cases?|samples?|examples?|corpus"
_FOREIGN = re.compile(
    r"_?vendor(ed)?|third[-_]?party|godeps|node_modules|bower_components|site-packages|\.terraform"
    rf"|tests?[-_]?({_SAMPLES})([-_].+)?|(__)?fixtures?(__)?|(__)?snapshots?__|golden(s|[-_]?files?)?"
)
_TESTS = re.compile(
    r"(.+[-_])?(tests?|testing|specs?|e2e|parsers?|lexers?|grammars?|tokenizers?|linters?|highlight(ers?|ing)?)"
    r"|tree[-_]sitter.*"
)
"""Folders of tests, and of programs that read files like these."""
_INPUTS = re.compile(rf"(.+[-_])?({_SAMPLES}|checks|(in)?valid|positive|negative|good|bad|pass(ing)?|fail(ing|ures?)?)")
"""Names that are inputs only below one of those: ``examples`` alone may be what a project tells its users to run."""
_EXAMPLES = re.compile(r"(.+[-_])?(examples?|samples?)")
_VERDICT_FOLDER = re.compile(
    r"(in)?valid|positive|negative|good|bad|pass(ing)?|fail(ing|ures?)?|broken|malformed|errors?"
)
_VERDICT = re.compile(
    r"(positive|negative|(in)?valid|good|bad|pass|fail(ed|ure)?|success|broken|malformed)(?![a-z]).*", re.DOTALL
)
"""Names of files that a test expects to be accepted or refused, or that show what a linter or parser says."""


def find_foreign_folders(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the topmost folder of vendored files or samples for each path that has one, sorted."""
    found = (folder for path in paths if (folder := _foreign_folder(path)) is not None)
    return tuple(sorted(set(found)))


def is_foreign(path: str) -> bool:
    """Whether a path lies below such a folder."""
    return _foreign_folder(path) is not None


def is_in_folders(path: str, folders: Collection[str]) -> bool:
    """Whether a path lies below one of the folders."""
    return any(path.startswith(f"{folder}/") for folder in folders)


def _foreign_folder(path: str) -> str | None:
    *parts, file_name = PurePosixPath(path).parts
    is_below_tests = is_below_examples = False
    for depth, part in enumerate(parts, start=1):
        name = part.lower()
        if (
            _FOREIGN.fullmatch(name)
            or (is_below_tests and _INPUTS.fullmatch(name))
            or (is_below_examples and _VERDICT_FOLDER.fullmatch(name))
        ):
            return "/".join(parts[:depth])
        is_below_tests = is_below_tests or _TESTS.fullmatch(name) is not None
        is_below_examples = is_below_examples or _EXAMPLES.fullmatch(name) is not None
    has_verdict = (is_below_tests or is_below_examples) and _VERDICT.fullmatch(file_name.lower())
    return "/".join(parts) if has_verdict else None

"""SARIF 2.1.0, which code scanning and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, and what GitHub demands beyond the schema (a location
for each result, help for each rule): https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from imagelock import __version__
from imagelock.cli.reports.annotations import path_in_checkout
from imagelock.cli.reports.findings import Wrong
from imagelock.cli.reports.rules import RULES
from imagelock.errors import ExitCode, ImagelockError

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_INFORMATION = "https://github.com/imagelock/imagelock"


def sarif_document(failures: Sequence[Wrong], listed: Sequence[Wrong]) -> dict[str, Any]:
    """Return a log with one run; what ``check`` lists without failing has the level ``note``.

    Paths are relative to the root of the checkout in CI, else to the working directory.
    """
    rules = sorted({each.kind for each in (*failures, *listed)})
    results = [
        *(_result(each, rules, level="error") for each in failures),
        *(_result(each, rules, level="note") for each in listed),
    ]
    invocation = {"executionSuccessful": True, "exitCode": int(ExitCode.NO if failures else ExitCode.DONE)}
    return _log(_rules(rules), invocation, {"columnKind": "unicodeCodePoints", "results": results})


def failure_document(error: ImagelockError, complete: Callable[[str], str]) -> dict[str, Any]:
    """Return a log of a run that could not answer, without `results`: an empty list would say that all is fixed."""
    hints = [f"hint: {complete(hint)}" for hint in (error.hint, *error.further_hints) if hint]
    text = "\n".join([error.message, *error.details, *hints])
    notification = {"level": "error", "message": {"text": text}}
    invocation = {
        "executionSuccessful": False,
        "exitCode": int(error.exit_code),
        "toolExecutionNotifications": [notification],
    }
    return _log((), invocation, {})


def _log(rules: Iterable[dict[str, Any]], invocation: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    driver = {
        "name": "imagelock",
        "semanticVersion": __version__,
        "informationUri": _INFORMATION,
        "rules": list(rules),
    }
    run = {"tool": {"driver": driver}, "invocations": [invocation], **found}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rules(identifiers: Iterable[str]) -> Iterable[dict[str, Any]]:
    for identifier in identifiers:
        rule = RULES[identifier]
        yield {
            "id": identifier,
            "shortDescription": {"text": rule.summary},
            "fullDescription": {"text": rule.summary},
            "help": {"text": rule.remedy, "markdown": rule.remedy},
            "defaultConfiguration": {"level": "error"},
            "properties": {"precision": "very-high", "problem.severity": "error"},
        }


def _result(wrong: Wrong, rules: Sequence[str], *, level: str) -> dict[str, Any]:
    about = wrong.reference or wrong.name
    line, column = wrong.position
    region = {"startLine": line or 1, "startColumn": column or 1}
    if wrong.reference and "\n" not in wrong.reference:
        region["endColumn"] = region["startColumn"] + len(wrong.reference)
    return {
        "ruleId": wrong.kind,
        "ruleIndex": rules.index(wrong.kind),
        "level": level,
        "message": {"text": f"{about}: {wrong.reason}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(wrong.path)},
                    "region": region,
                }
            }
        ],
    }


def _uri(path: Path) -> str:
    return quote(path_in_checkout(path))

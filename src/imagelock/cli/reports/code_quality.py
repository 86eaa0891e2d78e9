"""GitLab's Code Quality report, kept apart: start-up of `check` would load hashlib and OpenSSL with it.

A JSON array of issues in the format of Code Climate, which GitLab shows in merge requests:
https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from imagelock.cli.reports.annotations import path_in_checkout
from imagelock.cli.reports.findings import Wrong


def code_quality_issues(failures: Sequence[Wrong], listed: Sequence[Wrong]) -> list[dict[str, Any]]:
    """Return one issue for each problem; what ``check`` lists without failing has the severity ``info``.

    GitLab shows one of the issues with equal fingerprints, and compares those of two branches to tell new ones. So a
    fingerprint has no line number, which other edits of a file move, but the rule, the path, what it is about, and
    which of its equals it is.
    """
    issues: list[dict[str, Any]] = []
    seen: dict[tuple[str, ...], int] = {}
    for severity, problems in (("major", failures), ("info", listed)):
        for wrong in problems:
            path = path_in_checkout(wrong.path)
            about = wrong.reference or wrong.name
            key = (wrong.kind, path, about if wrong.reference or wrong.is_about_image else "")
            seen[key] = seen.get(key, 0) + 1
            issues.append(
                {
                    "description": f"{about}: {wrong.reason}",
                    "check_name": wrong.kind,
                    "fingerprint": sha256("\0".join((*key, str(seen[key]))).encode(errors="replace")).hexdigest(),
                    "severity": severity,
                    "location": {"path": path, "lines": {"begin": wrong.position[0] or 1}},
                }
            )
    return issues

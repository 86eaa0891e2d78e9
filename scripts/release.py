#!/usr/bin/env python3
"""Begin a release: write its version and date, and commit.

    python scripts/release.py VERSION

CHANGELOG.md's `## Unreleased` becomes `## VERSION (DATE)` below a new, empty one. Tag the commit `vVERSION` and push
the tag; .github/workflows/release.yml does the rest.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

_PROJECT = Path(__file__).parents[1]
_VERSION = r"[0-9]+\.[0-9]+\.[0-9]+(?:(?:a|b|rc)[0-9]+)?"


def main(arguments: list[str]) -> int:
    """Return 0 if the release was committed, 2 if it cannot be."""
    if len(arguments) != 1 or not re.fullmatch(_VERSION, arguments[0]):
        print("usage: python scripts/release.py VERSION, such as 0.2.0 or 1.0.0rc1", file=sys.stderr)
        return 2
    version = arguments[0]
    if _git("status", "--porcelain", "--untracked-files=no"):
        print("error: there are changes that are not committed", file=sys.stderr)
        return 2
    changelog = _PROJECT / "CHANGELOG.md"
    text = changelog.read_text("utf-8")
    if not _entries(text):
        print("error: CHANGELOG.md has nothing under `## Unreleased`", file=sys.stderr)
        return 2
    changelog.write_text(_released(text, version, datetime.now(UTC).date().isoformat()), "utf-8")
    face = _PROJECT / "src/imagelock/__init__.py"
    face.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', face.read_text("utf-8")), "utf-8")
    _git("commit", "--quiet", "--message", f"Release {version}", "--", str(changelog), str(face))
    print(f"committed; now: git tag v{version} && git push origin v{version}")
    return 0


def _entries(text: str) -> str:
    return text.partition("## Unreleased\n")[2].partition("\n## ")[0].strip()


def _released(text: str, version: str, day: str) -> str:
    return text.replace("## Unreleased\n", f"## Unreleased\n\n## {version} ({day})\n", 1)


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, check=True, cwd=_PROJECT, text=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
